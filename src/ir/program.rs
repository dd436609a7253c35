//! The whole of a checked project: schemas, lookups, mappings and flows.

use super::entity::{Connector, Entity, Entries};
use super::expr::{Const, Expr, LocalId, Pattern, Step};
use super::testing::Test;
use super::types::{EntityId, FieldId, LookupId, MappingId, Type};
use crate::source::Span;
use std::sync::Arc;

/// A checked project.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Year of the edition.
    pub edition: Option<Arc<str>>,
    /// The project's time zone.
    pub zone: Option<Arc<str>>,
    /// The habits of the APIs in use.
    pub connectors: Vec<Connector>,
    /// The systems.
    pub connections: Vec<Connection>,
    /// The schemas.
    pub entities: Vec<Entity>,
    /// The decision tables.
    pub lookups: Vec<Lookup>,
    /// The settings of every module, answered or not.
    pub settings: Vec<Setting>,
    /// The mappings.
    pub mappings: Vec<Mapping>,
    /// The flows.
    pub flows: Vec<Flow>,
    /// The tests, where they are asked for: a program that runs has none.
    pub tests: Vec<Test>,
}

/// A system: `connect shop to woocommerce { … }`.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its name.
    pub name: Arc<str>,
    /// Its connector.
    pub connector: Arc<str>,
    /// Its entries: plain values, or the name of a secret.
    pub entries: Vec<(Arc<str>, ConnectionValue)>,
    /// Where it is declared.
    pub span: Span,
}

/// What an entry of a connection says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionValue {
    /// A value.
    Plain(Const),
    /// `secret("NAME")`
    Secret(Arc<str>),
}

/// A setting and its answer.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The module that asks.
    pub module: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// The answer, or the default.
    pub value: Option<Const>,
    /// What it is about.
    pub doc: Option<Arc<str>>,
    /// Where it is asked.
    pub span: Span,
    /// Where it is answered.
    pub answered: Option<Span>,
}

/// A decision table.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Its name, `tables.vat_code`.
    pub name: Arc<str>,
    /// Its keys: name and type.
    pub keys: Vec<(Arc<str>, Type)>,
    /// What a row gives.
    pub result: Type,
    /// Its rows, the narrower ones first.
    pub rows: Vec<Row>,
    /// Where a person adds a row.
    pub grows: Grows,
    /// Where it is declared.
    pub span: Span,
}

/// Where a person adds a row to a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grows {
    /// In the lookup itself.
    Here,
    /// In `project.flow`, by an `adapt`: the lookup ships.
    Adapted,
    /// In this file of the project.
    Csv(Arc<str>),
}

/// A row of a lookup.
#[derive(Clone, Debug)]
pub struct Row {
    /// A cell a key.
    pub cells: Vec<Pattern>,
    /// The value, or a stop.
    pub value: Expr,
    /// Where it stands.
    pub span: Span,
}

/// A mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Its name, `orders.sales_order`.
    pub name: Arc<str>,
    /// What it makes.
    pub target: EntityId,
    /// The connection that it is written to; empty where the project has none of that kind.
    pub connection: Arc<str>,
    /// Its parameters.
    pub params: Vec<(Arc<str>, Type, LocalId)>,
    /// Values that its frame holds.
    pub locals: u32,
    /// When it creates and updates.
    pub header: Header,
    /// What is computed and filled, in order.
    pub steps: Vec<Step>,
    /// The check that money is conserved.
    pub balance: Option<Balance>,
    /// What follows a write: each an [`super::ExprKind::Write`], or absent.
    pub then: Vec<Expr>,
    /// Where it is declared.
    pub span: Span,
}

