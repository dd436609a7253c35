//! Webhooks of the shop: their records, and which of them an event concerns.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::call::{ALL_METHODS, Call, Event};
use super::list::{self, Defaults, Page};
use super::state::State;
use super::table::{id, text};

/// A webhook is disabled by the failure after this many in a row.
const FAILURES_MAX: u64 = 6;

/// What is to be sent to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) webhook: u64,
    pub(crate) url: String,
    pub(crate) topic: String,
    pub(crate) secret: String,
    /// Its ping has never been answered with 200, so that another follows the delivery.
    pub(crate) unanswered: bool,
    pub(crate) event: Event,
}

/// `GET /webhooks`.
pub(crate) fn list(state: &State, call: &Call) -> Outcome {
    call.check("GET webhooks")?;
    let wanted = call.text("status").filter(|status| *status != "all");
    let mut rows: Vec<Value> = state
        .webhooks
        .rows()
        .map(|(_, row)| row.value())
        .filter(|row| wanted.is_none_or(|status| text(row, "status") == status))
        .collect();
    if call.text("order") != Some("asc") {
        rows.reverse();
    }
    let page = Page::of(call);
    let total = rows.len();
    let shown = page.cut(&rows).iter().map(|row| show(row.clone(), call)).collect();
    list::answer(call, shown, total, page, &call.address("webhooks"), Defaults::None)
}

fn show(mut webhook: Value, call: &Call) -> Value {
    let links = call.links("webhooks", &webhook["id"], &ALL_METHODS);
    if let Value::Object(members) = &mut webhook {
        for hidden in ["failures", "answered", "_links"] {
            members.shift_remove(hidden);
        }
        members.insert("_links".to_owned(), links);
    }
    webhook
}

fn unknown() -> Refusal {
    Refusal::new(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
}

/// `GET /webhooks/{id}`.
pub(crate) fn get(state: &State, call: &Call, webhook_id: u64) -> Outcome {
    let webhook = state.webhooks.get(webhook_id).ok_or_else(unknown)?;
    Ok(Answer::ok(list::project_one(show(webhook, call), &call.query)))
}

/// `POST /webhooks`; the ping goes out at once.
pub(crate) fn create(state: &mut State, call: &mut Call) -> Outcome {
    call.check("POST webhooks")?;
    let topic = call.text("topic").unwrap_or("").to_owned();
    check_topic(&topic)?;
    let url = call.text("delivery_url").unwrap_or("").to_owned();
    check_url(&url)?;
    let webhook_id = state.webhooks.last_id() + 1;
    let default_name = format!("Webhook created on {}", call.now.strftime("%b %d, %Y @ %I:%M %p"));
    let (resource, event) = topic.split_once('.').unwrap_or((&topic, ""));
    let mut webhook = json!({
        "id": webhook_id,
        "name": call.text("name").filter(|name| !name.is_empty()).unwrap_or(&default_name),
        "status": call.text("status").unwrap_or("active"),
        "topic": topic, "resource": resource, "event": event, "hooks": hooks(resource, event),
        "delivery_url": url,
        "date_created": null, "date_created_gmt": null, "date_modified": null, "date_modified_gmt": null,
        "failures": 0, "answered": false
    });
    state.stamp(&mut webhook, "date_created", call.now);
    let secret = call
        .text("secret")
        .filter(|secret| !secret.is_empty())
        .map_or_else(|| format!("made-{webhook_id}-{}", call.now.as_second()), str::to_owned);
    state.webhook_secrets.insert(webhook_id, secret);
    state.webhooks.put(webhook_id, &webhook);
    call.fire("webhook", "ping", webhook_id);
    let location = call.address(&format!("webhooks/{webhook_id}"));
    Ok(Answer::created(show(webhook, call), location))
}

fn check_topic(topic: &str) -> Result<(), Refusal> {
    let good = match topic.split_once('.') {
        Some(("order" | "product" | "coupon" | "customer", event)) => {
            ["created", "updated", "deleted", "restored"].contains(&event)
        }
        Some(("action", hook)) => hook.starts_with("woocommerce_") || hook.starts_with("wc_"),
        _ => false,
    };
    if good {
        Ok(())
    } else {
        Err(Refusal::new(
            400,
            "woocommerce_rest_shop_webhook_invalid_topic",
            "Webhook topic is required and must be valid.",
        ))
    }
}

fn check_url(url: &str) -> Result<(), Refusal> {
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(());
    }
    let message = "Webhook delivery URL must be a valid URL starting with http:// or https://.";
    Err(Refusal::new(400, "woocommerce_rest_shop_webhook_invalid_delivery_url", message))
}

