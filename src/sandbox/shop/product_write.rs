//! Writing products and variations, with the shop's rules about SKU, price and stock.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::arguments::{flag, integer};
use super::call::Call;
use super::items::entered;
use super::state::{State, amount};
use super::table::{id, text};
use super::{blank, list, meta, products, stock};

/// Members of a product that are taken over as they are sent.
const PLAIN: [&str; 27] = [
    "name",
    "slug",
    "type",
    "status",
    "featured",
    "catalog_visibility",
    "description",
    "short_description",
    "virtual",
    "downloadable",
    "external_url",
    "button_text",
    "tax_status",
    "low_stock_amount",
    "sold_individually",
    "weight",
    "reviews_allowed",
    "upsell_ids",
    "cross_sell_ids",
    "parent_id",
    "purchase_note",
    "menu_order",
    "attributes",
    "default_attributes",
    "grouped_products",
    "downloads",
    "shipping_class",
];

/// `POST /products`.
pub(crate) fn create(state: &mut State, call: &mut Call) -> Outcome {
    call.check("POST products")?;
    if call.integer("id").is_some_and(|id| id != 0) {
        return Err(Refusal::new(400, "woocommerce_rest_product_exists", "Cannot create existing product."));
    }
    let mut product = blank::product();
    let uncategorised = json!([{"id": 15, "name": "Uncategorized", "slug": "uncategorized"}]);
    product["categories"] = uncategorised;
    let sku = call.text("sku").map_or("", str::trim);
    if !sku.is_empty() && trashed(state, sku) {
        let message =
            format!("The product with SKU ({sku}) you are trying to insert is already present in the lookup table");
        return Err(Refusal::new(400, "woocommerce_rest_product_not_created", message));
    }
    fill(state, call, &mut product)?;
    if text(&product, "name").is_empty() {
        product["name"] = json!("Product");
    }
    let product_id = state.new_id();
    product["id"] = json!(product_id);
    let slug = if text(&product, "slug").is_empty() {
        products::free_slug(state, text(&product, "name"), product_id)
    } else {
        text(&product, "slug").to_owned()
    };
    product["permalink"] = json!(format!("{}/product/{slug}/", call.base));
    product["slug"] = json!(slug);
    state.stamp(&mut product, "date_created", call.now);
    state.stamp(&mut product, "date_modified", call.now);
    state.products.put(product_id, &product);
    call.fire("product", "created", product_id);
    let location = call.address(&format!("products/{product_id}"));
    Ok(Answer::created(list::project_one(products::show_edited(state, product, call), &call.query), location))
}

fn trashed(state: &State, sku: &str) -> bool {
    let ids = state.products.with_key(&sku.to_lowercase());
    ids.iter().any(|id| state.products.row(*id).is_some_and(|row| &*row.columns.status == "trash"))
}

/// `PUT /products/{id}`.
pub(crate) fn update(state: &mut State, call: &mut Call, product_id: u64) -> Outcome {
    call.check("POST products/{id}")?;
    if state.variations.contains(product_id) {
        let message = "To manipulate product variations you should use the /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.";
        return Err(Refusal::new(404, "woocommerce_rest_invalid_product_id", message));
    }
    let mut product = state
        .products
        .get(product_id)
        .ok_or_else(|| Refusal::new(400, "woocommerce_rest_product_invalid_id", "Invalid ID."))?;
    let before = text(&product, "sku").to_owned();
    fill(state, call, &mut product)?;
    state.stamp(&mut product, "date_modified", call.now);
    state.products.put(product_id, &product);
    remember_sku(state, &product, &before);
    call.fire("product", "updated", product_id);
    Ok(Answer::ok(list::project_one(products::show_edited(state, product, call), &call.query)))
}

/// Old orders show the SKU that a product has now.
fn remember_sku(state: &mut State, article: &Value, before: &str) {
    if text(article, "sku") != before {
        let now = (text(article, "sku").to_owned(), text(article, "global_unique_id").to_owned());
        state.renamed.insert(id(article, "id"), now);
    }
}

