//! What the systems have of their own, read to be kept in the project.

use super::ailment::Ailment;
use super::codes::{connections_of, table};
use crate::connector::{Find, Position, Scan};
use crate::engine::runner::Engine;
use crate::ir::{EntityId, Program, Type};
use crate::master::Table;
use jiff::SignedDuration;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The last records that are looked at for the names of their further entries: what changed within so many days.
const ENTRIES_DAYS: i64 = 60;
/// Pages of them that are read at most.
const ENTRIES_PAGES: usize = 3;

/// What was read.
#[derive(Debug, Default)]
pub struct Pulled {
    /// Rows, by connection and entity.
    pub tables: Vec<Table>,
    /// Names of further entries.
    pub entries: Vec<Entries>,
    /// What could not be read.
    pub unread: Vec<Ailment>,
}

/// The names of the further entries that records of an entity have.
#[derive(Clone, Debug)]
pub struct Entries {
    /// The connection.
    pub connection: Arc<str>,
    /// The entity.
    pub entity: EntityId,
    /// The names, sorted.
    pub names: BTreeSet<String>,
}

impl Engine {
    /// Reads what these connections have of their own, as far as schemas say that it is to be kept.
    pub async fn pull(&self, named: Option<&str>) -> Pulled {
        let program = Arc::clone(&self.shared.project.program);
        let mut pulled = Pulled::default();
        for id in (0..program.entities.len()).map(EntityId::from) {
            let wanted = |name: &Arc<str>| named.is_none_or(|named| **name == *named);
            for connection in connections_of(&program, id).filter(wanted) {
                let schema = program.entity(id);
                if let Some(columns) = schema.pulled.clone() {
                    let read = if schema.is_below_another() {
                        self.below(&connection, id, columns).await
                    } else {
                        table(&self.shared, &connection, id, columns, None).await
                    };
                    match read {
                        Ok(table) => pulled.tables.push(table),
                        Err(ailment) => pulled.unread.push(ailment),
                    }
                }
                if schema.feed.is_some() && program.entries_of(schema).is_some() {
                    match self.entries(&connection, id).await {
                        Ok(names) => pulled.entries.push(Entries { connection, entity: id, names }),
                        Err(why) => pulled.unread.push(unread(&program, &connection, id, &why)),
                    }
                }
            }
        }
        pulled
    }

    /// Rows that stand below those of another entity: each of these is asked for its own.
    async fn below(&self, connection: &str, id: EntityId, columns: Vec<crate::ir::FieldId>) -> Result<Table, Ailment> {
        let program = &self.shared.project.program;
        let schema = Arc::clone(&self.shared.entities[id.0 as usize]);
        let no = |why: &str| unread(program, connection, id, why);
        let above: Vec<_> = schema.route_fields().collect();
        let [above] = above[..] else { return Err(no("it stands below more than one other")) };
        let Type::Record(parent) = *schema.get(above).ty.present() else {
            return Err(no("it stands below what is no record"));
        };
        let connector = self.shared.connections.get(connection).ok_or_else(|| no("the connection is not open"))?;
        let parents = table(&self.shared, connection, parent, Vec::new(), None).await?;
        let mut texts: Vec<Arc<str>> = Vec::new();
        for key in parents.codes() {
            let parts = vec![(schema.get(above).name.to_string(), key.to_owned())];
            let fields = Vec::new();
            let find = Find { entity: Arc::clone(&schema), fields, by: None, values: Vec::new(), parts: parts.clone() };
            let rows = connector.find(&find).await.map_err(|error| no(&error.cause()))?;
            texts.extend(rows.read.into_iter().map(|raw| raw.completed(&schema, &parts).0));
        }
        Ok(Table::of_rows(program, (connection, id), columns, texts.iter().map(|text| &**text), true))
    }

    /// The names of the further entries of the last records.
    async fn entries(&self, connection: &str, id: EntityId) -> Result<BTreeSet<String>, String> {
        let program = &self.shared.project.program;
        let schema = program.entity(id);
        let mut names = BTreeSet::new();
        let (Some(entries), Some(connector)) = (program.entries_of(schema), self.shared.connections.get(connection))
        else {
            return Ok(names);
        };
        let scan = Scan {
            entity: Arc::clone(&self.shared.entities[id.0 as usize]),
            fields: vec![entries.list.to_string()],
            filter: Vec::new(),
            since: connector.now().checked_sub(SignedDuration::from_hours(ENTRIES_DAYS * 24)).ok(),
            only: Vec::new(),
        };
        let mut position = connector.resumed(&scan, Position::default(), true);
        for _ in 0..ENTRIES_PAGES {
            let page = connector.scan(&scan, &position).await.map_err(|error| error.cause())?;
            for raw in &page.records {
                let row: Value = serde_json::from_str(&raw.0).unwrap_or_default();
                let list = row.get(&**entries.list).and_then(Value::as_array).into_iter().flatten();
                names.extend(list.filter_map(|entry| Some(entry.get(&**entries.key)?.as_str()?.to_owned())));
            }
            if page.last {
                break;
            }
            position = page.next;
        }
        Ok(names)
    }
}

fn unread(program: &Program, connection: &str, id: EntityId, why: &str) -> Ailment {
    Ailment {
        kind: "codes",
        system: connection.to_owned(),
        message: format!("{} cannot be read: {why}", program.entity(id).full_name()),
        help: "what was pulled of it before stays as it is".to_owned(),
        span: None,
    }
}
