//! What sales orders and sales invoices share: parties, lines with their prices and VAT, totals.

use rust_decimal::Decimal;

use super::super::amounts::{self, Discount, Priced, Totals, Vat};
use super::super::cell::{self, Cell};
use super::super::record::Record;
use super::super::refusal::Reasons;
use super::super::state::State;
use super::{Change, Desk, accounts, prices};

/// The payment condition of the company, for customers without one of their own.
const COMPANY_CONDITION: &str = "30";

/// Decimals that a unit price keeps when it is worked out from others.
const PRICE_DECIMALS: u32 = 10;

/// Where a line of orders and of invoices keeps its tax.
pub(super) fn tax_field(line: &Record) -> &'static str {
    if line.entity.name == "SalesOrderLines" { "VATAmount" } else { "VATAmountFC" }
}

/// Checks and fills the parties of a new document.
pub(super) fn fill_parties(desk: &mut Desk<'_>, document: &mut Record) {
    let Some(customer) = desk.state.by_guid("crm/Accounts", document.guid("OrderedBy")) else {
        return;
    };
    let invoiced = if customer.has("InvoiceAccount") { customer.get("InvoiceAccount").clone() } else { customer.key() };
    document.fill("InvoiceTo", invoiced);
    document.fill("DeliverTo", customer.key());
    check_customer(desk, document, "OrderedBy");
    for name in ["InvoiceTo", "DeliverTo"] {
        if document.get(name) != document.get("OrderedBy") {
            check_customer(desk, document, name);
        }
    }
    document.fill("PaymentCondition", customer.get("PaymentConditionSales").clone());
    let condition = Cell::text(COMPANY_CONDITION);
    if desk.state.first("cashflow/PaymentConditions", "Code", &condition).is_some() {
        document.fill("PaymentCondition", condition);
    }
    if !document.has("PaymentCondition") {
        desk.reasons.missing("PaymentCondition");
    }
    for (contact, account) in [
        ("OrderedByContactPerson", "OrderedBy"),
        ("InvoiceToContactPerson", "InvoiceTo"),
        ("DeliverToContactPerson", "DeliverTo"),
    ] {
        check_contact(desk, document, contact, account);
    }
    document.fill("ShippingMethod", customer.get("ShippingMethod").clone());
}

/// Sales documents need a customer that may still buy.
pub(super) fn check_customer(desk: &mut Desk<'_>, document: &Record, name: &str) {
    let Some(account) = desk.state.by_guid("crm/Accounts", document.guid(name)) else {
        return;
    };
    if account.text("Status") != Some("C") {
        desk.reasons.says("Ongeldig: Klant (Type)");
    }
    if account.flag("Blocked") {
        let label = super::super::refusal::label(name);
        desk.reasons.says(format!("Geblokkeerd: {label}"));
    }
    if !desk.state.is_current(&account) {
        let label = super::super::refusal::label(name);
        desk.reasons.says(format!("Niet actief: {label}"));
    }
}

fn check_contact(desk: &mut Desk<'_>, document: &Record, contact: &str, account: &str) {
    let Some(person) = desk.state.by_guid("crm/Contacts", document.guid(contact)) else {
        return;
    };
    if person.get("Account") != document.get(account) {
        desk.reasons.dangling(contact);
    }
}

/// The delivery address must be one of the account that receives; left out, its default one is taken.
pub(super) fn fill_address(desk: &mut Desk<'_>, document: &mut Record, name: &str) {
    let receiver = document.get("DeliverTo").clone();
    if document.has(name) {
        let address = desk.state.by_guid("crm/Addresses", document.guid(name));
        if address.is_some_and(|address| address.get("Account") != &receiver) {
            desk.reasons.dangling(name);
        }
    } else if let Some(address) = accounts::default_delivery_address(desk, &receiver) {
        document.set(name, address.key());
    }
}

/// Company currency unless another is named, which must be active and have a rate on the day.
pub(super) fn fill_currency(desk: &mut Desk<'_>, document: &mut Record, day: &str) -> Decimal {
    document.fill_text("Currency", "EUR");
    let rate = prices::rate(desk.state, document.get("Currency"), document.time(day));
    if rate.is_none() {
        desk.reasons.says("Verplicht: Wisselkoers");
    }
    rate.unwrap_or(Decimal::ONE)
}

