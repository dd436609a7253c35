//! Finds answered from data: what `flowc map` and tests know of both systems.

use crate::eval::query::{Answered, Query, Resolver};
use crate::ir::{Entity, EntityId, Entries, Field, FieldId, Program, Type, WireForm};
use crate::json::write_text;
use crate::value::text::{KeyForm, key_form};
use crate::value::{code, decimal};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Data that stands for both systems: nothing else is there.
pub struct Given {
    rows: BTreeMap<EntityId, Vec<Row>>,
    /// Rows by natural key, for large tables.
    by_code: BTreeMap<(EntityId, String), Vec<usize>>,
    links: Vec<Linked>,
    codes: BTreeMap<EntityId, (FieldId, KeyForm)>,
    now: jiff::Timestamp,
}

struct Row {
    json: Arc<str>,
    key: String,
}

/// Two records of which an earlier write made the one of the other.
struct Linked {
    ends: [(EntityId, Arc<str>); 2],
    /// The mapping that did, where only one did.
    mapping: Option<Arc<str>>,
}

impl Given {
    /// No rows; the clock stands at `now`.
    pub fn empty(now: jiff::Timestamp) -> Self {
        Self { rows: BTreeMap::new(), by_code: BTreeMap::new(), links: Vec::new(), codes: BTreeMap::new(), now }
    }

    /// The rows of `{"exact.Item": [{…}], …}`. Fields may be named as the API or as the flow names them, values may be
    /// the API's or the flow's; a key that is left out is made up.
    ///
    /// # Errors
    /// What is wrong with the data, for the person who wrote them.
    pub fn from_json(program: &Program, json: &str, now: jiff::Timestamp) -> Result<Self, String> {
        let named = |name: &str| {
            entity_named(program, name)
                .ok_or_else(|| format!("there is no entity `{name}`: it is said as `exact.Item`"))
        };
        Self::from_json_by(program, json, now, &named)
    }

    /// As [`Self::from_json`], where names of entities mean what `named` says.
    ///
    /// # Errors
    /// As there, and what `named` says of a name.
    pub fn from_json_by(
        program: &Program,
        json: &str,
        now: jiff::Timestamp,
        named: &dyn Fn(&str) -> Result<EntityId, String>,
    ) -> Result<Self, String> {
        let data: Map<String, Value> =
            serde_json::from_str(json).map_err(|e| format!("the given data are not an object of lists: {e}"))?;
        let mut given = Self::empty(now);
        for (name, rows) in data {
            let entity = named(&name)?;
            let Value::Array(rows) = rows else { return Err(format!("`{name}` is not a list of records")) };
            for row in rows {
                let Value::Object(row) = row else { return Err(format!("`{name}` holds what is no record: {row}")) };
                given.add(program, entity, &row)?;
            }
        }
        Ok(given)
    }

    /// The clock stands there from now on.
    pub(crate) fn stand_at(&mut self, now: jiff::Timestamp) {
        self.now = now;
    }

    /// One more row; gives its key.
    ///
    /// # Errors
    /// A field that the entity does not have.
    pub fn add(&mut self, program: &Program, entity: EntityId, row: &Map<String, Value>) -> Result<String, String> {
        let wire = as_the_api(program, program.entity(entity), row)?;
        Ok(self.add_wire(program, entity, Value::Object(wire)).1)
    }

    /// One more row as the API has it.
    pub fn add_row(&mut self, program: &Program, entity: EntityId, row: Value) {
        self.add_wire(program, entity, row);
    }

