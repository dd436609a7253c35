//! Entities that programs read and write: own ones, declared by each program, and what programs use of the shipped ones.

use crate::program::{Limit, TEXT, Ty};
use std::sync::LazyLock;

/// Closed lists: the name of the declaration, or none where it stands in place.
pub(crate) const CHOICES: [(&str, &[&str]); 2] = [("Size", &["big", "small", "odd"]), ("", &["good", "bad"])];

/// What a number is in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    /// In quotes.
    InText,
    /// A rate of 21 is 0.21.
    Fraction,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// What records call it.
    pub(crate) wire: &'static str,
    pub(crate) ty: Ty,
    pub(crate) form: Form,
    /// A record is none without it.
    pub(crate) required: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Entity {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<Field>,
}

impl Entity {
    pub(crate) fn field(&self, name: &str) -> &Field {
        self.fields.iter().find(|field| field.name == name).expect("programs name fields that are there")
    }
}

/// The entity of that name.
pub(crate) fn entity(name: &str) -> &'static Entity {
    ENTITIES.iter().find(|entity| entity.name == name).expect("programs name entities that are there")
}

/// From which entity to which a program goes: own ones mostly, since they hold fields of all types.
pub(crate) const WORLDS: [(&str, &str); 4] =
    [("Input", "Doc"), ("woo.Order", "exact.Item"), ("woo.Order", "exact.Account"), ("woo.Order", "woo.Order")];

/// What stands in the place of a key: programs make their document whatever there is.
pub(crate) const HEADER: &str = "create unless no";

/// What each program with own entities declares.
const OWN: &str = r#"
entity Input {
  id: int
  name: text
  note: text?
  code: text(8)
  mark: text(5)?
  gross: gross
  paid_back: gross?
  net: net
  extra_net: net?
  tax: tax
  extra_tax: tax?
  rate: percent
  low_rate: percent?
  count: int
  limit: int?
  weight: decimal
  height: decimal?
  paid: bool
  checked: bool?
  day: date
  due: date?
  at: instant
  land: country
  home: country?
  money: currency
  other_money: currency?
  mail: email?
  sender: email
  key: guid
  other_key: guid?
  size: Size
  other_size: Size?
  mood: "good" | "bad"
  other_mood: "good" | "bad"?
  piece: Piece
  spare: Piece?
  rows: list<Row>
  tags: list<text>
  codes: list<text(4)>
  rates: list<percent>
  counts: list<int>
  nets: list<net>
  lands: list<country>
  days: list<date>
}

entity Piece {
  title: text(20)
  city: text?
  pages: int?
  worth: net?
  share: percent
  from: country?
}

entity Row {
  sku: text(12)?
  label: text
  pieces: int
  net: net
  tax: tax
  gross: gross
  rate: percent
  weight: decimal?
  size: Size
  words: list<text>
}

entity Doc {
  Number: text
  Name: text(12)?
  Short: text(6 utf16)?
  Total: gross?
  Net: net?
  Tax: tax?
  Rate: percent
  OtherRate: percent?
  Count: int
  OtherCount: int?
  Weight: decimal?
  Ready: bool?
  Sure: bool?
  Day: date?
  Land: country?
  Other: country?
  Money: currency?
  Mail: email?
  Key: guid?
  Size: Size?
  Mood: "good" | "bad"?
  Any: json?
  Place: Piece?
  Spare: Piece?
  Lines: list<Line>
  Rates: list<percent>?
  Counts: list<int>?
  Words: list<text>?
  Marks: list<text(4)>?
  Lands: list<country>?
  Sizes: list<Size>?
  Nets: list<net>?
}

entity Line {
  Item: text(12)
  Net: net
  Gross: gross?
  Rate: percent
  Pieces: int?
  Text: text?
  From: country?
  Size: Size?
  Piece: Piece?
  Words: list<text>?
}
"#;

/// What programs use of the shipped schemas, in the same form. Behind the type: the form of its numbers, the name that
/// records have for it, and whether it may be left out all the same.
const SHIPPED: &str = r"
entity woo.Order {
  id: int
  parent_id: int?
  number: text(20)
  currency: currency free
  date_created: instant wire=date_created_gmt
  date_modified: instant wire=date_modified_gmt
  total: gross quoted
  total_tax: tax quoted
  shipping_total: net quoted
  prices_include_tax: bool
  customer_note: text?
  payment_method: text?
  payment_method_title: text?
  billing: woo.Billing free
  shipping: woo.Shipping free
  line_items: list<woo.LineItem> free
  fee_lines: list<woo.FeeLine> free
}

entity woo.Billing {
  first_name: text?
  last_name: text?
  company: text?
  city: text?
  country: country?
}

entity woo.Shipping {
  first_name: text?
  last_name: text?
  company: text?
  city: text?
  country: country?
}

entity woo.LineItem {
  name: text
  sku: text?
  quantity: decimal
  subtotal: net quoted
  total: net quoted
  total_tax: tax quoted
}

entity woo.FeeLine {
  name: text
  total: net quoted
  total_tax: tax quoted
}

entity exact.Item {
  Code: text(30 utf16)
  Description: text(60 utf16)
  Barcode: text(20 utf16)?
  CostPriceCurrency: currency?
  CostPriceNew: decimal?
  FreeBoolField_01: bool free
  FreeNumberField_01: decimal?
  FreeTextField_01: text?
  ExtraDescription: text(255 utf16)?
}

