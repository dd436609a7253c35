//! Stock: what orders plan, what deliveries and direct invoices move, what counts correct.

use rust_decimal::Decimal;

use super::super::cell::Cell;
use super::super::draft::{Draft, Hand};
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::super::schema::entity;
use super::super::state::State;
use super::{Change, Desk, entries, processed};

const STOCK: &str = "inventory/ItemWarehouses";

/// States of a stock count.
const DRAFT: i64 = 12;
const PROCESSED: i64 = 21;

/// An order's line will take this much more out of stock.
pub(super) fn plan_out(state: &mut State, order: &Record, line: &Record, quantity: Decimal) {
    shift(state, line.get("Item"), order.get("WarehouseID"), &[("PlannedStockOut", quantity)]);
}

/// Goods of an order's line leave the warehouse.
pub(super) fn deliver(state: &mut State, order: &Record, line: &Record, quantity: Decimal) {
    let shifts = [("PlannedStockOut", -quantity), ("CurrentStock", -quantity)];
    shift(state, line.get("Item"), order.get("WarehouseID"), &shifts);
}

/// Goods move without an order.
pub(super) fn take(state: &mut State, item: &Cell, warehouse: &Cell, quantity: Decimal) {
    shift(state, item, warehouse, &[("CurrentStock", -quantity)]);
}

/// The main warehouse's opening stock of a new item.
pub(super) fn open(state: &mut State, item: &Cell, quantity: Decimal) {
    let main = state.all("inventory/Warehouses").find(|warehouse| warehouse.flag("Main"));
    let warehouse = main.map_or(Cell::Null, |warehouse| warehouse.key());
    shift(state, item, &warehouse, &[("CurrentStock", quantity)]);
}

/// Changes figures of an item in a warehouse; the row is made on first use.
fn shift(state: &mut State, item: &Cell, warehouse: &Cell, by: &[(&str, Decimal)]) {
    let kept = state.record("logistics/Items", item).is_some_and(|item| item.flag("IsStockItem"));
    if !kept || warehouse.is_null() || by.iter().all(|shift| shift.1.is_zero()) {
        return;
    }
    let mut rows = state.having(STOCK, "Item", item);
    let found = rows.find(|row| row.get("Warehouse") == warehouse);
    drop(rows);
    let mut row = found.unwrap_or_else(|| empty(item, warehouse));
    for (name, quantity) in by {
        let sum = row.amount(name) + quantity;
        row.set_number(name, sum);
    }
    if row.slot.is_some() {
        state.update(&row);
    } else {
        state.insert(&row);
    }
}

fn empty(item: &Cell, warehouse: &Cell) -> Record {
    let mut row = Record::new(entity(STOCK));
    row.set("Item", item.clone());
    row.set("Warehouse", warehouse.clone());
    fill(&mut row);
    row
}

fn fill(row: &mut Record) {
    for name in [
        "CurrentStock",
        "PlannedStockIn",
        "PlannedStockOut",
        "ReservedStock",
        "MaximumStock",
        "ReorderPoint",
        "SafetyStock",
    ] {
        row.fill(name, Cell::Number(Decimal::ZERO));
    }
}

pub(super) fn create_item_warehouse(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let mut row = draft.record;
    let twin =
        desk.state.having(STOCK, "Item", row.get("Item")).any(|other| other.get("Warehouse") == row.get("Warehouse"));
    if twin {
        desk.reasons.exists();
    }
    desk.settle()?;
    fill(&mut row);
    Ok(desk.keep(&row))
}

pub(super) fn create_count(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let lines = draft.take("StockCountLines");
    let mut count = draft.record;
    count.fill_int("Status", DRAFT);
    if !matches!(count.int("Status"), Some(DRAFT | PROCESSED)) {
        desk.reasons.invalid("Status");
    }
    for line in &lines {
        line.check(desk.state, &["StockCountID"], &mut desk.reasons);
        if !line.has("QuantityNew") && !line.has("QuantityDifference") {
            desk.reasons.missing("QuantityNew");
        }
        check_pieces(desk, &line.record, &["QuantityNew", "QuantityDifference"]);
    }
    if count.int("Status") == Some(PROCESSED) {
        entries::check_day(desk, count.time("StockCountDate"));
    }
    desk.settle()?;
    let number = i64::try_from(desk.state.table(count.entity).len()).unwrap_or(0) + 1;
    count.fill_int("StockCountNumber", number);
    count.fill_int("EntryNumber", number);
    let processed = count.int("Status") == Some(PROCESSED);
    let count = desk.keep(&count);
    for (number, line) in (1_i64..).zip(lines) {
        let mut line = line.record;
        line.set("StockCountID", count.key());
        line.set("LineNumber", Cell::Int(number));
        line.fill("Warehouse", count.get("Warehouse").clone());
        line.set("Status", count.get("Status").clone());
        weigh(desk.state, &count, &mut line);
        desk.state.insert(&line);
        if processed {
            correct(desk.state, &count, &line);
        }
    }
    Ok(count)
}

