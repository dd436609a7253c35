//! The options of a query string, and finding the rows of a list by them.

use std::borrow::Cow;
use std::cmp::Ordering;

use percent_encoding::percent_decode_str;

use super::cell::{self, Cell};
use super::filter::{self, Compare, Expr};
use super::refusal::Refusal;
use super::schema::{Entity, FilterRule, Kind, Origin, schema};
use super::state::State;
use super::store::Row;

/// Longest query string, bytes; the web server's own limit. A longer one is refused.
pub(super) const QUERY_BYTES_MAX: usize = 2048;

/// What a query string asks for.
#[derive(Default)]
pub(super) struct Query {
    pub(super) select: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) orderby: Option<String>,
    pub(super) top: Option<usize>,
    pub(super) skip: usize,
    pub(super) skiptoken: Option<String>,
    pub(super) expand: Option<String>,
    pub(super) count: bool,
    /// Names without a dollar: arguments of functions, else ignored.
    pub(super) arguments: Vec<(String, String)>,
    /// The string itself, without the token, for the link to the next page.
    repeated: String,
}

impl Query {
    /// Reads a query string as the service does: `%24` is `$`, `+` is a blank.
    pub(super) fn parse(raw: &str) -> Result<Self, Refusal> {
        if raw.len() > QUERY_BYTES_MAX {
            return Err(Refusal { status: 404, text: "The query string is too long.".to_owned() });
        }
        let mut query = Self::default();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (decode(name), decode(value));
            if name != "$skiptoken" {
                let join = if query.repeated.is_empty() { "" } else { "&" };
                query.repeated = format!("{}{join}{part}", query.repeated);
            }
            match name.as_str() {
                "$select" => query.select = Some(value),
                "$filter" => query.filter = Some(value).filter(|text| !text.trim().is_empty()),
                "$orderby" => query.orderby = Some(value),
                "$top" => query.top = Some(value.trim().parse().map_err(|_| Refusal::syntax())?),
                "$skip" => query.skip = value.trim().parse().map_err(|_| Refusal::syntax())?,
                "$skiptoken" => query.skiptoken = Some(value),
                "$expand" => query.expand = Some(value),
                "$inlinecount" => query.count = inline_count(&value)?,
                "$format" => {}
                _ if name.starts_with('$') => return Err(Refusal::syntax()),
                _ => query.arguments.push((name, value)),
            }
        }
        Ok(query)
    }

    /// An argument of a function, whatever its case.
    pub(super) fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|argument| argument.0.eq_ignore_ascii_case(name)).map(|argument| argument.1.as_str())
    }

    /// The query string of the page behind `token`.
    pub(super) fn after(&self, token: &str) -> String {
        if self.repeated.is_empty() {
            format!("$skiptoken={token}")
        } else {
            format!("{}&$skiptoken={token}", self.repeated)
        }
    }
}

/// A part of a query string as it was meant.
pub(super) fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn inline_count(value: &str) -> Result<bool, Refusal> {
    match value.trim() {
        "allpages" => Ok(true),
        "none" => Ok(false),
        _ => Err(Refusal::syntax()),
    }
}

/// The rows of an answer.
pub(super) struct Page<'a> {
    pub(super) rows: Vec<Cow<'a, Row>>,
    /// All rows that pass, past any paging; counted only if asked for.
    pub(super) count: Option<usize>,
    /// Where the next page begins, if there is one.
    pub(super) next: Option<String>,
}

/// The properties of an answer, in the entity's order.
pub(super) fn selected(entity: &Entity, query: &Query) -> Result<Vec<u16>, Refusal> {
    let all = || (0_u16..).take(entity.properties.len()).collect::<Vec<_>>();
    let Some(select) = query.select.as_deref().map(str::trim).filter(|select| !select.is_empty()) else {
        if entity.select_mandatory && query.top != Some(1) {
            return Err(Refusal::bad("Please add a $select or a $top=1 statement to the query string."));
        }
        return Ok(all());
    };
    if select == "*" {
        if entity.page > 60 {
            return Err(Refusal::bad("$select=* is not supported on this endpoint."));
        }
        return Ok(all());
    }
    let mut chosen = Vec::new();
    for name in select.split(',').map(str::trim) {
        let found = entity.find(name).ok_or_else(|| unknown(entity, name))?;
        if !chosen.contains(&found) {
            chosen.push(found);
        }
    }
    chosen.sort_unstable();
    Ok(chosen)
}