/// `DELETE /products/{id}`: into the trash, or for good with `force`.
pub(crate) fn delete(state: &mut State, call: &mut Call, product_id: u64) -> Outcome {
    let product = state.products.get(product_id).ok_or_else(products::unknown)?;
    let shown = products::show(state, product.clone(), call);
    if call.is_set("force") {
        state.products.remove(product_id);
        state.deleted.insert(product_id);
        return Ok(Answer::ok(shown));
    }
    if text(&product, "status") == "trash" {
        return Err(Refusal::new(410, "woocommerce_rest_already_trashed", "The product has already been deleted."));
    }
    let mut product = product;
    product["status"] = json!("trash");
    state.stamp(&mut product, "date_modified", call.now);
    state.products.put(product_id, &product);
    call.fire("product", "deleted", product_id);
    Ok(Answer::ok(shown))
}

/// `POST /products/{id}/variations`; the product need not be variable.
pub(crate) fn create_variation(state: &mut State, call: &mut Call, product_id: u64) -> Outcome {
    call.check("POST products/{id}/variations")?;
    if !state.products.contains(product_id) {
        return Err(Refusal::new(404, "woocommerce_rest_product_invalid_id", "Invalid product ID."));
    }
    let mut variation = blank::variation();
    variation["parent_id"] = json!(product_id);
    fill(state, call, &mut variation)?;
    let variation_id = state.new_id();
    variation["id"] = json!(variation_id);
    variation["name"] = json!(chosen(&variation));
    state.stamp(&mut variation, "date_created", call.now);
    state.stamp(&mut variation, "date_modified", call.now);
    state.variations.put(variation_id, &variation);
    touch(state, call, product_id);
    call.fire("product", "created", variation_id);
    let location = call.address(&format!("products/{product_id}/variations/{variation_id}"));
    Ok(Answer::created(list::project_one(products::show_variation(state, variation, call), &call.query), location))
}

fn chosen(variation: &Value) -> String {
    let options = variation["attributes"].as_array().into_iter().flatten().map(|one| text(one, "option"));
    options.collect::<Vec<_>>().join(", ")
}

/// A change of a variation also moves its product's date.
fn touch(state: &mut State, call: &Call, product_id: u64) {
    if let Some(mut product) = state.products.get(product_id) {
        state.stamp(&mut product, "date_modified", call.now);
        state.products.put(product_id, &product);
    }
}

/// `PUT /products/{id}/variations/{id}`.
pub(crate) fn update_variation(state: &mut State, call: &mut Call, product_id: u64, variation_id: u64) -> Outcome {
    call.check("POST products/{id}/variations/{id}")?;
    let mut variation = products::variation_of(state, product_id, variation_id)?;
    let before = text(&variation, "sku").to_owned();
    fill(state, call, &mut variation)?;
    state.stamp(&mut variation, "date_modified", call.now);
    state.variations.put(variation_id, &variation);
    remember_sku(state, &variation, &before);
    touch(state, call, product_id);
    call.fire("product", "updated", variation_id);
    Ok(Answer::ok(list::project_one(products::show_variation(state, variation, call), &call.query)))
}

/// `DELETE /products/{id}/variations/{id}`.
pub(crate) fn delete_variation(state: &mut State, call: &mut Call, product_id: u64, variation_id: u64) -> Outcome {
    let mut variation = products::variation_of(state, product_id, variation_id)?;
    let shown = products::show_variation(state, variation.clone(), call);
    if call.is_set("force") {
        state.variations.remove(variation_id);
        state.deleted.insert(variation_id);
    } else {
        variation["status"] = json!("trash");
        state.variations.put(variation_id, &variation);
    }
    touch(state, call, product_id);
    Ok(Answer::ok(shown))
}

