//! A write that nobody answered, or that was put off: what became of it is found out before anything is sent again.

use super::desk::{self, Desk, case, made, one, refused};
use super::{link_of_the_first, renames};
use crate::connector::{CallError, Connector, Raw};
use crate::eval::Evaluated;
use crate::store::{Change, Commit, RecordFilter, State};
use jiff::Timestamp;
use std::sync::Mutex;

#[tokio::test]
async fn what_no_search_can_tell_is_asked_of_a_person() {
    let silent = CallError::Unknown { system: "books".into(), reason: "time-out".into() };
    let books = Desk { answers: Mutex::new(vec![Err(silent), made("A", "0")]), ..Desk::default() };
    let case = case(1, books, |key, _| {
        let mut unit = one(key);
        unit.drafts[0].keys.clear();
        Evaluated::WriteSet(unit)
    });
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Waiting);
    case.later(6);
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Parked);
    assert_eq!(case.books.written.lock().unwrap().len(), 1, "never sent again by itself");
    case.engine.retry("orders:1", case.books.now()).await.unwrap();
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Written);
}

/// A create that nobody answers and no search can find.
fn nobody_answers_and_nothing_tells() -> desk::Case {
    let silent = CallError::Unknown { system: "books".into(), reason: "time-out".into() };
    let books = Desk { answers: Mutex::new(vec![Err(silent)]), ..Desk::default() };
    case(1, books, |key, _| {
        let mut unit = one(key);
        unit.drafts[0].keys.clear();
        Evaluated::WriteSet(unit)
    })
}

