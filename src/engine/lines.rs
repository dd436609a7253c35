//! Lines that are records of their own: a document's update does not carry them, so each is changed, added or removed
//! by itself. Added before removed: some APIs take a document away with its last line.

use super::compare;
use super::decide::Change;
use super::pass::PassError;
use super::record::Acting;
use super::settle::Verdict;
use super::transmit::{Call, Changing, Heard};
use crate::connector::{CallError, Find};
use crate::eval::Draft;
use crate::ir::{Access, Entity, EntityId, FieldId, Method, Program, Type};
use crate::store::{Change as StoreChange, Operation, Outcome};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A list of lines as it is to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lines {
    /// The list's field, by its name on the wire.
    pub(crate) field: String,
    /// What a line is.
    part: EntityId,
    /// The line's field that names its document.
    parent: FieldId,
    /// The lines, as they are to be.
    ours: Vec<Value>,
}

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LineStep {
    /// These fields of it are changed.
    Update { id: String, body: Value, from: Value },
    /// It is added.
    Create { body: Value },
    /// It is removed.
    Delete { id: String },
}

impl LineStep {
    /// As a person reads it.
    pub(crate) fn change(&self, field: &str) -> Change {
        match self {
            Self::Update { id, body, from } => {
                Change { field: format!("{field}[{id}]"), from: Some(from.to_string()), to: body.to_string() }
            }
            Self::Create { body } => Change { field: format!("{field}[new]"), from: None, to: body.to_string() },
            Self::Delete { id } => {
                Change { field: format!("{field}[{id}]"), from: Some("a line".to_owned()), to: "null".to_owned() }
            }
        }
    }
}

impl Lines {
    /// The lines of a field, when they are records of their own.
    pub(crate) fn of(program: &Program, document: &Entity, field: &str, ours: &Value) -> Option<Self> {
        let list = document.fields.iter().find(|f| *f.wire == *field)?;
        let Type::Record(part) = list.ty.present().element()?.present() else { return None };
        let entity = program.entity(*part);
        if !entity.stands_alone() || !entity.methods.contains(&Method::Put) {
            return None;
        }
        let refers = |ty: &Type| matches!(ty, Type::Record(e) if std::ptr::eq(program.entity(*e), document));
        let parent = entity.fields.iter().position(|f| refers(f.ty.present()))?;
        let parent = FieldId(u32::try_from(parent).ok()?);
        Some(Self { field: field.to_owned(), part: *part, parent, ours: ours.as_array()?.clone() })
    }
}

/// What becomes of each line: equal ones stay, then those that refer to the same records are changed, the rest in order.
fn line_steps(
    program: &Program,
    part: &Entity,
    parent: (&str, &str),
    ours: &[Value],
    theirs: &[Value],
) -> Vec<LineStep> {
    let mut left: Vec<&Value> = theirs.iter().collect();
    let mut open: Vec<&Value> = Vec::new();
    for line in ours {
        match left.iter().position(|theirs| differing(program, part, line, theirs).is_empty()) {
            Some(n) => drop(left.remove(n)),
            None => open.push(line),
        }
    }
    let mut steps = Vec::new();
    let mut still = Vec::new();
    for line in open {
        match left.iter().position(|theirs| same_references(program, part, line, theirs)) {
            Some(n) => steps.extend(changed(program, part, line, left.remove(n))),
            None => still.push(line),
        }
    }
    for line in still {
        let fits = |theirs: &&&Value| {
            let access = |name: &String| part.fields.iter().find(|f| *f.wire == **name).map(|f| f.access);
            differing(program, part, line, theirs).iter().all(|name| access(name) == Some(Access::Free))
        };
        if let Some(n) = left.iter().position(|theirs| fits(&theirs)) {
            steps.extend(changed(program, part, line, left.remove(n)));
        } else {
            let mut body = line.as_object().cloned().unwrap_or_default();
            body.insert(parent.0.to_owned(), parent.1.into());
            steps.push(LineStep::Create { body: Value::Object(body) });
        }
    }
    let gone = left.into_iter().filter_map(|line| key_of(part, line));
    steps.extend(gone.map(|id| LineStep::Delete { id }));
    steps
}

fn changed(program: &Program, part: &Entity, ours: &Value, theirs: &Value) -> Option<LineStep> {
    let mut names = differing(program, part, ours, theirs);
    let of = |name: &String| part.fields.iter().find(|f| *f.wire == **name);
    if names.iter().any(|name| of(name).is_some_and(|f| matches!(f.ty.present(), Type::Record(_)))) {
        // With another item a system fills in what is that item's: the line is said in full.
        let all = ours.as_object().into_iter().flat_map(|line| line.keys().cloned());
        names = all.filter(|name| of(name).is_none_or(|f| f.access == Access::Free)).collect();
    }
    let pick = |of: &Value| {
        let pairs = names.iter().map(|name| (name.clone(), of.get(name).cloned().unwrap_or_default()));
        Value::Object(pairs.collect::<Map<_, _>>())
    };
    (!names.is_empty()).then_some(LineStep::Update { id: key_of(part, theirs)?, body: pick(ours), from: pick(theirs) })
}

