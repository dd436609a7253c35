//! What the shop holds: its tables, its settings, and the ids that come next.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::auth::Keys;
use super::call::Storage;
use super::media::Library;
use super::rates::{Rate, Rates};
use super::server::Server;
use super::table::{self, Table};
use super::zone::Zone;

/// Post-like ids of the shop's own records start here, away from the ids of recorded ones.
const FIRST_FREE_ID: u64 = 1000;

/// The master data of the recorded shop: taxes, classes, gateways, zones, settings.
pub(crate) fn master() -> &'static Value {
    static MASTER: OnceLock<Value> = OnceLock::new();
    MASTER.get_or_init(|| serde_json::from_str(include_str!("master.json")).expect("the embedded master data is JSON"))
}

/// A list's ids in order, remembered while nothing changed, so that walking its pages does not sort it each time.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    pub(crate) question: String,
    pub(crate) generation: u64,
    pub(crate) ids: Arc<Vec<u64>>,
}

/// All tables of the shop.
pub(crate) struct State {
    pub(crate) keys: Keys,
    pub(crate) zone: Zone,
    pub(crate) server: Server,
    /// Where orders and refunds lie.
    pub(crate) storage: Storage,
    pub(crate) orders: Table,
    pub(crate) refunds: Table,
    pub(crate) notes: Table,
    pub(crate) products: Table,
    pub(crate) variations: Table,
    pub(crate) customers: Table,
    pub(crate) coupons: Table,
    pub(crate) webhooks: Table,
    pub(crate) taxes: Table,
    /// Categories, tags, attributes, brands, shipping classes by route; terms under `products/attributes/1/terms`.
    pub(crate) terms: BTreeMap<String, Table>,
    pub(crate) tax_classes: Vec<Value>,
    pub(crate) gateways: Vec<Value>,
    pub(crate) zones: Vec<Value>,
    pub(crate) zone_methods: BTreeMap<u64, Vec<Value>>,
    /// Settings by group.
    pub(crate) settings: BTreeMap<String, Vec<Value>>,
    /// Secrets of webhooks, which no answer shows.
    pub(crate) webhook_secrets: HashMap<u64, String>,
    /// SKUs changed since the start: old orders show the new one.
    pub(crate) renamed: HashMap<u64, (String, String)>,
    /// Products and variations deleted for good: old orders lose their reference.
    pub(crate) deleted: HashSet<u64>,
    pub(crate) remembered: Option<Remembered>,
    /// WordPress's media library.
    pub(crate) media: Library,
    next_id: u64,
    next_user: u64,
    next_item: u64,
    next_meta: u64,
    next_note: u64,
    next_small: u64,
}

impl State {
    /// A shop with the recorded master data and nothing sold yet.
    pub(crate) fn new(keys: Keys) -> Self {
        let master = master();
        let rows = |name: &str| master[name].as_array().cloned().unwrap_or_default();
        let filled = |values: Vec<Value>| {
            let mut table = Table::new(table::plain_columns);
            for value in &values {
                table.put(table::id(value, "id"), value);
            }
            table
        };
        let mut terms = BTreeMap::new();
        for route in [
            "products/categories",
            "products/tags",
            "products/attributes",
            "products/shipping_classes",
            "products/brands",
        ] {
            terms.insert(route.to_owned(), filled(rows(route)));
        }
        for (attribute, values) in master["terms"].as_object().into_iter().flatten() {
            let route = format!("products/attributes/{attribute}/terms");
            terms.insert(route, filled(values.as_array().cloned().unwrap_or_default()));
        }
        let zone_methods = master["zone_methods"].as_object().into_iter().flatten();
        let settings = master["settings_rows"].as_object().into_iter().flatten();
        let mut coupons = Table::keyed(table::coupon_columns);
        for coupon in &rows("coupons") {
            coupons.put(table::id(coupon, "id"), coupon);
        }
        State {
            keys,
            zone: Zone::default(),
            server: Server::default(),
            storage: Storage::Tables,
            orders: Table::new(table::order_columns),
            refunds: Table::new(table::child_columns),
            notes: Table::new(table::child_columns),
            products: Table::keyed(table::product_columns),
            variations: Table::keyed(table::product_columns),
            customers: Table::keyed(table::customer_columns),
            coupons,
            webhooks: Table::new(table::plain_columns),
            taxes: filled(rows("taxes")),
            terms,
            tax_classes: rows("taxes/classes"),
            gateways: rows("payment_gateways"),
            zones: rows("shipping/zones"),
            zone_methods: zone_methods
                .filter_map(|(zone, list)| Some((zone.parse().ok()?, list.as_array()?.clone())))
                .collect(),
            settings: settings.filter_map(|(group, list)| Some((group.clone(), list.as_array()?.clone()))).collect(),
            webhook_secrets: HashMap::new(),
            renamed: HashMap::new(),
            deleted: HashSet::new(),
            remembered: None,
            media: Library::default(),
            next_id: FIRST_FREE_ID,
            next_user: 100,
            next_item: 10_000,
            next_meta: 100_000,
            next_note: 10_000,
            next_small: 500,
        }
    }

