//! The systems at either end: one small door for all of them. A connector moves bytes: it knows paging, login, limits,
//! filters and errors of its API, and no mapping. It never repeats a write: what is tried again is the engine's decision.
//!
//! In: what is to be read, found or written, in the schema's terms. Out: raw records, an answer, or a [`CallError`].

mod asked;
mod budget;
mod clock;
mod entries;
mod error;
mod exact;
mod file;
mod http;
mod json;
mod proof;
mod response;
mod retry;
mod steady;
mod window;
mod woocommerce;

pub use asked::{Condition, Find, One, Position, Scan, Write};
pub use entries::{OpenError, Secrets};
pub use error::CallError;
pub use exact::{Consent, consent};
pub use file::File;
pub use http::Timing;

use crate::ir::{Connection, Connector as Habits, Entity};
use crate::store::{Reading, Store};
use std::sync::Arc;

/// Seconds before the last change seen at which the next pass begins, where the declaration does not say: a record has its
/// time of change before it is saved, and several servers of one system have several clocks.
const OVERLAP_SECONDS: u32 = 600;

/// Opens a connection. A sandbox's clock is asked for the time; the system itself is not called.
pub async fn open(
    connection: &Connection,
    habits: &Habits,
    secrets: &dyn Secrets,
    store: Arc<dyn Store>,
) -> Result<Arc<dyn Connector>, OpenError> {
    open_with(connection, habits, secrets, store, Timing::default()).await
}

/// The same, with another patience.
pub async fn open_with(
    connection: &Connection,
    habits: &Habits,
    secrets: &dyn Secrets,
    store: Arc<dyn Store>,
    timing: Timing,
) -> Result<Arc<dyn Connector>, OpenError> {
    let entries = entries::Entries::new(connection, secrets);
    let setup = Setup { name: connection.name.as_ref().into(), habits, entries, store, timing };
    match &*habits.name {
        "woocommerce" => Ok(Arc::new(woocommerce::Shop::open(setup).await?)),
        "exact" => Ok(Arc::new(exact::Ledger::open(setup).await?)),
        other => Err(OpenError::UnknownConnector { connection: connection.name.to_string(), name: other.to_owned() }),
    }
}

/// What a connector is opened with.
struct Setup<'a> {
    name: Arc<str>,
    habits: &'a Habits,
    entries: entries::Entries<'a>,
    store: Arc<dyn Store>,
    timing: Timing,
}

impl Setup<'_> {
    /// An entry that is of no use. The reason must not hold its value, which may have come from a secret.
    fn bad(&self, entry: &str, reason: &str) -> OpenError {
        OpenError::Entry { connection: self.name.to_string(), entry: entry.to_owned(), reason: reason.to_owned() }
    }

    /// A client for calls to the address that an entry names.
    fn http(&self, entry: &str, base: &url::Url) -> Result<http::Http, OpenError> {
        let certificates = self.entries.certificates()?;
        http::Http::new(&self.name, base, &self.timing, certificates).map_err(|reason| self.bad(entry, &reason))
    }

    /// The system's clock: this machine's, unless the connection names a sandbox's.
    async fn clock(&self) -> Result<Arc<clock::Clock>, OpenError> {
        Ok(Arc::new(match self.entries.text("clock")? {
            None => clock::Clock::system(),
            Some(control) => {
                clock::Clock::sandbox(&self.name, &control, &self.timing).await.map_err(|failed| match failed {
                    clock::Failed::Entry(reason) => self.bad("clock", &reason),
                    clock::Failed::Silent(reason) => OpenError::NoClock { connection: self.name.to_string(), reason },
                })?
            }
        }))
    }

    /// How far a pass begins before the last change seen.
    fn overlap(&self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_secs(self.number("cursor.overlap").unwrap_or(OVERLAP_SECONDS).into())
    }

    /// A number of the declaration.
    fn number(&self, word: &str) -> Option<u32> {
        self.habits.word(word)?.trim().parse().ok()
    }
}

