//! `flowc records`, `show`, `retry`, `skip`, `status`: what the store says, and what a person decides.

use super::moment::Moments;
use super::open::{Answers, open};
use super::screen::{Paint, Screen};
use super::store::Stored;
use super::{Answer, Format, Global, Outcome, Trouble, runtime, store};
use crate::engine::Engine;
use crate::engine::operate::{Listed, Shown};
use crate::store::{RecordFilter, State};
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use std::fmt::Write as _;
use std::sync::Arc;

/// The arguments of `records`.
#[derive(Debug, clap::Args)]
pub(crate) struct RecordsArguments {
    /// Only records of this flow.
    #[arg(value_name = "FLOW")]
    flow: Option<String>,
    /// Only records in this state; may be given several times.
    #[arg(long, value_name = "STATE")]
    state: Vec<StateName>,
    #[command(flatten)]
    stored: Stored,
}

/// States by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum StateName {
    Written,
    Skipped,
    Waiting,
    Parked,
}

impl From<StateName> for State {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Written => Self::Written,
            StateName::Skipped => Self::Skipped,
            StateName::Waiting => Self::Waiting,
            StateName::Parked => Self::Parked,
        }
    }
}

/// The arguments of `show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArguments {
    /// The record: FLOW:KEY, such as `orders:1001`.
    #[arg(value_name = "ID")]
    id: String,
    /// Also what made each field of what was written.
    #[arg(long)]
    why: bool,
    /// At most so many attempts, the newest.
    #[arg(long, value_name = "N", default_value_t = 20)]
    attempts: usize,
    #[command(flatten)]
    stored: Stored,
}

/// The arguments of `retry`.
#[derive(Debug, clap::Args)]
pub(crate) struct RetryArguments {
    /// The records: FLOW:KEY, such as `orders:1001`.
    #[arg(value_name = "ID", required_unless_present = "parked")]
    ids: Vec<String>,
    /// All that are parked.
    #[arg(long)]
    parked: bool,
    #[command(flatten)]
    stored: Stored,
}

/// The arguments of `skip`.
#[derive(Debug, clap::Args)]
pub(crate) struct SkipArguments {
    /// The record: FLOW:KEY, such as `orders:1001`.
    #[arg(value_name = "ID")]
    id: String,
    /// Why; kept with the record.
    #[arg(long, value_name = "TEXT", default_value = "left out by a person")]
    reason: String,
    #[command(flatten)]
    stored: Stored,
}

/// The arguments of `status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    stored: Stored,
}

/// Lists records, one object a line for programs.
pub(crate) fn list(screen: &Screen, global: &Global, arguments: &RecordsArguments) -> Answer {
    with_engine(screen, global, (&arguments.stored, "records"), async |engine| {
        let flow = arguments.flow.as_deref().map(|flow| engine.record_id(&format!("{flow}:"))).transpose()?;
        let mut filter = RecordFilter {
            flow: flow.map(|id| id.flow),
            states: arguments.state.iter().map(|state| (*state).into()).collect(),
            ..RecordFilter::default()
        };
        let moments = Moments::of(engine.program());
        let mut table = table(["record", "state", "since", "what it became, or why not"]);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(Screen::out_columns());
        let mut any = false;
        loop {
            let (records, next) = engine.records(&filter).await?;
            for record in &records {
                any = true;
                match screen.format() {
                    Format::Human => drop(table.add_row(row(record, &moments))),
                    Format::Json | Format::Sarif => Screen::answer(&json(record)?)?,
                }
            }
            if next.is_none() {
                break;
            }
            filter.after = next;
        }
        if screen.format() == Format::Human {
            Screen::answer(&if any { table.to_string() } else { "no records".into() })?;
        }
        Ok(Outcome::Done)
    })
}

/// Shows what was tried for a record.
pub(crate) fn show(screen: &Screen, global: &Global, arguments: &ShowArguments) -> Answer {
    let workspace = open(screen, global, &Answers::default())?;
    runtime()?.block_on(async {
        let store = store::of(workspace.root(), arguments.stored.store.as_deref(), "show")?;
        let engine = workspace.engine(Arc::clone(&store), Vec::new());
        let shown = engine.show(&arguments.id, arguments.attempts, Timestamp::now()).await?;
        let (whys, then) = if arguments.why {
            workspace.whys(&store, &arguments.id, Timestamp::now()).await?
        } else {
            (Vec::new(), None)
        };
        let workspace = then.unwrap_or(workspace);
        match screen.format() {
            Format::Human => {
                Screen::answer(&for_people(screen, &shown, &Moments::of(workspace.program())))?;
                for why in &whys {
                    Screen::answer(&super::why::for_people(screen, &workspace, why))?;
                }
            }
            Format::Json | Format::Sarif => {
                let mut text = json(&shown)?;
                if arguments.why {
                    let whys: Vec<serde_json::Value> =
                        whys.iter().map(|why| super::why::json(&workspace, why)).collect();
                    text.pop();
                    let _ = write!(text, ",\"why\":{}}}", serde_json::Value::from(whys));
                }
                Screen::answer(&text)?;
            }
        }
        Ok(Outcome::Done)
    })
}

