//! Tests, compiled.

use super::compiler::Compiler;
use crate::eval::code::{Code, TestCode, TestedCode};
use crate::eval::making::Role;
use crate::eval::personal::Personal;
use crate::ir::{Expr, ExprKind, Test, Type, parts_of};

/// A test as code.
pub(crate) fn test(compiler: &mut Compiler<'_>, test: &Test) -> TestCode {
    (compiler.other, compiler.personal) = (None, Personal::default());
    let rows = test.cases.iter().flat_map(|cases| &cases.rows);
    let cases = rows.map(|row| row.cells.iter().map(|cell| apart(compiler, cell, one)).collect()).collect();
    let exprs = test.exprs().into_iter().map(|expr| apart(compiler, expr, tested)).collect();
    TestCode { cases, exprs }
}

fn one(compiler: &mut Compiler<'_>, cell: &Expr) -> Code {
    compiler.code(cell)
}

/// What a test itself says is not counted among what it reaches.
fn apart<T>(compiler: &mut Compiler<'_>, expr: &Expr, code: fn(&mut Compiler<'_>, &Expr) -> T) -> T {
    if let Some(counting) = &mut compiler.counting {
        counting.apart = Some(expr.span);
    }
    let made = code(compiler, expr);
    if let Some(counting) = &mut compiler.counting {
        counting.apart = None;
    }
    made
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
