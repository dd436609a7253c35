//! What people do at the screens, and data that is loaded: every property may be set.

use std::path::Path;

use serde_json::Value;

use super::cell::Cell;
use super::draft::{Draft, Hand, Write};
use super::record::Record;
use super::rules;
use super::schema::{Entity, schema};
use super::state::State;

/// Loads every `<service>.<Entity>.json` of a folder, in the order of their names.
pub(super) fn load_dir(state: &mut State, folder: &Path) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let entity = name.strip_suffix(".json").and_then(|stem| schema().find(&stem.replace('.', "/")));
        if let Some(entity) = entity {
            files.push((rank(entity), path, entity));
        }
    }
    files.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
    for (_, path, entity) in files {
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        for record in records(value) {
            set_row(state, entity.path, &record).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// Master data first, then accounts and items, then what refers to them, then documents.
fn rank(entity: &Entity) -> u8 {
    match entity.path {
        "general/Currencies" | "financial/GLAccounts" | "logistics/Units" => 0,
        "vat/VATCodes" | "hrm/Costcenters" | "hrm/Costunits" | "inventory/Warehouses" => 1,
        "crm/Accounts" | "logistics/ItemGroups" => 3,
        "logistics/Items" | "crm/Contacts" => 4,
        "crm/Addresses" => 5,
        path if path.starts_with("sales") => 7,
        path if path.starts_with("crm/") || path.starts_with("logistics/") || path.starts_with("inventory/") => 6,
        _ => 2,
    }
}

/// One record, a list of them, or an answer of the API with either in it.
fn records(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        Value::Object(mut object) if object.contains_key("d") => records(object.remove("d").unwrap_or(Value::Null)),
        Value::Object(mut object) if object.contains_key("results") => {
            records(object.remove("results").unwrap_or(Value::Null))
        }
        other => vec![other],
    }
}

/// Changes the record that is meant, or adds one. Answers its key.
pub(super) fn set_row(state: &mut State, path: &str, value: &Value) -> Result<String, String> {
    let entity = schema().find(path).ok_or_else(|| format!("the ledger has no `{path}`"))?;
    if entity.source.is_some() {
        return Err(format!("`{path}` only shows what another resource holds"));
    }
    let draft = Draft::read(state, entity, value, Write::Create, Hand::Person).map_err(|refusal| refusal.text)?;
    let key = match meant(state, &draft.record) {
        Some(mut old) if draft.has_lines() => {
            // A document with new lines is a new document under the old key.
            let key = old.key();
            rules::discard(state, &old);
            let mut draft = draft;
            for (at, cell) in old.row.cells().cloned().collect::<Vec<_>>() {
                if draft.record.row.get(at).is_null() && entity.property(at).on_post {
                    draft.record.row.set(at, cell);
                }
            }
            draft.record.row.set(entity.key, key);
            old = rules::create(state, draft, Hand::Person).map_err(|refusal| refusal.text)?;
            old.key()
        }
        Some(old) => {
            rules::change(state, &old, draft, Hand::Person).map_err(|refusal| refusal.text)?;
            old.key()
        }
        None => rules::create(state, draft, Hand::Person).map_err(|refusal| refusal.text)?.key(),
    };
    Ok(key.to_plain().as_str().map_or_else(|| key.to_plain().to_string(), str::to_owned))
}

/// Takes out the record with this key.
pub(super) fn remove_row(state: &mut State, path: &str, key: &str) -> Result<(), String> {
    let entity = schema().find(path).ok_or_else(|| format!("the ledger has no `{path}`"))?;
    let named = serde_json::json!({ entity.property(entity.key).name: key });
    let draft = Draft::read(state, entity, &named, Write::Create, Hand::Person).map_err(|refusal| refusal.text)?;
    let record = state.record(path, &draft.record.key()).ok_or_else(|| format!("`{path}` has no {key}"))?;
    rules::remove(state, &record).map_err(|refusal| refusal.text)
}

/// The record that is already there: of the same key, the same code, or the same place in stock or time.
fn meant(state: &State, sent: &Record) -> Option<Record> {
    let entity = sent.entity;
    let same = |names: &[&str]| {
        let mut all = state.all(entity.path);
        all.find(|other| names.iter().all(|name| other.get(name) == sent.get(name)))
    };
    match entity.path {
        "read/financial/JournalStatusList" => return same(&["Year", "Period", "Journal"]),
        "inventory/ItemWarehouses" if !sent.has("ID") => return same(&["Item", "Warehouse"]),
        _ => {}
    }
    let key = sent.key();
    if !key.is_null() {
        return state.record(entity.path, &key);
    }
    entity.find("Code")?;
    let code = sent.text("Code")?;
    let found = state.by_code(entity.path, code);
    // Account codes are kept with blanks before them.
    found.or_else(|| state.first(entity.path, "Code", &Cell::text(&format!("{:>18}", code.trim()))))
}
