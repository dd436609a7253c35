//! Answers as Atom: what a caller gets who did not ask for JSON.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// What the content type of such an answer says.
pub(super) const CONTENT_TYPE: &str = "application/atom+xml; charset=utf-8";

const NAMESPACES: &str = r#"xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata""#;

/// An answer in OData's verbose JSON as a feed, or as an entry where it is one record.
pub(super) fn document(answer: &Value) -> String {
    let inner = &answer["d"];
    let rows = inner.as_array().or_else(|| inner["results"].as_array());
    let root = match (rows, inner.as_object()) {
        (None, Some(record)) => entry(record, &format!(" {NAMESPACES}")),
        (rows, _) => {
            let records = rows.into_iter().flatten().filter_map(Value::as_object);
            let entries: Vec<_> = records.map(|record| entry(record, "")).collect();
            let next = inner["__next"].as_str().map(|next| format!(r#"<link rel="next" href="{}"/>"#, escaped(next)));
            format!("<feed {NAMESPACES}>{}{}</feed>", entries.concat(), next.unwrap_or_default())
        }
    };
    format!(r#"<?xml version="1.0" encoding="utf-8"?>{root}"#)
}

fn entry(record: &Map<String, Value>, attributes: &str) -> String {
    let about = |name: &str| {
        let about = record.get("__metadata").and_then(|about| about[name].as_str());
        escaped(about.unwrap_or_default())
    };
    let links = record.iter().filter_map(|(name, value)| {
        let address = value["__deferred"]["uri"].as_str()?;
        Some(format!(r#"<link rel="related" title="{name}" href="{}"/>"#, escaped(address)))
    });
    let properties = record.iter().filter_map(|(name, value)| match value {
        Value::Null => Some(format!(r#"<d:{name} m:null="true"/>"#)),
        Value::String(said) => Some(format!("<d:{name}>{}</d:{name}>", escaped(&dated(said)))),
        Value::Bool(_) | Value::Number(_) => Some(format!("<d:{name}>{value}</d:{name}>")),
        // Navigations are links, and `__metadata` is said above.
        Value::Array(_) | Value::Object(_) => None,
    });
    let (links, properties) = (links.collect::<Vec<_>>().concat(), properties.collect::<Vec<_>>().concat());
    let head = format!(r#"<id>{}</id><category term="{}"/>{links}"#, about("uri"), about("type"));
    let content = format!(r#"<content type="application/xml"><m:properties>{properties}</m:properties></content>"#);
    format!("<entry{attributes}>{head}{content}</entry>")
}

/// Only JSON writes a time as `/Date(ms)/`.
fn dated(said: &str) -> String {
    let milliseconds = said.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/"));
    let time = milliseconds.and_then(|text| text.parse().ok()).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| said.to_owned(), |time| time.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_are_entries() {
        let row = json!({"__metadata": {"uri": "u", "type": "t"}, "ID": "a<b", "On": "/Date(1767312000000)/", "No": null, "N": 1.5,
            "Lines": {"__deferred": {"uri": "l"}}});
        let feed = document(&json!({"d": {"results": [row.clone()], "__next": "n?a&b"}}));
        for part in [
            "<feed ",
            "<d:ID>a&lt;b</d:ID>",
            "<d:On>2026-01-02T00:00:00</d:On>",
            r#"<d:No m:null="true"/>"#,
            "<d:N>1.5</d:N>",
            r#"title="Lines" href="l""#,
            r#"<link rel="next" href="n?a&amp;b"/></feed>"#,
        ] {
            assert!(feed.contains(part), "{part} in {feed}");
        }
        assert!(document(&json!({"d": row})).contains("?><entry xmlns="));
    }
}
