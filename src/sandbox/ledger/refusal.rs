//! An answer that says no, in the words and with the status of the service.

use serde_json::{Value, json};

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The text of the error body; several reasons stand on lines of their own.
    pub(super) text: String,
}

impl Refusal {
    fn new(status: u16, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    /// The request cannot be understood.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::new(400, text)
    }

    /// `$filter`, `$orderby` or another option is not in the query language.
    pub(super) fn syntax() -> Self {
        Self::bad("Bad Request - Error in query syntax.")
    }

    /// A body that is not what the resource takes.
    pub(super) fn stream(what: &str) -> Self {
        Self::bad(format!("Error processing request stream. {what}"))
    }

    pub(super) fn forbidden() -> Self {
        Self::new(403, "Forbidden")
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "Resource not found for the segment.")
    }

    pub(super) fn method() -> Self {
        Self::new(405, "The method is not allowed on this resource.")
    }

    /// A rule of the books says no: status 500, as the service does.
    pub(super) fn rule(text: impl Into<String>) -> Self {
        Self::new(500, text)
    }

    /// What the query language names but the service does not do.
    pub(super) fn unsupported(function: &str) -> Self {
        Self::new(501, format!("The method '{function}' is not supported."))
    }

    /// The OData error body.
    pub(super) fn body(&self) -> Value {
        json!({"error": {"code": "", "message": {"lang": "", "value": self.text}}})
    }
}

/// Reasons gathered while a document is checked; all of them go into one answer.
#[derive(Debug, Default)]
pub(super) struct Reasons(Vec<String>);

impl Reasons {
    fn add(&mut self, text: String) {
        if !self.0.contains(&text) {
            self.0.push(text);
        }
    }

    /// A mandatory value is missing.
    pub(super) fn missing(&mut self, property: &str) {
        self.add(format!("Verplicht: {}", label(property)));
    }

    /// What a value points at does not exist.
    pub(super) fn dangling(&mut self, property: &str) {
        self.add(format!("Ongeldige referentie: {}", label(property)));
    }

    /// A value that may not be used here.
    pub(super) fn invalid(&mut self, property: &str) {
        self.add(format!("Ongeldig: {}", label(property)));
    }

    /// A value that exists already and may exist once.
    pub(super) fn exists(&mut self) {
        self.add("Gegeven bestaat reeds.".to_owned());
    }

    /// Words that only one rule uses.
    pub(super) fn says(&mut self, text: impl Into<String>) {
        self.add(text.into());
    }

    /// Forgets the reasons: a person at the screen has overruled them.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// All reasons as one refusal, or nothing if there is none.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::rule(self.0.join("\r\n"))) }
    }
}

/// A property as the Dutch screens call it; where no word is known, the API's name.
pub(super) fn label(property: &str) -> &str {
    match property {
        "OrderedBy" => "Besteld door",
        "DeliverTo" => "Leveren aan",
        "InvoiceTo" => "Factuur voor",
        "Customer" => "Klant",
        "Account" => "Relatie",
        "Item" => "Artikel",
        "Quantity" | "QuantityDelivered" => "Aantal",
        "Journal" | "JournalCode" => "Dagboek",
        "PaymentCondition" | "PaymentConditionSales" | "PaymentConditionPurchase" => "Betalingsconditie",
        "VATCode" | "SalesVATCode" | "SalesVatCode" | "PurchaseVATCode" => "BTW-code",
        "Warehouse" | "WarehouseID" => "Magazijn",
        "GLAccount" => "Grootboekrekening",
        "Main" => "Hoofdmagazijn",
        "Name" => "Naam",
        "Description" => "Omschrijving",
        "Currency" | "SalesCurrency" | "PurchaseCurrency" | "SourceCurrency" => "Valuta",
        "Country" => "Land",
        "State" => "Provincie",
        "ShippingMethod" => "Verzendwijze",
        "CostCenter" | "Costcenter" => "Kostenplaats",
        "CostUnit" | "Costunit" => "Kostendrager",
        "DeliveryAddress" | "DeliverToAddress" => "Afleveradres",
        "Unit" | "UnitCode" => "Eenheid",
        "ItemGroup" => "Artikelgroep",
        "LastName" => "Achternaam",
        "YourRef" => "Uw ref.",
        "PaymentReference" => "Betalingskenmerk",
        "OrderNumber" => "Verkoopordernummer",
        "EntryNumber" => "Boekstuknummer",
        "AmountFC" => "Bedrag",
        "Email" => "E-mail",
        "Phone" => "Telefoon",
        "City" => "Plaats",
        "Postcode" => "Postcode",
        "VATNumber" => "BTW-nummer",
        "SearchCode" => "Zoekcode",
        "Document" => "Document",
        "Type" => "Soort",
        "SalesOrderLines" => "Verkooporderregels",
        "SalesInvoiceLines" => "Factuurregels",
        "SalesEntryLines" => "Boekingsregels",
        "GoodsDeliveryLines" => "Leveringsregels",
        "SalesOrderLineID" => "Verkooporderregel",
        "DeliveryDate" => "Leverdatum",
        "OrderID" => "Verkooporder",
        "InvoiceID" => "Verkoopfactuur",
        "EntryID" => "Boeking",
        other => other,
    }
}
