//! Objects: their members go into the slots of a layout, most often in the order in which they came last time.

use super::decode::{Bad, Decoded, Decoder};
use super::layout::{Action, Layout, PlainSlot, Shape, Slot};
use super::learnt::{Order, find};
use super::unreadable::Unreadable;
use super::value::{Lack, Record, Value};

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
    pub(super) fn object(&mut self, layout: &'r Layout, path: &'r str) -> Decoded<&'r Record<'r>> {
        let entity = layout.entity.0 as usize;
        let mut order = self.learnt.take(entity);
        let record = self.record(layout, &mut order, path);
        self.learnt.give_back(entity, order);
        record
    }

    /// The object here, as much of a record as the API nests: what it leaves out stands in the record's own row.
    pub(super) fn part_of_record(&mut self, layout: &'r Layout, path: &'r str) -> Decoded<&'r Record<'r>> {
        let entity = layout.entity.0 as usize;
        let slots = self.arena.alloc_slice_fill_copy(layout.empty.len(), Value::Missing(Lack::Elsewhere));
        let mut order = self.learnt.take(entity);
        let record = self.record_into(slots, layout, &mut order, path);
        self.learnt.give_back(entity, order);
        record
    }

    /// The object here, whose members most often come in this order.
    pub(super) fn record(&mut self, layout: &'r Layout, order: &mut Order, path: &'r str) -> Decoded<&'r Record<'r>> {
        let slots: &'r mut [Value<'r>] = self.arena.alloc_slice_copy(&layout.empty);
        self.record_into(slots, layout, order, path)
    }

    #[inline]
    fn record_into(
        &mut self,
        slots: &'r mut [Value<'r>],
        layout: &'r Layout,
        order: &mut Order,
        path: &'r str,
    ) -> Decoded<&'r Record<'r>> {
        let start = self.at;
        self.deeper()?;
        let ranks = if layout.metas.is_empty() {
            &mut [][..]
        } else {
            self.arena.alloc_slice_fill_copy(slots.len(), usize::MAX)
        };
        self.members_into(order, &mut Filling { layout, slots, ranks, path, start })?;
        self.depth -= 1;
        let raw = &self.text[start..self.at];
        Ok(self.arena.alloc(Record { entity: layout.entity, slots, raw, path }))
    }

    /// The members here, with the braces around them. No part of its caller, whose values would have to be put aside for
    /// each of them.
    #[inline(never)]
    fn members_into(&mut self, order: &mut Order, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let (mut before, mut position) = (b'{', 0);
        while let Some(action) = self.member(before, order, filling.layout, &mut position)? {
            before = b',';
            match action {
                Action::Take(slot, PlainSlot::Text) if self.peek() == b'"' => self.take_text(slot, filling)?,
                Action::Take(slot, plain @ (PlainSlot::Number | PlainSlot::Whole)) => {
                    self.take_number(slot, plain, filling)?;
                }
                Action::Skip if self.peek() == b'"' => self.skip_string()?,
                other => {
                    self.blank();
                    self.act(other, filling)?;
                }
            }
        }
        Ok(())
    }

    /// Past the name of the next member, behind that byte; none when the object ends.
    #[inline]
    fn member(
        &mut self,
        before: u8,
        order: &mut Order,
        layout: &Layout,
        position: &mut usize,
    ) -> Decoded<Option<Action>> {
        match self.bytes.get(self.at..) {
            // Most often it is the one that came here last time.
            Some([first, rest @ ..])
                if *first == before
                    && let Some(member) = order.get(*position)
                    && member.begins(rest) =>
            {
                self.at += 1 + member.length();
                *position += 1;
                return Ok(Some(member.action()));
            }
            Some([b'}', ..]) if before == b',' => {
                self.at += 1;
                return Ok(None);
            }
            _ => {}
        }
        let (action, behind) = self.unexpected(before, order, layout, *position)?;
        *position = behind;
        Ok(action)
    }

    /// A member that is not the one that came here last time, and its position; none when the object ends.
    #[cold]
    fn unexpected(
        &mut self,
        before: u8,
        order: &mut Order,
        layout: &Layout,
        position: usize,
    ) -> Decoded<(Option<Action>, usize)> {
        self.blank();
        if before == b',' && self.peek() == b'}' {
            self.at += 1;
            return Ok((None, position));
        }
        self.eat(
            before,
            if before == b'{' { "an object is expected" } else { "a comma or a closing brace is expected" },
        )?;
        self.blank();
        match self.peek() {
            b'"' => {}
            b'}' if before == b'{' => {
                self.at += 1;
                return Ok((None, position));
            }
            _ => return Err(self.broken("a member's name is expected")),
        }
        let name = self.name()?;
        self.blank();
        self.eat(b':', "a colon is expected")?;
        let action = || layout.members.get(name).copied().unwrap_or(Action::Skip);
        let (action, position) = find(order, position, name, action);
        Ok((Some(action), position))
    }

    fn act(&mut self, action: Action, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        match action {
            Action::Skip => self.skip(),
            Action::Take(slot, _) => self.take(slot, filling),
            Action::Twice(a, b) => {
                let start = self.at;
                self.take(a, filling)?;
                self.at = start;
                self.take(b, filling)
            }
            Action::Meta => self.metas(filling),
            Action::MetaAnd(slot) => {
                let start = self.at;
                self.metas(filling)?;
                self.at = start;
                self.blank();
                self.take(slot, filling)
            }
        }
    }

    /// A text into its slot. Like a number it is written part by part: a value that has just been made and is copied as
    /// a whole waits until all its parts are in memory.
    #[inline]
    fn take_text(&mut self, slot: u16, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let (n, layout, start) = (usize::from(slot), filling.layout, self.at);
        match self.string() {
            Ok("") if !layout.slots[n].keeps_empty => filling.slots[n] = layout.empty[n],
            Ok(text) => filling.slots[n] = Value::Text(text),
            Err(bad) => {
                let begin = Begin { at: start, depth: self.depth, elements: self.elements.len() };
                filling.slots[n] = self.unreadable(&layout.slots[n], &begin, bad, filling.start)?;
            }
        }
        Ok(())
    }

    /// A number into its slot.
    #[inline]
    fn take_number(&mut self, slot: u16, plain: PlainSlot, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let start = self.at;
        match self.short_number().number() {
            Some(number) if number.scale() <= plain.decimals() => {
                filling.slots[usize::from(slot)] = Value::Number(number);
                Ok(())
            }
            // The longer way says what is wrong with it.
            _ => {
                self.at = start;
                self.blank();
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
        let begin = Begin { at: self.at, depth: self.depth, elements: self.elements.len() };
        let read = match (&known.shape, self.peek()) {
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
    fn unreadable(&mut self, slot: &'r Slot, begin: &Begin, bad: Box<Bad>, part: usize) -> Decoded<Value<'r>> {
        let bad = bad.within_slot(slot);
        if bad.broken {
            return Err(bad);
        }
        (self.at, self.depth) = (begin.at, begin.depth);
        self.elements.truncate(begin.elements);
        self.skip().map_err(|broken| broken.within_slot(slot))?;
        let arena = self.arena;
        let what = Unreadable {
            of: self.root,
            text: self.text,
            part,
            field: arena.alloc_str(&bad.path),
            told: arena.alloc_str(&bad.told()),
            value: bad.value.as_deref().map(|value| &*arena.alloc_str(value)),
            raw: &self.text[begin.at..self.at],
        };
        Ok(Value::Missing(Lack::Unreadable(arena.alloc(what))))
    }

    /// Picks the entries that are asked for; the first key of a slot that is filled counts.
    fn metas(&mut self, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        match self.peek() {
            b'[' => {}
            b'n' => return self.skip(),
            _ => return self.no_metas(filling),
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
                self.meta(filling)?;
            } else {
                // What has no key is nobody's entry.
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

    /// Whatever stands for the list of entries: each of them may be in it.
    #[cold]
    fn no_metas(&mut self, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let begin = Begin { at: self.at, depth: self.depth, elements: self.elements.len() };
        self.skip()?;
        for (_, _, slot) in &filling.layout.metas {
            self.at = begin.at;
            let bad = Bad::new("can't be read: `meta_data` is no list");
            let n = usize::from(*slot);
            filling.slots[n] = self.unreadable(&filling.layout.slots[n], &begin, bad, filling.start)?;
        }
        Ok(())
    }

    fn meta(&mut self, filling: &mut Filling<'r, '_>) -> Decoded<()> {
        let (layout, path) = (filling.layout, filling.path);
        let (mut key, mut value) = ("", None);
        self.members(|this, name| {
            let start = this.at;
            if name == "key" && this.peek() == b'"' {
                // A key with half a character in it is none that a flow could ask for.
                key = this.name()?;
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
            if *rank < filling.ranks[n] {
                self.at = start;
                let known = &layout.slots[n];
                if matches!(self.peek(), b'{' | b'[') && known.shape.is_single() {
                    // A plugin keeps something else under this key: it is no value, and the next key counts.
                    continue;
                }
                let begin = Begin { at: start, depth: self.depth, elements: self.elements.len() };
                let value = match self.value(known, layout, path) {
                    Ok(Value::Absent) => continue,
                    Ok(value) => value,
                    Err(bad) => self.unreadable(known, &begin, bad, filling.start)?,
                };
                filling.slots[n] = value;
                filling.ranks[n] = *rank;
            }
        }
        self.at = end;
        Ok(())
    }
}
