//! Resources that are no tables: functions under `read/`, the user, the mixed sync of invoices.

use rust_decimal::Decimal;

use super::amounts::{self, Basis};
use super::cell::{self, Cell};
use super::query::{self, Query};
use super::record::Record;
use super::refusal::Refusal;
use super::schema::{Entity, entity, schema};
use super::state::{State, USER_NAME};
use super::store::Row;

/// The rows of a resource that is worked out at each call, or `None` for one with a table.
///
/// # Errors
/// Status 400 where an argument is missing or has the wrong form.
pub(super) fn rows(state: &State, entity: &'static Entity, query: &Query) -> Result<Option<Vec<Row>>, Refusal> {
    let made = match entity.path {
        "current/Me" => vec![me(state, entity)],
        "read/logistics/StockPosition" => stock_position(state, entity, query)?,
        "read/logistics/ItemDetailsByID" => item_details(state, entity, query)?,
        "read/logistics/SalesItemPrice" => item_price(state, entity, query)?,
        "read/crm/DefaultAddressForAccount" => default_address(state, entity, query)?,
        "read/financial/ReceivablesList" => receivables(state, entity, None),
        "read/financial/ReceivablesListByAccount" => {
            let account = argument(query, "accountId")?;
            receivables(state, entity, Some(&account))
        }
        "read/financial/OutstandingInvoicesOverview" => outstanding(state, entity),
        "read/sync/Sync/SyncTimestamp" => sync_timestamp(state, entity, query)?,
        "sync/SalesInvoice/SalesInvoices" => {
            let condition = query::condition(entity, query)?;
            mixed_invoices(state, entity, query::version_floor(entity, query, condition.as_ref())?)
        }
        _ => return Ok(None),
    };
    Ok(Some(made.into_iter().map(|record| record.row).collect()))
}

/// A guid argument, with or without the `guid'…'` around it.
fn argument(query: &Query, name: &str) -> Result<Cell, Refusal> {
    let text = query.argument(name).ok_or_else(|| Refusal::bad(format!("The parameter '{name}' is required.")))?;
    let plain = text.trim().strip_prefix("guid").unwrap_or(text.trim()).trim_matches('\'');
    cell::guid(plain).map(Cell::Guid).ok_or_else(Refusal::syntax)
}

fn me(state: &State, entity: &'static Entity) -> Record {
    let mut me = Record::new(entity);
    let (first, last) = USER_NAME.split_once(' ').unwrap_or((USER_NAME, ""));
    me.set("UserID", Cell::Guid(state.user));
    for (name, text) in [
        ("FullName", USER_NAME),
        ("FirstName", first),
        ("LastName", last),
        ("UserName", "kim.devries"),
        ("Email", "kim@sandbox.example"),
        ("Language", "nl-NL"),
        ("LanguageCode", "nl-NL"),
        ("Gender", "O"),
        ("DivisionCustomerName", "Sandbox B.V."),
        ("Nationality", "NL"),
    ] {
        me.set(name, Cell::text(text));
    }
    for name in ["CurrentDivision", "AccountingDivision"] {
        me.set(name, Cell::Int(state.division));
    }
    me.set("Legislation", Cell::Int(1));
    let wall = Cell::Time(state.now).to_plain();
    me.set("ServerTime", Cell::text(wall.as_str().unwrap_or_default()));
    me.set("ServerUtcOffset", Cell::Int(state.utc_offset / 3600));
    me
}

fn stock_position(state: &State, entity: &'static Entity, query: &Query) -> Result<Vec<Record>, Refusal> {
    let item = argument(query, "itemId")?;
    if state.record("logistics/Items", &item).is_none() {
        return Ok(Vec::new());
    }
    let sum = |name: &str| state.stock_of(&item, name);
    let (current, planned_in, planned_out) = (sum("CurrentStock"), sum("PlannedStockIn"), sum("PlannedStockOut"));
    let reserved = sum("ReservedStock");
    let mut row = Record::new(entity);
    row.set("ItemId", item.clone());
    row.set_number("InStock", current);
    row.set_number("PlanningIn", planned_in);
    row.set_number("PlanningOut", planned_out);
    row.set_number("ProjectedStock", current + planned_in - planned_out);
    row.set_number("ReservedStock", reserved);
    row.set_number("FreeStock", current - reserved - planned_out);
    Ok(vec![row])
}

