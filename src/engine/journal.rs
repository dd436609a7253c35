//! The journal: what is about to be sent stands in the store before it is sent, and what became of it after. What has
//! no outcome is cleared up here: searched by key, and given up only when it can no longer take effect.

use super::body::Settled;
use super::memory::wire_text;
use super::pass::{Pass, PassError};
use super::settle::NEXT_RUN;
use crate::connector::{CallError, Find, Rows};
use crate::eval::{Draft, KeyTried, Pending};
use crate::ir::{Entity, FieldId, Program, Verb};
use crate::limits;
use crate::store::{Change, Commit, Intent, Link, Operation, Outcome, Reading, Target};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of an intent without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clue<'a> {
    /// A search found its effect.
    Found(&'a str),
    /// A search made then found nothing, and would have.
    Absent,
    /// A search found several that it may be.
    Several,
    /// No search tells: it was refused, a row cannot be read, or the entity cannot be searched any more.
    Unsearched,
    /// There is no key to search it by.
    NoKey { guarded: bool },
    /// Doing it again does no harm: it changes or removes what is there.
    Repeatable,
}

/// What is to become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It took effect.
    Done(String),
    /// It did not, and cannot any more.
    NotDone,
    /// It may still take effect, so many milliseconds long: its lanes stay held until then.
    Wait(i64),
    /// It stays open until a search can tell.
    Open,
    /// Only a person can tell.
    Person,
}

/// How long an effect may still come, in milliseconds, by a clock that nobody can set. None: that clock is not there any
/// more, and the wait begins anew.
fn left(intent: &Intent, now: &Reading) -> Option<i64> {
    let since = intent.awaited.as_ref()?;
    let gone = if since.clock == now.clock {
        now.ms.checked_sub(since.ms)?
    } else if intent.anew {
        // Once is enough: what the system itself told of the time then and tells now counts on from there.
        i64::try_from(now.server?.duration_since(since.server?).as_millis()).ok()?
    } else {
        return None;
    };
    (gone >= 0).then(|| (limits::LATE_EFFECT_SECONDS * 1_000 - gone).max(0))
}

/// How long the effect may come when the wait begins anew.
const WHOLE: i64 = limits::LATE_EFFECT_SECONDS * 1_000;

/// What a search and the kind of write tell of it.
fn clue<'a>(intent: &Intent, found: &'a Searched, guarded: bool) -> Clue<'a> {
    match (intent.operation, found) {
        (Operation::Update | Operation::Delete, _) => Clue::Repeatable,
        (Operation::Create, _) if intent.search.is_empty() => Clue::NoKey { guarded },
        (Operation::Create, Searched::Found(id)) => Clue::Found(id),
        (Operation::Create, Searched::Absent) => Clue::Absent,
        (Operation::Create, Searched::Several) => Clue::Several,
        (Operation::Create, Searched::Unknown) => Clue::Unsearched,
    }
}

/// Whether only a person can tell what became of a write. Everything else is cleared up at the begin of a pass.
pub(crate) fn needs_person(pass: &Pass, intent: &Intent) -> bool {
    if pass.several().contains(&intent.id) {
        return true;
    }
    let left = pass.connector(&intent.connection).ok().and_then(|c| left(intent, &c.reading())).unwrap_or(WHOLE);
    fate(clue(intent, &Searched::Absent, is_guarded(pass, intent)), left) == Fate::Person
}

/// Until when the effect of a write may come, by the clock of the flow's source, for people.
pub(crate) fn late_until(pass: &Pass, intent: &Intent) -> Result<Timestamp, PassError> {
    let left = left(intent, &pass.connector(&intent.connection)?.reading()).unwrap_or(WHOLE);
    let now = pass.source()?.now();
    Ok(now.checked_add(SignedDuration::from_millis(left)).unwrap_or(Timestamp::MAX))
}

/// Decides about a write without an outcome, whose effect may come that long.
pub(crate) fn fate(clue: Clue<'_>, left: i64) -> Fate {
    match clue {
        Clue::Found(id) => Fate::Done(id.to_owned()),
        _ if left > 0 => Fate::Wait(left),
        Clue::Unsearched => Fate::Open,
        Clue::Absent | Clue::Repeatable | Clue::NoKey { guarded: true } => Fate::NotDone,
        Clue::NoKey { guarded: false } | Clue::Several => Fate::Person,
    }
}

