//! The rules of the books: what a new record must be, what a change may touch, what may go.

mod accounts;
mod bookings;
mod debts;
mod deliveries;
mod entries;
mod invoices;
mod items;
mod master;
mod orders;
mod prices;
mod processing;
mod sales;
mod stock;

use super::cell::Cell;
use super::draft::{Draft, Hand};
use super::record::Record;
use super::refusal::{Reasons, Refusal};
use super::state::State;

pub(super) use items::with_code as item_with_code;

/// Writes a new record with its lines, and answers the record as it is kept.
///
/// # Errors
/// Status 500 with all reasons that were found.
pub(super) fn create(state: &mut State, draft: Draft, hand: Hand) -> Result<Record, Refusal> {
    let path = draft.record.entity.path;
    let mut desk = Desk { state, hand, reasons: Reasons::default() };
    match path {
        "crm/Accounts" => accounts::create_account(&mut desk, draft),
        "crm/Addresses" => accounts::create_address(&mut desk, draft),
        "crm/Contacts" => accounts::create_contact(&mut desk, draft),
        "logistics/Items" => items::create(&mut desk, draft),
        "logistics/SalesItemPrices" => items::create_price(&mut desk, draft),
        "salesorder/SalesOrders" => orders::create(&mut desk, draft),
        "salesorder/SalesOrderLines" => orders::create_line(&mut desk, draft),
        "salesorder/SalesOrderOrderChargeLines" => orders::create_charge(&mut desk, draft),
        "salesorder/GoodsDeliveries" => deliveries::create(&mut desk, draft),
        "salesorder/GoodsDeliveryLines" => Err(Refusal::method()),
        "salesorder/CompleteSalesOrder" => deliveries::complete_order(&mut desk, draft),
        "salesorder/CompleteSalesOrderLine" => deliveries::complete_line(&mut desk, draft),
        "salesinvoice/SalesInvoices" => invoices::create(&mut desk, draft),
        "salesinvoice/SalesInvoiceLines" => invoices::create_line(&mut desk, draft),
        "salesinvoice/PrintedSalesInvoices" => processing::print(&mut desk, draft),
        "salesinvoice/InvoiceSalesOrders" => processing::invoice_orders(&mut desk, draft),
        "salesentry/SalesEntries" => bookings::create(&mut desk, draft),
        "salesentry/SalesEntryLines" => bookings::create_line(&mut desk, draft),
        "financialtransaction/BankEntries" | "financialtransaction/CashEntries" => {
            entries::create_bank(&mut desk, draft)
        }
        "generaljournalentry/GeneralJournalEntries" => entries::create_general(&mut desk, draft),
        "financialtransaction/BankEntryLines"
        | "financialtransaction/CashEntryLines"
        | "generaljournalentry/GeneralJournalEntryLines" => entries::create_line(&mut desk, draft),
        "inventory/StockCounts" => stock::create_count(&mut desk, draft),
        "inventory/ProcessStockCount" => stock::process_count(&mut desk, draft),
        "inventory/ItemWarehouses" => stock::create_item_warehouse(&mut desk, draft),
        "webhooks/WebhookSubscriptions" => master::create_subscription(&mut desk, draft),
        "vat/VATCodes" => master::create_vat_code(&mut desk, draft),
        _ => master::create(&mut desk, draft),
    }
}

