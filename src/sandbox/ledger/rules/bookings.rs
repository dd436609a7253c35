//! Sales entries: the bookings themselves, with the receivable and the transaction lines they make.

use rust_decimal::Decimal;

use super::super::amounts::{self, Basis, Priced, Totals};
use super::super::cell::{self, Cell};
use super::super::draft::{Draft, Hand};
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::super::schema::entity;
use super::super::state::State;
use super::{Change, Desk, debts, entries, invoices, prices, processed, sales};

pub(super) const ENTRIES: &str = "salesentry/SalesEntries";
pub(super) const LINES: &str = "salesentry/SalesEntryLines";
const TRANSACTIONS: &str = "financialtransaction/TransactionLines";
const RECEIVABLES: &str = "cashflow/Receivables";

/// Where a sales entry says its period, and for which journal.
const PERIOD: (&str, &str, &str) = ("ReportingYear", "ReportingPeriod", "Journal");

/// Codes of `Type`.
const ENTRY: i64 = 20;
const CREDIT_NOTE: i64 = 21;
/// Codes of `Status`.
const OPEN: i64 = 20;
const PROCESSED: i64 = 50;

pub(super) fn create(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let drafts = draft.take("SalesEntryLines");
    let mut entry = draft.record;
    invoices::check_journal(desk, &entry, "Journal", &invoices::SALES_JOURNALS);
    sales::check_customer(desk, &entry, "Customer");
    fill_entry(desk, &mut entry);
    let mut lines = Vec::new();
    for line in drafts {
        line.check(desk.state, &["EntryID"], &mut desk.reasons);
        lines.push(new_line(desk, &entry, line.record));
    }
    desk.settle()?;
    Ok(keep(desk, entry, lines))
}

/// A customer's own receivables account must be that of the journal.
fn check_debtors(desk: &mut Desk<'_>, entry: &Record) {
    let customer = desk.state.by_guid("crm/Accounts", entry.guid("Customer"));
    let own = customer.and_then(|customer| customer.guid("GLAR"));
    let journal = entry.text("Journal").and_then(|code| desk.state.by_code("financial/Journals", code));
    let journals = journal.and_then(|journal| journal.guid("GLAccount"));
    if own.is_some() && journals.is_some() && own != journals {
        desk.reasons.invalid("GLAccount");
    }
}

fn keep(desk: &mut Desk<'_>, entry: Record, lines: Vec<(Record, Priced)>) -> Record {
    let (lines, priced): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
    let total = amounts::totals(&priced, desk.state.rounding);
    let given = priced.iter().map(|line| line.fixed);
    keep_with(desk, entry, lines.into_iter().zip(given).collect(), total)
}

/// Stores an entry under totals that are known, and books it. A line comes with whether its tax was given.
pub(super) fn keep_with(desk: &mut Desk<'_>, mut entry: Record, lines: Vec<(Record, bool)>, total: Totals) -> Record {
    write_totals(desk.state, &mut entry, total);
    let entry = desk.keep(&entry);
    for (number, (mut line, given)) in (1_i64..).zip(lines) {
        line.set("EntryID", entry.key());
        line.set("LineNumber", Cell::Int(number));
        line.set("Type", entry.get("Type").clone());
        let key = desk.state.insert(&line);
        desk.state.note_tax(&key, given);
    }
    book(desk.state, &entry, total);
    entry
}

