//! Webhooks of both systems go out, signed: the shop's once, the ledger's again where they are not taken.

use std::time::Duration;

use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use tokio::sync::mpsc::UnboundedReceiver;

use super::ledger::{Event, Ledger};
use super::shop::{Delivery, Shop, sign_body};

/// Changes of one record within this time make one delivery: the shop's queue needs its moment too.
const GATHER: Duration = Duration::from_millis(150);
/// Patience with a receiver. The real shop has 60 s; a test should not need them.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Patience with one that is pinged: who makes the webhook waits for it.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// The topic of a ping, which no webhook has.
pub(crate) const PING: &str = "webhook.ping";
/// What the shop calls itself.
const AGENT: &str = "WooCommerce/11.0.1 Hookshot (WordPress/7.1)";

/// How long after subscribing the ledger calls the address to see that somebody is there.
const VALIDATE_AFTER: Duration = Duration::from_secs(1);

/// Pauses before each try of one of the ledger's notifications.
const RETRIES: [Duration; 3] = [Duration::from_millis(100), Duration::from_secs(2), Duration::from_secs(8)];

/// A client that follows no redirect and repeats nothing.
pub(crate) fn client() -> Result<Client, String> {
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(TIMEOUT).no_proxy();
    builder.build().map_err(|error| format!("the sandbox cannot make an HTTP client for webhooks: {error}"))
}

/// Sends what the shop's webhooks have to say, until the shop is gone.
pub(crate) async fn run(shop: Shop, client: Client, base: String, mut inbox: UnboundedReceiver<Delivery>) {
    while let Some(first) = inbox.recv().await {
        tokio::time::sleep(GATHER).await;
        let mut waiting = vec![first];
        while let Ok(next) = inbox.try_recv() {
            if !waiting.contains(&next) {
                waiting.push(next);
            }
        }
        for delivery in waiting {
            let (shop, client, base) = (shop.clone(), client.clone(), base.clone());
            tokio::spawn(async move { deliver(&shop, &client, &base, &delivery).await });
        }
    }
}

async fn deliver(shop: &Shop, client: &Client, base: &str, delivery: &Delivery) {
    if delivery.topic != PING {
        let body = shop.webhook_body(delivery, base);
        let (resource, event) = delivery.topic.split_once('.').unwrap_or((&delivery.topic, ""));
        let request = client
            .post(&delivery.url)
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, "application/json")
            .header("X-WC-Webhook-Source", format!("{base}/"))
            .header("X-WC-Webhook-Topic", &delivery.topic)
            .header("X-WC-Webhook-Resource", resource)
            .header("X-WC-Webhook-Event", event)
            .header("X-WC-Webhook-Signature", sign_body(&delivery.secret, &body))
            .header("X-WC-Webhook-ID", delivery.webhook.to_string())
            // Not unique in the real shop either: webhook and second.
            .header(
                "X-WC-Webhook-Delivery-ID",
                format!("{:016x}{:016x}", delivery.webhook, jiff::Timestamp::now().as_second()),
            )
            .body(body);
        let answered = request.send().await;
        let well = answered.is_ok_and(|response| (200..=302).contains(&response.status().as_u16()));
        shop.delivered(delivery.webhook, well);
        if !delivery.unanswered {
            return;
        }
    }
    ping(shop, client, delivery).await;
}

/// Calls a webhook's address to see that somebody is there: a form, unsigned, without the headers of a delivery.
pub(crate) async fn ping(shop: &Shop, client: &Client, delivery: &Delivery) {
    let ping = client
        .post(&delivery.url)
        .header(USER_AGENT, AGENT)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .timeout(PING_TIMEOUT)
        .body(format!("webhook_id={}", delivery.webhook));
    if ping.send().await.is_ok_and(|response| response.status().as_u16() == 200) {
        shop.ping_answered(delivery.webhook);
    }
}

/// Sends the ledger's notifications, and calls new subscribers once, until the ledger is gone.
pub(crate) async fn run_ledger(ledger: Ledger, client: Client, mut inbox: UnboundedReceiver<Event>) {
    while let Some(event) = inbox.recv().await {
        let (ledger, client) = (ledger.clone(), client.clone());
        tokio::spawn(async move {
            match event {
                Event::Changed(change) => {
                    for delivery in ledger.deliveries(&change) {
                        notify(&client, &delivery.url, &delivery.body).await;
                    }
                }
                Event::Subscribed { subscription, url } => {
                    tokio::time::sleep(VALIDATE_AFTER).await;
                    let answered = client.post(&url).header(CONTENT_TYPE, "application/json").body("").send().await;
                    if !answered.is_ok_and(|response| response.status().as_u16() == 200) {
                        ledger.drop_subscription(subscription);
                    }
                }
            }
        });
    }
}

/// Sends one notification, and again where it is not taken. How often and when the real service tries again is unknown.
async fn notify(client: &Client, url: &str, body: &str) {
    for pause in RETRIES {
        tokio::time::sleep(pause).await;
        let request = client.post(url).header(CONTENT_TYPE, "application/json").body(body.to_owned());
        if request.send().await.is_ok_and(|response| response.status().is_success()) {
            return;
        }
    }
}
