//! Documents of all kinds, made from dice: many that must be taken, some that must not.

use serde_json::{Map, Value, json};

/// Numbers that are the same in every run: xorshift.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let sides = u64::try_from(of.len()).unwrap();
        of[usize::try_from(self.below(sides)).unwrap()]
    }

    fn once_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }

    /// A price of two to four decimals; one in four travels as a text, as some clients send it.
    fn price(&mut self) -> Value {
        let whole = self.below(400);
        let text = match self.below(3) {
            0 => format!("{whole}.{:02}", self.below(100)),
            1 => format!("{whole}.{:03}", self.below(1000)),
            _ => format!("{whole}.{:04}", self.below(10_000)),
        };
        if self.once_in(4) { Value::String(text) } else { number(&text) }
    }
}

/// A JSON number with just these digits.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Who and what the documents are about.
pub(crate) struct Cast {
    pub(crate) customers: Vec<String>,
    pub(crate) prospect: String,
    pub(crate) blocked: String,
    pub(crate) address: String,
    pub(crate) items: Vec<String>,
    pub(crate) fraction: String,
    pub(crate) cost_item: String,
    pub(crate) not_sold: String,
    pub(crate) not_yet: String,
    pub(crate) revenue: String,
    pub(crate) revenue_with_cost: String,
    pub(crate) revenue_without_cost: String,
    pub(crate) receivable: String,
    pub(crate) charge: String,
    pub(crate) warehouse: String,
}

const VAT_CODES: [&str; 17] =
    ["4", "5", "2", "3", "4", "5", "12E", "12I", "0", "1", "6", "7", "8", "AT1", "AT2", "B21", "RSE"];

fn set(body: &mut Value, name: &str, value: impl Into<Value>) {
    body[name] = value.into();
}

/// A line of an order or an invoice.
fn line(dice: &mut Dice, cast: &Cast, invoice: bool) -> Value {
    let which = dice.below(6);
    let mut line = json!({"Description": "something"});
    let quantity = match dice.below(12) {
        0 => "-1".to_owned(),
        1 => "0".to_owned(),
        2 => "250".to_owned(),
        _ => (1 + dice.below(12)).to_string(),
    };
    set(&mut line, "Quantity", number(&quantity));
    match which {
        4 => {
            set(&mut line, "Item", cast.fraction.clone());
            set(&mut line, "Quantity", number(dice.pick(&["0.5", "1.333", "2.25", "-0.125", "10.0625"])));
        }
        5 if invoice => {
            set(&mut line, "Item", cast.cost_item.clone());
            set(&mut line, "CostCenter", "WEB1");
        }
        _ => set(&mut line, "Item", cast.items[usize::try_from(which % 3).unwrap()].clone()),
    }
    if dice.once_in(15) {
        line.as_object_mut().unwrap().remove("Quantity");
    }
    match dice.below(7) {
        0 | 1 => set(&mut line, "NetPrice", dice.price()),
        2 => set(&mut line, "UnitPrice", dice.price()),
        3 | 4 => {
            set(&mut line, "UnitPrice", dice.price());
            set(&mut line, "Discount", number(dice.pick(&["0.1", "0.25", "0.333", "0.055", "0.175", "1", "0"])));
        }
        5 => {
            set(&mut line, "UnitPrice", number("20.00"));
            set(&mut line, "NetPrice", number(dice.pick(&["17.5", "19.99", "20", "0"])));
        }
        _ => {}
    }
    if !dice.once_in(4) {
        set(&mut line, "VATCode", dice.pick(&VAT_CODES));
    }
    if dice.once_in(20) {
        set(&mut line, "VATCode", "4  ");
        set(&mut line, "VATPercentage", number("0.21"));
    }
    if dice.once_in(15) && line["VATCode"].as_str().is_some_and(|code| ["4", "5", "2", "3"].contains(&code)) {
        set(&mut line, if invoice { "VATAmountFC" } else { "VATAmount" }, number(dice.pick(&["1.23", "0.01", "0"])));
    }
    line
}

fn charge(dice: &mut Dice, cast: &Cast) -> Value {
    let mut charge = json!({"VATCode": dice.pick(&["4", "5", "2", "3"])});
    if dice.once_in(3) {
        set(&mut charge, "OrderCharge", cast.charge.clone());
    } else {
        set(&mut charge, "IsShippingCost", true);
    }
    match dice.below(5) {
        0 | 1 => set(&mut charge, "AmountFCInclVAT", number(dice.pick(&["4.95", "6.99", "12.5"]))),
        2 | 3 => set(&mut charge, "AmountFCExclVAT", number(dice.pick(&["4.09", "5.78", "3.333"]))),
        _ => {
            set(&mut charge, "AmountFCExclVAT", number("4.09"));
            set(&mut charge, "AmountFCInclVAT", number("4.95"));
        }
    }
    charge
}

