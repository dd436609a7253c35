//! Money that comes and goes: bank, cash and general entries, what they pay, closed periods, and what is in use.

use super::*;

const GENERAL: &str = "generaljournalentry/GeneralJournalEntries";

impl Bench {
    fn account(&self, code: &str) -> String {
        self.key("financial/GLAccounts", code)
    }

    /// A customer who owes 121.00, and the number of the invoice.
    fn debt(&self, currency: &str) -> (String, i64) {
        let customer = self.customer();
        let line = json!({"GLAccount": self.account("8000"), "AmountFC": 100, "VATCode": "4"});
        let body = json!({"Customer": customer, "Journal": "70", "Currency": currency, "YourRef": "1001", "SalesEntryLines": [line]});
        let entry = self.post("salesentry/SalesEntries", &body).created();
        (customer, entry["InvoiceNumber"].as_i64().unwrap())
    }

    /// The entry that moves an amount from a customer's debts to the account 2000.
    fn paid(&self, customer: &str, number: Option<i64>, amount: f64, more: &Value) -> Reply {
        let paid = std::ops::Neg::neg(amount);
        let lines = json!([
            {"GLAccount": self.account("1300"), "Account": customer, "AmountFC": paid, "OurRef": number},
            {"GLAccount": self.account("2000"), "AmountFC": amount},
        ]);
        let mut body = json!({"JournalCode": "90", "GeneralJournalEntryLines": lines});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post(GENERAL, &body)
    }

    /// What of the only debt is open, and whether all is paid.
    fn open(&self) -> (f64, bool) {
        let due = self.ledger.rows("cashflow", "Receivables").unwrap().pop().unwrap();
        (due["AmountFC"].as_f64().unwrap(), due["IsFullyPaid"].as_bool().unwrap())
    }

    fn delete(&self, path: &str, key: &Value) -> Reply {
        self.call(Method::DELETE, &format!("{path}(guid'{}')", key.as_str().unwrap()), None)
    }

    /// Closes January 2026 for a journal, or opens it again.
    fn close(&self, journal: &str, status: i64) {
        let row = json!({"Year": 2026, "Period": 1, "Journal": journal, "Status": status});
        self.ledger.set_row("read/financial", "JournalStatusList", &row).unwrap();
    }
}

#[test]
fn a_general_entry_is_refused_with_reasons() {
    let bench = Bench::new();
    let customer = bench.customer();
    let line = |code: &str, amount: f64| json!({"GLAccount": bench.account(code), "AmountFC": amount});
    let of = |lines: Value, more: Value| {
        let mut body = json!({"JournalCode": "90", "GeneralJournalEntryLines": lines});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bench.post(GENERAL, &body).refusal()
    };
    let good = || json!([line("2000", 1.0), line("4600", -1.0)]);
    assert_eq!(of(json!([line("2000", 1.0), line("4600", -0.99)]), json!({})), "Boeking is niet in balans");
    for journal in ["70", "20", "10", "79"] {
        assert_eq!(of(good(), json!({"JournalCode": journal})), "Ongeldig: Dagboek", "{journal}");
    }
    assert_eq!(of(json!([line("2000", 1.0), line("4990", -1.0)]), json!({})), "Ongeldig: Grootboekrekening");
    for debts in ["1300", "1600"] {
        assert_eq!(of(json!([line("2000", 1.0), line(debts, -1.0)]), json!({})), "Verplicht: Relatie", "{debts}");
    }
    let dated = json!([{"GLAccount": bench.account("2000"), "AmountFC": 1, "Date": "2024-03-05"}, line("4600", -1.0)]);
    assert_eq!(of(dated, json!({})), "Periode is afgesloten: 2024 - 3");
    assert_eq!(of(good(), json!({"FinancialYear": 2050, "FinancialPeriod": 1})), "Ongeldige referentie: Periode");
    assert_eq!(of(good(), json!({"Currency": "USD", "ExchangeRate": 0})), "Verplicht: Wisselkoers");
    assert!(bench.ledger.rows("generaljournalentry", "GeneralJournalEntries").unwrap().is_empty());
    assert!(bench.ledger.rows("financialtransaction", "TransactionLines").unwrap().is_empty());
    // Its lines are not changed, and none alone can be added.
    let entry = bench.paid(&customer, None, 5.0, &json!({})).created();
    let more = json!({"EntryID": entry["EntryID"], "GLAccount": bench.account("2000"), "AmountFC": 1});
    let refused = bench.post("generaljournalentry/GeneralJournalEntryLines", &more);
    assert_eq!(refused.refusal(), "Boeking is niet in balans");
}

