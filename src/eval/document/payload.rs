//! Payloads written straight to the buffer: the same steps as a document's, without the tree of its values between.

use crate::eval::code::{ClauseCode, ElementEmit, Emit, PartCode, Plain, Run, StepCode, StepEmit};
use crate::eval::failure::{Failure, Halt};
use crate::eval::value::Value;
use crate::eval::wire::{Wire, write};
use crate::ir::EntityId;
use crate::limits::LIST_MAX;
use crate::source::Span;

impl Plain {
    /// Appends the object.
    pub(crate) fn write<'r>(
        &'r self,
        run: &mut Run<'r>,
        entity: EntityId,
        steps: &'r [StepCode],
        place: Span,
        out: &mut Vec<u8>,
    ) -> Result<(), Halt> {
        out.push(b'{');
        let start = out.len();
        let wires = run.compiled.wires.of_entity(entity);
        let mut written = 0;
        for (n, step) in self.steps.iter().enumerate() {
            match step {
                StepEmit::Field { field, emit, place, bit } => {
                    let before = out.len();
                    let wire = &wires[field.0 as usize];
                    wire.name_it(before == start, out);
                    match emit.write(run, wire, *place, out) {
                        // A list that must be there must hold something.
                        Ok(true) if out.ends_with(b":[]") => {}
                        Ok(true) => written |= bit,
                        Ok(false) => out.truncate(before),
                        Err(halt) => return Err(halt.within(&wire.name)),
                    }
                }
                StepEmit::Constant { member, bit } => {
                    let comma = usize::from(out.len() == start);
                    out.extend_from_slice(&member[comma..]);
                    written |= bit;
                }
                StepEmit::Step => run.step(&steps[n])?,
                StepEmit::Never => {}
            }
        }
        out.push(b'}');
        let missing = self.required_bits & !written;
        if missing == 0 {
            return Ok(());
        }
        let schema = run.compiled.program.entity(entity);
        let name = &schema.get(self.required[missing.trailing_zeros() as usize]).name;
        let reason = format!("`{name}` is empty, and a new {} needs it", schema.name);
        Err(Halt::fail(Failure::new(reason, place)).within(name))
    }
}

impl Emit {
    /// Appends the value; whether there was one.
    #[inline]
    fn write<'r>(&'r self, run: &mut Run<'r>, wire: &'r Wire, place: Span, out: &mut Vec<u8>) -> Result<bool, Halt> {
        // Most fields are a value, which needs no further call.
        let Self::Value(code) = self else { return self.write_further(run, wire, place, out) };
        code.see(run, |run, value| write_value(run, wire, value, place, out))
    }

    #[inline(never)]
    fn write_further<'r>(
        &'r self,
        run: &mut Run<'r>,
        wire: &'r Wire,
        place: Span,
        out: &mut Vec<u8>,
    ) -> Result<bool, Halt> {
        match self {
            Self::Value(_) => self.write(run, wire, place, out),
            Self::Part(n) => {
                let part: &'r PartCode = &run.compiled.parts[*n];
                if let Some(plain) = &part.plain {
                    plain.write(run, part.entity, &part.steps, place, out)?;
                    Ok(true)
                } else {
                    let value = PartCode::make(run, *n)?;
                    write(run, wire, value, place, out)?;
                    Ok(true)
                }
            }
            Self::List(elements) => {
                out.push(b'[');
                let mut count = 0;
                for element in elements {
                    element.write(run, wire, place, out, &mut count)?;
                }
                out.push(b']');
                Ok(true)
            }
            Self::Let(local, value, body) => {
                let value = value.eval(run);
                run.bind(*local, value)?;
                body.write(run, wire, place, out)
            }
            Self::If(cond, then, other) => {
                if cond.holds(run)? {
                    then.write(run, wire, place, out)
                } else {
                    other.write(run, wire, place, out)
                }
            }
        }
    }
}

/// Appends a value; whether there was one.
#[inline]
fn write_value<'r>(
    run: &mut Run<'r>,
    wire: &'r Wire,
    value: &Value<'r>,
    place: Span,
    out: &mut Vec<u8>,
) -> Result<bool, Halt> {
    match value {
        Value::Text("") if !wire.is_element => Ok(false),
        Value::Text(t) if wire.is_text() => wire.text(t, place, out).map(|()| true),
        Value::Number(n) if wire.is_number() => wire.number(n, place, out).map(|()| true),
        Value::Absent | Value::Keep => Ok(false),
        value => write(run, wire, *value, place, out).map(|()| true),
    }
}

impl ElementEmit {
    fn write<'r>(
        &'r self,
        run: &mut Run<'r>,
        wire: &'r Wire,
        place: Span,
        out: &mut Vec<u8>,
        count: &mut usize,
    ) -> Result<(), Halt> {
        match self {
            Self::One(emit) => one(run, emit, wire, place, out, count),
            Self::For(clauses, emit) => each(run, clauses, emit, wire, place, out, count),
        }
    }
}

fn one<'r>(
    run: &mut Run<'r>,
    emit: &'r Emit,
    wire: &'r Wire,
    place: Span,
    out: &mut Vec<u8>,
    count: &mut usize,
) -> Result<(), Halt> {
    let before = out.len();
    if *count > 0 {
        out.push(b',');
    }
    if *count >= LIST_MAX {
        return Err(Halt::fail(Failure::new(format!("a list has more than {LIST_MAX} elements"), place)));
    }
    let element = wire.element.as_deref().unwrap_or(wire);
    if emit.write(run, element, place, out).map_err(|halt| halt.within(&format!("[{count}]")))? {
        *count += 1;
    } else {
        out.truncate(before);
    }
    Ok(())
}

fn each<'r>(
    run: &mut Run<'r>,
    clauses: &'r [ClauseCode],
    emit: &'r Emit,
    wire: &'r Wire,
    place: Span,
    out: &mut Vec<u8>,
    count: &mut usize,
) -> Result<(), Halt> {
    let Some((clause, rest)) = clauses.split_first() else { return one(run, emit, wire, place, out, count) };
    let Some(list) = clause.list.list(run)? else { return Ok(()) };
    for element in list {
        run.enter(&clause.each, element);
        let taken = match &clause.cond {
            None => true,
            Some(cond) => cond.holds(run)?,
        };
        if taken {
            each(run, rest, emit, wire, place, out, count)?;
        }
    }
    Ok(())
}
