//! From a record's JSON text straight into slots: only what some expression reads is built, all else is checked for
//! shape and skipped. Texts stay where they are; the few with escapes are unescaped into the arena.

use super::layout::{Action, Enumeration, Layout, Layouts, Shape, Slot};
use super::value::{Record, Value};
use crate::ir::{EntityId, WireForm};
use crate::limits::{JSON_DEPTH_MAX, LIST_MAX, RECORD_BYTES_MAX};
use crate::value::{code, decimal, time};
use bumpalo::Bump;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

/// Why a record is not what its schema says: what is wrong, with the field and its value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) path: String,
    pub(crate) problem: String,
    pub(crate) value: Option<String>,
}

#[expect(clippy::unnecessary_box_returns, reason = "results of the hot path stay small")]
impl Bad {
    fn new(problem: impl Into<String>) -> Box<Self> {
        Box::new(Self { path: String::new(), problem: problem.into(), value: None })
    }

    fn value(problem: impl Into<String>, value: &str) -> Box<Self> {
        let mut bad = Self::new(problem);
        bad.value = Some(value.chars().take(80).collect());
        bad
    }

    fn within(mut self: Box<Self>, name: &str) -> Box<Self> {
        self.path = match self.path.chars().next() {
            None => name.to_owned(),
            Some('[') => format!("{name}{}", self.path),
            Some(_) => format!("{name}.{}", self.path),
        };
        self
    }
}

type Decoded<T> = Result<T, Box<Bad>>;

/// The order in which members came last time, by entity.
#[derive(Default)]
pub(crate) struct Learnt {
    orders: Vec<Vec<(Box<[u8]>, Action)>>,
}

/// Members that an order holds at most: an API has no more, and a hostile record must not fill the memory.
const ORDER_MAX: usize = 256;

/// A decoder of one text.
pub(crate) struct Decoder<'r, 'l> {
    text: &'r str,
    bytes: &'r [u8],
    at: usize,
    arena: &'r Bump,
    layouts: &'r Layouts,
    learnt: &'l mut Learnt,
    depth: usize,
    /// Paths are kept in the records.
    paths: bool,
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
    let mut decoder = Decoder { text, bytes: text.as_bytes(), at: 0, arena, layouts, learnt, depth: 0, paths };
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
    let mut decoder =
        Decoder { text, bytes: text.as_bytes(), at: 0, arena, layouts, learnt: &mut learnt, depth: 0, paths: false };
    decoder.string().ok().filter(|_| decoder.at == text.len())
}

