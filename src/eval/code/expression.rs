//! Compiled expressions, and the ways to look at what they give.

use super::run::Run;
use crate::eval::failure::Halt;
use crate::eval::value::Value;
use crate::ir::EntityId;
use rust_decimal::Decimal;

/// The value of an expression, or why it has none.
pub(crate) type Eval<'r> = Result<Value<'r>, Halt>;

/// A compiled expression that is computed.
pub(crate) type Call = Box<dyn for<'r> Fn(&mut Run<'r>) -> Eval<'r> + Send + Sync>;

/// A compiled expression. The commonest leaves are told apart so that they cost no call.
pub(crate) enum Code {
    /// A constant that borrows nothing.
    Fixed(Value<'static>),
    Const(u32),
    Local(u32),
    /// A field of the record in a local; whatever else stands there is the call's.
    Slot {
        local: u32,
        entity: EntityId,
        slot: u16,
        else_call: Call,
    },
    Call(Call),
}

/// What a frame has places for: shared values, and behind them locals.
#[derive(Clone, Copy, Default)]
pub(crate) struct Frame {
    pub(crate) shared: usize,
    pub(crate) locals: usize,
}

/// What changes with each element of a loop.
pub(crate) struct Each {
    /// The element's local.
    pub(crate) local: u32,
    /// The places of shared values that depend on it.
    pub(crate) places: Box<[u32]>,
}

/// `for x in xs where c`
pub(crate) struct ClauseCode {
    pub(crate) each: Each,
    pub(crate) list: Code,
    pub(crate) cond: Option<Code>,
}

/// A closure as code.
pub(crate) fn call(f: impl for<'r> Fn(&mut Run<'r>) -> Eval<'r> + Send + Sync + 'static) -> Code {
    Code::Call(Box::new(f))
}

/// What arithmetic is done with.
pub(crate) enum Operand<'r> {
    Number(Decimal),
    Other(Value<'r>),
}

impl<'r> Operand<'r> {
    pub(crate) fn value(self) -> Value<'r> {
        match self {
            Self::Number(n) => Value::Number(n),
            Self::Other(value) => value,
        }
    }
}

impl Code {
    /// The value, in this run.
    #[inline]
    pub(crate) fn eval<'r>(&self, run: &mut Run<'r>) -> Eval<'r> {
        match self {
            Self::Call(call) => call(run),
            leaf => leaf.leaf(run),
        }
    }

    /// As [`Self::eval`], and no part of its many callers.
    #[inline(never)]
    fn leaf<'r>(&self, run: &mut Run<'r>) -> Eval<'r> {
        match self {
            Self::Fixed(value) => Ok(*value),
            Self::Const(n) => Ok(run.constant(*n)),
            Self::Local(n) => run.local(*n),
            Self::Slot { local, entity, slot, else_call } => {
                if let Value::Record(record) = run.locals[*local as usize]
                    && record.entity == *entity
                    && !matches!(record.slots[usize::from(*slot)], Value::Missing(_))
                {
                    return Ok(record.slots[usize::from(*slot)]);
                }
                else_call(run)
            }
            Self::Call(call) => call(run),
        }
    }

    /// The value where it lies, if it is a field of a record at hand: nothing need be copied to look at it.
    #[inline]
    pub(crate) fn lying<'r>(&self, run: &Run<'r>) -> Option<&'r Value<'r>> {
        let Self::Slot { local, entity, slot, .. } = self else { return None };
        let Value::Record(record) = run.locals[*local as usize] else { return None };
        if record.entity != *entity {
            return None;
        }
        let slots: &'r [Value<'r>] = record.slots;
        slots.get(usize::from(*slot)).filter(|value| !matches!(value, Value::Missing(_)))
    }

    /// What is made of the value by a look at it where it lies, or else at what is computed: nothing is copied.
    #[inline]
    pub(crate) fn see<'r, T>(
        &self,
        run: &mut Run<'r>,
        look: impl FnOnce(&mut Run<'r>, &Value<'r>) -> Result<T, Halt>,
    ) -> Result<T, Halt> {
        if let Some(value) = self.lying(run) {
            return look(run, value);
        }
        match self.eval(run) {
            Ok(ref value) => look(run, value),
            Err(halt) => Err(halt),
        }
    }

    /// The number that it is; of anything else, the value.
    ///
    /// A value that has just been made and is copied as a whole waits until all its parts are in memory, so what is
    /// wanted of it is taken out at once: here and wherever a result is matched.
    #[inline]
    pub(crate) fn number<'r>(&self, run: &mut Run<'r>) -> Result<Operand<'r>, Halt> {
        if let Some(Value::Number(n)) = self.lying(run) {
            return Ok(Operand::Number(*n));
        }
        match self.eval(run) {
            Ok(Value::Number(n)) => Ok(Operand::Number(n)),
            Ok(other) => Ok(Operand::Other(other)),
            Err(halt) => Err(halt),
        }
    }

    /// Whether it is there.
    #[inline]
    pub(crate) fn is_some(&self, run: &mut Run<'_>) -> Result<bool, Halt> {
        if let Some(value) = self.lying(run) {
            return Ok(value.is_some());
        }
        match self.eval(run) {
            Ok(Value::Absent) => Ok(false),
            Ok(_) => Ok(true),
            Err(halt) => Err(halt),
        }
    }

    /// The list that it is; nothing is an empty one.
    #[inline]
    pub(crate) fn list<'r>(&self, run: &mut Run<'r>) -> Result<Option<&'r [Value<'r>]>, Halt> {
        if let Some(Value::List(list)) = self.lying(run) {
            return Ok(Some(list));
        }
        match self.eval(run) {
            Ok(Value::List(list)) => Ok(Some(list)),
            Ok(Value::Absent) => Ok(Some(&[])),
            Ok(_) => Ok(None),
            Err(halt) => Err(halt),
        }
    }

    /// The truth of it.
    #[inline]
    pub(crate) fn holds(&self, run: &mut Run<'_>) -> Result<bool, Halt> {
        match self.eval(run) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Ok(false),
            Err(halt) => Err(halt),
        }
    }
}
