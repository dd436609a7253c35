//! Mappings and flows, compiled.

use super::calls::line_fields;
use super::compiler::Compiler;
use super::emit::plain;
use super::header::header;
use super::shared::Shared;
use super::steps::{required, steps};
use super::written::written;
use crate::eval::code::{BalanceCode, Code, FlowCode, MappingCode, RestCode, SharesCode};
use crate::eval::making::Role;
use crate::eval::personal::Personal;
use crate::ir::{
    Balance, Const, EntityId, Expr, ExprKind, FieldId, Flow, Key, LocalId, Mapping, MappingId, Native, Rest, Step,
    StepKind, Verb, known,
};
use crate::plan::{each, each_step};
use std::collections::BTreeSet;

/// A flow as code.
pub(crate) fn flow(compiler: &mut Compiler<'_>, flow: &Flow) -> FlowCode {
    let mut other = None;
    each(&flow.write, &mut |e| {
        if let (ExprKind::Write(id, _) | ExprKind::Ensure(id, _), None) = (&e.kind, other) {
            other = Some(compiler.program.mapping(*id).target);
        }
    });
    compiler.other = other;
    compiler.personal = Personal::of_flow(compiler.program, flow);
    compiler.begin_frame(|| Shared::of_flow(flow));
    FlowCode {
        record: compiler.local(flow.record),
        filter: flow.filter.as_ref().map(|filter| compiler.condition(filter)),
        steps: steps(compiler, flow.source, &flow.steps),
        once: once(compiler, flow),
        watch: flow.watch.as_ref().map(|watch| (compiler.local(watch.record), compiler.code(&watch.unit))),
        write: written(compiler, &flow.write, Role::Top),
        frame: compiler.frame(),
    }
}

/// What a flow reads once, in the order in which it is numbered.
fn once(compiler: &mut Compiler<'_>, flow: &Flow) -> Vec<Code> {
    let value = |step: &Step| match &step.kind {
        StepKind::Let(_, Expr { kind: ExprKind::Once(_, value), .. }) => Some(compiler.code(value)),
        _ => None,
    };
    flow.steps.iter().filter_map(value).collect()
}

/// A mapping as code.
pub(crate) fn mapping(compiler: &mut Compiler<'_>, mapping: &Mapping) -> MappingCode {
    compiler.other = Some(mapping.target);
    compiler.personal = Personal::of_mapping(compiler.program, mapping);
    compiler.begin_frame(|| Shared::of_mapping(mapping));
    let required = required(compiler, mapping.target);
    let plain =
        if makes_more(mapping) { None } else { plain(compiler, mapping.target, &mapping.steps, &required, false) };
    MappingCode {
        plain,
        id: MappingId(u32::try_from(compiler.mappings_made).unwrap_or(u32::MAX)),
        target: mapping.target,
        params: mapping.params.iter().map(|(_, _, local)| compiler.local(*local)).collect(),
        steps: compiler.owned(&mapping.name, |compiler| steps(compiler, mapping.target, &mapping.steps)),
        key_steps: key_steps(mapping),
        nests: mapping.steps.iter().any(|step| matches!(&step.kind, StepKind::Assign { path, .. } if path.len() > 1)),
        header: header(compiler, &mapping.header),
        balance: mapping.balance.as_ref().map(|balance| self::balance(compiler, mapping.target, balance)),
        then: mapping.then.iter().map(|expr| written(compiler, expr, Role::Follows)).collect(),
        required,
        span: mapping.span,
        frame: compiler.frame(),
    }
}

/// A balance as code.
fn balance(compiler: &mut Compiler<'_>, target: EntityId, balance: &Balance) -> BalanceCode {
    BalanceCode {
        field: balance.field,
        formula: balance.formula.as_ref().map(|formula| compiler.code(formula)),
        to: compiler.code(&balance.to),
        within: balance.within.as_ref().map(|e| compiler.code(e)),
        lines: balance.lines,
        shares: shares(compiler, target, balance),
        rest: balance.rest.as_ref().map(|rest| match rest {
            Rest::Line(local, line) => RestCode::Line(compiler.local(*local), compiler.only_then(line)),
            Rest::Field(field) => RestCode::Field(*field),
        }),
        sum: compiler.local(balance.sum),
        otherwise: balance.otherwise.as_ref().map(|e| compiler.only_then(e)),
        span: balance.span,
    }
}

/// What says how much of the total stands under each code of a tax, where the schema of the document says which lines have one.
fn shares(compiler: &Compiler<'_>, target: EntityId, balance: &Balance) -> Option<SharesCode> {
    let taxed = compiler.program.entity(target).books.lines?;
    match balance.formula.as_ref().map(|formula| &formula.kind) {
        Some(ExprKind::Native(Native::DocumentTotal, args)) if balance.lines == Some(taxed.list) => {
            let (lines, names) = args.split_first()?;
            Some(SharesCode { line: line_fields(compiler, lines, names), code: taxed.code })
        }
        _ => None,
    }
}

/// Whether a mapping makes more than its payload, looks for what is there, or looks at what it makes.
fn makes_more(mapping: &Mapping) -> bool {
    let mut more = mapping.balance.is_some()
        || !mapping.then.is_empty()
        || !mapping.header.keys.is_empty()
        || !matches!(&mapping.header.verb, Verb::CreateUnless(cond) if known(cond) == Some(Const::Bool(false)));
    each_step(&mapping.steps, &mut |e| {
        more |= matches!(
            e.kind,
            ExprKind::Ensure(..) | ExprKind::Write(..) | ExprKind::It(_) | ExprKind::ItSelf | ExprKind::Was
        );
    });
    more
}

/// The steps that fill the keys, and those that these depend on.
fn key_steps(mapping: &Mapping) -> Vec<bool> {
    let mut fields = BTreeSet::new();
    let mut locals = BTreeSet::new();
    let note = |expr: &Expr, fields: &mut BTreeSet<FieldId>, locals: &mut BTreeSet<LocalId>| {
        each(expr, &mut |e| match &e.kind {
            ExprKind::It(field) => {
                fields.insert(*field);
            }
            ExprKind::Local(local) => {
                locals.insert(*local);
            }
            _ => {}
        });
    };
    for key in &mapping.header.keys {
        match key {
            Key::Linked(expr) => note(expr, &mut fields, &mut locals),
            Key::By(by) => fields.extend(by.iter().map(|k| k.field)),
            Key::Itself => {}
        }
    }
    let header = &mapping.header;
    let values = header.prefer.iter().map(|(_, expr)| expr).chain(&header.accept);
    values.for_each(|expr| note(expr, &mut fields, &mut locals));
    // Steps only depend on those before them.
    let mut needed = vec![false; mapping.steps.len()];
    for (n, step) in mapping.steps.iter().enumerate().rev() {
        match &step.kind {
            StepKind::Let(local, value) if locals.contains(local) => {
                needed[n] = true;
                note(value, &mut fields, &mut locals);
            }
            StepKind::Assign { path, value, .. } if path.first().is_some_and(|f| fields.contains(f)) => {
                needed[n] = true;
                note(value, &mut fields, &mut locals);
            }
            _ => {}
        }
    }
    needed
}
