//! Query strings and form bodies as PHP reads them: `a[]=1`, `a[0]=1` and `a[key]=1` make arrays, the last of equals wins.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Parameters in the order of their first appearance.
pub(crate) type Parameters = Map<String, Value>;

/// Reads `a=1&b[]=2` as PHP does; arrays become objects whose keys are PHP's.
pub(crate) fn parse(text: &str) -> Parameters {
    let mut parameters = Parameters::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        let Some((first, rest)) = name.split_once('[') else {
            parameters.insert(name, Value::String(value));
            continue;
        };
        let keys: Vec<&str> = rest.split('[').map(|key| key.trim_end_matches(']')).collect();
        let slot = parameters.entry(first.to_owned()).or_insert_with(|| Value::Object(Map::new()));
        place(slot, &keys, value);
    }
    parameters
}

fn place(slot: &mut Value, keys: &[&str], value: String) {
    let Some((key, rest)) = keys.split_first() else {
        *slot = Value::String(value);
        return;
    };
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    if let Value::Object(members) = slot {
        let key = if key.is_empty() { members.len().to_string() } else { (*key).to_owned() };
        place(members.entry(key).or_insert(Value::Null), rest, value);
    }
}

/// Decodes one name or value of a query string: plus is a blank, bytes that are no UTF-8 are replaced.
fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// An array of PHP whose keys are 0, 1, 2 … as a JSON list, other values unchanged.
pub(crate) fn listed(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let sequential = members.keys().enumerate().all(|(at, key)| key.parse() == Ok(at));
            if sequential {
                Value::Array(members.into_iter().map(|(_, value)| listed(value)).collect())
            } else {
                Value::Object(members.into_iter().map(|(key, value)| (key, listed(value))).collect())
            }
        }
        other => other,
    }
}

/// PHP's `http_build_query`: what the `Link` header of a list holds.
pub(crate) fn build(parameters: &Parameters) -> String {
    let mut pairs = Vec::new();
    for (name, value) in parameters {
        build_into(&encode(name), value, &mut pairs);
    }
    pairs.join("&")
}

fn build_into(name: &str, value: &Value, pairs: &mut Vec<String>) {
    match value {
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                build_into(&format!("{name}%5B{at}%5D"), value, pairs);
            }
        }
        Value::Object(members) => {
            for (key, value) in members {
                build_into(&format!("{name}%5B{}%5D", encode(key)), value, pairs);
            }
        }
        Value::Null => {}
        Value::Bool(flag) => pairs.push(format!("{name}={}", u8::from(*flag))),
        Value::String(text) => pairs.push(format!("{name}={}", encode(text))),
        Value::Number(number) => pairs.push(format!("{name}={number}")),
    }
}

/// RFC 3986's unreserved letters stay, all else is escaped: the encoding of OAuth 1.0a.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(
                    char::from_digit(u32::from(nibble), 16).expect("four bits are one digit").to_ascii_uppercase(),
                );
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{build, listed, parse};

    #[test]
    fn arrays_are_those_of_php() {
        let read = parse("status[]=a&status[]=b&q=x+y%2Fz&n[k][l]=1&q2");
        assert_eq!(
            json!(read),
            json!({"status": {"0": "a", "1": "b"}, "q": "x y/z", "n": {"k": {"l": "1"}}, "q2": ""})
        );
        assert_eq!(listed(read["status"].clone()), json!(["a", "b"]));
        assert_eq!(build(&read), "status%5B0%5D=a&status%5B1%5D=b&q=x%20y%2Fz&n%5Bk%5D%5Bl%5D=1&q2=");
    }
}