/// What identifies an earlier copy, and so what happens to it.
#[derive(Clone, Debug)]
pub struct Header {
    /// The verb.
    pub verb: Verb,
    /// The keys, tried in this order.
    pub keys: Vec<Key>,
    /// What must hold of a copy that a key or a link leads to, so that it is one.
    pub accept: Option<Expr>,
    /// Narrowing of several copies: the field and its value.
    pub prefer: Vec<(FieldId, Expr)>,
    /// The field whose newest value decides.
    pub prefer_newest: Option<FieldId>,
    /// What an update may touch.
    pub overwrite: Overwrite,
    /// Only these fields; none: all.
    pub overwrite_fields: Option<Vec<Arc<str>>>,
    /// What a `create once` does when its source has changed.
    pub on_change: OnChange,
    /// `else skip "…"` of an `update`, the condition's `else` of a `delete`.
    pub otherwise: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// What happens to an earlier copy.
#[derive(Clone, Debug)]
pub enum Verb {
    /// Found, it is left alone.
    CreateOnce,
    /// Found, it is updated.
    Upsert,
    /// It must be there.
    Update,
    /// Created when the condition does not hold.
    CreateUnless(Box<Expr>),
    /// Deleted while the condition holds.
    Delete(Option<Box<Expr>>),
}

/// How an earlier copy is found.
#[derive(Clone, Debug)]
pub enum Key {
    /// By the link of this record.
    Linked(Expr),
    /// The record that the flow reads.
    Itself,
    /// By fields that the mapping fills.
    By(Vec<KeyField>),
}

impl Key {
    /// The fields that it goes by; none of one that goes by something else.
    pub fn fields(&self) -> Option<&[KeyField]> {
        match self {
            Self::By(fields) => Some(fields),
            Self::Linked(_) | Self::Itself => None,
        }
    }
}

/// A field of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyField {
    /// The field.
    pub field: FieldId,
    /// It may be empty, here and there.
    pub optional: bool,
}

/// What an update may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// Nothing.
    Nothing,
    /// What is empty there.
    Empty,
    /// What has changed since our last write.
    Changed,
    /// Everything.
    All,
}

/// What a `create once` does when its source has changed.
#[derive(Clone, Debug)]
pub enum OnChange {
    /// A person is told.
    Alert,
    /// Nothing.
    Ignore,
    /// It is updated while the condition holds.
    Update {
        /// The condition.
        cond: Option<Box<Expr>>,
        /// Else a person is told.
        alert: bool,
    },
    /// Another mapping follows.
    Write(Box<Expr>),
}

/// `balance FIELD to AMOUNT …`
#[derive(Clone, Debug)]
pub struct Balance {
    /// The computed field.
    pub field: FieldId,
    /// What it comes to, over the record in the making; none where the target's answer alone tells it.
    pub formula: Option<Expr>,
    /// What it must come to.
    pub to: Expr,
    /// The most that a line may be off.
    pub within: Option<Expr>,
    /// The list whose elements are the lines of the formula.
    pub lines: Option<FieldId>,
    /// Where the last cents go.
    pub rest: Option<Rest>,
    /// `sum` in the failure.
    pub sum: LocalId,
    /// The failure.
    pub otherwise: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// Where the last cents go.
#[derive(Clone, Debug)]
pub enum Rest {
    /// A further line: what `rest` is, and the line.
    Line(LocalId, Expr),
    /// Spread over that field of the lines.
    Field(FieldId),
}

/// A flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its name, `orders.orders`.
    pub name: Arc<str>,
    /// What is read.
    pub source: EntityId,
    /// Whether it reads what is no longer there: of such a record its key alone is known.
    pub deleted: bool,
    /// The connection that it is read from.
    pub connection: Arc<str>,
    /// The field whose value its changes are gathered by: all that have the same one are one unit, known by that value.
    pub per: Option<FieldId>,
    /// Records elsewhere whose changes are a reason to look at one of its own again.
    pub watch: Option<Watch>,
    /// The record's place in the frame.
    pub record: LocalId,
    /// Values that its frame holds.
    pub locals: u32,
    /// Which records.
    pub filter: Option<Expr>,
    /// Which records the source is asked for, where that is not the filter: an `adapt` that narrows a default's `where` still
    /// hears of what the default has booked.
    pub listed: Option<Expr>,
    /// The default's conditions for which `base` stands in the filter of an `adapt`.
    pub displaced: Vec<Span>,
    /// Values and checks.
    pub steps: Vec<Step>,
    /// What is written: an [`super::ExprKind::Write`] behind any choice.
    pub write: Expr,
    /// When it runs.
    pub schedule: Schedule,
    /// Is it on?
    pub on: bool,
    /// Where it is declared.
    pub span: Span,
}

