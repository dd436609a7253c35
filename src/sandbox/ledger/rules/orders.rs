//! Sales orders, their lines and charges.

use rust_decimal::Decimal;

use super::super::amounts::Priced;
use super::super::cell::{self, Cell};
use super::super::draft::{Draft, Hand};
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::super::schema::entity;
use super::{Change, Desk, processed, sales, stock};

const ORDERS: &str = "salesorder/SalesOrders";
pub(super) const LINES: &str = "salesorder/SalesOrderLines";
pub(super) const CHARGES: &str = "salesorder/SalesOrderOrderChargeLines";

/// Codes of `Status`, `DeliveryStatus` and `InvoiceStatus`.
pub(super) const OPEN: i64 = 12;
pub(super) const PARTIAL: i64 = 20;
pub(super) const COMPLETE: i64 = 21;

pub(super) fn create(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    if !draft.has("OrderedBy") && !draft.has("InvoiceTo") {
        desk.reasons.missing("InvoiceTo");
    }
    draft.check(desk.state, &[], &mut desk.reasons);
    let lines = draft.take("SalesOrderLines");
    let charges = draft.take("SalesOrderOrderChargeLines");
    let mut order = draft.record;
    fill_order(desk, &mut order);
    let mut kept_lines = Vec::new();
    for line in lines {
        line.check(desk.state, &["OrderID"], &mut desk.reasons);
        kept_lines.push(new_line(desk, &order, line.record));
    }
    let mut kept_charges = Vec::new();
    for charge in charges {
        charge.check(desk.state, &["OrderID"], &mut desk.reasons);
        let mut charge = charge.record;
        sales::price_charge(desk, &order, &mut charge);
        kept_charges.push(charge);
    }
    desk.settle()?;
    let priced: Vec<_> = kept_lines.iter().map(|line| line.1.clone()).collect();
    sales::write_totals(desk.state, &mut order, &priced, &kept_charges);
    fill_number(desk, &mut order);
    let order = desk.keep(&order);
    for (number, (mut line, priced)) in (1_i64..).zip(kept_lines) {
        keep_line(desk, &order, &mut line, number);
        desk.state.note_tax(&line.key(), priced.fixed);
    }
    for (number, mut charge) in (1_i64..).zip(kept_charges) {
        charge.set("OrderID", order.key());
        charge.set("LineNumber", Cell::Int(number));
        desk.state.insert(&charge);
    }
    write_statuses(desk, &order);
    Ok(desk.state.record(ORDERS, &order.key()).unwrap_or(order))
}

fn fill_order(desk: &mut Desk<'_>, order: &mut Record) {
    sales::fill_parties(desk, order);
    if order.has("OrderedBy") {
        sales::fill_address(desk, order, "DeliveryAddress");
    }
    order.fill("OrderDate", desk.today());
    sales::fill_currency(desk, order, "OrderDate");
    let customer = desk.state.by_guid("crm/Accounts", order.guid("OrderedBy"));
    let lead = customer.and_then(|customer| customer.int("ShippingLeadDays")).unwrap_or(0);
    if let Some(day) = order.time("OrderDate") {
        order.fill("DeliveryDate", Cell::Time(cell::later(day, 0, lead)));
    }
    order.fill_int("ApprovalStatus", 1);
    if !matches!(order.int("ApprovalStatus"), Some(0..=2)) {
        desk.reasons.invalid("ApprovalStatus");
    }
    let main = desk.state.all("inventory/Warehouses").find(|warehouse| warehouse.flag("Main"));
    order.fill("WarehouseID", main.map_or(Cell::Null, |warehouse| warehouse.key()));
    if let Some(number) = order.int("OrderNumber")
        && desk.state.first(ORDERS, "OrderNumber", &Cell::Int(number)).is_some()
    {
        desk.reasons.says("Verkoopordernummer: Bestaat reeds");
    }
    for name in ["Status", "DeliveryStatus", "InvoiceStatus"] {
        order.fill_int(name, OPEN);
    }
}

fn fill_number(desk: &mut Desk<'_>, order: &mut Record) {
    if !order.has("OrderNumber") {
        let year = i64::from(cell::date_of(desk.state.now).year());
        let number = sales::next_number(desk.state, ORDERS, "OrderNumber", year * 10_000);
        order.set("OrderNumber", Cell::Int(number));
    }
}

