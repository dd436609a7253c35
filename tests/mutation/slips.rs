//! Slips of the hand in a flow that is right: for each kind all places where it can be made.

use regex::Regex;

/// A slip: its kind, its line from 0, and what stands there instead of how many lines.
#[derive(Clone, Debug)]
pub(crate) struct Slip {
    pub(crate) kind: &'static str,
    pub(crate) line: usize,
    pub(crate) lines: usize,
    pub(crate) becomes: String,
}

/// The kinds, in the order of the table.
pub(crate) const KINDS: [&str; 14] = [
    "misspelt name",
    "another type",
    "another kind of amount",
    "wrong enumeration",
    "dropped for",
    "unwritten key",
    "row dropped",
    "row doubled",
    "row widened",
    "missing brace",
    "missing quote",
    "removed required field",
    "removed declaration",
    "removed adapt target",
];

/// A text with a slip in it.
pub(crate) fn slipped(text: &str, slip: &Slip) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let becomes: Vec<&str> = slip.becomes.lines().collect();
    lines.splice(slip.line..slip.line + slip.lines, becomes);
    lines.join("\n") + "\n"
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns of a test are right")
}

/// Two letters changed places, or one came in between where they are the same.
fn misspelt(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = letters.len() / 2;
    if letters[at - 1] == letters[at] {
        letters.insert(at, 'x');
    } else {
        letters.swap(at - 1, at);
    }
    letters.into_iter().collect()
}

/// What stands in a line before its comment.
fn code(line: &str) -> &str {
    let mut within = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => within = !within,
            '#' if !within => return &line[..at],
            _ => {}
        }
    }
    line
}

/// All slips of a text that each change one place.
pub(crate) fn slips(text: &str) -> Vec<Slip> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let code = code(line).trim_end();
        if code.is_empty() || code.contains("\"\"\"") {
            continue;
        }
        let mut add = |kind, becomes: String| {
            if becomes != *line {
                found.push(Slip { kind, line: n, lines: 1, becomes });
            }
        };
        words(code, &mut add);
        amounts(code, &mut add);
        signs(code, &mut add);
        fields(code, &mut add);
        if let Some(keyword) = declaration_of(&lines, n)
            && keyword == "lookup"
        {
            rows(code, &mut add);
        }
    }
    found.extend(keys(&lines));
    found.extend(declarations(&lines));
    found
}

/// The word of the declaration in which a line stands, below its first line.
fn declaration_of<'t>(lines: &[&'t str], n: usize) -> Option<&'t str> {
    let is_head = |line: &&&str| line.starts_with(|c: char| c.is_ascii_lowercase());
    let head = lines[..n].iter().rfind(is_head)?;
    head.split(' ').next()
}

