//! What both systems hold that a project's tables and answers are made of.

use crate::cli::Trouble;
use crate::cli::remote::Control;
use rust_decimal::Decimal;
use serde_json::Value;

/// Tables of a shop and of an administration.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The country of the administration.
    pub(super) home: String,
    /// Rates of the shop's tax table.
    pub(super) rates: Vec<Rate>,
    /// VAT codes that a sale may use.
    pub(super) vat_codes: Vec<VatCode>,
    /// Gateways of the shop, id and title.
    pub(super) gateways: Vec<(String, String)>,
    /// Shipping methods of the shop's zones: method and instance.
    pub(super) methods: Vec<(String, String)>,
    /// Code and description of the ledger's small tables, by entity.
    pub(super) codes: Vec<(&'static str, Vec<(String, String)>)>,
}

/// A rate of the shop's tax table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// The country; empty: any.
    pub(super) country: String,
    /// Percent.
    pub(super) percent: Decimal,
    /// It comes on top of another of the same country.
    pub(super) stacked: bool,
}

/// A VAT code of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VatCode {
    /// Its code.
    pub(super) code: String,
    /// Percent.
    pub(super) percent: Decimal,
    /// The country of a distance sale; none: at home.
    pub(super) country: Option<String>,
    /// Prices are given with it.
    pub(super) including: bool,
}

/// Entities whose codes settings ask for, and where the ledger keeps them.
const CODES: &[(&str, &str)] = &[
    ("Item", "logistics/Items"),
    ("Account", "crm/Accounts"),
    ("Journal", "financial/Journals"),
    ("Warehouse", "inventory/Warehouses"),
    ("GLAccount", "financial/GLAccounts"),
    ("PaymentCondition", "cashflow/PaymentConditions"),
    ("ShippingMethod", "sales/ShippingMethods"),
    ("ItemGroup", "logistics/ItemGroups"),
    ("Unit", "logistics/Units"),
];

impl Held {
    /// Asks the sandbox. It is no call of either API: the ledger's limits are left alone.
    pub(super) async fn of_sandbox(control: &Control) -> Result<Self, Trouble> {
        let mut held = Self { home: "NL".into(), ..Self::default() };
        if let Some(country) = control.list("ledger/hrm/Divisions").await?.first().and_then(|d| text(d, "Country")) {
            held.home = country;
        }
        held.rates = control.list("shop/taxes").await?.iter().filter_map(rate).collect();
        held.vat_codes = control.list("ledger/vat/VATCodes").await?.iter().filter_map(vat_code).collect();
        for gateway in control.list("shop/payment_gateways").await? {
            held.gateways.extend(text(&gateway, "id").zip(text(&gateway, "title")));
        }
        for zone in control.list("shop/shipping/zones").await? {
            let zone = number(&zone, "id").unwrap_or_default();
            for method in control.list(&format!("shop/shipping/zones/{zone}/methods")).await? {
                let instance = number(&method, "instance_id").unwrap_or_default();
                held.methods.extend(text(&method, "method_id").map(|id| (id, instance)));
            }
        }
        for (entity, resource) in CODES {
            let rows = control.list(&format!("ledger/{resource}")).await?;
            let usable =
                rows.iter().filter(|row| row.get("Blocked") != Some(&Value::Bool(true)) && may_owe(entity, row));
            let codes =
                usable.filter_map(|row| Some((text(row, "Code")?, text(row, "Description").unwrap_or_default())));
            held.codes.push((entity, codes.collect()));
        }
        Ok(held)
    }

    /// The codes of an entity.
    pub(super) fn codes_of(&self, entity: &str) -> &[(String, String)] {
        self.codes.iter().find(|(name, _)| *name == entity).map_or(&[], |(_, codes)| codes)
    }
}

/// A debtor must be a customer of the administration.
fn may_owe(entity: &str, row: &Value) -> bool {
    entity != "Account" || text(row, "Status").as_deref() == Some("C")
}

fn rate(row: &Value) -> Option<Rate> {
    Some(Rate {
        country: area(row),
        percent: decimal(row, "rate")?.normalize(),
        stacked: number(row, "priority").is_some_and(|n| n != "1"),
    })
}

/// The country that a rate is for: a part of one may count as another, as `vat.area` of the library has it.
fn area(row: &Value) -> String {
    let country = text(row, "country").unwrap_or_default();
    let state = text(row, "state").unwrap_or_default();
    let postcodes: Vec<&str> =
        row.get("postcodes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let all_begin =
        |with: [&str; 2]| !postcodes.is_empty() && postcodes.iter().all(|p| with.iter().any(|w| p.starts_with(w)));
    let of = match (&*country, &*state) {
        ("GB", _) if all_begin(["BT", "BT"]) => "XI",
        ("ES", "GC" | "TF") => "IC",
        ("ES", "CE" | "ML") => "EA",
        ("ES", _) if all_begin(["35", "38"]) => "IC",
        ("ES", _) if all_begin(["51", "52"]) => "EA",
        _ => return country,
    };
    of.to_owned()
}

fn vat_code(row: &Value) -> Option<VatCode> {
    let sold = matches!(text(row, "VATTransactionType").as_deref(), Some("S" | "B"));
    if !sold || row.get("IsBlocked") == Some(&Value::Bool(true)) {
        return None;
    }
    let including = match text(row, "Type").as_deref() {
        Some("I") => true,
        Some("E") => false,
        _ => return None,
    };
    let percent = (decimal(row, "Percentage")? * Decimal::ONE_HUNDRED).normalize();
    Some(VatCode { code: text(row, "Code")?, percent, country: text(row, "OssCountry"), including })
}

fn text(row: &Value, member: &str) -> Option<String> {
    row.get(member)?.as_str().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A number as it stands in the JSON, whether in quotes or not.
fn number(row: &Value, member: &str) -> Option<String> {
    match row.get(member)? {
        Value::Number(n) => Some(n.to_string()),
        Value::String(n) => Some(n.clone()),
        _ => None,
    }
}

fn decimal(row: &Value, member: &str) -> Option<Decimal> {
    let text = number(row, member)?;
    Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}
