//! Expressions: what they mean and what type they have.

use crate::check::infer::frame::{Infer, constant_of};
use crate::check::infer::literals::most_units;
use crate::check::resolve::items::Space;
use crate::check::resolve::suggest;
use crate::check::types::relations::{comparable, join, longest};
use crate::ir::{Arm, Const, Element, EntityId, Expr, ExprKind, ForClause, Stop, Type};
use crate::limits;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, ExprKind as A, TextPart};
use std::sync::Arc;

impl Infer<'_, '_> {
    /// The meaning of an expression. `want` is what its place takes, where that is known: it decides what a text in
    /// quotes is, and what a part makes. The caller still has to [`Infer::coerce`] it.
    pub(crate) fn expr(&mut self, e: &ast::Expr, want: Option<&Type>) -> Expr {
        let made = self.scoped(|body| body.meaning(e, want));
        if let Some(noted) = &mut self.cx.noted {
            noted.typed(e.span, &made.ty);
        }
        made
    }

    /// A condition whose names live on: what `x is some y` names is there to its right in an `and`, and in `then`.
    pub(crate) fn condition(&mut self, e: &ast::Expr) -> Expr {
        match &e.kind {
            A::Binary(ast::BinaryOp::And, ..) | A::IsSome(..) => self.meaning(e, Some(&Type::Bool)),
            _ => self.expr(e, Some(&Type::Bool)),
        }
    }

    fn meaning(&mut self, e: &ast::Expr, want: Option<&Type>) -> Expr {
        if self.cx.levels >= limits::LEVELS_MAX {
            self.cx.say(
                &codes::TOO_DEEP,
                e.span,
                "values are nested too deep here, with those of the functions around",
                "give a part of it a name (`let`), or pass on what is there instead of what makes it",
            );
            return Self::unknown(e.span);
        }
        self.cx.levels += 1;
        self.cx.reaches_here();
        // A field is kept as a whole: by its value, or by a branch of it.
        let branches = matches!(e.kind, A::Keep | A::If(..) | A::Match(..) | A::Binary(ast::BinaryOp::Else, ..));
        let keeps = self.keeps;
        self.keeps &= branches;
        let made = self.level(e, want);
        self.keeps = keeps;
        self.cx.levels -= 1;
        made
    }

    fn level(&mut self, e: &ast::Expr, want: Option<&Type>) -> Expr {
        let span = e.span;
        if let Some(literal) = self.literal(e, want) {
            return literal;
        }
        match &e.kind {
            // Literals have been taken above; one that is here is none that the checker knows.
            A::Error
            | A::Number(_)
            | A::Percent(_)
            | A::Date(_)
            | A::Instant(_)
            | A::Duration(..)
            | A::Bool(_)
            | A::None => Self::unknown(span),
            A::Text(parts) => self.text(parts, span),
            A::Name(name) => self.name(name),
            A::Field(of, name, optional) => self.field(of, name, *optional, span),
            A::Call(callee, args) => self.call(callee, args, want, span),
            A::Index(of, keys) => self.index(of, keys, span),
            A::Binary(op, op_span, left, right) => self.binary(*op, *op_span, left, right, want, span),
            A::Unary(op, inner) => self.unary(*op, inner, span),
            A::IsSome(of, bind) => self.is_some(of, bind.as_ref(), span),
            A::IsNone(of) => {
                let is = self.is_some(of, None, span);
                Self::make(ExprKind::Unary(crate::ir::Unary::Not, Box::new(is)), Type::Bool, span)
            }
            A::In(left, right) => self.membership(left, right, span),
            A::If(cond, then, other) => self.choice(cond, then, other, want, span),
            A::Match(on, arms) => self.matched(on, arms, want, span),
            A::List(elements) => self.list(elements, want, span),
            A::Record(fields) => self.record(fields, want, span),
            A::Lambda(..) => {
                self.cx.say(
                    &codes::MISPLACED,
                    span,
                    "a function without a name stands where no function is wanted",
                    "it is an argument, as in `xs.where(x => x.total > 0)`",
                );
                Self::unknown(span)
            }
            A::Ensure(call) => self.ensure(call, span),
            A::Stop(kind, message) => self.stop(*kind, message, span),
            A::Alert(_) => {
                self.cx.say(
                    &codes::MISPLACED,
                    span,
                    "`alert` is not a value",
                    "it stands after the `else` of a `check` or an `on change`",
                );
                Self::unknown(span)
            }
            A::Keep if self.keeps => Self::make(ExprKind::Keep, Type::Never, span),
            A::Keep => {
                self.no_place("keep", "it leaves a field of the target as it is: it is a value in a mapping only", span)
            }
            A::It => match self.target {
                Some(target) => {
                    self.names_it = true;
                    Self::make(ExprKind::ItSelf, Type::Record(target), span)
                }
                None => self.no_place(
                    "it",
                    "it is the record that a mapping makes: it is known in a mapping only; pass it on as an argument",
                    span,
                ),
            },
            A::Was => match self.was {
                Some((target, true)) => Self::make(ExprKind::Was, Type::Record(target).optional(), span),
                Some((target, false)) => Self::make(ExprKind::Was, Type::Record(target), span),
                None => self.no_place("was", "it is the target's present copy: it is known in a mapping only", span),
            },
            A::Base => match self.base.clone() {
                Some(base) => {
                    self.cx.changing.base_at(span);
                    Expr { span, ..base }
                }
                None => {
                    self.no_place("base", "it is the value that an `adapt` displaces: it is known there only", span)
                }
            },
        }
    }