#[test]
fn a_journal_of_one_currency_takes_no_other() {
    let bench = Bench::new();
    let code = json!({"Code": "91", "Description": "Memoriaal EUR", "Type": 90, "Currency": "EUR", "AllowVariableCurrency": false});
    bench.post("financial/Journals", &code).created();
    let refused = bench.paid(&bench.customer(), None, 1.0, &json!({"JournalCode": "91", "Currency": "USD"}));
    assert_eq!(refused.refusal(), "Ongeldig: Valuta");
}

/// The company's currency was the entry's, one for one.
#[test]
fn an_entry_is_booked_at_its_rate_and_balances_in_both_currencies() {
    let bench = Bench::new();
    let customer = bench.customer();
    for (rate, dollars) in [(None, 0.92), (Some(0.87), 0.87)] {
        let entry = bench.paid(&customer, None, 33.33, &json!({"Currency": "USD", "ExchangeRate": rate})).created();
        assert_eq!(entry["ExchangeRate"].as_f64(), Some(dollars));
        let rows = bench.ledger.rows("generaljournalentry", "GeneralJournalEntries").unwrap();
        let lines = rows.last().unwrap()["GeneralJournalEntryLines"].as_array().unwrap().clone();
        let booked: Vec<f64> = lines.iter().map(|line| line["AmountDC"].as_f64().unwrap()).collect();
        let euros = (33.33 * dollars * 100.0_f64).round() / 100.0;
        assert_eq!(booked, [-euros, euros]);
    }
    let thirds: Vec<Value> = [33.33, 33.33, 33.34, -100.0]
        .iter()
        .map(|amount| json!({"GLAccount": bench.account("2000"), "AmountFC": amount}))
        .collect();
    let body =
        json!({"JournalCode": "90", "Currency": "USD", "ExchangeRate": 0.333, "GeneralJournalEntryLines": thirds});
    let entry = bench.post(GENERAL, &body).created()["EntryID"].clone();
    let made = bench.ledger.rows("financialtransaction", "TransactionLines").unwrap();
    let sum: rust_decimal::Decimal = made
        .iter()
        .filter(|row| row["EntryID"] == entry)
        .map(|row| row["AmountDC"].to_string().parse::<rust_decimal::Decimal>().unwrap())
        .sum();
    assert!(sum.is_zero(), "{sum}");
}

#[test]
fn a_debt_is_paid_in_parts_and_opened_again() {
    let bench = Bench::new();
    let (customer, number) = bench.debt("EUR");
    assert_eq!(bench.open(), (121.0, false));
    let first = bench.paid(&customer, Some(number), 100.0, &json!({})).created()["EntryID"].clone();
    assert_eq!(bench.open(), (21.0, false));
    // More than is open stays unmatched.
    let second = bench.paid(&customer, Some(number), 50.0, &json!({})).created()["EntryID"].clone();
    assert_eq!(bench.open(), (21.0, true));
    // What is paid is not paid again, and a number that nothing has pays nothing.
    bench.paid(&customer, Some(number), 121.0, &json!({})).created();
    bench.paid(&customer, Some(7), 121.0, &json!({})).created();
    assert_eq!(bench.open(), (21.0, true));
    assert_eq!(bench.delete(GENERAL, &second).status, 204);
    assert_eq!(bench.open(), (21.0, false));
    assert_eq!(bench.delete(GENERAL, &first).status, 204);
    assert_eq!(bench.open(), (121.0, false));
    let due = bench.ledger.rows("cashflow", "Receivables").unwrap().pop().unwrap();
    assert_eq!((&due["LastPaymentDate"], &due["EndDate"], &due["Status"]), (&Value::Null, &Value::Null, &json!(20)));
}

