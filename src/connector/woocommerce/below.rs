//! Records that stand below others of a list and are in none of their own: the variations of products. An older shop (9.9)
//! knows no list of all variations, so that each product is asked for its own.

use super::list::Ask;
use super::{Shop, filter, query};
use crate::connector::{CallError, Condition, Raw, Rows, Unreadable, answers, fill, named};
use crate::ir::{Below, Entity};

/// Puts behind each row that has others below it those of them that fit the conditions. `fields` are the names that are
/// selected; none: all.
pub(super) async fn with_those_below(
    shop: &Shop,
    (entity, fields): (&Entity, &[String]),
    conditions: &[Condition],
    rows: Rows,
) -> Result<Rows, CallError> {
    let Some(below) = &entity.below else { return Ok(rows) };
    let mut all = Rows { read: Vec::with_capacity(rows.read.len()), unreadable: rows.unreadable };
    for row in rows.read {
        let above = key_above(entity, below, &row);
        all.read.push(row);
        if let Some(key) = above {
            let mut rows = of(shop, (entity, fields), below, &key).await?;
            rows.read.retain(|row| conditions.iter().all(|condition| answers(entity, row, condition)));
            all.extend(rows);
        }
    }
    Ok(all)
}

/// The key of a row that has others below it.
fn key_above(entity: &Entity, below: &Below, row: &Raw) -> Option<String> {
    let (field, value) = &below.above;
    let is_above = row.member(&entity.get(*field).wire).is_some_and(|shown| shown == **value);
    row.member(&entity.get(entity.key?).wire).filter(|_| is_above)
}

/// All that stands below the record with this key. Each says so, whether the shop shows it there or not.
async fn of(shop: &Shop, (entity, fields): (&Entity, &[String]), below: &Below, key: &str) -> Result<Rows, CallError> {
    let parts = [(entity.get(below.by).name.to_string(), key.to_owned())];
    let route = fill(&below.route, &parts).unwrap_or_else(|_| below.route.to_string());
    let mut query = query::always(&route).with("orderby", "id").with("order", "asc");
    if let Some(fields) = query::fields(entity, fields) {
        query.set("_fields", fields);
    }
    let rows = filter::all(shop, &Ask { own: Some(route.clone()), route, query, keys: None }).await?;
    let Rows { read, unreadable } = named(rows, entity);
    let read = read.into_iter().map(|row| row.completed(entity, &parts)).collect();
    let told = |row: Unreadable| Unreadable { why: format!("{} (it stands below {key})", row.why), ..row };
    Ok(Rows { read, unreadable: unreadable.into_iter().map(told).collect() })
}