fn unknown(entity: &Entity, name: &str) -> Refusal {
    Refusal::bad(format!("Could not find a property named '{name}' on type '{}'.", entity.type_name()))
}

/// The condition of a query, if the entity lets it be asked.
pub(super) fn condition(entity: &Entity, query: &Query) -> Result<Option<Expr>, Refusal> {
    let Some(text) = &query.filter else {
        return Ok(None);
    };
    let expr = Expr::parse(entity, text)?;
    if entity.filter != FilterRule::Free {
        let mut used = Vec::new();
        expr.properties(&mut used);
        let allowed = |at: &u16| {
            let property = entity.property(*at);
            property.filterable || (entity.path == "sync/Deleted" && property.name == "EntityType")
        };
        let refused: Vec<_> = used.iter().filter(|at| !allowed(at)).map(|at| entity.property(*at).name).collect();
        if !refused.is_empty() {
            let names = refused.join(",");
            return Err(Refusal::bad(format!("Filtering on these fields is not supported: {names}")));
        }
    }
    Ok(Some(expr))
}

/// Refuses a list without a condition where the service wants one.
pub(super) fn demand_filter(entity: &Entity, query: &Query) -> Result<(), Refusal> {
    if entity.filter != FilterRule::Mandatory || query.filter.is_some() {
        return Ok(());
    }
    let mut names: Vec<_> =
        entity.properties.iter().filter(|property| property.filterable).map(|property| property.name).collect();
    names.sort_by_key(|name| name.to_ascii_lowercase());
    Err(Refusal::bad(format!(
        "This endpoint has mandatory filtering applied. A GET request for this endpoint must have a $filter \
         parameter with one of the following fields in the url:{}.",
        names.join(",")
    )))
}

/// Finds a page among the rows of the entity's own table.
pub(super) fn page<'a>(state: &'a State, entity: &'a Entity, query: &Query) -> Result<Page<'a>, Refusal> {
    let table = state.table(entity.source.map_or(entity, |source| schema().get(source)));
    let condition = condition(entity, query)?;
    let order = ordering(entity, query)?;
    let slots: Box<dyn Iterator<Item = u32>> = if entity.is_sync() {
        Box::new(table.changed_after(version_floor(entity, query, condition.as_ref())?))
    } else {
        match condition.as_ref().and_then(|expr| candidates(state, entity, expr)) {
            Some(found) => Box::new(found.into_iter()),
            None => Box::new(0..table.end()),
        }
    };
    let passing = slots
        .filter_map(|slot| Some((slot, table.row(slot)?)))
        .filter(|(_, row)| condition.as_ref().is_none_or(|expr| expr.holds(&|at| state.read(entity, row, at))));
    let after = if entity.is_sync() { None } else { resume(entity, query, |key| table.slot(key))? };
    Ok(cut(state, entity, query, passing.map(|(slot, row)| (slot, Cow::Borrowed(row))), &order, after))
}

/// Finds a page among rows that exist for this call only.
pub(super) fn page_of<'a>(
    state: &'a State,
    entity: &'a Entity,
    query: &Query,
    rows: Vec<Row>,
) -> Result<Page<'a>, Refusal> {
    let condition = condition(entity, query)?;
    let order = ordering(entity, query)?;
    let holds = |row: &Row| {
        condition.as_ref().is_none_or(|expr| expr.holds(&|at| Cow::Owned(state.read(entity, row, at).into_owned())))
    };
    // Rows by version were already taken from behind the token.
    let after = if entity.is_sync() {
        None
    } else {
        let place = |key: &Cell| rows.iter().position(|row| row.get(entity.key) == key);
        resume(entity, query, |key| place(key).and_then(|at| u32::try_from(at).ok()))?
    };
    let passing = (0_u32..).zip(rows).filter(|(_, row)| holds(row)).map(|(slot, row)| (slot, Cow::Owned(row)));
    Ok(cut(state, entity, query, passing, &order, after))
}

