//! Records with nothing in them, their members in the order of answers.

use std::sync::OnceLock;

use serde_json::Value;

/// An order with nothing in it, its members in the order of answers.
const ORDER: &str = r#"{
    "id": 0, "parent_id": 0, "status": "pending", "currency": "EUR", "version": "11.0.1", "prices_include_tax": false,
    "date_created": null, "date_modified": null,
    "discount_total": "0", "discount_tax": "0", "shipping_total": "0", "shipping_tax": "0", "cart_tax": "0", "total": "0", "total_tax": "0",
    "customer_id": 0, "order_key": "",
    "billing": {"first_name": "", "last_name": "", "company": "", "address_1": "", "address_2": "", "city": "", "state": "", "postcode": "",
        "country": "", "email": "", "phone": ""},
    "shipping": {"first_name": "", "last_name": "", "company": "", "address_1": "", "address_2": "", "city": "", "state": "", "postcode": "",
        "country": "", "phone": ""},
    "payment_method": "", "payment_method_title": "", "transaction_id": "",
    "customer_ip_address": "", "customer_user_agent": "", "created_via": "rest-api", "customer_note": "",
    "date_completed": null, "date_paid": null, "cart_hash": "", "number": "", "meta_data": [],
    "line_items": [], "tax_lines": [], "shipping_lines": [], "fee_lines": [], "coupon_lines": [], "refunds": [],
    "needs_processing": false,
    "date_created_gmt": null, "date_modified_gmt": null, "date_completed_gmt": null, "date_paid_gmt": null
}"#;

/// An order with nothing in it, not even an id.
pub(crate) fn order() -> Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(|| serde_json::from_str(ORDER).expect("the blank order is JSON")).clone()
}

/// A product with nothing in it, its members in the order of answers.
const PRODUCT: &str = r#"{
        "id": 0, "name": "", "slug": "", "permalink": "", "date_created": null, "date_created_gmt": null, "date_modified": null, "date_modified_gmt": null,
        "type": "simple", "status": "publish", "featured": false, "catalog_visibility": "visible", "description": "", "short_description": "",
        "sku": "", "price": "", "regular_price": "", "sale_price": "", "date_on_sale_from": null, "date_on_sale_from_gmt": null,
        "date_on_sale_to": null, "date_on_sale_to_gmt": null, "on_sale": false, "purchasable": false, "total_sales": 0, "virtual": false,
        "downloadable": false, "downloads": [], "download_limit": -1, "download_expiry": -1, "external_url": "", "button_text": "",
        "tax_status": "taxable", "tax_class": "", "manage_stock": false, "stock_quantity": null, "backorders": "no", "backorders_allowed": false,
        "backordered": false, "low_stock_amount": null, "sold_individually": false, "weight": "", "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_required": true, "shipping_taxable": true, "shipping_class": "", "shipping_class_id": 0, "reviews_allowed": true,
        "average_rating": "0", "rating_count": 0, "upsell_ids": [], "cross_sell_ids": [], "parent_id": 0, "purchase_note": "",
        "categories": [], "brands": [], "tags": [], "images": [], "attributes": [], "default_attributes": [], "variations": [],
        "grouped_products": [], "menu_order": 0, "price_html": "", "related_ids": [], "meta_data": [], "stock_status": "instock",
        "has_options": false, "post_password": "", "global_unique_id": ""
    }"#;

/// A product with nothing in it.
pub(crate) fn product() -> Value {
    serde_json::from_str(PRODUCT).expect("the blank record is JSON")
}

/// A variation with nothing in it, its members in the order of answers.
const VARIATION: &str = r#"{
        "id": 0, "type": "variation", "date_created": null, "date_created_gmt": null, "date_modified": null, "date_modified_gmt": null,
        "description": "", "permalink": "", "sku": "", "global_unique_id": "", "price": "", "regular_price": "", "sale_price": "",
        "date_on_sale_from": null, "date_on_sale_from_gmt": null, "date_on_sale_to": null, "date_on_sale_to_gmt": null, "on_sale": false,
        "status": "publish", "purchasable": true, "virtual": false, "downloadable": false, "downloads": [], "download_limit": -1, "download_expiry": -1,
        "tax_status": "taxable", "tax_class": "parent", "manage_stock": false, "stock_quantity": null, "stock_status": "instock", "backorders": "no",
        "backorders_allowed": false, "backordered": false, "low_stock_amount": null, "weight": "", "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_class": "", "shipping_class_id": 0, "image": null, "gallery_image_ids": [], "attributes": [], "menu_order": 0, "meta_data": [],
        "name": "", "parent_id": 0
    }"#;

/// A variation with nothing in it.
pub(crate) fn variation() -> Value {
    serde_json::from_str(VARIATION).expect("the blank record is JSON")
}
