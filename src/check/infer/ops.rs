//! Operators: which types they join, and the algebra of amounts.

use crate::check::infer::coerce::Wanted;
use crate::check::infer::fields::JSON_COMPARED;
use crate::check::infer::frame::{Infer, may_miss, recoverable};
use crate::check::types::relations::{comparable, join, orders};
use crate::ir::{Binary, Const, Element, Expr, ExprKind, Kind, Native, Type, Unary};
use crate::source::{Code, Diagnostic, Span, codes};
use crate::syntax::ast::{self, BinaryOp as Op, UnaryOp};
use std::sync::Arc;

impl Infer<'_, '_> {
    /// `x is some y`, `x is none`: whether it is there.
    pub(crate) fn is_some(&mut self, of: &ast::Expr, bind: Option<&ast::Name>, span: Span) -> Expr {
        let mut of = self.expr(of, None);
        // What stops for want of a value is not there.
        if recoverable(&mut of) && may_miss(&of) {
            let (ty, at) = (of.ty.clone(), of.span);
            of = Self::make(ExprKind::OrElse(Box::new(of), Box::new(Self::absent(at))), ty, at);
        }
        if !of.ty.is_optional() && !matches!(of.ty, Type::Unknown | Type::Never) {
            self.cx.report(
                Diagnostic::new(&codes::NEEDLESS, span, format!("{} is always there", self.cx.show(&of.ty)))
                    .label("can't be absent")
                    .help("leave the question out, or ask something else, such as whether a text is empty"),
            );
        }
        let local = bind.map(|name| {
            let ty = of.ty.present().clone();
            let local = self.bind(name, ty);
            self.names_caseless(local, &of);
            local
        });
        Self::make(ExprKind::IsSome(Box::new(of), local), Type::Bool, span)
    }

    pub(crate) fn unary(&mut self, op: UnaryOp, inner: &ast::Expr, span: Span) -> Expr {
        match op {
            UnaryOp::Not => {
                let lowered = self.scoped(|body| body.expr(inner, Some(&Type::Bool)));
                let inner = self.coerce(lowered, &Type::Bool, "`not`");
                Self::make(ExprKind::Unary(Unary::Not, Box::new(inner)), Type::Bool, span)
            }
            UnaryOp::Neg => {
                let inner = self.expr(inner, None);
                if !inner.ty.is_number() && !matches!(inner.ty, Type::Unknown | Type::Price | Type::Duration) {
                    let message = format!("`-` needs a number; this is {}", self.cx.show(&inner.ty));
                    self.cx.say(
                        &codes::BAD_OPERANDS,
                        span,
                        message,
                        "put it before a number or an amount that is there",
                    );
                    return Self::unknown(span);
                }
                let ty = inner.ty.clone();
                Self::make(ExprKind::Unary(Unary::Neg, Box::new(inner)), ty, span)
            }
        }
    }

    pub(crate) fn binary(
        &mut self,
        op: Op,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        match op {
            Op::Else => self.or_else(left, right, want, span),
            Op::And => {
                // What the left side found exists to its right.
                let left = self.truth(left, "`and`");
                let right = self.truth(right, "`and`");
                Self::make(ExprKind::Binary(Binary::And, Box::new(left), Box::new(right)), Type::Bool, span)
            }
            Op::Or => {
                let left = self.scoped(|body| body.condition(left));
                if left.ty.is_optional() && !matches!(left.ty.present(), Type::Bool) {
                    return self.meant_else(&left, op_span, right, want, span);
                }
                let left = self.coerce(left, &Type::Bool, "`or`");
                let right = self.scoped(|body| body.truth(right, "`or`"));
                Self::make(ExprKind::Binary(Binary::Or, Box::new(left), Box::new(right)), Type::Bool, span)
            }
            Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => self.comparison(op, op_span, left, right, span),
            Op::Add | Op::Sub | Op::Mul | Op::Div => {
                let left = self.expr(left, want);
                // A list of nothing yet says nothing of the other.
                let says = |element: &Type| !matches!(element.present(), Type::Never | Type::Nothing | Type::Unknown);
                let hint = left.ty.element().is_some_and(says).then(|| left.ty.clone());
                let right = self.expr(right, hint.as_ref().or(want));
                let (left, right) = match want.map(Type::present) {
                    Some(list @ Type::List(_)) if op == Op::Add => self.lists_apart(left, right, list),
                    _ => (left, right),
                };
                self.arithmetic(op, op_span, left, right, span)
            }
        }
    }

