//! Which flow of a pass is next: each in its order, then those again for which another one has written something new.

use super::project::PassOptions;
use crate::ir::{Entity, Program};
use crate::limits;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The turns of a pass.
pub(super) struct Turns<'p> {
    program: &'p Program,
    flows: Vec<Lane>,
    options: PassOptions,
    /// The place in `flows` of whose turn is next in this round.
    at: usize,
}

/// One turn of a flow.
pub(super) struct Turn {
    /// Its number in the program.
    pub(super) flow: usize,
    pub(super) options: PassOptions,
    /// It has had one in this pass.
    pub(super) further: bool,
}

/// A flow of the pass.
struct Lane {
    /// Its number in the program.
    flow: usize,
    turns: usize,
    /// Whether something new was written for it since its last turn began.
    due: bool,
    /// Whether it may take another turn: the last one came to its end.
    goes_on: bool,
}

impl<'p> Turns<'p> {
    /// One turn for each of these flows.
    pub(super) fn of(program: &'p Program, flows: &[usize], options: &PassOptions) -> Self {
        let lane = |flow: &usize| Lane { flow: *flow, turns: 0, due: true, goes_on: true };
        Self { program, flows: flows.iter().map(lane).collect(), options: options.clone(), at: 0 }
    }

    /// The next turn, and how it is to be run. Only a whole pass has further turns: a rehearsal writes nothing that could be
    /// read, and who asks for single records has asked for no other.
    pub(super) fn next(&mut self) -> Option<Turn> {
        for n in (self.at..self.flows.len()).chain(0..self.at) {
            let lane = &mut self.flows[n];
            if lane.due && lane.goes_on && lane.turns < limits::TURNS_MAX {
                self.at = n + 1;
                lane.due = false;
                lane.turns += 1;
                let since = self.options.since.filter(|_| lane.turns == 1);
                let options = PassOptions { since, ..self.options.clone() };
                return Some(Turn { flow: lane.flow, options, further: lane.turns > 1 });
            }
        }
        None
    }

    /// A flow has taken its turn, and has written records of these entities.
    pub(super) fn taken(&mut self, flow: usize, written: BTreeSet<String>, ended_well: bool) {
        let whole = self.options.only.is_empty() && !self.options.dry_run;
        let names = |entity: &&Entity| written.contains(&entity.full_name());
        let written: Vec<&Entity> = self.program.entities.iter().filter(names).collect();
        for lane in &mut self.flows {
            if lane.flow == flow {
                lane.goes_on = whole && ended_well;
            } else {
                lane.due |= lane.turns > 0 && reads(self.program, lane.flow, &written);
            }
        }
    }
}

/// Whether records of these are news for a flow.
fn reads(program: &Program, flow: usize, written: &[&Entity]) -> bool {
    let flow = &program.flows[flow];
    let watched = flow.watch.as_ref().map(|watch| watch.entity);
    let read: Vec<_> = watched.into_iter().chain([flow.source]).map(|id| program.entity(id)).collect();
    written.iter().any(|written| read.iter().any(|read| share_records(read, written)))
}

/// Whether records of one entity are records of the other too, seen in another way.
fn share_records(one: &Entity, other: &Entity) -> bool {
    let routes = |e: &Entity| {
        let below = e.below.as_ref().map(|below| Arc::clone(&below.route));
        e.route.clone().into_iter().chain(below).collect::<Vec<_>>()
    };
    let theirs = routes(other);
    one.connector == other.connector && (one.name == other.name || routes(one).iter().any(|r| theirs.contains(r)))
}
