//! Rows that stay the same for many records: decoded once, and found by their keys.

use crate::eval::decode::{Layouts, Learnt, NO_SLOT, decode};
use crate::eval::given::Given;
use crate::eval::value::{Record, Value, show};
use crate::ir::{Entity, EntityId, FieldId, Program};
use crate::value::decimal;
use crate::value::text::{KeyForm, key_form};
use bumpalo::Bump;
use rustc_hash::FxHashMap;

/// The rows of all entities.
pub(crate) struct RowCache<'t> {
    /// None where a row cannot be decoded: whoever asks for it is told so each time.
    entities: Vec<Option<CachedRows<'t>>>,
}

/// The rows of one entity.
pub(crate) struct CachedRows<'t> {
    pub(crate) all: &'t [&'t Record<'t>],
    by_key: FxHashMap<Box<str>, &'t Record<'t>>,
    indexes: Vec<Index<'t>>,
}

/// Rows by the text of one of their fields.
struct Index<'t> {
    field: FieldId,
    form: KeyForm,
    rows: FxHashMap<Box<str>, Vec<&'t Record<'t>>>,
}

impl<'t> RowCache<'t> {
    /// Rows of these data.
    pub(crate) fn new(program: &Program, layouts: &'t Layouts, given: &'t Given, arena: &'t Bump) -> Self {
        let ids = (0..program.entities.len()).map(EntityId::from);
        Self { entities: ids.map(|id| CachedRows::new((id, program.entity(id)), layouts, given, arena)).collect() }
    }

    /// The rows of an entity.
    pub(crate) fn of(&self, id: EntityId) -> Option<&CachedRows<'t>> {
        self.entities[id.0 as usize].as_ref()
    }

    /// All rows that are kept.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &&'t Record<'t>> {
        self.entities.iter().flatten().flat_map(|rows| rows.all)
    }
}

impl<'t> CachedRows<'t> {
    fn new((id, entity): (EntityId, &Entity), layouts: &'t Layouts, given: &'t Given, arena: &'t Bump) -> Option<Self> {
        let mut learnt = Learnt::default();
        let (mut all, mut by_key) = (Vec::new(), FxHashMap::default());
        for (key, json) in given.rows(id) {
            let row = decode(json, id, layouts, arena, &mut learnt, false).ok()?;
            all.push(row);
            by_key.entry(key.to_ascii_lowercase().into()).or_insert(row);
        }
        let all = arena.alloc_slice_copy(&all);
        let fields = (0..entity.fields.len()).filter_map(|n| u32::try_from(n).ok()).map(FieldId);
        let asked = fields.filter(|field| entity.asked_by(*field) || entity.code == Some(*field));
        let indexes = asked.filter_map(|field| Index::new(entity, id, field, all, layouts)).collect();
        Some(Self { all, by_key, indexes })
    }

    /// The row with that key.
    pub(crate) fn by_key(&self, key: &str) -> Option<&'t Record<'t>> {
        self.by_key.get(&*key.to_ascii_lowercase()).copied()
    }

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
                // No text finds it.
                Value::Absent => continue,
                _ => return None,
            };
            rows.entry(key_form(&text, form).into()).or_default().push(row);
        }
        Some(Self { field, form, rows })
    }
}
