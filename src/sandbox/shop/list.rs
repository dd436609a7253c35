//! Lists: pages with their headers, and the projection that `_fields` asks for.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::arguments;
use super::call::{Call, Storage};
use super::query::{self, Parameters};
use crate::sandbox::rows::Listed;

/// Rows of a page when a request does not say.
const PER_PAGE_DEFAULT: u64 = 10;

/// Which part of a list was asked for; the arguments are already checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) number: u64,
    pub(crate) rows: u64,
    pub(crate) offset: u64,
    /// `offset` was sent.
    pub(crate) by_offset: bool,
}

impl Page {
    /// Reads `page`, `per_page` and `offset`, which wins over `page`.
    pub(crate) fn of(call: &Call) -> Self {
        let parameters = &call.query;
        let whole = |name: &str| parameters.get(name).and_then(arguments::integer).and_then(|n| u64::try_from(n).ok());
        let (number, rows) = (whole("page").unwrap_or(1), whole("per_page").unwrap_or(PER_PAGE_DEFAULT));
        let rows = rows.min(call.faults.cap_silent().unwrap_or(u64::MAX));
        Page {
            number,
            rows,
            offset: whole("offset").unwrap_or_else(|| (number.saturating_sub(1)).saturating_mul(rows)),
            by_offset: whole("offset").is_some(),
        }
    }

    /// The part of a list that is on this page.
    pub(crate) fn cut<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        let start = usize::try_from(self.offset).unwrap_or(usize::MAX).min(all.len());
        let end = start.saturating_add(usize::try_from(self.rows).unwrap_or(usize::MAX)).min(all.len());
        &all[start..end]
    }
}

/// What the links of a list carry besides what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defaults {
    /// Nothing.
    None,
    /// `status[0]=any&dp=2&context=view`, as lists of orders do.
    Orders(Storage),
    /// `dp=2`, as the list of all refunds does.
    Refunds(Storage),
}

impl Defaults {
    /// Whether a page past the end still tells the totals: of posts it does, but not where `offset` led there.
    fn keep_totals(self, page: Page) -> bool {
        let posts = !matches!(self, Defaults::Orders(Storage::Tables) | Defaults::Refunds(Storage::Tables));
        posts && !page.by_offset
    }
}

/// The answer of a list: rows projected, totals and links in the headers.
///
/// A page past the end has totals of zero and a `prev` link to nowhere, as recorded with HPOS; of posts only where
/// `offset` led there.
///
/// # Errors
/// The server that died over one of the rows.
pub(crate) fn answer(
    call: &Call,
    rows: Vec<Value>,
    total: usize,
    page: Page,
    address: &str,
    defaults: Defaults,
) -> Outcome {
    let sent = &call.query;
    let id_of = |row: &Value| row["id"].as_str().map_or_else(|| row["id"].to_string(), str::to_owned);
    let (rows, total) = match call.faults.list(rows, id_of) {
        Listed::Rows(rows) => (rows, total as u64),
        Listed::Empty => (Vec::new(), 0),
        Listed::Dies => return Err(Refusal::dead()),
    };
    let beyond = page.offset > 0 && page.offset >= total;
    let total = if beyond && !defaults.keep_totals(page) { 0 } else { total };
    let pages = total.div_ceil(page.rows.max(1));
    let mut links = Vec::new();
    let joint = if address.contains('?') { '&' } else { '?' };
    let link = |number: u64, rel: &str| {
        format!("<{address}{joint}{}>; rel=\"{rel}\"", link_query(sent, number, defaults, beyond))
    };
    if page.number > 1 {
        links.push(link(if beyond { pages } else { page.number - 1 }, "prev"));
    }
    if page.number < pages {
        links.push(link(page.number + 1, "next"));
    }
    let shown = rows.into_iter().map(|(id, row)| {
        let mut row = project(row, sent);
        call.faults.blemish(&id, &mut row);
        row
    });
    let mut answer = Answer::ok(shown.collect());
    answer.headers.push(("x-wp-total", total.to_string()));
    answer.headers.push(("x-wp-totalpages", pages.to_string()));
    if !links.is_empty() {
        answer.headers.push(("link", links.join(", ")));
    }
    Ok(answer)
}

