//! Rows of a flow's source: what is read of it, what stands for a row without a key, and what the store says of each.

use crate::connector::{Position, Raw, Scan, Unreadable};
use crate::engine::error::PassError;
use crate::engine::hash::hash;
use crate::engine::pass::context::Pass;
use crate::engine::record::item::Item;
use crate::engine::values::content::same_version;
use crate::engine::values::text::{parts_of, scalar};
use crate::limits;
use crate::store::{RecordRow, SourceVersion, State};
use jiff::Timestamp;
use std::sync::Arc;

/// Under which name a unit of gathered changes keeps the key of the record that changed last.
const OWN: &str = "its own key";

/// The keys under which the source knows these records: where changes are gathered, those of the records that changed last.
pub(crate) async fn own_keys(pass: &Pass, keys: &[String]) -> Result<Vec<String>, PassError> {
    if pass.flow().per.is_none() {
        return Ok(keys.to_vec());
    }
    let mut own = Vec::with_capacity(keys.len());
    for key in keys {
        let before = pass.store().record(&pass.flow().name, key).await?;
        let part = before.and_then(|before| before.parts.into_iter().find(|(name, _)| name == OWN));
        own.push(part.map_or_else(|| key.clone(), |(_, own)| own));
    }
    Ok(own)
}

/// The unit that a record's change belongs to, where changes are gathered.
fn gathered(pass: &Pass, row: &serde_json::Value) -> Option<Arc<str>> {
    let by = pass.program().entity(pass.flow().source).get(pass.flow().per?);
    row.get(&*by.wire).map(scalar).filter(|unit| !unit.is_empty()).map(Arc::from)
}

/// How the made-up key of a record begins that has none of its own.
pub(crate) const KEYLESS: &str = "unreadable-";

/// What is read of the flow's source.
pub(crate) fn scan(pass: &Pass, since: Option<Timestamp>, only: Vec<String>) -> Scan {
    let flow = pass.flow();
    // Records that are named are looked at whatever they are now: the flow's own filter decides.
    let filter = if only.is_empty() { pass.evaluator().filter(pass.flow) } else { Vec::new() };
    Scan { entity: pass.entity(flow.source), fields: pass.fields(flow.source), filter, since, only }
}

/// Whether a waiting record is to be tried now. No pause is that long: a clock was set back meanwhile.
pub(crate) fn is_due(row: &RecordRow, now: Timestamp) -> bool {
    row.due.is_none_or(|due| due <= now || due.duration_since(now).as_secs() > limits::WAIT_SECONDS_MAX)
}

/// Why records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They have changed.
    Feed,
    /// They are to be tried again.
    Again,
    /// They may have changed without the flow's feed telling it.
    Look,
    /// What became of them has changed.
    Became,
}

/// A row of the source that cannot be read.
pub(crate) struct Broken {
    /// Its key; one of ours where it shows none.
    pub(crate) key: Arc<str>,
    pub(crate) text: Arc<str>,
    pub(crate) content: String,
    pub(crate) why: String,
    /// Where the page begins that it stands in: nothing else leads back to a row without a key.
    pub(crate) page: String,
}

/// Rows that cannot be read, of the page that begins there; those that show no key get one of ours.
pub(crate) fn keyed(rows: Vec<Unreadable>, page: &Position) -> Vec<Broken> {
    let keyed = |row: Unreadable| {
        let text = row.text.unwrap_or_default();
        let content = hash(if text.is_empty() { row.why.as_bytes() } else { text.as_bytes() });
        let shown = row.key.filter(|key| !key.is_empty());
        let page = if shown.is_none() { row.page.as_ref().unwrap_or(page).0.clone() } else { String::new() };
        let key = shown.unwrap_or_else(|| format!("{KEYLESS}{}", &content[..16])).into();
        Broken { key, text, content, why: row.why, page }
    };
    rows.into_iter().map(keyed).collect()
}

