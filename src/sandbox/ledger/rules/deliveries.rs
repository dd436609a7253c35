//! Goods deliveries, and orders that are declared complete.

use rust_decimal::Decimal;

use super::super::cell::Cell;
use super::super::draft::Draft;
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::{Desk, entries, orders, processed, sales, stock};

const DELIVERIES: &str = "salesorder/GoodsDeliveries";

pub(super) fn create(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let drafts = draft.take("GoodsDeliveryLines");
    let mut delivery = draft.record;
    let mut lines = Vec::new();
    let mut order: Option<Record> = None;
    for sent in drafts {
        sent.check(desk.state, &["EntryID"], &mut desk.reasons);
        let mut line = sent.record;
        let Some(ordered) = orders::line_of(desk, line.guid("SalesOrderLineID")) else {
            continue;
        };
        check_quantity(desk, &ordered, &line, &lines);
        let of = orders::find(desk, ordered.guid("OrderID"));
        if let (Some(first), Some(of)) = (&order, &of)
            && first.get("DeliverTo") != of.get("DeliverTo")
        {
            // One delivery goes to one account.
            desk.reasons.invalid("SalesOrderLineID");
        }
        order = order.or(of);
        line.set("Item", ordered.get("Item").clone());
        stock::check_pieces(desk, &line, &["QuantityDelivered"]);
        line.fill("Description", ordered.get("Description").clone());
        line.set("DeliveryDate", delivery.get("DeliveryDate").clone());
        lines.push((line, ordered));
    }
    entries::check_day(desk, delivery.time("DeliveryDate"));
    desk.settle()?;
    fill(desk, &mut delivery, order.as_ref());
    let delivery = desk.keep(&delivery);
    for (number, (mut line, ordered)) in (1_i64..).zip(lines) {
        line.set("EntryID", delivery.key());
        line.set("LineNumber", Cell::Int(number));
        desk.state.insert(&line);
        deliver(desk, &ordered, line.amount("QuantityDelivered"));
    }
    Ok(delivery)
}

/// No more than is still open, in the line's own direction; a trade-in is delivered below nought.
fn check_quantity(desk: &mut Desk<'_>, ordered: &Record, line: &Record, before: &[(Record, Record)]) {
    let same = before.iter().filter(|(_, other)| other.key() == ordered.key());
    let taken: Decimal = same.map(|(line, _)| line.amount("QuantityDelivered")).sum();
    let open = orders::open_quantity(ordered) - taken;
    let quantity = line.amount("QuantityDelivered");
    let along = quantity.is_sign_negative() == open.is_sign_negative();
    if quantity.is_zero() || !along || quantity.abs() > open.abs() {
        desk.reasons.invalid("QuantityDelivered");
    }
}

fn fill(desk: &mut Desk<'_>, delivery: &mut Record, order: Option<&Record>) {
    if let Some(order) = order {
        delivery.set("DeliveryAccount", order.get("DeliverTo").clone());
        delivery.set("DeliveryAddress", order.get("DeliveryAddress").clone());
        delivery.set("DeliveryContact", order.get("DeliverToContactPerson").clone());
        delivery.set("Warehouse", order.get("WarehouseID").clone());
        delivery.fill("ShippingMethod", order.get("ShippingMethod").clone());
        delivery.fill("Description", order.get("Description").clone());
    }
    let number = sales::next_number(desk.state, DELIVERIES, "EntryNumber", 0);
    delivery.fill_int("EntryNumber", number);
    delivery.fill_int("DeliveryNumber", number);
}

fn deliver(desk: &mut Desk<'_>, ordered: &Record, quantity: Decimal) {
    // Read again: an earlier line of this delivery may have moved it.
    let Some(mut line) = orders::line_of(desk, Some(ordered.key_guid())) else {
        return;
    };
    let done = line.amount("QuantityDelivered") + quantity;
    line.set_number("QuantityDelivered", done);
    orders::set_line_statuses(&mut line);
    desk.state.update(&line);
    if let Some(order) = orders::find(desk, line.guid("OrderID")) {
        stock::deliver(desk.state, &order, &line, quantity);
        orders::write_statuses(desk, &order);
    }
}

pub(super) fn complete_order(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    desk.reasons.check()?;
    let order = orders::find(desk, draft.record.guid("OrderID"));
    let order = order.ok_or_else(|| Refusal::rule("Ongeldige referentie: Verkooporder"))?;
    let lines: Vec<_> = desk.state.having(orders::LINES, "OrderID", &order.key()).collect();
    complete(desk, &order, lines, draft.record)
}

pub(super) fn complete_line(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    desk.reasons.check()?;
    let line = orders::line_of(desk, draft.record.guid("ID"));
    let line = line.ok_or_else(|| Refusal::rule("Ongeldige referentie: Verkooporderregel"))?;
    let order = orders::find(desk, line.guid("OrderID"));
    let order = order.ok_or_else(|| Refusal::rule("Ongeldige referentie: Verkooporder"))?;
    complete(desk, &order, vec![line], draft.record)
}

/// Nothing more will be delivered or invoiced, as far as was asked; both when nothing was said.
fn complete(desk: &mut Desk<'_>, order: &Record, lines: Vec<Record>, mut answer: Record) -> Result<Record, Refusal> {
    if order.int("Status") == Some(orders::COMPLETE) {
        return Err(processed());
    }
    let both = !answer.has("CompleteDelivery") && !answer.has("CompleteInvoice");
    for mut line in lines {
        if both || answer.flag("CompleteDelivery") {
            stock::plan_out(desk.state, order, &line, -orders::open_quantity(&line));
            line.set("DeliveryStatus", Cell::Int(orders::COMPLETE));
        }
        if both || answer.flag("CompleteInvoice") {
            line.set("InvoiceStatus", Cell::Int(orders::COMPLETE));
        }
        orders::set_line_statuses(&mut line);
        desk.state.update(&line);
    }
    orders::write_statuses(desk, order);
    answer.set("SuccessMessage", Cell::text("Sales order completed"));
    Ok(answer)
}
