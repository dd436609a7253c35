//! Documents in the making: a mapping applied to its arguments becomes a draft of the unit, with what was found of it.

use super::balance::BalanceCode;
use super::code::Code;
use super::compile::{Compiler, call};
use super::emit::Plain;
use super::keys::{HeaderCode, Resolved, VerbCode};
use super::part::{RequiredCode, StepCode, StepKindCode, WhenCode};
use super::personal::Personal;
use super::run::{Eval, Run};
use super::value::{NEEDS, Record, Value, same, show};
use super::wire::{left_out, write};
use super::{Action, Draft, DraftField, Failure, FieldWhen, Halt, KeyTried, Made as MadeBy, ops};
use crate::ir::{Const, EntityId, Expr, ExprKind, FieldId, Flow, LocalId, Mapping, MappingId, Stop, Verb};
use crate::plan::{each, each_step};
use crate::source::Span;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a mapping's document is to the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// What the flow writes: its record's own copy.
    Top,
    /// What another document refers to.
    Ensured,
    /// What follows the write of another.
    Follows,
}

/// A document of the unit.
pub(crate) struct Made<'r> {
    pub(crate) mapping: MappingId,
    pub(crate) args: &'r [Value<'r>],
    pub(crate) draft: Draft,
    /// Filled fields by number.
    pub(crate) values: &'r [Option<Value<'r>>],
    pub(crate) found: Option<&'r Record<'r>>,
    /// Its key in the target, when it is there.
    pub(crate) id: Option<&'r str>,
}

/// A document in the making.
pub(crate) struct Making<'r> {
    pub(crate) entity: EntityId,
    pub(crate) values: &'r mut [Option<Value<'r>>],
    /// What is filled, in order: step and value.
    pub(crate) filled: Vec<(usize, Value<'r>)>,
    pub(crate) found: Option<&'r Record<'r>>,
    /// Whether it is there is known.
    pub(crate) resolved: bool,
    pub(crate) updating: bool,
    /// It was found by its key, and no earlier write of ours says that it is ours.
    pub(crate) strange: bool,
    /// Its number, once it is made.
    pub(crate) draft: Option<u32>,
    /// Documents that it refers to.
    pub(crate) refers: Vec<usize>,
    /// Some field waits for the answer to that draft.
    pub(crate) later: Option<u32>,
}

/// A compiled mapping.
pub(crate) struct MappingCode {
    pub(crate) id: MappingId,
    pub(crate) target: EntityId,
    pub(crate) params: Vec<u32>,
    pub(crate) locals: u32,
    pub(crate) steps: Vec<StepCode>,
    /// Which steps the keys depend on.
    key_steps: Vec<bool>,
    header: HeaderCode,
    balance: Option<BalanceCode>,
    then: Vec<Code>,
    required: Vec<RequiredCode>,
    /// How its payload is written without its values between, where nothing but the payload is made.
    pub(crate) plain: Option<Plain>,
    span: Span,
}

/// A compiled flow.
pub(crate) struct FlowCode {
    pub(crate) filter: Option<Code>,
    pub(crate) steps: Vec<StepCode>,
    pub(crate) write: Code,
}

impl FlowCode {
    pub(crate) fn new(compiler: &mut Compiler<'_>, flow: &Flow) -> Self {
        let mut other = None;
        each(&flow.write, &mut |e| {
            if let (ExprKind::Write(id, _) | ExprKind::Ensure(id, _), None) = (&e.kind, other) {
                other = Some(compiler.program.mapping(*id).target);
            }
        });
        compiler.other = other;
        compiler.personal = Personal::of_flow(compiler.program, flow);
        Self {
            filter: flow.filter.as_ref().map(|filter| compiler.code(filter)),
            steps: StepCode::all(compiler, flow.source, &flow.steps),
            write: written(compiler, &flow.write, Role::Top),
        }
    }
}

