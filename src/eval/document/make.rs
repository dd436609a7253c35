//! A mapping applied to its arguments: its document becomes a draft, with what was found of it.

use super::keys::Resolved;
use crate::eval::code::{Eval, MappingCode, Run, StepCode, StepKindCode, WhenCode};
use crate::eval::draft::{Action, KeyTried};
use crate::eval::failure::{Halt, note};
use crate::eval::making::Role;
use crate::eval::value::{NEEDS, Value, same};
use crate::ir::MappingId;
use crate::source::Span;

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
    let frame = run.frame(code.frame);
    for (param, arg) in code.params.iter().zip(args) {
        frame[*param as usize] = *arg;
    }
    let saved = std::mem::replace(&mut run.locals, frame);
    let making = run.making_of(code.target, code.steps.len());
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
        let (due, shares) = match &self.balance {
            Some(balance) => {
                let (due, shares) = balance.check(run)?;
                (Some(due), shares)
            }
            None => (None, Vec::new()),
        };
        let action = self.action(run, &resolved)?;
        let n = self.push(run, args, role, &resolved, keys, action, due)?;
        let fields = self.encode(run)?;
        let making = run.making.last_mut().expect("the document is being made");
        let refers = std::mem::take(&mut making.refers);
        let later = making.later;
        let draft = &mut run.drafts[n as usize].draft;
        draft.fields = fields;
        draft.shares = shares;
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
                Err(halt) => note(&mut halted, halt)?,
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
            let nested = self.nests
                && making.filled.iter().any(|(n, _)| match &self.steps[*n].kind {
                    StepKindCode::Assign(assign) => assign.path.len() > 1 && assign.path[0] == required.field,
                    _ => false,
                });
            let value = making.value(required.field).unwrap_or(Value::Absent);
            if !nested {
                required.check(run, self.target, value, self.span)?;
            }
        }
        Ok(())
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
                    stopped = note(&mut halted, halt);
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