/// A line with its amounts; a person's loaded quantities of delivery and invoice stay.
fn new_line(desk: &mut Desk<'_>, order: &Record, mut line: Record) -> (Record, Priced) {
    let given = line.number("VATAmount");
    let priced = sales::price_line(desk, order, &mut line, given);
    line.fill("DeliveryDate", order.get("DeliveryDate").clone());
    for name in ["QuantityDelivered", "QuantityInvoiced"] {
        line.fill(name, Cell::Number(Decimal::ZERO));
    }
    line.fill_int("UseDropShipment", 0);
    (line, priced)
}

fn keep_line(desk: &mut Desk<'_>, order: &Record, line: &mut Record, number: i64) {
    line.set("OrderID", order.key());
    line.set("OrderNumber", order.get("OrderNumber").clone());
    line.set("LineNumber", Cell::Int(number));
    set_line_statuses(line);
    let key = desk.state.insert(line);
    line.set("ID", key);
    stock::plan_out(desk.state, order, line, open_quantity(line));
}

/// What is still to be delivered.
pub(super) fn open_quantity(line: &Record) -> Decimal {
    if line.int("DeliveryStatus") == Some(COMPLETE) {
        Decimal::ZERO
    } else {
        line.amount("Quantity") - line.amount("QuantityDelivered")
    }
}

/// Open, partial or complete, by how much of the quantity is done.
fn status(done: Decimal, quantity: Decimal) -> i64 {
    if done.is_zero() {
        OPEN
    } else if done.abs() >= quantity.abs() {
        COMPLETE
    } else {
        PARTIAL
    }
}

/// The statuses of a line by its quantities; what was completed by hand stays complete.
pub(super) fn set_line_statuses(line: &mut Record) {
    let quantity = line.amount("Quantity");
    for (status_name, done) in [("DeliveryStatus", "QuantityDelivered"), ("InvoiceStatus", "QuantityInvoiced")] {
        if line.int(status_name) != Some(COMPLETE) {
            let done = line.amount(done);
            line.set(status_name, Cell::Int(status(done, quantity)));
        }
    }
    let both = [line.int("DeliveryStatus"), line.int("InvoiceStatus")];
    line.set("OrderStatus", Cell::Int(together(&both.map(|status| status.unwrap_or(OPEN)))));
}

/// One status for many: all open, all complete, else partial.
fn together(all: &[i64]) -> i64 {
    if all.iter().all(|status| *status == COMPLETE) {
        COMPLETE
    } else if all.iter().all(|status| *status == OPEN) {
        OPEN
    } else {
        PARTIAL
    }
}

/// The order's statuses from those of its lines.
pub(super) fn write_statuses(desk: &mut Desk<'_>, order: &Record) {
    let Some(mut order) = desk.state.record(ORDERS, &order.key()) else {
        return;
    };
    let lines: Vec<_> = desk.state.having(LINES, "OrderID", &order.key()).collect();
    let of = |name: &str| together(&lines.iter().map(|line| line.int(name).unwrap_or(OPEN)).collect::<Vec<_>>());
    let (delivery, invoice) = (of("DeliveryStatus"), of("InvoiceStatus"));
    let status = together(&[delivery, invoice]);
    let before = (order.int("Status"), order.int("DeliveryStatus"), order.int("InvoiceStatus"));
    if lines.is_empty() || before == (Some(status), Some(delivery), Some(invoice)) {
        return;
    }
    for (name, status) in [("Status", status), ("DeliveryStatus", delivery), ("InvoiceStatus", invoice)] {
        order.set(name, Cell::Int(status));
    }
    desk.state.update(&order);
}

/// Totals and statuses after a line or a charge came, changed or went.
fn rework(desk: &mut Desk<'_>, order: &Cell) {
    let Some(mut order) = desk.state.record(ORDERS, order) else {
        return;
    };
    let lines: Vec<_> = desk.state.having(LINES, "OrderID", &order.key()).collect();
    let charges: Vec<_> = desk.state.having(CHARGES, "OrderID", &order.key()).collect();
    let priced: Vec<_> = lines.iter().map(|line| sales::stored(desk.state, line)).collect();
    sales::write_totals(desk.state, &mut order, &priced, &charges);
    desk.state.update(&order);
    write_statuses(desk, &order);
}

