//! What an answer shows decides what it is an answer to.

use super::desk::{Desk, case, made, one};
use super::{found, link_of_the_first};
use crate::connector::{Answer, Raw};
use crate::engine::decide::tests::span;
use crate::eval::{Answered, Evaluated, Failure, Need};
use crate::ir::{EntityId, FieldId, Stop};
use crate::store::{Change, Commit, RecordFilter, State};
use std::sync::Mutex;

fn answer(id: &str, record: &str) -> Answer {
    Answer { id: Some(id.to_owned()), record: Some(Raw(record.into())) }
}

async fn reason(case: &super::desk::Case, n: usize) -> String {
    case.engine.records(&RecordFilter::default()).await.unwrap().0.remove(n).reason.unwrap_or_default()
}

#[tokio::test]
async fn an_answer_that_names_what_another_record_became_is_none() {
    let books = Desk { answers: Mutex::new(vec![made("A", "0"), made("A", "0")]), ..Desk::default() };
    let case = case(2, books, |key, _| Evaluated::Unit(one(key)));
    case.pass().await;
    let states = case.states().await;
    assert_eq!(states.iter().filter(|(_, state)| *state == State::Written).count(), 1, "{states:?}");
    let waits = states.iter().position(|(_, state)| *state == State::Waiting).unwrap();
    assert!(reason(&case, waits).await.contains("it answered with Account A, which"));
}

#[tokio::test]
async fn an_answer_that_shows_another_key_is_a_persons() {
    let other = answer("B", r#"{"ID":"B","Name":"Bert"}"#);
    let case =
        case(1, Desk { answers: Mutex::new(vec![Ok(other)]), ..Desk::default() }, |_, _| Evaluated::Unit(one("Ann")));
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Parked);
    assert!(reason(&case, 0).await.contains("whose Name is Bert and not Ann"));
}

#[tokio::test]
async fn an_update_whose_answer_shows_what_was_is_not_done() {
    let old = answer("A", r#"{"ID":"A","Name":"before"}"#);
    let case = case(1, Desk { answers: Mutex::new(vec![Ok(old)]), ..Desk::default() }, |key, _| {
        let mut unit = found(key, r#"{"ID":"A","Name":"before"}"#);
        unit.drafts[0].overwrite = (crate::ir::Overwrite::All, None);
        unit.drafts[0].on_change = crate::eval::OnSourceChange::Update;
        Evaluated::Unit(unit)
    });
    case.engine.store().commit(Commit::of(Change::Link(link_of_the_first()))).await.unwrap();
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Parked);
    assert!(reason(&case, 0).await.contains("shows Name as before, not as 1"));
}

/// Whose such a row is nobody can tell: it is not absent.
#[tokio::test]
async fn a_row_that_does_not_show_what_it_was_searched_by_proves_nothing() {
    let need = Need::Find {
        connection: "books".into(),
        entity: EntityId(0),
        by: vec![FieldId(1)],
        values: vec![Some("Ann".into())],
    };
    for row in [r#"{"ID":"A"}"#, r#"{"ID":"A","Name":null}"#, "{}"] {
        let need = need.clone();
        let case = case(1, Desk::default(), move |key, known| match known.answer(&need) {
            Answered::NotAsked => Evaluated::Needs(vec![need.clone()]),
            Answered::Absent => Evaluated::Unit(one(key)),
            Answered::Unreadable(why) => Evaluated::Stopped(Stop::Wait, Failure::new(why, span())),
            Answered::Found(_) => Evaluated::Filtered,
        });
        case.books.finds.lock().unwrap().push(Raw(row.into()));
        case.pass().await;
        assert_eq!((case.states().await[0].1, case.books.written.lock().unwrap().len()), (State::Waiting, 0), "{row}");
    }
}
