//! Reading products and variations.

use std::collections::HashSet;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::arguments::{flag, ids_of, texts_of};
use super::call::{ALL_METHODS, Call, Storage};
use super::list::{self, Defaults, Page};
use super::state::{State, amount};
use super::table::{Moment, Row, Table, id, text};

/// `GET /products`; a search by SKU also finds variations.
pub(crate) fn list(state: &State, call: &Call) -> Outcome {
    call.check("GET products")?;
    let by_sku = call.text("sku").is_some_and(|sku| !sku.is_empty())
        || call.text("search_sku").is_some_and(|sku| !sku.is_empty());
    let mut found = matching(state, call, &state.products, 0);
    if by_sku || call.text("global_unique_id").is_some() {
        found.extend(matching(state, call, &state.variations, 0));
    }
    sort(&mut found, call);
    let page = Page::of(call);
    let rows =
        page.cut(&found).iter().map(|(_, id)| any(state, *id, call)).collect::<Option<Vec<_>>>().unwrap_or_default();
    list::answer(call, rows, found.len(), page, &call.address("products"), Defaults::None)
}

/// `GET /products/{id}/variations`.
pub(crate) fn list_variations(state: &State, call: &Call, product_id: u64) -> Outcome {
    call.check("GET products/{id}/variations")?;
    if !state.products.contains(product_id) {
        return Err(Refusal::new(404, "woocommerce_rest_product_invalid_id", "Invalid product ID."));
    }
    let mut found = matching(state, call, &state.variations, product_id);
    sort(&mut found, call);
    let page = Page::of(call);
    let rows = page
        .cut(&found)
        .iter()
        .filter_map(|(_, id)| state.variations.get(*id))
        .map(|row| show_variation(state, row, call))
        .collect();
    let address = call.address(&format!("products/{product_id}/variations"));
    list::answer(call, rows, found.len(), page, &address, Defaults::None)
}

/// `GET /variations`: those of all products together.
pub(crate) fn list_all_variations(state: &State, call: &Call) -> Outcome {
    call.check("GET variations")?;
    let mut found = matching(state, call, &state.variations, 0);
    sort(&mut found, call);
    let page = Page::of(call);
    let rows = page.cut(&found).iter().filter_map(|(_, id)| state.variations.get(*id));
    let rows = rows
        .map(|row| {
            let variation = row["id"].clone();
            let mut shown = show_variation(state, row, call);
            let address = call.address("variations");
            shown["_links"] = json!({
                "self": [{"href": format!("{address}/{variation}")}],
                "collection": [{"href": address}],
                "up": [{"href": call.address("products/0")}]
            });
            shown
        })
        .collect();
    list::answer(call, rows, found.len(), page, &call.address("variations"), Defaults::None)
}

/// `GET /products/{id}`, which also shows variations.
pub(crate) fn get(state: &State, call: &Call, product_id: u64) -> Outcome {
    let edited = call.text("context") == Some("edit");
    let product = state.products.get(product_id).filter(|_| edited);
    let shown = match product {
        Some(product) => show_edited(state, product, call),
        None => any(state, product_id, call).ok_or_else(unknown)?,
    };
    Ok(Answer::ok(list::project_one(shown, &call.query)))
}

/// `GET /products/{id}/variations/{id}`.
pub(crate) fn get_variation(state: &State, call: &Call, product_id: u64, variation_id: u64) -> Outcome {
    let variation = variation_of(state, product_id, variation_id)?;
    Ok(Answer::ok(list::project_one(show_variation(state, variation, call), &call.query)))
}

/// A variation of this product.
pub(crate) fn variation_of(state: &State, product_id: u64, variation_id: u64) -> Result<Value, Refusal> {
    let found = state.variations.get(variation_id).filter(|row| id(row, "parent_id") == product_id);
    found.ok_or_else(|| Refusal::new(404, "woocommerce_rest_product_variation_invalid_id", "Invalid ID."))
}

/// The refusal of an id that no product has.
pub(crate) fn unknown() -> Refusal {
    Refusal::new(404, "woocommerce_rest_product_invalid_id", "Invalid ID.")
}

