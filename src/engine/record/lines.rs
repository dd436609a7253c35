//! Lines that are records of their own, looked at and sent one by one.

use super::acting::Acting;
use super::call::{Changing, Transmitted, WriteCall};
use super::verdict::Verdict;
use crate::connector::{CallError, Find};
use crate::engine::decide::lines::{self, LineStep, Lines};
use crate::engine::error::PassError;
use crate::engine::known::search;
use crate::engine::log::AnswerEntry;
use crate::engine::values::text::scalar;
use crate::eval::Draft;
use crate::store::{Change, Operation, Outcome};
use serde_json::Value;
use std::sync::Arc;

impl Acting<'_> {
    /// Looks at the lines that are there, and says what becomes of each.
    ///
    /// # Errors
    /// The verdict where a line cannot be read: it might be taken for missing, and added once more.
    pub(crate) async fn line_steps(
        &self,
        draft: &Draft,
        id: &str,
        lines: &Lines,
    ) -> Result<Result<Vec<LineStep>, Verdict>, PassError> {
        let part = self.pass.entity(lines.part);
        let parent = part.get(lines.parent);
        if lines.ours.is_empty() {
            // Line by line its document would be taken apart, and at the last one the system may refuse.
            let reason = format!(
                "its source has no lines any more, and {id} in {} has some: see what it is to be there, then skip this one",
                draft.connection
            );
            return Ok(Err(Verdict::parked(reason, draft.place)));
        }
        let names = lines.ours.iter().filter_map(Value::as_object).flat_map(|line| line.keys().cloned());
        let mut fields: Vec<String> = names.chain([parent.wire.to_string()]).collect();
        fields.sort_unstable();
        fields.dedup();
        let find = Find {
            entity: Arc::clone(&part),
            fields,
            by: Some(lines.parent),
            values: vec![id.to_owned()],
            parts: Vec::new(),
        };
        let rows = match search::search(self.pass.connector(&draft.connection)?.as_ref(), &find).await {
            Ok(rows) => rows,
            Err(CallError::Refused { system, reason, .. }) => {
                let reason = format!("{system} refuses to show the lines of {id}: {reason}");
                return Ok(Err(Verdict::parked(reason, draft.place)));
            }
            Err(other) => return Err(other.into()),
        };
        if let Some(row) = rows.unreadable.first() {
            let reason = search::row_told(&draft.connection, &part, row);
            return Ok(Err(Verdict::unreadable(reason, draft.place)));
        }
        let mut theirs: Vec<Value> = Vec::new();
        for row in &rows.read {
            let row: Value = match serde_json::from_str(&row.0) {
                Ok(row) => row,
                Err(e) => {
                    let reason = format!("a line of {id} in {} cannot be read ({e})", draft.connection);
                    return Ok(Err(Verdict::unreadable(reason, draft.place)));
                }
            };
            if row.get(&*parent.wire).map(scalar).is_some_and(|p| p.eq_ignore_ascii_case(id)) {
                theirs.push(row);
            }
        }
        Ok(Ok(lines::line_steps(self.pass.program(), &part, (&parent.wire, id), &lines.ours, &theirs)))
    }

    /// With another item a system fills in what is that item's, such as its text, and where we sent the text that stood there
    /// already it takes ours for no change. What such lines show otherwise is sent once more; the verdict where the record
    /// stops.
    pub(crate) async fn said_again(
        &mut self,
        draft: &Draft,
        id: &str,
        lines: &Lines,
        anew: &[String],
    ) -> Result<Option<Verdict>, PassError> {
        let steps = match self.line_steps(draft, id, lines).await? {
            Ok(steps) => steps,
            Err(verdict) => return Ok(Some(verdict)),
        };
        for step in steps {
            if matches!(&step, LineStep::Update { id, .. } if anew.contains(id))
                && let Some(verdict) = self.send_line(draft, lines, (step, None)).await?
            {
                return Ok(Some(verdict));
            }
        }
        Ok(None)
    }

    /// Looks at the lines once more after they were changed; the verdict where they are not as they were sent.
    pub(crate) async fn lines_differ(
        &self,
        draft: &Draft,
        id: &str,
        lines: &Lines,
    ) -> Result<Option<Verdict>, PassError> {
        let steps = match self.line_steps(draft, id, lines).await? {
            Ok(steps) => steps,
            Err(verdict) => return Ok(Some(verdict)),
        };
        let Some(change) = steps.first().map(|step| step.change(&lines.field)) else { return Ok(None) };
        let (is, was) = (change.from.unwrap_or_else(|| "none".to_owned()), change.to);
        let reason = format!(
            "{} took the changes of the lines of {id}, and shows {} as {is}, not as {was}: see what keeps it from being stored there, then retry",
            draft.connection, change.field
        );
        Ok(Some(Verdict::parked(reason, draft.place)))
    }

    /// Changes one line, which may be the first change of its document; the verdict where the record stops.
    pub(crate) async fn send_line(
        &mut self,
        draft: &Draft,
        lines: &Lines,
        (step, changing): (LineStep, Option<Changing>),
    ) -> Result<Option<Verdict>, PassError> {
        let entity = self.pass.entity(lines.part);
        let (operation, id, body) = match step {
            LineStep::Update { id, body, .. } => (Operation::Update, Some(id.into()), body.to_string()),
            LineStep::Create { body } => (Operation::Create, None, body.to_string()),
            LineStep::Delete { id } => (Operation::Delete, Some(id.into()), String::new()),
        };
        match self
            .transmit(draft, WriteCall { entity, operation, id, body, search: Vec::new(), link: None, changing })
            .await?
        {
            Transmitted::Stopped(verdict) => Ok(Some(verdict)),
            Transmitted::Again => Ok(self.refused.take().map(|(_, verdict)| verdict)),
            Transmitted::Answer(said) => {
                self.answers.push(AnswerEntry::Record { id: said.answer.id.clone(), record: None });
                let outcome = Outcome::Done { target: said.answer.id };
                self.carry.changes.push(Change::Outcome { intent: said.intent, outcome });
                Ok(None)
            }
        }
    }
}