/// Dates, period, numbers, currency and due date of a new entry.
pub(super) fn fill_entry(desk: &mut Desk<'_>, entry: &mut Record) {
    entry.fill("EntryDate", desk.today());
    let customer = desk.state.by_guid("crm/Accounts", entry.guid("Customer"));
    entry.fill(
        "PaymentCondition",
        customer.map_or(Cell::Null, |customer| customer.get("PaymentConditionSales").clone()),
    );
    entry.fill_text("PaymentCondition", "30");
    check_debtors(desk, entry);
    entry.fill_text("Currency", "EUR");
    let rate = prices::rate(desk.state, entry.get("Currency"), entry.time("EntryDate"));
    if rate.is_none() && !entry.has("Rate") {
        desk.reasons.says("Verplicht: Wisselkoers");
    }
    entry.fill("Rate", Cell::Number(rate.unwrap_or(Decimal::ONE)));
    let day = entry.time("EntryDate");
    entries::fill_period(desk, entry, PERIOD, day);
    if let Some(day) = entry.time("EntryDate") {
        let due = sales::due_date(desk.state, entry.get("PaymentCondition"), day);
        entry.fill("DueDate", Cell::Time(due));
    }
    entries::fill_entry_number(desk, entry, "Journal", "ReportingYear");
    // A suggested number that is used already is replaced without a word.
    let used = desk.state.first(ENTRIES, "InvoiceNumber", entry.get("InvoiceNumber")).is_some();
    if used || !entry.has("InvoiceNumber") {
        entry.set("InvoiceNumber", entry.get("EntryNumber").clone());
    }
    entry.fill_int("Status", OPEN);
    entry.fill_text("StatusDescription", "Open");
}

/// A line of an entry. Its amount is without VAT whatever the code's type: what a code that includes
/// VAT would do here is not documented, so the documented meaning of the property holds.
fn new_line(desk: &mut Desk<'_>, entry: &Record, mut line: Record) -> (Record, Priced) {
    let account = desk.state.by_guid("financial/GLAccounts", line.guid("GLAccount"));
    line.fill("VATCode", account.map_or(Cell::Null, |account| account.get("VATCode").clone()));
    sales::check_vat(desk.state, &mut line, entry.time("EntryDate"), &mut desk.reasons);
    invoices::check_revenue(desk, &line);
    let given = line.number("VATAmountFC");
    let priced = price(desk.state, &line, given);
    let rate = entry.number("Rate").unwrap_or(Decimal::ONE);
    line.set_number("AmountFC", priced.net);
    line.set_number("AmountDC", amounts::converted(priced.net, rate));
    line.set_number("VATAmountFC", priced.tax);
    line.set_number("VATAmountDC", amounts::converted(priced.tax, rate));
    line.set_number("VATBaseAmountFC", priced.net);
    line.set_number("VATBaseAmountDC", amounts::converted(priced.net, rate));
    (line, priced)
}

fn price(state: &State, line: &Record, given: Option<Decimal>) -> Priced {
    let mut vat = prices::vat(state, line.text("VATCode"));
    vat.fraction = line.amount("VATPercentage");
    if vat.basis == Basis::Gross {
        vat.basis = Basis::Net;
    }
    amounts::priced(amounts::cents(line.amount("AmountFC")), &vat, given)
}

fn stored(state: &State, line: &Record) -> Priced {
    price(state, line, line.number("VATAmountFC").filter(|_| state.has_given_tax(&line.key())))
}

/// Totals with VAT, and the type that their sign makes it.
fn write_totals(state: &State, entry: &mut Record, total: Totals) {
    let day = entry.time("EntryDate");
    let rate = entry.number("Rate").or_else(|| prices::rate(state, entry.get("Currency"), day)).unwrap_or(Decimal::ONE);
    entry.set_number("AmountFC", total.gross());
    entry.set_number("AmountDC", amounts::converted(total.gross(), rate));
    entry.set_number("VATAmountFC", total.tax);
    entry.set_number("VATAmountDC", amounts::converted(total.tax, rate));
    let credit = total.gross() < Decimal::ZERO;
    entry.set("Type", Cell::Int(if credit { CREDIT_NOTE } else { ENTRY }));
    entry.set("TypeDescription", Cell::text(if credit { "Sales credit note" } else { "Sales entry" }));
}

