//! Texts whose case says nothing, and texts of one case: how they are compared, and what they never are.

use crate::check::infer::frame::{Infer, constant_of};
use crate::ir::{Const, Element, Expr, ExprKind, LocalId, Native, Pattern, Type};
use crate::source::{Diagnostic, Span, codes};
use std::sync::Arc;

impl Infer<'_, '_> {
    /// Both sides of a comparison, a list with its elements, as they are compared: in small letters where one is a text
    /// whose case says nothing. What a test expects of a record is held against each letter.
    pub(crate) fn without_case(&mut self, a: Expr, b: Expr) -> (Expr, Expr) {
        if self.expects() || !(self.is_caseless(&a) || self.is_caseless(&b)) {
            self.never_of_that_case(&a, &b);
            self.never_of_that_case(&b, &a);
            return (a, b);
        }
        (self.in_small_letters(a), self.in_small_letters(b))
    }

    /// What is matched, and the patterns of its arms, in the same way.
    pub(crate) fn matched_without_case(&mut self, on: Expr, patterns: Vec<Pattern>) -> (Expr, Vec<Pattern>) {
        if self.expects() || !self.is_caseless(&on) {
            return (on, patterns);
        }
        (self.in_small_letters(on), patterns.into_iter().map(small_pattern).collect())
    }

    /// Tells of a text in quotes that holds letters which a value of one case never has.
    pub(crate) fn never_of_that_case(&mut self, value: &Expr, beside: &Expr) {
        let Some(case) = one_case(value) else { return };
        let mut quoted = Vec::new();
        quotes(beside, &mut quoted);
        for (text, at) in quoted {
            self.never_is(case, &text, at);
        }
    }

    /// Tells of an arm's text that holds such letters.
    pub(crate) fn arm_of_that_case(&mut self, on: &Expr, pattern: &Pattern, at: Span) {
        let Some(case) = one_case(on) else { return };
        match pattern {
            Pattern::OneOf(values) => {
                for text in values {
                    if let Const::Text(text) = text {
                        self.never_is(case, text, at);
                    }
                }
            }
            Pattern::Prefix(text) => self.never_is(case, text, at),
            Pattern::Either(each) => each.iter().for_each(|pattern| self.arm_of_that_case(on, pattern, at)),
            Pattern::Any | Pattern::Absent | Pattern::Group(_) => {}
        }
    }

    fn never_is(&mut self, case: Native, text: &str, at: Span) {
        let (right, letters) = match case {
            Native::Lower => (text.to_lowercase(), "small letters"),
            _ => (text.to_uppercase(), "capitals"),
        };
        if right == text {
            return;
        }
        let message = format!("`.{}()` gives {letters} only, so it never has those of \"{text}\"", case.name());
        let written = self.cx.modules.sources.text(at);
        // Of several texts in one place, and of a text with escapes, each letter can't be told apart.
        let alone = written == format!("\"{text}\"");
        let told = Diagnostic::new(&codes::BAD_OPERANDS, at, message)
            .label("never the same")
            .help(format!("write it in {letters}: \"{right}\""));
        let told = if alone { told.fix(format!("write it in {letters}"), at, format!("\"{right}\"")) } else { told };
        self.cx.report(told);
    }

    /// A name for a value: it is a text whose case says nothing if the value is.
    pub(crate) fn names_caseless(&mut self, local: LocalId, value: &Expr) {
        if self.is_caseless(value) {
            self.caseless.insert(local);
        }
    }