fn customer(dice: &mut Dice, cast: &Cast) -> String {
    let sides = u64::try_from(cast.customers.len()).unwrap();
    cast.customers[usize::try_from(dice.below(sides)).unwrap()].clone()
}

/// What heads of all three kinds share.
fn head(dice: &mut Dice, body: &mut Value, date: &str) {
    if dice.once_in(3) {
        set(body, "Currency", dice.pick(&["USD", "GBP", "JPY", "EUR"]));
    }
    if dice.once_in(3) {
        set(body, date, dice.pick(&["2026-05-31", "2026-06-01", "2026-10-15T00:00:00", "2026-11-02T00:00:00Z"]));
    }
    if dice.once_in(3) {
        set(body, "PaymentCondition", dice.pick(&["30", "14", "IM", "00"]));
    }
    set(body, "YourRef", format!("R{}", dice.below(1_000_000)));
}

pub(crate) fn goods(dice: &mut Dice, cast: &Cast, invoice: bool) -> Value {
    let mut body = json!({"OrderedBy": customer(dice, cast), "Description": "Webshop order"});
    head(dice, &mut body, "OrderDate");
    let (lines, charges) = if invoice {
        ("SalesInvoiceLines", "SalesInvoiceOrderChargeLines")
    } else {
        ("SalesOrderLines", "SalesOrderOrderChargeLines")
    };
    let many = 1 + dice.below(7);
    set(&mut body, lines, (0..many).map(|_| line(dice, cast, invoice)).collect::<Vec<_>>());
    if dice.once_in(4) {
        let many = 1 + dice.below(2);
        set(&mut body, charges, (0..many).map(|_| charge(dice, cast)).collect::<Vec<_>>());
    }
    match dice.below(12) {
        0 => set(&mut body, "Discount", number(dice.pick(&["0.05", "0.125", "0.333"]))),
        1 => set(&mut body, "AmountDiscount", number("1.00")),
        2 => set(&mut body, "AmountDiscountExclVat", number("0.95")),
        _ => {}
    }
    if dice.once_in(8) {
        set(&mut body, "InvoiceTo", cast.customers[3].clone());
    }
    if invoice {
        set(&mut body, "Journal", dice.pick(&["70", "75"]));
        match dice.below(8) {
            0 => set(&mut body, "Type", 8021),
            1 => {
                set(&mut body, "Type", 8023);
                set(&mut body, "Warehouse", cast.warehouse.clone());
            }
            2 => set(&mut body, "Type", 8020),
            _ => {}
        }
    } else if dice.once_in(10) {
        set(&mut body, "DeliveryDate", "2026-12-01");
    }
    body
}

pub(crate) fn entry(dice: &mut Dice, cast: &Cast) -> Value {
    let mut body = json!({"Customer": customer(dice, cast), "Journal": dice.pick(&["70", "75"])});
    head(dice, &mut body, "EntryDate");
    let many = 1 + dice.below(6);
    let sign = if dice.once_in(4) { "-" } else { "" };
    let lines: Vec<Value> = (0..many)
        .map(|_| {
            let amount = match dice.below(10) {
                0 => "0".to_owned(),
                1 => format!("{sign}{}.{:03}", dice.below(100), dice.below(1000)),
                _ => format!("{sign}{}.{:02}", dice.below(900), dice.below(100)),
            };
            let mut line = json!({"GLAccount": cast.revenue, "AmountFC": number(&amount), "Description": "BEL-001"});
            if !dice.once_in(6) {
                set(&mut line, "VATCode", dice.pick(&VAT_CODES));
            }
            if dice.once_in(8) && line["VATCode"].as_str().is_some_and(|code| ["4", "2", "5"].contains(&code)) {
                set(&mut line, "VATAmountFC", number(dice.pick(&["3.21", "0.01", "0"])));
            }
            if dice.once_in(8) {
                set(&mut line, "GLAccount", cast.revenue_with_cost.clone());
                set(&mut line, "CostCenter", "WEB1");
            }
            line
        })
        .collect();
    set(&mut body, "SalesEntryLines", lines);
    if dice.once_in(8) {
        set(&mut body, "AmountFC", number("999.99"));
        set(&mut body, "AmountDC", number("999.99"));
    }
    if dice.once_in(8) && body.get("Currency").is_some_and(|currency| currency != "EUR") {
        set(&mut body, "Rate", number("0.9123"));
    }
    body
}

