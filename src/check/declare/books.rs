//! Clauses that speak of the books: `day`, `country`, `method`, `credits`, `void`, `credit` and `lines`.

use crate::check::resolve::checker::Checker;
use crate::ir::{Among, EntityId, FieldId, Kind, TaxedLines, Type, Way};
use crate::source::{Span, codes};
use std::sync::Arc;

/// Which types a field may have, and how people call them.
type Kinds<'k> = (fn(&Type) -> bool, &'k str);

impl Checker<'_> {
    /// Reads those of all entities that were declared since.
    pub(crate) fn read_books(&mut self) {
        while let Some((id, words, span)) = self.books.pop() {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if !self.read_book_clause(id, &words, span) {
                self.no_clause(&words, span);
            }
        }
    }

    /// Reads one of these clauses. Whether its words mean something; a field that cannot be what it says is told.
    fn read_book_clause(&mut self, id: EntityId, words: &[&str], span: Span) -> bool {
        match words {
            ["day", ways @ ..] => {
                let fits = |ty: &Type| matches!(ty, Type::Date | Type::Instant);
                let Some(ways) = self.ways(id, ways, (fits, "a date or an instant"), span) else { return false };
                self.program.entities[id.0 as usize].books.day = ways;
            }
            ["country", ways @ ..] => {
                let fits = |ty: &Type| *ty == Type::Country;
                let Some(ways) = self.ways(id, ways, (fits, "a country"), span) else { return false };
                self.program.entities[id.0 as usize].books.country = ways;
            }
            ["method", ways @ ..] => {
                let Some(ways) = self.ways(id, ways, (Type::is_text, "a text"), span) else { return false };
                self.program.entities[id.0 as usize].books.method = ways;
            }
            ["credits", name] => {
                let fits = |ty: &Type| matches!(ty, Type::Record(_));
                let way = self.way(id, name, (fits, "a reference"), span);
                self.program.entities[id.0 as usize].books.credits = way.and_then(|way| way.first().copied());
            }
            ["void", name, values @ ..] if !values.is_empty() => {
                let among = self.among(id, name, values, span);
                self.program.entities[id.0 as usize].books.void = among;
            }
            ["credit", name, values @ ..] if !values.is_empty() => {
                let among = self.among(id, name, values, span);
                self.program.entities[id.0 as usize].books.credit = among;
            }
            ["lines", list, "by", code, "of", net, "and", tax] => {
                let lines = self.taxed_lines(id, list, [code, net, tax], span);
                self.program.entities[id.0 as usize].books.lines = lines;
            }
            _ => return false,
        }
        true
    }

    /// `FIELD or FIELD`; none where the words are others.
    fn ways(&mut self, id: EntityId, words: &[&str], fits: Kinds<'_>, span: Span) -> Option<Vec<Way>> {
        let alternate = |(n, word): (usize, &&str)| (n % 2 == 1) == (*word == "or");
        if words.len().is_multiple_of(2) || !words.iter().enumerate().all(alternate) {
            return None;
        }
        Some(words.iter().step_by(2).filter_map(|name| self.way(id, name, fits, span)).collect())
    }

    /// A field, or one of a part, and that it is of that kind.
    fn way(&mut self, id: EntityId, name: &str, (fits, what): Kinds<'_>, span: Span) -> Option<Way> {
        let (mut entity, mut way) = (id, Way::new());
        let mut names = name.split('.').peekable();
        while let Some(part) = names.next() {
            let Some(field) = self.entity(entity).field(part) else {
                self.no_field(entity, part, span);
                return None;
            };
            way.push(field);
            let field = self.program.entity(entity).get(field);
            let ty = field.ty.present().clone();
            match (&ty, names.peek()) {
                _ if field.meta.is_some() => break,
                (Type::Record(inner), Some(_)) => {
                    entity = *inner;
                    if self.entity(entity).stands_alone() {
                        break;
                    }
                }
                (_, None) if fits(&ty) => return Some(way),
                (_, _) => break,
            }
        }
        let message = format!("`{name}` is not {what} of the record itself");
        self.say(&codes::TYPE_MISMATCH, span, message, format!("name {what} of the record, or of a part of it"));
        None
    }

    /// A field and its values, those of an enumeration as the wire has them.
    fn among(&mut self, id: EntityId, name: &str, values: &[&str], span: Span) -> Option<Among> {
        let Some(field) = self.program.entity(id).field(name) else {
            self.no_field(id, name, span);
            return None;
        };
        let ty = self.program.entity(id).get(field).ty.present().clone();
        let mut on_wire: Vec<Arc<str>> = Vec::new();
        for value in values {
            match &ty {
                Type::Enum(of) => match of.values.iter().find(|known| *known.code == **value) {
                    Some(known) => on_wire.push(known.wire.trim_matches('"').into()),
                    None => {
                        let message = format!("`{value}` is no value of `{name}`");
                        self.say(&codes::TYPE_MISMATCH, span, message, "name one of its values");
                    }
                },
                _ => on_wire.push((*value).into()),
            }
        }
        Some(Among { field, values: on_wire })
    }

    /// The list of a document's lines, and of a line its code, its amount and its tax.
    fn taxed_lines(&mut self, id: EntityId, list: &str, names: [&str; 3], span: Span) -> Option<TaxedLines> {
        let Some(list) = self.program.entity(id).field(list) else {
            self.no_field(id, list, span);
            return None;
        };
        let element = self.program.entity(id).get(list).ty.present().element().map(Type::present);
        let Some(Type::Record(line)) = element else {
            let message = format!("`{}` is no list of lines", self.program.entity(id).get(list).name);
            self.say(&codes::TYPE_MISMATCH, span, message, "name the list of the document's lines");
            return None;
        };
        let line = *line;
        let code: fn(&Type) -> bool = |ty| matches!(ty, Type::Code(_));
        let kinds: [Kinds; 3] = [
            (code, "a code"),
            (|ty| *ty == Type::Money(Kind::Net), "an amount without tax"),
            (|ty| *ty == Type::Money(Kind::Tax), "an amount of tax"),
        ];
        let mut fields: Vec<FieldId> = Vec::new();
        for (name, kind) in names.into_iter().zip(kinds) {
            fields.extend(self.way(line, name, kind, span)?.first());
        }
        let [code, net, tax] = fields[..] else { return None };
        Some(TaxedLines { list, code, net, tax })
    }
}
