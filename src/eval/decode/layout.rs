//! Layouts: for each entity, which of its fields are decoded, into which slot, and what they must look like.

use crate::eval::value::{Lack, Value};
use crate::ir::{Connector, EntityId, EnumType, Field, FieldId, Forms, Program, Type, WireForm};
use crate::plan::Reads;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// No slot: the field is not decoded.
pub(crate) const NO_SLOT: u16 = u16::MAX;

/// The layouts of all entities.
pub(crate) struct Layouts {
    pub(crate) all: Vec<Layout>,
}

/// The layout of one entity.
pub(crate) struct Layout {
    pub(crate) entity: EntityId,
    /// What slots hold before anything is decoded.
    pub(crate) empty: Box<[Value<'static>]>,
    pub(crate) slots: Vec<Slot>,
    /// Field to slot.
    pub(crate) slot_of: Box<[u16]>,
    /// What is done with a member, by its wire name.
    pub(crate) members: FxHashMap<Box<str>, Action>,
    /// Where further entries stand: their list, the member of an entry's name, and that of its value.
    pub(crate) entries: Option<[Arc<str>; 3]>,
    /// Further entries: name, its rank among the keys of the slot, slot.
    pub(crate) metas: Vec<(Arc<str>, usize, u16)>,
    /// Slots of further entries asked for by name.
    pub(crate) meta_slots: FxHashMap<Arc<str>, u16>,
    /// Zone of the wall clock.
    pub(crate) zone: Option<TimeZone>,
    /// How lists stand in an object.
    pub(crate) wrapped: Option<Wrapped>,
}

/// The members of an object that a list stands in.
pub(crate) struct Wrapped {
    /// The list.
    pub(crate) list: Arc<str>,
    /// It was not sent: the answer only says where it could be asked for.
    pub(crate) missing: Option<Arc<str>>,
    /// More of it would have to be asked for.
    pub(crate) continued: Option<Arc<str>>,
}

impl Wrapped {
    fn new(connector: &Connector) -> Option<Self> {
        let word = |name: &str| connector.word(name).map(Arc::from);
        let (missing, continued) = (word("lists.missing"), word("lists.continued"));
        word("lists").map(|list| Self { list, missing, continued })
    }
}

/// A slot.
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of the field, as the schema says it")]
pub(crate) struct Slot {
    pub(crate) name: Arc<str>,
    pub(crate) shape: Shape,
    /// The plain case, which is read without a look at the shape.
    plain: PlainSlot,
    pub(crate) zero_is_absent: bool,
    /// An empty text is a value: the field is a text that is always there.
    pub(crate) keeps_empty: bool,
    /// A plugin wrote it: scalars of any kind are taken as text.
    pub(crate) loose: bool,
    /// What it holds is told to nobody.
    pub(crate) personal: bool,
}

/// The commonest slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlainSlot {
    /// A text in quotes, taken as it is.
    Text,
    /// A number of any kind.
    Number,
    /// A number without decimals.
    Whole,
    /// Anything else.
    No,
}

/// Decimals that an amount may have: no currency has more than four, unit prices and shares of a cent have some more, and
/// what a computer's numbers add is noise behind the fifteenth digit.
pub(crate) const AMOUNT_DECIMALS: u32 = 10;

impl PlainSlot {
    /// Decimals that need no second look.
    pub(crate) fn decimals(self) -> u32 {
        if self == Self::Number { AMOUNT_DECIMALS } else { 0 }
    }

    fn of(shape: &Shape, zero_is_absent: bool) -> Self {
        match shape {
            Shape::Text { padded: false } => Self::Text,
            Shape::Number(Digits::All | Digits::Amount) if !zero_is_absent => Self::Number,
            Shape::Number(Digits::Whole) if !zero_is_absent => Self::Whole,
            _ => Self::No,
        }
    }
}

/// What a member is decoded as.
pub(crate) enum Shape {
    Bool,
    Number(Digits),
    Text {
        padded: bool,
    },
    Upper,
    Guid,
    Date {
        milliseconds: bool,
    },
    Instant {
        form: WireForm,
    },
    Enum(Enumeration),
    /// A record by its key, or as much of it as the API nests.
    Reference(EntityId),
    Nested(EntityId),
    List(Box<Shape>),
    /// An element of a list that may be absent.
    OrNull(Box<Shape>),
    Json,
}

