//! Expressions that tell what they look at.

use super::compiler::Compiler;
use crate::eval::code::{Code, call};
use crate::eval::trace::Item;
use crate::eval::value::{Value, show};
use crate::ir::{Expr, ExprKind};
use std::sync::Arc;

/// The code of an expression that tells what it looks at. What is inside is compiled once: twice at each depth would
/// never end.
pub(crate) fn traced(compiler: &mut Compiler<'_>, expr: &Expr) -> Code {
    match &expr.kind {
        ExprKind::Setting(name, _) => {
            let (name, code) = (Arc::clone(name), compiler.plain_code(expr));
            call(move |run| {
                let value = code.eval(run)?;
                run.tell(|| Item::Setting(Arc::clone(&name), show(value)));
                Ok(value)
            })
        }
        ExprKind::Field(of, entity, field) => {
            let (entity, field, span) = (*entity, *field, expr.span);
            let name = Arc::clone(&compiler.program.entity(entity).get(field).name);
            let of = compiler.code(of);
            call(move |run| {
                let of = of.eval(run)?;
                let value = run.field(of, entity, field, span)?;
                // Records and lists are looked into further: their fields tell themselves.
                if let Value::Record(record) = of
                    && !matches!(value, Value::Record(_) | Value::List(_))
                {
                    let found =
                        run.source.is_none_or(|source| source.entity != record.entity && record.path.is_empty());
                    let path = match (record.path, found) {
                        ("", false) => name.to_string(),
                        ("", true) => format!("{}.{name}", run.compiled.program.entity(record.entity).full_name()),
                        (path, _) => format!("{path}.{name}"),
                    };
                    run.tell(|| Item::Source(path, show(value)));
                }
                Ok(value)
            })
        }
        ExprKind::Local(local) => {
            let (local, code) = (compiler.local(*local), compiler.plain_code(expr));
            call(move |run| {
                run.told_again(local);
                code.eval(run)
            })
        }
        ExprKind::Let(local, value, body) => {
            let (local, value, body) = (compiler.local(*local), compiler.code(value), compiler.code(body));
            call(move |run| {
                let mark = run.tell_from();
                let value = value.eval(run);
                run.told_local(mark, local);
                run.bind(local, value)?;
                body.eval(run)
            })
        }
        _ => compiler.plain_code(expr),
    }
}
