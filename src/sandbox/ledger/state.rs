//! The books: all tables of the division, how a value is read, and what a change leaves behind.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rust_decimal::Decimal;
use uuid::Uuid;

use super::amounts::Rounding;
use super::cell::Cell;
use super::geography;
use super::record::Record;
use super::schema::{Computed, Entity, Kind, Origin, Reference, entity, schema};
use super::store::{Row, Table};
use super::{Action, Change};

/// The name behind every `Creator` and `Modifier`.
pub(super) const USER_NAME: &str = "Kim de Vries";

/// Rows of every entity and the counters they share.
pub(super) struct State {
    tables: Vec<Table>,
    /// The row version last given; row versions of one division share a counter.
    version: i64,
    space: Uuid,
    made: u64,
    pub(super) division: i64,
    pub(super) user: Uuid,
    /// The app that the first tokens belong to, and in whose name notifications are sent.
    pub(super) client: Uuid,
    /// The wall clock at the call that is being served.
    pub(super) now: i64,
    /// How far that is ahead of UTC, seconds.
    pub(super) utc_offset: i64,
    pub(super) rounding: Rounding,
    /// Scheme and host of the addresses that rows show.
    pub(super) base: String,
    /// Lines whose tax was sent and not reckoned: it stands until their amounts change.
    given_taxes: HashSet<Uuid>,
    /// Lines that pay a debt, by their keys: which debt, and how much of it.
    payments: HashMap<Uuid, (Uuid, Decimal)>,
    changes: Vec<Change>,
    subscribed: Vec<(Uuid, String)>,
}

impl State {
    pub(super) fn new(seed: u64, division: i64, rounding: Rounding) -> Self {
        let space = Uuid::new_v5(&Uuid::NAMESPACE_OID, &seed.to_be_bytes());
        Self {
            tables: schema().entities().iter().map(Table::new).collect(),
            // Row versions of a grown database: what counts from nought would hide a lost `L`.
            version: 2_147_483_648,
            space,
            made: 0,
            division,
            base: "http://localhost".to_owned(),
            user: Uuid::new_v5(&space, b"user"),
            client: Uuid::new_v5(&space, b"client"),
            now: 0,
            utc_offset: 0,
            rounding,
            given_taxes: HashSet::new(),
            payments: HashMap::new(),
            changes: Vec::new(),
            subscribed: Vec::new(),
        }
    }

    /// A guid that is the same in every sandbox of this seed.
    pub(super) fn named_guid(&self, name: &str) -> Uuid {
        Uuid::new_v5(&self.space, name.as_bytes())
    }

    /// A guid that no record has: one that was loaded may come from another sandbox of this seed.
    pub(super) fn next_guid(&mut self) -> Uuid {
        loop {
            self.made += 1;
            let guid = Uuid::new_v5(&self.space, &self.made.to_be_bytes());
            if self.tables.iter().all(|table| table.slot(&Cell::Guid(guid)).is_none()) {
                return guid;
            }
        }
    }

    /// Notes whether a line's tax was sent or reckoned.
    pub(super) fn note_tax(&mut self, line: &Cell, given: bool) {
        if let Cell::Guid(line) = line {
            if given {
                self.given_taxes.insert(*line);
            } else {
                self.given_taxes.remove(line);
            }
        }
    }

    /// Whether a line's tax was sent to stand in place of the reckoned one.
    pub(super) fn has_given_tax(&self, line: &Cell) -> bool {
        matches!(line, Cell::Guid(line) if self.given_taxes.contains(line))
    }

    /// Notes that a line pays so much of a debt.
    pub(super) fn note_payment(&mut self, line: &Cell, debt: &Cell, amount: Decimal) {
        if let (Cell::Guid(line), Cell::Guid(debt)) = (line, debt) {
            self.payments.insert(*line, (*debt, amount));
        }
    }

    /// Forgets what a line paid, and answers the debt.
    pub(super) fn forget_payment(&mut self, line: &Cell) -> Option<Cell> {
        let Cell::Guid(line) = line else { return None };
        self.payments.remove(line).map(|(debt, _)| Cell::Guid(debt))
    }

    /// What was paid of a debt was paid of another, which stands in its place.
    pub(super) fn move_payments(&mut self, from: &Cell, to: &Cell) {
        if let (Cell::Guid(from), Cell::Guid(to)) = (from, to) {
            self.payments.values_mut().filter(|payment| payment.0 == *from).for_each(|payment| payment.0 = *to);
        }
    }

