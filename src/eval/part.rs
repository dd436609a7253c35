//! Steps of mappings and parts: values that get names, fields that are filled, checks.

use super::code::Code;
use super::compile::{Compiler, call};
use super::emit::Plain;
use super::run::Run;
use super::value::{Built, BuiltField, NEEDS, Value, show};
use super::wire::left_out;
use super::{Failure, Halt, make::Making, ops};
use crate::ir::{Builder, EntityId, ExprKind, FieldId, Program, Required, Step, StepKind, When};
use crate::plan::each_step;
use crate::source::Span;

/// A compiled step.
pub(crate) struct StepCode {
    pub(crate) kind: StepKindCode,
    pub(crate) span: Span,
    pub(crate) displaced: Option<Span>,
}

/// The kinds of compiled steps.
pub(crate) enum StepKindCode {
    Let(u32, Code),
    Assign(Assign),
    Check(Code, Code),
    Alert(Code, Code),
}

/// A field that is filled.
pub(crate) struct Assign {
    pub(crate) path: Box<[FieldId]>,
    /// The path in the flow's words.
    pub(crate) name: String,
    pub(crate) value: Code,
    pub(crate) when: WhenCode,
    /// It says whose the document is.
    identity: bool,
}

/// In which case a field is filled.
pub(crate) enum WhenCode {
    Always,
    Create,
    Update(Option<Code>),
}

/// A part of a document: a line, an address.
pub(crate) struct PartCode {
    pub(crate) entity: EntityId,
    pub(crate) steps: Vec<StepCode>,
    /// `it` is looked at.
    uses_it: bool,
    /// How it is written without its values between, where it can be.
    pub(crate) plain: Option<Plain>,
    pub(crate) required: Vec<RequiredCode>,
}

/// A field that must be filled.
pub(crate) struct RequiredCode {
    pub(crate) field: FieldId,
    /// When this holds, else always.
    pub(crate) cond: Option<Code>,
    pub(crate) or_absent: bool,
}

impl StepCode {
    pub(crate) fn all(compiler: &mut Compiler<'_>, entity: EntityId, steps: &[Step]) -> Vec<Self> {
        steps.iter().map(|step| Self::new(compiler, entity, step)).collect()
    }

    fn new(compiler: &mut Compiler<'_>, entity: EntityId, step: &Step) -> Self {
        let kind = match &step.kind {
            StepKind::Let(local, value) => StepKindCode::Let(local.0, compiler.code(value)),
            StepKind::Assign { path, value, when } => StepKindCode::Assign(Assign {
                path: path.clone().into(),
                name: path_name(compiler.program, entity, path),
                value: compiler.code(value),
                identity: matches!(**path, [field] if compiler.program.entity(entity).get(field).is_identity()),
                when: match when {
                    When::Always => WhenCode::Always,
                    When::Create => WhenCode::Create,
                    When::Update(cond) => WhenCode::Update(cond.as_ref().map(|cond| compiler.code(cond))),
                },
            }),
            StepKind::Check(cond, text) => StepKindCode::Check(compiler.code(cond), compiler.code(text)),
            StepKind::Alert(cond, text) => StepKindCode::Alert(compiler.code(cond), compiler.reason(text)),
        };
        Self { kind, span: step.span, displaced: step.displaced }
    }
}

/// `billing.phone`
pub(crate) fn path_name(program: &Program, entity: EntityId, path: &[FieldId]) -> String {
    let mut names = Vec::new();
    let mut at = entity;
    for field in path {
        let field = program.entity(at).get(*field);
        names.push(field.name.to_string());
        if let crate::ir::Type::Record(part) = field.ty.present() {
            at = *part;
        }
    }
    names.join(".")
}

impl RequiredCode {
    pub(crate) fn all(compiler: &mut Compiler<'_>, entity: EntityId) -> Vec<Self> {
        let program = compiler.program;
        let mut all = Vec::new();
        for (n, field) in program.entity(entity).fields.iter().enumerate() {
            let id = FieldId(u32::try_from(n).unwrap_or(u32::MAX));
            match &field.required {
                Required::No => {}
                Required::Yes => all.push(Self { field: id, cond: None, or_absent: false }),
                Required::When { cond, or_absent } => {
                    all.push(Self { field: id, cond: Some(compiler.code(cond)), or_absent: *or_absent });
                }
            }
        }
        all
    }

    /// Whether the field may be as it is; `it` is the record in question.
    pub(crate) fn check<'r>(
        &self,
        run: &mut Run<'r>,
        entity: EntityId,
        value: Value<'r>,
        place: Span,
    ) -> Result<(), Halt> {
        let wanted = match &self.cond {
            None => true,
            Some(cond) => cond.holds(run)?,
        };
        // A document without a line is none.
        let filled = !left_out(&value) && !matches!(value, Value::List([]));
        if wanted == filled || !wanted && !self.or_absent {
            return Ok(());
        }
        let schema = run.compiled.program.entity(entity);
        let name = &schema.get(self.field).name;
        let reason = if wanted {
            format!("`{name}` is empty, and a new {} needs it", schema.name)
        } else {
            format!("`{name}` is {}, and must be empty in this {}", show(value), schema.name)
        };
        Err(Halt::fail(Failure::new(reason, place)).within(name))
    }
}

impl PartCode {
    /// A part as code.
    pub(crate) fn compile(compiler: &mut Compiler<'_>, builder: &Builder) -> Code {
        let n = Self::number(compiler, builder);
        call(move |run| Self::make(run, n))
    }

