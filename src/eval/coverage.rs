//! What of a program evaluations come to: compiled code counts as it passes. A program that is compiled without counting has
//! no such points, and pays nothing for them.

use crate::source::Span;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A place of a program that evaluations come to, or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    /// Where it stands.
    pub span: Span,
    /// What happens there.
    pub what: Passed,
}

/// What happens at a point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Passed {
    /// A field gets a value: of which mapping or part, and the way to it.
    Field(Arc<str>, Arc<str>),
    /// A choice goes this way.
    Branch(Branch),
    /// A row of this table gives its value.
    Row(Arc<str>),
}

/// A way that a choice or a condition goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Branch {
    /// What stands behind `then`.
    Then,
    /// What stands behind `else`.
    Else,
    /// The case of that number.
    Case(usize),
    /// What stands before `??` is there.
    There,
    /// What stands before `??` is absent.
    Absent,
    /// The condition holds.
    Holds,
    /// The condition does not hold.
    HoldsNot,
    /// What is only computed where it is needed: a rest, a reason.
    Taken,
}

/// The points of a program, and how often each was passed.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    points: Vec<(Point, Counter)>,
    index: HashMap<Point, usize>,
}

/// How often a point was passed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter(Arc<AtomicU32>);

impl Coverage {
    /// The counter of a point. What is inlined in several places is one point.
    pub(crate) fn counter(&mut self, point: Point) -> Counter {
        let n = *self.index.entry(point.clone()).or_insert(self.points.len());
        if n == self.points.len() {
            self.points.push((point, Counter::default()));
        }
        self.points[n].1.clone()
    }

    /// All points, and how often each was passed.
    pub(crate) fn points(&self) -> impl Iterator<Item = (&Point, u32)> {
        self.points.iter().map(|(point, counter)| (point, counter.0.load(Ordering::Relaxed)))
    }
}

impl Counter {
    /// The point is passed.
    pub(crate) fn pass(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