    /// What was paid of a debt.
    pub(super) fn paid(&self, debt: &Cell) -> Decimal {
        let of = |payment: &&(Uuid, Decimal)| matches!(debt, Cell::Guid(debt) if payment.0 == *debt);
        self.payments.values().filter(of).map(|payment| payment.1).sum()
    }

    fn next_version(&mut self) -> i64 {
        self.version += 1;
        self.version
    }

    pub(super) fn table(&self, entity: &Entity) -> &Table {
        &self.tables[entity.id]
    }

    /// The changes since the last time this was asked.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Notes a new subscription, whose address is to be tried.
    pub(super) fn subscribed(&mut self, subscription: Uuid, url: &str) {
        self.subscribed.push((subscription, url.to_owned()));
    }

    /// The subscriptions since the last time this was asked.
    pub(super) fn take_subscribed(&mut self) -> Vec<(Uuid, String)> {
        std::mem::take(&mut self.subscribed)
    }

    /// The row that a reference with this value points at.
    pub(super) fn referred(&self, refers: Reference, value: &Cell) -> Option<&Row> {
        let table = &self.tables[refers.entity];
        if refers.property == schema().get(refers.entity).key {
            return table.find(value);
        }
        table.having(refers.property, value)?.iter().find_map(|slot| table.row(*slot))
    }

    pub(super) fn record_at(&self, entity: &'static Entity, slot: u32) -> Option<Record> {
        let row = self.tables[entity.id].row(slot)?.clone();
        Some(Record { entity, row, slot: Some(slot) })
    }

    /// The record of a key.
    pub(super) fn record(&self, path: &str, key: &Cell) -> Option<Record> {
        let entity = entity(path);
        self.record_at(entity, self.tables[entity.id].slot(key)?)
    }

    pub(super) fn by_guid(&self, path: &str, key: Option<Uuid>) -> Option<Record> {
        self.record(path, &Cell::Guid(key?))
    }

    /// The first record whose indexed property has this value.
    pub(super) fn first(&self, path: &str, property: &str, value: &Cell) -> Option<Record> {
        self.having(path, property, value).next()
    }

    /// The record of a code; account codes may come without their blanks.
    pub(super) fn by_code(&self, path: &str, code: &str) -> Option<Record> {
        self.first(path, "Code", &Cell::text(code))
    }

