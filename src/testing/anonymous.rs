//! Personal data replaced: names, addresses, phones. The same word becomes the same word everywhere, in the same form and of the
//! same length, so that what was equal stays equal. Amounts, codes and VAT numbers stay as they are.

use crate::eval::Compiled;
use crate::ir::{Const, EntityId, FieldId, Program, Type};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Words that a flow may ask for in any text, and that tell nobody.
const PLAIN: [&str; 6] = ["yes", "no", "true", "false", "none", "null"];
/// Letters and digits in a row that tell nobody by themselves: initials, states, house numbers.
const LETTERS_KEPT: usize = 2;
const DIGITS_KEPT: usize = 3;
/// A text of no more characters with digits in it may be a postcode: where it lies may decide a tax.
const PLACE_MAX: usize = 8;

/// What stands for whom.
pub(super) struct Anonymous<'p> {
    program: &'p Program,
    compiled: &'p Compiled,
    /// Texts that settings name: they decide something and are nobody's.
    known: BTreeSet<String>,
    words: BTreeMap<String, String>,
    given: BTreeSet<String>,
}

impl<'p> Anonymous<'p> {
    /// Nobody yet.
    pub(super) fn new(compiled: &'p Compiled) -> Self {
        let program = compiled.program();
        let mut known: BTreeSet<String> = PLAIN.iter().map(|word| (*word).to_owned()).collect();
        for setting in &program.settings {
            if let Some(Const::List(values)) = &setting.value {
                let texts = values
                    .iter()
                    .filter_map(|v| if let Const::Text(text) = v { Some(text.to_lowercase()) } else { None });
                known.extend(texts);
            }
        }
        Self { program, compiled, known, words: BTreeMap::new(), given: BTreeSet::new() }
    }

    /// A record as the API gives it: personal fields are replaced, and what the schema does not know is left out.
    pub(super) fn record(&mut self, entity: EntityId, row: &Value) -> Value {
        let Value::Object(members) = row else { return row.clone() };
        let schema = self.program.entity(entity);
        let entries = self.program.entries_of(schema);
        let made = members.iter().filter_map(|(name, value)| {
            if entries.is_some_and(|entries| **entries.list == **name) {
                return Some((name.clone(), self.entries(entity, value)));
            }
            let field = schema.fields.iter().find(|field| *field.wire == **name && field.meta.is_none())?;
            let made = if field.personal { self.value(value) } else { self.within(&field.ty, value) };
            Some((name.clone(), made))
        });
        let mut made: Map<String, Value> = made.collect();
        // What the API leaves out is absent; of a record of a test that must be said.
        for (n, field) in schema.fields.iter().enumerate() {
            let is_open = field.meta.is_none() && field.ty.is_optional() && !made.contains_key(&*field.wire);
            if is_open && self.compiled.reads(entity, FieldId(u32::try_from(n).unwrap_or(u32::MAX))) {
                made.insert(field.wire.to_string(), Value::Null);
            }
        }
        Value::Object(made)
    }

    fn within(&mut self, ty: &Type, value: &Value) -> Value {
        match (ty.present(), value) {
            (Type::Record(part), Value::Object(_)) => self.record(*part, value),
            (Type::List(element), Value::Array(list)) => {
                Value::Array(list.iter().map(|value| self.within(element, value)).collect())
            }
            _ => value.clone(),
        }
    }

