//! The fields of a document as the JSON that is sent.

use crate::eval::body::body;
use crate::eval::code::{Assign, MappingCode, Run, StepKindCode, WhenCode};
use crate::eval::draft::{Action, DraftField, FieldWhen};
use crate::eval::failure::Halt;
use crate::eval::value::Value;
use crate::eval::wire::{left_out, write};
use std::ops::Range;
use std::sync::Arc;

/// A field that is written: the step that fills it, and where its JSON stands.
type Written = (usize, Range<usize>);

impl MappingCode {
    /// The fields as JSON, in the order of the steps that fill them. Where payloads are wanted, they are put together at
    /// once; what nobody reads is written all the same, for what is wrong with it.
    pub(crate) fn encode<'r>(&'r self, run: &mut Run<'r>) -> Result<Vec<DraftField>, Halt> {
        let mut out = std::mem::take(&mut run.scratch);
        let written = self.write_fields(run, &mut out)?;
        let json = std::str::from_utf8(&out).expect("JSON was written as text");
        let mut fields = Vec::new();
        match run.payload_of {
            None => fields.extend(written.into_iter().filter_map(|written| self.field(json, written))),
            Some(wanted) if wanted == self.id && !written.is_empty() => {
                let program = run.compiled.program();
                let sent = written.iter().filter_map(|(n, at)| {
                    let json = &json[at.clone()];
                    let assign =
                        self.assign(*n).filter(|a| !matches!(a.when, WhenCode::Update(_)) && json != "null")?;
                    Some((&*assign.wire, json))
                });
                run.payload = Some(body(program.entries_of(program.entity(self.target)), sent));
            }
            Some(_) => {}
        }
        out.clear();
        run.scratch = out;
        Ok(fields)
    }

    /// Appends what each field holds.
    fn write_fields<'r>(&'r self, run: &mut Run<'r>, out: &mut Vec<u8>) -> Result<Vec<Written>, Halt> {
        let making = run.making.last_mut().expect("the document is being made");
        let none = bumpalo::collections::Vec::new_in(run.arena);
        let filled = std::mem::replace(&mut making.filled, none);
        let updating = making.updating;
        let mut fields = Vec::with_capacity(filled.len());
        for (at, (n, value)) in filled.iter().enumerate() {
            let Some(assign) = self.assign(*n) else { continue };
            let again = |m: &usize| self.assign(*m).is_some_and(|other| other.path == assign.path);
            // Filled twice, the last counts.
            if matches!(value, Value::Keep | Value::Hole(_))
                || assign.again && filled[at + 1..].iter().any(|(m, _)| again(m))
            {
                continue;
            }
            let start = out.len();
            if left_out(value) {
                if !updating
                    && !matches!(
                        run.drafts.last().map(|m| &m.draft.action),
                        Some(Action::Itself { .. } | Action::After(_))
                    )
                {
                    continue;
                }
                out.extend_from_slice(b"null");
            } else {
                let wire = run.compiled.wires.of(assign.of, *assign.path.last().expect("a path leads to a field"));
                write(run, wire, *value, self.steps[*n].span, out).map_err(|halt| halt.within(&assign.name))?;
            }
            fields.push((*n, start..out.len()));
        }
        // Those that are keys were filled before the others.
        fields.sort_by_key(|(n, _)| *n);
        Ok(fields)
    }

    /// The field that a step fills.
    fn assign(&self, n: usize) -> Option<&Assign> {
        match &self.steps[n].kind {
            StepKindCode::Assign(assign) => Some(assign),
            _ => None,
        }
    }

    fn field(&self, json: &str, (n, at): Written) -> Option<DraftField> {
        let assign = self.assign(n)?;
        let when = match assign.when {
            WhenCode::Always => FieldWhen::Always,
            WhenCode::Create => FieldWhen::Create,
            WhenCode::Update(_) => FieldWhen::Update,
        };
        let path = Arc::clone(&assign.wire);
        Some(DraftField { path, field: assign.path[0], json: json[at].to_owned(), when, place: self.steps[n].span })
    }
}
