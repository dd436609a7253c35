//! Judges how a story ended, by what the shops and the ledger hold: it shares no code with the runner and knows none of
//! its rules but what they promise.

use super::ledger::{self, Ledger, Row};
use super::project::{Ready, mark};
use super::run::Stage;
use super::shop::{Customer, Order, Version, email};
use super::story::Kind;
use super::world::State as World;
use flowc::store::{RecordRow, State};
use serde_json::Value;
use std::collections::BTreeMap;

/// Says of a story's end what must not be.
pub(crate) async fn judge(stage: &Stage) {
    let records = stage.records().await;
    let logged = logged(stage).await;
    let mut state = stage.world.state();
    let mut judge = Judge { stage, world: &state, records: &records, broken: Vec::new() };
    judge.orders();
    judge.customers();
    judge.states();
    judge.log(&logged);
    let broken = judge.broken;
    state.broken.extend(broken);
}

struct Judge<'a> {
    stage: &'a Stage,
    world: &'a World,
    records: &'a [RecordRow],
    broken: Vec<(&'static str, String)>,
}

/// The flow of a shop's orders, and that of its customers.
fn flow(kind: Kind, shop: usize, customers: bool) -> String {
    let ends = if customers { ".customers" } else { ".orders" };
    let mut flows: Vec<String> = Ready::of(kind, 0).flows.into_iter().filter(|flow| flow.ends_with(ends)).collect();
    // Of the second shop they are the Belgian ones.
    flows.sort_by_key(|flow| flow.starts_with("be."));
    flows[shop].clone()
}

