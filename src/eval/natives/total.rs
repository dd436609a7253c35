//! What a document's lines come to as the ledger adds them, and the tax codes that say so.

use crate::eval::arithmetic::{number, too_large};
use crate::eval::code::{Code, Eval, LineFields, Run, call};
use crate::eval::draft::Share;
use crate::eval::failure::{Halt, note};
use crate::eval::value::{Value, same};
use crate::eval::wire::code_text;
use crate::ir::{Binary, EntityId, FieldId, Tax, Type};
use crate::source::Span;
use crate::value::{decimal, money};
use rust_decimal::Decimal;

/// Decimals that the ledger keeps of an amount, whatever its currency (assumed: nobody has shown it otherwise).
pub(crate) const DECIMALS: u32 = 2;

/// What these lines come to.
pub(crate) fn document_total(lines: Code, line: LineFields, span: Span) -> Code {
    call(move |run| {
        let Value::List(lines) = lines.eval(run)? else { return Ok(Value::Number(Decimal::ZERO)) };
        match line.fields.len() {
            2 => line.total_of_amounts(run, lines, span),
            3 => line.total_by_code(run, lines, span),
            _ => Err(run.broken_promise("a total whose fields are unknown", span)),
        }
    })
}

impl LineFields {
    fn number<'r>(
        &self,
        run: &mut Run<'r>,
        line: Value<'r>,
        n: usize,
        empty: Decimal,
        span: Span,
    ) -> Result<Decimal, Halt> {
        match run.field(line, self.entity, self.fields[n], span)? {
            Value::Number(n) => Ok(n),
            _ => Ok(empty),
        }
    }

    /// Each line says its amount and its tax.
    fn total_of_amounts<'r>(&self, run: &mut Run<'r>, lines: &[Value<'r>], span: Span) -> Eval<'r> {
        let mut total = Decimal::ZERO;
        for line in lines {
            for n in 0..2 {
                let amount = self.number(run, *line, n, Decimal::ZERO, span)?;
                total = number(Binary::Add, total, decimal::round(amount, DECIMALS), span)?;
            }
        }
        Ok(Value::Number(total))
    }

    /// A line is rounded to cents, the tax once for each code; where a code's prices include the tax, their sum is kept
    /// as it is.
    fn total_by_code<'r>(&self, run: &mut Run<'r>, lines: &[Value<'r>], span: Span) -> Eval<'r> {
        let sums = self.sums(run, lines, self.fields[2], span)?;
        let mut total = Decimal::ZERO;
        let mut halted = None;
        for (code, sum) in sums {
            let row = match self.codes {
                Some(codes) if code.is_some() => match run.tax_row(code, codes, span) {
                    // Offline, and the code was not given.
                    Ok(None) => return Ok(Value::Absent),
                    Ok(row) => row,
                    Err(halt) => {
                        note(&mut halted, halt)?;
                        continue;
                    }
                },
                _ => None,
            };
            total = number(Binary::Add, total, with_tax(sum, row, span)?, span)?;
        }
        halted.map_or(Ok(Value::Number(total)), Err)
    }

    /// What the lines come to under each code, as they say it: each rounded to cents.
    fn sums<'r>(
        &self,
        run: &mut Run<'r>,
        lines: &[Value<'r>],
        code: FieldId,
        span: Span,
    ) -> Result<Vec<(Value<'r>, Decimal)>, Halt> {
        let mut sums: Vec<(Value<'r>, Decimal)> = Vec::new();
        for line in lines {
            let empty = if self.fields.len() == 3 { Decimal::ONE } else { Decimal::ZERO };
            let first = self.number(run, *line, 0, empty, span)?;
            let second = self.number(run, *line, 1, Decimal::ZERO, span)?;
            let amount = if self.fields.len() == 3 {
                decimal::round(number(Binary::Mul, first, second, span)?, DECIMALS)
            } else {
                number(Binary::Add, decimal::round(first, DECIMALS), decimal::round(second, DECIMALS), span)?
            };
            let code = run.field(*line, self.entity, code, span)?;
            match sums.iter_mut().find(|(known, _)| same(*known, code)) {
                Some((_, sum)) => *sum = number(Binary::Add, *sum, amount, span)?,
                None => sums.push((code, amount)),
            }
        }
        Ok(sums)
    }

    /// How much of the total of these lines stands under each code, its tax included.
    pub(crate) fn by_code<'r>(
        &self,
        run: &mut Run<'r>,
        lines: &[Value<'r>],
        code: FieldId,
        span: Span,
    ) -> Result<Vec<Share>, Halt> {
        let codes = match run.compiled.program.entity(self.entity).get(code).ty.present() {
            Type::Code(codes) | Type::Record(codes) => Some(*codes),
            _ => None,
        };
        let mut shares = Vec::new();
        for (value, sum) in self.sums(run, lines, code, span)? {
            let row = match self.codes {
                Some(codes) if value.is_some() => run.tax_row(value, codes, span)?,
                _ => None,
            };
            let code = match codes {
                Some(codes) => code_text(run, codes, value, span)?,
                None => run.text_of_key(value, span)?,
            };
            let code = code.unwrap_or_default().trim().into();
            shares.push(Share { code, amount: with_tax(sum, row, span)?, evens_out: false });
        }
        Ok(shares)
    }
}

/// A sum with its tax, as the row of its code says: whether the sum includes it, and the rate.
fn with_tax(sum: Decimal, row: Option<(bool, Decimal)>, span: Span) -> Result<Decimal, Halt> {
    let Some((false, rate)) = row else { return Ok(sum) };
    let tax = money::tax_of(sum, rate).ok_or_else(|| too_large(span))?;
    number(Binary::Add, sum, decimal::round(tax, DECIMALS), span)
}

impl<'r> Run<'r> {
    /// Whether prices with this tax code include the tax, and its rate; none where it can't be known.
    pub(crate) fn tax_row(
        &mut self,
        code: Value<'r>,
        entity: EntityId,
        span: Span,
    ) -> Result<Option<(bool, Decimal)>, Halt> {
        let schema = self.compiled.program.entity(entity);
        let Some(Tax { rate, by, included, .. }) = &schema.tax else { return Ok(None) };
        let row = match code {
            Value::Absent => return Ok(None),
            Value::Text(text) if self.known.offline() => {
                let by = schema.code.or(schema.key);
                match by.map(|by| self.find(None, entity, &[by], &[Some(text)], span)).transpose()? {
                    Some([row]) => Value::Record(row),
                    _ => return Ok(None),
                }
            }
            other => other,
        };
        let including = matches!(self.field(row, entity, *by, span)?, Value::Text(text) if *text == **included);
        let rate = match self.field(row, entity, *rate, span)? {
            Value::Number(rate) => rate,
            _ => Decimal::ZERO,
        };
        Ok(Some((including, rate)))
    }
}

/// The net or the gross of a price, as the row of a tax code says, or a truth that is known otherwise.
pub(crate) fn price_by(price: Code, by: Code, entity: Option<EntityId>, span: Span) -> Code {
    call(move |run| {
        let price = price.eval(run);
        // Without an amount nothing is to be decided.
        if let Ok(kept @ (Value::Keep | Value::Absent)) = price {
            return Ok(kept);
        }
        let by = by.eval(run)?;
        let Value::Price((net, gross)) = price? else { return Ok(Value::Absent) };
        let including = match (entity, by) {
            (Some(entity), row) => run.tax_row(row, entity, span)?.is_some_and(|(including, _)| including),
            (None, Value::Bool(including)) => including,
            (None, _) => return Err(run.broken_promise("what says whether a price is with tax", span)),
        };
        Ok(Value::Number(if including { *gross } else { *net }))
    })
}
