//! Lists that are put together of elements.

use crate::eval::arithmetic::list_fits;
use crate::eval::code::{ClauseCode, Code, Run, call};
use crate::eval::failure::{Halt, note};
use crate::eval::value::Value;
use crate::source::Span;

/// An element of a list in code: one, all of a list, or one for each.
pub(crate) enum ElementCode {
    One(Code),
    All(Code),
    For(Vec<ClauseCode>, Code),
}

/// Elements of a list in the making.
type Elements<'r> = bumpalo::collections::Vec<'r, Value<'r>>;

/// The list of these elements.
pub(crate) fn list(elements: Vec<ElementCode>, span: Span) -> Code {
    call(move |run| {
        let mut out = bumpalo::collections::Vec::with_capacity_in(elements.len(), run.arena);
        let mut halted = None;
        for element in &elements {
            element.push(run, &mut out, &mut halted, span)?;
        }
        match halted {
            Some(halt) => Err(halt),
            None => Ok(Value::List(out.into_bump_slice())),
        }
    })
}

impl ElementCode {
    fn push<'r>(
        &self,
        run: &mut Run<'r>,
        out: &mut Elements<'r>,
        halted: &mut Option<Halt>,
        span: Span,
    ) -> Result<(), Halt> {
        match self {
            Self::One(code) => push(run, code, (out, halted), span),
            Self::All(code) => match code.eval(run) {
                Ok(Value::List(list)) => {
                    list_fits(out.len() + list.len(), span)?;
                    out.extend_from_slice(list);
                    Ok(())
                }
                Ok(_) => Ok(()),
                Err(halt) => note(halted, halt),
            },
            Self::For(clauses, body) => for_each(run, (clauses, body), out, halted, span),
        }
    }
}

fn push<'r>(
    run: &mut Run<'r>,
    code: &Code,
    (out, halted): (&mut Elements<'r>, &mut Option<Halt>),
    span: Span,
) -> Result<(), Halt> {
    let mark = run.tell_from();
    match code.eval(run) {
        Ok(value) => {
            run.told_element(mark, out.len());
            out.push(value);
            list_fits(out.len(), span)
        }
        Err(halt) => note(halted, halt.within(&format!("[{}]", out.len()))),
    }
}

fn for_each<'r>(
    run: &mut Run<'r>,
    (clauses, body): (&[ClauseCode], &Code),
    out: &mut Elements<'r>,
    halted: &mut Option<Halt>,
    span: Span,
) -> Result<(), Halt> {
    let Some((ClauseCode { each, list, cond }, rest)) = clauses.split_first() else {
        return push(run, body, (out, halted), span);
    };
    let list = match list.list(run) {
        Ok(Some(list)) => list,
        Ok(None) => return Ok(()),
        Err(halt) => return note(halted, halt),
    };
    for element in list {
        run.enter(each, element);
        let taken = match cond {
            None => true,
            Some(cond) => match cond.holds(run) {
                Ok(taken) => taken,
                Err(halt) => {
                    note(halted, halt)?;
                    false
                }
            },
        };
        if taken {
            for_each(run, (rest, body), out, halted, span)?;
        }
    }
    Ok(())
}