/// Ids with what they are sorted by.
fn matching(state: &State, call: &Call, table: &Table, parent: u64) -> Vec<(String, u64)> {
    let named = texts_of(&call.parameters, "include_status");
    let named = if named.is_empty() { texts_of(&call.parameters, "status") } else { named };
    let statuses: HashSet<String> = named.into_iter().collect();
    let unwanted = texts_of(&call.parameters, "exclude_status");
    let any = statuses.is_empty() || statuses.contains("any");
    let skus: HashSet<String> = call
        .text("sku")
        .map(|list| list.split(',').map(|sku| sku.trim().to_lowercase()).filter(|sku| !sku.is_empty()).collect())
        .unwrap_or_default();
    let include = ids_of(&call.parameters, "include");
    let exclude = ids_of(&call.parameters, "exclude");
    let bounds = call.bounds(Storage::Posts, &state.zone.rules);
    let by = call.text("orderby").unwrap_or("date").to_owned();
    let takes = |id: u64, row: &Row| {
        let columns = &row.columns;
        let status = if any {
            !["trash", "auto-draft"].contains(&&*columns.status)
        } else {
            statuses.contains(&*columns.status)
        };
        status
            && !unwanted.iter().any(|unwanted| **unwanted == *columns.status)
            && (parent == 0 || columns.owner == parent)
            && (skus.is_empty() || skus.contains(&*columns.key))
            && (include.is_empty() || include.contains(&id))
            && !exclude.contains(&id)
            && bounds.take(columns)
    };
    let mut found = Vec::new();
    for (id, row) in table.rows().filter(|(id, row)| takes(*id, row)) {
        let value = row.value();
        if fits(&value, call) {
            let at = include.iter().position(|wanted| *wanted == id).unwrap_or(0);
            found.push((rank(&value, row, &by, at), id));
        }
    }
    found
}

/// The filters that look into the record.
fn fits(article: &Value, call: &Call) -> bool {
    let same = |parameter: &str, member: &str| {
        call.text(parameter)
            .is_none_or(|wanted| wanted.is_empty() || wanted == "any" || text(article, member) == wanted)
    };
    let truth = |parameter: &str, member: &str| {
        call.parameters.get(parameter).and_then(flag).is_none_or(|wanted| article[member] == json!(wanted))
    };
    let among = |parameter: &str, member: &str| {
        let wanted = ids_of(&call.parameters, parameter);
        wanted.is_empty() || article[member].as_array().into_iter().flatten().any(|row| wanted.contains(&id(row, "id")))
    };
    let contains = |parameter: &str, members: &[&str]| {
        let needle = call.text(parameter).unwrap_or("").to_lowercase();
        needle.is_empty() || members.iter().any(|member| text(article, member).to_lowercase().contains(&needle))
    };
    let class = call
        .text("tax_class")
        .is_none_or(|wanted| text(article, "tax_class") == if wanted == "standard" { "" } else { wanted });
    let price = amount(article, "price");
    let bound = |name: &str| call.text(name).and_then(|text| text.parse::<Decimal>().ok());
    let unique = texts_of(&call.parameters, "global_unique_id");
    let slug = texts_of(&call.parameters, "slug");
    same("type", "type")
        && same("stock_status", "stock_status")
        && class
        && truth("virtual", "virtual")
        && truth("downloadable", "downloadable")
        && truth("featured", "featured")
        && truth("on_sale", "on_sale")
        && among("category", "categories")
        && among("tag", "tags")
        && contains("search", &["name", "description", "short_description"])
        && contains("search_sku", &["sku"])
        && (unique.is_empty() || unique.iter().any(|code| code == text(article, "global_unique_id")))
        && (slug.is_empty() || slug.iter().any(|slug| slug == text(article, "slug")))
        && bound("min_price").is_none_or(|low| price >= low)
        && bound("max_price").is_none_or(|high| price <= high)
}

/// Posts are sorted by the digits of the shop's wall clock: in the hour that comes twice not by the instant.
fn by_date(moment: Moment) -> String {
    format!("{:015}", moment.local.unwrap_or(0))
}

/// What a row sorts by, as text that sorts the same way.
fn rank(article: &Value, row: &Row, by: &str, include_at: usize) -> String {
    match by {
        "title" | "name" => text(article, "name").to_lowercase(),
        "slug" => text(article, "slug").to_owned(),
        "id" => String::new(),
        "modified" => by_date(row.columns.modified),
        "include" => format!("{:09}", usize::MAX / 2 - include_at),
        "price" => format!("{:020.6}", amount(article, "price")),
        "menu_order" => format!("{:09}", id(article, "menu_order")),
        _ => by_date(row.columns.created),
    }
}

