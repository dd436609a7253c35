//! Tests, compiled.

use super::compiler::Compiler;
use crate::eval::code::{Code, TestCode, TestedCode};
use crate::eval::making::Role;
use crate::eval::personal::Personal;
use crate::ir::{Expr, ExprKind, Test, Type, parts_of};

/// A test as code.
pub(crate) fn test(compiler: &mut Compiler<'_>, test: &Test) -> TestCode {
    (compiler.other, compiler.personal) = (None, Personal::default());
    let exprs = test.exprs();
    TestCode { exprs: exprs.into_iter().map(|expr| tested(compiler, expr)).collect() }
}

fn tested(compiler: &mut Compiler<'_>, expr: &Expr) -> TestedCode {
    // Of a condition its parts are of interest; of anything else the value itself is.
    let parts = if expr.ty == Type::Bool { parts_of(expr) } else { Vec::new() };
    let parts = parts.into_iter().map(|part| (part.span, asked(compiler, part))).collect();
    TestedCode { code: asked(compiler, expr), parts }
}

/// A mapping that a test calls makes its record's own copy, as a flow's does.
fn asked(compiler: &mut Compiler<'_>, expr: &Expr) -> Code {
    match &expr.kind {
        ExprKind::Ensure(mapping, args) => compiler.making(*mapping, args, Role::Top, expr.span),
        _ => compiler.code(expr),
    }
}
