//! From a record's JSON text straight into slots: only what some expression reads is built, all else is checked for
//! shape and skipped. Texts stay where they are; the few with escapes are unescaped into the arena.

use super::layout::{AMOUNT_DECIMALS, Digits, Enumeration, Layout, Layouts, Shape, Slot};
use super::learnt::Learnt;
use super::unreadable::has_half;
use super::value::{Record, Value};
use crate::ir::{EntityId, WireForm};
use crate::limits::{LIST_MAX, RECORD_BYTES_MAX};
use crate::value::text::masked;
use crate::value::{code, decimal, time};
use bumpalo::Bump;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

/// Why a record is not what its schema says: what is wrong, with the field and its value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) path: String,
    /// What is wrong; its value stands where `{}` stands.
    problem: String,
    pub(crate) value: Option<String>,
    /// It is no JSON, so that nothing behind it can be read either.
    pub(super) broken: bool,
}

/// What is told of a field that an answer leaves out, and of which it says so.
const NOT_SENT: &str = "was not sent: the answer only says where it could be asked for";

/// Characters of a value that a reason shows.
const SHOWN: usize = 80;

impl Bad {
    pub(super) fn new(problem: impl Into<String>) -> Box<Self> {
        Box::new(Self { path: String::new(), problem: problem.into(), value: None, broken: false })
    }

    pub(super) fn broken(problem: impl Into<String>) -> Box<Self> {
        let mut bad = Self::new(problem);
        bad.broken = true;
        bad
    }

    pub(super) fn value(problem: impl Into<String>, value: &str) -> Box<Self> {
        let mut bad = Self::new(problem);
        bad.value = Some(value.chars().take(SHOWN).collect());
        bad
    }

    /// What is wrong, in words.
    pub(crate) fn told(&self) -> String {
        match &self.value {
            Some(value) => self.problem.replacen("{}", value, 1),
            None => self.problem.clone(),
        }
    }

    /// In the field of a slot: of personal data nothing is told.
    pub(super) fn within_slot(mut self: Box<Self>, slot: &Slot) -> Box<Self> {
        if slot.personal {
            self.value = self.value.map(|value| masked(&value));
        }
        self.within(&slot.name)
    }

    pub(super) fn within(mut self: Box<Self>, name: &str) -> Box<Self> {
        self.path = match self.path.chars().next() {
            None => name.to_owned(),
            Some('[') => format!("{name}{}", self.path),
            Some(_) => format!("{name}.{}", self.path),
        };
        self
    }
}

pub(super) type Decoded<T> = Result<T, Box<Bad>>;

/// A decoder of one text.
pub(crate) struct Decoder<'r, 'l> {
    pub(super) text: &'r str,
    pub(super) bytes: &'r [u8],
    pub(super) at: usize,
    pub(super) arena: &'r Bump,
    pub(super) depth: usize,
    pub(super) layouts: &'r Layouts,
    pub(super) learnt: &'l mut Learnt,
    /// What the record is.
    pub(super) root: EntityId,
    /// Elements of the lists that are not closed yet, the innermost last.
    pub(super) elements: bumpalo::collections::Vec<'r, Value<'r>>,
    /// Paths are kept in the records.
    pub(super) paths: bool,
}

/// The record in this text.
pub(crate) fn decode<'r>(
    text: &'r str,
    entity: EntityId,
    layouts: &'r Layouts,
    arena: &'r Bump,
    learnt: &mut Learnt,
    paths: bool,
) -> Decoded<&'r Record<'r>> {
    if text.len() > RECORD_BYTES_MAX {
        return Err(Bad::new(format!("is larger than {} MB", RECORD_BYTES_MAX >> 20)));
    }
    let mut decoder = Decoder::new(text, layouts, arena, learnt);
    (decoder.paths, decoder.root) = (paths, entity);
    decoder.blank();
    let record = decoder.object(layouts.of(entity), "")?;
    decoder.blank();
    if decoder.at < decoder.bytes.len() {
        return Err(decoder.broken("something stands behind the record"));
    }
    Ok(record)
}

/// The text of a JSON text or number that stands alone, such as a key.
pub(crate) fn scalar<'r>(text: &'r str, arena: &'r Bump) -> Option<&'r str> {
    let layouts = Layouts { all: Vec::new() };
    let mut learnt = Learnt::default();
    let text = text.trim();
    if !text.starts_with('"') {
        return decimal::parse(text.as_bytes()).ok().map(|_| text);
    }
    // The layouts are only looked at for objects.
    let layouts = arena.alloc(layouts);
    let mut decoder = Decoder::new(text, layouts, arena, &mut learnt);
    decoder.string().ok().filter(|_| decoder.at == text.len())
}

