//! Arguments of mappings and functions.

use crate::eval::code::{Code, Run};
use crate::eval::failure::{Halt, note};
use crate::eval::making::Role;
use crate::eval::value::Value;

impl<'r> Run<'r> {
    /// Arguments; all of them are computed, so that all needs come out together. Those of a follower may wait for an
    /// answer and leave holes.
    pub(crate) fn arguments(&mut self, args: &[Code], role: Role) -> Result<&'r [Value<'r>], Halt> {
        let mut values = bumpalo::collections::Vec::with_capacity_in(args.len(), self.arena);
        let mut halted = None;
        for arg in args {
            match arg.eval(self) {
                Ok(value) => values.push(value),
                Err(Halt::Later(draft)) if role == Role::Follows => values.push(Value::Hole(draft)),
                Err(halt) => note(&mut halted, halt)?,
            }
        }
        match halted {
            Some(halt) => Err(halt),
            None => Ok(values.into_bump_slice()),
        }
    }
}
