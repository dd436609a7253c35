//! What comes of a record by one evaluation, and where it differs from what other texts make of the same record.

use super::project::Workspace;
use crate::eval::{Action, Draft, Evaluated, Failure, FieldWhen, Pending, Why, body};
use crate::ir::{Program, Stop};
use crate::source::Span;
use crate::store::Place;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What comes of a record, or of a statement of a test.
#[derive(Clone, Debug)]
pub struct RecordOutcome {
    /// The flow, or the statement.
    of: String,
    /// How it ends: it is written, or it stops, and why.
    end: String,
    /// The line that says so.
    end_at: Option<Span>,
    /// What is written, in its order.
    writes: Vec<DraftWrite>,
    /// What a person is told.
    alerts: Vec<String>,
}

#[derive(Clone, Debug)]
struct DraftWrite {
    mapping: Arc<str>,
    does: String,
    body: String,
    place: Span,
    /// The lines of its fields, by the ways to them.
    fields: Vec<(String, Span)>,
}

/// What a difference is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// A field of a payload.
    Field,
    /// What is done with a record of the target, or whether it is.
    Write,
    /// Whether anything is written at all, or the reason why not.
    End,
    /// What a person is told.
    Alert,
}

/// Where two evaluations of one record differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What it is one of.
    pub what: DifferenceKind,
    /// The mapping or the flow.
    pub of: String,
    /// The way to the field within it; empty for what is none.
    pub field: String,
    /// What it was; none: it was not there.
    pub was: Option<Value>,
    /// What it is now.
    pub now: Option<Value>,
    /// The lines that decide it, then and now.
    pub at: [Option<Place>; 2],
}

impl RecordOutcome {
    /// What a record of a flow comes to; none where something must be known first.
    pub fn of(program: &Program, flow: &str, evaluated: &Evaluated) -> Option<Self> {
        match evaluated {
            Evaluated::Needs(_) => None,
            Evaluated::Filtered => Some(Self::left_out(flow)),
            Evaluated::Stopped(stop, failure, told) => {
                let alerts = told.iter().map(|(text, _)| text.clone()).collect();
                Some(Self { alerts, ..Self::stopped(flow, *stop, failure) })
            }
            Evaluated::WriteSet(unit) => {
                let alerts = unit.alerts.iter().map(|(text, _)| text.clone()).collect();
                Some(Self::written(program, flow, &unit.drafts, alerts))
            }
        }
    }

    /// Drafts, and what a person is told.
    pub fn written(program: &Program, of: &str, drafts: &[Draft], alerts: Vec<String>) -> Self {
        let writes = drafts.iter().map(|draft| DraftWrite::of(program, draft)).collect();
        Self { of: of.to_owned(), end: "it is written".to_owned(), end_at: None, writes, alerts }
    }

    /// The filter of a flow leaves the record out.
    pub fn left_out(of: &str) -> Self {
        Self::ended(of, "the filter of the flow leaves it out".to_owned(), None)
    }

    /// It stops.
    pub fn stopped(of: &str, stop: Stop, failure: &Failure) -> Self {
        let place = Some(failure.place).filter(|place| place.end > 0);
        Self::ended(of, format!("it {}: {}", stop.word(), failure.reason), place)
    }

    /// A value that is no payload.
    pub fn value(of: &str, value: String) -> Self {
        Self::ended(of, value, None)
    }

    fn ended(of: &str, end: String, end_at: Option<Span>) -> Self {
        Self { of: of.to_owned(), end, end_at, writes: Vec::new(), alerts: Vec::new() }
    }
}

impl DraftWrite {
    /// All that a mapping says of the record that it makes or changes, whether or not that is there already.
    fn of(program: &Program, draft: &Draft) -> Self {
        let further = program.entries_of(program.entity(draft.entity));
        let (does, made) = match &draft.action {
            Action::Create | Action::After(_) => ("create".to_owned(), draft.create_body(further)),
            Action::Found { .. } | Action::Itself { .. } => {
                let sent = draft.fields.iter().filter(|field| field.when != FieldWhen::Create);
                ("update".to_owned(), body(further, sent.map(|field| (&*field.path, field.json.as_str()))))
            }
            Action::Delete { .. } => ("delete".to_owned(), String::new()),
            Action::Leave(stop, reason, _) => (format!("left alone, it {}: {reason}", stop.word()), String::new()),
        };
        let fields = draft.fields.iter().map(|field| (field.path.join("."), field.place)).collect();
        let mapping = Arc::clone(&draft.made.name);
        Self { mapping, does, body: Pending::shown(&made).into_owned(), place: draft.place, fields }
    }

    fn read(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The line of a field: its own, or that of the part or the list that it stands in.
    fn line(&self, way: &str) -> Option<Span> {
        let within =
            |name: &str| way.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        let found = self.fields.iter().filter(|(name, _)| within(name)).max_by_key(|(name, _)| name.len());
        found.map(|(_, place)| *place)
    }
}

/// Two sides of one thing: the project with the defaults that it was made with, and with those of now.
pub struct Sides<'w>(pub [&'w Workspace; 2]);

