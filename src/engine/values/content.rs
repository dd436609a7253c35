//! What of a record makes it another one: a hash of what the flow reads, whatever else has changed in it.

use super::body::entry_value;
use super::compare::value_at;
use crate::engine::hash::hash;
use crate::ir::{EntityId, Program};
use crate::plan::Reads;
use crate::store::SourceVersion;
use serde_json::Value;
use std::fmt::Write as _;

/// What of an entity's records is hashed.
pub(crate) struct Content {
    /// Which fields these are: contents of other fields cannot be compared.
    of: String,
    /// Fields by their wire names, nested ones as ways.
    paths: Vec<Vec<String>>,
    /// What the entity is.
    source: EntityId,
    /// Its further entries, by their names.
    entries: Vec<String>,
}

impl Content {
    /// What a flow reads of its source.
    pub(crate) fn new(program: &Program, reads: &Reads, source: EntityId) -> Self {
        let entity = program.entity(source);
        let list = program.entries_of(entity).map(|entries| &**entries.list);
        let names = reads.wire_names(program, source).into_iter().filter(|name| list != Some(name));
        let of_fields = reads.fields(source).filter_map(|f| entity.get(f).meta.as_ref()).flat_map(|meta| &meta.keys);
        // What a feed alone shows tells that something has changed, of which it may show the less: each of its rows is news.
        let mark = entity.feed.as_ref().filter(|_| entity.route.is_none() && !entity.is_turn());
        let mark = mark.map(|feed| entity.get(feed.by).wire.to_string());
        let names = names.chain(mark);
        let paths: Vec<Vec<String>> = names.map(|name| name.split('.').map(str::to_owned).collect()).collect();
        let entries: Vec<String> = of_fields.chain(reads.meta(source)).map(ToString::to_string).collect();
        let of = hash(format!("{paths:?} {entries:?}").as_bytes())[..8].to_owned();
        Self { of, paths, source, entries }
    }

    /// The hash of a record.
    pub(crate) fn hash(&self, program: &Program, row: &Value) -> String {
        let mut read = String::new();
        let mut add = |name: &str, value: Option<&Value>| {
            // Writing into memory does not fail.
            let _ = writeln!(read, "{name}={}", value.map(Value::to_string).unwrap_or_default());
        };
        for path in &self.paths {
            add(&path.join("."), value_at(row, path));
        }
        let entries = program.entries_of(program.entity(self.source));
        for name in &self.entries {
            add(name, entries.and_then(|entries| entry_value(entries, row, name)));
        }
        format!("{}:{}", self.of, hash(read.as_bytes()))
    }
}

/// Whether two versions of a record are one, as far as can be told: by content where both tell of the same fields, else by
/// the source's own mark. A project that reads other fields than before is no change of the source.
pub(crate) fn same_version(one: &SourceVersion, other: &SourceVersion) -> bool {
    let of = |content: &str| content.split_once(':').map(|(of, _)| of.to_owned());
    if one.content == other.content {
        return true;
    }
    of(&one.content) != of(&other.content) && !one.mark.is_empty() && one.mark == other.mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_content_and_across_projects_by_their_mark() {
        let version = |content: &str, mark: &str| SourceVersion {
            content: content.into(),
            mark: mark.into(),
            record: String::new(),
        };
        let now = version("aa:1", "12:00:05");
        let cases = [
            (version("aa:1", "12:00:05"), true),
            // Written back to by us: another mark, and nothing else.
            (version("aa:1", "12:00:09"), true),
            // Edited twice in one second.
            (version("aa:2", "12:00:05"), false),
            // The project reads another field by now.
            (version("bb:7", "12:00:05"), true),
            (version("bb:7", "12:00:06"), false),
            (version("bb:7", ""), false),
        ];
        for (other, same) in cases {
            assert_eq!(same_version(&now, &other), same, "{other:?}");
        }
        assert!(!same_version(&version("aa:1", ""), &version("bb:1", "")));
    }
}
