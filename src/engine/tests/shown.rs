//! What an answer shows decides what it is an answer to.

use super::desk::{Case, Desk, case, made, one};
use super::{link_of_the_first, renames};
use crate::connector::{Answer, CallError, Connector, Raw, Unreadable};
use crate::engine::decide::tests::{filled, span};
use crate::eval::{Answered, BalanceDue, Cause, Evaluated, Failure, Query};
use crate::ir::{EntityId, FieldId, Stop};
use crate::store::{Change, Commit, FieldHash, Link, RecordFilter, State};
use std::sync::Mutex;

fn answer(id: &str, record: &str) -> Answer {
    Answer { id: Some(id.to_owned()), record: Some(Raw(record.into())) }
}

async fn reason(case: &Case, n: usize) -> String {
    case.engine.records(&RecordFilter::default()).await.unwrap().0.remove(n).reason.unwrap_or_default()
}

#[tokio::test]
async fn an_answer_that_names_what_another_record_became_is_none() {
    let books = Desk { answers: Mutex::new(vec![made("A", "0"), made("A", "0")]), ..Desk::default() };
    let case = case(2, books, |key, _| Evaluated::WriteSet(one(key)));
    case.pass().await;
    let states = case.states().await;
    assert_eq!(states.iter().filter(|(_, state)| *state == State::Written).count(), 1, "{states:?}");
    let waits = states.iter().position(|(_, state)| *state == State::Waiting).unwrap();
    assert!(reason(&case, waits).await.contains("it answered with Account A, which"));
}

#[tokio::test]
async fn an_answer_that_shows_another_key_is_a_persons() {
    let other = answer("B", r#"{"ID":"B","Name":"Bert"}"#);
    let case = case(1, Desk { answers: Mutex::new(vec![Ok(other)]), ..Desk::default() }, |_, _| {
        Evaluated::WriteSet(one("Ann"))
    });
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Parked);
    assert!(reason(&case, 0).await.contains("whose Name is Bert and not Ann"));
}