/// A system that can be read and written.
#[async_trait::async_trait]
pub trait Connector: Send + Sync {
    /// Where a pass begins that goes on from a stored position: somewhat before it, where changes are followed by time. The
    /// caller drops repeats by key and content. `anew` reads from the scan's own moment instead; the position then still
    /// says what is known to be there.
    fn resumed(&self, _scan: &Scan, stored: Position, anew: bool) -> Position {
        if anew { Position::default() } else { stored }
    }

    /// Where the feed stands just before the version of a record with this mark: how a record is read again that its feed
    /// alone shows. None where a mark leads nowhere.
    fn before(&self, _mark: &str) -> Option<Position> {
        None
    }

    /// The next page of records that changed after the cursor, oldest change first.
    async fn scan(&self, scan: &Scan, from: &Position) -> Result<Page, CallError>;

    /// All records that have one of these values, in as few calls as the API's filter allows. What comes back may hold
    /// more than was asked (some systems ignore what they don't know): the caller compares keys. Rows that cannot be read
    /// are told as such: nothing may be taken for absent beside them.
    async fn find(&self, find: &Find) -> Result<Rows, CallError>;

    /// One record by its own address: the only proof that what is known by its key is gone.
    async fn read(&self, one: &One) -> Result<Presence, CallError>;

    /// One write: a create, an update or a deletion. Sent once, and at once: where the limits leave no call now, the
    /// answer is [`CallError::Later`].
    async fn write(&self, write: &Write) -> Result<Answer, CallError>;

    /// Several updates of one entity, in as few calls as the API takes them in; what becomes of each, in their order. An
    /// outcome that nobody knows is one for each of them.
    async fn write_all(&self, writes: &[Write]) -> Vec<Result<Answer, CallError>> {
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            outcomes.push(self.write(write).await);
        }
        outcomes
    }

    /// A file by the address that a row shows; none where the system says that there is none.
    async fn file(&self, _address: &str) -> Result<Option<File>, CallError> {
        Err(file::no_files("the system", "GET file"))
    }

    /// A create with a file: the rest of [`Connector::write`] holds for it, too.
    async fn write_with(&self, _write: &Write, _file: &File) -> Result<Answer, CallError> {
        Err(file::no_files("the system", "POST file"))
    }

    /// The system's clock, where it tells one: simulated systems run on their own time.
    fn now(&self) -> jiff::Timestamp;

    /// A clock that nobody can set, for waits that must be neither shortened nor stretched.
    fn reading(&self) -> Reading;

    /// Waits until the system's clock says so: a simulated clock runs faster, and may be moved meanwhile. [`Self::pause`]
    /// then says why.
    async fn sleep_until(&self, then: jiff::Timestamp, why: &str);

    /// What is waited for now, where it is more than an answer.
    fn pause(&self) -> Option<Pause>;

    /// What it found out about the way to its system that a person should know, and that stops nothing.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }

    /// Calls made so far.
    fn calls(&self) -> u64;

    /// Reads as little as can be read of an entity, so that it shows whether we may: a refusal is an error. Where its rows are
    /// read in two ways, both are tried. Nothing is asked of what has no address of its own.
    async fn probe(&self, _entity: &Entity) -> Result<(), CallError> {
        Ok(())
    }

    /// What is known of the way to the system from its answers so far. For the doctor.
    fn vitals(&self) -> Vitals {
        Vitals::default()
    }

    /// Asks the system who we are there and what it is: the cheapest call that needs the login. For the doctor.
    async fn hello(&self) -> Result<Raw, CallError>;
}

/// What the answers of a system have told of the way to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// By how much its calendar is ahead of ours; less than nothing where it is behind. None where it has not told.
    pub ahead: Option<jiff::SignedDuration>,
    /// What may still be called.
    pub left: Vec<Left>,
}

/// What may still be called within a window of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// `minute` or `day`.
    pub window: &'static str,
    /// Calls that it allows.
    pub limit: u32,
    /// Calls that are left of them.
    pub left: u32,
}

