//! Batch calls: always 200, each row on its own, none of them checked against the argument lists.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::arguments::integer;
use super::call::Call;
use super::query::Parameters;
use super::state::State;

/// Rows of one batch call, all kinds together.
const ROWS_MAX: usize = 100;

/// What a batch does to its rows: the endpoints of one resource.
pub(crate) struct Endpoints<'a> {
    pub(crate) create: &'a dyn Fn(&mut State, &mut Call) -> Outcome,
    pub(crate) update: &'a dyn Fn(&mut State, &mut Call, u64) -> Outcome,
    pub(crate) delete: &'a dyn Fn(&mut State, &mut Call, u64) -> Outcome,
}

/// `POST /{resource}/batch`.
pub(crate) fn run(state: &mut State, call: &mut Call, endpoints: &Endpoints<'_>) -> Outcome {
    let rows = |name: &str| call.parameters.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (creates, updates, deletes) = (rows("create"), rows("update"), rows("delete"));
    if creates.len() + updates.len() + deletes.len() > ROWS_MAX {
        let message = "Unable to accept more than 100 items for this request.";
        return Err(Refusal::new(413, "woocommerce_rest_request_entity_too_large", message));
    }
    let named: Vec<String> = updates.iter().map(|row| &row["id"]).chain(&deletes).map(Value::to_string).collect();
    let mut answer = Map::new();
    if !creates.is_empty() {
        let done = creates
            .into_iter()
            .map(|row| one(call, row, &json!(0), |inner| (endpoints.create)(state, inner)))
            .collect();
        answer.insert("create".to_owned(), done);
    }
    if !updates.is_empty() {
        let done = updates.into_iter().map(|row| {
            let sent = row.get("id").cloned().unwrap_or(Value::Null);
            let row_id = number(&sent);
            one(call, row, &sent, |inner| (endpoints.update)(state, inner, row_id))
        });
        answer.insert("update".to_owned(), done.collect());
    }
    if !deletes.is_empty() {
        let done = deletes.into_iter().map(|sent| {
            let row_id = number(&sent);
            one(call, json!({"force": true}), &sent, |inner| (endpoints.delete)(state, inner, row_id))
        });
        answer.insert("delete".to_owned(), done.collect());
    }
    if call.faults.kills(&named) {
        return Err(Refusal::dead());
    }
    Ok(Answer::ok(if answer.is_empty() { json!([]) } else { Value::Object(answer) }))
}

fn number(id: &Value) -> u64 {
    integer(id).and_then(|id| u64::try_from(id).ok()).unwrap_or(0)
}

fn one(call: &mut Call, row: Value, sent_id: &Value, act: impl FnOnce(&mut Call) -> Outcome) -> Value {
    let parameters: Parameters = match row {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let mut inner = call.row(parameters);
    let id = sent_id.as_str().map_or_else(|| sent_id.to_string(), str::to_owned);
    let outcome = match inner.faults.denied(&[id]) {
        Some(denied) => Err(Refusal::denied(denied, "edit")),
        None => act(&mut inner),
    };
    call.events.append(&mut inner.events);
    match outcome {
        Ok(answer) => answer.body,
        Err(refusal) => refusal.row(sent_id),
    }
}
