//! What is collected while a program is compiled.

use crate::eval::code::{Code, PartCode};
use crate::eval::constants::Constants;
use crate::eval::coverage::Coverage;
use crate::eval::decode::Layouts;
use crate::eval::personal::Personal;
use crate::eval::script::Scripts;
use crate::eval::wire::Wires;
use crate::ir::{Const, EntityId, Expr, ExprKind, LocalId, Program};
use crate::source::Span;
use std::collections::HashMap;
use std::sync::Arc;

/// What is counted, where a program is compiled for that.
#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) coverage: Coverage,
    /// The mapping or part whose fields are filled.
    pub(crate) owner: Arc<str>,
    /// What a test says itself is not what it reaches.
    pub(crate) apart: Option<Span>,
}

/// What is collected while a program is compiled.
pub(crate) struct Compiler<'p> {
    pub(crate) program: &'p Program,
    pub(crate) layouts: Layouts,
    pub(crate) wires: Wires,
    pub(crate) constants: Constants,
    pub(crate) parts: Vec<PartCode>,
    pub(crate) scripts: Scripts,
    /// Every step is told.
    pub(crate) trace: bool,
    /// What is come to is counted.
    pub(crate) counting: Option<Counting>,
    /// Where the mapping or flow that is being compiled holds personal data.
    pub(crate) personal: Personal,
    /// The entity at the other end of `linked(x)`.
    pub(crate) other: Option<EntityId>,
    /// Mappings compiled so far.
    pub(crate) mappings_made: usize,
    /// Parts that are compiled, by where their builder lies.
    pub(crate) part_numbers: HashMap<usize, usize>,
    /// Locals that are another local under a second name, and so need no place of their own.
    pub(crate) aliases: HashMap<u32, u32>,
}

impl Compiler<'_> {
    /// Whether nothing is folded away or computed in another way, since each step is told or counted.
    pub(crate) fn is_stepwise(&self) -> bool {
        self.trace || self.counting.is_some()
    }

    /// A constant as code.
    pub(crate) fn constant(&mut self, constant: &Const) -> Code {
        Code::Const(self.constants.add(constant))
    }

    /// Whether an expression tells personal data.
    pub(crate) fn tells_personal(&self, expr: &Expr) -> bool {
        self.personal.tells(self.program, expr)
    }

    /// What is made of a body whose local is only a second name of another one, as a function's parameter often is: that
    /// one is read in its place.
    pub(crate) fn aliased<T>(&mut self, local: LocalId, value: &Expr, body: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let ExprKind::Local(other) = &value.kind else { return None };
        if self.trace {
            return None;
        }
        let other = self.aliases.get(&other.0).copied().unwrap_or(other.0);
        let hidden = self.aliases.insert(local.0, other);
        let made = body(self);
        // Numbers of locals mean something else in the next mapping.
        match hidden {
            Some(hidden) => self.aliases.insert(local.0, hidden),
            None => self.aliases.remove(&local.0),
        };
        Some(made)
    }
}
