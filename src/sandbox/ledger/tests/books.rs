//! What the rules of the books do with documents.

use super::*;

#[test]
fn an_order_is_reckoned_and_guarded() {
    let bench = Bench::new();
    let item = bench.item("BEL-001");
    let lines = json!([
        {"Item": item, "Quantity": 2, "NetPrice": 12.10, "VATCode": "5"},
        {"Item": item, "Quantity": "1", "NetPrice": "24.20", "VATCode": "5  ", "LineNumber": 7},
    ]);
    let order = bench.order(&lines).created();
    assert_eq!(
        (&order["AmountFC"], &order["AmountFCExclVat"], &order["Status"]),
        (&json!(48.4), &json!(40), &json!(12))
    );
    assert_eq!(order["OrderNumber"], 20_260_001);
    assert_eq!(order["OrderedByName"], "Molenaar Fietsen");
    assert!(order["DeliveryAddress"].is_string() && order["SalesOrderLines"]["__deferred"]["uri"].is_string());
    let id = order["OrderID"].as_str().unwrap();
    let beneath = bench.get(&format!("salesorder/SalesOrders(guid'{id}')/SalesOrderLines")).results();
    assert_eq!((beneath.len(), &beneath[1]["AmountFC"], &beneath[1]["VATAmount"]), (2, &json!(20), &json!(4.2)));
    assert_eq!(beneath[0]["ItemCode"], "BEL-001");
    let stock = bench.get("inventory/ItemWarehouses?$select=CurrentStock,PlannedStockOut,ProjectedStock&$filter=ItemCode eq 'BEL-001'").results();
    assert_eq!((&stock[0]["CurrentStock"], &stock[0]["PlannedStockOut"]), (&json!(100), &json!(3)));
    let row = &bench.ledger.rows("salesorder", "SalesOrders").unwrap()[0];
    assert_eq!(
        (row["OrderDate"].as_str(), row["SalesOrderLines"].as_array().unwrap().len()),
        (Some("2026-01-02T00:00:00"), 2)
    );
    let line = beneath[0]["ID"].as_str().unwrap();
    assert_eq!(bench.put(&format!("salesorder/SalesOrderLines(guid'{line}')"), &json!({"Quantity": 1})).status, 204);
    let again = bench.get(&format!("salesorder/SalesOrders(guid'{id}')?$select=AmountFC")).json();
    assert_eq!(again["d"]["AmountFC"], json!(36.3));
    assert_eq!(bench.call(Method::DELETE, &format!("salesorder/SalesOrders(guid'{id}')"), None).status, 204);
    let gone =
        bench.get("sync/Deleted?$select=EntityKey,EntityType&$filter=Timestamp gt 1L and EntityType eq 32").results();
    assert_eq!(gone[0]["EntityKey"], id);
}

#[test]
fn an_order_number_is_used_once() {
    let bench = Bench::new();
    let item = bench.item("BEL-001");
    let lines = json!([{"Item": item, "NetPrice": 1, "VATCode": "5"}]);
    let order = bench.order(&lines).created();
    let twice = json!({"OrderedBy": order["OrderedBy"], "OrderNumber": 20_260_001, "SalesOrderLines": lines});
    assert_eq!(bench.post("salesorder/SalesOrders", &twice).refusal(), "Verkoopordernummer: Bestaat reeds");
}