#[test]
fn a_reversal_opens_the_debt_that_it_names() {
    let bench = Bench::new();
    let (customer, number) = bench.debt("USD");
    bench.paid(&customer, Some(number), 121.0, &json!({"Currency": "USD"})).created();
    assert!(bench.open().1);
    // Without a number it is about nothing in particular.
    bench.paid(&customer, None, -10.0, &json!({"Currency": "USD"})).created();
    assert!(bench.open().1);
    bench.paid(&customer, Some(number), -10.0, &json!({"Currency": "USD"})).created();
    assert_eq!(bench.open(), (10.0, false));
    let due = bench.ledger.rows("cashflow", "Receivables").unwrap().pop().unwrap();
    assert_eq!(due["AmountDC"], json!(9.2));
    bench.paid(&customer, Some(number), -999.0, &json!({"Currency": "USD"})).created();
    assert_eq!(bench.open(), (121.0, false), "no more than was owed");
}

#[test]
fn an_entry_that_is_booked_anew_is_paid_as_before() {
    let bench = Bench::new();
    let (customer, number) = bench.debt("EUR");
    bench.paid(&customer, Some(number), 121.0, &json!({})).created();
    let entry = bench.ledger.rows("salesentry", "SalesEntries").unwrap().pop().unwrap()["EntryID"].clone();
    let path = format!("salesentry/SalesEntries(guid'{}')", entry.as_str().unwrap());
    assert_eq!(bench.put(&path, &json!({"Description": "later"})).status, 204);
    assert!(bench.open().1);
    let line = json!({"EntryID": entry, "GLAccount": bench.account("8000"), "AmountFC": 10, "VATCode": "0"});
    bench.post("salesentry/SalesEntryLines", &line).created();
    assert_eq!(bench.open(), (10.0, false));
}

#[test]
fn statements_of_bank_and_cash_are_as_strict() {
    let bench = Bench::new();
    let (customer, number) = bench.debt("EUR");
    let line = |amount: f64| json!({"GLAccount": bench.account("1300"), "Account": customer, "AmountFC": amount, "OurRef": number});
    for (path, lines, journal) in [
        ("financialtransaction/BankEntries", "BankEntryLines", "20"),
        ("financialtransaction/CashEntries", "CashEntryLines", "10"),
    ] {
        let of = |line: Value, journal: &str| bench.post(path, &json!({"JournalCode": journal, lines: [line]}));
        assert_eq!(of(line(1.0), "90").refusal(), "Ongeldig: Dagboek");
        let nobody = json!({"GLAccount": bench.account("1300"), "AmountFC": 1});
        assert_eq!(of(nobody, journal).refusal(), "Verplicht: Relatie");
        let old = json!({"GLAccount": bench.account("4600"), "AmountFC": 1, "Date": "2024-01-31"});
        assert_eq!(of(old, journal).refusal(), "Periode is afgesloten: 2024 - 1");
        let entry = of(line(100.0), journal).created();
        assert_eq!((bench.open(), &entry["ClosingBalanceFC"]), ((21.0, false), &json!(100)));
        let mut more = line(21.0);
        more["EntryID"] = entry["EntryID"].clone();
        bench.post(&format!("financialtransaction/{lines}"), &more).created();
        assert!(bench.open().1, "a line that is added pays too");
        let (service, name) = path.split_once('/').unwrap();
        assert_eq!(bench.ledger.rows(service, name).unwrap()[0]["ClosingBalanceFC"], json!(121));
        bench.close(journal, 1);
        assert_eq!(bench.delete(path, &entry["EntryID"]).refusal(), "Periode is afgesloten: 2026 - 1");
        more["AmountFC"] = json!(1);
        let refused = bench.post(&format!("financialtransaction/{lines}"), &more);
        assert_eq!(refused.refusal(), "Periode is afgesloten: 2026 - 1");
        bench.close(journal, 0);
        let gone = bench.delete(path, &entry["EntryID"]);
        assert_eq!(gone.status, 204, "{}", gone.text);
        assert_eq!(bench.open(), (121.0, false));
    }
}

