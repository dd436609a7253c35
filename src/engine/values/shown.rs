//! What an answer shows, held against what was sent. A server that answers 200 may answer about another record, or keep
//! nothing of what it was sent.

use super::body;
use super::compare;
use super::text::{scalar, wire_text};
use crate::ir::{Entity, Entries, Field, Program};
use serde_json::{Map, Value};

/// Where a row is another one than was searched for or made: a field, what it shows and what it would show. A system may
/// write a key in its own way; that makes it no other.
pub(crate) fn another<'s>(
    program: &Program,
    entity: &Entity,
    search: &'s [(String, String)],
    row: &Value,
) -> Option<(&'s str, String, String)> {
    let plain = |text: &str| text.trim().to_lowercase();
    search.iter().find_map(|(name, ours)| {
        let id = entity.field(name)?;
        let field = entity.get(id);
        let theirs = row.get(&*field.wire).filter(|value| !value.is_null())?;
        let ours = wire_text(entity, id, ours);
        let same = compare::same(program, Some(field), &Value::from(ours.as_str()), Some(theirs))
            || plain(&scalar(theirs)) == plain(&ours);
        (!same).then(|| (&**name, scalar(theirs), ours))
    })
}

/// Whether an answer shows each single value of an update.
pub(crate) fn tells(program: &Program, entity: &Entity, sent: &str, row: Option<&Value>) -> bool {
    let Some(row) = row else { return false };
    let Ok(sent) = serde_json::from_str::<Map<String, Value>>(sent) else { return true };
    let list = program.entries_of(entity).map(|entries| &**entries.list);
    sent.keys().all(|name| row.get(name).is_some() || (list != Some(name) && single(entity, name).is_none()))
}

/// A field that is shown, and no list. What a system makes of lists is its own: it may number, join and complete their
/// entries.
fn single<'e>(entity: &'e Entity, wire: &str) -> Option<&'e Field> {
    let field = entity.fields.iter().find(|f| *f.wire == *wire)?;
    (!field.write_only && field.ty.present().element().is_none()).then_some(field)
}

/// The first field of a write that its answer shows otherwise: its name, what it shows and what was sent. `is_cleared` says of
/// a field that was to be cleared, and of what stands there, whether that is another value than the one that was there.
pub(crate) fn not_kept(
    program: &Program,
    entity: &Entity,
    sent: &str,
    row: &Value,
    is_cleared: &dyn Fn(&str, &Value) -> bool,
) -> Option<(String, String, String)> {
    let sent: Value = serde_json::from_str(sent).ok()?;
    let entries = program.entries_of(entity);
    sent.as_object()?.iter().find_map(|(name, ours)| {
        if let Some(entries) = entries.filter(|entries| **entries.list == **name) {
            return entry_not_kept(program, entries, ours, row);
        }
        let theirs = row.get(name)?;
        let field = single(entity, name)?;
        let cleared = ours.is_null() && is_cleared(name, theirs);
        let same = cleared || compare::same(program, Some(field), ours, Some(theirs));
        (!same).then(|| (name.clone(), told(Some(theirs)), told(Some(ours))))
    })
}

/// The first of some further entries that a row shows otherwise.
fn entry_not_kept(
    program: &Program,
    entries: Entries<'_>,
    ours: &Value,
    row: &Value,
) -> Option<(String, String, String)> {
    // Only what shows its entries shows that one is not among them.
    row.get(&**entries.list).filter(|list| list.is_array() || list.is_null())?;
    ours.as_array()?.iter().find_map(|entry| {
        let (name, ours) = (entry.get(&**entries.key)?.as_str()?, entry.get(&**entries.value)?);
        let theirs = body::entry_value(entries, row, name);
        (!compare::same(program, None, ours, theirs)).then(|| (name.to_owned(), told(theirs), told(Some(ours))))
    })
}

fn told(value: Option<&Value>) -> String {
    value.map(scalar).filter(|text| !text.is_empty()).unwrap_or_else(|| "nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::decide::tests::{field, program};
    use crate::ir::{Access, EntityId, FieldId, Type};
    use serde_json::json;

    #[test]
    fn another_record_shows_another_key_however_a_system_writes_ours() {
        let program = program();
        let search = [("Name".to_owned(), "Ann ".to_owned())];
        let of = |row: Value| another(&program, &program.entities[0], &search, &row);
        assert_eq!(of(json!({"ID": "A", "Name": " ANN"})), None);
        assert_eq!(of(json!({"ID": "A"})), None, "nothing is shown");
        assert_eq!(of(json!({"ID": "A", "Name": "Bert"})), Some(("Name", "Bert".to_owned(), "Ann ".to_owned())));
    }

    /// Accounts with a list of further entries.
    fn with_entries() -> Program {
        let mut program = program();
        let fields = vec![field("key", Type::Text(None), Access::Free), field("value", Type::Json, Access::Free)];
        let entry = Entity { fields, entry: Some((FieldId(0), FieldId(1))), ..program.entities[0].clone() };
        let entries = Type::List(Type::Record(EntityId::from(program.entities.len())).into());
        program.entities[0].fields.push(field("meta_data", entries, Access::Free));
        program.entities.push(entry);
        program
    }

    #[test]
    fn an_update_is_kept_where_its_answer_shows_it() {
        let program = with_entries();
        let of = |sent: Value, row: Value| {
            not_kept(&program, &program.entities[0], &sent.to_string(), &row, &|_, theirs| *theirs != "Old")
        };
        assert_eq!(of(json!({"Name": null}), json!({"Name": "a default"})), None);
        assert_eq!(of(json!({"Name": null}), json!({"Name": "Old"})).unwrap().2, "nothing");
        assert_eq!(of(json!({"Name": "Ann"}), json!({"Name": "Ann", "Phone": null})), None);
        assert_eq!(of(json!({"Name": "Ann"}), json!({"ID": "A"})), None, "it is not told");
        assert_eq!(of(json!({"Name": "Ann"}), json!({"Name": "Old"})).unwrap().0, "Name");
        let meta = json!({"meta_data": [{"key": "_n", "value": "15"}]});
        assert_eq!(of(meta.clone(), json!({"meta_data": [{"id": 1, "key": "_n", "value": "15"}]})), None);
        assert_eq!(of(meta.clone(), json!({"meta_data": []})).unwrap(), ("_n".into(), "nothing".into(), "15".into()));
        assert_eq!(of(meta, json!({"id": 3})), None);
        let secret = json!({"Name": "Ann", "Secret": "s"});
        assert_eq!(of(secret.clone(), json!({"Name": "Ann", "Secret": null})), None, "it is never shown");
        assert!(tells(&program, &program.entities[0], &secret.to_string(), Some(&json!({"Name": "Ann"}))));
    }
}