/// The fields of ours in which theirs is another.
fn differing(program: &Program, part: &Entity, ours: &Value, theirs: &Value) -> Vec<String> {
    let fields = ours.as_object().into_iter().flatten();
    let differ = fields.filter(|(name, value)| {
        let field = part.fields.iter().find(|f| *f.wire == ***name);
        !compare::same(program, field, value, theirs.get(name.as_str()))
    });
    differ.map(|(name, _)| name.clone()).collect()
}

fn same_references(program: &Program, part: &Entity, ours: &Value, theirs: &Value) -> bool {
    let references = part.fields.iter().filter(|f| matches!(f.ty.present(), Type::Record(_)));
    let mut given = references.filter(|f| ours.get(&*f.wire).is_some()).peekable();
    given.peek().is_some() && given.all(|f| compare::same(program, Some(f), &ours[&*f.wire], theirs.get(&*f.wire)))
}

fn key_of(part: &Entity, line: &Value) -> Option<String> {
    line.get(&*part.get(part.key?).wire).map(compare::scalar)
}

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
        let rows = match super::shown::search(self.pass.connector(&draft.connection)?.as_ref(), &find).await {
            Ok(rows) => rows,
            Err(CallError::Refused { system, reason, .. }) => {
                let reason = format!("{system} refuses to show the lines of {id}: {reason}");
                return Ok(Err(Verdict::parked(reason, draft.place)));
            }
            Err(other) => return Err(other.into()),
        };
        if let Some(row) = rows.unreadable.first() {
            let reason = super::ask::row_told(&draft.connection, &part, row);
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
            if row.get(&*parent.wire).map(compare::scalar).is_some_and(|p| p.eq_ignore_ascii_case(id)) {
                theirs.push(row);
            }
        }
        Ok(Ok(line_steps(self.pass.program(), &part, (&parent.wire, id), &lines.ours, &theirs)))
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
            .transmit(draft, Call { entity, operation, id, body, search: Vec::new(), link: None, changing })
            .await?
        {
            Heard::Stopped(verdict) => Ok(Some(verdict)),
            Heard::Again => Ok(self.refused.take().map(|(_, verdict)| verdict)),
            Heard::Answer(said) => {
                self.answers.push(serde_json::json!({"id": said.answer.id}));
                let outcome = Outcome::Done { target: said.answer.id };
                self.carry.changes.push(StoreChange::Outcome { intent: said.intent, outcome });
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::decide::tests::{field, program as program_of_accounts};
    use serde_json::json;

    fn program() -> (Program, Entity) {
        let mut program = program_of_accounts();
        let line = Entity {
            name: "Line".into(),
            route: Some("lines".into()),
            methods: vec![Method::Put],
            key: Some(FieldId(0)),
            fields: vec![
                field("ID", Type::Guid, Access::ReadOnly),
                field("Item", Type::Record(EntityId(0)), Access::Free),
                field("Quantity", Type::Decimal, Access::Free),
                field("Kind", Type::Text(None), Access::CreateOnly),
            ],
            ..program.entities[0].clone()
        };
        program.entities.push(line.clone());
        (program, line)
    }

    #[test]
    fn lines_are_matched_by_content_then_reference_then_order() {
        let (program, line) = program();
        let theirs = [
            json!({"ID": "1", "Item": "a", "Quantity": 1.0}),
            json!({"ID": "2", "Item": "b", "Quantity": 2.0}),
            json!({"ID": "3", "Item": "c", "Quantity": 3.0, "Kind": "x"}),
            json!({"ID": "4", "Item": "d", "Quantity": 4.0, "Kind": "y"}),
        ];
        let steps = |ours: &[Value]| line_steps(&program, &line, ("Doc", "D"), ours, &theirs);
        let same: Vec<Value> =
            theirs.iter().rev().map(|l| json!({"Item": l["Item"], "Quantity": l["Quantity"]})).collect();
        assert_eq!(steps(&same), []);
        let changed = steps(&[
            json!({"Item": "B", "Quantity": 5}),
            json!({"Item": "a", "Quantity": "1.00"}),
            json!({"Item": "e", "Quantity": 3, "Kind": "x"}),
            json!({"Item": "f", "Quantity": 6, "Kind": "z"}),
        ]);
        let expected = [
            LineStep::Update { id: "2".into(), body: json!({"Quantity": 5}), from: json!({"Quantity": 2.0}) },
            LineStep::Update {
                id: "3".into(),
                body: json!({"Item": "e", "Quantity": 3}),
                from: json!({"Item": "c", "Quantity": 3.0}),
            },
            LineStep::Create { body: json!({"Item": "f", "Quantity": 6, "Kind": "z", "Doc": "D"}) },
            LineStep::Delete { id: "4".into() },
        ];
        assert_eq!(changed, expected);
    }
}
