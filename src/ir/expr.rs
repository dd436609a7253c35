//! Expressions with everything resolved. Functions and parts stand inlined; what asks the world is a [`Find`] or an
//! ensured mapping, a hole that the evaluator leaves open until it is filled.

use super::native::Native;
use super::types::{EntityId, FieldId, LookupId, MappingId, Type};
use crate::source::Span;
use rust_decimal::Decimal;
use std::sync::Arc;

/// A value's place in the frame of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalId(pub u32);

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
    /// Where it stands in the flow.
    pub span: Span,
}

/// A value known when the flow is compiled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Const {
    /// `none`
    Absent,
    /// `yes`, `no`
    Bool(bool),
    /// A number, an amount, or a rate in percent.
    Number(Decimal),
    /// A text, a code, an enumeration's value.
    Text(Arc<str>),
    /// A date.
    Date(jiff::civil::Date),
    /// A moment.
    Instant(jiff::Timestamp),
    /// A span of time.
    Duration(jiff::SignedDuration),
    /// A list.
    List(Vec<Const>),
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A constant.
    Const(Const),
    /// The answer to a setting, which is known: its name is kept for `why`.
    Setting(Arc<str>, Const),
    /// A setting that nobody has answered: the record stops and says so.
    Unanswered(Arc<str>),
    /// A parameter, a `let`, an element.
    Local(LocalId),
    /// A field of a record; absent when the record is.
    Field(Box<Expr>, EntityId, FieldId),
    /// `let local = value in body`: what inlining leaves.
    Let(LocalId, Box<Expr>, Box<Expr>),
    /// A row of a lookup. `must`: none stops the record; else it is absent.
    Lookup {
        /// Which.
        lookup: LookupId,
        /// The keys.
        keys: Vec<Expr>,
        /// None stops the record.
        must: bool,
    },
    /// A function of ours.
    Native(Native, Vec<Expr>),
    /// A function in rhai: file, name, arguments.
    Extern(Arc<str>, Arc<str>, Vec<Expr>),
    /// A function's body over an element: `x => e`.
    Lambda(Vec<LocalId>, Box<Expr>),
    /// Two values.
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// One value.
    Unary(Unary, Box<Expr>),
    /// `a ?? b`
    OrElse(Box<Expr>, Box<Expr>),
    /// `a is some [b]`
    IsSome(Box<Expr>, Option<LocalId>),
    /// `a in [b, c]`
    In(Box<Expr>, Box<Expr>),
    /// `a in eu`
    InGroup(Box<Expr>, Arc<str>),
    /// `if a then b else c`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `match a { … }`
    Match(Box<Expr>, Vec<Arm>),
    /// A text made of texts.
    Concat(Vec<Expr>),
    /// A list.
    List(Vec<Element>),
    /// A record made here: a line, an address.
    Build(Box<Builder>),
    /// A record of another entity, found by a key.
    Find(Box<Find>),
    /// All records with that key.
    FindAll(Box<Find>),
    /// What a record became through an earlier write of ours.
    LinkedTo(EntityId, Box<Expr>),
    /// A record made or found by a mapping.
    Ensure(MappingId, Vec<Expr>),
    /// What a `then write` or a flow's `write` names.
    Write(MappingId, Vec<Expr>),
    /// The record stops.
    Stop(Stop, Box<Expr>),
    /// A field of the record that is being made.
    It(FieldId),
    /// The whole record that is being made or was made.
    ItSelf,
    /// The target's present copy.
    Was,
    /// `keep`: what the target has.
    Keep,
    /// A price, net or gross: the price, and the row of a tax code or the truth that says whether it is gross.
    PriceBy(Box<Expr>, Box<Expr>),
    /// The natural key of a record that was found: a code that is verified where the ledger can be asked.
    Verified(Box<Find>),
}

/// How a record stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is parked.
    Fail,
    /// It is done.
    Skip,
    /// It is tried again when another has come.
    Wait,
}

impl Stop {
    /// What a record does that stops so.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fail => "fails",
            Self::Wait => "waits",
            Self::Skip => "is skipped",
        }
    }
}

/// Operators between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
}

/// Operators before a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Unary {
    Neg,
    Not,
}

/// An arm of a `match`.
#[derive(Clone, Debug)]
pub struct Arm {
    /// What it accepts.
    pub pattern: Pattern,
    /// Its value.
    pub value: Expr,
}

/// What an arm or a cell accepts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Anything.
    Any,
    /// Nothing there.
    Absent,
    /// One of these.
    OneOf(Vec<Const>),
    /// A text that begins with this.
    Prefix(Arc<str>),
    /// A member of a group of countries.
    Group(Arc<str>),
    /// Any of these.
    Either(Vec<Pattern>),
}

/// An element of a list.
#[derive(Clone, Debug)]
pub enum Element {
    /// One value.
    One(Expr),
    /// All the values of another list (`base + […]`).
    All(Expr),
    /// `for x in xs where c …: e`
    For(Vec<ForClause>, Expr),
}

/// `for x in xs where c`
#[derive(Clone, Debug)]
pub struct ForClause {
    /// The element.
    pub local: LocalId,
    /// The list.
    pub list: Expr,
    /// The condition.
    pub cond: Option<Expr>,
}

/// A search for a record.
#[derive(Clone, Debug)]
pub struct Find {
    /// Where; empty where the project has no connection of that kind.
    pub connection: Arc<str>,
    /// Of what.
    pub entity: EntityId,
    /// By these fields.
    pub by: Vec<FieldId>,
    /// With these values, as many.
    pub values: Vec<Expr>,
    /// None stops the record; else the value is absent.
    pub must: bool,
}

/// A record in the making: steps in the order in which they are computed.
#[derive(Clone, Debug)]
pub struct Builder {
    /// What is made.
    pub entity: EntityId,
    /// How.
    pub steps: Vec<Step>,
    /// The part's name, for `why`.
    pub name: Arc<str>,
}

/// A step of a mapping or a part.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// Where it stands.
    pub span: Span,
    /// The lines that it displaces: the default's, then those of changes between.
    pub displaced: Vec<Span>,
}

/// The kinds of steps.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// A value gets a name.
    Let(LocalId, Expr),
    /// A field is filled; more than one number: a field of a nested part.
    Assign {
        /// The way to the field.
        path: Vec<FieldId>,
        /// The value, of the field's type.
        value: Expr,
        /// In which case.
        when: When,
    },
    /// It must hold: else the second stops the record.
    Check(Expr, Expr),
    /// It should hold: else the text is told once.
    Alert(Expr, Expr),
}

/// In which case a field is filled.
#[derive(Clone, Debug)]
pub enum When {
    /// In both.
    Always,
    /// When the record is created.
    Create,
    /// When it is updated, and this holds.
    Update(Option<Box<Expr>>),
}
