//! Which handler a route has, and who may use it.

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::answer::{self, Answer, Outcome, Refusal};
use super::auth::{self, Key};
use super::batch::{self, Endpoints};
use super::call::Call;
use super::state::State;
use super::{
    arguments, customers, list, notes, order_write, orders, product_write, products, refunds, settings, small, webhooks,
};

/// The first words of all routes.
const KNOWN: [&str; 15] = [
    "orders",
    "refunds",
    "products",
    "variations",
    "customers",
    "coupons",
    "taxes",
    "webhooks",
    "settings",
    "payment_gateways",
    "shipping",
    "shipping_methods",
    "system_status",
    "data",
    "reports",
];

/// The routes of small tables.
const SMALL: [&str; 7] = [
    "coupons",
    "taxes",
    "products/categories",
    "products/tags",
    "products/attributes",
    "products/shipping_classes",
    "products/brands",
];

/// The page that WordPress shows where no API is.
pub(crate) fn page_not_found() -> Response<Body> {
    answer::html(
        404,
        "<!DOCTYPE html>\n<html lang=\"en-US\"><head><title>Page not found</title></head><body><h1>Page not found</h1></body></html>\n",
    )
}

/// The `Allow` header of a route.
pub(crate) fn allow(segments: &[&str]) -> Option<&'static str> {
    Some(match segments {
        ["wc", "v3", .., "batch"] => "POST, PUT, PATCH",
        ["wc", "v3", "settings", _, _] | ["wc", "v3", "payment_gateways", _] => "GET, POST, PUT, PATCH",
        ["wc", "v3", "taxes", "classes", _] => "GET, DELETE",
        ["wc", "v3", "products", "attributes", _, "terms"] => "GET, POST",
        [
            "wc",
            "v3",
            "refunds" | "variations" | "system_status" | "payment_gateways" | "shipping_methods" | "settings" | "data",
            ..,
        ] => "GET",
        ["wc", "v3", "orders", _, "refunds" | "notes", _] => "GET, DELETE",
        ["wc", "v3", _]
        | ["wc", "v3", "taxes", "classes"]
        | ["wc", "v3", "products", "categories" | "tags" | "attributes" | "shipping_classes" | "brands"]
        | ["wc", "v3", _, _, "refunds" | "notes" | "variations"] => "GET, POST",
        ["wc", "v3", ..] => "GET, POST, PUT, PATCH, DELETE",
        _ => return None,
    })
}

/// Refuses a call without a key as the recorded shop does, and a key that may not do this.
pub(crate) fn admit(key: Option<&Key>, method: &str, segments: &[&str]) -> Result<(), Refusal> {
    // What a route takes is told to anybody.
    if method == "OPTIONS" {
        return Ok(());
    }
    let Some(key) = key else {
        let ["wc", "v3", first, rest @ ..] = segments else {
            return Ok(());
        };
        if !KNOWN.contains(first) {
            return Err(Refusal::no_route());
        }
        let single = rest.first().is_some_and(|part| part.parse::<u64>().is_ok());
        let (code, message) = match method {
            "POST" | "PUT" | "PATCH" if rest.last() == Some(&"batch") => {
                ("batch", "Sorry, you are not allowed to batch manipulate this resource.")
            }
            "POST" | "PUT" | "PATCH" if single => ("edit", "Sorry, you are not allowed to edit this resource."),
            "POST" => ("create", "Sorry, you are not allowed to create resources."),
            "DELETE" => ("delete", "Sorry, you are not allowed to delete this resource."),
            _ if single => ("view", "Sorry, you cannot view this resource."),
            _ => ("view", "Sorry, you cannot list resources."),
        };
        return Err(Refusal::new(401, &format!("woocommerce_rest_cannot_{code}"), message));
    };
    auth::permit(key, method)
}

/// Finds the handler and calls it.
pub(crate) fn dispatch(state: &mut State, call: &mut Call, segments: &[&str]) -> Outcome {
    match segments {
        ["wc", "v3", rest @ ..] => resource(state, call, rest),
        [] => Ok(first_page(state, call)),
        _ => Err(Refusal::no_route()),
    }
}

/// `GET /wp-json/`: what the site is, its zone among it; no key is needed.
fn first_page(state: &State, call: &Call) -> Answer {
    let (offset, zone) = state.zone.shown(call.now);
    let page = json!({
        "name": "Sandbox", "description": "", "url": call.base, "home": call.base, "gmt_offset": offset, "timezone_string": zone,
        "namespaces": if state.server.woocommerce { json!(["wc/v3", "wp/v2"]) } else { json!(["wp/v2"]) }, "authentication": {}, "routes": {}
    });
    Answer::ok(list::project_one(page, &call.query))
}

/// An id is digits; anything else is no route.
fn number(part: &str) -> Result<u64, Refusal> {
    if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::no_route());
    }
    part.parse().map_err(|_| Refusal::no_route())
}

