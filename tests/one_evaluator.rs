//! One evaluator: a payload that is written straight to the output is the one that its draft becomes, and it stops where
//! the draft stops. Both are what comes of it where every value is computed where it stands, as when it is asked why.
//! Mappings and records are generated from seeds: fields in any order, conditions, nested parts, lists, required fields that
//! stay empty, values that cannot be read. `SEED=17` runs one, `SEEDS=2000` more.

use flowc::check::check_files;
use flowc::eval::{Argument, Compiled, Draft, Evaluated, Given, Mapper, Pending, Tables};
use flowc::ir::{EntityId, MappingId, Program, Type};
use flowc::source::Memory;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Mappings of a program: all of them are checked and compiled together.
const MAPPINGS: usize = 40;
const RECORDS: usize = 60;

/// Numbers that a seed decides.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).expect("it is small")
    }

    /// Once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const SCHEMA: &str = r#"
use woocommerce as woo
use exact

entity Document {
  Number:  text         required
  Name:    text(12)?
  Kind:    "big" | "small"?
  Currency: currency?
  Country: country?
  Day:     date?
  Amount:  gross?
  Count:   int?
  Ready:   bool?
  Place:   Part?
  Home:    Part         required
  Lines:   list<Line>   required
  Words:   list<text>?
}

entity Part {
  Name:   text          required
  City:   text?
  Amount: gross?
  Inner:  Inner?
}

entity Inner {
  Text: text?
  Day:  date?
}
fn maybe(text: text) -> text? = if text == "fixed" then none else text
fn meta_word(order: woo.Order) -> text? =
  order.meta_data.where(m => m.key == "word").first()?.value?.text()
fn label(order: woo.Order, line: woo.LineItem) -> text =
  if order.billing.city is some city then "{city.upper()}: {line.name}" else unnamed(order, line)
fn unnamed(order: woo.Order, line: woo.LineItem) -> text = "{order.number.upper()}/{line.name.upper()}"
fn alike(order: woo.Order, line: woo.LineItem) -> int =
  order.line_items.where(l => unnamed(order, l) == unnamed(order, line) or l.sku == line.sku).count()
fn spread(order: woo.Order, line: woo.LineItem) -> net = (line.total / order.line_items.sum(l => l.quantity)).round(2)
fn repeated(order: woo.Order, line: woo.LineItem) -> net = (line.subtotal / 3).round(4) + spread(order, line) * alike(order, line)
fn is_known(word: text) -> bool = ["fixed", "line 1", "Caf"].any(w => " {word} ".contains(" {w} "))
fn number_of(order: woo.Order) -> text = if order.customer_note is none then fail "no note on {order.number}" else "{order.number.upper()}!"

entity Line {
  Item:   text          required
  Count:  decimal?
  Amount: net?
  Inner:  Inner?
  Words:  list<text>?
}
"#;

/// A mapping as text.
struct Writer<'d> {
    dice: &'d mut Dice,
    locals: usize,
}