fn link_query(sent: &Parameters, page: u64, defaults: Defaults, beyond: bool) -> String {
    let mut carried = Parameters::new();
    for (name, value) in sent.iter().filter(|(name, _)| *name != "rest_route") {
        let value = match name.as_str() {
            "page" => json!(page),
            "status" | "include" | "exclude" | "created_via"
                if value.is_string() && matches!(defaults, Defaults::Orders(_)) =>
            {
                Value::Array(arguments::list_of(value))
            }
            _ => query::listed(value.clone()),
        };
        carried.insert(name.clone(), value);
    }
    let mut add = |name: &str, value: Value| {
        carried.entry(name.to_owned()).or_insert(value);
    };
    match defaults {
        Defaults::Orders(_) => {
            add("status", json!(["any"]));
            if !beyond {
                add("dp", json!("2"));
                add("context", json!("view"));
            }
        }
        Defaults::Refunds(_) => add("dp", json!("2")),
        Defaults::None => {}
    }
    add("page", json!(page));
    query::build(&carried)
}

/// The paths of `_fields`, or none where everything is wanted.
fn wanted(parameters: &Parameters) -> Option<Map<String, Value>> {
    let fields = arguments::texts_of(parameters, "_fields");
    if fields.is_empty() {
        return None;
    }
    let mut tree = Map::new();
    for field in fields {
        let mut level = &mut tree;
        let mut parts = field.split('.').peekable();
        while let Some(part) = parts.next() {
            let slot = level.entry(part.to_owned()).or_insert_with(|| json!({}));
            if parts.peek().is_none() {
                *slot = Value::Bool(true);
            }
            match slot {
                Value::Object(next) => level = next,
                _ => break,
            }
        }
    }
    Some(tree)
}

/// A row of a list with only the fields that were asked for; `_links` go unless asked for.
fn project(row: Value, parameters: &Parameters) -> Value {
    let Some(tree) = wanted(parameters) else {
        return row;
    };
    intersect(row, &tree).unwrap_or_else(|| json!([]))
}

/// A single resource with only the fields that were asked for; it keeps its `_links`.
pub(crate) fn project_one(row: Value, parameters: &Parameters) -> Value {
    let Some(mut tree) = wanted(parameters) else {
        return row;
    };
    tree.insert("_links".to_owned(), Value::Bool(true));
    intersect(row, &tree).unwrap_or_else(|| json!([]))
}

/// What of an object is named in the tree. A path into a list takes the whole list away, as the shop does.
fn intersect(row: Value, tree: &Map<String, Value>) -> Option<Value> {
    let Value::Object(members) = row else {
        return None;
    };
    let mut kept = Map::new();
    for (name, value) in members {
        match tree.get(&name) {
            Some(Value::Object(below)) => {
                if let Some(part) = intersect(value, below) {
                    kept.insert(name, part);
                }
            }
            Some(_) => {
                kept.insert(name, value);
            }
            None => {}
        }
    }
    if kept.is_empty() { None } else { Some(Value::Object(kept)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str) -> Parameters {
        query::parse(text)
    }

    fn call(text: &str) -> Call {
        let mut call = Call::inside("http://s", jiff::Timestamp::UNIX_EPOCH, Parameters::new());
        call.query = sent(text);
        call
    }

    #[test]
    fn links_carry_what_was_not_sent() {
        let call = call("per_page=5&page=2");
        let page = Page::of(&call);
        let rows = vec![json!({"id": 1}); 5];
        let address = "http://s/wp-json/wc/v3/orders";
        let made = answer(&call, rows, 117, page, address, Defaults::Orders(Storage::Tables)).unwrap();
        let link = &made.headers.iter().find(|(name, _)| *name == "link").unwrap().1;
        assert_eq!(
            link,
            "<http://s/wp-json/wc/v3/orders?per_page=5&page=1&status%5B0%5D=any&dp=2&context=view>; rel=\"prev\", \
             <http://s/wp-json/wc/v3/orders?per_page=5&page=3&status%5B0%5D=any&dp=2&context=view>; rel=\"next\""
        );
    }

    #[test]
    fn beyond_the_end_the_totals_are_zero() {
        let call = call("per_page=100&page=99");
        let kind = Defaults::Orders(Storage::Tables);
        let made = answer(&call, Vec::new(), 117, Page::of(&call), "http://s/orders", kind).unwrap();
        assert_eq!(made.headers[0].1, "0");
        assert_eq!(made.headers[2].1, "<http://s/orders?per_page=100&page=0&status%5B0%5D=any>; rel=\"prev\"");
    }

    #[test]
    fn projection_goes_into_objects_not_into_lists() {
        let row = json!({"id": 1, "billing": {"email": "e", "city": "c"}, "line_items": [{"sku": "s"}], "_links": {}});
        assert_eq!(
            project(row.clone(), &sent("_fields=id,billing.email,line_items.sku")),
            json!({"id": 1, "billing": {"email": "e"}})
        );
        assert_eq!(project(row.clone(), &sent("_fields=nothing")), json!([]));
        assert_eq!(project_one(row, &sent("_fields=id")), json!({"id": 1, "_links": {}}));
    }
}
