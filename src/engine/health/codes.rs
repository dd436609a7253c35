//! The codes that the project names, asked of the systems.

use super::ailment::Ailment;
use crate::connector::Find;
use crate::engine::pass::context::Shared;
use crate::engine::values::text::wire_text;
use crate::ir::{EntityId, FieldId, Program};
use crate::master::{Held, Table, Use, judge};
use crate::source::Diagnostic;
use crate::value::time::date_in;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is wrong with the codes, and which could not be asked for.
pub(super) async fn wrong(
    shared: &Shared,
    uses: &[Use],
    reached: &impl Fn(&str) -> bool,
    near: fn(&str, &[&str]) -> Option<String>,
) -> (Vec<Diagnostic>, Vec<Ailment>) {
    let program = &shared.project.program;
    let mut codes: BTreeMap<EntityId, BTreeSet<Arc<str>>> = BTreeMap::new();
    for used in uses {
        codes.entry(used.entity).or_default().insert(Arc::clone(&used.code));
    }
    let (mut held, mut unread, mut today) = (Held::default(), Vec::new(), None);
    for (entity, codes) in codes {
        for connection in connections_of(program, entity).filter(|name| reached(name)) {
            let of_row = columns(program, uses, entity);
            match table(shared, &connection, entity, of_row, Some(&codes)).await {
                Ok(table) => held.tables.push(table),
                Err(ailment) => unread.push(ailment),
            }
            today = today.or_else(|| self::today(shared, &connection));
        }
    }
    (judge(program, uses, &held, today, near), unread)
}

/// The connections of an entity's system.
pub(super) fn connections_of(program: &Program, entity: EntityId) -> impl Iterator<Item = Arc<str>> {
    let of = &program.entity(entity).connector;
    program.connections.iter().filter(move |c| c.connector == *of).map(|c| Arc::clone(&c.name))
}

/// The day that it is in the books.
pub(super) fn today(shared: &Shared, connection: &str) -> Option<Date> {
    let zone = shared.project.program.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
    Some(date_in(shared.connections.get(connection)?.now(), &zone.unwrap_or(TimeZone::UTC)))
}

/// The fields of a row that are looked at.
fn columns(program: &Program, uses: &[Use], entity: EntityId) -> Vec<FieldId> {
    let schema = program.entity(entity);
    let tax = schema.tax.as_ref();
    let tax = tax.into_iter().flat_map(|tax| [tax.rate, tax.by].into_iter().chain(tax.country));
    let kinds = uses.iter().filter(|used| used.entity == entity).flat_map(|used| &used.fields);
    let kinds = kinds.filter_map(|(owner, field)| {
        let (by, _) = program.entity(*owner).get(*field).of.as_ref()?;
        schema.field(by)
    });
    let all: BTreeSet<FieldId> = schema.usable.fields().chain(tax).chain(kinds).collect();
    all.into_iter().collect()
}

/// The rows of an entity: all where it has few, else those of these codes.
pub(super) async fn table(
    shared: &Shared,
    connection: &str,
    entity: EntityId,
    columns: Vec<FieldId>,
    codes: Option<&BTreeSet<Arc<str>>>,
) -> Result<Table, Ailment> {
    let program = &shared.project.program;
    let schema = Arc::clone(&shared.entities[entity.0 as usize]);
    let unread = |why: String| Ailment {
        kind: "codes",
        system: connection.to_owned(),
        message: format!("{} cannot be asked for: {why}", schema.full_name()),
        help: "nobody can tell whether its codes are there: mend that first".to_owned(),
        span: None,
    };
    let Some(connector) = shared.connections.get(connection) else {
        return Err(unread("the connection is not open".to_owned()));
    };
    let by = schema.code.filter(|_| !schema.read_whole());
    let some = codes.zip(by);
    let names = schema.code.into_iter().chain(columns.iter().copied()).map(|field| schema.get(field).wire.to_string());
    let find = Find {
        entity: Arc::clone(&schema),
        fields: names.collect(),
        by: some.map(|(_, by)| by),
        values: some.map_or_else(Vec::new, |(codes, by)| codes.iter().map(|c| wire_text(&schema, by, c)).collect()),
        parts: Vec::new(),
    };
    let rows = connector.find(&find).await.map_err(|error| unread(error.cause()))?;
    if let Some(bad) = rows.unreadable.first() {
        return Err(unread(bad.why.clone()));
    }
    let texts = rows.read.iter().map(|raw| &*raw.0);
    Ok(Table::of_rows(program, (connection, entity), columns, texts, some.is_none()))
}
