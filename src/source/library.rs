//! What ships inside the binary: the standard library and the default flows, by module name.

use super::span::FileId;
use std::path::Path;

/// Module, path as people see it, text.
pub type Embedded = (&'static str, &'static str, &'static str);

/// Files of the standard library and the default flows. A test holds this list to the folders.
pub static LIBRARY: &[Embedded] = &[
    ("exact", "exact/cashflow.flow", include_str!("../../stdlib/exact/cashflow.flow")),
    ("exact", "exact/connector.flow", include_str!("../../stdlib/exact/connector.flow")),
    ("exact", "exact/crm.flow", include_str!("../../stdlib/exact/crm.flow")),
    ("exact", "exact/current.flow", include_str!("../../stdlib/exact/current.flow")),
    ("exact", "exact/customfield.flow", include_str!("../../stdlib/exact/customfield.flow")),
    ("exact", "exact/documents.flow", include_str!("../../stdlib/exact/documents.flow")),
    ("exact", "exact/financial.flow", include_str!("../../stdlib/exact/financial.flow")),
    ("exact", "exact/financialtransaction.flow", include_str!("../../stdlib/exact/financialtransaction.flow")),
    ("exact", "exact/general.flow", include_str!("../../stdlib/exact/general.flow")),
    ("exact", "exact/generaljournalentry.flow", include_str!("../../stdlib/exact/generaljournalentry.flow")),
    ("exact", "exact/hrm.flow", include_str!("../../stdlib/exact/hrm.flow")),
    ("exact", "exact/inventory.flow", include_str!("../../stdlib/exact/inventory.flow")),
    ("exact", "exact/logistics.flow", include_str!("../../stdlib/exact/logistics.flow")),
    ("exact", "exact/logistics_relations.flow", include_str!("../../stdlib/exact/logistics_relations.flow")),
    ("exact", "exact/project.flow", include_str!("../../stdlib/exact/project.flow")),
    ("exact", "exact/sales.flow", include_str!("../../stdlib/exact/sales.flow")),
    ("exact", "exact/salesentry.flow", include_str!("../../stdlib/exact/salesentry.flow")),
    ("exact", "exact/salesinvoice.flow", include_str!("../../stdlib/exact/salesinvoice.flow")),
    ("exact", "exact/salesorder.flow", include_str!("../../stdlib/exact/salesorder.flow")),
    ("exact", "exact/sync.flow", include_str!("../../stdlib/exact/sync.flow")),
    ("exact", "exact/system.flow", include_str!("../../stdlib/exact/system.flow")),
    ("exact", "exact/users.flow", include_str!("../../stdlib/exact/users.flow")),
    ("exact", "exact/vat.flow", include_str!("../../stdlib/exact/vat.flow")),
    ("exact", "exact/webhooks.flow", include_str!("../../stdlib/exact/webhooks.flow")),
    ("woocommerce", "woocommerce/addresses.flow", include_str!("../../stdlib/woocommerce/addresses.flow")),
    ("woocommerce", "woocommerce/connector.flow", include_str!("../../stdlib/woocommerce/connector.flow")),
    ("woocommerce", "woocommerce/coupons.flow", include_str!("../../stdlib/woocommerce/coupons.flow")),
    ("woocommerce", "woocommerce/customers.flow", include_str!("../../stdlib/woocommerce/customers.flow")),
    ("woocommerce", "woocommerce/functions.flow", include_str!("../../stdlib/woocommerce/functions.flow")),
    ("woocommerce", "woocommerce/orders.flow", include_str!("../../stdlib/woocommerce/orders.flow")),
    ("woocommerce", "woocommerce/products.flow", include_str!("../../stdlib/woocommerce/products.flow")),
    ("woocommerce", "woocommerce/settings.flow", include_str!("../../stdlib/woocommerce/settings.flow")),
    ("woocommerce", "woocommerce/taxes.flow", include_str!("../../stdlib/woocommerce/taxes.flow")),
    ("std.address", "std/address.flow", include_str!("../../stdlib/std/address.flow")),
    ("std.countries", "std/countries.flow", include_str!("../../stdlib/std/countries.flow")),
    ("std.money", "std/money.flow", include_str!("../../stdlib/std/money.flow")),
    ("std.vat", "std/vat.flow", include_str!("../../stdlib/std/vat.flow")),
    ("std.text", "std/text.flow", include_str!("../../stdlib/std/text.flow")),
    ("flows.customers", "flows/customers.flow", include_str!("../../flows/customers.flow")),
    ("flows.orders", "flows/orders.flow", include_str!("../../flows/orders.flow")),
    ("flows.refunds", "flows/refunds.flow", include_str!("../../flows/refunds.flow")),
    ("flows.payments", "flows/payments.flow", include_str!("../../flows/payments.flow")),
    ("flows.statuses", "flows/statuses.flow", include_str!("../../flows/statuses.flow")),
    ("flows.products", "flows/products.flow", include_str!("../../flows/products.flow")),
    ("flows.stock", "flows/stock.flow", include_str!("../../flows/stock.flow")),
    ("flows.taxes", "flows/taxes.flow", include_str!("../../flows/taxes.flow")),
    ("flows.tables", "flows/tables.flow", include_str!("../../flows/tables.flow")),
];

/// The files of a module, `exact` or `flows.orders`.
pub fn module(name: &str) -> impl Iterator<Item = &'static Embedded> {
    LIBRARY.iter().filter(move |(module, _, _)| *module == name)
}

