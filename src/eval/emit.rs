//! Payloads written straight to the buffer: the same steps as a document's, without the tree of its values between.

use super::code::Code;
use super::compile::Compiler;
use super::part::{PartCode, RequiredCode, StepCode};
use super::run::Run;
use super::value::Value;
use super::wire::{Wire, write};
use super::{Failure, Halt};
use crate::ir::{Element, EntityId, Expr, ExprKind, FieldId, Step, StepKind, When, known};
use crate::limits::LIST_MAX;
use crate::source::Span;

/// How the value of a field is written.
pub(crate) enum Emit {
    /// Computed, then written.
    Value(Code),
    /// A part, by its number.
    Part(usize),
    List(Vec<ElementEmit>),
    Let(u32, Code, Box<Emit>),
    If(Code, Box<Emit>, Box<Emit>),
}

/// An element of a list.
pub(crate) enum ElementEmit {
    One(Emit),
    For(Vec<ClauseCode>, Emit),
}

/// `for x in xs where c`
pub(crate) struct ClauseCode {
    local: u32,
    list: Code,
    cond: Option<Code>,
}

/// How a step is done.
enum StepEmit {
    /// As in any document: it fills nothing.
    Step,
    /// It is for what is there already.
    Never,
    /// The same in every document: the member as it stands behind another, with its comma.
    Constant {
        member: Box<[u8]>,
        bit: u64,
    },
    Field {
        field: FieldId,
        emit: Emit,
        place: Span,
        bit: u64,
    },
}

/// Fields that can be written one after the other.
pub(crate) struct Plain {
    /// How each step is done.
    steps: Vec<StepEmit>,
    /// Fields that must be there; the step that fills one of them has its bit.
    required: Vec<FieldId>,
    /// All these bits.
    required_bits: u64,
}

impl Plain {
    /// Steps whose fields can be written as they come: each once, none of a nested part, none looked at again.
    pub(crate) fn new(
        compiler: &mut Compiler<'_>,
        entity: EntityId,
        steps: &[Step],
        required: &[RequiredCode],
        uses_it: bool,
    ) -> Option<Self> {
        let path = |step: &Step| match &step.kind {
            StepKind::Assign { path, .. } => Some(path.clone()),
            _ => None,
        };
        let paths: Vec<Vec<FieldId>> = steps.iter().filter_map(path).collect();
        let nested = paths.iter().any(|path| path.len() > 1);
        let twice = paths.iter().enumerate().any(|(n, path)| paths[..n].contains(path));
        let many = required.len() > u64::BITS as usize;
        if compiler.trace || uses_it || nested || twice || many || required.iter().any(|r| r.cond.is_some()) {
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
                        None => StepEmit::Field { field, emit: Emit::new(compiler, value), place: step.span, bit },
                    }
                }
                StepKind::Let(..) | StepKind::Check(..) | StepKind::Alert(..) => StepEmit::Step,
            })
            .collect();
        let required_bits = (0..required.len()).fold(0, |bits, n| bits | bit(n));
        Some(Self { steps: emits, required, required_bits })
    }

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

/// The bit of the n-th field that must be there.
fn bit(n: usize) -> u64 {
    1 << n
}

impl Emit {
    fn new(compiler: &mut Compiler<'_>, expr: &Expr) -> Self {
        match &expr.kind {
            ExprKind::Build(builder) => Self::Part(PartCode::number(compiler, builder)),
            ExprKind::List(elements) if !elements.iter().any(|e| matches!(e, Element::All(_))) => {
                Self::List(elements.iter().map(|e| ElementEmit::new(compiler, e)).collect())
            }
            ExprKind::Let(local, value, body) => compiler
                .aliased(*local, value, |compiler| Self::new(compiler, body))
                .unwrap_or_else(|| Self::Let(local.0, compiler.code(value), Box::new(Self::new(compiler, body)))),
            ExprKind::If(cond, then, other) => {
                Self::If(compiler.code(cond), Box::new(Self::new(compiler, then)), Box::new(Self::new(compiler, other)))
            }
            _ => Self::Value(compiler.code(expr)),
        }
    }

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
    fn new(compiler: &mut Compiler<'_>, element: &Element) -> Self {
        match element {
            Element::One(e) | Element::All(e) => Self::One(Emit::new(compiler, e)),
            Element::For(clauses, body) => {
                let clauses = clauses
                    .iter()
                    .map(|c| ClauseCode {
                        local: c.local.0,
                        list: compiler.code(&c.list),
                        cond: c.cond.as_ref().map(|cond| compiler.code(cond)),
                    })
                    .collect();
                Self::For(clauses, Emit::new(compiler, body))
            }
        }
    }

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
        run.locals[clause.local as usize] = *element;
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
