//! Checks parameters against the argument lists that the recorded shop itself publishes (`arguments.json`, from `OPTIONS`).

use std::sync::OnceLock;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::answer::Refusal;
use super::query::Parameters;

/// Argument lists by `METHOD route`; members that are read-only are left out: the shop ignores them.
fn lists() -> &'static Map<String, Value> {
    static LISTS: OnceLock<Map<String, Value>> = OnceLock::new();
    LISTS.get_or_init(|| {
        serde_json::from_str(include_str!("arguments.json")).expect("the embedded argument lists are JSON")
    })
}

/// What is wrong with one parameter, as WordPress words it.
struct Wrong {
    code: &'static str,
    message: String,
    data: Value,
}

impl Wrong {
    fn kind(name: &str, kind: &str) -> Self {
        Wrong {
            code: "rest_invalid_type",
            message: format!("{name} is not of type {kind}."),
            data: json!({"param": name}),
        }
    }

    fn plain(code: &'static str, message: String) -> Self {
        Wrong { code, message, data: Value::Null }
    }
}

/// Refuses parameters that the endpoint's list does not allow; names that it does not know pass.
///
/// # Errors
/// `rest_missing_callback_param` for what is mandatory, else `rest_invalid_param` with a sentence a parameter.
pub(crate) fn check(endpoint: &str, parameters: &Parameters, cap: Option<u64>) -> Result<(), Refusal> {
    let Some(list) = lists().get(endpoint) else {
        return Ok(());
    };
    if let Some(required) = list.get("required").and_then(Value::as_array) {
        let missing: Vec<&str> = required
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| parameters.get(*name).is_none_or(Value::is_null))
            .collect();
        if !missing.is_empty() {
            return Err(Refusal::missing(&missing));
        }
    }
    let mut names = Vec::new();
    let (mut sentences, mut details) = (Map::new(), Map::new());
    for (name, schema) in list.get("args").and_then(Value::as_object).into_iter().flatten() {
        let Some(value) = parameters.get(name).filter(|value| !value.is_null()) else {
            continue;
        };
        let wrong = if name == "per_page" {
            validate(name, value, &capped(schema, cap))
        } else {
            validate(name, value, schema)
        };
        if let Err(wrong) = wrong {
            names.push(name.as_str());
            sentences.insert(name.clone(), json!(wrong.message));
            details.insert(name.clone(), json!({"code": wrong.code, "message": wrong.message, "data": wrong.data}));
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(400, "rest_invalid_param", format!("Invalid parameter(s): {}", names.join(", ")))
        .with("params", Value::Object(sentences))
        .with("details", Value::Object(details)))
}

/// `per_page` as a plugin has lowered it.
fn capped(schema: &Value, cap: Option<u64>) -> Value {
    let mut schema = schema.clone();
    if let Some(cap) = cap {
        schema["maximum"] = json!(cap);
    }
    schema
}

/// What an endpoint tells of its arguments; none where the route does not know the method.
pub(crate) fn told(endpoint: &str, cap: Option<u64>) -> Option<Value> {
    let mut args = lists().get(endpoint)?.get("args")?.clone();
    if let Some(rows) = args.get_mut("per_page") {
        *rows = capped(rows, cap);
    }
    Some(args)
}

fn validate(name: &str, value: &Value, schema: &Value) -> Result<(), Wrong> {
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind.as_str()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let Some(kind) = kinds.iter().find(|kind| is_of(value, kind)) else {
        let named = if kinds.len() > 1 { kinds.join(",") } else { kinds.concat() };
        return Err(Wrong::kind(name, &named));
    };
    match *kind {
        "array" => {
            let items = list_of(value);
            for (at, item) in items.iter().enumerate() {
                validate(&format!("{name}[{at}]"), item, schema.get("items").unwrap_or(&Value::Null))?;
            }
        }
        "object" => {
            for (property, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if let Some(value) = value.get(property) {
                    validate(&format!("{name}[{property}]"), value, schema)?;
                }
            }
        }
        _ => {}
    }
    among(name, value, schema)?;
    formatted(value, schema)?;
    bounded(name, value, schema)
}

/// WordPress's idea of types: texts of digits are integers, a text with commas is an array, `"1"` is true.
fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "integer" => integer(value).is_some(),
        "number" => number(value).is_some(),
        "boolean" => flag(value).is_some(),
        "string" => value.is_string(),
        "array" => {
            matches!(value, Value::Array(_) | Value::String(_) | Value::Number(_) | Value::Bool(_)) || sequential(value)
        }
        "object" => value.is_object() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty),
        "null" => value.is_null(),
        _ => true,
    }
}

fn sequential(value: &Value) -> bool {
    value.as_object().is_some_and(|members| members.keys().enumerate().all(|(at, key)| key.parse() == Ok(at)))
}

fn among(name: &str, value: &Value, schema: &Value) -> Result<(), Wrong> {
    let Some(allowed) = schema.get("enum").and_then(Value::as_array) else {
        return Ok(());
    };
    let same = |one: &Value| one == value || integer(one).is_some() && integer(one) == integer(value);
    if allowed.iter().any(same) {
        return Ok(());
    }
    let words: Vec<String> =
        allowed.iter().map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned)).collect();
    let list = match words.as_slice() {
        [one] => {
            return Err(Wrong::plain("rest_not_in_enum", format!("{name} is not {one}.")));
        }
        [one, two] => format!("{one} and {two}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
        [] => String::new(),
    };
    Err(Wrong::plain("rest_not_in_enum", format!("{name} is not one of {list}.")))
}

