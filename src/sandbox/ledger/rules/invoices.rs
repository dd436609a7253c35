//! Sales invoices and credit notes, through stock or not.

use super::super::amounts::Priced;
use super::super::cell::{self, Cell};
use super::super::draft::{Draft, Hand};
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::{Change, Desk, processed, sales, stock};

pub(super) const INVOICES: &str = "salesinvoice/SalesInvoices";
pub(super) const LINES: &str = "salesinvoice/SalesInvoiceLines";
pub(super) const CHARGES: &str = "salesinvoice/SalesInvoiceOrderChargeLines";

const INVOICE: i64 = 8020;
const CREDIT_NOTE: i64 = 8021;
const DIRECT_INVOICE: i64 = 8023;
const DIRECT_CREDIT_NOTE: i64 = 8024;

/// Codes of `Status`.
pub(super) const OPEN: i64 = 20;
pub(super) const PROCESSED: i64 = 50;

/// Types of journals that invoices are kept in: sales, and the return invoices.
pub(super) const SALES_JOURNALS: [i64; 2] = [20, 21];

pub(super) fn create(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    if !draft.has("OrderedBy") && !draft.has("InvoiceTo") {
        desk.reasons.missing("InvoiceTo");
    }
    draft.check(desk.state, &[], &mut desk.reasons);
    let lines = draft.take("SalesInvoiceLines");
    let charges = draft.take("SalesInvoiceOrderChargeLines");
    let mut invoice = draft.record;
    fill_invoice(desk, &mut invoice);
    let mut made = Vec::new();
    for line in lines {
        line.check(desk.state, &["InvoiceID", "GLAccount"], &mut desk.reasons);
        made.push(new_line(desk, &invoice, line.record));
    }
    let mut kept_charges = Vec::new();
    for charge in charges {
        charge.check(desk.state, &["InvoiceID"], &mut desk.reasons);
        let mut charge = charge.record;
        sales::price_charge(desk, &invoice, &mut charge);
        kept_charges.push(charge);
    }
    desk.settle()?;
    Ok(keep(desk, invoice, made, kept_charges))
}

/// Stores an invoice with what it consists of; goods of a direct one move at once.
pub(super) fn keep(
    desk: &mut Desk<'_>,
    mut invoice: Record,
    lines: Vec<(Record, Priced)>,
    charges: Vec<Record>,
) -> Record {
    let priced: Vec<_> = lines.iter().map(|line| line.1.clone()).collect();
    sales::write_totals(desk.state, &mut invoice, &priced, &charges);
    if !invoice.has("OrderNumber") {
        let year = i64::from(cell::date_of(desk.state.now).year());
        let number = sales::next_number(desk.state, INVOICES, "OrderNumber", year * 10_000);
        invoice.set("OrderNumber", Cell::Int(number));
    }
    let invoice = desk.keep(&invoice);
    for (number, (mut line, priced)) in (1_i64..).zip(lines) {
        line.set("InvoiceID", invoice.key());
        line.set("LineNumber", Cell::Int(number));
        let key = desk.state.insert(&line);
        desk.state.note_tax(&key, priced.fixed);
        move_goods(desk, &invoice, &line, 1);
    }
    for (number, mut charge) in (1_i64..).zip(charges) {
        charge.set("InvoiceID", invoice.key());
        charge.set("LineNumber", Cell::Int(number));
        desk.state.insert(&charge);
    }
    invoice
}

/// Whether a document credits.
pub(super) fn is_credit(invoice: &Record) -> bool {
    matches!(invoice.int("Type"), Some(CREDIT_NOTE | DIRECT_CREDIT_NOTE))
}

fn is_direct(invoice: &Record) -> bool {
    matches!(invoice.int("Type"), Some(DIRECT_INVOICE | DIRECT_CREDIT_NOTE))
}

/// A direct invoice takes its goods out of stock, a direct credit note with quantities above nought
/// takes them back; `times` -1 undoes it.
fn move_goods(desk: &mut Desk<'_>, invoice: &Record, line: &Record, times: i64) {
    if !is_direct(invoice) {
        return;
    }
    let returned = invoice.int("Type") == Some(DIRECT_CREDIT_NOTE) && !line.amount("Quantity").is_sign_negative();
    let sign = rust_decimal::Decimal::from(if returned { -times } else { times });
    let warehouse = invoice.get("Warehouse").clone();
    stock::take(desk.state, line.get("Item"), &warehouse, line.amount("Quantity") * sign);
}

