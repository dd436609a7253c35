//! Schemas: what an API's records are, where they stand, and what is told of them. All of it is data from the standard
//! library; no API is named here.

use super::books::Books;
use super::field::{Access, Field, Search, Shown};
use super::own::{Closes, Period, Usable};
use super::types::{EntityId, FieldId, Type};
use crate::source::Span;
use std::sync::Arc;

/// A thing that an API knows.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Its name, without the connector's.
    pub name: Arc<str>,
    /// The connector that it belongs to; empty for one of a project.
    pub connector: Arc<str>,
    /// The path of its resource, with `{field}` for path parts; absent for a part of another entity.
    pub route: Option<Arc<str>>,
    /// What the resource allows.
    pub methods: Vec<Method>,
    /// Where changes of it are read.
    pub feed: Option<Feed>,
    /// Where its system tells which of its records are no longer there.
    pub deletions: Option<Deletions>,
    /// Where those of its records stand that are below another one of it.
    pub below: Option<Below>,
    /// The field that the API knows it by.
    pub key: Option<FieldId>,
    /// The field that people know it by.
    pub code: Option<FieldId>,
    /// The field that tells the total of a document: what an adopted copy must agree in.
    pub total: Option<FieldId>,
    /// What it says of its documents in the books.
    pub books: Books,
    /// Which of its fields say where a file is and what it is. With a key its records are the files of a system; as a part it
    /// is the file that a record is made with.
    pub files: Option<Files>,
    /// Few rows, all of which are read at once: codes, conditions, methods.
    pub small: bool,
    /// Changes that one call carries, each with an answer of its own; none: one.
    pub batch: Option<u32>,
    /// The API tells of its changes by itself.
    pub webhook: bool,
    /// Its resource is a list of names and values, one of each field: the member that names, and the one that holds the
    /// value.
    pub rows: Option<(Arc<str>, Arc<str>)>,
    /// What its rows say of amounts under them, where they are codes of a tax.
    pub tax: Option<Tax>,
    /// Which of its fields say that a row is not to be used any more.
    pub usable: Usable,
    /// Its rows are a system's own: `flowc schema pull` keeps them in the project, with these fields beside their code.
    pub pulled: Option<Vec<FieldId>>,
    /// Its rows are the periods of the books.
    pub period: Option<Period>,
    /// Its rows say which periods are closed for whom.
    pub closes: Option<Closes>,
    /// It is an entry of a list of further entries: the field that names it, and the one that holds its value.
    pub entry: Option<(FieldId, FieldId)>,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Where it is declared.
    pub span: Span,
}

/// The fields that say where a file is, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Files {
    /// Its address in its system.
    pub address: FieldId,
    /// The connection to its system.
    pub connection: FieldId,
    /// Its SHA-256.
    pub hash: FieldId,
}

/// What a code of a tax says of amounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tax {
    /// The field of its rate.
    pub rate: FieldId,
    /// The field that says whether amounts include the tax.
    pub by: FieldId,
    /// The value of that field where they do.
    pub included: Arc<str>,
    /// The field of the one country that the code is for; empty in codes that are not for one alone.
    pub country: Option<FieldId>,
}

/// Where a record has its further entries, each with a name and a value, by the names on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entries<'p> {
    /// The list.
    pub list: &'p Arc<str>,
    /// The member of an entry that names it.
    pub key: &'p Arc<str>,
    /// The member that holds its value.
    pub value: &'p Arc<str>,
}

/// What a resource allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reading.
    Get,
    /// Creating.
    Post,
    /// Updating.
    Put,
    /// Deleting.
    Delete,
}

/// Where changes are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// The path, when it is another than the route.
    pub path: Arc<str>,
    /// The field that grows with every change: the cursor.
    pub by: FieldId,
    /// The query parameter that takes the time behind which is read; empty where changes are read by a filter.
    pub since: Arc<str>,
    /// What its rows say that are records of the entity, where others stand among them: a field and its value on the wire.
    pub rows: Option<(FieldId, Arc<str>)>,
}

/// Where a system tells which records of an entity are no longer there: rows of another one, which name their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletions {
    /// What the rows are records of.
    pub entity: EntityId,
    /// The field of a row that holds the key of what is gone.
    pub key: FieldId,
    /// What rows say that are about this entity: a field and its value on the wire.
    pub rows: (FieldId, Arc<str>),
}

/// Records of an entity that stand below another one of it, at an address of their own: variations below their product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Below {
    /// The field that names the one above; absent in a record that stands below none.
    pub by: FieldId,
    /// The path of what stands below one of them, with that field in it: `products/{parent}/variations`.
    pub route: Arc<str>,
    /// Which of its records have others below them: a field and its value on the wire.
    pub above: (FieldId, Arc<str>),
}

/// Habits of an API, from its `connector` declaration: what planner and checker need. The connector's own code reads
/// the rest of it through [`Connector::word`].
#[derive(Clone, Debug, Default)]
pub struct Connector {
    /// Its name.
    pub name: Arc<str>,
    /// Rows of a page.
    pub page: u32,
    /// Longest address of a search, bytes.
    pub url_max: u32,
    /// Most values in one search.
    pub values_max: u32,
    /// Zone of its wall clock.
    pub zone: Arc<str>,
    /// Everything that the declaration says, `clause word → text`, in order.
    pub words: Vec<(String, String)>,
}