#[tokio::test]
async fn who_leaves_out_what_no_search_can_tell_frees_its_lane() {
    let case = nobody_answers_and_nothing_tells();
    case.pass().await;
    case.later(6);
    case.pass().await;
    assert_eq!(case.engine.status().await.unwrap()[0].open_writes, 1);
    case.engine.skip("orders:1", "made by hand", case.books.now()).await.unwrap();
    case.pass().await;
    assert_eq!(case.engine.status().await.unwrap()[0].open_writes, 0);
    assert_eq!(case.states().await[0].1, State::Skipped);
    assert_eq!(case.books.written.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_that_never_came_is_searched_for_and_then_sent_again() {
    let silent = CallError::Unknown { system: "books".into(), reason: "time-out".into() };
    let books = Desk { answers: Mutex::new(vec![Err(silent), made("A", "0")]), ..Desk::default() };
    let case = case(1, books, |key, _| Evaluated::WriteSet(one(key)));
    case.pass().await;
    case.later(4);
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Waiting);
    assert_eq!(case.books.written.lock().unwrap().len(), 1, "it may still come");
    case.later(2);
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Written);
    assert_eq!(case.books.written.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn the_effect_of_a_write_that_was_put_off_is_awaited_from_when_it_was_sent() {
    let then: Timestamp = "2026-03-01T10:02:00Z".parse().unwrap();
    let later = CallError::Later { system: "books".into(), until: then, reason: "a limit".into() };
    let silent = CallError::Unknown { system: "books".into(), reason: "time-out".into() };
    let books = Desk { answers: Mutex::new(vec![Err(later), Err(silent)]), ..Desk::default() };
    let case = case(1, books, |key, _| Evaluated::WriteSet(one(key)));
    case.pass().await;
    let open = case.engine.store().open_intents(None).await.unwrap();
    assert_eq!(open.iter().map(|intent| intent.at).collect::<Vec<_>>(), [then], "the first try is closed");
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_ours_when_it_is_found() {
    let silent = CallError::Unknown { system: "books".into(), reason: "time-out".into() };
    let books = Desk { answers: Mutex::new(vec![Err(silent)]), ..Desk::default() };
    let case = case(1, books, |key, _| Evaluated::WriteSet(one(key)));
    case.pass().await;
    *case.books.finds.lock().unwrap() = vec![Raw(r#"{"ID":"A","Name":"1"}"#.into())];
    case.later(1);
    case.pass().await;
    let target = crate::store::Target { connection: "books".into(), entity: "exact.Account".into(), id: "A".into() };
    let links = case.engine.store().links_to(&target).await.unwrap();
    assert_eq!(links.len(), 1, "what was sent is linked to what became of it");
    assert!(!links[0].fields.is_empty(), "and so is what of ours is in it");
}

#[tokio::test]
async fn a_write_without_outcome_holds_all_that_its_record_holds() {
    let silent = CallError::Unknown { system: "books".into(), reason: "time-out".into() };
    let books = Desk { answers: Mutex::new(vec![made("A", "0"), Err(silent)]), ..Desk::default() };
    let case = case(2, books, |key, _| {
        let mut unit = one("Ann");
        unit.drafts[0].linked_to = None;
        let mut contact = one(&format!("of order {key}")).drafts.remove(0);
        contact.linked_to = None;
        unit.drafts.push(contact);
        Evaluated::WriteSet(unit)
    });
    case.pass().await;
    let states = case.states().await;
    assert!(states.iter().all(|(_, state)| *state == State::Waiting), "{states:?}");
    assert_eq!(case.books.written.lock().unwrap().len(), 2, "nothing of Ann's is written until the outcome is known");
}

#[tokio::test]
async fn an_update_that_nobody_answers_is_a_persons_after_some_tries() {
    let silent = || Err(CallError::Unknown { system: "books".into(), reason: "503".into() });
    let books = Desk { answers: Mutex::new((0..9).map(|_| silent()).collect()), ..Desk::default() };
    let case = case(1, books, |key, _| Evaluated::WriteSet(renames(key, r#"{"ID":"A","Name":"before"}"#)));
    case.engine.store().commit(Commit::of(Change::Link(link_of_the_first()))).await.unwrap();
    let mut alerts = 0;
    for _ in 0..8 {
        alerts += case.pass().await.0.counts.alerts;
        case.later(6);
    }
    assert_eq!(case.states().await[0].1, State::Parked);
    assert_eq!((case.books.written.lock().unwrap().len(), alerts), (5, 1));
    let told = case.engine.records(&RecordFilter::default()).await.unwrap().0.remove(0).reason.unwrap();
    assert!(told.contains("did not answer 5 writes") && told.contains("503"), "{told}");
    // Who says that it works again is believed.
    case.books.answers.lock().unwrap().insert(0, made("A", "0"));
    case.books.finds.lock().unwrap().push(Raw(r#"{"ID":"A","Name":"1"}"#.into()));
    case.engine.retry("orders:1", case.books.now()).await.unwrap();
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Written);
}

#[tokio::test]
async fn a_write_is_not_sent_again_while_nobody_can_search_for_it() {
    let silent = CallError::Unknown { system: "books".into(), reason: "time-out".into() };
    let books = Desk { answers: Mutex::new(vec![Err(silent), made("B", "0")]), ..Desk::default() };
    let case = case(1, books, |key, _| Evaluated::WriteSet(one(key)));
    case.pass().await;
    *case.books.refuses.lock().unwrap() = Some(refused("not now"));
    for _ in 0..3 {
        case.later(10);
        case.pass().await;
        assert_eq!(case.states().await[0].1, State::Waiting);
    }
    assert_eq!(case.books.written.lock().unwrap().len(), 1, "a search that was refused proves nothing");
    // What nobody can ever search for is a person's at last.
    for _ in 0..30 {
        case.later(60);
        case.pass().await;
    }
    assert_eq!((case.states().await[0].1, case.books.written.lock().unwrap().len()), (State::Parked, 1));
    let told = case.engine.records(&RecordFilter::default()).await.unwrap().0.remove(0).reason.unwrap();
    assert!(told.contains("no search tells") && told.contains("then retry: it has been tried 10 times"), "{told}");
    *case.books.refuses.lock().unwrap() = None;
    *case.books.finds.lock().unwrap() = vec![Raw(r#"{"ID":"A","Name":"1"}"#.into())];
    case.pass().await;
    assert_eq!(case.engine.status().await.unwrap()[0].open_writes, 0);
}

#[tokio::test]
async fn a_write_may_take_effect_whoever_leaves_its_record_out() {
    let case = nobody_answers_and_nothing_tells();
    case.pass().await;
    case.engine.skip("orders:1", "made by hand", case.books.now()).await.unwrap();
    case.engine.retry("orders:1", case.books.now()).await.unwrap();
    case.later(1);
    case.pass().await;
    assert_eq!(case.books.written.lock().unwrap().len(), 1, "the first may still come");
}
