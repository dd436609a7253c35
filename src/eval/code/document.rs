//! How documents are made, compiled: mappings and flows, their headers, steps and parts.

use super::emit::Plain;
use super::expression::{Code, Frame};
use crate::ir::{EntityId, FieldId, KeyField, MappingId, Overwrite};
use crate::source::Span;
use std::sync::Arc;

/// A compiled step.
pub(crate) struct StepCode {
    pub(crate) kind: StepKindCode,
    pub(crate) span: Span,
    pub(crate) displaced: Vec<Span>,
}

/// The kinds of compiled steps.
pub(crate) enum StepKindCode {
    Let(u32, Code),
    Assign(Assign),
    Check(Code, Code),
    Alert(Code, Code),
}

/// A field that is filled.
pub(crate) struct Assign {
    pub(crate) path: Box<[FieldId]>,
    /// The way by wire names: a further entry stands under its name.
    pub(crate) wire: Arc<[Arc<str>]>,
    /// Whose the last field of the path is.
    pub(crate) of: EntityId,
    /// The path in the flow's words.
    pub(crate) name: String,
    pub(crate) value: Code,
    pub(crate) when: WhenCode,
    /// It says whose the document is.
    pub(crate) identity: bool,
    /// Another step fills the same.
    pub(crate) again: bool,
}

/// In which case a field is filled.
pub(crate) enum WhenCode {
    Always,
    Create,
    Update(Option<Code>),
}

/// A part of a document: a line, an address.
pub(crate) struct PartCode {
    pub(crate) entity: EntityId,
    pub(crate) steps: Vec<StepCode>,
    /// `it` is looked at.
    pub(crate) uses_it: bool,
    /// How it is written without its values between, where it can be.
    pub(crate) plain: Option<Plain>,
    pub(crate) required: Vec<RequiredCode>,
}

/// A field that must be filled.
pub(crate) struct RequiredCode {
    pub(crate) field: FieldId,
    /// When this holds, else always.
    pub(crate) cond: Option<Code>,
    pub(crate) or_absent: bool,
}

/// A compiled mapping.
pub(crate) struct MappingCode {
    pub(crate) id: MappingId,
    pub(crate) target: EntityId,
    pub(crate) params: Vec<u32>,
    pub(crate) steps: Vec<StepCode>,
    /// Which steps the keys depend on.
    pub(crate) key_steps: Vec<bool>,
    /// Some step fills a field of a part that the document holds.
    pub(crate) nests: bool,
    pub(crate) header: HeaderCode,
    pub(crate) balance: Option<BalanceCode>,
    pub(crate) then: Vec<Code>,
    pub(crate) required: Vec<RequiredCode>,
    /// How its payload is written without its values between, where nothing but the payload is made.
    pub(crate) plain: Option<Plain>,
    pub(crate) span: Span,
    pub(crate) frame: Frame,
}

/// A compiled flow.
pub(crate) struct FlowCode {
    /// The record's local.
    pub(crate) record: u32,
    pub(crate) filter: Option<Code>,
    pub(crate) steps: Vec<StepCode>,
    /// What it reads once for all of its records.
    pub(crate) once: Vec<Code>,
    /// What it watches: its local, and the record of the flow that it concerns.
    pub(crate) watch: Option<(u32, Code)>,
    pub(crate) write: Code,
    pub(crate) frame: Frame,
}

/// A compiled header.
pub(crate) struct HeaderCode {
    pub(crate) verb: VerbCode,
    pub(crate) keys: Vec<KeyCode>,
    pub(crate) accept: Option<Code>,
    pub(crate) prefer: Vec<(FieldId, Code)>,
    pub(crate) prefer_newest: Option<FieldId>,
    pub(crate) overwrite: Overwrite,
    pub(crate) overwrite_fields: Option<Vec<Arc<str>>>,
    pub(crate) on_change: ChangeCode,
    pub(crate) otherwise: Option<Code>,
    pub(crate) span: Span,
}

/// What happens to an earlier copy.
pub(crate) enum VerbCode {
    CreateOnce,
    Upsert,
    Update,
    CreateUnless(Code),
    Delete(Option<Code>),
}

/// How an earlier copy is known.
pub(crate) enum KeyCode {
    Linked(Code, EntityId),
    Itself,
    By(Vec<KeyField>),
}

/// What follows a change of the source.
pub(crate) enum ChangeCode {
    Alert,
    Ignore,
    Update(Option<Code>, bool),
    Write(Code),
}

/// A compiled check.
pub(crate) struct BalanceCode {
    pub(crate) field: FieldId,
    /// None where the target's answer alone tells what it comes to.
    pub(crate) formula: Option<Code>,
    pub(crate) to: Code,
    pub(crate) within: Option<Code>,
    pub(crate) lines: Option<FieldId>,
    /// How its total is divided over the codes of a tax, where that can be told.
    pub(crate) shares: Option<SharesCode>,
    pub(crate) rest: Option<RestCode>,
    pub(crate) sum: u32,
    pub(crate) otherwise: Option<Code>,
    pub(crate) span: Span,
}

/// The fields of a line that its formula looks at.
pub(crate) struct LineFields {
    pub(crate) entity: EntityId,
    pub(crate) fields: Vec<FieldId>,
    /// Whose rows the tax codes are.
    pub(crate) codes: Option<EntityId>,
}

/// How a total is divided over the codes of a tax.
pub(crate) struct SharesCode {
    /// What the formula of the total looks at in a line.
    pub(crate) line: LineFields,
    /// The code of a line.
    pub(crate) code: FieldId,
}

/// Where the last cents go.
pub(crate) enum RestCode {
    Line(u32, Code),
    Field(FieldId),
}

/// A test as code: that of its expressions, in the order in which the test holds them.
pub(crate) struct TestCode {
    /// The cells of its cases, row by row.
    pub(crate) cases: Vec<Vec<Code>>,
    pub(crate) exprs: Vec<TestedCode>,
}

/// An expression of a test, and the parts of it that are shown when it does not hold.
pub(crate) struct TestedCode {
    pub(crate) code: Code,
    pub(crate) parts: Vec<(Span, Code)>,
}
