//! Values of rows as the systems have them: as texts, compared, hashed, laid out as bodies, held against what was sent.

pub(crate) mod body;
pub(crate) mod compare;
pub(crate) mod content;
pub(crate) mod shown;
pub(crate) mod text;
