//! Decoding: what is read of a record, and what is no record.

use super::lab::*;
use crate::eval::decode::{Layouts, Learnt, decode};
use crate::eval::value::{Lack, Value, show};
use crate::ir::*;
use crate::plan::Reads;
use bumpalo::Bump;
use proptest::prelude::*;

/// Fields of the order that a flow reads.
const READ: [&str; 9] =
    ["number", "total", "status", "date_created", "customer", "vat_number", "paid", "billing.phone", "billing.country"];

fn layouts(p: &mut Program) -> Layouts {
    let order = Type::Record(of(p, "Order"));
    let mut steps: Vec<Step> =
        READ.iter().map(|f| step(StepKind::Let(LocalId(1), path(p, local(0, order.clone()), f)))).collect();
    let lines = dot(p, local(0, order.clone()), "line_items");
    let line = local(2, Type::Record(of(p, "LineItem")));
    for name in ["name", "quantity", "total"] {
        steps.push(step(StepKind::Let(LocalId(1), each_of(2, lines.clone(), dot(p, line.clone(), name)))));
    }
    let made = mapping(p, "m", "Item", &[("order", order)], Verb::Upsert, vec![], steps);
    p.mappings.push(made);
    Layouts::new(p, &Reads::of_program(p))
}

fn read(json: &str, what: &str) -> Result<String, String> {
    let mut p = lab();
    let layouts = layouts(&mut p);
    let (arena, mut learnt) = (Bump::new(), Learnt::default());
    let order = of(&p, "Order");
    let mut decoded = || {
        decode(json, order, &layouts, &arena, &mut learnt, false).map_err(|bad| format!("{}: {}", bad.path, bad.told()))
    };
    // The first round only teaches the order of members.
    decoded()?;
    let mut value = Value::Record(decoded()?);
    for name in what.split('.') {
        value = match value {
            Value::Record(record) => {
                let field = p.entity(record.entity).field(name).unwrap();
                record.slots[usize::from(layouts.slot(record.entity, field))]
            }
            Value::List(list) => list[name.parse::<usize>().unwrap()],
            _ => panic!("no {name}"),
        };
    }
    match value {
        Value::Missing(Lack::Unreadable(what)) => {
            Err(format!("{}: {}", what.path(layouts.wrapper(what.of)), what.told))
        }
        Value::Missing(_) => Err(format!("{what}: is not there")),
        value => Ok(show(value)),
    }
}

#[test]
fn fields_are_read_as_declared() {
    for (what, want) in [
        ("number", "1001"),
        ("total", "24.20"),
        ("status", "processing"),
        ("date_created", "2026-03-01T23:30:00Z"),
        ("customer", "nothing"),
        ("vat_number", "NL1"),
        ("billing.phone", "020/1"),
        ("line_items.0.name", "Café 😀 mok"),
        ("line_items.1.quantity", "1"),
    ] {
        assert_eq!(read(ORDER, what).unwrap(), want, "{what}");
    }
}

