//! Lines that are records of their own: a document's update does not carry them, so each is changed, added or removed
//! by itself. Added before removed: some APIs take a document away with its last line.

use crate::engine::event::FieldChange;
use crate::engine::values::compare;
use crate::engine::values::text::scalar;
use crate::ir::{Access, Entity, EntityId, FieldId, Method, Program, Type};
use serde_json::{Map, Value};

/// A list of lines as it is to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lines {
    /// The list's field, by its name on the wire.
    pub(crate) field: String,
    /// What a line is.
    pub(crate) part: EntityId,
    /// The line's field that names its document.
    pub(crate) parent: FieldId,
    /// The lines, as they are to be.
    pub(crate) ours: Vec<Value>,
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
    /// The line that refers to another record by now, such as another item.
    pub(crate) fn refers_anew(&self, part: &Entity) -> Option<&str> {
        let Self::Update { id, body, from } = self else { return None };
        let mut references = part.fields.iter().filter(|f| matches!(f.ty.present(), Type::Record(_)));
        references.any(|f| body.get(&*f.wire) != from.get(&*f.wire)).then_some(id)
    }

    /// As a person reads it.
    pub(crate) fn change(&self, field: &str) -> FieldChange {
        match self {
            Self::Update { id, body, from } => {
                FieldChange { field: format!("{field}[{id}]"), from: Some(from.to_string()), to: body.to_string() }
            }
            Self::Create { body } => FieldChange { field: format!("{field}[new]"), from: None, to: body.to_string() },
            Self::Delete { id } => {
                FieldChange { field: format!("{field}[{id}]"), from: Some("a line".to_owned()), to: "null".to_owned() }
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
        let refers = |ty: &Type| match ty {
            Type::Record(of) => std::ptr::eq(program.entity(*of), document),
            _ => false,
        };
        let parent = entity.fields.iter().position(|f| refers(f.ty.present()))?;
        let parent = FieldId(u32::try_from(parent).ok()?);
        Some(Self { field: field.to_owned(), part: *part, parent, ours: ours.as_array()?.clone() })
    }
}

/// What becomes of each line: equal ones stay, then those that refer to the same records are changed, the rest in order.
pub(crate) fn line_steps(
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
    line.get(&*part.get(part.key?).wire).map(scalar)
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