    /// Two lists that have no type together: each is held against what is wanted, so that the wrong element is told where
    /// it stands.
    fn lists_apart(&mut self, left: Expr, right: Expr, wanted: &Type) -> (Expr, Expr) {
        match (left.ty.element(), right.ty.element()) {
            (Some(a), Some(b)) if join(a, b).is_none() => {
                (self.coerce(left, wanted, "this list"), self.coerce(right, wanted, "this list"))
            }
            _ => (left, right),
        }
    }

    fn truth(&mut self, e: &ast::Expr, what: &str) -> Expr {
        let lowered = self.condition(e);
        self.coerce(lowered, &Type::Bool, what)
    }

    /// `order.customer_note or "none"`, as other languages say it.
    fn meant_else(&mut self, left: &Expr, op_span: Span, right: &ast::Expr, want: Option<&Type>, span: Span) -> Expr {
        self.expr(right, want);
        let message = format!("`or` joins conditions; on its left is {}", self.cx.show(&left.ty));
        self.cx.report(
            Diagnostic::new(&codes::BAD_OPERANDS, op_span, message)
                .label("between values")
                .help("`??` gives what stands in the place of an absent value: `a ?? b`")
                .fix("write `??`", op_span, "??"),
        );
        Self::unknown(span)
    }

    fn or_else(&mut self, left: &ast::Expr, right: &ast::Expr, want: Option<&Type>, span: Span) -> Expr {
        let wanted = want.map(|w| w.present().clone());
        let mut left = self.expr(left, wanted.as_ref());
        let missed = recoverable(&mut left);
        if !missed && !left.ty.is_optional() && !matches!(left.ty, Type::Unknown | Type::Never) && !may_miss(&left) {
            self.cx.report(
                Diagnostic::new(
                    &codes::NEEDLESS,
                    left.span,
                    format!("{} is always there: what follows `??` is never used", self.cx.show(&left.ty)),
                )
                .label("can't be absent")
                .help("leave out the `??` and what follows it"),
            );
        }
        let right = self.expr(right, want);
        let there = if left.ty == Type::Nothing { Type::Never } else { left.ty.present().clone() };
        let ty = match join(&there, &right.ty) {
            Some(Type::Nothing) => Type::Nothing,
            Some(ty) => ty,
            None => match &wanted {
                Some(wanted) => {
                    let wanted = if right.ty.is_optional() { wanted.clone().optional() } else { wanted.clone() };
                    let right = self.coerce(right, &wanted, "what follows `??`");
                    let left =
                        self.map_present(left, |body, e| body.coerce(e, wanted.present(), "what stands before `??`"));
                    return Self::make(ExprKind::OrElse(Box::new(left), Box::new(right)), wanted, span);
                }
                None => {
                    let message =
                        format!("before `??` stands {}, after it {}", self.cx.show(&there), self.cx.show(&right.ty));
                    self.cx.say(
                        &codes::TYPE_MISMATCH,
                        right.span,
                        message,
                        "both sides of `??` give a value of one type",
                    );
                    return Self::unknown(span);
                }
            },
        };
        // A code and a record are one identity: both become the record.
        let right = if right.ty == ty { right } else { self.coerce(right, &ty, "what follows `??`") };
        let optional = ty.clone().optional();
        let left = if *left.ty.present() == *ty.present() {
            left
        } else {
            self.coerce(left, &optional, "what stands before `??`")
        };
        Self::make(ExprKind::OrElse(Box::new(left), Box::new(right)), ty, span)
    }

    fn comparison(&mut self, op: Op, op_span: Span, left: &ast::Expr, right: &ast::Expr, span: Span) -> Expr {
        let left = self.expr(left, None);
        let hint = left.ty.present().clone();
        let right = self.expr_for("the other side", right, &hint);
        // `"x" == status` as well as `status == "x"`.
        let left = self.read_as(left, &right.ty);
        let right = self.read_as(right, &left.ty);
        let kind = match op {
            Op::Eq => Binary::Eq,
            Op::Ne => Binary::Ne,
            Op::Lt => Binary::Lt,
            Op::Le => Binary::Le,
            Op::Gt => Binary::Gt,
            _ => Binary::Ge,
        };
        let ordered = !matches!(op, Op::Eq | Op::Ne);
        if ordered {
            let absent = [&left, &right].into_iter().find(|side| side.ty.is_optional()).map(|side| side.span);
            if let Some(at) = absent {
                let d = Diagnostic::new(
                    &codes::OPTIONAL_AS_PRESENT,
                    at,
                    "this may be absent, so it is neither more nor less than anything",
                )
                .label("may be absent")
                .help("say what counts without it: `(x ?? 0) > 1`");
                self.cx.report(d);
                return Self::make(ExprKind::Binary(kind, Box::new(left), Box::new(right)), Type::Bool, span);
            }
        }
        let fits = comparable(&left.ty, &right.ty) && (!ordered || orders(&left.ty) && orders(&right.ty));
        if !fits {
            let (l, r) = (self.cx.show(&left.ty), self.cx.show(&right.ty));
            let (code, help): (&'static Code, &str) = match (left.ty.present(), right.ty.present()) {
                (Type::Money(_), Type::Money(_)) => {
                    (&codes::MONEY_KINDS, "compare amounts of one kind: net + tax is gross")
                }
                (Type::Json, _) | (_, Type::Json) => (&codes::BAD_OPERANDS, JSON_COMPARED),
                _ => (&codes::BAD_OPERANDS, "compare values of one type; nothing is converted by itself"),
            };
            let told = Diagnostic::new(code, op_span, format!("{l} can't be compared with {r}"))
                .label("different types")
                .help(help);
            let mended = self.mended_side(&left, &right, &told).or_else(|| self.mended_side(&right, &left, &told));
            self.cx.report(mended.unwrap_or(told));
        }
        let (left, right) = if ordered { (left, right) } else { self.without_case(left, right) };
        Self::make(ExprKind::Binary(kind, Box::new(left), Box::new(right)), Type::Bool, span)
    }

