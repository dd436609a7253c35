//! Values by their shape: scalars, references, and lists of them.

use super::decoder::Decoder;
use super::layout::{AMOUNT_DECIMALS, Digits, Enumeration, Layout, Shape, Slot, Wrapped};
use crate::eval::value::Value;
use crate::ir::{EntityId, WireForm};
use crate::json::{DecodeError, Decoded, has_half};
use crate::limits::LIST_MAX;
use crate::value::{code, decimal, time};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::sync::Arc;

/// What is told of a field that an answer leaves out, and of which it says so.
const NOT_SENT: &str = "was not sent: the answer only says where it could be asked for";

impl<'r> Decoder<'r, '_> {
    /// The value here; `null`, `""` and, where the schema says so, zero are absent.
    pub(crate) fn value(&mut self, slot: &'r Slot, layout: &'r Layout, path: &'r str) -> Decoded<Value<'r>> {
        match self.json.peek() {
            b'n' => {
                self.json.word("null")?;
                return Ok(Value::Absent);
            }
            b'"' if self.json.bytes.get(self.json.at + 1) == Some(&b'"') && !slot.keeps_empty => {
                self.json.at += 2;
                return Ok(Value::Absent);
            }
            _ => {}
        }
        let path = if self.paths && matches!(slot.shape, Shape::Nested(_) | Shape::List(_)) {
            let dot = if path.is_empty() { "" } else { "." };
            self.json.arena.alloc_str(&format!("{path}{dot}{}", slot.name))
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
                Ok(Value::Text(if lower { self.json.arena.alloc_str(&text.to_ascii_uppercase()) } else { text }))
            }
            Shape::Guid => self.guid().map(Value::Text),
            Shape::Date { milliseconds } => self.date(*milliseconds),
            Shape::Instant { form } => self.instant(*form, layout.zone.as_ref()),
            Shape::Enum(values) => self.enumeration(values),
            Shape::Reference(entity) => self.reference(*entity, layout, path),
            Shape::Nested(_) if self.json.peek() != b'{' => Err(self.other("an object")),
            Shape::Nested(entity) => {
                let layout = self.layouts.of(*entity);
                self.object(layout, path).map(Value::Record)
            }
            Shape::List(element) if self.json.peek() == b'{' => match &layout.wrapped {
                Some(wrapped) => self.wrapped_list(wrapped, element, layout, path),
                None if self.json.is_numbered()? => self.numbered_list(element, layout, path).map(Value::List),
                None => Err(self.other("a list")),
            },
            Shape::List(element) => self.list(element, layout, path).map(Value::List),
            Shape::Bool => self.truth(),
            Shape::OrNull(shape) => self.shaped(shape, loose, layout, path),
            Shape::Json => {
                let start = self.json.at;
                self.json.skip()?;
                let json = &self.json.text[start..self.json.at];
                // It may be written as it is, or taken apart.
                if has_half(json) {
                    Err(DecodeError::value("is {}, with half a character in it", json))
                } else {
                    Ok(Value::Text(json))
                }
            }
        }
    }

    fn number_value(&mut self, digits: Digits) -> Decoded<Value<'r>> {
        let start = self.json.at;
        match self.json.short_number().number().filter(|number| digits.take(number)) {
            Some(number) => return Ok(Value::Number(number)),
            None => self.json.at = start,
        }
        let text = match self.json.peek() {
            b'"' => self.json.string()?.trim(),
            b'-' | b'0'..=b'9' => self.json.number_text()?,
            _ => return Err(self.other("a number")),
        };
        let number = decimal::rounded(text.as_bytes())
            .map_err(|e| DecodeError::value(format!("is \"{{}}\", which {e}"), text))?;
        Ok(Value::Number(match digits {
            Digits::All => number,
            Digits::Whole if !number.fract().is_zero() => {
                return Err(DecodeError::value("is {}, which is not a whole number", text));
            }
            Digits::Whole => number,
            Digits::Fraction => {
                number.checked_mul(Decimal::ONE_HUNDRED).ok_or_else(|| DecodeError::value("is too large", text))?
            }
            Digits::Amount => decimal::round(number, AMOUNT_DECIMALS).normalize(),
        }))
    }

    fn text_value(&mut self) -> Decoded<&'r str> {
        if self.json.peek() == b'"' { self.json.string() } else { Err(self.other("a text")) }
    }

    /// What a plugin wrote where a text is expected: numbers and truth are taken as they stand.
    fn loose_text(&mut self) -> Decoded<&'r str> {
        match self.json.peek() {
            b'-' | b'0'..=b'9' => self.json.number_text(),
            b't' => self.json.word("true").map(|()| "true"),
            b'f' => self.json.word("false").map(|()| ""),
            _ => self.text_value(),
        }
    }

    fn truth(&mut self) -> Decoded<Value<'r>> {
        let start = self.json.at;
        let text = match self.json.peek() {
            b't' => {
                self.json.word("true")?;
                "true"
            }
            b'f' => {
                self.json.word("false")?;
                "false"
            }
            b'"' => self.json.string()?,
            b'0'..=b'9' => self.json.number_text()?,
            _ => return Err(self.other("yes or no")),
        };
        match text {
            "true" | "1" | "yes" => Ok(Value::Bool(true)),
            "false" | "0" | "no" => Ok(Value::Bool(false)),
            _ => Err(DecodeError::value("is neither yes nor no", &self.json.text[start..self.json.at])),
        }
    }

    fn guid(&mut self) -> Decoded<&'r str> {
        let text = self.text_value()?;
        if code::is_guid(text) { Ok(text) } else { Err(DecodeError::value("is \"{}\", which is not a guid", text)) }
    }

    fn date(&mut self, milliseconds: bool) -> Decoded<Value<'r>> {
        let text = self.text_value()?;
        let date = if milliseconds && text.starts_with('/') {
            time::wall_clock(text).map(jiff::civil::DateTime::date)
        } else {
            time::date(text)
        };
        date.map(Value::Date).map_err(|e| DecodeError::value(format!("is \"{{}}\", which {e}"), text))
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
        moment.map(Value::Instant).map_err(|e| DecodeError::value(format!("is \"{{}}\", which {e}"), text))
    }

    fn enumeration(&mut self, values: &'r Enumeration) -> Decoded<Value<'r>> {
        let start = self.json.at;
        let inner = match self.json.peek() {
            b'"' => Some(self.json.string()?),
            b'{' | b'[' => return Err(self.other("one value")),
            _ => {
                self.json.skip()?;
                None
            }
        };
        let raw = &self.json.text[start..self.json.at];
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
        Err(DecodeError::value(format!("is {quote}{{}}{quote}, which {name} does not know"), text))
    }

    /// A record by its key, or as much of it as the API nests. An empty key refers to nothing.
    fn reference(&mut self, entity: EntityId, layout: &'r Layout, path: &'r str) -> Decoded<Value<'r>> {
        match self.json.peek() {
            b'"' => self.json.string().map(|key| if key.is_empty() { Value::Absent } else { Value::Reference(key) }),
            b'-' | b'0'..=b'9' => self.json.number_text().map(Value::Reference),
            b'{' if self.is_missing(layout) => Err(DecodeError::new(NOT_SENT)),
            b'{' => self.part_of_record(self.layouts.of(entity), path).map(Value::Record),
            _ => Err(self.other("a key or an object")),
        }
    }

    /// `{"__deferred": {"uri": "…"}}`: the answer says only where it could be asked for.
    fn is_missing(&self, layout: &Layout) -> bool {
        let Some(missing) = layout.wrapped.as_ref().and_then(|wrapped| wrapped.missing.as_ref()) else { return false };
        let inner = self.json.text.get(self.json.at + 1..).unwrap_or_default().trim_start();
        let name = inner.strip_prefix('"').and_then(|rest| rest.strip_prefix(&**missing));
        name.is_some_and(|rest| rest.starts_with('"'))
    }

    pub(crate) fn list(&mut self, element: &'r Shape, layout: &'r Layout, path: &'r str) -> Decoded<&'r [Value<'r>]> {
        if self.json.peek() != b'[' {
            return Err(self.other("a list"));
        }
        self.json.deeper()?;
        let base = self.elements.len();
        match element {
            Shape::Nested(entity) if !self.paths => {
                let nested = self.layouts.of(*entity);
                let mut order = self.learnt.take(entity.0 as usize);
                let read = self.elements(|this, n| match this.json.peek() {
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
        self.json.depth -= 1;
        let list: &'r [Value<'r>] = self.json.arena.alloc_slice_copy(&self.elements[base..]);
        self.elements.truncate(base);
        Ok(list)
    }

    /// `{"0": …, "3": …}`: the elements in the order in which they stand.
    #[cold]
    fn numbered_list(&mut self, element: &'r Shape, layout: &'r Layout, path: &'r str) -> Decoded<&'r [Value<'r>]> {
        self.json.deeper()?;
        let base = self.elements.len();
        let (mut before, mut n) = (b'{', 0);
        while self.json.name_behind(before)?.is_some() {
            before = b',';
            if n >= LIST_MAX {
                return Err(DecodeError::new(format!("has more than {LIST_MAX} elements")));
            }
            let value = self.element(element, layout, path, n)?;
            self.elements.push(value);
            n += 1;
        }
        self.json.depth -= 1;
        let list: &'r [Value<'r>] = self.json.arena.alloc_slice_copy(&self.elements[base..]);
        self.elements.truncate(base);
        Ok(list)
    }

    /// The elements here, each read by `one`, and the closing bracket.
    #[inline]
    fn elements(&mut self, mut one: impl FnMut(&mut Self, usize) -> Decoded<Value<'r>>) -> Decoded<()> {
        let (mut before, mut n) = (b'[', 0);
        while self.json.element_behind(before)? {
            before = b',';
            if n >= LIST_MAX {
                return Err(DecodeError::new(format!("has more than {LIST_MAX} elements")));
            }
            let value = one(self, n)?;
            self.elements.push(value);
            n += 1;
        }
        Ok(())
    }

    fn element(&mut self, element: &'r Shape, layout: &'r Layout, path: &'r str, n: usize) -> Decoded<Value<'r>> {
        let element = match (self.json.peek(), element) {
            (b'n', Shape::OrNull(_) | Shape::Json) => {
                self.json.word("null")?;
                return Ok(Value::Absent);
            }
            (b'n', _) => return Err(self.other("an element").within(&format!("[{n}]"))),
            (_, Shape::OrNull(element)) => element,
            (_, element) => element,
        };
        let path = if self.paths { self.json.arena.alloc_str(&format!("{path}[{n}]")) } else { path };
        self.shaped(element, false, layout, path).map_err(|bad| bad.within(&format!("[{n}]")))
    }

    /// `{"results": […]}`.
    fn wrapped_list(
        &mut self,
        wrapped: &Wrapped,
        element: &'r Shape,
        layout: &'r Layout,
        path: &'r str,
    ) -> Decoded<Value<'r>> {
        let start = self.json.at;
        let (mut list, mut more) = (None, None);
        self.json.deeper()?;
        let mut before = b'{';
        while let Some(name) = self.json.name_behind(before)? {
            before = b',';
            let is = |known: &Option<Arc<str>>| known.as_deref() == Some(name);
            if *name == *wrapped.list {
                list = Some(Value::List(self.list(element, layout, path)?));
                continue;
            }
            if is(&wrapped.missing) {
                more = Some(NOT_SENT);
            } else if is(&wrapped.continued) {
                more = Some("was sent in part: more of the list would have to be asked for");
            }
            self.json.skip()?;
        }
        self.json.depth -= 1;
        match (list, more) {
            (_, Some(more)) => Err(DecodeError::new(more)),
            (Some(list), None) => Ok(list),
            (None, None) => {
                self.json.at = start;
                Err(self.other("a list"))
            }
        }
    }

    fn other(&mut self, wanted: &str) -> Box<DecodeError> {
        let start = self.json.at;
        if let Err(bad) = self.json.skip() {
            return bad;
        }
        let value = &self.json.text[start..self.json.at];
        DecodeError::value(format!("is {{}}, where {wanted} is expected"), value)
    }
}