impl Connector {
    /// What the declaration says under this name (`"limits.minute"`).
    pub fn word(&self, name: &str) -> Option<&str> {
        self.words.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

impl Entity {
    /// An entity of which nothing is said yet.
    pub fn new(connector: Arc<str>, name: Arc<str>, span: Span) -> Self {
        Self {
            name,
            connector,
            route: None,
            methods: Vec::new(),
            feed: None,
            deletions: None,
            below: None,
            key: None,
            code: None,
            total: None,
            books: Books::default(),
            files: None,
            small: false,
            batch: None,
            webhook: false,
            rows: None,
            tax: None,
            usable: Usable::default(),
            pulled: None,
            period: None,
            closes: None,
            entry: None,
            fields: Vec::new(),
            span,
        }
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<FieldId> {
        self.fields.iter().position(|f| &*f.name == name).and_then(|n| u32::try_from(n).ok()).map(FieldId)
    }

    /// The field of that number.
    pub fn get(&self, id: FieldId) -> &Field {
        &self.fields[id.0 as usize]
    }

    /// Whether it stands alone in its API, so that others can refer to it.
    pub fn stands_alone(&self) -> bool {
        !self.is_part() && self.key.is_some()
    }

    /// Whether it comes with what it is part of, and never by itself.
    pub fn is_part(&self) -> bool {
        self.route.is_none() && self.feed.is_none() && !self.has_files()
    }

    /// Whether its records are the files of a system.
    pub fn has_files(&self) -> bool {
        self.files.is_some() && self.key.is_some()
    }

    /// Whether its address names another record: `orders/{order}/refunds`.
    pub fn is_below_another(&self) -> bool {
        self.route.as_ref().is_some_and(|route| route.contains('{'))
    }

    /// The fields that its address names: `order` in `orders/{order}/refunds`.
    pub fn path_fields(&self) -> impl Iterator<Item = FieldId> + '_ {
        let parts = self.route.as_deref().unwrap_or_default().split('{').skip(1);
        parts.filter_map(|rest| self.field(rest.split('}').next()?))
    }

    /// Those, and the one that names the record which it stands below.
    pub fn route_fields(&self) -> impl Iterator<Item = FieldId> + '_ {
        self.path_fields().chain(self.below.iter().map(|below| below.by))
    }

    /// What a flow without a source reads: one record each time that it is due, known by that time, `2026-01-31`.
    pub fn turn(span: Span) -> Self {
        let at = Field { access: Access::ReadOnly, ..Field::new("at".into(), Type::Text(None), span) };
        let feed = Feed { path: "".into(), by: FieldId(0), since: "".into(), rows: None };
        let turn = Self::new("".into(), "Turn".into(), span);
        Self { feed: Some(feed), key: Some(FieldId(0)), fields: vec![at], ..turn }
    }

    /// Whether no system has its records: it is declared in a project.
    pub fn is_of_no_system(&self) -> bool {
        self.connector.is_empty()
    }

    /// Whether its records are the times at which a flow is due: no system has them.
    pub fn is_turn(&self) -> bool {
        self.route.is_none() && self.feed.as_ref().is_some_and(|feed| feed.path.is_empty())
    }

    /// The fields that say which of its records stand below another one: the one above, and what has some below it.
    pub fn below_fields(&self) -> impl Iterator<Item = FieldId> + '_ {
        self.below.iter().flat_map(|below| [below.by, below.above.0])
    }

    /// The path of a record with these values for what its address names.
    pub fn path_of(&self, parts: &[(String, String)]) -> Option<&str> {
        let below = |below: &&Below| parts.iter().any(|(name, _)| *name == *self.get(below.by).name);
        self.below.as_ref().filter(below).map(|below| &*below.route).or(self.route.as_deref())
    }

    /// Whether all its rows are read at once, whatever is looked for.
    pub fn read_whole(&self) -> bool {
        self.small && !self.is_below_another()
    }

    /// Whether the API can be asked for the rows that have a value in this field. What a feed alone shows has no address to
    /// ask at.
    pub fn asked_by(&self, field: FieldId) -> bool {
        (self.route.is_some() || self.has_files()) && (self.get(field).search != Search::No || self.key == Some(field))
    }

    /// The field of that name on the wire.
    pub fn by_wire(&self, wire: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.wire_name() == Some(wire))
    }

    /// Of these ways on the wire, those that the feed lacks: rows of which they are asked are read again at their address.
    pub fn lacked_by_feed<'w>(&self, ways: &'w [String]) -> Vec<&'w str> {
        let first = |way: &'w String| way.split('.').next().unwrap_or_default();
        let lacks = |name: &&str| self.by_wire(name).is_some_and(|field| field.shown == Shown::AtAddress);
        let mut lacked: Vec<&str> = ways.iter().map(first).filter(lacks).collect();
        lacked.dedup();
        lacked
    }

    /// `exact.SalesOrder`, as messages name it.
    pub fn full_name(&self) -> String {
        if self.connector.is_empty() { self.name.to_string() } else { [&*self.connector, ".", &*self.name].concat() }
    }
}

/// An entity by number, for tables over entities.
impl From<usize> for EntityId {
    fn from(n: usize) -> Self {
        Self(u32::try_from(n).unwrap_or(u32::MAX))
    }
}