impl Writer<'_> {
    fn text(&mut self, deep: usize) -> String {
        if deep > 0 && self.dice.once_in(3) {
            let (a, b) = (self.text(deep - 1), self.text(deep - 1));
            return match self.dice.below(3) {
                0 => format!("(if {} then {a} else {b})", self.truth()),
                1 => format!("({a} ?? {b})"),
                _ => format!("[{a}, {b}].present().join(\"-\")"),
            };
        }
        let simple = [
            "maybe(order.number)",
            "maybe(\"fixed\")",
            "maybe(\"n {order.number}\")",
            "order.customer_note?.trim()",
            "order.billing.first_name",
            "order.billing.city?.upper()",
            "order.billing.email?.lower()",
            "order.payment_method",
            "order.transaction_id?.take(5)",
            "order.shipping.company",
            "order.line_items.first()?.sku",
            "order.line_items.map(l => l.name).join(\", \")",
            "meta_word(order)",
            "order.line_items.map(l => label(order, l)).join(\"+\")",
            "(if order.line_items.any(l => is_known(l.name)) then \"known\" else maybe(\"{order.number}?\"))",
            "(if order.line_items.first() is some l and alike(order, l) > 1 then label(order, l) else none)",
            "(number_of(order) ?? order.number)",
        ];
        self.dice.of(&simple).to_owned()
    }

    fn truth(&mut self) -> String {
        let simple = [
            "order.total > 50",
            "order.customer_note is some",
            "order.line_items.is_empty()",
            "yes",
            "no",
            "order.billing.country == \"NL\"",
            "order.status in [\"processing\", \"completed\"]",
            "order.line_items.any(l => l.quantity > 1)",
            "order.date_paid is none",
        ];
        self.dice.of(&simple).to_owned()
    }

    fn gross(&mut self) -> String {
        let simple = [
            "order.total",
            "(order.total / 3).round(2)",
            "(order.total / 7)",
            "order.refunds.sum(r => r.total ?? 0)",
            "0",
            "none",
            "(if order.total > 99 then order.total else none)",
        ];
        self.dice.of(&simple).to_owned()
    }

    fn inner(&mut self) -> String {
        let text = self.text(1);
        match self.dice.below(3) {
            0 => format!("{{ Text = {text} }}"),
            1 => format!("{{ Day = order.date_paid?.date(), Text = {text} }}"),
            _ => "{ Day = order.date_created.date() }".to_owned(),
        }
    }

    fn part(&mut self) -> String {
        let mut fields =
            vec![format!("Name = {} ?? {}", self.text(1), self.dice.of(&["\"x\"", "\"\"", "order.number"]))];
        if self.dice.once_in(2) {
            fields.push(format!("City = {}", self.text(1)));
        }
        if self.dice.once_in(2) {
            fields.push(format!("Amount = {}", self.gross()));
        }
        if self.dice.once_in(3) {
            fields.push(format!("Inner = {}", self.inner()));
        }
        let turn = self.dice.below(fields.len());
        fields.rotate_left(turn);
        format!("{{ {} }}", fields.join(", "))
    }

    fn line(&mut self) -> String {
        let mut fields =
            vec![format!("Item = line.sku ?? {}", self.dice.of(&["\"SKU\"", "\"\"", "line.name", "fail \"no sku\""]))];
        let more = [
            "Count = line.quantity".to_owned(),
            format!(
                "Amount = {}",
                self.dice.of(&[
                    "line.total",
                    "(line.total / line.quantity)",
                    "spread(order, line)",
                    "repeated(order, line)"
                ])
            ),
            format!("Inner = {}", self.inner()),
            format!("Words = {}", self.words()),
        ];
        let kept: Vec<String> = more.into_iter().filter(|_| self.dice.once_in(2)).collect();
        fields.extend(kept);
        let turn = self.dice.below(fields.len());
        fields.rotate_left(turn);
        format!("{{ {} }}", fields.join(", "))
    }

    fn words(&mut self) -> String {
        match self.dice.below(5) {
            0 => format!("[{} ?? \"w\", {} ?? \"\"]", self.text(0), self.text(0)),
            3 => "[for l in order.line_items where is_known(label(order, l)): label(order, l)]".to_owned(),
            4 => "[for a in order.line_items for b in order.line_items where alike(order, a) == alike(order, b): \"{label(order, a)} {unnamed(order, b)}\"]".to_owned(),
            1 => "[for l in order.line_items: l.name]".to_owned(),
            _ => "order.line_items.map(l => l.name)".to_owned(),
        }
    }

    fn lines(&mut self) -> String {
        let cond = self.dice.of(&["yes", "line.quantity > 1", "line.sku is some", "is_known(label(order, line))"]);
        let all = format!("for line in order.line_items where {cond}: {}", self.line());
        match self.dice.below(4) {
            0 => format!("[{all}, {{ Item = \"SHIP\", Amount = 0 }}]"),
            1 => format!("[{{ Item = \"FIRST\" }}, {all}]"),
            _ => format!("[{all}]"),
        }
    }

    fn step(&mut self, field: &str) -> String {
        let value = match field {
            "Number" => {
                self.dice.of(&["order.number", "order.customer_note ?? \"\"", "\"no. {order.number}\""]).to_owned()
            }
            "Name" => format!("{}?.take(12)", self.text(2)),
            "Kind" => self.dice.of(&["if order.total > 50 then \"big\" else \"small\"", "\"big\"", "none"]).to_owned(),
            "Currency" => "order.currency".to_owned(),
            "Country" => {
                self.dice.of(&["order.billing.country", "order.shipping.country ?? order.billing.country"]).to_owned()
            }
            "Day" => self.dice.of(&["order.date_created.date()", "order.date_paid?.date()"]).to_owned(),
            "Amount" => self.gross(),
            "Count" => self.dice.of(&["order.line_items.count()", "order.id", "order.parent_id", "7"]).to_owned(),
            "Ready" => self.truth(),
            "Place" | "Home" => self.part(),
            "Lines" => self.lines(),
            _ => self.words(),
        };
        format!("  {field} = {value}\n")
    }

    fn between(&mut self) -> String {
        match self.dice.below(4) {
            0 => {
                self.locals += 1;
                let (n, text) = (self.locals, self.text(1));
                let check = format!("check local{n} is none or order.id > 0 else fail \"odd {{order.number}}\"");
                format!("  let local{n} = {text}\n  {check}\n")
            }
            1 => format!(
                "  check {} else {} \"told {{order.number}}\"\n",
                self.truth(),
                self.dice.of(&["alert", "fail", "skip"])
            ),
            2 => format!("  check not ({}) else fail \"no\"\n", self.truth()),
            _ => String::new(),
        }
    }

    /// A mapping whose lines stand in any order.
    fn mapping(&mut self, n: usize) -> String {
        let mut fields = vec!["Number", "Home", "Lines"];
        let more = ["Name", "Kind", "Currency", "Country", "Day", "Amount", "Count", "Ready", "Place", "Words"];
        fields.extend(more.iter().filter(|_| self.dice.once_in(2)));
        for at in (1..fields.len()).rev() {
            let other = self.dice.below(at + 1);
            fields.swap(at, other);
        }
        let mut steps = String::new();
        for field in fields {
            if self.dice.once_in(5) {
                steps.push_str(&self.between());
            }
            let step = self.step(field);
            if !["Number", "Home", "Lines"].contains(&field) && self.dice.once_in(8) {
                let case = self.dice.of(&["create", "update"]);
                steps.extend([&*format!("  on {case} {{\n"), &step, "  }\n"]);
            } else {
                steps.push_str(&step);
            }
        }
        format!("\nmapping m{n}(order: woo.Order) -> Document {{\n  create unless no\n{steps}}}\n")
    }

    /// A mapping that looks for its document by a key that may be empty.
    fn keyed(&mut self, n: usize) -> String {
        let code = self.dice.of(&[
            "order.number",
            "order.customer_note?.trim()?.take(30) ?? \"\"",
            "order.line_items.first()?.sku?.take(30) ?? \"\"",
        ]);
        let text = format!("{} ?? \"-\"", self.text(1));
        let mut steps = [
            format!("  Code = {code}\n"),
            format!("  Description = ({text}).fit()\n"),
            "  IsSalesItem = yes\n".to_owned(),
            self.between(),
        ];
        let turn = self.dice.below(steps.len());
        steps.rotate_left(turn);
        let verb = self.dice.of(&["upsert by Code", "create once by Code"]);
        format!("\nmapping m{n}(order: woo.Order) -> exact.Item {{\n  {verb}\n{}}}\n", steps.concat())
    }
}

