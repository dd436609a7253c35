//! What becomes of a write without an outcome: a pure function of its kind, of what a search tells, and of how long its
//! effect may still come.

use crate::limits;
use crate::store::{Intent, Operation, Reading};

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

/// How long an effect may still come, in milliseconds, by a clock that nobody can set. None: that clock is not there any
/// more, and the wait begins anew.
pub(crate) fn left(intent: &Intent, now: &Reading) -> Option<i64> {
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
pub(crate) const WHOLE: i64 = limits::LATE_EFFECT_SECONDS * 1_000;

/// What a search and the kind of write tell of it.
pub(crate) fn clue<'a>(intent: &Intent, found: &'a Searched, guarded: bool) -> Clue<'a> {
    match (intent.operation, found) {
        (Operation::Update | Operation::Delete, _) => Clue::Repeatable,
        (Operation::Create, _) if intent.search.is_empty() => Clue::NoKey { guarded },
        (Operation::Create, Searched::Found(id)) => Clue::Found(id),
        (Operation::Create, Searched::Absent) => Clue::Absent,
        (Operation::Create, Searched::Several) => Clue::Several,
        (Operation::Create, Searched::Unknown) => Clue::Unsearched,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

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