#[test]
fn what_is_not_as_declared_is_named() {
    let with = |from: &str, to: &str| {
        assert!(ORDER.contains(from), "{from}");
        ORDER.replacen(from, to, 1)
    };
    let half = || with("\"sku\":", "\"name\":\"Caf\\ud83d\",\"sku\":");
    for (record, field, want) in [
        (with("\"24.20\"", "\"24,20\""), "total", "total: is \"24,20\", which is not a number"),
        (with("\"24.20\"", "[1]"), "total", "total: is [1], where a number is expected"),
        (
            with("T23:30:00", "T25:30:00"),
            "date_created",
            "date_created: is \"2026-03-01T25:30:00\", which is a date that does not exist",
        ),
        (
            with("2026-03-01", "2026-02-30"),
            "date_created",
            "date_created: is \"2026-02-30T23:30:00\", which is a date that does not exist",
        ),
        (
            with("\"line_items\":[", "\"line_items\":{\"id\":2},\"x\":["),
            "line_items",
            "line_items: is {\"id\":2}, where a list is expected",
        ),
        (
            with("\"quantity\":1", "\"quantity\":true"),
            "line_items.1.quantity",
            "line_items[1].quantity: is true, where a number is expected",
        ),
        (
            with("\"phone\":\"020\\/1\"", "\"phone\":5"),
            "billing.phone",
            "billing.phone: is 5, where a text is expected",
        ),
        (
            with("\"quantity\":1", "\"quantity\":123456789012345678901234567890"),
            "line_items.1.quantity",
            "line_items[1].quantity: is \"123456789012345678901234567890\", which has more than 28 digits",
        ),
        (half(), "line_items.0.name", "line_items[0].name: holds \\ud83d, which is half a character"),
        (with("\"1001\"", "\"1\\udc00\""), "number", "number: holds \\udc00, which is half a character"),
        (with("\"1001\"", "\"1\\ud83dx\""), "number", "number: holds \\ud83d, which is half a character"),
        (with("\"1001\"", "\"\\ud83d\\u0041\""), "number", "number: holds \\ud83d\\u0041, which is half a character"),
    ] {
        let told = read(&record, field).unwrap_err();
        assert!(told.starts_with(want), "{told} / {want}");
        // Whoever does not read it is not stopped by it.
        let other = if field == "number" { ("total", "24.20") } else { ("number", "1001") };
        assert_eq!(read(&record, other.0).as_deref(), Ok(other.1), "{want}");
    }
}

/// Behind what is no JSON nobody knows what stands: the record stops, whatever is read of it.
#[test]
fn what_is_no_json_is_no_record() {
    for (record, want) in [
        (
            ORDER.replacen("\"customer_note\":\"\"", "\"customer_note\":tru", 1),
            ": is not JSON: a value is expected at byte 138",
        ),
        (ORDER.replacen("\"24.20\"", "\"2\\x\"", 1), "total: is not JSON: an unknown escape stands"),
        (ORDER[..ORDER.len() - 1].to_owned(), ": is not JSON: a comma or a closing brace is expected"),
    ] {
        let told = read(&record, "number").unwrap_err();
        assert!(told.starts_with(want), "{told} / {want}");
    }
}

/// Entries of plugins: what can't be read of one stops whoever reads that one.
#[test]
fn entries_of_meta_data_that_cant_be_read() {
    let entry = "{\"id\":1,\"key\":\"x\",\"value\":{\"a\":[1,2]}}";
    assert!(ORDER.contains(entry));
    let with = |other: &str| ORDER.replacen(entry, other, 1);
    for (record, told) in [
        (
            // What is no single value is none at all.
            with("{\"key\":\"_vat_number\",\"value\":[1]}"),
            Ok("NL1".to_owned()),
        ),
        (
            with("{\"key\":\"_vat_number\",\"value\":\"\\ud83d\"}"),
            Err("vat_number: holds \\ud83d, which is half a character".to_owned()),
        ),
        (with("{\"key\":\"_vat_\\ud83d\",\"value\":\"\\ud83d\"}"), Ok("NL1".to_owned())),
        (with("{\"\\ud83d\":1}, 5, null"), Ok("NL1".to_owned())),
        (
            ORDER.replacen("\"meta_data\":[", "\"meta_data\":{\"key\":1},\"x\":[", 1),
            Err("vat_number: can't be read: `meta_data` is no list".to_owned()),
        ),
        (
            // A list with gaps, as PHP writes it.
            ORDER.replacen(
                "\"meta_data\":[",
                "\"meta_data\":{\"0\":1,\"7\":{\"key\":\"_vat_number\",\"value\":\"NL2\"}},\"x\":[",
                1,
            ),
            Ok("NL2".to_owned()),
        ),
    ] {
        assert_eq!(read(&record, "vat_number"), told, "{record}");
        assert_eq!(read(&record, "number").as_deref(), Ok("1001"));
    }
}