impl<'r, 'l> Decoder<'r, 'l> {
    fn new(text: &'r str, layouts: &'r Layouts, arena: &'r Bump, learnt: &'l mut Learnt) -> Self {
        let elements = bumpalo::collections::Vec::with_capacity_in(32, arena);
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            arena,
            depth: 0,
            layouts,
            learnt,
            elements,
            paths: false,
            root: EntityId(0),
        }
    }
}

impl<'r> Decoder<'r, '_> {
    /// The value here; `null`, `""` and, where the schema says so, zero are absent.
    pub(super) fn value(&mut self, slot: &'r Slot, layout: &'r Layout, path: &'r str) -> Decoded<Value<'r>> {
        match self.peek() {
            b'n' => {
                self.word("null")?;
                return Ok(Value::Absent);
            }
            b'"' if self.bytes.get(self.at + 1) == Some(&b'"') && !slot.keeps_empty => {
                self.at += 2;
                return Ok(Value::Absent);
            }
            _ => {}
        }
        let path = if self.paths && matches!(slot.shape, Shape::Nested(_) | Shape::List(_)) {
            let dot = if path.is_empty() { "" } else { "." };
            self.arena.alloc_str(&format!("{path}{dot}{}", slot.name))
        } else {
            path
        };
        let value = self.shaped(&slot.shape, slot.loose, layout, path)?;
        Ok(match value {
            Value::Number(n) if slot.zero_is_absent && n.is_zero() => Value::Absent,
            Value::Reference("0") if slot.zero_is_absent => Value::Absent,
            Value::Text(t) if !slot.keeps_empty && t.is_empty() => Value::Absent,
            other => other,
        })
    }

    fn shaped(&mut self, shape: &'r Shape, loose: bool, layout: &'r Layout, path: &'r str) -> Decoded<Value<'r>> {
        match shape {
            Shape::Number(digits) => self.number_value(*digits),
            Shape::Text { padded } => {
                let text = if loose { self.loose_text()? } else { self.text_value()? };
                Ok(Value::Text(if *padded { text.trim() } else { text }))
            }
            Shape::Upper => {
                let text = self.text_value()?.trim();
                let lower = text.bytes().any(|b| b.is_ascii_lowercase());
                Ok(Value::Text(if lower { self.arena.alloc_str(&text.to_ascii_uppercase()) } else { text }))
            }
            Shape::Guid => self.guid().map(Value::Text),
            Shape::Date { milliseconds } => self.date(*milliseconds),
            Shape::Instant { form } => self.instant(*form, layout.zone.as_ref()),
            Shape::Enum(values) => self.enumeration(values),
            Shape::Reference(entity) => self.reference(*entity, path),
            Shape::Nested(_) if self.peek() != b'{' => Err(self.other("an object")),
            Shape::Nested(entity) => {
                let layout = self.layouts.of(*entity);
                self.object(layout, path).map(Value::Record)
            }
            Shape::List(element) if self.peek() == b'{' => self.wrapped_list(element, layout, path),
            Shape::List(element) => self.list(element, layout, path).map(Value::List),
            Shape::Bool => self.truth(),
            Shape::OrNull(shape) => self.shaped(shape, loose, layout, path),
            Shape::Json => {
                let start = self.at;
                self.skip()?;
                let json = &self.text[start..self.at];
                // It may be written as it is, or taken apart.
                if has_half(json) {
                    Err(Bad::value("is {}, with half a character in it", json))
                } else {
                    Ok(Value::Text(json))
                }
            }
        }
    }

    fn number_value(&mut self, digits: Digits) -> Decoded<Value<'r>> {
        let start = self.at;
        match self.short_number().number().filter(|number| digits.take(number)) {
            Some(number) => return Ok(Value::Number(number)),
            None => self.at = start,
        }
        let text = match self.peek() {
            b'"' => self.string()?.trim(),
            b'-' | b'0'..=b'9' => self.number_text()?,
            _ => return Err(self.other("a number")),
        };
        let number =
            decimal::rounded(text.as_bytes()).map_err(|e| Bad::value(format!("is \"{{}}\", which {e}"), text))?;
        Ok(Value::Number(match digits {
            Digits::All => number,
            Digits::Whole if !number.fract().is_zero() => {
                return Err(Bad::value("is {}, which is not a whole number", text));
            }
            Digits::Whole => number,
            Digits::Fraction => {
                number.checked_mul(Decimal::ONE_HUNDRED).ok_or_else(|| Bad::value("is too large", text))?
            }
            Digits::Amount => decimal::round(number, AMOUNT_DECIMALS).normalize(),
        }))
    }

    fn text_value(&mut self) -> Decoded<&'r str> {
        if self.peek() == b'"' { self.string() } else { Err(self.other("a text")) }
    }

    /// What a plugin wrote where a text is expected: numbers and truth are taken as they stand.
    fn loose_text(&mut self) -> Decoded<&'r str> {
        match self.peek() {
            b'-' | b'0'..=b'9' => self.number_text(),
            b't' => self.word("true").map(|()| "true"),
            b'f' => self.word("false").map(|()| ""),
            _ => self.text_value(),
        }
    }

    fn truth(&mut self) -> Decoded<Value<'r>> {
        let start = self.at;
        let text = match self.peek() {
            b't' => {
                self.word("true")?;
                "true"
            }
            b'f' => {
                self.word("false")?;
                "false"
            }
            b'"' => self.string()?,
            b'0'..=b'9' => self.number_text()?,
            _ => return Err(self.other("yes or no")),
        };
        match text {
            "true" | "1" | "yes" => Ok(Value::Bool(true)),
            "false" | "0" | "no" => Ok(Value::Bool(false)),
            _ => Err(Bad::value("is neither yes nor no", &self.text[start..self.at])),
        }
    }

    fn guid(&mut self) -> Decoded<&'r str> {
        let text = self.text_value()?;
        if code::is_guid(text) { Ok(text) } else { Err(Bad::value("is \"{}\", which is not a guid", text)) }
    }

    fn date(&mut self, milliseconds: bool) -> Decoded<Value<'r>> {
        let text = self.text_value()?;
        let date = if milliseconds && text.starts_with('/') {
            time::wall_clock(text).map(jiff::civil::DateTime::date)
        } else {
            time::date(text)
        };
        date.map(Value::Date).map_err(|e| Bad::value(format!("is \"{{}}\", which {e}"), text))
    }

    fn instant(&mut self, form: WireForm, zone: Option<&TimeZone>) -> Decoded<Value<'r>> {
        let text = self.text_value()?;
        let moment = match form {
            WireForm::Milliseconds if text.starts_with('/') => {
                time::wall_clock_instant(text, zone.unwrap_or(&TimeZone::UTC))
            }
            WireForm::Utc => time::instant(text, Some(&TimeZone::UTC)),
            _ => time::instant(text, zone),
        };
        moment.map(Value::Instant).map_err(|e| Bad::value(format!("is \"{{}}\", which {e}"), text))
    }

    fn enumeration(&mut self, values: &'r Enumeration) -> Decoded<Value<'r>> {
        let start = self.at;
        let inner = match self.peek() {
            b'"' => Some(self.string()?),
            b'{' | b'[' => return Err(self.other("one value")),
            _ => {
                self.skip()?;
                None
            }
        };
        let raw = &self.text[start..self.at];
        // Numbers may come as text and texts with escapes, so both sides are compared without their quotes.
        let bare = |wire: &'r str| wire.strip_prefix('"').and_then(|w| w.strip_suffix('"')).unwrap_or(wire);
        let text = inner.unwrap_or(raw);
        if let Some((_, code)) = values.values.iter().find(|(wire, _)| bare(wire) == text) {
            return Ok(Value::Text(code));
        }
        if values.open || text.is_empty() {
            return Ok(Value::Text(text));
        }
        let quote = if inner.is_some() { "\"" } else { "" };
        let name = if values.name.is_empty() { "the values that it may have" } else { &values.name };
        Err(Bad::value(format!("is {quote}{{}}{quote}, which {name} does not know"), text))
    }

    /// A record by its key, or as much of it as the API nests. An empty key refers to nothing.
    fn reference(&mut self, entity: EntityId, path: &'r str) -> Decoded<Value<'r>> {
        match self.peek() {
            b'"' => self.string().map(|key| if key.is_empty() { Value::Absent } else { Value::Reference(key) }),
            b'-' | b'0'..=b'9' => self.number_text().map(Value::Reference),
            b'{' if self.is_deferred() => Err(Bad::new(NOT_SENT)),
            b'{' => self.part_of_record(self.layouts.of(entity), path).map(Value::Record),
            _ => Err(self.other("a key or an object")),
        }
    }

    /// `{"__deferred": {"uri": "…"}}`: the answer says only where it could be asked for.
    fn is_deferred(&self) -> bool {
        let inner = self.text.get(self.at + 1..).unwrap_or_default();
        inner.trim_start().starts_with("\"__deferred\"")
    }

    pub(super) fn list(&mut self, element: &'r Shape, layout: &'r Layout, path: &'r str) -> Decoded<&'r [Value<'r>]> {
        self.eat(b'[', "a list is expected").map_err(|_| self.other("a list"))?;
        self.deeper()?;
        self.blank();
        if self.peek() == b']' {
            self.at += 1;
            self.depth -= 1;
            return Ok(&[]);
        }
        let base = self.elements.len();
        match element {
            Shape::Nested(entity) if !self.paths => {
                let nested = self.layouts.of(*entity);
                let mut order = self.learnt.take(entity.0 as usize);
                let read = self.elements(|this, n| match this.peek() {
                    b'{' => match this.record(nested, &mut order, path) {
                        Ok(record) => Ok(Value::Record(record)),
                        Err(bad) => Err(bad.within(&format!("[{n}]"))),
                    },
                    _ => this.element(element, layout, path, n),
                });
                self.learnt.give_back(entity.0 as usize, order);
                read?;
            }
            other => self.elements(|this, n| this.element(other, layout, path, n))?,
        }
        self.depth -= 1;
        let list: &'r [Value<'r>] = self.arena.alloc_slice_copy(&self.elements[base..]);
        self.elements.truncate(base);
        Ok(list)
    }

    /// The elements here, each read by `one`, and the closing bracket.
    #[inline]
    fn elements(&mut self, mut one: impl FnMut(&mut Self, usize) -> Decoded<Value<'r>>) -> Decoded<()> {
        for n in 0.. {
            if n >= LIST_MAX {
                return Err(Bad::new(format!("has more than {LIST_MAX} elements")));
            }
            self.blank();
            let value = one(self, n)?;
            self.elements.push(value);
            self.blank();
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    break;
                }
                _ => return Err(self.broken("a comma or a closing bracket is expected")),
            }
        }
        Ok(())
    }

    fn element(&mut self, element: &'r Shape, layout: &'r Layout, path: &'r str, n: usize) -> Decoded<Value<'r>> {
        let element = match (self.peek(), element) {
            (b'n', Shape::OrNull(_) | Shape::Json) => {
                self.word("null")?;
                return Ok(Value::Absent);
            }
            (b'n', _) => return Err(self.other("an element").within(&format!("[{n}]"))),
            (_, Shape::OrNull(element)) => element,
            (_, element) => element,
        };
        let path = if self.paths { self.arena.alloc_str(&format!("{path}[{n}]")) } else { path };
        self.shaped(element, false, layout, path).map_err(|bad| bad.within(&format!("[{n}]")))
    }

    /// `{"results": […]}`. `{"__deferred": …}` stands for a list that was not sent, `__next` for the rest of one.
    fn wrapped_list(&mut self, element: &'r Shape, layout: &'r Layout, path: &'r str) -> Decoded<Value<'r>> {
        let start = self.at;
        let (mut list, mut more) = (None, None);
        self.members(|this, name| match name {
            "results" => {
                list = Some(Value::List(this.list(element, layout, path)?));
                Ok(())
            }
            "__deferred" => {
                more = Some(NOT_SENT);
                this.skip()
            }
            "__next" => {
                more = Some("was sent in part: more of the list would have to be asked for");
                this.skip()
            }
            _ => this.skip(),
        })?;
        match (list, more) {
            (_, Some(more)) => Err(Bad::new(more)),
            (Some(list), None) => Ok(list),
            (None, None) => {
                self.at = start;
                Err(self.other("a list"))
            }
        }
    }

    /// The members of the object here, each handed on at its value.
    pub(super) fn members(&mut self, mut each: impl FnMut(&mut Self, &'r str) -> Decoded<()>) -> Decoded<()> {
        self.eat(b'{', "an object is expected")?;
        self.deeper()?;
        self.blank();
        if self.peek() == b'}' {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.blank();
            let name = self.name()?;
            self.blank();
            self.eat(b':', "a colon is expected")?;
            self.blank();
            each(self, name)?;
            self.blank();
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(());
                }
                _ => return Err(self.broken("a comma or a closing brace is expected")),
            }
        }
    }

    /// The name of a member. One with half a character in it is no field's.
    pub(super) fn name(&mut self) -> Decoded<&'r str> {
        let start = self.at;
        self.string().or_else(|bad| {
            if bad.broken {
                return Err(bad);
            }
            self.at = start;
            self.skip().map(|()| "")
        })
    }

    fn other(&mut self, wanted: &str) -> Box<Bad> {
        let start = self.at;
        if let Err(bad) = self.skip() {
            return bad;
        }
        let value = &self.text[start..self.at];
        Bad::value(format!("is {{}}, where {wanted} is expected"), value)
    }
}
