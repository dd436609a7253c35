//! Accounts, their addresses and their contacts.

use super::super::cell::{self, Cell};
use super::super::draft::Draft;
use super::super::geography;
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::super::schema::entity;
use super::{Change, Desk};

/// Digits and blanks of an account's code.
const CODE_WIDTH: usize = 18;

/// The account's own address fields, which are those of its main visiting address.
const ADDRESS: [&str; 7] = ["AddressLine1", "AddressLine2", "AddressLine3", "Postcode", "City", "State", "Country"];

/// Kinds of addresses.
const VISIT: i64 = 1;
const DELIVERY: i64 = 4;

pub(super) fn create_account(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let banks = draft.take("BankAccounts");
    let mut record = draft.record;
    let code = record.text("Code").map(str::to_owned);
    let code = match code {
        Some(code) => own_code(desk, &code),
        None => next_code(desk),
    };
    record.set("Code", Cell::text(&code));
    check_account(desk, &mut record);
    desk.settle()?;
    fill_account(desk, &mut record);
    let kept = desk.keep(&record);
    for bank in banks {
        let mut bank = bank.record;
        bank.set("Account", kept.key());
        desk.state.insert(&bank);
    }
    write_visiting_address(desk, &kept);
    Ok(kept)
}

fn own_code(desk: &mut Desk<'_>, code: &str) -> String {
    let digits = code.trim();
    if digits.is_empty() || digits.len() > CODE_WIDTH || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        desk.reasons.invalid("Code");
        return code.to_owned();
    }
    let padded = format!("{digits:>CODE_WIDTH$}");
    if desk.state.by_code("crm/Accounts", &padded).is_some() {
        desk.reasons.exists();
    }
    padded
}

/// The highest code and one.
fn next_code(desk: &Desk<'_>) -> String {
    let accounts = entity("crm/Accounts");
    let code = accounts.at("Code");
    let codes = desk.state.table(accounts).rows().filter_map(|(_, row)| match row.get(code) {
        Cell::Text(text) => text.trim().parse::<u64>().ok(),
        _ => None,
    });
    let next = codes.max().unwrap_or(0).saturating_add(1);
    format!("{next:>CODE_WIDTH$}")
}

fn check_account(desk: &mut Desk<'_>, record: &mut Record) {
    if let Some(country) = record.text("Country").map(str::trim).map(str::to_ascii_uppercase) {
        if geography::country(&country).is_none() {
            desk.reasons.dangling("Country");
        }
        record.set("Country", Cell::text(&country));
    }
    if record.has("State") && !record.has("Country") {
        desk.reasons.dangling("State");
    }
    if let Some(status) = record.text("Status").map(str::to_owned)
        && !matches!(status.trim(), "A" | "S" | "P" | "C")
    {
        desk.reasons.invalid("Status");
    }
    for currency in ["SalesCurrency", "PurchaseCurrency"] {
        let code = record.get(currency).clone();
        if desk.state.record("general/Currencies", &code).is_none() {
            record.set(currency, Cell::Null);
        }
    }
}

/// What a new account gets from the server, after a sample of a Dutch company.
fn fill_account(desk: &Desk<'_>, record: &mut Record) {
    let numbers = [
        ("ConsolidationScenario", 2),
        ("CostPaid", 0),
        ("InvoicingMethod", 0),
        ("InvoiceAttachmentType", 1),
        ("IsAccountant", 0),
        ("IsAgency", 0),
        ("IsCompetitor", 0),
        ("IsMailing", 0),
        ("PurchaseLeadDays", 0),
        ("SecurityLevel", 10),
        ("SeparateInvPerProject", 0),
        ("SeparateInvPerSubscription", 0),
        ("ShippingLeadDays", 0),
    ];
    for (name, value) in numbers {
        record.fill_int(name, value);
    }
    for name in ["CreditLinePurchase", "CreditLineSales", "DiscountPurchase", "DiscountSales"] {
        record.fill(name, Cell::Number(0.into()));
    }
    record.fill_text("SalesCurrency", "EUR");
    record.fill_text("PurchaseCurrency", "EUR");
    record.fill_text("Type", "A");
    record.fill("StartDate", desk.today());
    record.fill("StatusSince", desk.today());
    if record.text("Status") == Some("C") {
        record.fill("CustomerSince", desk.today());
    }
}

