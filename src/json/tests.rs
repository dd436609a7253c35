//! The laws of raw JSON: of generated and of damaged texts the same values are found, and the same texts are refused, as
//! by `serde_json`.

use super::record::Member;
use super::{Orders, Scanner, member, path_to, write_text};
use bumpalo::Bump;
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Names that objects have: few, so that they come again.
const NAMES: [&str; 8] =
    ["id", "total", "meta_data", "a_name_that_is_longer_than_any_word", "é", "na\\u006de", "q\\\"", ""];

/// A text with its quotes, some of its characters spelt as escapes.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9 .,:{}\\[\\]/-]{0,12}",
        1 => "[é€😀\u{7f}\u{a0}]{1,3}",
        1 => prop::sample::select(vec!["\\n", "\\\"", "\\\\", "\\/", "\\u00e9", "\\ud83d\\ude00", "\\b\\f\\r\\t"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["\\ud83d", "\\ude00", "\\ud83dx", "\\ud83d\\u0041"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "-?(0|[1-9][0-9]{0,6})(\\.[0-9]{1,4})?",
        1 => "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?",
    ]
}

fn blank() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just(String::new()), 1 => "[ \\n\\r\\t]{1,3}"]
}

/// JSON as some server might write it.
fn json() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec!["null", "true", "false", "\"\""]).prop_map(str::to_owned);
    let leaf = prop_oneof![word, text(), number()];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let element = (blank(), inner.clone(), blank()).prop_map(|(a, json, b)| format!("{a}{json}{b}")).boxed();
        let list = prop::collection::vec(element.clone(), 0..5).prop_map(|all| format!("[{}]", all.join(",")));
        prop_oneof![list, object(element)]
    })
}

fn object(element: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let member = (blank(), prop::sample::select(NAMES.to_vec()), blank(), element)
        .prop_map(|(a, name, b, json)| format!("{a}\"{name}\"{b}:{json}"));
    (blank(), prop::collection::vec(member, 0..6)).prop_map(|(blank, all)| format!("{{{blank}{}}}", all.join(",")))
}

/// A text with some of its characters taken out, doubled or replaced.
fn damaged() -> impl Strategy<Value = String> {
    let damage = (
        any::<prop::sample::Index>(),
        0..3_u8,
        prop::sample::select("{}[],:\"\\u0-.e1 \u{1}tn".chars().collect::<Vec<_>>()),
    );
    (json(), prop::collection::vec(damage, 1..4)).prop_map(|(json, damages)| {
        let mut chars: Vec<char> = json.chars().collect();
        for (at, kind, with) in damages {
            if chars.is_empty() {
                break;
            }
            let at = at.index(chars.len());
            match kind {
                0 => drop(chars.remove(at)),
                1 => chars.insert(at, with),
                _ => chars[at] = with,
            }
        }
        chars.into_iter().collect()
    })
}

fn passes(json: &str) -> bool {
    let arena = Bump::new();
    let mut scanner = Scanner::new(json, &arena);
    scanner.blank();
    scanner.skip().and_then(|()| scanner.end("it")).is_ok() && scanner.depth == 0
}

fn text_of(json: &str) -> Option<String> {
    let arena = Bump::new();
    let mut scanner = Scanner::new(json, &arena);
    let text = scanner.string().ok()?;
    (scanner.at == json.len()).then(|| text.to_owned())
}

/// What `serde_json` says of a member; `Err` where it is unreadable.
fn expected(record: &str, path: &str) -> Result<Option<Value>, ()> {
    let mut json = record.to_owned();
    for name in path.split('.') {
        let members: std::collections::HashMap<NameAsRead, &serde_json::value::RawValue> =
            serde_json::from_str(&json).map_err(|_| ())?;
        match members.get(&NameAsRead(name.to_owned())).map(|raw| raw.get()) {
            None | Some("null") => return Ok(None),
            Some(raw) => json = raw.to_owned(),
        }
    }
    // A text with half a character in it is JSON, though it is no value.
    Ok(Some(serde_json::from_str(&json).unwrap_or(Value::String(json))))
}

#[derive(PartialEq, Eq, Hash, serde::Deserialize)]
struct NameAsRead(String);

/// The values of the members with a known name, by its number, read with an order that was learnt.
fn by_order(json: &str, orders: &mut Orders<usize>) -> Option<Vec<(usize, String)>> {
    let arena = Bump::new();
    let mut scanner = Scanner::new(json, &arena);
    let (mut order, mut position, mut before, mut found) = (orders.take(0), 0, b'{', Vec::new());
    let number = |name: &str| NAMES.iter().position(|known| *known == name).unwrap_or(usize::MAX);
    let read = loop {
        match scanner.member(before, &mut order, &mut position, number) {
            Ok(Some(action)) => {
                scanner.blank();
                let start = scanner.at;
                if scanner.skip().is_err() {
                    break None;
                }
                found.push((action, json[start..scanner.at].to_owned()));
                before = b',';
            }
            Ok(None) => break Some(()),
            Err(_) => break None,
        }
    };
    orders.give_back(0, order);
    read.map(|()| found)
}