/// The order that a line or a charge is for, if it may still change.
fn open_order(desk: &mut Desk<'_>, record: &Record) -> Result<Record, Refusal> {
    let order = desk.state.by_guid(ORDERS, record.guid("OrderID"));
    let order = order.ok_or_else(|| Refusal::rule("Ongeldige referentie: Verkooporder"))?;
    if order.int("Status") == Some(COMPLETE) && desk.hand == Hand::Program {
        return Err(processed());
    }
    Ok(order)
}

pub(super) fn create_line(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    desk.reasons.check()?;
    let order = open_order(desk, &draft.record)?;
    let (mut line, priced) = new_line(desk, &order, draft.record);
    desk.settle()?;
    let lines = desk.state.having(LINES, "OrderID", &order.key());
    let number = lines.filter_map(|line| line.int("LineNumber")).max().unwrap_or(0) + 1;
    line.set("OrderID", order.key());
    line.set("OrderNumber", order.get("OrderNumber").clone());
    line.set("LineNumber", Cell::Int(number));
    set_line_statuses(&mut line);
    let kept = desk.keep(&line);
    desk.state.note_tax(&kept.key(), priced.fixed);
    stock::plan_out(desk.state, &order, &kept, open_quantity(&kept));
    rework(desk, &order.key());
    Ok(kept)
}

pub(super) fn create_charge(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    desk.reasons.check()?;
    let order = open_order(desk, &draft.record)?;
    let mut charge = draft.record;
    sales::price_charge(desk, &order, &mut charge);
    desk.settle()?;
    let number = desk.state.having(CHARGES, "OrderID", &order.key()).count() + 1;
    charge.set("LineNumber", Cell::Int(i64::try_from(number).unwrap_or(i64::MAX)));
    let kept = desk.keep(&charge);
    rework(desk, &order.key());
    Ok(kept)
}

pub(super) fn change(desk: &mut Desk<'_>, mut order: Record, change: &Change<'_>) -> Result<(), Refusal> {
    if change.old.int("Status") == Some(COMPLETE) && desk.hand == Hand::Program {
        return Err(processed());
    }
    for name in ["OrderedBy", "DeliverTo", "InvoiceTo"] {
        if change.touches(name) {
            desk.reasons.invalid(name);
        }
    }
    if change.touches("OrderNumber") && desk.state.first(ORDERS, "OrderNumber", order.get("OrderNumber")).is_some() {
        desk.reasons.says("Verkoopordernummer: Bestaat reeds");
    }
    if change.touches("DeliveryAddress") {
        sales::fill_address(desk, &mut order, "DeliveryAddress");
    }
    sales::fill_currency(desk, &mut order, "OrderDate");
    desk.settle()?;
    sales::lead_discount(&mut order, change);
    if change.touches("WarehouseID") {
        move_plans(desk, change.old, &order);
    }
    desk.state.update(&order);
    if desk.hand == Hand::Person {
        declare(desk, &order, change);
    }
    rework(desk, &order.key());
    Ok(())
}

/// A person says that an order is delivered or invoiced: its lines are.
fn declare(desk: &mut Desk<'_>, order: &Record, change: &Change<'_>) {
    let said = |name: &str| {
        let by_all = change.touches("Status") && order.int("Status") == Some(COMPLETE);
        by_all || (change.touches(name) && order.int(name) == Some(COMPLETE))
    };
    for (name, done) in [("DeliveryStatus", "QuantityDelivered"), ("InvoiceStatus", "QuantityInvoiced")] {
        if !said(name) {
            continue;
        }
        let lines: Vec<_> = desk.state.having(LINES, "OrderID", &order.key()).collect();
        for mut line in lines {
            if name == "DeliveryStatus" {
                let open = open_quantity(&line);
                stock::deliver(desk.state, order, &line, open);
            }
            line.set(done, line.get("Quantity").clone());
            set_line_statuses(&mut line);
            desk.state.update(&line);
        }
    }
}