fn resource(state: &mut State, call: &mut Call, segments: &[&str]) -> Outcome {
    let method = if call.method == "PATCH" { "PUT".to_owned() } else { call.method.clone() };
    match (method.as_str(), segments) {
        ("GET", []) => Ok(Answer::ok(json!({"namespace": "wc/v3", "routes": {}}))),
        ("OPTIONS", [..]) => told(call, segments),
        (_, ["orders", ..]) => order_routes(state, call, &method, segments),
        (_, ["products", "categories" | "tags" | "attributes" | "shipping_classes" | "brands", ..]) => {
            small_routes(state, call, &method, segments)
        }
        (_, ["products", ..]) => product_routes(state, call, &method, segments),
        (_, ["customers", rest @ ..]) => customer_routes(state, call, &method, rest),
        (_, ["webhooks", rest @ ..]) => webhook_routes(state, call, &method, rest),
        ("GET", ["refunds"]) => refunds::list_all(state, call),
        ("GET", ["variations"]) => products::list_all_variations(state, call),
        ("GET", ["taxes", "classes"]) => small::classes(state, call),
        ("POST", ["taxes", "classes"]) => small::create_class(state, call),
        ("GET", ["taxes", "classes", slug]) => small::class(state, call, slug),
        (_, ["coupons" | "taxes", ..]) => small_routes(state, call, &method, segments),
        _ => settings_routes(state, call, &method, segments),
    }
}

/// `OPTIONS`: the arguments of each method of a route.
fn told(call: &Call, segments: &[&str]) -> Outcome {
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let route: Vec<&str> = segments.iter().map(|part| if is_number(part) { "{id}" } else { part }).collect();
    let route = route.join("/");
    let cap = call.faults.cap_refused();
    let known = ["GET", "POST", "DELETE"].map(|method| (method, arguments::told(&format!("{method} {route}"), cap)));
    let endpoints: Vec<Value> = known
        .into_iter()
        .filter_map(|(method, args)| {
            let one = method == "POST" && route.ends_with("{id}");
            let methods = if one { vec!["POST", "PUT", "PATCH"] } else { vec![method] };
            args.map(|args| json!({"methods": methods, "args": args}))
        })
        .collect();
    let methods: Vec<Value> =
        endpoints.iter().flat_map(|one| one["methods"].as_array().cloned().unwrap_or_default()).collect();
    Ok(Answer::ok(json!({"namespace": "wc/v3", "methods": methods, "endpoints": endpoints})))
}

fn order_routes(state: &mut State, call: &mut Call, method: &str, segments: &[&str]) -> Outcome {
    match (method, &segments[1..]) {
        ("GET", []) => orders::list(state, call),
        ("POST", []) => order_write::create(state, call),
        ("GET", ["statuses"]) => Ok(settings::statuses(call)),
        ("POST" | "PUT", ["batch"]) => batch::run(
            state,
            call,
            &Endpoints { create: &order_write::create, update: &order_write::update, delete: &order_write::delete },
        ),
        (_, [order, rest @ ..]) => {
            let order = number(order)?;
            match (method, rest) {
                ("GET", []) => orders::get(state, call, order),
                ("POST" | "PUT", []) => order_write::update(state, call, order),
                ("DELETE", []) => order_write::delete(state, call, order),
                ("GET", ["refunds"]) => refunds::list_of(state, call, order),
                ("POST", ["refunds"]) => refunds::create(state, call, order),
                ("GET", ["refunds", refund]) => refunds::get(state, call, order, number(refund)?),
                ("DELETE", ["refunds", refund]) => refunds::delete(state, call, order, number(refund)?),
                ("GET", ["notes"]) => notes::list_of(state, call, order),
                ("POST", ["notes"]) => notes::create(state, call, order),
                ("GET", ["notes", note]) => notes::get(state, call, order, number(note)?),
                ("DELETE", ["notes", note]) => notes::delete(state, call, order, number(note)?),
                _ => Err(Refusal::no_route()),
            }
        }
        _ => Err(Refusal::no_route()),
    }
}