fn text_value(dice: &mut Dice) -> String {
    let all = [
        "\"Jan\"",
        "\"\"",
        "null",
        "\"Caf\\u00e9 \\\"x\\\"\"",
        "\" spaced \"",
        "\"a longer text than some fields hold\"",
        "7",
        "\"NL\"",
        "\"\\ud83d\"",
        "{\"a\":1}",
    ];
    // What is odd is rare, so that most records become something.
    if dice.once_in(12) { dice.of(&all).to_owned() } else { dice.of(&all[..5]).to_owned() }
}

fn number_value(dice: &mut Dice) -> String {
    if dice.once_in(40) {
        return dice.of(&["\"x\"", "true", "[]"]).to_owned();
    }
    let number = dice.of(&["0", "1", "2.5", "12.10", "99.99", "1000", "-4.13", "3.33333333"]);
    if dice.once_in(2) { number.to_owned() } else { format!("\"{number}\"") }
}

fn members(dice: &mut Dice, all: Vec<(&str, String)>) -> String {
    let kept = all.into_iter().filter(|_| !dice.once_in(25)).map(|(name, json)| format!("\"{name}\":{json}"));
    format!("{{{}}}", kept.collect::<Vec<_>>().join(","))
}

fn address(dice: &mut Dice) -> String {
    let country = dice.of(&["\"NL\"", "\"BE\"", "\"\"", "\"nl\""]).to_owned();
    let all = vec![
        ("first_name", text_value(dice)),
        ("company", text_value(dice)),
        ("city", text_value(dice)),
        ("country", country),
        ("email", dice.of(&["\"A@b.nl\"", "\"\""]).to_owned()),
    ];
    members(dice, all)
}