fn fill_invoice(desk: &mut Desk<'_>, invoice: &mut Record) {
    invoice.fill_int("Type", INVOICE);
    check_type(desk, invoice);
    check_journal(desk, invoice, "Journal", &SALES_JOURNALS);
    sales::fill_parties(desk, invoice);
    if invoice.has("OrderedBy") {
        sales::fill_address(desk, invoice, "DeliverToAddress");
    }
    invoice.fill("OrderDate", desk.today());
    sales::fill_currency(desk, invoice, "OrderDate");
    if let Some(day) = invoice.time("OrderDate") {
        let due = sales::due_date(desk.state, invoice.get("PaymentCondition"), day);
        invoice.fill("DueDate", Cell::Time(due));
    }
    invoice.fill_int("Status", OPEN);
    let meaning = match invoice.int("Type") {
        Some(CREDIT_NOTE) => "Sales credit note",
        Some(DIRECT_INVOICE) => "Direct sales invoice",
        Some(DIRECT_CREDIT_NOTE) => "Direct credit note",
        _ => "Sales invoice",
    };
    invoice.fill_text("TypeDescription", meaning);
}

/// A direct document needs the warehouse that its goods leave; the others must name none.
fn check_type(desk: &mut Desk<'_>, invoice: &Record) {
    match invoice.int("Type") {
        Some(INVOICE | CREDIT_NOTE) if invoice.has("Warehouse") => {
            desk.reasons.invalid("Warehouse");
        }
        Some(DIRECT_INVOICE | DIRECT_CREDIT_NOTE) if !invoice.has("Warehouse") => {
            desk.reasons.missing("Warehouse");
        }
        Some(INVOICE | CREDIT_NOTE | DIRECT_INVOICE | DIRECT_CREDIT_NOTE) => {}
        _ => desk.reasons.invalid("Type"),
    }
}

/// The journal must be of a type that the document may be kept in.
pub(super) fn check_journal(desk: &mut Desk<'_>, document: &Record, name: &str, types: &[i64]) {
    let Some(journal) = document.text(name).and_then(|code| desk.state.by_code("financial/Journals", code)) else {
        return;
    };
    if !types.contains(&journal.int("Type").unwrap_or_default()) || journal.flag("IsBlocked") {
        desk.reasons.invalid(name);
    }
}

/// A line with its amounts and its revenue account.
pub(super) fn new_line(desk: &mut Desk<'_>, invoice: &Record, mut line: Record) -> (Record, Priced) {
    let given = line.number("VATAmountFC");
    let priced = sales::price_line(desk, invoice, &mut line, given);
    let item = desk.state.by_guid("logistics/Items", line.guid("Item"));
    if is_direct(invoice) && item.as_ref().is_some_and(|item| item.flag("IsSerialItem") || item.flag("IsBatchItem")) {
        desk.reasons.invalid("Item");
    }
    let account = item.and_then(|item| sales::revenue_account(desk.state, &item));
    line.fill("GLAccount", account.map_or(Cell::Null, |account| account.key()));
    if line.has("Item") && !line.has("GLAccount") {
        desk.reasons.missing("GLAccount");
    }
    check_revenue(desk, &line);
    (line, priced)
}

/// Receivables and VAT accounts are no place for turnover.
pub(super) fn check_revenue(desk: &mut Desk<'_>, line: &Record) {
    let Some(account) = desk.state.by_guid("financial/GLAccounts", line.guid("GLAccount")) else {
        return;
    };
    if matches!(account.int("Type"), Some(20 | 24)) {
        desk.reasons.says("Ongeldig: Grootboekrekeningtype");
    }
    if account.flag("IsBlocked") {
        desk.reasons.invalid("GLAccount");
    }
    sales::check_costs(desk.state, line, &mut desk.reasons);
}

fn rework(desk: &mut Desk<'_>, invoice: &Cell) {
    let Some(mut invoice) = desk.state.record(INVOICES, invoice) else {
        return;
    };
    let lines: Vec<_> = desk.state.having(LINES, "InvoiceID", &invoice.key()).collect();
    let charges: Vec<_> = desk.state.having(CHARGES, "InvoiceID", &invoice.key()).collect();
    let priced: Vec<_> = lines.iter().map(|line| sales::stored(desk.state, line)).collect();
    sales::write_totals(desk.state, &mut invoice, &priced, &charges);
    desk.state.update(&invoice);
}

