//! Administrations that the shop's orders are booked in, and what a document comes to there: by the test's own arithmetic.

use crate::shop::{ITEMS, cents};
use flowc::eval::{Compiled, Evaluated, Given, Pending, entity_named};
use flowc::ir::{EntityId, Program, Stop};
use flowc::workspace::Workspace;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What an order becomes, and how an administration wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) document: &'static str,
    pub(crate) discounts: &'static str,
    /// Codes of prices include the tax.
    pub(crate) including: bool,
    pub(crate) pieces: &'static str,
}

/// Each document, both forms of discounts, codes of both types, both signs of credits.
pub(crate) const KINDS: [Kind; 8] = [
    Kind { document: "sales_order", discounts: "in_price", including: true, pieces: "positive" },
    Kind { document: "sales_order", discounts: "beside_price", including: true, pieces: "positive" },
    Kind { document: "sales_order", discounts: "beside_price", including: false, pieces: "positive" },
    Kind { document: "sales_invoice", discounts: "in_price", including: true, pieces: "negative" },
    Kind { document: "sales_invoice", discounts: "beside_price", including: false, pieces: "positive" },
    Kind { document: "direct_invoice", discounts: "in_price", including: false, pieces: "negative" },
    Kind { document: "direct_invoice", discounts: "beside_price", including: true, pieces: "positive" },
    Kind { document: "sales_entry", discounts: "in_price", including: true, pieces: "positive" },
];

/// VAT codes: country, rate in thousandths, the code for prices, that for amounts without tax.
const CODES: [(&str, i64, &str, &str); 12] = [
    ("NL", 210, "5", "4"),
    ("NL", 90, "3", "2"),
    ("BE", 210, "BE1", "BE3"),
    ("BE", 60, "BE2", "BE4"),
    ("DE", 190, "DE1", "DE3"),
    ("DE", 70, "DE2", "DE4"),
    ("FR", 200, "FR1", "FR3"),
    ("FR", 55, "FR2", "FR4"),
    ("FI", 255, "FI1", "FI3"),
    ("FI", 140, "FI2", "FI4"),
    ("IE", 230, "IE1", "IE3"),
    ("IE", 135, "IE2", "IE4"),
];
/// Codes without tax: none, what is exported, what is reversed.
const UNTAXED: [&str; 3] = ["0", "6", "7"];

/// A project on an administration.
pub(crate) struct Ledger {
    pub(crate) kind: Kind,
    workspace: Workspace,
    /// Rate of each code, and whether its prices include it.
    codes: BTreeMap<String, (Decimal, bool)>,
    _folder: tempfile::TempDir,
}

/// What came of a record.
pub(crate) enum Came {
    /// Its document, and what that comes to.
    Booked(Value, Decimal),
    Parked(String),
}