fn record(dice: &mut Dice) -> String {
    let lines: Vec<String> = (0..dice.below(4))
        .map(|n| {
            let all = vec![
                ("id", n.to_string()),
                ("name", format!("\"line {n}\"")),
                ("sku", text_value(dice)),
                ("quantity", dice.of(&["1", "2", "0", "2.5"]).to_owned()),
                ("subtotal", number_value(dice)),
                ("total", number_value(dice)),
            ];
            members(dice, all)
        })
        .collect();
    let all = vec![
        ("id", "7".to_owned()),
        ("number", format!("\"{}\"", dice.below(2000))),
        ("status", dice.of(&["\"processing\"", "\"completed\"", "\"pending\""]).to_owned()),
        ("currency", dice.of(&["\"EUR\"", "\"USD\""]).to_owned()),
        ("date_created_gmt", "\"2026-03-01T23:30:00\"".to_owned()),
        ("date_paid_gmt", dice.of(&["null", "\"2026-03-02T10:00:00\""]).to_owned()),
        ("total", number_value(dice)),
        ("customer_note", text_value(dice)),
        ("payment_method", dice.of(&["\"bacs\"", "\"\""]).to_owned()),
        ("transaction_id", text_value(dice)),
        ("billing", address(dice)),
        ("shipping", address(dice)),
        ("meta_data", format!("[{{\"id\":1,\"key\":\"word\",\"value\":{}}}]", text_value(dice))),
        ("line_items", format!("[{}]", lines.join(","))),
        ("refunds", "[]".to_owned()),
    ];
    members(dice, all)
}

/// A program of generated mappings. What the checker refuses is left out: the others are checked again without it.
fn program(seed: u64) -> (Program, usize) {
    let mut dice = Dice(seed);
    let mut mappings: Vec<String> = (0..MAPPINGS)
        .map(|n| {
            let mut writer = Writer { dice: &mut dice, locals: 0 };
            if n % 5 == 4 { writer.keyed(n) } else { writer.mapping(n) }
        })
        .collect();
    loop {
        let text = format!("{SCHEMA}{}", mappings.concat());
        let checked =
            check_files(&Memory([(PathBuf::from("flows.flow"), text.clone())].into()), &[PathBuf::from("flows.flow")]);
        if checked.is_sound() {
            return (checked.program, mappings.len());
        }
        let errors = checked.diagnostics.iter().filter(|d| d.severity == flowc::source::Severity::Error);
        let mut ends = Vec::new();
        let mut end = SCHEMA.len();
        for mapping in &mappings {
            end += mapping.len();
            ends.push(end);
        }
        let wrong: BTreeSet<usize> =
            errors.map(|d| ends.partition_point(|end| *end <= d.span.start as usize)).collect();
        assert!(wrong.iter().all(|n| *n < mappings.len()) && !wrong.is_empty(), "{:?}", checked.diagnostics);
        let mut n = 0;
        mappings.retain(|_| {
            n += 1;
            !wrong.contains(&(n - 1))
        });
    }
}