/// The call of a mapping at the end of an expression, with its role; all else is as everywhere.
pub(crate) fn written(compiler: &mut Compiler<'_>, expr: &Expr, role: Role) -> Code {
    let again: fn(&mut Compiler<'_>, &Expr) -> Code = match role {
        Role::Top => |compiler, expr| written(compiler, expr, Role::Top),
        Role::Ensured | Role::Follows => |compiler, expr| written(compiler, expr, Role::Follows),
    };
    match &expr.kind {
        ExprKind::Ensure(mapping, args) | ExprKind::Write(mapping, args) => {
            compiler.making(*mapping, args, role, expr.span)
        }
        ExprKind::If(cond, then, other) => {
            let (cond, then, other) = (compiler.code(cond), again(compiler, then), again(compiler, other));
            call(move |run| if cond.holds(run)? { then.eval(run) } else { other.eval(run) })
        }
        ExprKind::Match(subject, arms) => compiler.arms(subject, arms, expr.span, again),
        ExprKind::Let(local, value, body) => {
            let (local, value, body) = (local.0, compiler.code(value), again(compiler, body));
            call(move |run| {
                let value = value.eval(run);
                run.bind(local, value)?;
                body.eval(run)
            })
        }
        ExprKind::OrElse(a, b) => {
            let (a, b) = (again(compiler, a), again(compiler, b));
            call(move |run| match a.eval(run)? {
                Value::Absent => b.eval(run),
                value => Ok(value),
            })
        }
        _ => compiler.code(expr),
    }
}

impl MappingCode {
    pub(crate) fn new(compiler: &mut Compiler<'_>, mapping: &Mapping) -> Self {
        compiler.other = Some(mapping.target);
        compiler.personal = Personal::of_mapping(compiler.program, mapping);
        let required = RequiredCode::all(compiler, mapping.target);
        let plain = if makes_more(mapping) {
            None
        } else {
            Plain::new(compiler, mapping.target, &mapping.steps, &required, false)
        };
        Self {
            plain,
            id: MappingId(u32::try_from(compiler.mappings_made).unwrap_or(u32::MAX)),
            target: mapping.target,
            params: mapping.params.iter().map(|(_, _, local)| local.0).collect(),
            locals: mapping.locals,
            steps: StepCode::all(compiler, mapping.target, &mapping.steps),
            key_steps: key_steps(mapping),
            header: HeaderCode::new(compiler, &mapping.header),
            balance: mapping.balance.as_ref().map(|balance| BalanceCode::new(compiler, balance)),
            then: mapping.then.iter().map(|expr| written(compiler, expr, Role::Follows)).collect(),
            required,
            span: mapping.span,
        }
    }
}

/// Whether a mapping makes more than its payload, or looks at what it makes or at what is there.
fn makes_more(mapping: &Mapping) -> bool {
    let mut more = mapping.balance.is_some()
        || !mapping.then.is_empty()
        || !matches!(mapping.header.verb, Verb::CreateOnce | Verb::Upsert | Verb::CreateUnless(_));
    each_step(&mapping.steps, &mut |e| {
        more |= matches!(
            e.kind,
            ExprKind::Ensure(..) | ExprKind::Write(..) | ExprKind::It(_) | ExprKind::ItSelf | ExprKind::Was
        );
    });
    if let Verb::CreateUnless(cond) = &mapping.header.verb {
        more |= crate::ir::known(cond) != Some(Const::Bool(false));
    }
    more
}

/// The steps that fill the keys, and those that these depend on.
fn key_steps(mapping: &Mapping) -> Vec<bool> {
    use crate::ir::{Key, StepKind};
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

impl<'r> Making<'r> {
    pub(crate) fn new(run: &Run<'r>, entity: EntityId) -> Self {
        let fields = run.compiled.program.entity(entity).fields.len();
        Self {
            entity,
            values: run.arena.alloc_slice_fill_copy(fields, None),
            filled: Vec::new(),
            found: None,
            resolved: false,
            updating: false,
            strange: false,
            draft: None,
            refers: Vec::new(),
            later: None,
        }
    }
}

/// Deepest chain of documents that make one another.
const DEPTH_MAX: usize = 32;

/// Applies a mapping: the document's number, or why there is none.
pub(crate) fn make<'r>(
    run: &mut Run<'r>,
    mapping: MappingId,
    args: &'r [Value<'r>],
    role: Role,
    span: Span,
) -> Eval<'r> {
    let known = run.drafts.iter().position(|made| {
        made.mapping == mapping
            && made.args.len() == args.len()
            && made.args.iter().zip(args).all(|(a, b)| same(*a, *b))
    });
    if let Some(n) = known {
        return Ok(Value::Draft(u32::try_from(n).unwrap_or(u32::MAX)));
    }
    if run.making.len() >= DEPTH_MAX {
        return Err(run.broken_promise("documents that make one another without end", span));
    }
    let code: &'r MappingCode = &run.compiled.mappings[mapping.0 as usize];
    let frame = run.frame(code.locals);
    for (param, arg) in code.params.iter().zip(args) {
        frame[*param as usize] = *arg;
    }
    let saved = std::mem::replace(&mut run.locals, frame);
    let making = Making::new(run, code.target);
    run.making.push(making);
    let mark = run.tell_from();
    let result = code.make(run, args, role);
    run.told_document(mark, code.id);
    run.making.pop();
    run.locals = saved;
    result.map(Value::Draft).map_err(Halt::closed)
}

