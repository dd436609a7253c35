//! A system's door: the real trait before a model, with all that may go wrong between the two.

use super::chance::mix;
use super::ledger::{self, Order as Writing, Verb};
use super::planted::Bug;
use super::story::Fault;
use super::world::{State, World};
use flowc::connector::{
    Answer, CallError, Connector, Find, One, Page, Pause, Position, Presence, Raw, Rows, Scan, Unreadable, Write,
};
use flowc::ir::{Entity, Method};
use flowc::store::Reading;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The door of one system for one process.
pub(crate) struct Door {
    world: World,
    /// 0: the ledger; then the shops.
    system: usize,
    name: String,
    process: u32,
    calls: AtomicU64,
}

/// A call that has come in.
struct Came {
    call: u32,
    fault: Option<Fault>,
    dies: Option<(u64, bool)>,
}

impl Door {
    pub(crate) fn of(world: &World, system: usize, name: &str) -> Arc<dyn Connector> {
        let process = world.state().process;
        Arc::new(Self { world: world.clone(), system, name: name.to_owned(), process, calls: AtomicU64::new(0) })
    }

    /// Comes in after a while; what is to happen at this call happens.
    async fn come(&self, what: &str) -> Came {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let call = {
            let mut state = self.world.state();
            state.calls += 1;
            let call = state.calls;
            state.note(what);
            state.say(|| format!("{call:>3} {} {what}", self.name));
            call
        };
        self.wait(call).await;
        let came = {
            let mut state = self.world.state();
            let (fault, dies) = state.turn(call);
            state.arrive();
            state.look_at_power();
            Came { call, fault, dies }
        };
        self.alive().await;
        came
    }

    /// Goes out after a while, unless the process dies first.
    async fn go(&self, came: &Came) {
        if let Some((choice, reboot)) = came.dies {
            self.world.state().die(choice, reboot);
        }
        self.alive().await;
        self.wait(came.call.wrapping_mul(7)).await;
        self.alive().await;
    }

    /// Nobody hears any more where the process has died.
    async fn alive(&self) {
        let dead = self.world.state().process != self.process;
        if dead {
            std::future::pending::<()>().await;
        }
    }

    async fn wait(&self, number: u32) {
        tokio::time::sleep(Duration::from_millis(40 + mix(u64::from(number)) % 400)).await;
    }

    fn has(&self, bug: Bug) -> bool {
        self.world.state().bug == Some(bug)
    }

    fn unknown(&self, reason: &str) -> CallError {
        if self.has(Bug::SilenceIsRefusal) {
            let (system, reason) = (self.name.clone(), reason.to_owned());
            return CallError::Refused { system, reason, status: 400, call: "a call".to_owned() };
        }
        CallError::Unknown { system: self.name.clone(), reason: reason.to_owned() }
    }

    fn later(&self, seconds: u16) -> CallError {
        let until = self.now() + Duration::from_secs(u64::from(seconds));
        CallError::Later { system: self.name.clone(), until, reason: "it is busy".to_owned() }
    }

    fn refused(&self, status: u16, what: &str, call: u32) -> CallError {
        let reason = format!("{what} (answer {status} to call {}-{call})", self.world.state().pass);
        CallError::Refused { system: self.name.clone(), reason, status, call: "a call".to_owned() }
    }

    /// What a read meets instead of an answer.
    fn instead(&self, came: &Came) -> Option<CallError> {
        let shop = self.system > 0;
        let fault = came.fault.or_else(|| self.world.state().spelled(shop, false, ""))?;
        Some(match fault {
            // A connector tries reads again by itself; then it gives up for now.
            Fault::DropBefore | Fault::DropAfter | Fault::Late(_) => self.later(60),
            Fault::Refused(status) => self.refused(status, "no", came.call),
            Fault::Later(seconds) => self.later(seconds),
            Fault::Garbled => CallError::Garbled { system: self.name.clone(), what: "no JSON".to_owned() },
            Fault::Login => CallError::Login { system: self.name.clone(), reason: "the login is over".to_owned() },
            Fault::Unreadable(_) | Fault::Empty | Fault::Bare | Fault::Hollow => return None,
        })
    }

