//! Rows of small tables that stay the same for many records: decoded once, and found by their keys.

use crate::eval::decode::{Layouts, Learnt, NO_SLOT, decode};
use crate::eval::query::Query;
use crate::eval::value::{Record, Value, show};
use crate::ir::{Entity, EntityId, FieldId};
use crate::value::decimal;
use crate::value::text::{KeyForm, key_form};
use bumpalo::Bump;
use rustc_hash::FxHashMap;

/// Tables by the question that they answer.
#[derive(Default)]
pub(crate) struct RowCache<'t> {
    tables: FxHashMap<Query, CachedRows<'t>>,
}

/// The rows of one table.
pub(crate) struct CachedRows<'t> {
    pub(crate) all: &'t [&'t Record<'t>],
    indexes: Vec<Index<'t>>,
}

/// Rows by the text of one of their fields.
struct Index<'t> {
    field: FieldId,
    form: KeyForm,
    rows: FxHashMap<Box<str>, Vec<&'t Record<'t>>>,
}

impl<'t> RowCache<'t> {
    /// The rows that answer a question, if they are kept.
    pub(crate) fn get(&self, query: &Query) -> Option<&CachedRows<'t>> {
        self.tables.get(query)
    }

    /// All rows that are kept.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &&'t Record<'t>> {
        self.tables.values().flat_map(|rows| rows.all)
    }

    /// Keeps the answer to a question: rows of an entity as JSON, all of which can be decoded.
    pub(crate) fn keep<'a>(
        &mut self,
        query: Query,
        (id, entity): (EntityId, &Entity),
        rows: impl IntoIterator<Item = &'a str>,
        layouts: &'t Layouts,
        arena: &'t Bump,
    ) {
        let mut learnt = Learnt::default();
        let decoded: Result<Vec<&'t Record<'t>>, _> =
            rows.into_iter().map(|row| decode(arena.alloc_str(row), id, layouts, arena, &mut learnt, false)).collect();
        let Ok(decoded) = decoded else { return };
        let all = arena.alloc_slice_copy(&decoded);
        let keys = entity.code.into_iter().chain(entity.key);
        let indexes = keys.filter_map(|field| Index::new(entity, id, field, all, layouts)).collect();
        self.tables.insert(query, CachedRows { all, indexes });
    }
}

impl<'t> CachedRows<'t> {
    /// The rows whose field may have this text; none where that is not known beforehand.
    pub(crate) fn with(&self, field: FieldId, text: &str) -> Option<&[&'t Record<'t>]> {
        let index = self.indexes.iter().find(|index| index.field == field)?;
        Some(index.rows.get(&*key_form(text, index.form)).map_or(&[], Vec::as_slice))
    }
}

impl<'t> Index<'t> {
    /// None where a row does not say plainly what it has there: whoever looks for a row is told so each time.
    fn new(entity: &Entity, id: EntityId, field: FieldId, all: &[&'t Record<'t>], layouts: &Layouts) -> Option<Self> {
        let slot = layouts.slot(id, field);
        if slot == NO_SLOT {
            return None;
        }
        let form = KeyForm { caseless: entity.get(field).form.caseless };
        let mut rows: FxHashMap<Box<str>, Vec<&'t Record<'t>>> = FxHashMap::default();
        for row in all {
            let text = match row.slots.get(usize::from(slot))? {
                value @ (Value::Text(_) | Value::Reference(_)) => show(*value),
                Value::Number(n) => {
                    let mut out = Vec::new();
                    decimal::write(*n, &mut out);
                    String::from_utf8(out).ok()?
                }
                _ => return None,
            };
            rows.entry(key_form(&text, form).into()).or_default().push(row);
        }
        Some(Self { field, form, rows })
    }
}
