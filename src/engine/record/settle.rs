//! How a record is settled: what the store keeps of it, what the log says, and what is told.

use super::acting::Acting;
use super::item::Acted;
use super::verdict::Verdict;
use crate::engine::error::PassError;
use crate::engine::event::{Event, RecordEvent};
use crate::engine::journal::open;
use crate::engine::log::{Entry, Found};
use crate::engine::pass::context::Pass;
use crate::engine::pass::view::Used;
use crate::engine::pii;
use crate::engine::waits::WaitsFor;
use crate::ir::Stop;
use crate::limits;
use crate::store::{Attempt, Change, Intent, RecordRow, State, Target};
use jiff::{SignedDuration, Timestamp};

/// When a record is tried again that waits for what has not come in so many tries; none: with each pass.
fn next_try(tries: u32, now: Timestamp) -> Option<Timestamp> {
    let doublings = tries.checked_sub(limits::TRIES_AT_ONCE + 1)?;
    let pause = limits::WAIT_SECONDS_MIN.checked_shl(doublings.min(20)).unwrap_or(i64::MAX);
    now.checked_add(SignedDuration::from_secs(pause.min(limits::WAIT_SECONDS_MAX))).ok()
}

impl Acting<'_> {
    /// The flow's `where` leaves the record out. One that it took before is settled, and of one that is booked a person is told:
    /// what becomes of it changes nothing in the target any more.
    pub(crate) async fn settle_filtered(&mut self) -> Result<Acted, PassError> {
        let taken = self.item.before.as_ref().filter(|before| before.state != State::Skipped);
        let booked = taken.and_then(|before| before.target.as_ref().map(|target| (target, before.number.as_ref())));
        let pending = taken.is_some_and(|before| matches!(before.state, State::Waiting | State::Parked));
        let at = self.pass.flow().span;
        if let Some((target, number)) = booked {
            let text = format!(
                "{} has left what the flow takes (its `where`), and stands in {} as {} {}: what changes on it is not booked any more",
                self.pass.label(&self.item.key),
                target.connection,
                target.entity,
                number.unwrap_or(&target.id),
            );
            self.tell_skipped(&[(text, at)]);
        } else if !pending {
            return Ok(Acted::Settled(std::mem::take(&mut self.events)));
        }
        let reason =
            "the flow does not take it any more: it has changed in the source, or the flow's `where` has".to_owned();
        self.settle(Verdict::of(Stop::Skip, reason, at)).await
    }

    /// What people call what the record became, where that is known.
    fn number(&self) -> Option<String> {
        let Target { entity, id, .. } = self.target.as_ref()?;
        self.pass.memory().number_of(self.pass.program(), entity, id)
    }

    /// Writes down what became of the record, with what was done and seen.
    pub(crate) async fn settle(&mut self, verdict: Verdict) -> Result<Acted, PassError> {
        let now = self.pass.source()?.now();
        let same = self.tried_before();
        let unsuccessful = matches!(verdict.state, State::Parked | State::Waiting);
        let attempts = if unsuccessful { same.map_or(0, |b| b.attempts) + 1 } else { 0 };
        let Verdict { state, reason, place, waits_for, due, unanswered } = verdict.after(attempts);
        let place = place.and_then(|span| self.pass.place(span));
        let due = due.or_else(|| if state == State::Waiting { next_try(attempts, now) } else { None });
        let attempt = self.attempt(now, reason.as_deref());
        // Nothing was sent, and it is as it was told: the log says so already.
        let told_before = same.is_some_and(|b| (b.state, &b.reason) == (state, &reason)) && !self.wrote && unsuccessful;
        let row = RecordRow {
            reason: reason.clone(),
            place: place.clone(),
            waits_for: waits_for.map(|what| what.word().to_owned()),
            due,
            attempts,
            unanswered: same.filter(|_| unsuccessful).map_or(0, |b| b.unanswered) + u32::from(unanswered),
            people: attempt.people.clone(),
            alerts: self.alerted.take().unwrap_or_else(|| self.alerts_before().to_vec()),
            ..self.row(state, now)
        };
        let target_id = row.target.as_ref().map(|t| t.id.clone());
        let commit = std::mem::take(&mut self.carry).and(Change::Record(row));
        let commit = if told_before { commit } else { commit.and(Change::Log(attempt)) };
        self.pass.store().commit(commit).await?;
        let known = self.item.before.as_ref().is_some_and(|before| before.state == State::Parked);
        let told = RecordEvent { target_id, reason, place, known, ..self.told_of(None) };
        match state {
            State::Parked => self.events.push(Event::Parked(told)),
            State::Waiting => self.events.push(Event::Waiting(told)),
            State::Skipped => self.events.push(Event::Skipped(told)),
            State::Written => {
                let nothing_happened = !self.events.iter().any(|e| !matches!(e, Event::Alert(_)));
                if nothing_happened {
                    self.events.push(Event::Unchanged(told));
                }
            }
        }
        Ok(Acted::Settled(std::mem::take(&mut self.events)))
    }

    /// The record in that state, and nothing else said of it.
    fn row(&self, state: State, now: Timestamp) -> RecordRow {
        let before = self.item.before.as_ref();
        RecordRow {
            flow: self.pass.flow().name.to_string(),
            key: self.item.key.to_string(),
            state,
            content_hash: self.item.content_hash.clone(),
            plan_hash: self.pass.project.plan_hash.clone(),
            reason: None,
            place: None,
            target: self.target.clone().or_else(|| before.and_then(|b| b.target.clone())),
            number: self.number().or_else(|| before.and_then(|b| b.number.clone())),
            waits_for: None,
            due: None,
            first: self.item.now,
            updated: now,
            attempts: 0,
            unanswered: 0,
            left_out: false,
            version: self.item.version.clone(),
            parts: self.item.parts.clone(),
            people: Vec::new(),
            alerts: before.map_or_else(Vec::new, |b| b.alerts.clone()),
            said: before.map_or(0, |b| b.said),
        }
    }

    /// The first write of a try: whatever ends it, the record does not count as what an earlier version of it became.
    pub(crate) fn begins_to_write(&mut self) -> Result<(), PassError> {
        if self.wrote {
            return Ok(());
        }
        self.wrote = true;
        self.used_before = self.used.clone();
        let same = self.tried_before();
        let people = pii::addresses([&*self.item.raw]);
        let row = RecordRow {
            reason: Some("a run ended while this was written; the next one goes on with it".to_owned()),
            waits_for: Some(WaitsFor::OwnWrite.word().to_owned()),
            attempts: same.map_or(0, |b| b.attempts),
            unanswered: same.map_or(0, |b| b.unanswered),
            people: people.iter().map(|address| self.pass.store().keyed_hash(address)).collect(),
            ..self.row(State::Waiting, self.pass.source()?.now())
        };
        self.carry.changes.push(Change::Record(row));
        Ok(())
    }

    /// An entry of the log for a try that ends before the record is settled, where something was sent.
    pub(crate) fn log_what_was_sent(&mut self) -> Result<(), PassError> {
        if self.wrote {
            let attempt = self.attempt(self.pass.source()?.now(), None);
            self.carry.changes.push(Change::Log(attempt));
        }
        Ok(())
    }

    fn attempt(&self, now: Timestamp, reason: Option<&str>) -> Attempt {
        let found = |used: &Used| used.iter().map(|(query, answered)| self.pass.found(query, answered)).collect();
        let mut all: Vec<Found> = found(&self.used);
        let mut before: Vec<Found> = found(&self.used_before);
        before.retain(|entry| !all.contains(entry));
        all.extend(before.into_iter().map(|entry| Found { before_writing: true, ..entry }));
        let entry = Entry {
            raw: self.item.raw.to_string(),
            found: all,
            drafts: self.drafts.clone(),
            steps: self.steps.clone(),
            answers: self.answers.clone(),
        };
        self.pass.attempt(&entry, &self.item.key, now, reason)
    }
}

/// A record whose key is held by a write without an outcome.
pub(crate) fn held(pass: &Pass, key: &str, intent: &Intent) -> Result<Verdict, PassError> {
    let (what, whose) = (format!("{} in {}", intent.entity, intent.connection), pass.label(&intent.key));
    let until = open::late_until(pass, intent)?;
    if open::needs_person(pass, intent) {
        let reason = format!(
            "whether {what} was made for {whose} is not known, and no search can tell: look there; if it is not there, retry {whose}, else skip it"
        );
        return Ok(Verdict::parked(reason, pass.flow().span));
    }
    let own = (&*pass.flow().name, key) == (&*intent.flow, &*intent.key);
    if own && pass.unsearched().contains(&intent.id) {
        let reason = format!(
            "whether {what} was written for it is not known, and no search tells: it is refused there, or shows rows that cannot be read; put them in order"
        );
        let verdict = Verdict::of(Stop::Wait, reason, pass.flow().span);
        return Ok(Verdict { waits_for: Some(WaitsFor::Search), ..verdict });
    }
    let reason = format!("whether {what} was written for {whose} is not known yet; it goes on when that is clear");
    Ok(Verdict::waiting(reason, pass.flow().span, WaitsFor::Outcome, until))
}
