//! The ledger: rows by entity, the references it checks, the sums it makes, and who made each row. What must never
//! happen to it is noted the moment it does.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A ledger.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    tables: BTreeMap<String, Vec<Row>>,
    ids: u64,
    numbers: u64,
    /// Payments and addresses whose documents and accounts people have deleted.
    pub(crate) deleted: BTreeSet<String>,
    /// What must not be, and was.
    pub(crate) broken: Vec<(&'static str, String)>,
}

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) value: Map<String, Value>,
    /// Made by the runner, or by people of the ledger.
    pub(crate) ours: bool,
    /// Fields that people wrote, and what.
    pub(crate) corrected: BTreeMap<String, Vec<Value>>,
}

/// A write that came in.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) entity: String,
    pub(crate) id: Option<String>,
    pub(crate) verb: Verb,
    pub(crate) body: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Update,
    Delete,
}

pub(crate) const ORDER: &str = "exact.SalesOrder";
pub(crate) const LINE: &str = "exact.SalesOrderLine";
pub(crate) const ACCOUNT: &str = "exact.Account";
pub(crate) const ITEM: &str = "exact.Item";
/// Open, of deliveries and invoices.
const OPEN: u64 = 12;
const COMPLETE: u64 = 21;

impl Row {
    pub(crate) fn text(&self, field: &str) -> String {
        text(self.value.get(field))
    }
}

/// A value as text.
pub(crate) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A number in cents, from whatever JSON says it.
pub(crate) fn cents(value: Option<&Value>) -> i64 {
    let text = text(value);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = format!("{part}00");
    whole.parse::<i64>().unwrap_or(0) * 100 + part[..2].parse::<i64>().unwrap_or(0)
}

impl Ledger {
    /// With what an administration has before the first order.
    pub(crate) fn new() -> Self {
        let mut ledger = Self { numbers: 5_000, ..Self::default() };
        for code in ["A", "B", "C", "SHIP", "FEE", "ROUND"] {
            ledger.item(code);
        }
        let codes = [("0", "N", "0"), ("1", "I", "0"), ("4", "E", "0.21"), ("5", "I", "0.21"), ("7", "N", "0")];
        for (code, kind, rate) in codes {
            let rate: Value = serde_json::from_str(rate).unwrap();
            ledger.add(
                "exact.VATCode",
                json!({"Code": code, "Type": kind, "Percentage": rate, "IsBlocked": false}),
                false,
            );
        }
        for code in ["00", "30", "IM"] {
            ledger.add("exact.PaymentCondition", json!({"Code": code}), false);
        }
        ledger.add("exact.Warehouse", json!({"Code": "1"}), false);
        ledger
    }

    /// An item more.
    pub(crate) fn item(&mut self, code: &str) {
        if self.rows(ITEM).iter().all(|item| item.text("Code") != code) {
            let item = json!({"Code": code, "Description": code, "IsSalesItem": true, "IsFractionAllowedItem": false,
                "StartDate": "/Date(0)/"});
            self.add(ITEM, item, false);
        }
    }

    pub(crate) fn rows(&self, entity: &str) -> &[Row] {
        self.tables.get(entity).map_or(&[], Vec::as_slice)
    }

    fn row(&self, entity: &str, id: &str) -> Option<&Row> {
        self.rows(entity).iter().find(|row| row.id.eq_ignore_ascii_case(id))
    }

    fn row_mut(&mut self, entity: &str, id: &str) -> Option<&mut Row> {
        self.tables.get_mut(entity)?.iter_mut().find(|row| row.id.eq_ignore_ascii_case(id))
    }

    fn add(&mut self, entity: &str, value: Value, ours: bool) -> String {
        self.ids += 1;
        let id = format!("{:08x}-0000-4000-8000-000000000000", self.ids);
        let Value::Object(mut value) = value else { unreachable!("rows are objects") };
        value.insert(key(entity).to_owned(), id.clone().into());
        let row = Row { id: id.clone(), value, ours, corrected: BTreeMap::new() };
        self.tables.entry(entity.to_owned()).or_default().push(row);
        id
    }

    /// The lines of a document.
    pub(crate) fn lines(&self, document: &str) -> Vec<&Row> {
        self.rows(LINE).iter().filter(|line| line.text("OrderID") == document).collect()
    }

    /// The code of an item.
    pub(crate) fn code(&self, item: &str) -> String {
        self.row(ITEM, item).map(|item| item.text("Code")).unwrap_or_default()
    }

    /// An account by its key.
    pub(crate) fn account(&self, id: &str) -> Option<&Row> {
        self.row(ACCOUNT, id)
    }

    // -------------------------------------------------------------------------------------------- the runner writes

    /// Carries out a write: the row's key, or why it is refused.
    pub(crate) fn write(&mut self, order: &Order) -> Result<String, (u16, String)> {
        match order.verb {
            Verb::Create => self.create(&order.entity, order.body.clone()),
            Verb::Update => self.update(&order.entity, order.id.as_deref().unwrap_or(""), &order.body),
            Verb::Delete => self.delete(&order.entity, order.id.as_deref().unwrap_or("")),
        }
    }