/// Only some items have fractions.
pub(super) fn check_pieces(desk: &mut Desk<'_>, line: &Record, names: &[&str]) {
    let item = desk.state.by_guid("logistics/Items", line.guid("Item"));
    let whole = item.is_some_and(|item| !item.flag("IsFractionAllowedItem"));
    if whole && names.iter().any(|name| !line.amount(name).is_integer()) {
        desk.reasons.invalid("Quantity");
    }
}

/// New quantity and difference; of both, the difference wins.
fn weigh(state: &State, count: &Record, line: &mut Record) {
    let mut rows = state.having(STOCK, "Item", line.get("Item"));
    let row = rows.find(|row| row.get("Warehouse") == count.get("Warehouse"));
    let there = row.map_or(Decimal::ZERO, |row| row.amount("CurrentStock"));
    let difference = line.number("QuantityDifference").unwrap_or_else(|| line.amount("QuantityNew") - there);
    line.set_number("QuantityInStock", there);
    line.set_number("QuantityDifference", difference);
    line.set_number("QuantityNew", there + difference);
}

fn correct(state: &mut State, count: &Record, line: &Record) {
    let difference = line.amount("QuantityDifference");
    shift(state, line.get("Item"), count.get("Warehouse"), &[("CurrentStock", difference)]);
}

pub(super) fn process_count(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    desk.reasons.check()?;
    let mut answer = draft.record;
    let count = desk.state.by_guid("inventory/StockCounts", answer.guid("StockCountID"));
    let mut count = count.ok_or_else(|| Refusal::rule("Ongeldige referentie: Voorraadtelling"))?;
    if count.int("Status") == Some(PROCESSED) {
        return Err(processed());
    }
    entries::check_day(desk, count.time("StockCountDate"));
    desk.reasons.check()?;
    count.set("Status", Cell::Int(PROCESSED));
    desk.state.update(&count);
    let lines: Vec<_> = desk.state.having("inventory/StockCountLines", "StockCountID", &count.key()).collect();
    for mut line in lines {
        line.set("Status", Cell::Int(PROCESSED));
        desk.state.update(&line);
        correct(desk.state, &count, &line);
    }
    answer.set("SuccessMessage", Cell::text("Stock count processed"));
    Ok(answer)
}

/// The count that a record is, or is a line of, if it is still a draft.
fn open_count(desk: &mut Desk<'_>, record: &Record) -> Result<Record, Refusal> {
    let count = desk.state.by_guid("inventory/StockCounts", record.guid("StockCountID"));
    let count = count.ok_or_else(|| Refusal::rule("Ongeldige referentie: Voorraadtelling"))?;
    if count.int("Status") == Some(PROCESSED) && desk.hand == Hand::Program {
        return Err(processed());
    }
    Ok(count)
}

pub(super) fn change_count(desk: &mut Desk<'_>, mut record: Record, change: &Change<'_>) -> Result<(), Refusal> {
    let count = open_count(desk, change.old)?;
    if record.entity.name == "StockCountLines" {
        check_pieces(desk, &record, &["QuantityNew", "QuantityDifference"]);
    }
    desk.settle()?;
    if record.entity.name == "StockCountLines" {
        if change.touches("QuantityNew") && !change.touches("QuantityDifference") {
            record.set("QuantityDifference", Cell::Null);
        }
        weigh(desk.state, &count, &mut record);
    }
    desk.state.update(&record);
    Ok(())
}

pub(super) fn remove_count(desk: &mut Desk<'_>, record: &Record) -> Result<(), Refusal> {
    open_count(desk, record)?;
    if record.entity.name == "StockCounts" {
        let lines: Vec<_> = desk.state.having("inventory/StockCountLines", "StockCountID", &record.key()).collect();
        for line in &lines {
            desk.state.delete(line);
        }
    }
    desk.state.delete(record);
    Ok(())
}