/// Writes what an entry makes elsewhere: lines on the accounts, and what the customer owes.
fn book(state: &mut State, entry: &Record, total: Totals) {
    let lines: Vec<_> = state.having(LINES, "EntryID", &entry.key()).collect();
    let debtors = debtors_account(state, entry);
    let mut made = Vec::new();
    let mut post = |account: Cell, amount: Decimal, from: Option<&Record>| {
        let number = i64::try_from(made.len()).unwrap_or(i64::MAX);
        let mut line = transaction(entry, number, account, amount);
        if let Some(from) = from {
            for name in
                ["Description", "VATCode", "VATPercentage", "CostCenter", "CostUnit", "Quantity", "Project", "Notes"]
            {
                line.set(name, from.get(name).clone());
            }
            line.set_number("AmountVATFC", -from.amount("VATAmountFC"));
            line.set_number("AmountVATBaseFC", -from.amount("AmountFC"));
        }
        made.push(line);
    };
    post(debtors.clone(), total.gross(), None);
    for line in &lines {
        post(line.get("GLAccount").clone(), -line.amount("AmountFC"), Some(line));
    }
    // A discount on the whole document lowers the turnover of its first line's account.
    let rest = total.net - lines.iter().map(|line| line.amount("AmountFC")).sum::<Decimal>();
    if let Some(first) = lines.first().filter(|_| !rest.is_zero()) {
        post(first.get("GLAccount").clone(), -rest, None);
    }
    for (account, tax) in taxes(state, &lines, total.tax) {
        post(account, -tax, None);
    }
    balance(&mut made);
    for line in &made {
        state.insert(line);
    }
    let due = receivable(state, entry, &debtors);
    state.insert(&due);
}

/// Lines that are converted one by one miss the debt by cents: the largest of the others takes them.
fn balance(lines: &mut [Record]) {
    let rest: Decimal = lines.iter().map(|line| line.amount("AmountDC")).sum();
    let others = lines.iter_mut().skip(1);
    if let Some(largest) = others.max_by_key(|line| line.amount("AmountDC").abs()) {
        let amount = largest.amount("AmountDC") - rest;
        largest.set_number("AmountDC", amount);
    }
}

/// The tax by the account that its code pays to, also where a line's own share rounds to nothing; what the total rounds otherwise goes with the first.
fn taxes(state: &State, lines: &[Record], total: Decimal) -> Vec<(Cell, Decimal)> {
    let mut taxes: Vec<(Cell, Decimal)> = Vec::new();
    for line in lines.iter().filter(|line| line.has("VATCode")) {
        let code = line.text("VATCode").and_then(|code| state.by_code("vat/VATCodes", code));
        let account = code.map_or(Cell::Null, |code| code.get("GLToPay").clone());
        let tax = line.amount("VATAmountFC");
        match taxes.iter_mut().find(|known| known.0 == account) {
            Some(known) => known.1 += tax,
            None => taxes.push((account, tax)),
        }
    }
    let rest = total - taxes.iter().map(|tax| tax.1).sum::<Decimal>();
    // Where there is tax, it goes to an account that had some before one that had none.
    taxes.sort_by_key(|tax| tax.1.is_zero());
    if let Some(first) = taxes.first_mut() {
        first.1 += rest;
    }
    taxes.retain(|tax| !tax.1.is_zero());
    taxes
}

/// The customer's own receivables account, else the sales journal's.
fn debtors_account(state: &State, entry: &Record) -> Cell {
    let customer = state.by_guid("crm/Accounts", entry.guid("Customer"));
    let own = customer.and_then(|customer| customer.guid("GLAR"));
    let journal = entry.text("Journal").and_then(|code| state.by_code("financial/Journals", code));
    own.or_else(|| journal.and_then(|journal| journal.guid("GLAccount"))).map_or(Cell::Null, Cell::Guid)
}

fn transaction(entry: &Record, number: i64, account: Cell, amount: Decimal) -> Record {
    let mut line = Record::new(entity(TRANSACTIONS));
    let rate = entry.number("Rate").unwrap_or(Decimal::ONE);
    let copies = [
        ("EntryID", "EntryID"),
        ("EntryNumber", "EntryNumber"),
        ("Date", "EntryDate"),
        ("DueDate", "DueDate"),
        ("FinancialYear", "ReportingYear"),
        ("FinancialPeriod", "ReportingPeriod"),
        ("JournalCode", "Journal"),
        ("Account", "Customer"),
        ("Currency", "Currency"),
        ("ExchangeRate", "Rate"),
        ("YourRef", "YourRef"),
        ("PaymentReference", "PaymentReference"),
        ("InvoiceNumber", "InvoiceNumber"),
        ("OrderNumber", "OrderNumber"),
        ("Status", "Status"),
        ("Type", "Type"),
        ("Document", "Document"),
        ("Description", "Description"),
    ];
    for (name, from) in copies {
        line.set(name, entry.get(from).clone());
    }
    line.set("LineNumber", Cell::Int(number));
    line.set("GLAccount", account);
    line.set_number("AmountFC", amount);
    line.set_number("AmountDC", amounts::converted(amount, rate));
    line
}