    fn create(&mut self, entity: &str, mut body: Value) -> Result<String, (u16, String)> {
        let refers = match entity {
            ORDER => vec![("OrderedBy", ACCOUNT), ("DeliveryAddress", "exact.Address")],
            LINE => vec![("OrderID", ORDER), ("Item", ITEM)],
            "exact.Contact" | "exact.Address" => vec![("Account", ACCOUNT)],
            _ => Vec::new(),
        };
        for (field, to) in refers {
            let id = text(body.get(field));
            if !id.is_empty() && self.row(to, &id).is_none() {
                return Err((400, format!("{field}: the {to} {id} does not exist")));
            }
        }
        if entity == ITEM && self.rows(ITEM).iter().any(|item| item.text("Code") == text(body.get("Code"))) {
            return Err((400, format!("the item {} exists already", text(body.get("Code")))));
        }
        let lines = body.as_object_mut().and_then(|body| body.remove("SalesOrderLines"));
        let lines: Vec<Value> = lines.and_then(|lines| lines.as_array().cloned()).unwrap_or_default();
        if entity == ORDER {
            if lines.is_empty() {
                return Err((400, "a document wants a line".to_owned()));
            }
            if lines.iter().any(|line| self.row(ITEM, &text(line.get("Item"))).is_none()) {
                return Err((400, "a line names an item that does not exist".to_owned()));
            }
            self.numbers += 1;
            body["OrderNumber"] = self.numbers.into();
            body["DeliveryStatus"] = OPEN.into();
            body["InvoiceStatus"] = OPEN.into();
        }
        self.refuse_twins(entity, &body);
        let id = self.add(entity, body, true);
        for mut line in lines {
            line["OrderID"] = id.clone().into();
            self.add(LINE, line, true);
        }
        match entity {
            ORDER => self.total(&id),
            LINE => {
                let document = self.row(LINE, &id).map(|line| line.text("OrderID")).unwrap_or_default();
                self.total(&document);
            }
            _ => {}
        }
        Ok(id)
    }

    /// Whether the runner has made the same before: of a payment, of a customer, of an address.
    fn refuse_twins(&mut self, entity: &str, body: &Value) {
        let by: &[&str] = match entity {
            ORDER => &["PaymentReference"],
            ACCOUNT => &["Email"],
            "exact.Contact" => &["Account", "Email"],
            "exact.Address" => &["Account", "Type", "AddressLine1", "Postcode"],
            _ => return,
        };
        let same = |row: &&Row| row.ours && by.iter().all(|f| row.text(f) == text(body.get(*f)));
        if let Some(first) = self.rows(entity).iter().find(same) {
            let key: Vec<String> = by.iter().map(|field| text(body.get(*field))).collect();
            let what = format!("{entity} of {} is made though {} is there", key.join(", "), first.id);
            self.broken.push(("twice", what));
        }
    }

    fn update(&mut self, entity: &str, id: &str, body: &Value) -> Result<String, (u16, String)> {
        let Some(row) = self.row(entity, id).cloned() else { return Err((404, format!("there is no {entity} {id}"))) };
        if entity == ORDER && row.text("DeliveryStatus") != OPEN.to_string() {
            return Err((400, "a completed order can't be changed".to_owned()));
        }
        if entity == ORDER && !row.ours && row.text("PaymentReference").starts_with("own") {
            self.broken.push(("stranger", format!("the document {id} of somebody else is changed: {body}")));
        }
        let document = if entity == LINE { Some(row.text("OrderID")) } else { None };
        let Some(row) = self.row_mut(entity, id) else { return Err((404, String::new())) };
        for (field, value) in body.as_object().into_iter().flatten() {
            row.value.insert(field.clone(), value.clone());
            // What the runner wrote after people did is the runner's again.
            row.corrected.remove(field);
        }
        let id = row.id.clone();
        if let Some(document) = document {
            self.total(&document);
        }
        Ok(id)
    }

    fn delete(&mut self, entity: &str, id: &str) -> Result<String, (u16, String)> {
        let Some(row) = self.row(entity, id).cloned() else { return Err((404, format!("there is no {entity} {id}"))) };
        self.remove(entity, &row.id);
        if entity == LINE {
            let document = row.text("OrderID");
            if self.lines(&document).is_empty() {
                // As the real one does: the document goes with its last line.
                self.remove(ORDER, &document);
            } else {
                self.total(&document);
            }
        }
        Ok(row.id)
    }

    fn remove(&mut self, entity: &str, id: &str) {
        if let Some(rows) = self.tables.get_mut(entity) {
            rows.retain(|row| row.id != id);
        }
    }

    fn total(&mut self, document: &str) {
        let sum: i64 = self
            .lines(document)
            .iter()
            .map(|l| cents(l.value.get("NetPrice")) * cents(l.value.get("Quantity")) / 100)
            .sum();
        let total: Value = serde_json::from_str(&format!("{}.{:02}", sum / 100, sum % 100)).unwrap();
        if let Some(row) = self.row_mut(ORDER, document) {
            row.value.insert("AmountFC".to_owned(), total);
        }
    }