/// Whether the path of a file that ships, or did, is one of a module: `exact/crm.flow` of `exact`, `std/text.flow` of `std.text`.
pub fn is_of(path: &str, module: &str) -> bool {
    let Some((folder, name)) = path.strip_suffix(".flow").and_then(|path| path.split_once('/')) else { return false };
    module.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.strip_prefix('.') == Some(name))
}

/// The same by their numbers.
pub fn files(name: &str) -> impl Iterator<Item = FileId> {
    let files = LIBRARY.iter().enumerate().filter(move |(_, (module, _, _))| *module == name);
    files.map(|(place, _)| FileId::shipped(place))
}

/// The path and the text of a file that ships; nothing for any other.
pub fn text(file: FileId) -> (&'static str, &'static str) {
    file.place().and_then(|place| LIBRARY.get(place)).map_or(("", ""), |(_, path, text)| (path, text))
}

/// The module that ships and is meant by the name of a file: `orders` and `flows.orders` are both the default flow.
pub fn shipped(name: &str) -> Option<&'static str> {
    LIBRARY
        .iter()
        .map(|(module, _, _)| *module)
        .find(|module| *module == name || module.strip_prefix("flows.") == Some(name))
}

/// The names of all modules that ship.
pub fn modules() -> Vec<&'static str> {
    let mut names: Vec<&str> = LIBRARY.iter().map(|(module, _, _)| *module).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The paths of all files that ship, data too.
pub fn paths() -> impl Iterator<Item = String> {
    let texts = LIBRARY.iter().map(|(_, path, _)| (*path).to_owned());
    texts.chain(DATA.iter().map(|(name, _)| format!("{DATA_FOLDER}/{name}")))
}

/// The text of a file that ships, data too, by its path.
pub fn by_path(path: &str) -> Option<&'static str> {
    let data = || path.strip_prefix(DATA_FOLDER)?.strip_prefix('/').and_then(data);
    LIBRARY.iter().find(|(_, shipped, _)| *shipped == path).map(|(_, _, text)| *text).or_else(data)
}

/// Whether a text is that of a file that ships, data too, and not of a project's file with the same name.
pub fn ships(path: &Path, text: &str) -> bool {
    let is_data = || {
        let name = path.strip_prefix(DATA_FOLDER).ok().and_then(Path::to_str);
        name.and_then(data).is_some_and(|its| its == text)
    };
    LIBRARY.iter().any(|(_, shipped, its)| Path::new(shipped) == path && *its == text) || is_data()
}

/// A data file that ships with the default flows.
pub fn data(name: &str) -> Option<&'static str> {
    DATA.iter().find(|(path, _)| *path == name).map(|(_, text)| *text)
}

/// Where data of the default flows stand.
pub const DATA_FOLDER: &str = "flows/data";

/// Data of the default flows by name.
static DATA: &[(&str, &str)] = &[("shipping_methods.csv", include_str!("../../flows/data/shipping_methods.csv"))];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_the_module() {
        let wrong: Vec<&Embedded> = LIBRARY.iter().filter(|(module, path, _)| !is_of(path, module)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        for (name, text) in DATA {
            let shipped = Path::new(DATA_FOLDER).join(name);
            assert!(ships(&shipped, text) && !ships(&shipped, "a project's own of that name"));
        }
        assert!(!is_of("std/text.flow", "std.money") && !is_of("exact/crm.flow", "exactly"));
    }
}
