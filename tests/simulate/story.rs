//! A story: what people do, what goes wrong and when, as a list that a seed makes up and that can be told, run again and
//! shortened. Running it needs no further chance.

use super::chance::Chance;
use std::fmt;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// `flows/orders.flow` as it ships.
    Shipped,
    /// A `create once` with `on change update`.
    Update,
    /// A `create once` with `on change alert`.
    Alert,
    /// A `create once` with `on change` another mapping.
    Note,
    /// `upsert` of customers.
    Customers,
    /// A second document whose key is known only after the write of the first.
    Tag,
    /// Two shops whose orders have the same numbers.
    TwoShops,
    /// Orders and customers, two flows that make the same accounts.
    TwoFlows,
}

/// All kinds.
pub(crate) const KINDS: [Kind; 8] =
    [Kind::Shipped, Kind::Update, Kind::Alert, Kind::Note, Kind::Customers, Kind::Tag, Kind::TwoShops, Kind::TwoFlows];

/// A story.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) seed: u64,
    pub(crate) kind: Kind,
    pub(crate) steps: Vec<Step>,
}

/// What happens between two passes, or a pass.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Deed(Deed),
    Later {
        seconds: u32,
    },
    /// What happens at which call of it.
    Pass(Vec<(u32, Turn)>),
    /// Another version of the project.
    Project {
        version: u8,
    },
    /// A clock is set: by so many seconds.
    Clock {
        whose: Whose,
        by: i32,
    },
    /// For so many passes a record, or everything, meets this.
    Spell {
        passes: u8,
        spell: Spell,
    },
    /// A person says so of some record.
    Retry {
        pick: u8,
    },
    /// A person leaves out some record.
    Skip {
        pick: u8,
    },
}

/// Whose clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Machine,
    Shop,
    Ledger,
}

/// What happens at a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Turn {
    Deed(Deed),
    Fault(Fault),
    /// The process dies: before or after the call has its effect; the disk keeps what this number chooses.
    Crash {
        after: bool,
        choice: u8,
        reboot: bool,
    },
    /// The power goes at so many writes of the disk from here.
    Power {
        writes: u8,
        choice: u8,
    },
}

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No answer, and it had no effect.
    DropBefore,
    /// No answer, but it had its effect.
    DropAfter,
    /// No answer, and its effect comes so many seconds later.
    Late(u16),
    /// It is refused, with this status.
    Refused(u16),
    /// It is put off by so many seconds.
    Later(u16),
    /// The answer is no JSON.
    Garbled,
    /// One row of the answer cannot be read.
    Unreadable(u8),
    /// An answer without rows where some were named.
    Empty,
    /// The answer to a write tells only the key.
    Bare,
    /// The answer to a create does not even tell that; an update is taken, answered like that, and not stored.
    Hollow,
    /// The login is refused.
    Login,
}

/// What lasts for some passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spell {
    /// Writes for this order are refused, or answered with 503.
    Order { pick: u8, status: u16 },
    /// All writes to the ledger are.
    Writes { status: u16 },
    /// The ledger, or the shop, is away.
    Away { shop: bool },
    /// The order's row cannot be read in any answer.
    Poison { pick: u8 },
    /// The row of an account cannot be read.
    Account { pick: u8 },
}

/// What people do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    // In the shop.
    Order {
        person: u8,
        lines: u8,
    },
    Note {
        pick: u8,
        text: u8,
    },
    Quantity {
        pick: u8,
        text: u8,
    },
    AddLine {
        pick: u8,
        text: u8,
    },
    DropLine {
        pick: u8,
    },
    Cancel {
        pick: u8,
    },
    Reinstate {
        pick: u8,
    },
    Trash {
        pick: u8,
    },
    Delete {
        pick: u8,
    },
    Customer,
    CustomerPhone {
        pick: u8,
        text: u8,
    },
    CustomerEmail {
        pick: u8,
        text: u8,
    },
    // In the ledger.
    /// A bookkeeper corrects the remarks of a document.
    Correct {
        pick: u8,
        text: u8,
    },
    /// … and the phone of an account.
    CorrectAccount {
        pick: u8,
        text: u8,
    },
    /// A document is delivered: it can't be changed any more.
    Close {
        pick: u8,
    },
    /// A document of somebody else with the reference that an order has or will have.
    Stranger {
        number: u8,
        same_total: bool,
    },
    /// An account of somebody with an address that a shopper has.
    OwnAccount {
        person: u8,
    },
    /// Our document is deleted.
    DeleteDocument {
        pick: u8,
    },
    /// An account to which nothing refers is deleted.
    DeleteAccount {
        pick: u8,
    },
    /// Two accounts with one address are made one.
    Merge,
    /// The item that was not there.
    Item,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, {:?}", self.seed, self.kind)?;
        for step in &self.steps {
            match step {
                Step::Pass(turns) if turns.is_empty() => writeln!(f, "  a pass")?,
                Step::Pass(turns) => {
                    writeln!(f, "  a pass, and in it")?;
                    for (call, turn) in turns {
                        writeln!(f, "    at call {call}: {turn:?}")?;
                    }
                }
                other => writeln!(f, "  {other:?}")?,
            }
        }
        Ok(())
    }
}

/// Which things may happen in a story: not all of them in each, or they would hide one another.
#[allow(clippy::struct_excessive_bools, reason = "each is a thing of its own")]
struct Mood {
    crashes: bool,
    drops: bool,
    refusals: bool,
    unreadable: bool,
    clocks: bool,
    projects: bool,
    books: bool,
    spells: bool,
    within: bool,
}

