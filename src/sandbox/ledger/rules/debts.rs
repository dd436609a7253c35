//! What customers owe, matched with what was paid: a line on receivables pays a debt, and takes that back when it goes.

use rust_decimal::Decimal;

use super::super::amounts;
use super::super::cell::Cell;
use super::super::record::Record;
use super::super::state::State;

const DEBTS: &str = "cashflow/Receivables";

/// Type of the G/L account on which customers' debts stand.
pub(super) const RECEIVABLE: i64 = 20;

/// States of a debt.
const OPEN: i64 = 20;
const MATCHED: i64 = 50;

/// A stored line on the receivables account of a customer pays the debt whose number it names, else one that its text names,
/// else one of its own amount. What is more than the debt stays unmatched. A line that takes money back opens a debt again only
/// where it names it.
pub(super) fn settle(state: &mut State, line: &Record, key: &Cell, paid: Decimal) {
    let account = state.by_guid("financial/GLAccounts", line.guid("GLAccount"));
    if account.and_then(|account| account.int("Type")) != Some(RECEIVABLE) || !line.has("Account") || paid.is_zero() {
        return;
    }
    let all: Vec<_> = state.having(DEBTS, "Account", line.get("Account")).collect();
    let Some(debt) = meant(state, &all, line, paid) else { return };
    // Back to no more than was owed in the first place.
    let most = if along(debt, paid) { open(state, debt) } else { -state.paid(&debt.key()) };
    let taken = if paid.abs() < most.abs() { paid } else { most };
    if taken.is_zero() {
        return;
    }
    state.note_payment(key, &debt.key(), taken);
    write(state, debt.clone(), Some(line.get("Date")));
}

/// The debt that a line is about.
fn meant<'a>(state: &State, all: &'a [Record], line: &Record, paid: Decimal) -> Option<&'a Record> {
    if let Some(number) = line.int("OurRef") {
        let of_number = |debt: &&Record| debt.int("InvoiceNumber") == Some(number);
        return all.iter().find(|debt| of_number(debt) && (!debt.flag("IsFullyPaid") || !along(debt, paid)));
    }
    let said = line.text("Description").unwrap_or_default();
    let named = |debt: &&Record| {
        let number = debt.int("InvoiceNumber").is_some_and(|number| said.contains(&number.to_string()));
        let texts = [debt.text("YourRef"), debt.text("PaymentReference")];
        number || texts.iter().flatten().any(|text| !text.is_empty() && said == *text)
    };
    let is_open = |debt: &&Record| !debt.flag("IsFullyPaid") && along(debt, paid);
    let open_ones = || all.iter().filter(is_open);
    open_ones().find(named).or_else(|| open_ones().find(|debt| open(state, debt) == paid))
}

/// Whether an amount pays a debt, and does not take back what was paid.
fn along(debt: &Record, paid: Decimal) -> bool {
    owed(debt).is_sign_negative() == paid.is_sign_negative()
}

/// What a debt was when it was made.
fn owed(debt: &Record) -> Decimal {
    debt.number("TransactionAmountFC").unwrap_or_else(|| debt.amount("AmountFC"))
}

/// What of it is open: a person may have closed it without any line.
fn open(state: &State, debt: &Record) -> Decimal {
    let paid = state.paid(&debt.key());
    if debt.flag("IsFullyPaid") && paid.is_zero() { Decimal::ZERO } else { owed(debt) - paid }
}

/// Takes back what a line paid: its debt is open again.
pub(super) fn reopen(state: &mut State, line: &Cell) {
    let Some(debt) = state.forget_payment(line) else { return };
    if let Some(debt) = state.record(DEBTS, &debt) {
        write(state, debt, None);
    }
}

/// A debt whose entry was booked anew is paid as the one was in whose place it stands.
pub(super) fn carry(state: &mut State, from: &Cell, to: &Record) {
    state.move_payments(from, &to.key());
    if !state.paid(&to.key()).is_zero() {
        write(state, to.clone(), None);
    }
}

/// Writes what is open of a debt by the lines that pay it.
fn write(state: &mut State, mut debt: Record, day: Option<&Cell>) {
    let paid = state.paid(&debt.key());
    let rest = owed(&debt) - paid;
    let done = rest.is_zero();
    debt.set("IsFullyPaid", Cell::Bool(done));
    debt.set("Status", Cell::Int(if done { MATCHED } else { OPEN }));
    match day {
        Some(day) => debt.set("LastPaymentDate", day.clone()),
        None if paid.is_zero() => debt.set("LastPaymentDate", Cell::Null),
        None => {}
    }
    let ended = if done { debt.get("LastPaymentDate").clone() } else { Cell::Null };
    debt.set("EndDate", ended);
    if !done {
        let rate = debt.number("RateFC").unwrap_or(Decimal::ONE);
        debt.set_number("AmountFC", rest);
        debt.set_number("AmountDC", amounts::converted(rest, rate));
    }
    state.update(&debt);
}
