//! Notifications: what is told to whom when something changed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::cell::Cell;
use super::state::State;
use super::{Action, Change};

/// A notification that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The subscription that asked for it.
    pub subscription: Uuid,
    /// Where it is to be posted.
    pub url: String,
    /// The body, exactly these bytes.
    pub body: String,
}

/// The notifications of one change, one a subscription to its topic.
pub(super) fn deliveries(state: &State, change: &Change, base: &str, secret: &str) -> Vec<Delivery> {
    let topic = Cell::text(change.topic);
    let subscriptions = state.having("webhooks/WebhookSubscriptions", "Topic", &topic);
    let when = Cell::Time(state.now).to_plain();
    let when = when.as_str().unwrap_or_default().to_owned();
    subscriptions
        .map(|subscription| Delivery {
            subscription: subscription.key_guid(),
            url: subscription.text("CallbackURL").unwrap_or_default().to_owned(),
            body: body(state, change, base, secret, &when),
        })
        .collect()
}

fn body(state: &State, change: &Change, base: &str, secret: &str, when: &str) -> String {
    let action = match change.action {
        Action::Create => "Create",
        Action::Update => "Update",
        Action::Delete => "Delete",
    };
    let (topic, client, division, key) = (change.topic, state.client, state.division, change.key);
    let entity = change.entity;
    let content = format!(
        r#"{{"Topic":"{topic}","ClientId":"{{{client}}}","Division":{division},"Action":"{action}","Key":"{key}","ExactOnlineEndpoint":"{base}/api/v1/{division}/{entity}(guid'{key}')","EventCreatedOn":"{when}"}}"#
    );
    let code = hash(secret, &content);
    format!(r#"{{"Content":{content},"HashCode":"{code}"}}"#)
}

/// Upper-case hexadecimal HMAC-SHA256 of the content's bytes.
pub(super) fn hash(secret: &str, content: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(content.as_bytes());
    mac.finalize().into_bytes().iter().fold(String::new(), |text, byte| format!("{text}{byte:02X}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_is_the_recorded_one() {
        let content = r#"{"Topic":"Accounts","ClientId":"6f0b1c2d-0000-4000-8000-000000000001","Division":1234567,"Action":"Update","Key":"7c1d1f0e-3a52-4a5e-9d0b-0c5b3f1a1001","ExactOnlineEndpoint":"https://start.exactonline.nl/api/v1/1234567/crm/Accounts(guid'7c1d1f0e-3a52-4a5e-9d0b-0c5b3f1a1001')","EventCreatedOn":"2026-01-02T10:11:12.130"}"#;
        let code = "1A34E604CE93D67846D86810807698CEEBC8EDAA00D3102F419D6CC5F2E1BB09";
        assert_eq!(super::hash("whsec-example", content), code);
    }
}