    fn text(&mut self, parts: &[TextPart], span: Span) -> Expr {
        let mut length = Some(0u32);
        let mut made = Vec::new();
        for part in parts {
            let part = match part {
                TextPart::Plain(text) => {
                    let length = most_units(text);
                    Self::make(ExprKind::Const(Const::Text(Arc::clone(text))), Type::Text(Some(length)), span)
                }
                TextPart::Value(e) => self.in_text(e),
            };
            length = length.zip(longest(&part.ty)).map(|(a, b)| a.saturating_add(b));
            made.push(part);
        }
        if made.iter().any(|part| part.ty == Type::Unknown) {
            return Self::unknown(span);
        }
        Self::make(ExprKind::Concat(made), Type::Text(length), span)
    }

    /// A value inside a text: it must be there, and have a plain form.
    fn in_text(&mut self, e: &ast::Expr) -> Expr {
        let value = self.expr(e, None);
        if value.ty.is_optional() {
            let d = Diagnostic::new(
                &codes::OPTIONAL_AS_PRESENT,
                value.span,
                "this may be absent; a text needs something that is there",
            )
            .label("may be absent")
            .help("say what stands there without it: `{x ?? \"\"}`");
            self.cx.report(self.cx.offer_behind(d, "leave it empty", value.span, " ?? \"\""));
            return Self::unknown(value.span);
        }
        let fine = matches!(value.ty, Type::Unknown | Type::Never | Type::Date | Type::Instant)
            || value.ty.is_number()
            || value.ty.is_text();
        if !fine {
            let message = format!("{} has no form as text", self.cx.show(&value.ty));
            let help = self.text_of(&value.ty, value.span);
            self.cx.say(&codes::TYPE_MISMATCH, value.span, message, help);
            return Self::unknown(value.span);
        }
        value
    }

    fn name(&mut self, name: &ast::Name) -> Expr {
        if let Some(local) = self.value_named(&name.text) {
            self.cx.means(name.span, local.span);
            return Self::local_expr(&local, name.span);
        }
        if let Some(entity) = self.fields_of
            && let Some(field) = self.cx.entity(entity).field(&name.text)
        {
            let schema = self.cx.program.entity(entity).get(field);
            let (ty, declared) = (schema.ty.clone(), schema.span);
            self.cx.means(name.span, declared);
            return Self::make(ExprKind::It(field), ty, name.span);
        }
        self.unknown_name(name)
    }