#[test]
fn orders_are_refused_with_reasons() {
    let bench = Bench::new();
    let item = bench.item("BEL-001");
    let missing = bench.post("salesorder/SalesOrders", &json!({"SalesOrderLines": [{"Item": item}]}));
    assert_eq!(missing.refusal(), "Verplicht: Factuur voor\r\nVerplicht: Besteld door");
    let line = |extra: Value| {
        let mut line = json!({"Item": item, "NetPrice": 1, "VATCode": "4"});
        line.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!([line])
    };
    let cases = [
        (line(json!({"VATCode": "P21"})), 500, "Ongeldig: BTW-code"),
        (line(json!({"VATCode": "X19"})), 500, "Ongeldig: BTW-code"),
        (line(json!({"VATCode": "zz"})), 500, "Ongeldige referentie: BTW-code"),
        (line(json!({"VATPercentage": 0.19})), 500, "BTW percentage is niet toegestaan"),
        (line(json!({"Quantity": 1.5})), 500, "Ongeldig: Aantal"),
        (line(json!({"Item": "7c1d1f0e-3a52-4a5e-9d0b-0c5b3f1a2001"})), 500, "Ongeldige referentie: Artikel"),
        (
            line(json!({"SalesVatCode": "4"})),
            400,
            "The property name 'SalesVatCode' specified for type 'Exact.Web.Api.Models.SalesOrderLine' is not valid.",
        ),
        (json!([]), 500, "Verplicht: Verkooporderregels"),
        (json!({"Item": item}), 400, "The request should be a valid top-level resource object."),
    ];
    for (lines, status, text) in cases {
        let reply = bench.order(&lines);
        assert_eq!(reply.status.as_u16(), status, "{lines}: {}", reply.text);
        assert!(reply.refusal().contains(text), "{lines}: {}", reply.text);
    }
    assert!(bench.ledger.rows("salesorder", "SalesOrders").unwrap().is_empty());
    let prospect = bench.post("crm/Accounts", &json!({"Name": "P", "Status": "P"})).created()["ID"].clone();
    let reply =
        bench.post("salesorder/SalesOrders", &json!({"OrderedBy": prospect, "SalesOrderLines": line(json!({}))}));
    assert_eq!(reply.refusal(), "Ongeldig: Klant (Type)");
    let long = bench.post("crm/Accounts", &json!({"Name": "x".repeat(51)}));
    assert!(long.refusal().starts_with("Ongeldig: Naam"), "{}", long.text);
}

#[test]
fn an_invoice_is_printed_booked_and_closed() {
    let bench = Bench::new();
    let (customer, item) = (bench.customer(), bench.item("BEL-001"));
    let body = json!({"Journal": "70", "OrderedBy": customer, "YourRef": "WC-10045", "SalesInvoiceLines": [
        {"Item": item, "Quantity": 2, "UnitPrice": 10.00, "Discount": 0.1, "VATCode": "4"}]});
    let invoice = bench.post("salesinvoice/SalesInvoices", &body).created();
    assert_eq!(
        (&invoice["AmountFCExclVat"], &invoice["VATAmountFC"], &invoice["AmountFC"]),
        (&json!(18), &json!(3.78), &json!(21.78))
    );
    assert_eq!((&invoice["Status"], &invoice["InvoiceNumber"]), (&json!(20), &Value::Null));
    let id = invoice["InvoiceID"].as_str().unwrap();
    let printed = bench.post("salesinvoice/PrintedSalesInvoices", &json!({"InvoiceID": id})).created();
    assert_eq!(printed["DocumentCreationSuccess"], "Document created");
    let after = bench.get(&format!("salesinvoice/SalesInvoices(guid'{id}')")).json()["d"].clone();
    assert_eq!((&after["Status"], &after["InvoiceNumber"]), (&json!(50), &json!(26_700_001)));
    let refused = bench.put(&format!("salesinvoice/SalesInvoices(guid'{id}')"), &json!({"Remarks": "x"}));
    assert_eq!(refused.refusal(), "Reeds verwerkt");
    let due =
        bench.get("cashflow/Receivables?$select=AmountFC,IsFullyPaid,YourRef&$filter=YourRef eq 'WC-10045'").results();
    assert_eq!((&due[0]["AmountFC"], &due[0]["IsFullyPaid"]), (&json!(21.78), &json!(false)));
    let booked: rust_decimal::Decimal = bench
        .ledger
        .rows("financialtransaction", "TransactionLines")
        .unwrap()
        .iter()
        .map(|line| line["AmountFC"].to_string().parse::<rust_decimal::Decimal>().unwrap())
        .sum();
    assert!(booked.is_zero());
    let bank = json!({"JournalCode": "20", "BankEntryLines": [{"AmountFC": 21.78, "Account": customer,
        "GLAccount": bench.key("financial/GLAccounts", "1300"), "Description": "26700001"}]});
    assert_eq!(bench.post("financialtransaction/BankEntries", &bank).created()["ClosingBalanceFC"], json!(21.78));
    assert_eq!(bench.ledger.rows("cashflow", "Receivables").unwrap()[0]["IsFullyPaid"], true);
    let direct = json!({"Journal": "70", "Type": 8023, "OrderedBy": customer, "SalesInvoiceLines": [{"Item": item}]});
    assert_eq!(bench.post("salesinvoice/SalesInvoices", &direct).refusal(), "Verplicht: Magazijn");
    let journal = json!({"Journal": "20", "OrderedBy": customer, "SalesInvoiceLines": [{"Item": item, "NetPrice": 1}]});
    assert_eq!(bench.post("salesinvoice/SalesInvoices", &journal).refusal(), "Ongeldig: Dagboek");
}

