//! Cells of lookups and patterns of arms: what they take.

use crate::check::infer::frame::{Infer, constant_of};
use crate::check::resolve::checker::Checker;
use crate::check::resolve::instances::InstanceId;
use crate::ir::{Const, ExprKind, Pattern, Type};
use crate::source::codes;
use crate::syntax::ast::{self, PatternKind};
use std::sync::Arc;
impl Checker<'_> {
    /// What a cell or an arm takes.
    pub(crate) fn pattern(&mut self, inside: InstanceId, pattern: &ast::Pattern, ty: &Type) -> Pattern {
        match &pattern.kind {
            PatternKind::Any | PatternKind::Else => Pattern::Any,
            PatternKind::None => {
                if !ty.is_optional() && !matches!(ty, Type::Unknown) {
                    let message = format!("`none` never comes here: the key is {}", self.show(ty));
                    self.say(
                        &codes::LOOKUP_ROW_UNREACHABLE,
                        pattern.span,
                        message,
                        "delete it, or let the type be optional",
                    );
                }
                Pattern::Absent
            }
            PatternKind::Group(name) => {
                if &*name.text != "eu" {
                    self.say(
                        &codes::UNKNOWN_NAME,
                        name.span,
                        format!("there is no group of countries `{}`", name.text),
                        "groups are: `eu`",
                    );
                }
                if !matches!(ty.present(), Type::Country | Type::Unknown) {
                    let message = format!("`in {}` is a group of countries; the key is {}", name.text, self.show(ty));
                    self.say(&codes::TYPE_MISMATCH, pattern.span, message, "groups stand in columns of countries only");
                }
                Pattern::Group(Arc::clone(&name.text))
            }
            PatternKind::Either(list) => {
                let list: Vec<Pattern> = list.iter().map(|p| self.pattern(inside, p, ty)).collect();
                if list.iter().all(|p| matches!(p, Pattern::OneOf(values) if !values.is_empty())) {
                    Pattern::OneOf(
                        list.into_iter().flat_map(|p| if let Pattern::OneOf(c) = p { c } else { Vec::new() }).collect(),
                    )
                } else {
                    Pattern::Either(list)
                }
            }
            PatternKind::Value(e) => {
                let mut body = Infer::new(self, inside);
                let wanted = ty.present().clone();
                if wanted == Type::Json {
                    let message = "JSON can't be compared: it has whatever form its sender gave it";
                    self.say(
                        &codes::TYPE_MISMATCH,
                        pattern.span,
                        message,
                        "`match x?.text() { … }` takes the text of it",
                    );
                    return Pattern::OneOf(Vec::new());
                }
                let value = match body.literal_for("this cell", e, &wanted) {
                    Some(lowered) => body.coerce(lowered, &wanted, "this cell"),
                    None => Infer::make(ExprKind::Keep, Type::Never, e.span),
                };
                // What failed has been told, and stands for no value.
                match constant_of(&value).filter(|_| value.ty != Type::Unknown) {
                    Some(c) => pattern_of(c, &wanted),
                    None => {
                        if !matches!(value.ty, Type::Unknown) {
                            self.say(
                                &codes::LOOKUP_ROW_SHAPE,
                                pattern.span,
                                "a cell holds a value that is known before anything runs",
                                "write a text, a number, a rate, `yes` or `no`",
                            );
                        }
                        Pattern::OneOf(Vec::new())
                    }
                }
            }
        }
    }
}

/// A cell that holds a value. A text that ends with a star takes all texts that begin with what stands before it.
pub(crate) fn pattern_of(value: Const, ty: &Type) -> Pattern {
    if let (Const::Text(text), Type::Text(_)) = (&value, ty.present())
        && let Some(prefix) = text.strip_suffix('*').filter(|prefix| !prefix.is_empty())
    {
        return Pattern::Prefix(prefix.into());
    }
    Pattern::OneOf(vec![value])
}

/// How wide `_` is, and a group of countries.
const ANY: u32 = 2_000;
pub(crate) const GROUP: u32 = 1_000;

/// Anything, be it as one of several.
pub(crate) fn is_any(p: &Pattern) -> bool {
    rank(p) == ANY
}

/// The single values that a cell takes.
pub(crate) fn values(p: &Pattern) -> Vec<&Const> {
    match p {
        Pattern::Absent => vec![&Const::Absent],
        Pattern::OneOf(list) => list.iter().collect(),
        Pattern::Either(list) => list.iter().flat_map(values).collect(),
        Pattern::Any | Pattern::Group(_) | Pattern::Prefix(_) => Vec::new(),
    }
}

/// How wide a cell is: a value, a beginning (the longer it is the narrower), a group, anything.
pub(crate) fn rank(p: &Pattern) -> u32 {
    match p {
        Pattern::Absent | Pattern::OneOf(_) => 0,
        Pattern::Prefix(text) => GROUP.saturating_sub(u32::try_from(text.len()).unwrap_or(GROUP)).max(1),
        Pattern::Group(_) => GROUP,
        Pattern::Either(list) => list.iter().map(rank).max().unwrap_or(0),
        Pattern::Any => ANY,
    }
}