impl MappingCode {
    fn make<'r>(&'r self, run: &mut Run<'r>, args: &'r [Value<'r>], role: Role) -> Result<u32, Halt> {
        let (resolved, keys) = match self.resolve(run, args, role) {
            Ok(resolved) => resolved,
            Err(Halt::Needs) => {
                // What is filled in either case may need things too: all of them are asked for together.
                let _ = self.run_steps(run, |_, step| always(step));
                return Err(Halt::Needs);
            }
            Err(halt) => return Err(halt),
        };
        let making = run.making.last_mut().expect("the document is being made");
        making.resolved = true;
        making.found = resolved.found();
        making.updating = making.found.is_some();
        making.strange = matches!(resolved, Resolved::Found { ours: false, .. });
        if let Some(outcome) = self.before_steps(run, &resolved)? {
            return self.push(run, args, role, &resolved, keys, outcome, None);
        }
        self.run_steps(run, |n, step| !self.key_steps[n] || !always(step))?;
        self.check_required(run)?;
        let due = match &self.balance {
            Some(balance) => Some(balance.check(run)?),
            None => None,
        };
        let action = self.action(run, &resolved)?;
        let n = self.push(run, args, role, &resolved, keys, action, due)?;
        let fields = self.encode(run)?;
        let making = run.making.last_mut().expect("the document is being made");
        let refers = std::mem::take(&mut making.refers);
        let later = making.later;
        let draft = &mut run.drafts[n as usize].draft;
        draft.fields = fields;
        draft.refers_to = refers;
        draft.waits_for = later.map(|n| n as usize);
        if let Some(later) = later {
            run.again_after.insert(later as usize);
        }
        self.follow(run, n)?;
        Ok(n)
    }

