//! What is to be done with a document, as far as what was found of it decides that.

use super::keys::Resolved;
use crate::eval::code::{MappingCode, Run, VerbCode};
use crate::eval::draft::{Action, BalanceDue, Draft, KeyTried, MadeBy};
use crate::eval::failure::{Failure, Halt};
use crate::eval::making::{Filled, Made, Role};
use crate::eval::value::{Value, show};
use crate::ir::Stop;
use std::sync::Arc;

impl MappingCode {
    /// What is decided before anything is filled: conditions of the header, and what is deleted or left alone.
    pub(crate) fn before_steps<'r>(
        &'r self,
        run: &mut Run<'r>,
        resolved: &Resolved<'r>,
    ) -> Result<Option<Action>, Halt> {
        let place = self.header.span;
        let connection = |run: &Run<'r>| run.compiled.connection_of(run.flow, self.id);
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
                let reason = format!("there is no {name} of it in {} to be deleted", connection(run));
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
                let reason = format!("its {name} was deleted in {}, so it is not created again", connection(run));
                run.alert(reason.clone(), place);
                Ok(Some(Action::Leave(Stop::Skip, reason, place)))
            }
            (VerbCode::Update, Resolved::None | Resolved::Gone) => {
                // A stop of the header's own is the record's; else there is nothing to update.
                let text = self.otherwise(run)?;
                let there_is_none = || format!("there is no {name} of it in {} to be updated", connection(run));
                let reason = text.unwrap_or_else(there_is_none);
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

    /// What is done with a document that is filled.
    pub(crate) fn action<'r>(&self, run: &mut Run<'r>, resolved: &Resolved<'r>) -> Result<Action, Halt> {
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
    pub(crate) fn push<'r>(
        &'r self,
        run: &mut Run<'r>,
        args: &'r [Value<'r>],
        role: Role,
        resolved: &Resolved<'r>,
        keys: Vec<KeyTried>,
        action: Action,
        balance: Option<BalanceDue>,
    ) -> Result<u32, Halt> {
        let source = self.header.source(run, args, role)?;
        let linked_to = source.filter(|_| run.payload_of.is_none()).map(|(entity, key)| (entity, Arc::from(key)));
        let on_change = self.header.on_change(run)?;
        if run.payload_of == Some(self.id) {
            run.payload = None;
        }
        let making = run.making.last_mut().expect("the document is being made");
        let values: &'r [Filled<'r>] = run.arena.alloc_slice_copy(&making.values);
        let n = u32::try_from(run.drafts.len()).unwrap_or(u32::MAX);
        making.draft = Some(n);
        let mapping = run.compiled.program.mapping(self.id);
        let draft = Draft {
            made: MadeBy { mapping: self.id, name: Arc::clone(&mapping.name) },
            connection: run.compiled.connection_of(run.flow, self.id),
            entity: self.target,
            action,
            linked_to,
            keys,
            fields: Vec::new(),
            refers_to: Vec::new(),
            follows: if role == Role::Follows { run.following.last().map(|n| *n as usize) } else { None },
            waits_for: None,
            balance,
            shares: Vec::new(),
            overwrite: (self.header.overwrite, self.header.overwrite_fields.clone()),
            on_change,
            place: self.span,
        };
        let (found, id) = (resolved.found(), resolved.id());
        run.drafts.push(Made { mapping: self.id, args, draft, values, found, id });
        Ok(n)
    }
}