#[test]
fn an_entry_is_booked_and_its_tax_may_be_given() {
    let bench = Bench::new();
    let (customer, account) = (bench.customer(), bench.key("financial/GLAccounts", "8000"));
    let body = |line: Value| json!({"Customer": customer, "Journal": "70", "EntryDate": "2026-01-02", "SalesEntryLines": [line]});
    let entry = bench
        .post("salesentry/SalesEntries", &body(json!({"GLAccount": account, "AmountFC": 40.00, "VATCode": "4"})))
        .created();
    assert_eq!((&entry["AmountFC"], &entry["VATAmountFC"], &entry["Type"]), (&json!(48.4), &json!(8.4), &json!(20)));
    assert_eq!((&entry["ReportingPeriod"], &entry["DueDate"]), (&json!(1), &json!("/Date(1769904000000)/")));
    let given = body(json!({"GLAccount": account, "AmountFC": -40, "VATCode": "4", "VATAmountFC": -8.41}));
    let credit = bench.post("salesentry/SalesEntries", &given).created();
    assert_eq!((&credit["AmountFC"], &credit["Type"]), (&json!(-48.41), &json!(21)));
    let wrong = body(json!({"GLAccount": bench.key("financial/GLAccounts", "1300"), "AmountFC": 1}));
    assert_eq!(bench.post("salesentry/SalesEntries", &wrong).refusal(), "Ongeldig: Grootboekrekeningtype");
    let mut closed = body(json!({"GLAccount": account, "AmountFC": 1}));
    closed["EntryDate"] = json!("2024-03-05");
    assert_eq!(bench.post("salesentry/SalesEntries", &closed).refusal(), "Periode is afgesloten: 2024 - 3");
    let costs = body(json!({"GLAccount": bench.key("financial/GLAccounts", "8090"), "AmountFC": 1, "VATCode": "4"}));
    assert_eq!(bench.post("salesentry/SalesEntries", &costs).refusal(), "Verplicht: Kostenplaats");
    let id = entry["EntryID"].as_str().unwrap();
    let line = bench.get(&format!("salesentry/SalesEntries(guid'{id}')/SalesEntryLines")).results()[0]["ID"].clone();
    let line = line.as_str().unwrap();
    assert_eq!(bench.call(Method::DELETE, &format!("salesentry/SalesEntryLines(guid'{line}')"), None).status, 204);
    assert_eq!(bench.get(&format!("salesentry/SalesEntries(guid'{id}')")).status, 404);
}

