//! The checked program: types, schemas and expressions with every name resolved, every function inlined, and the place
//! in the flow that each node comes from.
//!
//! In: nothing but what `check` puts here. Out: what `plan` costs and `eval` compiles.

mod books;
mod entity;
mod expr;
mod fold;
mod native;
mod program;
mod testing;
mod types;
mod walk;

pub use books::{Among, Books, TaxedLines, Way};
pub use entity::{
    Access, Below, Connector, Currency, Entity, Entries, Feed, Field, Files, Forms, Meta, Method, PriceBy, Required,
    Search, Shown, Summand, Tax, WireForm,
};
pub use expr::{
    Arm, Binary, Builder, ChangedRows, Const, Element, Expr, ExprKind, Find, ForClause, LocalId, Pattern, Step,
    StepKind, Stop, Unary, When,
};
pub use fold::{accepts, decided, known, truth};
pub use native::Native;
pub use program::{
    Balance, Connection, ConnectionValue, Flow, Grows, Header, Key, KeyField, Lookup, Mapping, NoFlow, OnChange,
    Overwrite, Program, Rest, Row, Schedule, Setting, Verb, Watch,
};
pub use testing::{Answers, Case, Cases, Expected, GivenRecord, GivenValue, Place, Subject, Test, TestStep};
pub use types::{EntityId, EnumType, EnumValue, FieldId, Kind, LookupId, MappingId, Type};
pub use walk::{
    children, children_mut, each, mappings_of, of_flow, of_mapping, of_steps, of_steps_mut, parts_of, reached, relocate,
};