    /// Whether it is there already; the steps of the keys are run for it.
    fn resolve<'r>(
        &'r self,
        run: &mut Run<'r>,
        args: &'r [Value<'r>],
        role: Role,
    ) -> Result<(Resolved<'r>, Vec<KeyTried>), Halt> {
        let steps = self.run_steps(run, |n, step| self.key_steps[n] && always(step));
        match steps {
            // What follows and waits for an answer can't be searched yet.
            Ok(()) => {}
            Err(halt) => return Err(halt),
        }
        if let Some(later) = run.making.last().and_then(|making| making.later) {
            return Ok((Resolved::Later(later), Vec::new()));
        }
        self.header.resolve(run, self, args, role)
    }

    /// The steps that `wanted` picks, in order; what is not known yet leaves holes.
    fn run_steps<'r>(&'r self, run: &mut Run<'r>, wanted: impl Fn(usize, &StepCode) -> bool) -> Result<(), Halt> {
        let mut halted = None;
        for (n, step) in self.steps.iter().enumerate() {
            if !wanted(n, step) {
                continue;
            }
            let result = match &step.kind {
                StepKindCode::Assign(assign) => match run.assigned(assign, step) {
                    Ok(Some(value)) => {
                        run.fill_step(n, assign, value);
                        Ok(())
                    }
                    Ok(None) => Ok(()),
                    Err(halt) => {
                        let hole = if let Halt::Later(draft) = halt { draft } else { NEEDS };
                        run.fill_step(n, assign, Value::Hole(hole));
                        Err(halt)
                    }
                },
                _ => run.step(step),
            };
            match result {
                Err(Halt::Later(draft)) => {
                    if let Some(making) = run.making.last_mut() {
                        making.later.get_or_insert(draft);
                    }
                }
                Err(halt) => ops::note(&mut halted, halt)?,
                Ok(()) => {}
            }
        }
        halted.map_or(Ok(()), Err)
    }

    fn check_required<'r>(&'r self, run: &mut Run<'r>) -> Result<(), Halt> {
        let making = run.making.last().expect("the document is being made");
        if making.updating || making.later.is_some() || self.header.only_updates() {
            return Ok(());
        }
        for required in &self.required {
            let making = run.making.last().expect("the document is being made");
            let nested = making.filled.iter().any(|(n, _)| match &self.steps[*n].kind {
                StepKindCode::Assign(assign) => assign.path.len() > 1 && assign.path[0] == required.field,
                _ => false,
            });
            let value = making.values[required.field.0 as usize].unwrap_or(Value::Absent);
            if !nested {
                required.check(run, self.target, value, self.span)?;
            }
        }
        Ok(())
    }

    /// What is decided before anything is filled: conditions of the header, and what is deleted or left alone.
    fn before_steps<'r>(&'r self, run: &mut Run<'r>, resolved: &Resolved<'r>) -> Result<Option<Action>, Halt> {
        let place = self.header.span;
        let connection = self.connection(run);
        let name = &run.compiled.program.entity(self.target).name;
        match (&self.header.verb, resolved) {
            (VerbCode::CreateUnless(cond), _) => match cond.holds(run) {
                Ok(true) => Ok(Some(Action::Leave(Stop::Skip, format!("the {name} is not wanted any more"), place))),
                Ok(false) => Ok(None),
                Err(Halt::Later(draft)) => {
                    run.making.last_mut().expect("the document is being made").later.get_or_insert(draft);
                    Ok(None)
                }
                Err(halt) => Err(halt),
            },
            (VerbCode::Delete(_), Resolved::None | Resolved::Gone | Resolved::After(_) | Resolved::Later(_)) => {
                let reason = format!("there is no {name} of it in {connection} to be deleted");
                Ok(Some(Action::Leave(Stop::Skip, reason, place)))
            }
            (VerbCode::Delete(cond), Resolved::Found { id, .. } | Resolved::Itself { id, .. }) => {
                let holds = match cond {
                    Some(cond) => cond.holds(run)?,
                    None => true,
                };
                if holds {
                    return Ok(Some(Action::Delete { id: (*id).into() }));
                }
                let text = self.otherwise(run)?.unwrap_or_else(|| format!("the {name} can't be deleted any more"));
                run.alert(text.clone(), place);
                Ok(Some(Action::Leave(Stop::Skip, text, place)))
            }
            (VerbCode::CreateOnce, Resolved::Gone) => {
                let reason = format!("its {name} was deleted in {connection}, so it is not created again");
                run.alert(reason.clone(), place);
                Ok(Some(Action::Leave(Stop::Skip, reason, place)))
            }
            (VerbCode::Update, Resolved::None | Resolved::Gone) => {
                // A stop of the header's own is the record's; else there is nothing to update.
                let text = self.otherwise(run)?;
                let reason = text.unwrap_or_else(|| format!("there is no {name} of it in {connection} to be updated"));
                Err(Halt::fail(Failure::new(reason, place)))
            }
            _ => Ok(None),
        }
    }

    fn otherwise(&self, run: &mut Run<'_>) -> Result<Option<String>, Halt> {
        match &self.header.otherwise {
            Some(code) => code.eval(run).map(|text| Some(show(text))),
            None => Ok(None),
        }
    }

    fn action<'r>(&self, run: &mut Run<'r>, resolved: &Resolved<'r>) -> Result<Action, Halt> {
        Ok(match resolved {
            Resolved::None | Resolved::Gone => Action::Create,
            Resolved::Later(n) => Action::After(*n as usize),
            Resolved::After(n) => match run.drafts[*n as usize].draft.action {
                // What it hangs on is new, so nothing can hang on it yet.
                Action::Create => Action::Create,
                _ => Action::After(*n as usize),
            },
            Resolved::Found { id, ours, row } => Action::Found { id: (*id).into(), ours: *ours, row: row.raw.into() },
            Resolved::Itself { id, row } => Action::Itself { id: (*id).into(), row: row.raw.into() },
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one draft, put together in one place")]
    fn push<'r>(
        &'r self,
        run: &mut Run<'r>,
        args: &'r [Value<'r>],
        role: Role,
        resolved: &Resolved<'r>,
        keys: Vec<KeyTried>,
        action: Action,
        balance: Option<super::BalanceDue>,
    ) -> Result<u32, Halt> {
        let linked_to = self.header.source(run, args, role)?;
        let on_change = self.header.on_change(run)?;
        let making = run.making.last_mut().expect("the document is being made");
        let values: &'r [Option<Value<'r>>] = run.arena.alloc_slice_copy(making.values);
        let n = u32::try_from(run.drafts.len()).unwrap_or(u32::MAX);
        making.draft = Some(n);
        let mapping = run.compiled.program.mapping(self.id);
        let draft = Draft {
            made: MadeBy { mapping: self.id, name: Arc::clone(&mapping.name) },
            connection: self.connection(run),
            entity: self.target,
            action,
            linked_to,
            keys,
            fields: Vec::new(),
            refers_to: Vec::new(),
            follows: if role == Role::Follows { run.following.last().map(|n| *n as usize) } else { None },
            waits_for: None,
            balance,
            overwrite: (self.header.overwrite, self.header.overwrite_fields.clone()),
            on_change,
            place: self.span,
        };
        let (found, id) = (resolved.found(), resolved.id());
        run.drafts.push(Made { mapping: self.id, args, draft, values, found, id });
        Ok(n)
    }

    /// The fields as JSON, in the order of the target's schema.
    fn encode<'r>(&'r self, run: &mut Run<'r>) -> Result<Vec<DraftField>, Halt> {
        let making = run.making.last_mut().expect("the document is being made");
        let filled = std::mem::take(&mut making.filled);
        let updating = making.updating;
        let mut fields: Vec<DraftField> = Vec::with_capacity(filled.len());
        for (at, (n, value)) in filled.iter().enumerate() {
            let step = &self.steps[*n];
            let StepKindCode::Assign(assign) = &step.kind else { continue };
            let again = |m: &usize| matches!(&self.steps[*m].kind, StepKindCode::Assign(a) if a.path == assign.path);
            // Filled twice, the last counts.
            if matches!(value, Value::Keep | Value::Hole(_)) || filled[at + 1..].iter().any(|(m, _)| again(m)) {
                continue;
            }
            let when = match assign.when {
                WhenCode::Always => FieldWhen::Always,
                WhenCode::Create => FieldWhen::Create,
                WhenCode::Update(_) => FieldWhen::Update,
            };
            let mut json = Vec::new();
            let (path, entity, field) = self.wire_path(run, &assign.path);
            if left_out(value) {
                if !updating
                    && !matches!(
                        run.drafts.last().map(|m| &m.draft.action),
                        Some(Action::Itself { .. } | Action::After(_))
                    )
                {
                    continue;
                }
                json.extend_from_slice(b"null");
            } else {
                let wire = run.compiled.wires.of(entity, field);
                write(run, wire, *value, step.span, &mut json).map_err(|halt| halt.within(&assign.name))?;
            }
            let json = String::from_utf8(json).expect("JSON was written as text");
            fields.push(DraftField { path, field: assign.path[0], json, when, place: step.span });
        }
        fields.sort_by_key(|field| field.field);
        Ok(fields)
    }

    /// The way to a field by wire names, its entity, and itself. An entry of `meta_data` stands under its key.
    fn wire_path(&self, run: &Run<'_>, path: &[FieldId]) -> (Vec<Arc<str>>, EntityId, FieldId) {
        let mut names = Vec::with_capacity(path.len());
        let (mut entity, mut last) = (self.target, path[0]);
        for (n, field) in path.iter().enumerate() {
            if n > 0 {
                entity = super::nested::part_of(run, entity, last);
            }
            last = *field;
            let wire = run.compiled.wires.of(entity, last);
            match &wire.meta {
                Some(key) => names.extend([Arc::from(super::META), Arc::clone(key)]),
                None => names.push(Arc::clone(&wire.wire)),
            }
        }
        (names, entity, last)
    }

    /// What follows the write of the document.
    fn follow<'r>(&'r self, run: &mut Run<'r>, n: u32) -> Result<(), Halt> {
        if self.then.is_empty()
            || matches!(run.drafts[n as usize].draft.action, Action::Leave(..) | Action::Delete { .. })
        {
            return Ok(());
        }
        run.following.push(n);
        let mut halted = None;
        let mut stopped = Ok(());
        for then in &self.then {
            match then.eval(run) {
                Ok(_) => {}
                Err(Halt::Later(draft)) => {
                    run.again_after.insert(draft as usize);
                }
                Err(halt) => {
                    stopped = ops::note(&mut halted, halt);
                    if stopped.is_err() {
                        break;
                    }
                }
            }
        }
        run.following.pop();
        stopped?;
        halted.map_or(Ok(()), Err)
    }
}

