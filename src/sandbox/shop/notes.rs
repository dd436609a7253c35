//! Notes of orders: not paged, never changed.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::call::Call;
use super::list;
use super::state::State;
use super::table::id;

/// `GET /orders/{id}/notes`, newest first, all at once.
pub(crate) fn list_of(state: &State, call: &Call, order_id: u64) -> Outcome {
    call.check("GET orders/{id}/notes")?;
    known(state, order_id)?;
    let wanted = call.text("type").unwrap_or("any");
    let rows = state.notes.rows().rev().filter(|(_, row)| row.columns.owner == order_id).map(|(_, row)| row.value());
    let fits = |note: &Value| match wanted {
        "customer" => note["customer_note"] == json!(true),
        "internal" => note["customer_note"] == json!(false),
        _ => true,
    };
    let rows: Vec<Value> = rows.filter(fits).map(|note| list::project_one(show(note, call), &call.query)).collect();
    Ok(Answer::ok(Value::Array(rows)))
}

fn known(state: &State, order_id: u64) -> Result<(), Refusal> {
    let unknown = || Refusal::new(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.");
    if state.orders.contains(order_id) { Ok(()) } else { Err(unknown()) }
}

fn owned(state: &State, order_id: u64, note_id: u64) -> Result<Value, Refusal> {
    known(state, order_id)?;
    let note = state.notes.get(note_id).filter(|note| id(note, "parent_id") == order_id);
    note.ok_or_else(|| Refusal::new(404, "woocommerce_rest_invalid_id", "Invalid resource ID."))
}

/// `GET /orders/{id}/notes/{id}`.
pub(crate) fn get(state: &State, call: &Call, order_id: u64, note_id: u64) -> Outcome {
    Ok(Answer::ok(list::project_one(show(owned(state, order_id, note_id)?, call), &call.query)))
}

/// `POST /orders/{id}/notes`. The order does not count as modified, and no webhook fires.
pub(crate) fn create(state: &mut State, call: &mut Call, order_id: u64) -> Outcome {
    call.check("POST orders/{id}/notes")?;
    known(state, order_id)?;
    let text = call.text("note").unwrap_or("").to_owned();
    let mut note = blank(state, call, order_id, &safe(&text));
    note["customer_note"] = json!(call.is_set("customer_note"));
    if call.is_set("added_by_user") {
        note["author"] = json!("admin");
    }
    let note_id = id(&note, "id");
    state.notes.put(note_id, &note);
    let location = call.address(&format!("orders/{order_id}/notes/{note_id}"));
    Ok(Answer::created(show(note, call), location))
}

/// A lone `&` is stored as an entity; tags stay.
fn safe(text: &str) -> String {
    text.replace("& ", "&amp; ")
}

/// A note that the shop itself writes.
pub(crate) fn add(state: &mut State, call: &Call, order_id: u64, text: &str) {
    let note = blank(state, call, order_id, text);
    state.notes.put(id(&note, "id"), &note);
}

fn blank(state: &mut State, call: &Call, order_id: u64, text: &str) -> Value {
    let mut note = json!({
        "id": state.new_note(), "parent_id": order_id, "author": "WooCommerce", "date_created": null, "date_created_gmt": null,
        "note": text, "customer_note": false
    });
    state.stamp(&mut note, "date_created", call.now);
    note
}

/// `DELETE /orders/{id}/notes/{id}`, which wants `force`.
pub(crate) fn delete(state: &mut State, call: &Call, order_id: u64, note_id: u64) -> Outcome {
    let note = owned(state, order_id, note_id)?;
    if !call.is_set("force") {
        return Err(Refusal::new(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing."));
    }
    state.notes.remove(note_id);
    Ok(Answer::ok(show(note, call)))
}

fn show(mut note: Value, call: &Call) -> Value {
    let order_id = id(&note, "parent_id");
    let mut links = call.links(&format!("orders/{order_id}/notes"), &note["id"], &["GET", "DELETE"]);
    links["up"] = json!([{"href": call.address(&format!("orders/{order_id}"))}]);
    if let Value::Object(members) = &mut note {
        members.shift_remove("parent_id");
        members.shift_remove("_links");
        members.insert("_links".to_owned(), links);
    }
    note
}
