//! One record: evaluated, decided, written draft by draft, and settled.

use super::acting::{Acting, DraftName};
use super::item::{Acted, Item};
use super::links::{Joined, Writing};
use super::settle::held;
use super::verdict::Verdict;
use super::write::Sent;
use crate::engine::decide::draft::decide;
use crate::engine::decide::step::{Facts, Step};
use crate::engine::error::PassError;
use crate::engine::journal::effects;
use crate::engine::journal::lanes::lanes_of;
use crate::engine::log::DraftEntry;
use crate::engine::pass::ask;
use crate::engine::pass::context::Pass;
use crate::engine::values::body::Settled;
use crate::engine::values::content::same_version;
use crate::eval::{Cause, Draft, Evaluated, Failure, OnSourceChange, Pending, WriteSet};
use crate::ir::Stop;
use crate::limits;
use crate::store::State;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How the drafts of one evaluation ended.
enum Performed {
    Finished,
    /// Something was written that others follow: evaluate again.
    Again,
    Stopped(Verdict),
}

/// Acts on a record that holds these lanes.
pub(crate) async fn act(pass: Arc<Pass>, item: Arc<Item>, lanes: Vec<String>) -> Acted {
    let mut acting = Acting::new(&pass, &item, lanes);
    match acting.run().await {
        Ok(acted) => acted,
        Err(ending) => {
            // What was written is told to the store, and explained by the log, even when the pass ends here.
            let logged = acting.log_what_was_sent();
            let ending = acting.flush().await.and(logged).err().unwrap_or(ending);
            Acted::Ended(ending, acting.events)
        }
    }
}

/// Parks a record for a fault of ours.
pub(crate) async fn park(pass: Arc<Pass>, item: Arc<Item>, lanes: Vec<String>, failure: Failure) -> Acted {
    let mut acting = Acting::new(&pass, &item, lanes);
    match acting.stopped(Stop::Fail, failure).await {
        Ok(acted) => acted,
        Err(ending) => Acted::Ended(ending, acting.events),
    }
}