fn sort(found: &mut [(String, u64)], call: &Call) {
    let ascending = call.text("order") == Some("asc") && call.text("orderby") != Some("include");
    found.sort_unstable();
    if !ascending {
        found.reverse();
    }
}

/// A product, or a variation in the shape of a product.
pub(crate) fn any(state: &State, product_id: u64, call: &Call) -> Option<Value> {
    if let Some(product) = state.products.get(product_id) {
        return Some(show(state, product, call));
    }
    let variation = show_variation(state, state.variations.get(product_id)?, call);
    let parent = state.products.get(id(&variation, "parent_id")).unwrap_or_default();
    let mut shown = super::blank::product();
    let Value::Object(members) = &mut shown else {
        return None;
    };
    for (name, value) in members.iter_mut() {
        if let Some(own) = variation.get(name) {
            *value = own.clone();
        }
    }
    shown["name"] = json!(format!("{} - {}", text(&parent, "name"), text(&variation, "name")));
    shown["type"] = json!("variation");
    shown["_links"] = call.links("products", &json!(product_id), &ALL_METHODS);
    Some(shown)
}

/// A product as the answer to a write shows it, or one that is asked for in order to be edited.
pub(crate) fn show_edited(state: &State, product: Value, call: &Call) -> Value {
    let slug = free_slug(state, text(&product, "name"), id(&product, "id"));
    let mut shown = show(state, product, call);
    if let Value::Object(members) = &mut shown {
        let links = members.shift_remove("_links");
        members.insert("permalink_template".to_owned(), json!(format!("{}/product/%pagename%/", call.base)));
        members.insert("generated_slug".to_owned(), json!(slug));
        members.extend(links.map(|links| ("_links".to_owned(), links)));
    }
    shown
}

/// The slug of a name, with a number where another product has it.
pub(crate) fn free_slug(state: &State, name: &str, own: u64) -> String {
    let words: String = name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let slug = words.split_whitespace().collect::<Vec<_>>().join("-");
    let taken: HashSet<String> = state
        .products
        .rows()
        .filter(|(id, row)| *id != own && row.text().contains(&slug))
        .map(|(_, row)| text(&row.value(), "slug").to_owned())
        .collect();
    let numbered = (2..).map(|number| format!("{slug}-{number}"));
    std::iter::once(slug.clone()).chain(numbered).find(|slug| !taken.contains(slug)).unwrap_or(slug)
}

/// A product as an answer shows it.
pub(crate) fn show(state: &State, mut product: Value, call: &Call) -> Value {
    let product_id = product["id"].clone();
    if text(&product, "type") == "variable" {
        let own = product_id.as_u64().unwrap_or(0);
        let mut children: Vec<u64> = state
            .variations
            .rows()
            .filter(|(_, row)| row.columns.owner == own && &*row.columns.status != "trash")
            .map(|(id, _)| id)
            .collect();
        children.sort_unstable();
        product["variations"] = json!(children);
    }
    if let Value::Object(members) = &mut product {
        members.shift_remove("_links");
        members.insert("_links".to_owned(), call.links("products", &product_id, &ALL_METHODS));
    }
    product
}

/// A variation as an answer shows it: what it has not of its own is the parent's.
pub(crate) fn show_variation(state: &State, mut variation: Value, call: &Call) -> Value {
    let parent_id = id(&variation, "parent_id");
    let parent = state.products.get(parent_id).unwrap_or_default();
    if text(&variation, "sku").is_empty() {
        variation["sku"] = json!(text(&parent, "sku"));
    }
    if variation["manage_stock"] != json!(true) && parent["manage_stock"] == json!(true) {
        variation["manage_stock"] = json!("parent");
        for name in ["stock_quantity", "stock_status", "backorders", "backorders_allowed", "backordered"] {
            variation[name] = parent[name].clone();
        }
    }
    let mut links = call.links(&format!("products/{parent_id}/variations"), &variation["id"], &ALL_METHODS);
    links["up"] = json!([{"href": call.address(&format!("products/{parent_id}"))}]);
    if let Value::Object(members) = &mut variation {
        members.shift_remove("_links");
        members.insert("_links".to_owned(), links);
    }
    variation
}
