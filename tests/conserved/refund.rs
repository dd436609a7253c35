//! Refunds of orders, as the shop's interface gives them: of all that was ordered, of some of its lines and pieces, of an amount.

use crate::chance::Chance;
use crate::ledger::number;
use crate::shop::{Order, cents};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// A refund, with what is paid back.
pub(crate) struct Refund {
    /// As the shop's interface gives it.
    pub(crate) json: Value,
    /// What is paid back.
    pub(crate) amount: Decimal,
}

fn text(amount: Decimal) -> String {
    format!("{amount:.6}")
}

/// A refund of an order; none of what cost nothing, or where the lines that were chosen are worth nothing.
pub(crate) fn refund(chance: &mut Chance, order: &Order) -> Option<Refund> {
    let by_amount = chance.percent(25);
    let mut json = json!({
        "id": number(&order.json["id"]).to_string().parse::<u64>().unwrap() + 1_000_000, "parent_id": order.json["id"],
        "date_created_gmt": "2026-11-21T09:00:00", "reason": "Broken", "refunded_by": 1, "refunded_payment": false,
        "meta_data": [], "line_items": [], "shipping_lines": [], "fee_lines": [], "tax_lines": [],
    });
    let mut sum = Decimal::ZERO;
    if by_amount {
        sum = cents(order.total * Decimal::new(i64::try_from(chance.between(1, 100)).unwrap(), 2));
    } else {
        let all = chance.percent(40);
        for list in ["line_items", "shipping_lines", "fee_lines"] {
            let lines: Vec<Value> = order.json[list].as_array().unwrap().clone();
            for line in lines.iter().filter(|line| !number(&line["total"]).is_zero()) {
                if all || chance.percent(50) {
                    let (line, amount) = line_back(chance, line, all);
                    sum += amount;
                    json[list].as_array_mut().unwrap().push(line);
                }
            }
        }
    }
    let amount = cents(sum);
    // The shop pays back what was paid, and no more.
    if amount <= Decimal::ZERO || amount > order.total {
        return None;
    }
    json["amount"] = json!(text(amount));
    Some(Refund { json, amount })
}

/// A line, or some of its pieces: people type cents, and the shop takes the taxes beside them.
fn line_back(chance: &mut Chance, line: &Value, all: bool) -> (Value, Decimal) {
    let mut back = line.clone();
    let pieces = line.get("quantity").map_or(Decimal::ONE, number);
    let whole = all || pieces <= Decimal::ONE || pieces.fract() != Decimal::ZERO;
    let some = if whole {
        pieces
    } else {
        Decimal::from(chance.between(1, u64::try_from(pieces.trunc().mantissa()).unwrap()))
    };
    let part = |amount: &Value| cents(-number(amount) * some / pieces);
    let mut taxes = Decimal::ZERO;
    for tax in back["taxes"].as_array_mut().unwrap() {
        let amount = part(&tax["total"]);
        taxes += amount;
        *tax = json!({"id": tax["id"], "total": text(amount), "subtotal": ""});
    }
    let net = part(&line["total"]);
    if line.get("quantity").is_some() {
        back["quantity"] = serde_json::from_str(&(-some).normalize().to_string()).unwrap();
        back["subtotal"] = json!(text(net));
        back["subtotal_tax"] = json!(text(taxes));
    }
    back["total"] = json!(text(net));
    back["total_tax"] = json!(text(taxes));
    (back, -(net + taxes))
}
