//! `--shop-data`: recorded answers of a shop become what the sandbox's shop holds.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Shop;
use super::state::State;
use super::table::{id, text};

/// Members that hold amounts: what a recording with more decimals replaces.
const AMOUNTS: [&str; 13] = [
    "discount_total",
    "discount_tax",
    "shipping_total",
    "shipping_tax",
    "cart_tax",
    "total",
    "total_tax",
    "subtotal",
    "subtotal_tax",
    "tax_total",
    "shipping_tax_total",
    "amount",
    "refund_total",
];

impl Shop {
    /// Loads a folder of recorded answers; each record is added or replaces the one with its id.
    ///
    /// # Errors
    /// The file that cannot be read, and why.
    pub(crate) fn load(&self, folder: &Path) -> Result<(), String> {
        if !folder.is_dir() {
            return Err(format!(
                "there is no folder {}: `--shop-data` wants one with recorded answers (orders/*.json, products/*.json, …)",
                folder.display()
            ));
        }
        let mut state = self.state();
        let state = &mut *state;
        load_master(state, folder)?;
        for (_, product) in records(&folder.join("products"))? {
            put_product(state, product);
        }
        for (file, _) in plain_files(&folder.join("products"))? {
            let parent = first_id(&file)?;
            for variation in beside(&file, "variations")? {
                put_variation(state, variation, parent);
            }
        }
        for (_, variation) in records(&folder.join("variations"))? {
            put_variation(state, variation, 0);
        }
        for (_, customer) in records(&folder.join("customers"))? {
            state.customers.put(id(&customer, "id"), &without_links(customer));
        }
        for (_, coupon) in records(&folder.join("coupons"))? {
            state.coupons.put(id(&coupon, "id"), &without_links(coupon));
        }
        load_orders(state, folder)?;
        state.save_dates();
        Ok(())
    }
}

/// Taxes, classes, settings, gateways and zones, from folders of their own or from `lists`.
fn load_master(state: &mut State, folder: &Path) -> Result<(), String> {
    let lists = folder.join("lists");
    let mut rates: Vec<Value> = records(&folder.join("taxes"))?.into_iter().map(|(_, row)| row).collect();
    rates.extend(read_list(&lists.join("taxes.json"))?);
    for rate in rates.into_iter().filter(|rate| rate.get("rate").is_some()) {
        state.taxes.put(id(&rate, "id"), &without_links(rate));
    }
    for class in read_list(&lists.join("tax_classes.json"))? {
        if !state.tax_classes.iter().any(|known| known["slug"] == class["slug"]) {
            state.tax_classes.push(without_links(class));
        }
    }
    for gateway in read_list(&lists.join("payment_gateways.json"))? {
        state.gateways.retain(|known| known["id"] != gateway["id"]);
        state.gateways.push(without_links(gateway));
    }
    for zone in read_list(&lists.join("shipping_zones.json"))? {
        let zone_id = id(&zone, "id");
        state.zones.retain(|known| id(known, "id") != zone_id);
        state.zones.push(without_links(zone));
        let methods = read_list(&lists.join(format!("shipping_zone_{zone_id}_methods.json")))?;
        if !methods.is_empty() {
            state.zone_methods.insert(zone_id, methods.into_iter().map(without_links).collect());
        }
    }
    state.zones.sort_by_key(|zone| id(zone, "id"));
    for group in ["general", "tax", "products"] {
        for path in
            [lists.join(format!("settings_{group}.json")), folder.join("settings").join(format!("{group}.json"))]
        {
            for row in read_list(&path)? {
                if row.get("value").is_some_and(Value::is_string) {
                    state.set_setting(group, text(&row, "id"), text(&row, "value"));
                }
            }
        }
    }
    for (route, name) in [
        ("products/categories", "product_categories"),
        ("products/tags", "product_tags"),
        ("products/attributes", "product_attributes"),
    ] {
        let rows = read_list(&lists.join(format!("{name}.json")))?;
        if let Some(table) = state.terms.get_mut(route) {
            for row in rows {
                table.put(id(&row, "id"), &without_links(row));
            }
        }
    }
    Ok(())
}

fn put_product(state: &mut State, product: Value) {
    if text(&product, "type") == "variation" {
        return put_variation(state, product, 0);
    }
    state.products.put(id(&product, "id"), &without_links(product));
}

fn put_variation(state: &mut State, mut variation: Value, parent: u64) {
    if id(&variation, "parent_id") == 0 {
        variation["parent_id"] = json!(parent);
    }
    state.variations.put(id(&variation, "id"), &without_links(variation));
}

fn load_orders(state: &mut State, folder: &Path) -> Result<(), String> {
    let fine = folder.join("orders-dp6");
    for (file, name) in plain_files(&folder.join("orders"))? {
        let finer = read_list(&fine.join(&name))?;
        for mut order in read_list(&file)? {
            if let Some(finer) = finer.iter().find(|finer| id(finer, "id") == id(&order, "id")) {
                refine(&mut order, finer);
            }
            put_order(state, order);
        }
        let owner = first_id(&file)?;
        for note in beside(&file, "notes")? {
            let mut note = without_links(note);
            note["parent_id"] = json!(owner);
            state.notes.put(id(&note, "id"), &note);
        }
        let finer = beside(&fine.join(&name), "refunds")?;
        for refund in beside(&file, "refunds")? {
            let mut refund = without_links(refund);
            if let Some(finer) = finer.iter().find(|finer| id(finer, "id") == id(&refund, "id")) {
                refine(&mut refund, finer);
            }
            refund["parent_id"] = json!(owner);
            state.refunds.put(id(&refund, "id"), &refund);
        }
    }
    Ok(())
}

