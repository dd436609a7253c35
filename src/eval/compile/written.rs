//! What a flow writes, and what follows: mappings at the end of an expression.

use super::compiler::Compiler;
use crate::eval::code::{Code, call};
use crate::eval::making::Role;
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
            let (cond, then, other) = (compiler.code(cond), again(compiler, then), again(compiler, other));
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
            let (a, b) = (again(compiler, a), again(compiler, b));
            call(move |run| match a.eval(run)? {
                Value::Absent => b.eval(run),
                value => Ok(value),
            })
        }
        _ => compiler.code(expr),
    }
}
