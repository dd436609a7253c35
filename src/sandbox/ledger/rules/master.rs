//! Everything without rules of its own: master data, VAT codes, subscriptions, documents.

use rust_decimal::Decimal;

use super::super::cell::Cell;
use super::super::draft::{Draft, Hand};
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::super::schema::{Entity, Origin, Reference, schema};
use super::{Change, Desk};

const WAREHOUSES: &str = "inventory/Warehouses";

/// From this type on a G/L account is one of profit and loss.
const RESULT: i64 = 110;

/// Types of journals and of the account that each has for its own.
const OWN_ACCOUNTS: [(i64, i64); 6] = [(10, 10), (12, 12), (16, 16), (20, 20), (21, 20), (22, 22)];

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
    check_kind(desk, &mut draft.record);
    desk.settle()?;
    for name in ["Active", "IsActive"] {
        if entity.find(name).is_some() {
            draft.record.fill(name, Cell::Bool(true));
        }
    }
    let kept = desk.keep(&draft.record);
    one_main(desk, &kept);
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

/// What an account or a journal is by its type.
fn check_kind(desk: &mut Desk<'_>, record: &mut Record) {
    match record.entity.path {
        "financial/GLAccounts" => {
            let result = record.int("Type").is_none_or(|kind| kind >= RESULT);
            record.fill_text("BalanceSide", "C");
            record.fill_text("BalanceType", if result { "W" } else { "B" });
            if record.has("Type") && (record.text("BalanceType") == Some("W")) != result {
                desk.reasons.invalid("BalanceType");
            }
            record.fill_int("UseCostcenter", 0);
            record.fill_int("UseCostunit", 0);
        }
        "financial/Journals" => {
            let account = desk.state.by_guid("financial/GLAccounts", record.guid("GLAccount"));
            let kind = account.and_then(|account| account.int("Type"));
            let wanted = OWN_ACCOUNTS.iter().find(|(journal, _)| record.int("Type") == Some(*journal));
            if wanted.is_some_and(|(_, wanted)| kind != Some(*wanted)) {
                desk.reasons.says("Ongeldig: Grootboekrekeningtype");
            }
        }
        _ => {}
    }
}

/// There is one main warehouse: the newest that says so takes the place of the one before.
fn one_main(desk: &mut Desk<'_>, warehouse: &Record) {
    if warehouse.entity.path != WAREHOUSES || !warehouse.flag("Main") {
        return;
    }
    let others: Vec<_> =
        desk.state.all(WAREHOUSES).filter(|other| other.key() != warehouse.key() && other.flag("Main")).collect();
    for mut other in others {
        other.set("Main", Cell::Int(0));
        desk.state.update(&other);
    }
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
    // Without one nobody knows where goods go.
    if record.entity.path == WAREHOUSES && change.touches("Main") && !record.flag("Main") {
        desk.reasons.invalid("Main");
    }
    desk.settle()?;
    desk.state.update(record);
    one_main(desk, record);
    Ok(())
}

/// Takes a record out that nothing refers to.
///
/// # Errors
/// Status 500 where something does.
pub(super) fn remove_unused(desk: &mut Desk<'_>, record: &Record) -> Result<(), Refusal> {
    if record.entity.path == WAREHOUSES && record.flag("Main") || is_used(desk, record) {
        let code = record.entity.find("Code").and_then(|_| record.text("Code"));
        let name = code.map_or(record.entity.name, str::trim);
        return Err(Refusal::rule(format!("Kan niet worden verwijderd: {name} is in gebruik")));
    }
    remove(desk, record);
    Ok(())
}

/// Whether another record names this one. What it consists of goes with it.
fn is_used(desk: &Desk<'_>, record: &Record) -> bool {
    let parts: Vec<usize> =
        record.entity.properties.iter().filter_map(|property| property.child).map(|child| child.entity).collect();
    // Lists that are only read tell of records, and do not use them.
    let keeps =
        |other: &&Entity| other.source.is_none() && !other.path.starts_with("read/") && !parts.contains(&other.id);
    let others = schema().entities().iter().filter(keeps);
    others.flat_map(|other| (0_u16..).zip(&other.properties).map(move |(at, property)| (other, at, property))).any(
        |(other, at, property)| {
            // A contact that goes is no account's main one any more.
            let names = |refers: &Reference| refers.entity == record.entity.id && property.name != "MainContact";
            let Some(refers) = property.refers.filter(names).filter(|_| property.origin == Origin::Stored) else {
                return false;
            };
            let value = record.row.get(refers.property);
            let itself = |slot: u32| other.id == record.entity.id && record.slot == Some(slot);
            !value.is_null() && desk.state.table(other).rows().any(|(slot, row)| !itself(slot) && row.get(at) == value)
        },
    )
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