/// Writes the account's address fields into its main visiting address, which is made if there is none.
fn write_visiting_address(desk: &mut Desk<'_>, account: &Record) {
    if !ADDRESS.iter().any(|name| account.has(name)) {
        return;
    }
    let key = account.key();
    let found = desk
        .state
        .having("crm/Addresses", "Account", &key)
        .find(|address| address.int("Type") == Some(VISIT) && address.flag("Main"));
    let mut address = found.unwrap_or_else(|| {
        let mut address = Record::new(entity("crm/Addresses"));
        address.set("Account", key);
        address.set("Type", Cell::Int(VISIT));
        address.set("Main", Cell::Bool(true));
        address
    });
    for name in ADDRESS {
        address.set(name, account.get(name).clone());
    }
    if address.slot.is_some() {
        desk.state.update(&address);
    } else {
        desk.state.insert(&address);
    }
}

pub(super) fn change_account(desk: &mut Desk<'_>, mut record: Record, change: &Change<'_>) -> Result<(), Refusal> {
    if change.draft.has("Code") {
        // Even the unchanged code counts as a second record of it.
        desk.reasons.exists();
    }
    if change.draft.sent.contains(&record.entity.at("Name")) && !record.has("Name") {
        desk.reasons.missing("Name");
    }
    check_account(desk, &mut record);
    if change.touches("MainContact") {
        let contact = desk.state.by_guid("crm/Contacts", record.guid("MainContact"));
        if contact.is_some_and(|contact| contact.get("Account") != &record.key()) {
            desk.reasons.dangling("MainContact");
        }
    }
    desk.settle()?;
    if change.touches("Status") {
        record.set("StatusSince", desk.today());
    }
    desk.state.update(&record);
    if change.touches_any(&ADDRESS) {
        write_visiting_address(desk, &record);
    }
    Ok(())
}

pub(super) fn remove_account(desk: &mut Desk<'_>, record: &Record) -> Result<(), Refusal> {
    let key = record.key();
    let uses = [
        ("salesorder/SalesOrders", "OrderedBy"),
        ("salesorder/SalesOrders", "InvoiceTo"),
        ("salesorder/SalesOrders", "DeliverTo"),
        ("salesinvoice/SalesInvoices", "OrderedBy"),
        ("salesinvoice/SalesInvoices", "InvoiceTo"),
        ("salesentry/SalesEntries", "Customer"),
        ("financialtransaction/TransactionLines", "Account"),
        ("logistics/SalesItemPrices", "Account"),
    ];
    if uses.iter().any(|(path, property)| desk.state.having(path, property, &key).next().is_some()) {
        return Err(Refusal::rule("Kan niet worden verwijderd: Relatie is in gebruik"));
    }
    for path in ["crm/Addresses", "crm/Contacts", "crm/BankAccounts"] {
        let hanging: Vec<_> = desk.state.having(path, "Account", &key).collect();
        for record in &hanging {
            desk.state.delete(record);
        }
    }
    desk.state.delete(record);
    Ok(())
}

pub(super) fn create_address(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let mut record = draft.record;
    record.fill_int("Type", VISIT);
    check_address(desk, &record);
    desk.settle()?;
    if let Some(twin) = same_address(desk, &record) {
        return Ok(twin);
    }
    if !record.flag("Main") {
        let account = record.get("Account").clone();
        let kind = record.int("Type");
        let mut others = desk.state.having("crm/Addresses", "Account", &account);
        let first = !account.is_null() && !others.any(|other| other.int("Type") == kind);
        record.set("Main", Cell::Bool(first));
    }
    let kept = desk.keep(&record);
    yield_main(desk, &kept);
    Ok(kept)
}

