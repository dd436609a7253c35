//! The checked program: types, schemas and expressions with every name resolved, every function inlined, and the place
//! in the flow that each node comes from.
//!
//! In: nothing but what `check` puts here. Out: what `plan` costs and `eval` compiles.

mod books;
mod entity;
mod expr;
mod field;
mod fold;
mod native;
mod own;
mod program;
mod testing;
mod types;
mod walk;

pub use books::{Among, Books, TaxedLines, Way};
pub use entity::{Below, Connector, Deletions, Entity, Entries, Feed, Files, Method, Tax};
pub use expr::{
    Arm, Binary, Builder, ChangedRows, Const, Element, Expr, ExprKind, Find, ForClause, LocalId, Pattern, Step,
    StepKind, Stop, Unary, When,
};
pub use field::{Access, Currency, Field, Forms, Meta, PriceBy, Required, Search, Shown, StandsIn, Summand, WireForm};
pub use fold::{accepts, decided, known, truth};
pub use native::Native;
pub use own::{Closes, Period, Usable};
pub use program::{
    Balance, Connection, ConnectionValue, Flow, Grows, Header, Key, KeyField, Lookup, Mapping, NoFlow, OnChange,
    Overwrite, Program, Rest, Row, Schedule, Setting, Verb, Watch,
};
pub use testing::{Answers, Case, Cases, Expected, GivenRecord, GivenValue, Place, Subject, Test, TestStep};
pub use types::{EntityId, EnumType, EnumValue, FieldId, Kind, LookupId, MappingId, Type};
pub use walk::{
    children, children_mut, each, mappings_of, of_flow, of_mapping, of_steps, of_steps_mut, parts_of, reached, relocate,
};
