//! Passes over two systems in memory, with units made by hand: what a real system does rarely.

mod desk;
mod outcome;
mod shown;

use super::decide::tests::span;
use super::{Event, PassError, PassOptions};
use crate::connector::{Connector, Raw, Unreadable};
use crate::eval::{Action, Answered, BalanceDue, Evaluated, Failure, Query, WriteSet};
use crate::ir::{EntityId, FieldId, Stop};
use crate::store::{Change, Commit, Link, State};
use desk::{Desk, case, made, one, program, refused};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn a_document_that_comes_to_something_else_is_parked_and_linked() {
    let books = Desk { answers: Mutex::new(vec![made("A", "26.70")]), ..Desk::default() };
    let case = case(1, books, |key, _| {
        let mut unit = one(key);
        let amount = "26.62".parse().unwrap();
        let within = "0.01".parse().unwrap();
        unit.drafts[0].balance = Some(BalanceDue { field: "AmountFC".into(), amount, within, place: span() });
        Evaluated::WriteSet(unit)
    });
    let (summary, events) = case.pass().await;
    assert_eq!((summary.counts.created, summary.counts.parked, summary.counts.alerts), (1, 1, 1));
    let reason = events.iter().find_map(|e| if let Event::Parked(told) = e { told.reason.clone() } else { None });
    let reason = reason.unwrap();
    assert!(reason.contains("26.70") && reason.contains("26.62"), "{reason}");
    let target = crate::store::Target { connection: "books".into(), entity: "exact.Account".into(), id: "A".into() };
    assert_eq!(case.engine.store().links_to(&target).await.unwrap().len(), 1);
}

#[tokio::test]
async fn equal_refusals_stop_their_kind_with_one_alert() {
    let answers = (0..8).map(|_| Err(refused("Required: Journal"))).collect();
    let case =
        case(12, Desk { answers: Mutex::new(answers), ..Desk::default() }, |key, _| Evaluated::WriteSet(one(key)));
    let (summary, _) = case.pass().await;
    let sent = case.books.written.lock().unwrap().len();
    assert!((3..=6).contains(&sent), "{sent} sent: those that were under way are not taken back");
    assert_eq!(
        (summary.counts.alerts, summary.counts.parked, summary.counts.waiting),
        (1, sent as u64, 12 - sent as u64)
    );
    // Nothing is sent again before the hour is over.
    case.pass().await;
    assert_eq!(case.books.written.lock().unwrap().len(), sent);
}

#[tokio::test]
async fn a_fault_of_ours_parks_its_record_and_pauses_the_flow() {
    let case = case(1, Desk::default(), |_, _| panic!("an index beyond its list"));
    let (summary, _) = case.pass().await;
    assert!(matches!(summary.endings[0].1, PassError::Bug(_)));
    assert_eq!(case.states().await, [("orders:1".to_owned(), State::Parked)]);
    assert_eq!(case.engine.store().position("orders.orders").await.unwrap(), None, "the position stays");
}

#[tokio::test]
async fn a_search_that_is_refused_parks_only_those_who_need_it() {
    let need = Query::Find {
        connection: "books".into(),
        entity: EntityId(0),
        by: vec![FieldId(1)],
        values: vec![Some("Ann".into())],
    };
    let refuses = Mutex::new(Some(refused("no such field")));
    let books = Desk { refuses, answers: Mutex::new(vec![made("B", "0")]), ..Desk::default() };
    let case = case(2, books, move |key, known| match (key, known.answer(&need)) {
        ("1", Answered::NotAsked) => Evaluated::Needs(vec![need.clone()]),
        _ => Evaluated::WriteSet(one(key)),
    });
    let (summary, _) = case.pass().await;
    assert!(summary.endings.is_empty());
    assert_eq!(case.states().await, [("orders:1".to_owned(), State::Parked), ("orders:2".to_owned(), State::Written)]);
}

#[tokio::test]
async fn who_stands_in_an_answer_only_is_forgotten_too() {
    let answer = refused("Kim O'Brien <kim.o'brien@x.example> is blocked");
    let case = case(1, Desk { answers: Mutex::new(vec![Err(answer)]), ..Desk::default() }, |key, _| {
        Evaluated::WriteSet(one(key))
    });
    case.pass().await;
    let attempts = async || case.engine.show("orders:1", 9, case.books.now()).await.unwrap().attempts.len();
    assert_eq!(attempts().await, 1);
    assert!(case.engine.forget("Kim.O'Brien@x.example").await.unwrap() > 0);
    assert_eq!(attempts().await, 0);
}