impl<'r> Decoder<'r, '_> {
    #[inline]
    fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[expect(clippy::unnecessary_box_returns, reason = "results of the hot path stay small")]
    fn broken(&self, what: &str) -> Box<Bad> {
        Bad::new(format!("is not JSON: {what} at byte {}", self.at))
    }

    fn eat(&mut self, byte: u8, what: &str) -> Decoded<()> {
        if self.peek() == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(self.broken(what))
        }
    }

    fn deeper(&mut self) -> Decoded<()> {
        self.depth += 1;
        if self.depth > JSON_DEPTH_MAX {
            return Err(Bad::new(format!("is nested deeper than {JSON_DEPTH_MAX} levels")));
        }
        Ok(())
    }

    /// The object here, into the slots of its layout.
    fn object(&mut self, layout: &'r Layout, path: &'r str) -> Decoded<&'r Record<'r>> {
        let start = self.at;
        self.eat(b'{', "an object is expected")?;
        self.deeper()?;
        let slots: &'r mut [Value<'r>] = self.arena.alloc_slice_copy(&layout.empty);
        let ranks = if layout.metas.is_empty() {
            &mut [][..]
        } else {
            self.arena.alloc_slice_fill_copy(slots.len(), usize::MAX)
        };
        let entity = layout.entity.0 as usize;
        self.blank();
        let mut position = 0;
        if self.peek() == b'}' {
            self.at += 1;
        } else {
            loop {
                self.blank();
                let action = self.member(entity, layout, &mut position)?;
                self.blank();
                self.eat(b':', "a colon is expected")?;
                self.blank();
                self.act(action, layout, slots, ranks, path)?;
                self.blank();
                match self.peek() {
                    b',' => self.at += 1,
                    b'}' => {
                        self.at += 1;
                        break;
                    }
                    _ => return Err(self.broken("a comma or a closing brace is expected")),
                }
            }
        }
        self.depth -= 1;
        let raw = &self.text[start..self.at];
        Ok(self.arena.alloc(Record { entity: layout.entity, slots, raw, path }))
    }

    /// What is done with the member whose name stands here: most often the one that came here last time.
    fn member(&mut self, entity: usize, layout: &Layout, position: &mut usize) -> Decoded<Action> {
        self.eat(b'"', "a member's name is expected")?;
        let rest = &self.bytes[self.at..];
        if let Some((name, action)) = self.learnt.orders.get(entity).and_then(|order| order.get(*position))
            && rest.len() > name.len()
            && rest[name.len()] == b'"'
            && rest[..name.len()] == **name
        {
            self.at += name.len() + 1;
            *position += 1;
            return Ok(*action);
        }
        self.at -= 1;
        let name = self.string()?;
        if self.learnt.orders.len() <= entity {
            self.learnt.orders.resize_with(entity + 1, Vec::new);
        }
        let order = &mut self.learnt.orders[entity];
        // A member that was left out this time: go on behind it.
        if let Some(n) = order.iter().skip(*position).position(|(known, _)| **known == *name.as_bytes()) {
            *position += n + 1;
            return Ok(order[*position - 1].1);
        }
        let action = layout.members.get(name).copied().unwrap_or(Action::Skip);
        if order.len() < ORDER_MAX && !order.iter().any(|(known, _)| **known == *name.as_bytes()) {
            order.insert(*position, (name.as_bytes().into(), action));
            *position += 1;
        }
        Ok(action)
    }

    fn act(
        &mut self,
        action: Action,
        layout: &'r Layout,
        slots: &mut [Value<'r>],
        ranks: &mut [usize],
        path: &'r str,
    ) -> Decoded<()> {
        match action {
            Action::Skip => self.skip(),
            Action::Take(slot) => self.take(slot, layout, slots, path),
            Action::Twice(a, b) => {
                let start = self.at;
                self.take(a, layout, slots, path)?;
                self.at = start;
                self.take(b, layout, slots, path)
            }
            Action::Meta => self.metas(layout, slots, ranks, path),
            Action::MetaAnd(slot) => {
                let start = self.at;
                self.metas(layout, slots, ranks, path)?;
                self.at = start;
                self.take(slot, layout, slots, path)
            }
        }
    }

    #[inline]
    fn take(&mut self, slot: u16, layout: &'r Layout, slots: &mut [Value<'r>], path: &'r str) -> Decoded<()> {
        let n = usize::from(slot);
        let known = &layout.slots[n];
        let value = self.value(known, layout, path).map_err(|bad| bad.within(&known.name))?;
        slots[n] = if matches!(value, Value::Absent) { layout.empty[n] } else { value };
        Ok(())
    }

    /// The value here; `null`, `""` and, where the schema says so, zero are absent.
    #[inline]
    fn value(&mut self, slot: &'r Slot, layout: &'r Layout, path: &'r str) -> Decoded<Value<'r>> {
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
            Value::Reference("") => Value::Absent,
            Value::Text(t) if !slot.keeps_empty && t.is_empty() => Value::Absent,
            other => other,
        })
    }

    fn shaped(&mut self, shape: &'r Shape, loose: bool, layout: &'r Layout, path: &'r str) -> Decoded<Value<'r>> {
        match shape {
            Shape::Number { whole, hundredfold } => self.number_value(*whole, *hundredfold),
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
            Shape::Reference => self.reference(),
            Shape::Nested(entity) => {
                let layout = self.layouts.of(*entity);
                self.object(layout, path).map(Value::Record)
            }
            Shape::List(element) => self.list(element, layout, path),
            Shape::Bool => self.truth(),
            Shape::Json => {
                let start = self.at;
                self.skip()?;
                Ok(Value::Text(&self.text[start..self.at]))
            }
        }
    }

    fn number_value(&mut self, whole: bool, hundredfold: bool) -> Decoded<Value<'r>> {
        let text = match self.peek() {
            b'"' => self.string()?.trim(),
            b'-' | b'0'..=b'9' => self.number_text()?,
            _ => return Err(self.other("a number")),
        };
        let number =
            decimal::parse(text.as_bytes()).map_err(|e| Bad::value(format!("is \"{text}\", which {e}"), text))?;
        let number = if hundredfold {
            number.checked_mul(Decimal::ONE_HUNDRED).ok_or_else(|| Bad::value("is too large", text))?
        } else {
            number
        };
        if whole && !number.fract().is_zero() {
            return Err(Bad::value(format!("is {text}, which is not a whole number"), text));
        }
        Ok(Value::Number(number))
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
        if code::is_guid(text) {
            Ok(text)
        } else {
            Err(Bad::value(format!("is \"{text}\", which is not a guid"), text))
        }
    }

    fn date(&mut self, milliseconds: bool) -> Decoded<Value<'r>> {
        let text = self.text_value()?;
        let date = if milliseconds && text.starts_with('/') {
            time::wall_clock(text).map(jiff::civil::DateTime::date)
        } else {
            time::date(text)
        };
        date.map(Value::Date).map_err(|e| Bad::value(format!("is \"{text}\", which {e}"), text))
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
        moment.map(Value::Instant).map_err(|e| Bad::value(format!("is \"{text}\", which {e}"), text))
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
        let name = if values.name.is_empty() { "the values that it may have" } else { &values.name };
        Err(Bad::value(format!("is {raw}, which {name} does not know"), text))
    }

    fn reference(&mut self) -> Decoded<Value<'r>> {
        match self.peek() {
            b'"' => self.string().map(Value::Reference),
            b'-' | b'0'..=b'9' => self.number_text().map(Value::Reference),
            // Not asked for, so not sent.
            b'{' => self.skip().map(|()| Value::Absent),
            b'f' => self.word("false").map(|()| Value::Absent),
            _ => Err(self.other("a key")),
        }
    }

    fn list(&mut self, element: &'r Shape, layout: &'r Layout, path: &'r str) -> Decoded<Value<'r>> {
        if self.peek() == b'{' {
            return self.wrapped_list(element, layout, path);
        }
        self.eat(b'[', "a list is expected").map_err(|_| self.other("a list"))?;
        self.deeper()?;
        let mut values = bumpalo::collections::Vec::with_capacity_in(4, self.arena);
        self.blank();
        if self.peek() == b']' {
            self.at += 1;
        } else {
            loop {
                self.blank();
                let n = values.len();
                if n >= LIST_MAX {
                    return Err(Bad::new(format!("has more than {LIST_MAX} elements")));
                }
                let path = if self.paths { self.arena.alloc_str(&format!("{path}[{n}]")) } else { path };
                let value = if self.peek() == b'n' {
                    self.word("null")?;
                    Value::Absent
                } else {
                    self.shaped(element, false, layout, path).map_err(|bad| bad.within(&format!("[{n}]")))?
                };
                values.push(value);
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
        }
        self.depth -= 1;
        Ok(Value::List(values.into_bump_slice()))
    }

    /// `{"results": […]}`; any other object stands for a list that was not sent.
    fn wrapped_list(&mut self, element: &'r Shape, layout: &'r Layout, path: &'r str) -> Decoded<Value<'r>> {
        let mut list = Value::Absent;
        self.members(|this, name| {
            if name == "results" && this.peek() == b'[' {
                list = this.list(element, layout, path)?;
                Ok(())
            } else {
                this.skip()
            }
        })?;
        Ok(list)
    }

    /// Picks the entries that are asked for; the first key of a slot that is filled counts.
    fn metas(
        &mut self,
        layout: &'r Layout,
        slots: &mut [Value<'r>],
        ranks: &mut [usize],
        path: &'r str,
    ) -> Decoded<()> {
        if self.peek() != b'[' {
            return self.skip();
        }
        self.at += 1;
        self.deeper()?;
        self.blank();
        if self.peek() == b']' {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.blank();
            if self.peek() == b'{' {
                self.meta(layout, slots, ranks, path)?;
            } else {
                self.skip()?;
            }
            self.blank();
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(());
                }
                _ => return Err(self.broken("a comma or a closing bracket is expected")),
            }
        }
    }

    fn meta(&mut self, layout: &'r Layout, slots: &mut [Value<'r>], ranks: &mut [usize], path: &'r str) -> Decoded<()> {
        let (mut key, mut value) = ("", None);
        self.members(|this, name| {
            let start = this.at;
            if name == "key" && this.peek() == b'"' {
                key = this.string()?;
                return Ok(());
            }
            if name == "value" {
                value = Some(start);
            }
            this.skip()
        })?;
        let end = self.at;
        let Some(start) = value else { return Ok(()) };
        for (_, rank, slot) in layout.metas.iter().filter(|(known, ..)| **known == *key) {
            let n = usize::from(*slot);
            if *rank < ranks[n] {
                self.at = start;
                let known = &layout.slots[n];
                let value = self.value(known, layout, path).map_err(|bad| bad.within(&known.name))?;
                if value.is_some() {
                    slots[n] = value;
                    ranks[n] = *rank;
                }
            }
        }
        self.at = end;
        Ok(())
    }

    /// The members of the object here, each handed on at its value.
    fn members(&mut self, mut each: impl FnMut(&mut Self, &'r str) -> Decoded<()>) -> Decoded<()> {
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
            let name = self.string()?;
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

    #[expect(clippy::unnecessary_box_returns, reason = "results of the hot path stay small")]
    fn other(&mut self, wanted: &str) -> Box<Bad> {
        let start = self.at;
        if let Err(bad) = self.skip() {
            return bad;
        }
        let value = &self.text[start..self.at];
        let shown: String = value.chars().take(40).collect();
        Bad::value(format!("is {shown}, where {wanted} is expected"), value)
    }

    fn word(&mut self, word: &str) -> Decoded<()> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.broken("a value is expected"))
        }
    }

    /// A number as JSON allows it.
    fn number_text(&mut self) -> Decoded<&'r str> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        let digits = |this: &mut Self| {
            let start = this.at;
            while this.peek().is_ascii_digit() {
                this.at += 1;
            }
            this.at - start
        };
        let first = self.peek();
        let count = digits(self);
        if count == 0 || count > 1 && first == b'0' {
            return Err(self.broken("a number is expected"));
        }
        if self.peek() == b'.' {
            self.at += 1;
            if digits(self) == 0 {
                return Err(self.broken("a digit is expected"));
            }
        }
        if let b'e' | b'E' = self.peek() {
            self.at += 1;
            if let b'+' | b'-' = self.peek() {
                self.at += 1;
            }
            if digits(self) == 0 {
                return Err(self.broken("a digit is expected"));
            }
        }
        Ok(&self.text[start..self.at])
    }

    /// The text here, unescaped.
    #[inline]
    fn string(&mut self) -> Decoded<&'r str> {
        self.eat(b'"', "a text is expected")?;
        let start = self.at;
        let end = special(self.bytes, start);
        match self.bytes.get(end) {
            Some(b'"') => {
                self.at = end + 1;
                Ok(&self.text[start..end])
            }
            Some(b'\\') => self.escaped(start, end),
            _ => {
                self.at = end;
                Err(self.broken("a text is not closed"))
            }
        }
    }

    /// A text with escapes, of which the first stands at `at`.
    fn escaped(&mut self, start: usize, at: usize) -> Decoded<&'r str> {
        let mut out = bumpalo::collections::String::with_capacity_in(at - start + 32, self.arena);
        let mut from = start;
        let mut at = at;
        loop {
            out.push_str(&self.text[from..at]);
            self.at = at;
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(out.into_bump_str());
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    out.push(c);
                    from = self.at;
                    at = special(self.bytes, from);
                }
                _ => return Err(self.broken("a text is not closed")),
            }
        }
    }

    fn escape(&mut self) -> Decoded<char> {
        let kind = self.bytes.get(self.at + 1).copied().unwrap_or(0);
        self.at += 2;
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex()?;
                if (0xd800..0xdc00).contains(&unit) && self.bytes[self.at..].starts_with(b"\\u") {
                    self.at += 2;
                    let low = self.hex()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(self.broken("half a character stands alone"));
                    }
                    char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
                        .ok_or_else(|| self.broken("half a character stands alone"))?
                } else {
                    char::from_u32(unit).ok_or_else(|| self.broken("half a character stands alone"))?
                }
            }
            _ => return Err(self.broken("an unknown escape stands")),
        })
    }

    fn hex(&mut self) -> Decoded<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or_else(|| self.broken("a text is not closed"))?;
        let mut unit = 0;
        for &b in digits {
            let digit = char::from(b).to_digit(16).ok_or_else(|| self.broken("an unknown escape stands"))?;
            unit = unit * 16 + digit;
        }
        self.at += 4;
        Ok(unit)
    }

    /// Past the value here, whose shape is checked.
    fn skip(&mut self) -> Decoded<()> {
        match self.peek() {
            b'"' => self.skip_string(),
            b'{' => self.members_skipped(),
            b'[' => self.elements_skipped(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number_text().map(|_| ()),
        }
    }

    fn skip_string(&mut self) -> Decoded<()> {
        let mut at = special(self.bytes, self.at + 1);
        loop {
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at = at;
                    self.escape()?;
                    at = special(self.bytes, self.at);
                }
                _ => {
                    self.at = at;
                    return Err(self.broken("a text is not closed"));
                }
            }
        }
    }

    fn members_skipped(&mut self) -> Decoded<()> {
        self.at += 1;
        self.deeper()?;
        self.blank();
        if self.peek() == b'}' {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.blank();
            if self.peek() != b'"' {
                return Err(self.broken("a member's name is expected"));
            }
            self.skip_string()?;
            self.blank();
            self.eat(b':', "a colon is expected")?;
            self.blank();
            self.skip()?;
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

    fn elements_skipped(&mut self) -> Decoded<()> {
        self.at += 1;
        self.deeper()?;
        self.blank();
        if self.peek() == b']' {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.blank();
            self.skip()?;
            self.blank();
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(());
                }
                _ => return Err(self.broken("a comma or a closing bracket is expected")),
            }
        }
    }
}

/// Where the next quote, backslash or control character stands, or the end. Eight bytes at a time: most texts are short,
/// and a call into a longer search costs more than it saves.
pub(crate) fn special(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = from;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes were taken"));
        let quote = word ^ (ONES * 0x22);
        let slash = word ^ (ONES * 0x5c);
        let hit = ((quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word))
            & HIGH;
        if hit != 0 {
            // The lowest mark is exact; those above it may be carries.
            return at + (hit.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(b) = bytes.get(at) {
        if matches!(b, b'"' | b'\\' | 0..0x20) {
            break;
        }
        at += 1;
    }
    at
}
