//! Bank, cash and general entries, the periods they fall in and the numbers they get.

use rust_decimal::Decimal;

use super::super::amounts;
use super::super::cell::{self, Cell};
use super::super::draft::{Draft, Hand};
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::super::schema::entity;
use super::super::state::State;
use super::{Desk, debts, invoices, prices, processed, sales};

const TRANSACTIONS: &str = "financialtransaction/TransactionLines";

/// Types of journals.
const CASH: i64 = 10;
const BANK: i64 = 12;
const PAYMENT_SERVICE: i64 = 16;
const GENERAL: i64 = 90;
/// Types of the G/L accounts on which debts stand, of customers and to suppliers.
const DEBTS: [i64; 2] = [debts::RECEIVABLE, 22];

const OPEN: i64 = 20;

/// Where these entries say their period, and for which journal.
const PERIOD: (&str, &str, &str) = ("FinancialYear", "FinancialPeriod", "JournalCode");

const UNBALANCED: &str = "Boeking is niet in balans";

/// Takes year and period from a day, and refuses a period that is unknown or closed for the journal.
pub(super) fn fill_period(
    desk: &mut Desk<'_>,
    entry: &mut Record,
    (year, period, journal): (&str, &str, &str),
    day: Option<i64>,
) {
    let date = cell::date_of(day.unwrap_or(desk.state.now));
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
    if let Some(told) = closed(desk.state, (in_year, in_period), entry.text(journal)) {
        desk.reasons.says(told);
    }
}

/// Why nothing is booked in a period any more; none where it is open for the journal. Without a journal: where it is closed
/// for each of them.
fn closed(state: &State, (year, period): (i64, i64), journal: Option<&str>) -> Option<String> {
    let of_period = |row: &Record| row.int("Year") == Some(year) && row.int("Period") == Some(period);
    let is_closed = |row: &Record| row.int("Status").is_some_and(|status| status != 0);
    let rows: Vec<_> =
        state.all("read/financial/JournalStatusList").filter(|row| of_period(row) && is_closed(row)).collect();
    let closed_for = |journal: &str| rows.iter().any(|row| !row.has("Journal") || row.text("Journal") == Some(journal));
    let closed = match journal {
        Some(journal) => closed_for(journal),
        None => state.all("financial/Journals").all(|journal| journal.text("Code").is_some_and(closed_for)),
    };
    closed.then(|| format!("Periode is afgesloten: {year} - {period}"))
}

/// Refuses what moves goods on a day whose period is closed.
pub(super) fn check_day(desk: &mut Desk<'_>, day: Option<i64>) {
    let date = cell::date_of(day.unwrap_or(desk.state.now));
    if let Some(told) = closed(desk.state, (i64::from(date.year()), i64::from(date.month())), None) {
        desk.reasons.says(told);
    }
}

