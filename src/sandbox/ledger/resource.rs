//! A call inside the API: lists, single records, counts, lines beneath a record, and writes.

use axum::http::Method;
use serde_json::{Value, json};

use super::Ledger;
use super::cell::Cell;
use super::draft::{Draft, Hand, Write};
use super::functions;
use super::http::{Answer, Call};
use super::query::{self, Page, Query};
use super::record::Record;
use super::refusal::Refusal;
use super::render::{self, Frame};
use super::rules;
use super::schema::{Entity, Kind, schema};
use super::state::State;

/// The part of a path behind the entity.
enum Place<'a> {
    Collection,
    Count,
    One(&'a str),
    Beneath(&'a str, &'a str),
}

/// Answers a call that was let in.
pub(super) fn answer(ledger: &Ledger, call: &Call<'_>) -> Result<Answer, Refusal> {
    let (entity, place) = target(ledger, call.path)?;
    let mut books = ledger.books();
    match (call.method, &place) {
        (&Method::GET, _) if !entity.methods.get => Err(Refusal::method()),
        (&Method::GET, Place::Collection) => list(&books, entity, call),
        (&Method::GET, Place::Count) => count(&books, entity, call),
        (&Method::GET, Place::One(key)) => one(&books, entity, key, call),
        (&Method::GET, Place::Beneath(key, name)) => beneath(&books, entity, key, name, call),
        (&Method::POST, Place::Collection) if entity.methods.post => post(&mut books, entity, call),
        (&Method::PUT, Place::One(key)) if entity.methods.put => {
            let record = existing(&books, entity, key)?;
            let draft = Draft::read(&books, entity, &call.json()?, Write::Change, Hand::Program)?;
            rules::change(&mut books, &record, draft, Hand::Program)?;
            Ok(Answer::Done)
        }
        (&Method::DELETE, Place::One(key)) if entity.methods.delete && entity.source.is_none() => {
            let record = existing(&books, entity, key)?;
            if entity.name == "Divisions" {
                return Err(Refusal::forbidden());
            }
            rules::remove(&mut books, &record)?;
            Ok(Answer::Done)
        }
        _ => Err(Refusal::method()),
    }
}

/// The entity that a path names and the place within it.
fn target<'a>(ledger: &Ledger, path: &'a str) -> Result<(&'static Entity, Place<'a>), Refusal> {
    let rest = path.strip_prefix("/api/v1/").ok_or_else(Refusal::not_found)?;
    let (first, inner) = rest.split_once('/').ok_or_else(Refusal::not_found)?;
    let path = if first.eq_ignore_ascii_case("current") {
        rest
    } else {
        let division: i64 = first.parse().map_err(|_| Refusal::not_found())?;
        if division != ledger.config().division {
            return Err(Refusal::forbidden());
        }
        inner
    };
    let path = path.trim_end_matches('/');
    let (name, place) = place(path)?;
    let entity = schema().find(name).ok_or_else(Refusal::not_found)?;
    Ok((entity, place))
}

fn place(path: &str) -> Result<(&str, Place<'_>), Refusal> {
    if let Some(open) = path.find('(') {
        let close = path.rfind(')').filter(|close| *close > open).ok_or_else(Refusal::syntax)?;
        let (name, key) = (&path[..open], &path[open + 1..close]);
        return Ok(match path[close + 1..].strip_prefix('/') {
            Some(beneath) => (name, Place::Beneath(key, beneath)),
            None if path.len() == close + 1 => (name, Place::One(key)),
            None => return Err(Refusal::syntax()),
        });
    }
    Ok(match path.strip_suffix("/$count") {
        Some(name) => (name, Place::Count),
        None => (path, Place::Collection),
    })
}

fn existing(books: &State, entity: &'static Entity, key: &str) -> Result<Record, Refusal> {
    let key = query::key_literal(entity, key).ok_or_else(Refusal::syntax)?;
    books.record(entity.path, &key).ok_or_else(Refusal::not_found)
}

/// Finds the rows of a list.
fn find<'a>(books: &'a State, entity: &'static Entity, query: &Query) -> Result<Page<'a>, Refusal> {
    match functions::rows(books, entity, query)? {
        Some(rows) => query::page_of(books, entity, query, rows),
        None => query::page(books, entity, query),
    }
}

fn list(books: &State, entity: &'static Entity, call: &Call<'_>) -> Result<Answer, Refusal> {
    let query = call.parsed_query()?;
    let selected = query::selected(entity, &query)?;
    query::demand_filter(entity, &query)?;
    if entity.is_sync() && query.skip > 0 {
        return Err(Refusal::bad("$skip is not supported on this endpoint."));
    }
    let page = find(books, entity, &query)?;
    let bare = query.top.is_some() && !query.count;
    let expanded = expansions(entity, &query)?;
    let frame = Frame { state: books, entity, base: &call.base, selected: &selected, expanded: &expanded, bare };
    Ok(Answer::Json(listed(&frame, &page, &query, &frame.address())))
}

