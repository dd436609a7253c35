//! Items and their sales prices.

use rust_decimal::Decimal;

use super::super::cell::Cell;
use super::super::draft::{Draft, Hand};
use super::super::record::Record;
use super::super::refusal::Refusal;
use super::super::schema::entity;
use super::super::state::State;
use super::{Change, Desk};

pub(super) fn create(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let mut record = draft.record;
    check(desk, &record);
    if record.text("Code").is_some_and(|code| desk.state.by_code("logistics/Items", code).is_some()) {
        desk.reasons.exists();
    }
    desk.settle()?;
    if desk.hand == Hand::Person {
        // The screen proposes these; an item of loaded data without them is one that is sold.
        record.fill("StartDate", Cell::Time(super::super::seed::BEGINNING));
        record.fill("IsSalesItem", Cell::Bool(true));
    }
    fill(desk.state, &mut record);
    if record.has("Picture") && !record.has("ID") {
        // The picture's address names its item.
        let id = desk.state.next_guid();
        record.set("ID", Cell::Guid(id));
    }
    show_picture(desk.state, &mut record);
    Ok(desk.keep(&record))
}

/// Where an item's picture is fetched. The address is the same whatever picture it has.
fn show_picture(state: &State, record: &mut Record) {
    let address = match (record.has("Picture"), record.guid("ID")) {
        (true, Some(id)) => format!("{}/docs/SysImage.aspx?Table=Items&ID={id}&OptimizeForWeb=1", state.base),
        _ => String::new(),
    };
    record.set("PictureUrl", Cell::text(&address));
}

fn check(desk: &mut Desk<'_>, record: &Record) {
    if record.text("Barcode").is_some_and(|code| !code.bytes().all(|byte| byte.is_ascii_digit())) {
        desk.reasons.invalid("Barcode");
    }
}

/// Group, unit and currency that the division has for new items. `StartDate` stays empty when it is
/// left out: such an item cannot be sold, which is what connectors have met.
fn fill(state: &State, record: &mut Record) {
    let is_yes = |record: &Record, name: &str| record.flag(name);
    if let Some(group) = state.all("logistics/ItemGroups").find(|group| is_yes(group, "IsDefault")) {
        record.fill("ItemGroup", group.key());
    }
    if let Some(unit) = state.all("logistics/Units").find(|unit| is_yes(unit, "Main")) {
        record.fill("Unit", unit.get("Code").clone());
    }
    record.fill_text("CostPriceCurrency", "EUR");
    record.fill("UnitType", Cell::text("O"));
    record.fill_int("SecurityLevel", 10);
    for name in [
        "CopyRemarks",
        "IsBatchItem",
        "IsBatchNumberItem",
        "IsMakeItem",
        "IsNewContract",
        "IsOnDemandItem",
        "IsRegistrationCodeItem",
        "IsTaxableItem",
        "IsTime",
        "IsWebshopItem",
        "UseExplosion",
    ] {
        record.fill_int(name, 0);
    }
    for name in ["AverageCost", "CostPriceStandard"] {
        record.fill(name, Cell::Number(Decimal::ZERO));
    }
}

pub(super) fn change(desk: &mut Desk<'_>, record: &Record, change: &Change<'_>) -> Result<(), Refusal> {
    let today = desk.today();
    let ended = matches!((change.old.get("EndDate"), &today), (Cell::Time(end), Cell::Time(today)) if end < today);
    if ended && !change.touches("EndDate") {
        desk.reasons.says("Artikel is niet actief");
    }
    if change.touches("Code")
        && let Some(other) = record.text("Code").and_then(|code| desk.state.by_code("logistics/Items", code))
        && other.slot != record.slot
    {
        desk.reasons.exists();
    }
    for name in ["Code", "Description"] {
        if !record.has(name) {
            desk.reasons.missing(name);
        }
    }
    check(desk, record);
    desk.settle()?;
    let mut record = record.clone();
    show_picture(desk.state, &mut record);
    desk.state.update(&record);
    Ok(())
}

pub(super) fn remove(desk: &mut Desk<'_>, record: &Record) -> Result<(), Refusal> {
    let uses = [
        "salesorder/SalesOrderLines",
        "salesinvoice/SalesInvoiceLines",
        "salesorder/GoodsDeliveryLines",
        "inventory/StockCountLines",
    ];
    if uses.iter().any(|path| desk.state.having(path, "Item", &record.key()).next().is_some()) {
        return Err(Refusal::rule("Kan niet worden verwijderd: Artikel is in gebruik"));
    }
    for path in ["logistics/SalesItemPrices", "inventory/ItemWarehouses"] {
        let hanging: Vec<_> = desk.state.having(path, "Item", &record.key()).collect();
        for record in &hanging {
            desk.state.delete(record);
        }
    }
    desk.state.delete(record);
    Ok(())
}

pub(super) fn create_price(desk: &mut Desk<'_>, draft: Draft) -> Result<Record, Refusal> {
    draft.check(desk.state, &[], &mut desk.reasons);
    let mut record = draft.record;
    if !record.has("Item") {
        desk.reasons.missing("Item");
    }
    desk.settle()?;
    let item = desk.state.by_guid("logistics/Items", record.guid("Item"));
    record.fill_text("Currency", "EUR");
    record.fill("Quantity", Cell::Number(Decimal::ONE));
    record.fill("NumberOfItemsPerUnit", Cell::Number(Decimal::ONE));
    record.fill("Price", Cell::Number(Decimal::ZERO));
    record.fill("StartDate", desk.today());
    if let Some(item) = item {
        record.fill("Unit", item.get("Unit").clone());
    }
    Ok(desk.keep(&record))
}

/// An item that can be sold and is kept in stock, as the shop's data needs it.
pub(in super::super) fn with_code(state: &mut State, code: &str, description: &str) {
    let cut = |text: &str, longest: usize| text.chars().take(longest).collect::<String>();
    if code.trim().is_empty() || state.by_code("logistics/Items", code).is_some() {
        return;
    }
    let mut record = Record::new(entity("logistics/Items"));
    record.set("ID", Cell::Guid(state.named_guid(&format!("logistics/Items {code}"))));
    record.set("Code", Cell::text(&cut(code, 30)));
    record.set("Description", Cell::text(&cut(if description.trim().is_empty() { code } else { description }, 60)));
    record.set("SalesVatCode", Cell::text("4"));
    for name in ["IsSalesItem", "IsStockItem", "IsPurchaseItem"] {
        record.set(name, Cell::Bool(true));
    }
    // Long ago, so that orders of any date may hold it.
    record.set("StartDate", Cell::Time(super::super::seed::BEGINNING));
    fill(state, &mut record);
    let item = state.insert(&record);
    super::stock::open(state, &item, 100.into());
}