    /// A text in quotes beside a code or an enumeration is one of its values; a number beside a rate has its sign.
    pub(crate) fn read_as(&mut self, text: Expr, beside: &Type) -> Expr {
        match (&text.kind, beside.present()) {
            (ExprKind::Const(Const::Text(_)), Type::Enum(_) | Type::Country | Type::Currency | Type::Guid)
                if matches!(text.ty, Type::Text(_)) =>
            {
                let want = beside.present().clone();
                self.coerce(text, &want, "the other side")
            }
            (_, Type::Percent) if text.ty.is_written() => self.coerce(text, &Type::Percent, "the other side"),
            (_, Type::Enum(_) | Type::Country | Type::Currency | Type::Guid) => {
                let place = Wanted { what: "the other side".to_owned(), ..Wanted::default() };
                for (quoted, at) in quoted_within(&text) {
                    self.literal_text(&quoted, beside.present(), at, &place);
                }
                text
            }
            _ => text,
        }
    }

    fn arithmetic(&mut self, op: Op, op_span: Span, left: Expr, right: Expr, span: Span) -> Expr {
        for side in [&left, &right] {
            if side.ty.is_optional() {
                let d = Diagnostic::new(
                    &codes::OPTIONAL_AS_PRESENT,
                    side.span,
                    "this may be absent, so nothing can be computed with it",
                )
                .label("may be absent");
                let texts = left.ty.present().is_text() || right.ty.present().is_text();
                let d = d.help(if texts {
                    "texts are joined in a list, which leaves out what is absent: `[a, b].join(\" \")`"
                } else {
                    "say what counts without it: `(x ?? 0) + 1`"
                });
                self.cx.report(d);
                return Self::unknown(span);
            }
        }
        let kind = match op {
            Op::Add => Binary::Add,
            Op::Sub => Binary::Sub,
            Op::Mul => Binary::Mul,
            _ => Binary::Div,
        };
        match result(kind, &left.ty, &right.ty) {
            Ok(ty) => {
                if let (Binary::Add, Type::List(_)) = (kind, &ty) {
                    let elements = vec![crate::ir::Element::All(left), crate::ir::Element::All(right)];
                    return Self::make(ExprKind::List(elements), ty, span);
                }
                if let (Type::Date, Some(Const::Duration(d))) =
                    (&left.ty, crate::check::infer::frame::constant_of(&right))
                    && !crate::value::time::whole_days(d)
                {
                    let message = "a date moves by whole days, and this is not one";
                    self.cx.say(
                        &codes::BAD_OPERANDS,
                        right.span,
                        message,
                        "write `2 days`, or move an instant and take its `.date()`",
                    );
                }
                self.has_result(kind, &left, &right);
                Self::make(ExprKind::Binary(kind, Box::new(left), Box::new(right)), ty, span)
            }
            Err((code, help)) => {
                let (l, r) = (self.cx.show(&left.ty), self.cx.show(&right.ty));
                let sign = match kind {
                    Binary::Add => "+",
                    Binary::Sub => "-",
                    Binary::Mul => "*",
                    _ => "/",
                };
                let d = Diagnostic::new(code, op_span, format!("`{sign}` does not join {l} and {r}"))
                    .label("these don't go together")
                    .help(help);
                self.cx.report(d);
                Self::unknown(span)
            }
        }
    }
}