/// What comes of a record: its payload, nothing, or why it stops.
#[derive(Debug, PartialEq)]
enum Outcome {
    Payload(String),
    Nothing,
    Stops(String),
}

fn at_once(mapper: &mut Mapper<'_>, record: &str) -> Outcome {
    let mut out = b"before".to_vec();
    match mapper.map(record, &mut out) {
        Ok(true) => Outcome::Payload(String::from_utf8(out[6..].to_vec()).expect("a payload is text")),
        Ok(false) => Outcome::Nothing,
        Err((stop, failure)) => {
            assert_eq!(out, b"before", "a record that stops leaves nothing behind");
            Outcome::Stops(format!("{stop:?} {failure:?}"))
        }
    }
}

fn as_draft(compiled: &Compiled, id: MappingId, entity: EntityId, record: &str, given: &Given) -> Outcome {
    match compiled.apply(id, &[Argument::Record(entity, record)], given) {
        Evaluated::WriteSet(set) => {
            let program = compiled.program();
            let entries = |draft: &Draft| program.entries_of(program.entity(draft.entity));
            let payload = |draft: &Draft| Pending::shown(&draft.create_body(entries(draft))).into_owned();
            set.drafts
                .last()
                .filter(|draft| !draft.fields.is_empty())
                .map_or(Outcome::Nothing, |draft| Outcome::Payload(payload(draft)))
        }
        Evaluated::Stopped(stop, failure, _) => Outcome::Stops(format!("{stop:?} {failure:?}")),
        other => panic!("{other:?}"),
    }
}

fn run(seed: u64, counts: &mut [usize; 3]) {
    let (program, kept) = program(seed);
    assert!(kept * 2 > MAPPINGS, "seed {seed}: the checker takes {kept} of {MAPPINGS} mappings");
    let compiled = Compiled::new(Arc::new(program));
    let (given, tables) = (Given::empty(jiff::Timestamp::UNIX_EPOCH), Tables::default());
    let mut dice = Dice(!seed);
    let records: Vec<String> = (0..RECORDS).map(|_| record(&mut dice)).collect();
    for (n, mapping) in compiled.program().mappings.iter().enumerate() {
        let Some(Type::Record(entity)) = mapping.params.first().map(|(_, ty, _)| ty.present()) else { continue };
        let id = MappingId(u32::try_from(n).expect("they are few"));
        let mut mapper = Mapper::new(&compiled, id, &given, &tables).expect("it takes an order");
        for record in &records {
            let (fast, plain) = (at_once(&mut mapper, record), as_draft(&compiled, id, *entity, record, &given));
            assert_eq!(fast, plain, "seed {seed}, {}, {record}", mapping.name);
            let told = as_draft(compiled.tracing(), id, *entity, record, &given);
            assert_eq!(plain, told, "shared and not: seed {seed}, {}, {record}", mapping.name);
            counts[match fast {
                Outcome::Payload(_) => 0,
                Outcome::Nothing => 1,
                Outcome::Stops(_) => 2,
            }] += 1;
        }
    }
}

#[test]
fn a_payload_is_the_same_whichever_way_it_is_made() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let mut counts = [0; 3];
    match number("SEED") {
        Some(seed) => run(seed, &mut counts),
        None => (0..number("SEEDS").unwrap_or(6)).for_each(|seed| run(seed, &mut counts)),
    }
    let [payloads, _, stops] = counts;
    assert!(payloads > 500 && stops > 100, "{payloads} payloads, {stops} stops: the generator has gone dull");
}