impl Story {
    /// The story of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let kind = chance.pick(&KINDS);
        let mood = Mood {
            crashes: chance.percent(40),
            drops: chance.percent(60),
            refusals: chance.percent(30),
            unreadable: chance.percent(30),
            clocks: chance.percent(20),
            projects: chance.percent(25),
            books: chance.percent(60),
            spells: chance.percent(25),
            within: chance.percent(60),
        };
        let mut steps = Vec::new();
        for _ in 0..chance.between(1, 4) {
            steps.push(Step::Deed(Deed::Order { person: chance.byte() % 4, lines: chance.byte() }));
        }
        if kind == Kind::Customers || kind == Kind::TwoFlows {
            for _ in 0..chance.between(1, 3) {
                steps.push(Step::Deed(Deed::Customer));
            }
        }
        for _ in 0..chance.between(2, 6) {
            for _ in 0..chance.below(3) {
                steps.push(between(&mut chance, &mood));
            }
            if chance.percent(50) {
                let seconds = chance.pick(&[20, 90, 240, 310, 700, 4_000]);
                steps.push(Step::Later { seconds });
            }
            steps.push(Step::Pass(within(&mut chance, &mood)));
        }
        Self { seed, kind, steps }
    }
}

fn between(chance: &mut Chance, mood: &Mood) -> Step {
    match chance.below(10) {
        0 if mood.projects => Step::Project { version: chance.byte() % 4 },
        1 if mood.clocks => {
            let by = chance.pick(&[-86_400, -3_600, -700, -120, 120, 700, 3_600, 86_400]);
            Step::Clock { whose: chance.pick(&[Whose::Machine, Whose::Shop, Whose::Ledger]), by }
        }
        2 if mood.spells => {
            let (pick, status) = (chance.byte(), chance.pick(&[400, 403, 404, 503]));
            let spell = match chance.below(6) {
                0 | 1 => Spell::Order { pick, status },
                2 => Spell::Writes { status },
                3 => Spell::Away { shop: chance.percent(50) },
                4 if mood.unreadable => Spell::Poison { pick },
                5 if mood.unreadable => Spell::Account { pick },
                _ => Spell::Order { pick, status },
            };
            Step::Spell { passes: u8::try_from(chance.between(1, 3)).unwrap(), spell }
        }
        3 if chance.percent(30) => Step::Retry { pick: chance.byte() },
        3 if chance.percent(20) => Step::Skip { pick: chance.byte() },
        _ => Step::Deed(deed(chance, mood)),
    }
}

fn within(chance: &mut Chance, mood: &Mood) -> Vec<(u32, Turn)> {
    let mut turns = Vec::new();
    for _ in 0..chance.below(4) {
        // The first calls read; most of what is delicate comes a little later.
        let most = if chance.percent(50) { 5 } else { 14 };
        let call = u32::try_from(chance.between(1, most)).unwrap();
        let turn = match chance.below(8) {
            0 | 1 if mood.crashes => {
                let (choice, reboot) = (chance.byte() % 8, chance.percent(30));
                if chance.percent(60) {
                    Turn::Crash { after: chance.percent(50), choice, reboot }
                } else {
                    Turn::Power { writes: u8::try_from(chance.between(1, 60)).unwrap(), choice }
                }
            }
            2 | 3 if mood.drops => Turn::Fault(match chance.below(5) {
                0 => Fault::DropBefore,
                1 | 2 => Fault::DropAfter,
                3 => Fault::Late(u16::try_from(chance.between(1, 295)).unwrap()),
                _ => Fault::Later(chance.pick(&[1, 30, 119, 600])),
            }),
            4 if mood.refusals => Turn::Fault(Fault::Refused(chance.pick(&[400, 401, 403, 404, 406, 500]))),
            5 if mood.unreadable => Turn::Fault(match chance.below(6) {
                0 => Fault::Garbled,
                1 | 2 => Fault::Unreadable(chance.byte()),
                3 => Fault::Empty,
                4 => Fault::Bare,
                _ => Fault::Hollow,
            }),
            6 if mood.within => Turn::Deed(deed(chance, mood)),
            7 if mood.refusals && chance.percent(20) => Turn::Fault(Fault::Login),
            _ => continue,
        };
        turns.push((call, turn));
    }
    turns.sort_by_key(|(call, _)| *call);
    turns
}

fn deed(chance: &mut Chance, mood: &Mood) -> Deed {
    let (pick, text) = (chance.byte(), chance.byte());
    if mood.books && chance.percent(35) {
        return match chance.below(10) {
            0 | 1 => Deed::Correct { pick, text },
            2 => Deed::CorrectAccount { pick, text },
            3 | 4 => Deed::Close { pick },
            5 => Deed::Stranger { number: pick % 6, same_total: text % 2 == 0 },
            6 => Deed::OwnAccount { person: pick % 4 },
            7 if text % 2 == 0 => Deed::Item,
            7 => Deed::DeleteDocument { pick },
            8 => Deed::DeleteAccount { pick },
            _ => Deed::Merge,
        };
    }
    match chance.below(16) {
        0..=2 => Deed::Order { person: pick % 4, lines: text },
        3..=5 => Deed::Note { pick, text },
        6 | 7 => Deed::Quantity { pick, text },
        8 => Deed::AddLine { pick, text },
        9 => Deed::DropLine { pick },
        10 => Deed::Cancel { pick },
        11 => Deed::Reinstate { pick },
        12 if text % 3 == 0 => Deed::Trash { pick },
        12 => Deed::Delete { pick },
        13 => Deed::Customer,
        14 => Deed::CustomerPhone { pick, text },
        _ => Deed::CustomerEmail { pick, text },
    }
}
