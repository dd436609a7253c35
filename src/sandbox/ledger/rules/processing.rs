//! Invoices that are printed and so processed, and orders that are invoiced.

use rust_decimal::Decimal;

use super::super::amounts::{self, Totals};
use super::super::cell::{self, Cell};
use super::super::draft::Draft;
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::super::schema::entity;
use super::{Desk, bookings, invoices, orders, processed, sales};

/// Type of the documents that invoices are kept as.
const INVOICE_DOCUMENT: i64 = 10;

/// Lines that one call may invoice over several orders.
const LINES_MAX: usize = 500;

/// Prints an invoice: it gets its number and date, is booked, and is closed for good.
pub(super) fn print(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    desk.reasons.check()?;
    let mut answer = draft.record;
    let invoice = desk.state.by_guid(invoices::INVOICES, answer.guid("InvoiceID"));
    let mut invoice = invoice.ok_or_else(|| Refusal::rule("Ongeldige referentie: Verkoopfactuur"))?;
    if invoice.int("Status") == Some(invoices::PROCESSED) {
        return Err(processed());
    }
    let day = answer.time("InvoiceDate").unwrap_or_else(|| cell::day_of(desk.state.now));
    let entry = entry_of(desk, &invoice, &answer, day);
    desk.reasons.check()?;
    let document = keep_document(desk, &invoice);
    for (name, value) in [
        ("InvoiceNumber", entry.get("InvoiceNumber").clone()),
        ("InvoiceDate", Cell::Time(day)),
        ("DueDate", entry.get("DueDate").clone()),
        ("Status", Cell::Int(invoices::PROCESSED)),
        ("Document", document.clone()),
    ] {
        invoice.set(name, value);
    }
    desk.state.update(&invoice);
    book(desk, entry, &invoice);
    answer.set("Document", document);
    answer.set("DocumentCreationSuccess", Cell::text("Document created"));
    if answer.flag("SendEmailToCustomer") {
        answer.set("EmailCreationSuccess", Cell::text("Email created"));
    }
    if answer.flag("SendInvoiceViaPeppol") {
        answer.set("PeppolCreationSuccess", Cell::text("Invoice sent"));
    }
    Ok(answer)
}

/// The entry that a printed invoice makes; reasons against it stop the printing.
fn entry_of(desk: &mut Desk<'_>, invoice: &Record, answer: &Record, day: i64) -> Record {
    let mut entry = Record::new(entity(bookings::ENTRIES));
    for (name, from) in [
        ("Customer", "InvoiceTo"),
        ("Journal", "Journal"),
        ("Description", "Description"),
        ("YourRef", "YourRef"),
        ("PaymentReference", "PaymentReference"),
        ("PaymentCondition", "PaymentCondition"),
        ("Currency", "Currency"),
        ("OrderNumber", "OrderNumber"),
    ] {
        entry.set(name, invoice.get(from).clone());
    }
    entry.set("EntryDate", Cell::Time(day));
    entry.set("ReportingYear", answer.get("ReportingYear").clone());
    entry.set("ReportingPeriod", answer.get("ReportingPeriod").clone());
    bookings::fill_entry(desk, &mut entry);
    entry.set("Status", Cell::Int(invoices::PROCESSED));
    entry.set("StatusDescription", Cell::text("Processed"));
    entry
}

/// The invoice as a document, so that its booking can show it.
fn keep_document(desk: &mut Desk<'_>, invoice: &Record) -> Cell {
    let mut document = Record::new(entity("documents/Documents"));
    document.set("Type", Cell::Int(INVOICE_DOCUMENT));
    document.set("TypeDescription", Cell::text("Sales invoice"));
    document.set("Subject", Cell::text(invoice.text("Description").unwrap_or("Verkoopfactuur")));
    document.set("Account", invoice.get("InvoiceTo").clone());
    document.set("AmountFC", invoice.get("AmountFC").clone());
    document.set("Currency", invoice.get("Currency").clone());
    document.set("DocumentDate", desk.today());
    let number = i64::try_from(desk.state.table(document.entity).len()).unwrap_or(0) + 1;
    document.set("HID", Cell::Int(number));
    desk.state.insert(&document)
}

