//! What a pass does, told to people as it happens: equal reasons once, and a dry run as the document that it is.

use super::Format;
use super::moment::Moments;
use super::screen::{Paint, Screen};
use crate::connector::Pause;
use crate::engine::{Counts, Done, Engine, Event, Told};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often it is looked whether a connection waits: shorter pauses are nobody's concern.
const WORTH_TELLING: Duration = Duration::from_secs(3);
/// Records that a line of many names.
const NAMED: usize = 3;

/// Which records people are told of, one a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Whatever happens to a record.
    All,
    /// Those that need somebody.
    Trouble,
}

/// Renders the stream of events.
pub(crate) struct Teller {
    screen: Screen,
    moments: Moments,
    lines: Lines,
    dry_run: bool,
    bar: ProgressBar,
    heard: Mutex<Heard>,
}

/// What was heard so far.
#[derive(Default)]
struct Heard {
    counts: Counts,
    /// The record that the last line of a dry run was about.
    record: String,
    /// Records with one reason: told together, at the end.
    reasons: BTreeMap<(Trouble, String), Vec<String>>,
}

/// What a record is told for with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Waiting,
    Alert,
    Parked,
}

impl Teller {
    pub(crate) fn new(screen: &Screen, moments: Moments, lines: Lines, dry_run: bool) -> Self {
        let bar = if screen.watched() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        if dry_run && screen.format() == Format::Human {
            // Whoever has closed stdout reads no document.
            let _ = Screen::answer("A dry run: both sides are read, and nothing is written.");
        }
        Self { screen: *screen, moments, lines, dry_run, bar, heard: Mutex::default() }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, event: &Event) {
        match self.screen.format() {
            Format::Human => self.for_people(event),
            Format::Json | Format::Sarif => {
                // A reader who has left does not stop what is under way: the store tells it later.
                if let Ok(line) = serde_json::to_string(event) {
                    let _ = Screen::answer(&line);
                }
            }
        }
        let mut heard = self.heard();
        heard.counts.count(event);
        self.bar.set_message(summary(&heard.counts));
    }

    /// Tells, as long as it is polled, for what a connection waits.
    pub(crate) async fn tell_pauses(&self, engine: &Engine) -> Infallible {
        let mut told: Vec<(String, Pause)> = Vec::new();
        loop {
            tokio::time::sleep(WORTH_TELLING).await;
            let now: Vec<(String, Pause)> = engine.pauses().map(|(name, pause)| (name.to_owned(), pause)).collect();
            for (name, pause) in now.iter().filter(|pause| !told.contains(pause)) {
                let until = self.moments.second(pause.until);
                self.say(&format!("calls to {name} wait until {until}: {}", pause.reason));
            }
            told = now;
        }
    }