    /// Rows as they leave the connector: the fields that were asked for, and what of them cannot be read.
    fn rows(
        &self,
        state: &State,
        entity: &Entity,
        rows: Vec<Map<String, Value>>,
        fields: &[String],
        came: &Came,
    ) -> Rows {
        let mut answered = Rows::default();
        let always = entity.key.into_iter().chain(entity.feed.as_ref().map(|feed| feed.by));
        let always: Vec<String> = always.map(|field| entity.get(field).wire.to_string()).collect();
        let spoilt = match came.fault {
            Some(Fault::Unreadable(n)) if !rows.is_empty() => Some(usize::from(n) % rows.len()),
            _ => None,
        };
        for (n, row) in rows.into_iter().enumerate() {
            let picked: Map<String, Value> =
                row.into_iter().filter(|(name, _)| asked(fields, name) || always.contains(name)).collect();
            let text = Value::Object(picked).to_string();
            if spoilt == Some(n) || state.is_poisoned(self.system > 0, &text) {
                answered.unreadable.push(self.unreadable(text));
            } else {
                answered.read.push(Raw(text.into()));
            }
        }
        answered
    }

    fn all(&self, state: &State, entity: &Entity) -> Vec<Map<String, Value>> {
        if self.system == 0 {
            return state.ledger.rows(&entity.full_name()).iter().map(|row| row.value.clone()).collect();
        }
        let shop = &state.shops[self.system - 1];
        match &*entity.name {
            "Order" => shop
                .orders
                .iter()
                .filter(|o| !o.deleted && o.now.status != "trash")
                .map(super::shop::Order::row)
                .collect(),
            "Customer" => shop.customers.iter().map(super::shop::Customer::row).collect(),
            _ => Vec::new(),
        }
    }
}

fn asked(fields: &[String], name: &str) -> bool {
    fields.is_empty() || fields.iter().any(|field| field.split('.').next() == Some(name))
}

fn matches(row: &Map<String, Value>, field: &str, values: &[String]) -> bool {
    let theirs = ledger::text(row.get(field));
    values.iter().any(|value| value.trim().eq_ignore_ascii_case(theirs.trim()))
}

#[async_trait::async_trait]
impl Connector for Door {
    fn resumed(&self, scan: &Scan, stored: Position, anew: bool) -> Position {
        if anew {
            return Position::default();
        }
        // Pages overlap; what has no time of change is read from its beginning.
        let stored = stored.0.parse::<u64>().unwrap_or(0);
        Position(if scan.entity.feed.is_some() { stored.saturating_sub(2).to_string() } else { String::new() })
    }

    async fn scan(&self, scan: &Scan, from: &Position) -> Result<Page, CallError> {
        let came = self.come(&format!("reads {} from {:?} only {:?}", scan.entity.name, from.0, scan.only)).await;
        let instead = self.instead(&came);
        let answer = match instead {
            Some(error) => Err(error),
            None => Ok(self.page(scan, from, &came)),
        };
        self.go(&came).await;
        answer
    }

    async fn find(&self, find: &Find) -> Result<Rows, CallError> {
        let by = find.by.map(|field| find.entity.get(field).wire.to_string());
        let came = self.come(&format!("finds {} by {by:?} {:?}", find.entity.name, find.values)).await;
        let answer = match self.instead(&came) {
            Some(CallError::Refused { .. }) if self.has(Bug::RefusedIsAbsent) => Ok(Rows::default()),
            Some(error) => Err(error),
            None => {
                let state = self.world.state();
                let mut rows = self.all(&state, &find.entity);
                rows.retain(|row| by.as_ref().is_none_or(|by| matches(row, by, &find.values)));
                let mut fields = find.fields.clone();
                fields.extend(by);
                let mut rows = self.rows(&state, &find.entity, rows, &fields, &came);
                if state.bug == Some(Bug::UnreadableIsAbsent) {
                    rows.unreadable.clear();
                }
                Ok(rows)
            }
        };
        self.go(&came).await;
        answer
    }

    async fn read(&self, one: &One) -> Result<Presence, CallError> {
        let came = self.come(&format!("looks for {} {}", one.entity.name, one.id)).await;
        let answer = match self.instead(&came) {
            Some(error) => Err(error),
            None => {
                let state = self.world.state();
                let key = self.key(&one.entity);
                let there = self.all(&state, &one.entity).into_iter().find(|row| ledger::text(row.get(key)) == one.id);
                let rows = self.rows(&state, &one.entity, there.into_iter().collect(), &one.fields, &came);
                let Rows { mut read, mut unreadable } = rows;
                Ok(match (read.pop(), unreadable.pop()) {
                    (Some(row), _) => Presence::Found(row),
                    (None, Some(unreadable)) => Presence::Unreadable(unreadable),
                    (None, None) => Presence::Gone("its address answers 404".to_owned()),
                })
            }
        };
        self.go(&came).await;
        answer
    }