/// Takes over what was sent, by the shop's rules.
fn fill(state: &mut State, call: &Call, article: &mut Value) -> Result<(), Refusal> {
    let sent = &call.parameters;
    for name in PLAIN {
        if let Some(value) = sent.get(name).filter(|value| {
            article.get(name).is_some()
                && !(name == "parent_id" && text(article, "type") == "variation")
                && !value.is_null()
        }) {
            article[name] = match flag(value).filter(|_| article[name].is_boolean()) {
                Some(flag) => json!(flag),
                None => value.clone(),
            };
        }
    }
    fill_codes(state, call, article)?;
    if let Some(class) = call.text("tax_class") {
        let known = class == "parent" || state.tax_classes.iter().any(|row| text(row, "slug") == class);
        article["tax_class"] = json!(if known && class != "standard" { class } else { "" });
    }
    for (name, value) in sent.get("dimensions").and_then(Value::as_object).into_iter().flatten() {
        article["dimensions"][name] = value.clone();
    }
    fill_terms(state, call, article)?;
    fill_prices(call, article);
    fill_stock(call, article);
    if let Some(entries) = sent.get("meta_data") {
        meta::merge(&mut article["meta_data"], entries, &mut || state.new_meta());
    }
    Ok(())
}

/// SKU and GTIN, each unique over products and variations whatever the case.
fn fill_codes(state: &State, call: &Call, article: &mut Value) -> Result<(), Refusal> {
    let own = id(article, "id");
    if let Some(sku) = call.text("sku") {
        let sku = sku.trim();
        let key = sku.to_lowercase();
        let mut owners = state.products.with_key(&key);
        owners.extend(state.variations.with_key(&key));
        if let Some(owner) = owners.iter().find(|owner| **owner != own && !sku.is_empty()) {
            return Err(Refusal::new(400, "product_invalid_sku", "Invalid or duplicated SKU.")
                .with("resource_id", json!(owner))
                .with("unique_sku", json!(format!("{sku}-1"))));
        }
        article["sku"] = json!(sku);
    }
    if let Some(code) = call.text("global_unique_id") {
        let tables = [&state.products, &state.variations];
        let rows = tables.iter().flat_map(|table| table.rows()).filter(|(id, _)| *id != own && !code.is_empty());
        let needle = format!("\"global_unique_id\":{}", json!(code));
        if let Some((owner, _)) = rows.into_iter().find(|(_, row)| row.text().contains(&needle)) {
            return Err(Refusal::new(
                400,
                "product_invalid_global_unique_id",
                "Invalid or duplicated GTIN, UPC, EAN or ISBN.",
            )
            .with("resource_id", json!(owner)));
        }
        article["global_unique_id"] = json!(code);
    }
    Ok(())
}

/// Categories, tags and brands, each replaced as a whole; an unknown category becomes the default one.
fn fill_terms(state: &mut State, call: &Call, article: &mut Value) -> Result<(), Refusal> {
    for (name, route) in
        [("categories", "products/categories"), ("tags", "products/tags"), ("brands", "products/brands")]
    {
        let Some(rows) = call.parameters.get(name).and_then(Value::as_array).filter(|_| article.get(name).is_some())
        else {
            continue;
        };
        let table = state.terms.get(route);
        let found: Vec<Value> = rows.iter().filter_map(|row| table?.get(id(row, "id"))).collect();
        let mut found: Vec<Value> =
            found.iter().map(|term| json!({"id": term["id"], "name": term["name"], "slug": term["slug"]})).collect();
        if found.is_empty() && name == "categories" {
            found.push(json!({"id": 15, "name": "Uncategorized", "slug": "uncategorized"}));
        }
        article[name] = Value::Array(found);
    }
    fill_images(state, call, article)
}