/// A key as its lane: `books|exact.Account|Email=ann@example.org`.
pub(crate) fn lane(program: &Program, draft: &Draft, key: &KeyTried) -> Option<String> {
    // The key of what is not written yet: the lane of that one is held.
    lane_of(program, draft, key, &[])
}

/// The same, with the keys of drafts that are written.
pub(crate) fn lane_of(program: &Program, draft: &Draft, key: &KeyTried, settled: &[Option<Settled>]) -> Option<String> {
    let entity = program.entity(draft.entity);
    let mut pairs = Vec::new();
    for (field, value) in key.fields.iter().zip(&key.values) {
        let value = value.as_deref().unwrap_or("");
        let value = match Pending::draft(value) {
            Some(n) => &*settled.get(n)?.as_ref()?.id,
            None => value,
        };
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
pub(crate) async fn recover(pass: &Pass) -> Result<(), PassError> {
    let flow = pass.flow().name.to_string();
    let mine: Vec<Intent> = pass.open().iter().filter(|i| i.flow == flow).cloned().collect();
    let mut commit = Commit::default();
    // The clocks before the search: only a search made after the last moment of an effect proves that there is none.
    let mut waits = Vec::with_capacity(mine.len());
    for intent in &mine {
        let now = reading(pass, intent).await?;
        let left = left(intent, &now);
        if left.is_none() {
            commit = commit.and(Change::Await { intent: intent.id.clone(), since: now.clone() });
            let mut open = pass.open();
            open.iter_mut().filter(|i| i.id == intent.id).for_each(|i| {
                (i.awaited, i.anew) = (Some(now.clone()), true);
            });
        }
        waits.push(left.unwrap_or(WHOLE));
    }
    let found = search(pass, &mine).await?;
    let mut closed = Vec::new();
    for ((intent, found), left) in mine.iter().zip(&found).zip(waits) {
        let fate = match fate(clue(intent, found, is_guarded(pass, intent)), left) {
            Fate::Person => person_said(pass, intent).await?,
            fate => fate,
        };
        let outcome = match &fate {
            Fate::Done(id) => Outcome::Done { target: Some(id.clone()).filter(|id| !id.is_empty()) },
            Fate::NotDone => Outcome::NotDone,
            Fate::Person => {
                if *found == Searched::Several {
                    pass.several().insert(intent.id.clone());
                }
                continue;
            }
            Fate::Wait(_) => continue,
            Fate::Open => {
                pass.unsearched().insert(intent.id.clone());
                continue;
            }
        };
        closed.push(intent.id.clone());
        if intent.unknown.is_none() {
            // Whoever saw that no answer came has logged what was sent; who died has not.
            let became = match &fate {
                Fate::Done(id) => format!("found: {id}"),
                _ => "not found, or to be done again".to_owned(),
            };
            commit = commit.and(Change::Log(super::log::of_interrupted(pass, intent, &became).await?));
        }
        commit = commit.and(Change::Outcome { intent: intent.id.clone(), outcome });
        if let (Fate::Done(id), Some(link)) = (&fate, &intent.link)
            && !id.is_empty()
        {
            // It is ours, and what of ours is in it is what was sent then, whatever the source says by now.
            let target = Target { id: id.clone(), ..link.target.clone() };
            commit = commit.and(Change::Link(Link { target, ..(**link).clone() }));
        }
    }
    if !commit.changes.is_empty() {
        pass.store().commit(commit).await?;
        pass.open().retain(|intent| !closed.contains(&intent.id));
        // What came to light may be among what was not there before.
        pass.memory().forget();
    }
    Ok(())
}

/// The clock by which the effect of an intent is awaited. Where that clock is gone and the wait has begun anew before, the
/// system is asked for its time.
async fn reading(pass: &Pass, intent: &Intent) -> Result<Reading, PassError> {
    let connector = pass.connector(&intent.connection)?;
    let now = connector.reading();
    let other = intent.awaited.as_ref().is_some_and(|since| since.clock != now.clock);
    if other && intent.anew && now.server.is_none() {
        connector.hello().await?;
        return Ok(connector.reading());
    }
    Ok(now)
}

/// What a person who has looked said of it: to be tried again means that it is not there; left out means that nothing of it
/// need be known.
async fn person_said(pass: &Pass, intent: &Intent) -> Result<Fate, PassError> {
    let row = pass.store().record(&intent.flow, &intent.key).await?;
    Ok(match row {
        Some(row) if row.waits_for.as_deref() == Some(NEXT_RUN) => Fate::NotDone,
        Some(row) if row.left_out => Fate::Done(String::new()),
        _ => Fate::Person,
    })
}

/// A condition that is asked again, `create unless c`, guards a create without a key; lines are compared with those
/// that are there before any is added.
fn is_guarded(pass: &Pass, intent: &Intent) -> bool {
    let mapping = pass.program().mappings.iter().find(|m| *m.name == *intent.mapping);
    mapping.is_some_and(|m| {
        matches!(m.header.verb, Verb::CreateUnless(_)) || pass.program().entity(m.target).full_name() != intent.entity
    })
}

/// What a search tells of the effect of a create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Searched {
    /// The key of what was found.
    Found(String),
    /// It is not there.
    Absent,
    /// Several are there, with its key and of its owner.
    Several,
    /// Nobody can tell.
    Unknown,
}

/// The effects of creates, searched together.
async fn search(pass: &Pass, intents: &[Intent]) -> Result<Vec<Searched>, PassError> {
    let mut found = vec![Searched::Unknown; intents.len()];
    let mut groups: BTreeMap<(String, usize, FieldId), Vec<(usize, String)>> = BTreeMap::new();
    for (n, intent) in intents.iter().enumerate().filter(|(_, i)| i.operation == Operation::Create) {
        let entity = pass.entities.iter().position(|e| e.full_name() == intent.entity);
        let Some(entity) = entity else { continue };
        let schema = &pass.entities[entity];
        let Some(fields) = fields_of(schema, intent) else { continue };
        let (by, values): (Vec<FieldId>, Vec<Option<Arc<str>>>) = fields.into_iter().unzip();
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
        let mut fields = pass.fields(crate::ir::EntityId::from(entity));
        fields.push(schema.get(by).wire.to_string());
        let find = Find { entity: Arc::clone(&schema), fields, by: Some(by), values, parts: Vec::new() };
        let Rows { read, unreadable } = match super::shown::search(pass.connector(&connection)?.as_ref(), &find).await {
            Ok(rows) => rows,
            // Without an answer the write stays open, and its lanes stay held.
            Err(CallError::Refused { .. }) => continue,
            Err(other) => return Err(other.into()),
        };
        // One of these rows may be any of them.
        if unreadable.is_empty() {
            asked.iter().for_each(|(n, _)| found[*n] = Searched::Absent);
        }
        for row in read {
            let Ok(row) = serde_json::from_str::<serde_json::Value>(&row.0) else {
                for (n, _) in &asked {
                    if found[*n] == Searched::Absent {
                        found[*n] = Searched::Unknown;
                    }
                }
                continue;
            };
            let Some(id) = schema.key.and_then(|key| row.get(&*schema.get(key).wire)) else { continue };
            for (n, _) in &asked {
                if is_effect(pass.program(), &schema, &intents[*n], &row) {
                    let id = super::compare::scalar(id);
                    found[*n] = match &found[*n] {
                        Searched::Found(other) if *other != id => Searched::Several,
                        Searched::Several => Searched::Several,
                        Searched::Found(_) | Searched::Absent | Searched::Unknown => Searched::Found(id),
                    };
                }
            }
        }
    }
    Ok(found)
}

/// The fields and values that the effect has; none where the entity lacks one of them by now.
fn fields_of(entity: &Entity, intent: &Intent) -> Option<Vec<(FieldId, Option<Arc<str>>)>> {
    let value = |text: &str| (!text.is_empty()).then(|| Arc::from(text));
    intent.search.iter().map(|(name, text)| Some((entity.field(name)?, value(text)))).collect()
}

/// Whether the row is what the intent was to make: it has its key, and its owner.
fn is_effect(program: &Program, entity: &Entity, intent: &Intent, row: &serde_json::Value) -> bool {
    let Some(fields) = fields_of(entity, intent) else { return false };
    fields.into_iter().all(|(field, value)| {
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

    fn reading(clock: &str, seconds: i64, server: Option<&str>) -> Reading {
        Reading { clock: clock.into(), ms: seconds * 1_000, server: server.map(|text| text.parse().unwrap()) }
    }

    fn intent(awaited: Reading, anew: bool) -> Intent {
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
            at: Timestamp::UNIX_EPOCH,
            link: None,
            unknown: None,
            awaited: Some(awaited),
            anew,
        }
    }

    #[test]
    fn a_create_without_answer_is_repeated_only_when_it_can_no_longer_come() {
        let cases = [
            (Clue::Found("A"), 1, Fate::Done("A".into())),
            (Clue::Absent, 1, Fate::Wait(1)),
            (Clue::Absent, 0, Fate::NotDone),
            (Clue::NoKey { guarded: false }, 1, Fate::Wait(1)),
            (Clue::NoKey { guarded: false }, 0, Fate::Person),
            (Clue::NoKey { guarded: true }, 0, Fate::NotDone),
            (Clue::Repeatable, 1, Fate::Wait(1)),
            (Clue::Repeatable, 0, Fate::NotDone),
            (Clue::Several, 0, Fate::Person),
            // A refused search proves nothing, however late.
            (Clue::Unsearched, 0, Fate::Open),
        ];
        for (clue, left, expected) in cases {
            assert_eq!(fate(clue, left), expected, "{clue:?}, {left} ms left");
        }
    }

    /// The machine's wall clock does not occur here at all: whoever sets it neither shortens nor stretches a wait.
    #[test]
    fn an_effect_is_awaited_by_clocks_that_nobody_can_set() {
        let (noon, later) = (Some("2026-03-01T12:00:00Z"), Some("2026-03-01T12:04:00Z"));
        let cases = [
            (reading("boot 1", 100, None), false, reading("boot 1", 100, None), Some(300_000)),
            (reading("boot 1", 100, None), false, reading("boot 1", 340, None), Some(60_000)),
            (reading("boot 1", 100, None), false, reading("boot 1", 400, None), Some(0)),
            // A sandbox that was set back.
            (reading("box", 100, None), false, reading("box", 40, None), None),
            // The machine was started again: once the whole wait more, then by the system's own time.
            (reading("boot 1", 100, noon), false, reading("boot 2", 900, later), None),
            (reading("boot 2", 1, noon), true, reading("boot 3", 1, later), Some(60_000)),
            (reading("boot 2", 1, later), true, reading("boot 3", 1, noon), None),
            (reading("boot 2", 1, None), true, reading("boot 3", 1, later), None),
        ];
        for (since, anew, now, expected) in cases {
            assert_eq!(left(&intent(since.clone(), anew), &now), expected, "{since:?} {anew} {now:?}");
        }
        assert_eq!(
            left(&Intent { awaited: None, ..intent(reading("a", 0, None), false) }, &reading("a", 9, None)),
            None
        );
    }

    /// A runner was killed while it wrote an order's number into the shop, and the next one parked the order for a
    /// person, though writing the number again does no harm.
    #[test]
    fn a_person_is_asked_only_about_creates_without_a_key() {
        let of = |operation, search: Vec<(String, String)>, guarded, found: Searched| {
            let intent = Intent { operation, search, ..intent(reading("a", 0, None), false) };
            fate(clue(&intent, &found, guarded), 0)
        };
        let key = || vec![("YourRef".to_owned(), "1001".to_owned())];
        assert_eq!(of(Operation::Update, Vec::new(), false, Searched::Unknown), Fate::NotDone);
        assert_eq!(of(Operation::Delete, Vec::new(), false, Searched::Unknown), Fate::NotDone);
        assert_eq!(of(Operation::Create, key(), false, Searched::Absent), Fate::NotDone);
        assert_eq!(of(Operation::Create, key(), false, Searched::Unknown), Fate::Open);
        assert_eq!(of(Operation::Create, Vec::new(), true, Searched::Unknown), Fate::NotDone);
        assert_eq!(of(Operation::Create, Vec::new(), false, Searched::Unknown), Fate::Person);
    }
}