fn receivable(state: &State, entry: &Record, debtors: &Cell) -> Record {
    let mut due = Record::new(entity(RECEIVABLES));
    let copies = [
        ("Account", "Customer"),
        ("Currency", "Currency"),
        ("Description", "Description"),
        ("Document", "Document"),
        ("DueDate", "DueDate"),
        ("EntryDate", "EntryDate"),
        ("EntryID", "EntryID"),
        ("EntryNumber", "EntryNumber"),
        ("InvoiceDate", "EntryDate"),
        ("InvoiceNumber", "InvoiceNumber"),
        ("Journal", "Journal"),
        ("OrderNumber", "OrderNumber"),
        ("PaymentCondition", "PaymentCondition"),
        ("PaymentReference", "PaymentReference"),
        ("RateFC", "Rate"),
        ("YourRef", "YourRef"),
        ("AmountFC", "AmountFC"),
        ("AmountDC", "AmountDC"),
        ("TransactionAmountFC", "AmountFC"),
        ("TransactionAmountDC", "AmountDC"),
        ("TransactionDueDate", "DueDate"),
        ("TransactionEntryID", "EntryID"),
        ("TransactionReportingYear", "ReportingYear"),
        ("TransactionReportingPeriod", "ReportingPeriod"),
        ("TransactionStatus", "Status"),
        ("TransactionType", "Type"),
    ];
    for (name, from) in copies {
        due.set(name, entry.get(from).clone());
    }
    if let Some(customer) = state.by_guid("crm/Accounts", entry.guid("Customer")) {
        due.set("AccountContact", customer.get("MainContact").clone());
    }
    let condition = state.first("cashflow/PaymentConditions", "Code", entry.get("PaymentCondition"));
    if let Some(condition) = condition {
        due.set("PaymentDays", condition.get("PaymentDays").clone());
        due.set("PaymentMethod", condition.get("PaymentMethod").clone());
    }
    due.set("GLAccount", debtors.clone());
    due.set("IsFullyPaid", Cell::Bool(false));
    due.set("Status", Cell::Int(OPEN));
    due.set("Source", Cell::Int(1));
    due
}

/// Takes back what an entry made elsewhere.
fn unbook(state: &mut State, entry: &Cell) {
    for path in [TRANSACTIONS, RECEIVABLES] {
        let made: Vec<_> = state.having(path, "EntryID", entry).collect();
        for record in &made {
            state.delete(record);
        }
    }
}

fn rework(desk: &mut Desk<'_>, entry: &Cell) {
    let Some(mut entry) = desk.state.record(ENTRIES, entry) else {
        return;
    };
    let lines: Vec<_> = desk.state.having(LINES, "EntryID", &entry.key()).collect();
    let priced: Vec<_> = lines.iter().map(|line| stored(desk.state, line)).collect();
    let total = amounts::totals(&priced, desk.state.rounding);
    write_totals(desk.state, &mut entry, total);
    desk.state.update(&entry);
    let before = desk.state.first(RECEIVABLES, "EntryID", &entry.key());
    unbook(desk.state, &entry.key());
    book(desk.state, &entry, total);
    let after = desk.state.first(RECEIVABLES, "EntryID", &entry.key());
    if let (Some(before), Some(after)) = (before, after) {
        debts::carry(desk.state, &before.key(), &after);
    }
}

fn open_entry(desk: &mut Desk<'_>, record: &Record) -> Result<Record, Refusal> {
    let entry = desk.state.by_guid(ENTRIES, record.guid("EntryID"));
    let entry = entry.ok_or_else(|| Refusal::rule("Ongeldige referentie: Boeking"))?;
    if entry.int("Status") == Some(PROCESSED) && desk.hand == Hand::Program {
        return Err(processed());
    }
    entries::check_open(desk, &entry, PERIOD)?;
    Ok(entry)
}