/// What an operator makes of two types; else the kind of mistake, and what to do.
fn result(op: Binary, a: &Type, b: &Type) -> Result<Type, (&'static Code, &'static str)> {
    use Binary::{Add, Div, Mul, Sub};
    use Type as T;
    let money: (&'static Code, &str) =
        (&codes::MONEY_KINDS, "like amounts add up; net + tax is gross, gross - net is tax, gross - tax is net");
    let other: (&'static Code, &str) =
        (&codes::BAD_OPERANDS, "numbers go with numbers; texts are joined inside one text, `\"{a}{b}\"`");
    Ok(match (op, a, b) {
        (_, T::Unknown, _) | (_, _, T::Unknown) => T::Unknown,
        (_, T::Never, x) | (_, x, T::Never) => x.clone(),
        (Add | Sub, T::Money(x), T::Money(y)) if x == y => a.clone(),
        (Add, T::Money(Kind::Net), T::Money(Kind::Tax)) | (Add, T::Money(Kind::Tax), T::Money(Kind::Net)) => {
            T::Money(Kind::Gross)
        }
        (Sub, T::Money(Kind::Gross), T::Money(Kind::Net)) => T::Money(Kind::Tax),
        (Sub, T::Money(Kind::Gross), T::Money(Kind::Tax)) => T::Money(Kind::Net),
        (Add | Sub, T::Money(_), T::Money(_)) => return Err(money),
        (Add | Sub, T::Money(_), n) if n.is_written() => a.clone(),
        (Add | Sub, n, T::Money(_)) if n.is_written() => b.clone(),
        (Div, T::Money(x), T::Money(y)) if x == y => T::Decimal,
        (Div | Mul, T::Money(_), T::Money(_)) => return Err(money),
        (Mul | Div, T::Money(_) | T::Price, T::Percent) | (Mul, T::Percent, T::Money(_) | T::Price) => {
            return Err((
                &codes::MONEY_KINDS,
                "an amount times a rate could be net or tax: say which, `net.tax(21%)` or `gross.net(21%)`",
            ));
        }
        (Mul | Div, T::Money(_) | T::Price, n) if plain(n) => a.clone(),
        (Mul, n, T::Money(_) | T::Price) if plain(n) => b.clone(),
        (Add | Sub, T::Price, T::Price) => T::Price,
        (Add | Sub, T::Percent, T::Percent) => T::Percent,
        (_, T::Percent, n) | (_, n, T::Percent) if plain(n) || *n == T::Percent => return Err(other),
        (Div, x, y) if plain(x) && plain(y) => T::Decimal,
        (_, T::Literal, T::Literal) => T::Literal,
        (_, x, y) if x.is_written() && y.is_written() => T::Fraction,
        (_, T::Int | T::Literal, T::Int | T::Literal) => T::Int,
        (_, x, y) if plain(x) && plain(y) => T::Decimal,
        (Add | Sub, T::Instant, T::Duration) => T::Instant,
        (Add | Sub, T::Date, T::Duration) => T::Date,
        (Sub, T::Instant, T::Instant) => T::Duration,
        (Add | Sub, T::Duration, T::Duration) => T::Duration,
        (Add, T::List(x), T::List(y)) => T::List(Arc::new(join(x, y).ok_or(other)?)),
        _ => return Err(other),
    })
}

fn plain(ty: &Type) -> bool {
    ty.is_written() || matches!(ty, Type::Int | Type::Decimal)
}

/// The texts in quotes that a value may be, or that a list may hold, as far as they are written in it: what a function
/// gives is a text that is read.
fn quoted_within(value: &Expr) -> Vec<(Arc<str>, Span)> {
    fn collect(e: &Expr, whole: Span, all: &mut Vec<(Arc<str>, Span)>) {
        if e.span.file != whole.file || e.span.start < whole.start || whole.end < e.span.end {
            return;
        }
        let mut see = |inner: &Expr| collect(inner, whole, all);
        match &e.kind {
            ExprKind::Const(Const::Text(text)) if matches!(e.ty, Type::Text(_)) => all.push((Arc::clone(text), e.span)),
            ExprKind::If(_, a, b) | ExprKind::OrElse(a, b) => {
                see(a);
                see(b);
            }
            ExprKind::Match(_, arms) => arms.iter().for_each(|arm| see(&arm.value)),
            ExprKind::Lambda(_, body) | ExprKind::Let(_, _, body) => see(body),
            ExprKind::List(elements) => {
                elements.iter().for_each(|(Element::One(e) | Element::For(_, e) | Element::All(e))| see(e));
            }
            ExprKind::Native(Native::Map | Native::Flat, list) => list.iter().skip(1).for_each(see),
            ExprKind::Native(
                Native::First
                | Native::Last
                | Native::Single
                | Native::Nth
                | Native::Distinct
                | Native::Present
                | Native::Where
                | Native::Sorted,
                list,
            ) => list.iter().take(1).for_each(see),
            _ => {}
        }
    }
    let mut all = Vec::new();
    collect(value, value.span, &mut all);
    all
}