/// The invoice that a record is or belongs to, if it is not processed yet.
fn open_invoice(desk: &mut Desk<'_>, record: &Record) -> Result<Record, Refusal> {
    let invoice = desk.state.by_guid(INVOICES, record.guid("InvoiceID"));
    let invoice = invoice.ok_or_else(|| Refusal::rule("Ongeldige referentie: Verkoopfactuur"))?;
    if invoice.int("Status") == Some(PROCESSED) && desk.hand == Hand::Program {
        return Err(processed());
    }
    Ok(invoice)
}

pub(super) fn create_line(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &["GLAccount"], &mut desk.reasons);
    desk.reasons.check()?;
    let invoice = open_invoice(desk, &draft.record)?;
    let (mut line, priced) = new_line(desk, &invoice, draft.record);
    desk.settle()?;
    let lines = desk.state.having(LINES, "InvoiceID", &invoice.key());
    let number = lines.filter_map(|line| line.int("LineNumber")).max().unwrap_or(0) + 1;
    line.set("LineNumber", Cell::Int(number));
    let kept = desk.keep(&line);
    desk.state.note_tax(&kept.key(), priced.fixed);
    move_goods(desk, &invoice, &kept, 1);
    rework(desk, &invoice.key());
    Ok(kept)
}

pub(super) fn change(desk: &mut Desk<'_>, mut invoice: Record, change: &Change<'_>) -> Result<(), Refusal> {
    open_invoice(desk, change.old)?;
    if change.touches("Journal") {
        desk.reasons.invalid("Journal");
    }
    check_type(desk, &invoice);
    for name in ["OrderedBy", "InvoiceTo", "DeliverTo"] {
        if change.touches(name) {
            sales::check_customer(desk, &invoice, name);
        }
    }
    if change.touches_any(&["DeliverTo", "DeliverToAddress"]) {
        sales::fill_address(desk, &mut invoice, "DeliverToAddress");
    }
    sales::fill_currency(desk, &mut invoice, "OrderDate");
    desk.settle()?;
    sales::lead_discount(&mut invoice, change);
    desk.state.update(&invoice);
    rework(desk, &invoice.key());
    Ok(())
}

pub(super) fn change_line(desk: &mut Desk<'_>, mut line: Record, change: &Change<'_>) -> Result<(), Refusal> {
    let invoice = open_invoice(desk, change.old)?;
    sales::forget_derived(&mut line, change);
    let given = sales::given_tax(desk.state, &line, change);
    line.set("VATAmountFC", given.map_or(Cell::Null, Cell::Number));
    let (line, priced) = new_line(desk, &invoice, line);
    desk.settle()?;
    move_goods(desk, &invoice, change.old, -1);
    desk.state.update(&line);
    desk.state.note_tax(&line.key(), priced.fixed);
    move_goods(desk, &invoice, &line, 1);
    rework(desk, &invoice.key());
    Ok(())
}

pub(super) fn remove(desk: &mut Desk<'_>, invoice: &Record) -> Result<(), Refusal> {
    open_invoice(desk, invoice)?;
    let lines: Vec<_> = desk.state.having(LINES, "InvoiceID", &invoice.key()).collect();
    for line in &lines {
        move_goods(desk, invoice, line, -1);
        desk.state.delete(line);
    }
    let charges: Vec<_> = desk.state.having(CHARGES, "InvoiceID", &invoice.key()).collect();
    for charge in &charges {
        desk.state.delete(charge);
    }
    desk.state.delete(invoice);
    Ok(())
}

pub(super) fn remove_line(desk: &mut Desk<'_>, line: &Record) -> Result<(), Refusal> {
    let invoice = open_invoice(desk, line)?;
    if desk.state.having(LINES, "InvoiceID", &invoice.key()).count() < 2 {
        return Err(Refusal::rule("Verplicht: Factuurregels"));
    }
    move_goods(desk, &invoice, line, -1);
    desk.state.delete(line);
    rework(desk, &invoice.key());
    Ok(())
}
