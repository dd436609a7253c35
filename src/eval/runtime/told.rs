//! What people are told of rows: that there is none, that there are two, and what cannot be read in one.

use crate::eval::code::Run;
use crate::eval::failure::{Failure, Halt};
use crate::eval::row_cache::RowCache;
use crate::eval::unreadable::Unreadable;
use crate::eval::value::Value;
use crate::ir::{EntityId, Field, FieldId, Type};
use crate::source::Span;
use crate::value::text;

impl<'r> Run<'r> {
    /// `there is no Item with Code X in exact`
    pub(crate) fn none_found(&self, entity: EntityId, by: &[FieldId], values: &[Option<&str>], place: Span) -> Halt {
        let name = &self.compiled.program.entity(entity).name;
        let what = self.with_values(entity, by, values);
        let there = self.connection(entity);
        if !self.known.gives_all() {
            let statement = self.giving(entity, by, values);
            if self.known.goes_on_without(&statement) {
                return Halt::Needs;
            }
            let reason =
                format!("there is no {name} with {what} in {there}: the test does not give it. Write `{statement}`");
            return Halt::fail(Failure::new(reason, place).with_value(self.first_told(entity, by, values)));
        }
        let mend = if self.known.offline() {
            "give its row (`--given`)"
        } else {
            "make it there and `flowc retry` the record"
        };
        let reason = format!("there is no {name} with {what} in {there}: correct what gives it, or {mend}");
        Halt::fail(Failure::new(reason, place).with_value(self.first_told(entity, by, values)))
    }

    /// `there are two Items with Code X in exact`
    pub(crate) fn two_found(&self, entity: EntityId, by: &[FieldId], values: &[Option<&str>], place: Span) -> Halt {
        let name = &self.compiled.program.entity(entity).name;
        let what = self.with_values(entity, by, values);
        let reason = format!("there is more than one {name} with {what} in {}", self.connection(entity));
        Halt::fail(Failure::new(reason, place).with_value(self.first_told(entity, by, values)))
    }

    pub(crate) fn with_values(&self, entity: EntityId, by: &[FieldId], values: &[Option<&str>]) -> String {
        let schema = self.compiled.program.entity(entity);
        let pairs: Vec<String> = by
            .iter()
            .zip(values)
            .map(|(field, value)| match value {
                Some(value) => format!("{} {}", schema.get(*field).name, Self::key_told(schema.get(*field), value)),
                None => format!("no {}", schema.get(*field).name),
            })
            .collect();
        pairs.join(" and ")
    }

    /// The statement of a test that gives a row with these values. Whoever runs a test has its data: nothing is hidden.
    fn giving(&self, entity: EntityId, by: &[FieldId], values: &[Option<&str>]) -> String {
        let schema = self.compiled.program.entity(entity);
        let fields = by.iter().zip(values).filter_map(|(field, value)| {
            let field = schema.get(*field);
            let value = (*value)?;
            let is_bare = field.ty.present().is_number() || *field.ty.present() == Type::Bool;
            let value = if is_bare { value.to_owned() } else { format!("\"{value}\"") };
            Some(format!("{} = {value}", field.name))
        });
        let fields: Vec<String> = fields.collect();
        format!("given {} {{ {} }}", schema.full_name(), fields.join(", "))
    }

    fn first_told(&self, entity: EntityId, by: &[FieldId], values: &[Option<&str>]) -> String {
        let mut told = by.iter().zip(values).filter_map(|(field, value)| Some((field, (*value)?)));
        told.next().map_or_else(String::new, |(field, value)| {
            Self::key_told(self.compiled.program.entity(entity).get(*field), value)
        })
    }

    /// A key's value as a reason shows it.
    fn key_told(field: &Field, value: &str) -> String {
        if field.personal { text::masked(value) } else { value.to_owned() }
    }

    /// What stands in a field that is read is no value of it.
    pub(crate) fn unreadable(&self, what: &Unreadable<'r>, place: Span) -> Halt {
        let name = &self.compiled.program.entity(what.of).name;
        let which = self.found_as(what);
        let mut failure = Failure::new(
            format!("`{}` of the {name}{which} {}", what.path(self.compiled.layouts.wrapper(what.of)), what.told),
            place,
        );
        failure.value = what.value.map(str::to_owned);
        Halt::fail(failure)
    }

    /// Which row it is that was found, by its key; nothing of the record that is read.
    fn found_as(&self, what: &Unreadable<'r>) -> String {
        let within = what.text.as_bytes().as_ptr_range();
        let kept = self.cache.into_iter().flat_map(RowCache::rows);
        let mut found = self.rows.values().flat_map(|rows| rows.iter()).chain(kept);
        let row = found.find(|row| within.contains(&row.raw.as_ptr()));
        let key = row.and_then(|row| {
            let slot = self.compiled.layouts.slot(row.entity, self.compiled.program.entity(row.entity).key?);
            row.slots.get(usize::from(slot))
        });
        match key {
            Some(Value::Text(key) | Value::Reference(key)) => format!(" {key}"),
            Some(Value::Number(key)) => format!(" {key}"),
            _ => String::new(),
        }
    }
}