/// The slot behind which a page begins.
fn resume(entity: &Entity, query: &Query, slot: impl Fn(&Cell) -> Option<u32>) -> Result<Option<u32>, Refusal> {
    let Some(token) = &query.skiptoken else {
        return Ok(None);
    };
    let key = key_literal(entity, token).ok_or_else(Refusal::syntax)?;
    slot(&key).map(Some).ok_or_else(Refusal::syntax)
}

type Order = Vec<(u16, bool)>;

/// The columns to sort by; `true` is descending.
fn ordering(entity: &Entity, query: &Query) -> Result<Order, Refusal> {
    let Some(text) = &query.orderby else {
        return Ok(Vec::new());
    };
    if entity.is_sync() {
        return Err(Refusal::bad("$orderby is not supported on this endpoint."));
    }
    let mut order = Vec::new();
    for part in text.split(',') {
        let mut words = part.split_whitespace();
        let name = words.next().ok_or_else(Refusal::syntax)?;
        let at = entity.find(name).ok_or_else(|| unknown(entity, name))?;
        if matches!(entity.property(at).kind, Kind::Collection | Kind::Complex) {
            return Err(Refusal::syntax());
        }
        let descending = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(Refusal::syntax()),
        };
        order.push((at, descending));
    }
    Ok(order)
}

/// Sorts, skips and cuts what passes into one page.
fn cut<'a>(
    state: &State,
    entity: &Entity,
    query: &Query,
    passing: impl Iterator<Item = (u32, Cow<'a, Row>)>,
    order: &Order,
    after: Option<u32>,
) -> Page<'a> {
    // Functions answer all they have: their keys need not be unique, and no page could begin behind one.
    let page = if entity.path.starts_with("read/") { usize::MAX - 1 } else { entity.page };
    let size = query.top.map_or(page, |top| top.min(page));
    if order.is_empty() && !query.count {
        let rest = passing.skip_while(|(slot, _)| after.is_some_and(|after| *slot <= after)).skip(query.skip);
        let mut rows: Vec<_> = rest.take(size + 1).map(|(_, row)| row).collect();
        let next = link(state, entity, query, &rows, size);
        rows.truncate(size);
        return Page { rows, count: None, next };
    }
    let mut all: Vec<_> = passing.collect();
    let count = query.count.then_some(all.len());
    let compare = |left: &Row, right: &Row| {
        let by = |at: u16| null_first(&state.read(entity, left, at), &state.read(entity, right, at));
        let columns = order.iter().map(|(at, descending)| if *descending { by(*at).reverse() } else { by(*at) });
        columns.fold(Ordering::Equal, Ordering::then)
    };
    all.sort_by(|left, right| compare(&left.1, &right.1));
    // Behind the last row of the page before, also where that one has gone or passes no longer.
    let table = state.table(entity.source.map_or(entity, |source| schema().get(source)));
    let last = after.and_then(|slot| Some((slot, table.row_or_gone(slot)?)));
    let start = match (after, last) {
        (_, Some((last_slot, last))) => {
            all.partition_point(|(slot, row)| compare(row, last).then(slot.cmp(&last_slot)) != Ordering::Greater)
        }
        (Some(after), None) => all.iter().position(|(slot, _)| *slot == after).map_or(all.len(), |at| at + 1),
        (None, None) => 0,
    };
    let mut rows: Vec<_> = all.into_iter().skip(start + query.skip).take(size + 1).map(|(_, row)| row).collect();
    let next = link(state, entity, query, &rows, size);
    rows.truncate(size);
    Page { rows, count, next }
}

fn null_first(left: &Cell, right: &Cell) -> Ordering {
    filter::order(left, right).unwrap_or_else(|| right.is_null().cmp(&left.is_null()))
}

