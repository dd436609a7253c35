//! Calls of functions: of those that the language has by itself, and of scripts.

use super::compiler::Compiler;
use super::fused;
use crate::eval::code::{Code, LineFields, call};
use crate::eval::failure::{Failure, Halt, note};
use crate::eval::making::Role;
use crate::eval::natives::{self, At, apply};
use crate::eval::script::Called;
use crate::eval::script_stop::Stopped;
use crate::eval::value::Value;
use crate::ir::{Binary, Const, EntityId, Expr, ExprKind, LocalId, Native, Type, known};
use crate::plan::meta_entry;
use crate::source::Span;
use std::sync::Arc;

/// Arguments that need no room in the arena.
const ARGS_FEW: usize = 4;

/// A call of a native as code.
pub(crate) fn native(compiler: &mut Compiler<'_>, native: Native, args: &[Expr], expr: &Expr) -> Code {
    let personal = args.first().is_some_and(|of| compiler.tells_personal(of));
    let at = At { span: expr.span, ty: expr.ty.clone(), personal };
    match (native, args) {
        (Native::Any | Native::All, [list, Expr { kind: ExprKind::Lambda(locals, body), .. }])
            if let (Some(Const::List(elements)), [local], true) = (known(list), &**locals, compiler.is_free(body)) =>
        {
            // Each of the elements is known, and so is much of what is asked of it.
            let asked =
                elements.iter().map(|element| compiler.code(&fused::with_constant((**body).clone(), *local, element)));
            let one_by_one = natives::asked_in_turn(native, asked.collect());
            match fused::contains_each(&elements, *local, body) {
                Some((text, parts)) => natives::contains_each(native, compiler.code(text), &parts, one_by_one),
                None => one_by_one,
            }
        }
        (
            Native::Map
            | Native::Where
            | Native::Flat
            | Native::Any
            | Native::All
            | Native::Sum
            | Native::First
            | Native::Sorted,
            [list, Expr { kind: ExprKind::Lambda(locals, body), .. }],
        ) => {
            let list = compiler.code(list);
            let body = if body.ty == Type::Bool { compiler.condition(body) } else { compiler.code(body) };
            let each = compiler.each(*locals.first().unwrap_or(&LocalId(0)));
            natives::over_list(native, list, each, body, at)
        }
        (Native::Chain, [list, Expr { kind: ExprKind::Lambda(locals, body), .. }]) if let [each, last] = &**locals => {
            let (list, last) = (compiler.code(list), compiler.local(*last));
            let body = compiler.code(body);
            natives::chained(list, compiler.each(*each), last, body)
        }
        (Native::Round, [Expr { kind: ExprKind::Binary(Binary::Div, a, b), span: division, .. }, digits])
            if a.ty.present().is_number() && !compiler.is_stepwise() =>
        {
            divided_and_rounded(compiler, (a, b, *division), digits, at.span)
        }
        (Native::First, [Expr { kind: ExprKind::Native(Native::Where, inner), .. }])
            if !compiler.is_stepwise()
                && let [list, Expr { kind: ExprKind::Lambda(locals, body), .. }] = inner.as_slice() =>
        {
            let (list, body) = (compiler.code(list), compiler.code(body));
            natives::first_where(list, compiler.each(*locals.first().unwrap_or(&LocalId(0))), body)
        }
        (Native::Capture, [text, pattern]) => {
            let pattern = match known(pattern) {
                Some(Const::Text(pattern)) => regex::Regex::new(&pattern).map_err(|e| e.to_string()),
                _ => Err("it is not known when the flow is compiled".to_owned()),
            };
            natives::capture(compiler.code(text), pattern, at.span)
        }
        (Native::IsEmpty, [of @ Expr { kind: ExprKind::Native(Native::Capture, inner), .. }])
            if let ([text, pattern], true) = (&**inner, compiler.is_alone(of))
                && let Some(Const::Text(pattern)) = known(pattern)
                && let Ok(pattern) = regex::Regex::new(&pattern) =>
        {
            natives::captures_none(compiler.code(text), pattern)
        }
        (Native::Replace, _) if let Some((text, changes, at)) = fused::characters_replaced(compiler, args, expr) => {
            natives::characters_replaced(compiler.code(text), changes, at)
        }
        (Native::Linked, [record]) => {
            let entity = entity_of(&record.ty);
            let other = compiler.other.unwrap_or(entity);
            natives::linked(compiler.code(record), entity, (None, vec![other]), at.span)
        }
        (Native::Linked, [record, mapping]) => linked_as(compiler, record, mapping, at.span),
        (Native::MetaOf, [entries, key]) => meta_of(compiler, expr, entries, key),
        (Native::JsonOf, [value]) => natives::json_of(compiler.code(value), is_json(&value.ty), at.span),
        (Native::DocumentTotal, [lines, names @ ..]) => document_total(compiler, lines, names, at.span),
        _ if compiler.is_stepwise() => applied(compiler, native, args, at),
        _ => {
            let known: Vec<Option<Const>> = args.iter().map(known).collect();
            match (natives::direct(native, &known, &at), args) {
                (Some(direct), [first, ..]) => direct(compiler.code(first)),
                _ => applied(compiler, native, args, at),
            }
        }
    }
}