/// The same without an order.
fn by_name(json: &str) -> Option<Vec<(usize, String)>> {
    let arena = Bump::new();
    let mut scanner = Scanner::new(json, &arena);
    let (mut before, mut found) = (b'{', Vec::new());
    while let Some(name) = scanner.name_behind(before).ok()? {
        before = b',';
        let start = scanner.at;
        scanner.skip().ok()?;
        let number = NAMES.iter().position(|known| *known == name).unwrap_or(usize::MAX);
        found.push((number, json[start..scanner.at].to_owned()));
    }
    Some(found)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_is_json_is_passed(json in json()) {
        prop_assert!(serde_json::from_str::<IgnoredAny>(&json).is_ok(), "the generator writes JSON: {json}");
        prop_assert!(passes(&json), "{json}");
    }

    #[test]
    fn the_same_texts_are_refused(json in damaged()) {
        prop_assert_eq!(passes(&json), serde_json::from_str::<IgnoredAny>(&json).is_ok(), "{}", json);
    }

    #[test]
    fn texts_are_read_alike(json in text()) {
        // No text of ours holds the character that marks what is pending.
        let known = serde_json::from_str::<String>(&json).ok().map(|text| text.replace('\0', ""));
        prop_assert_eq!(text_of(&json), known, "{}", json);
    }

    #[test]
    fn what_is_written_is_read_again(text in any::<String>()) {
        let mut out = Vec::new();
        write_text(&text, &mut out);
        let json = String::from_utf8(out).expect("a text was written");
        prop_assert_eq!(serde_json::from_str::<String>(&json).ok(), Some(text.clone()));
        prop_assert_eq!(text_of(&json), Some(text.replace('\0', "")));
    }

    #[test]
    fn short_numbers_are_exact(number in number(), quoted in any::<bool>(), behind in prop::sample::select(vec![",", "}", "]", " "])) {
        let json = if quoted { format!("\"{number}\"{behind}") } else { format!("{number}{behind}") };
        let arena = Bump::new();
        let mut scanner = Scanner::new(&json, &arena);
        if let Some(short) = scanner.short_number().number() {
            prop_assert_eq!(&json[scanner.at..], behind);
            prop_assert_eq!(Some(short), number.parse::<Decimal>().ok(), "{}", json);
        } else {
            // Whatever is no short one goes the longer way.
            let digits = number.chars().filter(char::is_ascii_digit).count();
            let odd = digits > 7 || number.contains(['e', 'E']) || !quoted && behind == " ";
            prop_assert!(odd || number.starts_with('-'), "{}", json);
        }
    }

    #[test]
    fn members_are_found_absent_or_unreadable(
        json in prop_oneof![object(json()), damaged()],
        first in prop::sample::select(vec!["id", "total", "name", "é", "gone"]),
        second in prop::option::of(prop::sample::select(vec!["id", "total", "a_name_that_is_longer_than_any_word"])),
    ) {
        let path = second.map_or(first.to_owned(), |second| format!("{first}.{second}"));
        let found = member(&json, &path);
        match expected(&json, &path) {
            Err(()) => prop_assert!(matches!(found, Member::Unreadable(_)), "{path} of {json}: {found:?}"),
            Ok(None) => prop_assert_eq!(found, Member::Absent, "{} of {}", path, json),
            Ok(Some(value)) => {
                let Member::Found(text) = found else { panic!("{path} of {json}: {found:?}") };
                prop_assert_eq!(serde_json::from_str(text).unwrap_or(Value::String(text.to_owned())), value);
            }
        }
    }

    #[test]
    fn an_order_that_was_learnt_changes_nothing(objects in prop::collection::vec(prop_oneof![object(json()), damaged()], 1..6)) {
        let mut orders = Orders::default();
        for json in &objects {
            // Broken JSON teaches nothing wrong either: the next object is read as it stands.
            prop_assert_eq!(by_order(json, &mut orders), by_name(json), "{} of {:?}", json, objects);
        }
    }

    #[test]
    fn the_way_to_a_place_is_never_lost(json in damaged(), place in any::<prop::sample::Index>()) {
        let place = place.index(json.len() + 1);
        prop_assert!(path_to(json.as_bytes(), place, None).len() <= json.len() * 24);
    }
}
