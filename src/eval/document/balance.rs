//! Money is conserved: what a document's lines come to is what the other side says, and the last cents go where the flow
//! says.

use crate::eval::arithmetic::too_large;
use crate::eval::code::{BalanceCode, Code, RestCode, Run};
use crate::eval::draft::{BalanceDue, Share};
use crate::eval::failure::{Failure, Halt};
use crate::eval::natives::DECIMALS;
use crate::eval::value::{Built, BuiltField, Value, show};
use crate::ir::FieldId;
use crate::source::Span;
use crate::value::{decimal, money};
use rust_decimal::Decimal;

impl BalanceCode {
    /// Compares the document in the making with the amount, and hands out what is left.
    /// What it must come to, and how that is divided over the codes of a tax where that is asked for.
    pub(crate) fn check<'r>(&'r self, run: &mut Run<'r>) -> Result<(BalanceDue, Vec<Share>), Halt> {
        let to = self.number(run, &self.to)?.map(|to| decimal::round(to, DECIMALS));
        let none = || Halt::fail(Failure::new("the amount that the document must come to is not there", self.span));
        let to = to.ok_or_else(none)?;
        let lines = self.lines(run);
        let within = match &self.within {
            Some(within) => self.number(run, within)?.unwrap_or_default(),
            None => Decimal::ZERO,
        };
        let tolerance = within.checked_mul(Decimal::from(lines.len().max(1))).unwrap_or(within);
        let rests = self.rest.is_some();
        let due = BalanceDue {
            field: run
                .compiled
                .wires
                .of(run.making.last().expect("the document is being made").entity, self.field)
                .wire
                .clone(),
            amount: to,
            within: if rests { Decimal::ZERO } else { tolerance },
            place: self.span,
        };
        let Some(formula) = &self.formula else { return Ok((due, Vec::new())) };
        // Offline nobody knows the codes, so nothing is added up.
        let Some(sum) = self.number(run, formula)? else { return Ok((due, Vec::new())) };
        let rest = to.checked_sub(sum).ok_or_else(|| too_large(self.span))?;
        if rest.is_zero() || !rests && rest.abs() <= tolerance {
            return Ok((due, self.shares(run, false)?));
        }
        if rest.abs() <= tolerance && self.hand_out(run, rest, &lines)? && self.number(run, formula)? == Some(to) {
            let evened = matches!(self.rest, Some(RestCode::Line(..)));
            return Ok((due, self.shares(run, evened)?));
        }
        Err(self.failure(run, sum, to))
    }

    /// How the total of the lines is divided over the codes of a tax; `evened`: the last line evens out cents.
    fn shares(&self, run: &mut Run<'_>, evened: bool) -> Result<Vec<Share>, Halt> {
        let (Some(of), true) = (&self.shares, run.known.asks_shares()) else { return Ok(Vec::new()) };
        let lines = self.lines(run);
        let (sold, rest) = lines.split_at(lines.len() - usize::from(evened && !lines.is_empty()));
        let mut shares = of.line.by_code(run, sold, of.code, self.span)?;
        for share in of.line.by_code(run, rest, of.code, self.span)? {
            shares.push(Share { evens_out: true, ..share });
        }
        Ok(shares)
    }

    fn number(&self, run: &mut Run<'_>, code: &Code) -> Result<Option<Decimal>, Halt> {
        match code.eval(run)? {
            Value::Number(n) => Ok(Some(n)),
            Value::Absent => Ok(None),
            _ => Err(run.broken_promise("an amount that is none", self.span)),
        }
    }

    fn lines<'r>(&self, run: &Run<'r>) -> Vec<Value<'r>> {
        match self.lines.and_then(|lines| run.making.last()?.value(lines)) {
            Some(Value::List(list)) => list.to_vec(),
            _ => Vec::new(),
        }
    }

    /// Gives the last cents to a line of their own, or to a field of the lines.
    fn hand_out<'r>(&self, run: &mut Run<'r>, rest: Decimal, lines: &[Value<'r>]) -> Result<bool, Halt> {
        let Some(field) = self.lines else { return Ok(false) };
        let mut lines = lines.to_vec();
        match &self.rest {
            None => return Ok(false),
            Some(RestCode::Line(local, line)) => {
                run.locals[*local as usize] = Value::Number(rest);
                let line = line.eval(run).map_err(|halt| halt.within(&format!("[{}]", lines.len())))?;
                lines.push(line);
            }
            Some(RestCode::Field(of_line)) => {
                let amount = |line: &Value<'r>| match line {
                    Value::Built(built) => match built.get(*of_line) {
                        Value::Number(n) => n,
                        _ => Decimal::ZERO,
                    },
                    _ => Decimal::ZERO,
                };
                let weights: Vec<Decimal> = lines.iter().map(|line| amount(line).abs()).collect();
                let Some(shares) = money::split(rest, &weights, DECIMALS) else { return Ok(false) };
                for (line, share) in lines.iter_mut().zip(shares) {
                    let value = amount(line).checked_add(share).ok_or_else(|| too_large(self.span))?;
                    if !share.is_zero() {
                        *line = with_field(run, *line, *of_line, Value::Number(value), self.span);
                    }
                }
            }
        }
        let list = run.list(&lines);
        let making = run.making.last_mut().expect("the document is being made");
        let old = making.value(field);
        making.fill(field, list);
        // The lines were filled by one step, whose value is replaced.
        if let (Some(Value::List(old)), Some((_, filled))) = (
            old,
            making.filled.iter_mut().rev().find(
                |(_, value)| matches!((value, old), (Value::List(a), Some(Value::List(b))) if std::ptr::eq(*a, b)),
            ),
        ) {
            debug_assert!(matches!(filled, Value::List(list) if std::ptr::eq(*list, old)), "the same list");
            *filled = list;
        }
        Ok(true)
    }

    fn failure(&self, run: &mut Run<'_>, sum: Decimal, to: Decimal) -> Halt {
        run.locals[self.sum as usize] = Value::Number(sum);
        let mut failure = match self.otherwise.as_ref().map(|otherwise| otherwise.eval(run)) {
            Some(Err(halt)) => match halt {
                Halt::Stop(stopped) => stopped.failure,
                other => return other,
            },
            Some(Ok(text)) => Failure::new(show(text), self.span),
            None => Failure::new(format!("the document adds up to {sum} and must come to {to}"), self.span),
        };
        failure.value = Some(sum.to_string());
        Halt::fail(failure)
    }
}

/// A line with another value in one field.
fn with_field<'r>(run: &Run<'r>, line: Value<'r>, field: FieldId, value: Value<'r>, place: Span) -> Value<'r> {
    let Value::Built(built) = line else { return line };
    let mut fields = built.fields.to_vec();
    if let Some(known) = fields.iter_mut().rev().find(|f| f.path == [field]) {
        known.value = value;
    } else {
        let path: &'r [FieldId] = run.arena.alloc_slice_copy(&[field]);
        fields.push(BuiltField { path, value, place });
    }
    let fields = run.arena.alloc_slice_copy(&fields);
    Value::Built(run.arena.alloc(Built { entity: built.entity, fields }))
}