    /// One more row as the API has it; gives it back with its key.
    pub(crate) fn add_wire(&mut self, program: &Program, entity: EntityId, row: Value) -> (Arc<str>, String) {
        let schema = program.entity(entity);
        let mut wire = if let Value::Object(wire) = row { wire } else { Map::new() };
        let count = self.rows.get(&entity).map_or(0, Vec::len);
        let mut key_text = String::new();
        if let Some(key) = schema.key {
            let field = schema.get(key);
            if !wire.contains_key(&*field.wire) {
                wire.insert(field.wire.to_string(), made_up_key(schema, field, count));
            }
            key_text = plain(&wire[&*field.wire]);
        }
        if let Some(natural) = schema.code {
            let field = schema.get(natural);
            let form = KeyForm { caseless: field.form.caseless };
            self.codes.insert(entity, (natural, form));
            if let Some(value) = wire.get(&*field.wire) {
                let value = key_form(&plain(value), form).into_owned();
                self.by_code.entry((entity, value)).or_default().push(count);
            }
        }
        let json: Arc<str> = Value::Object(wire).to_string().into();
        self.rows.entry(entity).or_default().push(Row { json: Arc::clone(&json), key: key_text.clone() });
        (json, key_text)
    }

    /// The two records are linked by an earlier write: of that mapping, or of whichever is asked for.
    pub fn link(&mut self, one: (EntityId, &str), other: (EntityId, &str), mapping: Option<Arc<str>>) {
        self.links.push(Linked { ends: [(one.0, one.1.into()), (other.0, other.1.into())], mapping });
    }

    /// The rows of an entity, each with its key.
    pub(crate) fn rows(&self, entity: EntityId) -> impl Iterator<Item = (&str, &str)> {
        self.rows.get(&entity).into_iter().flatten().map(|row| (&*row.key, &*row.json))
    }

    fn all(&self, entity: EntityId) -> Vec<Arc<str>> {
        self.rows.get(&entity).into_iter().flatten().map(|row| Arc::clone(&row.json)).collect()
    }
}

impl Resolver for Given {
    fn answer(&self, need: &Query) -> Answered {
        Answered::all(match need {
            Query::Table { entity, .. } | Query::Changed { entity, .. } => self.all(*entity),
            // It is made anew of what is given.
            Query::Once { .. } => Vec::new(),
            Query::Find { entity, by, values, .. } => {
                match (self.codes.get(entity), by.as_slice(), values.as_slice()) {
                    (Some((natural, form)), [field], [Some(value)]) if natural == field => {
                        let rows = self.rows.get(entity);
                        let found = self.by_code.get(&(*entity, key_form(value, *form).into_owned()));
                        let row = |n: &usize| rows.and_then(|rows| rows.get(*n)).map(|row| Arc::clone(&row.json));
                        found.into_iter().flatten().filter_map(row).collect()
                    }
                    // Compared where it was asked for.
                    _ => self.all(*entity),
                }
            }
            Query::Row { entity, id, .. } => {
                let rows = self.rows.get(entity).into_iter().flatten();
                rows.filter(|row| row.key.eq_ignore_ascii_case(id)).map(|row| Arc::clone(&row.json)).collect()
            }
            Query::Link(need) => {
                let known = (need.entity, Arc::clone(&need.key));
                let by =
                    |link: &&Linked| link.mapping.is_none() || need.mapping.is_none() || link.mapping == need.mapping;
                let links = self.links.iter().filter(by).map(|link| &link.ends);
                let ends = links.filter_map(|[a, b]| match (*a == known, *b == known) {
                    (true, _) if b.0 == need.other => Some(b),
                    (_, true) if a.0 == need.other => Some(a),
                    _ => None,
                });
                ends.map(|(_, key)| quoted(key)).collect()
            }
        })
    }

    fn now(&self) -> jiff::Timestamp {
        self.now
    }

    fn offline(&self) -> bool {
        true
    }
}

fn quoted(key: &str) -> Arc<str> {
    let mut out = Vec::new();
    write_text(key, &mut out);
    String::from_utf8(out).expect("a text in quotes is a text").into()
}