    async fn write(&self, write: &Write) -> Result<Answer, CallError> {
        let verb = match write.method {
            Method::Post => Verb::Create,
            Method::Delete => Verb::Delete,
            _ => Verb::Update,
        };
        let body = if write.body.is_empty() { Value::Null } else { serde_json::from_str(&write.body).unwrap() };
        let order = Writing { entity: write.entity.full_name(), id: write.id.clone(), verb, body };
        let came = self.come(&format!("writes {verb:?} {} {:?}", order.entity, order.id)).await;
        let about = self.about(&order);
        let fault = came.fault.or_else(|| self.world.state().spelled(self.system > 0, true, &about));
        let name = self.name.clone();
        let answer = match fault {
            Some(Fault::DropBefore) => Err(self.unknown("the connection broke")),
            Some(Fault::Late(seconds)) => {
                self.world.state().later(self.system, order, seconds);
                Err(self.unknown("no answer within its time"))
            }
            Some(Fault::Later(seconds)) => Err(self.later(seconds)),
            Some(Fault::Refused(status)) if status >= 500 => Err(self.unknown(&format!("it answered {status}"))),
            Some(Fault::Refused(status)) => Err(self.refused(status, "this write is refused", came.call)),
            Some(Fault::Login) => Err(CallError::Login { system: name, reason: "the login is over".to_owned() }),
            Some(Fault::Hollow) if verb == Verb::Update => Ok(self.hollow(&write.entity, order)),
            Some(fault @ (Fault::DropAfter | Fault::Garbled | Fault::Hollow)) => {
                let _ = self.world.state().write(self.system, &order);
                Err(self.unknown(match fault {
                    Fault::Garbled => "its answer is no JSON",
                    Fault::Hollow => "its answer does not say the key of the record",
                    _ => "the connection broke",
                }))
            }
            None | Some(Fault::Unreadable(_) | Fault::Empty | Fault::Bare) => {
                if came.fault.is_none() && self.has(Bug::WritesTwice) && mix(u64::from(came.call)).is_multiple_of(8) {
                    let _ = self.world.state().write(self.system, &order);
                }
                let done = self.world.state().write(self.system, &order);
                match done {
                    Ok(id) => Ok(self.answer(&write.entity, id, fault)),
                    Err((status, why)) => Err(self.refused(status, &why, came.call)),
                }
            }
        };
        self.go(&came).await;
        answer
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.world.state().now_ms()).unwrap()
    }

    fn reading(&self) -> Reading {
        let state = self.world.state();
        let (mut ms, mut boot) = state.since_boot();
        if state.bug == Some(Bug::WallClock) {
            (ms, boot) = (state.now_ms(), 0);
        }
        let system = if self.system == 0 { state.ledger_ms() } else { state.shop_ms() };
        let server = Some(Timestamp::from_millisecond(system).unwrap());
        Reading { clock: format!("boot {boot}"), ms, server }
    }

    async fn sleep_until(&self, then: Timestamp, _why: &str) {
        // A clock may be set while somebody waits for it.
        while self.now() < then {
            let left = then.duration_since(self.now()).as_millis().clamp(1, 30_000);
            tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap())).await;
        }
    }

    fn pause(&self) -> Option<Pause> {
        None
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn hello(&self) -> Result<Raw, CallError> {
        let came = self.come("who are we").await;
        let answer = match self.instead(&came) {
            Some(error) => Err(error),
            None => Ok(Raw("{}".into())),
        };
        self.go(&came).await;
        answer
    }
}

