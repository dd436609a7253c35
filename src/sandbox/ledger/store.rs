//! Rows and the ways to find them: by key, by a few indexed properties, by version.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::cell::{Cell, Key};
use super::schema::{Entity, Kind, Origin};

/// Texts and numbers by which documents and master data are looked up.
const INDEXED: [&str; 16] = [
    "Code",
    "Email",
    "YourRef",
    "OrderNumber",
    "InvoiceNumber",
    "EntryNumber",
    "SearchCode",
    "VATNumber",
    "EntryID",
    "InvoiceID",
    "OrderID",
    "StockCountID",
    "TransferID",
    "VATCodeID",
    "PlannedSalesReturnID",
    "Topic",
];

/// The values of one record that are not null, by the place of their property.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    cells: Vec<(u16, Cell)>,
    /// Grows with every change anywhere in the division.
    pub(super) version: i64,
}

impl Row {
    pub(super) fn get(&self, at: u16) -> &Cell {
        match self.cells.binary_search_by_key(&at, |cell| cell.0) {
            Ok(place) => &self.cells[place].1,
            Err(_) => &Cell::Null,
        }
    }

    pub(super) fn set(&mut self, at: u16, value: Cell) {
        match (self.cells.binary_search_by_key(&at, |cell| cell.0), value) {
            (Ok(place), Cell::Null) => drop(self.cells.remove(place)),
            (Ok(place), value) => self.cells[place].1 = value,
            (Err(_), Cell::Null) => {}
            (Err(place), value) => self.cells.insert(place, (at, value)),
        }
    }

    /// All values that are there.
    pub(super) fn cells(&self) -> impl Iterator<Item = &(u16, Cell)> {
        self.cells.iter()
    }
}

/// The rows of one entity, in the order in which they came.
///
/// A deleted row leaves an empty slot, so that a page can go on behind it.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<Option<Row>>,
    key: u16,
    by_key: FxHashMap<Key, u32>,
    indexes: Vec<(u16, FxHashMap<Key, Vec<u32>>)>,
    by_version: BTreeMap<i64, u32>,
    /// Deleted rows as they last were: a sorted list may have to go on behind one.
    gone: FxHashMap<u32, Row>,
    live: usize,
}

impl Table {
    pub(super) fn new(entity: &Entity) -> Self {
        let indexed = (0_u16..).zip(&entity.properties).filter(|(at, property)| {
            let points = property.kind == Kind::Guid && property.refers.is_some();
            *at != entity.key && property.origin == Origin::Stored && (points || INDEXED.contains(&property.name))
        });
        Self {
            slots: Vec::new(),
            key: entity.key,
            by_key: FxHashMap::default(),
            indexes: indexed.map(|(at, _)| (at, FxHashMap::default())).collect(),
            by_version: BTreeMap::new(),
            gone: FxHashMap::default(),
            live: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// One past the last slot ever used.
    pub(super) fn end(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn row(&self, slot: u32) -> Option<&Row> {
        self.slots.get(slot as usize).and_then(Option::as_ref)
    }

    /// A row as it is, or as it was before it was deleted.
    pub(super) fn row_or_gone(&self, slot: u32) -> Option<&Row> {
        self.row(slot).or_else(|| self.gone.get(&slot))
    }

    /// The slot of a key, also of a row that is gone.
    pub(super) fn slot(&self, key: &Cell) -> Option<u32> {
        self.by_key.get(&key.key()?).copied()
    }

    pub(super) fn find(&self, key: &Cell) -> Option<&Row> {
        self.row(self.slot(key)?)
    }

    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = (u32, &Row)> {
        (0_u32..self.end()).zip(&self.slots).filter_map(|(slot, row)| Some((slot, row.as_ref()?)))
    }

    /// The slots whose property has this value, or `None` where there is no index to ask.
    pub(super) fn having(&self, at: u16, value: &Cell) -> Option<&[u32]> {
        let (_, index) = self.indexes.iter().find(|index| index.0 == at)?;
        Some(index.get(&value.key()?).map_or(&[], Vec::as_slice))
    }

    pub(super) fn is_indexed(&self, at: u16) -> bool {
        at == self.key || self.indexes.iter().any(|index| index.0 == at)
    }

    /// Slots in the order of their last change, those after `version` only.
    pub(super) fn changed_after(&self, version: i64) -> impl Iterator<Item = u32> {
        let from = version.saturating_add(1);
        self.by_version.range(from..).map(|(_, slot)| *slot)
    }

    pub(super) fn insert(&mut self, row: Row) {
        let slot = self.end();
        if let Some(key) = row.get(self.key).key() {
            self.by_key.insert(key, slot);
        }
        for (at, index) in &mut self.indexes {
            if let Some(key) = row.get(*at).key() {
                index.entry(key).or_default().push(slot);
            }
        }
        self.by_version.insert(row.version, slot);
        self.slots.push(Some(row));
        self.live += 1;
    }

    pub(super) fn update(&mut self, slot: u32, row: Row) {
        let Some(old) = self.slots.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        for (at, index) in &mut self.indexes {
            let (before, after) = (old.get(*at).key(), row.get(*at).key());
            if before != after {
                unlist(index, before, slot);
                if let Some(key) = after {
                    index.entry(key).or_default().push(slot);
                }
            }
        }
        self.by_version.remove(&old.version);
        self.by_version.insert(row.version, slot);
        self.slots[slot as usize] = Some(row);
    }

    pub(super) fn remove(&mut self, slot: u32) {
        let Some(old) = self.slots.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        for (at, index) in &mut self.indexes {
            unlist(index, old.get(*at).key(), slot);
        }
        self.by_version.remove(&old.version);
        self.gone.insert(slot, old);
        self.live -= 1;
    }
}

fn unlist(index: &mut FxHashMap<Key, Vec<u32>>, key: Option<Key>, slot: u32) {
    let Some(key) = key else { return };
    if let Some(slots) = index.get_mut(&key) {
        slots.retain(|other| *other != slot);
        if slots.is_empty() {
            index.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::ledger::schema::entity;

    #[test]
    fn a_row_is_found_by_key_and_index_until_it_goes() {
        let accounts = entity("crm/Accounts");
        let mut table = Table::new(accounts);
        let mut row = Row { version: 7, ..Row::default() };
        let key = Cell::Guid(uuid::Uuid::from_u128(1));
        row.set(accounts.key, key.clone());
        row.set(accounts.at("Email"), Cell::text("Kim@example.org "));
        table.insert(row.clone());
        assert_eq!(table.having(accounts.at("Email"), &Cell::text("kim@EXAMPLE.org")), Some(&[0][..]));
        row.set(accounts.at("Email"), Cell::Null);
        row.version = 8;
        table.update(0, row);
        assert_eq!(table.having(accounts.at("Email"), &Cell::text("kim@example.org")), Some(&[][..]));
        assert_eq!(table.changed_after(7).collect::<Vec<_>>(), [0]);
        table.remove(0);
        assert!(table.find(&key).is_none() && table.slot(&key) == Some(0) && table.len() == 0);
    }
}