/// Checks a line and works out its prices, its VAT and its amounts.
///
/// `given` is the tax that was sent to stand in place of the reckoned one.
pub(super) fn price_line(desk: &mut Desk<'_>, document: &Record, line: &mut Record, given: Option<Decimal>) -> Priced {
    let item = desk.state.by_guid("logistics/Items", line.guid("Item"));
    line.fill("Quantity", Cell::Number(Decimal::ONE));
    if let Some(item) = &item {
        check_item(desk, item, line);
        line.fill("Description", item.get("Description").clone());
        line.fill("UnitCode", item.get("Unit").clone());
    }
    fill_vat(desk, document, item.as_ref(), line);
    let vat = line_vat(desk.state, line);
    fill_prices(desk.state, document, line);
    let priced = amounts::line(line.amount("Quantity"), line.amount("NetPrice"), &vat, given);
    write_amounts(desk.state, document, line, &priced);
    priced
}

fn check_item(desk: &mut Desk<'_>, item: &Record, line: &Record) {
    let sellable = item.flag("IsSalesItem") && item.has("StartDate") && desk.state.is_current(item);
    if !sellable {
        let code = item.text("Code").unwrap_or_default();
        desk.reasons.says(format!("Ongeldig: Artikel ({code}) - geen actief verkoopartikel"));
    }
    if !item.flag("IsFractionAllowedItem") && !line.amount("Quantity").is_integer() {
        desk.reasons.invalid("Quantity");
    }
}

/// The code given, else the customer's, the item's, the revenue account's.
fn fill_vat(desk: &mut Desk<'_>, document: &Record, item: Option<&Record>, line: &mut Record) {
    let customer = desk.state.by_guid("crm/Accounts", document.guid("OrderedBy"));
    line.fill("VATCode", customer.map_or(Cell::Null, |customer| customer.get("SalesVATCode").clone()));
    line.fill("VATCode", item.map_or(Cell::Null, |item| item.get("SalesVatCode").clone()));
    let revenue = item.and_then(|item| revenue_account(desk.state, item));
    line.fill("VATCode", revenue.map_or(Cell::Null, |account| account.get("VATCode").clone()));
    if line.has("VATCode") {
        check_vat(desk.state, line, document.time("OrderDate"), &mut desk.reasons);
    } else {
        desk.reasons.missing("VATCode");
    }
}

/// A code of purchases or a blocked one is no code for a sales line, nor is a percentage that it does
/// not have on the document's day.
pub(super) fn check_vat(state: &State, line: &mut Record, day: Option<i64>, reasons: &mut Reasons) {
    let Some(code) = line.text("VATCode").and_then(|code| state.by_code("vat/VATCodes", code)) else {
        return;
    };
    if code.flag("IsBlocked") || code.text("VATTransactionType") == Some("P") {
        reasons.invalid("VATCode");
    }
    let percentage = prices::percentage(state, &code, day);
    if line.number("VATPercentage").is_some_and(|sent| sent != percentage) {
        reasons.says("BTW percentage is niet toegestaan");
    }
    line.set_number("VATPercentage", percentage);
}

/// The code of a line with the percentage that the line was made with.
fn line_vat(state: &State, line: &Record) -> Vat {
    let mut vat = prices::vat(state, line.text("VATCode"));
    if let Some(fraction) = line.number("VATPercentage") {
        vat.fraction = fraction;
    }
    vat
}

/// The account that a line's turnover is booked to: the item's, else its group's.
pub(super) fn revenue_account(state: &State, item: &Record) -> Option<Record> {
    let group = state.by_guid("logistics/ItemGroups", item.guid("ItemGroup"));
    let account = item.guid("GLRevenue").or_else(|| group.and_then(|group| group.guid("GLRevenue")));
    state.by_guid("financial/GLAccounts", account)
}

/// Net price, unit price and discount: the net price leads, else the unit price less the discount,
/// else the amount, else the price that is kept for the item.
fn fill_prices(state: &State, document: &Record, line: &mut Record) {
    let off = line.amount("Discount");
    let keeps = Decimal::ONE - off;
    let short = |number: Decimal| amounts::round(number, PRICE_DECIMALS);
    if !line.has("NetPrice") && !line.has("UnitPrice") {
        let quantity = line.amount("Quantity");
        let kept = || {
            let (item, account) = (line.get("Item"), document.get("OrderedBy"));
            prices::price(state, item, account, document.get("Currency"), quantity)
        };
        match line.number("AmountFC").and_then(|amount| amount.checked_div(quantity)) {
            Some(net) => line.set_number("NetPrice", short(net)),
            None => line.set_number("UnitPrice", kept()),
        }
    }
    match (line.number("NetPrice"), line.number("UnitPrice")) {
        (Some(net), Some(unit)) => {
            let off = (unit - net).checked_div(unit).unwrap_or_default();
            line.set_number("Discount", amounts::round(off, 6));
        }
        (Some(net), None) => {
            let unit = net.checked_div(keeps).unwrap_or(net);
            line.set_number("UnitPrice", short(unit));
            line.fill("Discount", Cell::Number(Decimal::ZERO));
        }
        (None, unit) => {
            let net = unit.unwrap_or_default().checked_mul(keeps).unwrap_or_default();
            line.set_number("NetPrice", short(net));
            line.fill("Discount", Cell::Number(Decimal::ZERO));
        }
    }
}

