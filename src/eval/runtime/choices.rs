//! What is computed only in one case: `??`, `if`, `match`, and values that get a name.

use crate::eval::code::{Code, Run, call};
use crate::eval::failure::{Failure, Halt};
use crate::eval::pattern::accepts;
use crate::eval::personal::told;
use crate::eval::value::{EMPTY, Value};
use crate::ir::Pattern;
use crate::source::Span;
use crate::value::code;
use std::sync::Arc;

/// `a ?? b`
pub(crate) fn or_else(a: Code, b: Code) -> Code {
    call(move |run| {
        if let Some(lying) = a.lying(run)
            && lying.is_some()
        {
            return Ok(*lying);
        }
        // One value, made where it is handed on, so that it is never copied.
        let mut value = a.eval(run);
        let other = match &value {
            Ok(Value::Absent) => true,
            Err(Halt::Stop(stopped)) => stopped.soft,
            _ => false,
        };
        if other {
            value = b.eval(run);
        }
        value
    })
}

/// `if cond { then } else { other }`
pub(crate) fn choice(cond: Code, then: Code, other: Code) -> Code {
    call(move |run| if cond.holds(run)? { then.eval(run) } else { other.eval(run) })
}

/// As [`choice`], by whether a value is there, which goes to a local.
pub(crate) fn choice_if_some(value: Code, local: Option<u32>, then: Code, other: Code) -> Code {
    call(move |run| if some(run, &value, local)? { then.eval(run) } else { other.eval(run) })
}

/// Whether a value is there; a local gets it.
pub(crate) fn is_some(value: Code, local: Option<u32>) -> Code {
    call(move |run| some(run, &value, local).map(Value::Bool))
}

/// Whether a country is one of a group.
pub(crate) fn in_group(country: Code, group: Arc<str>) -> Code {
    call(move |run| {
        let country = country.eval(run)?;
        Ok(Value::Bool(matches!(country, Value::Text(t) if code::in_group(t, &group))))
    })
}

/// The first of these arms whose pattern takes the subject.
pub(crate) fn matched(subject: Code, arms: Vec<(Pattern, Code)>, personal: bool, span: Span) -> Code {
    call(move |run| {
        let value = subject.eval(run)?;
        if let Some((_, code)) = arms.iter().find(|(pattern, _)| accepts(pattern, &value)) {
            code.eval(run)
        } else {
            let shown = told(value, personal);
            Err(Halt::fail(Failure::new(format!("no case here is for {shown}"), span).with_value(shown)))
        }
    })
}

/// A value under a name, within a body.
pub(crate) fn bound(local: u32, value: Code, body: Code) -> Code {
    call(move |run| {
        let value = value.eval(run);
        run.bind(local, value)?;
        body.eval(run)
    })
}

/// A value that has a place, computed when it is first looked at.
pub(crate) fn shared(place: u32, code: Code) -> Code {
    call(move |run| match run.locals[place as usize] {
        Value::Hole(EMPTY) => {
            let value = code.eval(run)?;
            run.locals[place as usize] = value;
            Ok(value)
        }
        value => Ok(value),
    })
}

/// Whether a value is there; a local gets it.
#[inline]
fn some(run: &mut Run<'_>, value: &Code, local: Option<u32>) -> Result<bool, Halt> {
    let Some(local) = local else { return value.is_some(run) };
    if let Some(lying) = value.lying(run) {
        run.locals[local as usize] = *lying;
        return Ok(lying.is_some());
    }
    let value = value.eval(run);
    let some = !matches!(value, Ok(Value::Absent));
    match value {
        Ok(Value::Text(t)) => run.locals[local as usize] = Value::Text(t),
        Ok(Value::Record(record)) => run.locals[local as usize] = Value::Record(record),
        Ok(value) => run.locals[local as usize] = value,
        Err(halt) => return Err(halt),
    }
    Ok(some)
}