fn always(step: &StepCode) -> bool {
    match &step.kind {
        StepKindCode::Assign(assign) => matches!(assign.when, WhenCode::Always),
        StepKindCode::Let(..) => true,
        StepKindCode::Check(..) | StepKindCode::Alert(..) => false,
    }
}

impl<'r> Run<'r> {
    /// Whether the innermost document is there already.
    pub(crate) fn updating(&self) -> bool {
        self.making.last().is_some_and(|making| making.updating)
    }

    /// Whether the innermost document is a copy that may be somebody else's.
    pub(crate) fn is_strange(&self) -> bool {
        self.making.last().is_some_and(|making| making.strange)
    }

    /// A field of the document in the making, or as it was made.
    pub(crate) fn it(&mut self, field: FieldId, place: Span) -> Eval<'r> {
        let Some(making) = self.making.last() else {
            return Err(self.broken_promise("`it` where nothing is made", place));
        };
        if let Some(n) = making.draft {
            return self.field_of_draft(n, field, place);
        }
        match making.values.get(field.0 as usize).copied().flatten() {
            Some(Value::Hole(NEEDS)) => return Err(Halt::Needs),
            Some(Value::Hole(draft)) => return Err(Halt::Later(draft)),
            Some(Value::Keep) | None => {}
            Some(value) => return Ok(value),
        }
        let (entity, found) = (making.entity, making.found);
        match found {
            Some(row) => self.field(Value::Record(row), entity, field, place),
            None => Ok(Value::Absent),
        }
    }

    /// The document itself.
    pub(crate) fn itself(&mut self, place: Span) -> Eval<'r> {
        match self.making.last() {
            Some(Making { draft: Some(n), .. }) => Ok(Value::Draft(*n)),
            Some(Making { found: Some(row), .. }) => Ok(Value::Record(row)),
            _ => Err(self.broken_promise("the whole of a document that is still being made", place)),
        }
    }

    /// The target's present copy.
    pub(crate) fn was(&mut self, place: Span) -> Eval<'r> {
        match self.making.iter().rev().find(|making| making.resolved || making.draft.is_some()) {
            Some(making) => Ok(making.found.map_or(Value::Absent, Value::Record)),
            None if self.making.is_empty() => Err(self.broken_promise("`was` where nothing is made", place)),
            None => Err(Halt::Needs),
        }
    }

    /// Fills a field of the document in the making.
    pub(crate) fn fill(&mut self, field: FieldId, value: Value<'r>) {
        if let Some(making) = self.making.last_mut()
            && let Some(slot) = making.values.get_mut(field.0 as usize)
        {
            *slot = Some(value);
        }
    }

    fn fill_step(&mut self, n: usize, assign: &super::part::Assign, value: Value<'r>) {
        if let [field] = *assign.path {
            self.fill(field, value);
        }
        if let Some(making) = self.making.last_mut() {
            making.filled.push((n, value));
        }
    }

    /// The document in the making refers to that one.
    pub(crate) fn refer_to(&mut self, n: u32) {
        if let Some(making) = self.making.last_mut()
            && !making.refers.contains(&(n as usize))
        {
            making.refers.push(n as usize);
        }
    }

    /// Arguments; all of them are computed, so that all needs come out together. Those of a follower may wait for an
    /// answer and leave holes.
    pub(crate) fn arguments(&mut self, args: &[Code], role: Role) -> Result<&'r [Value<'r>], Halt> {
        let mut values = bumpalo::collections::Vec::with_capacity_in(args.len(), self.arena);
        let mut halted = None;
        for arg in args {
            match arg.eval(self) {
                Ok(value) => values.push(value),
                Err(Halt::Later(draft)) if role == Role::Follows => values.push(Value::Hole(draft)),
                Err(halt) => ops::note(&mut halted, halt)?,
            }
        }
        match halted {
            Some(halt) => Err(halt),
            None => Ok(values.into_bump_slice()),
        }
    }
}

impl MappingCode {
    /// The connection that it is written to.
    pub(crate) fn connection(&self, run: &Run<'_>) -> Arc<str> {
        let said = &run.compiled.program.mapping(self.id).connection;
        if said.is_empty() { run.connection(self.target) } else { Arc::clone(said) }
    }

    /// Where it is declared.
    pub(crate) fn place(&self) -> Span {
        self.span
    }
}