impl Door {
    fn page(&self, scan: &Scan, from: &Position, came: &Came) -> Page {
        let state = self.world.state();
        let shop = &state.shops[self.system - 1];
        let is_customer = &*scan.entity.name == "Customer";
        let mut rows: Vec<(u64, Map<String, Value>)> = if is_customer {
            shop.customers.iter().map(|c| (c.id, c.row())).collect()
        } else {
            let there = shop.orders.iter().filter(|o| !o.deleted && o.now.status != "trash");
            there.map(|o| (o.change, o.row())).collect()
        };
        rows.sort_by_key(|(at, _)| *at);
        if !scan.only.is_empty() {
            let wanted = |row: &Map<String, Value>| scan.only.contains(&ledger::text(row.get("id")));
            let empty = came.fault == Some(Fault::Empty);
            let rows = rows.into_iter().map(|(_, row)| row).filter(|row| wanted(row) && !empty).collect();
            return self.of_page(&state, rows, scan, came, Position("end".to_owned()), true);
        }
        let from = from.0.parse::<u64>().unwrap_or(0);
        let size = usize::try_from(1 + mix(u64::from(came.call) ^ from) % 4).unwrap();
        let behind: Vec<(u64, Map<String, Value>)> = rows.into_iter().filter(|(at, _)| *at > from).collect();
        let last = behind.len() <= size;
        // The shop counts rows before it drops those that are not asked for: pages may be short, and empty.
        let window: Vec<(u64, Map<String, Value>)> = behind.into_iter().take(size).collect();
        let next = window.last().map_or(from, |(at, _)| *at);
        let taken = |row: &Map<String, Value>| {
            scan.filter.iter().all(|condition| matches(row, &scan.entity.get(condition.field).wire, &condition.values))
        };
        let rows = window.into_iter().map(|(_, row)| row).filter(taken).collect();
        self.of_page(&state, rows, scan, came, Position(next.to_string()), last)
    }

    fn of_page(
        &self,
        state: &State,
        rows: Vec<Map<String, Value>>,
        scan: &Scan,
        came: &Came,
        next: Position,
        last: bool,
    ) -> Page {
        let mut fields = scan.fields.clone();
        fields.extend(scan.filter.iter().map(|condition| scan.entity.get(condition.field).wire.to_string()));
        let mut answered = self.rows(state, &scan.entity, rows, &fields, came);
        if state.bug == Some(Bug::FeedDropsUnreadable) {
            answered.unreadable.clear();
        }
        Page { records: answered.read, unreadable: answered.unreadable, next, last }
    }

    fn key(&self, entity: &Entity) -> &'static str {
        if self.system == 0 { ledger::key(&entity.full_name()) } else { "id" }
    }

    /// A row that cannot be read: of the ledger its key is plain, or it is not. The shop's connector finds out which record
    /// it is.
    fn unreadable(&self, text: String) -> Unreadable {
        let row: Value = serde_json::from_str(&text).unwrap();
        let key = ["id", "ID", "OrderID"].iter().find_map(|key| row.get(*key)).map(|id| ledger::text(Some(id)));
        let plain = self.system > 0 || !mix(text.len() as u64).is_multiple_of(3);
        let why = "half a pair of surrogates".to_owned();
        Unreadable { key: key.filter(|_| plain), text: plain.then(|| text.into()), why, page: None }
    }

    /// The payment that a write is about, where it is about one.
    fn about(&self, order: &Writing) -> String {
        let state = self.world.state();
        if self.system > 0 {
            let orders = &state.shops[self.system - 1].orders;
            let of = orders.iter().find(|o| Some(o.id.to_string()) == order.id);
            return of.map(|o| o.payment.clone()).unwrap_or_default();
        }
        let said = ledger::text(order.body.get("PaymentReference"));
        if !said.is_empty() {
            return said;
        }
        let id = order.id.as_deref().unwrap_or("");
        let line = state.ledger.rows(ledger::LINE).iter().find(|row| row.id == id);
        let document = line.map_or_else(|| id.to_owned(), |line| line.text("OrderID"));
        let named = ledger::text(order.body.get("OrderID"));
        let document = if order.entity == ledger::LINE && line.is_none() { named } else { document };
        let row = state.ledger.rows(ledger::ORDER).iter().find(|row| row.id == document);
        row.map(|row| row.text("PaymentReference")).unwrap_or_default()
    }

    fn answer(&self, entity: &Entity, id: String, fault: Option<Fault>) -> Answer {
        let record = self.row(entity, &id).filter(|_| fault != Some(Fault::Bare));
        Answer { id: Some(id), record: record.map(|row| Raw(Value::Object(row).to_string().into())) }
    }

    /// The answer to an update that is not stored.
    fn hollow(&self, entity: &Entity, order: Writing) -> Answer {
        let row = order.id.as_ref().and_then(|id| self.row(entity, id)).filter(|_| self.has(Bug::TakenIsStored));
        let record = row.map(|mut row| {
            row.extend(order.body.as_object().cloned().unwrap_or_default());
            Raw(Value::Object(row).to_string().into())
        });
        Answer { id: order.id, record }
    }

    fn row(&self, entity: &Entity, id: &str) -> Option<Map<String, Value>> {
        let state = self.world.state();
        self.all(&state, entity).into_iter().find(|row| ledger::text(row.get(self.key(entity))) == id)
    }
}