/// An update of what is found, answered as it is; the reason of the record, and the state.
async fn updated(update: Result<Answer, CallError>, then: &[&str]) -> (State, String) {
    let books = Desk { answers: Mutex::new(vec![update]), ..Desk::default() };
    books.finds.lock().unwrap().extend(then.iter().map(|row| Raw((*row).into())));
    let case = case(1, books, |key, _| Evaluated::WriteSet(renames(key, r#"{"ID":"A","Name":"before"}"#)));
    case.engine.store().commit(Commit::of(Change::Link(link_of_the_first()))).await.unwrap();
    case.pass().await;
    assert_eq!(case.books.written.lock().unwrap().len(), 1);
    (case.states().await[0].1, reason(&case, 0).await)
}

#[tokio::test]
async fn an_update_whose_answer_shows_what_was_is_not_done() {
    let (state, reason) = updated(Ok(answer("A", r#"{"ID":"A","Name":"before"}"#)), &[]).await;
    assert_eq!(state, State::Parked);
    assert!(reason.contains("shows Name as before, not as 1"), "{reason}");
}

/// Taken is not stored: an answer that does not show what was sent is followed by a look.
#[tokio::test]
async fn an_update_that_is_not_shown_is_looked_at() {
    let silent = || Ok(Answer { id: Some("A".to_owned()), record: None });
    let says_no = || Ok(answer("A", r#"{"success":false}"#));
    for update in [silent, says_no] {
        let (state, reason) = updated(update(), &[r#"{"ID":"A","Name":"1"}"#]).await;
        assert_eq!((state, reason.as_str()), (State::Written, ""));
        let (state, reason) = updated(update(), &[r#"{"ID":"A","Name":"before"}"#]).await;
        assert_eq!(state, State::Parked);
        assert!(reason.contains("shows Name as before, not as 1"), "{reason}");
        let (state, reason) = updated(update(), &[]).await;
        assert_eq!(state, State::Waiting);
        assert!(reason.contains("cannot be read (it shows no such record)"), "{reason}");
        let (state, reason) = updated(update(), &["{"]).await;
        assert_eq!(state, State::Waiting);
        assert!(reason.contains("cannot be read ("), "{reason}");
    }
}

/// The ledger answers an update without the record: what it comes to then is read, and not taken to be what it was.
#[tokio::test]
async fn the_total_after_an_update_without_a_record_is_read() {
    let books =
        Desk { answers: Mutex::new(vec![Ok(crate::connector::Answer { id: None, record: None })]), ..Desk::default() };
    *books.finds_after_write.lock().unwrap() = vec![Raw(r#"{"ID":"A","Name":"1","AmountFC":24.2}"#.into())];
    let case = case(1, books, |key, _| {
        let mut unit = renames(key, r#"{"ID":"A","Name":"before","AmountFC":26.62}"#);
        let (amount, within) = ("26.62".parse().unwrap(), "0.01".parse().unwrap());
        unit.drafts[0].balance = Some(BalanceDue { field: "AmountFC".into(), amount, within, place: span() });
        Evaluated::WriteSet(unit)
    });
    case.engine.store().commit(Commit::of(Change::Link(link_of_the_first()))).await.unwrap();
    case.pass().await;
    assert_eq!(case.books.written.lock().unwrap().len(), 1);
    let record = case.engine.records(&RecordFilter::default()).await.unwrap().0.remove(0);
    assert_eq!(record.state, State::Parked, "{record:?}");
    assert!(record.reason.unwrap().contains("24.2"));
}

/// An order whose account is looked for by its name.
fn looks_for_ann() -> Case {
    let need = Query::Find {
        connection: "books".into(),
        entity: EntityId(0),
        by: vec![FieldId(1)],
        values: vec![Some("Ann".into())],
    };
    case(1, Desk::default(), move |key, known| match known.answer(&need) {
        Answered::NotAsked => Evaluated::Needs(vec![need.clone()]),
        Answered::Absent => Evaluated::WriteSet(one(key)),
        Answered::Unreadable(why) => {
            Evaluated::Stopped(Stop::Wait, Failure { cause: Cause::Row, ..Failure::new(why, span()) }, Vec::new())
        }
        Answered::Found(_) => Evaluated::Filtered,
    })
}

/// Whose such a row is nobody can tell: it is not absent.
#[tokio::test]
async fn a_row_that_does_not_show_what_it_was_searched_by_proves_nothing() {
    for row in [r#"{"ID":"A"}"#, r#"{"ID":"A","Name":null}"#, "{}"] {
        let case = looks_for_ann();
        case.books.finds.lock().unwrap().push(Raw(row.into()));
        case.pass().await;
        assert_eq!((case.states().await[0].1, case.books.written.lock().unwrap().len()), (State::Waiting, 0), "{row}");
    }
}

/// A small table with a row that cannot be read: what comes with the next page of a run is no wiser.
#[tokio::test]
async fn a_table_with_a_row_that_cannot_be_read_stays_so_for_the_whole_run() {
    let need = Query::Table { connection: "books".into(), entity: EntityId(0) };
    let case = case(1, Desk::default(), move |key, known| match known.answer(&need) {
        Answered::NotAsked => Evaluated::Needs(vec![need.clone()]),
        Answered::Absent | Answered::Found(_) => Evaluated::WriteSet(one(key)),
        Answered::Unreadable(why) => {
            Evaluated::Stopped(Stop::Wait, Failure { cause: Cause::Row, ..Failure::new(why, span()) }, Vec::new())
        }
    });
    *case.books.unreadable.lock().unwrap() =
        vec![Unreadable { key: None, text: None, why: "no key".into(), page: None }];
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Waiting);
    // Tried again, and read anew: two questions of one run.
    *case.shop.rows.lock().unwrap() = vec![Raw(r#"{"id":1,"note":"edited"}"#.into())];
    case.later(10);
    case.pass().await;
    assert_eq!((case.states().await[0].1, case.books.written.lock().unwrap().len()), (State::Waiting, 0));
}

/// The ledger's own answer shows that it made something else.
#[tokio::test]
async fn a_create_that_is_stored_otherwise_is_a_persons() {
    let other = answer("A", r#"{"ID":"A","Name":"1","Phone":"021"}"#);
    let case = case(1, Desk { answers: Mutex::new(vec![Ok(other)]), ..Desk::default() }, |key, _| {
        let mut unit = one(key);
        unit.drafts[0].fields.push(filled(2, "Phone", "\"020\""));
        Evaluated::WriteSet(unit)
    });
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Parked);
    assert!(reason(&case, 0).await.contains("books made Account A, and shows Phone as 021, not as 020"));
}

/// It waits, since it may be put in order; what nobody puts in order is told at last.
#[tokio::test]
async fn a_row_that_cannot_be_read_makes_no_second_one() {
    let case = looks_for_ann();
    let broken = r#"{"ID":"A","Name":"Ann","City":"\ud83d"}"#;
    *case.books.unreadable.lock().unwrap() =
        vec![Unreadable { key: Some("A".into()), text: Some(broken.into()), why: "broken JSON".into(), page: None }];
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Waiting);
    assert!(reason(&case, 0).await.contains("Account A in books cannot be read"));
    let mut minutes = 0;
    while case.states().await[0].1 == State::Waiting {
        case.later(1);
        minutes += 1;
        case.pass().await;
    }
    assert!((60..90).contains(&minutes), "{minutes}");
    let told = reason(&case, 0).await;
    assert!(told.ends_with("put it in order there, then retry: it has been tried 10 times"), "{told}");
    assert_eq!((case.states().await[0].1, case.books.written.lock().unwrap().len()), (State::Parked, 0));
    case.books.unreadable.lock().unwrap().clear();
    case.books.answers.lock().unwrap().push(made("A", "0"));
    case.engine.retry("orders:1", case.books.now()).await.unwrap();
    case.later(11);
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Written);
}

/// What is to be cleared and still shows what we wrote is not cleared, however often it is tried; a value of the target's
/// own in its place is.
#[tokio::test]
async fn what_still_shows_ours_is_not_cleared_at_the_second_try_either() {
    let kept = r#"{"ID":"A","Name":"before"}"#;
    let books = Desk { answers: Mutex::new(vec![Ok(answer("A", kept)), Ok(answer("A", kept))]), ..Desk::default() };
    let case = case(1, books, move |_, _| {
        let mut unit = renames("1", kept);
        unit.drafts[0].fields = vec![filled(1, "Name", "null")];
        Evaluated::WriteSet(unit)
    });
    let hash = case.engine.store().keyed_hash("\"before\"");
    let link = Link { fields: vec![FieldHash { field: "Name".to_owned(), hash }], ..link_of_the_first() };
    case.engine.store().commit(Commit::of(Change::Link(link))).await.unwrap();
    for times in [1, 2] {
        case.pass().await;
        assert_eq!(case.states().await[0].1, State::Parked, "try {times}: {}", reason(&case, 0).await);
        assert!(reason(&case, 0).await.contains("shows Name as before"), "{}", reason(&case, 0).await);
        assert_eq!(case.books.written.lock().unwrap().len(), times);
        case.engine.retry("orders:1", case.books.now()).await.unwrap();
    }
}