fn product_routes(state: &mut State, call: &mut Call, method: &str, segments: &[&str]) -> Outcome {
    match (method, &segments[1..]) {
        ("GET", []) => products::list(state, call),
        ("POST", []) => product_write::create(state, call),
        ("POST" | "PUT", ["batch"]) => batch::run(
            state,
            call,
            &Endpoints {
                create: &product_write::create,
                update: &product_write::update,
                delete: &product_write::delete,
            },
        ),
        (_, [product, rest @ ..]) => {
            let product = number(product)?;
            match (method, rest) {
                ("GET", []) => products::get(state, call, product),
                ("POST" | "PUT", []) => product_write::update(state, call, product),
                ("DELETE", []) => product_write::delete(state, call, product),
                ("GET", ["variations"]) => products::list_variations(state, call, product),
                ("POST", ["variations"]) => product_write::create_variation(state, call, product),
                ("POST" | "PUT", ["variations", "batch"]) => batch::run(
                    state,
                    call,
                    &Endpoints {
                        create: &|state, call| product_write::create_variation(state, call, product),
                        update: &|state, call, id| product_write::update_variation(state, call, product, id),
                        delete: &|state, call, id| product_write::delete_variation(state, call, product, id),
                    },
                ),
                ("GET", ["variations", variation]) => products::get_variation(state, call, product, number(variation)?),
                ("POST" | "PUT", ["variations", variation]) => {
                    product_write::update_variation(state, call, product, number(variation)?)
                }
                ("DELETE", ["variations", variation]) => {
                    product_write::delete_variation(state, call, product, number(variation)?)
                }
                _ => Err(Refusal::no_route()),
            }
        }
        _ => Err(Refusal::no_route()),
    }
}

fn customer_routes(state: &mut State, call: &mut Call, method: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", []) => customers::list(state, call),
        ("POST", []) => customers::create(state, call),
        ("POST" | "PUT", ["batch"]) => batch::run(
            state,
            call,
            &Endpoints { create: &customers::create, update: &customers::update, delete: &customers::delete },
        ),
        ("GET", [customer]) => customers::get(state, call, number(customer)?),
        ("POST" | "PUT", [customer]) => customers::update(state, call, number(customer)?),
        ("DELETE", [customer]) => customers::delete(state, call, number(customer)?),
        _ => Err(Refusal::no_route()),
    }
}

fn webhook_routes(state: &mut State, call: &mut Call, method: &str, rest: &[&str]) -> Outcome {
    match (method, rest) {
        ("GET", []) => webhooks::list(state, call),
        ("POST", []) => webhooks::create(state, call),
        ("GET", [webhook]) => webhooks::get(state, call, number(webhook)?),
        ("POST" | "PUT", [webhook]) => webhooks::update(state, call, number(webhook)?),
        ("DELETE", [webhook]) => webhooks::delete(state, call, number(webhook)?),
        _ => Err(Refusal::no_route()),
    }
}

fn small_routes(state: &mut State, call: &mut Call, method: &str, segments: &[&str]) -> Outcome {
    let whole = segments.join("/");
    let is_table =
        |route: &str| SMALL.contains(&route) || route.starts_with("products/attributes/") && route.ends_with("/terms");
    if is_table(&whole) {
        return match method {
            "GET" => small::list(state, call, &whole),
            "POST" => small::create(state, call, &whole),
            _ => Err(Refusal::no_route()),
        };
    }
    let Some((route, last)) = whole.rsplit_once('/').filter(|(route, _)| is_table(route)) else {
        return Err(Refusal::no_route());
    };
    if last == "batch" && ["POST", "PUT"].contains(&method) {
        let endpoints = Endpoints {
            create: &|state, call| small::create(state, call, route),
            update: &|state, call, id| small::update(state, call, route, id),
            delete: &|state, call, id| small::delete(state, call, route, id),
        };
        return batch::run(state, call, &endpoints);
    }
    let row = number(last)?;
    match method {
        "GET" => small::get(state, call, route, row),
        "POST" | "PUT" => small::update(state, call, route, row),
        "DELETE" => small::delete(state, call, route, row),
        _ => Err(Refusal::no_route()),
    }
}

fn settings_routes(state: &mut State, call: &mut Call, method: &str, segments: &[&str]) -> Outcome {
    match (method, segments) {
        ("GET", ["settings"]) => Ok(settings::groups(call)),
        ("GET", ["settings", group]) => settings::group(state, call, group),
        ("GET", ["settings", group, name]) => settings::setting(state, call, group, name),
        ("POST" | "PUT", ["settings", group, name]) => settings::set(state, call, group, name),
        ("GET", ["payment_gateways"]) => Ok(settings::gateways(state, call)),
        ("GET", ["payment_gateways", name]) => settings::gateway(state, call, name),
        ("GET", ["shipping", "zones"]) => Ok(settings::zones(state, call)),
        ("GET", ["shipping", "zones", zone]) => settings::zone(state, call, number(zone)?),
        ("GET", ["shipping", "zones", zone, "methods"]) => settings::zone_methods(state, call, number(zone)?),
        ("GET", ["shipping", "zones", zone, "locations"]) => settings::zone_locations(state, call, number(zone)?),
        ("GET", ["shipping_methods"]) => Ok(settings::shipping_methods(call)),
        ("GET", ["system_status"]) => Ok(settings::system_status(state, call)),
        ("GET", ["data", "currencies", "current"]) => Ok(settings::currency(state)),
        _ => Err(Refusal::no_route()),
    }
}
