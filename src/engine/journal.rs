//! The journal: what is about to be sent stands in the store before it is sent, and what became of it after. What has
//! no outcome is cleared up here: searched by key, and given up only when it can no longer take effect.

use super::memory::wire_text;
use super::pass::{Ending, Pass};
use crate::connector::{CallError, Find};
use crate::eval::{Draft, KeyTried, Pending};
use crate::ir::{Entity, FieldId, Program, Verb};
use crate::limits;
use crate::store::{Change, Commit, Intent, Link, Operation, Outcome, Target};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of an intent without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clue<'a> {
    /// A search found its effect.
    Found(&'a str),
    /// A search made at that time found nothing.
    NotFound,
    /// There is no key to search it by.
    NoKey { guarded: bool },
    /// Doing it again does no harm: it changes or removes what is there.
    Repeatable,
}

/// What is to become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It took effect.
    Done(String),
    /// It did not, and cannot any more.
    NotDone,
    /// It may still take effect: its lanes stay held until then.
    Wait(Timestamp),
    /// Only a person can tell.
    Person,
}

/// When a write can no longer take effect.
pub(crate) fn late_until(intent: &Intent) -> Timestamp {
    let since = intent.unknown.as_ref().map_or(intent.at, |(at, _)| *at);
    since.checked_add(SignedDuration::from_secs(limits::LATE_EFFECT_SECONDS)).unwrap_or(Timestamp::MAX)
}

/// What a search and the kind of write tell of it.
fn clue<'a>(intent: &Intent, found: Option<&'a str>, guarded: bool) -> Clue<'a> {
    match (intent.operation, found) {
        (Operation::Update | Operation::Delete, _) => Clue::Repeatable,
        (Operation::Create, _) if intent.search.is_empty() => Clue::NoKey { guarded },
        (Operation::Create, Some(id)) => Clue::Found(id),
        (Operation::Create, None) => Clue::NotFound,
    }
}

/// Whether only a person can tell what became of a write. Everything else is cleared up at the begin of a pass.
pub(crate) fn needs_person(pass: &Pass, intent: &Intent, now: Timestamp) -> bool {
    verdict(intent, clue(intent, None, is_guarded(pass, intent)), now) == Verdict::Person
}

/// Decides about a write without an outcome.
pub(crate) fn verdict(intent: &Intent, clue: Clue<'_>, now: Timestamp) -> Verdict {
    let until = late_until(intent);
    match clue {
        Clue::Found(id) => Verdict::Done(id.to_owned()),
        _ if now < until => Verdict::Wait(until),
        Clue::NotFound | Clue::Repeatable | Clue::NoKey { guarded: true } => Verdict::NotDone,
        Clue::NoKey { guarded: false } => Verdict::Person,
    }
}

/// A key as its lane: `books|exact.Account|Email=ann@example.org`.
pub(crate) fn lane(program: &Program, draft: &Draft, key: &KeyTried) -> Option<String> {
    let entity = program.entity(draft.entity);
    let mut pairs = Vec::new();
    for (field, value) in key.fields.iter().zip(&key.values) {
        let value = value.as_deref().unwrap_or("");
        if Pending::draft(value).is_some() {
            // The key of what is not written yet: the lane of that one is held.
            return None;
        }
        pairs.push(format!("{}={}", entity.get(*field).name, value.trim().to_lowercase()));
    }
    Some(format!("{}|{}|{}", draft.connection, entity.full_name(), pairs.join("|")))
}