    /// Further entries of a record: one that a field of the schema names is personal as that is, any other may be.
    fn entries(&mut self, entity: EntityId, list: &Value) -> Value {
        let program = self.program;
        let schema = program.entity(entity);
        let (Value::Array(list), Some(entries)) = (list, program.entries_of(schema)) else { return list.clone() };
        let made = list.iter().map(|entry| {
            let mut entry = entry.clone();
            let named = entry.get(&**entries.key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let is_key =
                |field: &&crate::ir::Field| field.meta.as_ref().is_some_and(|m| m.keys.iter().any(|k| **k == *named));
            let open = schema.fields.iter().find(is_key).is_none_or(|field| field.personal);
            if let (true, Some(value)) = (open, entry.get_mut(&**entries.value)) {
                *value = self.value(value);
            }
            entry
        });
        Value::Array(made.collect())
    }

    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(list) => Value::Array(list.iter().map(|value| self.value(value)).collect()),
            Value::Object(members) => {
                Value::Object(members.iter().map(|(name, value)| (name.clone(), self.value(value))).collect())
            }
            other => other.clone(),
        }
    }

    /// A text with other words in it.
    pub(super) fn text(&mut self, text: &str) -> String {
        if self.known.contains(&text.trim().to_lowercase()) {
            return text.to_owned();
        }
        if let Some((local, domain)) = text.split_once('@').filter(|(_, domain)| !domain.contains([' ', '@'])) {
            let domain = domain.rsplit_once('.').map_or(domain, |(name, _)| name);
            return format!("{}@{}.example", self.words_of(local, false), self.words_of(domain, false));
        }
        let is_place = text.chars().count() <= PLACE_MAX && text.contains(|c: char| c.is_ascii_digit());
        self.words_of(text, is_place)
    }

    fn words_of(&mut self, text: &str, is_place: bool) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let same = |c: char| c.is_alphabetic() == first.is_alphabetic() && c.is_numeric() == first.is_numeric();
            let end = rest.find(|c: char| !same(c)).unwrap_or(rest.len());
            let (run, behind) = rest.split_at(end);
            let count = run.chars().count();
            let kept = if first.is_alphabetic() { LETTERS_KEPT } else { DIGITS_KEPT };
            if !first.is_alphanumeric() || count <= kept {
                out.push_str(run);
            } else if is_place {
                let head: String = run.chars().take(2).collect();
                out.push_str(&head);
                out.push_str(&self.word(&run[head.len()..]));
            } else {
                out.push_str(&self.word(run));
            }
            rest = behind;
        }
        out
    }

    /// The word that stands for this one, written as this one is.
    fn word(&mut self, word: &str) -> String {
        let lower = word.to_lowercase();
        if !self.words.contains_key(&lower) {
            let length = lower.chars().count();
            let is_number = lower.chars().all(char::is_numeric);
            // A short word may have no other that is not given yet.
            let free = (0..MADE_MAX).map(|n| made_up(self.words.len() + n, length, is_number));
            let other = free.into_iter().find(|other| *other != lower && !self.given.contains(other));
            let other = other.unwrap_or_else(|| made_up(0, length, is_number));
            self.given.insert(other.clone());
            self.words.insert(lower.clone(), other);
        }
        let other = self.words[&lower].chars();
        let cased = |(own, other): (char, char)| if own.is_uppercase() { other.to_ascii_uppercase() } else { other };
        word.chars().zip(other).map(cased).collect()
    }
}

/// Made-up words that are tried for one that nobody has yet.
const MADE_MAX: usize = 1000;

/// The n-th word of that length: syllables, or digits.
fn made_up(n: usize, length: usize, is_number: bool) -> String {
    const CONSONANTS: &[u8] = b"bdfgklmnprstvz";
    const VOWELS: &[u8] = b"aeiou";
    let mut left = n;
    let sign = |at: usize| {
        let signs = if is_number {
            b"123456789"
        } else if at.is_multiple_of(2) {
            CONSONANTS
        } else {
            VOWELS
        };
        let sign = signs[(left + at) % signs.len()];
        left /= signs.len();
        char::from(sign)
    };
    (0..length).map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_equal_stays_equal_and_nobody_is_named() {
        let compiled = Compiled::new(Program::default().into());
        let mut anonymous = Anonymous::new(&compiled);
        let name = anonymous.text("Ann Peeters");
        assert_eq!(anonymous.text("ANN PEETERS").to_lowercase(), name.to_lowercase());
        assert!(name.starts_with(|c: char| c.is_uppercase()) && name.len() == "Ann Peeters".len(), "{name}");
        assert!(!name.contains("Peeters") && !name.contains("Ann"), "{name}");
        let mail = anonymous.text("ann.peeters@firm.nl");
        let [first, last] = [0, 1].map(|n| name.split(' ').nth(n).unwrap().to_lowercase());
        assert!(mail.starts_with(&format!("{first}.{last}@")) && mail.ends_with(".example"), "{mail}");
        // Where a place lies, and the number of a house, decide something and name nobody.
        assert!(anonymous.text("3512 JE").starts_with("35") && anonymous.text("3512 JE") != "3512 JE");
        assert!(anonymous.text("Dorpsstraat 12 a").ends_with(" 12 a"));
        assert_ne!(anonymous.text("0301234567"), "0301234567");
        assert_eq!(anonymous.text("yes"), "yes");
        let words: BTreeSet<String> = ["Jan", "Piet", "Klaas", "Kees", "Truus"].map(|name| anonymous.text(name)).into();
        assert_eq!(words.len(), 5, "different people stay different");
    }
}
