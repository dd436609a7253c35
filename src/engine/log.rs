//! Entries of the log: what was tried for a record, in types that whoever writes and whoever reads share.
//!
//! The store keeps an entry as texts of JSON with the number of their form. An entry of an older form is read as what it
//! says; one of a newer form is refused.

pub use super::found::{Asked, Found, FoundAnswer};
use crate::store::{Attempt, Operation};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The form of today's entries. 0: the same members, before the form had a number.
pub const FORM: u32 = 1;

/// What was tried for a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The source record, as JSON.
    pub raw: String,
    /// What the systems and the store answered.
    pub found: Vec<Found>,
    /// What was to be written.
    pub drafts: Vec<DraftEntry>,
    /// What was done.
    pub steps: Vec<StepEntry>,
    /// What came back.
    pub answers: Vec<AnswerEntry>,
}

/// A draft.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DraftEntry {
    /// The mapping.
    pub mapping: String,
    /// The target's entity.
    pub entity: String,
    /// The target's connection.
    pub connection: String,
    /// Its fields by their ways.
    pub fields: Map<String, Value>,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StepEntry {
    /// A call was sent.
    Sent {
        /// The mapping.
        mapping: String,
        /// The target's entity.
        entity: String,
        /// How.
        sent: SentBy,
        /// The key of what was changed or taken away.
        id: Option<String>,
        /// What was sent.
        body: Value,
    },
    /// A run that ended before an answer had sent this; its body went with it.
    Interrupted {
        /// The mapping.
        mapping: String,
        /// The target's entity.
        entity: String,
        /// How.
        sent: SentBy,
        /// The key of what was changed or taken away.
        id: Option<String>,
        /// The hash of what was sent.
        payload_hash: String,
        /// When.
        at: Timestamp,
        /// How it ended.
        interrupted: String,
    },
    /// A draft was left alone.
    Skipped {
        /// The mapping.
        mapping: String,
        /// Why.
        skipped: String,
    },
}

/// How a call is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SentBy {
    /// As a new record.
    #[serde(alias = "create")]
    Post,
    /// As a change.
    #[serde(alias = "update")]
    Put,
    /// As an end.
    Delete,
}

impl From<Operation> for SentBy {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Create => Self::Post,
            Operation::Update => Self::Put,
            Operation::Delete => Self::Delete,
        }
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AnswerEntry {
    /// No answer, or a refusal.
    Error {
        /// In words.
        error: String,
    },
    /// What became of a write that an interrupted run had sent.
    Became {
        /// In words.
        became: String,
    },
    /// A record that was read after it was written.
    Read {
        /// Its key.
        id: String,
        /// The record.
        read: Value,
    },
    /// An answer with a record.
    Record {
        /// Its key.
        id: Option<String>,
        /// The record.
        record: Option<Value>,
    },
}

/// Why an entry cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// It was written by a later edition.
    #[error("the log of {id} was written by a newer flowc (form {form}, this one reads up to {FORM}): use that one")]
    Newer {
        /// The record.
        id: String,
        /// The entry's form.
        form: u32,
    },
    /// It is not what we write.
    #[error("an entry of the log of {id} cannot be read: {why}")]
    Garbled {
        /// The record.
        id: String,
        /// Where.
        why: String,
    },
}

impl Entry {
    /// An entry of a record of which nothing is known.
    pub(crate) fn of_nothing() -> Self {
        Self { raw: "null".to_owned(), found: Vec::new(), drafts: Vec::new(), steps: Vec::new(), answers: Vec::new() }
    }

    /// Its lists as texts: what was found, the drafts, the steps, the answers.
    pub(crate) fn texts(&self) -> [String; 4] {
        fn text<T: Serialize>(list: &[T]) -> String {
            serde_json::to_string(list).expect("texts, numbers and JSON have a form as JSON")
        }
        [text(&self.found), text(&self.drafts), text(&self.steps), text(&self.answers)]
    }