#[test]
fn nothing_is_booked_changed_or_deleted_in_a_closed_period() {
    let bench = Bench::new();
    let (customer, number) = bench.debt("EUR");
    let paid = bench.paid(&customer, Some(number), 121.0, &json!({})).created()["EntryID"].clone();
    let entry = bench.ledger.rows("salesentry", "SalesEntries").unwrap().pop().unwrap();
    let line = entry["SalesEntryLines"][0]["ID"].as_str().unwrap().to_owned();
    let path = format!("salesentry/SalesEntries(guid'{}')", entry["EntryID"].as_str().unwrap());
    let line_path = format!("salesentry/SalesEntryLines(guid'{line}')");
    bench.close("70", 1);
    let more = json!({"EntryID": entry["EntryID"], "GLAccount": bench.account("8000"), "AmountFC": 1});
    let told = "Periode is afgesloten: 2026 - 1";
    for reply in [
        bench.put(&path, &json!({"Description": "later"})),
        bench.put(&path, &json!({"EntryDate": "2026-02-01"})),
        bench.put(&line_path, &json!({"AmountFC": 1})),
        bench.post("salesentry/SalesEntryLines", &more),
        bench.call(Method::DELETE, &line_path, None),
        bench.call(Method::DELETE, &path, None),
    ] {
        assert_eq!(reply.refusal(), told);
    }
    bench.close("90", 1);
    assert_eq!(bench.delete(GENERAL, &paid).refusal(), told);
    assert_eq!(bench.paid(&customer, None, 1.0, &json!({})).refusal(), told);
    assert!(bench.open().1);
}

#[test]
fn goods_do_not_move_in_a_closed_period_and_whole_ones_not_in_parts() {
    let bench = Bench::new();
    let item = bench.item("BEL-001");
    bench.order(&json!([{"Item": item, "Quantity": 3, "NetPrice": 10, "VATCode": "4"}])).created();
    let order = bench.ledger.rows("salesorder", "SalesOrders").unwrap().pop().unwrap();
    let line = order["SalesOrderLines"][0]["ID"].clone();
    let deliver = |day: &str, pieces: f64| {
        let lines = json!([{"SalesOrderLineID": line, "QuantityDelivered": pieces}]);
        bench.post("salesorder/GoodsDeliveries", &json!({"DeliveryDate": day, "GoodsDeliveryLines": lines}))
    };
    assert_eq!(deliver("2024-12-31", 1.0).refusal(), "Periode is afgesloten: 2024 - 12");
    assert_eq!(deliver("2026-01-02", 0.5).refusal(), "Ongeldig: Aantal");
    // A period that is closed for one journal is open for others.
    bench.close("70", 1);
    deliver("2026-01-02", 1.0).created();
    let warehouse = bench.key("inventory/Warehouses", "1");
    let count = |day: &str, status: i64, pieces: f64| {
        let lines = json!([{"Item": item, "QuantityNew": pieces}]);
        let body = json!({"StockCountDate": day, "Warehouse": warehouse, "Status": status, "StockCountLines": lines});
        bench.post("inventory/StockCounts", &body)
    };
    assert_eq!(count("2024-12-31", 21, 5.0).refusal(), "Periode is afgesloten: 2024 - 12");
    assert_eq!(count("2026-01-02", 21, 5.5).refusal(), "Ongeldig: Aantal");
    let draft = count("2024-12-31", 12, 5.0).created();
    let processed = bench.post("inventory/ProcessStockCount", &json!({"StockCountID": draft["StockCountID"]}));
    assert_eq!(processed.refusal(), "Periode is afgesloten: 2024 - 12");
    let held = bench.ledger.rows("inventory", "StockCounts").unwrap().pop().unwrap();
    let path = format!("inventory/StockCountLines(guid'{}')", held["StockCountLines"][0]["ID"].as_str().unwrap());
    assert_eq!(bench.put(&path, &json!({"QuantityNew": 4.5})).refusal(), "Ongeldig: Aantal");
}