/// After a PUT: the values that follow from those that changed are worked out anew.
pub(super) fn forget_derived(line: &mut Record, change: &Change<'_>) {
    let price = change.touches("NetPrice");
    if price && !change.touches("UnitPrice") {
        line.set("UnitPrice", Cell::Null);
        line.set("Discount", Cell::Null);
    }
    if !price && change.touches_any(&["UnitPrice", "Discount"]) {
        line.set("NetPrice", Cell::Null);
    }
    if !price && change.touches("AmountFC") && !change.touches_any(&["UnitPrice", "Discount"]) {
        line.set("NetPrice", Cell::Null);
        line.set("UnitPrice", Cell::Null);
    }
    if change.touches("VATCode") && !change.touches("VATPercentage") {
        line.set("VATPercentage", Cell::Null);
    }
    if change.touches("Item") {
        for name in ["Description", "UnitCode", "GLAccount"] {
            if line.entity.find(name).is_some() && !change.touches(name) {
                line.set(name, Cell::Null);
            }
        }
    }
}

/// The tax that a changed line was given: with this change, or before it if its amounts stay as they were.
pub(super) fn given_tax(state: &State, line: &Record, change: &Change<'_>) -> Option<Decimal> {
    let amounts = ["Quantity", "NetPrice", "UnitPrice", "Discount", "AmountFC", "VATCode", "VATPercentage", "Item"];
    let stays = state.has_given_tax(&line.key()) && !change.touches_any(&amounts);
    line.number(tax_field(line)).filter(|_| stays || change.touches(tax_field(line)))
}

/// A stored line's amounts, as the total needs them.
pub(super) fn stored(state: &State, line: &Record) -> Priced {
    let given = line.number(tax_field(line)).filter(|_| state.has_given_tax(&line.key()));
    amounts::line(line.amount("Quantity"), line.amount("NetPrice"), &line_vat(state, line), given)
}

fn write_amounts(state: &State, document: &Record, line: &mut Record, priced: &Priced) {
    let day = document.time("OrderDate");
    let rate = prices::rate(state, document.get("Currency"), day).unwrap_or(Decimal::ONE);
    line.set_number("AmountFC", priced.net);
    line.set_number("AmountDC", amounts::converted(priced.net, rate));
    line.set_number(tax_field(line), priced.tax);
    if line.entity.find("VATAmountDC").is_some() {
        line.set_number("VATAmountDC", amounts::converted(priced.tax, rate));
    }
}

/// Shipping cost or another charge on the whole document.
pub(super) fn price_charge(desk: &mut Desk<'_>, document: &Record, charge: &mut Record) {
    if !charge.flag("IsShippingCost") && !charge.has("OrderCharge") {
        desk.reasons.missing("OrderCharge");
    }
    if charge.flag("IsShippingCost") && charge.has("OrderCharge") {
        desk.reasons.invalid("OrderCharge");
    }
    let kind = desk.state.by_guid("sales/OrderCharges", charge.guid("OrderCharge"));
    let method = desk.state.by_guid("sales/ShippingMethods", document.guid("ShippingMethod"));
    let customer = desk.state.by_guid("crm/Accounts", document.guid("OrderedBy"));
    for source in [kind, method].iter().flatten() {
        charge.fill("VATCode", source.get("VATCode").clone());
    }
    charge.fill("VATCode", customer.map_or(Cell::Null, |customer| customer.get("SalesVATCode").clone()));
    if !charge.has("VATCode") {
        desk.reasons.missing("VATCode");
    }
    check_vat(desk.state, charge, document.time("OrderDate"), &mut desk.reasons);
    let fraction = charge.amount("VATPercentage");
    let (net, tax) = match (charge.number("AmountFCExclVAT"), charge.number("AmountFCInclVAT")) {
        (None, Some(gross)) => {
            let tax = amounts::cents(gross * fraction / (Decimal::ONE + fraction));
            (amounts::cents(gross) - tax, tax)
        }
        (net, _) => {
            let net = amounts::cents(net.unwrap_or_default());
            (net, amounts::cents(net * fraction))
        }
    };
    let rate = prices::rate(desk.state, document.get("Currency"), document.time("OrderDate")).unwrap_or(Decimal::ONE);
    charge.set_number("AmountFCExclVAT", net);
    charge.set_number("AmountFCInclVAT", net + tax);
    charge.set_number("AmountVATFC", tax);
    charge.set_number("AmountDC", amounts::converted(net, rate));
}

