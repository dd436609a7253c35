//! Several updates in one call, each with an answer of its own at its place.
//!
//! Measured: the call is answered with 200 whatever becomes of its rows, a refused row holds its error, and rows are not
//! held against the schema: what is no value of a field is stored as another one. So only what flowc has checked goes here.

use super::query::Query;
use super::{Shop, answer};
use crate::connector::http::{Effect, Verb};
use crate::connector::{Answer, CallError, Raw, Write, written};
use serde_json::Value;

/// The outcome of each of these updates, in their order.
pub(super) async fn send(shop: &Shop, writes: &[Write]) -> Vec<Result<Answer, CallError>> {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    let mut outcomes: Vec<Option<Result<Answer, CallError>>> = writes.iter().map(|_| None).collect();
    for (n, write) in writes.iter().enumerate() {
        let path = match shop.route(&write.entity, &write.parts, "write") {
            Ok(path) => path,
            Err(error) => {
                outcomes[n] = Some(Err(error));
                continue;
            }
        };
        let most = write.entity.batch.unwrap_or(1) as usize;
        match groups.iter_mut().rev().find(|(other, rows)| *other == path && rows.len() < most) {
            Some((_, rows)) => rows.push(n),
            None => groups.push((path, vec![n])),
        }
    }
    for (path, rows) in groups {
        let of_group: Vec<&Write> = rows.iter().map(|n| &writes[*n]).collect();
        let answers = match of_group.as_slice() {
            [one] => vec![shop.send(one).await],
            several => together(shop, &path, several).await,
        };
        for (n, outcome) in rows.into_iter().zip(answers) {
            outcomes[n] = Some(outcome);
        }
    }
    let lost = || Err(shop.http.garbled("fewer rows than were sent".to_owned(), Effect::Write));
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(lost)).collect()
}

/// One call. What nobody knows of it, nobody knows of any of its rows.
async fn together(shop: &Shop, path: &str, writes: &[&Write]) -> Vec<Result<Answer, CallError>> {
    let rows: Vec<String> = writes.iter().map(|write| row(write)).collect();
    let body = format!(r#"{{"update":[{}]}}"#, rows.join(","));
    let route = format!("{path}/batch");
    let query = Query::default().with("dp", "6");
    let answered = shop.call(&Verb::POST, &route, &query, Some(body)).await.map_err(CallError::from);
    let told = answered.and_then(|response| {
        let told: Option<Value> = serde_json::from_str(&response.body).ok();
        let rows = told.and_then(|mut told| match told.get_mut("update").map(Value::take) {
            Some(Value::Array(rows)) if rows.len() == writes.len() => Some(rows),
            _ => None,
        });
        rows.ok_or_else(|| shop.http.garbled("not one answer for each row of a batch".to_owned(), Effect::Write))
    });
    match told {
        Ok(rows) => writes.iter().zip(rows).map(|(write, row)| outcome(shop, &route, write, &row)).collect(),
        Err(error) => writes.iter().map(|_| Err(error.clone())).collect(),
    }
}

/// What is to be changed, with the key of the record.
fn row(write: &Write) -> String {
    let id = write.id.as_deref().unwrap_or_default();
    let id = if id.parse::<u64>().is_ok() { id.to_owned() } else { Value::from(id).to_string() };
    let rest = write.body.trim().trim_start_matches('{').trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    format!(r#"{{"id":{id}{comma}{rest}"#)
}

fn outcome(shop: &Shop, route: &str, write: &Write, row: &Value) -> Result<Answer, CallError> {
    match row.get("error") {
        Some(error) => Err(answer::row_refused(&shop.http, error, route)),
        None => written(write, Raw(row.to_string().into()))
            .map_err(|what| shop.http.garbled(what.to_owned(), Effect::Write)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::tests::entity;
    use crate::ir::Method;

    #[test]
    fn a_row_is_its_key_and_what_changes() {
        let write = |id: &str, body: &str| Write {
            entity: std::sync::Arc::new(entity("Product", "products", Vec::new())),
            method: Method::Put,
            id: Some(id.to_owned()),
            body: body.to_owned(),
            parts: Vec::new(),
        };
        assert_eq!(row(&write("12", r#"{"stock_quantity":3}"#)), r#"{"id":12,"stock_quantity":3}"#);
        assert_eq!(row(&write("12", "{}")), r#"{"id":12}"#);
        assert_eq!(row(&write("a", "{ }")), r#"{"id":"a"}"#);
    }
}
