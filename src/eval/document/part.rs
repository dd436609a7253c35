//! Parts of a document: a line, an address.

use crate::eval::code::{Eval, PartCode, Run, StepKindCode};
use crate::eval::failure::{Halt, note};
use crate::eval::value::{Built, BuiltField, NEEDS, Value};
use crate::source::{FileId, Span};

impl PartCode {
    /// The part of that number.
    pub(crate) fn make<'r>(run: &mut Run<'r>, n: usize) -> Eval<'r> {
        let part: &'r Self = &run.compiled.parts[n];
        if part.uses_it {
            let updating = run.updating();
            let mut making = run.making_of(part.entity, part.steps.len());
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
            let place = self.steps.first().map_or(Span::new(FileId(0), 0, 0), |step| step.span);
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
                        note(&mut halted, halt)?;
                    }
                },
                _ => {
                    if let Err(halt) = run.step(step) {
                        note(&mut halted, halt)?;
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