/// Writes the document's totals: its lines, its charges, less its discount.
pub(super) fn write_totals(state: &State, document: &mut Record, lines: &[Priced], charges: &[Record]) {
    // A charge has a VAT code like any line, and the tax of a code is that of all it stands on.
    let priced = charges.iter().map(|charge| Priced {
        net: charge.amount("AmountFCExclVAT"),
        tax: charge.amount("AmountVATFC"),
        vat: line_vat(state, charge),
        fixed: false,
    });
    let all: Vec<_> = lines.iter().cloned().chain(priced).collect();
    let before = amounts::totals(&all, state.rounding);
    let discount = document_discount(document);
    let after = discount.map_or(before, |discount| amounts::discounted(before, discount));
    write_discount(document, discount, before, after);
    let rate = prices::rate(state, document.get("Currency"), document.time("OrderDate")).unwrap_or(Decimal::ONE);
    document.set_number("AmountFC", after.gross());
    document.set_number("AmountFCExclVat", after.net);
    document.set_number("AmountDC", amounts::converted(after.gross(), rate));
    if document.entity.find("VATAmountFC").is_some() {
        document.set_number("VATAmountFC", after.tax);
        document.set_number("VATAmountDC", amounts::converted(after.tax, rate));
    }
}

fn document_discount(document: &Record) -> Option<Discount> {
    let there = |name: &str| document.number(name).filter(|number| !number.is_zero());
    there("Discount")
        .map(Discount::Fraction)
        .or_else(|| there("AmountDiscount").map(Discount::Gross))
        .or_else(|| there("AmountDiscountExclVat").map(Discount::Net))
}

fn write_discount(document: &mut Record, discount: Option<Discount>, before: Totals, after: Totals) {
    document.set_number("AmountDiscount", before.gross() - after.gross());
    document.set_number("AmountDiscountExclVat", before.net - after.net);
    if document.entity.find("DiscountType").is_some() {
        let kind = discount.map(|discount| match discount {
            Discount::Fraction(_) => 1,
            Discount::Net(_) => 2,
            Discount::Gross(_) => 3,
        });
        document.set("DiscountType", kind.map_or(Cell::Null, Cell::Int));
    }
}

/// After a PUT: of the discount's three forms the one that changed leads.
pub(super) fn lead_discount(document: &mut Record, change: &Change<'_>) {
    let forms = ["Discount", "AmountDiscount", "AmountDiscountExclVat"];
    let Some(lead) = forms.iter().find(|name| change.touches(name)) else {
        return;
    };
    for name in forms.iter().filter(|name| *name != lead) {
        document.set(name, Cell::Null);
    }
}

/// Cost centre and cost unit as the G/L account wants them: open, wanted, not allowed.
pub(super) fn check_costs(state: &State, line: &Record, reasons: &mut Reasons) {
    let Some(account) = state.by_guid("financial/GLAccounts", line.guid("GLAccount")) else {
        return;
    };
    for (rule, name) in [("UseCostcenter", "CostCenter"), ("UseCostunit", "CostUnit")] {
        match account.int(rule) {
            Some(1) if !line.has(name) => reasons.missing(name),
            Some(2) if line.has(name) => reasons.invalid(name),
            _ => {}
        }
    }
}

/// The day on which a document is due.
pub(super) fn due_date(state: &State, condition: &Cell, day: i64) -> i64 {
    let Some(condition) = state.first("cashflow/PaymentConditions", "Code", condition) else {
        return day;
    };
    let months = condition.int("PaymentEndOfMonths").unwrap_or(0);
    let days = condition.int("PaymentDays").unwrap_or(0);
    if months > 0 {
        let first = cell::date_of(day).first_of_month();
        let end = cell::date_of(cell::later(cell::midnight(first), months, 0)).last_of_month();
        return cell::later(cell::midnight(end), 0, days);
    }
    cell::later(cell::day_of(day), 0, days)
}

/// The next of a document's numbers, above all that are in use and above `floor`.
pub(super) fn next_number(state: &State, path: &str, property: &str, floor: i64) -> i64 {
    let entity = super::super::schema::entity(path);
    let at = entity.at(property);
    let last = state.table(entity).rows().next_back().and_then(|(_, row)| row.get(at).number());
    let last = last.and_then(|number| i64::try_from(number).ok()).unwrap_or(floor);
    let mut next = last.max(floor) + 1;
    while state.first(path, property, &Cell::Int(next)).is_some() {
        next += 1;
    }
    next
}
