//! Customers: found by e-mail, listed by role, without a filter for changes.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::arguments::{ids_of, is_email};
use super::call::{ALL_METHODS, Call};
use super::list::{self, Defaults, Page};
use super::meta;
use super::state::State;
use super::table::{id, text};

/// `GET /customers`: `modified_after` is unknown here and so ignored.
pub(crate) fn list(state: &State, call: &Call) -> Outcome {
    call.check("GET customers")?;
    if call.text("email").is_some_and(|email| !is_email(email)) {
        let details =
            json!({"email": {"code": "rest_invalid_email", "message": "Invalid email address.", "data": null}});
        return Err(Refusal::new(400, "rest_invalid_param", "Invalid parameter(s): email")
            .with("params", json!({"email": "Invalid email address."}))
            .with("details", details));
    }
    let role = call.text("role").unwrap_or("customer");
    let email = call.text("email").map(str::to_lowercase);
    let include = ids_of(&call.parameters, "include");
    let exclude = ids_of(&call.parameters, "exclude");
    let search = call.text("search").map(str::to_lowercase).filter(|text| !text.is_empty());
    let by = call.text("orderby").unwrap_or("name");
    let candidates: Vec<u64> = match &email {
        Some(email) => state.customers.with_key(email),
        None => state.customers.rows().map(|(id, _)| id).collect(),
    };
    let mut found = Vec::new();
    for customer in candidates {
        let Some(row) = state.customers.row(customer) else {
            continue;
        };
        let fits = (role == "all" || *row.columns.status == *role)
            && (include.is_empty() || include.contains(&customer))
            && !exclude.contains(&customer)
            && search.as_ref().is_none_or(|needle| seen_in(&row.value(), needle));
        if fits {
            let rank = match by {
                "id" => String::new(),
                "registered_date" => format!("{:015}", row.columns.created.utc.unwrap_or(0)),
                "include" => format!("{:09}", include.iter().position(|one| *one == customer).unwrap_or(0)),
                _ => row.columns.key.to_string(),
            };
            found.push((rank, customer));
        }
    }
    found.sort_unstable();
    if call.text("order") == Some("desc") {
        found.reverse();
    }
    let page = Page::of(call);
    let rows =
        page.cut(&found).iter().filter_map(|(_, id)| state.customers.get(*id)).map(|row| show(row, call)).collect();
    list::answer(call, rows, found.len(), page, &call.address("customers"), Defaults::None)
}

fn seen_in(customer: &Value, needle: &str) -> bool {
    ["email", "username", "first_name", "last_name"]
        .iter()
        .any(|name| text(customer, name).to_lowercase().contains(needle))
}

fn unknown() -> Refusal {
    Refusal::new(404, "wc_user_invalid_id", "Invalid user ID.")
}

/// `GET /customers/{id}`.
pub(crate) fn get(state: &State, call: &Call, customer_id: u64) -> Outcome {
    let customer = state.customers.get(customer_id).ok_or_else(unknown)?;
    Ok(Answer::ok(list::project_one(show(customer, call), &call.query)))
}

/// A customer as an answer shows it.
pub(crate) fn show(mut customer: Value, call: &Call) -> Value {
    let links = call.links("customers", &customer["id"], &ALL_METHODS);
    if let Value::Object(members) = &mut customer {
        members.shift_remove("_links");
        members.insert("_links".to_owned(), links);
    }
    customer
}

/// A customer with nothing in it.
pub(crate) fn blank() -> Value {
    let address = json!({"first_name": "", "last_name": "", "company": "", "address_1": "", "address_2": "", "city": "", "postcode": "", "country": "", "state": ""});
    let (mut billing, mut shipping) = (address.clone(), address);
    billing["email"] = json!("");
    billing["phone"] = json!("");
    shipping["phone"] = json!("");
    json!({
        "id": 0, "date_created": null, "date_created_gmt": null, "date_modified": null, "date_modified_gmt": null, "email": "",
        "first_name": "", "last_name": "", "role": "customer", "username": "", "billing": billing, "shipping": shipping,
        "is_paying_customer": false, "avatar_url": "", "meta_data": []
    })
}

