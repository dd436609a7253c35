//! How the field of a target is written: under which name, as what, and how long it may be.

use crate::eval::failure::{Failure, Halt};
use crate::eval::value::Value;
use crate::ir::{Const, EntityId, Field, FieldId, Program, Type, WireForm};
use crate::json::write_text;
use crate::source::{FileId, Span};
use crate::value::{decimal, text};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::sync::Arc;

/// How the fields of all entities are written.
pub(crate) struct Wires {
    all: Vec<Vec<Wire>>,
}

/// Bytes that a member's name is written in, with comma, quotes and colon: few are longer.
const PADDED: usize = 32;

/// How one field is written.
#[expect(clippy::struct_field_names, reason = "the name on the wire is its `wire` everywhere")]
pub(crate) struct Wire {
    pub(crate) name: Arc<str>,
    /// The member's name as JSON text with its colon: `"YourRef":`.
    pub(crate) member: Box<[u8]>,
    /// The same with a comma before it, if it fits: it is written whole and cut, which costs less than a copy of so
    /// many bytes.
    padded: [u8; PADDED],
    pub(crate) shape: Shape,
    /// How the elements of a list are written.
    pub(crate) element: Option<Box<Wire>>,
    /// It is an element of a list, where an empty text is one.
    pub(crate) is_element: bool,
    /// The commonest shapes once more.
    kind: Kind,
    /// Longest text, and what it is counted in.
    most: usize,
    unit: text::Unit,
    /// Most decimals.
    scale: u32,
    /// What it holds is told to nobody.
    pub(crate) personal: bool,
    /// The entry of `meta_data` that holds it.
    pub(crate) meta: Option<Arc<str>>,
    /// The name on the wire.
    pub(crate) wire: Arc<str>,
}

/// Shapes that are told apart at a glance.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// A number as JSON has it.
    Number,
    /// A number in quotes, or as a fraction.
    OddNumber,
    No,
}

impl Kind {
    fn of(shape: &Shape) -> Self {
        match shape {
            Shape::Text => Self::Text,
            Shape::Number { in_text: false, fraction: false } => Self::Number,
            Shape::Number { .. } => Self::OddNumber,
            _ => Self::No,
        }
    }
}

/// What a value is written as.
pub(crate) enum Shape {
    Bool(WireForm),
    Number {
        in_text: bool,
        fraction: bool,
    },
    Text,
    /// Codes and what the API says for them, as JSON.
    Enum {
        values: Vec<(Arc<str>, Arc<str>)>,
        open: bool,
    },
    Date,
    Instant(WireForm, Option<TimeZone>),
    /// The key of a record; a number where the API has numbers. Where it stands in an object: the member that it is.
    Reference {
        entity: EntityId,
        number: bool,
        member: Option<Arc<str>>,
    },
    /// A guid, of whatever is given.
    Guid,
    /// The natural key.
    Code(EntityId),
    Nested,
    List(Box<Shape>),
    Json,
}

impl Wires {
    pub(crate) fn new(program: &Program) -> Self {
        let wire = |connector: &str, field: &Field| Wire::new(program, connector, field);
        let all = program.entities.iter().map(|e| e.fields.iter().map(|f| wire(&e.connector, f)).collect()).collect();
        Self { all }
    }

    /// Those of an entity, by field.
    pub(crate) fn of_entity(&self, entity: EntityId) -> &[Wire] {
        &self.all[entity.0 as usize]
    }

    pub(crate) fn of(&self, entity: EntityId, field: FieldId) -> &Wire {
        &self.all[entity.0 as usize][field.0 as usize]
    }
}

impl Wire {
    fn new(program: &Program, connector: &str, field: &Field) -> Self {
        let element = field.ty.present().element().map(|element| {
            let element = Field { ty: element.clone(), ..field.clone() };
            Box::new(Self { is_element: true, ..Self::new(program, connector, &element) })
        });
        let mut member = Vec::new();
        write_text(&field.wire, &mut member);
        member.push(b':');
        let most = match field.ty.present() {
            Type::Text(Some(max)) => *max as usize,
            _ => usize::MAX,
        };
        let shape = shape(program, connector, field.ty.present(), field.form.form);
        // A whole number has no decimals whatever its scale says.
        let scale = match field.ty.present() {
            Type::Int => 0,
            _ if field.form.scale == 0 => u32::from(u8::MAX),
            _ => u32::from(field.form.scale),
        };
        Self {
            name: Arc::clone(&field.name),
            padded: padded(&member),
            member: member.into(),
            kind: Kind::of(&shape),
            shape,
            element,
            is_element: false,
            most,
            unit: if field.form.utf16 { text::Unit::Utf16 } else { text::Unit::CodePoints },
            scale,
            personal: field.personal,
            meta: field.meta.as_ref().and_then(|m| m.keys.first()).map(Arc::clone),
            wire: Arc::clone(&field.wire),
        }
    }
}

