//! Single values as texts: of a row, of a key, of what a flow says in the words of an API.

use crate::ir::{Entity, FieldId, Type};
use serde_json::Value;

/// A single value as text, without quotes.
pub(crate) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Values of the `{parts}` of an entity's route, as a row of it shows them.
pub(crate) fn parts_of(entity: &Entity, row: &Value) -> Vec<(String, String)> {
    let field = |id| entity.get(id);
    let shown = entity.route_fields().map(field).filter_map(|field| Some((field, row.get(&*field.wire)?)));
    let is_said = |field: &crate::ir::Field, value: &Value| {
        !value.is_null() && !(field.form.zero_is_absent && (*value == 0 || *value == ""))
    };
    shown
        .filter(|(field, value)| is_said(field, value))
        .map(|(field, value)| (field.name.to_string(), scalar(value)))
        .collect()
}

/// A value of the flow as the API has it, unquoted.
pub(crate) fn wire_text(entity: &Entity, field: FieldId, text: &str) -> String {
    match entity.get(field).ty.present() {
        Type::Enum(values) => {
            let known = values.values.iter().find(|v| *v.code == *text);
            known.map_or_else(|| text.to_owned(), |v| v.wire.trim_matches('"').to_owned())
        }
        _ => text.to_owned(),
    }
}

/// The form in which keys are looked up here; eval compares them exactly.
pub(crate) fn normal(text: &str) -> String {
    text.trim().to_lowercase()
}
