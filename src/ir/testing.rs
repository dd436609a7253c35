//! Tests: what is given, and what is expected of it, with every name resolved.

use super::expr::{Expr, LocalId, Stop};
use super::types::{EntityId, FieldId};
use crate::source::Span;
use std::sync::Arc;

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// The module that holds it.
    pub module: Arc<str>,
    /// What it shows.
    pub title: Arc<str>,
    /// Its answers to settings, which are known only to a program that was checked for them.
    pub answers: Option<Answers>,
    /// The table whose rows it holds for.
    pub cases: Option<Cases>,
    /// How many locals its frame has.
    pub locals: u32,
    /// Its statements.
    pub steps: Vec<TestStep>,
    /// Where it is declared.
    pub span: Span,
}

/// Answers of a test to settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// As they are written: tests of a module that answer alike share a program.
    pub text: Arc<str>,
    /// A case answers some of them.
    pub by_case: bool,
}

/// A table of cases.
#[derive(Clone, Debug)]
pub struct Cases {
    /// Its columns.
    pub columns: Vec<LocalId>,
    /// Its rows.
    pub rows: Vec<Case>,
}

/// A row of a table of cases.
#[derive(Clone, Debug)]
pub struct Case {
    /// What people call it.
    pub name: Arc<str>,
    /// A value for each column.
    pub cells: Vec<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// A statement of a test.
#[derive(Clone, Debug)]
pub enum TestStep {
    /// A record that one of the systems has.
    Given(GivenRecord),
    /// The clock stands there from now on.
    Now(Expr),
    /// A value under a name.
    Let(LocalId, Expr),
    /// What must hold, or what must come of it.
    Expect(Subject, Expected, Span),
    /// What is kept whole beside the test.
    Snapshot(Subject, Span),
}

/// A record that a test gives.
#[derive(Clone, Debug)]
pub struct GivenRecord {
    /// Its name in the test.
    pub local: Option<LocalId>,
    /// What it is.
    pub entity: EntityId,
    /// The JSON text of its file.
    pub base: Option<Arc<str>>,
    /// Its fields, or what is changed of its file.
    pub fields: Vec<(Vec<Place>, GivenValue)>,
    /// The record that an earlier write made it of, or that it was made of.
    pub linked: Option<Expr>,
    /// The mapping that wrote it then, by its name; none: any may have.
    pub linked_as: Option<Arc<str>>,
    /// Where it is given.
    pub span: Span,
}

/// A step on the way to a value of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A field of the entity.
    Field(EntityId, FieldId),
    /// An element of a list.
    Index(usize),
}

/// A value of a given record.
#[derive(Clone, Debug)]
pub enum GivenValue {
    /// A part, of which what is not named is not given.
    Part(EntityId, Vec<(FieldId, GivenValue)>),
    /// A list.
    List(Vec<GivenValue>),
    /// A value of that field's type.
    Value(EntityId, FieldId, Expr),
}

/// What is expected to be something.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A value, or the draft of a mapping.
    Value(Expr),
    /// What a flow makes of a record.
    Flow(usize, Expr),
}

/// What is expected.
#[derive(Clone, Debug)]
pub enum Expected {
    /// The condition holds.
    Holds,
    /// Records of these entities are written, and no others.
    Writes(Vec<EntityId>),
    /// It stops so, with this text in its reason.
    Stops(Stop, Expr),
    /// A person is told this text.
    Alerts(Expr),
}

impl Test {
    /// The values of all cells of its cases.
    pub fn cells(&self) -> impl Iterator<Item = &Expr> {
        self.cases.iter().flat_map(|cases| &cases.rows).flat_map(|row| &row.cells)
    }

    /// The outermost expressions of its statements.
    pub fn exprs(&self) -> Vec<&Expr> {
        let mut all = Vec::new();
        for step in &self.steps {
            match step {
                TestStep::Given(given) => {
                    given.fields.iter().for_each(|(_, value)| value.exprs(&mut all));
                    all.extend(&given.linked);
                }
                TestStep::Now(value) | TestStep::Let(_, value) => all.push(value),
                TestStep::Snapshot(subject, _) => all.push(subject.value()),
                TestStep::Expect(subject, expected, _) => {
                    all.push(subject.value());
                    if let Expected::Stops(_, why) | Expected::Alerts(why) = expected {
                        all.push(why);
                    }
                }
            }
        }
        all
    }
}

impl Subject {
    /// The value, or the record of the flow.
    pub fn value(&self) -> &Expr {
        let (Self::Value(value) | Self::Flow(_, value)) = self;
        value
    }
}

impl GivenValue {
    fn exprs<'t>(&'t self, all: &mut Vec<&'t Expr>) {
        match self {
            Self::Part(_, fields) => fields.iter().for_each(|(_, value)| value.exprs(all)),
            Self::List(list) => list.iter().for_each(|value| value.exprs(all)),
            Self::Value(_, _, value) => all.push(value),
        }
    }
}
