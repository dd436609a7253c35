//! The fields of a document as the JSON that is sent.

use crate::eval::code::{MappingCode, Run, StepKindCode, WhenCode};
use crate::eval::draft::{Action, DraftField, FieldWhen};
use crate::eval::failure::Halt;
use crate::eval::value::Value;
use crate::eval::wire::{left_out, part_of, write};
use crate::ir::{EntityId, FieldId};
use std::sync::Arc;

impl MappingCode {
    /// The fields as JSON, in the order of the steps that fill them.
    pub(crate) fn encode<'r>(&'r self, run: &mut Run<'r>) -> Result<Vec<DraftField>, Halt> {
        let making = run.making.last_mut().expect("the document is being made");
        let filled = std::mem::take(&mut making.filled);
        let updating = making.updating;
        let mut fields: Vec<(usize, DraftField)> = Vec::with_capacity(filled.len());
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
            fields.push((*n, DraftField { path, field: assign.path[0], json, when, place: step.span }));
        }
        // Those that are keys were filled before the others.
        fields.sort_by_key(|(n, _)| *n);
        Ok(fields.into_iter().map(|(_, field)| field).collect())
    }

    /// The way to a field by wire names, its entity, and itself. A further entry stands under its name.
    fn wire_path(&self, run: &Run<'_>, path: &[FieldId]) -> (Vec<Arc<str>>, EntityId, FieldId) {
        let mut names = Vec::with_capacity(path.len());
        let (mut entity, mut last) = (self.target, path[0]);
        for (n, field) in path.iter().enumerate() {
            if n > 0 {
                entity = part_of(run, entity, last);
            }
            last = *field;
            let wire = run.compiled.wires.of(entity, last);
            match &wire.meta {
                Some(key) => {
                    let program = &run.compiled.program;
                    let entries = program.entries_of(program.entity(entity));
                    names.extend(entries.map(|entries| Arc::clone(entries.list)));
                    names.push(Arc::clone(key));
                }
                None => names.push(Arc::clone(&wire.wire)),
            }
        }
        (names, entity, last)
    }
}