    /// All records whose indexed property has this value, in the order in which they came.
    pub(super) fn having<'a>(
        &'a self,
        path: &str,
        property: &str,
        value: &Cell,
    ) -> impl Iterator<Item = Record> + use<'a> {
        let entity = entity(path);
        let at = entity.at(property);
        let slots = self.tables[entity.id].having(at, value);
        assert!(slots.is_some() || value.key().is_none(), "{path} has an index for {property}");
        let mut slots = slots.unwrap_or_default().to_vec();
        slots.sort_unstable();
        slots.into_iter().filter_map(move |slot| self.record_at(entity, slot))
    }

    pub(super) fn all<'a>(&'a self, path: &str) -> impl DoubleEndedIterator<Item = Record> + use<'a> {
        let entity = entity(path);
        let rows = self.tables[entity.id].rows();
        rows.map(move |(slot, row)| Record { entity, row: row.clone(), slot: Some(slot) })
    }

    /// The value of a property in an answer: stored, or followed from what is.
    pub(super) fn read<'a>(&'a self, entity: &Entity, row: &'a Row, at: u16) -> Cow<'a, Cell> {
        let property = entity.property(at);
        let value = match property.origin {
            Origin::Stored => Cow::Borrowed(row.get(at)),
            Origin::Shown(source) => {
                let shown = schema().get(entity.source.expect("only a view shows another's property"));
                self.read(shown, row, source)
            }
            Origin::Through { base, property: target } => self.through(entity, row, at, base, target),
            Origin::Meaning(base) => Self::meaning(entity, row, at, base),
            Origin::Computed(how) => Cow::Owned(self.computed(how, entity, row)),
        };
        match (property.kind, &*value) {
            (Kind::Boolean, Cell::Null) => Cow::Owned(Cell::Bool(false)),
            // Flags are never null there; what is no flag has more meanings than yes and no.
            (Kind::Byte, Cell::Null) if matches!(entity.name, "Accounts" | "Me") && property.values.is_empty() => {
                Cow::Owned(Cell::Int(0))
            }
            _ => value,
        }
    }

    fn through<'a>(&'a self, entity: &Entity, row: &'a Row, at: u16, base: u16, target: u16) -> Cow<'a, Cell> {
        if !row.get(at).is_null() {
            return Cow::Borrowed(row.get(at));
        }
        let refers = entity.property(base).refers.expect("derived properties go through references");
        let found = self.referred(refers, row.get(base));
        found.map_or(Cow::Owned(Cell::Null), |found| self.read(schema().get(refers.entity), found, target))
    }

    fn meaning<'a>(entity: &Entity, row: &'a Row, at: u16, base: u16) -> Cow<'a, Cell> {
        if !row.get(at).is_null() {
            return Cow::Borrowed(row.get(at));
        }
        let code = match row.get(base) {
            Cell::Int(number) => number.to_string(),
            Cell::Text(text) => text.to_string(),
            _ => return Cow::Owned(Cell::Null),
        };
        let found = entity.property(base).values.iter().find(|value| value.0 == code);
        Cow::Owned(found.map_or(Cell::Null, |value| Cell::text(&value.1)))
    }

    fn computed(&self, how: Computed, entity: &Entity, row: &Row) -> Cell {
        let value = |name: &str| row.get(entity.at(name)).number().unwrap_or_default();
        let key = row.get(entity.key);
        match how {
            Computed::Version => Cell::Int(row.version),
            Computed::Division => Cell::Int(self.division),
            Computed::User => Cell::Guid(self.user),
            Computed::UserName => Cell::text(USER_NAME),
            Computed::ProjectedStock => {
                Cell::Number(value("CurrentStock") + value("PlannedStockIn") - value("PlannedStockOut"))
            }
            Computed::FreeStock => Self::free_stock(row),
            Computed::ItemStock => Cell::Number(self.stock_of(key, "CurrentStock")),
            Computed::ItemPrice => self.list_price(key),
            Computed::IsMainContact => {
                let account = self.record("crm/Accounts", row.get(entity.at("Account")));
                Cell::Bool(account.is_some_and(|account| account.get("MainContact") == key))
            }
            Computed::IsCustomer if entity.name == "Accounts" => {
                Cell::Bool(matches!(row.get(entity.at("Status")), Cell::Text(status) if &**status == "C"))
            }
            Computed::IsCustomer => {
                let account = self.record("crm/Accounts", row.get(entity.at("Account")));
                Cell::Bool(account.is_some_and(|account| account.text("Status") == Some("C")))
            }
            Computed::CountryName => match row.get(entity.at("Country")) {
                Cell::Text(code) => geography::country(code).map_or(Cell::Null, Cell::text),
                _ => Cell::Null,
            },
        }
    }

    /// No formula is documented; what is there and not set aside.
    fn free_stock(row: &Row) -> Cell {
        let stock = entity("inventory/ItemWarehouses");
        let value = |name: &str| row.get(stock.at(name)).number().unwrap_or_default();
        Cell::Number(value("CurrentStock") - value("ReservedStock") - value("PlannedStockOut"))
    }

    /// A stock figure of an item over all warehouses.
    pub(super) fn stock_of(&self, item: &Cell, figure: &str) -> Decimal {
        self.having("inventory/ItemWarehouses", "Item", item).map(|stock| stock.amount(figure)).sum()
    }

    fn list_price(&self, item: &Cell) -> Cell {
        let mut prices = self.having("logistics/SalesItemPrices", "Item", item);
        let normal = prices.find(|price| !price.has("Account") && self.is_current(price));
        normal.map_or(Cell::Null, |price| price.get("Price").clone())
    }

    /// Whether today lies between a record's `StartDate` and `EndDate`; an open end is no end.
    pub(super) fn is_current(&self, record: &Record) -> bool {
        let today = super::cell::day_of(self.now);
        record.time("StartDate").is_none_or(|start| start <= self.now)
            && record.time("EndDate").is_none_or(|end| end >= today)
    }

    /// Stores a new record: key, times and version are given here. Answers its key.
    pub(super) fn insert(&mut self, record: &Record) -> Cell {
        let entity = record.entity;
        let mut row = record.row.clone();
        if row.get(entity.key).is_null() && entity.property(entity.key).kind == Kind::Guid {
            row.set(entity.key, Cell::Guid(self.next_guid()));
        }
        for name in ["Created", "Modified"] {
            if let Some(at) = entity.find(name).filter(|at| row.get(*at).is_null()) {
                row.set(at, Cell::Time(self.now));
            }
        }
        row.version = self.next_version();
        let key = row.get(entity.key).clone();
        self.tables[entity.id].insert(row);
        self.note(entity, Action::Create, &key);
        key
    }

    /// Stores a changed record under a new version.
    pub(super) fn update(&mut self, record: &Record) {
        let Some(slot) = record.slot else { return };
        let entity = record.entity;
        let mut row = record.row.clone();
        if let Some(at) = entity.find("Modified") {
            row.set(at, Cell::Time(self.now));
        }
        row.version = self.next_version();
        let key = row.get(entity.key).clone();
        self.tables[entity.id].update(slot, row);
        self.note(entity, Action::Update, &key);
    }

    /// Takes a record out of the books, and says so in `sync/Deleted`.
    pub(super) fn delete(&mut self, record: &Record) {
        let Some(slot) = record.slot else { return };
        self.tables[record.entity.id].remove(slot);
        self.note(record.entity, Action::Delete, &record.key());
        if let Some(kind) = deleted_type(record.entity.path) {
            let mut gone = Record::new(entity("sync/Deleted"));
            gone.set("ID", Cell::Guid(self.next_guid()));
            gone.set("EntityKey", record.key());
            gone.set("EntityType", Cell::Int(kind));
            gone.set("DeletedDate", Cell::Time(self.now));
            gone.set("DeletedBy", Cell::Guid(self.user));
            self.insert(&gone);
        }
    }

    fn note(&mut self, entity: &'static Entity, action: Action, key: &Cell) {
        if let (Some(topic), Cell::Guid(key)) = (topic(entity.path), key) {
            self.changes.push(Change { topic, action, key: *key, entity: entity.path });
        }
    }
}

