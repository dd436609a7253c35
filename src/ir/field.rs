//! The fields of an entity: what they hold, who may write them, how they are found, and how they look on the wire.

use super::expr::Expr;
use super::types::{EntityId, FieldId, Type};
use crate::source::{Doc, Span};
use std::sync::Arc;

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
    /// Where it stands, when the record itself has no room for it.
    pub stands_in: Option<StandsIn>,
    /// Says something about a person.
    pub personal: bool,
    /// What its length or rule is based on is not proved: it is read back.
    pub assumed: bool,
    /// Which records it may refer to: the field of theirs that decides, and its values.
    pub of: Option<(Arc<str>, Vec<Arc<str>>)>,
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

    /// Whether it says whose the record is: a reference that it cannot be without, such as the customer of a document.
    pub fn is_identity(&self) -> bool {
        matches!(self.required, Required::Yes) && self.meta.is_none() && matches!(self.ty.present(), Type::Record(_))
    }

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
            stands_in: None,
            personal: false,
            assumed: false,
            of: None,
            doc: None,
            span,
        }
    }
}

/// The lines of a record that say what the record itself has no room for, by the names on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandsIn {
    /// The list of the record that they are.
    pub list: Arc<str>,
    /// The member of a line that says it.
    pub member: Arc<str>,
    /// The member of a line that names its record.
    pub back: Arc<str>,
    /// The address of all lines.
    pub route: Arc<str>,
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
