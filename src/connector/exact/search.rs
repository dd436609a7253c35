//! Searching the ledger: all rows that have one of some values, by the record's own list or by that of its lines.

use super::odata::{self, Selection, ask};
use super::{Ledger, key_of, lines};
use crate::connector::{CallError, Find, Raw, Rows, named};
use crate::ir::{Entity, Field, StandsIn};
use std::collections::HashMap;

/// All rows that have one of these values in the field.
pub(super) async fn find(ledger: &Ledger, find: &Find) -> Result<Rows, CallError> {
    let route = ledger.route(&find.entity, &find.parts, "GET")?;
    let base = ledger.address(&route).await?;
    let selection = Selection::of(&find.entity, &find.names());
    let key = key_of(&find.entity);
    let Some(by) = find.by else {
        return Ok(named(ledger.all(ask(&base, &selection.options(None)), &route, key).await?, &find.entity));
    };
    let field = find.entity.get(by);
    if let Some(stands) = &field.stands_in {
        return by_lines(ledger, find, field, stands).await;
    }
    let filters =
        odata::chains(field, &find.values, ledger.measures, |filter| ask(&base, &selection.options(Some(filter))));
    let mut rows = Rows::default();
    for filter in filters {
        rows.extend(ledger.all(ask(&base, &selection.options(Some(&filter))), &route, key).await?);
    }
    Ok(shown(&find.entity, named(rows, &find.entity)))
}

/// Rows with what their lines say.
pub(super) fn shown(entity: &Entity, mut rows: Rows) -> Rows {
    let told = |row: Raw| lines::shown(entity, &row.0).map_or(row, Raw::of);
    rows.read = rows.read.into_iter().map(told).collect();
    rows
}

/// The records one of whose lines says one of these values.
async fn by_lines(ledger: &Ledger, find: &Find, by: &Field, stands: &StandsIn) -> Result<Rows, CallError> {
    let base = ledger.address(&stands.route).await?;
    let asked = Field { wire: stands.member.clone(), ..by.clone() };
    let select = format!("{},{}", stands.back, stands.member);
    let address = |filter: &str| ask(&base, &[("$select", select.as_str()), ("$filter", filter)]);
    let mut lines = Rows::default();
    for filter in odata::chains(&asked, &find.values, ledger.measures, address) {
        lines.extend(ledger.all(address(&filter), &stands.route, None).await?);
    }
    let said = |line: &Raw| Some((line.member(&stands.back)?.to_ascii_lowercase(), line.member(&stands.member)?));
    let said: HashMap<String, String> = lines.read.iter().filter_map(said).collect();
    let mut values: Vec<String> = said.keys().cloned().collect();
    values.sort_unstable();
    let mut rows = Rows::default();
    if !values.is_empty() {
        let of_lines = Find { by: find.entity.key, values, ..find.clone() };
        rows = Box::pin(self::find(ledger, &of_lines)).await?;
    }
    // A line that cannot be read may be that of any record.
    rows.unreadable.extend(lines.unreadable);
    let found = |row: Raw| {
        let key = key_of(&find.entity).and_then(|key| row.member(key)).unwrap_or_default().to_ascii_lowercase();
        // What a later line says was found by it all the same.
        said.get(&key).and_then(|said| lines::with(&row.0, &by.wire, said)).map_or(row, Raw::of)
    };
    rows.read = rows.read.into_iter().map(found).collect();
    Ok(rows)
}
