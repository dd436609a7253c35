//! Steps and parts, compiled.

use super::compiler::Compiler;
use super::emit;
use crate::eval::code::{Assign, Code, PartCode, RequiredCode, StepCode, StepKindCode, WhenCode, call};
use crate::ir::{Builder, EntityId, ExprKind, FieldId, Program, Required, Step, StepKind, Type, When};
use crate::plan::each_step;
use std::sync::Arc;

/// Steps that fill an entity.
pub(crate) fn steps(compiler: &mut Compiler<'_>, entity: EntityId, steps: &[Step]) -> Vec<StepCode> {
    let path = |step: &Step| match &step.kind {
        StepKind::Assign { path, .. } => Some(path.clone()),
        _ => None,
    };
    let paths: Vec<Vec<FieldId>> = steps.iter().filter_map(path).collect();
    steps.iter().map(|step| self::step(compiler, entity, step, &paths)).collect()
}

fn step(compiler: &mut Compiler<'_>, entity: EntityId, step: &Step, paths: &[Vec<FieldId>]) -> StepCode {
    let kind = match &step.kind {
        StepKind::Let(local, value) => StepKindCode::Let(compiler.local(*local), compiler.code(value)),
        StepKind::Assign { path, value, when } => {
            let name = path_name(compiler.program, entity, path);
            let value = compiler.code(value);
            StepKindCode::Assign(Assign {
                path: path.clone().into(),
                wire: wire_path(compiler, entity, path),
                of: *owners(compiler.program, entity, path).last().unwrap_or(&entity),
                value: compiler.field_value(step.span, &name, value),
                name,
                again: paths.iter().filter(|other| *other == path).count() > 1,
                identity: matches!(**path, [field] if compiler.program.entity(entity).get(field).is_identity()),
                when: match when {
                    When::Always => WhenCode::Always,
                    When::Create => WhenCode::Create,
                    When::Update(cond) => WhenCode::Update(cond.as_ref().map(|cond| compiler.condition(cond))),
                },
            })
        }
        StepKind::Check(cond, text) => StepKindCode::Check(compiler.condition(cond), compiler.code(text)),
        StepKind::Alert(cond, text) => StepKindCode::Alert(compiler.condition(cond), compiler.reason(text)),
    };
    StepCode { kind, span: step.span, displaced: step.displaced.clone() }
}

/// The fields of an entity that must be there.
pub(crate) fn required(compiler: &mut Compiler<'_>, entity: EntityId) -> Vec<RequiredCode> {
    let program = compiler.program;
    let mut all = Vec::new();
    for (n, field) in program.entity(entity).fields.iter().enumerate() {
        let id = FieldId(u32::try_from(n).unwrap_or(u32::MAX));
        match &field.required {
            Required::No => {}
            Required::Yes => all.push(RequiredCode { field: id, cond: None, or_absent: false }),
            Required::When { cond, or_absent } => {
                all.push(RequiredCode { field: id, cond: Some(compiler.code(cond)), or_absent: *or_absent });
            }
        }
    }
    all
}

/// A part as code.
pub(crate) fn part(compiler: &mut Compiler<'_>, builder: &Builder) -> Code {
    let n = part_number(compiler, builder);
    call(move |run| PartCode::make(run, n))
}

/// The number of a compiled part; one that stands in several compiled forms is compiled once.
pub(crate) fn part_number(compiler: &mut Compiler<'_>, builder: &Builder) -> usize {
    let address = std::ptr::from_ref(builder) as usize;
    if let Some(n) = compiler.part_numbers.get(&address) {
        return *n;
    }
    let mut uses_it = false;
    each_step(&builder.steps, &mut |e| uses_it |= matches!(e.kind, ExprKind::It(_) | ExprKind::ItSelf));
    let entity = &compiler.program.entity(builder.entity).name;
    let owner = if builder.name.is_empty() { Arc::clone(entity) } else { Arc::clone(&builder.name) };
    let steps = compiler.owned(&owner, |compiler| steps(compiler, builder.entity, &builder.steps));
    let required = required(compiler, builder.entity);
    uses_it |= required.iter().any(|r| r.cond.is_some());
    let plain = emit::plain(compiler, builder.entity, &builder.steps, &required, uses_it);
    let n = compiler.parts.len();
    compiler.parts.push(PartCode { entity: builder.entity, steps, uses_it, plain, required });
    compiler.part_numbers.insert(address, n);
    n
}

/// `billing.phone`
pub(crate) fn path_name(program: &Program, entity: EntityId, path: &[FieldId]) -> String {
    let names =
        owners(program, entity, path).into_iter().zip(path).map(|(of, field)| &*program.entity(of).get(*field).name);
    names.collect::<Vec<_>>().join(".")
}

/// Of each field on the way whose it is.
fn owners(program: &Program, entity: EntityId, path: &[FieldId]) -> Vec<EntityId> {
    let mut at = entity;
    let part = |field: &FieldId| {
        let of = at;
        if let Type::Record(part) = program.entity(of).get(*field).ty.present() {
            at = *part;
        }
        of
    };
    path.iter().map(part).collect()
}

fn wire_path(compiler: &Compiler<'_>, entity: EntityId, path: &[FieldId]) -> Arc<[Arc<str>]> {
    let program = compiler.program;
    let mut names = Vec::with_capacity(path.len());
    for (of, field) in owners(program, entity, path).into_iter().zip(path) {
        let wire = compiler.wires.of(of, *field);
        match &wire.meta {
            Some(key) => {
                names.extend(program.entries_of(program.entity(of)).map(|entries| Arc::clone(entries.list)));
                names.push(Arc::clone(key));
            }
            None => names.push(Arc::clone(&wire.wire)),
        }
    }
    names.into()
}
