//! The same task in VRL (`task.vrl`), a compiled language for events: JSON in, the program, JSON out.

use super::Contestant;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use vrl::compiler::runtime::{Runtime, Terminate};
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{Program, TargetValue, TimeZone};
use vrl::value::{Secrets, Value};

/// The compiled program and its runtime.
pub struct Vrl {
    program: Program,
    runtime: Runtime,
    zone: TimeZone,
}

impl Vrl {
    /// The program, compiled.
    pub fn new() -> Result<Self, String> {
        let functions = vrl::stdlib::all();
        let compiled = vrl::compiler::compile(include_str!("task.vrl"), &functions)
            .map_err(|problems| vrl::diagnostic::Formatter::new(include_str!("task.vrl"), problems).to_string())?;
        let runtime = Runtime::new(RuntimeState::default());
        Ok(Self { program: compiled.program, runtime, zone: TimeZone::parse("UTC").ok_or("there is no UTC")? })
    }
}

impl Contestant for Vrl {
    fn map(&mut self, order: &str, out: &mut Vec<u8>) -> Result<bool, String> {
        let Parsed(value) = serde_json::from_str(order).map_err(|e| e.to_string())?;
        let mut target = TargetValue {
            value,
            metadata: Value::Object(std::collections::BTreeMap::new()),
            secrets: Secrets::default(),
        };
        let result = self.runtime.resolve(&mut target, &self.program, &self.zone);
        self.runtime.clear();
        match result {
            Ok(document) => {
                serde_json::to_writer(out, &document).map_err(|e| e.to_string())?;
                Ok(true)
            }
            Err(Terminate::Abort(_)) => Ok(false),
            Err(Terminate::Error(error)) => Err(error.to_string()),
        }
    }
}

/// A value of VRL's, read as its own code reads it, but for numbers: in this project they come from `serde_json` as
/// texts in a map of one member, which that code takes for objects.
struct Parsed(Value);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut all = Vec::with_capacity(elements.size_hint().unwrap_or_default());
        while let Some(Parsed(value)) = elements.next_element()? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = std::collections::BTreeMap::new();
        while let Some(name) = members.next_key::<vrl::value::KeyString>()? {
            if name.as_str() == "$serde_json::private::Number" {
                let text: String = members.next_value()?;
                return match text.parse::<i64>() {
                    Ok(whole) => Ok(Value::Integer(whole)),
                    Err(_) => text.parse().map(Value::from_f64_or_zero).map_err(A::Error::custom),
                };
            }
            let Parsed(value) = members.next_value()?;
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}
