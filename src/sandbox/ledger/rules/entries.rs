//! Bank, cash and general entries, the periods they fall in and the numbers they get.

use rust_decimal::Decimal;

use super::super::amounts;
use super::super::cell::{self, Cell};
use super::super::draft::Draft;
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::super::schema::entity;
use super::{Desk, invoices, processed};

const TRANSACTIONS: &str = "financialtransaction/TransactionLines";

/// Types of journals.
const CASH: i64 = 10;
const BANK: i64 = 12;
const PAYMENT_SERVICE: i64 = 16;
const GENERAL: i64 = 90;
/// Type of the G/L account on which customers' debts stand.
const RECEIVABLES: i64 = 20;

const OPEN: i64 = 20;

/// Takes year and period from the date, and refuses a period that is unknown or closed for the journal.
pub(super) fn fill_period(desk: &mut Desk<'_>, entry: &mut Record, year: &str, period: &str, journal: &str) {
    let day = entry.entity.find("EntryDate").and_then(|_| entry.time("EntryDate")).unwrap_or(desk.state.now);
    let date = cell::date_of(day);
    entry.fill_int(year, i64::from(date.year()));
    entry.fill_int(period, i64::from(date.month()));
    let (Some(in_year), Some(in_period)) = (entry.int(year), entry.int(period)) else {
        return;
    };
    let mut periods = desk.state.all("financial/FinancialPeriods");
    let known = periods.any(|row| row.int("FinYear") == Some(in_year) && row.int("FinPeriod") == Some(in_period));
    drop(periods);
    if !known {
        desk.reasons.dangling("Periode");
        return;
    }
    let code = entry.text(journal);
    let closed = desk.state.all("read/financial/JournalStatusList").any(|row| {
        let here = row.int("Year") == Some(in_year) && row.int("Period") == Some(in_period);
        here && row.int("Status").is_some_and(|status| status != 0)
            && (!row.has("Journal") || row.text("Journal") == code)
    });
    if closed {
        desk.reasons.says(format!("Periode is afgesloten: {in_year} - {in_period}"));
    }
}

/// The number that was chosen, if it is free; else the next of the journal's range of the year.
pub(super) fn fill_entry_number(desk: &mut Desk<'_>, entry: &mut Record, journal: &str, year: &str) {
    let path = entry.entity.path;
    if entry.has("EntryNumber") {
        if desk.state.first(path, "EntryNumber", entry.get("EntryNumber")).is_some() {
            desk.reasons.says("Boekstuknummer in gebruik");
        }
        return;
    }
    let code: i64 = entry.text(journal).and_then(|code| code.trim().parse().ok()).unwrap_or(99);
    let year = entry.int(year).unwrap_or(0).rem_euclid(100);
    let number = free_number(desk, path, "EntryNumber", year * 100 + code.clamp(0, 99));
    entry.set("EntryNumber", Cell::Int(number));
}

/// The first free number behind a prefix: four digits, five once those are used up.
pub(super) fn free_number(desk: &Desk<'_>, path: &str, property: &str, prefix: i64) -> i64 {
    let free = |number: &i64| desk.state.first(path, property, &Cell::Int(*number)).is_none();
    let (short, long) = (prefix * 10_000, prefix * 100_000 + 9_999);
    first_free(short + 1, short + 9_999, &free)
        .or_else(|| first_free(long + 1, long + 90_000, &free))
        .unwrap_or_else(|| super::sales::next_number(desk.state, path, property, long + 90_000))
}

/// The lowest free number of a range that is filled from below, found by halving.
fn first_free(low: i64, high: i64, free: &dyn Fn(&i64) -> bool) -> Option<i64> {
    if !free(&high) {
        return None;
    }
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low) / 2;
        if free(&middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

fn lines_name(entry: &Record) -> &'static str {
    match entry.entity.name {
        "BankEntries" => "BankEntryLines",
        "CashEntries" => "CashEntryLines",
        _ => "GeneralJournalEntryLines",
    }
}

fn lines_path(entry: &Record) -> &'static str {
    match entry.entity.name {
        "BankEntries" => "financialtransaction/BankEntryLines",
        "CashEntries" => "financialtransaction/CashEntryLines",
        _ => "generaljournalentry/GeneralJournalEntryLines",
    }
}

pub(super) fn create_bank(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    let types: &[i64] = if draft.record.entity.name == "CashEntries" { &[CASH] } else { &[BANK, PAYMENT_SERVICE] };
    draft.check(desk.state, &[], &mut desk.reasons);
    let drafts = draft.take(lines_name(&draft.record));
    let mut entry = draft.record;
    invoices::check_journal(desk, &entry, "JournalCode", types);
    let lines = check_lines(desk, drafts);
    fill(desk, &mut entry);
    let sum: Decimal = lines.iter().map(|line| line.amount("AmountFC")).sum();
    fill_balances(desk, &mut entry, sum);
    desk.settle()?;
    Ok(keep(desk, &entry, lines))
}

fn check_lines(desk: &mut Desk<'_>, drafts: Vec<Draft>) -> Vec<Record> {
    let mut lines = Vec::new();
    for line in drafts {
        line.check(desk.state, &["EntryID"], &mut desk.reasons);
        let mut line = line.record;
        let amount = amounts::cents(line.amount("AmountFC"));
        line.set_number("AmountFC", amount);
        line.set_number("AmountDC", amount);
        line.fill("Date", desk.today());
        super::sales::check_costs(desk.state, &line, &mut desk.reasons);
        lines.push(line);
    }
    lines
}

