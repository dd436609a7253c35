//! Constants of a program: kept once, handed out as values.

use crate::eval::value::Value;
use crate::ir::Const;
use bumpalo::Bump;

/// All constants.
#[derive(Default)]
pub(crate) struct Constants {
    constants: Vec<Const>,
}

impl Constants {
    /// Keeps a constant and gives its number.
    pub(crate) fn add(&mut self, constant: &Const) -> u32 {
        self.constants.push(constant.clone());
        u32::try_from(self.constants.len() - 1).unwrap_or(u32::MAX)
    }

    /// The constant of that number as a value; lists are laid out in the arena.
    #[inline]
    pub(crate) fn get<'r>(&'r self, n: u32, arena: &'r Bump) -> Value<'r> {
        match &self.constants[n as usize] {
            // The commonest.
            Const::Text(t) => Value::Text(t),
            Const::Number(n) => Value::Number(*n),
            Const::Bool(b) => Value::Bool(*b),
            Const::Absent => Value::Absent,
            other => value_of(other, arena),
        }
    }
}

/// A constant as a value.
pub(crate) fn value_of<'r>(constant: &'r Const, arena: &'r Bump) -> Value<'r> {
    match constant {
        Const::Absent => Value::Absent,
        Const::Bool(b) => Value::Bool(*b),
        Const::Number(n) => Value::Number(*n),
        Const::Text(t) => Value::Text(t),
        Const::Date(d) => Value::Date(*d),
        Const::Instant(t) => Value::Instant(*t),
        Const::Duration(d) => Value::Duration(*d),
        Const::List(list) => {
            Value::List(arena.alloc_slice_fill_iter(list.iter().map(|constant| value_of(constant, arena))))
        }
    }
}