/// Fields and values by which a create can be found, with the keys that other drafts have got meanwhile.
pub(crate) fn search_of(
    entity: &Entity,
    key: &KeyTried,
    filled: impl Fn(&str) -> Option<String>,
) -> Vec<(String, String)> {
    let pairs = key.fields.iter().zip(&key.values).map(|(field, value)| {
        let text = value.as_deref().unwrap_or("");
        let text = if Pending::draft(text).is_some() { filled(text)? } else { text.to_owned() };
        Some((entity.get(*field).name.to_string(), text))
    });
    pairs.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Clears up what has no outcome, of this flow; what stays open keeps its lanes.
pub(crate) async fn recover(pass: &Pass) -> Result<Vec<Verdict>, Ending> {
    let flow = pass.flow().name.to_string();
    let mine: Vec<Intent> = pass.open().iter().filter(|i| i.flow == flow).cloned().collect();
    // The clocks before the search: only a search made after the last moment of an effect proves that there is none.
    let clocks = mine.iter().map(|i| Ok(pass.connector(&i.connection)?.now())).collect::<Result<Vec<_>, Ending>>()?;
    let found = search(pass, &mine).await?;
    let mut verdicts = Vec::new();
    let mut commit = Commit::default();
    let mut closed = Vec::new();
    for ((intent, found), now) in mine.iter().zip(&found).zip(clocks) {
        let verdict = verdict(intent, clue(intent, found.as_deref(), is_guarded(pass, intent)), now);
        let outcome = match &verdict {
            Verdict::Done(id) => Some(Outcome::Done { target: Some(id.clone()) }),
            Verdict::NotDone => Some(Outcome::NotDone),
            Verdict::Wait(_) | Verdict::Person => None,
        };
        if let Some(outcome) = outcome {
            closed.push(intent.id.clone());
            commit = commit.and(Change::Outcome { intent: intent.id.clone(), outcome });
        }
        if let (Verdict::Done(id), Some(link)) = (&verdict, &intent.link) {
            // It is ours, and what of ours is in it is what was sent then, whatever the source says by now.
            let target = Target { id: id.clone(), ..link.target.clone() };
            commit = commit.and(Change::Link(Link { target, ..(**link).clone() }));
        }
        verdicts.push(verdict);
    }
    if !commit.changes.is_empty() && !pass.options.dry_run {
        pass.store().commit(commit).await?;
        pass.open().retain(|intent| !closed.contains(&intent.id));
        // What came to light may be among what was not there before.
        pass.memory().forget();
    }
    Ok(verdicts)
}

/// A condition that is asked again, `create unless c`, guards a create without a key; lines are compared with those
/// that are there before any is added.
fn is_guarded(pass: &Pass, intent: &Intent) -> bool {
    let mapping = pass.program().mappings.iter().find(|m| *m.name == *intent.mapping);
    mapping.is_some_and(|m| {
        matches!(m.header.verb, Verb::CreateUnless(_)) || pass.program().entity(m.target).full_name() != intent.entity
    })
}

/// The effects of creates, searched together; for each intent the key of what was found.
async fn search(pass: &Pass, intents: &[Intent]) -> Result<Vec<Option<String>>, Ending> {
    let mut found = vec![None; intents.len()];
    let mut groups: BTreeMap<(String, usize, FieldId), Vec<(usize, String)>> = BTreeMap::new();
    for (n, intent) in intents.iter().enumerate().filter(|(_, i)| i.operation == Operation::Create) {
        let entity = pass.entities.iter().position(|e| e.full_name() == intent.entity);
        let Some(entity) = entity else { continue };
        let schema = &pass.entities[entity];
        let (by, values): (Vec<FieldId>, Vec<Option<Arc<str>>>) = fields_of(schema, intent).into_iter().unzip();
        if let Some((field, value)) = super::memory::search_field(schema, &by, &values) {
            let value = wire_text(schema, field, &value);
            groups.entry((intent.connection.clone(), entity, field)).or_default().push((n, value));
        }
    }
    for ((connection, entity, by), asked) in groups {
        let schema = Arc::clone(&pass.entities[entity]);
        let mut values: Vec<String> = asked.iter().map(|(_, value)| value.clone()).collect();
        values.sort_unstable();
        values.dedup();
        let fields = pass.fields(crate::ir::EntityId::from(entity));
        let find = Find { entity: Arc::clone(&schema), fields, by: Some(by), values, parts: Vec::new() };
        let rows = match pass.connector(&connection)?.find(&find).await {
            Ok(rows) => rows,
            // Without an answer the write stays open, and its lanes stay held.
            Err(CallError::Refused { .. }) => continue,
            Err(other) => return Err(other.into()),
        };
        for row in rows.read {
            let row: serde_json::Value = serde_json::from_str(&row.0).unwrap_or_default();
            let Some(id) = schema.key.and_then(|key| row.get(&*schema.get(key).wire)) else { continue };
            for (n, _) in &asked {
                if is_effect(pass.program(), &schema, &intents[*n], &row) {
                    found[*n] = Some(super::compare::scalar(id));
                }
            }
        }
    }
    Ok(found)
}

fn fields_of(entity: &Entity, intent: &Intent) -> Vec<(FieldId, Option<Arc<str>>)> {
    let value = |text: &str| (!text.is_empty()).then(|| Arc::from(text));
    intent.search.iter().filter_map(|(name, text)| Some((entity.field(name)?, value(text)))).collect()
}

/// Whether the row is what the intent was to make: it has its key.
fn is_effect(program: &Program, entity: &Entity, intent: &Intent, row: &serde_json::Value) -> bool {
    fields_of(entity, intent).into_iter().all(|(field, value)| {
        let schema = entity.get(field);
        let ours = value.map_or(serde_json::Value::Null, |text| wire_text(entity, field, &text).into());
        super::compare::same(program, Some(schema), &ours, row.get(&*schema.wire))
    })
}

/// The record of an effect, for the store.
pub(crate) fn target(connection: &str, entity: &Entity, id: &str) -> Target {
    Target { connection: connection.to_owned(), entity: entity.full_name(), id: id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(unknown: bool) -> Intent {
        let at: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        Intent {
            id: "1".into(),
            flow: "orders".into(),
            key: "1001".into(),
            step: "0".into(),
            mapping: "sales_order".into(),
            connection: "books".into(),
            entity: "exact.SalesOrder".into(),
            operation: Operation::Create,
            target: None,
            search: vec![("YourRef".into(), "1001".into())],
            payload_hash: String::new(),
            lanes: Vec::new(),
            plan_hash: String::new(),
            at,
            link: None,
            unknown: unknown.then(|| ("2026-03-01T10:02:00Z".parse().unwrap(), "time-out".into())),
        }
    }

    #[test]
    fn a_create_without_answer_is_repeated_only_when_it_can_no_longer_come() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (early, late) = (at("2026-03-01T10:04:00Z"), at("2026-03-01T10:06:00Z"));
        let cases = [
            (false, Clue::Found("A"), early, Verdict::Done("A".into())),
            (false, Clue::NotFound, early, Verdict::Wait(at("2026-03-01T10:05:00Z"))),
            (false, Clue::NotFound, late, Verdict::NotDone),
            // The clock of an answer that never came starts when that was seen.
            (true, Clue::NotFound, late, Verdict::Wait(at("2026-03-01T10:07:00Z"))),
            (false, Clue::NoKey { guarded: false }, late, Verdict::Person),
            (false, Clue::NoKey { guarded: true }, late, Verdict::NotDone),
            (false, Clue::Repeatable, early, Verdict::Wait(at("2026-03-01T10:05:00Z"))),
        ];
        for (unknown, clue, now, expected) in cases {
            assert_eq!(verdict(&intent(unknown), clue, now), expected, "{clue:?} at {now}");
        }
    }

    /// A runner was killed while it wrote an order's number into the shop, and the next one parked the order for a
    /// person, though writing the number again does no harm.
    #[test]
    fn a_person_is_asked_only_about_creates_without_a_key() {
        let late: Timestamp = "2026-03-01T11:00:00Z".parse().unwrap();
        let of = |operation, search: Vec<(String, String)>, guarded| {
            let intent = Intent { operation, search, ..intent(false) };
            verdict(&intent, clue(&intent, None, guarded), late)
        };
        let key = || vec![("YourRef".to_owned(), "1001".to_owned())];
        assert_eq!(of(Operation::Update, Vec::new(), false), Verdict::NotDone);
        assert_eq!(of(Operation::Delete, Vec::new(), false), Verdict::NotDone);
        assert_eq!(of(Operation::Create, key(), false), Verdict::NotDone);
        assert_eq!(of(Operation::Create, Vec::new(), true), Verdict::NotDone);
        assert_eq!(of(Operation::Create, Vec::new(), false), Verdict::Person);
    }
}
