//! Fields that stand in a record's lines, since the record itself has no room for them: what is filled goes into each line, and
//! rows show it as if it were theirs. All of it is JSON text of one record.

use crate::ir::{Entity, Field, StandsIn};
use serde_json::{Map, Value};

/// The fields of an entity that stand in its lines.
fn fields(entity: &Entity) -> impl Iterator<Item = (&Field, &StandsIn)> {
    entity.fields.iter().filter_map(|field| Some((field, field.stands_in.as_ref()?)))
}

/// The member that is selected for a name: of what stands in the lines, their list.
pub(super) fn selected<'a>(entity: &'a Entity, name: &'a str) -> &'a str {
    let stands = fields(entity).find(|(field, _)| &*field.wire == name);
    stands.map_or(name, |(_, stands)| &*stands.list)
}

/// A row with what its lines say, of which the first that says it counts; none where that is nothing new.
pub(super) fn shown(entity: &Entity, row: &str) -> Option<String> {
    told(entity, row, |_, lines| said_by(lines))
}

/// The answer to a write, with what was sent where it shows no lines.
pub(super) fn answered(entity: &Entity, row: &str, body: &str) -> Option<String> {
    let sent = serde_json::from_str(body).unwrap_or(Value::Null);
    told(entity, row, |field, lines| {
        said_by(lines).or_else(|| sent.get(&*field.wire).filter(|value| !value.is_null()).cloned())
    })
}

/// What is sent: each line says what the record has no room for, unless it says something else.
pub(super) fn sent(entity: &Entity, body: &str) -> Option<String> {
    fields(entity).next()?;
    let Value::Object(mut record) = serde_json::from_str(body).ok()? else { return None };
    for (field, stands) in fields(entity) {
        let Some(Value::Array(mut lines)) = record.remove(&*stands.list) else { continue };
        if let Some(value) = record.remove(&*field.wire) {
            let open = |line: &&mut Map<String, Value>| line.get(&*stands.member).is_none_or(Value::is_null);
            for line in lines.iter_mut().filter_map(Value::as_object_mut).filter(open) {
                line.insert(stands.member.to_string(), value.clone());
            }
        }
        record.insert(stands.list.to_string(), Value::Array(lines));
    }
    Some(Value::Object(record).to_string())
}

/// A row with this member beside its own.
pub(super) fn with(row: &str, member: &str, value: &str) -> Option<String> {
    let Value::Object(mut record) = serde_json::from_str(row).ok()? else { return None };
    record.insert(member.to_owned(), value.into());
    Some(Value::Object(record).to_string())
}

/// A row with what `value` finds in the lines that it shows.
fn told(
    entity: &Entity,
    row: &str,
    value: impl Fn(&Field, Option<(&[Value], &str)>) -> Option<Value>,
) -> Option<String> {
    fields(entity).next()?;
    let mut record: Value = serde_json::from_str(row).ok()?;
    let mut members = Vec::new();
    for (field, stands) in fields(entity) {
        let list = record.get(&*stands.list);
        let lines = list.and_then(|list| list.as_array().or_else(|| list.get("results")?.as_array()));
        let lines = lines.map(|lines| (lines.as_slice(), &*stands.member));
        members.extend(value(field, lines).map(|value| (field.wire.to_string(), value)));
    }
    let none = members.is_empty();
    record.as_object_mut()?.extend(members);
    (!none).then(|| record.to_string())
}

/// What the first line that says something says; none where no lines are shown.
fn said_by(lines: Option<(&[Value], &str)>) -> Option<Value> {
    let (lines, member) = lines?;
    Some(lines.iter().find_map(|line| line.get(member).filter(|said| !said.is_null())).cloned().unwrap_or(Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::tests::{entity, field};
    use crate::ir::Type;

    fn entry() -> Entity {
        let stands = StandsIn {
            list: "Lines".into(),
            member: "Description".into(),
            back: "EntryID".into(),
            route: "x/Lines".into(),
        };
        let reference = Field { stands_in: Some(stands), ..field("Reference", Type::Text(None)) };
        entity("Entry", "x/Entries", vec![field("EntryID", Type::Guid), reference])
    }

    fn reference(row: Option<String>) -> Option<String> {
        let row: Value = serde_json::from_str(&row?).unwrap();
        row["Reference"].as_str().map(str::to_owned)
    }

    #[test]
    fn what_is_filled_goes_into_each_line_that_says_nothing_else() {
        let body = r#"{"Reference":"1-P","Lines":[{"AmountFC":1.10},{"Description":"x"}]}"#;
        let sent = sent(&entry(), body).unwrap();
        assert_eq!(sent, r#"{"Lines":[{"AmountFC":1.10,"Description":"1-P"},{"Description":"x"}]}"#);
        assert_eq!(super::sent(&entity("Other", "x", vec![]), body), None);
    }

    #[test]
    fn a_row_shows_what_its_lines_say() {
        let shown = |text: &str| reference(shown(&entry(), text));
        let listed = r#"{"Lines":{"results":[{"Description":null},{"Description":"1-P"}]}}"#;
        assert_eq!(shown(listed).as_deref(), Some("1-P"));
        assert_eq!(shown(r#"{"Lines":[{"Description":"2-P"}]}"#).as_deref(), Some("2-P"));
        let deferred = r#"{"Lines":{"__deferred":{"uri":"x"}}}"#;
        assert_eq!(shown(deferred), None);
        let answer = reference(answered(&entry(), deferred, r#"{"Reference":"1-P"}"#));
        assert_eq!(answer.as_deref(), Some("1-P"), "it was taken as it was sent");
        assert_eq!(reference(with(deferred, "Reference", "3-P")).as_deref(), Some("3-P"));
        assert_eq!(selected(&entry(), "Reference"), "Lines");
    }
}
