//! The runner is killed at random moments, with `kill -9`, while the ledger loses answers after their effect, lets effects
//! come late, fails and throttles, and while people edit, cancel and delete orders: nothing is there twice, nothing is
//! lost, and every document says what its order says.
//!
//! `KILLS=300 cargo test --test kill -- --nocapture` kills more often and says how often a kill fell between the intent of
//! a write and its outcome; `SEED` draws other moments.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a surprise fails the test, and its figures are wanted")]

mod promise;

use flowc::sandbox::{Limits, Options};
use flowc::store::{Intent, Operation};
use promise::{World, sent, size, text};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Child;
use std::time::{Duration, Instant};

/// Kills that a change must survive.
const KILLS: u64 = 12;
/// Orders made up for each kill, so that there is work till the last.
const ORDERS_PER_KILL: u64 = 4;
/// A run is killed within so many milliseconds of its first write, so that a slow machine is no excuse.
const KILL_WITHIN: u64 = 1_200;
/// One run in so many is killed within that time of its start.
const EARLY: u64 = 6;
/// A run that writes nothing for so long is killed all the same.
const PATIENCE: Duration = Duration::from_secs(20);
/// Passes at the end, each ten minutes after the one before: what may come late has come by then.
const LAST_PASSES: u64 = 6;
/// Orders that get another note before each run, and again while it runs.
const NOTES: u64 = 2;

/// Where the kills fell.
#[derive(Debug, Default)]
struct Kills {
    /// Runs that were killed.
    killed: u64,
    /// Runs that ended before they could be.
    ended: u64,
    /// Kills that left a write without an outcome that had none before.
    between: u64,
    /// Writes that kills left without an outcome.
    creates: u64,
    /// The same, of writes that change what is there.
    updates: u64,
}

/// Everything that may go wrong with a ledger, at once.
fn faults(seed: u64) -> Value {
    json!([
        {"system": "ledger", "method": "POST", "kind": "drop_after", "rate": 0.05, "seed": seed + 1},
        {"system": "ledger", "method": "POST", "kind": "effect_late", "ms": 1500, "rate": 0.03, "seed": seed + 2},
        {"system": "ledger", "kind": "status", "status": 500, "rate": 0.02, "seed": seed + 3},
        {"system": "ledger", "kind": "status", "status": 503, "rate": 0.02, "seed": seed + 4},
        {"system": "ledger", "kind": "limit_minute", "rate": 0.01, "seed": seed + 5},
        {"system": "shop", "method": "PUT", "kind": "drop_after", "rate": 0.05, "seed": seed + 6},
        {"system": "ledger", "method": "POST", "kind": "delay", "ms": 300, "rate": 1, "seed": seed + 7},
        {"system": "shop", "method": "PUT", "kind": "delay", "ms": 100, "rate": 1, "seed": seed + 8},
    ])
}

#[test]
fn a_runner_that_dies_writes_nothing_twice_and_loses_nothing() {
    let (kills, seed) = (size("KILLS", KILLS), size("SEED", 1));
    let orders = (kills * ORDERS_PER_KILL).clamp(60, 3_000);
    // The ledger's minute is wide: what slows the run down is what goes wrong, a 429 among it.
    let limits = Limits::Custom { minute: 6_000, day: 10_000_000 };
    let world = World::new(Options { seed, orders: Some(orders), limits, ..Options::default() });
    world.faults(&faults(seed));
    let done = kill(&world, kills, seed);
    world.faults(&json!([]));
    for _ in 0..LAST_PASSES {
        world.later("+10m");
        world.flowc(&["run", "orders"]);
    }
    println!("{done:?}");
    // A fast machine may run out of work before the last kill.
    assert!(done.killed * 2 >= kills, "{done:?}");
    assert!(done.between > 0, "no kill fell between an intent and its outcome: {done:?}");
    let open = world.open_intents();
    assert!(open.is_empty(), "{} writes have no outcome at the end", open.len());
    landed(&world);
}

/// Starts the runner again and again, and kills it each time.
fn kill(world: &World, kills: u64, seed: u64) -> Kills {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut done = Kills::default();
    let mut open: BTreeSet<String> = BTreeSet::new();
    people(world, &mut chance, "at first");
    while done.killed < kills && done.ended < 4 * kills {
        let early = chance.random_range(0..EARLY) == 0;
        let moment = Duration::from_millis(chance.random_range(0..KILL_WITHIN));
        people(world, &mut chance, &format!("before run {}", done.killed + done.ended));
        let mut child = world.spawn(&["run", "orders"]);
        people(world, &mut chance, &format!("in run {}", done.killed + done.ended));
        let ended = if early { ends_within(&mut child, moment) } else { ends_writing(world, &mut child, moment) };
        // On Unix this is SIGKILL: the process learns nothing of it.
        child.kill().unwrap();
        child.wait().unwrap();
        let now = world.open_intents();
        if ended {
            done.ended += 1;
            // What is left waits for a late effect: a while later it goes on.
            world.later("+10m");
        } else {
            done.killed += 1;
            let new: Vec<&Intent> = now.iter().filter(|i| i.unknown.is_none() && !open.contains(&i.id)).collect();
            let creates = new.iter().filter(|i| i.operation == Operation::Create).count() as u64;
            done.between += u64::from(!new.is_empty());
            done.creates += creates;
            done.updates += new.len() as u64 - creates;
        }
        open = now.into_iter().map(|intent| intent.id).collect();
        world.later("+1m");
    }
    done
}