/// Books an invoice's lines as they are, under the invoice's own totals: discount and charges are in
/// them, and a second reckoning could differ by cents. What the lines do not add up to goes to the
/// first line's account. A credit note whose quantities stand above nought is booked below it.
fn book(desk: &mut Desk<'_>, mut entry: Record, invoice: &Record) {
    let lines: Vec<_> = desk.state.having(invoices::LINES, "InvoiceID", &invoice.key()).collect();
    let rate = entry.number("Rate").unwrap_or(Decimal::ONE);
    let turned = invoices::is_credit(invoice) && invoice.amount("AmountFC") > Decimal::ZERO;
    let sign = if turned { -Decimal::ONE } else { Decimal::ONE };
    entry.set("Document", invoice.get("Document").clone());
    let booked = lines.iter().map(|line| {
        let mut made = Record::new(entity(bookings::LINES));
        for name in [
            "CostCenter",
            "CostUnit",
            "Description",
            "GLAccount",
            "Notes",
            "Project",
            "Quantity",
            "VATCode",
            "VATPercentage",
        ] {
            made.set(name, line.get(name).clone());
        }
        for (name, from) in [("AmountFC", "AmountFC"), ("VATAmountFC", "VATAmountFC"), ("VATBaseAmountFC", "AmountFC")]
        {
            made.set_number(name, line.amount(from) * sign);
        }
        for (name, from) in [("AmountDC", "AmountFC"), ("VATAmountDC", "VATAmountFC"), ("VATBaseAmountDC", "AmountFC")]
        {
            let amount = amounts::converted(made.amount(from), rate);
            made.set_number(name, amount);
        }
        (made, true)
    });
    let booked: Vec<_> = booked.collect();
    let total = Totals { net: invoice.amount("AmountFCExclVat") * sign, tax: invoice.amount("VATAmountFC") * sign };
    bookings::keep_with(desk, entry, booked, total);
}

/// Makes invoices of orders, one a customer or one an order.
pub(super) fn invoice_orders(desk: &mut Desk<'_>, mut draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let ids = draft.take("SalesOrderIDs");
    let mut answer = draft.record;
    invoices::check_journal(desk, &answer, "JournalCode", &invoices::SALES_JOURNALS);
    for (name, allowed) in [("CreateMode", 0..=1), ("InvoiceMode", 0..=1)] {
        if answer.int(name).is_some_and(|mode| !allowed.contains(&mode)) {
            desk.reasons.invalid(name);
        }
    }
    desk.reasons.check()?;
    let mut batches: Vec<Vec<Record>> = Vec::new();
    let (mut failed, mut errors, mut lines) = (0_i64, Vec::new(), 0);
    for id in ids {
        let Some(order) = orders::find(desk, id.record.guid("ID")) else {
            failed += 1;
            errors.push("Ongeldige referentie: Verkooporder".to_owned());
            continue;
        };
        lines += desk.state.having(orders::LINES, "OrderID", &order.key()).count();
        let together = answer.int("CreateMode") == Some(0);
        let batch = batches.iter_mut().find(|batch| {
            together && ["InvoiceTo", "OrderedBy", "Currency"].iter().all(|name| batch[0].get(name) == order.get(name))
        });
        match batch {
            Some(batch) => batch.push(order),
            None => batches.push(vec![order]),
        }
    }
    if lines > LINES_MAX && batches.len() > 1 {
        return Err(Refusal::rule(format!("Maximaal {LINES_MAX} regels per aanroep")));
    }
    let mut made = 0_i64;
    for batch in batches {
        if invoice_batch(desk, &batch, &answer) {
            made += 1;
        } else {
            failed += 1;
            let number = batch[0].int("OrderNumber").unwrap_or_default();
            errors.push(format!("Verkooporder {number}: niets te factureren"));
        }
    }
    answer.set("NumberOfCreatedInvoices", Cell::Int(made));
    answer.set("NumberOfFailedInvoices", Cell::Int(failed));
    answer.set("Errors", Cell::text(&errors.join("\r\n")));
    Ok(answer)
}

