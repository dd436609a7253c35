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
    ("flows.statuses", "flows/statuses.flow", include_str!("../../flows/statuses.flow")),
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

/// The project that holds the tests of the default flows, by path within it. A test holds this list to the folder.
pub static TESTS: &[(&str, &str)] = &[
    ("account_tests.flow", include_str!("../../flows/tests/account_tests.flow")),
    ("area_tests.flow", include_str!("../../flows/tests/area_tests.flow")),
    ("customer_tests.flow", include_str!("../../flows/tests/customer_tests.flow")),
    ("data/order.json", include_str!("../../flows/tests/data/order.json")),
    ("data/order_house.json", include_str!("../../flows/tests/data/order_house.json")),
    ("data/order_many.json", include_str!("../../flows/tests/data/order_many.json")),
    ("data/order_number.json", include_str!("../../flows/tests/data/order_number.json")),
    ("debtor_tests.flow", include_str!("../../flows/tests/debtor_tests.flow")),
    ("document_tests.flow", include_str!("../../flows/tests/document_tests.flow")),
    ("line_tests.flow", include_str!("../../flows/tests/line_tests.flow")),
    ("order_tests.flow", include_str!("../../flows/tests/order_tests.flow")),
    ("project.flow", include_str!("../../flows/tests/project.flow")),
    ("refund_tests.flow", include_str!("../../flows/tests/refund_tests.flow")),
    ("shop_tests.flow", include_str!("../../flows/tests/shop_tests.flow")),
    (
        "snapshots/account_tests.a-customer-by-herself-a-company-without-its-name.json",
        include_str!("../../flows/tests/snapshots/account_tests.a-customer-by-herself-a-company-without-its-name.json"),
    ),
    (
        "snapshots/account_tests.a-customer-by-herself-a-company.json",
        include_str!("../../flows/tests/snapshots/account_tests.a-customer-by-herself-a-company.json"),
    ),
    (
        "snapshots/account_tests.a-customer-by-herself-a-login-without-a-name.json",
        include_str!("../../flows/tests/snapshots/account_tests.a-customer-by-herself-a-login-without-a-name.json"),
    ),
    (
        "snapshots/account_tests.a-customer-by-herself-a-number-without-a-country.json",
        include_str!("../../flows/tests/snapshots/account_tests.a-customer-by-herself-a-number-without-a-country.json"),
    ),
    (
        "snapshots/account_tests.a-customer-by-herself-a-person-without-an-address.json",
        include_str!(
            "../../flows/tests/snapshots/account_tests.a-customer-by-herself-a-person-without-an-address.json"
        ),
    ),
    (
        "snapshots/account_tests.a-customer-by-herself-a-person.json",
        include_str!("../../flows/tests/snapshots/account_tests.a-customer-by-herself-a-person.json"),
    ),
    (
        "snapshots/account_tests.a-customer-by-herself-nobody-but-an-address-for-mail.json",
        include_str!(
            "../../flows/tests/snapshots/account_tests.a-customer-by-herself-nobody-but-an-address-for-mail.json"
        ),
    ),
    (
        "snapshots/account_tests.an-account-that-has-changed-acme-b-v-ann-example-com.json",
        include_str!(
            "../../flows/tests/snapshots/account_tests.an-account-that-has-changed-acme-b-v-ann-example-com.json"
        ),
    ),
    (
        "snapshots/account_tests.an-account-that-has-changed-none-ann-example-com.json",
        include_str!("../../flows/tests/snapshots/account_tests.an-account-that-has-changed-none-ann-example-com.json"),
    ),
    (
        "snapshots/account_tests.an-account-that-has-changed-none-none.json",
        include_str!("../../flows/tests/snapshots/account_tests.an-account-that-has-changed-none-none.json"),
    ),
    (
        "snapshots/account_tests.an-account-that-the-shop-is-to-know-nl004495445b01-none.json",
        include_str!(
            "../../flows/tests/snapshots/account_tests.an-account-that-the-shop-is-to-know-nl004495445b01-none.json"
        ),
    ),
    (
        "snapshots/account_tests.an-account-that-the-shop-is-to-know-none-12345678.json",
        include_str!(
            "../../flows/tests/snapshots/account_tests.an-account-that-the-shop-is-to-know-none-12345678.json"
        ),
    ),
    (
        "snapshots/account_tests.an-account-that-the-shop-is-to-know-none-none.json",
        include_str!("../../flows/tests/snapshots/account_tests.an-account-that-the-shop-is-to-know-none-none.json"),
    ),
    (
        "snapshots/debtor_tests.the-collective-debtor.json",
        include_str!("../../flows/tests/snapshots/debtor_tests.the-collective-debtor.json"),
    ),
    (
        "snapshots/document_tests.an-invoice-that-is-there-open-ann-example-com.json",
        include_str!("../../flows/tests/snapshots/document_tests.an-invoice-that-is-there-open-ann-example-com.json"),
    ),
    (
        "snapshots/document_tests.an-invoice-that-is-there-open-bob-example-com.json",
        include_str!("../../flows/tests/snapshots/document_tests.an-invoice-that-is-there-open-bob-example-com.json"),
    ),
    (
        "snapshots/document_tests.an-invoice-that-is-there-processed-ann-example-com.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-invoice-that-is-there-processed-ann-example-com.json"
        ),
    ),
    (
        "snapshots/document_tests.an-invoice-with-a-gift-card-carriers-of-cost-and-an-account-of-its-own-sales-entry.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-invoice-with-a-gift-card-carriers-of-cost-and-an-account-of-its-own-sales-entry.json"
        ),
    ),
    (
        "snapshots/document_tests.an-invoice-with-a-gift-card-carriers-of-cost-and-an-account-of-its-own-sales-invoice.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-invoice-with-a-gift-card-carriers-of-cost-and-an-account-of-its-own-sales-invoice.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-as-a-document-of-another-kind-direct-invoice-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-as-a-document-of-another-kind-direct-invoice-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-as-a-document-of-another-kind-sales-entry-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-as-a-document-of-another-kind-sales-entry-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-as-a-document-of-another-kind-sales-invoice-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-as-a-document-of-another-kind-sales-invoice-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-as-a-document-of-another-kind-sales-invoice-yes.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-as-a-document-of-another-kind-sales-invoice-yes.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-direct-invoice-cancelled-no-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-direct-invoice-cancelled-no-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-direct-invoice-cancelled-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-direct-invoice-cancelled-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-invoice-cancelled-no-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-invoice-cancelled-no-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-invoice-cancelled-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-invoice-cancelled-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-invoice-cancelled-yes-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-invoice-cancelled-yes-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-invoice-cancelled-yes.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-invoice-cancelled-yes.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-order-cancelled-no-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-order-cancelled-no-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-order-cancelled-no-yes.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-order-cancelled-no-yes.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-order-cancelled-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-order-cancelled-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-order-cancelled-yes-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-order-cancelled-yes-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-order-cancelled-yes.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-order-cancelled-yes.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-order-trash-no-no.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-order-trash-no-no.json"
        ),
    ),
    (
        "snapshots/document_tests.an-order-that-is-cancelled-sales-order-trash-no.json",
        include_str!("../../flows/tests/snapshots/document_tests.an-order-that-is-cancelled-sales-order-trash-no.json"),
    ),
    (
        "snapshots/document_tests.cents-that-the-lines-of-an-invoice-leave.json",
        include_str!("../../flows/tests/snapshots/document_tests.cents-that-the-lines-of-an-invoice-leave.json"),
    ),
    (
        "snapshots/document_tests.lines-that-don-t-come-to-the-total-of-an-invoice-and-of-an-entry-sales-invoice-133-12-yes.json",
        include_str!(
            "../../flows/tests/snapshots/document_tests.lines-that-don-t-come-to-the-total-of-an-invoice-and-of-an-entry-sales-invoice-133-12-yes.json"
        ),
    ),
    (
        "snapshots/line_tests.an-order-that-a-gift-card-paid-in-part.json",
        include_str!("../../flows/tests/snapshots/line_tests.an-order-that-a-gift-card-paid-in-part.json"),
    ),
    (
        "snapshots/line_tests.cents-that-the-lines-leave.json",
        include_str!("../../flows/tests/snapshots/line_tests.cents-that-the-lines-leave.json"),
    ),
    (
        "snapshots/order_tests.a-consumer-s-first-order.json",
        include_str!("../../flows/tests/snapshots/order_tests.a-consumer-s-first-order.json"),
    ),
    (
        "snapshots/order_tests.an-order-of-a-debtor-that-the-ledger-has-in-other-letters-acme-b-v-acme-b-v.json",
        include_str!(
            "../../flows/tests/snapshots/order_tests.an-order-of-a-debtor-that-the-ledger-has-in-other-letters-acme-b-v-acme-b-v.json"
        ),
    ),
    (
        "snapshots/order_tests.an-order-of-a-debtor-that-the-ledger-has-in-other-letters-none-ann-peeters.json",
        include_str!(
            "../../flows/tests/snapshots/order_tests.an-order-of-a-debtor-that-the-ledger-has-in-other-letters-none-ann-peeters.json"
        ),
    ),
    (
        "snapshots/order_tests.an-order-of-another-member-state-from-its-warehouse.json",
        include_str!(
            "../../flows/tests/snapshots/order_tests.an-order-of-another-member-state-from-its-warehouse.json"
        ),
    ),
    (
        "snapshots/order_tests.an-order-of-many-parts.json",
        include_str!("../../flows/tests/snapshots/order_tests.an-order-of-many-parts.json"),
    ),
    (
        "snapshots/order_tests.an-order-of-shipping-alone.json",
        include_str!("../../flows/tests/snapshots/order_tests.an-order-of-shipping-alone.json"),
    ),
    (
        "snapshots/order_tests.an-order-that-changes-while-its-document-is-open-complete-open.json",
        include_str!(
            "../../flows/tests/snapshots/order_tests.an-order-that-changes-while-its-document-is-open-complete-open.json"
        ),
    ),
    (
        "snapshots/order_tests.an-order-that-changes-while-its-document-is-open-open-complete.json",
        include_str!(
            "../../flows/tests/snapshots/order_tests.an-order-that-changes-while-its-document-is-open-open-complete.json"
        ),
    ),
    (
        "snapshots/order_tests.an-order-that-changes-while-its-document-is-open-open-open.json",
        include_str!(
            "../../flows/tests/snapshots/order_tests.an-order-that-changes-while-its-document-is-open-open-open.json"
        ),
    ),
    (
        "snapshots/order_tests.an-order-that-changes-while-its-document-is-open-open-partial.json",
        include_str!(
            "../../flows/tests/snapshots/order_tests.an-order-that-changes-while-its-document-is-open-open-partial.json"
        ),
    ),
    (
        "snapshots/order_tests.an-order-that-changes-while-its-document-is-open-partial-open.json",
        include_str!(
            "../../flows/tests/snapshots/order_tests.an-order-that-changes-while-its-document-is-open-partial-open.json"
        ),
    ),
    (
        "snapshots/order_tests.discounts-beside-the-price-with-carriers-of-cost-from-a-warehouse.json",
        include_str!(
            "../../flows/tests/snapshots/order_tests.discounts-beside-the-price-with-carriers-of-cost-from-a-warehouse.json"
        ),
    ),
    (
        "snapshots/refund_tests.a-refund-by-its-lines-of-each-kind-of-document-direct-invoice-positive-no.json",
        include_str!(
            "../../flows/tests/snapshots/refund_tests.a-refund-by-its-lines-of-each-kind-of-document-direct-invoice-positive-no.json"
        ),
    ),
    (
        "snapshots/refund_tests.a-refund-by-its-lines-of-each-kind-of-document-sales-entry-positive-no.json",
        include_str!(
            "../../flows/tests/snapshots/refund_tests.a-refund-by-its-lines-of-each-kind-of-document-sales-entry-positive-no.json"
        ),
    ),
    (
        "snapshots/refund_tests.a-refund-by-its-lines-of-each-kind-of-document-sales-invoice-negative-yes.json",
        include_str!(
            "../../flows/tests/snapshots/refund_tests.a-refund-by-its-lines-of-each-kind-of-document-sales-invoice-negative-yes.json"
        ),
    ),
    (
        "snapshots/refund_tests.a-refund-by-its-lines-of-each-kind-of-document-sales-invoice-positive-no.json",
        include_str!(
            "../../flows/tests/snapshots/refund_tests.a-refund-by-its-lines-of-each-kind-of-document-sales-invoice-positive-no.json"
        ),
    ),
    (
        "snapshots/refund_tests.a-refund-by-its-lines-of-each-kind-of-document-sales-order-positive-no.json",
        include_str!(
            "../../flows/tests/snapshots/refund_tests.a-refund-by-its-lines-of-each-kind-of-document-sales-order-positive-no.json"
        ),
    ),
    (
        "snapshots/refund_tests.a-refund-with-carriers-of-cost-an-account-of-its-own-and-goods-that-the-ledger-does-not-know-sales-entry.json",
        include_str!(
            "../../flows/tests/snapshots/refund_tests.a-refund-with-carriers-of-cost-an-account-of-its-own-and-goods-that-the-ledger-does-not-know-sales-entry.json"
        ),
    ),
    (
        "snapshots/refund_tests.a-refund-with-carriers-of-cost-an-account-of-its-own-and-goods-that-the-ledger-does-not-know-sales-invoice.json",
        include_str!(
            "../../flows/tests/snapshots/refund_tests.a-refund-with-carriers-of-cost-an-account-of-its-own-and-goods-that-the-ledger-does-not-know-sales-invoice.json"
        ),
    ),
    (
        "snapshots/refund_tests.a-refund-with-carriers-of-cost-an-account-of-its-own-and-goods-that-the-ledger-does-not-know-sales-order.json",
        include_str!(
            "../../flows/tests/snapshots/refund_tests.a-refund-with-carriers-of-cost-an-account-of-its-own-and-goods-that-the-ledger-does-not-know-sales-order.json"
        ),
    ),
    (
        "snapshots/status_tests.goods-that-have-left-completed-complete-none-no.json",
        include_str!("../../flows/tests/snapshots/status_tests.goods-that-have-left-completed-complete-none-no.json"),
    ),
    (
        "snapshots/status_tests.goods-that-have-left-on-hold-cancelled-none-yes.json",
        include_str!("../../flows/tests/snapshots/status_tests.goods-that-have-left-on-hold-cancelled-none-yes.json"),
    ),
    (
        "snapshots/status_tests.goods-that-have-left-on-hold-complete-none-no.json",
        include_str!("../../flows/tests/snapshots/status_tests.goods-that-have-left-on-hold-complete-none-no.json"),
    ),
    (
        "snapshots/status_tests.goods-that-have-left-processing-complete-3sabc-yes.json",
        include_str!(
            "../../flows/tests/snapshots/status_tests.goods-that-have-left-processing-complete-3sabc-yes.json"
        ),
    ),
    (
        "snapshots/status_tests.goods-that-have-left-processing-complete-none-yes.json",
        include_str!("../../flows/tests/snapshots/status_tests.goods-that-have-left-processing-complete-none-yes.json"),
    ),
    (
        "snapshots/status_tests.goods-that-have-left-processing-partial-3sabc-yes.json",
        include_str!("../../flows/tests/snapshots/status_tests.goods-that-have-left-processing-partial-3sabc-yes.json"),
    ),
    (
        "snapshots/status_tests.goods-that-have-left-refunded-complete-none-no.json",
        include_str!("../../flows/tests/snapshots/status_tests.goods-that-have-left-refunded-complete-none-no.json"),
    ),
    (
        "snapshots/status_tests.what-was-paid-completed-2026-11-20t09-00-00z-none.json",
        include_str!("../../flows/tests/snapshots/status_tests.what-was-paid-completed-2026-11-20t09-00-00z-none.json"),
    ),
    (
        "snapshots/status_tests.what-was-paid-on-hold-none-26700001.json",
        include_str!("../../flows/tests/snapshots/status_tests.what-was-paid-on-hold-none-26700001.json"),
    ),
    (
        "snapshots/status_tests.what-was-paid-pending-none-none.json",
        include_str!("../../flows/tests/snapshots/status_tests.what-was-paid-pending-none-none.json"),
    ),
    ("status_tests.flow", include_str!("../../flows/tests/status_tests.flow")),
    ("table_tests.flow", include_str!("../../flows/tests/table_tests.flow")),
    ("tax_tests.flow", include_str!("../../flows/tests/tax_tests.flow")),
];

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
