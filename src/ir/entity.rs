//! Schemas: what an API's records hold, who may write it, and how it is found. All of it is data from the standard
//! library; no API is named here.

use super::books::Books;
use super::expr::Expr;
use super::types::{EntityId, FieldId, Type};
use crate::source::{Doc, Span};
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

/// Where a record shows a field: at its own address, in the feed that tells of changes, or in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Everywhere.
    #[default]
    Everywhere,
    /// The feed alone has it.
    InFeed,
    /// The feed lacks it.
    AtAddress,
}

/// A field of an entity.
#[derive(Clone, Debug)]
pub struct Field {
    /// As flows say it.
    pub name: Arc<str>,
    /// As the API says it.
    pub wire: Arc<str>,
    /// Its type, optional where it may be absent.
    pub ty: Type,
    /// Who may write it.
    pub access: Access,
    /// Whether a create needs it.
    pub required: Required,
    /// Whether the API can be searched by it, and how.
    pub search: Search,
    /// Where an amount's currency stands.
    pub currency: Option<Currency>,
    /// What decides whether a price is net or gross.
    pub price_by: Option<PriceBy>,
    /// Where its value comes from, when it is one of the further entries of its record.
    pub meta: Option<Meta>,
    /// How it looks on the wire.
    pub form: Forms,
    /// The formula of an amount that the system computes.
    pub computed: Option<Expr>,
    /// The amounts that it is the sum of, by what the system means by it; empty where nothing is said. Who adds it to what
    /// it is the sum of counts that twice.
    pub sums: Vec<Summand>,
    /// It can be filled and is never shown.
    pub write_only: bool,
    /// Where it is shown.
    pub shown: Shown,
    /// Says something about a person.
    pub personal: bool,
    /// What its length or rule is based on is not proved: it is read back.
    pub assumed: bool,
    /// What it means.
    pub doc: Option<Arc<str>>,
    /// Where it is declared.
    pub span: Span,
}

impl Field {
    /// Whether screens or people call it so: the names behind `aka:` in its comment.
    pub fn is_called(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let said = self.doc.as_deref().map(Doc::of).unwrap_or_default();
        said.aka.iter().any(|aka| aka.to_lowercase() == name)
    }

    /// The member of a record that it is; none for one of its further entries.
    pub fn wire_name(&self) -> Option<&str> {
        self.meta.is_none().then_some(&*self.wire)
    }
}

/// An amount that is a part of another one: a field of the record, or that of all elements of one of its lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summand {
    /// It is taken off.
    pub less: bool,
    /// The field is one of the record that this one is a part of: all of its elements together come to that.
    pub above: bool,
    /// The field, or a list and a field of its elements.
    pub way: Vec<Arc<str>>,
}

/// One of the further entries of a record: the first of these keys that is filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The keys.
    pub keys: Vec<Arc<str>>,
}

/// Where the currency of an amount stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Currency {
    /// In a field beside it.
    Here(FieldId),
    /// In the field of that name of the record that it is a part of.
    Above(Arc<str>),
}

/// What decides whether a price is net or gross.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceBy {
    /// A code: a field beside the price, or a way to one through records that are referred to. Its row has a rate as well.
    Code(Vec<(EntityId, FieldId)>),
    /// A setting of the system, yes where amounts are with tax: a table of one row, and its field.
    Setting(EntityId, FieldId),
}

/// Who may write a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// We may, at any time.
    Free,
    /// We may when we create.
    CreateOnly,
    /// Only the system.
    ReadOnly,
}

/// Whether a create needs a field.
#[derive(Clone, Debug)]
pub enum Required {
    /// It does not.
    No,
    /// It does.
    Yes,
    /// It does when this holds of the record (`it` is the record), and else the field must be absent if `or_absent`.
    When {
        /// The condition.
        cond: Box<Expr>,
        /// Without it the field must be absent.
        or_absent: bool,
    },
}

/// How an API is searched by a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// It can't be.
    No,
    /// Exactly, many values in a call.
    Filter,
    /// Exactly, by a parameter of this name, many values in a call or one, as the connector says.
    Parameter,
    /// Loosely; what comes back is compared here.
    Loose,
}

/// How a value looks on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forms {
    /// The form itself.
    pub form: WireForm,
    /// `0` and `""` mean absent.
    pub zero_is_absent: bool,
    /// Blanks on the left up to this length.
    pub padded: u16,
    /// Compared without case.
    pub caseless: bool,
    /// Text counts in UTF-16 units, else in code points.
    pub utf16: bool,
    /// Most decimals that the field keeps; 255: any.
    pub scale: u8,
}

/// The shape of a value in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WireForm {
    /// As its type says: a JSON number, text or truth.
    #[default]
    Plain,
    /// A number inside a text: `"12.50"`.
    NumberInText,
    /// `0.21` for 21 %.
    Fraction,
    /// `0` and `1` for no and yes.
    ZeroOne,
    /// `"yes"` and `"no"`.
    YesNo,
    /// `/Date(ms)/` of the connector's wall clock when read, ISO 8601 when written.
    Milliseconds,
    /// ISO 8601 without a zone, in UTC.
    Utc,
    /// An object, where a record that is referred to stands in one with its key as a member: `{"id": 12}`.
    Nested,
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

impl Field {
    /// Whether it says whose the record is: a reference that it cannot be without, such as the customer of a document.
    pub fn is_identity(&self) -> bool {
        matches!(self.required, Required::Yes) && self.meta.is_none() && matches!(self.ty.present(), Type::Record(_))
    }
}

impl Field {
    /// A field of which nothing is said but its name and its type.
    pub fn new(name: Arc<str>, ty: Type, span: Span) -> Self {
        Self {
            wire: Arc::clone(&name),
            name,
            ty,
            access: Access::Free,
            required: Required::No,
            search: Search::No,
            currency: None,
            price_by: None,
            meta: None,
            form: Forms::default(),
            computed: None,
            sums: Vec::new(),
            write_only: false,
            shown: Shown::Everywhere,
            personal: false,
            assumed: false,
            doc: None,
            span,
        }
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
    pub fn route_fields(&self) -> impl Iterator<Item = FieldId> + '_ {
        let parts = self.route.as_deref().unwrap_or_default().split('{').skip(1);
        let named = parts.filter_map(|rest| self.field(rest.split('}').next()?));
        named.chain(self.below.iter().map(|below| below.by))
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
