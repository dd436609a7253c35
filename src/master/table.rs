//! Rows of a system by their codes, and the file that keeps them in a project: a column for each field, sorted, so that a
//! change shows as the lines that changed.

use super::cells::cell;
use crate::ir::{Entity, EntityId, Field, FieldId, Program};
use crate::source::{FileId, Span};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The folder of a project that holds what was pulled.
const FOLDER: &str = "schema";

/// The file of an entity's rows, from the project's folder: `schema/books/VATCode.csv`.
pub fn pulled_file(connection: &str, entity: &Entity) -> PathBuf {
    [FOLDER, connection, &format!("{}.csv", entity.name)].iter().collect()
}

/// The file of the names of further entries that records of an entity have: `schema/shop/Order.entries.csv`.
pub fn pulled_entries_file(connection: &str, entity: &Entity) -> PathBuf {
    [FOLDER, connection, &format!("{}.entries.csv", entity.name)].iter().collect()
}

/// What is known of the systems' own rows.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// A table for each entity and connection.
    pub tables: Vec<Table>,
}

impl Held {
    /// The rows of an entity in a connection.
    pub fn table(&self, connection: &str, entity: EntityId) -> Option<&Table> {
        self.tables.iter().find(|table| table.entity == entity && *table.connection == *connection)
    }
}

/// Rows of an entity.
#[derive(Clone, Debug)]
pub struct Table {
    /// The entity.
    pub entity: EntityId,
    /// The connection that they are of.
    pub connection: Arc<str>,
    /// All that there are; else only those that were asked for.
    pub whole: bool,
    /// The fields that are known of each.
    columns: Vec<FieldId>,
    rows: BTreeMap<String, Row>,
}

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// As the system writes it.
    pub(super) code: String,
    cells: Vec<String>,
    /// Its line, where it stands in a file.
    pub(super) span: Option<Span>,
}

impl Table {
    /// Rows as a system answered them, each the JSON text of a record, with these fields of theirs.
    pub fn of_rows<'r>(
        program: &Program,
        (connection, entity): (&str, EntityId),
        columns: Vec<FieldId>,
        rows: impl Iterator<Item = &'r str>,
        whole: bool,
    ) -> Self {
        let schema = program.entity(entity);
        let mut table = Self { entity, connection: connection.into(), whole, columns, rows: BTreeMap::new() };
        for row in rows {
            let Ok(row) = serde_json::from_str::<Value>(row) else { continue };
            let shown = |field: &Field| cell(field, row.get(&*field.wire));
            let Some(code) = identity(schema).map(|id| shown(schema.get(id))).filter(|code| !code.is_empty()) else {
                continue;
            };
            let cells = table.columns.iter().map(|id| shown(schema.get(*id))).collect();
            let mut known_by = normal(schema, &code);
            // Some lists have a key that several rows share.
            while table.rows.contains_key(&known_by) {
                known_by.push('\u{1f}');
            }
            table.rows.insert(known_by, Row { code, cells, span: None });
        }
        table
    }

    /// The rows of a file.
    ///
    /// # Errors
    /// The place and the reason, where it is not what `flowc schema pull` writes.
    pub fn of_file(
        program: &Program,
        (connection, entity): (&str, EntityId),
        file: FileId,
        text: &str,
    ) -> Result<Self, (Span, String)> {
        let schema = program.entity(entity);
        let whole = Span::new(file, 0, text.lines().next().unwrap_or_default().len());
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let names = reader.headers().map_err(|e| (whole, format!("it is not CSV: {e}")))?.clone();
        let key = identity(schema).map(|id| &*schema.get(id).name);
        if names.get(0).is_none() || names.get(0) != key {
            return Err((whole, format!("its first column is not `{}`", key.unwrap_or_default())));
        }
        let columns: Option<Vec<FieldId>> = names.iter().skip(1).map(|name| schema.field(name)).collect();
        let Some(columns) = columns else {
            return Err((whole, format!("{} has not all of these fields", schema.full_name())));
        };
        let mut rows = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| (whole, format!("it is not CSV: {e}")))?;
            let start = record.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or(0)).min(text.len());
            let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
            let mut cells = record.iter().map(str::to_owned);
            let code = cells.next().unwrap_or_default();
            let span = Some(Span::new(file, start, end));
            rows.insert(normal(schema, &code), Row { code, cells: cells.collect(), span });
        }
        Ok(Self { entity, connection: connection.into(), whole: true, columns, rows })
    }

    /// As the file has it: a line for the names, then a line a row, by their codes.
    ///
    /// # Errors
    /// What the writer of CSV says.
    pub fn written(&self, program: &Program) -> Result<String, String> {
        let schema = program.entity(self.entity);
        let mut out = csv::WriterBuilder::new().from_writer(Vec::new());
        let names = identity(schema).into_iter().chain(self.columns.iter().copied());
        out.write_record(names.map(|id| schema.get(id).name.as_bytes())).map_err(|e| e.to_string())?;
        for row in self.rows.values() {
            let cells = std::iter::once(&row.code).chain(&row.cells);
            out.write_record(cells).map_err(|e| e.to_string())?;
        }
        let bytes = out.into_inner().map_err(|e| e.to_string())?;
        String::from_utf8(bytes).map_err(|e| e.to_string())
    }

    pub(super) fn row(&self, schema: &Entity, code: &str) -> Option<&Row> {
        self.rows.get(&normal(schema, code))
    }

    /// A cell of a row; none where that field is not known.
    pub(super) fn cell<'t>(&self, row: &'t Row, field: FieldId) -> Option<&'t str> {
        let n = self.columns.iter().position(|column| *column == field)?;
        row.cells.get(n).map(String::as_str)
    }

    /// The codes of its rows, sorted.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.rows.values().map(|row| row.code.as_str())
    }

    /// The rows as cells of these fields.
    pub fn records<'t>(&'t self, fields: &'t [FieldId]) -> impl Iterator<Item = Vec<&'t str>> {
        self.rows.values().map(|row| fields.iter().map(|field| self.cell(row, *field).unwrap_or_default()).collect())
    }
}

/// The field by which people know a row: its code, else its key.
fn identity(schema: &Entity) -> Option<FieldId> {
    schema.code.or(schema.key)
}

/// A code as it is compared.
fn normal(schema: &Entity, code: &str) -> String {
    let form = identity(schema).map(|id| schema.get(id).form).unwrap_or_default();
    let code = code.trim();
    if form.caseless { code.to_lowercase() } else { code.to_owned() }
}
