//! The administration that is always there: accounts, journals, VAT codes, units, a few items.

use serde_json::{Map, Value, json};

use super::cell::Cell;
use super::draft::{Draft, Hand, Write};
use super::geography;
use super::rules;
use super::schema::{Kind, schema};
use super::state::State;

/// Entities and their records; references are written as codes.
const MASTER: &str = include_str!("master.json");

/// From here on the division's items could be sold: 1 January 2015.
pub(super) const BEGINNING: i64 = 1_420_070_400_000;

/// First and last year that periods are kept for, and the last year that is closed.
const FIRST_YEAR: i64 = 2020;
const LAST_YEAR: i64 = 2035;
const CLOSED_YEAR: i64 = 2024;

/// Writes the master data into empty books.
pub(super) fn plant(state: &mut State) {
    let master: Value = serde_json::from_str(MASTER).expect("the master data is JSON");
    let master = master.as_object().expect("the master data names entities");
    for (path, rows) in master {
        for row in rows.as_array().expect("an entity has a list of records") {
            add(state, path, row);
        }
    }
    plant_oss(state);
    plant_periods(state);
}

fn add(state: &mut State, path: &str, row: &Value) {
    let entity = schema().find(path).unwrap_or_else(|| panic!("{path} is in the table"));
    let mut draft = Draft::read(state, entity, row, Write::Create, Hand::Person)
        .unwrap_or_else(|refusal| panic!("master data of {path}: {} {row}", refusal.text));
    let unnamed = draft.record.row.get(entity.key).is_null() && entity.property(entity.key).kind == Kind::Guid;
    if let (true, Some(code)) = (unnamed, row.get("Code").and_then(Value::as_str)) {
        let guid = state.named_guid(&format!("{path} {code}"));
        draft.record.row.set(entity.key, Cell::Guid(guid));
    }
    rules::create(state, draft, Hand::Person)
        .unwrap_or_else(|refusal| panic!("master data of {path}: {}", refusal.text));
}

/// A VAT code for each country and rate under the one-stop shop, for prices with tax and without.
///
/// Three characters: the country and a count, `DE1` (with tax) and `DE2` (without) for its standard
/// rate; two of them have older names that are in wide use here.
fn plant_oss(state: &mut State) {
    for country in geography::oss_countries() {
        for (at, rate) in country.rates.iter().enumerate() {
            for (kind, word, step) in [("I", "incl.", 1), ("E", "excl.", 2)] {
                let count = char::from_digit(u32::try_from(at).unwrap_or(0) * 2 + step, 36).unwrap_or('0');
                let code = match (country.code, at, kind) {
                    ("DE", 0, "I") => "D19".to_owned(),
                    ("BE", 0, "I") => "B21".to_owned(),
                    (code, ..) => format!("{code}{}", count.to_ascii_uppercase()),
                };
                let fraction =
                    rate.parse::<rust_decimal::Decimal>().unwrap_or_default() / rust_decimal::Decimal::ONE_HUNDRED;
                let row = json!({
                    "Code": code,
                    "Description": format!("BTW {} {rate}% {word} (OSS)", country.name),
                    "Type": kind,
                    "VATTransactionType": "S",
                    "OssCountry": country.code,
                    "Country": country.code,
                    "EUSalesListing": "N",
                    "GLToPay": "1510",
                    "GLToClaim": "1505",
                    "VATPercentages": [{"Percentage": fraction.normalize().to_string(), "Type": 0}],
                });
                add(state, "vat/VATCodes", &row);
            }
        }
    }
}

/// Monthly periods; years long past are closed for every journal.
fn plant_periods(state: &mut State) {
    let journals: Vec<String> =
        state.all("financial/Journals").filter_map(|journal| journal.text("Code").map(str::to_owned)).collect();
    for year in FIRST_YEAR..=LAST_YEAR {
        for month in 1..=12 {
            let first = format!("{year}-{month:02}-01");
            let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            let end = super::cell::time(&format!("{next_year}-{next_month:02}-01")).unwrap_or_default() - 86_400_000;
            let mut period = Map::new();
            period.insert("FinYear".to_owned(), json!(year));
            period.insert("FinPeriod".to_owned(), json!(month));
            period.insert("StartDate".to_owned(), json!(first));
            period.insert("EndDate".to_owned(), Cell::Time(end).to_plain());
            add(state, "financial/FinancialPeriods", &Value::Object(period));
            if year <= CLOSED_YEAR {
                for journal in &journals {
                    let row = json!({
                        "Year": year, "Period": month, "Journal": journal, "Status": 1, "StatusDescription": "Closed",
                    });
                    add(state, "read/financial/JournalStatusList", &row);
                }
            }
        }
    }
}