/// Records whose changes are a reason to look at a record of the flow again.
#[derive(Clone, Debug)]
pub struct Watch {
    /// What is watched.
    pub entity: EntityId,
    /// Its place in the frame.
    pub record: LocalId,
    /// The record of the flow that it concerns, or the one by which changes are gathered; absent where it concerns none.
    pub unit: Expr,
}

/// When a flow runs.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    /// This often.
    pub every: Option<jiff::SignedDuration>,
    /// Daily at this time.
    pub daily: Option<Arc<str>>,
    /// When the system says that something changed.
    pub webhook: bool,
    /// Behind these flows, and where that is said.
    pub after: Vec<(Arc<str>, Span)>,
    /// From this moment on, for the first run.
    pub since: Option<jiff::Timestamp>,
}

impl Program {
    /// The entity of that number.
    pub fn entity(&self, id: EntityId) -> &Entity {
        &self.entities[id.0 as usize]
    }

    /// The lookup of that number.
    pub fn lookup(&self, id: LookupId) -> &Lookup {
        &self.lookups[id.0 as usize]
    }

    /// The mapping of that number.
    pub fn mapping(&self, id: MappingId) -> &Mapping {
        &self.mappings[id.0 as usize]
    }

    /// The connection that records of an entity are in: the flow's own where they are of its source's system, else the
    /// first of their system.
    pub fn connection_of(&self, flow: Option<&Flow>, entity: EntityId) -> Option<Arc<str>> {
        let system = &self.entity(entity).connector;
        let own = flow.filter(|f| !f.connection.is_empty() && self.entity(f.source).connector == *system);
        let first = || self.connections.iter().find(|c| c.connector == *system).map(|c| &c.name);
        own.map(|flow| &flow.connection).or_else(first).map(Arc::clone)
    }

    /// The number of the flow of that name: `module.flow`, or `flow` alone where only one is called so.
    ///
    /// # Errors
    /// [`NoFlow`] says why there is none.
    pub fn flow_named(&self, name: &str) -> Result<usize, NoFlow> {
        if let Some(n) = self.flows.iter().position(|flow| *flow.name == *name) {
            return Ok(n);
        }
        let mut short = (0..self.flows.len()).filter(|n| self.flows[*n].name.rsplit('.').next() == Some(name));
        match (short.next(), short.next()) {
            (Some(n), None) => Ok(n),
            (None, _) => {
                let known = self.flows.iter().map(|flow| flow.name.to_string()).collect();
                Err(NoFlow::Unknown { name: name.to_owned(), known })
            }
            (Some(_), Some(_)) => Err(NoFlow::Several { name: name.to_owned() }),
        }
    }

    /// Where records of an entity have their further entries, if they have such.
    pub fn entries_of<'p>(&'p self, entity: &'p Entity) -> Option<Entries<'p>> {
        entity.fields.iter().find_map(|field| {
            let Type::Record(entry) = field.ty.present().element()?.present() else { return None };
            let entry = self.entity(*entry);
            let (key, value) = entry.entry?;
            Some(Entries { list: &field.wire, key: &entry.get(key).wire, value: &entry.get(value).wire })
        })
    }

    /// A way to a field by the names on the wire.
    pub fn wire_way<'p>(&'p self, mut entity: &'p Entity, way: &[FieldId]) -> Vec<Arc<str>> {
        let mut names = Vec::with_capacity(way.len());
        for field in way {
            let field = entity.get(*field);
            names.push(Arc::clone(&field.wire));
            if let Type::Record(part) = field.ty.present() {
                entity = self.entity(*part);
            }
        }
        names
    }

    /// A flow's name without its module, where that is enough.
    pub fn short_name<'f>(&self, flow: &'f str) -> &'f str {
        let short = flow.rsplit('.').next().unwrap_or(flow);
        let same = self.flows.iter().filter(|f| f.name.rsplit('.').next() == Some(short)).count();
        if same > 1 { flow } else { short }
    }

    /// The connector of that name.
    pub fn connector(&self, name: &str) -> Option<&Connector> {
        self.connectors.iter().find(|c| &*c.name == name)
    }
}

/// Why a name means no flow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFlow {
    /// None is called so.
    #[error("there is no flow `{name}`; the project has {}", known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// All that there are.
        known: Vec<String>,
    },
    /// More than one is.
    #[error("there are several flows `{name}`: say `module.{name}`")]
    Several {
        /// What was asked for.
        name: String,
    },
}
