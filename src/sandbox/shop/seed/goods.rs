//! The made-up goods: simple products, and some that come in sizes.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::Chance;
use super::names::{GOODS, KINDS};
use crate::sandbox::shop::blank;
use crate::sandbox::shop::state::State;

/// First id of a made-up product, away from those of recorded shops.
const FIRST_PRODUCT: u64 = 2001;

/// What is sold, as the orders need it.
pub(super) struct Article {
    pub(super) product: u64,
    pub(super) variation: u64,
    pub(super) name: String,
    pub(super) parent_name: Value,
    pub(super) sku: String,
    /// As the catalogue shows it.
    pub(super) price: Decimal,
    pub(super) class: &'static str,
    pub(super) meta: Value,
}

/// Fills the catalogue; what of it can be ordered.
pub(super) fn articles(state: &mut State, chance: &mut Chance, now: Timestamp) -> Vec<Article> {
    let mut articles = Vec::new();
    let mut product_id = FIRST_PRODUCT;
    let past = now.saturating_sub(SignedDuration::from_hours(24 * 200)).unwrap_or(now);
    for (at, goods) in GOODS.iter().enumerate() {
        for (kind_at, kind) in KINDS.iter().enumerate() {
            let class = *chance.weighted(&[(74, ""), (22, "reduced-rate"), (4, "zero-rate")]);
            let price = Decimal::new(
                i64::try_from(chance.below(120) + 2).unwrap_or(2) * 100 + *chance.pick(&[95, 50, 99, 0, 25]),
                2,
            );
            let variable = kind_at == 0 && at % 4 == 0;
            let sku =
                format!("{}-{:02}{}", goods.chars().take(3).collect::<String>().to_uppercase(), at + 1, kind_at + 1);
            let mut product = blank::product();
            // What is sold at a rate of 0 % at home is a voucher: tax is owed when it is used.
            let name =
                if class == "zero-rate" { format!("Cadeaubon {goods} {kind}") } else { format!("{goods} {kind}") };
            product["id"] = json!(product_id);
            product["name"] = json!(name);
            product["slug"] = json!(name.to_lowercase().replace(' ', "-"));
            product["sku"] = json!(sku);
            product["regular_price"] = json!(price.to_string());
            product["price"] = json!(price.to_string());
            product["purchasable"] = json!(true);
            product["tax_class"] = json!(class);
            product["type"] = json!(if variable { "variable" } else { "simple" });
            if chance.percent(70) {
                product["manage_stock"] = json!(!variable);
                product["stock_quantity"] = if variable { Value::Null } else { json!(chance.below(400) + 20) };
            }
            let changed = now
                .saturating_sub(SignedDuration::from_secs(i64::try_from(chance.below(80 * 86_400)).unwrap_or(0) + 900))
                .unwrap_or(now);
            state.stamp(&mut product, "date_created", past);
            state.stamp(&mut product, "date_modified", changed);
            state.products.put(product_id, &product);
            let article = Article {
                product: product_id,
                variation: 0,
                name,
                parent_name: Value::Null,
                sku,
                price,
                class,
                meta: json!([]),
            };
            product_id += 1;
            if variable {
                product_id = sizes(state, &mut articles, &article, product_id, past, changed);
            } else {
                articles.push(article);
            }
        }
    }
    articles
}

/// The variations of a variable product, one for each size.
fn sizes(
    state: &mut State,
    articles: &mut Vec<Article>,
    parent: &Article,
    first: u64,
    past: Timestamp,
    changed: Timestamp,
) -> u64 {
    let mut next = first;
    for size in ["S", "M", "L"] {
        let sku = format!("{}-{size}", parent.sku);
        let mut variation = blank::variation();
        variation["id"] = json!(next);
        variation["parent_id"] = json!(parent.product);
        variation["name"] = json!(size);
        variation["sku"] = json!(sku);
        variation["regular_price"] = json!(parent.price.to_string());
        variation["price"] = json!(parent.price.to_string());
        variation["manage_stock"] = json!(true);
        variation["stock_quantity"] = json!(60);
        variation["attributes"] = json!([{"id": 2, "name": "Maat", "slug": "pa_maat", "option": size}]);
        state.stamp(&mut variation, "date_created", past);
        state.stamp(&mut variation, "date_modified", changed);
        state.variations.put(next, &variation);
        let entry = state.new_meta();
        let meta = json!([{"id": entry, "key": "pa_maat", "value": size.to_lowercase(), "display_key": "Maat", "display_value": size}]);
        let name = format!("{} - {size}", parent.name);
        articles.push(Article {
            product: parent.product,
            variation: next,
            name,
            parent_name: json!(parent.name),
            sku,
            price: parent.price,
            class: parent.class,
            meta,
        });
        next += 1;
    }
    next
}
