//! The marks of a field: `read only`, `filter`, `as milliseconds`. What says nothing, or says something of a field that has
//! no such thing, is a mistake: it would look as if it did something.

use crate::check::resolve::checker::Checker;
use crate::check::types::words::word_text;
use crate::ir::{Access, Const, Expr, ExprKind, Field, Required, Search, Shown, Summand, Type, WireForm};
use crate::source::{Span, codes};
use crate::syntax::ast::Mark;
use std::sync::Arc;

/// Which values a mark is for.
type Fits = fn(&Type) -> bool;

/// What a mark speaks of: it is said once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Access,
    Required,
    Search,
    Form,
    Name,
    Scale,
    Case,
    Padding,
    Zero,
    Hidden,
    Shown,
    Place,
    Personal,
    Assumed,
    Of,
    Sums,
}

fn any(_: &Type) -> bool {
    true
}

fn number(ty: &Type) -> bool {
    ty.is_number() || *ty == Type::Price
}

fn decimals(ty: &Type) -> bool {
    number(ty) && *ty != Type::Int
}

fn money(ty: &Type) -> bool {
    matches!(ty, Type::Money(_))
}

fn rate(ty: &Type) -> bool {
    *ty == Type::Percent
}

fn truth(ty: &Type) -> bool {
    *ty == Type::Bool
}

fn moment(ty: &Type) -> bool {
    *ty == Type::Instant
}

fn time(ty: &Type) -> bool {
    matches!(ty, Type::Date | Type::Instant)
}

fn text(ty: &Type) -> bool {
    ty.is_text() || ty.element().is_some_and(|element| element.present().is_text())
}

/// What refers to a record.
fn reference(ty: &Type) -> bool {
    matches!(ty, Type::Code(_) | Type::Record(_))
}

/// A record, or a list of records.
fn record(ty: &Type) -> bool {
    matches!(ty.element().map_or(ty, Type::present), Type::Record(_))
}

impl Checker<'_> {
    pub(crate) fn read_marks(&mut self, field: &mut Field, marks: &[Mark]) {
        let mut said: Vec<Says> = Vec::new();
        for mark in marks {
            let words: Vec<String> = mark.words.iter().map(word_text).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            // It belongs to the `required when` before it.
            if words == ["else", "absent"] && said.last() == Some(&Says::Required) {
                continue;
            }
            let Some((says, fits)) = read(field, &words, mark) else {
                self.no_mark(&words, mark.span, "says nothing about a field");
                continue;
            };
            if !fits(field.ty.present()) && field.ty != Type::Unknown {
                let of = self.show(&field.ty);
                self.no_mark(&words, mark.span, &format!("says nothing about {of}"));
            } else if said.contains(&says) {
                self.no_mark(&words, mark.span, "says again, or otherwise, what another mark of the field says");
            }
            said.push(says);
        }
        if field.write_only && field.access == Access::ReadOnly {
            let span = marks.last().map_or(field.span, |mark| mark.span);
            self.no_mark(&["write", "only"], span, "and `read only` together leave nobody who fills the field");
        }
    }

    /// Tells of a mark that says nothing.
    pub(crate) fn no_mark(&mut self, words: &[&str], span: Span, why: &str) {
        let message = format!("`{}` {why}", words.join(" "));
        let help = "marks are `read only`, `create only`, `write only`, `feed only`, `not in feed`, `required`, `filter`, `parameter`, `search`, \
                    `personal`, `assumed`, `sums FIELD and LIST.FIELD less LIST.FIELD`, `caseless`, `padded 18`, `scale 2`, `zero is absent`, `nested`, `stands in LINES.FIELD`, `wire \"name\"`, `of FIELD \"value\"`, \
                    `number in text`, and `as fraction`, `zero_one`, `yes_no`, `milliseconds` or `utc`";
        self.say(&codes::MISPLACED, span, message, help);
    }
}