pub(super) fn create_line(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    desk.reasons.check()?;
    let entry = open_entry(desk, &draft.record)?;
    let (mut line, priced) = new_line(desk, &entry, draft.record);
    desk.settle()?;
    let lines = desk.state.having(LINES, "EntryID", &entry.key());
    let number = lines.filter_map(|line| line.int("LineNumber")).max().unwrap_or(0) + 1;
    line.set("LineNumber", Cell::Int(number));
    line.set("Type", entry.get("Type").clone());
    let kept = desk.keep(&line);
    desk.state.note_tax(&kept.key(), priced.fixed);
    rework(desk, &entry.key());
    Ok(kept)
}

pub(super) fn change(desk: &mut Desk<'_>, mut entry: Record, change: &Change<'_>) -> Result<(), Refusal> {
    open_entry(desk, change.old)?;
    if change.draft.carries("SalesEntryLines") {
        return Err(Refusal::stream("The property 'SalesEntryLines' cannot be changed with its entry."));
    }
    if change.touches("Customer") {
        sales::check_customer(desk, &entry, "Customer");
    }
    if change.touches("Journal") {
        invoices::check_journal(desk, &entry, "Journal", &invoices::SALES_JOURNALS);
    }
    if change.touches_any(&["Customer", "Journal"]) {
        check_debtors(desk, &entry);
    }
    let moved = change.touches("EntryDate") && !change.touches_any(&["ReportingYear", "ReportingPeriod"]);
    if moved {
        entry.set("ReportingYear", Cell::Null);
        entry.set("ReportingPeriod", Cell::Null);
    }
    let day = entry.time("EntryDate");
    entries::fill_period(desk, &mut entry, PERIOD, day);
    if change.touches_any(&["EntryDate", "PaymentCondition"]) && !change.touches("DueDate") {
        let day = entry.time("EntryDate").unwrap_or(desk.state.now);
        let due = sales::due_date(desk.state, entry.get("PaymentCondition"), cell::day_of(day));
        entry.set("DueDate", Cell::Time(due));
    }
    if change.touches_any(&["Currency", "EntryDate"]) && !change.touches("Rate") {
        let rate = prices::rate(desk.state, entry.get("Currency"), entry.time("EntryDate"));
        entry.set_number("Rate", rate.unwrap_or(Decimal::ONE));
    }
    if change.touches("EntryNumber") && desk.state.first(ENTRIES, "EntryNumber", entry.get("EntryNumber")).is_some() {
        desk.reasons.says("Boekstuknummer in gebruik");
    }
    desk.settle()?;
    desk.state.update(&entry);
    rework(desk, &entry.key());
    Ok(())
}

pub(super) fn change_line(desk: &mut Desk<'_>, mut line: Record, change: &Change<'_>) -> Result<(), Refusal> {
    let entry = open_entry(desk, change.old)?;
    line.set("EntryID", entry.key());
    if change.touches("VATCode") && !change.touches("VATPercentage") {
        line.set("VATPercentage", Cell::Null);
    }
    let given = sales::given_tax(desk.state, &line, change);
    line.set("VATAmountFC", given.map_or(Cell::Null, Cell::Number));
    let (line, priced) = new_line(desk, &entry, line);
    desk.settle()?;
    desk.state.update(&line);
    desk.state.note_tax(&line.key(), priced.fixed);
    rework(desk, &entry.key());
    Ok(())
}

pub(super) fn remove(desk: &mut Desk<'_>, entry: &Record) -> Result<(), Refusal> {
    open_entry(desk, entry)?;
    let lines: Vec<_> = desk.state.having(LINES, "EntryID", &entry.key()).collect();
    for line in &lines {
        desk.state.delete(line);
    }
    unbook(desk.state, &entry.key());
    desk.state.delete(entry);
    Ok(())
}

/// The last line that goes takes its entry with it.
pub(super) fn remove_line(desk: &mut Desk<'_>, line: &Record) -> Result<(), Refusal> {
    let entry = open_entry(desk, line)?;
    if desk.state.having(LINES, "EntryID", &entry.key()).count() < 2 {
        return remove(desk, &entry);
    }
    desk.state.delete(line);
    rework(desk, &entry.key());
    Ok(())
}