/// A unit that renames an account, which is ours and shows that row.
fn renames(name: &str, row: &str) -> WriteSet {
    let mut unit = found(name, row);
    unit.drafts[0].overwrite = (crate::ir::Overwrite::All, None);
    unit.drafts[0].on_change = crate::eval::OnSourceChange::Update;
    unit
}

/// The key of the account that a unit found, as what is there and ours.
fn found(name: &str, row: &str) -> WriteSet {
    let mut unit = one(name);
    unit.drafts[0].action = Action::Found { id: "A".into(), ours: true, row: row.into() };
    unit
}

#[tokio::test]
async fn a_wrong_total_stays_with_a_person_until_it_agrees() {
    let books = Desk { answers: Mutex::new(vec![made("A", "26.70")]), ..Desk::default() };
    let there = Arc::new(Mutex::new(None::<&str>));
    let held = Arc::clone(&there);
    let case = case(1, books, move |key, _| {
        let mut unit = held.lock().unwrap().map_or_else(|| one(key), |row| found(key, row));
        let amount = "26.62".parse().unwrap();
        let within = "0.01".parse().unwrap();
        unit.drafts[0].balance = Some(BalanceDue { field: "AmountFC".into(), amount, within, place: span() });
        Evaluated::WriteSet(unit)
    });
    case.pass().await;
    for (row, expected) in [
        (r#"{"ID":"A","Name":"1","AmountFC":26.70}"#, State::Parked),
        (r#"{"ID":"A","Name":"1","AmountFC":26.62}"#, State::Written),
    ] {
        *there.lock().unwrap() = Some(row);
        case.engine.retry("orders:1", case.books.now()).await.unwrap();
        case.pass().await;
        assert_eq!(case.states().await[0].1, expected, "{row}");
    }
    assert_eq!(case.books.written.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_linked_to_one_record_is_written_by_one_at_a_time() {
    let books = Desk { answers: Mutex::new(vec![made("A", "0"), made("B", "0")]), ..Desk::default() };
    let case = case(2, books, |key, _| {
        let mut unit = one(key);
        unit.drafts[0].linked_to = Some((EntityId(1), "the same customer".into()));
        Evaluated::WriteSet(unit)
    });
    case.pass().await;
    assert_eq!(*case.books.under_way.lock().unwrap(), (0, 1));
}

#[tokio::test]
async fn a_record_that_was_away_is_looked_at_when_it_is_back() {
    let books =
        Desk { answers: Mutex::new(vec![Err(refused("Required: Journal")), made("A", "0")]), ..Desk::default() };
    let case = case(1, books, |key, _| Evaluated::WriteSet(one(key)));
    case.pass().await;
    case.engine.retry("orders:1", case.books.now()).await.unwrap();
    let rows = std::mem::take(&mut *case.shop.rows.lock().unwrap());
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Skipped);
    *case.shop.rows.lock().unwrap() = rows;
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Written);
}

#[tokio::test]
async fn links_of_a_mapping_that_was_renamed_still_count() {
    let need = || crate::eval::LinkNeed {
        mapping: Some("account".into()),
        entity: EntityId(1),
        key: "1".into(),
        other: EntityId(0),
    };
    let seen = Arc::new(Mutex::new(None));
    let tells = Arc::clone(&seen);
    let case = case(1, Desk::default(), move |_, known| match known.answer(&Query::Link(need())) {
        Answered::NotAsked => Evaluated::Needs(vec![Query::Link(need())]),
        answered => {
            *tells.lock().unwrap() = Some(answered);
            Evaluated::Filtered
        }
    });
    let program = program();
    let source = crate::store::LinkKey {
        connection: "shop".into(),
        mapping: "the name it had".into(),
        entity: program.entity(EntityId(1)).full_name(),
        key: "1".into(),
    };
    let target = crate::store::Target {
        connection: "books".into(),
        entity: program.entity(EntityId(0)).full_name(),
        id: "A".into(),
    };
    let link = Link { source, target, fields: Vec::new(), carried: None, agreed: true, children: Vec::new() };
    case.engine.store().commit(Commit::of(Change::Link(link))).await.unwrap();
    case.pass().await;
    assert_eq!(*seen.lock().unwrap(), Some(Answered::Found(vec!["\"A\"".into()])));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_its_key_and_the_flow_goes_on() {
    let case =
        case(1, Desk::default(), |_, _| Evaluated::Stopped(Stop::Fail, Failure::new("is no date", span()), Vec::new()));
    *case.shop.rows.lock().unwrap() =
        vec![Raw(r#"{"id":1,"paid":"unreadable"}"#.into()), Raw(r#"{"paid":"unreadable"}"#.into())];
    case.pass().await;
    let states = case.states().await;
    assert_eq!(states[0], ("orders:1".to_owned(), State::Parked));
    assert!(states[1].0.starts_with("orders:unreadable-"), "{states:?}");
    for (id, _) in states {
        case.engine.retry(&id, case.books.now()).await.unwrap();
    }
    let (summary, _) = case.pass().await;
    assert_eq!(summary.endings, [], "no system is asked for a key that we made up");
}

#[tokio::test]
async fn a_record_that_is_named_and_not_there_is_told() {
    let case = case(1, Desk::default(), |key, _| Evaluated::WriteSet(one(key)));
    let only = PassOptions { only: vec!["77".into()], ..PassOptions::default() };
    let (summary, _) = case.pass_with(only).await;
    assert!(
        matches!(&summary.endings[0].1, PassError::Project(why) if why.contains("shop has no") && why.contains("77"))
    );
}

/// The first order has become the account A, and nothing is known of what was sent.
fn link_of_the_first() -> Link {
    Link {
        source: crate::store::LinkKey {
            connection: "shop".into(),
            mapping: "customers.person".into(),
            entity: program().entity(EntityId(1)).full_name(),
            key: "1".into(),
        },
        target: crate::store::Target { connection: "books".into(), entity: "exact.Account".into(), id: "A".into() },
        fields: Vec::new(),
        carried: None,
        agreed: true,
        children: Vec::new(),
    }
}

#[tokio::test]
async fn a_list_without_a_named_record_does_not_say_that_it_is_gone() {
    let stop = Arc::new(Mutex::new(true));
    let stops = Arc::clone(&stop);
    let case = case(1, Desk { answers: Mutex::new(vec![made("A", "0")]), ..Desk::default() }, move |key, _| {
        if *stops.lock().unwrap() {
            Evaluated::Stopped(Stop::Wait, Failure::new("not yet", span()), Vec::new())
        } else {
            Evaluated::WriteSet(one(key))
        }
    });
    case.pass().await;
    *case.shop.hides.lock().unwrap() = true;
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Waiting, "an empty list proves nothing");
    *stop.lock().unwrap() = false;
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Written, "it was read by its own address");
}

#[tokio::test]
async fn what_a_person_left_out_stays_out_whatever_is_edited_in_the_project() {
    let books = Desk { answers: Mutex::new(vec![Err(refused("no"))]), ..Desk::default() };
    let mut case = case(1, books, |key, _| Evaluated::WriteSet(one(key)));
    case.pass().await;
    case.engine.skip("orders:1", "made by hand", case.books.now()).await.unwrap();
    case.edit_project("2");
    case.pass().await;
    let only = PassOptions { only: vec!["1".into()], ..PassOptions::default() };
    case.pass_with(only).await;
    assert_eq!(case.states().await[0].1, State::Skipped);
    assert_eq!(case.books.written.lock().unwrap().len(), 1);
    case.engine.retry("orders:1", case.books.now()).await.unwrap();
    case.books.answers.lock().unwrap().push(made("A", "0"));
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Written, "until the person says otherwise");
}

#[tokio::test]
async fn what_a_person_says_while_the_record_is_written_stays_said() {
    for skip in [true, false] {
        let (begun, go_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
        let gate = Some((Arc::clone(&begun), Arc::clone(&go_on)));
        let answer = Err(refused("Required: Journal"));
        let books = Desk { answers: Mutex::new(vec![answer]), gate, ..Desk::default() };
        let case = case(1, books, |key, _| Evaluated::WriteSet(one(key)));
        let person = async {
            begun.notified().await;
            let now = case.books.now();
            if skip {
                case.engine.skip("orders:1", "made by hand", now).await.unwrap();
            } else {
                case.engine.retry("orders:1", now).await.unwrap();
            }
            go_on.notify_one();
        };
        let ((summary, _), ()) = tokio::join!(case.pass(), person);
        assert_eq!(summary.counts.parked, 1, "it was refused meanwhile");
        let said = if skip { State::Skipped } else { State::Waiting };
        assert_eq!(case.states().await[0].1, said);
    }
}

#[tokio::test]
async fn what_cannot_be_read_for_once_stays_left_out() {
    let case = case(1, Desk::default(), |key, _| Evaluated::Stopped(Stop::Fail, Failure::new(key, span()), Vec::new()));
    case.pass().await;
    case.engine.skip("orders:1", "made by hand", case.books.now()).await.unwrap();
    let rows = std::mem::take(&mut *case.shop.rows.lock().unwrap());
    *case.shop.unreadable_rows.lock().unwrap() =
        vec![Unreadable { key: Some("1".into()), text: None, why: "broken JSON".into(), page: None }];
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Skipped);
    case.shop.unreadable_rows.lock().unwrap().clear();
    *case.shop.rows.lock().unwrap() = rows;
    case.pass().await;
    assert_eq!(case.states().await[0].1, State::Skipped);
}

#[tokio::test]
async fn what_was_found_is_looked_up_once_more_when_a_write_is_refused() {
    let need = || Query::Find {
        connection: "books".into(),
        entity: EntityId(0),
        by: vec![FieldId(1)],
        values: vec![Some("Ann".into())],
    };
    let gone = || Err(refused("Unknown: Account"));
    let books = Desk { answers: Mutex::new(vec![gone(), made("C", "0")]), ..Desk::default() };
    *books.finds.lock().unwrap() = vec![Raw(r#"{"ID":"old","Name":"Ann"}"#.into())];
    let case = case(1, books, move |_, known| match known.answer(&need()) {
        Answered::Found(rows) => {
            let row: serde_json::Value = serde_json::from_str(&rows[0]).unwrap();
            let mut unit = one("contact");
            unit.drafts[0].fields.push(super::decide::tests::filled(2, "Phone", &row["ID"].to_string()));
            Evaluated::WriteSet(unit)
        }
        _ => Evaluated::Needs(vec![need()]),
    });
    // It is merged into another one between the find and the create.
    case.books.finds_after_write.lock().unwrap().push(Raw(r#"{"ID":"new","Name":"Ann"}"#.into()));
    case.pass().await;
    let written: Vec<String> = case.books.written.lock().unwrap().iter().map(|(_, body)| body.clone()).collect();
    assert_eq!(written.len(), 2, "{written:?}");
    assert!(written[0].contains("old") && written[1].contains("new"), "{written:?}");
    assert_eq!(case.states().await[0].1, State::Written);
}

#[tokio::test]
async fn keys_that_are_known_only_after_a_write_are_held_too() {
    let books = Desk {
        answers: Mutex::new(vec![made("A", "0"), made("B", "0"), made("T", "0"), made("T", "0")]),
        ..Desk::default()
    };
    let tags = Arc::new(Mutex::new(Vec::new()));
    let case = case(2, books, move |key, known| {
        let link = Query::Link(crate::eval::LinkNeed {
            mapping: None,
            entity: EntityId(1),
            key: key.into(),
            other: EntityId(0),
        });
        match known.answer(&link) {
            Answered::NotAsked => Evaluated::Needs(vec![link]),
            Answered::Absent => Evaluated::WriteSet(WriteSet { again_after: vec![0], ..one(key) }),
            _ => {
                let mut unit = one(key);
                unit.drafts[0].action =
                    Action::Found { id: "A".into(), ours: true, row: format!(r#"{{"ID":"A","Name":"{key}"}}"#).into() };
                let mut tag = one("the same tag").drafts.remove(0);
                tag.made.name = "customers.tag".into();
                tag.linked_to = None;
                tags.lock().unwrap().push(key.to_owned());
                unit.drafts.push(tag);
                Evaluated::WriteSet(unit)
            }
        }
    });
    case.pass().await;
    // Both orders are written side by side; their common tag, which is known only then, one after the other.
    assert_eq!(case.books.most_of_tag(), 1);
}

/// What only the evaluation before a write had to tell was kept as told, and nobody had heard it.
#[tokio::test]
async fn what_was_to_be_told_before_a_write_is_told_though_the_record_parks() {
    let books = Desk { answers: Mutex::new(vec![made("A", "0")]), ..Desk::default() };
    let case = case(1, books, |key, known| {
        let link = Query::Link(crate::eval::LinkNeed {
            mapping: None,
            entity: EntityId(1),
            key: key.into(),
            other: EntityId(0),
        });
        match known.answer(&link) {
            Answered::NotAsked => Evaluated::Needs(vec![link]),
            Answered::Absent => {
                let alerts = vec![("it gets another name".to_owned(), span())];
                Evaluated::WriteSet(WriteSet { again_after: vec![0], alerts, ..one(key) })
            }
            _ => Evaluated::Stopped(Stop::Fail, Failure::new("no such item", span()), Vec::new()),
        }
    });
    let (summary, _) = case.pass().await;
    assert_eq!((summary.counts.created, summary.counts.parked, summary.counts.alerts), (1, 1, 1));
}
