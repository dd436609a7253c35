//! Texts that are put together, and those that are told to people.

use crate::eval::arithmetic::text_fits;
use crate::eval::code::{Code, call};
use crate::eval::failure::{Failure, Halt, note};
use crate::eval::personal::told;
use crate::eval::value::{Value, show, show_into};
use crate::ir::{Stop, Type};
use crate::source::Span;
use crate::value::decimal;

/// Parts of a text in one, each with its type.
pub(crate) fn concat(parts: Vec<(Code, Type)>, span: Span) -> Code {
    call(move |run| {
        let mut out = bumpalo::collections::String::with_capacity_in(96, run.arena);
        let (mut shown, mut halted) = (Vec::new(), None);
        for (part, ty) in &parts {
            match part.eval(run) {
                Ok(Value::Text(t)) => out.push_str(t),
                Ok(value) => {
                    let value = match (value, ty) {
                        (Value::Number(n), Type::Money(_)) => Value::Number(decimal::shown(n, 2)),
                        (Value::Number(n), _) => Value::Number(decimal::shown(n, 0)),
                        (value, _) => value,
                    };
                    shown.clear();
                    show_into(value, &mut shown);
                    out.push_str(&String::from_utf8_lossy(&shown));
                    if *ty == Type::Percent {
                        out.push('%');
                    }
                }
                Err(halt) => note(&mut halted, halt)?,
            }
        }
        if let Some(halt) = halted {
            return Err(halt);
        }
        text_fits(out.len(), span)?;
        Ok(Value::Text(out.into_bump_str()))
    })
}

/// A text with what is personal in it masked.
pub(crate) fn masked(code: Code) -> Code {
    call(move |run| match code.eval(run)? {
        Value::Text("") => Ok(Value::Text("")),
        value => Ok(run.text(&told(value, true))),
    })
}

/// The record stops, for this reason.
pub(crate) fn stop(stop: Stop, text: Code, span: Span) -> Code {
    call(move |run| {
        let reason = show(text.eval(run)?);
        Err(Halt::stop(stop, Failure::new(reason, span)))
    })
}