#[test]
fn there_is_one_main_warehouse() {
    let bench = Bench::new();
    let mains = || {
        let rows = bench.ledger.rows("inventory", "Warehouses").unwrap();
        let main = rows.iter().filter(|row| row["Main"] == 1).map(|row| row["Code"].as_str().unwrap().to_owned());
        main.collect::<Vec<_>>()
    };
    assert_eq!(mains(), ["1"]);
    bench.post("inventory/Warehouses", &json!({"Code": "3", "Description": "Derde", "Main": 1})).created();
    assert_eq!(mains(), ["3"]);
    let path = |code: &str| format!("inventory/Warehouses(guid'{}')", bench.key("inventory/Warehouses", code));
    assert_eq!(bench.put(&path("2"), &json!({"Main": 1})).status, 204);
    assert_eq!(mains(), ["2"]);
    assert_eq!(bench.put(&path("2"), &json!({"Main": 0})).refusal(), "Ongeldig: Hoofdmagazijn");
    assert!(bench.call(Method::DELETE, &path("2"), None).refusal().contains("in gebruik"));
    assert_eq!(bench.call(Method::DELETE, &path("3"), None).status, 204);
}

#[test]
fn what_is_in_use_is_not_deleted() {
    let bench = Bench::new();
    let (customer, item) = (bench.customer(), bench.item("BEL-001"));
    let address = json!({"Account": customer, "Type": 4, "AddressLine1": "Kade 1", "City": "Edam", "Country": "NL"});
    let address = bench.post("crm/Addresses", &address).created()["ID"].clone();
    let line = json!({"Item": item, "NetPrice": 1, "VATCode": "12E", "CostCenter": "WEB", "CostUnit": "B2C"});
    let body = json!({"OrderedBy": customer, "WarehouseID": bench.key("inventory/Warehouses", "2"), "DeliveryAddress": address, "SalesOrderLines": [line]});
    bench.post("salesorder/SalesOrders", &body).created();
    let revenue = json!({"GLAccount": bench.account("8010"), "AmountFC": 1, "VATCode": "0"});
    bench
        .post("salesentry/SalesEntries", &json!({"Customer": customer, "Journal": "75", "SalesEntryLines": [revenue]}))
        .created();
    let delete = |path: &str, key: &str| bench.call(Method::DELETE, &format!("{path}(guid'{key}')"), None);
    for (path, used, free) in [
        ("vat/VATCodes", "12E", "12I"),
        ("financial/GLAccounts", "8010", "8020"),
        ("financial/Journals", "75", "60"),
        ("inventory/Warehouses", "2", ""),
        ("hrm/Costcenters", "WEB", "WINKEL"),
        ("hrm/Costunits", "B2C", "B2B"),
    ] {
        let reply = delete(path, &bench.key(path, used));
        assert_eq!(reply.refusal(), format!("Kan niet worden verwijderd: {used} is in gebruik"), "{path}");
        if !free.is_empty() {
            assert_eq!(delete(path, &bench.key(path, free)).status, 204, "{path}");
        }
    }
    assert!(delete("crm/Addresses", address.as_str().unwrap()).refusal().contains("in gebruik"));
}

#[test]
fn an_account_is_of_the_balance_or_of_the_result() {
    let bench = Bench::new();
    let of = |kind: i64, balance: Value| {
        let body = json!({"Code": format!("9{kind}"), "Description": "x", "Type": kind, "BalanceType": balance});
        bench.post("financial/GLAccounts", &body)
    };
    assert_eq!(of(20, Value::Null).created()["BalanceType"], "B");
    assert_eq!(of(110, Value::Null).created()["BalanceType"], "W");
    assert_eq!(of(24, json!("W")).refusal(), "Ongeldig: BalanceType");
    assert_eq!(of(121, json!("B")).refusal(), "Ongeldig: BalanceType");
    let journal = json!({"Code": "22", "Description": "Bank 2", "Type": 12, "GLAccount": bench.account("8000")});
    assert_eq!(bench.post("financial/Journals", &journal).refusal(), "Ongeldig: Grootboekrekeningtype");
}
