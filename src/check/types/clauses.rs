//! The clauses of an entity: `route`, `feed`, `below`, `key` and the like. What says nothing about an entity is told.

use crate::check::resolve::checker::Checker;
use crate::check::types::words::word_text;
use crate::ir::{Below, Closes, EntityId, Feed, FieldId, Files, Method, Period, Tax};
use crate::source::{Span, codes};
use crate::syntax::ast::{self, Clause, ExprKind, Word};
use std::sync::Arc;

impl Checker<'_> {
    pub(crate) fn read_clause(&mut self, id: EntityId, clause: &Clause) {
        let words: Vec<String> = clause.words.iter().map(word_text).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|w| *w != ",").collect();
        let field = |cx: &mut Self, name: &str| -> Option<FieldId> {
            let found = cx.program.entity(id).field(name);
            if found.is_none() {
                cx.no_field(id, name, clause.span);
            }
            found
        };
        let entity = &mut self.program.entities[id.0 as usize];
        let is_said = match words.as_slice() {
            ["route", path, methods @ ..] if is_text(clause, 1) => {
                entity.route = Some((*path).into());
                entity.methods = methods.iter().filter_map(|m| method(m)).collect();
                entity.methods.len() == methods.len()
            }
            ["feed", path, "by", by] if is_text(clause, 1) => self.read_feed(id, Some(path), by, "", clause),
            ["feed", path, "by", by, "since", since] if is_text(clause, 1) => {
                self.read_feed(id, Some(path), by, since, clause)
            }
            ["feed", "by", by] => self.read_feed(id, None, by, "", clause),
            ["deleted", "in", rows, "by", key] => self.note_deletions(id, rows, key, clause),
            ["below", by, path] if is_text(clause, 2) => self.read_below(id, by, path, clause),
            ["key" | "code" | "total", name] => {
                let named = field(self, name);
                let entity = &mut self.program.entities[id.0 as usize];
                match words[0] {
                    "key" => entity.key = named,
                    "code" => entity.code = named,
                    _ => entity.total = named,
                }
                true
            }
            ["day" | "country" | "method" | "credits" | "void" | "credit" | "lines", ..] => {
                // They speak of lines and other records too, and are read with the conditions.
                let words = words.iter().map(|word| (*word).to_owned()).collect();
                self.books.push((id, words, clause.span));
                true
            }
            ["tax", rate, "included", "by", by, included, country @ ..] => {
                let fields = field(self, rate).zip(field(self, by));
                let of = match country {
                    ["country", name] => field(self, name),
                    _ => None,
                };
                let tax = fields.map(|(rate, by)| Tax { rate, by, included: (*included).into(), country: of });
                self.program.entities[id.0 as usize].tax = tax;
                matches!(country, [] | ["country", _])
            }
            ["blocked" | "active" | "until" | "pull" | "period" | "closed", ..] => self.read_own(id, &words, clause),
            ["entry", key, value] => {
                let entry = field(self, key).zip(field(self, value));
                self.program.entities[id.0 as usize].entry = entry;
                true
            }
            ["batch", many] => match many.parse() {
                Ok(many) if many > 1 => {
                    entity.batch = Some(many);
                    true
                }
                Ok(_) | Err(_) => false,
            },
            ["file", address, "of", connection, "hash", hash] => {
                entity.methods = vec![Method::Get];
                let fields = field(self, address).zip(field(self, connection)).zip(field(self, hash));
                let files = fields.map(|((address, connection), hash)| Files { address, connection, hash });
                self.program.entities[id.0 as usize].files = files;
                true
            }
            ["small"] => {
                entity.small = true;
                true
            }
            ["webhook", _] if is_text(clause, 1) => {
                entity.webhook = true;
                true
            }
            ["rows", key, value] => {
                entity.rows = Some(((*key).into(), (*value).into()));
                true
            }
            _ => false,
        };
        if !is_said
            || clause.when.is_some() && !["feed", "below", "deleted"].contains(&words[0])
            || !clause.block.is_empty()
        {
            self.no_clause(&words, clause.span);
        }
    }

    /// Tells of words that say nothing about an entity.
    pub(crate) fn no_clause(&mut self, words: &[&str], span: Span) {
        let message = format!("`{}` says nothing about an entity", words.join(" "));
        let help = "clauses are `route \"path\" get post put delete`, `feed \"path\" by FIELD where FIELD == value`, `below FIELD \"path\" where FIELD == value`, \
                        `deleted in ENTITY by FIELD where FIELD == value`, `key FIELD`, \
                        `code FIELD`, `total FIELD`, `tax RATE included by FIELD value country FIELD`, `blocked FIELD`, `active FIELD`, `until FIELD`, `pull FIELD, FIELD`, `period YEAR NUMBER from FIELD to FIELD`, `closed CODE YEAR NUMBER by FIELD value`, `entry KEY VALUE`, `rows key value`, `webhook \"topic\"`, `batch 100`, `file ADDRESS of CONNECTION hash HASH`, `small`, \
                        `day FIELD`, `country FIELD`, `method FIELD`, `credits FIELD`, `void FIELD value`, `credit FIELD value` and `lines LIST by CODE of NET and TAX`";
        self.say(&codes::MISPLACED, span, message, help);
    }

    /// What rows that are a system's own say of themselves: whether they may be used, what of them is kept in the project,
    /// which period they are. Whether the clause means something.
    fn read_own(&mut self, id: EntityId, words: &[&str], clause: &Clause) -> bool {
        let names: Vec<&str> = match words {
            ["period", year, number, "from", from, "to", to] => vec![year, number, from, to],
            ["closed", of, year, number, "by", by, _] => vec![of, year, number, by],
            ["blocked" | "active" | "until", name] => vec![name],
            ["pull", names @ ..] => names.to_vec(),
            _ => return false,
        };
        let mut fields = Vec::with_capacity(names.len());
        for name in names {
            match self.program.entity(id).field(name) {
                Some(field) => fields.push(field),
                None => {
                    self.no_field(id, name, clause.span);
                    return true;
                }
            }
        }
        let entity = &mut self.program.entities[id.0 as usize];
        match (words, fields.as_slice()) {
            (["blocked", ..], [field]) => entity.usable.blocked = Some(*field),
            (["active", ..], [field]) => entity.usable.active = Some(*field),
            (["until", ..], [field]) => entity.usable.until = Some(*field),
            (["period", ..], &[year, number, from, to]) => entity.period = Some(Period { year, number, from, to }),
            (["closed", .., value], &[of, year, number, by]) => {
                entity.closes = Some(Closes { of, year, number, by, value: (*value).into() });
            }
            _ => entity.pulled = Some(fields),
        }
        true
    }

    /// Where changes of an entity are read, and which rows there are records of it. Whether the clause means something.
    fn read_feed(&mut self, id: EntityId, path: Option<&str>, by: &str, since: &str, clause: &Clause) -> bool {
        let entity = self.program.entity(id);
        let Some(path) = path.map(Arc::from).or_else(|| entity.route.clone()) else { return false };
        let rows = match clause.when.as_ref().map(equals) {
            Some(None) => return false,
            Some(Some((name, value))) => {
                let Some(field) = entity.field(name) else {
                    self.no_field(id, name, clause.span);
                    return true;
                };
                Some((field, value))
            }
            None => None,
        };
        match entity.field(by) {
            Some(by) => self.program.entities[id.0 as usize].feed = Some(Feed { path, by, since: since.into(), rows }),
            None => self.no_field(id, by, clause.span),
        }
        true
    }

    /// Where is told what is gone: it speaks of another entity, and is read behind all of this one. Whether the clause means
    /// something.
    fn note_deletions(&mut self, id: EntityId, rows: &str, key: &str, clause: &Clause) -> bool {
        let Some((of, value)) = clause.when.as_ref().and_then(equals) else { return false };
        self.deletions.push((id, [rows, key, of, &value].map(str::to_owned), clause.span));
        true
    }

    /// Where records stand that are below another one of the entity. Whether the clause means something.
    fn read_below(&mut self, id: EntityId, by: &str, path: &str, clause: &Clause) -> bool {
        let entity = self.program.entity(id);
        let Some((above, value)) = clause.when.as_ref().and_then(equals) else { return false };
        let route = Arc::from(path);
        match (entity.field(by), entity.field(above)) {
            (Some(by), Some(above)) => {
                let below = Below { by, route, above: (above, value) };
                self.program.entities[id.0 as usize].below = Some(below);
            }
            (None, _) => self.no_field(id, by, clause.span),
            (_, None) => self.no_field(id, above, clause.span),
        }
        true
    }

    pub(crate) fn no_field(&mut self, id: EntityId, name: &str, span: Span) {
        let message = format!("{} has no field `{name}`", self.program.entity(id).full_name());
        self.say(&codes::UNKNOWN_FIELD, span, message, "name one of its fields");
    }
}

/// A condition `FIELD == value`: the field, and the value as the wire has it.
fn equals(when: &ast::Expr) -> Option<(&str, Arc<str>)> {
    let ExprKind::Binary(ast::BinaryOp::Eq, _, field, value) = &when.kind else { return None };
    let ExprKind::Name(field) = &field.kind else { return None };
    match &value.kind {
        ExprKind::Number(number) => Some((&field.text, Arc::clone(number))),
        ExprKind::Text(parts) => match parts.as_slice() {
            [ast::TextPart::Plain(text)] => Some((&field.text, Arc::clone(text))),
            _ => None,
        },
        _ => None,
    }
}

fn is_text(clause: &Clause, n: usize) -> bool {
    matches!(clause.words.get(n), Some(Word::Value(value)) if matches!(value.kind, ExprKind::Text(_)))
}

fn method(word: &str) -> Option<Method> {
    match word {
        "get" => Some(Method::Get),
        "post" => Some(Method::Post),
        "put" => Some(Method::Put),
        "delete" => Some(Method::Delete),
        _ => None,
    }
}