impl Judge<'_> {
    fn record(&self, flow: &str, key: &str) -> Option<&RecordRow> {
        self.records.iter().find(|row| row.flow == flow && row.key == key)
    }

    fn ledger(&self) -> &Ledger {
        &self.world.ledger
    }

    // -------------------------------------------------------------------------------------------------------- orders

    fn orders(&mut self) {
        if self.stage.kind == Kind::Customers {
            return;
        }
        for (n, shop) in self.world.shops.iter().enumerate() {
            let flow = flow(self.stage.kind, n, false);
            for order in &shop.orders {
                self.order(&flow, order);
            }
        }
    }

    fn order(&mut self, flow: &str, order: &Order) {
        let documents: Vec<&Row> = self
            .world
            .ledger
            .rows(ledger::ORDER)
            .iter()
            .filter(|row| row.text("PaymentReference") == order.payment)
            .collect();
        if documents.len() > 1 {
            self.broken.push(("twice", format!("{} is in the ledger {} times", order.payment, documents.len())));
        }
        let Some(document) = documents.first() else {
            if self.is_left_out(flow, order) {
                return;
            }
            let deleted = self.ledger().deleted.contains(&order.payment);
            let settled = self.record(flow, &order.id.to_string()).is_some_and(|row| row.state == State::Written);
            if settled && !deleted {
                self.broken.push(("swallowed", format!("{} counts as written, and no document is its", order.payment)));
            }
            if order.is_wanted() && self.why_not(order).is_none() && !deleted {
                let said = self.said(flow, order);
                self.broken.push(("lost", format!("{} is not in the ledger; {said}", order.payment)));
            }
            return;
        };
        if !order.versions().any(|version| version.is_sent() && self.is(document, order, version)) {
            let (said, has) = (self.said(flow, order), self.told(document));
            let text = format!("the document of {} is none of its versions: it has {has}; {said}", order.payment);
            self.broken.push(("wrong", text));
            return;
        }
        if order.is_wanted() && !self.is_left_out(flow, order) {
            self.follows(flow, order, document);
        }
    }

    /// A person has left it out, and it has not changed since: it stays left out.
    fn is_left_out(&mut self, flow: &str, order: &Order) -> bool {
        let key = order.id.to_string();
        let skipped = self.stage.skipped.iter().find(|out| out.is(flow, &key));
        // An edit may have been made before it was left out and be read only after.
        let holds = skipped
            .is_some_and(|out| out.at > order.edited && order.row()["date_modified_gmt"].as_str() == Some(&*out.mark));
        let is_left_out = skipped.is_some();
        let state = self.record(flow, &key).map(|row| row.state);
        if holds && state != Some(State::Skipped) {
            self.broken.push(("skip", format!("{} was left out by a person, and is {state:?}", order.payment)));
        }
        is_left_out
    }

    /// A document says what its order says now, or somebody was told that it does not.
    fn follows(&mut self, flow: &str, order: &Order, document: &Row) {
        let short = flow.rsplit('.').next().unwrap_or(flow);
        let ends = [format!("{short}:{}", order.id), format!("{flow}:{}", order.id)];
        let alerted = self.stage.alerts.iter().any(|(at, id)| *at >= order.seen_since() && ends.contains(id));
        let by_hand = self.stage.kind == Kind::Alert || Ledger::is_closed(document);
        let note = format!("N{}", order.id);
        let noted = self.ledger().rows(ledger::ITEM).iter().find(|item| item.text("Code") == note);
        let wanted = if order.now.note.is_empty() { "no note" } else { &order.now.note };
        let noted = self.stage.kind == Kind::Note && noted.is_some_and(|item| item.text("Description") == wanted);
        let carried = self.is(document, order, &order.now) || (by_hand && alerted) || noted;
        if !carried && self.why_not(order).is_none() {
            let (said, has) = (self.said(flow, order), self.told(document));
            let text = format!(
                "{} is now {:?}, and its document has {has}{}; {said}",
                order.payment,
                order.now,
                if by_hand { ", and nobody was told" } else { "" }
            );
            self.broken.push(("undone", text));
        }
        let number = document.text("OrderNumber");
        if self.stage.kind == Kind::Shipped && order.meta.get("_exact_number") != Some(&number) {
            let text = format!("the shop shows {:?} for {}, not {number}", order.meta, order.payment);
            self.broken.push(("undone", text));
        }
        let tag = format!("T{number}");
        let tags = self.ledger().rows(ledger::ITEM).iter().filter(|item| item.text("Code") == tag).count();
        if self.stage.kind == Kind::Tag && tags != 1 {
            self.broken.push(("undone", format!("{tags} tags of {}", order.payment)));
        }
    }

    /// Whether a document is that version of its order.
    fn is(&self, document: &Row, order: &Order, version: &Version) -> bool {
        let remarks = document.text("Remarks");
        let corrected =
            document.corrected.get("Remarks").is_some_and(|all| all.contains(&Value::from(remarks.clone())));
        let described = |v: &u8| document.text("Description") == format!("Order {}{}", order.number, mark(*v));
        let described = if self.stage.kind == Kind::Shipped {
            document.text("Description") == format!("WooCommerce order {}", order.number)
        } else {
            self.stage.versions.iter().any(described)
        };
        let mut theirs: Vec<(String, i64, i64)> = self
            .ledger()
            .lines(&document.id)
            .iter()
            .map(|line| {
                let number = |field: &str| ledger::cents(line.value.get(field));
                (self.ledger().code(&line.text("Item")), number("Quantity"), number("NetPrice"))
            })
            .collect();
        let cents = |n: u64| i64::try_from(n).unwrap() * 100;
        let mut ours: Vec<(String, i64, i64)> =
            version.lines.iter().map(|line| (line.sku.to_owned(), cents(line.quantity), cents(line.gross()))).collect();
        theirs.sort();
        ours.sort();
        let account = self.ledger().account(&document.text("OrderedBy")).map(|row| row.text("Email"));
        let owner = account.is_some_and(|account| order.versions().any(|v| email(v.person) == account));
        (remarks == version.note || corrected) && described && theirs == ours && owner
    }

    /// What of the world, as it is, keeps an order from being carried out.
    fn why_not(&self, order: &Order) -> Option<&'static str> {
        let ledger = self.ledger();
        let lacks = |sku: &str| ledger.rows(ledger::ITEM).iter().all(|item| item.text("Code") != sku);
        if order.now.lines.iter().any(|line| lacks(line.sku)) {
            return Some("an item is not there");
        }
        let own = |row: &&Row| row.text("PaymentReference") == order.payment;
        let documents = ledger.rows(ledger::ORDER);
        let same = documents.iter().any(|row| row.text("YourRef") == order.number.to_string() && !own(&row));
        if same && !documents.iter().any(|row| own(&row)) {
            return Some("another document has its number");
        }
        (self.accounts(&email(order.now.person)) > 1).then_some("two accounts have its address")
    }

    /// How many accounts have an address.
    fn accounts(&self, address: &str) -> usize {
        self.ledger().rows(ledger::ACCOUNT).iter().filter(|row| row.text("Email") == address).count()
    }

    /// What the runner says of it.
    fn said(&self, flow: &str, order: &Order) -> String {
        self.record(flow, &order.id.to_string()).map_or_else(
            || "the store knows nothing of it".to_owned(),
            |row| format!("the store says {:?}: {}", row.state, row.reason.as_deref().unwrap_or("no reason")),
        )
    }

    fn told(&self, document: &Row) -> String {
        let lines: Vec<String> = self
            .ledger()
            .lines(&document.id)
            .iter()
            .map(|l| {
                format!("{} {} at {}", l.text("Quantity"), self.ledger().code(&l.text("Item")), l.text("NetPrice"))
            })
            .collect();
        format!("{:?} {:?} {lines:?}", document.text("Description"), document.text("Remarks"))
    }

    // ----------------------------------------------------------------------------------------------------- customers

    fn customers(&mut self) {
        let kind = self.stage.kind;
        if kind != Kind::Customers && kind != Kind::TwoFlows {
            return;
        }
        let flow = flow(kind, 0, true);
        for customer in &self.world.shops[0].customers {
            self.customer(&flow, customer);
        }
    }

    fn customer(&mut self, flow: &str, customer: &Customer) {
        let key = customer.id.to_string();
        if self.stage.skipped.iter().any(|out| out.is(flow, &key)) {
            return;
        }
        let ledger = &self.world.ledger;
        let said = self.record(flow, &key).map(|row| (row.state, row.reason.clone()));
        let accounts: Vec<&Row> =
            ledger.rows(ledger::ACCOUNT).iter().filter(|row| row.text("Email") == customer.email).collect();
        let gone = customer.emails.iter().any(|email| ledger.deleted.contains(email));
        if accounts.is_empty() && !gone {
            let text = format!("no account has {} of customer {}; {said:?}", customer.email, customer.id);
            self.broken.push(("undone", text));
        }
        if accounts.len() > 1 && accounts.iter().filter(|row| row.ours).count() > 1 {
            self.broken.push(("twice", format!("{} accounts have {}", accounts.len(), customer.email)));
        }
        if self.stage.kind == Kind::Customers {
            let id = customer.id.to_string();
            let own = ledger.rows(ledger::ACCOUNT).iter().filter(|row| row.text("ChamberOfCommerce") == id).count();
            if own > 1 && !gone {
                self.broken.push(("twice", format!("{own} accounts are customer {id}'s")));
            }
        }
        if let [account] = accounts.as_slice() {
            let phone = account.text("Phone");
            let corrected = account.corrected.get("Phone").is_some_and(|all| all.contains(&Value::from(phone.clone())));
            // Where orders make the same account, theirs is as good.
            let ordered = self.stage.kind == Kind::TwoFlows;
            if phone != customer.phone && !corrected && account.ours && !ordered && !gone {
                let text =
                    format!("customer {} has the phone {}, its account {phone}; {said:?}", customer.id, customer.phone);
                self.broken.push(("undone", text));
            }
        }
    }

    // -------------------------------------------------------------------------------------------------------- reasons

    /// When all is well and a person has said "again", nothing waits, and what is parked is so for a reason that is true.
    fn states(&mut self) {
        for row in self.records.iter().filter(|row| matches!(row.state, State::Waiting | State::Parked)) {
            let reason = row.reason.as_deref().unwrap_or("no reason");
            let shop = (0..self.world.shops.len())
                .find(|n| self.stage.kind != Kind::Customers && flow(self.stage.kind, *n, false) == row.flow);
            let order =
                shop.and_then(|n| self.world.shops[n].orders.iter().find(|order| order.id.to_string() == row.key));
            let cause = match order {
                Some(order) => self.why_not(order),
                None => {
                    let customers = self.world.shops.iter().flat_map(|shop| &shop.customers);
                    let customer = customers.filter(|_| shop.is_none()).find(|c| c.id.to_string() == row.key);
                    customer.filter(|c| self.accounts(&c.email) > 1).map(|_| "two accounts have its address")
                }
            };
            // A row whose key cannot be read has a made-up one: nobody can tell when it has been put in order.
            if cause.is_none() && !row.key.starts_with("unreadable-") {
                let text = format!("{}:{} is {:?} and need not be: {reason}", row.flow, row.key, row.state);
                self.broken.push(("untrue", text));
            }
        }
    }

    // ------------------------------------------------------------------------------------------------------------ log

    /// Each write stands in the log with what was sent.
    fn log(&mut self, logged: &BTreeMap<String, usize>) {
        for effect in &self.world.effects {
            if self.stage.crashed.contains(&effect.pass) {
                continue;
            }
            let body = effect.order.body.to_string();
            if !logged.contains_key(&format!("{} {body}", effect.order.entity)) {
                let text = format!("no entry tells of {:?} {} {body}", effect.order.verb, effect.order.entity);
                self.broken.push(("log", text));
            }
        }
    }
}

/// What the log says was sent.
async fn logged(stage: &Stage) -> BTreeMap<String, usize> {
    let now = jiff::Timestamp::from_millisecond(stage.world.state().now_ms()).unwrap();
    let engine = stage.looking();
    let mut sent = BTreeMap::new();
    let mut after = None;
    loop {
        let page = engine.store().attempts_since(None, jiff::Timestamp::UNIX_EPOCH, after, now).await.unwrap();
        for attempt in page.attempts {
            let steps: Vec<Value> = serde_json::from_str(&attempt.steps).unwrap();
            for step in steps.iter().filter(|step| step.get("sent").is_some()) {
                *sent.entry(format!("{} {}", ledger::text(step.get("entity")), step["body"])).or_default() += 1;
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return sent,
        }
    }
}
