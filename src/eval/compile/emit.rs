//! Which payloads can be written straight to the output, and how.

use super::compiler::Compiler;
use super::steps::part_number;
use crate::eval::code::{ElementEmit, Emit, Plain, RequiredCode, StepEmit};
use crate::ir::{Element, EntityId, Expr, ExprKind, FieldId, Step, StepKind, When, known};

/// Steps whose fields can be written as they come: each once, none of a nested part, none looked at again.
pub(crate) fn plain(
    compiler: &mut Compiler<'_>,
    entity: EntityId,
    steps: &[Step],
    required: &[RequiredCode],
    uses_it: bool,
) -> Option<Plain> {
    let path = |step: &Step| match &step.kind {
        StepKind::Assign { path, .. } => Some(path.clone()),
        _ => None,
    };
    let paths: Vec<Vec<FieldId>> = steps.iter().filter_map(path).collect();
    let nested = paths.iter().any(|path| path.len() > 1);
    let twice = paths.iter().enumerate().any(|(n, path)| paths[..n].contains(path));
    let many = required.len() > u64::BITS as usize;
    // Entries of `meta_data` are gathered in one list.
    let metas = paths.iter().flatten().any(|field| compiler.wires.of(entity, *field).meta.is_some());
    if compiler.is_stepwise()
        || uses_it
        || nested
        || twice
        || many
        || metas
        || required.iter().any(|r| r.cond.is_some())
    {
        return None;
    }
    let required: Vec<FieldId> = required.iter().map(|r| r.field).collect();
    let emits = steps
        .iter()
        .map(|step| match &step.kind {
            StepKind::Assign { when: When::Update(_), .. } => StepEmit::Never,
            StepKind::Assign { path, value, .. } => {
                let field = path[0];
                let bit = required.iter().position(|r| *r == field).map_or(0, bit);
                match known(value).and_then(|value| compiler.wires.of(entity, field).constant(&value)) {
                    Some(member) => StepEmit::Constant { member, bit },
                    None => StepEmit::Field { field, emit: emit(compiler, value), place: step.span, bit },
                }
            }
            StepKind::Let(..) | StepKind::Check(..) | StepKind::Alert(..) => StepEmit::Step,
        })
        .collect();
    let required_bits = (0..required.len()).fold(0, |bits, n| bits | bit(n));
    Some(Plain { steps: emits, required, required_bits })
}

/// The bit of the n-th field that must be there.
fn bit(n: usize) -> u64 {
    1 << n
}

fn emit(compiler: &mut Compiler<'_>, expr: &Expr) -> Emit {
    match &expr.kind {
        ExprKind::Build(builder) => Emit::Part(part_number(compiler, builder)),
        ExprKind::List(elements) if !elements.iter().any(|e| matches!(e, Element::All(_))) => {
            Emit::List(elements.iter().map(|e| element(compiler, e)).collect())
        }
        ExprKind::Let(local, value, body) => compiler
            .aliased(*local, value, |compiler| emit(compiler, body))
            .unwrap_or_else(|| Emit::Let(compiler.local(*local), compiler.code(value), Box::new(emit(compiler, body)))),
        ExprKind::If(cond, then, other) => {
            Emit::If(compiler.code(cond), Box::new(emit(compiler, then)), Box::new(emit(compiler, other)))
        }
        _ => Emit::Value(compiler.code(expr)),
    }
}

fn element(compiler: &mut Compiler<'_>, element: &Element) -> ElementEmit {
    match element {
        Element::One(e) | Element::All(e) => ElementEmit::One(emit(compiler, e)),
        Element::For(clauses, body) => {
            let clauses = compiler.clauses(clauses);
            ElementEmit::For(clauses, emit(compiler, body))
        }
    }
}
