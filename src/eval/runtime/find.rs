//! Finds as code: rows by the values of their fields, records by their links.

use crate::eval::code::{Code, call};
use crate::eval::failure::{Failure, Halt};
use crate::eval::query::{LinkNeed, Query};
use crate::eval::value::Value;
use crate::ir::{ChangedRows, EntityId, Expr, Find, Type};
use crate::source::Span;
use std::sync::Arc;

/// The one row with these values.
pub(crate) fn find(find: &Find, values: Vec<Code>, span: Span) -> Code {
    let (entity, by, must) = (find.entity, find.by.clone(), find.must);
    let connection = Arc::clone(&find.connection);
    call(move |run| {
        let Some(values) = run.key_values(&values, span)? else { return Ok(Value::Absent) };
        // An entity of one record is found by nothing: `TaxSettings()`.
        if !by.is_empty() && values.iter().all(Option::is_none) {
            let schema = run.compiled.program.entity(entity);
            let names: Vec<&str> = by.iter().map(|field| &*schema.get(*field).name).collect();
            let reason = format!("the {} can't be found: its {} is empty", schema.name, names.join(" and "));
            return if must { Err(Halt::fail(Failure::new(reason, span))) } else { Ok(Value::Absent) };
        }
        match run.find(Some(&connection), entity, &by, values, span)? {
            [row] => Ok(Value::Record(row)),
            [] if must => Err(run.none_found(entity, &by, values, span)),
            [] => Ok(Value::Absent),
            _ => Err(run.two_found(entity, &by, values, span)),
        }
    })
}

/// All rows with these values.
pub(crate) fn find_all(find: &Find, values: Vec<Code>, span: Span) -> Code {
    let (entity, by) = (find.entity, find.by.clone());
    let connection = Arc::clone(&find.connection);
    call(move |run| {
        // Nothing refers to a document that is not written yet.
        let Some(values) = run.key_values(&values, span)? else { return Ok(Value::List(&[])) };
        let rows = run.find(Some(&connection), entity, &by, values, span)?;
        Ok(Value::List(run.arena.alloc_slice_fill_iter(rows.iter().map(|row| Value::Record(row)))))
    })
}

/// All records that have changed since a moment.
pub(crate) fn changed_since(of: &ChangedRows, since: Code, span: Span) -> Code {
    let (entity, connection) = (of.entity, Arc::clone(&of.connection));
    call(move |run| {
        let Value::Instant(since) = since.eval(run)? else { return Ok(Value::Absent) };
        let need = Query::Changed { connection: Arc::clone(&connection), entity, since };
        let rows = run.rows(need, entity, span)?;
        Ok(Value::List(run.arena.alloc_slice_fill_iter(rows.iter().map(|row| Value::Record(row)))))
    })
}

/// What a flow reads once for all of its records. Where nobody keeps it, as in a test, it is made anew.
pub(crate) fn once(n: u32, of: &Expr, code: Code, span: Span) -> Code {
    let element = of.ty.present().element().map(|ty| ty.present().clone());
    let entity = match element {
        Some(Type::Record(entity)) => Some(entity),
        _ => None,
    };
    call(move |run| {
        let (Some(entity), Some(flow)) = (entity.filter(|_| run.known.keeps_once()), run.flow) else {
            return code.eval(run);
        };
        let rows = run.rows(Query::Once { flow, n, entity }, entity, span)?;
        Ok(Value::List(run.arena.alloc_slice_fill_iter(rows.iter().map(|row| Value::Record(row)))))
    })
}

/// A code that is asked for where there is somebody to ask.
pub(crate) fn verified(find: &Find, value: Code, span: Span) -> Code {
    let (entity, by, must) = (find.entity, find.by.clone(), find.must);
    let connection = Arc::clone(&find.connection);
    call(move |run| {
        let value = value.eval(run)?;
        let Value::Text(code) = value else { return Ok(value) };
        if run.known.offline() {
            return Ok(value);
        }
        let wanted = [Some(code)];
        match run.find(Some(&connection), entity, &by, &wanted, span)?.len() {
            1 => Ok(value),
            0 if must => Err(run.none_found(entity, &by, &wanted, span)),
            0 => Ok(Value::Absent),
            _ => Err(run.two_found(entity, &by, &wanted, span)),
        }
    })
}

/// The record of an entity that is linked to one, which is of the entity `from`.
pub(crate) fn linked_to(entity: EntityId, of: Code, from: EntityId, span: Span) -> Code {
    call(move |run| {
        let of = of.eval(run)?;
        let Some((from, key)) = run.identity(of, from, span)? else { return Ok(Value::Absent) };
        let need = LinkNeed { mapping: None, entity: from, key: key.into(), other: entity };
        match run.linked(need, span)?.as_slice() {
            [] => Ok(Value::Absent),
            [id] => Ok(Value::Reference(id)),
            _ => {
                let name = &run.compiled.program.entity(entity).name;
                Err(Halt::fail(Failure::new(format!("it is linked to more than one {name}"), span)))
            }
        }
    })
}
