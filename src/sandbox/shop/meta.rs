//! `meta_data`: how entries that a client sends replace, add and delete those that are there.

use serde_json::{Value, json};

use super::arguments::integer;
use super::table::{id, text};

/// Keys of an order's own properties, which the shop does not keep as meta.
const OWN_KEYS: [&str; 14] = [
    "_customer_user",
    "_order_total",
    "_cart_tax",
    "_order_tax",
    "_order_shipping",
    "_order_shipping_tax",
    "_order_currency",
    "_order_key",
    "_prices_include_tax",
    "_cart_discount",
    "_payment_method",
    "_payment_method_title",
    "_transaction_id",
    "_date_paid",
];

/// Merges sent entries: by id, else by key; null deletes; the order of answers is by key.
pub(crate) fn merge(held: &mut Value, sent: &Value, new_id: &mut dyn FnMut() -> u64) {
    let Some(sent) = sent.as_array() else { return };
    if !held.is_array() {
        *held = json!([]);
    }
    let Some(entries) = held.as_array_mut() else {
        return;
    };
    for entry in sent {
        let key = text(entry, "key");
        if OWN_KEYS.contains(&key) || key == "_billing_email" {
            continue;
        }
        let sent_id = entry.get("id").and_then(integer).and_then(|id| u64::try_from(id).ok());
        let by_id = sent_id.and_then(|sent_id| entries.iter().position(|held| id(held, "id") == sent_id));
        let at = by_id.or_else(|| entries.iter().position(|held| !key.is_empty() && text(held, "key") == key));
        let value = as_kept(&entry["value"]);
        match (at, value) {
            (Some(at), None) => {
                entries.remove(at);
            }
            (Some(at), Some(value)) => {
                entries[at]["value"] = value;
                if !key.is_empty() {
                    entries[at]["key"] = json!(key);
                }
            }
            (None, Some(value)) if !key.is_empty() => {
                entries.push(json!({"id": new_id(), "key": key, "value": value}));
            }
            (None, _) => {}
        }
    }
    entries.sort_by(|a, b| text(a, "key").cmp(text(b, "key")));
}

/// The e-mail that an entry of this key writes to the billing address, where it is not kept as meta.
pub(crate) fn billing_email(sent: &Value) -> Option<&str> {
    let entries = sent.as_array()?;
    entries.iter().rev().find(|entry| text(entry, "key") == "_billing_email")?.get("value")?.as_str()
}

/// A meta value as it is kept: numbers and true become text, false becomes nothing, null deletes.
fn as_kept(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Bool(true) => Some(json!("1")),
        Value::Bool(false) => Some(json!("")),
        Value::Number(number) => Some(json!(number.to_string())),
        other => Some(other.clone()),
    }
}

/// Merges meta of a line, whose entries also show how they are displayed.
pub(crate) fn merge_line(held: &mut Value, sent: &Value, new_id: &mut dyn FnMut() -> u64) {
    merge(held, sent, new_id);
    for entry in held.as_array_mut().into_iter().flatten() {
        let (key, value) = (entry["key"].clone(), entry["value"].clone());
        entry["display_key"] = key;
        entry["display_value"] = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(held: &Value, sent: &Value) -> Value {
        let (mut held, mut next) = (held.clone(), 900);
        merge(&mut held, sent, &mut || {
            next += 1;
            next
        });
        held
    }

    #[test]
    fn entries_merge_as_recorded() {
        let held = json!([{"id": 1, "key": "k1", "value": "a"}, {"id": 2, "key": "k2", "value": "b"}]);
        assert_eq!(
            after(&held, &json!([{"key": "k1", "value": "a2"}]))[0],
            json!({"id": 1, "key": "k1", "value": "a2"})
        );
        assert_eq!(
            after(&held, &json!([{"id": 1, "key": "k1x", "value": 5}]))[0],
            json!({"id": 1, "key": "k1x", "value": "5"})
        );
        assert_eq!(after(&held, &json!([{"key": "k2", "value": null}])), json!([{"id": 1, "key": "k1", "value": "a"}]));
        assert_eq!(after(&held, &json!([])), held);
        let twice = after(&json!([]), &json!([{"key": "d", "value": "1"}, {"key": "d", "value": "2"}]));
        assert_eq!(twice, json!([{"id": 901, "key": "d", "value": "2"}]));
        assert_eq!(after(&held, &json!([{"id": 99, "key": "new", "value": true}]))[2]["value"], "1");
    }
}
