//! What the declarations of a project come to as a whole: what they use, and what the flows that it runs still need.

use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::resolve::modules::ModuleId;
use crate::lints::Claim;
use crate::source::Span;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Of which modules a check reads all declarations; of the others it reads what these need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Roots {
    #[default]
    All,
    AllBut(ModuleId),
    Only(ModuleId),
}

impl Roots {
    pub(crate) fn hold(self, module: ModuleId) -> bool {
        match self {
            Self::All => true,
            Self::AllBut(other) => module != other,
            Self::Only(one) => module == one,
        }
    }

    /// Whether all is known when these have been read: what is said of the whole can be said.
    pub(crate) fn complete(self) -> bool {
        !matches!(self, Self::AllBut(_))
    }
}

/// A flow that the project runs.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    /// How many paths `run` names before it, and itself.
    pub(crate) number: usize,
    pub(crate) instance: InstanceId,
    /// Its full name.
    pub(crate) flow: Arc<str>,
    /// Where `run` names it.
    pub(crate) at: Span,
    /// Whether it could be read.
    pub(crate) is_read: bool,
    /// The unanswered settings that it comes through, by their full names.
    pub(crate) open: FxHashSet<Arc<str>>,
    /// The keys that it writes under, once they are known.
    pub(crate) claims: Option<Vec<Claim>>,
}

/// What was used: instance, kind of thing, name.
pub(crate) type Used = (InstanceId, &'static str, String);

/// What has been found out of the whole so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// How far the project has been read: 0 for its declarations, then the number of the flow that it runs, and
    /// [`Facts::BEHIND`] for what is read behind these.
    pub(crate) at: usize,
    /// Whether the project has been read: what is read from then on is only named.
    pub(crate) is_closed: bool,
    /// What was used, and how far the project had been read when it first was.
    used: FxHashMap<Used, usize>,
    /// Instances that could go to several connections of a connector, and do not say to which; the same way.
    undecided: FxHashMap<(InstanceId, Arc<str>), usize>,
    /// Adapted declarations that have been read.
    adapted: FxHashSet<(InstanceId, Space, String)>,
    /// Lookups that have been read.
    lookups: FxHashSet<(InstanceId, String)>,
    /// Whether parts are read by themselves. What these take over counts for nothing: it is read by itself too.
    pub(crate) alone: bool,
    /// Parts that have been read where they are taken over, and for which entity, by where that is declared.
    parts: FxHashSet<(InstanceId, Span, Span)>,
    /// The flows that the project runs.
    pub(crate) running: Vec<Runs>,
    /// Whether there is a flow at all.
    pub(crate) has_flow: bool,
}

impl Facts {
    /// Behind all that runs: what tests read.
    pub(crate) const BEHIND: usize = usize::MAX;

    /// The same, for a run that reads the declarations of a further module.
    pub(crate) fn to_go_on(&self) -> Self {
        Self { at: 0, is_closed: false, ..self.clone() }
    }

    pub(crate) fn uses(&mut self, used: Used) {
        if self.is_closed {
            return;
        }
        let at = self.at;
        self.used.entry(used).and_modify(|first| *first = at.min(*first)).or_insert(at);
    }

    pub(crate) fn does_not_use(&mut self, used: &Used) {
        self.used.remove(used);
    }

    pub(crate) fn is_used(&self, used: &Used) -> bool {
        self.used.contains_key(used)
    }

    /// Whether something was used when so much had been read.
    pub(crate) fn is_used_by(&self, used: &Used, at: usize) -> bool {
        self.used.get(used).is_some_and(|first| *first <= at)
    }

    pub(crate) fn is_undecided(&mut self, inside: InstanceId, connector: &str) {
        let at = self.at;
        let open = (inside, Arc::from(connector));
        self.undecided.entry(open).and_modify(|first| *first = at.min(*first)).or_insert(at);
    }

    /// What was not decided when so much had been read, in the order in which that was found.
    pub(crate) fn undecided(&self, at: usize) -> Vec<(InstanceId, Arc<str>)> {
        let open = self.undecided.iter().filter(|(_, first)| **first <= at);
        let mut open: Vec<_> = open.map(|((of, connector), first)| (*first, *of, Arc::clone(connector))).collect();
        open.sort();
        open.into_iter().map(|(_, of, connector)| (of, connector)).collect()
    }

    pub(crate) fn reads_adapted(&mut self, key: (InstanceId, Space, String)) {
        if self.at != Self::BEHIND {
            self.adapted.insert(key);
        }
    }

    pub(crate) fn has_adapted(&self, key: &(InstanceId, Space, String)) -> bool {
        self.adapted.contains(key)
    }

    pub(crate) fn reads_lookup(&mut self, instance: InstanceId, name: &str) {
        if self.at != Self::BEHIND {
            self.lookups.insert((instance, name.to_owned()));
        }
    }

    pub(crate) fn has_lookup(&self, key: &(InstanceId, String)) -> bool {
        self.lookups.contains(key)
    }

    pub(crate) fn takes_over(&mut self, instance: InstanceId, part: Span, entity: Span) {
        if self.at != Self::BEHIND && !self.alone {
            self.parts.insert((instance, part, entity));
        }
    }

    pub(crate) fn is_taken_over(&self, instance: InstanceId, part: Span, entity: Span) -> bool {
        self.parts.contains(&(instance, part, entity))
    }
}