#[test]
fn goods_are_delivered_and_invoiced() {
    let bench = Bench::new();
    let item = bench.item("BEL-001");
    let order = bench.order(&json!([{"Item": item, "Quantity": 3, "NetPrice": 10, "VATCode": "4"}])).created();
    let id = order["OrderID"].as_str().unwrap();
    let line = bench.get(&format!("salesorder/SalesOrders(guid'{id}')/SalesOrderLines")).results()[0]["ID"].clone();
    let deliver = |quantity: i64| {
        let lines = json!([{"SalesOrderLineID": line, "QuantityDelivered": quantity}]);
        bench.post(
            "salesorder/GoodsDeliveries",
            &json!({"DeliveryDate": "2026-01-03", "TrackingNumber": "3S1", "GoodsDeliveryLines": lines}),
        )
    };
    deliver(1).created();
    assert_eq!(deliver(3).refusal(), "Ongeldig: Aantal");
    let status = || bench.get(&format!("salesorder/SalesOrders(guid'{id}')")).json()["d"].clone();
    assert_eq!((&status()["DeliveryStatus"], &status()["Status"]), (&json!(20), &json!(20)));
    deliver(2).created();
    assert_eq!((&status()["DeliveryStatus"], &status()["InvoiceStatus"]), (&json!(21), &json!(12)));
    let made = json!({"JournalCode": "70", "CreateMode": 1, "InvoiceMode": 1, "SalesOrderIDs": [{"ID": id}]});
    assert_eq!(bench.post("salesinvoice/InvoiceSalesOrders", &made).created()["NumberOfCreatedInvoices"], 1);
    assert_eq!(status()["Status"], 21);
    assert_eq!(
        bench.put(&format!("salesorder/SalesOrders(guid'{id}')"), &json!({"Remarks": "x"})).refusal(),
        "Reeds verwerkt"
    );
    let stock = bench
        .get("sync/Inventory/StockPositions?$select=Timestamp,ItemCode,CurrentStock,PlanningOut&$filter=Timestamp gt 1")
        .results();
    let stock = stock.iter().find(|row| row["ItemCode"] == "BEL-001").unwrap();
    assert_eq!((&stock["CurrentStock"], &stock["PlanningOut"]), (&json!(97), &json!(0)));
    assert!(stock["Timestamp"].is_string());
    // One list of invoices and lines, each column what its name says.
    let columns = "InvoiceID,Status,Type,YourRef,OrderedBy,InvoiceDate";
    let mixed = bench
        .get(&format!(
            "sync/SalesInvoice/SalesInvoices?$select=Timestamp,LineNumber,ItemCode,{columns}&$filter=Timestamp gt 1L"
        ))
        .results();
    assert_eq!((&mixed[0]["LineNumber"], &mixed[1]["LineNumber"], mixed.len()), (&json!(0), &json!(1), 2));
    assert_eq!((&mixed[0]["ItemCode"], &mixed[1]["ItemCode"]), (&Value::Null, &json!("BEL-001")));
    let id = mixed[0]["InvoiceID"].as_str().unwrap();
    let own =
        bench.get(&format!("salesinvoice/SalesInvoices?$select={columns}&$filter=InvoiceID eq guid'{id}'")).results();
    for column in columns.split(',') {
        assert_eq!((&mixed[0][column], &mixed[1][column]), (&own[0][column], &own[0][column]), "{column}");
    }
}

#[test]
fn people_write_what_programs_may_not() {
    let bench = Bench::new();
    let item = json!({"Code": "NEW-1", "Description": "Nieuw", "SalesVatCode": "5", "ItemGroup": "WEB"});
    let key = bench.ledger.set_row("logistics", "Items", &item).unwrap();
    let again =
        bench.ledger.set_row("logistics", "Items", &json!({"Code": "new-1", "Description": "Nieuwer"})).unwrap();
    assert_eq!(key, again);
    let stock = json!({"Item": "NEW-1", "Warehouse": "2", "CurrentStock": 7});
    bench.ledger.set_row("inventory", "ItemWarehouses", &stock).unwrap();
    let seen = bench
        .get("logistics/Items?$select=Description,Stock,GLRevenue,ItemGroupCode&$filter=Code eq 'NEW-1'")
        .results();
    assert_eq!(
        (&seen[0]["Description"], &seen[0]["Stock"], &seen[0]["ItemGroupCode"]),
        (&json!("Nieuwer"), &json!(7), &json!("WEB"))
    );
    let order = json!({"OrderedBy": "9999", "YourRef": "2001", "SalesOrderLines": [{"Item": "NEW-1", "Quantity": 1, "NetPrice": 5}]});
    let id = bench.ledger.set_row("salesorder", "SalesOrders", &order).unwrap();
    bench.ledger.set_row("salesorder", "SalesOrders", &json!({"OrderID": id, "DeliveryStatus": 21})).unwrap();
    let rows = bench.ledger.rows("salesorder", "SalesOrders").unwrap();
    assert_eq!((&rows[0]["DeliveryStatus"], &rows[0]["Status"]), (&json!(21), &json!(20)));
    assert!(bench.ledger.set_row("crm", "Accounts", &json!({"Nme": "x"})).is_err());
}

/// A tax that was sent was reckoned anew as soon as anything on its line changed.
#[test]
fn a_given_tax_outlives_a_change_that_touches_no_amount() {
    let bench = Bench::new();
    let item = bench.item("TAX");
    let line = json!({"Item": item, "Quantity": 1, "NetPrice": 10, "VATCode": "4", "VATAmount": 2.05});
    let order = bench.order(&json!([line])).created();
    let held = || bench.ledger.rows("salesorder", "SalesOrders").unwrap().pop().unwrap();
    let key = held()["SalesOrderLines"][0]["ID"].as_str().unwrap().to_owned();
    let path = format!("salesorder/SalesOrderLines(guid'{key}')");
    assert_eq!(order["AmountFC"], 12.05);
    assert_eq!(bench.put(&path, &json!({"Notes": "later"})).status, StatusCode::NO_CONTENT);
    assert_eq!((&held()["AmountFC"], &held()["SalesOrderLines"][0]["VATAmount"]), (&json!(12.05), &json!(2.05)));
    assert_eq!(bench.put(&path, &json!({"Quantity": 2})).status, StatusCode::NO_CONTENT);
    assert_eq!((&held()["AmountFC"], &held()["SalesOrderLines"][0]["VATAmount"]), (&json!(24.2), &json!(4.2)));
}