fn fill(desk: &mut Desk<'_>, entry: &mut Record) {
    entry.fill_text("Currency", "EUR");
    fill_period(desk, entry, "FinancialYear", "FinancialPeriod", "JournalCode");
    fill_entry_number(desk, entry, "JournalCode", "FinancialYear");
    entry.fill_int("Status", OPEN);
    entry.fill_text("StatusDescription", "Open");
}

/// Opening and lines make the closing balance, and each statement begins where the last one ended.
fn fill_balances(desk: &mut Desk<'_>, entry: &mut Record, sum: Decimal) {
    let journal = entry.text("JournalCode").map(str::to_owned);
    let last = desk.state.all(entry.entity.path).rfind(|other| other.text("JournalCode") == journal.as_deref());
    let before = last.map_or(Decimal::ZERO, |last| last.amount("ClosingBalanceFC"));
    entry.fill("OpeningBalanceFC", Cell::Number(before));
    let opening = entry.amount("OpeningBalanceFC");
    entry.fill("ClosingBalanceFC", Cell::Number(opening + sum));
    if opening != before {
        desk.reasons.says("Beginsaldo is ongelijk aan het eindsaldo van de vorige boeking");
    }
    if entry.amount("ClosingBalanceFC") != opening + sum {
        desk.reasons.says("Beginsaldo en mutaties zijn ongelijk aan het eindsaldo");
    }
}

pub(super) fn create_general(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let drafts = draft.take("GeneralJournalEntryLines");
    let mut entry = draft.record;
    invoices::check_journal(desk, &entry, "JournalCode", &[GENERAL]);
    let lines = check_lines(desk, drafts);
    if !lines.iter().map(|line| line.amount("AmountFC")).sum::<Decimal>().is_zero() {
        desk.reasons.says("Boeking is niet in balans");
    }
    fill(desk, &mut entry);
    entry.fill_int("Type", GENERAL);
    entry.fill_text("TypeDescription", "General journal entry");
    desk.settle()?;
    Ok(keep(desk, &entry, lines))
}

/// Stores an entry with its lines; what they say about a customer's debts is matched.
fn keep(desk: &mut Desk<'_>, entry: &Record, lines: Vec<Record>) -> Record {
    let entry = desk.keep(entry);
    for (number, mut line) in (1_i64..).zip(lines) {
        line.set("EntryID", entry.key());
        line.set("EntryNumber", entry.get("EntryNumber").clone());
        line.set("LineNumber", Cell::Int(number));
        let key = desk.state.insert(&line);
        desk.state.insert(&transaction(&entry, &line));
        // Money in a bank comes in above nought; in a general entry it stands against the debt.
        let paid = line.amount("AmountFC") * if entry.int_or("Type") == GENERAL { -Decimal::ONE } else { Decimal::ONE };
        settle_debt(desk, &line, &key, paid);
    }
    entry
}

impl Record {
    /// A number of an entry that may not have the property.
    fn int_or(&self, name: &str) -> i64 {
        self.entity.find(name).and_then(|_| self.int(name)).unwrap_or_default()
    }
}

fn transaction(entry: &Record, line: &Record) -> Record {
    let mut made = Record::new(entity(TRANSACTIONS));
    for name in ["EntryID", "EntryNumber", "JournalCode", "FinancialYear", "FinancialPeriod", "Currency", "Status"] {
        made.set(name, entry.get(name).clone());
    }
    for name in [
        "Account",
        "AmountFC",
        "AmountDC",
        "CostCenter",
        "CostUnit",
        "Date",
        "Description",
        "Document",
        "GLAccount",
        "LineNumber",
        "Notes",
        "Project",
        "Quantity",
        "VATCode",
        "VATPercentage",
    ] {
        made.set(name, line.get(name).clone());
    }
    made
}

/// A line on the receivables account of a customer pays the oldest debt that it names or equals.
fn settle_debt(desk: &mut Desk<'_>, line: &Record, key: &Cell, paid: Decimal) {
    let account = desk.state.by_guid("financial/GLAccounts", line.guid("GLAccount"));
    if account.and_then(|account| account.int("Type")) != Some(RECEIVABLES) || !line.has("Account") {
        return;
    }
    let open: Vec<_> = desk
        .state
        .having("cashflow/Receivables", "Account", line.get("Account"))
        .filter(|due| !due.flag("IsFullyPaid"))
        .collect();
    let names = |due: &&Record| {
        let number = due.int("InvoiceNumber");
        let said = line.text("Description").unwrap_or_default();
        let by_text = [due.text("YourRef"), due.text("PaymentReference")];
        number.is_some_and(|number| line.int("OurRef") == Some(number) || said.contains(&number.to_string()))
            || by_text.iter().flatten().any(|text| !text.is_empty() && said == *text)
    };
    let found = open.iter().find(names).or_else(|| open.iter().find(|due| due.amount("AmountFC") == paid));
    let Some(mut due) = found.cloned() else {
        return;
    };
    let rest = due.amount("AmountFC") - paid;
    due.set("LastPaymentDate", line.get("Date").clone());
    if rest.is_zero() {
        due.set("IsFullyPaid", Cell::Bool(true));
        due.set("EndDate", line.get("Date").clone());
        due.set("Status", Cell::Int(50));
    } else {
        due.set_number("AmountFC", rest);
        due.set_number("AmountDC", rest);
    }
    due.set("TransactionID", key.clone());
    desk.state.update(&due);
}

pub(super) fn remove(desk: &mut Desk<'_>, entry: &Record) -> Result<(), Refusal> {
    if entry.int("Status") != Some(OPEN) {
        return Err(processed());
    }
    for path in [lines_path(entry), TRANSACTIONS] {
        let lines: Vec<_> = desk.state.having(path, "EntryID", &entry.key()).collect();
        for line in &lines {
            desk.state.delete(line);
        }
    }
    desk.state.delete(entry);
    Ok(())
}
