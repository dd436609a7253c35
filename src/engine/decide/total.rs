//! The total of a document: what its source says, and what the target computed.

use crate::engine::values::compare;
use crate::eval::Draft;
use crate::ir::Program;
use rust_decimal::Decimal;
use serde_json::Value;

/// The totals, theirs and ours, where they differ by more than may be.
pub(crate) fn disagreement(draft: &Draft, row: &Value) -> Option<(Decimal, Decimal)> {
    let due = draft.balance.as_ref()?;
    let theirs = row.get(&*due.field).and_then(compare::number)?;
    ((theirs - due.amount).abs() > due.within).then_some((theirs, due.amount))
}

/// What a person is told when the target's total of a document is another one.
pub(crate) fn imbalance(program: &Program, draft: &Draft, id: &str, theirs: Decimal) -> String {
    let wanted = draft.balance.as_ref().map_or_else(String::new, |due| in_cents(due.amount));
    format!(
        "{} computed {} for {} {id}, its source says {wanted}: correct it there, or the taxes and prices that it was made of, then retry",
        draft.connection,
        in_cents(theirs),
        program.entity(draft.entity).name
    )
}

/// An amount as people write it: with cents, and with what it has beyond them.
fn in_cents(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}