/// Charges stood outside the sum of their code.
#[test]
fn a_charge_is_taxed_with_the_lines_of_its_code() {
    let bench = Bench::new();
    let (customer, item) = (bench.customer(), bench.item("CHARGED"));
    let body = json!({"OrderedBy": customer,
        "SalesOrderLines": [{"Item": item, "NetPrice": 0.07, "VATCode": "4"}, {"Item": item, "NetPrice": 0.07, "VATCode": "4"}],
        "SalesOrderOrderChargeLines": [{"IsShippingCost": true, "AmountFCExclVAT": 0.07, "VATCode": "4"}]});
    let order = bench.post("salesorder/SalesOrders", &body).created();
    // 0.21 at 21 %: 0.04, where three times 0.01 would be 0.03.
    assert_eq!((&order["AmountFCExclVat"], &order["AmountFC"]), (&json!(0.21), &json!(0.25)));
}

/// A code whose lines' taxes all round to nothing left a cent of its sum unbooked; conversion left more.
#[test]
fn bookings_balance_in_both_currencies() {
    let bench = Bench::new();
    let (customer, revenue) = (bench.customer(), bench.key("financial/GLAccounts", "8000"));
    for (currency, amount, times) in [("EUR", 0.02, 3), ("USD", 33.33, 7)] {
        let line = json!({"GLAccount": revenue, "AmountFC": amount, "VATCode": "4"});
        let body =
            json!({"Customer": customer, "Journal": "70", "Currency": currency, "SalesEntryLines": vec![line; times]});
        let entry = bench.post("salesentry/SalesEntries", &body).created()["EntryID"].clone();
        let rows = bench.ledger.rows("financialtransaction", "TransactionLines").unwrap();
        for field in ["AmountFC", "AmountDC"] {
            let made = rows.iter().filter(|row| row["EntryID"] == entry);
            let sum: rust_decimal::Decimal =
                made.map(|row| row[field].to_string().parse::<rust_decimal::Decimal>().unwrap()).sum();
            assert!(sum.is_zero(), "{currency} {field}: {sum}");
        }
    }
}

#[test]
fn an_entrys_texts_have_lengths_too() {
    let bench = Bench::new();
    let (customer, revenue) = (bench.customer(), bench.key("financial/GLAccounts", "8000"));
    let line = json!({"GLAccount": revenue, "AmountFC": 1});
    for (field, most) in [("Description", 60), ("PaymentReference", 25)] {
        let mut body = json!({"Customer": customer, "Journal": "70", "SalesEntryLines": [line]});
        for (length, status) in [(most, StatusCode::CREATED), (most + 1, StatusCode::INTERNAL_SERVER_ERROR)] {
            body[field] = json!("x".repeat(length));
            assert_eq!(bench.post("salesentry/SalesEntries", &body).status, status, "{field} {length}");
        }
    }
}

/// The percentage of today was taken for every document, whatever its date.
#[test]
fn a_rate_holds_from_its_day() {
    let bench = Bench::new();
    let (customer, item) = (bench.customer(), bench.item("RISE"));
    let ranges = json!([{"Percentage": 0.19, "EndDate": "2025-12-31", "Type": 0}, {"Percentage": 0.21, "StartDate": "2026-01-01", "Type": 0}]);
    let code = json!({"Code": "RSE", "Description": "Raised", "Type": "E", "VATTransactionType": "S", "VATPercentages": ranges});
    bench.post("vat/VATCodes", &code).created();
    for (day, total) in [("2025-12-31", 119.0), ("2026-01-01", 121.0)] {
        let lines = json!([{"Item": item, "NetPrice": 100, "VATCode": "RSE"}]);
        let body = json!({"OrderedBy": customer, "OrderDate": day, "SalesOrderLines": lines});
        let held = bench.post("salesorder/SalesOrders", &body).created()["AmountFC"].as_f64();
        assert_eq!(held, Some(total), "{day}");
    }
}
