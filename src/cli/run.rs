//! `flowc run`: one pass of flows, reported as it happens.

use super::answer::Busy;
use super::moment::Moments;
use super::moved;
use super::open::{self, Answers, open};
use super::screen::Screen;
use super::tell::{Lines, Teller};
use super::{Answer, Format, Global, Outcome, Trouble, interrupted, runtime};
use crate::engine::{Cancel, Counts, PassError, PassOptions, Summary};
use crate::workspace::{in_order, key_of};
use jiff::Timestamp;
use jiff::civil::Date;
use std::path::PathBuf;

/// The arguments of `run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The flows: `orders`, `module.flow`, or a module for all of its flows that are on; without any, all that are on.
    #[arg(value_name = "FLOW")]
    pub(crate) flows: Vec<String>,
    /// Read both sides and print each create and each update, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Everything that changed since then, whatever was read before: a date, or an instant such as 2026-01-31T10:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only this record; may be given several times.
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,
    /// End with 0 where all that needs a person needed one before this run: for a mail from a crontab.
    #[arg(long)]
    pub(crate) quiet_known: bool,
    #[command(flatten)]
    pub(crate) answers: Answers,
    /// The store, instead of the project's .flowc/store.redb.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
}

/// Runs the pass.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    pass(screen, global, arguments, Lines::All)
}

/// Runs a pass and tells these of its records.
pub(crate) fn pass(screen: &Screen, global: &Global, arguments: &Arguments, lines: Lines) -> Answer {
    let workspace = open(screen, global, &arguments.answers)?;
    match moved::moved(workspace.root(), || workspace.defaults())? {
        Some(moved) if arguments.dry_run => Screen::tell(&format!("warning: {moved}; a run refuses to go on")),
        Some(moved) => return Err(Trouble::Misuse(moved)),
        None => {}
    }
    let flows = in_order(workspace.program(), &arguments.flows)?;
    let options = PassOptions {
        dry_run: arguments.dry_run,
        only: arguments.only.iter().map(|id| key_of(&flows, id)).collect(),
        since: arguments
            .since
            .as_deref()
            .map(|since| moment(since, workspace.program().zone.as_deref()))
            .transpose()?,
    };
    let summary = runtime()?.block_on(async {
        let engine = open::engine(&workspace, arguments.store.as_deref(), "run").await?;
        let cancel = Cancel::default();
        let teller = Teller::new(screen, Moments::of(workspace.program()), lines, options.dry_run);
        let telling = |event| teller.tell(&event);
        let stopped = async {
            interrupted().await;
            cancel.cancel();
            teller.say("stopping behind the calls that are under way; once more stops at once");
            interrupted().await;
        };
        let summary = tokio::select! {
            summary = engine.pass(&flows, &options, &telling, &cancel) => summary,
            never = teller.tell_pauses(&engine) => match never {},
            // As after a power cut: the next run clears up what has no outcome.
            () = stopped => Ok(Summary { endings: vec![(flows.join(", "), PassError::Cancelled)], ..Summary::default() }),
        };
        teller.end();
        for (name, remark) in engine.remarks() {
            teller.say(&format!("{name}: {remark}"));
        }
        summary.map_err(|ending| trouble(&ending))
    });
    match summary {
        // The one under way does what any run does, and nothing that was asked for besides.
        Err(Trouble::Busy(busy)) if options == PassOptions::default() && arguments.answers.set.is_empty() => {
            overlaps(screen, busy)
        }
        summary => ended(screen, &summary?, arguments.quiet_known, options == PassOptions::default()),
    }
}

/// Another run has the store: it reads what changed until it ends, so there is nothing left to do here. Somebody else has
/// it: then nothing is read at all, and that is told as trouble.
fn overlaps(screen: &Screen, busy: Box<Busy>) -> Answer {
    let Some(owner) = busy.runner() else { return Err(Trouble::Busy(busy)) };
    let reason = format!("another run is under way: {owner}");
    match screen.format() {
        Format::Human => Screen::tell(&format!("{reason}; this one leaves the work to it")),
        Format::Json | Format::Sarif => {
            let (process, since) = (owner.process, owner.since);
            let busy = serde_json::json!({ "event": "busy", "reason": reason, "process": process, "since": since });
            Screen::answer(&busy.to_string())?;
            // How many records need a person only the run under way can tell.
            let done = serde_json::json!({ "event": "done", "counts": Counts::default(), "calls": 0, "ended": reason });
            Screen::answer(&done.to_string())?;
        }
    }
    Ok(Outcome::Done)
}

/// The exit code that a summary earns, and what is to be told about flows that ended early. A whole pass speaks of all
/// records, another one of those that it looked at.
fn ended(screen: &Screen, summary: &Summary, quiet_known: bool, whole: bool) -> Answer {
    for (flow, ending) in summary.endings.iter().skip(1) {
        screen.complain(&format!("{flow}: {ending}"));
    }
    if let Some((flow, ending)) = summary.endings.first() {
        return match ending {
            PassError::Cancelled => {
                screen.complain(&ending.to_string());
                Ok(Outcome::Wrong)
            }
            _ => Err(match trouble(ending) {
                Trouble::Unreachable(why) => Trouble::Unreachable(format!("{flow}: {why}")),
                Trouble::Misuse(why) => Trouble::Misuse(format!("{flow}: {why}")),
                other => other,
            }),
        };
    }
    let parked = match (quiet_known, whole) {
        (true, _) => summary.newly_parked,
        (false, true) => summary.parked,
        (false, false) => summary.counts.parked,
    };
    Ok(if parked > 0 || summary.counts.alerts > 0 { Outcome::Wrong } else { Outcome::Done })
}

/// Why a pass that ended early could not do its work.
pub(crate) fn trouble(ending: &PassError) -> Trouble {
    match ending {
        PassError::Later(_) | PassError::Login(_) => Trouble::Unreachable(ending.to_string()),
        PassError::Store(error) => error.clone().into(),
        PassError::Project(_) | PassError::Cancelled => Trouble::Misuse(ending.to_string()),
        PassError::Bug(_) => Trouble::Bug(ending.to_string()),
    }
}

fn moment(text: &str, zone: Option<&str>) -> Result<Timestamp, Trouble> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let day = text.parse::<Date>().ok().and_then(|day| day.in_tz(zone.unwrap_or("UTC")).ok());
    day.map(|day| day.timestamp()).ok_or_else(|| {
        Trouble::Misuse(format!("`{text}` is no time: write a day, 2026-01-31, or an instant, 2026-01-31T10:00:00Z"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_in_the_projects_zone() {
        let at = moment("2026-01-31", Some("Europe/Amsterdam")).expect("a day");
        assert_eq!(at.to_string(), "2026-01-30T23:00:00Z");
        assert!(moment("yesterday", None).is_err());
    }
}
