//! Where a message about a changed text stands: at the change, with the text that it changes beside it. What ships is
//! nobody's to mend, so no message about a change stands there, and no fix edits it.

use crate::source::{Diagnostic, Span};

/// A change that is being carried out.
struct Change {
    /// Where it stands, or the `base` in it by which the text in its place came back.
    at: Span,
    /// The text in whose place it stands; none where it changes a declaration as a whole.
    displaced: Option<Span>,
    /// Whether that is a part of it.
    has_base: bool,
}

/// The changes that are being carried out, the innermost last.
#[derive(Default)]
pub(crate) struct Changing {
    changes: Vec<Change>,
}

impl Changing {
    /// How many there are, for [`Changing::leave`].
    pub(crate) fn depth(&self) -> usize {
        self.changes.len()
    }

    /// From here on a change is carried out.
    pub(crate) fn enter(&mut self, at: Span, displaced: Option<Span>) {
        self.changes.push(Change { at, displaced, has_base: false });
    }

    /// Those behind this depth have been carried out.
    pub(crate) fn leave(&mut self, depth: usize) {
        self.changes.truncate(depth);
    }

    /// `base` stands here: what is wrong with the text in whose place the change stands is wrong at this word.
    pub(crate) fn base_at(&mut self, word: Span) {
        if let Some(change) = self.changes.last_mut().filter(|change| change.displaced.is_some()) {
            (change.at, change.has_base) = (word, true);
        }
    }

    /// Whether the innermost stands there.
    pub(crate) fn is_in(&self, text: Span) -> bool {
        self.changes.last().is_some_and(|change| text.contains(change.at))
    }

    /// Whether the innermost says `base`.
    pub(crate) fn has_base(&self) -> bool {
        self.changes.last().is_some_and(|change| change.has_base)
    }

    /// A message about what is changed, at the change. `ships` tells which texts are not the project's.
    pub(crate) fn at_change(&self, mut d: Diagnostic, ships: impl Fn(Span) -> bool) -> Diagnostic {
        let displaces = |change: &&Change| change.displaced.is_some_and(|text| text.contains(d.span));
        let innermost = || self.changes.last().filter(|_| ships(d.span));
        if let Some(change) = self.changes.iter().rev().find(displaces).or_else(innermost) {
            let what =
                if change.displaced.is_some() { "in the line that this displaces" } else { "in what this changes" };
            let from = std::mem::replace(&mut d.span, change.at);
            d.fix = None;
            d = d.related(from, what);
        }
        if d.fix.as_ref().is_some_and(|fix| fix.edits.iter().any(|edit| ships(edit.span))) {
            d.fix = None;
        }
        d
    }
}
