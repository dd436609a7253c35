//! The small tables: coupons, tax rates and classes, categories, tags, attributes and their terms.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::arguments::{ids_of, texts_of};
use super::call::{ALL_METHODS, Call, Storage};
use super::items::entered;
use super::list::{self, Defaults, Page};
use super::meta;
use super::state::State;
use super::table::{Table, id, text};

/// Which small table a route names.
fn table<'a>(state: &'a State, route: &str) -> Option<&'a Table> {
    match route {
        "coupons" => Some(&state.coupons),
        "taxes" => Some(&state.taxes),
        _ => state.terms.get(route),
    }
}

fn table_mut<'a>(state: &'a mut State, route: &str) -> Option<&'a mut Table> {
    match route {
        "coupons" => Some(&mut state.coupons),
        "taxes" => Some(&mut state.taxes),
        _ => state.terms.get_mut(route),
    }
}

/// The route as the argument lists name it.
fn endpoint(route: &str) -> String {
    let terms = route.starts_with("products/attributes/");
    if terms { "products/attributes/{id}/terms".to_owned() } else { route.to_owned() }
}

/// A list of one of the small tables.
pub(crate) fn list(state: &State, call: &Call, route: &str) -> Outcome {
    call.check(&format!("GET {}", endpoint(route)))?;
    let table = table(state, route).ok_or_else(Refusal::no_route)?;
    let include = ids_of(&call.parameters, "include");
    let exclude = ids_of(&call.parameters, "exclude");
    let code = call.text("code").map(str::to_lowercase);
    let class = call.text("class");
    let slugs = texts_of(&call.parameters, "slug");
    let bounds = call.bounds(Storage::Posts, &state.zone.rules);
    let search = call.text("search").map(str::to_lowercase).filter(|text| !text.is_empty());
    let mut rows: Vec<Value> = table
        .rows()
        .filter(|(id, row)| {
            let key = &*row.columns.key;
            (include.is_empty() || include.contains(id))
                && !exclude.contains(id)
                && (route != "coupons" || bounds.take(&row.columns))
                && code.as_ref().is_none_or(|code| **code == *key)
                && class.is_none_or(|class| class == key)
                && (slugs.is_empty() || slugs.iter().any(|slug| slug == key))
        })
        .map(|(_, row)| row.value())
        .filter(|row| {
            search.as_ref().is_none_or(|needle| {
                [text(row, "name"), text(row, "code")].iter().any(|word| word.to_lowercase().contains(needle))
            })
        })
        .collect();
    match route {
        "taxes" => rows.sort_by_key(|row| (id(row, "order"), id(row, "id"))),
        "coupons" => rows.sort_by(|a, b| {
            (text(b, "date_created_gmt"), id(b, "id")).cmp(&(text(a, "date_created_gmt"), id(a, "id")))
        }),
        _ => rows.sort_by_key(|a| text(a, "name").to_lowercase()),
    }
    let wanted = if route == "coupons" { Some("asc") } else { Some("desc") };
    if call.text("order") == wanted {
        rows.reverse();
    }
    let page = Page::of(call);
    let total = rows.len();
    let shown = page.cut(&rows).iter().map(|row| show(row.clone(), call, route)).collect();
    list::answer(call, shown, total, page, &call.address(route), Defaults::None)
}

fn show(mut row: Value, call: &Call, route: &str) -> Value {
    let links = call.links(route, &row["id"], &ALL_METHODS);
    if let Value::Object(members) = &mut row {
        members.shift_remove("_links");
        members.insert("_links".to_owned(), links);
    }
    row
}

fn unknown(route: &str) -> Refusal {
    match route {
        "coupons" => Refusal::new(404, "woocommerce_rest_shop_coupon_invalid_id", "Invalid ID."),
        "taxes" => Refusal::new(404, "woocommerce_rest_invalid_id", "Invalid resource ID."),
        _ => Refusal::new(404, "woocommerce_rest_term_invalid", "Resource does not exist."),
    }
}

/// One row.
pub(crate) fn get(state: &State, call: &Call, route: &str, row_id: u64) -> Outcome {
    let row = table(state, route).ok_or_else(Refusal::no_route)?.get(row_id).ok_or_else(|| unknown(route))?;
    Ok(Answer::ok(list::project_one(show(row, call, route), &call.query)))
}

