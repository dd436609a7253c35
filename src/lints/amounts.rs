//! Amounts that nobody uses: a document has parts that bear its total, and a mapping that takes some of them over and
//! leaves others out loses money.

use crate::ir::{EntityId, ExprKind, FieldId, Kind, LocalId, Mapping, Program, Step, StepKind, Type, each, of_steps};
use crate::source::{Diagnostic, Span, codes};
use rustc_hash::FxHashSet;

/// A document has parts: lists whose elements bear a part of its total. A mapping that takes some of them over and
/// never reads another loses money, or stops at its `balance`.
pub(super) fn used(program: &Program, mapping: &Mapping, told: &mut Vec<Diagnostic>) {
    let mut sources: Vec<EntityId> = mapping.params.iter().filter_map(|(_, ty, _)| ty.record()).collect();
    sources.dedup();
    let parts: Vec<_> = sources.into_iter().map(|source| (source, parts_of(program, source))).collect();
    if parts.iter().all(|(_, parts)| parts.is_empty()) {
        return;
    }
    let at = mapping.balance.as_ref().map_or(mapping.span, |b| b.to.span);
    let (read, passed_on) = taken_over(&mapping.steps);
    for (source, parts) in parts.into_iter().filter(|(source, _)| !passed_on.contains(source)) {
        let (used, open): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(f, ..)| read.contains(&(source, *f)));
        if used.is_empty() {
            continue;
        }
        if let Some((_, _, declared)) = open.first() {
            let (full, used) = (program.entity(source).full_name(), &used[0].1);
            let names: Vec<String> = open.iter().map(|(_, name, _)| format!("`{name}`")).collect();
            let name = names.join(" and ");
            told.push(
                Diagnostic::new(
                    &codes::AMOUNT_UNUSED,
                    at,
                    format!("`{used}` of {full} is taken over, and the amounts of {name} never are"),
                )
                .label("an amount is left out")
                .related(*declared, "declared here")
                .help(format!("add lines for {name}, or stop records that have some with a `check`")),
            );
        }
    }
}

/// Lists of an entity whose elements have a net amount of its total's name and a tax beside it: parts of the total.
fn parts_of(program: &Program, entity: EntityId) -> Vec<(FieldId, String, Span)> {
    let e = program.entity(entity);
    let Some(total) = e.total else { return Vec::new() };
    let name = e.get(total).name.clone();
    let lists: Vec<(FieldId, String, Span, EntityId)> = e
        .fields
        .iter()
        .enumerate()
        .filter_map(|(n, f)| match f.ty.present().element() {
            Some(Type::Record(of)) => Some((FieldId(u32::try_from(n).ok()?), f.name.to_string(), f.span, *of)),
            _ => None,
        })
        .collect();
    let bears = |of: EntityId| {
        let e = program.entity(of);
        e.field(&name).is_some_and(|f| *e.get(f).ty.present() == Type::Money(Kind::Net))
            && e.fields.iter().any(|f| *f.ty.present() == Type::Money(Kind::Tax))
    };
    lists.into_iter().filter(|(.., of)| bears(*of)).map(|(f, n, s, _)| (f, n, s)).collect()
}

/// The fields that the steps of a mapping read, and the records that they pass on: what a mapping of its own or a foreign
/// function makes of one is not seen from here. Who is told of an amount has not taken it over: what alerts alone read,
/// and values that nothing else uses, do not count.
fn taken_over(steps: &[Step]) -> (FxHashSet<(EntityId, FieldId)>, FxHashSet<EntityId>) {
    let mut read: FxHashSet<(EntityId, FieldId)> = FxHashSet::default();
    let mut passed_on: FxHashSet<EntityId> = FxHashSet::default();
    let mut used: FxHashSet<LocalId> = FxHashSet::default();
    for step in steps.iter().rev() {
        match &step.kind {
            StepKind::Alert(..) => continue,
            StepKind::Let(name, _) if !used.contains(name) => continue,
            _ => {}
        }
        of_steps(std::slice::from_ref(step), &mut |outer| {
            each(outer, &mut |e| match &e.kind {
                ExprKind::Local(name) => drop(used.insert(*name)),
                ExprKind::Field(_, entity, field) => drop(read.insert((*entity, *field))),
                ExprKind::Ensure(_, args) | ExprKind::Extern(_, _, args) => {
                    passed_on.extend(args.iter().filter_map(|a| a.ty.record()));
                }
                _ => {}
            });
        });
    }
    (read, passed_on)
}