/// The webhook topic that a change of an entity belongs to; lines belong to their document's.
fn topic(path: &str) -> Option<&'static str> {
    Some(match path {
        "crm/Accounts" => "Accounts",
        "crm/BankAccounts" => "BankAccounts",
        "crm/Contacts" => "Contacts",
        "documents/Documents" => "Documents",
        "documents/DocumentAttachments" => "DocumentAttachments",
        "financialtransaction/TransactionLines" => "FinancialTransactions",
        "financialtransaction/BankEntries" | "financialtransaction/BankEntryLines" => "BankEntries",
        "financialtransaction/CashEntries" | "financialtransaction/CashEntryLines" => "CashEntries",
        "generaljournalentry/GeneralJournalEntries" | "generaljournalentry/GeneralJournalEntryLines" => {
            "GeneralJournalEntries"
        }
        "salesentry/SalesEntries" | "salesentry/SalesEntryLines" => "SalesEntries",
        "financial/GLAccounts" => "GLAccounts",
        "salesorder/GoodsDeliveries" | "salesorder/GoodsDeliveryLines" => "GoodsDeliveries",
        "logistics/Items" => "Items",
        "logistics/SalesItemPrices" => "SalesItemPrices",
        "project/Projects" => "Projects",
        "salesinvoice/SalesInvoices" | "salesinvoice/SalesInvoiceLines" => "SalesInvoices",
        "salesorder/SalesOrders" | "salesorder/SalesOrderLines" => "SalesOrders",
        "inventory/ItemWarehouses" => "StockPositions",
        _ => return None,
    })
}

/// The number by which `sync/Deleted` calls a kind of record.
fn deleted_type(path: &str) -> Option<i64> {
    Some(match path {
        "financialtransaction/TransactionLines" => 1,
        "crm/Accounts" => 2,
        "crm/Addresses" => 3,
        "documents/DocumentAttachments" => 4,
        "crm/Contacts" => 5,
        "documents/Documents" => 6,
        "financial/GLAccounts" => 7,
        "logistics/SalesItemPrices" => 8,
        "logistics/Items" => 9,
        "cashflow/Receivables" => 10,
        "salesinvoice/SalesInvoices" | "salesinvoice/SalesInvoiceLines" => 13,
        "salesorder/GoodsDeliveries" => 16,
        "salesorder/GoodsDeliveryLines" => 17,
        "inventory/ItemWarehouses" => 19,
        "project/Projects" => 21,
        "salesorder/SalesOrders" => 32,
        "salesorder/SalesOrderLines" => 33,
        _ => return None,
    })
}