/// Lets records be tried again with the next run.
pub(crate) fn retry(screen: &Screen, global: &Global, arguments: &RetryArguments) -> Answer {
    with_engine(screen, global, (&arguments.stored, "retry"), async |engine| {
        let mut ids = arguments.ids.clone();
        if arguments.parked {
            let mut filter = RecordFilter { states: vec![State::Parked], ..RecordFilter::default() };
            loop {
                let (records, next) = engine.records(&filter).await?;
                ids.extend(records.into_iter().map(|record| record.id));
                if next.is_none() {
                    break;
                }
                filter.after = next;
            }
        }
        for id in &ids {
            engine.retry(id, Timestamp::now()).await?;
            decided(screen, id, "will be tried again with the next run")?;
        }
        Ok(Outcome::Done)
    })
}

/// Leaves a record out until it changes in its source.
pub(crate) fn skip(screen: &Screen, global: &Global, arguments: &SkipArguments) -> Answer {
    with_engine(screen, global, (&arguments.stored, "skip"), async |engine| {
        engine.skip(&arguments.id, &arguments.reason, Timestamp::now()).await?;
        decided(screen, &arguments.id, "is left out until it changes")?;
        Ok(Outcome::Done)
    })
}

/// All flows at a glance.
pub(crate) fn status(screen: &Screen, global: &Global, arguments: &StatusArguments) -> Answer {
    with_engine(screen, global, (&arguments.stored, "status"), async |engine| {
        let flows = engine.status().await?;
        if screen.format() != Format::Human {
            Screen::answer(&json(&flows)?)?;
            return Ok(Outcome::Done);
        }
        let mut table = table(["flow", "on", "written", "skipped", "waiting", "parked", "open writes"]);
        for flow in &flows {
            let on = if flow.on { "yes" } else { "no" };
            table.add_row([
                flow.flow.clone(),
                on.to_owned(),
                flow.written.to_string(),
                flow.skipped.to_string(),
                flow.waiting.to_string(),
                flow.parked.to_string(),
                flow.open_writes.to_string(),
            ]);
        }
        Screen::answer(&table.to_string())?;
        Ok(Outcome::Done)
    })
}

/// Does something, for this command, with what the project's store has; no system is asked.
pub(crate) fn with_engine(
    screen: &Screen,
    global: &Global,
    (stored, command): (&Stored, &str),
    does: impl AsyncFnOnce(&Engine) -> Answer,
) -> Answer {
    let workspace = open(screen, global, &Answers::default())?;
    runtime()?.block_on(async {
        let engine = workspace.engine(store::of(workspace.root(), stored.store.as_deref(), command)?, Vec::new());
        does(&engine).await
    })
}

fn decided(screen: &Screen, id: &str, what: &str) -> Result<(), Trouble> {
    match screen.format() {
        Format::Human => Screen::tell(&format!("{id} {what}")),
        Format::Json | Format::Sarif => Screen::answer(&serde_json::json!({ "id": id, "done": what }).to_string())?,
    }
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Trouble> {
    serde_json::to_string(value).map_err(|e| Trouble::Bug(format!("an answer has no form as JSON: {e}")))
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}

fn row(record: &Listed, moments: &Moments) -> [String; 4] {
    [record.id.clone(), word(record.state).to_owned(), moments.minute(record.updated), what(record)]
}

/// What a record became, by what people call it, and why.
fn what(record: &Listed) -> String {
    let target = record.target.as_ref().map(|target| {
        let entity = target.entity.rsplit('.').next().unwrap_or(&target.entity);
        format!("{entity} {}", record.target_number.as_ref().unwrap_or(&target.id))
    });
    let reason = record.reason.as_ref().map(|reason| match &record.place {
        Some(place) => format!("{reason} ({}:{})", place.file, place.line),
        None => reason.clone(),
    });
    let told = record.alerts.iter().map(|alert| format!("told: {alert}"));
    target.into_iter().chain(reason).chain(told).collect::<Vec<_>>().join(": ")
}

fn word(state: State) -> &'static str {
    match state {
        State::Written => "written",
        State::Skipped => "skipped",
        State::Waiting => "waiting",
        State::Parked => "parked",
    }
}

fn for_people(screen: &Screen, shown: &Shown, moments: &Moments) -> String {
    let mut text = screen.paint(&shown.id, Paint::Bold);
    if let Some(record) = &shown.record {
        let since = moments.second(record.updated);
        let _ = write!(text, "  {} since {since}  {}", word(record.state), what(record));
    }
    text.push('\n');
    for attempt in &shown.attempts {
        let _ =
            writeln!(text, "\n{}  version {}", screen.paint(&moments.second(attempt.at), Paint::Bold), attempt.version);
        let parts = [
            ("source", &attempt.raw),
            ("found", &attempt.found),
            ("drafts", &attempt.drafts),
            ("steps", &attempt.steps),
            ("answers", &attempt.answers),
        ];
        for (name, raw) in parts {
            let pretty = serde_json::from_str::<serde_json::Value>(raw.get())
                .and_then(|value| serde_json::to_string_pretty(&value))
                .unwrap_or_else(|_| raw.get().to_owned());
            let _ = writeln!(text, "  {name}");
            for line in pretty.lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    text
}