    fn field(&mut self, of: &ast::Expr, name: &ast::Name, optional: bool, span: Span) -> Expr {
        if let A::Name(first) = &of.kind
            && self.value_named(&first.text).is_none()
        {
            if &*first.text == "settings" {
                return self.setting(self.inside, name, span);
            }
            if self.cx.used_instance(self.inside, &first.text).is_some() {
                let message = format!("`{}` of `{}` is not a value", name.text, first.text);
                self.cx.say(
                    &codes::MISPLACED,
                    span,
                    message,
                    "call it, `module.name(…)`, or ask a lookup, `module.name[…]`",
                );
                return Self::unknown(span);
            }
        }
        if let A::Field(alias, settings, false) = &of.kind
            && let A::Name(alias) = &alias.kind
            && &*settings.text == "settings"
            && self.value_named(&alias.text).is_none()
        {
            return match self.cx.used_instance(self.inside, &alias.text) {
                Some(instance) => self.setting(instance, name, span),
                None => {
                    self.cx.unknown_alias(self.inside, alias);
                    Self::unknown(span)
                }
            };
        }
        if matches!(of.kind, A::It) && self.target.is_some() {
            return self.it_field(name, span);
        }
        let of = self.expr(of, None);
        self.field_of(of, name, optional, span)
    }

