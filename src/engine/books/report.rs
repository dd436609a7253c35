//! What a comparison comes to, as people and programs see it.

use super::allot::Sides;
use crate::store::Target;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Both sides of the books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// By day, code, country, way to pay and currency, in that order.
    pub rows: Vec<BookRow>,
    /// What is due and has no document: it is in no row.
    pub missing: Vec<Missing>,
    /// What is not due by now, though it was booked: it is in the rows as long as its document stands. And what a person has
    /// left out, which is in none.
    pub left: Vec<Left>,
}

/// What counts on a day under a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BookRow {
    /// The date that the documents have in the target.
    pub day: Date,
    /// The code of the tax; empty for lines without one.
    pub vat_code: String,
    /// The country as the source says it; empty where it says none.
    pub country: String,
    /// How it was paid; empty where nothing says so.
    pub method: String,
    /// The currency of the amounts.
    pub currency: String,
    /// What the source says, tax included.
    #[serde(serialize_with = "amount")]
    pub shop: Decimal,
    /// What the target has, tax included.
    #[serde(serialize_with = "amount")]
    pub ledger: Decimal,
    /// The source's less the target's.
    #[serde(serialize_with = "amount")]
    pub difference: Decimal,
    /// The documents that differ.
    pub documents: Vec<Differing>,
}

/// A document that differs, with what of it counts in the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// `orders:1001`
    pub id: String,
    /// The record of the target.
    pub target: Target,
    /// What people call that: its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// What the source says.
    #[serde(serialize_with = "amount")]
    pub shop: Decimal,
    /// What the target has.
    #[serde(serialize_with = "amount")]
    pub ledger: Decimal,
    /// Why, as far as it is known.
    pub why: String,
}

/// A record that is due and has no document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// `orders:1001`
    pub id: String,
    /// Why there is none.
    pub reason: String,
    /// The day on which it would count; none where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// What the source says that it comes to.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "amount_if_known")]
    pub shop: Option<Decimal>,
    /// The currency of that.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub currency: String,
}

/// A record that its flow or a person has left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// `orders:1001`
    pub id: String,
    /// Why.
    pub reason: String,
}

/// A document of the target, and what stands for it in the source.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub(super) id: String,
    pub(super) target: Target,
    pub(super) number: Option<String>,
    pub(super) day: Date,
    pub(super) country: String,
    pub(super) method: String,
    /// Of the source's amounts, and of the target's.
    pub(super) currencies: [String; 2],
    pub(super) sides: BTreeMap<Arc<str>, Sides>,
    pub(super) why: String,
}

/// What a row is known by.
type Place = (Date, String, String, String, String);

impl Reconciled {
    /// Whether nothing differs and nothing is missing.
    pub fn agrees(&self) -> bool {
        self.missing.is_empty() && self.rows.iter().all(|row| row.difference.is_zero() && row.documents.is_empty())
    }

    /// The rows that documents add up to.
    pub(super) fn rows_of(documents: &[Document]) -> Vec<BookRow> {
        let mut rows: BTreeMap<Place, BookRow> = BTreeMap::new();
        for document in documents {
            for (code, sides) in &document.sides {
                let [shop, ledger] = &document.currencies;
                if shop == ledger {
                    add(&mut rows, document, code, shop, (sides.shop, sides.ledger));
                } else {
                    add(&mut rows, document, code, shop, (sides.shop, Decimal::ZERO));
                    add(&mut rows, document, code, ledger, (Decimal::ZERO, sides.ledger));
                }
            }
        }
        rows.into_values().collect()
    }
}

fn add(
    rows: &mut BTreeMap<Place, BookRow>,
    document: &Document,
    code: &Arc<str>,
    currency: &str,
    (shop, ledger): (Decimal, Decimal),
) {
    let of = |text: &str| text.to_owned();
    let place = (document.day, of(code), of(&document.country), of(&document.method), of(currency));
    let row = rows.entry(place).or_insert_with(|| BookRow {
        day: document.day,
        vat_code: of(code),
        country: of(&document.country),
        method: of(&document.method),
        currency: of(currency),
        shop: Decimal::ZERO,
        ledger: Decimal::ZERO,
        difference: Decimal::ZERO,
        documents: Vec::new(),
    });
    row.shop += shop;
    row.ledger += ledger;
    row.difference += shop - ledger;
    if shop != ledger {
        row.documents.push(Differing {
            id: document.id.clone(),
            target: document.target.clone(),
            number: document.number.clone(),
            shop,
            ledger,
            why: document.why.clone(),
        });
    }
}

/// An amount as a number of JSON, in cents and never as a binary fraction.
fn amount<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    let raw = serde_json::value::RawValue::from_string(in_cents(*amount)).map_err(serde::ser::Error::custom)?;
    raw.serialize(serializer)
}

#[expect(clippy::ref_option, reason = "as serde calls it")]
fn amount_if_known<S: Serializer>(known: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    match known {
        Some(known) => amount(known, serializer),
        None => serializer.serialize_none(),
    }
}

/// `12.50`: with cents, and with what it has beyond them.
pub(super) fn in_cents(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}