fn check_address(desk: &mut Desk<'_>, record: &Record) {
    if !matches!(record.int("Type"), Some(1..=4)) {
        desk.reasons.invalid("Type");
    }
    if record.has("Warehouse") {
        if record.int("Type") != Some(DELIVERY) || record.has("Account") {
            desk.reasons.invalid("Warehouse");
        }
    } else if !record.has("Account") {
        desk.reasons.missing("Account");
    }
    if record.text("Country").is_some_and(|code| geography::country(code).is_none()) {
        desk.reasons.dangling("Country");
    }
}

/// An address of the same account and type with the same lines: a second one is not made.
fn same_address(desk: &Desk<'_>, record: &Record) -> Option<Record> {
    let folded = |record: &Record, name: &str| record.text(name).map(cell::fold);
    let mut others = desk.state.having("crm/Addresses", "Account", record.get("Account"));
    others.find(|other| {
        other.int("Type") == record.int("Type")
            && ADDRESS.iter().all(|name| folded(other, name) == folded(record, name))
    })
}

/// One main address of a type: the newest that says so.
fn yield_main(desk: &mut Desk<'_>, main: &Record) {
    if !main.flag("Main") {
        return;
    }
    let others: Vec<_> = desk
        .state
        .having("crm/Addresses", "Account", main.get("Account"))
        .filter(|other| other.key() != main.key() && other.int("Type") == main.int("Type") && other.flag("Main"))
        .collect();
    for mut other in others {
        other.set("Main", Cell::Bool(false));
        desk.state.update(&other);
    }
}

pub(super) fn create_contact(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &["FirstName", "LastName"], &mut desk.reasons);
    let mut record = draft.record;
    name_contact(desk, &mut record);
    desk.settle()?;
    let number = i64::try_from(desk.state.table(record.entity).len()).unwrap_or(0) + 1;
    record.fill_int("HID", number);
    record.fill("Code", Cell::text(&number.to_string()));
    record.fill("StartDate", desk.today());
    let kept = desk.keep(&record);
    if let Some(mut account) = desk.state.by_guid("crm/Accounts", kept.guid("Account"))
        && !account.has("MainContact")
    {
        account.set("MainContact", kept.key());
        desk.state.update(&account);
    }
    Ok(kept)
}

fn name_contact(desk: &mut Desk<'_>, record: &mut Record) {
    if !record.has("FirstName") && !record.has("LastName") {
        desk.reasons.missing("LastName");
    }
    let parts = ["FirstName", "MiddleName", "LastName"].iter().filter_map(|name| record.text(name));
    let full = parts.collect::<Vec<_>>().join(" ");
    record.set("FullName", Cell::text(&full));
}

pub(super) fn change_person(desk: &mut Desk<'_>, mut record: Record, change: &Change<'_>) -> Result<(), Refusal> {
    if record.entity.path == "crm/Contacts" {
        if !record.has("Account") {
            desk.reasons.missing("Account");
        }
        name_contact(desk, &mut record);
    } else {
        check_address(desk, &record);
    }
    desk.settle()?;
    desk.state.update(&record);
    if record.entity.path == "crm/Addresses" && change.touches("Main") {
        yield_main(desk, &record);
    }
    Ok(())
}

/// Where goods for an account go if nobody says: its default delivery address, else where it is visited.
pub(super) fn default_delivery_address(desk: &Desk<'_>, account: &Cell) -> Option<Record> {
    let all: Vec<_> = desk.state.having("crm/Addresses", "Account", account).collect();
    let of = |kind: i64, main: bool| {
        all.iter().find(|address| address.int("Type") == Some(kind) && (!main || address.flag("Main"))).cloned()
    };
    of(DELIVERY, true).or_else(|| of(DELIVERY, false)).or_else(|| of(VISIT, true)).or_else(|| of(VISIT, false))
}
