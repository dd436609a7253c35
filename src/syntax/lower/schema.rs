//! Types, fields and the clauses of schemas and connectors.

use super::{Lower, Pair};
use crate::source::Span;
use crate::syntax::ast::{Clause, Enum, Expr, ExprKind, FieldDecl, Mark, Name, Text, Type, TypeKind, Word};
use crate::syntax::forms::Place;
use crate::syntax::grammar::Rule;

impl Lower<'_> {
    pub(super) fn ty(&mut self, pair: Pair<'_>) -> Type {
        let span = self.span(&pair);
        let mut ty = Self::error_type(span);
        for part in pair.into_inner() {
            let at = self.span(&part);
            let kind = match part.as_rule() {
                Rule::optional => {
                    ty = Type { kind: TypeKind::Optional(Box::new(ty)), span };
                    continue;
                }
                Rule::ty_list => part.into_inner().next().map(|inner| TypeKind::List(Box::new(self.ty(inner)))),
                Rule::ty_texts => Some(TypeKind::OneOf(part.into_inner().map(|text| self.text(text)).collect())),
                Rule::ty_code => part.into_inner().next().map(|path| TypeKind::Code(self.path(path))),
                Rule::ty_field => part.into_inner().next().map(|path| TypeKind::FieldOf(self.path(path))),
                Rule::ty_price => part.into_inner().next().map(|path| TypeKind::PriceBy(self.path(path))),
                Rule::ty_enum => self.enumeration(part).map(TypeKind::Enum),
                _ => self.named_type(part),
            };
            ty = Type { kind: kind.unwrap_or(TypeKind::Error), span: at };
        }
        ty
    }

    fn named_type(&mut self, pair: Pair<'_>) -> Option<TypeKind> {
        let mut parts = pair.into_inner();
        let path = self.path(parts.next()?);
        let Some(size) = parts.next() else {
            return Some(TypeKind::Named(path, None));
        };
        let at = self.span(&size);
        let mut words = size.into_inner();
        let number = words.next()?;
        let Ok(length) = number.as_str().parse::<u32>() else {
            self.report(
                crate::source::Diagnostic::new(
                    &crate::source::codes::BAD_LITERAL,
                    at,
                    format!("`{}` is not a length", number.as_str()),
                )
                .label("a whole number is needed")
                .help("write a whole number of characters: `text(40)`"),
            );
            return Some(TypeKind::Error);
        };
        Some(TypeKind::Named(path, Some((length, words.next().map(|unit| self.name(&unit))))))
    }

    /// An enumeration, declared or in place; one in place has the name `enum`.
    pub(super) fn enumeration(&mut self, pair: Pair<'_>) -> Option<Enum> {
        let declared = pair.as_rule() == Rule::enum_decl;
        let span = self.span(&pair);
        let mut name = (!declared).then(|| Name { text: "enum".into(), span });
        let (mut open, mut values) = (false, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::word => name = Some(self.name(&part)),
                Rule::enum_open => open = true,
                Rule::enum_value => values.extend(self.enum_value(part)),
                Rule::enum_junk => self.junk(&part, Place::EnumValue),
                _ => self.bad_head(&part, Rule::enum_decl),
            }
        }
        Some(Enum { name: name?, open, values })
    }

    fn enum_value(&mut self, pair: Pair<'_>) -> Option<(Text, Option<Expr>)> {
        let mut parts = pair.into_inner();
        let code = parts.next()?;
        let code = match code.as_rule() {
            Rule::text => self.text(code),
            _ => Text { value: code.as_str().into(), span: self.span(&code) },
        };
        Some((code, parts.next().map(|wire| self.expr(wire))))
    }

    pub(super) fn schema_lines(&mut self, pair: Pair<'_>) -> (Vec<Clause>, Vec<FieldDecl>) {
        let (mut clauses, mut fields) = (Vec::new(), Vec::new());
        for line in pair.into_inner() {
            match line.as_rule() {
                Rule::field_decl => fields.extend(self.field(line)),
                Rule::clause => clauses.push(self.clause(line)),
                _ => self.junk(&line, Place::Field),
            }
        }
        (clauses, fields)
    }

    fn field(&mut self, pair: Pair<'_>) -> Option<FieldDecl> {
        let span = self.span(&pair);
        let (mut name, mut ty, mut currency, mut value, mut marks) = (None, None, None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::word => name = Some(self.name(&part)),
                Rule::ty => ty = Some(self.ty(part)),
                Rule::currency => currency = part.into_inner().next().map(|path| self.path(path)),
                Rule::field_value => value = Some(self.last_result(part)),
                _ => marks.push(self.mark(part)),
            }
        }
        Some(FieldDecl { doc: self.doc(span), name: name?, ty: ty?, currency, value, marks, span })
    }

    fn mark(&mut self, pair: Pair<'_>) -> Mark {
        let span = self.span(&pair);
        let mut mark = Mark { words: Vec::new(), when: None, value: None, span };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::when => mark.when = Some(self.last_result(part)),
                Rule::field_value => mark.value = Some(self.last_result(part)),
                _ => mark.words.push(self.word(part)),
            }
        }
        mark
    }

    pub(super) fn clauses(&mut self, pair: Pair<'_>) -> Vec<Clause> {
        let mut clauses = Vec::new();
        for line in pair.into_inner() {
            match line.as_rule() {
                Rule::clause | Rule::block_clause => clauses.push(self.clause(line)),
                _ => self.junk(&line, Place::Clause),
            }
        }
        clauses
    }

    fn clause(&mut self, pair: Pair<'_>) -> Clause {
        let span = self.span(&pair);
        let mut clause = Clause { words: Vec::new(), when: None, block: Vec::new(), span };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::when => clause.when = Some(self.last_result(part)),
                Rule::clause_block => clause.block = self.clauses(part),
                _ => clause.words.push(self.word(part)),
            }
        }
        clause
    }

    fn word(&mut self, pair: Pair<'_>) -> Word {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::path => Word::Name(self.path(pair)),
            Rule::sign | Rule::sign_comma | Rule::sign_slash => {
                Word::Sign(pair.as_str().chars().next().unwrap_or('='), span)
            }
            Rule::text => Word::Value(self.text_expr(pair)),
            Rule::word_list => Word::Value(self.word_list(pair, span)),
            Rule::word_call => Word::Value(self.word_call(pair, span)),
            _ => Word::Value(self.literal(pair)),
        }
    }

    /// `[eq, and, or]`: any word is a name here.
    fn word_list(&mut self, pair: Pair<'_>, span: Span) -> Expr {
        let mut elements = Vec::new();
        for part in pair.into_inner() {
            let value = match part.as_rule() {
                Rule::path => self.path_value(part),
                Rule::text => self.text_expr(part),
                _ => self.literal(part),
            };
            elements.push(crate::syntax::ast::Element::One(value));
        }
        Expr { kind: ExprKind::List(elements), span }
    }

    fn word_call(&mut self, pair: Pair<'_>, span: Span) -> Expr {
        let mut parts = pair.into_inner();
        match (parts.next(), parts.next()) {
            (Some(path), Some(call)) => {
                let callee = self.path_value(path);
                Expr { kind: ExprKind::Call(Box::new(callee), self.args(call)), span }
            }
            _ => Self::error_value(span),
        }
    }

    /// A path as a value: a name, and fields of it.
    pub(super) fn path_value(&mut self, pair: Pair<'_>) -> Expr {
        path_value(self.path(pair))
    }
}

/// A path as a value: a name, and fields of it.
pub(super) fn path_value(path: crate::syntax::ast::Path) -> Expr {
    let span = path.span;
    let mut parts = path.parts.into_iter();
    let Some(first) = parts.next() else {
        return Expr { kind: ExprKind::Error, span };
    };
    let start = first.span;
    let first = Expr { span: start, kind: ExprKind::Name(first) };
    parts.fold(first, |inner, name| {
        let span = start.to(name.span);
        Expr { kind: ExprKind::Field(Box::new(inner), name, false), span }
    })
}
