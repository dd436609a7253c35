//! The world: both systems, the clocks, the disk, what is to happen at which call, and all that has happened.

use super::chance::mix;
use super::disk::Disk;
use super::ledger::{Ledger, Order as Writing};
use super::planted::Bug;
use super::shop::{Shop, email};
use super::story::{Deed, Fault, Kind, Spell, Turn, Whose};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::time::Instant;

/// When every story begins, seconds.
const BEGIN: i64 = 1_772_360_000;

/// The world, as all share it.
#[derive(Clone)]
pub(crate) struct World(Arc<Mutex<State>>);

/// All that there is.
pub(crate) struct State {
    pub(crate) kind: Kind,
    /// A bug between the runner and its surroundings.
    pub(crate) bug: Option<Bug>,
    pub(crate) shops: Vec<Shop>,
    pub(crate) ledger: Ledger,
    pub(crate) disk: Disk,
    /// Seconds that a clock is ahead.
    machine: i64,
    shop: i64,
    books: i64,
    began: Instant,
    /// When the machine was started, and how often.
    booted: (Instant, u32),
    /// The process that runs: doors of others are dead.
    pub(crate) process: u32,
    /// A process has died, and what the disk keeps.
    pub(crate) crashed: Option<(u64, bool)>,
    pub(crate) crash: Arc<tokio::sync::Notify>,
    /// What is to happen at which call of this pass.
    turns: Vec<(u32, Turn)>,
    power_choice: u64,
    pub(crate) calls: u32,
    pub(crate) pass: u32,
    spells: Vec<(u8, Spell, String)>,
    late: Vec<(Instant, Late)>,
    /// Writes that had their effect.
    pub(crate) effects: Vec<Effect>,
    /// What must not be, and was.
    pub(crate) broken: Vec<(&'static str, String)>,
    /// What happened, for people.
    pub(crate) told: Vec<String>,
    pub(crate) telling: bool,
    /// A hash of all that happened.
    pub(crate) hash: u64,
}

/// A write whose effect comes late.
pub(crate) struct Late {
    pub(crate) system: usize,
    pub(crate) order: Writing,
    /// The pass that sent it.
    pass: u32,
}

/// A write that had its effect.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    pub(crate) pass: u32,
    pub(crate) order: Writing,
}