    /// Whether a text, or each of a list, comes from a field whose schema says that case means nothing in it.
    pub(crate) fn is_caseless(&self, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::Field(_, entity, field) => self.cx.program.entity(*entity).get(*field).form.caseless,
            ExprKind::Local(local) => self.caseless.contains(local),
            ExprKind::OrElse(a, b) | ExprKind::If(_, a, b) => self.is_caseless(a) || self.is_caseless(b),
            ExprKind::Let(_, _, body) | ExprKind::Lambda(_, body) => self.is_caseless(body),
            ExprKind::Native(Native::Map | Native::Flat, args) => {
                args.get(1).is_some_and(|each| self.is_caseless(each))
            }
            ExprKind::Native(
                Native::First
                | Native::Last
                | Native::Single
                | Native::Nth
                | Native::Distinct
                | Native::Present
                | Native::Where
                | Native::Sorted
                | Native::Trim
                | Native::Tidy,
                args,
            ) => args.first().is_some_and(|of| self.is_caseless(of)),
            _ => false,
        }
    }

    /// A text or a list of texts in small letters; any other value stays.
    fn in_small_letters(&mut self, e: Expr) -> Expr {
        let (span, ty) = (e.span, e.ty.clone());
        match (e.kind, ty.present()) {
            (ExprKind::Const(value), _) => Self::make(ExprKind::Const(small(value)), ty, span),
            (ExprKind::Setting(name, value), _) => Self::make(ExprKind::Setting(name, small(value)), ty, span),
            (ExprKind::List(elements), _) => {
                let elements = elements.into_iter().map(|element| match element {
                    Element::One(one) => Element::One(self.in_small_letters(one)),
                    Element::All(all) => Element::All(self.in_small_letters(all)),
                    Element::For(clauses, each) => Element::For(clauses, self.in_small_letters(each)),
                });
                Self::make(ExprKind::List(elements.collect()), ty, span)
            }
            (kind, Type::Text(_) | Type::Email) => {
                let text = if ty.is_optional() { Type::Text(None).optional() } else { Type::Text(None) };
                Self::make(ExprKind::Native(Native::Lower, vec![Self::make(kind, ty, span)]), text, span)
            }
            (kind, Type::List(element)) if matches!(element.present(), Type::Text(_) | Type::Email) => {
                let local = self.local();
                let each = self.in_small_letters(Self::make(ExprKind::Local(local), (**element).clone(), span));
                let list = Type::List(Arc::new(each.ty.clone()));
                let lambda = Self::make(ExprKind::Lambda(vec![local], Box::new(each)), list.clone(), span);
                Self::make(ExprKind::Native(Native::Map, vec![Self::make(kind, ty, span), lambda]), list, span)
            }
            (kind, _) => Self::make(kind, ty, span),
        }
    }
}

/// The function that leaves one case of a text, or of each text of a list.
fn one_case(e: &Expr) -> Option<Native> {
    match &e.kind {
        ExprKind::Native(case @ (Native::Lower | Native::Upper), _) => Some(*case),
        ExprKind::Native(Native::Map, args) => one_case(args.get(1)?),
        ExprKind::Lambda(_, body) | ExprKind::Let(_, _, body) => one_case(body),
        // A text that may be absent.
        ExprKind::If(_, then, other) if matches!(other.kind, ExprKind::Const(Const::Absent)) => one_case(then),
        // The other value may be what is compared.
        ExprKind::OrElse(value, other) => {
            let case = one_case(value)?;
            let kept =
                |text: &str| if case == Native::Lower { text.to_lowercase() } else { text.to_uppercase() } == text;
            matches!(constant_of(other)?, Const::Text(text) if kept(&text)).then_some(case)
        }
        _ => None,
    }
}

/// The texts in quotes that stand there, alone or in a list.
fn quotes(e: &Expr, all: &mut Vec<(Arc<str>, Span)>) {
    match &e.kind {
        ExprKind::Const(Const::Text(text)) => all.push((Arc::clone(text), e.span)),
        ExprKind::List(elements) => elements.iter().for_each(|element| match element {
            Element::One(one) | Element::All(one) => quotes(one, all),
            Element::For(..) => {}
        }),
        _ => {}
    }
}

fn small(value: Const) -> Const {
    match value {
        Const::Text(text) => Const::Text(text.to_lowercase().into()),
        Const::List(list) => Const::List(list.into_iter().map(small).collect()),
        other => other,
    }
}

fn small_pattern(pattern: Pattern) -> Pattern {
    match pattern {
        Pattern::OneOf(values) => Pattern::OneOf(values.into_iter().map(small).collect()),
        Pattern::Prefix(text) => Pattern::Prefix(text.to_lowercase().into()),
        Pattern::Either(each) => Pattern::Either(each.into_iter().map(small_pattern).collect()),
        other => other,
    }
}