    /// Reads an entry of any form up to today's.
    ///
    /// # Errors
    /// [`LogError`] says why not.
    pub fn read(attempt: &Attempt) -> Result<Self, LogError> {
        let id = || format!("{}:{}", attempt.flow, attempt.key);
        if attempt.form > FORM {
            return Err(LogError::Newer { id: id(), form: attempt.form });
        }
        let garbled = |e: serde_json::Error| LogError::Garbled { id: id(), why: e.to_string() };
        Ok(Self {
            raw: attempt.raw.clone(),
            found: serde_json::from_str(&attempt.found).map_err(garbled)?,
            drafts: serde_json::from_str(&attempt.drafts).map_err(garbled)?,
            steps: serde_json::from_str(&attempt.steps).map_err(garbled)?,
            answers: serde_json::from_str(&attempt.answers).map_err(garbled)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// An entry as it was written before its form had a number.
    fn of_form_0() -> Attempt {
        Attempt {
            form: 0,
            flow: "orders.orders".into(),
            key: "1001".into(),
            at: "2026-03-01T12:00:00Z".parse().unwrap(),
            version: "p1".into(),
            raw: r#"{"id":1001,"total":"26.62"}"#.into(),
            found: r#"[{"find":"exact.Account","in":"books","by":["Email"],"values":["ann@x.example"],"rows":[{"ID":"a1","Rate":12.50}]},
                {"table":"exact.VATCode","in":"books","rows":187,"kept":"f00d"},
                {"row":"exact.Item","in":"books","id":"i1","unreadable":"no JSON"},
                {"link":"woocommerce.Order","key":"1001","to":"exact.SalesOrder","mapping":null,"rows":[]},
                {"find":"exact.Account","in":"books","by":["Email","Name"],"values":["ann@x.example",null],"rows":[],"before_writing":true}]"#
                .into(),
            drafts: r#"[{"mapping":"orders.sales_order","entity":"exact.SalesOrder","connection":"books","fields":{"YourRef":"1001","Amount":26.62}}]"#.into(),
            steps: r#"[{"mapping":"orders.sales_order","entity":"exact.SalesOrder","sent":"post","id":null,"body":{"YourRef":"1001","Amount":26.620}},
                {"mapping":"orders.account","entity":"exact.Account","sent":"create","id":null,"payload_hash":"ab","at":"2026-03-01T11:00:00Z","interrupted":"the run ended before an answer came"},
                {"mapping":"orders.contact","skipped":"there is one"}]"#
                .into(),
            answers: r#"[{"id":"s1","record":{"OrderID":"s1","AmountFC":26.62}},{"id":"l1"},{"error":"no answer"},{"id":"s1","read":{"OrderID":"s1"}},{"became":"found: a1"}]"#.into(),
            people: Vec::new(),
            expires: Timestamp::MAX,
        }
    }

    #[test]
    fn an_entry_without_a_number_is_read_as_what_it_says() {
        let entry = Entry::read(&of_form_0()).unwrap();
        let of = |entity: &str, by: &[&str], values: &[Option<&str>]| Asked::Find {
            connection: "books".into(),
            entity: entity.into(),
            by: by.iter().map(|field| (*field).to_owned()).collect(),
            values: values.iter().map(|value| value.map(str::to_owned)).collect(),
        };
        assert_eq!(entry.found[0].asked, of("exact.Account", &["Email"], &[Some("ann@x.example")]));
        assert_eq!(entry.found[1].answer, FoundAnswer::Kept { rows: 187, hash: Some("f00d".into()) });
        assert_eq!(entry.found[2].answer, FoundAnswer::Unreadable("no JSON".into()));
        assert_eq!(entry.found[3].answer, FoundAnswer::Rows(Vec::new()));
        assert!(
            matches!(&entry.found[3].asked, Asked::Link { mapping: None, other, .. } if other == "exact.SalesOrder")
        );
        let before: Vec<bool> = entry.found.iter().map(|found| found.before_writing).collect();
        assert_eq!(before, [false, false, false, false, true]);
        // Numbers keep their digits.
        let FoundAnswer::Rows(rows) = &entry.found[0].answer else { panic!("rows: {:?}", entry.found[0]) };
        assert_eq!(rows[0].to_string(), r#"{"ID":"a1","Rate":12.50}"#);
        let StepEntry::Sent { body, sent: SentBy::Post, .. } = &entry.steps[0] else { panic!("{:?}", entry.steps[0]) };
        assert_eq!(body.to_string(), r#"{"YourRef":"1001","Amount":26.620}"#);
        assert!(matches!(&entry.steps[1], StepEntry::Interrupted { sent: SentBy::Post, .. }));
        assert!(matches!(&entry.steps[2], StepEntry::Skipped { .. }));
        assert_eq!(entry.answers[1], AnswerEntry::Record { id: Some("l1".into()), record: None });
        assert_eq!(entry.answers[3], AnswerEntry::Read { id: "s1".into(), read: json!({"OrderID": "s1"}) });
        assert_eq!(entry.answers[4], AnswerEntry::Became { became: "found: a1".into() });
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let entry = Entry::read(&of_form_0()).unwrap();
        let [found, drafts, steps, answers] = entry.texts();
        let again = Attempt { form: FORM, found, drafts, steps, answers, ..of_form_0() };
        assert_eq!(Entry::read(&again).unwrap(), entry);
    }

    #[test]
    fn an_entry_of_a_later_edition_is_refused_and_garbage_is_told() {
        let newer = Attempt { form: FORM + 1, ..of_form_0() };
        assert!(matches!(Entry::read(&newer), Err(LogError::Newer { form, .. }) if form == FORM + 1));
        let garbled = Attempt { found: r#"[{"in":"books","rows":[]}]"#.into(), ..of_form_0() };
        let why = Entry::read(&garbled).unwrap_err().to_string();
        assert!(why.contains("orders.orders:1001") && why.contains("no search"), "{why}");
    }
}
