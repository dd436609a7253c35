//! Records within a payload: by their keys, or field by field.

use super::field::left_out;
use super::write::write;
use crate::eval::code::Run;
use crate::eval::failure::{Failure, Halt};
use crate::eval::pending::Pending;
use crate::eval::value::{Built, BuiltField, Value};
use crate::ir::{EntityId, FieldId, Type};
use crate::json::write_text;
use crate::source::Span;

/// Appends the key of a record that is referred to, or the mark of one that is not there yet.
pub(crate) fn reference<'r>(
    run: &mut Run<'r>,
    entity: EntityId,
    number: bool,
    value: Value<'r>,
    place: Span,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    if let Value::Draft(n) = value
        && run.drafts[n as usize].id.is_none()
    {
        run.refer_to(n);
        let entity = run.compiled.program.entity(run.drafts[n as usize].draft.entity);
        Pending::write(n as usize, entity, out);
        return Ok(());
    }
    let value = match value {
        // A natural key stands for its record; a guid is the key itself.
        Value::Text(code) if !crate::value::code::is_guid(code) => Value::Record(run.row_by_code(entity, code, place)?),
        Value::Text(guid) => Value::Reference(guid),
        other => other,
    };
    match run.text_of_key(value, place)? {
        Some(key) if number => out.extend_from_slice(key.as_bytes()),
        Some(key) => write_text(key, out),
        None => {
            let name = &run.compiled.program.entity(entity).name;
            let reason = format!("the {name} has no key that can be referred to");
            return Err(Halt::fail(Failure::new(reason, place)));
        }
    }
    Ok(())
}

/// Appends the code by which people know a record.
pub(crate) fn natural_key<'r>(
    run: &mut Run<'r>,
    entity: EntityId,
    value: Value<'r>,
    place: Span,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    if let Some(key) = code_text(run, entity, value, place)? {
        write_text(key, out);
    } else {
        let name = &run.compiled.program.entity(entity).name;
        return Err(Halt::fail(Failure::new(format!("the {name} has no code"), place)));
    }
    Ok(())
}

/// The code by which people know a record; none where it has none.
pub(crate) fn code_text<'r>(
    run: &mut Run<'r>,
    entity: EntityId,
    value: Value<'r>,
    place: Span,
) -> Result<Option<&'r str>, Halt> {
    let value = match (value, run.compiled.program.entity(entity).code) {
        (Value::Text(_) | Value::Number(_) | Value::Absent, _) | (_, None) => value,
        (other, Some(code)) => run.field(other, entity, code, place)?,
    };
    run.text_of_key(value, place)
}

/// Appends a part as an object; fields of nested parts are gathered under one member.
pub(crate) fn object<'r>(run: &mut Run<'r>, built: &'r Built<'r>, out: &mut Vec<u8>) -> Result<(), Halt> {
    object_at(run, built.entity, built.fields, 0, out)
}

/// The fields whose paths agree so far, from `depth` on.
pub(crate) fn object_at<'r>(
    run: &mut Run<'r>,
    entity: EntityId,
    fields: &[BuiltField<'r>],
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    out.push(b'{');
    let start = out.len();
    for (n, field) in fields.iter().enumerate() {
        let head = field.path[depth];
        let wire = run.compiled.wires.of(entity, head);
        let nested = field.path.len() > depth + 1;
        // A part is written where its first field stands; a field that is filled twice where it is filled last.
        let passed = if nested {
            fields[..n].iter().any(|f| f.path.len() > depth + 1 && f.path[depth] == head)
        } else {
            fields[n + 1..].iter().any(|f| f.path == field.path)
        };
        if passed || !nested && left_out(&field.value) {
            continue;
        }
        if out.len() > start {
            out.push(b',');
        }
        out.extend_from_slice(&wire.member);
        if nested {
            let below: Vec<BuiltField<'r>> = fields
                .iter()
                .filter(|f| f.path.len() > depth + 1 && f.path[depth] == head && !left_out(&f.value))
                .copied()
                .collect();
            let part = part_of(run, entity, head);
            object_at(run, part, &below, depth + 1, out)?;
        } else {
            write(run, wire, field.value, field.place, out).map_err(|halt| halt.within(&wire.name))?;
        }
    }
    out.push(b'}');
    Ok(())
}

/// The entity of the part in a field.
fn part_of(run: &Run<'_>, entity: EntityId, field: FieldId) -> EntityId {
    match run.compiled.program.entity(entity).get(field).ty.present() {
        Type::Record(part) => *part,
        _ => entity,
    }
}
