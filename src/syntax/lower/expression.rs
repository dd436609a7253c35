//! Values: what a field, an argument or a condition is made of.

use super::operators::{Infix, Item};
use super::{Lower, Pair};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{
    Arg, Arm, BinaryOp, Element, Expr, ExprKind, ForClause, Name, Path, Pattern, PatternKind, StopKind, UnaryOp,
};
use crate::syntax::forms::Place;
use crate::syntax::grammar::Rule;

impl Lower<'_> {
    pub(super) fn error(&self, pair: &Pair<'_>) -> Expr {
        Expr { kind: ExprKind::Error, span: self.span(pair) }
    }

    /// A value or the junk in its place.
    pub(super) fn result(&mut self, pair: Pair<'_>) -> Expr {
        match pair.as_rule() {
            Rule::expr => self.expr(pair),
            Rule::value => self.value(pair),
            _ => {
                self.junk(&pair, Place::Value);
                self.error(&pair)
            }
        }
    }

    /// The last of the pairs, as a value.
    pub(super) fn last_result(&mut self, pair: Pair<'_>) -> Expr {
        let error = self.error(&pair);
        pair.into_inner().last().map_or(error, |last| self.result(last))
    }

    pub(super) fn expr(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        // Most values are a single operand without a sign before it.
        if let (Some(only), None) = (parts.peek(), parts.clone().nth(1)) {
            let mut inner = only.into_inner();
            if let (Some(value), None) = (inner.next(), inner.next()) {
                return self.value(value);
            }
        }
        self.operators(&mut parts, span)
    }

    fn operators<'i>(&mut self, parts: impl Iterator<Item = Pair<'i>>, span: Span) -> Expr {
        let mut items = Vec::new();
        for part in parts {
            let at = self.span(&part);
            let op = match part.as_rule() {
                Rule::operand => {
                    for inner in part.into_inner() {
                        items.push(self.operand_item(inner));
                    }
                    continue;
                }
                Rule::is_test => {
                    items.push(self.is_test(part, at));
                    continue;
                }
                Rule::slip_equals => {
                    self.slip(&part, "==", "`=` fills a field, `==` compares");
                    BinaryOp::Eq
                }
                Rule::op_in => {
                    items.push(Item::Infix(Infix::In, at));
                    continue;
                }
                rule => binary(rule),
            };
            items.push(Item::Infix(Infix::Binary(op), at));
        }
        self.row_of_operators(items, span)
    }

    fn is_test(&mut self, pair: Pair<'_>, at: Span) -> Item {
        match pair.into_inner().next() {
            Some(some) if some.as_rule() == Rule::is_some => {
                Item::IsSome(some.into_inner().next().map(|name| self.name(&name)), at)
            }
            _ => Item::IsNone(at),
        }
    }

    fn value(&mut self, pair: Pair<'_>) -> Expr {
        let start = self.span(&pair);
        let mut parts = pair.into_inner();
        let Some(first) = parts.next() else {
            return Expr { kind: ExprKind::Error, span: start };
        };
        let mut value = self.atom(first);
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return self.foreign_word(value);
        }
        for part in parts {
            let span = value.span.to(self.span(&part));
            let inner = Box::new(value);
            let kind = match part.as_rule() {
                Rule::member => self.member(inner, part),
                Rule::index => ExprKind::Index(inner, self.keys(part)),
                Rule::slip_call => {
                    self.blank_before_call(&inner, &part);
                    ExprKind::Call(inner, self.args(part))
                }
                _ => ExprKind::Call(inner, self.args(part)),
            };
            value = Expr { kind, span };
        }
        value
    }

    fn member(&mut self, inner: Box<Expr>, pair: Pair<'_>) -> ExprKind {
        let mut maybe = false;
        let mut name = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::maybe => maybe = true,
                _ => name = Some(self.name(&part)),
            }
        }
        name.map_or(ExprKind::Error, |name| ExprKind::Field(inner, name, maybe))
    }

    fn keys(&mut self, pair: Pair<'_>) -> Vec<Expr> {
        let span = self.span(&pair);
        let keys: Vec<Expr> = pair.into_inner().map(|key| self.item(key)).collect();
        if keys.is_empty() {
            self.report(
                Diagnostic::new(&codes::SYNTAX, span, "nothing stands between `[` and `]`")
                    .label("a key or a position is missing")
                    .help("write the keys of a table, `vat_code[country, rate]`, or a position in a list, `lines[0]`"),
            );
        }
        keys
    }

    fn item(&mut self, pair: Pair<'_>) -> Expr {
        if pair.as_rule() == Rule::expr {
            return self.expr(pair);
        }
        self.junk(&pair, Place::Item);
        self.error(&pair)
    }

    pub(super) fn args(&mut self, pair: Pair<'_>) -> Vec<Arg> {
        let mut args = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() != Rule::arg {
                self.junk(&part, Place::Item);
                args.push(Arg { name: None, value: self.error(&part) });
                continue;
            }
            let mut name = None;
            let mut value = self.error(&part);
            for inner in part.into_inner() {
                match inner.as_rule() {
                    Rule::word => name = Some(self.name(&inner)),
                    Rule::slip_arg => self.slip(&inner, ":", "an argument is named by `name: value`"),
                    _ => value = self.expr(inner),
                }
            }
            args.push(Arg { name, value });
        }
        args
    }

    fn blank_before_call(&mut self, callee: &Expr, pair: &Pair<'_>) {
        let at = self.span(pair);
        let open = pair.as_str().find('(').unwrap_or(0);
        let blank = Span { end: at.start + u32::try_from(open).unwrap_or(0), ..at };
        let callee = self.text.get(callee.span.range()).unwrap_or("").trim();
        let shown = callee.rsplit(['.', ' ', '(']).next().unwrap_or(callee);
        self.report(
            Diagnostic::new(&codes::SYNTAX, blank, format!("a call has no space before its `(`: `{shown}(…)`"))
                .label("this space")
                .help(format!(
                    "write `{shown}(` without a space; if no call is meant, add the missing operator or comma"
                ))
                .fix("remove the space", blank, ""),
        );
    }

    /// `true`, `false` and `null` of other languages, alone in the place of a value.
    fn foreign_word(&mut self, value: Expr) -> Expr {
        let ExprKind::Name(name) = &value.kind else {
            return value;
        };
        let (right, kind) = match &*name.text {
            "true" => ("yes", ExprKind::Bool(true)),
            "false" => ("no", ExprKind::Bool(false)),
            "null" | "nil" | "undefined" => ("none", ExprKind::None),
            _ => return value,
        };
        let span = value.span;
        self.report(
            Diagnostic::new(&codes::SYNTAX, span, format!("`{}` is written `{right}`", name.text))
                .label(format!("write `{right}`"))
                .help(format!("write `{right}`; if the word itself is meant, write a text: `\"{}\"`", name.text))
                .fix(format!("write `{right}`"), span, right),
        );
        Expr { kind, span }
    }

    fn atom(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::text => return self.text_expr(pair),
            Rule::number | Rule::percent | Rule::date | Rule::instant | Rule::duration | Rule::bad_number => {
                return self.literal(pair);
            }
            Rule::name => ExprKind::Name(self.name(&pair)),
            Rule::group => return self.group(pair),
            Rule::list => ExprKind::List(self.elements(pair)),
            Rule::record => ExprKind::Record(self.record(pair)),
            Rule::if_expr => self.if_expr(pair),
            Rule::match_expr => self.match_expr(pair),
            Rule::ensure_expr => ExprKind::Ensure(Box::new(self.last_result(pair))),
            Rule::stop_expr => self.stop(pair),
            Rule::lambda => self.lambda(pair),
            Rule::yes => ExprKind::Bool(true),
            Rule::no => ExprKind::Bool(false),
            Rule::none => ExprKind::None,
            Rule::keep => ExprKind::Keep,
            Rule::it => ExprKind::It,
            Rule::was => ExprKind::Was,
            Rule::base => ExprKind::Base,
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    fn group(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let kind = match pair.into_inner().next() {
            // The parentheses belong to the place of the value, so that edits keep them.
            Some(inner) if inner.as_rule() == Rule::expr => self.expr(inner).kind,
            Some(junk) => {
                self.junk(&junk, Place::Item);
                ExprKind::Error
            }
            None => ExprKind::Error,
        };
        Expr { kind, span }
    }

    fn elements(&mut self, pair: Pair<'_>) -> Vec<Element> {
        let mut elements = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() != Rule::for_element {
                elements.push(Element::One(self.item(part)));
                continue;
            }
            let mut value = self.error(&part);
            let mut clauses = Vec::new();
            for inner in part.into_inner() {
                match inner.as_rule() {
                    Rule::for_clause => clauses.extend(self.for_clause(inner)),
                    _ => value = self.expr(inner),
                }
            }
            elements.push(Element::For(clauses, value));
        }
        elements
    }

    fn for_clause(&mut self, pair: Pair<'_>) -> Option<ForClause> {
        let mut parts = pair.into_inner();
        let name = self.name(&parts.next()?);
        let list = self.expr(parts.next()?);
        let cond = parts.next().map(|cond| self.expr(cond));
        Some(ForClause { name, list, cond })
    }

    pub(super) fn record(&mut self, pair: Pair<'_>) -> Vec<(Path, Expr)> {
        let mut fields = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() != Rule::record_entry {
                self.junk(&part, Place::Entry);
                continue;
            }
            if let Some((path, value)) = self.assignment(part) {
                fields.push((path, value));
            }
        }
        fields
    }

    /// `path = value`, its slips told.
    pub(super) fn assignment(&mut self, pair: Pair<'_>) -> Option<(Path, Expr)> {
        let mut path = None;
        let mut value = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::path => path = Some(self.path(part)),
                Rule::word => {
                    let name = self.name(&part);
                    path = Some(Path { span: name.span, parts: vec![name] });
                }
                Rule::slip_assign => self.slip(&part, "=", "a value is given with `=`"),
                _ => value = Some(self.result(part)),
            }
        }
        Some((path?, value?))
    }

    fn if_expr(&mut self, pair: Pair<'_>) -> ExprKind {
        let span = self.span(&pair);
        let mut values = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() == Rule::slip_no_else {
                let at = span.at_end();
                self.report(
                    Diagnostic::new(
                        &codes::SYNTAX,
                        span,
                        "an `if` without `else`: there is no value when the condition does not hold",
                    )
                    .label("`else` is missing")
                    .help("say what the value is otherwise: `else none`, `else keep`, `else fail \"why\"`")
                    .fix("add `else none`", at, " else none"),
                );
                values.push(Expr { kind: ExprKind::Error, span: at });
            } else {
                values.push(self.expr(part));
            }
        }
        match <[Expr; 3]>::try_from(values) {
            Ok([cond, then, otherwise]) => ExprKind::If(Box::new(cond), Box::new(then), Box::new(otherwise)),
            Err(_) => ExprKind::Error,
        }
    }

    fn match_expr(&mut self, pair: Pair<'_>) -> ExprKind {
        let mut parts = pair.into_inner();
        let Some(subject) = parts.next() else {
            return ExprKind::Error;
        };
        let subject = self.expr(subject);
        let mut arms = Vec::new();
        for part in parts {
            if part.as_rule() != Rule::arm {
                self.junk(&part, Place::Arm);
                continue;
            }
            let mut pattern = None;
            let mut value = self.error(&part);
            for inner in part.into_inner() {
                match inner.as_rule() {
                    Rule::pattern => pattern = Some(self.pattern(inner)),
                    Rule::slip_thin => self.slip(&inner, "=>", "a case gives its value with `=>`"),
                    _ => value = self.result(inner),
                }
            }
            arms.extend(pattern.map(|pattern| Arm { pattern, value }));
        }
        ExprKind::Match(Box::new(subject), arms)
    }

    pub(super) fn pattern(&mut self, pair: Pair<'_>) -> Pattern {
        let span = self.span(&pair);
        let mut parts: Vec<Pattern> = pair.into_inner().map(|part| self.pattern_part(part)).collect();
        if parts.len() == 1 {
            return parts.remove(0);
        }
        Pattern { kind: PatternKind::Either(parts), span }
    }

    fn pattern_part(&mut self, pair: Pair<'_>) -> Pattern {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::any => PatternKind::Any,
            Rule::pattern_else => PatternKind::Else,
            Rule::none => PatternKind::None,
            Rule::pattern_group => {
                pair.into_inner().next().map_or(PatternKind::Any, |word| PatternKind::Group(self.name(&word)))
            }
            Rule::pattern_number => PatternKind::Value(self.pattern_number(pair, span)),
            _ => PatternKind::Value(self.atom(pair)),
        };
        Pattern { kind, span }
    }

    fn pattern_number(&mut self, pair: Pair<'_>, span: Span) -> Expr {
        let mut negative = false;
        let mut value = Expr { kind: ExprKind::Error, span };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::op_neg => negative = true,
                _ => value = self.literal(part),
            }
        }
        if negative {
            return Expr { kind: ExprKind::Unary(UnaryOp::Neg, Box::new(value)), span };
        }
        value
    }

    fn stop(&mut self, pair: Pair<'_>) -> ExprKind {
        let kind = match pair.as_str().get(..4) {
            Some("fail") => StopKind::Fail,
            Some("skip") => StopKind::Skip,
            _ => StopKind::Wait,
        };
        ExprKind::Stop(kind, Box::new(self.last_result(pair)))
    }

    fn lambda(&mut self, pair: Pair<'_>) -> ExprKind {
        let mut names: Vec<Name> = Vec::new();
        let mut body = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => names.push(self.name(&part)),
                Rule::slip_lambda => self.slip(&part, "=>", "a function of one value is written `x => …`"),
                _ => body = Some(self.expr(part)),
            }
        }
        body.map_or(ExprKind::Error, |body| ExprKind::Lambda(names, Box::new(body)))
    }

    fn operand_item(&mut self, pair: Pair<'_>) -> Item {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::op_not => Item::Prefix(UnaryOp::Not, span),
            Rule::op_neg => Item::Prefix(UnaryOp::Neg, span),
            _ => Item::Value(self.value(pair)),
        }
    }
}

fn binary(rule: Rule) -> BinaryOp {
    match rule {
        Rule::op_else => BinaryOp::Else,
        Rule::op_and => BinaryOp::And,
        Rule::op_or => BinaryOp::Or,
        Rule::op_add => BinaryOp::Add,
        Rule::op_sub => BinaryOp::Sub,
        Rule::op_mul => BinaryOp::Mul,
        Rule::op_div => BinaryOp::Div,
        Rule::op_ne => BinaryOp::Ne,
        Rule::op_lt => BinaryOp::Lt,
        Rule::op_le => BinaryOp::Le,
        Rule::op_gt => BinaryOp::Gt,
        Rule::op_ge => BinaryOp::Ge,
        _ => BinaryOp::Eq,
    }
}