fn shape(program: &Program, connector: &str, ty: &Type, form: WireForm) -> Shape {
    match ty {
        Type::Bool => Shape::Bool(form),
        Type::Int
        | Type::Decimal
        | Type::Literal
        | Type::Fraction
        | Type::Money(_)
        | Type::Price
        | Type::Entered(..) => Shape::Number { in_text: form == WireForm::NumberInText, fraction: false },
        Type::Percent => {
            Shape::Number { in_text: form == WireForm::NumberInText, fraction: form == WireForm::Fraction }
        }
        Type::Text(_) | Type::Email | Type::Country | Type::Currency | Type::FieldOf(_) => Shape::Text,
        Type::Guid => Shape::Guid,
        Type::Enum(known) => {
            let values = known.values.iter().map(|v| (Arc::clone(&v.code), Arc::clone(&v.wire))).collect();
            Shape::Enum { values, open: known.open }
        }
        Type::Date => Shape::Date,
        Type::Instant => {
            let zone = program.connector(connector).and_then(|c| TimeZone::get(&c.zone).ok());
            Shape::Instant(form, zone)
        }
        Type::Record(entity) => {
            let schema = program.entity(*entity);
            if !schema.stands_alone() {
                return Shape::Nested;
            }
            let key = schema.key.map(|key| schema.get(key));
            let number = key.is_some_and(|key| *key.ty.present() == Type::Int);
            let member = key.filter(|_| form == WireForm::Nested).map(|key| Arc::clone(&key.wire));
            Shape::Reference { entity: *entity, number, member }
        }
        Type::Code(entity) => Shape::Code(*entity),
        Type::List(element) => Shape::List(Box::new(shape(program, connector, element.present(), form))),
        Type::Optional(inner) => shape(program, connector, inner, form),
        Type::Json | Type::Duration | Type::Unknown | Type::Nothing | Type::Never => Shape::Json,
    }
}

/// Whether a value leaves its field out: nothing there, an empty text, or what the target has.
#[inline]
pub(crate) fn left_out(value: &Value<'_>) -> bool {
    matches!(value, Value::Absent | Value::Keep | Value::Text(""))
}

fn padded(member: &[u8]) -> [u8; PADDED] {
    let mut all = [b' '; PADDED];
    all[0] = b',';
    if member.len() < PADDED {
        all[1..=member.len()].copy_from_slice(member);
    }
    all
}

impl Wire {
    /// Appends the member's name, behind a comma unless it is the first.
    #[inline]
    pub(crate) fn name_it(&self, first: bool, out: &mut Vec<u8>) {
        let length = self.member.len();
        if length >= PADDED {
            if !first {
                out.push(b',');
            }
            out.extend_from_slice(&self.member);
            return;
        }
        let start = out.len();
        if first {
            out.extend_from_slice(&self.padded[1..]);
            out.truncate(start + length);
        } else {
            out.extend_from_slice(&self.padded);
            out.truncate(start + length + 1);
        }
    }

    /// The member with a comma before it, when it holds a constant that can be written beforehand.
    pub(crate) fn constant(&self, value: &Const) -> Option<Box<[u8]>> {
        let mut out = vec![b','];
        out.extend_from_slice(&self.member);
        let nowhere = Span::new(FileId(0), 0, 0);
        match value {
            Const::Text(t) if self.is_text() && !t.is_empty() => self.text(t, nowhere, &mut out).ok()?,
            Const::Number(n) if self.is_number() => self.number(n, nowhere, &mut out).ok()?,
            _ => return None,
        }
        Some(out.into())
    }

    /// Whether it holds texts as they are.
    #[inline]
    pub(crate) fn is_text(&self) -> bool {
        self.kind == Kind::Text
    }

    /// Whether it holds numbers.
    #[inline]
    pub(crate) fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Number | Kind::OddNumber)
    }

    /// Appends a text, if it is not too long.
    #[inline]
    pub(crate) fn text(&self, t: &str, place: Span, out: &mut Vec<u8>) -> Result<(), Halt> {
        // A text has no more characters than bytes.
        if t.len() > self.most {
            self.fits(t, place)?;
        }
        write_text(t, out);
        Ok(())
    }

    #[cold]
    fn fits(&self, t: &str, place: Span) -> Result<(), Halt> {
        let (most, length) = (self.most, text::length(t, self.unit));
        if length <= most {
            return Ok(());
        }
        let name = &self.name;
        // Whose text it is nobody knows here, and most that is too long is what a customer wrote.
        let reason = format!("`{name}` holds {most} characters; the text has {length}: cut it with `.fit()`");
        Err(Halt::fail(Failure::new(reason, place).with_value(text::masked(t))))
    }

    /// Appends a number, if it has not too many decimals.
    #[inline]
    pub(crate) fn number(&self, n: &Decimal, place: Span, out: &mut Vec<u8>) -> Result<(), Halt> {
        if self.kind == Kind::Number
            && n.scale() <= self.scale
            && let Some(mantissa) = decimal::small_mantissa(*n)
        {
            decimal::write_small(mantissa, n.scale(), out);
            return Ok(());
        }
        self.number_in_full(*n, place, out)
    }

    #[inline(never)]
    fn number_in_full(&self, n: Decimal, place: Span, out: &mut Vec<u8>) -> Result<(), Halt> {
        let Shape::Number { in_text, fraction } = self.shape else { return Ok(()) };
        let n = scaled(self, n, place)?;
        let n = if fraction { n.checked_div(Decimal::ONE_HUNDRED).expect("a hundredth of a number is one") } else { n };
        if in_text {
            quoted(out, |out| decimal::write(n, out));
        } else {
            decimal::write(n, out);
        }
        Ok(())
    }
}

fn scaled(wire: &Wire, n: Decimal, place: Span) -> Result<Decimal, Halt> {
    if n.scale() <= wire.scale || decimal::round(n, wire.scale) == n {
        return Ok(n);
    }
    let reason = if wire.scale == 0 {
        format!("`{}` holds whole numbers; {n} is none: round it", wire.name)
    } else {
        format!("`{}` holds {} decimals; {n} has more: `.round({})`", wire.name, wire.scale, wire.scale)
    };
    Err(Halt::fail(Failure::new(reason, place).with_value(n.to_string())))
}

/// What `write` appends, between quotes.
pub(crate) fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}
