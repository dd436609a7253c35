//! Objects: their members go into the slots of a layout, most often in the order in which they came last time.

use super::decoder::{Decoder, within_slot};
use super::layout::{Action, Layout, PlainSlot, Shape, Slot};
use crate::eval::unreadable::Unreadable;
use crate::eval::value::{Lack, Record, Value};
use crate::json::{DecodeError, Decoded, Order};

/// How things stood before a value was read.
struct Begin {
    at: usize,
    depth: usize,
    elements: usize,
}

/// A record in the making.
struct Filling<'r, 's> {
    layout: &'r Layout,
    slots: &'s mut [Value<'r>],
    /// For slots of `meta_data`, the rank of the key that filled them.
    ranks: &'s mut [usize],
    path: &'r str,
    /// Where the object begins.
    start: usize,
}

impl<'r> Decoder<'r, '_> {
    /// The object here, into the slots of its layout.
    pub(crate) fn object(&mut self, layout: &'r Layout, path: &'r str) -> Decoded<&'r Record<'r>> {
        let entity = layout.entity.0 as usize;
        let mut order = self.learnt.take(entity);
        let record = self.record(layout, &mut order, path);
        self.learnt.give_back(entity, order);
        record
    }

    /// The object here, as much of a record as the API nests: what it leaves out stands in the record's own row.
    pub(crate) fn part_of_record(&mut self, layout: &'r Layout, path: &'r str) -> Decoded<&'r Record<'r>> {
        let entity = layout.entity.0 as usize;
        let slots = self.json.arena.alloc_slice_fill_copy(layout.empty.len(), Value::Missing(Lack::Elsewhere));
        let mut order = self.learnt.take(entity);
        let record = self.record_into(slots, layout, &mut order, path);
        self.learnt.give_back(entity, order);
        record
    }

    /// The object here, whose members most often come in this order.
    pub(crate) fn record(
        &mut self,
        layout: &'r Layout,
        order: &mut Order<Action>,
        path: &'r str,
    ) -> Decoded<&'r Record<'r>> {
        let slots: &'r mut [Value<'r>] = self.json.arena.alloc_slice_copy(&layout.empty);
        self.record_into(slots, layout, order, path)
    }

    #[inline]
    fn record_into(
        &mut self,
        slots: &'r mut [Value<'r>],
        layout: &'r Layout,
        order: &mut Order<Action>,
        path: &'r str,
    ) -> Decoded<&'r Record<'r>> {
        let start = self.json.at;
        self.json.deeper()?;
        let ranks = if layout.metas.is_empty() {
            &mut [][..]
        } else {
            self.json.arena.alloc_slice_fill_copy(slots.len(), usize::MAX)
        };
        self.members_into(order, &mut Filling { layout, slots, ranks, path, start })?;
        self.json.depth -= 1;
        let raw = &self.json.text[start..self.json.at];
        Ok(self.json.arena.alloc(Record { entity: layout.entity, slots, raw, path }))
    }

    /// The members here, with the braces around them. No part of its caller, whose values would have to be put aside for
    /// each of them.
    #[inline(never)]
    fn members_into(&mut self, order: &mut Order<Action>, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let (mut before, mut position) = (b'{', 0);
        let layout = filling.layout;
        let action = |name: &str| layout.members.get(name).copied().unwrap_or(Action::Skip);
        while let Some(action) = self.json.member(before, order, &mut position, action)? {
            before = b',';
            match action {
                Action::Take(slot, PlainSlot::Text) if self.json.peek() == b'"' => self.take_text(slot, filling)?,
                Action::Take(slot, plain @ (PlainSlot::Number | PlainSlot::Whole)) => {
                    self.take_number(slot, plain, filling)?;
                }
                Action::Skip if self.json.peek() == b'"' => self.json.skip_string()?,
                other => {
                    self.json.blank();
                    self.act(other, filling)?;
                }
            }
        }
        Ok(())
    }

    fn act(&mut self, action: Action, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        match action {
            Action::Skip => self.json.skip(),
            Action::Take(slot, _) => self.take(slot, filling),
            Action::Twice(a, b) => {
                let start = self.json.at;
                self.take(a, filling)?;
                self.json.at = start;
                self.take(b, filling)
            }
            Action::Meta => self.metas(filling),
            Action::MetaAnd(slot) => {
                let start = self.json.at;
                self.metas(filling)?;
                self.json.at = start;
                self.json.blank();
                self.take(slot, filling)
            }
        }
    }

    /// A text into its slot. Like a number it is written part by part: a value that has just been made and is copied as
    /// a whole waits until all its parts are in memory.
    #[inline]
    fn take_text(&mut self, slot: u16, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let (n, layout, start) = (usize::from(slot), filling.layout, self.json.at);
        match self.json.string() {
            Ok("") if !layout.slots[n].keeps_empty => filling.slots[n] = layout.empty[n],
            Ok(text) => filling.slots[n] = Value::Text(text),
            Err(bad) => {
                let begin = Begin { at: start, depth: self.json.depth, elements: self.elements.len() };
                filling.slots[n] = self.unreadable(&layout.slots[n], &begin, bad, filling.start)?;
            }
        }
        Ok(())
    }

    /// A number into its slot.
    #[inline]
    fn take_number(&mut self, slot: u16, plain: PlainSlot, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let start = self.json.at;
        match self.json.short_number().number() {
            Some(number) if number.scale() <= plain.decimals() => {
                filling.slots[usize::from(slot)] = Value::Number(number);
                Ok(())
            }
            // The longer way says what is wrong with it.
            _ => {
                self.json.at = start;
                self.json.blank();
                self.take(slot, filling)
            }
        }
    }

    /// The value here into its slot, whatever it is.
    #[inline(never)]
    fn take(&mut self, slot: u16, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let n = usize::from(slot);
        let known = &filling.layout.slots[n];
        let (layout, path) = (filling.layout, filling.path);
        let begin = Begin { at: self.json.at, depth: self.json.depth, elements: self.elements.len() };
        let read = match (&known.shape, self.json.peek()) {
            (Shape::Nested(entity), b'{') if !self.paths => {
                let nested = self.layouts.of(*entity);
                self.object(nested, path).map(|record| filling.slots[n] = Value::Record(record))
            }
            (Shape::List(element), b'[') if !self.paths => {
                self.list(element, layout, path).map(|list| filling.slots[n] = Value::List(list))
            }
            _ => self.value(known, layout, path).map(|value| match value {
                Value::Absent => filling.slots[n] = layout.empty[n],
                Value::Text(text) => filling.slots[n] = Value::Text(text),
                Value::Reference(key) => filling.slots[n] = Value::Reference(key),
                value => filling.slots[n] = value,
            }),
        };
        if let Err(bad) = read {
            filling.slots[n] = self.unreadable(known, &begin, bad, filling.start)?;
        }
        Ok(())
    }

    /// What began there is no value of its field, which is told to whoever reads the field; the rest of the record is
    /// read all the same. Behind what is no JSON there is no rest.
    #[cold]
    #[inline(never)]
    fn unreadable(&mut self, slot: &'r Slot, begin: &Begin, bad: Box<DecodeError>, part: usize) -> Decoded<Value<'r>> {
        let bad = within_slot(bad, slot);
        if bad.broken {
            return Err(bad);
        }
        (self.json.at, self.json.depth) = (begin.at, begin.depth);
        self.elements.truncate(begin.elements);
        self.json.skip().map_err(|broken| within_slot(broken, slot))?;
        let arena = self.json.arena;
        let what = Unreadable {
            of: self.root,
            text: self.json.text,
            part,
            field: arena.alloc_str(&bad.path),
            told: arena.alloc_str(&bad.told()),
            value: bad.value.as_deref().map(|value| &*arena.alloc_str(value)),
            raw: &self.json.text[begin.at..self.json.at],
        };
        Ok(Value::Missing(Lack::Unreadable(arena.alloc(what))))
    }

    /// Picks the entries that are asked for; the first key of a slot that is filled counts.
    fn metas(&mut self, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        match self.json.peek() {
            b'[' => {}
            b'n' => return self.json.skip(),
            b'{' if self.json.is_numbered()? => {}
            _ => return self.no_metas(filling),
        }
        let mut before = self.json.peek();
        let numbered = before == b'{';
        self.json.deeper()?;
        while if numbered { self.json.name_behind(before)?.is_some() } else { self.json.element_behind(before)? } {
            before = b',';
            if self.json.peek() == b'{' {
                self.meta(filling)?;
            } else {
                // What has no key is nobody's entry.
                self.json.skip()?;
            }
        }
        self.json.depth -= 1;
        Ok(())
    }

    /// Whatever stands for the list of entries: each of them may be in it.
    #[cold]
    fn no_metas(&mut self, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let begin = Begin { at: self.json.at, depth: self.json.depth, elements: self.elements.len() };
        self.json.skip()?;
        for (_, _, slot) in &filling.layout.metas {
            self.json.at = begin.at;
            let list = filling.layout.entries.as_ref().map_or("", |[list, ..]| &**list);
            let bad = DecodeError::new(format!("can't be read: `{list}` is no list"));
            let n = usize::from(*slot);
            filling.slots[n] = self.unreadable(&filling.layout.slots[n], &begin, bad, filling.start)?;
        }
        Ok(())
    }

    fn meta(&mut self, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let (layout, path) = (filling.layout, filling.path);
        let names = layout.entries.as_ref().map_or(("", ""), |[_, key, value]| (&**key, &**value));
        let (mut key, mut value) = ("", None);
        self.json.deeper()?;
        let mut before = b'{';
        while let Some(name) = self.json.name_behind(before)? {
            before = b',';
            if name == names.0 && self.json.peek() == b'"' {
                // A key with half a character in it is none that a flow could ask for.
                key = self.json.name()?;
                continue;
            }
            if name == names.1 {
                value = Some(self.json.at);
            }
            self.json.skip()?;
        }
        self.json.depth -= 1;
        let end = self.json.at;
        let Some(start) = value else { return Ok(()) };
        for (_, rank, slot) in layout.metas.iter().filter(|(known, ..)| **known == *key) {
            let n = usize::from(*slot);
            if *rank < filling.ranks[n] {
                self.json.at = start;
                let known = &layout.slots[n];
                if matches!(self.json.peek(), b'{' | b'[') && known.shape.is_single() {
                    // A plugin keeps something else under this key: it is no value, and the next key counts.
                    continue;
                }
                let begin = Begin { at: start, depth: self.json.depth, elements: self.elements.len() };
                let value = match self.value(known, layout, path) {
                    Ok(Value::Absent) => continue,
                    Ok(value) => value,
                    Err(bad) => self.unreadable(known, &begin, bad, filling.start)?,
                };
                filling.slots[n] = value;
                filling.ranks[n] = *rank;
            }
        }
        self.json.at = end;
        Ok(())
    }
}