fn put_order(state: &mut State, order: Value) {
    let mut order = without_links(order);
    for name in ["date_created", "date_modified", "date_paid", "date_completed"] {
        let local = text(&order, name).to_owned();
        let missing = text(&order, &format!("{name}_gmt")).is_empty();
        if let Some(instant) = super::dates::instant(&local, &state.zone.rules, false).filter(|_| missing) {
            state.stamp(&mut order, name, instant);
        }
    }
    if order.get("number").is_none() {
        order["number"] = json!(id(&order, "id").to_string());
    }
    reserve(state, &order);
    know_rates(state, &order);
    state.orders.put(id(&order, "id"), &order);
}

/// Keeps the ids of an order's rows from being given again.
pub(crate) fn reserve(state: &mut State, order: &Value) {
    let (mut item, mut entry) = (0, 0);
    for name in ["line_items", "tax_lines", "shipping_lines", "fee_lines", "coupon_lines"] {
        for line in order[name].as_array().into_iter().flatten() {
            item = item.max(id(line, "id"));
            for meta in line["meta_data"].as_array().into_iter().flatten() {
                entry = entry.max(id(meta, "id"));
            }
        }
    }
    for meta in order["meta_data"].as_array().into_iter().flatten() {
        entry = entry.max(id(meta, "id"));
    }
    state.reserve_items(item, entry);
}

/// The tax table gets a row for each rate that an order names and it does not have.
fn know_rates(state: &mut State, order: &Value) {
    for line in order["tax_lines"].as_array().into_iter().flatten() {
        let rate = id(line, "rate_id");
        if rate == 0 || state.taxes.contains(rate) {
            continue;
        }
        let code = text(line, "rate_code");
        let parts: Vec<&str> = code.split('-').collect();
        let priority = parts.last().and_then(|last| last.parse::<u64>().ok()).unwrap_or(1);
        let state_part = parts.get(1).filter(|_| parts.len() > 3).copied().unwrap_or("");
        // The code of a rate for all countries begins with its name.
        let is_country = |part: &&&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_uppercase());
        let country = parts.first().filter(is_country).copied().unwrap_or("");
        let percent = super::state::amount(line, "rate_percent");
        let row = json!({
            "id": rate, "country": country, "state": state_part, "postcode": "", "city": "",
            "rate": format!("{percent:.4}"), "name": text(line, "label"), "priority": priority, "compound": line["compound"],
            "shipping": true, "order": 0, "class": "standard", "postcodes": [], "cities": []
        });
        state.taxes.put(rate, &row);
    }
}

/// Replaces amounts by those of a recording with more decimals.
fn refine(record: &mut Value, finer: &Value) {
    match (record, finer) {
        (Value::Object(members), Value::Object(finer)) => {
            for (name, value) in members {
                let Some(other) = finer.get(name) else {
                    continue;
                };
                if AMOUNTS.contains(&name.as_str()) && value.is_string() && other.is_string() {
                    *value = other.clone();
                } else if value.is_object() || value.is_array() {
                    refine(value, other);
                }
            }
        }
        (Value::Array(rows), Value::Array(finer)) if rows.len() == finer.len() => {
            rows.iter_mut().zip(finer).for_each(|(row, finer)| refine(row, finer));
        }
        _ => {}
    }
}

fn without_links(mut record: Value) -> Value {
    if let Value::Object(members) = &mut record {
        members.shift_remove("_links");
    }
    record
}

/// Files `NAME.json` of a folder, in the order of their names; those with a second dot belong to others.
fn plain_files(folder: &Path) -> Result<Vec<(PathBuf, String)>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.matches('.').count() == 1 && name.to_ascii_lowercase().ends_with(".json") && name != "index.json" {
            files.push((entry.path(), name));
        }
    }
    files.sort();
    Ok(files)
}

/// The records of all plain files of a folder.
fn records(folder: &Path) -> Result<Vec<(PathBuf, Value)>, String> {
    let mut all = Vec::new();
    for (file, _) in plain_files(folder)? {
        all.extend(read_list(&file)?.into_iter().map(|record| (file.clone(), record)));
    }
    Ok(all)
}

/// The records of `x.KIND.json` beside `x.json`.
fn beside(file: &Path, kind: &str) -> Result<Vec<Value>, String> {
    read_list(&file.with_extension(format!("{kind}.json")))
}

fn first_id(file: &Path) -> Result<u64, String> {
    Ok(read_list(file)?.first().map_or(0, |record| id(record, "id")))
}

/// One record or a list; none where there is no such file.
fn read_list(file: &Path) -> Result<Vec<Value>, String> {
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let bytes = fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| format!("{} is no JSON: {error}", file.display()))?;
    let rows = match value {
        Value::Array(rows) => rows,
        one => vec![one],
    };
    Ok(rows.into_iter().filter(Value::is_object).collect())
}
