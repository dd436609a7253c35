//! The text of a new `project.flow`.

use super::held::Held;
use super::shipped::{self, Module, Question};
use super::{Chosen, Plan, quoted, rows};
use std::fmt::Write as _;

/// A project as text, and what is to be told of it.
pub(crate) struct Project {
    /// The file.
    pub(crate) text: String,
    /// The flows that are on.
    pub(crate) flows: Vec<String>,
    /// Settings that nobody has answered and that have no default.
    pub(crate) open: Vec<String>,
}

/// Answers that a made-up administration has: the setting, and the code.
const USUAL: &[(&str, &str)] = &[
    ("shipping_item", "SHIP"),
    ("fee_item", "FEE"),
    ("rounding_item", "ROUND"),
    ("gift_card_item", "GIFT"),
    ("refund_item", "REFUND"),
    ("discount_item", "DISC"),
    ("placeholder_item", "MISC"),
    ("journal", "70"),
    ("memorial", "90"),
    ("clearing", "2000"),
    ("default_debtor", "9999"),
    ("warehouse", "1"),
];

pub(super) fn project(plan: &Plan) -> Project {
    let Chosen { flows, modules } = &plan.chosen;
    let mut text =
        "## What moves between this shop and this administration, and how it differs from the default flows.\n"
            .to_owned();
    let _ = writeln!(text, "edition 2026\nzone {}\n", quoted(&plan.zone));
    connect(&mut text, "shop", "woocommerce", &plan.shop);
    connect(&mut text, "books", "exact", &plan.books);
    text.push_str("use woocommerce as woo\nuse exact\n");
    for module in modules {
        let _ = writeln!(text, "use flows.{}", module.name);
    }
    if !flows.is_empty() {
        let _ = writeln!(text, "\nrun {}", flows.join(", "));
    }
    let mut open = Vec::new();
    for module in modules {
        answers(&mut text, plan, module, &mut open);
    }
    if let Some(held) = &plan.held {
        // What no flow that is on looks up would be a change in vain.
        if plan.chosen.runs(&["orders.orders", "refunds.refunds"]) {
            let about = "The rates of the shop's tax table, and the ledger's codes for them.";
            table(&mut text, about, "vat_code", &rows::vat(held));
        }
        if plan.chosen.runs(&["orders.orders"]) {
            table(&mut text, "The shop's ways to pay.", "payment_condition", &rows::payment(held));
        }
    }
    Project { text, flows: flows.clone(), open }
}

fn connect(text: &mut String, name: &str, connector: &str, entries: &[(&'static str, String)]) {
    let _ = writeln!(text, "connect {name} to {connector} {{");
    lines(text, entries);
    text.push_str("}\n\n");
}

/// `name = value`, the signs below each other.
fn lines<N: AsRef<str>>(text: &mut String, entries: &[(N, String)]) {
    let width = entries.iter().map(|(name, _)| name.as_ref().len()).max().unwrap_or_default();
    for (name, value) in entries {
        let _ = writeln!(text, "  {:width$} = {value}", name.as_ref());
    }
}

fn answers(text: &mut String, plan: &Plan, module: &Module, open: &mut Vec<String>) {
    let mut given: Vec<(&str, String)> = Vec::new();
    for question in &module.questions {
        let said =
            plan.given.get(&format!("{}.{}", module.name, question.name)).or_else(|| plan.given.get(&question.name));
        let answer = match (said, &plan.held) {
            (Some(said), _) => Some(literal(said, question)),
            (None, Some(held)) => usual(held, question),
            (None, None) => None,
        };
        match answer {
            Some(answer) => given.push((&question.name, answer)),
            None if !question.optional => open.push(format!("{}.{}", module.name, question.name)),
            None => {}
        }
    }
    if !given.is_empty() {
        let _ = writeln!(text, "\nsettings for {} {{", module.name);
        lines(text, &given);
        text.push_str("}\n");
    }
}

/// What is said on the command line, as the language writes it.
fn literal(said: &str, question: &Question) -> String {
    let plain = question.code_of.is_none()
        && (matches!(said, "yes" | "no" | "none")
            || said.starts_with(['"', '['])
            || said.parse::<rust_decimal::Decimal>().is_ok());
    if plain { said.to_owned() } else { quoted(said) }
}

/// The code that is usual for a question, when the ledger has it; else its first, when there must be one of some kind.
fn usual(held: &Held, question: &Question) -> Option<String> {
    let codes = held.codes_of(question.code_of.as_deref()?);
    let usual = USUAL.iter().find(|(name, _)| *name == question.name).map(|(_, code)| *code);
    let found = codes.iter().find(|(code, _)| Some(&**code) == usual);
    // Where money is booked is nobody's guess.
    let guessed = !question.optional && !matches!(question.code_of.as_deref(), Some("Journal" | "GLAccount"));
    let found = if guessed { found.or(codes.first()) } else { found };
    found.map(|(code, _)| quoted(code))
}

/// Rows of a table that says something else than what ships.
fn table(text: &mut String, about: &str, name: &str, rows: &[String]) {
    let shipped: Vec<String> = shipped::rows_of(name).into_iter().map(shipped::without_blanks).collect();
    let rows: Vec<&String> = rows.iter().filter(|row| !shipped.contains(&shipped::without_blanks(row))).collect();
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n# {about}\nadapt lookup tables.{name} {{");
    for row in rows {
        let _ = writeln!(text, "  {row}");
    }
    text.push_str("}\n");
}