impl Ledger {
    pub(crate) fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("project.flow"), project(kind)).unwrap();
        let workspace = Workspace::open(folder.path().to_owned(), &[]).unwrap_or_else(|checked| {
            let told = checked.diagnostics.iter().map(|d| format!("{:?} {}", d.code, d.message));
            panic!("{}", told.collect::<Vec<_>>().join("\n"))
        });
        let taxed = CODES.iter().flat_map(|(_, rate, price, net)| {
            let rate = Decimal::new(*rate, 3);
            [((*price).to_owned(), (rate, kind.including)), ((*net).to_owned(), (rate, false))]
        });
        let untaxed = UNTAXED.iter().map(|code| ((*code).to_owned(), (Decimal::ZERO, false)));
        Self { kind, codes: taxed.chain(untaxed).collect(), workspace, _folder: folder }
    }

    fn compiled(&self) -> &Compiled {
        self.workspace.compiled()
    }

    fn program(&self) -> &Program {
        self.compiled().program()
    }

    fn entity(&self, name: &str) -> EntityId {
        entity_named(self.program(), name).unwrap()
    }

    fn document(&self) -> &'static str {
        match self.kind.document {
            "sales_order" => "exact.SalesOrder",
            "sales_entry" => "exact.SalesEntry",
            _ => "exact.SalesInvoice",
        }
    }

    /// What the administration holds.
    pub(crate) fn held(&self) -> Given {
        let mut given = Given::empty(jiff::Timestamp::from_second(1_795_000_000).unwrap());
        let mut add = |entity: &str, row: Value| {
            let Value::Object(row) = row else { panic!("{row} is no row") };
            given.add(self.program(), self.entity(entity), &row).unwrap();
        };
        let beside = ["SHIP", "FEE", "GIFT", "ROUND", "REFUND"].map(|code| (code, false));
        for (code, fractions) in ITEMS.into_iter().chain(beside) {
            add("exact.Item", json!({"Code": code, "IsFractionAllowedItem": fractions}));
        }
        for (code, (rate, including)) in &self.codes {
            let kind = if rate.is_zero() {
                "N"
            } else if *including {
                "I"
            } else {
                "E"
            };
            let rate: Value = serde_json::from_str(&rate.to_string()).unwrap();
            add("exact.VATCode", json!({"Code": code, "Type": kind, "Percentage": rate}));
        }
        for (entity, codes) in [
            ("exact.ShippingMethod", vec!["PNL"]),
            ("exact.PaymentCondition", vec!["IM", "30", "00"]),
            ("exact.Warehouse", vec!["1"]),
            ("exact.Journal", vec!["70"]),
            ("exact.GLAccount", vec!["8000", "1600"]),
        ] {
            codes.into_iter().for_each(|code| add(entity, json!({"Code": code})));
        }
        given
    }

    /// What is held once an order is booked.
    pub(crate) fn held_with(&self, order: &Value) -> Given {
        let mut held = self.held();
        let (orders, document) = (self.entity("woocommerce.Order"), self.entity(self.document()));
        held.add_row(self.program(), orders, order.clone());
        let (reference, account) = (&order["number"], "00000000-0000-0000-0000-00000000000a");
        let mut row = json!({"YourRef": reference, "Currency": order["currency"]});
        let more = match self.kind.document {
            "sales_order" => json!({"OrderNumber": 26001, "OrderedBy": account}),
            "sales_entry" => json!({"Customer": account, "Journal": "70"}),
            "direct_invoice" => {
                json!({"OrderedBy": account, "Journal": "70", "Status": 20, "Type": 8023, "Warehouse": account})
            }
            _ => json!({"OrderedBy": account, "Journal": "70", "Status": 20, "Type": 8020}),
        };
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let key = held.add(self.program(), document, row.as_object().unwrap()).unwrap();
        held.link((orders, &order["id"].to_string()), (document, &key), None);
        held
    }

    /// What is to stand on the credit of so much.
    pub(crate) fn credit_of(&self, amount: Decimal) -> Decimal {
        let note = matches!(self.kind.document, "sales_invoice" | "direct_invoice");
        if note && self.kind.pieces == "positive" { amount } else { -amount }
    }

    /// What a flow makes of a record, where that is held.
    pub(crate) fn book(&self, flow: &str, record: &Value, held: &Given) -> Came {
        let flow = self.program().flows.iter().position(|known| known.name.ends_with(flow)).unwrap();
        let set = match self.compiled().unit(flow, &record.to_string(), held) {
            Evaluated::WriteSet(set) => set,
            Evaluated::Stopped(Stop::Fail, failure, _) => return Came::Parked(failure.reason),
            other => panic!("{other:?} of {record}"),
        };
        let (program, document) = (self.program(), self.entity(self.document()));
        let draft = set.drafts.iter().find(|draft| draft.entity == document).unwrap();
        let body = draft.create_body(program.entries_of(program.entity(document)));
        let body: Value = serde_json::from_str(&Pending::shown(&body)).unwrap();
        let total = self.total(&body);
        Came::Booked(body, total)
    }

    /// What a document comes to: of amounts their sum; of prices each line to cents, and by code the tax of their sum.
    fn total(&self, body: &Value) -> Decimal {
        if let Some(lines) = body["SalesEntryLines"].as_array() {
            return lines
                .iter()
                .map(|line| cents(number(&line["AmountFC"])) + cents(number(&line["VATAmountFC"])))
                .sum();
        }
        let lines = body.get("SalesOrderLines").or_else(|| body.get("SalesInvoiceLines")).and_then(Value::as_array);
        let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
        for line in lines.unwrap() {
            let amount = cents(number(&line["Quantity"]) * number(&line["NetPrice"]));
            *sums.entry(line["VATCode"].as_str().unwrap().trim()).or_default() += amount;
        }
        sums.into_iter()
            .map(|(code, sum)| {
                let (rate, including) = self.codes[code];
                if including { sum } else { sum + cents(sum * rate) }
            })
            .sum()
    }
}

/// A number of JSON, or in a text.
pub(crate) fn number(value: &Value) -> Decimal {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap_or_else(|_| panic!("{value} is no number"))
}

/// The project: what ships, with its settings and the rows that the rates need.
fn project(kind: Kind) -> String {
    let mut rows = String::new();
    for (country, thousandths, price, net) in CODES {
        let rate = (Decimal::new(thousandths, 1)).normalize();
        let _ = writeln!(rows, "  \"{country}\", {rate}%, \"taxed\", \"price\", _ => \"{price}\"");
        let _ = writeln!(rows, "  \"{country}\", {rate}%, \"taxed\", \"net\", _ => \"{net}\"");
    }
    include_str!("project.flow")
        .replace("DOCUMENT", kind.document)
        .replace("DISCOUNTS", kind.discounts)
        .replace("PIECES", kind.pieces)
        .replace("  # ROWS\n", &rows)
}