    // ------------------------------------------------------------------------------------------------ people write

    fn pick(&self, entity: &str, pick: u8, fits: impl Fn(&Row) -> bool) -> Option<String> {
        let ids: Vec<&Row> = self.rows(entity).iter().filter(|row| fits(row)).collect();
        Some(ids.get(usize::from(pick) % ids.len().max(1))?.id.clone())
    }

    /// A bookkeeper writes into a field.
    pub(crate) fn correct(&mut self, entity: &str, pick: u8, field: &str, value: &str) {
        let Some(id) = self.pick(entity, pick, |row| row.ours) else { return };
        if let Some(row) = self.row_mut(entity, &id) {
            row.value.insert(field.to_owned(), value.into());
            row.corrected.entry(field.to_owned()).or_default().push(value.into());
        }
    }

    /// A document is delivered.
    pub(crate) fn close(&mut self, pick: u8) {
        let Some(id) = self.pick(ORDER, pick, |row| row.ours) else { return };
        if let Some(row) = self.row_mut(ORDER, &id) {
            row.value.insert("DeliveryStatus".to_owned(), COMPLETE.into());
        }
    }

    pub(crate) fn is_closed(row: &Row) -> bool {
        row.text("DeliveryStatus") != OPEN.to_string()
    }

    /// A document of somebody else: its reference and its total may be those of an order.
    pub(crate) fn stranger(&mut self, reference: &str, total: u64) {
        let account = self.own_account("somebody@else.example");
        let document = json!({"YourRef": reference, "OrderedBy": account, "Description": "made by hand",
            "PaymentReference": format!("own {reference}"), "AmountFC": total, "DeliveryStatus": OPEN,
            "InvoiceStatus": OPEN, "Remarks": "do not touch", "OrderNumber": 100 + self.ids});
        let id = self.add(ORDER, document, false);
        let item = self.rows(ITEM)[0].id.clone();
        self.add(LINE, json!({"OrderID": id, "Item": item, "Quantity": 1, "NetPrice": total, "VATCode": "5"}), false);
    }

    /// An account that people made, unless there is one with this address.
    pub(crate) fn own_account(&mut self, email: &str) -> String {
        if let Some(row) = self.rows(ACCOUNT).iter().find(|row| row.text("Email") == email) {
            return row.id.clone();
        }
        let account = json!({"Email": email, "Name": "Made by hand", "Phone": "by hand", "Status": "C"});
        self.add(ACCOUNT, account, false)
    }

    pub(crate) fn delete_document(&mut self, pick: u8) {
        let Some(id) = self.pick(ORDER, pick, |row| row.ours) else { return };
        let payment = self.row(ORDER, &id).map(|row| row.text("PaymentReference")).unwrap_or_default();
        self.deleted.insert(payment);
        let lines: Vec<String> = self.lines(&id).iter().map(|line| line.id.clone()).collect();
        lines.iter().for_each(|line| self.remove(LINE, line));
        self.remove(ORDER, &id);
    }

    pub(crate) fn delete_account(&mut self, pick: u8) {
        let used = |id: &str| {
            let refers = |entity, field| self.rows(entity).iter().any(|row| row.text(field) == id);
            refers(ORDER, "OrderedBy")
        };
        let Some(id) = self.pick(ACCOUNT, pick, |row| !used(&row.id)) else { return };
        let address = self.row(ACCOUNT, &id).map(|row| row.text("Email")).unwrap_or_default();
        self.deleted.insert(address);
        for entity in ["exact.Contact", "exact.Address"] {
            let of: Vec<String> =
                self.rows(entity).iter().filter(|row| row.text("Account") == id).map(|row| row.id.clone()).collect();
            of.iter().for_each(|row| self.remove(entity, row));
        }
        self.remove(ACCOUNT, &id);
    }

    /// Two accounts with one address become one: the later goes into the earlier.
    pub(crate) fn merge(&mut self) {
        let rows = self.rows(ACCOUNT);
        let twin = rows.iter().enumerate().find_map(|(n, row)| {
            let later = rows[n + 1..].iter().find(|other| other.text("Email") == row.text("Email"))?;
            Some((row.id.clone(), later.id.clone()))
        });
        let Some((stays, goes)) = twin else { return };
        for (entity, field) in [(ORDER, "OrderedBy"), ("exact.Contact", "Account"), ("exact.Address", "Account")] {
            for row in self.tables.get_mut(entity).into_iter().flatten() {
                if row.text(field) == goes {
                    row.value.insert(field.to_owned(), stays.clone().into());
                }
            }
        }
        self.remove(ACCOUNT, &goes);
    }
}

/// The field that is the key.
pub(crate) fn key(entity: &str) -> &'static str {
    if entity == ORDER { "OrderID" } else { "ID" }
}