/// The images of a product, each a new one by its address or one of the media library by its id; of a variation one.
fn fill_images(state: &mut State, call: &Call, article: &mut Value) -> Result<(), Refusal> {
    if let Some(image) = call.parameters.get("image").filter(|_| article.get("image").is_some()) {
        article["image"] = if image.is_object() { pictured(state, image)? } else { Value::Null };
    }
    let images = call.parameters.get("images").and_then(Value::as_array).filter(|_| article.get("images").is_some());
    if let Some(images) = images {
        let kept: Result<Vec<Value>, Refusal> = images.iter().map(|image| pictured(state, image)).collect();
        article["images"] = Value::Array(kept?);
    }
    Ok(())
}

fn pictured(state: &mut State, image: &Value) -> Result<Value, Refusal> {
    let number = id(image, "id");
    if number != 0 {
        let shown = state.media.image(number).or_else(|| in_use(state, number));
        return shown.ok_or_else(|| {
            Refusal::new(400, "woocommerce_product_invalid_image_id", format!("#{number} is an invalid image ID."))
        });
    }
    let source = text(image, "src");
    // Names that can lead nowhere stand for pictures that cannot be fetched.
    if [".example/", ".invalid/"].iter().any(|end| source.contains(end)) {
        let message = format!("Error getting remote image {source}. Error: A valid URL was not provided.");
        return Err(Refusal::new(400, "woocommerce_product_image_upload_error", message));
    }
    Ok(json!({"id": state.new_id(), "src": source, "name": text(image, "name"), "alt": text(image, "alt")}))
}

/// An image that some product has: those of loaded data are in no library.
fn in_use(state: &State, number: u64) -> Option<Value> {
    let needle = format!("\"id\":{number}");
    let rows = state.products.rows().filter(|(_, row)| row.text().contains(&needle)).map(|(_, row)| row.value());
    rows.into_iter().find_map(|row| row["images"].as_array()?.iter().find(|image| id(image, "id") == number).cloned())
}

/// Prices are texts; what is no number becomes nothing; a sale price above the regular one is dropped.
fn fill_prices(call: &Call, article: &mut Value) {
    for name in ["regular_price", "sale_price"] {
        if let Some(value) = call.parameters.get(name) {
            let kept = match value {
                Value::String(text) => entered(value).map_or(String::new(), |_| text.trim().replace(',', ".")),
                Value::Number(number) => number.to_string(),
                _ => String::new(),
            };
            article[name] = json!(kept);
        }
    }
    let (regular, sale) = (text(article, "regular_price").to_owned(), text(article, "sale_price").to_owned());
    let below = !sale.is_empty() && amount(article, "sale_price") < amount(article, "regular_price");
    if !below || regular.is_empty() {
        article["sale_price"] = json!("");
    }
    let price = if below { sale } else { regular };
    if text(article, "type") != "variable" {
        article["on_sale"] = json!(below);
        article["purchasable"] = json!(!price.is_empty());
        article["price"] = json!(price);
    }
}

fn fill_stock(call: &Call, article: &mut Value) {
    if let Some(manage) = call.parameters.get("manage_stock").and_then(flag) {
        if !manage {
            article["backorders"] = json!("no");
            article["stock_quantity"] = Value::Null;
        } else if article["manage_stock"] != json!(true) {
            article["stock_quantity"] = json!(0);
        }
        article["manage_stock"] = json!(manage);
    }
    let managed = article["manage_stock"] == json!(true);
    if let Some(backorders) = call.text("backorders").filter(|_| managed) {
        article["backorders"] = json!(backorders);
    }
    if managed {
        if let Some(quantity) = call.parameters.get("stock_quantity") {
            article["stock_quantity"] = json!(integer(quantity).unwrap_or(0));
        }
        if let Some(delta) = call.parameters.get("inventory_delta").and_then(super::arguments::number) {
            let sum: Decimal = amount(article, "stock_quantity") + delta;
            article["stock_quantity"] = super::totals::bare(sum);
        }
    } else if let Some(status) = call.text("stock_status") {
        article["stock_status"] = json!(status);
    }
    stock::derive(article);
}