/// Patience: a limit of the system is used up, or it failed and is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Until then, by the system's clock.
    pub until: jiff::Timestamp,
    /// Why.
    pub reason: String,
}

/// A route with its `{parts}` filled in; `Err` names the part that is missing.
fn fill(route: &str, parts: &[(String, String)]) -> Result<String, String> {
    let mut out = String::with_capacity(route.len());
    let mut rest = route;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        let value = parts.iter().find(|(part, _)| part == name).map(|(_, value)| value);
        let value = value.ok_or_else(|| name.to_owned())?;
        out.push_str(before);
        out.extend(percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC));
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// What a write has made of a record, by the answer; `Err` says why it tells nothing: the outcome is unknown then.
fn written(write: &Write, record: Raw) -> Result<Answer, &'static str> {
    let wire = write.entity.key.map(|key| &*write.entity.get(key).wire);
    let told = wire.and_then(|wire| record.member(wire)).filter(|id| is_key(id));
    match (told, &write.id) {
        // What cannot be named cannot be linked, nor told from a second one.
        (None, None) if wire.is_some() => Err("a new record without its key"),
        (Some(told), Some(id)) if !told.trim().eq_ignore_ascii_case(id.trim()) => Err("another record"),
        (told, id) => Ok(Answer { id: told.or_else(|| id.clone()), record: Some(record) }),
    }
}

/// Whether a record can have it: an answer that only repeats what was sent leaves the key empty.
fn is_key(id: &str) -> bool {
    id.bytes().any(|b| !matches!(b, b'0' | b'-' | b' ')) && !id.starts_with(['{', '['])
}

/// Rows by whose keys they are told apart. One that shows no key that it can have cannot be read: nobody could say later
/// what was made of it.
fn named(mut rows: Rows, entity: &Entity) -> Rows {
    let Some(wire) = entity.key.map(|key| &*entity.get(key).wire) else { return rows };
    // Small tables count from zero: a shop's zone 0 is the rest of the world.
    let has_key = |row: &Raw| row.member(wire).is_some_and(|id| is_key(&id) || (entity.small && id == "0"));
    let (read, nameless): (Vec<Raw>, Vec<Raw>) = rows.read.into_iter().partition(has_key);
    rows.read = read;
    rows.unreadable.extend(nameless.into_iter().map(|row| no_key(&row, wire)));
    rows
}

/// A record without a key that it can have.
fn no_key(row: &Raw, wire: &str) -> Unreadable {
    let why = format!("it shows no key (`{wire}`), so that nobody can say which record it is");
    Unreadable { key: None, text: Some(row.0.clone()), why, page: None }
}

/// Whether a record may have one of these values in that field: systems ignore what they don't know, and then answer
/// everything. Only a value that can be compared and differs says no: what is missing, null or of another type is looked
/// at by the flow itself, which parks what it cannot read.
fn answers(entity: &Entity, record: &Raw, condition: &Condition) -> bool {
    let value = json::compared(&record.0, &entity.get(condition.field).wire);
    value.is_none_or(|value| condition.values.iter().any(|wanted| value.may_be(wanted)))
}

/// A record as the API answered it: JSON text of one object, which can be read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw(pub Arc<str>);

impl Raw {
    /// The record of this text.
    fn of(text: String) -> Self {
        Self(text.into())
    }

    /// A member of it by its way on the wire, as plain text: without quotes, none for null and for what is not there.
    pub fn member(&self, path: &str) -> Option<String> {
        json::member(&self.0, path)
    }