/// One invoice of some orders of one customer; no if there is nothing to put on it.
fn invoice_batch(desk: &mut Desk<'_>, batch: &[Record], request: &Record) -> bool {
    let order = &batch[0];
    let mut invoice = Record::new(entity(invoices::INVOICES));
    for name in [
        "OrderedBy",
        "InvoiceTo",
        "DeliverTo",
        "Currency",
        "YourRef",
        "Description",
        "PaymentCondition",
        "PaymentReference",
        "ShippingMethod",
        "Remarks",
        "SalesChannel",
        "OrderNumber",
        "Discount",
    ] {
        invoice.set(name, order.get(name).clone());
    }
    invoice.set("DeliverToAddress", order.get("DeliveryAddress").clone());
    invoice.set("Journal", request.get("JournalCode").clone());
    invoice.set("OrderDate", Cell::Time(request.time("UserInvoiceDate").unwrap_or(cell::day_of(desk.state.now))));
    invoice.set("Type", Cell::Int(8020));
    invoice.set("TypeDescription", Cell::text("Sales invoice"));
    invoice.set("Status", Cell::Int(invoices::OPEN));
    let day = invoice.time("OrderDate").unwrap_or(desk.state.now);
    invoice.set("DueDate", Cell::Time(sales::due_date(desk.state, invoice.get("PaymentCondition"), day)));
    let mut lines = Vec::new();
    let mut done = Vec::new();
    for order in batch {
        for line in desk.state.having(orders::LINES, "OrderID", &order.key()).collect::<Vec<_>>() {
            let mode = if request.int("InvoiceMode") == Some(1) { "Quantity" } else { "QuantityDelivered" };
            let quantity = line.amount(mode) - line.amount("QuantityInvoiced");
            if quantity.is_zero() || line.int("InvoiceStatus") == Some(orders::COMPLETE) {
                continue;
            }
            lines.push(invoices::new_line(desk, &invoice, invoice_line(order, &line, quantity)));
            done.push((order.clone(), line, quantity));
        }
    }
    // What was ordered is invoiced even if its item can no longer be ordered.
    desk.reasons.clear();
    if lines.is_empty() {
        return false;
    }
    invoices::keep(desk, invoice, lines, charges(desk, batch));
    for (order, mut line, quantity) in done {
        let sum = line.amount("QuantityInvoiced") + quantity;
        line.set_number("QuantityInvoiced", sum);
        orders::set_line_statuses(&mut line);
        desk.state.update(&line);
        orders::write_statuses(desk, &order);
    }
    true
}

fn invoice_line(order: &Record, line: &Record, quantity: Decimal) -> Record {
    let mut made = Record::new(entity(invoices::LINES));
    for name in [
        "Item",
        "Description",
        "NetPrice",
        "UnitPrice",
        "Discount",
        "VATCode",
        "UnitCode",
        "CostCenter",
        "CostUnit",
        "Notes",
        "Project",
        "DeliveryDate",
    ] {
        made.set(name, line.get(name).clone());
    }
    made.set_number("Quantity", quantity);
    made.set("SalesOrder", order.key());
    made.set("SalesOrderLine", line.key());
    made
}

/// The charges of orders that have not been invoiced before.
fn charges(desk: &Desk<'_>, batch: &[Record]) -> Vec<Record> {
    let mut made = Vec::new();
    for order in batch.iter().filter(|order| order.int("InvoiceStatus") == Some(orders::OPEN)) {
        for charge in desk.state.having(orders::CHARGES, "OrderID", &order.key()) {
            let mut copy = Record::new(entity(invoices::CHARGES));
            for name in [
                "AmountFCExclVAT",
                "AmountFCInclVAT",
                "AmountVATFC",
                "AmountDC",
                "IsShippingCost",
                "OrderCharge",
                "OrderChargesLineDescription",
                "VATCode",
                "VATPercentage",
            ] {
                if copy.entity.find(name).is_some() {
                    copy.set(name, charge.get(name).clone());
                }
            }
            made.push(copy);
        }
    }
    made
}