    /// A line beside what happens to records.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| Screen::tell(&self.screen.paint(line, Paint::Dim)));
    }

    /// A line of the answer: on stdout, where it is a document.
    fn line(&self, text: &str) {
        self.bar.suspend(|| {
            if self.dry_run {
                let _ = Screen::answer(text);
            } else {
                Screen::tell(text);
            }
        });
    }

    fn for_people(&self, event: &Event) {
        let (word, would, paint, told) = match event {
            Event::Created(told) => ("created", "create", Paint::Green, told),
            Event::Updated(told) => ("updated", "change", Paint::Green, told),
            Event::Deleted(told) => ("deleted", "delete", Paint::Green, told),
            Event::Linked(told) => ("linked", "link", Paint::Green, told),
            Event::Skipped(told) => ("skipped", "skip", Paint::Dim, told),
            Event::Waiting(told) => return self.gather(Trouble::Waiting, told),
            Event::Parked(told) => return self.gather(Trouble::Parked, told),
            Event::Alert(told) => return self.gather(Trouble::Alert, told),
            Event::Unchanged(_) => return,
            Event::Done(done) => return self.done(done),
        };
        if self.lines == Lines::Trouble {
            return;
        }
        if !self.dry_run {
            self.line(&format!("{} {}", self.screen.paint(&format!("{word:8}"), paint), about(told)));
            return;
        }
        let mut text = String::new();
        let mut heard = self.heard();
        if heard.record != told.id {
            heard.record.clone_from(&told.id);
            let _ = writeln!(text, "\n{}", told.id);
        }
        drop(heard);
        let _ = write!(text, "  {would} {}{}", short(&told.entity), planned(told));
        self.line(&text);
    }

    fn gather(&self, trouble: Trouble, told: &Told) {
        let mut reason = told.reason.clone().unwrap_or_else(|| "no reason".to_owned());
        if let Some(place) = &told.place {
            let _ = write!(reason, "  ({}:{})", place.file, place.line);
        }
        self.heard().reasons.entry((trouble, reason)).or_default().push(told.id.clone());
    }

    fn done(&self, done: &Done) {
        let reasons = std::mem::take(&mut self.heard().reasons);
        let mut text = String::new();
        for ((trouble, reason), mut ids) in reasons {
            ids.dedup();
            let (word, paint) = match trouble {
                Trouble::Waiting => ("waiting", Paint::Yellow),
                Trouble::Alert => ("alert", Paint::Yellow),
                Trouble::Parked => ("parked", Paint::Red),
            };
            let word = if self.dry_run { format!("{word:8}") } else { self.screen.paint(&format!("{word:8}"), paint) };
            let _ = writeln!(text, "{word} {}  {reason}", named(&ids));
        }
        let what = match &done.ended {
            Some(_) if done.counts == Counts::default() => "nothing was done".to_owned(),
            _ => summary(&done.counts),
        };
        let would = if self.dry_run { "nothing was written; a run would come to: " } else { "" };
        let _ = writeln!(text, "{would}{what}, {} calls", done.calls);
        if done.parked > 0 {
            let (records, wait) = if done.parked == 1 { ("record", "needs") } else { ("records", "need") };
            let _ = writeln!(text, "{} {records} {wait} a person: flowc records --state parked", done.parked);
        }
        self.line(text.trim_end());
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// `orders:1001`, or how many and the first of them.
fn named(ids: &[String]) -> String {
    match ids {
        [one] => one.clone(),
        many if many.len() <= NAMED => many.join(", "),
        many => format!("{} records ({}, …)", many.len(), many[..NAMED].join(", ")),
    }
}

/// `SalesOrder` of `exact.SalesOrder`.
fn short(entity: &str) -> &str {
    entity.rsplit('.').next().unwrap_or(entity)
}

/// A record in a line.
fn about(told: &Told) -> String {
    let mut text = told.id.clone();
    if !told.entity.is_empty() {
        let _ = write!(text, "  {}", told.entity);
    }
    if let Some(name) = told.target_number.as_ref().or(told.target_id.as_ref()) {
        let _ = write!(text, " {name}");
    }
    if let Some(reason) = &told.reason {
        let _ = write!(text, "  {reason}");
    }
    if let Some(place) = &told.place {
        let _ = write!(text, "  ({}:{})", place.file, place.line);
    }
    text
}

/// What a dry run would send, field by field.
fn planned(told: &Told) -> String {
    let mut text = told.target_id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    if let Some(reason) = &told.reason {
        let _ = write!(text, "  {reason}");
    }
    for (name, value) in told.shown.iter().filter_map(Value::as_object).flatten() {
        match value {
            Value::Array(rows) => {
                let _ = write!(text, "\n    {name}");
                for row in rows {
                    let _ = write!(text, "\n      - {}", plain(row));
                }
            }
            value => {
                let _ = write!(text, "\n    {name}: {}", plain(value));
            }
        }
    }
    for change in &told.changes {
        let _ = write!(text, "\n    {}: {} → {}", change.field, change.from.as_deref().unwrap_or("nothing"), change.to);
    }
    text
}

/// A value without the marks of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

/// `12 created, 3 parked`; what is nought is left out.
fn summary(counts: &Counts) -> String {
    let Counts { created, updated, deleted, linked, unchanged, skipped, waiting, parked, alerts } = *counts;
    let all = [
        (created, "created"),
        (updated, "updated"),
        (deleted, "deleted"),
        (linked, "linked"),
        (unchanged, "unchanged"),
        (skipped, "skipped"),
        (waiting, "waiting"),
        (parked, "parked"),
        (alerts, "alerts"),
    ];
    let told: Vec<String> = all.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if told.is_empty() { "nothing to do".into() } else { told.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nought_is_not_told() {
        assert_eq!(summary(&Counts { created: 2, parked: 1, ..Counts::default() }), "2 created, 1 parked");
        assert_eq!(summary(&Counts::default()), "nothing to do");
    }

    #[test]
    fn many_are_named_by_the_first() {
        let ids: Vec<String> = (1..=5).map(|n| format!("orders:{n}")).collect();
        assert_eq!(named(&ids[..1]), "orders:1");
        assert_eq!(named(&ids[..3]), "orders:1, orders:2, orders:3");
        assert_eq!(named(&ids), "5 records (orders:1, orders:2, orders:3, …)");
    }

    #[test]
    fn a_document_is_read_without_marks_of_json() {
        let body = serde_json::json!({"YourRef": "1001", "SalesOrderLines": [{"Item": "LAMP", "Quantity": 2}]});
        let told = Told { entity: "exact.SalesOrder".into(), shown: Some(body), ..Told::default() };
        assert_eq!(planned(&told), "\n    YourRef: 1001\n    SalesOrderLines\n      - Item LAMP, Quantity 2");
    }
}