/// Which digits of a number count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digits {
    /// All of them.
    All,
    /// Those of a whole number: there are no others.
    Whole,
    /// A fraction that is a rate.
    Fraction,
    /// Those that an amount can have: what computers add behind them is noise.
    Amount,
}

impl Digits {
    /// Whether a number is what it says, and needs no second look.
    pub(crate) fn take(self, number: &Decimal) -> bool {
        match self {
            Self::All => true,
            Self::Whole => number.scale() == 0,
            Self::Fraction => false,
            Self::Amount => number.scale() <= AMOUNT_DECIMALS,
        }
    }
}

impl Shape {
    /// One value: no record, no list, and not whatever stands there.
    pub(crate) fn is_single(&self) -> bool {
        match self {
            Self::Bool
            | Self::Number(_)
            | Self::Text { .. }
            | Self::Upper
            | Self::Guid
            | Self::Date { .. }
            | Self::Instant { .. }
            | Self::Enum(_) => true,
            Self::Reference(_) | Self::Nested(_) | Self::List(_) | Self::OrNull(_) | Self::Json => false,
        }
    }
}

/// An enumeration by what the API says.
pub(crate) struct Enumeration {
    pub(crate) name: Arc<str>,
    pub(crate) open: bool,
    /// JSON as it stands, and the code.
    pub(crate) values: Vec<(Arc<str>, Arc<str>)>,
}

/// What is done with a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Skip,
    /// Into this slot, whose plain case is known where it is read.
    Take(u16, PlainSlot),
    /// Into these two slots: one member under two names.
    Twice(u16, u16),
    /// Entries are picked.
    Meta,
    /// Entries are picked, and the list is wanted too.
    MetaAnd(u16),
}

impl Layouts {
    /// Layouts of what is read.
    pub(crate) fn new(program: &Program, reads: &Reads) -> Self {
        Self { all: (0..program.entities.len()).map(|n| Layout::new(program, reads, EntityId::from(n))).collect() }
    }

    /// The layout of an entity.
    pub(crate) fn of(&self, entity: EntityId) -> &Layout {
        &self.all[entity.0 as usize]
    }

    /// The member in which lists of an entity stand in an object.
    pub(crate) fn wrapper(&self, entity: EntityId) -> Option<&str> {
        self.of(entity).wrapped.as_ref().map(|wrapped| &*wrapped.list)
    }

    /// The slot of a field; [`NO_SLOT`] when nobody reads it.
    pub(crate) fn slot(&self, entity: EntityId, field: FieldId) -> u16 {
        self.of(entity).slot_of.get(field.0 as usize).copied().unwrap_or(NO_SLOT)
    }
}

impl Layout {
    fn new(program: &Program, reads: &Reads, entity: EntityId) -> Self {
        let schema = program.entity(entity);
        let connector = program.connector(&schema.connector);
        let mut layout = Self {
            entity,
            empty: Box::new([]),
            slots: Vec::new(),
            slot_of: vec![NO_SLOT; schema.fields.len()].into(),
            members: FxHashMap::default(),
            metas: Vec::new(),
            meta_slots: FxHashMap::default(),
            entries: None,
            zone: connector.and_then(|c| TimeZone::get(&c.zone).ok()),
            wrapped: connector.and_then(Wrapped::new),
        };
        let entries = program.entries_of(schema);
        let list = entries.map_or("", |entries| &**entries.list);
        layout.entries = entries.map(|of| [of.list, of.key, of.value].map(Arc::clone));
        let mut empty = Vec::new();
        for id in reads.fields(entity) {
            let field = schema.get(id);
            let slot = layout.push(slot_of_field(program, field));
            let optional = field.ty.is_optional() || field.form.zero_is_absent || field.meta.is_some();
            empty.push(if optional { Value::Absent } else { Value::Missing(Lack::NotGiven) });
            layout.slot_of[id.0 as usize] = slot;
            match &field.meta {
                None => layout.member(&field.wire, slot),
                Some(meta) => {
                    let keys = meta.keys.iter().enumerate().map(|(rank, key)| (Arc::clone(key), rank, slot));
                    layout.metas.extend(keys);
                    layout.meta_member(list);
                }
            }
        }
        for key in reads.meta(entity) {
            let text = Slot {
                name: Arc::clone(key),
                shape: Shape::Text { padded: false },
                plain: PlainSlot::Text,
                zero_is_absent: false,
                keeps_empty: false,
                loose: true,
                personal: false,
            };
            let slot = layout.push(text);
            empty.push(Value::Absent);
            layout.metas.push((Arc::clone(key), 0, slot));
            layout.meta_slots.insert(Arc::clone(key), slot);
            layout.meta_member(list);
        }
        layout.empty = empty.into();
        layout
    }