fn item_details(state: &State, entity: &'static Entity, query: &Query) -> Result<Vec<Record>, Refusal> {
    let Some(item) = state.record("logistics/Items", &argument(query, "itemId")?) else {
        return Ok(Vec::new());
    };
    let mut row = Record::new(entity);
    for name in ["ID", "Code", "Description", "IsFractionAllowedItem", "IsSalesItem"] {
        row.set(name, item.get(name).clone());
    }
    row.set("SalesCurrency", Cell::text("EUR"));
    let at = item.entity.at("StandardSalesPrice");
    row.set("SalesPrice", state.read(item.entity, &item.row, at).into_owned());
    Ok(vec![row])
}

/// The normal price of an item, with and without tax: which of the two is kept, its VAT code says.
fn item_price(state: &State, entity: &'static Entity, query: &Query) -> Result<Vec<Record>, Refusal> {
    let Some(item) = state.record("logistics/Items", &argument(query, "itemId")?) else {
        return Ok(Vec::new());
    };
    let at = item.entity.at("StandardSalesPrice");
    let price = state.read(item.entity, &item.row, at).number().unwrap_or_default();
    let code = item.text("SalesVatCode").and_then(|code| state.by_code("vat/VATCodes", code));
    let (kind, fraction) = code.map_or((String::new(), Decimal::ZERO), |code| {
        (code.text("Type").unwrap_or_default().to_owned(), code.amount("Percentage"))
    });
    let basis = match kind.as_str() {
        "E" => Basis::Net,
        "I" => Basis::Gross,
        _ => Basis::Untaxed,
    };
    let vat = amounts::Vat { code: String::new(), basis, fraction };
    let priced = amounts::line(Decimal::ONE, price, &vat, None);
    let mut row = Record::new(entity);
    row.set("ItemId", item.key());
    row.set("ItemCode", item.get("Code").clone());
    row.set("ItemDescription", item.get("Description").clone());
    row.set("UnitCode", item.get("Unit").clone());
    row.set("VATCode", item.get("SalesVatCode").clone());
    row.set("CurrencyCode", Cell::text("EUR"));
    row.set_number("PriceExcludingVAT", priced.net);
    row.set_number("PriceIncludingVAT", priced.net + priced.tax);
    Ok(vec![row])
}

fn default_address(state: &State, entity: &'static Entity, query: &Query) -> Result<Vec<Record>, Refusal> {
    let account = argument(query, "accountId")?;
    let kind = query.argument("addressType").and_then(|text| text.trim().parse().ok()).unwrap_or(4);
    let found = state
        .having("crm/Addresses", "Account", &account)
        .find(|address| address.int("Type") == Some(kind) && address.flag("Main"));
    Ok(found.iter().map(|address| copy(state, address, entity)).collect())
}

/// A record as a row of another entity: the properties of the same names.
fn copy(state: &State, from: &Record, entity: &'static Entity) -> Record {
    let mut row = Record::new(entity);
    row.row.version = from.row.version;
    for (at, property) in (0_u16..).zip(&entity.properties) {
        if let Some(source) = from.entity.find(property.name) {
            row.row.set(at, state.read(from.entity, &from.row, source).into_owned());
        }
    }
    row
}

fn receivables(state: &State, entity: &'static Entity, account: Option<&Cell>) -> Vec<Record> {
    let open = state
        .all("cashflow/Receivables")
        .filter(|due| !due.flag("IsFullyPaid") && account.is_none_or(|account| due.get("Account") == account));
    let row = |(number, due): (i64, Record)| {
        let mut row = Record::new(entity);
        row.set("HID", Cell::Int(number));
        for (name, from) in [
            ("AccountCode", "AccountCode"),
            ("AccountId", "Account"),
            ("AccountName", "AccountName"),
            ("Amount", "AmountFC"),
            ("CurrencyCode", "Currency"),
            ("Description", "Description"),
            ("DueDate", "DueDate"),
            ("EntryNumber", "EntryNumber"),
            ("Id", "ID"),
            ("InvoiceDate", "InvoiceDate"),
            ("InvoiceNumber", "InvoiceNumber"),
            ("JournalCode", "Journal"),
            ("YourRef", "YourRef"),
        ] {
            let at = due.entity.at(from);
            row.set(name, state.read(due.entity, &due.row, at).into_owned());
        }
        row.set("AmountInTransit", Cell::Number(Decimal::ZERO));
        row
    };
    (1_i64..).zip(open).map(row).collect()
}