/// Adds a row.
pub(crate) fn create(state: &mut State, call: &mut Call, route: &str) -> Outcome {
    call.check(&format!("POST {}", endpoint(route)))?;
    let mut row = blank(route);
    taken(state, call, route)?;
    fill(state, call, route, &mut row);
    let row_id = if route == "coupons" { state.new_id() } else { state.new_small() };
    row["id"] = json!(row_id);
    if route == "coupons" {
        state.stamp(&mut row, "date_created", call.now);
        state.stamp(&mut row, "date_modified", call.now);
        call.fire("coupon", "created", row_id);
    }
    table_mut(state, route).ok_or_else(Refusal::no_route)?.put(row_id, &row);
    Ok(Answer::created(show(row, call, route), call.address(&format!("{route}/{row_id}"))))
}

/// Whether terms of a table stand below one another; a name is then taken below its parent alone.
fn is_tree(route: &str) -> bool {
    matches!(route, "products/categories" | "products/brands")
}

/// Refuses a name or code that exists, in the words of each table; tax rates may be doubled.
fn taken(state: &State, call: &Call, route: &str) -> Result<(), Refusal> {
    if route == "coupons" {
        let code = call.text("code").unwrap_or("").to_lowercase();
        let exists = !state.coupons.with_key(&code).is_empty();
        let refusal =
            || Refusal::new(400, "woocommerce_rest_coupon_code_already_exists", "The coupon code already exists");
        return if exists { Err(refusal()) } else { Ok(()) };
    }
    let Some(name) = call.text("name").filter(|_| route != "taxes") else {
        return Ok(());
    };
    let rows = table(state, route).into_iter().flat_map(Table::rows).map(|(id, row)| (id, row.value()));
    let parent = call.integer("parent").unwrap_or(0);
    let same = rows.into_iter().find(|(_, row)| {
        text(row, "name").to_lowercase() == name.to_lowercase()
            && (!is_tree(route) || row["parent"].as_i64().unwrap_or(0) == parent)
    });
    let Some((owner, row)) = same else {
        return Ok(());
    };
    if route == "products/attributes" {
        let slug = text(&row, "slug").trim_start_matches("pa_").to_owned();
        return Err(Refusal::new(
            400,
            "woocommerce_rest_cannot_create",
            format!("Slug \"{slug}\" is already in use. Change it, please."),
        ));
    }
    let message = if is_tree(route) {
        "A term with the name provided already exists with this parent."
    } else {
        "A term with the name provided already exists in this taxonomy."
    };
    Err(Refusal::new(400, "term_exists", message).with("resource_id", json!(owner)))
}

/// Changes a row.
pub(crate) fn update(state: &mut State, call: &mut Call, route: &str, row_id: u64) -> Outcome {
    let mut row = table(state, route).ok_or_else(Refusal::no_route)?.get(row_id).ok_or_else(|| unknown(route))?;
    fill(state, call, route, &mut row);
    if route == "coupons" {
        state.stamp(&mut row, "date_modified", call.now);
        call.fire("coupon", "updated", row_id);
    }
    table_mut(state, route).ok_or_else(Refusal::no_route)?.put(row_id, &row);
    Ok(Answer::ok(show(row, call, route)))
}

/// Deletes a row; only coupons have a trash.
pub(crate) fn delete(state: &mut State, call: &mut Call, route: &str, row_id: u64) -> Outcome {
    let mut row = table(state, route).ok_or_else(Refusal::no_route)?.get(row_id).ok_or_else(|| unknown(route))?;
    if call.is_set("force") {
        table_mut(state, route).ok_or_else(Refusal::no_route)?.remove(row_id);
        return Ok(Answer::ok(show(row, call, route)));
    }
    if route == "coupons" {
        let shown = show(row.clone(), call, route);
        row["status"] = json!("trash");
        state.coupons.put(row_id, &row);
        call.fire("coupon", "deleted", row_id);
        return Ok(Answer::ok(shown));
    }
    let message =
        if route == "taxes" { "Taxes do not support trashing." } else { "Resource does not support trashing." };
    Err(Refusal::new(501, "woocommerce_rest_trash_not_supported", message))
}