/// Refuses a program what would change or remove an entry of a closed period.
pub(super) fn check_open(
    desk: &Desk<'_>,
    entry: &Record,
    (year, period, journal): (&str, &str, &str),
) -> Result<(), Refusal> {
    let (Some(in_year), Some(in_period)) = (entry.int(year), entry.int(period)) else { return Ok(()) };
    match closed(desk.state, (in_year, in_period), entry.text(journal)) {
        Some(told) if desk.hand == Hand::Program => Err(Refusal::rule(told)),
        _ => Ok(()),
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
        .unwrap_or_else(|| sales::next_number(desk.state, path, property, long + 90_000))
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
    let lines = check_lines(desk, &mut entry, drafts);
    fill(desk, &mut entry, &lines);
    let sum: Decimal = lines.iter().map(|line| line.amount("AmountFC")).sum();
    fill_balances(desk, &mut entry, sum);
    desk.settle()?;
    Ok(keep(desk, &entry, lines))
}

fn check_lines(desk: &mut Desk<'_>, entry: &mut Record, drafts: Vec<Draft>) -> Vec<Record> {
    fill_currency(desk, entry);
    let mut lines = Vec::new();
    for line in drafts {
        line.check(desk.state, &["EntryID"], &mut desk.reasons);
        lines.push(check_line(desk, entry, line.record));
    }
    lines
}

/// The journal's currency unless another is named, which the journal must allow.
fn fill_currency(desk: &mut Desk<'_>, entry: &mut Record) {
    let journal = entry.text("JournalCode").and_then(|code| desk.state.by_code("financial/Journals", code));
    let own = journal.as_ref().and_then(|journal| journal.text("Currency")).unwrap_or("EUR");
    entry.fill_text("Currency", own);
    let fixed = journal.as_ref().is_some_and(|journal| !journal.flag("AllowVariableCurrency"));
    if fixed && entry.text("Currency") != Some(own) {
        desk.reasons.invalid("Currency");
    }
}

/// A line of an entry: its account may be used, and says whose debt it is about where debts stand on it.
fn check_line(desk: &mut Desk<'_>, entry: &Record, mut line: Record) -> Record {
    let amount = amounts::cents(line.amount("AmountFC"));
    line.fill("Date", desk.today());
    line.set_number("AmountFC", amount);
    let rate = rate(desk, entry, &line);
    line.set_number("AmountDC", amounts::converted(amount, rate));
    if let Some(account) = desk.state.by_guid("financial/GLAccounts", line.guid("GLAccount")) {
        if account.flag("IsBlocked") {
            desk.reasons.invalid("GLAccount");
        }
        if account.int("Type").is_some_and(|kind| DEBTS.contains(&kind)) && !line.has("Account") {
            desk.reasons.missing("Account");
        }
    }
    sales::check_costs(desk.state, &line, &mut desk.reasons);
    line
}

/// The rate that the entry or the line names, else that of the day; without one nothing is booked.
fn rate(desk: &mut Desk<'_>, entry: &Record, line: &Record) -> Decimal {
    let said = |record: &Record| record.entity.find("ExchangeRate").and_then(|_| record.number("ExchangeRate"));
    let known = said(entry)
        .or_else(|| said(line))
        .or_else(|| prices::rate(desk.state, entry.get("Currency"), line.time("Date")))
        .filter(|rate| *rate > Decimal::ZERO);
    if known.is_none() {
        desk.reasons.says("Verplicht: Wisselkoers");
    }
    known.unwrap_or(Decimal::ONE)
}

/// An entry falls into the period of its first line, unless it names another.
fn fill(desk: &mut Desk<'_>, entry: &mut Record, lines: &[Record]) {
    let day = lines.first().and_then(|line| line.time("Date"));
    fill_period(desk, entry, PERIOD, day);
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
    let mut lines = check_lines(desk, &mut entry, drafts);
    if !lines.iter().map(|line| line.amount("AmountFC")).sum::<Decimal>().is_zero() {
        desk.reasons.says(UNBALANCED);
    }
    if let Some(line) = lines.first() {
        let rate = rate(desk, &entry, line);
        entry.fill("ExchangeRate", Cell::Number(rate));
    }
    fill(desk, &mut entry, &lines);
    balance(&mut lines);
    entry.fill_int("Type", GENERAL);
    entry.fill_text("TypeDescription", "General journal entry");
    desk.settle()?;
    Ok(keep(desk, &entry, lines))
}

/// Lines that are converted one by one miss nought by cents: the largest takes them.
fn balance(lines: &mut [Record]) {
    let rest: Decimal = lines.iter().map(|line| line.amount("AmountDC")).sum();
    if let Some(largest) = lines.iter_mut().max_by_key(|line| line.amount("AmountDC").abs()) {
        let amount = largest.amount("AmountDC") - rest;
        largest.set_number("AmountDC", amount);
    }
}

/// A further line of an entry that is open: of a statement it moves the closing balance; a general entry would no longer balance.
pub(super) fn create_line(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    desk.reasons.check()?;
    let path = match draft.record.entity.name {
        "BankEntryLines" => "financialtransaction/BankEntries",
        "CashEntryLines" => "financialtransaction/CashEntries",
        _ => "generaljournalentry/GeneralJournalEntries",
    };
    let entry = desk.state.by_guid(path, draft.record.guid("EntryID"));
    let mut entry = entry.ok_or_else(|| Refusal::rule("Ongeldige referentie: Boeking"))?;
    if entry.int("Status") != Some(OPEN) {
        return Err(processed());
    }
    check_open(desk, &entry, PERIOD)?;
    let line = check_line(desk, &entry, draft.record);
    if is_general(&entry) && !line.amount("AmountFC").is_zero() {
        desk.reasons.says(UNBALANCED);
    }
    desk.settle()?;
    if !is_general(&entry) {
        let sum = entry.amount("ClosingBalanceFC") + line.amount("AmountFC");
        entry.set_number("ClosingBalanceFC", sum);
        desk.state.update(&entry);
    }
    let number = desk.state.having(lines_path(&entry), "EntryID", &entry.key()).count() + 1;
    Ok(keep_line(desk, &entry, line, i64::try_from(number).unwrap_or(i64::MAX)))
}

fn is_general(entry: &Record) -> bool {
    entry.entity.name == "GeneralJournalEntries"
}

/// Stores an entry with its lines; what they say about a customer's debts is matched.
fn keep(desk: &mut Desk<'_>, entry: &Record, lines: Vec<Record>) -> Record {
    let entry = desk.keep(entry);
    for (number, line) in (1_i64..).zip(lines) {
        keep_line(desk, &entry, line, number);
    }
    entry
}

fn keep_line(desk: &mut Desk<'_>, entry: &Record, mut line: Record, number: i64) -> Record {
    line.set("EntryID", entry.key());
    line.set("EntryNumber", entry.get("EntryNumber").clone());
    line.set("LineNumber", Cell::Int(number));
    let kept = desk.keep(&line);
    desk.state.insert(&transaction(entry, &kept));
    // Money in a bank comes in above nought; in a general entry it stands against the debt.
    let paid = kept.amount("AmountFC") * if is_general(entry) { -Decimal::ONE } else { Decimal::ONE };
    debts::settle(desk.state, &kept, &kept.key(), paid);
    kept
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

pub(super) fn remove(desk: &mut Desk<'_>, entry: &Record) -> Result<(), Refusal> {
    if entry.int("Status") != Some(OPEN) {
        return Err(processed());
    }
    check_open(desk, entry, PERIOD)?;
    for path in [lines_path(entry), TRANSACTIONS] {
        let lines: Vec<_> = desk.state.having(path, "EntryID", &entry.key()).collect();
        for line in &lines {
            debts::reopen(desk.state, &line.key());
            desk.state.delete(line);
        }
    }
    desk.state.delete(entry);
    Ok(())
}
