//! Code that counts as it passes: fields that are filled, ways that choices go, rows that are found. Where nothing is
//! counted, the code is what it was.

use super::compiler::Compiler;
use crate::eval::code::{Code, call};
use crate::eval::coverage::{Branch, Counter, Passed, Point};
use crate::eval::value::Value;
use crate::ir::{Binary, Expr, ExprKind, Unary};
use crate::source::Span;
use std::sync::Arc;

impl Compiler<'_> {
    fn counter(&mut self, span: Span, what: Passed) -> Option<Counter> {
        let counting = self.counting.as_mut()?;
        if counting.apart.is_some_and(|apart| within(span, apart)) {
            return None;
        }
        Some(counting.coverage.counter(Point { span, what }))
    }

    /// The code of a condition, which counts both of its ways. One that joins others is counted by those.
    pub(crate) fn decided(&mut self, expr: &Expr, code: Code) -> Code {
        if is_joined(expr) {
            return code;
        }
        let holds = self.counter(expr.span, Passed::Branch(Branch::Holds));
        let (Some(holds), Some(not)) = (holds, self.counter(expr.span, Passed::Branch(Branch::HoldsNot))) else {
            return code;
        };
        call(move |run| {
            let value = code.eval(run)?;
            match value {
                Value::Bool(true) => holds.pass(),
                _ => not.pass(),
            }
            Ok(value)
        })
    }

    /// A way of a choice, which counts that it is taken.
    pub(crate) fn branch(&mut self, place: Span, branch: Branch, code: Code) -> Code {
        self.taken(place, Passed::Branch(branch), code)
    }

    /// Both ways of an `if`. One that nobody wrote (`a?.b`, a code that may be absent) is none that is counted.
    pub(crate) fn both_ways(&mut self, cond: &Expr, ways: (&Expr, &Expr), codes: (Code, Code)) -> (Code, Code) {
        let (cond, then, other) = (cond.span, ways.0.span, ways.1.span);
        let is_written =
            cond.file == then.file && then.file == other.file && cond.end <= then.start && then.end <= other.start;
        if !is_written {
            return codes;
        }
        let yes = self.branch(then, Branch::Then, codes.0);
        (yes, self.branch(other, Branch::Else, codes.1))
    }

    /// Code that counts that it is come to.
    pub(crate) fn taken(&mut self, span: Span, what: Passed, code: Code) -> Code {
        let Some(counter) = self.counter(span, what) else { return code };
        call(move |run| {
            counter.pass();
            code.eval(run)
        })
    }

    /// The value before `??`, which counts that it is there.
    pub(crate) fn there(&mut self, place: Span, code: Code) -> Code {
        self.valued(place, Passed::Branch(Branch::There), code)
    }

    /// The value of a field, which counts that it is one.
    pub(crate) fn field_value(&mut self, span: Span, name: &str, code: Code) -> Code {
        let Some(counting) = &self.counting else { return code };
        let what = Passed::Field(Arc::clone(&counting.owner), name.into());
        self.valued(span, what, code)
    }

    fn valued(&mut self, span: Span, what: Passed, code: Code) -> Code {
        let Some(counter) = self.counter(span, what) else { return code };
        call(move |run| {
            let value = code.eval(run)?;
            if !matches!(value, Value::Absent | Value::Keep) {
                counter.pass();
            }
            Ok(value)
        })
    }

    /// What is compiled now fills fields of this mapping or part.
    pub(crate) fn owned<T>(&mut self, owner: &Arc<str>, body: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.counting.as_mut().map(|c| std::mem::replace(&mut c.owner, Arc::clone(owner)));
        let made = body(self);
        if let (Some(counting), Some(before)) = (&mut self.counting, before) {
            counting.owner = before;
        }
        made
    }
}

/// Whether conditions are joined here, each of which is counted.
fn is_joined(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary(Binary::And | Binary::Or, ..) => true,
        ExprKind::Unary(Unary::Not, inner) => is_joined(inner),
        _ => false,
    }
}

fn within(part: Span, whole: Span) -> bool {
    part.file == whole.file && part.start >= whole.start && part.end <= whole.end
}
