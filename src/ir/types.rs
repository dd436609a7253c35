//! The types of the language, as the checker and the evaluator know them.

use std::sync::Arc;

/// A schema among the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(pub u32);

/// A field of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u32);

/// A lookup among the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupId(pub u32);

/// A mapping among the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappingId(pub u32);

/// What an amount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Without tax.
    Net,
    /// With tax.
    Gross,
    /// The tax.
    Tax,
}

/// One value of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnumValue {
    /// What flows say.
    pub code: Arc<str>,
    /// What the API says, as it stands in JSON: `20` or `"C"`.
    pub wire: Arc<str>,
}

/// An enumeration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// Its name, or empty for `"a" | "b"` in place.
    pub name: Arc<str>,
    /// An unknown value decodes.
    pub open: bool,
    /// Its values.
    pub values: Vec<EnumValue>,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// A name failed and was reported: agrees with everything.
    Unknown,
    /// The type of `none` alone.
    Nothing,
    /// The type of `fail`, `skip`, `wait`, `keep`: fits everywhere.
    Never,
    /// `yes` or `no`.
    Bool,
    /// A whole number.
    Int,
    /// An exact decimal.
    Decimal,
    /// A whole number written in the flow: takes any kind but that of rates.
    Literal,
    /// A number written in the flow that may have decimals: it is no whole number either.
    Fraction,
    /// A rate.
    Percent,
    /// An amount.
    Money(Kind),
    /// An amount given both ways.
    Price,
    /// A price as it was entered: one amount, net or gross as this field of a table of one row says.
    Entered(EntityId, FieldId),
    /// A text; with a limit that is known, in characters of the API's unit.
    Text(Option<u32>),
    /// A calendar date.
    Date,
    /// A moment.
    Instant,
    /// A span of time.
    Duration,
    /// A guid.
    Guid,
    /// A country by its ISO 3166 code.
    Country,
    /// A currency by its ISO 4217 code.
    Currency,
    /// An e-mail address.
    Email,
    /// JSON that nobody looks into.
    Json,
    /// An enumeration.
    Enum(Arc<EnumType>),
    /// A list.
    List(Arc<Type>),
    /// A record of an entity: one with a key may also be referred to.
    Record(EntityId),
    /// The natural key of an entity.
    Code(EntityId),
    /// The name of a field of an entity.
    FieldOf(EntityId),
    /// May be absent.
    Optional(Arc<Type>),
}

impl Type {
    /// This, and it may be absent.
    #[must_use]
    pub fn optional(self) -> Self {
        match self {
            Self::Optional(_) | Self::Unknown | Self::Nothing => self,
            Self::Never => Self::Nothing,
            other => Self::Optional(Arc::new(other)),
        }
    }

    /// What is there if it is there.
    pub fn present(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner,
            other => other,
        }
    }

    /// Whether it may be absent.
    pub fn is_optional(&self) -> bool {
        matches!(self, Self::Optional(_) | Self::Nothing)
    }

    /// Whether it is a number of some kind.
    pub fn is_number(&self) -> bool {
        self.is_written() || matches!(self, Self::Int | Self::Decimal | Self::Percent | Self::Money(_))
    }

    /// Whether it is a number as the flow writes it, whose kind its place decides.
    pub fn is_written(&self) -> bool {
        matches!(self, Self::Literal | Self::Fraction)
    }

    /// Whether its value is a text when the flow computes with it.
    pub fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Text(_)
                | Self::Email
                | Self::Country
                | Self::Currency
                | Self::Guid
                | Self::Enum(_)
                | Self::Code(_)
                | Self::FieldOf(_)
        )
    }

    /// The entity of a record or a part, present or not.
    pub fn record(&self) -> Option<EntityId> {
        match self.present() {
            Self::Record(entity) => Some(*entity),
            _ => None,
        }
    }

    /// Elements of a list.
    pub fn element(&self) -> Option<&Self> {
        match self {
            Self::List(inner) => Some(inner),
            _ => None,
        }
    }
}