impl World {
    pub(crate) fn new(kind: Kind, disk: Disk, telling: bool, bug: Option<Bug>) -> Self {
        let names: &[&'static str] = if kind == Kind::TwoShops { &["shop", "shop_be"] } else { &["shop"] };
        let began = Instant::now();
        Self(Arc::new(Mutex::new(State {
            kind,
            bug,
            shops: names.iter().map(|name| Shop { name, ..Shop::default() }).collect(),
            ledger: Ledger::new(),
            disk,
            machine: 0,
            shop: 0,
            books: 0,
            began,
            booted: (began, 1),
            process: 0,
            crashed: None,
            crash: Arc::default(),
            turns: Vec::new(),
            power_choice: 0,
            calls: 0,
            pass: 0,
            spells: Vec::new(),
            late: Vec::new(),
            effects: Vec::new(),
            broken: Vec::new(),
            told: Vec::new(),
            telling,
            hash: 0,
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    /// The machine's clock on the wall, milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.true_ms() + self.machine * 1_000
    }

    /// Milliseconds on a clock that nobody sets.
    pub(crate) fn true_ms(&self) -> i64 {
        BEGIN * 1_000 + i64::try_from(self.began.elapsed().as_millis()).unwrap()
    }

    /// Milliseconds since this machine was started, and its how-manieth start that was.
    pub(crate) fn since_boot(&self) -> (i64, u32) {
        (i64::try_from(self.booted.0.elapsed().as_millis()).unwrap(), self.booted.1)
    }

    pub(crate) fn ledger_ms(&self) -> i64 {
        self.true_ms() + self.books * 1_000
    }

    pub(crate) fn shop_ms(&self) -> i64 {
        self.true_ms() + self.shop * 1_000
    }

    fn shop_second(&self) -> i64 {
        self.true_ms() / 1_000 + self.shop
    }

    pub(crate) fn set_clock(&mut self, whose: Whose, by: i32) {
        *match whose {
            Whose::Machine => &mut self.machine,
            Whose::Shop => &mut self.shop,
            Whose::Ledger => &mut self.books,
        } += i64::from(by);
    }

    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        if self.telling {
            let at = (self.true_ms() - BEGIN * 1_000) / 100;
            let text = what();
            self.told.push(format!("{:>7}.{} {text}", at / 10, at % 10));
        }
    }

    pub(crate) fn note(&mut self, what: &str) {
        for byte in what.bytes() {
            self.hash = mix(self.hash ^ u64::from(byte));
        }
        self.hash = mix(self.hash ^ u64::try_from(self.true_ms()).unwrap());
    }

    // ------------------------------------------------------------------------------------------------------ passes

    pub(crate) fn begin_pass(&mut self, turns: &[(u32, Turn)]) {
        self.process += 1;
        self.pass += 1;
        self.calls = 0;
        self.turns = turns.to_vec();
        let (pass, process) = (self.pass, self.process);
        self.say(|| format!("pass {pass} (process {process})"));
    }

    /// The pass is over, however it ended, and what does not last ends with it; its number.
    pub(crate) fn end_pass(&mut self) -> u32 {
        self.rise();
        self.turns.clear();
        self.disk.power_stays();
        for (left, _, _) in &mut self.spells {
            *left -= 1;
        }
        self.spells.retain(|(left, _, _)| *left > 0);
        // A process that ends in its own time dies with its doors.
        self.process += 1;
        self.pass
    }

    pub(crate) fn calm(&mut self) {
        self.spells.clear();
    }

    /// The process dies; what the disk keeps is chosen.
    pub(crate) fn die(&mut self, choice: u64, reboot: bool) {
        if self.crashed.is_none() {
            self.crashed = Some((choice, reboot));
            self.process += 1;
            self.say(|| "the process dies".to_owned());
            self.crash.notify_one();
        }
    }

    /// The next process may begin.
    fn rise(&mut self) {
        if let Some((choice, reboot)) = self.crashed.take() {
            self.disk.crash(choice);
            if reboot {
                self.booted = (Instant::now(), self.booted.1 + 1);
            }
        }
    }

    /// The power has gone while the disk was writing.
    pub(crate) fn look_at_power(&mut self) {
        if self.disk.power_is_gone() {
            self.die(self.power_choice, false);
        }
    }

    /// What happens at this call: deeds are done, a fault is answered, and whether the process dies after it.
    pub(crate) fn turn(&mut self, call: u32) -> (Option<Fault>, Option<(u64, bool)>) {
        let (mut fault, mut dies) = (None, None);
        let due: Vec<Turn> = self.turns.iter().filter(|(at, _)| *at == call).map(|(_, turn)| turn.clone()).collect();
        for turn in due {
            self.say(|| format!("  {turn:?}"));
            match turn {
                Turn::Deed(deed) => self.deed(deed),
                Turn::Fault(met) => fault = Some(met),
                Turn::Crash { after: true, choice, reboot } => dies = Some((u64::from(choice), reboot)),
                Turn::Crash { after: false, choice, reboot } => self.die(u64::from(choice), reboot),
                Turn::Power { writes, choice } => {
                    self.power_choice = u64::from(choice);
                    self.disk.power_goes_in(u32::from(writes));
                }
            }
        }
        (fault, dies)
    }

    pub(crate) fn spell(&mut self, passes: u8, spell: Spell) {
        let about = match spell {
            Spell::Order { pick, .. } | Spell::Poison { pick } => {
                let orders = &self.shops[0].orders;
                orders
                    .get(usize::from(pick) % orders.len().max(1))
                    .map(|order| order.payment.clone())
                    .unwrap_or_default()
            }
            Spell::Account { pick } => email(pick % 4),
            Spell::Writes { .. } | Spell::Away { .. } => String::new(),
        };
        self.say(|| format!("for {passes} passes: {spell:?} {about}"));
        self.spells.push((passes, spell, about));
    }

    /// What a call meets because of a spell. `about` is what the call is about: a payment, where it is about one.
    pub(crate) fn spelled(&self, shop: bool, writes: bool, about: &str) -> Option<Fault> {
        self.spells.iter().find_map(|(_, spell, of)| match spell {
            Spell::Away { shop: which } if *which == shop => Some(Fault::DropBefore),
            Spell::Writes { status } if writes && !shop => Some(Fault::Refused(*status)),
            Spell::Order { status, .. } if writes && !of.is_empty() && of == about => Some(Fault::Refused(*status)),
            Spell::Away { .. } | Spell::Writes { .. } | Spell::Order { .. } => None,
            Spell::Poison { .. } | Spell::Account { .. } => None,
        })
    }

    /// Whether a row cannot be read.
    pub(crate) fn is_poisoned(&self, shop: bool, row: &str) -> bool {
        self.spells.iter().any(|(_, spell, of)| match spell {
            Spell::Poison { .. } => shop && !of.is_empty() && row.contains(&format!("\"{of}\"")),
            Spell::Account { .. } => !shop && row.contains(of.as_str()),
            Spell::Order { .. } | Spell::Writes { .. } | Spell::Away { .. } => false,
        })
    }

    // ------------------------------------------------------------------------------------------------------- writes

    /// A write that will have its effect in so many seconds.
    pub(crate) fn later(&mut self, system: usize, order: Writing, seconds: u16) {
        let at = Instant::now() + std::time::Duration::from_secs(u64::from(seconds));
        self.late.push((at, Late { system, order, pass: self.pass }));
    }

    /// Effects whose time has come.
    pub(crate) fn arrive(&mut self) {
        let now = Instant::now();
        let (due, late): (Vec<_>, Vec<_>) = std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = late;
        for (_, Late { system, order, pass }) in due {
            self.say(|| "  a late effect".to_owned());
            if self.write(system, &order).is_ok()
                && let Some(effect) = self.effects.last_mut()
            {
                effect.pass = pass;
            }
        }
    }

    /// Carries out a write of the runner's.
    pub(crate) fn write(&mut self, system: usize, order: &Writing) -> Result<String, (u16, String)> {
        let done = match system {
            0 => self.ledger.write(order),
            shop => self.write_shop(shop - 1, order),
        };
        self.say(|| {
            format!(
                "  {:?} {} {} {} -> {done:?}",
                order.verb,
                order.entity,
                order.id.as_deref().unwrap_or(""),
                order.body
            )
        });
        if done.is_ok() {
            let effect = Effect { pass: self.pass, order: order.clone() };
            self.effects.push(effect);
        }
        let broken = std::mem::take(&mut self.ledger.broken);
        self.broken.extend(broken);
        done
    }

    fn write_shop(&mut self, shop: usize, order: &Writing) -> Result<String, (u16, String)> {
        let now = self.shop_second();
        let id = order.id.clone().unwrap_or_default();
        let Some(n) = self.shops[shop].orders.iter().position(|o| o.id.to_string() == id && !o.deleted) else {
            return Err((404, format!("there is no order {id}")));
        };
        for (field, value) in order.body.as_object().into_iter().flatten() {
            let entries = value.as_array().filter(|_| field == "meta_data");
            let Some(entries) = entries else {
                self.broken.push(("stranger", format!("{field} of order {id} in the shop is written")));
                continue;
            };
            for entry in entries {
                let text = |name: &str| super::ledger::text(entry.get(name));
                self.shops[shop].orders[n].meta.insert(text("key"), text("value"));
            }
        }
        self.shops[shop].touch(n, now);
        Ok(id)
    }

    // -------------------------------------------------------------------------------------------------------- people

    /// Somebody does something.
    pub(crate) fn deed(&mut self, deed: Deed) {
        self.arrive();
        self.say(|| format!("{deed:?}"));
        let (now, edited) = (self.shop_second(), self.true_ms());
        // With two shops everything happens now in one, now in the other.
        let which = if self.shops.len() > 1 { usize::from(now % 2 == 0) } else { 0 };
        let shared = self.kind == Kind::TwoFlows;
        let shop = &mut self.shops[which];
        match deed {
            Deed::Order { person, lines } => {
                for shop in &mut self.shops {
                    shop.order(person, lines, now);
                }
            }
            Deed::Note { pick, text } => drop(shop.edit(pick, now, edited, |v| v.note = note(text))),
            Deed::Quantity { pick, text } => {
                drop(shop.edit(pick, now, edited, |v| v.lines[0].quantity = 1 + u64::from(text % 4)));
            }
            Deed::AddLine { pick, text } => drop(shop.edit(pick, now, edited, |v| {
                let mut line = v.lines[0];
                line.id += 10 + v.lines.len() as u64;
                line.sku = ["A", "B", "C"][usize::from(text % 3)];
                v.lines.push(line);
            })),
            Deed::DropLine { pick } => drop(shop.edit(pick, now, edited, |v| {
                if v.lines.len() > 1 {
                    v.lines.remove(0);
                }
            })),
            Deed::Cancel { pick } => drop(shop.edit(pick, now, edited, |v| v.status = "cancelled")),
            Deed::Reinstate { pick } => drop(shop.edit(pick, now, edited, |v| v.status = "processing")),
            Deed::Trash { pick } => drop(shop.edit(pick, now, edited, |v| v.status = "trash")),
            Deed::Delete { pick } => shop.delete(pick),
            Deed::Customer => {
                shop.customer();
                if let (true, Some(customer)) = (shared, shop.customers.last_mut()) {
                    customer.email = email(u8::try_from((customer.id - 1) % 4).unwrap());
                    customer.emails.push(customer.email.clone());
                }
            }
            Deed::CustomerPhone { pick, text } => {
                shop.edit_customer(pick, |c| c.phone = format!("1{}-{}", c.id, text % 5));
            }
            Deed::CustomerEmail { pick, text } if !shared => {
                shop.edit_customer(pick, |c| c.email = format!("c{}v{}@x.example", c.id, text % 3));
            }
            Deed::CustomerEmail { .. } => {}
            Deed::Correct { pick, text } => {
                self.ledger.correct(super::ledger::ORDER, pick, "Remarks", &format!("bookkeeper {}", text % 5));
            }
            Deed::CorrectAccount { pick, text } => {
                self.ledger.correct(super::ledger::ACCOUNT, pick, "Phone", &format!("2{}", text % 5));
            }
            Deed::Close { pick } => self.ledger.close(pick),
            Deed::Stranger { number, same_total } => {
                let number = 1_001 + u64::from(number);
                let total = shop.orders.iter().find(|o| o.number == number).map_or(363, |o| o.now.total());
                self.ledger.stranger(&number.to_string(), if same_total { total } else { total + 1 });
            }
            Deed::OwnAccount { person } => drop(self.ledger.own_account(&email(person))),
            Deed::DeleteDocument { pick } => self.ledger.delete_document(pick),
            Deed::DeleteAccount { pick } => self.ledger.delete_account(pick),
            Deed::Merge => self.ledger.merge(),
            Deed::Item => self.ledger.item("Z"),
        }
    }
}

/// What a shopper notes.
fn note(text: u8) -> String {
    match text % 6 {
        0 => String::new(),
        n => format!("note {n}"),
    }
}