    /// A new id of an order, product, coupon or refund: they share one row of numbers, as posts do.
    pub(crate) fn new_id(&mut self) -> u64 {
        let tables = [&self.orders, &self.products, &self.variations, &self.refunds, &self.coupons];
        let last = tables.iter().map(|table| table.last_id()).max().unwrap_or(0);
        self.next_id = self.next_id.max(last) + 1;
        self.next_id
    }

    /// A new id of a customer.
    pub(crate) fn new_user(&mut self) -> u64 {
        self.next_user = self.next_user.max(self.customers.last_id()) + 1;
        self.next_user
    }

    /// A new id of a line, fee, shipping, tax or coupon row of an order.
    pub(crate) fn new_item(&mut self) -> u64 {
        self.next_item += 1;
        self.next_item
    }

    /// A new id of a meta entry.
    pub(crate) fn new_meta(&mut self) -> u64 {
        self.next_meta += 1;
        self.next_meta
    }

    /// A new id of a note.
    pub(crate) fn new_note(&mut self) -> u64 {
        self.next_note = self.next_note.max(self.notes.last_id()) + 1;
        self.next_note
    }

    /// A new id of a webhook, tax rate or term.
    pub(crate) fn new_small(&mut self) -> u64 {
        self.next_small += 1;
        self.next_small
    }

    /// Moves the counters past the ids of a loaded order's rows.
    pub(crate) fn reserve_items(&mut self, highest_item: u64, highest_meta: u64) {
        self.next_item = self.next_item.max(highest_item);
        self.next_meta = self.next_meta.max(highest_meta);
    }

    /// The value of a setting, `""` where there is none.
    pub(crate) fn setting(&self, group: &str, id: &str) -> &str {
        let rows = self.settings.get(group).map(Vec::as_slice).unwrap_or_default();
        rows.iter().find(|row| table::text(row, "id") == id).map_or("", |row| table::text(row, "value"))
    }

    /// Sets the value of a setting, where the setting exists.
    pub(crate) fn set_setting(&mut self, group: &str, id: &str, value: &str) {
        let rows = self.settings.get_mut(group).map(Vec::as_mut_slice).unwrap_or_default();
        if let Some(row) = rows.iter_mut().find(|row| table::text(row, "id") == id) {
            row["value"] = json!(value);
        }
    }

    /// Decimals of the shop's prices: what `dp` is when a request does not say.
    pub(crate) fn price_decimals(&self) -> u32 {
        self.setting("general", "woocommerce_price_num_decimals").parse().unwrap_or(2)
    }

    /// The tax table with the settings that taxes depend on.
    pub(crate) fn rates(&self) -> Rates {
        let base = self.setting("general", "woocommerce_default_country");
        Rates {
            rows: self.taxes.rows().map(|(_, row)| Rate::read(&row.value())).collect(),
            classes: self.tax_classes.iter().map(|class| table::text(class, "slug").to_owned()).collect(),
            base: base.split(':').next().unwrap_or("NL").to_owned(),
            based_on: self.setting("tax", "woocommerce_tax_based_on").to_owned(),
            shipping_class: self.setting("tax", "woocommerce_shipping_tax_class").to_owned(),
            prices_include_tax: self.setting("tax", "woocommerce_prices_include_tax") == "yes",
            round_at_subtotal: self.setting("tax", "woocommerce_tax_round_at_subtotal") == "yes",
            decimals: self.price_decimals(),
        }
    }

    /// Moves the shop's clock to another zone. All dates are shown in it from now on; what posts hold stays.
    pub(crate) fn set_zone(&mut self, zone: Zone) {
        self.dated_tables().into_iter().for_each(|table| table.show_dates_in(&zone.rules));
        self.zone = zone;
    }

    /// Saves all rows anew in the shop's zone.
    pub(crate) fn save_dates(&mut self) {
        let zone = self.zone.rules.clone();
        self.dated_tables().into_iter().for_each(|table| table.save_dates_in(&zone));
    }

    fn dated_tables(&mut self) -> [&mut Table; 8] {
        [
            &mut self.orders,
            &mut self.refunds,
            &mut self.notes,
            &mut self.products,
            &mut self.variations,
            &mut self.customers,
            &mut self.coupons,
            &mut self.webhooks,
        ]
    }

    /// Sets `date_x` and `date_x_gmt` of a record.
    pub(crate) fn stamp(&self, record: &mut Value, name: &str, instant: Timestamp) {
        let (local, gmt) = super::dates::pair(instant, &self.zone.rules);
        record[name] = json!(local);
        record[format!("{name}_gmt")] = json!(gmt);
    }
}

/// A member that holds an amount, zero where it is missing or no number.
pub(crate) fn amount(value: &Value, name: &str) -> Decimal {
    value.get(name).and_then(super::arguments::number).unwrap_or_default()
}
