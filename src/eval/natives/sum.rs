//! Sums of numbers and of prices.

use super::at::{At, wrong};
use crate::eval::arithmetic::number;
use crate::eval::code::Run;
use crate::eval::failure::Halt;
use crate::eval::value::Value;
use crate::ir::{Binary, Native};
use rust_decimal::Decimal;

/// A sum in the making: of numbers, or of prices.
#[derive(Default)]
pub(crate) struct Sum {
    pub(crate) total: Decimal,
    price: Option<(Decimal, Decimal)>,
}

impl Sum {
    /// One more.
    pub(crate) fn add<'r>(&mut self, run: &Run<'r>, value: Value<'r>, at: &At) -> Result<(), Halt> {
        match value {
            Value::Number(n) => self.total = number(Binary::Add, self.total, n, at.span)?,
            Value::Price((net, gross)) => {
                let (n, g) = self.price.unwrap_or_default();
                let net = number(Binary::Add, n, *net, at.span)?;
                self.price = Some((net, number(Binary::Add, g, *gross, at.span)?));
            }
            Value::Absent => {}
            _ => return Err(wrong(run, Native::Sum, at)),
        }
        Ok(())
    }

    /// What it is so far.
    pub(crate) fn value<'r>(self, run: &Run<'r>) -> Value<'r> {
        self.price.map_or(Value::Number(self.total), |price| Value::Price(run.arena.alloc(price)))
    }
}
