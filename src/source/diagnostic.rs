//! What is wrong, where, why, and what to do: one value for every reader.

use super::codes::{Code, Severity};
use super::span::Span;

/// One text to put in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub text: String,
}

/// A change that a machine can make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in a few words.
    pub title: String,
    /// The edits, none overlapping.
    pub edits: Vec<Edit>,
}

/// Another place that belongs to the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The place.
    pub span: Span,
    /// What is to be seen there.
    pub message: String,
}

/// One mistake in a flow.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Its kind, for `flowc explain`.
    pub code: &'static Code,
    /// How much it matters.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What is wrong, naming both sides.
    pub message: String,
    /// What is under the caret, in a few words.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places.
    pub related: Vec<Related>,
    /// The change that mends it, where it is mechanical.
    pub fix: Option<Fix>,
    /// Its text was read as what is meant: what is said of it further on is no mistake of this one's making.
    pub read: bool,
}

impl Diagnostic {
    /// A diagnostic of a registered kind, with the severity that the registry gives it.
    pub fn new(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity,
            span,
            message: message.into(),
            label: String::new(),
            help: None,
            related: Vec::new(),
            fix: None,
            read: false,
        }
    }

    /// The text was read as what is meant.
    #[must_use]
    pub fn read(mut self) -> Self {
        self.read = true;
        self
    }

    /// What is under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// What to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Another place of the story.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { span, message: message.into() });
        self
    }

    /// The change that mends it.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits: vec![Edit { span, text: text.into() }] });
        self
    }
}