/// Writes the sent values over a record.
///
/// # Errors
/// Status 500 with all reasons that were found.
pub(super) fn change(state: &mut State, old: &Record, draft: Draft, hand: Hand) -> Result<(), Refusal> {
    if draft.has_lines() && hand == Hand::Program {
        // Lines have addresses of their own; a change of them here would be lost without a word.
        return Err(Refusal::stream("Lines cannot be changed with the record that they belong to."));
    }
    let mut desk = Desk { state, hand, reasons: Reasons::default() };
    draft.check_values(desk.state, &mut desk.reasons);
    let mut record = old.clone();
    let mut changed = Vec::new();
    for at in &draft.sent {
        let value = draft.record.row.get(*at);
        if old.row.get(*at) != value {
            changed.push(record.entity.property(*at).name);
            record.row.set(*at, value.clone());
        }
    }
    let change = Change { old, draft, changed };
    match record.entity.path {
        "crm/Accounts" => accounts::change_account(&mut desk, record, &change),
        "crm/Addresses" | "crm/Contacts" => accounts::change_person(&mut desk, record, &change),
        "logistics/Items" => items::change(&mut desk, &record, &change),
        "salesorder/SalesOrders" => orders::change(&mut desk, record, &change),
        "salesorder/SalesOrderLines" => orders::change_line(&mut desk, record, &change),
        "salesorder/SalesOrderOrderChargeLines" => orders::change_charge(&mut desk, record, &change),
        "salesinvoice/SalesInvoices" => invoices::change(&mut desk, record, &change),
        "salesinvoice/SalesInvoiceLines" => invoices::change_line(&mut desk, record, &change),
        "salesentry/SalesEntries" => bookings::change(&mut desk, record, &change),
        "salesentry/SalesEntryLines" => bookings::change_line(&mut desk, record, &change),
        "inventory/StockCounts" | "inventory/StockCountLines" => stock::change_count(&mut desk, record, &change),
        _ => master::change(&mut desk, &record, &change),
    }
}

/// Takes a record out, with what hangs on it.
///
/// # Errors
/// Status 500 where the record is in use or processed.
pub(super) fn remove(state: &mut State, record: &Record) -> Result<(), Refusal> {
    let mut desk = Desk { state, hand: Hand::Program, reasons: Reasons::default() };
    match record.entity.path {
        "crm/Accounts" => accounts::remove_account(&mut desk, record),
        "logistics/Items" => items::remove(&mut desk, record),
        "salesorder/SalesOrders" => orders::remove(&mut desk, record),
        "salesorder/SalesOrderLines" => orders::remove_line(&mut desk, record),
        "salesorder/SalesOrderOrderChargeLines" => orders::remove_charge(&mut desk, record),
        "salesinvoice/SalesInvoices" => invoices::remove(&mut desk, record),
        "salesinvoice/SalesInvoiceLines" => invoices::remove_line(&mut desk, record),
        "salesentry/SalesEntries" => bookings::remove(&mut desk, record),
        "salesentry/SalesEntryLines" => bookings::remove_line(&mut desk, record),
        "financialtransaction/BankEntries"
        | "financialtransaction/CashEntries"
        | "generaljournalentry/GeneralJournalEntries" => entries::remove(&mut desk, record),
        "inventory/StockCounts" | "inventory/StockCountLines" => stock::remove_count(&mut desk, record),
        _ => master::remove_unused(&mut desk, record),
    }
}

/// Takes a record out with its lines, whatever hangs on it.
pub(super) fn discard(state: &mut State, record: &Record) {
    let mut desk = Desk { state, hand: Hand::Person, reasons: Reasons::default() };
    master::remove(&mut desk, record);
}

/// The books, open, with the reasons against what is being written.
struct Desk<'a> {
    state: &'a mut State,
    hand: Hand,
    reasons: Reasons,
}

impl Desk<'_> {
    /// Refuses if there is a reason to; a person at the screen is not refused.
    fn settle(&mut self) -> Result<(), Refusal> {
        if self.hand == Hand::Person {
            self.reasons.clear();
        }
        self.reasons.check()
    }

    /// Stores a record and answers it as it is kept.
    fn keep(&mut self, record: &Record) -> Record {
        let key = self.state.insert(record);
        self.state.record(record.entity.path, &key).unwrap_or_else(|| record.clone())
    }

    /// Today at midnight.
    fn today(&self) -> Cell {
        Cell::Time(super::cell::day_of(self.state.now))
    }
}

/// The refusal of a change to anything that is done and closed.
fn processed() -> Refusal {
    Refusal::rule("Reeds verwerkt")
}

/// What a PUT sent, against what was there.
struct Change<'a> {
    old: &'a Record,
    draft: Draft,
    /// The properties whose value is another now.
    changed: Vec<&'static str>,
}

impl Change<'_> {
    fn touches(&self, name: &str) -> bool {
        self.changed.contains(&name)
    }

    fn touches_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.touches(name))
    }
}
