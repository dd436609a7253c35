//! What a backlog costs: calls of the ledger for each write that had to happen, and the memory of the process.
//!
//! `ORDERS=1000 cargo test --test backlog -- --nocapture` measures a larger one.

#![allow(clippy::print_stdout, reason = "a surprise fails the test, and its figures are wanted")]

mod promise;

use flowc::sandbox::{Limits, Options};
use promise::{World, size};

/// Orders that a change must carry.
const ORDERS: u64 = 300;
/// Calls of the ledger for each record made, in hundredths.
const CALLS_PER_HUNDRED: u64 = 110;
/// Calls beside those: one for each chunk of keys that fits a filter, and the small tables that are read once.
const CHUNKS: u64 = 20;
/// What a run may hold in memory whatever the backlog, KB: a page of records, what is remembered, the program itself.
const PEAK_KB: u64 = 256 << 10;
/// Reads of the shop by a run that finds nothing new: the pages of its last hour, which are read again, the proofs that no
/// row has moved between them, and a look at what is parked.
const IDLE_READS: u64 = 6;
/// What a run makes in the ledger.
const MADE: [&str; 4] =
    ["ledger/salesorder/SalesOrders", "ledger/crm/Accounts", "ledger/crm/Contacts", "ledger/crm/Addresses"];

fn made(world: &World) -> u64 {
    MADE.iter().map(|resource| world.held(resource).len() as u64).sum()
}

#[test]
fn a_backlog_costs_its_writes_and_a_page_of_memory() {
    let orders = size("ORDERS", ORDERS);
    let world = World::new(Options { orders: Some(orders), limits: Limits::Off, ..Options::default() });
    let before = made(&world);
    world.forget_calls();
    let run = world.watched(&["run", "orders"]);
    let (reads, writes) = world.calls("ledger");
    let made = made(&world) - before;
    println!(
        "{orders} orders: {made} records made with {reads} reads and {writes} writes, {} calls for a hundred, {} s, {:?} KB at most",
        (reads + writes) * 100 / made.max(1),
        run.took.as_secs(),
        run.peak_kb
    );
    assert!(matches!(run.code, Some(0 | 1)), "the run ends with {:?}", run.code);
    assert!(made >= orders / 2, "of {orders} orders {made} records were made");
    assert!(
        (reads + writes) * 100 <= made * CALLS_PER_HUNDRED + CHUNKS * 100,
        "{reads} reads and {writes} writes make {made}"
    );
    if let Some(peak) = run.peak_kb {
        assert!(peak <= PEAK_KB, "{peak} KB are held at once");
    }
    // Some of it is read again by the next run, and nothing comes of that.
    world.forget_calls();
    let again = world.watched(&["run", "orders"]);
    assert!(matches!(again.code, Some(0 | 1)), "the second run ends with {:?}", again.code);
    let (calls, shop) = (world.calls("ledger"), world.calls("shop"));
    println!("a second run: {calls:?} calls of the ledger, {shop:?} of the shop");
    assert_eq!(calls, (0, 0), "nothing has changed");
    assert!(shop.0 <= IDLE_READS && shop.1 == 0, "{shop:?} calls of the shop");
}
