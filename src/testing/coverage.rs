//! What of a project its tests come to: fields, branches and rows, by file and line.

use crate::eval::{Branch, Passed};
use crate::source::Source;
use crate::workspace::Workspace;
use std::collections::{BTreeMap, BTreeSet};

/// What of a project's texts its tests come to.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// By file, those without anything to come to left out.
    pub files: Vec<Covered>,
}

/// What of a file tests come to.
#[derive(Clone, Debug)]
pub struct Covered {
    /// The file, as people see it.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its points, in the order of their places.
    pub points: Vec<Reached>,
}

/// A point of a file.
#[derive(Clone, Debug)]
pub struct Reached {
    /// What it is.
    pub what: Passed,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1.
    pub column: usize,
    /// The last line of it.
    pub end_line: usize,
    /// What stands there, up to the end of the line.
    pub said: String,
    /// How often tests came to it.
    pub times: u64,
    /// It is a way of a condition that no test evaluates: neither way is taken.
    pub unseen: bool,
    /// Why no test can, as a comment on its line says: `# never: …`.
    pub never: Option<String>,
}

/// The kinds of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// Fields that are filled.
    Field,
    /// Ways of choices and conditions.
    Branch,
    /// Rows of lookups.
    Row,
}

/// How many points there are, and how many of them were reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// All.
    pub all: usize,
    /// Those that were reached.
    pub reached: usize,
    /// Those that were not, and a comment says why no test can.
    pub explained: usize,
}

impl PointKind {
    /// All kinds, with what they are called.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Field, "fields"), (Self::Branch, "branches"), (Self::Row, "rows")];
}

impl Share {
    /// In percent of what can be reached, rounded down: only all is 100. Of nothing all is reached.
    pub fn percent(self) -> u32 {
        let percent = (self.reached * 100).checked_div(self.all - self.explained).unwrap_or(100);
        u32::try_from(percent).unwrap_or(100)
    }
}

impl Reached {
    /// Its kind.
    pub fn kind(&self) -> PointKind {
        match self.what {
            Passed::Field(..) => PointKind::Field,
            Passed::Branch(_) => PointKind::Branch,
            Passed::Row(_) => PointKind::Row,
        }
    }

    /// What is missing where no test comes to it.
    pub fn missing(&self) -> String {
        let said = &self.said;
        match &self.what {
            Passed::Field(of, name) => format!("{of} never fills {name}"),
            Passed::Row(table) => format!("no test finds this row of {table}: {said}"),
            Passed::Branch(branch) => match branch {
                Branch::Then => format!("`then` is never taken: {said}"),
                Branch::Else => format!("`else` is never taken: {said}"),
                Branch::Case(_) => format!("this case is never taken: {said}"),
                Branch::There => format!("before `??` this is never there: {said}"),
                Branch::Absent => format!("behind `??` this is never taken: {said}"),
                Branch::Holds | Branch::HoldsNot if self.unseen => format!("no test evaluates this: {said}"),
                Branch::Holds => format!("no test where this holds: {said}"),
                Branch::HoldsNot => format!("no test where this does not hold: {said}"),
                Branch::Taken => format!("this is never needed: {said}"),
            },
        }
    }
}

impl Covered {
    /// How many of a kind were reached; of all kinds where none is named.
    pub fn share(&self, kind: Option<PointKind>) -> Share {
        let mut share = Share::default();
        for point in self.points.iter().filter(|point| kind.is_none_or(|kind| point.kind() == kind)) {
            share.all += 1;
            share.reached += usize::from(point.times > 0);
            share.explained += usize::from(point.times == 0 && point.never.is_some());
        }
        share
    }

    /// The points that no test comes to; of a condition that no test evaluates one of its two.
    pub fn missed(&self) -> impl Iterator<Item = &Reached> {
        let is_second = |point: &Reached| point.unseen && point.what == Passed::Branch(Branch::HoldsNot);
        self.points.iter().filter(move |point| point.times == 0 && !is_second(point))
    }
}

impl Coverage {
    /// How many of a kind were reached; of all kinds where none is named.
    pub fn share(&self, kind: Option<PointKind>) -> Share {
        self.files.iter().map(|file| file.share(kind)).fold(Share::default(), |sum, share| Share {
            all: sum.all + share.all,
            reached: sum.reached + share.reached,
            explained: sum.explained + share.explained,
        })
    }
}

/// Where a point begins and ends, and which of the points there it is.
type Place = (u32, u32, String);

/// What each point is, and how often it was passed.
type Points = BTreeMap<Place, (Passed, u64)>;

/// Points of one project that was compiled for several answers: a place is one, wherever it was counted.
#[derive(Default)]
pub(super) struct Counted {
    files: BTreeMap<String, (Source, Points)>,
}

impl Counted {
    /// Adds what was counted of the texts that are wanted.
    pub(super) fn add(&mut self, workspace: &Workspace, wanted: &impl Fn(&str, &str) -> bool) {
        for (point, times) in workspace.compiled().coverage() {
            let source = workspace.sources().get(point.span.file);
            let path = source.path.display().to_string();
            if !wanted(&path, &source.text) {
                continue;
            }
            let (_, points) = self.files.entry(path).or_insert_with(|| (source.clone(), BTreeMap::new()));
            let place = (point.span.start, point.span.end, format!("{:?}", point.what));
            points.entry(place).or_insert_with(|| (point.what.clone(), 0)).1 += u64::from(times);
        }
    }

    /// By file and line.
    pub(super) fn coverage(self) -> Coverage {
        let files = self.files.into_iter().map(|(path, (source, points))| {
            let unseen = unseen(&points);
            let points = points.into_iter().map(|((start, end, _), (what, times))| {
                let unseen =
                    matches!(what, Passed::Branch(Branch::Holds | Branch::HoldsNot)) && unseen.contains(&(start, end));
                let (at, to) = (source.position(start as usize), source.position(end as usize));
                let said = source.text.get(start as usize..end as usize).unwrap_or_default();
                let said = said.lines().next().unwrap_or_default().to_owned();
                let never = never(&source.text, at.line);
                Reached { what, line: at.line, column: at.column, end_line: to.line, said, times, unseen, never }
            });
            Covered { points: points.collect(), text: source.text.to_string(), path }
        });
        Coverage { files: files.collect() }
    }
}

/// The places of conditions that no test evaluates.
fn unseen(points: &Points) -> BTreeSet<(u32, u32)> {
    let mut ways: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for ((start, end, _), (what, times)) in points {
        if matches!(what, Passed::Branch(Branch::Holds | Branch::HoldsNot)) {
            *ways.entry((*start, *end)).or_default() += times;
        }
    }
    ways.into_iter().filter(|(_, times)| *times == 0).map(|(place, _)| place).collect()
}

/// What a comment at the end of a line says of what no test can come to.
fn never(text: &str, line: usize) -> Option<String> {
    let line = text.lines().nth(line - 1)?;
    line.rsplit_once("# never: ").map(|(_, why)| why.trim().to_owned())
}
