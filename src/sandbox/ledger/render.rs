//! Rows as JSON: for the API in the verbose form of OData, for people and tests as plain objects.

use serde_json::{Map, Value, json};

use super::cell::Cell;
use super::query;
use super::schema::{Entity, Kind, schema};
use super::state::State;
use super::store::Row;

/// Above this many rows a plain list leaves out what is null: half a million order lines would
/// otherwise be mostly the word `null`.
const LISTED_NULLS_ROWS_MAX: usize = 5_000;

/// What a row's JSON depends on beside the row.
pub(super) struct Frame<'a> {
    pub(super) state: &'a State,
    pub(super) entity: &'static Entity,
    /// Scheme and host that the caller used.
    pub(super) base: &'a str,
    pub(super) selected: &'a [u16],
    /// Navigations to show the rows of, with the properties of those rows.
    pub(super) expanded: &'a [(u16, Vec<u16>)],
    /// Whether lists within are bare arrays.
    pub(super) bare: bool,
}

impl Frame<'_> {
    /// The address of the collection.
    pub(super) fn address(&self) -> String {
        address(self.state, self.entity, self.base)
    }

    /// One row of an answer.
    pub(super) fn row(&self, row: &Row) -> Value {
        let mut object = Map::new();
        let uri = self.uri(row);
        object.insert("__metadata".to_owned(), json!({"uri": uri, "type": self.entity.type_name()}));
        for at in self.selected {
            let property = self.entity.property(*at);
            let value = match property.kind {
                Kind::Collection => self.navigation(row, *at, &uri),
                Kind::Complex => Value::Null,
                kind => self.state.read(self.entity, row, *at).to_wire(kind),
            };
            object.insert(property.name.to_owned(), value);
        }
        Value::Object(object)
    }

    /// The address of one row.
    pub(super) fn uri(&self, row: &Row) -> String {
        let kind = self.entity.property(self.entity.key).kind;
        let key = query::literal(&self.state.read(self.entity, row, self.entity.key), kind);
        format!("{}({key})", self.address())
    }

    fn navigation(&self, row: &Row, at: u16, uri: &str) -> Value {
        let Some((_, selected)) = self.expanded.iter().find(|expanded| expanded.0 == at) else {
            return json!({"__deferred": {"uri": format!("{uri}/{}", self.entity.property(at).name)}});
        };
        let Some((child, rows)) = children(self.state, self.entity, row, at) else {
            return json!({"results": []});
        };
        let frame = Frame { entity: child, selected, expanded: &[], ..*self };
        let list: Vec<_> = rows.iter().map(|row| frame.row(row)).collect();
        if self.bare { Value::Array(list) } else { json!({"results": list}) }
    }
}

/// The address of an entity's collection.
pub(super) fn address(state: &State, entity: &Entity, base: &str) -> String {
    if entity.path == "current/Me" {
        return format!("{base}/api/v1/current/Me");
    }
    format!("{base}/api/v1/{}/{}", state.division, entity.path)
}

/// The rows behind a navigation, in their order.
pub(super) fn children<'a>(
    state: &'a State,
    entity: &Entity,
    row: &Row,
    at: u16,
) -> Option<(&'static Entity, Vec<&'a Row>)> {
    let child = entity.property(at).child?;
    let key = match entity.source {
        Some(source) => row.get(schema().get(source).key).clone(),
        None => row.get(entity.key).clone(),
    };
    let lines = schema().get(child.entity);
    let table = state.table(lines);
    let slots = child.parent.and_then(|parent| table.having(parent, &key)).unwrap_or_default();
    let mut slots = slots.to_vec();
    slots.sort_unstable();
    Some((lines, slots.iter().filter_map(|slot| table.row(*slot)).collect()))
}

/// Everything that is held of an entity, as plain objects with the lines nested in them.
pub(super) fn plain(state: &State, entity: &'static Entity, rows: &[&Row]) -> Vec<Value> {
    let nulls = rows.len() <= LISTED_NULLS_ROWS_MAX;
    rows.iter().map(|row| plain_row(state, entity, row, nulls)).collect()
}

/// The same as text; no more than one row is held as values.
pub(super) fn plain_text(state: &State, entity: &'static Entity, rows: &[&Row]) -> String {
    let nulls = rows.len() <= LISTED_NULLS_ROWS_MAX;
    let mut text = "[".to_owned();
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            text.push_str(",\n");
        }
        text.push_str(&plain_row(state, entity, row, nulls).to_string());
    }
    text.push(']');
    text
}

fn plain_row(state: &State, entity: &'static Entity, row: &Row, nulls: bool) -> Value {
    let mut object = Map::new();
    for (at, property) in (0_u16..).zip(&entity.properties) {
        let value = match property.kind {
            Kind::Collection => match children(state, entity, row, at) {
                Some((child, rows)) => {
                    Value::Array(rows.iter().map(|row| plain_row(state, child, row, nulls)).collect())
                }
                None => continue,
            },
            Kind::Complex => continue,
            _ => state.read(entity, row, at).to_plain(),
        };
        if nulls || !value.is_null() {
            object.insert(property.name.to_owned(), value);
        }
    }
    Value::Object(object)
}

/// The answer to a POST that asked for nothing: what was sent and the key; the rest is null.
pub(super) fn echo(frame: &Frame<'_>, row: &Row, sent: &[u16]) -> Value {
    let mut object = Map::new();
    let uri = frame.uri(row);
    object.insert("__metadata".to_owned(), json!({"uri": uri, "type": frame.entity.type_name()}));
    for (at, property) in (0_u16..).zip(&frame.entity.properties) {
        let known = at == frame.entity.key || sent.contains(&at);
        let value = match property.kind {
            Kind::Collection => frame.navigation(row, at, &uri),
            Kind::Boolean if !known => Value::Bool(false),
            kind if known => frame.state.read(frame.entity, row, at).to_wire(kind),
            _ => Cell::Null.to_plain(),
        };
        object.insert(property.name.to_owned(), value);
    }
    Value::Object(object)
}
