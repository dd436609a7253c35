//! Single members of a record, for whoever wants one or two of them: found, absent or unreadable.

use super::error::Decoded;
use super::scan::Scanner;
use bumpalo::Bump;
use std::borrow::Cow;

/// What stands under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member<'t> {
    /// JSON, as it came.
    Found(&'t str),
    /// Nothing, or `null`.
    Absent,
    /// The record is no JSON, or on the way there something else stands than an object; why.
    Unreadable(String),
}

impl<'t> Member<'t> {
    /// It as plain text: a text without its quotes, anything else as it stands. None for what is absent or unreadable.
    pub(crate) fn plain(self) -> Option<Cow<'t, str>> {
        match self {
            Self::Found(json) if json.starts_with('"') => {
                let arena = Bump::new();
                Scanner::new(json, &arena).string().ok().map(|text| Cow::Owned(text.to_owned()))
            }
            Self::Found(json) => Some(Cow::Borrowed(json)),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }
}

/// The member of a record to which the names lead, with a point between them: `billing.email`. Of names that stand twice
/// the last one counts.
pub(crate) fn member<'t>(record: &'t str, path: &str) -> Member<'t> {
    let arena = Bump::new();
    let mut json = record;
    for name in path.split('.') {
        match of_object(json, name, &arena) {
            Ok(Some("null") | None) => return Member::Absent,
            Ok(Some(value)) => json = value,
            Err(error) => return Member::Unreadable(error.told()),
        }
    }
    Member::Found(json)
}

fn of_object<'t>(json: &'t str, wanted: &str, arena: &Bump) -> Decoded<Option<&'t str>> {
    let mut found = None;
    let mut scanner = Scanner::new(json, arena);
    scanner.blank();
    let mut before = b'{';
    while let Some(name) = scanner.name_behind(before)? {
        before = b',';
        let start = scanner.at;
        scanner.skip()?;
        if name == wanted {
            found = json.get(start..scanner.at);
        }
    }
    scanner.end("the record")?;
    Ok(found)
}