/// `POST /customers`.
pub(crate) fn create(state: &mut State, call: &mut Call) -> Outcome {
    call.check("POST customers")?;
    let email = call.text("email").unwrap_or("").to_owned();
    if !is_email(&email) {
        let code = if call.unchecked {
            ("registration-error-invalid-email", "Please provide a valid email address.")
        } else {
            ("customer_invalid_email", "Invalid email address")
        };
        return Err(Refusal::new(400, code.0, code.1));
    }
    if !state.customers.with_key(&email.to_lowercase()).is_empty() {
        let message =
            format!("An account is already registered with {email}. Please log in or use a different email address.");
        return Err(Refusal::new(400, "registration-error-email-exists", message));
    }
    let name = call.text("username").filter(|name| !name.is_empty());
    if name.is_some_and(|name| state.customers.rows().any(|(_, row)| text(&row.value(), "username") == name)) {
        let message = "An account is already registered with that username. Please choose another.";
        return Err(Refusal::new(400, "registration-error-username-exists", message));
    }
    let mut customer = blank();
    let customer_id = state.new_user();
    customer["id"] = json!(customer_id);
    customer["email"] = json!(email);
    customer["username"] = json!(name.unwrap_or_else(|| email.split('@').next().unwrap_or("")));
    state.stamp(&mut customer, "date_created", call.now);
    fill(state, call, &mut customer);
    state.customers.put(customer_id, &customer);
    call.fire("customer", "created", customer_id);
    call.fire("customer", "updated", customer_id);
    let location = call.address(&format!("customers/{customer_id}"));
    Ok(Answer::created(list::project_one(show(customer, call), &call.query), location))
}

/// `PUT /customers/{id}`: the date moves with every one, also an empty one.
pub(crate) fn update(state: &mut State, call: &mut Call, customer_id: u64) -> Outcome {
    call.check("POST customers/{id}")?;
    let mut customer = state
        .customers
        .get(customer_id)
        .ok_or_else(|| Refusal::new(400, "woocommerce_rest_invalid_id", "Invalid resource ID."))?;
    if let Some(email) = call.text("email").map(str::to_owned) {
        let taken = state.customers.with_key(&email.to_lowercase()).iter().any(|other| *other != customer_id);
        if taken || !is_email(&email) {
            return Err(Refusal::new(400, "woocommerce_rest_customer_invalid_email", "Email address is invalid."));
        }
        customer["email"] = json!(email);
    }
    if call.text("username").is_some_and(|name| name != text(&customer, "username")) {
        return Err(Refusal::new(400, "woocommerce_rest_customer_invalid_argument", "Username isn't editable."));
    }
    fill(state, call, &mut customer);
    state.customers.put(customer_id, &customer);
    call.fire("customer", "updated", customer_id);
    Ok(Answer::ok(list::project_one(show(customer, call), &call.query)))
}

fn fill(state: &mut State, call: &Call, customer: &mut Value) {
    for name in ["first_name", "last_name"] {
        if let Some(value) = call.text(name) {
            customer[name] = json!(value);
        }
    }
    for address in ["billing", "shipping"] {
        for (name, value) in call.parameters.get(address).and_then(Value::as_object).into_iter().flatten() {
            if value.is_string() && customer[address].get(name).is_some() {
                customer[address][name] = value.clone();
            }
        }
    }
    if let Some(entries) = call.parameters.get("meta_data") {
        meta::merge(&mut customer["meta_data"], entries, &mut || state.new_meta());
    }
    state.stamp(customer, "date_modified", call.now);
}

/// `DELETE /customers/{id}`, which wants `force`; the orders stay, as a guest's.
pub(crate) fn delete(state: &mut State, call: &mut Call, customer_id: u64) -> Outcome {
    let customer = state
        .customers
        .get(customer_id)
        .ok_or_else(|| Refusal::new(400, "woocommerce_rest_invalid_id", "Invalid resource ID."))?;
    if !call.is_set("force") {
        return Err(Refusal::new(501, "woocommerce_rest_trash_not_supported", "Customers do not support trashing."));
    }
    state.customers.remove(customer_id);
    let owned: Vec<u64> =
        state.orders.rows().filter(|(_, row)| row.columns.owner == customer_id).map(|(id, _)| id).collect();
    for order_id in owned {
        if let Some(mut order) = state.orders.get(order_id) {
            order["customer_id"] = json!(0);
            state.orders.put(id(&order, "id"), &order);
        }
    }
    call.fire("customer", "deleted", customer_id);
    Ok(Answer::ok(show(customer, call)))
}