#[test]
fn the_first_key_of_meta_data_that_is_filled_counts() {
    let both = ORDER.replace(
        "{\"id\":1,\"key\":\"x\",\"value\":{\"a\":[1,2]}}",
        "{\"id\":1,\"key\":\"_vat_number\",\"value\":\"\"},{\"key\":\"vat\",\"value\":12}",
    );
    assert_eq!(read(&both, "vat_number").unwrap(), "12");
    let first = both.replace("\"value\":\"\"", "\"value\":\"DE9\"");
    assert_eq!(read(&first, "vat_number").unwrap(), "DE9");
}

#[test]
fn a_deep_record_fails_alone() {
    let deep = format!("{{\"x\":{}", "[".repeat(100_000));
    assert!(read(&deep, "number").unwrap_err().contains("nested deeper"));
}

/// JSON of some shape.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "\\PC{0,12}".prop_map(Into::into),
        "[\\\\\"/\\n\\t€😀]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            proptest::collection::hash_map("[a-z]{1,6}", inner, 0..5)
                .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
        ]
    })
}

#[test]
fn a_name_with_quotes_in_it_stands_for_no_others() {
    let mut p = lab();
    let layouts = layouts(&mut p);
    let (arena, mut learnt) = (Bump::new(), Learnt::default());
    let order = of(&p, "Order");
    for name in [r#""a\":1,\"number""#, r#""a":1,"number""#] {
        let text = arena.alloc_str(&ORDER.replacen("\"number\"", name, 1));
        let record = decode(text, order, &layouts, &arena, &mut learnt, false).unwrap();
        let number = record.slots[usize::from(layouts.slot(order, p.entity(order).field("number").unwrap()))];
        assert_eq!(matches!(number, Value::Text("1001")), name.contains("1,\"n"), "{name}");
    }
}

proptest! {
    #[test]
    fn numbers_are_read_as_written(mantissa in -200_000_000_i64..200_000_000, scale in 0_u32..6, cut in 0_u32..8, quoted: bool) {
        let number = rust_decimal::Decimal::new(mantissa / 10_i64.pow(cut), scale).to_string();
        let written = if quoted { format!("\"{number}\"") } else { number.clone() };
        let record = ORDER.replacen("\"24.20\"", &written, 1);
        prop_assert_eq!(read(&record, "total").unwrap(), number);
    }

    #[test]
    fn what_nobody_reads_may_be_anything(extra in json(), name in "\\PC{0,10}") {
        let key = serde_json::Value::from(name.clone()).to_string();
        prop_assume!(!ORDER.contains(&key));
        let record = ORDER.replacen('{', &format!("{{{key}: {extra:#} , "), 1);
        prop_assert_eq!(read(&record, "line_items.0.name").unwrap(), "Café 😀 mok");
    }

    #[test]
    fn texts_are_read_as_written(text in "\\PC{1,30}|[\\\\\"\\n\\u{1}😀]{1,20}") {
        let record = ORDER.replacen("\"1001\"", &serde_json::Value::from(text.clone()).to_string(), 1);
        prop_assert_eq!(read(&record, "number").unwrap(), text);
    }

    #[test]
    fn a_damaged_record_never_panics(at in 0_usize..900, byte in 0_u8..128) {
        let mut bytes = ORDER.as_bytes().to_vec();
        let at = at % bytes.len();
        if bytes[at] < 128 {
            bytes[at] = byte;
        }
        let text = String::from_utf8(bytes).unwrap();
        let ours = read(&text, "number");
        // What has half a character in it is JSON, and is told where it is read.
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text);
        // What is no JSON is never taken for some.
        if theirs.is_err() {
            prop_assert!(ours.is_err(), "{text}");
        }
        let _ = read(&text[..at.min(text.len())], "number");
    }
}
