//! What a flow writes, and what follows: mappings at the end of an expression.

use super::compiler::Compiler;
use crate::eval::code::{Code, call};
use crate::eval::coverage::Branch;
use crate::eval::making::Role;
use crate::eval::runtime::list;
use crate::eval::value::Value;
use crate::ir::{Expr, ExprKind};

/// The call of a mapping at the end of an expression, with its role; all else is as everywhere.
pub(crate) fn written(compiler: &mut Compiler<'_>, expr: &Expr, role: Role) -> Code {
    let again: fn(&mut Compiler<'_>, &Expr) -> Code = match role {
        Role::Top => |compiler, expr| written(compiler, expr, Role::Top),
        Role::Ensured | Role::Follows => |compiler, expr| written(compiler, expr, Role::Follows),
    };
    match &expr.kind {
        ExprKind::Ensure(mapping, args) | ExprKind::Write(mapping, args) => {
            compiler.making(*mapping, args, role, expr.span)
        }
        ExprKind::If(cond, then, other) => {
            let codes = (again(compiler, then), again(compiler, other));
            let (then, other) = compiler.both_ways(cond, (then, other), codes);
            let cond = compiler.code(cond);
            call(move |run| if cond.holds(run)? { then.eval(run) } else { other.eval(run) })
        }
        ExprKind::Match(subject, arms) => compiler.arms(subject, arms, expr.span, again),
        ExprKind::Let(local, value, body) => {
            let (local, value, body) = (compiler.local(*local), compiler.code(value), again(compiler, body));
            call(move |run| {
                let value = value.eval(run);
                run.bind(local, value)?;
                body.eval(run)
            })
        }
        ExprKind::OrElse(a, b) => {
            let (value, other) = (again(compiler, a), again(compiler, b));
            let value = compiler.there(a.span, value);
            let other = compiler.branch(b.span, Branch::Absent, other);
            call(move |run| match value.eval(run)? {
                Value::Absent => other.eval(run),
                value => Ok(value),
            })
        }
        // A write for each element.
        ExprKind::List(elements) => {
            let elements = elements.iter().map(|element| compiler.element_by(element, again)).collect();
            list(elements, expr.span)
        }
        _ => compiler.code(expr),
    }
}
