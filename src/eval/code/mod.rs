//! Compiled code as data, and the evaluation that it works on: each knows the other, so they stand together.

mod compiled;
mod document;
mod emit;
mod expression;
mod run;

pub use compiled::Compiled;
pub(crate) use document::{
    Assign, BalanceCode, ChangeCode, FlowCode, HeaderCode, KeyCode, LineFields, MappingCode, PartCode, RequiredCode,
    RestCode, SharesCode, StepCode, StepKindCode, TestCode, TestedCode, VerbCode, WhenCode,
};
pub(crate) use emit::{ElementEmit, Emit, Plain, StepEmit};
pub(crate) use expression::{Call, ClauseCode, Code, Each, Eval, Frame, Operand, call};
pub(crate) use run::Run;