fn formatted(value: &Value, schema: &Value) -> Result<(), Wrong> {
    let Some(text) = value.as_str() else {
        return Ok(());
    };
    match schema.get("format").and_then(Value::as_str) {
        Some("email") if !is_email(text) => {
            Err(Wrong::plain("rest_invalid_email", "Invalid email address.".to_owned()))
        }
        Some("date-time") if super::dates::parse(text).is_none() => {
            Err(Wrong::plain("rest_invalid_date", "Invalid date.".to_owned()))
        }
        _ => Ok(()),
    }
}

fn bounded(name: &str, value: &Value, schema: &Value) -> Result<(), Wrong> {
    let Some(value) = number(value).filter(|_| !value.is_string() || schema.get("type") != Some(&json!("string")))
    else {
        return Ok(());
    };
    let (low, high) = (schema.get("minimum").and_then(number), schema.get("maximum").and_then(number));
    let message = match (low, high) {
        (Some(low), Some(high)) if value < low || value > high => {
            format!("{name} must be between {low} (inclusive) and {high} (inclusive)")
        }
        (Some(low), None) if value < low => {
            format!("{name} must be greater than or equal to {low}")
        }
        (None, Some(high)) if value > high => {
            format!("{name} must be less than or equal to {high}")
        }
        _ => return Ok(()),
    };
    Err(Wrong::plain("rest_out_of_bounds", message))
}

/// WordPress's `is_email`, as far as it matters here.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let good_local =
        !local.is_empty() && local.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
    let labels: Vec<&str> = domain.split('.').collect();
    let good_label = |label: &&str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    good_local && labels.len() >= 2 && labels.iter().all(good_label)
}

/// A whole number, also from a text of digits.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    let number = number(value)?;
    if !number.fract().is_zero() {
        return None;
    }
    number.normalize().to_string().parse().ok()
}

/// A number, also from a text.
pub(crate) fn number(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
}

/// A truth value, also from `"true"`, `"0"` and the like.
pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" | "" => Some(false),
            _ => None,
        },
        Value::Number(_) => integer(value).filter(|number| (0..=1).contains(number)).map(|number| number == 1),
        _ => None,
    }
}

/// The items of an array argument: a list, PHP's array, or a text with commas or blanks between.
pub(crate) fn list_of(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Object(members) => members.values().cloned().collect(),
        Value::String(text) => text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|part| !part.is_empty())
            .map(|part| json!(part))
            .collect(),
        Value::Null => Vec::new(),
        other => vec![other.clone()],
    }
}

/// An array argument that names ids.
pub(crate) fn ids_of(parameters: &Parameters, name: &str) -> Vec<u64> {
    let items = parameters.get(name).map(list_of).unwrap_or_default();
    items.iter().filter_map(integer).filter_map(|id| u64::try_from(id).ok()).collect()
}

/// An array argument that names texts.
pub(crate) fn texts_of(parameters: &Parameters, name: &str) -> Vec<String> {
    let items = parameters.get(name).map(list_of).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::query::Parameters;
    use super::{check, is_email};

    fn refused(endpoint: &str, value: &serde_json::Value) -> serde_json::Value {
        let parameters: Parameters = value.as_object().unwrap().clone();
        check(endpoint, &parameters, None).err().map_or(json!(null), |refusal| refusal.body())
    }

    #[test]
    fn refusals_are_worded_as_recorded() {
        let page = refused("GET orders", &json!({"page": "0"}));
        assert_eq!(page["data"]["params"]["page"], "page must be greater than or equal to 1");
        let rows = refused("GET orders", &json!({"per_page": "101"}));
        assert_eq!(
            rows["data"]["details"]["per_page"]["message"],
            "per_page must be between 1 (inclusive) and 100 (inclusive)"
        );
        let text = refused("GET orders", &json!({"dp": "x"}));
        assert_eq!(
            text["data"]["details"]["dp"],
            json!({"code": "rest_invalid_type", "message": "dp is not of type integer.", "data": {"param": "dp"}})
        );
        let status = refused("GET orders", &json!({"status": "pending,wc-x"}));
        assert!(
            status["data"]["params"]["status"].as_str().unwrap().starts_with("status[1] is not one of any, trash,")
        );
        let lines = refused("POST orders", &json!({"line_items": [{"quantity": 1.5}]}));
        assert_eq!(lines["data"]["params"]["line_items"], "line_items[0][quantity] is not of type integer.");
        let email = refused("POST orders", &json!({"billing": {"email": ""}}));
        assert_eq!(email["data"]["params"]["billing"], "Invalid email address.");
        assert_eq!(refused("POST orders", &json!({"foo": 1, "billing": {"bar": 2}})), json!(null));
        assert_eq!(refused("POST customers", &json!({"first_name": "x"}))["data"]["params"], json!(["email"]));
    }

    #[test]
    fn addresses() {
        assert!(is_email("dev.1+x@example.com") && !is_email("x") && !is_email("a@b") && !is_email("a b@example.com"));
    }
}