fn words(code: &str, add: &mut impl FnMut(&'static str, String)) {
    let declares = code.starts_with(|c: char| c.is_ascii_lowercase());
    let name = pattern(r"(?:\.|\b)([a-z_]{4,})\(|\.([a-z_]{4,})\b|\b(?:woo|exact)\.([A-Z]\w{3,})");
    for found in name.captures_iter(code) {
        let called = found.get(1);
        // A declaration may be called as one likes.
        if called.is_some() && declares {
            continue;
        }
        let Some(word) = called.or(found.get(2)).or(found.get(3)) else { continue };
        if code[..word.start()].matches('"').count() % 2 == 1 && !code[..word.start()].contains('{') {
            continue;
        }
        add("misspelt name", format!("{}{}{}", &code[..word.start()], misspelt(word.as_str()), &code[word.end()..]));
    }
    let value = pattern(r#"(?:==|!=|=>|=|\||\bin \[|,) ("[a-z_]{3,}")|^\s+("[a-z_]{3,}")\s+(?:=>|\|)"#);
    for found in value.captures_iter(code) {
        let Some(text) = found.get(1).or(found.get(2)) else { continue };
        let word = misspelt(text.as_str().trim_matches('"'));
        add("wrong enumeration", format!("{}\"{word}\"{}", &code[..text.start()], &code[text.end()..]));
    }
}

/// Amounts of one kind where another belongs.
fn amounts(code: &str, add: &mut impl FnMut(&'static str, String)) {
    let swaps = [
        (r"\.(total)\b", "total_tax"),
        (r"\.(total_tax)\b", "total"),
        (r"\.(subtotal)\b", "total_tax"),
        (r"\.(net)\b", "tax"),
        (r"\.(tax)\b", "net"),
        (r"-> (gross)\b", "net"),
        (r"-> (net)\b", "gross"),
        (r": (net)\b", "tax"),
        (r": (gross)\b", "net"),
        (r": (tax)\b", "gross"),
    ];
    for (from, to) in swaps {
        for found in pattern(from).captures_iter(code).filter_map(|found| found.get(1)) {
            add("another kind of amount", format!("{}{to}{}", &code[..found.start()], &code[found.end()..]));
        }
    }
}

fn signs(code: &str, add: &mut impl FnMut(&'static str, String)) {
    if let Some(open) = code.strip_suffix('{') {
        add("missing brace", open.trim_end().to_owned());
    }
    if code == "}" {
        add("missing brace", String::new());
    }
    let quotes: Vec<usize> = code.match_indices('"').map(|(at, _)| at).collect();
    if quotes.len() == 2 {
        for at in quotes {
            add("missing quote", format!("{}{}", &code[..at], &code[at + 1..]));
        }
    }
}

/// Fields that a record is none without, here or in the ledger.
const REQUIRED: [&str; 9] =
    ["OrderedBy", "SalesOrderLines", "Item", "Code", "Description", "Name", "LastName", "Account", "YourRef"];

fn fields(code: &str, add: &mut impl FnMut(&'static str, String)) {
    let fill = pattern(r"^(\s+)([A-Z]\w+)(\s*=\s*)(.+)$");
    if let Some(found) = fill.captures(code) {
        // What goes on in the next line stays where it is.
        let whole = !code.ends_with(['[', '{', '(']) && found[4].matches('(').count() == found[4].matches(')').count();
        if whole {
            add("another type", format!("{}{}{}5 minutes", &found[1], &found[2], &found[3]));
        }
        if whole && REQUIRED.contains(&&found[2]) {
            add("removed required field", String::new());
        }
    }
    let each = pattern(r"^\s+for \w+ in .*: [^:]+,$");
    if each.is_match(code) {
        add("dropped for", String::new());
    }
    let head = pattern(r"\[for \w+ in [^:\]]+: |^(\s+)for \w+ in [^:]+(?: for \w+ in [^:]+)?: ?");
    if let Some(found) = head.find(code) {
        let start = if found.as_str().starts_with('[') { "[" } else { "    " };
        add("dropped for", format!("{}{start}{}", &code[..found.start()], &code[found.end()..]));
    }
}

fn rows(code: &str, add: &mut impl FnMut(&'static str, String)) {
    let Some((cells, value)) = code.split_once("=>") else { return };
    add("row dropped", String::new());
    add("row doubled", format!("{code}\n{code}"));
    if let Some((first, rest)) = cells.split_once(',') {
        if first.trim() != "_" {
            add("row widened", format!("  _,{rest}=>{value}"));
        }
    } else if cells.trim() != "else" {
        add("row widened", format!("  _ =>{value}"));
    }
}

/// Keys of headers that nothing fills any more.
fn keys(lines: &[&str]) -> Vec<Slip> {
    let header = pattern(r"^\s+(?:create once|upsert|update)\b.*\bby\b");
    let fill = pattern(r"^\s+([A-Z]\w+)\s*=");
    let name = pattern(r"\b([A-Z]\w+)\b");
    let mut found = Vec::new();
    for (n, line) in lines.iter().enumerate().filter(|(_, line)| header.is_match(line)) {
        let keys: Vec<&str> = name.find_iter(line).map(|word| word.as_str()).collect();
        let body = lines[n..].iter().position(|line| *line == "}").map_or(lines.len(), |end| n + end);
        for (at, line) in lines.iter().enumerate().take(body).skip(n + 1) {
            let is_key = fill.captures(line).is_some_and(|found| keys.contains(&&found[1]));
            if is_key && !line.trim_end().ends_with(['[', '{', '(']) {
                found.push(Slip { kind: "unwritten key", line: at, lines: 1, becomes: String::new() });
            }
        }
    }
    found
}

/// Declarations that are gone, with what uses them left behind.
fn declarations(lines: &[&str]) -> Vec<Slip> {
    let is_head =
        |line: &str| ["fn ", "fields ", "mapping ", "lookup ", "flow "].iter().any(|word| line.starts_with(word));
    let is_below = |line: &&str| line.is_empty() || line.starts_with([' ', '}', ')']);
    let heads = (0..lines.len()).filter(|n| is_head(lines[*n]));
    heads
        .map(|line| {
            let below = lines[line + 1..].iter().take_while(|line| is_below(line)).count();
            Slip { kind: "removed declaration", line, lines: 1 + below, becomes: String::new() }
        })
        .collect()
}

/// What projects change of the default flows by `adapt`, and the line that each change needs.
pub(crate) const ADAPTED: &str = r#"use woocommerce as woo
use exact
use flows.orders
use flows.customers
use flows.tables
use flows.taxes

adapt fields orders.header {
  set YourRef          = "WEB-{base}"
  set Description      = "{base}".fit()
  set PaymentCondition = base ?? none
  remove PaymentReference
}

adapt mapping orders.sales_order {
  set WarehouseID = base ?? none
  set Remarks     = base ?? "-"
  remove ShippingMethod
}

adapt fields orders.charge {
  set Description = "{base}".fit()
}

adapt fields orders.cost_carriers {
  remove CostUnit
}

adapt mapping customers.person {
  set Phone = base ?? keep
}

adapt mapping customers.contact {
  remove Phone
}
"#;

/// Lines that [`ADAPTED`] changes of a module.
pub(crate) fn adapted(module: &str, text: &str) -> Vec<Slip> {
    let head = pattern(r"^adapt (\w+) (\w+)\.(\w+)");
    let name = pattern(r"^  (?:set|remove) (\w+)");
    let lines: Vec<&str> = text.lines().collect();
    let (mut found, mut within) = (Vec::new(), None);
    for line in ADAPTED.lines() {
        if let Some(adapt) = head.captures(line) {
            let declared = format!("{} {}(", &adapt[1], &adapt[3]);
            within = lines.iter().position(|line| module == &adapt[2] && line.starts_with(&declared));
        }
        let (Some(start), Some(name)) = (within, name.captures(line)) else { continue };
        let fill = format!("{} ", &name[1]);
        let body = lines[start..].iter().take_while(|line| **line != "}");
        if let Some(at) = body.into_iter().position(|line| line.trim_start().starts_with(&fill)) {
            found.push(Slip { kind: "removed adapt target", line: start + at, lines: 1, becomes: String::new() });
        }
    }
    found
}
