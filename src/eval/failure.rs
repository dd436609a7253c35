//! Why a record stops: for the bookkeeper who reads it.

use crate::ir::{LookupId, Stop};
use crate::source::Span;

/// Why one record can't go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong and what to do, in one breath, with the value.
    pub reason: String,
    /// The value that is wrong, as text.
    pub value: Option<String>,
    /// The line of the flow that says so.
    pub place: Span,
    /// A further place that a person wants to see: the table that lacks the row.
    pub related: Option<Span>,
    /// Where in the record: the target field in the making (`SalesOrderLines[2].VATCode`), when there is one.
    pub field: Option<String>,
    /// Whose trouble it is.
    pub cause: Cause,
    /// The row of a table that is missing, where that is why.
    pub lacks: Option<Box<Lacks>>,
}

/// A row that a table lacks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lacks {
    /// The table.
    pub lookup: LookupId,
    /// The row, as the table's file has it, `…` for its value and for what tells of a person.
    pub row: String,
}

/// What a failure comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// The record, or the flow.
    #[default]
    Record,
    /// A row of a system that cannot be read.
    Row,
    /// The test that gives the record.
    Given,
    /// A bug of ours.
    Bug,
}

impl Failure {
    /// A failure at a place of the flow.
    pub fn new(reason: impl Into<String>, place: Span) -> Self {
        Self {
            reason: reason.into(),
            value: None,
            place,
            related: None,
            field: None,
            cause: Cause::default(),
            lacks: None,
        }
    }

    /// With the value that is wrong.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }
}

/// Why an expression has no value.
#[derive(Debug)]
pub(crate) enum Halt {
    /// Something must be asked first; the needs are noted in the run.
    Needs,
    /// It depends on what the target answers to the draft of that number.
    Later(u32),
    /// The record stops.
    Stop(Box<Stopped>),
}

/// A stop on its way out.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) stop: Stop,
    pub(crate) failure: Failure,
    /// `??` may say what holds instead: a conversion that failed, a record that is gone.
    pub(crate) soft: bool,
    /// The path of the field is complete: it left the document that it belongs to.
    pub(crate) closed: bool,
}

impl Halt {
    /// The record fails.
    pub(crate) fn fail(failure: Failure) -> Self {
        Self::stop(Stop::Fail, failure)
    }

    /// The record stops.
    pub(crate) fn stop(stop: Stop, failure: Failure) -> Self {
        Self::Stop(Box::new(Stopped { stop, failure, soft: false, closed: false }))
    }

    /// The record fails, unless `??` follows.
    pub(crate) fn soft(failure: Failure) -> Self {
        Self::Stop(Box::new(Stopped { stop: Stop::Fail, failure, soft: true, closed: false }))
    }

    /// With the field, or the element, in whose making it happened.
    pub(crate) fn within(mut self, name: &str) -> Self {
        if let Self::Stop(stopped) = &mut self
            && !stopped.closed
        {
            let below = stopped.failure.field.take();
            stopped.failure.field = Some(match below {
                Some(below) if below.starts_with('[') => format!("{name}{below}"),
                Some(below) => format!("{name}.{below}"),
                None => name.to_owned(),
            });
        }
        self
    }

    /// With its path complete: it leaves a document.
    pub(crate) fn closed(mut self) -> Self {
        if let Self::Stop(stopped) = &mut self {
            stopped.closed = true;
        }
        self
    }
}

/// Remembers why something has no value and goes on, so that all needs come out together; a stop goes out at once
/// unless something before it is not known yet.
pub(crate) fn note(halted: &mut Option<Halt>, halt: Halt) -> Result<(), Halt> {
    match halt {
        Halt::Stop(_) if halted.is_none() => Err(halt),
        Halt::Stop(_) => Ok(()),
        other => {
            halted.get_or_insert(other);
            Ok(())
        }
    }
}