entity exact.Account {
  Name: text(50 utf16)
  City: text(40 utf16)?
  Country: country?
  CreditLineSales: decimal?
  DiscountSales: percent? fraction
  Email: email?
  CanDropShip: bool free
  EORINumber: text?
  CompanySize: guid?
  EstablishedDate: date?
}
";

static ENTITIES: LazyLock<Vec<Entity>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for line in OWN.lines().chain(SHIPPED.lines()) {
        if let Some(name) = line.strip_prefix("entity ") {
            all.push(Entity { name: name.trim_end_matches(" {"), fields: Vec::new() });
        } else if let Some((name, rest)) = line.trim().split_once(": ") {
            let of: &mut Entity = all.last_mut().expect("fields stand in an entity");
            of.fields.push(field(name, rest));
        }
    }
    all
});

fn field(name: &'static str, text: &'static str) -> Field {
    let (mut words, mut ty): (Vec<&'static str>, &'static str) = (Vec::new(), text);
    while let Some((rest, word)) = ty.rsplit_once(' ')
        && (["quoted", "fraction", "free"].contains(&word) || word.starts_with("wire="))
    {
        words.push(word);
        ty = rest;
    }
    let ty = read(ty);
    let form = match words.as_slice() {
        ["quoted"] => Form::InText,
        ["fraction"] => Form::Fraction,
        _ => Form::Plain,
    };
    let wire = words.iter().find_map(|word| word.strip_prefix("wire=")).unwrap_or(name);
    let required = !ty.is_optional() && !words.contains(&"free");
    Field { name, wire, ty, form, required }
}

/// A type as it is written in the schemas above.
fn read(text: &'static str) -> Ty {
    if let Some(inner) = text.strip_suffix('?') {
        return read(inner).optional();
    }
    if let Some(element) = text.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
        return read(element).list();
    }
    if let Some(limit) = text.strip_prefix("text(").and_then(|rest| rest.strip_suffix(')')) {
        let (most, unit) = limit.split_once(' ').unwrap_or((limit, ""));
        let most = most.parse().expect("a length is a number");
        return Ty::Text(Some(Limit { most, utf16: unit == "utf16" }));
    }
    match text {
        "bool" => Ty::Bool,
        "int" => Ty::Int,
        "decimal" => Ty::Decimal,
        "percent" => Ty::Rate,
        "net" => Ty::Net,
        "gross" => Ty::Gross,
        "tax" => Ty::Tax,
        "text" => TEXT,
        "date" => Ty::Date,
        "instant" => Ty::Instant,
        "country" => Ty::Country,
        "currency" => Ty::Currency,
        "email" => Ty::Email,
        "guid" => Ty::Guid,
        "json" => Ty::Json,
        "Size" => Ty::Choice(0),
        _ if text.starts_with('"') => Ty::Choice(1),
        part => Ty::Part(part),
    }
}

/// Fields that a program may fill, where what is read and what is written differ.
pub(crate) fn fillable(entity: &str) -> Vec<&'static Field> {
    let read_only = [
        "id",
        "number",
        "date_created",
        "date_modified",
        "total_tax",
        "shipping_total",
        "prices_include_tax",
        "parent_id",
        "fee_lines",
    ];
    let order = entity.starts_with("woo.");
    let computed = |name| read_only.contains(&name) || entity == "woo.Order" && name == "total";
    self::entity(entity).fields.iter().filter(|field| !(order && computed(field.name))).collect()
}

/// The schema that each program with own entities declares.
pub(crate) fn declared() -> String {
    format!("enum Size {{ {} }}\n{OWN}", texts(CHOICES[0].1, ", "))
}

fn texts(all: &[&str], between: &str) -> String {
    all.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(between)
}

/// A type as it is written.
pub(crate) fn written(ty: &Ty) -> String {
    match ty {
        Ty::Bool => "bool".into(),
        Ty::Int => "int".into(),
        Ty::Decimal => "decimal".into(),
        Ty::Rate => "percent".into(),
        Ty::Net => "net".into(),
        Ty::Gross => "gross".into(),
        Ty::Tax => "tax".into(),
        Ty::Text(None) => "text".into(),
        Ty::Text(Some(limit)) => format!("text({}{})", limit.most, if limit.utf16 { " utf16" } else { "" }),
        Ty::Date => "date".into(),
        Ty::Instant => "instant".into(),
        Ty::Country => "country".into(),
        Ty::Currency => "currency".into(),
        Ty::Email => "email".into(),
        Ty::Guid => "guid".into(),
        Ty::Json => "json".into(),
        Ty::Choice(n) => match CHOICES[*n] {
            ("", values) => texts(values, " | "),
            (name, _) => name.into(),
        },
        Ty::List(element) => format!("list<{}>", written(element)),
        Ty::Optional(inner) => format!("{}?", written(inner)),
        Ty::Part(name) => (*name).into(),
    }
}

/// A moment, in seconds since 1970, as it is written.
pub(crate) fn moment(at: i64) -> String {
    let second = at.rem_euclid(86_400);
    format!("{}T{:02}:{:02}:{:02}Z", day(at.div_euclid(86_400)), second / 3_600, second / 60 % 60, second % 60)
}

/// A day, counted from 1970, as it is written.
pub(crate) fn day(days: i64) -> String {
    // The civil calendar, in years that begin in March.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
