//! Where text comes from and what is said about it: files, spans, diagnostics and their codes.
//!
//! In: paths and texts. Out: [`Sources`] by [`FileId`], and [`Diagnostic`], the one value that the terminal, JSON and
//! the editor render.

pub mod codes;
mod diagnostic;
mod doc;
mod files;
pub mod library;
mod sources;
mod span;

pub use codes::{Code, Severity};
pub use diagnostic::{Diagnostic, Edit, Fix, Related};
pub use doc::Doc;
pub use files::{Disk, Files, Memory, ReadError, Shipping};
pub use sources::{Position, Source, Sources};
pub use span::{FileId, Span};
