//! What a pass does, reported to people as it happens: equal reasons once, and a dry run as the document that it is.

use super::Format;
use super::moment::Moments;
use super::screen::{Paint, Screen};
use crate::connector::Pause;
use crate::engine::{Counts, Done, Engine, Event, RecordEvent};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often it is looked whether a connection waits: shorter pauses are nobody's concern.
const WORTH_TELLING: Duration = Duration::from_secs(3);
/// Columns of a dry run: it is shown to a customer, wherever it was made.
pub(crate) const COLUMNS: usize = 80;
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
    gathered: Mutex<Gathered>,
}

/// What was told so far.
#[derive(Default)]
struct Gathered {
    counts: Counts,
    /// What a dry run would do, record by record in their order: of two dry runs the second says what the first did.
    blocks: BTreeMap<Order, String>,
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
        Self { screen: *screen, moments, lines, dry_run, bar, gathered: Mutex::default() }
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut gathered = self.gathered();
        gathered.counts.count(event);
        self.bar.set_message(summary(&gathered.counts));
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
        let mut gathered = self.gathered();
        let block = gathered.blocks.entry(Order::of(&told.id)).or_insert_with(|| format!("\n{}", told.id));
        let _ = write!(block, "\n  {would} {}{}", short(&told.entity), planned(told));
    }

    fn gather(&self, trouble: Trouble, told: &RecordEvent) {
        // Which of several lines it was is told by the record itself.
        let mut reason = unnumbered(told.reason.as_deref().unwrap_or("no reason"));
        if let Some(place) = &told.place {
            let _ = write!(reason, "  ({}:{})", place.file, place.line);
        }
        self.gathered().reasons.entry((trouble, reason)).or_default().push(told.id.clone());
    }

    fn done(&self, done: &Done) {
        for block in std::mem::take(&mut self.gathered().blocks).into_values() {
            self.line(&wrapped(&block, COLUMNS));
        }
        let reasons = std::mem::take(&mut self.gathered().reasons);
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
        let calls = if done.calls == 1 { "1 call".to_owned() } else { format!("{} calls", done.calls) };
        if self.dry_run {
            let _ = match &done.ended {
                Some(_) => writeln!(
                    text,
                    "\nNothing was written, in {calls}. A run would end as this did, and come to:\n{what}"
                ),
                None => writeln!(text, "\nNothing was written, in {calls}. A run would come to:\n{what}"),
            };
        } else {
            let _ = writeln!(text, "{what}, {calls}");
        }
        if done.parked > 0 {
            let (records, wait) = if done.parked == 1 { ("record", "needs") } else { ("records", "need") };
            let _ = if self.dry_run {
                writeln!(text, "{} {records} would need a person", done.parked)
            } else {
                writeln!(text, "{} {records} {wait} a person: flowc records --state parked", done.parked)
            };
        }
        let text = text.trim_end();
        self.line(&if self.dry_run { wrapped(text, COLUMNS) } else { text.to_owned() });
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Records of one flow in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Order(String, Option<u64>, String);

impl Order {
    fn of(id: &str) -> Self {
        let (flow, key) = id.split_once(':').unwrap_or((id, ""));
        Self(flow.to_owned(), key.parse().ok(), key.to_owned())
    }
}

/// Lines that are too long go on below, further in.
pub(crate) fn wrapped(text: &str, columns: usize) -> String {
    let lines: Vec<String> = text.lines().map(|line| wrapped_line(line, columns)).collect();
    lines.join("\n")
}

fn wrapped_line(line: &str, columns: usize) -> String {
    let indent = line.chars().take_while(|c| *c == ' ').count() + 4;
    let (mut out, mut at) = (String::new(), 0);
    for word in line.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if at > indent && at + length > columns {
            out.truncate(out.trim_end().len());
            let _ = write!(out, "\n{:indent$}", "");
            at = indent;
        }
        out.push_str(word);
        at += word.chars().count();
    }
    out
}

/// A reason without the numbers of lines: `SalesOrderLines[2].Item` and `SalesOrderLines[0].Item` are one.
fn unnumbered(reason: &str) -> String {
    let mut out = String::with_capacity(reason.len());
    let mut rest = reason;
    while let Some((before, behind)) = rest.split_once('[') {
        out.push_str(before);
        match behind.split_once(']') {
            Some((number, after)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => rest = after,
            _ => {
                out.push('[');
                rest = behind;
            }
        }
    }
    out + rest
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
fn about(told: &RecordEvent) -> String {
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
fn planned(told: &RecordEvent) -> String {
    let name = told.target_number.as_ref().or(told.target_id.as_ref());
    let mut text = name.map(|name| format!(" {name}")).unwrap_or_default();
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
    for (field, from, to) in &told.shown_changes {
        let field = field.split('[').next().unwrap_or(field);
        let _ = write!(text, "\n    {field}: {} → {}", plain(from), plain(to));
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
        (alerts, if alerts == 1 { "alert" } else { "alerts" }),
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
    fn lines_of_a_document_are_one_reason() {
        assert_eq!(unnumbered("no item (in SalesOrderLines[12].Item)"), "no item (in SalesOrderLines.Item)");
        assert_eq!(unnumbered("a [b] and [1"), "a [b] and [1");
    }

    #[test]
    fn long_lines_go_on_below() {
        let line = "      - Item LAMP, Quantity 2";
        assert_eq!(wrapped_line(line, 80), line);
        assert_eq!(wrapped_line(line, 20), "      - Item LAMP,\n          Quantity 2");
        assert!(wrapped(&"word ".repeat(100), 80).lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn records_come_in_the_order_of_their_numbers() {
        let mut ids = ["orders:10", "orders:9", "big:1", "orders:x"];
        ids.sort_by_key(|id| Order::of(id));
        assert_eq!(ids, ["big:1", "orders:x", "orders:9", "orders:10"]);
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
        let told = RecordEvent { entity: "exact.SalesOrder".into(), shown: Some(body), ..RecordEvent::default() };
        assert_eq!(planned(&told), "\n    YourRef: 1001\n    SalesOrderLines\n      - Item LAMP, Quantity 2");
    }
}
