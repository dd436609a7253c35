//! Searching a shop. It answers everything to a filter that it does not know, so only proven ones are sent.

use super::{Query, Shop};
use crate::connector::http::Effect;
use crate::connector::{CallError, Condition, Find, Rows};
use crate::ir::{Entity, Field, Search, Type, WireForm};
use crate::limits;

/// How a parameter takes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    List,
    One,
}

/// The parameter for a field, and how many values it takes.
fn parameter<'a>(entity: &'a Entity, field: &'a Field) -> Option<(&'a str, Takes)> {
    let is_key = entity.key.is_some_and(|key| entity.get(key).wire == field.wire);
    Some(match &*field.wire {
        "id" => ("include", Takes::List),
        _ if is_key && matches!(field.ty.present(), Type::Int) => ("include", Takes::List),
        "customer_id" => ("customer", Takes::One),
        "parent_id" => ("parent", Takes::List),
        "sku" => ("sku", Takes::List),
        // Orders take lists here, products one value.
        name @ ("status" | "created_via") if entity.route.as_deref() == Some("orders") => (name, Takes::List),
        name => match field.search {
            Search::Filter | Search::Parameter => (name, Takes::One),
            Search::Loose => ("search", Takes::One),
            Search::No => return None,
        },
    })
}

/// What every list of this resource is asked with.
pub(super) fn always(route: &str) -> Query {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    // Amounts come with the shop's own decimals unless more are asked for.
    let mut query = vec![pair("dp", "6")];
    if route == "customers" {
        // Else only the role `customer` is listed, and wholesale plugins give roles of their own.
        query.push(pair("role", "all"));
    }
    query
}

/// `_fields`: it works into objects and not into lists, where it would drop the list altogether.
pub(super) fn fields(entity: &Entity, names: &[String]) -> Option<(String, String)> {
    let mut out: Vec<&str> = Vec::new();
    for name in names {
        let name = match name.split_once('.') {
            Some((first, _)) if !is_object(entity, first) => first,
            Some(_) | None => name.as_str(),
        };
        if !out.contains(&name) {
            out.push(name);
        }
    }
    (!out.is_empty()).then(|| ("_fields".to_owned(), out.join(",")))
}

fn is_object(entity: &Entity, wire: &str) -> bool {
    let fields: Vec<&Field> =
        entity.fields.iter().filter(|field| &*field.wire == wire && field.meta.is_none()).collect();
    !fields.is_empty()
        && fields.iter().all(|field| {
            matches!(field.ty.present(), Type::Record(_))
                && matches!(field.form.form, WireForm::Nested | WireForm::Plain)
        })
}

/// Conditions as parameters, where the shop knows one; the caller looks at what comes back all the same.
pub(super) fn conditions(entity: &Entity, conditions: &[Condition]) -> Query {
    let mut query = Vec::new();
    for condition in conditions {
        let field = entity.get(condition.field);
        match parameter(entity, field) {
            Some((name, Takes::List)) => query.push((name.to_owned(), condition.values.join(","))),
            Some((name, Takes::One)) if condition.values.len() == 1 && name != "search" => {
                query.push((name.to_owned(), condition.values[0].clone()));
            }
            Some(_) | None => {}
        }
    }
    query
}

/// All records that have one of these values.
pub(super) async fn find(shop: &Shop, find: &Find) -> Result<Rows, CallError> {
    let route = shop.route(&find.entity, &find.parts, "find")?;
    let mut query = always(&route);
    query.extend(fields(&find.entity, &find.names()));
    let Some(by) = find.by else {
        return all(shop, &route, &query).await;
    };
    let field = find.entity.get(by);
    let Some((name, takes)) = parameter(&find.entity, field) else {
        return Err(CallError::Refused {
            system: shop.http.system.to_string(),
            reason: format!("it cannot be searched by `{}`", field.name),
            status: 0,
            call: format!("GET {route}"),
        });
    };
    let mut found = Rows::default();
    for (name, value) in searches(name, takes, &find.values, (shop.page_rows().min(shop.values_max), shop.url_max)) {
        let mut query = query.clone();
        query.push((name.to_owned(), value));
        match all(shop, &route, &query).await {
            Ok(rows) => found.extend(rows),
            // The shop checks an e-mail address before it looks for it: what is none, nobody has.
            Err(CallError::Refused { status: 400, .. }) if name == "email" => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
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

/// Every page of a list. Some resources ignore paging and answer all of it each time: the same first row again is the end.
async fn all(shop: &Shop, route: &str, query: &[(String, String)]) -> Result<Rows, CallError> {
    let mut found = Rows::default();
    for _ in 0..limits::SEARCH_PAGES_MAX {
        let offset = found.read.len() + found.unreadable.len();
        let (rows, asked) = shop
            .list(route, |rows| {
                let mut query = query.to_vec();
                query.push(("per_page".to_owned(), rows.to_string()));
                if offset > 0 {
                    query.push(("offset".to_owned(), offset.to_string()));
                }
                query
            })
            .await?;
        let again = offset > 0 && rows.read.first() == found.read.first();
        let full = rows.read.len() + rows.unreadable.len() == asked as usize;
        if !again {
            found.extend(rows);
        }
        if again || !full {
            return Ok(found);
        }
    }
    Err(shop.http.garbled(format!("more than {} pages of {route}", limits::SEARCH_PAGES_MAX), Effect::Read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(list: &[&str]) -> Vec<String> {
        list.iter().map(|value| (*value).to_owned()).collect()
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
