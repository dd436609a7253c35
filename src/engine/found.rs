//! Questions of a record and their answers, as entries of the log hold them.

use crate::eval::{Answered, Query};
use crate::ir::Program;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FoundForm", into = "FoundForm")]
pub struct Found {
    /// What was asked.
    pub asked: Asked,
    /// What was answered.
    pub answer: FoundAnswer,
    /// It was known before the first write of the try, and is answered otherwise behind it.
    pub before_writing: bool,
}

/// A question, with the names of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Records with these values.
    Find {
        /// The connection.
        connection: String,
        /// The entity.
        entity: String,
        /// The fields of the key.
        by: Vec<String>,
        /// Their values.
        values: Vec<Option<String>>,
    },
    /// All rows of a small entity.
    Table {
        /// The connection.
        connection: String,
        /// The entity.
        entity: String,
    },
    /// The record with this key.
    Row {
        /// The connection.
        connection: String,
        /// The entity.
        entity: String,
        /// The key.
        id: String,
    },
    /// What a flow reads once for all of its records.
    Once {
        /// The flow.
        flow: String,
        /// Which of its values, from 0.
        n: u32,
        /// The entity of the rows.
        entity: String,
    },
    /// What a record is linked to.
    Link {
        /// Its entity.
        entity: String,
        /// Its key.
        key: String,
        /// The entity at the other end.
        other: String,
        /// The mapping that linked them; none: any.
        mapping: Option<String>,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum FoundAnswer {
    /// These rows; of links, these keys.
    Rows(Vec<Value>),
    /// So many rows, which the store keeps under a hash: a table is named, not copied into every entry.
    Kept {
        /// How many.
        rows: usize,
        /// The hash.
        hash: Option<String>,
    },
    /// What came cannot be read.
    Unreadable(String),
}

impl Asked {
    /// A question as the log has it.
    pub fn of(program: &Program, query: &Query) -> Self {
        let name = |entity| program.entity(entity).full_name();
        match query {
            Query::Find { connection, entity, by, values } => {
                let schema = program.entity(*entity);
                Self::Find {
                    connection: connection.to_string(),
                    entity: schema.full_name(),
                    by: by.iter().map(|field| schema.get(*field).name.to_string()).collect(),
                    values: values.iter().map(|value| value.as_deref().map(str::to_owned)).collect(),
                }
            }
            // What has changed is asked for what is read once, and stands in no entry itself.
            Query::Table { connection, entity } | Query::Changed { connection, entity, .. } => {
                Self::Table { connection: connection.to_string(), entity: name(*entity) }
            }
            Query::Once { flow, n, entity } => {
                Self::Once { flow: program.flows[*flow].name.to_string(), n: *n, entity: name(*entity) }
            }
            Query::Row { connection, entity, id } => {
                Self::Row { connection: connection.to_string(), entity: name(*entity), id: id.to_string() }
            }
            Query::Link(link) => Self::Link {
                entity: name(link.entity),
                key: link.key.to_string(),
                other: name(link.other),
                mapping: link.mapping.as_deref().map(str::to_owned),
            },
        }
    }
}

impl Found {
    /// A question with its answer; a table is kept under a hash.
    pub fn of(program: &Program, query: &Query, answered: &Answered, kept: Option<String>) -> Self {
        let rows: &[Arc<str>] = match answered {
            Answered::Found(rows) => rows,
            Answered::Absent | Answered::NotAsked | Answered::Unreadable(_) => &[],
        };
        let answer = match (answered, query) {
            (Answered::Unreadable(why), _) => FoundAnswer::Unreadable(why.clone()),
            (_, Query::Table { .. } | Query::Changed { .. } | Query::Once { .. }) => {
                FoundAnswer::Kept { rows: rows.len(), hash: kept }
            }
            (_, Query::Find { .. } | Query::Row { .. } | Query::Link(_)) => {
                let parsed = |row: &Arc<str>| serde_json::from_str(row).unwrap_or_else(|_| (&**row).into());
                FoundAnswer::Rows(rows.iter().map(parsed).collect())
            }
        };
        Self { asked: Asked::of(program, query), answer, before_writing: false }
    }
}

/// A question and its answer, as they are written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct FoundForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    find: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    once: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<Vec<Option<String>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mapping: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    before_writing: bool,
}

impl From<Found> for FoundForm {
    fn from(Found { asked, answer, before_writing }: Found) -> Self {
        let asked = match asked {
            Asked::Find { connection, entity, by, values } => Self {
                find: Some(entity),
                connection: Some(connection),
                by: Some(by),
                values: Some(values),
                ..Self::default()
            },
            Asked::Table { connection, entity } => {
                Self { table: Some(entity), connection: Some(connection), ..Self::default() }
            }
            Asked::Row { connection, entity, id } => {
                Self { row: Some(entity), connection: Some(connection), id: Some(id), ..Self::default() }
            }
            Asked::Once { flow, n, entity } => {
                Self { once: Some(entity), key: Some(flow), n: Some(n), ..Self::default() }
            }
            Asked::Link { entity, key, other, mapping } => {
                Self { link: Some(entity), key: Some(key), to: Some(other), mapping, ..Self::default() }
            }
        };
        match answer {
            FoundAnswer::Rows(rows) => Self { rows: Some(Value::Array(rows)), before_writing, ..asked },
            FoundAnswer::Kept { rows, hash } => Self { rows: Some(rows.into()), kept: hash, before_writing, ..asked },
            FoundAnswer::Unreadable(why) => Self { unreadable: Some(why), before_writing, ..asked },
        }
    }
}

impl TryFrom<FoundForm> for Found {
    type Error = &'static str;

    fn try_from(form: FoundForm) -> Result<Self, Self::Error> {
        let FoundForm { find, table, row, link, once, n, connection, by, values, id, key, to, mapping, .. } = form;
        let connection = connection.ok_or("no connection is named");
        let asked = match (find, table, row, link.or(once)) {
            (Some(entity), None, None, None) => Asked::Find {
                connection: connection?,
                entity,
                by: by.ok_or("a search names no fields")?,
                values: values.ok_or("a search names no values")?,
            },
            (None, Some(entity), None, None) => Asked::Table { connection: connection?, entity },
            (None, None, Some(entity), None) => {
                Asked::Row { connection: connection?, entity, id: id.ok_or("a row names no key")? }
            }
            (None, None, None, Some(entity)) if n.is_some() => {
                Asked::Once { flow: key.ok_or("what is read once names no flow")?, n: n.unwrap_or_default(), entity }
            }
            (None, None, None, Some(entity)) => Asked::Link {
                entity,
                key: key.ok_or("a link names no key")?,
                other: to.ok_or("a link names no other end")?,
                mapping,
            },
            _ => return Err("it is no search, no table, no row and no link"),
        };
        let answer = match (form.unreadable, form.rows) {
            (Some(why), _) => FoundAnswer::Unreadable(why),
            (None, Some(Value::Array(rows))) => FoundAnswer::Rows(rows),
            (None, Some(Value::Number(rows))) => {
                let rows = rows.as_u64().and_then(|n| usize::try_from(n).ok());
                FoundAnswer::Kept { rows: rows.ok_or("a count of rows is none")?, hash: form.kept }
            }
            (None, _) => return Err("neither rows nor why they cannot be read"),
        };
        Ok(Self { asked, answer, before_writing: form.before_writing })
    }
}