    fn index(&mut self, of: &ast::Expr, keys: &[ast::Expr], span: Span) -> Expr {
        let found = match self.lookup_meant(of) {
            Ok(found) => found,
            Err(alias) => {
                self.unknown_name(alias);
                return Self::unknown(span);
            }
        };
        let Some((instance, name)) = found else { return self.nth(of, keys, span) };
        let lookup = instance.and_then(|i| self.cx.lookup_head(i, &name.text));
        let Some(lookup) = lookup else {
            self.all_the_same(keys.iter());
            if self.cx.lacks(self.inside, None) {
                return Self::unknown(span);
            }
            let names = self.cx.names_in_sight(self.inside, Space::Lookup);
            let mut d = Diagnostic::new(&codes::UNKNOWN_NAME, name.span, format!("there is no lookup `{}`", name.text))
                .label("not found");
            d = match suggest::hint(&name.text, names) {
                Some(near) => d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), name.span, near),
                None => d.help("declare it with `lookup`, or `use` the file that does"),
            };
            self.cx.report(d);
            return Self::unknown(span);
        };
        let (wanted, result) = {
            let l = self.cx.program.lookup(lookup);
            (l.keys.clone(), l.result.clone())
        };
        self.cx.means(name.span, self.cx.program.lookup(lookup).span);
        if wanted.len() != keys.len() {
            let message = format!("the lookup `{}` has {} keys; here are {}", name.text, wanted.len(), keys.len());
            let names: Vec<String> = wanted.iter().map(|(n, _)| n.to_string()).collect();
            self.cx.say(&codes::ARGUMENTS, span, message, format!("give it {}", names.join(", ")));
            self.all_the_same(keys.iter());
            return Self::make(ExprKind::Const(Const::Absent), Type::Unknown, span);
        }
        let keys = keys
            .iter()
            .zip(&wanted)
            .map(|(key, (key_name, ty))| {
                let what = format!("the key `{key_name}` of the lookup `{}`", name.text);
                let lowered = self.expr_for(&what, key, ty);
                self.coerce(lowered, ty, &what)
            })
            .collect();
        Self::make(ExprKind::Lookup { lookup, keys, must: true }, result, span)
    }

    /// `xs[0]`: an element by its number.
    fn nth(&mut self, of: &ast::Expr, keys: &[ast::Expr], span: Span) -> Expr {
        let list = self.expr(of, None);
        let [key] = keys else {
            self.cx.say(&codes::ARGUMENTS, span, "an element of a list has one number", "write `xs[0]` for the first");
            return Self::unknown(span);
        };
        let number = self.expr(key, Some(&Type::Int));
        if let ExprKind::Const(Const::Text(name)) = &number.kind
            && let Some(entry) = self.entry_meant(&list, name)
        {
            self.cx.report(
                Diagnostic::new(&codes::TYPE_MISMATCH, span, "the elements of a list have numbers, not names")
                    .label("a name")
                    .help(format!("an entry is read by its key: `{entry}`"))
                    .fix("read it by its key", span, entry),
            );
            return Self::unknown(span);
        }
        let number = self.coerce(number, &Type::Int, "the number of an element");
        if number.ty == Type::Unknown {
            return Self::unknown(span);
        }
        match list.ty.element().cloned() {
            Some(element) => Self::make(ExprKind::Native(crate::ir::Native::Nth, vec![list, number]), element, span),
            None if list.ty == Type::Unknown => list,
            None => {
                let message = format!("{} has no elements", self.cx.show(&list.ty));
                self.cx.say(&codes::BAD_OPERANDS, span, message, "`[…]` asks a lookup or takes an element of a list");
                Self::unknown(span)
            }
        }
    }

    fn membership(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Expr {
        if let A::Name(group) = &right.kind
            && self.value_named(&group.text).is_none()
        {
            let left = self.expr(left, None);
            let left = self.coerce(left, &Type::Country, "a group of countries");
            if &*group.text != "eu" {
                self.cx.say(
                    &codes::UNKNOWN_NAME,
                    group.span,
                    format!("there is no group of countries `{}`", group.text),
                    "groups are: `eu`; a list stands in brackets, `in [\"NL\", \"BE\"]`",
                );
            }
            return Self::make(ExprKind::InGroup(Box::new(left), Arc::clone(&group.text)), Type::Bool, span);
        }
        let left = self.expr(left, None);
        let wanted = Type::List(Arc::new(left.ty.present().clone()));
        let right = self.expr(right, Some(&wanted));
        let right = self.read_as(right, &left.ty);
        if right.ty.is_optional() {
            let d = Diagnostic::new(&codes::OPTIONAL_AS_PRESENT, right.span, "this list may be absent")
                .label("may be absent")
                .help("say what counts without it: `x in (xs ?? [])`");
            self.cx.report(d);
            return Self::unknown(span);
        }
        let left = match right.ty.element().cloned() {
            Some(element) => self.read_as(left, &element),
            None => left,
        };
        match right.ty.element().cloned() {
            Some(element) if comparable(&left.ty, &element) => {}
            Some(element) => {
                let message = format!("{} is never in a list of {}", self.cx.show(&left.ty), self.cx.show(&element));
                let is_json = *left.ty.present() == Type::Json;
                let help =
                    if is_json { crate::check::infer::fields::JSON_COMPARED } else { "compare values of one type" };
                self.cx.say(&codes::BAD_OPERANDS, span, message, help);
            }
            None if right.ty == Type::Unknown => {}
            None => {
                let message = format!("`in` needs a list on its right; this is {}", self.cx.show(&right.ty));
                self.cx.say(
                    &codes::BAD_OPERANDS,
                    right.span,
                    message,
                    "write a list, `[\"a\", \"b\"]`, or a group, `eu`",
                );
            }
        }
        let (left, right) = self.without_case(left, right);
        Self::make(ExprKind::In(Box::new(left), Box::new(right)), Type::Bool, span)
    }

    fn choice(
        &mut self,
        cond: &ast::Expr,
        then: &ast::Expr,
        other: &ast::Expr,
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        let (cond, then) = self.scoped(|body| {
            let lowered = body.without_writes(|b| b.condition(cond));
            let cond = body.coerce(lowered, &Type::Bool, "the condition of an `if`");
            (cond, body.expr(then, want))
        });
        let other = self.scoped(|body| body.expr(other, want));
        let (ty, mut branches) = self.together(vec![then, other], want, span);
        let (other, then) = (branches.pop(), branches.pop());
        let (Some(then), Some(other)) = (then, other) else { return Self::unknown(span) };
        Self::make(ExprKind::If(Box::new(cond), Box::new(then), Box::new(other)), ty, span)
    }

    fn matched(&mut self, on: &ast::Expr, arms: &[ast::Arm], want: Option<&Type>, span: Span) -> Expr {
        let on = self.without_writes(|b| b.expr(on, None));
        let mut patterns = Vec::new();
        let mut values = Vec::new();
        for arm in arms {
            let pattern = self.cx.pattern(self.inside, &arm.pattern, &on.ty);
            self.arm_of_that_case(&on, &pattern, arm.pattern.span);
            patterns.push(pattern);
            values.push(self.scoped(|body| body.expr(&arm.value, want)));
        }
        let (on, patterns) = self.matched_without_case(on, patterns);
        self.covered(&on, arms, &patterns, span);
        self.reached(&on.ty, arms, &patterns);
        let (ty, values) = self.together(values, want, span);
        let arms = patterns.into_iter().zip(values).map(|(pattern, value)| Arm { pattern, value }).collect();
        Self::make(ExprKind::Match(Box::new(on), arms), ty, span)
    }

    fn list(&mut self, elements: &[ast::Element], want: Option<&Type>, span: Span) -> Expr {
        let wanted = want.and_then(|w| w.present().element()).cloned();
        let mut made = Vec::new();
        let (mut ty, mut disagree) = (Type::Never, false);
        for element in elements {
            let (built, element_ty, at) = match element {
                ast::Element::One(e) => {
                    let value = self.list_value(e, wanted.as_ref());
                    let (t, at) = (value.ty.clone(), value.span);
                    (Element::One(value), t, at)
                }
                ast::Element::For(clauses, e) => self.scoped(|body| {
                    let clauses = clauses.iter().map(|c| body.for_clause(c)).collect();
                    let value = body.list_value(e, wanted.as_ref());
                    let (t, at) = (value.ty.clone(), value.span);
                    (Element::For(clauses, value), t, at)
                }),
            };
            match (join(&ty, &element_ty), &wanted) {
                (Some(joined), _) => ty = joined,
                // Each is held against what is wanted: which of them is the wrong one is known then.
                (None, Some(_)) => disagree = true,
                (None, None) => {
                    let message = format!(
                        "this element is {}; those before are {}",
                        self.cx.show(&element_ty),
                        self.cx.show(&ty)
                    );
                    self.cx.say(&codes::TYPE_MISMATCH, at, message, "a list holds values of one type");
                }
            }
            made.push(built);
        }
        let ty = if disagree { Type::Unknown } else { ty };
        let made = Self::make(ExprKind::List(made), Type::List(Arc::new(ty)), span);
        match want.filter(|_| disagree) {
            Some(want) => self.coerce(made, want.present(), "this list"),
            None => made,
        }
    }

    fn list_value(&mut self, e: &ast::Expr, want: Option<&Type>) -> Expr {
        let value = self.expr(e, want);
        match want {
            Some(ty @ Type::Record(_)) => {
                let ty = ty.clone();
                self.coerce(value, &ty, "an element of this list")
            }
            _ => value,
        }
    }

    fn for_clause(&mut self, clause: &ast::ForClause) -> ForClause {
        let list = self.expr(&clause.list, None);
        let element = match list.ty.element() {
            Some(element) => element.clone(),
            None => {
                if !matches!(list.ty, Type::Unknown | Type::Never) {
                    let message = format!("`for` goes through a list; this is {}", self.cx.show(&list.ty));
                    self.cx.say(&codes::BAD_OPERANDS, list.span, message, "give it a list, such as `order.line_items`");
                }
                Type::Unknown
            }
        };
        let local = self.bind(&clause.name, element);
        self.names_caseless(local, &list);
        let cond = clause.cond.as_ref().map(|c| {
            let lowered = self.condition(c);
            self.coerce(lowered, &Type::Bool, "the `where` of a list")
        });
        ForClause { local, list, cond }
    }

    fn stop(&mut self, kind: ast::StopKind, message: &ast::Expr, span: Span) -> Expr {
        let lowered = self.expr(message, Some(&Type::Text(None)));
        let message = self.coerce(lowered, &Type::Text(None), "a reason");
        let kind = match kind {
            ast::StopKind::Fail => Stop::Fail,
            ast::StopKind::Skip => Stop::Skip,
            ast::StopKind::Wait => Stop::Wait,
        };
        Self::make(ExprKind::Stop(kind, Box::new(message)), Type::Never, span)
    }
}

impl Infer<'_, '_> {
    /// A value that must be known before anything runs: a literal, a list of them, or an answered setting.
    pub(crate) fn constant(&mut self, e: &ast::Expr) -> Option<Const> {
        let lowered = self.expr(e, None);
        constant_of(&lowered)
    }

    /// A condition of a schema over the fields of an entity.
    pub(crate) fn over_fields(mut self, entity: EntityId, cond: &ast::Expr) -> Expr {
        self.fields_of = Some(entity);
        self.target = Some(entity);
        let lowered = self.expr(cond, Some(&Type::Bool));
        self.coerce(lowered, &Type::Bool, "a condition")
    }

    /// The meaning of an expression that is for a place which messages call so.
    pub(crate) fn expr_for(&mut self, place: &str, e: &ast::Expr, want: &Type) -> Expr {
        let outer = std::mem::replace(&mut self.place, place.into());
        let out = self.expr(e, Some(want));
        self.place = outer;
        out
    }
}