fn outstanding(state: &State, entity: &'static Entity) -> Vec<Record> {
    let open: Vec<_> = state.all("cashflow/Receivables").filter(|due| !due.flag("IsFullyPaid")).collect();
    let overdue: Vec<_> = open.iter().filter(|due| due.time("DueDate").is_some_and(|due| due < state.now)).collect();
    let mut row = Record::new(entity);
    row.set("CurrencyCode", Cell::text("EUR"));
    row.set_number("OutstandingReceivableInvoiceAmount", open.iter().map(|due| due.amount("AmountDC")).sum());
    row.set_number("OutstandingReceivableInvoiceCount", Decimal::from(open.len()));
    row.set_number("OverdueReceivableInvoiceAmount", overdue.iter().map(|due| due.amount("AmountDC")).sum());
    row.set_number("OverdueReceivableInvoiceCount", Decimal::from(overdue.len()));
    vec![row]
}

/// The highest row version at a date: everything changed later has a higher one.
fn sync_timestamp(state: &State, entity: &'static Entity, query: &Query) -> Result<Vec<Record>, Refusal> {
    let text = query.argument("modified").unwrap_or_default().trim();
    let plain = text.strip_prefix("datetime").unwrap_or(text).trim_matches('\'');
    let date = cell::time(plain).ok_or_else(Refusal::syntax)?;
    let name = query.argument("endPoint").unwrap_or_default().trim_matches('\'').to_owned();
    let named = |view: &&Entity| view.is_sync() && view.name.eq_ignore_ascii_case(&name);
    let views: Vec<_> = schema().entities().iter().filter(named).collect();
    let mut version = 1;
    for source in views.iter().filter_map(|view| view.source).map(|id| schema().get(id)) {
        let Some(modified) = source.find("Modified") else {
            continue;
        };
        let older =
            state.table(source).rows().filter(|(_, row)| matches!(row.get(modified), Cell::Time(time) if *time < date));
        version = older.map(|(_, row)| row.version).max().unwrap_or(1).max(version);
    }
    let mut row = Record::new(entity);
    row.set("Modified", Cell::Time(date));
    row.set("API", Cell::text(&name));
    row.set("TimeStampAsBigInt", Cell::Int(version));
    row.row.version = version;
    Ok(vec![row])
}

/// Invoices and their lines in one list by row version; a header has line number 0.
fn mixed_invoices(state: &State, view: &'static Entity, from: i64) -> Vec<Record> {
    let (headers, lines) = (entity("salesinvoice/SalesInvoices"), entity("salesinvoice/SalesInvoiceLines"));
    let mut found = Vec::new();
    for slot in state.table(headers).changed_after(from) {
        let Some(header) = state.record_at(headers, slot) else {
            continue;
        };
        let mut row = copy(state, &header, view);
        row.set("ID", header.key());
        row.set("LineNumber", Cell::Int(0));
        found.push(row);
    }
    for slot in state.table(lines).changed_after(from) {
        let Some(line) = state.record_at(lines, slot) else {
            continue;
        };
        let mut row = copy(state, &line, view);
        if let Some(header) = state.by_guid(headers.path, line.guid("InvoiceID")) {
            let of_header = copy(state, &header, view);
            for (at, cell) in
                of_header.row.cells().filter(|(at, _)| row.row.get(*at).is_null()).cloned().collect::<Vec<_>>()
            {
                row.row.set(at, cell);
            }
        }
        row.set("InvoiceID", line.get("InvoiceID").clone());
        found.push(row);
    }
    found.sort_by_key(|row| row.row.version);
    found
}