/// What is still to be delivered comes from another warehouse now.
fn move_plans(desk: &mut Desk<'_>, old: &Record, new: &Record) {
    let lines: Vec<_> = desk.state.having(LINES, "OrderID", &old.key()).collect();
    for line in lines {
        let open = open_quantity(&line);
        stock::plan_out(desk.state, old, &line, -open);
        stock::plan_out(desk.state, new, &line, open);
    }
}

pub(super) fn change_line(desk: &mut Desk<'_>, mut line: Record, change: &Change<'_>) -> Result<(), Refusal> {
    let order = open_order(desk, change.old)?;
    if change.touches_any(&["OrderID", "OrderNumber"]) {
        line.set("OrderID", change.old.get("OrderID").clone());
        line.set("OrderNumber", change.old.get("OrderNumber").clone());
    }
    let done = line.amount("QuantityDelivered").abs().max(line.amount("QuantityInvoiced").abs());
    if line.amount("Quantity").abs() < done || (!done.is_zero() && change.touches("Item")) {
        desk.reasons.invalid("Quantity");
    }
    sales::forget_derived(&mut line, change);
    let given = sales::given_tax(desk.state, &line, change);
    let priced = sales::price_line(desk, &order, &mut line, given);
    desk.settle()?;
    let before = open_quantity(change.old);
    set_line_statuses(&mut line);
    desk.state.update(&line);
    desk.state.note_tax(&line.key(), priced.fixed);
    stock::plan_out(desk.state, &order, change.old, -before);
    stock::plan_out(desk.state, &order, &line, open_quantity(&line));
    rework(desk, &order.key());
    Ok(())
}

pub(super) fn change_charge(desk: &mut Desk<'_>, mut cost: Record, change: &Change<'_>) -> Result<(), Refusal> {
    let order = open_order(desk, change.old)?;
    if change.touches("AmountFCInclVAT") && !change.touches("AmountFCExclVAT") {
        cost.set("AmountFCExclVAT", Cell::Null);
    }
    if change.touches("VATCode") {
        cost.set("VATPercentage", Cell::Null);
    }
    sales::price_charge(desk, &order, &mut cost);
    desk.settle()?;
    desk.state.update(&cost);
    rework(desk, &order.key());
    Ok(())
}

fn is_begun(line: &Record) -> bool {
    !line.amount("QuantityDelivered").is_zero() || !line.amount("QuantityInvoiced").is_zero()
}

pub(super) fn remove(desk: &mut Desk<'_>, order: &Record) -> Result<(), Refusal> {
    let lines: Vec<_> = desk.state.having(LINES, "OrderID", &order.key()).collect();
    if lines.iter().any(is_begun) || order.int("Status") == Some(COMPLETE) {
        return Err(processed());
    }
    for line in &lines {
        stock::plan_out(desk.state, order, line, -open_quantity(line));
        desk.state.delete(line);
    }
    let charges: Vec<_> = desk.state.having(CHARGES, "OrderID", &order.key()).collect();
    for charge in &charges {
        desk.state.delete(charge);
    }
    desk.state.delete(order);
    Ok(())
}

pub(super) fn remove_line(desk: &mut Desk<'_>, line: &Record) -> Result<(), Refusal> {
    let order = open_order(desk, line)?;
    if is_begun(line) {
        return Err(processed());
    }
    if desk.state.having(LINES, "OrderID", &order.key()).count() < 2 {
        return Err(Refusal::rule("Verplicht: Verkooporderregels"));
    }
    stock::plan_out(desk.state, &order, line, -open_quantity(line));
    desk.state.delete(line);
    rework(desk, &order.key());
    Ok(())
}

pub(super) fn remove_charge(desk: &mut Desk<'_>, charge: &Record) -> Result<(), Refusal> {
    let order = open_order(desk, charge)?;
    desk.state.delete(charge);
    rework(desk, &order.key());
    Ok(())
}

/// The order of an id as requests give it.
pub(super) fn find(desk: &Desk<'_>, key: Option<uuid::Uuid>) -> Option<Record> {
    desk.state.by_guid(ORDERS, key)
}

/// A new delivery or invoice line's place for the line that it is made from.
pub(super) fn line_of(desk: &Desk<'_>, key: Option<uuid::Uuid>) -> Option<Record> {
    let key = Cell::Guid(key?);
    desk.state.record_at(entity(LINES), desk.state.table(entity(LINES)).slot(&key)?)
}
