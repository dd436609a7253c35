//! What a target has after a write: that it took one says neither that it stored it nor what it made of it.

use super::acting::Acting;
use super::links::Writing;
use super::verdict::Verdict;
use crate::connector::Find;
use crate::engine::decide::total;
use crate::engine::error::PassError;
use crate::engine::known::search;
use crate::engine::log::AnswerEntry;
use crate::engine::values::text::scalar;
use crate::engine::values::{compare, shown};
use crate::eval::Draft;
use crate::store::Operation;
use serde_json::Value;
use std::sync::Arc;

impl Acting<'_> {
    /// Whether the target has what was sent; `Err` is why the record stops. An answer to an update that does not show it, or
    /// has no record at all, proves nothing: the record is read, and stands in `row` then.
    pub(crate) async fn is_kept(
        &mut self,
        writing: &Writing<'_>,
        id: &Arc<str>,
        (operation, sent): (Operation, &str),
        row: &mut Option<Value>,
    ) -> Result<Result<(), Verdict>, PassError> {
        let (draft, program) = (writing.draft, self.pass.program());
        let entity = self.pass.entity(draft.entity);
        let what = if operation == Operation::Create { "made" } else { "took the update of" };
        let took = format!("{} {what} {} {id}", draft.connection, entity.name);
        if operation == Operation::Update && !shown::tells(program, &entity, sent, row.as_ref()) {
            match self.read_back(draft, id, self.pass.fields(draft.entity)).await? {
                Ok(read) => {
                    self.answers.push(AnswerEntry::Read { id: id.to_string(), read: read.clone() });
                    *row = Some(read);
                }
                Err(why) => {
                    let reason = format!("{took}, and what it has now cannot be read ({why}): look there");
                    return Ok(Err(Verdict::unreadable(reason, draft.place)));
                }
            }
        }
        // What was to be cleared may have got a value of the target's own; ours is not to stand there any longer, and
        // whose it is must be known.
        let is_cleared = |field: &str, theirs: &Value| {
            let hash = self.pass.store().keyed_hash(&theirs.to_string());
            let last = writing.link.and_then(|link| link.fields.iter().find(|known| known.field == field));
            last.is_none_or(|last| !last.hash.is_empty() && last.hash != hash)
        };
        let amiss = row.as_ref().and_then(|row| shown::not_kept(program, &entity, sent, row, &is_cleared));
        let Some((field, theirs, ours)) = amiss else { return Ok(Ok(())) };
        let reason = format!(
            "{took}, and shows {field} as {theirs}, not as {ours}: see what keeps it from being stored there, then retry"
        );
        Ok(Err(Verdict::parked(reason, draft.place)))
    }

    /// The document is there; what the target computed is compared with what it must come to. An answer that does not tell
    /// it proves nothing: then it is read.
    pub(crate) async fn unbalanced(
        &mut self,
        draft: &Draft,
        row: Option<&Value>,
        id: &str,
    ) -> Result<Option<Verdict>, PassError> {
        let Some(due) = &draft.balance else { return Ok(None) };
        let of = |row: &Value| row.get(&*due.field).and_then(compare::number);
        let theirs = match row.and_then(of) {
            Some(theirs) => Some(theirs),
            None => self.read_back(draft, id, vec![due.field.to_string()]).await?.ok().as_ref().and_then(of),
        };
        let reason = match theirs {
            Some(theirs) if (theirs - due.amount).abs() <= due.within => return Ok(None),
            Some(theirs) => total::imbalance(self.pass.program(), draft, id, theirs),
            None => format!(
                "{} {id} is in {}, and what it comes to there cannot be read ({}): look whether it is {}, then retry",
                self.pass.program().entity(draft.entity).name,
                draft.connection,
                due.field,
                due.amount
            ),
        };
        self.alert(reason.clone(), due.place);
        Ok(Some(Verdict::parked(reason, due.place)))
    }

    /// What stands in the target by now; `Err` is why that cannot be said. What is asked for and does not come is not there.
    async fn read_back(
        &self,
        draft: &Draft,
        id: &str,
        mut fields: Vec<String>,
    ) -> Result<Result<Value, String>, PassError> {
        let entity = self.pass.entity(draft.entity);
        let by = entity.key;
        fields.extend(by.map(|key| entity.get(key).wire.to_string()).filter(|key| !fields.contains(key)));
        fields.extend(draft.balance.as_ref().map(|due| due.field.to_string()).filter(|total| !fields.contains(total)));
        let find = Find { entity, fields, by, values: vec![id.to_owned()], parts: Vec::new() };
        let rows = search::search(self.pass.connector(&draft.connection)?.as_ref(), &find).await?;
        if let Some(row) = rows.unreadable.first() {
            return Ok(Err(row.why.clone()));
        }
        let rows = rows.read.iter().map(|row| serde_json::from_str(&row.0).map_err(|e| e.to_string()));
        let wire = by.map(|key| &*find.entity.get(key).wire);
        let is_it =
            |row: &Value| wire.is_none_or(|key| row.get(key).is_some_and(|its| scalar(its).eq_ignore_ascii_case(id)));
        let mut rows = rows.filter(|row: &Result<Value, String>| row.as_ref().map_or(true, is_it));
        let mut row = rows.next().unwrap_or_else(|| Err("it shows no such record".to_owned()));
        if let Ok(Value::Object(members)) = &mut row {
            for asked in find.fields.iter().filter(|asked| !asked.contains('.')) {
                members.entry(asked.as_str()).or_insert(Value::Null);
            }
        }
        Ok(row)
    }
}