fn blank(route: &str) -> Value {
    match route {
        "coupons" => json!({
            "id": 0, "code": "", "amount": "0.00", "status": "publish", "date_created": null, "date_created_gmt": null, "date_modified": null,
            "date_modified_gmt": null, "discount_type": "fixed_cart", "description": "", "date_expires": null, "date_expires_gmt": null,
            "usage_count": 0, "individual_use": false, "product_ids": [], "excluded_product_ids": [], "usage_limit": null,
            "usage_limit_per_user": null, "limit_usage_to_x_items": null, "free_shipping": false, "product_categories": [],
            "excluded_product_categories": [], "exclude_sale_items": false, "minimum_amount": "0.00", "maximum_amount": "0.00",
            "email_restrictions": [], "used_by": [], "meta_data": []
        }),
        "taxes" => json!({
            "id": 0, "country": "", "state": "", "postcode": "", "city": "", "rate": "0.0000", "name": "", "priority": 1, "compound": false,
            "shipping": true, "order": 0, "class": "standard", "postcodes": [], "cities": []
        }),
        "products/attributes" => {
            json!({"id": 0, "name": "", "slug": "", "type": "select", "order_by": "menu_order", "has_archives": false})
        }
        "products/categories" => json!({
            "id": 0, "name": "", "slug": "", "parent": 0, "description": "", "display": "default", "image": null, "menu_order": 0, "count": 0
        }),
        _ => json!({"id": 0, "name": "", "slug": "", "description": "", "count": 0}),
    }
}

fn fill(state: &mut State, call: &Call, route: &str, row: &mut Value) {
    let sent: Map<String, Value> = call.parameters.clone();
    for (name, value) in &sent {
        let own = row.get(name).is_some() && name != "id" && name != "meta_data" && !name.starts_with("date_");
        if own && !value.is_null() {
            row[name.as_str()] = match (route, name.as_str()) {
                ("coupons", "amount" | "minimum_amount" | "maximum_amount") => {
                    json!(format!("{:.2}", entered(value).unwrap_or_default()))
                }
                ("coupons", "code") => json!(text(&json!(sent), "code").to_lowercase()),
                ("taxes", "rate") => json!(format!("{:.4}", entered(value).unwrap_or_default())),
                _ => value.clone(),
            };
        }
    }
    if let Some(entries) = sent.get("meta_data").filter(|_| row.get("meta_data").is_some()) {
        meta::merge(&mut row["meta_data"], entries, &mut || state.new_meta());
    }
    if row.get("slug").is_some() && text(row, "slug").is_empty() {
        let slug = text(row, "name").to_lowercase().replace(' ', "-");
        row["slug"] = json!(match table(state, route) {
            _ if route == "products/attributes" => format!("pa_{slug}"),
            // A name that stands below another parent as well has that parent's slug behind it.
            Some(table) if is_tree(route) && has_slug(table, &slug) => {
                let parent = table.get(id(row, "parent")).unwrap_or_default();
                format!("{slug}-{}", text(&parent, "slug"))
            }
            _ => slug,
        });
    }
}

fn has_slug(table: &Table, slug: &str) -> bool {
    table.rows().any(|(_, row)| text(&row.value(), "slug") == slug)
}

/// `GET /taxes/classes`, which come without ids.
pub(crate) fn classes(state: &State, call: &Call) -> Outcome {
    let rows: Vec<Value> = state.tax_classes.iter().map(|class| show_class(class.clone(), call)).collect();
    let total = rows.len();
    let page = Page { number: 1, rows: 100, offset: 0, by_offset: false };
    list::answer(call, rows, total, page, &call.address("taxes/classes"), Defaults::None)
}

/// `GET /taxes/classes/{slug}`: a list of one.
pub(crate) fn class(state: &State, call: &Call, slug: &str) -> Outcome {
    let found = state.tax_classes.iter().find(|class| text(class, "slug") == slug);
    let found = found.ok_or_else(|| Refusal::new(404, "woocommerce_rest_tax_class_invalid_slug", "Invalid slug."))?;
    Ok(Answer::ok(json!([show_class(found.clone(), call)])))
}

fn show_class(mut class: Value, call: &Call) -> Value {
    class["_links"] = json!({"collection": [{"href": call.address("taxes/classes")}]});
    class
}

/// `POST /taxes/classes`.
pub(crate) fn create_class(state: &mut State, call: &mut Call) -> Outcome {
    call.check("POST taxes/classes")?;
    let name = call.text("name").unwrap_or("").to_owned();
    let slug = name.to_lowercase().replace(' ', "-");
    if state.tax_classes.iter().any(|class| text(class, "slug") == slug) {
        return Err(Refusal::new(400, "woocommerce_rest_tax_class_exists", "Tax class already exists"));
    }
    let class = json!({"slug": slug, "name": name});
    state.tax_classes.push(class.clone());
    Ok(Answer { status: 201, body: show_class(class, call), headers: Vec::new() })
}