    fn push(&mut self, slot: Slot) -> u16 {
        self.slots.push(slot);
        u16::try_from(self.slots.len() - 1).unwrap_or(NO_SLOT - 1)
    }

    fn member(&mut self, wire: &str, slot: u16) {
        let plain = self.slots[usize::from(slot)].plain;
        let action = match self.members.get(wire) {
            None | Some(Action::Skip) => Action::Take(slot, plain),
            Some(Action::Take(first, _) | Action::Twice(first, _)) => Action::Twice(*first, slot),
            Some(Action::Meta | Action::MetaAnd(_)) => Action::MetaAnd(slot),
        };
        self.members.insert(wire.into(), action);
    }

    fn meta_member(&mut self, list: &str) {
        let action = match self.members.get(list) {
            Some(Action::Take(slot, _) | Action::MetaAnd(slot)) => Action::MetaAnd(*slot),
            _ => Action::Meta,
        };
        self.members.insert(list.into(), action);
    }
}

fn slot_of_field(program: &Program, field: &Field) -> Slot {
    let optional = field.ty.is_optional();
    let shape = shape(program, field.ty.present(), field.form);
    Slot {
        name: Arc::clone(&field.name),
        plain: PlainSlot::of(&shape, field.form.zero_is_absent),
        shape,
        zero_is_absent: field.form.zero_is_absent,
        keeps_empty: !optional && !field.form.zero_is_absent && matches!(field.ty, Type::Text(_)),
        loose: field.meta.is_some(),
        personal: field.personal,
    }
}

fn shape(program: &Program, ty: &Type, form: Forms) -> Shape {
    match ty {
        Type::Bool => Shape::Bool,
        Type::Int => Shape::Number(Digits::Whole),
        Type::Percent if form.form == WireForm::Fraction => Shape::Number(Digits::Fraction),
        Type::Money(_) | Type::Price | Type::Entered(..) => Shape::Number(Digits::Amount),
        Type::Percent | Type::Decimal | Type::Literal | Type::Fraction => Shape::Number(Digits::All),
        Type::Text(_) | Type::Email | Type::FieldOf(_) | Type::Code(_) => Shape::Text { padded: form.padded > 0 },
        Type::Country | Type::Currency => Shape::Upper,
        Type::Guid => Shape::Guid,
        Type::Date => Shape::Date { milliseconds: form.form == WireForm::Milliseconds },
        Type::Instant => Shape::Instant { form: form.form },
        Type::Enum(values) => Shape::Enum(Enumeration::new(values)),
        Type::List(element) => {
            let of = shape(program, element.present(), form);
            Shape::List(Box::new(if element.is_optional() { Shape::OrNull(Box::new(of)) } else { of }))
        }
        Type::Record(entity) => {
            if program.entity(*entity).stands_alone() {
                Shape::Reference(*entity)
            } else {
                Shape::Nested(*entity)
            }
        }
        Type::Optional(inner) => shape(program, inner, form),
        Type::Json | Type::Unknown | Type::Nothing | Type::Never | Type::Duration => Shape::Json,
    }
}

impl Enumeration {
    fn new(values: &EnumType) -> Self {
        let values_by_wire = values.values.iter().map(|v| (Arc::clone(&v.wire), Arc::clone(&v.code))).collect();
        Self { name: Arc::clone(&values.name), open: values.open, values: values_by_wire }
    }
}
