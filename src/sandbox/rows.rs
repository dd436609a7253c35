//! What faults do to single records: rows that a list leaves out, that the server cannot show, or that come out broken.

use std::sync::Arc;

use serde_json::{Value, json};

use super::faults::Kind;

/// Stands in a text for half a surrogate pair until the answer is written: no text may hold either.
pub(crate) const HALF_PAIR: char = '\u{FDD0}';
/// Stands for bytes that are no UTF-8.
pub(crate) const BAD_BYTES: char = '\u{FDD1}';
/// What is written in their places.
pub(crate) const HALF_PAIR_WRITTEN: &[u8] = b"\\ud83d";
/// See `BAD_BYTES`: the first byte promises a second one that does not come.
pub(crate) const BAD_BYTES_WRITTEN: &[u8] = b"\xC3(";

/// Texts of a record that people wrote, which is where such letters come from.
const WRITTEN_BY_PEOPLE: [&str; 9] =
    ["customer_note", "name", "Description", "Name", "YourRef", "Notes", "description", "reason", "note"];

/// A standing order that concerns rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowFault {
    pub(crate) kind: Kind,
    /// The records; none named are all.
    pub(crate) ids: Vec<String>,
    pub(crate) status: Option<u16>,
    pub(crate) rows: Option<u64>,
}

/// All of them that a call meets. The door hands them to its system with the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowFaults(Arc<[RowFault]>);

/// Why a call that names a record gets no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The record may not be seen.
    Hidden,
    /// The system cannot make anything of it and says that there is none.
    Unknown,
    /// Refused with this status.
    Refused(u16),
}

/// What becomes of a list.
pub(crate) enum Listed {
    /// These rows, with what they are told apart by.
    Rows(Vec<(String, Value)>),
    /// No rows, and none counted.
    Empty,
    /// The server dies over one of them.
    Dies,
}

impl RowFaults {
    pub(crate) fn new(faults: Vec<RowFault>) -> Self {
        RowFaults(faults.into())
    }

    fn find(&self, kind: Kind, id: &str) -> Option<&RowFault> {
        let named =
            |fault: &&RowFault| fault.ids.is_empty() || fault.ids.iter().any(|one| one.eq_ignore_ascii_case(id));
        self.0.iter().filter(|fault| fault.kind == kind).find(named)
    }

    /// What a call meets before it does anything, by the records that its address names.
    pub(crate) fn denied(&self, ids: &[String]) -> Option<Denied> {
        let refused = self.0.iter().find(|fault| fault.kind == Kind::Refuse && fault.ids.is_empty());
        let refused = refused.or_else(|| ids.iter().find_map(|id| self.find(Kind::Refuse, id)));
        if let Some(fault) = refused {
            return Some(Denied::Refused(fault.status.unwrap_or(403)));
        }
        ids.iter().find_map(|id| {
            let hidden = self.find(Kind::Hide, id).map(|_| Denied::Hidden);
            hidden.or_else(|| self.find(Kind::Unloadable, id).map(|_| Denied::Unknown))
        })
    }

    /// Whether the server dies while it shows one of these records by itself.
    pub(crate) fn kills(&self, ids: &[String]) -> bool {
        ids.iter().any(|id| self.find(Kind::Poison, id).is_some())
    }

    /// What becomes of the rows of a list.
    pub(crate) fn list(&self, rows: Vec<Value>, id_of: impl Fn(&Value) -> String) -> Listed {
        if self.0.iter().any(|fault| fault.kind == Kind::Empty) {
            return Listed::Empty;
        }
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            let id = id_of(&row);
            if self.find(Kind::Hide, &id).is_some() || self.find(Kind::Unloadable, &id).is_some() {
                continue;
            }
            if self.find(Kind::Poison, &id).is_some() || self.find(Kind::PoisonList, &id).is_some() {
                return Listed::Dies;
            }
            kept.push((id, row));
        }
        Listed::Rows(kept)
    }

    /// Breaks a text of a record where that was ordered.
    pub(crate) fn blemish(&self, id: &str, row: &mut Value) {
        for (kind, mark) in [(Kind::HalfPair, HALF_PAIR), (Kind::BadBytes, BAD_BYTES)] {
            if self.find(kind, id).is_some() {
                mar(row, mark);
            }
        }
    }

    /// The most rows of a page where a plugin refuses more.
    pub(crate) fn cap_refused(&self) -> Option<u64> {
        self.cap(Kind::CapRefused)
    }

    /// The most rows of a page where a plugin answers fewer without a word.
    pub(crate) fn cap_silent(&self) -> Option<u64> {
        self.cap(Kind::CapSilent)
    }

    fn cap(&self, kind: Kind) -> Option<u64> {
        self.0.iter().filter(|fault| fault.kind == kind).filter_map(|fault| fault.rows).min()
    }
}

fn mar(row: &mut Value, mark: char) {
    let Value::Object(members) = row else { return };
    let is_text =
        |name: &str, members: &serde_json::Map<String, Value>| members.get(name).is_some_and(Value::is_string);
    let by_people = WRITTEN_BY_PEOPLE.into_iter().find(|name| is_text(name, members)).map(str::to_owned);
    let any = || {
        members
            .iter()
            .find(|(name, value)| value.is_string() && !name.starts_with("date"))
            .map(|(name, _)| name.clone())
    };
    match by_people.or_else(any) {
        Some(name) => {
            let text = members[&name].as_str().unwrap_or_default().to_owned();
            members.insert(name, json!(format!("{text}{mark}")));
        }
        None => {
            members.insert("_broken".to_owned(), json!(mark.to_string()));
        }
    }
}

/// Writes what the marks stand for into a text of JSON.
pub(crate) fn written(json: String) -> Vec<u8> {
    if !json.contains([HALF_PAIR, BAD_BYTES]) {
        return json.into_bytes();
    }
    let mut bytes = Vec::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            HALF_PAIR => bytes.extend_from_slice(HALF_PAIR_WRITTEN),
            BAD_BYTES => bytes.extend_from_slice(BAD_BYTES_WRITTEN),
            other => bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}
