//! Why a document differs from its source: what the flow says, and what the log knows of when it was written.

use super::figures::Kept;
use super::gather::Source;
use super::report::in_cents;
use crate::engine::error::PassError;
use crate::engine::log::{AnswerEntry, Entry, StepEntry};
use crate::engine::pass::context::Pass;
use crate::engine::values::compare;
use crate::ir::Entity;
use rust_decimal::Decimal;
use serde_json::Value;
use std::sync::Arc;

/// Attempts that are looked through for what was written, the newest first.
const ATTEMPTS: usize = 20;

/// A document that differs.
pub(super) struct Case<'c> {
    pub(super) source: &'c Source,
    /// The schema of the document.
    pub(super) schema: &'c Entity,
    pub(super) id: &'c Arc<str>,
    pub(super) kept: &'c Kept,
    /// What its source says that it comes to, and in which currency.
    pub(super) total: Decimal,
    pub(super) currency: &'c str,
    /// What the flow books of that now, where it books something.
    pub(super) booked: Option<Decimal>,
    /// What the flow says of it by now, where it says something.
    pub(super) reason: Option<String>,
}

/// Why a document differs.
pub(super) async fn why(pass: &Pass, case: &Case<'_>) -> Result<String, PassError> {
    let mut told = Vec::new();
    let total = case.kept.total;
    let written = written(pass, case).await?;
    if *case.currency != *case.kept.currency {
        told.push(format!("its currency is {} there and {} in its source", case.kept.currency, case.currency));
    }
    match written {
        Some(written) if written.abs() != total.abs() => told.push(format!(
            "changed after it was written: it came to {} then, and comes to {} now",
            in_cents(written.abs()),
            in_cents(total.abs())
        )),
        _ if total != case.total && case.booked == Some(total) => told.push(format!(
            "the flow books {} of {}: what is missing stands in no line of its",
            in_cents(total),
            in_cents(case.total)
        )),
        Some(_) if total != case.total => {
            told.push(format!("written as it is, and its source comes to {} by now", in_cents(case.total)));
        }
        None if total != case.total => told.push("changed on one side since it was written".to_owned()),
        Some(_) | None if told.is_empty() => {
            told.push("its lines stand under other codes than the flow gives them now".to_owned());
        }
        Some(_) | None => {}
    }
    let before = case.source.before.as_ref();
    let alerts = before.into_iter().flat_map(|row| row.alerts.iter().cloned());
    for more in case.reason.iter().cloned().chain(alerts) {
        if !told.contains(&more) {
            told.push(more);
        }
    }
    Ok(told.join("; "))
}

/// The total that the target answered when we wrote the document last, as far as the log goes back.
async fn written(pass: &Pass, case: &Case<'_>) -> Result<Option<Decimal>, PassError> {
    let (Some(total), Some(key)) = (case.schema.total, case.schema.key) else { return Ok(None) };
    let (total, key) = (&case.schema.get(total).wire, &case.schema.get(key).wire);
    let now = pass.source()?.now();
    let attempts = pass.store().attempts(&pass.flow().name, &case.source.key, ATTEMPTS, now).await?;
    for attempt in attempts.iter().rev() {
        // An entry that cannot be read tells nothing, and stops nothing.
        let Ok(entry) = Entry::read(attempt) else { continue };
        let answer = |answer: &AnswerEntry| {
            let (AnswerEntry::Record { record: Some(row), .. } | AnswerEntry::Read { read: row, .. }) = answer else {
                return None;
            };
            let own = row.get(&**key).and_then(Value::as_str)?;
            own.eq_ignore_ascii_case(case.id).then(|| row.get(&**total).and_then(compare::number)).flatten()
        };
        if let Some(total) = entry.answers.iter().rev().find_map(answer) {
            return Ok(Some(total));
        }
        // What was answered before tells nothing of what this attempt has made of the document.
        let is_write = |step: &StepEntry| match step {
            StepEntry::Sent { entity, .. } | StepEntry::Interrupted { entity, .. } => {
                *entity == case.schema.full_name()
            }
            StepEntry::Skipped { .. } => false,
        };
        if entry.steps.iter().any(is_write) {
            return Ok(None);
        }
    }
    Ok(None)
}
