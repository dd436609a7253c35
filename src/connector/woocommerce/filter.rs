//! Searching a shop: all records that have one of some values, and what it knows of and does not show.

use super::below::with_those_below;
use super::list::{self, Ask, At};
use super::media;
use super::query::{self, Query, Takes};
use super::{Shop, json};
use crate::connector::http::{Effect, Verb};
use crate::connector::retry::Tries;
use crate::connector::{CallError, Condition, Find, Raw, Rows, Unreadable, named};
use crate::limits;

/// All records that have one of these values.
pub(super) async fn find(shop: &Shop, find: &Find) -> Result<Rows, CallError> {
    let route = shop.route(&find.entity, &find.parts, "find")?;
    if media::is_own(&route) && shop.user.is_none() && find.by.is_none() {
        // Who is logged in there: nobody.
        return Ok(Rows::default());
    }
    let mut query = query::always(&route);
    if let Some(fields) = query::fields(&find.entity, &find.names()) {
        query.set("_fields", fields);
    }
    if find.by.is_none() && find.entity.key.is_none() && find.entity.rows.is_none() {
        return the_one(shop, &route, &query).await;
    }
    let ask = Ask { own: Some(route.clone()), route, query, keys: None };
    if let Some((name, value)) = &find.entity.rows {
        let ask = ask.with("_fields", format!("{name},{value}"));
        return Ok(as_one(all(shop, &ask).await?, name, value));
    }
    // What its address says need not be said again.
    let Some(by) = find.by.filter(|by| !find.entity.path_fields().any(|part| part == *by)) else {
        // Newest first, as the shop would list them, pages move with each record that is made.
        let rows = named(all(shop, &ask.with("orderby", "id").with("order", "asc")).await?, &find.entity);
        return with_those_below(shop, (&find.entity, &find.names()), &[], rows).await;
    };
    let field = find.entity.get(by);
    let Some((name, takes)) = query::parameter(&find.entity, field) else {
        return Err(CallError::Refused {
            system: shop.http.system.to_string(),
            reason: format!("it cannot be searched by `{}`", field.name),
            status: 0,
            call: format!("GET {}", ask.route),
        });
    };
    // By its key or its code the shop finds what stands below another record as well.
    let listed = ![find.entity.key, find.entity.code].contains(&Some(by));
    let condition = [Condition { field: by, values: find.values.clone() }];
    let mut found = Rows::default();
    let rows = (shop.page_rows() as usize).min(shop.values_max);
    for (name, value) in searches(name, takes, &find.values, (rows, shop.url_max)) {
        let keys = (name == "include").then(|| value.split(',').map(str::to_owned).collect());
        match all(shop, &Ask { keys, ..ask.with(name, value) }).await {
            Ok(rows) if listed => {
                let rows = named(rows, &find.entity);
                found.extend(with_those_below(shop, (&find.entity, &find.names()), &condition, rows).await?);
            }
            Ok(rows) => found.extend(named(rows, &find.entity)),
            // The shop checks an e-mail address before it looks for it: what is none, nobody has.
            Err(CallError::Refused { status: 400, .. }) if name == "email" => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// What there is one of and has no key: the currency of today, who is logged in.
async fn the_one(shop: &Shop, route: &str, query: &Query) -> Result<Rows, CallError> {
    let mut tries = Tries::new(&shop.clock, &shop.timing);
    loop {
        let read = shop.call(&Verb::GET, route, query, None).await.map_err(CallError::from);
        let rows = read.and_then(|response| {
            json::rows(&response.body, None).map_err(|what| shop.http.garbled(what, Effect::Read))
        });
        match rows {
            Ok(rows) => return Ok(rows),
            Err(error) => tries.pause(error).await?,
        }
    }
}

/// A list of names and values as one record that has them. One row that cannot be read may be any of them, and then there
/// is no record.
fn as_one(rows: Rows, name: &str, value: &str) -> Rows {
    if !rows.unreadable.is_empty() {
        return Rows { read: Vec::new(), ..rows };
    }
    let mut members = serde_json::Map::new();
    for row in &rows.read {
        let row: serde_json::Value = serde_json::from_str(&row.0).unwrap_or_default();
        if let Some(name) = row.get(name).and_then(serde_json::Value::as_str) {
            members.insert(name.to_owned(), row.get(value).cloned().unwrap_or_default());
        }
    }
    Rows { read: vec![Raw(serde_json::Value::Object(members).to_string().into())], ..rows }
}

/// The parameters of each call: values joined where the shop takes lists, as many as fit a page and an address.
fn searches<'a>(
    name: &'a str,
    takes: Takes,
    values: &[String],
    (rows, bytes): (usize, usize),
) -> Vec<(&'a str, String)> {
    let mut unique: Vec<&str> = Vec::new();
    for value in values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()) {
        if !unique.contains(&value) {
            unique.push(value);
        }
    }
    if takes == Takes::One {
        return unique.into_iter().map(|value| (name, value.to_owned())).collect();
    }
    let mut calls: Vec<(&str, String)> = Vec::new();
    let mut joined = String::new();
    let mut count = 0;
    for value in unique {
        if value.contains(',') {
            // A list is taken apart at its commas; the loose search is not, and what it finds is compared.
            let loose = if name == "sku" { "search_sku" } else { name };
            calls.push((loose, value.to_owned()));
            continue;
        }
        if count > 0 && (count >= rows || joined.len() + value.len() > bytes) {
            calls.push((name, std::mem::take(&mut joined)));
            count = 0;
        }
        if count > 0 {
            joined.push(',');
        }
        joined.push_str(value);
        count += 1;
    }
    if count > 0 {
        calls.push((name, joined));
    }
    calls
}

/// Every page of a list. Rows that the shop counts and does not show are there all the same, and nobody can say which.
pub(super) async fn all(shop: &Shop, ask: &Ask) -> Result<Rows, CallError> {
    let mut found = Rows::default();
    let mut at = At::first(shop.page_rows());
    for _ in 0..limits::SEARCH_PAGES_MAX {
        let listed = list::page(shop, ask, at).await?;
        found.extend(listed.rows);
        if listed.hidden > 0 {
            let why = format!(
                "the shop counts {} more of {} than it shows: one that this key may not read, or that it cannot load",
                listed.hidden, ask.route
            );
            found.unreadable.push(Unreadable { key: None, text: None, why, page: None });
        }
        if listed.last {
            return Ok(found);
        }
        at = listed.at.next();
    }
    Err(shop.http.garbled(format!("more than {} pages of {}", limits::SEARCH_PAGES_MAX, ask.route), Effect::Read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(list: &[&str]) -> Vec<String> {
        list.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn names_and_values_are_one_record() {
        let row = |text: &str| Raw(text.into());
        let rows =
            Rows { read: vec![row(r#"{"id":"a","value":"yes"}"#), row(r#"{"id":"b","value":1}"#)], ..Rows::default() };
        let one = as_one(rows.clone(), "id", "value");
        assert_eq!(one.read, [row(r#"{"a":"yes","b":1}"#)]);
        let broken = Unreadable { key: None, text: None, why: "broken".to_owned(), page: None };
        let one = as_one(Rows { unreadable: vec![broken], ..rows }, "id", "value");
        assert!(one.read.is_empty() && one.unreadable.len() == 1);
    }

    #[test]
    fn values_are_joined_as_far_as_a_page_and_an_address_go() {
        let calls = searches("sku", Takes::List, &values(&["A", "B", "A", "", "C,D", "E"]), (2, 3_000));
        let expected = [("search_sku", "C,D"), ("sku", "A,B"), ("sku", "E")];
        let mut calls: Vec<(&str, &str)> = calls.iter().map(|(name, value)| (*name, value.as_str())).collect();
        calls.sort_unstable();
        assert_eq!(calls, expected);
        let long = values(&["x".repeat(2_000).as_str(), "y".repeat(2_000).as_str()]);
        assert_eq!(searches("sku", Takes::List, &long, (100, 3_000)).len(), 2);
        assert_eq!(searches("email", Takes::One, &values(&["a@b", "c@d"]), (100, 3_000)).len(), 2);
    }
}