/// The entity of that name: `exact.Item`, or `Item` where there is one of it.
pub fn entity_named(program: &Program, name: &str) -> Option<EntityId> {
    let full = program.entities.iter().position(|e| e.full_name() == name);
    let found = full.or_else(|| {
        let mut short = program.entities.iter().enumerate().filter(|(_, e)| *e.name == *name);
        match (short.next(), short.next()) {
            (Some((n, _)), None) => Some(n),
            _ => None,
        }
    });
    found.map(EntityId::from)
}

/// The row with the API's names and values.
fn as_the_api(program: &Program, schema: &Entity, row: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut wire = Map::new();
    let mut metas = Vec::new();
    for (name, value) in row {
        let by_name = schema.fields.iter().find(|f| *f.name == **name);
        let Some(field) = by_name.or_else(|| schema.fields.iter().find(|f| *f.wire == **name)) else {
            // An API's own rows hold more than the schema says.
            if name.starts_with('_') {
                continue;
            }
            return Err(format!("{} has no field `{name}`", schema.full_name()));
        };
        match field.meta.as_ref().and_then(|meta| meta.keys.first()) {
            Some(name) => metas.push((name, value.clone())),
            None => {
                wire.insert(field.wire.to_string(), as_value(program, field, field.ty.present(), value)?);
            }
        }
    }
    if let Some(Entries { list, key, value }) = program.entries_of(schema).filter(|_| !metas.is_empty()) {
        let entry = |(name, of): (&Arc<str>, Value)| {
            Value::Object(Map::from_iter([(key.to_string(), (&**name).into()), (value.to_string(), of)]))
        };
        let metas = metas.into_iter().map(entry);
        match wire.get_mut(&**list) {
            Some(Value::Array(list)) => list.extend(metas),
            _ => {
                wire.insert(list.to_string(), metas.collect());
            }
        }
    }
    Ok(wire)
}

fn as_value(program: &Program, field: &Field, ty: &Type, value: &Value) -> Result<Value, String> {
    Ok(match (ty, value) {
        (_, Value::Null) => Value::Null,
        (Type::Enum(known), Value::String(text)) => match known.values.iter().find(|v| *v.code == **text) {
            // The same word may be both: then it is the API's.
            Some(v) if !known.values.iter().any(|v| *v.wire == *format!("\"{text}\"")) => {
                serde_json::from_str(&v.wire).unwrap_or_else(|_| value.clone())
            }
            _ => value.clone(),
        },
        (Type::Percent, value) if field.form.form == WireForm::Fraction => percent(value),
        (Type::Record(part), Value::Object(row)) if !program.entity(*part).stands_alone() => {
            Value::Object(as_the_api(program, program.entity(*part), row)?)
        }
        (Type::List(element), Value::Array(list)) => {
            let list: Result<Vec<Value>, String> =
                list.iter().map(|value| as_value(program, field, element.present(), value)).collect();
            Value::Array(list?)
        }
        (_, value) => value.clone(),
    })
}

/// `21`, `"21%"` and `0.21` are one rate: no tax is above 100 %.
fn percent(value: &Value) -> Value {
    let text = plain(value);
    let (number, sign) = match text.strip_suffix('%') {
        Some(number) => (number, true),
        None => (text.as_str(), false),
    };
    match decimal::parse(number.trim().as_bytes()) {
        Ok(n) if sign || n > rust_decimal::Decimal::ONE => {
            let mut out = Vec::new();
            decimal::write(n / rust_decimal::Decimal::ONE_HUNDRED, &mut out);
            serde_json::from_slice(&out).unwrap_or_else(|_| value.clone())
        }
        _ => value.clone(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A key for a row that has none: the same every time, so that a test's output stays the same.
fn made_up_key(schema: &Entity, field: &Field, count: usize) -> Value {
    if field.ty.present() == &Type::Int {
        Value::from(count + 1)
    } else {
        let name = format!("{}/{count}", schema.full_name());
        let guid = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string();
        debug_assert!(code::is_guid(&guid), "a guid is written as one");
        Value::String(guid)
    }
}
