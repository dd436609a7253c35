//! Which members of a record are asked for, where it is read: in a feed, by a search, at its own address. A feed may lack what
//! the record shows at its address, and have fields of its own.

use super::{Find, One, Scan};
use crate::ir::{Entity, FieldId, Shown};

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
