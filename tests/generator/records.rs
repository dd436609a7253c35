//! Records that programs read, and payloads that they make.

use crate::chance::Dice;
use crate::make::{COUNTRIES, CURRENCIES, TODAY};
use crate::number::Number;
use crate::oracle::Value;
use crate::program::Ty;
use crate::schema::{self, CHOICES, Field, Form, entity};
use serde_json::Value as Json;

/// A record of an entity.
pub(crate) fn record(dice: &mut Dice, name: &str) -> Value {
    let fields = entity(name).fields.iter().map(|field| (field.name, value(dice, &field.ty)));
    Value::Record(fields.collect())
}

fn value(dice: &mut Dice, ty: &Ty) -> Value {
    let text = |dice: &mut Dice, all: &[&str]| Value::Text((*dice.of(all)).to_owned());
    let number =
        |dice: &mut Dice, all: &[&str]| Value::Number(Number::parse(dice.of::<&str>(all)).expect("they are numbers"));
    match ty {
        Ty::Optional(inner) => {
            if dice.once_in(3) {
                Value::Absent
            } else {
                value(dice, inner)
            }
        }
        Ty::List(element) => Value::List((0..dice.below(4)).map(|_| value(dice, element)).collect()),
        Ty::Part(name) => record(dice, name),
        Ty::Bool => Value::Bool(dice.once_in(2)),
        Ty::Int => number(dice, &["1", "2", "7", "40", "-3", "12"]),
        Ty::Decimal => number(dice, &["1", "2.5", "0.125", "-4.75", "12", "0"]),
        Ty::Rate => number(dice, &["0", "6", "9", "21", "5.5"]),
        Ty::Net | Ty::Gross | Ty::Tax => number(dice, &["0", "1.00", "12.10", "99.99", "-4.13", "1000", "0.05"]),
        Ty::Text(Some(limit)) => {
            let all = ["Ann", "a", "x-1", "red", "no. 12", "Café", "box 7 of 12", "zz"];
            let Value::Text(text) = text(dice, &all) else { unreachable!("it is a text") };
            Value::Text(crate::make::cut(&text, limit.most, true).to_owned())
        }
        Ty::Text(None) => {
            text(dice, &["Ann", "a", "x-1", "red box", "no. 12", "Café 7", "LONG and longer still", "NL"])
        }
        Ty::Date => Value::Date(TODAY + i64::try_from(dice.below(90)).expect("it is small")),
        Ty::Instant => Value::Instant(TODAY * 86_400 + i64::try_from(dice.below(9_000_000)).expect("it is small")),
        Ty::Country => text(dice, &COUNTRIES),
        Ty::Currency => text(dice, &CURRENCIES),
        Ty::Email => text(dice, &["ann@example.org", "b.c@example.com"]),
        Ty::Guid => text(dice, &["6f9619ff-8b86-4011-b42d-00c04fc964ff", "00000000-0000-4000-8000-000000000001"]),
        Ty::Choice(n) => text(dice, CHOICES[*n].1),
        Ty::Json => unreachable!("no program reads it"),
    }
}

/// A record as its system sends it.
pub(crate) fn json(name: &str, record: &Value) -> String {
    let Value::Record(fields) = record else { unreachable!("a record is one") };
    let members = fields.iter().map(|(field, value)| {
        let field = entity(name).field(field);
        format!("\"{}\":{}", field.wire, member(name, field, &field.ty, value))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn member(of: &str, field: &Field, ty: &Ty, value: &Value) -> String {
    match (value, ty.present()) {
        (Value::Absent, Ty::Text(_)) => "\"\"".into(),
        (Value::Absent, _) => "null".into(),
        (Value::Bool(yes), _) => yes.to_string(),
        (Value::Number(n), _) if field.form == Form::InText => format!("\"{}\"", n.shown(2)),
        (Value::Number(n), _) => n.shown(0),
        (Value::Text(text), _) => format!("\"{text}\""),
        (Value::Date(day), _) => format!("\"{}\"", schema::day(*day)),
        (Value::Instant(at), _) => {
            let moment = schema::moment(*at);
            format!("\"{}\"", if of.starts_with("woo.") { moment.trim_end_matches('Z') } else { &moment })
        }
        (Value::List(all), Ty::List(element)) => {
            let all: Vec<String> = all.iter().map(|one| member(of, field, element, one)).collect();
            format!("[{}]", all.join(","))
        }
        (Value::Record(_), Ty::Part(name)) => json(name, value),
        other => unreachable!("{other:?} has no form"),
    }
}

/// How many values were compared, or where the payload of an entity is another one.
pub(crate) fn compare(of: &str, made: &Json, expected: &[(&str, Value)]) -> Result<usize, String> {
    let members = made.as_object().ok_or("it is no object")?;
    // What is not there, or empty, is left out.
    let expected: Vec<_> = expected.iter().filter(|(name, value)| !is_empty(of, name, value)).collect();
    let mut compared = 0;
    for (name, value) in &expected {
        let member = members.get(*name).ok_or(format!("{name} is missing, which is {value:?}"))?;
        let field = entity(of).field(name);
        compared += same(field, &field.ty, member, value).map_err(|why| format!("{name}: {why}"))?;
    }
    let more = members.iter().find(|(name, _)| !expected.iter().any(|(known, _)| known == name));
    match more {
        Some((name, value)) => Err(format!("{name} is {value}, and should not be there")),
        None => Ok(compared),
    }
}

fn is_empty(of: &str, name: &str, value: &Value) -> bool {
    let is_json = || *entity(of).field(name).ty.present() == Ty::Json;
    *value == Value::Absent || *value == Value::Text(String::new()) && !is_json()
}

fn same(field: &Field, ty: &Ty, made: &Json, expected: &Value) -> Result<usize, String> {
    let number = |text: &str, n: &Number| {
        let wanted = if field.form == Form::Fraction { n.times(Number::new(1, 2)?) } else { Some(*n) };
        (Number::parse(text) == wanted).then_some(())
    };
    let equal = match (made, expected, ty.present()) {
        (Json::Object(_), Value::Record(fields), Ty::Part(name)) => return compare(name, made, fields),
        (Json::Array(made), Value::List(expected), Ty::List(element)) if made.len() == expected.len() => {
            return made.iter().zip(expected).map(|(made, expected)| same(field, element, made, expected)).sum();
        }
        (Json::Array(made), Value::List(expected), Ty::Json) if made.len() == expected.len() => {
            return made.iter().zip(expected).map(|(made, expected)| same(field, ty, made, expected)).sum();
        }
        (Json::Bool(made), Value::Bool(expected), _) => made == expected,
        (Json::Number(made), Value::Number(expected), _) if field.form != Form::InText => {
            number(&made.to_string(), expected).is_some()
        }
        (Json::String(made), Value::Number(expected), _) if field.form == Form::InText => {
            number(made, expected).is_some()
        }
        (Json::String(made), Value::Text(expected), _) => made == expected,
        (Json::String(made), Value::Date(expected), _) => *made == schema::day(*expected),
        _ => false,
    };
    if equal { Ok(1) } else { Err(format!("{made} instead of {expected:?}")) }
}
