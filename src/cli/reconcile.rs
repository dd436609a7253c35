//! `flowc reconcile`: the second opinion on money, both sides by day, VAT code, country, way to pay and currency.

use super::moment::Moments;
use super::moved;
use super::open::{self, Answers, open};
use super::run::trouble;
use super::screen::Screen;
use super::store::Stored;
use super::tell::{COLUMNS, Lines, Teller, wrapped};
use super::{Answer, Format, Global, Outcome, Trouble, interrupted, runtime};
use crate::engine::{BookRow, Cancel, Days, PassError, Reconciled};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Which column says how it was paid, and how wide it may be.
const METHOD: usize = 3;
const METHOD_COLUMNS: u16 = 25;
/// From which column on amounts stand.
const AMOUNTS: usize = 5;

/// The arguments of `reconcile`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The first day, such as 2026-01-01: the date that documents have in the ledger.
    #[arg(long, value_name = "DAY")]
    from: String,
    /// The last day.
    #[arg(long, value_name = "DAY")]
    to: String,
    #[command(flatten)]
    answers: Answers,
    #[command(flatten)]
    stored: Stored,
}

/// Compares both sides.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let days = Days { from: day(&arguments.from)?, to: day(&arguments.to)? };
    if days.to < days.from {
        return Err(Trouble::Misuse(format!("{} lies before {}: --from is the first day", days.to, days.from)));
    }
    let workspace = open(screen, global, &arguments.answers)?;
    if let Some(moved) = moved::moved(workspace.root(), || workspace.defaults())? {
        Screen::tell(&format!("warning: {moved}; what counts under which code may be another than a run books"));
    }
    let reconciled = runtime()?.block_on(async {
        let engine = open::engine(&workspace, arguments.stored.store.as_deref(), "reconcile").await?;
        let cancel = Cancel::default();
        let teller = Teller::new(screen, Moments::of(workspace.program()), Lines::Trouble, false);
        let reconciled = tokio::select! {
            reconciled = engine.reconcile(days, &cancel) => reconciled,
            never = teller.tell_pauses(&engine) => match never {},
            () = interrupted() => Err(PassError::Cancelled),
        };
        teller.end();
        for (name, remark) in engine.remarks() {
            teller.say(&format!("{name}: {remark}"));
        }
        reconciled.map_err(|ending| trouble(&ending))
    })?;
    match screen.format() {
        Format::Human => Screen::answer(&for_people(&reconciled, days))?,
        Format::Json | Format::Sarif => Screen::answer(&for_programs(&reconciled)?)?,
    }
    Ok(if reconciled.agrees() { Outcome::Done } else { Outcome::Wrong })
}

fn day(text: &str) -> Result<Date, Trouble> {
    text.parse().map_err(|_| Trouble::Misuse(format!("`{text}` is no day: write it as 2026-01-31")))
}

/// One list: the rows, then what is in none of them.
fn for_programs(reconciled: &Reconciled) -> Result<String, Trouble> {
    let bug = |e: serde_json::Error| Trouble::Bug(format!("an answer has no form as JSON: {e}"));
    let mut lines = reconciled.rows.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>().map_err(bug)?;
    let missing = serde_json::to_string(&reconciled.missing).map_err(bug)?;
    let left = serde_json::to_string(&reconciled.left).map_err(bug)?;
    lines.push(format!("{{\"missing\":{missing},\"left\":{left}}}"));
    Ok(format!("[{}]", lines.join(",\n ")))
}

/// A table that fits 80 columns, then which documents differ and why, what is missing, what was left.
fn for_people(reconciled: &Reconciled, days: Days) -> String {
    let mut text = format!("Both sides from {} to {}, tax included.\n\n", days.from, days.to);
    if reconciled.rows.is_empty() {
        text.push_str("There is no document of these days.\n");
    } else {
        let _ = writeln!(text, "{}", table(&reconciled.rows));
    }
    let differing = differing(&reconciled.rows);
    let mut list = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = write!(text, "\n{title}\n{}\n", lines.join("\n"));
        }
    };
    list("Documents that differ:", differing);
    let missing = reconciled.missing.iter().map(|missing| {
        let day = missing.day.map(|day| format!(", {day}")).unwrap_or_default();
        let amount = missing.shop.map(|shop| format!(", {} {}", money(shop), missing.currency)).unwrap_or_default();
        item(&format!("{}{day}{amount}: {}", missing.id, missing.reason))
    });
    list("Due, and without a document (in no sum):", missing.collect());
    let left = reconciled.left.iter().map(|left| item(&format!("{}: {}", left.id, left.reason)));
    list("Not due by now, or left out:", left.collect());
    let says =
        if reconciled.agrees() { "Nothing differs, and nothing is missing." } else { "The two sides do not agree." };
    let _ = write!(text, "\n{says}\n");
    text
}

fn item(text: &str) -> String {
    wrapped(&format!("  {}", text.replace('\n', " ")), COLUMNS)
}

/// Each document once, with what it comes to on both sides as far as its rows show it.
fn differing(rows: &[BookRow]) -> Vec<String> {
    let mut documents: BTreeMap<&str, (String, Vec<String>, &str)> = BTreeMap::new();
    for row in rows {
        for one in &row.documents {
            let entity = one.target.entity.rsplit('.').next().unwrap_or_default();
            let called = one.number.as_deref().unwrap_or(&one.target.id);
            let said = documents
                .entry(&one.id)
                .or_insert_with(|| (format!("{}, {entity} {called}", one.id), Vec::new(), &one.why));
            let (shop, ledger) = (money(one.shop), money(one.ledger));
            said.1.push(format!("under VAT {} {shop} in the shop, {ledger} in the ledger", code(&row.vat_code)));
        }
    }
    documents
        .into_values()
        .map(|(name, amounts, why)| item(&format!("{name}: {}; {why}", amounts.join(", "))))
        .collect()
}

fn table(rows: &[BookRow]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(COLUMNS).unwrap_or(u16::MAX));
    table.set_header(["day", "VAT", "to", "method", "cur.", "shop", "ledger", "difference"]);
    let mut sums: BTreeMap<&str, [Decimal; 3]> = BTreeMap::new();
    for row in rows {
        let amounts = [row.shop, row.ledger, row.difference];
        let [shop, ledger, difference] = amounts.map(money);
        let day = row.day.to_string();
        table.add_row([
            &*day,
            code(&row.vat_code),
            &row.country,
            &row.method,
            &row.currency,
            &shop,
            &ledger,
            &difference,
        ]);
        let sum = sums.entry(&row.currency).or_default();
        sum.iter_mut().zip(amounts).for_each(|(sum, amount)| *sum += amount);
    }
    for (currency, sum) in sums {
        let [shop, ledger, difference] = sum.map(money);
        table.add_row(["together", "", "", "", currency, &shop, &ledger, &difference]);
    }
    for (n, column) in table.column_iter_mut().enumerate() {
        if n >= AMOUNTS {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let named = ColumnConstraint::UpperBoundary(Width::Fixed(METHOD_COLUMNS));
        column.set_padding((0, 1));
        column.set_constraint(if n == METHOD { named } else { ColumnConstraint::ContentWidth });
    }
    table
}

/// The code of a row; a line without one has none.
fn code(code: &str) -> &str {
    if code.is_empty() { "-" } else { code }
}

/// `1210.00`
fn money(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}