/// One thing that all kinds of documents refuse, or that only some do.
pub(crate) fn spoil(dice: &mut Dice, cast: &Cast, body: &mut Value, lines: &str) {
    const NOBODY: &str = "00000000-1111-4222-8333-444444444444";
    let (customer, date) =
        if lines == "SalesEntryLines" { ("Customer", "EntryDate") } else { ("OrderedBy", "OrderDate") };
    match dice.below(14) {
        0 => remove(body, customer),
        1 => set(body, customer, NOBODY),
        2 => set(body, customer, cast.prospect.clone()),
        3 => set(body, customer, cast.blocked.clone()),
        4 => remove(body, lines),
        5 => set(body, lines, json!([])),
        6 => set(body, lines, json!({"Quantity": 1})),
        7 => set(body, "NoSuchField", 1),
        8 => set(body, "Currency", "XYZ"),
        9 => set(body, "PaymentCondition", "999"),
        10 => set(body, "Description", "x".repeat(61)),
        11 => set(body, "YourRef", "y".repeat(41)),
        12 => {
            // Before any exchange rate.
            set(body, "Currency", "USD");
            set(body, date, "2014-12-31");
        }
        _ => spoil_line(dice, &mut body[lines][0]),
    }
}

fn spoil_line(dice: &mut Dice, line: &mut Value) {
    match dice.below(5) {
        0 => set(line, "VATCode", "ZZ9"),
        1 => set(line, "VATCode", "X19"),
        2 => set(line, "VATCode", "P21"),
        3 => {
            set(line, "VATCode", "4");
            set(line, "VATPercentage", number("0.19"));
        }
        _ => set(line, "CostCenter", "NONE"),
    }
}

/// What only one kind refuses.
pub(crate) fn spoil_kind(dice: &mut Dice, cast: &Cast, body: &mut Value, lines: &str) {
    match (lines, dice.below(7)) {
        ("SalesEntryLines", 0) => set(body, "EntryDate", "2020-03-04"),
        ("SalesEntryLines", 1) => set(&mut body[lines][0], "GLAccount", cast.receivable.clone()),
        ("SalesEntryLines", 2) => remove(&mut body[lines][0], "AmountFC"),
        ("SalesEntryLines", 3) => set(body, "Journal", "90"),
        ("SalesEntryLines", 4) => remove(body, "Journal"),
        ("SalesEntryLines", 5) => {
            set(&mut body[lines][0], "GLAccount", cast.revenue_with_cost.clone());
            remove(&mut body[lines][0], "CostCenter");
        }
        ("SalesEntryLines", _) => {
            set(&mut body[lines][0], "GLAccount", cast.revenue_without_cost.clone());
            set(&mut body[lines][0], "CostCenter", "WEB1");
        }
        ("SalesInvoiceLines", 0) => set(body, "Journal", cast.revenue.clone()),
        ("SalesInvoiceLines", 1) => set(body, "Journal", "60"),
        ("SalesInvoiceLines", 2) => set(body, "Type", 8022),
        ("SalesInvoiceLines", 3) => {
            set(body, "Type", 8020);
            set(body, "Warehouse", cast.warehouse.clone());
        }
        ("SalesInvoiceLines", 4) => {
            set(body, "Type", 8023);
            remove(body, "Warehouse");
        }
        ("SalesOrderLines", 0) => {
            set(body, "OrderedBy", cast.customers[0].clone());
            set(body, "DeliveryAddress", cast.address.clone());
            remove(body, "DeliverTo");
        }
        ("SalesOrderLines", 1) => set(body, "OrderNumber", 4711),
        (_, 5) => set(&mut body[lines][0], "Item", cast.not_sold.clone()),
        (_, 6) => set(&mut body[lines][0], "Item", cast.not_yet.clone()),
        (_, 2) => remove(&mut body[lines][0], "Item"),
        _ => {
            set(&mut body[lines][0], "Item", cast.items[0].clone());
            set(&mut body[lines][0], "Quantity", number("1.5"));
        }
    }
}

fn remove(body: &mut Value, name: &str) {
    body.as_object_mut().map(|object: &mut Map<String, Value>| object.shift_remove(name));
}
