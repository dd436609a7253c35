//! Settings that are answered from outside, `--set NAME=VALUE`: data of the setting's type, never a part of a flow's text.

use crate::check::declare::table::plain_number;
use crate::check::resolve::checker::Checker;
use crate::check::resolve::instances::InstanceId;
use crate::ir::Type;
use crate::source::{Span, codes};
use crate::syntax::ast::{self, Element, Entry, Expr, ExprKind, Name, TextPart, UnaryOp};
use std::sync::Arc;

/// An answer given on the command line: `--set name=value`, or `--set module.name=value`.
pub type Override = (String, String);

impl Checker<'_> {
    /// `--set name=value`, `--set module.name=value`: for this run only.
    pub(crate) fn overrides(&mut self, overrides: &[Override]) {
        for (name, value) in overrides {
            let file = self.modules.sources.add(format!("--set {name}"), value.as_str());
            let span = Span::new(file, 0, value.len());
            let (module, setting) =
                name.rsplit_once('.').map_or((None, &**name), |(module, name)| (Some(module), name));
            let mut known = false;
            for n in 0..self.instances.len() {
                let instance = InstanceId(n);
                let of = self.module_of(instance);
                let meant = module.is_none_or(|module| *self.instance(instance).name == *module);
                let Some(asked) = self.asked(of).get(setting).cloned().filter(|_| meant) else { continue };
                known = true;
                self.answer_given(instance, &asked, value, span);
            }
            if !known {
                let message = format!("no flow of this project asks `{name}`");
                self.say(&codes::UNKNOWN_SETTING, span, message, "`--set` answers a setting of a flow that is used");
            }
        }
    }

    fn answer_given(&mut self, instance: InstanceId, asked: &ast::Setting, value: &str, span: Span) {
        let ty = self.type_of(instance, &asked.ty);
        match literal(&ty, value, span) {
            Ok(value) => {
                let name = Name { text: Arc::clone(&asked.name.text), span };
                self.instances[instance.0].answers.insert(asked.name.text.to_string(), Entry { name, value });
            }
            Err(help) => {
                let message = format!("the setting `{}` needs {}", asked.name.text, self.show(&ty));
                self.say(&codes::TYPE_MISMATCH, span, message, help);
            }
        }
    }
}

/// The value as a literal of that type; else how one is written.
fn literal(ty: &Type, given: &str, span: Span) -> Result<Expr, &'static str> {
    let value = given.trim();
    if value == "none" && ty.is_optional() {
        return Ok(Expr { kind: ExprKind::None, span });
    }
    let digits = |text: &str, is_rate| plain_number(text, is_rate).map(|n| n.abs().to_string());
    let kind = match ty.present() {
        Type::List(element) => return list(element, value, span),
        Type::Bool => match value {
            "yes" | "true" => ExprKind::Bool(true),
            "no" | "false" => ExprKind::Bool(false),
            _ => return Err("write `yes` or `no`"),
        },
        Type::Percent => match digits(value, true).filter(|_| value.ends_with('%')) {
            Some(n) => ExprKind::Percent(n.into()),
            None => return Err("write a rate with its sign: `21%`"),
        },
        ty if ty.is_number() => match digits(value, false) {
            Some(n) => ExprKind::Number(n.into()),
            None => return Err("write it in digits, with a point where it has decimals"),
        },
        Type::Date => ExprKind::Date(value.into()),
        Type::Instant => ExprKind::Instant(value.into()),
        Type::Duration => match value.split_once(' ') {
            Some((n, unit)) if n.bytes().all(|b| b.is_ascii_digit()) => {
                ExprKind::Duration(n.into(), Name { text: unit.trim().into(), span })
            }
            _ => return Err("write a number and its unit: `5 minutes`"),
        },
        Type::Text(_) => ExprKind::Text(vec![TextPart::Plain(unquoted(given).into())]),
        _ => ExprKind::Text(vec![TextPart::Plain(unquoted(value).into())]),
    };
    let value_of = |kind| Expr { kind, span };
    Ok(if value.starts_with('-') && ty.present().is_number() {
        value_of(ExprKind::Unary(UnaryOp::Neg, Box::new(value_of(kind))))
    } else {
        value_of(kind)
    })
}

/// `["a", "b"]`, as JSON writes it, or `a, b`.
fn list(element: &Type, value: &str, span: Span) -> Result<Expr, &'static str> {
    let parts: Vec<String> = if value.starts_with('[') {
        let values: Vec<serde_json::Value> =
            serde_json::from_str(value).map_err(|_| "write a list: `[\"a\", \"b\"]`, or `a, b`")?;
        let text = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        values.into_iter().map(text).collect()
    } else {
        value.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    let elements: Result<Vec<Element>, _> =
        parts.iter().map(|part| literal(element, part, span).map(Element::One)).collect();
    Ok(Expr { kind: ExprKind::List(elements?), span })
}

/// A text that somebody has put in quotes, as a flow has it; without them its blanks are its own.
fn unquoted(given: &str) -> String {
    let value = given.trim();
    let quoted = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    let inside = if quoted { serde_json::from_str(value).ok() } else { None };
    inside.unwrap_or_else(|| given.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn what_is_given_is_data_of_the_type_that_is_asked() {
        let span = Span::new(FileId(0), 0, 0);
        let kind = |ty: Type, value: &str| literal(&ty, value, span).map(|e| format!("{:?}", e.kind));
        let text = |ty: Type, value: &str| match literal(&ty, value, span).map(|e| e.kind) {
            Ok(ExprKind::Text(parts)) => match parts.as_slice() {
                [TextPart::Plain(text)] => text.to_string(),
                other => format!("{other:?}"),
            },
            other => format!("{other:?}"),
        };
        for (given, meant) in [
            ("30", "30"),
            ("yes", "yes"),
            ("\"30\"", "30"),
            ("a{b}", "a{b}"),
            ("say \"x\"", "say \"x\""),
            ("[a", "[a"),
            ("X ", "X "),
            (" \"X \" ", "X "),
        ] {
            assert_eq!(text(Type::Text(None), given), meant);
        }
        assert!(
            kind(Type::Bool, "30").is_err() && kind(Type::Int, "1_000").is_err() && kind(Type::Percent, "0.2").is_err()
        );
        assert!(kind(Type::Text(None).optional(), "none").is_ok_and(|kind| kind == "None"));
        assert_eq!(text(Type::Text(None), "none"), "none");
        let list = |value: &str| match literal(&Type::List(Arc::new(Type::Text(None))), value, span).map(|e| e.kind) {
            Ok(ExprKind::List(elements)) => elements.len(),
            _ => 0,
        };
        assert_eq!([list("[\"a\", \"b,c\"]"), list("a, b"), list("a"), list("[a")], [2, 2, 1, 0]);
    }
}