impl Acting<'_> {
    async fn run(&mut self) -> Result<Acted, PassError> {
        for _ in 0..limits::EVALUATIONS_MAX {
            if self.pass.cancel.is_cancelled() {
                return Err(PassError::Cancelled);
            }
            let (evaluated, used) = self.pass.evaluate(&self.item.raw, self.item.now);
            self.used = used;
            match evaluated {
                Evaluated::Needs(needs) => {
                    if let Some(reason) = needs.iter().find_map(|n| self.pass.memory().refusal(n).map(str::to_owned)) {
                        return self.settle(Verdict::parked(reason, self.pass.flow().span)).await;
                    }
                    self.flush().await?;
                    ask::resolve(self.pass, needs).await?;
                }
                Evaluated::Filtered => return self.settle_filtered().await,
                Evaluated::Stopped(stop, failure, alerts) => {
                    // What a skipped record has to tell is told; one that waits or is parked tells when it is written.
                    if stop == Stop::Skip {
                        self.tell_skipped(&alerts);
                    } else if self.wrote {
                        self.tell_noted();
                    }
                    return self.stopped(stop, failure).await;
                }
                Evaluated::WriteSet(unit) => {
                    let mut lanes = lanes_of(self.pass, &self.item.key, Some(&unit));
                    if lanes.iter().any(|lane| !self.lanes.contains(lane)) {
                        // A key that is known only after a write is held before anything is looked for or made by it.
                        // What was written is durable and known: the record takes it up from there.
                        lanes.extend(self.lanes.iter().cloned());
                        lanes.sort_unstable();
                        lanes.dedup();
                        self.log_what_was_sent()?;
                        self.flush().await?;
                        self.tell_noted();
                        return Ok(Acted::Lanes(lanes, std::mem::take(&mut self.events)));
                    }
                    if let Some(intent) = self.pass.held_by(&lanes) {
                        return self.settle(held(self.pass, &self.item.key, &intent)?).await;
                    }
                    match self.perform(&unit).await? {
                        Performed::Again => {
                            self.note_alerts(&unit.alerts);
                            self.flush().await?;
                        }
                        Performed::Finished => {
                            self.tell_alerts(&unit.alerts);
                            return self.settle(Verdict::written()).await;
                        }
                        Performed::Stopped(verdict) => {
                            if verdict.state == State::Skipped {
                                self.tell_alerts(&unit.alerts);
                            } else if self.wrote {
                                // What an update has changed does not show any more at the next try.
                                self.note_alerts(&unit.alerts);
                                self.tell_noted();
                            }
                            return self.settle(verdict).await;
                        }
                    }
                }
            }
        }
        let reason = "it was evaluated again and again without an end: a fault of flowc, please report it".to_owned();
        match self.settle(Verdict::parked(reason.clone(), self.pass.flow().span)).await? {
            Acted::Settled(events) => Ok(Acted::Bug(reason, events)),
            other => Ok(other),
        }
    }

    async fn stopped(&mut self, stop: Stop, failure: Failure) -> Result<Acted, PassError> {
        let mut reason = failure.reason;
        if let Some(field) = &failure.field {
            reason = format!("{reason} (in {field})");
        }
        if let Some(place) = failure.related.and_then(|span| self.pass.place(span)) {
            reason = format!("{reason} (see {}:{})", place.file, place.line);
        }
        let verdict = match failure.cause {
            Cause::Row => Verdict::unreadable(reason.clone(), failure.place),
            Cause::Record | Cause::Given | Cause::Bug => Verdict::of(stop, reason.clone(), failure.place),
        };
        let settled = self.settle(verdict).await?;
        match settled {
            Acted::Settled(events) if failure.cause == Cause::Bug => Ok(Acted::Bug(reason, events)),
            other => Ok(other),
        }
    }

    // ------------------------------------------------------------------------------------------------ the drafts

    async fn perform(&mut self, unit: &WriteSet) -> Result<Performed, PassError> {
        let links = self.links(unit).await?;
        self.drafts = unit.drafts.iter().map(|draft| self.logged(draft)).collect();
        let left = match self.foreseen(unit, &links) {
            Ok(left) => left,
            Err(verdict) => return Ok(Performed::Stopped(*verdict)),
        };
        let mut settled: Vec<Option<Settled>> = vec![None; unit.drafts.len()];
        let mut instead: Vec<(usize, usize)> = Vec::new();
        let mut again = false;
        for (n, draft) in unit.drafts.iter().enumerate() {
            let without = |m: Option<usize>| m.is_some_and(|m| settled.get(m).is_none_or(Option::is_none));
            if left.contains(&n) || without(draft.follows) {
                continue;
            }
            if draft.waits_for.is_some() {
                // Parts of it are known only with an answer: after that it comes complete.
                self.planned_behind(draft, &settled);
                continue;
            }
            let name = Self::name_of(draft, &settled);
            if let Some((_, was)) = self.done.iter().find(|(other, _)| *other == name) {
                settled[n] = Some(was.clone());
                continue;
            }
            if self.pass.cancel.is_cancelled() {
                return Err(PassError::Cancelled);
            }
            let step = self.decide(draft, &links[n], &settled);
            if step == Step::Again {
                return Ok(Performed::Again);
            }
            if let Step::Instead { draft, .. } = &step {
                instead.push((n, *draft));
            }
            let sent = Writing { draft, link: links[n].link.as_ref(), source: self.source_of(draft, &settled) };
            match self.send(&sent, step, &settled).await? {
                Sent::There { there, sent } => {
                    again |= sent && unit.again_after.contains(&n);
                    self.note_target(draft, &there.id);
                    self.done.push((name, there.clone()));
                    settled[n] = Some(there);
                }
                Sent::Left => {}
                Sent::Again => return Ok(Performed::Again),
                Sent::Stopped(verdict) => return Ok(Performed::Stopped(verdict)),
            }
        }
        for (n, m) in instead {
            // What is written instead of a change carries it out.
            if let (Some(there), true) = (&settled[n], settled.get(m).is_some_and(Option::is_some)) {
                let writing = Writing {
                    draft: &unit.drafts[n],
                    link: links[n].link.as_ref(),
                    source: self.source_of(&unit.drafts[n], &settled),
                };
                let there = Arc::clone(&there.id);
                self.carried_out(&writing, &there);
            }
        }
        // What follows a write may look at the target's answer: it is in the memory now.
        Ok(if again && !self.pass.options.dry_run { Performed::Again } else { Performed::Finished })
    }

    /// All decisions before anything is written, with keys made up for what is not there: what would stop the record,
    /// else the drafts that are left alone because nothing calls for them.
    fn foreseen(&self, unit: &WriteSet, links: &[Joined]) -> Result<BTreeSet<usize>, Box<Verdict>> {
        let instead = |draft: &Draft| match draft.on_change {
            OnSourceChange::Write(m) => Some(m),
            OnSourceChange::Alert | OnSourceChange::Ignore | OnSourceChange::Update => None,
        };
        let mut left: BTreeSet<usize> = unit.drafts.iter().filter_map(instead).collect();
        let mut settled: Vec<Option<Settled>> = Vec::new();
        for (n, draft) in unit.drafts.iter().enumerate() {
            let there = |id: &Arc<str>, created| Some(Settled { id: Arc::clone(id), number: false, created });
            let next = match self.decide(draft, &links[n], &settled) {
                Step::Create { .. } => there(&format!("(new {n})").into(), true),
                Step::Instead { id, draft } => {
                    left.remove(&draft);
                    there(&id, false)
                }
                Step::Update { id, .. }
                | Step::Unchanged { id, .. }
                | Step::Adopt { id, .. }
                | Step::Alert { id, .. }
                | Step::Delete { id } => there(&id, false),
                Step::Again => there(&"(again)".into(), false),
                Step::Stop { stop: Stop::Skip, .. } if !is_top(self.pass, draft) => None,
                Step::Stop { .. } if draft.follows.is_some() || draft.waits_for.is_some() => None,
                Step::Stop { stop, reason, place } => return Err(Box::new(Verdict::of(stop, reason, place))),
            };
            settled.push(next);
        }
        Ok(left)
    }

    fn decide(&self, draft: &Draft, joined: &Joined, settled: &[Option<Settled>]) -> Step {
        let program = self.pass.program();
        let store = self.pass.store();
        decide(&Facts {
            program,
            draft,
            verb: &program.mapping(draft.made.mapping).header.verb,
            link: joined.link.as_ref(),
            remembers: self.source_of(draft, settled).is_some(),
            is_late: joined
                .link
                .as_ref()
                .and_then(|link| link.carried.as_ref())
                .is_some_and(|carried| carried.is_later_than(&self.item.source_version())),
            owner: joined.owner.as_ref(),
            settled,
            source_is_new: joined
                .link
                .as_ref()
                .and_then(|link| link.carried.as_ref())
                .is_none_or(|carried| !same_version(carried, &self.item.source_version())),
            hash: &|text| store.keyed_hash(text),
        })
    }

    fn name_of(draft: &Draft, settled: &[Option<Settled>]) -> DraftName {
        let filled = |value: &Option<Arc<str>>| {
            let value = value.as_deref()?;
            let there = Pending::draft(value).and_then(|n| settled.get(n)).and_then(Option::as_ref);
            Some(there.map_or_else(|| value.to_owned(), |s| s.id.to_string()))
        };
        // A link joins one source record and one record of the mapping, whatever keys were tried.
        let keys = draft.keys.iter().filter(|_| draft.linked_to.is_none());
        DraftName {
            mapping: Arc::clone(&draft.made.name),
            linked_to: draft.linked_to.clone(),
            keys: keys
                .map(|k| (k.fields.iter().map(|f| f.0).collect(), k.values.iter().map(filled).collect()))
                .collect(),
        }
    }

    fn note_target(&mut self, draft: &Draft, id: &Arc<str>) {
        if is_top(self.pass, draft) {
            self.target = Some(effects::target(&draft.connection, self.pass.program().entity(draft.entity), id));
        }
    }

    fn logged(&self, draft: &Draft) -> DraftEntry {
        let value = |json: &str| serde_json::from_str(&Pending::shown(json)).unwrap_or_else(|_| json.into());
        DraftEntry {
            mapping: draft.made.name.to_string(),
            entity: self.pass.program().entity(draft.entity).full_name(),
            connection: draft.connection.to_string(),
            fields: draft.fields.iter().map(|f| (f.path.join("."), value(&f.json))).collect(),
        }
    }
}

/// Whether the draft is what the flow itself writes.
fn is_top(pass: &Pass, draft: &Draft) -> bool {
    draft.follows.is_none() && pass.tops().contains(&draft.made.mapping)
}
