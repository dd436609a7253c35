//! The fields of a document as the JSON that is sent.

use crate::eval::code::{MappingCode, Run, StepKindCode, WhenCode};
use crate::eval::draft::{Action, DraftField, FieldWhen};
use crate::eval::failure::Halt;
use crate::eval::value::Value;
use crate::eval::wire::{left_out, write};
use std::sync::Arc;

impl MappingCode {
    /// The fields as JSON, in the order of the steps that fill them.
    pub(crate) fn encode<'r>(&'r self, run: &mut Run<'r>) -> Result<Vec<DraftField>, Halt> {
        let making = run.making.last_mut().expect("the document is being made");
        let filled = std::mem::take(&mut making.filled);
        let updating = making.updating;
        // What nobody reads is written all the same, for what is wrong with it.
        let wanted = run.payload_of.is_none_or(|wanted| wanted == self.id);
        let mut fields: Vec<(usize, DraftField)> = Vec::with_capacity(if wanted { filled.len() } else { 0 });
        let mut json = std::mem::take(&mut run.scratch);
        for (at, (n, value)) in filled.iter().enumerate() {
            let step = &self.steps[*n];
            let StepKindCode::Assign(assign) = &step.kind else { continue };
            let again = |m: &usize| matches!(&self.steps[*m].kind, StepKindCode::Assign(a) if a.path == assign.path);
            // Filled twice, the last counts.
            if matches!(value, Value::Keep | Value::Hole(_))
                || assign.again && filled[at + 1..].iter().any(|(m, _)| again(m))
            {
                continue;
            }
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
                let wire = run.compiled.wires.of(assign.of, *assign.path.last().expect("a path leads to a field"));
                write(run, wire, *value, step.span, &mut json).map_err(|halt| halt.within(&assign.name))?;
            }
            if !wanted {
                json.clear();
                continue;
            }
            let when = match assign.when {
                WhenCode::Always => FieldWhen::Always,
                WhenCode::Create => FieldWhen::Create,
                WhenCode::Update(_) => FieldWhen::Update,
            };
            let text = std::str::from_utf8(&json).expect("JSON was written as text").to_owned();
            json.clear();
            let path = Arc::clone(&assign.wire);
            fields.push((*n, DraftField { path, field: assign.path[0], json: text, when, place: step.span }));
        }
        run.scratch = json;
        // Those that are keys were filled before the others.
        fields.sort_by_key(|(n, _)| *n);
        Ok(fields.into_iter().map(|(_, field)| field).collect())
    }
}