/// Takes a mark over into the field: what it speaks of, and which values it is for. None where it means nothing.
fn read(field: &mut Field, words: &[&str], mark: &Mark) -> Option<(Says, Fits)> {
    let (when, value) = (mark.when.is_some(), mark.value.is_some());
    if when && words != ["required"] || value && words != ["computed"] {
        return None;
    }
    let mut form = |form: WireForm, fits: Fits| {
        field.form.form = form;
        (Says::Form, fits)
    };
    Some(match words {
        ["number", "in", "text"] => form(WireForm::NumberInText, number),
        ["as", "fraction"] => form(WireForm::Fraction, rate),
        ["as", "zero_one"] => form(WireForm::ZeroOne, truth),
        ["as", "yes_no"] => form(WireForm::YesNo, truth),
        ["as", "milliseconds"] => form(WireForm::Milliseconds, time),
        ["as", "utc"] => form(WireForm::Utc, moment),
        ["nested"] => form(WireForm::Nested, record),
        ["read", "only"] | ["computed"] => {
            field.access = Access::ReadOnly;
            // `read only, computed`: that it is computed says what by.
            (if words.len() == 1 { Says::Required } else { Says::Access }, any)
        }
        ["create", "only"] => {
            field.access = Access::CreateOnly;
            (Says::Access, any)
        }
        ["feed", "only"] => {
            field.shown = Shown::InFeed;
            (Says::Shown, any)
        }
        ["not", "in", "feed"] => {
            field.shown = Shown::AtAddress;
            (Says::Shown, any)
        }
        // In which lines is known when all fields have been read. A list of changes comes without lines.
        ["stands", "in", _] => {
            field.shown = Shown::AtAddress;
            (Says::Place, text)
        }
        ["write", "only"] => {
            field.write_only = true;
            (Says::Hidden, any)
        }
        ["required"] => {
            field.required = if when {
                Required::When { cond: Box::new(unread(mark.span)), or_absent: false }
            } else {
                Required::Yes
            };
            (Says::Required, any)
        }
        ["filter"] => search(field, Search::Filter),
        ["parameter"] => search(field, Search::Parameter),
        ["search"] => search(field, Search::Loose),
        ["personal"] => {
            field.personal = true;
            (Says::Personal, any)
        }
        ["assumed"] => {
            field.assumed = true;
            (Says::Assumed, any)
        }
        ["of", by, values @ ..] if !values.is_empty() => {
            field.of = Some(((*by).into(), values.iter().map(|value| (*value).into()).collect()));
            (Says::Of, reference)
        }
        ["caseless"] => {
            field.form.caseless = true;
            (Says::Case, text)
        }
        ["padded", n] => {
            field.form.padded = n.parse().ok().filter(|n| *n > 0)?;
            (Says::Padding, text)
        }
        ["zero", "is", "absent"] => {
            field.form.zero_is_absent = true;
            (Says::Zero, any)
        }
        ["sums", parts @ ..] => {
            field.sums = summands(parts)?;
            (Says::Sums, money)
        }
        ["wire", name] => {
            field.wire = (*name).into();
            (Says::Name, any)
        }
        ["scale", n] => {
            field.form.scale = n.parse().ok().filter(|n| u32::from(*n) <= crate::value::decimal::DECIMALS_MAX)?;
            (Says::Scale, decimals)
        }
        _ => return None,
    })
}

/// `FIELD and LIST.FIELD less LIST.FIELD`, where `parent.` leads to the record that this one is a part of.
fn summands(words: &[&str]) -> Option<Vec<Summand>> {
    let mut out = Vec::new();
    for (n, word) in words.iter().enumerate() {
        if n % 2 == 1 {
            continue;
        }
        let less = match n.checked_sub(1).map(|n| words[n]) {
            None | Some("and") => false,
            Some("less") => true,
            Some(_) => return None,
        };
        let way = word.strip_prefix("parent.");
        let (above, way) = (way.is_some(), way.unwrap_or(word));
        out.push(Summand { less, above, way: way.split('.').map(Arc::from).collect() });
    }
    (words.len() % 2 == 1 && out.iter().all(|part| part.way.len() < 3)).then_some(out)
}

fn search(field: &mut Field, search: Search) -> (Says, Fits) {
    field.search = search;
    (Says::Search, any)
}

/// A condition until it is read: it agrees with everything.
fn unread(span: Span) -> Expr {
    Expr { kind: ExprKind::Const(Const::Bool(true)), ty: Type::Unknown, span }
}