/// People of the shop: some orders get another note, now and then one is cancelled, reinstated or put into the trash.
fn people(world: &World, chance: &mut StdRng, when: &str) {
    let orders = world.held("shop/orders");
    let change = |change: Value| world.control(reqwest::Method::POST, "/shop/orders", Some(&change));
    for _ in 0..NOTES {
        let order = &orders[chance.random_range(0..orders.len())];
        change(json!({"id": order["id"], "customer_note": format!("{when}, of {}", order["id"])}));
    }
    let order = &orders[chance.random_range(0..orders.len())];
    match chance.random_range(0..12) {
        0 => drop(change(json!({"id": order["id"], "status": "cancelled"}))),
        1 => drop(change(json!({"id": order["id"], "status": "processing"}))),
        2 => drop(change(json!({"id": order["id"], "status": "trash"}))),
        _ => {}
    }
}

/// Whether the process ends by itself within this time.
fn ends_within(child: &mut Child, time: Duration) -> bool {
    let began = Instant::now();
    while began.elapsed() < time {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

/// Whether it ends by itself within this time of its first write.
fn ends_writing(world: &World, child: &mut Child, time: Duration) -> bool {
    let (began, before) = (Instant::now(), world.calls("ledger").1);
    while began.elapsed() < PATIENCE && world.calls("ledger").1 == before {
        if ends_within(child, Duration::from_millis(10)) {
            return true;
        }
    }
    ends_within(child, time)
}

/// Each order that is sent is there once, all of its customers' accounts are, and the shop shows its number.
fn landed(world: &World) {
    let orders = world.held("shop/orders");
    let there = world.held("ledger/salesorder/SalesOrders");
    let mut by_reference: BTreeMap<&str, u64> = BTreeMap::new();
    for order in &there {
        *by_reference.entry(text(order, "YourRef")).or_default() += 1;
    }
    let twice: Vec<&&str> = by_reference.iter().filter(|(_, n)| **n > 1).map(|(reference, _)| reference).collect();
    assert!(twice.is_empty(), "there twice: {twice:?}");
    let records = world.records();
    let missing: Vec<String> = sent(&orders)
        .filter(|order| !by_reference.contains_key(text(order, "number")))
        .map(|order| {
            let record = records.get(&order["id"].to_string()).map(ToString::to_string);
            format!("{}: {}", text(order, "number"), record.unwrap_or_else(|| "unknown".to_owned()))
        })
        .collect();
    println!("{} of {} orders, {} missing", there.len(), sent(&orders).count(), missing.len());
    assert!(missing.is_empty(), "lost, or stopped for good:\n{}", missing.join("\n"));
    // An order's note is the document's remark; behind it stand coupons.
    let undone: Vec<String> = sent(&orders)
        .filter(|order| !text(order, "customer_note").is_empty())
        .filter_map(|order| {
            let document = there.iter().find(|row| text(row, "YourRef") == text(order, "number"))?;
            let (note, remarks) = (text(order, "customer_note"), text(document, "Remarks"));
            let record = records.get(&order["id"].to_string()).map(ToString::to_string);
            (!remarks.starts_with(note))
                .then(|| format!("{}: `{remarks}` is not `{note}`: {record:?}", text(order, "number")))
        })
        .collect();
    assert!(undone.is_empty(), "edits that were not carried out:\n{}", undone.join("\n"));
    let once = |resource: &str, key: &[&str]| {
        let rows = world.held(resource);
        let value = |row: &Value, field: &str| row[field].to_string().to_lowercase();
        let keys = rows.iter().map(|row| key.iter().map(|field| value(row, field)).collect::<Vec<_>>());
        let keys: Vec<Vec<String>> = keys.filter(|key| key.iter().any(|value| value != "null")).collect();
        let different: BTreeSet<&Vec<String>> = keys.iter().collect();
        assert_eq!(keys.len(), different.len(), "{resource} with one {} are there twice", key.join(", "));
    };
    once("ledger/crm/Accounts", &["Email"]);
    once("ledger/crm/Contacts", &["Account", "Email", "LastName"]);
    once("ledger/crm/Addresses", &["Account", "Type", "AddressLine1", "Postcode", "City", "Country"]);
    let unmarked: Vec<String> = sent(&orders)
        .filter(|order| !is_marked(order))
        .map(|order| {
            let id = order["id"].to_string();
            let tries = world.flowc(&["show", &format!("orders:{id}"), "--format", "json"]).stdout;
            format!("{}: {:?}\n{tries}", text(order, "number"), records.get(&id).map(ToString::to_string))
        })
        .collect();
    assert!(unmarked.is_empty(), "the shop does not show the ledger's number of\n{}", unmarked.join("\n"));
}

fn is_marked(order: &Value) -> bool {
    let meta = order["meta_data"].as_array().into_iter().flatten();
    meta.filter(|m| m["key"] == "_exact_number").any(|m| !text(m, "value").is_empty())
}