/// Whether a mapping, by its name, made one of the other. What it makes and what it is given are the ends of its links.
fn linked_as(compiler: &mut Compiler<'_>, record: &Expr, mapping: &Expr, span: Span) -> Code {
    let entity = entity_of(&record.ty);
    let name = match known(mapping) {
        Some(Const::Text(name)) => Some(name),
        _ => None,
    };
    let made = compiler.program.mappings.iter().find(|m| name.as_ref() == Some(&m.name));
    let ends = made.map_or(Vec::new(), |m| {
        if entity != m.target {
            return vec![m.target];
        }
        let records = m.params.iter().filter_map(|(_, ty, _)| match ty.present() {
            Type::Record(entity) if compiler.program.entity(*entity).stands_alone() => Some(*entity),
            _ => None,
        });
        records.collect()
    });
    natives::linked(compiler.code(record), entity, (name, ends), span)
}

/// A function of values that are all computed first.
fn applied(compiler: &mut Compiler<'_>, native: Native, args: &[Expr], at: At) -> Code {
    let args = compiler.codes(args);
    call(move |run| match args.as_slice() {
        [one] => {
            let one = one.eval(run)?;
            apply(run, native, &[one], &at)
        }
        few if few.len() <= ARGS_FEW => {
            let mut values = [Value::Absent; ARGS_FEW];
            let mut halted = None;
            for (arg, value) in few.iter().zip(&mut values) {
                match arg.eval(run) {
                    Ok(known) => *value = known,
                    Err(halt) => note(&mut halted, halt)?,
                }
            }
            match halted {
                Some(halt) => Err(halt),
                None => apply(run, native, &values[..few.len()], &at),
            }
        }
        many => {
            let args = run.arguments(many, Role::Ensured)?;
            apply(run, native, args, &at)
        }
    })
}

/// `(a / b).round(n)`, rounded once.
fn divided_and_rounded(
    compiler: &mut Compiler<'_>,
    (a, b, division): (&Expr, &Expr, Span),
    digits: &Expr,
    span: Span,
) -> Code {
    let known = match known(digits) {
        Some(Const::Number(n)) => natives::decimals(Native::Round, Some(&Value::Number(n)), span).ok(),
        _ => None,
    };
    let (a, b, digits) = (compiler.code(a), compiler.code(b), compiler.code(digits));
    natives::divided_and_rounded((a, b, division), digits, known, span)
}

/// `(entries of meta_data, key)`. A key that is known when the flow is compiled has a slot of its own.
fn meta_of(compiler: &mut Compiler<'_>, expr: &Expr, entries: &Expr, key: &Expr) -> Code {
    let entity = entries.ty.present().element().map_or(EntityId(0), entity_of);
    let schema = compiler.program.entity(entity);
    let (listed, named) = (compiler.code(entries), compiler.code(key));
    let searched = natives::meta_of(listed, named, entity, schema.entry, expr.span);
    match meta_entry(expr) {
        Some((record, key)) => {
            let of = entity_of(record.ty.present());
            natives::meta_slot(compiler.code(record), of, Arc::clone(key), searched, expr.span)
        }
        None => searched,
    }
}

/// What a document's lines come to: `(lines, net, tax)`, or `(lines, quantity, price, code)`.
fn document_total(compiler: &mut Compiler<'_>, lines: &Expr, names: &[Expr], span: Span) -> Code {
    let fields = line_fields(compiler, lines, names);
    natives::document_total(compiler.code(lines), fields, span)
}

/// What the formula of a total looks at in each of these lines.
pub(super) fn line_fields(compiler: &Compiler<'_>, lines: &Expr, names: &[Expr]) -> LineFields {
    let entity = lines.ty.present().element().map_or(EntityId(0), entity_of);
    let schema = compiler.program.entity(entity);
    let named = names.iter().filter_map(|name| match known(name) {
        Some(Const::Text(name)) => schema.field(&name),
        _ => None,
    });
    let fields: Vec<_> = named.collect();
    let codes = fields.get(2).and_then(|field| match schema.get(*field).ty.present() {
        Type::Code(entity) | Type::Record(entity) => Some(*entity),
        _ => None,
    });
    LineFields { entity, fields, codes }
}

/// A call of a function in rhai.
pub(crate) fn script(
    compiler: &mut Compiler<'_>,
    (file, name): (&Arc<str>, &Arc<str>),
    args: &[Expr],
    expr: &Expr,
) -> Code {
    let personal = args.iter().any(|arg| compiler.tells_personal(arg));
    let whole: Vec<bool> = args.iter().map(|arg| is_whole(&arg.ty)).collect();
    let args = compiler.codes(args);
    let (file, name, ty, span) = (Arc::clone(file), Arc::clone(name), expr.ty.clone(), expr.span);
    call(move |run| {
        let args = run.arguments(&args, Role::Ensured)?;
        let failed = |Stopped { line, reason }: Stopped| {
            let line = line.map(|n| format!(":{n}")).unwrap_or_default();
            Halt::soft(Failure::new(format!("`{name}` in {file}{line} stopped: {reason}"), span))
        };
        let called = Called { file: &file, name: &name, personal };
        run.compiled.scripts.call(run.arena, called, args, &whole, &ty).map_err(failed)
    })
}

fn entity_of(ty: &Type) -> EntityId {
    match ty.present() {
        Type::Record(entity) | Type::Code(entity) => *entity,
        _ => EntityId(0),
    }
}

/// Whether it is JSON already, or a list of it.
fn is_json(ty: &Type) -> bool {
    match ty.present() {
        Type::List(element) => is_json(element),
        ty => *ty == Type::Json,
    }
}

/// Whether numbers of this type are whole, in lists too.
fn is_whole(ty: &Type) -> bool {
    match ty.present() {
        Type::List(element) => is_whole(element),
        ty => *ty == Type::Int,
    }
}