/// The token of the next page; `$top` has none.
fn link(state: &State, entity: &Entity, query: &Query, rows: &[Cow<'_, Row>], size: usize) -> Option<String> {
    if rows.len() <= size || query.top.is_some() || size == 0 {
        return None;
    }
    Some(literal(&state.read(entity, &rows[size - 1], entity.key), entity.property(entity.key).kind))
}

/// A key as it stands in addresses.
pub(super) fn literal(key: &Cell, kind: Kind) -> String {
    match key {
        Cell::Guid(guid) => format!("guid'{guid}'"),
        Cell::Int(number) if kind == Kind::Int64 => format!("{number}L"),
        Cell::Int(number) => number.to_string(),
        Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Cell::Null | Cell::Bool(_) | Cell::Number(_) | Cell::Time(_) => "null".to_owned(),
    }
}

/// A key read back from an address.
pub(super) fn key_literal(entity: &Entity, text: &str) -> Option<Cell> {
    let text = text.trim();
    let inner = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('\''));
    match entity.property(entity.key).kind {
        Kind::Guid => cell::guid(inner("guid'")?).map(Cell::Guid),
        Kind::Text => inner("'").map(|text| Cell::text(&text.replace("''", "'"))),
        _ => text.trim_end_matches('L').parse().ok().map(Cell::Int),
    }
}

/// The version that rows of a sync list must exceed: the one asked for, or that of the page before.
///
/// # Errors
/// A token that is no version: it would begin anew without a word.
pub(super) fn version_floor(entity: &Entity, query: &Query, condition: Option<&Expr>) -> Result<i64, Refusal> {
    let asked = condition.map_or(0, |expr| newer_than(entity, expr));
    let token = query.skiptoken.as_deref().map_or(Ok(0), version_token)?;
    Ok(asked.max(token))
}

fn version_token(text: &str) -> Result<i64, Refusal> {
    text.trim().trim_end_matches('L').parse().map_err(|_| Refusal::syntax())
}

/// The version that rows must exceed, as far as the condition says.
fn newer_than(entity: &Entity, expr: &Expr) -> i64 {
    match expr {
        Expr::And(all) => all.iter().map(|expr| newer_than(entity, expr)).max().unwrap_or(0),
        Expr::Compare(how, left, right) => match (&**left, &**right) {
            (Expr::Property(at), Expr::Literal(Cell::Int(version))) if entity.property(*at).name == "Timestamp" => {
                match how {
                    Compare::Gt => *version,
                    Compare::Ge | Compare::Eq => version.saturating_sub(1),
                    Compare::Ne | Compare::Lt | Compare::Le => 0,
                }
            }
            _ => 0,
        },
        _ => 0,
    }
}

/// The slots among which all passing rows are, found by indexes; `None` if every row must be looked at.
fn candidates(state: &State, entity: &Entity, expr: &Expr) -> Option<Vec<u32>> {
    let mut found = match expr {
        Expr::And(all) => all.iter().filter_map(|expr| candidates(state, entity, expr)).min_by_key(Vec::len)?,
        Expr::Or(any) => {
            let each: Option<Vec<_>> = any.iter().map(|expr| candidates(state, entity, expr)).collect();
            each?.concat()
        }
        Expr::Compare(Compare::Eq, left, right) => match (&**left, &**right) {
            (Expr::Property(at), Expr::Literal(value)) | (Expr::Literal(value), Expr::Property(at)) => {
                equal(state, entity, *at, value)?
            }
            _ => return None,
        },
        _ => return None,
    };
    found.sort_unstable();
    found.dedup();
    Some(found)
}

/// The slots whose property has a value, through as many references as it takes.
fn equal(state: &State, entity: &Entity, at: u16, value: &Cell) -> Option<Vec<u32>> {
    value.key()?;
    let table = state.table(entity);
    match entity.property(at).origin {
        Origin::Stored if at == entity.key => Some(table.slot(value).into_iter().collect()),
        Origin::Stored => table.having(at, value).map(<[u32]>::to_vec),
        Origin::Shown(source) => equal(state, schema().get(entity.source?), source, value),
        Origin::Through { base, property } => {
            let refers = entity.property(base).refers?;
            let target = schema().get(refers.entity);
            let targets = state.table(target);
            if !table.is_indexed(base) || !targets.is_indexed(refers.property) {
                return None;
            }
            let rows = equal(state, target, property, value)?;
            let keys = rows.iter().filter_map(|slot| targets.row(*slot)).map(|row| row.get(refers.property));
            let slots: Option<Vec<_>> = keys.map(|key| table.having(base, key).map(<[u32]>::to_vec)).collect();
            Some(slots?.concat())
        }
        Origin::Meaning(_) | Origin::Computed(_) => None,
    }
}