fn hooks(resource: &str, event: &str) -> Value {
    match (resource, event) {
        ("order", "created") => json!(["woocommerce_new_order"]),
        ("order", "updated") => json!(["woocommerce_update_order", "woocommerce_order_refunded"]),
        ("customer", "created") => json!(["user_register", "woocommerce_created_customer", "woocommerce_new_customer"]),
        (_, "deleted") => json!(["wp_trash_post"]),
        ("action", hook) => json!([hook]),
        (resource, event) => json!([format!("woocommerce_{event}_{resource}")]),
    }
}

/// `PUT /webhooks/{id}`; `status: active` revives a disabled one.
pub(crate) fn update(state: &mut State, call: &mut Call, webhook_id: u64) -> Outcome {
    call.check("POST webhooks/{id}")?;
    let mut webhook = state.webhooks.get(webhook_id).ok_or_else(unknown)?;
    if let Some(topic) = call.text("topic") {
        check_topic(topic)?;
        let (resource, event) = topic.split_once('.').unwrap_or((topic, ""));
        webhook["topic"] = json!(topic);
        webhook["resource"] = json!(resource);
        webhook["event"] = json!(event);
        webhook["hooks"] = hooks(resource, event);
    }
    if let Some(url) = call.text("delivery_url") {
        check_url(url)?;
        if url != text(&webhook, "delivery_url") {
            webhook["answered"] = json!(false);
            webhook["delivery_url"] = json!(url);
            call.fire("webhook", "ping", webhook_id);
        }
    }
    if let Some(status) = call.text("status").map(str::to_owned) {
        webhook["status"] = json!(status);
        webhook["failures"] = json!(0);
    }
    if let Some(name) = call.text("name") {
        webhook["name"] = json!(name);
    }
    if let Some(secret) = call.text("secret").map(str::to_owned) {
        state.webhook_secrets.insert(webhook_id, secret);
    }
    state.stamp(&mut webhook, "date_modified", call.now);
    state.webhooks.put(webhook_id, &webhook);
    Ok(Answer::ok(show(webhook, call)))
}

/// `DELETE /webhooks/{id}`, which wants `force`.
pub(crate) fn delete(state: &mut State, call: &mut Call, webhook_id: u64) -> Outcome {
    let webhook = state.webhooks.get(webhook_id).ok_or_else(unknown)?;
    if !call.is_set("force") {
        return Err(Refusal::new(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing."));
    }
    state.webhooks.remove(webhook_id);
    state.webhook_secrets.remove(&webhook_id);
    Ok(Answer::ok(show(webhook, call)))
}

/// What the events of a call send to whom.
pub(crate) fn deliveries(state: &State, events: &[Event]) -> Vec<Delivery> {
    let mut all = Vec::new();
    for event in events {
        let topic = format!("{}.{}", event.resource, event.what);
        for (webhook_id, row) in state.webhooks.rows() {
            let webhook = row.value();
            let ping = event.resource == "webhook" && event.id == webhook_id;
            if ping || text(&webhook, "status") == "active" && text(&webhook, "topic") == topic {
                all.push(Delivery {
                    webhook: webhook_id,
                    url: text(&webhook, "delivery_url").to_owned(),
                    topic: topic.clone(),
                    secret: state.webhook_secrets.get(&webhook_id).cloned().unwrap_or_default(),
                    unanswered: webhook["answered"] != json!(true),
                    event: event.clone(),
                });
            }
        }
    }
    all
}

/// Counts how a delivery went; too many failures in a row disable the webhook.
pub(crate) fn settle(state: &mut State, call: &Call, webhook_id: u64, delivered: bool) {
    let Some(mut webhook) = state.webhooks.get(webhook_id) else {
        return;
    };
    let failures = if delivered { 0 } else { id(&webhook, "failures") + 1 };
    webhook["failures"] = json!(failures);
    if failures > FAILURES_MAX {
        webhook["status"] = json!("disabled");
        state.stamp(&mut webhook, "date_modified", call.now);
    }
    state.webhooks.put(webhook_id, &webhook);
}

/// Notes that a ping was answered.
pub(crate) fn answered(state: &mut State, webhook_id: u64) {
    if let Some(mut webhook) = state.webhooks.get(webhook_id) {
        webhook["answered"] = json!(true);
        state.webhooks.put(webhook_id, &webhook);
    }
}
