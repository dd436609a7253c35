//! One record with its entity, by the names of its properties: the form in which rules read and write.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::cell::Cell;
use super::schema::Entity;
use super::store::Row;

/// A record on its way into the books or out of them.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) entity: &'static Entity,
    pub(super) row: Row,
    /// Where it lies; `None` before it is stored.
    pub(super) slot: Option<u32>,
}

impl Record {
    pub(super) fn new(entity: &'static Entity) -> Self {
        Self { entity, row: Row::default(), slot: None }
    }

    pub(super) fn get(&self, name: &str) -> &Cell {
        self.row.get(self.entity.at(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        !self.get(name).is_null()
    }

    pub(super) fn set(&mut self, name: &str, value: Cell) {
        self.row.set(self.entity.at(name), value);
    }

    /// Sets a value that is not there yet.
    pub(super) fn fill(&mut self, name: &str, value: Cell) {
        if !self.has(name) {
            self.set(name, value);
        }
    }

    /// Fills from an optional value.
    pub(super) fn fill_text(&mut self, name: &str, value: &str) {
        self.fill(name, Cell::text(value));
    }

    pub(super) fn fill_int(&mut self, name: &str, value: i64) {
        self.fill(name, Cell::Int(value));
    }

    pub(super) fn set_number(&mut self, name: &str, value: Decimal) {
        self.set(name, Cell::Number(value.normalize()));
    }

    pub(super) fn key(&self) -> Cell {
        self.row.get(self.entity.key).clone()
    }

    pub(super) fn key_guid(&self) -> Uuid {
        match self.row.get(self.entity.key) {
            Cell::Guid(guid) => *guid,
            _ => Uuid::nil(),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<Decimal> {
        self.get(name).number()
    }

    /// The number, nought if there is none.
    pub(super) fn amount(&self, name: &str) -> Decimal {
        self.number(name).unwrap_or_default()
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Cell::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn guid(&self, name: &str) -> Option<Uuid> {
        match self.get(name) {
            Cell::Guid(guid) => Some(*guid),
            _ => None,
        }
    }

    pub(super) fn time(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Cell::Time(time) => Some(*time),
            _ => None,
        }
    }

    /// A yes in either of the API's forms.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Cell::Bool(true) | Cell::Int(1..))
    }
}