/// A list in its two forms: a bare array for `$top` alone, else with `results`.
fn listed(frame: &Frame<'_>, page: &Page<'_>, query: &Query, address: &str) -> Value {
    let rows: Vec<_> = page.rows.iter().map(|row| frame.row(row)).collect();
    if frame.bare {
        return json!({"d": rows});
    }
    let mut inner = serde_json::Map::new();
    inner.insert("results".to_owned(), Value::Array(rows));
    if let Some(count) = page.count {
        inner.insert("__count".to_owned(), Value::String(count.to_string()));
    }
    if let Some(token) = &page.next {
        inner.insert("__next".to_owned(), Value::String(format!("{address}?{}", query.after(token))));
    }
    json!({"d": inner})
}

/// The navigations named in `$expand`, with all properties of their rows, or those selected by path.
fn expansions(entity: &'static Entity, query: &Query) -> Result<Vec<(u16, Vec<u16>)>, Refusal> {
    let Some(text) = query.expand.as_deref().filter(|text| !text.trim().is_empty()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for name in text.split(',').map(str::trim) {
        let at = entity.find(name).filter(|at| entity.property(*at).kind == Kind::Collection);
        let at = at.ok_or_else(|| Refusal::bad(format!("No navigation property '{name}' to expand.")))?;
        let child = entity.property(at).child.map(|child| schema().get(child.entity));
        let count = child.map_or(0, |child| child.properties.len());
        found.push((at, (0_u16..).take(count).collect()));
    }
    Ok(found)
}

fn count(books: &State, entity: &'static Entity, call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut query = call.parsed_query()?;
    query.count = true;
    let page = find(books, entity, &query)?;
    Ok(Answer::Text(page.count.unwrap_or(page.rows.len()).to_string()))
}

fn one(books: &State, entity: &'static Entity, key: &str, call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut query = call.parsed_query()?;
    let key = query::key_literal(entity, key).ok_or_else(Refusal::syntax)?;
    // A single record needs no `$select`.
    query.top = Some(1);
    let selected = query::selected(entity, &query)?;
    let expanded = expansions(entity, &query)?;
    let frame = Frame { state: books, entity, base: &call.base, selected: &selected, expanded: &expanded, bare: false };
    if let Some(rows) = functions::rows(books, entity, &query)? {
        let found = rows.iter().find(|row| *books.read(entity, row, entity.key) == key);
        return found.map(|row| Answer::Json(json!({"d": frame.row(row)}))).ok_or_else(Refusal::not_found);
    }
    let table = books.table(entity.source.map_or(entity, |source| schema().get(source)));
    let row = match (&key, entity.is_sync()) {
        (Cell::Int(version), true) => {
            let next = table.changed_after(version - 1).next().and_then(|slot| table.row(slot));
            next.filter(|row| row.version == *version)
        }
        _ => table.find(&key),
    };
    let row = row.ok_or_else(Refusal::not_found)?;
    Ok(Answer::Json(json!({"d": frame.row(row)})))
}

/// The rows behind a navigation, as a list of their own.
fn beneath(books: &State, entity: &'static Entity, key: &str, name: &str, call: &Call<'_>) -> Result<Answer, Refusal> {
    let key = query::key_literal(entity, key).ok_or_else(Refusal::syntax)?;
    let at = entity.find(name).filter(|at| entity.property(*at).kind == Kind::Collection);
    let at = at.ok_or_else(Refusal::not_found)?;
    let table = books.table(entity.source.map_or(entity, |source| schema().get(source)));
    let row = table.find(&key).ok_or_else(Refusal::not_found)?;
    let query = call.parsed_query()?;
    let Some((child, rows)) = render::children(books, entity, row, at) else {
        return Ok(Answer::Json(json!({"d": {"results": []}})));
    };
    let selected = query::selected(child, &query)?;
    let page = query::page_of(books, child, &query, rows.into_iter().cloned().collect())?;
    let bare = query.top.is_some() && !query.count;
    let frame = Frame { state: books, entity: child, base: &call.base, selected: &selected, expanded: &[], bare };
    let address =
        format!("{}({})/{name}", render::address(books, entity, &call.base), query::literal(&key, Kind::Guid));
    Ok(Answer::Json(listed(&frame, &page, &query, &address)))
}

fn post(books: &mut State, entity: &'static Entity, call: &Call<'_>) -> Result<Answer, Refusal> {
    let draft = Draft::read(books, entity, &call.json()?, Write::Create, Hand::Program)?;
    let sent = draft.sent.clone();
    let record = rules::create(books, draft, Hand::Program)?;
    // A function's answer lies in no table; a stored record is shown as it came to be.
    let record = books.record(entity.path, &record.key()).unwrap_or(record);
    let all: Vec<u16> = (0_u16..).take(entity.properties.len()).collect();
    let frame = Frame { state: books, entity, base: &call.base, selected: &all, expanded: &[], bare: false };
    let full = call.wants_record() || record.slot.is_none();
    let shown = if full { frame.row(&record.row) } else { render::echo(&frame, &record.row, &sent) };
    Ok(Answer::Created(json!({"d": shown}), frame.uri(&record.row)))
}
