//! What is collected while a program is compiled.

use super::shared::Shared;
use crate::eval::code::{Code, Each, Frame, PartCode};
use crate::eval::constants::Constants;
use crate::eval::coverage::Coverage;
use crate::eval::decode::Layouts;
use crate::eval::personal::Personal;
use crate::eval::script::Scripts;
use crate::eval::value::Value;
use crate::eval::wire::Wires;
use crate::ir::{Const, EntityId, Expr, ExprKind, LocalId, Program, each, known};
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
    /// Values of the frame that is being compiled which are computed once.
    pub(crate) shared: Shared,
    /// The places of its locals.
    pub(crate) locals: Option<HashMap<LocalId, u32>>,
    /// Mappings compiled so far.
    pub(crate) mappings_made: usize,
    /// Parts that are compiled, by where their builder lies.
    pub(crate) part_numbers: HashMap<usize, usize>,
    /// Locals that are another local under a second name, and so need no place of their own.
    pub(crate) aliases: HashMap<LocalId, LocalId>,
    /// Locals that are constants, as parameters of functions often are.
    pub(crate) known_locals: HashMap<LocalId, Const>,
}

impl Compiler<'_> {
    /// Whether nothing is folded away or computed in another way, since each step is told or counted.
    pub(crate) fn is_stepwise(&self) -> bool {
        self.trace || self.counting.is_some()
    }

    /// A constant as code.
    pub(crate) fn constant(&mut self, constant: &Const) -> Code {
        match constant {
            Const::Absent => Code::Fixed(Value::Absent),
            Const::Bool(b) => Code::Fixed(Value::Bool(*b)),
            Const::Number(n) => Code::Fixed(Value::Number(*n)),
            Const::Date(d) => Code::Fixed(Value::Date(*d)),
            other => Code::Const(self.constants.add(other)),
        }
    }

    /// A local as code: one that is known to be a constant is that constant.
    pub(crate) fn local_code(&mut self, local: LocalId) -> Code {
        let own = self.aliases.get(&local).copied().unwrap_or(local);
        match self.known_locals.get(&own).cloned() {
            Some(constant) => self.constant(&constant),
            None => Code::Local(self.local(local)),
        }
    }

    /// What is compiled from now on is of another frame. Where every step is told or counted nothing is shared: each
    /// stands for itself.
    pub(crate) fn begin_frame(&mut self, shared: impl FnOnce() -> Shared) {
        self.shared = if self.is_stepwise() { Shared::default() } else { shared() };
        self.locals = Some(HashMap::new());
    }

    /// What is compiled from now on is of no frame that is known here: locals stay where they are.
    pub(crate) fn end_frame(&mut self) {
        (self.shared, self.locals) = (Shared::default(), None);
    }

    /// The frame, as far as it is compiled.
    pub(crate) fn frame(&self) -> Frame {
        let locals = self.locals.as_ref().map_or(0, HashMap::len);
        Frame { shared: self.shared.count as usize, locals }
    }

    /// The place of a local, behind the shared values: most are only second names, and need none.
    pub(crate) fn local(&mut self, local: LocalId) -> u32 {
        let Frame { shared, locals } = self.frame();
        let next = u32::try_from(shared + locals).unwrap_or(u32::MAX);
        let local = self.aliases.get(&local).copied().unwrap_or(local);
        self.locals.as_mut().map_or(local.0, |locals| *locals.entry(local).or_insert(next))
    }

    /// Whether copies of an expression can be compiled in its place: nothing in it is known by where it lies.
    pub(crate) fn is_free(&self, expr: &Expr) -> bool {
        let mut free = !self.is_stepwise();
        each(expr, &mut |e| free &= !matches!(e.kind, ExprKind::Build(_)) && self.shared.place(e).is_none());
        free
    }

    /// Whether what an expression comes to is looked at nowhere else, so that it need not be made as it says.
    pub(crate) fn is_alone(&self, expr: &Expr) -> bool {
        !self.is_stepwise() && self.shared.place(expr).is_none()
    }

    /// What changes with each element in a local.
    pub(crate) fn each(&mut self, local: LocalId) -> Each {
        Each { local: self.local(local), places: self.shared.of_element(local) }
    }

    /// Whether an expression tells personal data.
    pub(crate) fn tells_personal(&self, expr: &Expr) -> bool {
        self.personal.tells(self.program, expr)
    }

    /// What is made of a body whose local is only a second name of another one, or a constant, as a function's parameter
    /// often is: that is read in its place.
    pub(crate) fn aliased<T>(&mut self, local: LocalId, value: &Expr, body: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if let (Some(constant), false) = (known(value), self.is_stepwise()) {
            self.known_locals.insert(local, constant);
            let made = body(self);
            self.known_locals.remove(&local);
            return Some(made);
        }
        let ExprKind::Local(other) = &value.kind else { return None };
        if self.trace {
            return None;
        }
        let other = self.aliases.get(other).copied().unwrap_or(*other);
        let hidden = self.aliases.insert(local, other);
        let made = body(self);
        // Numbers of locals mean something else in the next mapping.
        match hidden {
            Some(hidden) => self.aliases.insert(local, hidden),
            None => self.aliases.remove(&local),
        };
        Some(made)
    }
}
