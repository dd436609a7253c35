//! What `flowc schema pull` has written into the project: the codes of its settings and tables are held against it.

use crate::check::resolve::checker::{Checker, TypeItem};
use crate::check::resolve::modules::{ModuleId, Origin};
use crate::check::resolve::suggest::nearest;
use crate::check::types::words::word_text;
use crate::ir::EntityId;
use crate::master::{Held, Table, judge, pulled_entries_file, pulled_file, uses};
use crate::source::{Diagnostic, FileId, ReadError, Span, codes};
use crate::syntax::ast::{self, DeclKind};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Clauses of schemas whose rows are a system's own.
const OWN: [&str; 3] = ["pull", "period", "closed"];

impl Checker<'_> {
    /// Tells of codes that the systems do not have, or that mean something else there, as far as `schema/` says.
    pub(crate) fn held_against_pulled(&mut self) {
        let named = uses(&self.program);
        let entities: BTreeSet<EntityId> = named.iter().map(|used| used.entity).collect();
        let mut held = Held::default();
        for entity in entities {
            self.read_entity(entity);
            for connection in self.connections_of(entity) {
                held.tables.extend(self.pulled_table(&connection, entity));
            }
        }
        let told = judge(&self.program, &named, &held, None, near);
        told.into_iter().for_each(|d| self.report(d));
        self.entries_against_pulled();
    }

    /// Reads the schemas of all rows that are a system's own, whether or not a flow names them: for whoever asks the systems.
    pub(crate) fn read_own_schemas(&mut self) {
        let ids: Vec<ModuleId> = (0..self.modules.all.len()).map(ModuleId).collect();
        for id in ids {
            if self.modules.get(id).origin != Origin::Library {
                continue;
            }
            let inside = self.shared_instance(id);
            for decl in self.modules.with_keyword(id, "entity") {
                let DeclKind::Entity(e) = &decl.kind else { continue };
                let heads = e.clauses.iter().filter_map(|clause| clause.words.first().map(word_text));
                if !heads.into_iter().any(|head| OWN.contains(&&*head)) {
                    continue;
                }
                let path = ast::Path { parts: vec![e.name.clone()], span: e.name.span };
                if let Some(TypeItem::Entity(entity)) = self.named_type(inside, &path) {
                    self.read_entity(entity);
                }
            }
        }
    }

    /// The connections of an entity's system.
    fn connections_of(&self, entity: EntityId) -> Vec<Arc<str>> {
        let of = &self.program.entity(entity).connector;
        let all = self.program.connections.iter().filter(|connection| connection.connector == *of);
        all.map(|connection| Arc::clone(&connection.name)).collect()
    }

    fn pulled_table(&mut self, connection: &str, entity: EntityId) -> Option<Table> {
        let path = pulled_file(connection, self.program.entity(entity));
        let (file, text) = self.pulled_text(&path)?;
        match Table::of_file(&self.program, (connection, entity), file, &text) {
            Ok(table) => Some(table),
            Err((span, why)) => {
                self.not_as_pulled(span, &why);
                None
            }
        }
    }

    /// The text of a pulled file, where there is one.
    fn pulled_text(&mut self, path: &Path) -> Option<(FileId, String)> {
        let root = self.modules.root.clone()?;
        match self.modules.files.read(&root.join(path)) {
            Ok(text) => Some((self.modules.sources.add(path, text.as_str()), text)),
            Err(ReadError::Missing) => None,
            Err(e) => {
                let file = self.modules.sources.add(path, "");
                self.not_as_pulled(Span::new(file, 0, 0), &e.to_string());
                None
            }
        }
    }

    fn not_as_pulled(&mut self, span: Span, why: &str) {
        let message = format!("this is not what `flowc schema pull` writes: {why}");
        self.say(&codes::PULLED, span, message, "pull it again: `flowc schema pull`");
    }

    /// Further entries that the project reads by one name, and that nothing has that was looked at when it was pulled: the
    /// nearest that something has.
    fn entries_against_pulled(&mut self) {
        for n in 0..self.program.entities.len() {
            let id = EntityId::from(n);
            let entity = self.program.entity(id);
            let own = |span: Span| !self.modules.sources.is_default(span.file);
            let asked: Vec<(Arc<str>, Span)> = entity
                .fields
                .iter()
                .filter(|field| own(field.span))
                .filter_map(|field| Some((field.meta.as_ref()?.keys.as_slice(), field.span)))
                .filter_map(|(keys, span)| if let [one] = keys { Some((Arc::clone(one), span)) } else { None })
                .collect();
            if asked.is_empty() {
                continue;
            }
            for connection in self.connections_of(id) {
                let path = pulled_entries_file(&connection, self.program.entity(id));
                let Some((_, text)) = self.pulled_text(&path) else { continue };
                let seen: Vec<&str> = text.lines().skip(1).map(|line| line.trim_matches('"')).collect();
                for (key, span) in &asked {
                    let Some(near) = nearest(key, seen.iter().copied()).filter(|_| !seen.contains(&&**key)) else {
                        continue;
                    };
                    let of = self.program.entity(id).full_name();
                    let message = format!("no {of} that was looked at in {connection} has an entry `{key}`");
                    self.report(
                        Diagnostic::new(&codes::ENTRY_UNSEEN, *span, message)
                            .label("not seen there")
                            .help(format!("did you mean `{near}`? If it is new or rare, all is well")),
                    );
                }
            }
        }
    }
}

/// Whether a report comes of what was pulled, and may go with another pull.
pub fn is_of_pulled(d: &Diagnostic) -> bool {
    let of_codes = [&codes::CODE_MISSING, &codes::CODE_BLOCKED, &codes::CODE_KIND, &codes::CODE_RATE];
    of_codes.contains(&d.code) || [&codes::PULLED, &codes::ENTRY_UNSEEN].contains(&d.code)
}

/// The code that is probably meant.
pub fn near(code: &str, all: &[&str]) -> Option<String> {
    nearest(code, all.iter().copied()).map(str::to_owned)
}