    /// The record with these values for what its address names, where it does not show them itself.
    pub fn completed(self, entity: &Entity, parts: &[(String, String)]) -> Self {
        let Ok(serde_json::Value::Object(mut row)) = serde_json::from_str(&self.0) else { return self };
        for (name, value) in parts {
            let Some(field) = entity.field(name) else { continue };
            let field = entity.get(field);
            let member = row.entry(field.wire.to_string()).or_insert(serde_json::Value::Null);
            if member.is_null() {
                // What is a text stays one, however much it looks like a number.
                let number =
                    value.parse::<u64>().ok().filter(|n| !field.ty.present().is_text() && n.to_string() == *value);
                *member = number.map_or_else(|| value.as_str().into(), Into::into);
            }
        }
        Self(serde_json::Value::Object(row).to_string().into())
    }

    /// The same record with a member as another reading of it shows it.
    fn with(self, wire: &str, other: &Self) -> Self {
        let Ok(serde_json::Value::Object(mut row)) = serde_json::from_str(&self.0) else { return self };
        let Ok(serde_json::Value::Object(mut other)) = serde_json::from_str(&other.0) else { return self };
        if let Some(value) = other.remove(wire) {
            row.insert(wire.to_owned(), value);
        }
        Self(serde_json::Value::Object(row).to_string().into())
    }
}

/// A row of an answer that cannot be read, or that the system could not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its key, where that much is plain.
    pub key: Option<String>,
    /// What came of it, where anything did.
    pub text: Option<Arc<str>>,
    /// Why, in words for people.
    pub why: String,
    /// Where it can be read again, if that is not the page on which it stood.
    pub page: Option<Position>,
}

impl Unreadable {
    /// A member of it by its wire name, where that much can be read.
    pub fn value(&self, wire: &str) -> Option<String> {
        let text = self.text.as_deref()?;
        // Where some of it is no text, another member may be.
        json::member(&json::legible(text), wire).filter(|value| !text.contains(http::NO_TEXT) || !value.contains('?'))
    }
}

/// All rows that answer a question. Where there are neither these nor those, it is proved that there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Those that can be read.
    pub read: Vec<Raw>,
    /// Those that cannot: what was asked for may be among them.
    pub unreadable: Vec<Unreadable>,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.read.len() + self.unreadable.len()
    }

    /// Whether there is none, which proves it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// These too.
    pub fn extend(&mut self, more: Self) {
        self.read.extend(more.read);
        self.unreadable.extend(more.unreadable);
    }
}

/// What became of a record that is asked for by its own address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is there.
    Found(Raw),
    /// It is not, and this is how that is known: it is deleted, or in the trash.
    Gone(String),
    /// It may be there: what came of it cannot be read, or the system cannot tell.
    Unreadable(Unreadable),
}

/// A page of a feed.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its records that can be read.
    pub records: Vec<Raw>,
    /// Its records that cannot.
    pub unreadable: Vec<Unreadable>,
    /// The position behind it: durable once every record of the page is written, skipped or parked.
    pub next: Position,
    /// Nothing more has changed.
    pub last: bool,
}

/// What a write was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The key of the record.
    pub id: Option<String>,
    /// The record as the system has it now, where it says so.
    pub record: Option<Raw>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Field, Search, Type};
    use crate::source::{FileId, Span};

    fn span() -> Span {
        Span { file: FileId(0), start: 0, end: 0 }
    }

    /// A field of this type that can be searched by.
    pub(super) fn field(name: &str, ty: Type) -> Field {
        Field { search: Search::Filter, ..Field::new(name.into(), ty, span()) }
    }

    /// An entity at this route.
    pub(super) fn entity(name: &str, route: &str, fields: Vec<Field>) -> Entity {
        Entity { route: Some(route.into()), fields, ..Entity::new("exact".into(), name.into(), span()) }
    }

    #[test]
    fn routes_are_filled_and_never_left() {
        let parts = [("order_id".to_owned(), "12/../../x".to_owned())];
        assert_eq!(fill("orders/{order_id}/notes", &parts).as_deref(), Ok("orders/12%2F%2E%2E%2F%2E%2E%2Fx/notes"));
        assert_eq!(fill("orders/{order}/notes", &parts), Err("order".to_owned()));
        assert_eq!(fill("orders", &[]).as_deref(), Ok("orders"));
    }
}
