//! What rows of either system say of money, by the words of their schemas.

use super::allot::Line;
use crate::engine::values::compare;
use crate::engine::values::text::scalar;
use crate::ir::{Among, Currency, Entity, Field, Program, Type, Way, WireForm};
use crate::value::{decimal, time};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::Value;
use std::sync::Arc;

/// Decimals of amounts in books.
const DECIMALS: u32 = 2;

/// What a source record says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// What it comes to; none where that cannot be read.
    pub(super) total: Option<Decimal>,
    pub(super) day: Option<Date>,
    pub(super) country: String,
    pub(super) method: String,
    pub(super) currency: String,
}

/// What a document of the target says of itself.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) day: Date,
    pub(super) total: Decimal,
    pub(super) currency: String,
    pub(super) number: Option<String>,
    pub(super) lines: Vec<Line>,
}

/// The schemas, and the zone in which days begin.
#[derive(Clone, Copy)]
pub(super) struct Reader<'p> {
    pub(super) program: &'p Program,
    pub(super) zone: &'p TimeZone,
}

impl Reader<'_> {
    /// What a source record says; `of` is the record that it takes back a part of.
    pub(super) fn asked(&self, entity: &Entity, row: &Value, of: Option<(&Entity, &Value)>) -> Asked {
        let credits = entity.books.credits.is_some();
        let total = self.total(entity, row).map(|total| if credits { -total.abs() } else { total });
        let void = is_among(entity, entity.books.void.as_ref(), row);
        let (other, said) = of.unwrap_or((entity, row));
        let own = self.currency(entity, row);
        Asked {
            total: if void { Some(Decimal::ZERO) } else { total },
            day: self.day(entity, row),
            country: self.first(other, &other.books.country, said).unwrap_or_default(),
            method: self.first(other, &other.books.method, said).unwrap_or_default(),
            currency: own.or_else(|| self.currency(other, said)).unwrap_or_default(),
        }
    }

    /// What a document says.
    ///
    /// # Errors
    /// What of it cannot be read, in words for people.
    pub(super) fn kept(&self, entity: &Entity, row: &Value) -> Result<Kept, String> {
        let lacks = |what: &str| format!("it shows no {what} that can be read");
        let day = self.day(entity, row).ok_or_else(|| lacks("date"))?;
        let total = self.total(entity, row).ok_or_else(|| lacks("amount as a whole"))?;
        let lines = self.lines(entity, row).ok_or_else(|| lacks("lines"))?;
        let sign = self.sign(entity, row, total);
        let number = entity.code.and_then(|code| row.get(&*entity.get(code).wire)).map(scalar);
        Ok(Kept {
            day,
            total: total * sign,
            currency: self.currency(entity, row).unwrap_or_default(),
            number: number.map(|number| number.trim().to_owned()).filter(|number| !number.is_empty()),
            lines: lines.into_iter().map(|line| Line { amount: line.amount * sign, ..line }).collect(),
        })
    }

    /// How amounts count: below nothing, where the document credits and they stand above it.
    pub(super) fn sign(&self, entity: &Entity, row: &Value, total: Decimal) -> Decimal {
        let credits = is_among(entity, entity.books.credit.as_ref(), row);
        if credits && total.is_sign_positive() { Decimal::NEGATIVE_ONE } else { Decimal::ONE }
    }

    /// The day on which a record counts.
    pub(super) fn day(&self, entity: &Entity, row: &Value) -> Option<Date> {
        entity.books.day.iter().find_map(|way| {
            let field = self.field(entity, way)?;
            self.day_of(field, self.at(entity, way, row)?)
        })
    }

    fn day_of(&self, field: &Field, value: &Value) -> Option<Date> {
        if compare::absent(field.form, Some(value)) {
            return None;
        }
        if *field.ty.present() != Type::Instant || field.form.form == WireForm::Milliseconds {
            return compare::date(value);
        }
        let at = time::instant(scalar(value).trim(), Some(&TimeZone::UTC)).ok()?;
        Some(time::date_in(at, self.zone))
    }

    /// The total as it stands there, in cents.
    pub(super) fn total(&self, entity: &Entity, row: &Value) -> Option<Decimal> {
        let total = compare::number(row.get(&*entity.get(entity.total?).wire)?)?;
        Some(decimal::round(total, DECIMALS))
    }

    fn lines(&self, entity: &Entity, row: &Value) -> Option<Vec<Line>> {
        let taxed = entity.books.lines?;
        let Type::Record(of) = entity.get(taxed.list).ty.present().element()?.present() else { return None };
        let schema = self.program.entity(*of);
        let rows = listed(row.get(&*entity.get(taxed.list).wire)?)?;
        let amount = |line: &Value, field: &Field| match line.get(&*field.wire) {
            None | Some(Value::Null) => Some(Decimal::ZERO),
            Some(value) => compare::number(value),
        };
        let line = |line: &Value| {
            let net = amount(line, schema.get(taxed.net))?;
            let tax = amount(line, schema.get(taxed.tax))?;
            let code: Arc<str> = line.get(&*schema.get(taxed.code).wire).map(scalar).unwrap_or_default().trim().into();
            Some(Line { code, amount: net.checked_add(tax)? })
        };
        rows.iter().map(line).collect()
    }

    fn currency(&self, entity: &Entity, row: &Value) -> Option<String> {
        let Some(Currency::Here(field)) = entity.get(entity.total?).currency else { return None };
        row.get(&*entity.get(field).wire).map(scalar).map(|text| text.trim().to_uppercase()).filter(|t| !t.is_empty())
    }

    fn first(&self, entity: &Entity, ways: &[Way], row: &Value) -> Option<String> {
        let said = ways.iter().filter_map(|way| self.at(entity, way, row));
        said.map(|value| scalar(value).trim().to_owned()).find(|text| !text.is_empty())
    }

    fn at<'v>(&self, entity: &Entity, way: &Way, row: &'v Value) -> Option<&'v Value> {
        compare::value_at(row, &self.program.wire_way(entity, way))
    }

    fn field<'e>(&'e self, entity: &'e Entity, way: &Way) -> Option<&'e Field> {
        compare::field_at(self.program, entity, &self.program.wire_way(entity, way))
    }
}

/// Whether a field of a row has one of these values.
fn is_among(entity: &Entity, among: Option<&Among>, row: &Value) -> bool {
    let Some(among) = among else { return false };
    let said = row.get(&*entity.get(among.field).wire).map(scalar).unwrap_or_default();
    among.values.iter().any(|value| **value == *said.trim())
}

/// The elements of a list; none where it is not there, or not as a whole.
fn listed(value: &Value) -> Option<&Vec<Value>> {
    match value {
        Value::Array(rows) => Some(rows),
        // Some systems wrap theirs in an object, and say there where the rest is.
        Value::Object(members) if members.len() == 1 => members.values().next()?.as_array(),
        _ => None,
    }
}
