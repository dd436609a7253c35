//! What is asked of a system: changes, records by a key, one record, a write; and which members of a record are selected
//! where it is read. A feed may lack what the record shows at its address, and have fields of its own.

use crate::ir::{Entity, FieldId, Method, Shown};
use std::sync::Arc;

/// How far a feed has been read. Opaque to all but the connector; durable in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position(pub String);

/// What is read of a feed.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The entity.
    pub entity: Arc<Entity>,
    /// The fields that are read, by their wire names; nested ones by dots. Key and change field are always among them.
    pub fields: Vec<String>,
    /// Conditions that the API evaluates, by the schema's parameter: `status` in these values.
    pub filter: Vec<Condition>,
    /// Only changes at or after this, for the first run.
    pub since: Option<jiff::Timestamp>,
    /// Only these keys, whatever their change.
    pub only: Vec<String>,
}

/// A condition that the API evaluates: the field has one of these values (wire form, unquoted).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The field.
    pub field: FieldId,
    /// Its values.
    pub values: Vec<String>,
}

/// A search by key: records whose fields have one of these values.
#[derive(Clone, Debug)]
pub struct Find {
    /// The entity.
    pub entity: Arc<Entity>,
    /// The fields that are read, by their wire names.
    pub fields: Vec<String>,
    /// The field that is searched by; none: all rows.
    pub by: Option<FieldId>,
    /// The values, in wire form, unquoted.
    pub values: Vec<String>,
    /// Values for `{parts}` of the route.
    pub parts: Vec<(String, String)>,
}

/// A write.
#[derive(Clone, Debug)]
pub struct Write {
    /// The entity.
    pub entity: Arc<Entity>,
    /// Create, update or delete.
    pub method: Method,
    /// The key of what is updated or deleted.
    pub id: Option<String>,
    /// The JSON body.
    pub body: String,
    /// Values for `{parts}` of the route.
    pub parts: Vec<(String, String)>,
}

/// What is asked of one record by its own address.
#[derive(Clone, Debug)]
pub struct One {
    /// The entity.
    pub entity: Arc<Entity>,
    /// Its key.
    pub id: String,
    /// The fields that are read, by their wire names; empty: all.
    pub fields: Vec<String>,
    /// Values for `{parts}` of the route.
    pub parts: Vec<(String, String)>,
}

impl Scan {
    /// The names that are selected of the feed: the key, the field of change, what says which of its rows are records, and
    /// what is asked for, unless its rows lack some of that.
    pub(super) fn names(&self) -> Vec<String> {
        let feed = self.entity.feed.as_ref();
        let by = feed.map(|feed| feed.by).into_iter().chain(feed.and_then(|feed| Some(feed.rows.as_ref()?.0)));
        // Without what its address names no row could be read again.
        let marks: Vec<FieldId> = by.chain(self.entity.route_fields()).chain(self.entity.below_fields()).collect();
        if self.lacks() {
            let marked: Vec<String> = marks.iter().map(|mark| self.entity.get(*mark).wire.to_string()).collect();
            return names(&self.entity, &marked, None);
        }
        let mut names = names(&self.entity, &self.fields, marks.into_iter().chain(self.conditions()));
        names.retain(|name| is_shown(&self.entity, name, Shown::AtAddress));
        names
    }

    /// What is asked of its rows at their own addresses: the fields of the scan, and what the conditions look at.
    pub(super) fn asked(&self) -> Vec<String> {
        let mut names = names(&self.entity, &self.fields, self.conditions().chain(self.entity.route_fields()));
        names.retain(|name| is_shown(&self.entity, name, Shown::InFeed));
        names
    }

    /// Whether something is asked for that the feed lacks, so that its rows are read at their own addresses.
    pub(super) fn lacks(&self) -> bool {
        !self.entity.lacked_by_feed(&self.asked()).is_empty()
    }

    fn conditions(&self) -> impl Iterator<Item = FieldId> + '_ {
        self.filter.iter().map(|condition| condition.field)
    }
}

/// Whether a way on the wire leads to what is shown elsewhere than there alone.
fn is_shown(entity: &Entity, way: &str, alone: Shown) -> bool {
    let name = way.split('.').next().unwrap_or_default();
    entity.by_wire(name).is_none_or(|field| field.shown != alone)
}

impl Find {
    /// The names that are selected: those asked for, the key, and the field that is searched by.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = names(&self.entity, &self.fields, self.by.into_iter().chain(self.entity.below_fields()));
        names.retain(|name| is_shown(&self.entity, name, Shown::InFeed));
        names
    }
}

impl One {
    /// The names that are selected: those asked for, and the key.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = names(&self.entity, &self.fields, self.entity.below_fields());
        names.retain(|name| is_shown(&self.entity, name, Shown::InFeed));
        names
    }
}

/// Names on the wire, each once: keys first, then those asked for; none of them where all are.
fn names(entity: &Entity, fields: &[String], more: impl IntoIterator<Item = FieldId>) -> Vec<String> {
    if fields.is_empty() {
        return Vec::new();
    }
    let mut names: Vec<String> = Vec::with_capacity(fields.len() + 2);
    let keys = entity.key.into_iter().chain(more).map(|id| entity.get(id).wire.to_string());
    for name in keys.chain(fields.iter().cloned()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