    /// The number of a compiled part; one that stands in several compiled forms is compiled once.
    pub(crate) fn number(compiler: &mut Compiler<'_>, builder: &Builder) -> usize {
        let address = std::ptr::from_ref(builder) as usize;
        if let Some(n) = compiler.part_numbers.get(&address) {
            return *n;
        }
        let mut uses_it = false;
        each_step(&builder.steps, &mut |e| uses_it |= matches!(e.kind, ExprKind::It(_) | ExprKind::ItSelf));
        let steps = StepCode::all(compiler, builder.entity, &builder.steps);
        let required = RequiredCode::all(compiler, builder.entity);
        uses_it |= required.iter().any(|r| r.cond.is_some());
        let plain = Plain::new(compiler, builder.entity, &builder.steps, &required, uses_it);
        let n = compiler.parts.len();
        compiler.parts.push(Self { entity: builder.entity, steps, uses_it, plain, required });
        compiler.part_numbers.insert(address, n);
        n
    }

    pub(crate) fn make<'r>(run: &mut Run<'r>, n: usize) -> super::run::Eval<'r> {
        let part: &'r Self = &run.compiled.parts[n];
        if part.uses_it {
            let updating = run.updating();
            let mut making = Making::new(run, part.entity);
            making.updating = updating;
            run.making.push(making);
            let fields = part.fields(run);
            let checked = fields.and_then(|fields| part.check(run, fields).map(|()| fields));
            run.making.pop();
            return checked.map(|fields| part.built(run, fields));
        }
        let fields = part.fields(run)?;
        part.check(run, fields)?;
        Ok(part.built(run, fields))
    }

    fn built<'r>(&self, run: &Run<'r>, fields: &'r [BuiltField<'r>]) -> Value<'r> {
        Value::Built(run.arena.alloc(Built { entity: self.entity, fields }))
    }

    fn check<'r>(&self, run: &mut Run<'r>, fields: &'r [BuiltField<'r>]) -> Result<(), Halt> {
        let built = Built { entity: self.entity, fields };
        for required in &self.required {
            let value = built.get(required.field);
            // Nothing stands there, so its part's first line is blamed.
            let place = self.steps.first().map_or(Span::new(crate::source::FileId(0), 0, 0), |step| step.span);
            if !matches!(value, Value::Keep)
                && !built.fields.iter().any(|f| f.path.len() > 1 && f.path[0] == required.field)
            {
                required.check(run, self.entity, value, place)?;
            }
        }
        Ok(())
    }

    fn fields<'r>(&'r self, run: &mut Run<'r>) -> Result<&'r [BuiltField<'r>], Halt> {
        let mut fields = bumpalo::collections::Vec::with_capacity_in(self.steps.len(), run.arena);
        let mut halted = None;
        for step in &self.steps {
            match &step.kind {
                StepKindCode::Assign(assign) => match run.assigned(assign, step) {
                    Ok(None) => {}
                    Ok(Some(value)) => {
                        fields.push(BuiltField { path: &assign.path, value, place: step.span });
                        if self.uses_it
                            && let [field] = *assign.path
                        {
                            run.fill(field, value);
                        }
                    }
                    Err(halt) => {
                        if self.uses_it
                            && let [field] = *assign.path
                        {
                            run.fill(field, Value::Hole(NEEDS));
                        }
                        ops::note(&mut halted, halt)?;
                    }
                },
                _ => {
                    if let Err(halt) = run.step(step) {
                        ops::note(&mut halted, halt)?;
                    }
                }
            }
        }
        match halted {
            Some(halt) => Err(halt),
            None => Ok(fields.into_bump_slice()),
        }
    }
}

impl<'r> Run<'r> {
    /// The value of a field that is filled in this case; none in the other.
    pub(crate) fn assigned(&mut self, assign: &Assign, step: &StepCode) -> Result<Option<Value<'r>>, Halt> {
        match &assign.when {
            // Of a copy that no link makes ours it must be known whose it is.
            WhenCode::Create if self.updating() && !(assign.identity && self.is_strange()) => return Ok(None),
            WhenCode::Update(_) if !self.updating() => return Ok(None),
            WhenCode::Always | WhenCode::Create | WhenCode::Update(None) => {}
            WhenCode::Update(Some(cond)) => {
                if !cond.holds(self)? {
                    return Ok(None);
                }
            }
        }
        let mark = self.tell_from();
        let value = assign.value.eval(self).map_err(|halt| halt.within(&assign.name))?;
        self.told_field(mark, &assign.name, value, step);
        Ok(Some(value))
    }

    /// A step that fills nothing.
    pub(crate) fn step(&mut self, step: &StepCode) -> Result<(), Halt> {
        match &step.kind {
            StepKindCode::Let(local, value) => {
                let mark = self.tell_from();
                let value = value.eval(self);
                self.told_local(mark, *local);
                let needed = match &value {
                    Err(Halt::Needs) => Some(Halt::Needs),
                    _ => None,
                };
                self.bind(*local, value)?;
                needed.map_or(Ok(()), Err)
            }
            StepKindCode::Check(cond, text) => {
                if cond.holds(self)? {
                    return Ok(());
                }
                let reason = show(text.eval(self)?);
                Err(Halt::fail(Failure::new(reason, step.span)))
            }
            StepKindCode::Alert(cond, text) => {
                if !cond.holds(self)? {
                    let text = show(text.eval(self)?);
                    self.alert(text, step.span);
                }
                Ok(())
            }
            StepKindCode::Assign(_) => Err(self.broken_promise("a field where none is filled", step.span)),
        }
    }

    /// Tells a person once.
    pub(crate) fn alert(&mut self, text: String, place: Span) {
        if !self.alerts.iter().any(|(known, at)| *known == text && *at == place) {
            self.alerts.push((text, place));
        }
    }
}
