//! Whether two contestants make the same documents: members in any order, numbers by their value.

use super::Contestant;
use rust_decimal::Decimal;
use serde_json::Value;
use std::fmt;

/// How many documents agree.
#[derive(Default)]
pub struct Equal {
    equal: usize,
    different: usize,
    refused_by_both: usize,
    /// One made a document where the other refused.
    refused_by_one: usize,
    first_difference: Option<String>,
}

impl Equal {
    /// Nothing differs.
    pub fn all(&self) -> bool {
        self.different == 0 && self.refused_by_one == 0
    }
}

impl fmt::Display for Equal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { equal, different, refused_by_both, refused_by_one, first_difference } = self;
        write!(f, "{equal} equal, {different} different, {refused_by_both} refused by both")?;
        if *refused_by_one > 0 {
            write!(f, ", {refused_by_one} by one only")?;
        }
        first_difference.as_ref().map_or(Ok(()), |first| write!(f, "; first: {first}"))
    }
}

/// Maps every order twice and compares.
pub fn compare<'a>(
    reference: &mut dyn Contestant,
    other: &mut dyn Contestant,
    orders: impl Iterator<Item = &'a str>,
) -> Result<Equal, String> {
    let mut result = Equal::default();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for order in orders {
        a.clear();
        b.clear();
        match (reference.map(order, &mut a)?, other.map(order, &mut b)?) {
            (false, false) => result.refused_by_both += 1,
            (true, true) => {
                let parse = |json: &[u8]| serde_json::from_slice::<Value>(json).map_err(|e| e.to_string());
                match difference(&parse(&a)?, &parse(&b)?) {
                    None => result.equal += 1,
                    Some(first) => {
                        result.different += 1;
                        result.first_difference.get_or_insert(first);
                    }
                }
            }
            _ => {
                result.refused_by_one += 1;
                let texts = [String::from_utf8_lossy(&a), String::from_utf8_lossy(&b)];
                result.first_difference.get_or_insert_with(|| texts.concat().chars().take(200).collect());
            }
        }
    }
    Ok(result)
}

/// Where two documents differ first.
fn difference(a: &Value, b: &Value) -> Option<String> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let missing = x.keys().chain(y.keys()).find(|name| !x.contains_key(*name) || !y.contains_key(*name));
            if let Some(name) = missing {
                return Some(format!("{name} in one only"));
            }
            x.iter().find_map(|(name, value)| difference(value, y.get(name)?).map(|below| format!("{name}.{below}")))
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => x.iter().zip(y).find_map(|(x, y)| difference(x, y)),
        (Value::Number(x), Value::Number(y)) if number(x).is_some() && number(x) == number(y) => None,
        _ if a == b => None,
        _ => Some(format!(" {a} and {b}")),
    }
}

fn number(n: &serde_json::Number) -> Option<Decimal> {
    let text = n.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}
