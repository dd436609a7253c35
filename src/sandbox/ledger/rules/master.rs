//! Everything without rules of its own: master data, VAT codes, subscriptions, documents.

use rust_decimal::Decimal;

use super::super::cell::Cell;
use super::super::draft::{Draft, Hand};
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::super::schema::schema;
use super::{Change, Desk};

/// Topics that a subscription may name.
const TOPICS: [&str; 25] = [
    "Accounts",
    "BankAccounts",
    "Contacts",
    "CostTransactions",
    "TimeTransactions",
    "Documents",
    "DocumentAttachments",
    "FinancialTransactions",
    "BankEntries",
    "CashEntries",
    "GeneralJournalEntries",
    "PurchaseEntries",
    "SalesEntries",
    "GLAccounts",
    "GoodsDeliveries",
    "Items",
    "SalesItemPrices",
    "Projects",
    "PurchaseOrders",
    "Quotations",
    "SalesInvoices",
    "SalesOrders",
    "StockPositions",
    "Subscriptions",
    "ProjectPlanning",
];

pub(super) fn create(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let entity = draft.record.entity;
    if twin(desk, &draft.record, None) {
        desk.reasons.exists();
    }
    if entity.path == "financial/GLAccounts" {
        draft.record.fill_text("BalanceSide", "C");
        draft.record.fill_text("BalanceType", "W");
        draft.record.fill_int("UseCostcenter", 0);
        draft.record.fill_int("UseCostunit", 0);
    }
    desk.settle()?;
    for name in ["Active", "IsActive"] {
        if entity.find(name).is_some() {
            draft.record.fill(name, Cell::Bool(true));
        }
    }
    let kept = desk.keep(&draft.record);
    for property in &entity.properties {
        let Some(child) = property.child else {
            continue;
        };
        for (number, line) in (1_i64..).zip(draft.take(property.name)) {
            let mut line = line.record;
            if let Some(parent) = child.parent {
                line.row.set(parent, kept.key());
            }
            if schema().get(child.entity).find("LineNumber").is_some() {
                line.set("LineNumber", Cell::Int(number));
            }
            desk.state.insert(&line);
        }
    }
    Ok(kept)
}

/// Whether another record of the entity has the same code.
fn twin(desk: &Desk<'_>, record: &Record, own: Option<u32>) -> bool {
    if record.entity.find("Code").is_none_or(|at| at == record.entity.key) {
        return false;
    }
    let other = record.text("Code").and_then(|code| desk.state.by_code(record.entity.path, code));
    other.is_some_and(|other| other.slot != own)
}

pub(super) fn change(desk: &mut Desk<'_>, record: &Record, change: &Change<'_>) -> Result<(), Refusal> {
    if change.touches("Code") && twin(desk, record, record.slot) {
        desk.reasons.exists();
    }
    for (at, property) in (0_u16..).zip(&record.entity.properties) {
        if property.required && change.draft.sent.contains(&at) && record.row.get(at).is_null() {
            desk.reasons.missing(property.name);
        }
    }
    desk.settle()?;
    desk.state.update(record);
    Ok(())
}

pub(super) fn remove(desk: &mut Desk<'_>, record: &Record) {
    for property in &record.entity.properties {
        let Some(child) = property.child else {
            continue;
        };
        let Some(parent) = child.parent else { continue };
        let child = schema().get(child.entity);
        let name = child.property(parent).name;
        let hanging: Vec<_> = desk.state.having(child.path, name, &record.key()).collect();
        for line in &hanging {
            desk.state.delete(line);
        }
    }
    desk.state.delete(record);
}

/// A VAT code takes its percentage from the first of its dated percentages that holds today.
pub(super) fn create_vat_code(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    let percentages = draft.take("VATPercentages");
    let valid = |line: &&Draft| desk.state.is_current(&line.record) && line.record.int("Type").unwrap_or(0) == 0;
    let percentage = percentages.iter().find(valid).and_then(|line| line.record.number("Percentage"));
    draft.record.fill("Percentage", Cell::Number(percentage.unwrap_or(Decimal::ZERO)));
    draft.record.fill_text("Type", "E");
    draft.record.fill_text("VATTransactionType", "B");
    draft.record.fill_text("EUSalesListing", "N");
    draft.record.fill_text("Country", "NL");
    if draft.record.text("Code").is_some_and(|code| code.trim_end().chars().count() > 3) && desk.hand == Hand::Program {
        desk.reasons.invalid("Code");
    }
    let kept = create(desk, draft)?;
    for (number, line) in (1_i64..).zip(percentages) {
        let mut line = line.record;
        line.set("VATCodeID", kept.key());
        line.set("LineNumber", Cell::Int(number));
        line.fill_int("Type", 0);
        desk.state.insert(&line);
    }
    Ok(kept)
}

/// One subscription a topic; the address must be https, on loopback also http.
pub(super) fn create_subscription(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let mut record = draft.record;
    let topic = record.text("Topic").unwrap_or_default().to_owned();
    if !topic.is_empty() && !TOPICS.contains(&topic.as_str()) {
        desk.reasons.invalid("Topic");
    }
    if let Some(address) = record.text("CallbackURL") {
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        if !address.starts_with("https://") && !local.iter().any(|start| address.starts_with(start)) {
            desk.reasons.invalid("CallbackURL");
        }
    }
    if record.flag("IsInstant") && topic != "GoodsDeliveries" {
        desk.reasons.invalid("IsInstant");
    }
    if desk.state.first("webhooks/WebhookSubscriptions", "Topic", record.get("Topic")).is_some() {
        desk.reasons.exists();
    }
    desk.settle()?;
    let user = Cell::Guid(desk.state.user);
    record.fill("UserID", user);
    record.fill("ClientID", Cell::Guid(desk.state.client));
    record.fill("Description", Cell::text(&topic));
    let kept = desk.keep(&record);
    desk.state.subscribed(kept.key_guid(), kept.text("CallbackURL").unwrap_or_default());
    Ok(kept)
}