impl Sides<'_> {
    /// Where what came of a record differs. `whys` tells of each side which line made each field; it is asked only where
    /// something does differ.
    pub fn differences(&self, came: [&[RecordOutcome]; 2], whys: impl FnOnce() -> [Vec<Why>; 2]) -> Vec<Difference> {
        let mut found = Vec::new();
        for (was, now) in came[0].iter().zip(came[1]) {
            self.of_one(was, now, &mut found);
        }
        if found.iter().any(|difference: &Difference| difference.what == DifferenceKind::Field) {
            self.locate(&mut found, &whys());
        }
        found
    }

    fn of_one(&self, was: &RecordOutcome, now: &RecordOutcome, found: &mut Vec<Difference>) {
        let text = |text: &String| Some(Value::from(text.as_str()));
        let mut add = |what, of: &str, field: String, values: [Option<Value>; 2], at: [Option<Span>; 2]| {
            let at = [0, 1].map(|n| at[n].and_then(|span| self.0[n].place(span)));
            let [was, now] = values;
            let same = |known: &Difference| {
                known.what == what && *known.of == *of && known.field == field && known.was == was && known.now == now
            };
            // What is known before and after the writes of a record is looked at both: one difference is told once.
            if !found.iter().any(same) {
                found.push(Difference { what, of: of.to_owned(), field, was, now, at });
            }
        };
        if was.end != now.end {
            let values = [text(&was.end), text(&now.end)];
            add(DifferenceKind::End, &now.of, String::new(), values, [was.end_at, now.end_at]);
            // What is written on one side only is no news beside that.
            return;
        }
        for (one, other, new) in [(was, now, false), (now, was, true)] {
            for alert in one.alerts.iter().filter(|alert| !other.alerts.contains(alert)) {
                let values = if new { [None, text(alert)] } else { [text(alert), None] };
                add(DifferenceKind::Alert, &one.of, String::new(), values, [None, None]);
            }
        }
        for (one, other) in pairs(&was.writes, &now.writes) {
            match (one, other) {
                (Some(one), Some(other)) => {
                    if one.does != other.does {
                        let values = [text(&one.does), text(&other.does)];
                        add(
                            DifferenceKind::Write,
                            &other.mapping,
                            String::new(),
                            values,
                            [Some(one.place), Some(other.place)],
                        );
                    }
                    if one.body != other.body {
                        let mut ways = Vec::new();
                        fields("", Some(&one.read()), Some(&other.read()), &mut ways);
                        for (way, values) in ways {
                            let at = [one.line(&way), other.line(&way)];
                            add(DifferenceKind::Field, &other.mapping, way, values, at);
                        }
                    }
                }
                (one, other) => {
                    let value = |write: &DraftWrite| json!({ &*write.does: write.read() });
                    let Some(write) = one.or(other) else { continue };
                    let at = [one.map(|write| write.place), other.map(|write| write.place)];
                    let values = [one.map(value), other.map(value)];
                    add(DifferenceKind::Write, &write.mapping, String::new(), values, at);
                }
            }
        }
    }

    /// The line that made a field goes before that of the list or the part around it; where that line is the same, the row
    /// of the table that it found does.
    fn locate(&self, found: &mut [Difference], whys: &[Vec<Why>; 2]) {
        let by_name = |whys: &'_ [Why]| -> BTreeMap<String, usize> {
            whys.iter().enumerate().rev().map(|(n, why)| (why.field.clone(), n)).collect()
        };
        let named = [by_name(&whys[0]), by_name(&whys[1])];
        for difference in found.iter_mut().filter(|difference| difference.what == DifferenceKind::Field) {
            let short = difference.of.rsplit('.').next().unwrap_or_default();
            let name = format!("{short}.{}", difference.field);
            let why = [0, 1].map(|n| named[n].get(&name).map(|at| &whys[n][*at]));
            let said = |n: usize, span: Span| self.0[n].sources().text(span).to_owned();
            let rows = [0, 1].map(|n| why[n].and_then(|why| why.row.as_ref().map(|(_, row)| *row)));
            let same_line = match why {
                [Some(was), Some(now)] => said(0, was.place) == said(1, now.place),
                _ => false,
            };
            let by_row = same_line && rows[0].map(|row| said(0, row)) != rows[1].map(|row| said(1, row));
            for n in [0, 1] {
                let line = why[n].map(|why| rows[n].filter(|_| by_row).unwrap_or(why.place));
                if let Some(place) = line.and_then(|line| self.0[n].place(line)) {
                    difference.at[n] = Some(place);
                }
            }
        }
    }
}

/// The writes of both sides, those of one mapping by their order.
fn pairs<'w>(was: &'w [DraftWrite], now: &'w [DraftWrite]) -> Vec<(Option<&'w DraftWrite>, Option<&'w DraftWrite>)> {
    let mut left: Vec<&DraftWrite> = now.iter().collect();
    let mut all = Vec::new();
    for write in was {
        let same = left.iter().position(|other| other.mapping == write.mapping);
        all.push((Some(write), same.map(|n| left.remove(n))));
    }
    all.extend(left.into_iter().map(|write| (None, Some(write))));
    all
}

/// Each value that differs, with the way to it.
fn fields(way: &str, was: Option<&Value>, now: Option<&Value>, found: &mut Vec<(String, [Option<Value>; 2])>) {
    match (was, now) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let added = b.keys().filter(|name| !a.contains_key(*name));
            for name in a.keys().chain(added) {
                let dot = if way.is_empty() { "" } else { "." };
                fields(&format!("{way}{dot}{name}"), a.get(name), b.get(name), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for n in 0..a.len().max(b.len()) {
                fields(&format!("{way}[{n}]"), a.get(n), b.get(n), found);
            }
        }
        (was, now) if was == now => {}
        (was, now) => found.push((way.to_owned(), [was.cloned(), now.cloned()])),
    }
}