/// A record as it was read.
pub(crate) async fn item(pass: &Pass, raw: Raw, now: Timestamp) -> Result<Item, PassError> {
    let row: serde_json::Value = serde_json::from_str(&raw.0).unwrap_or_default();
    let whole = || hash(raw.0.as_bytes());
    let content_hash = if row.is_object() { pass.content.hash(pass.program(), &row) } else { whole() };
    // What can't be read keeps its own key if that much is plain; without a key its content stands for it.
    let schema = pass.program().entity(pass.flow().source);
    let plain = || schema.key.and_then(|key| row.get(&*schema.get(key).wire)).map(scalar);
    let key =
        pass.evaluator().key_of(pass.flow, &raw.0).ok().or_else(|| plain().filter(|k| !k.is_empty()).map(Arc::from));
    let key = key.unwrap_or_else(|| format!("{KEYLESS}{}", &whole()[..16]).into());
    let version = version(pass, &row);
    let mut parts = parts_of(schema, &row);
    let key = match gathered(pass, &row) {
        Some(unit) => {
            parts.push((OWN.to_owned(), key.to_string()));
            unit
        }
        None => key,
    };
    let before = pass.store().record(&pass.flow().name, &key).await?;
    // A record keeps the day of its first try, whenever it is looked at again; what is gathered is new each time.
    let first = before.as_ref().filter(|_| pass.flow().per.is_none()).map(|before| before.first);
    let now = first.unwrap_or(now);
    Ok(Item { entity: source_name(pass), key, raw: raw.0, content_hash, version, parts, before, now })
}

pub(crate) fn source_name(pass: &Pass) -> Arc<str> {
    pass.program().entity(pass.flow().source).full_name().into()
}

/// The source's mark of a version; empty where it gives none.
fn version(pass: &Pass, row: &serde_json::Value) -> String {
    let entity = pass.program().entity(pass.flow().source);
    let mark = entity.feed.as_ref().and_then(|feed| row.get(&*entity.get(feed.by).wire));
    mark.map(scalar).unwrap_or_default()
}

/// Whether another version of it was read before whose mark is later. Marks of one form are compared as texts.
pub(crate) fn is_older(item: &Item) -> bool {
    item.before.as_ref().is_some_and(|before| {
        before.content_hash != item.content_hash
            && before.version.len() == item.version.len()
            && before.version > item.version
    })
}

/// What the store says of a record that was read.
pub(crate) enum Seen {
    New,
    /// Settled just so: nothing is to be done, and nothing is called.
    Unchanged,
    /// Parked or waiting just so: it has been told.
    Quiet,
}

pub(crate) fn settled(pass: &Pass, item: &Item, mode: Mode, now: Timestamp) -> Seen {
    let Some(before) = &item.before else { return Seen::New };
    let forced = matches!(mode, Mode::Again | Mode::Became) || !pass.options.only.is_empty();
    if before.state == State::Skipped && before.left_out {
        let then = SourceVersion {
            content: before.content_hash.clone(),
            mark: before.version.clone(),
            ..item.source_version()
        };
        return if same_version(&then, &item.source_version()) { Seen::Unchanged } else { Seen::New };
    }
    if before.content_hash != item.content_hash || before.plan_hash != pass.project.plan_hash {
        return Seen::New;
    }
    match before.state {
        // Whoever looks for this knows an echo from somebody else's change.
        State::Written | State::Skipped if mode == Mode::Became => Seen::New,
        // What this very pass has written comes back as an echo.
        State::Written | State::Skipped if before.updated >= pass.began => Seen::Quiet,
        State::Written | State::Skipped => Seen::Unchanged,
        // It was tried a moment ago, with what it became as it is now.
        State::Parked | State::Waiting if mode == Mode::Became && before.updated >= pass.began => Seen::Quiet,
        State::Parked | State::Waiting if forced => Seen::New,
        State::Waiting if is_due(before, now) => Seen::New,
        State::Parked | State::Waiting => Seen::Quiet,
    }
}
