//! Functions of the language that look at each element of a list.

use crate::check::infer::frame::Infer;
use crate::check::types::relations::orders;
use crate::ir::{Expr, ExprKind, Native, Type};
use crate::source::{Span, codes};
use crate::syntax::ast::{self, Arg, ExprKind as A};
use std::sync::Arc;

impl Infer<'_, '_> {
    /// `xs.where(x => c)` and its like.
    pub(crate) fn over(&mut self, native: Native, list: Expr, args: &[Arg], want: Option<&Type>, span: Span) -> Expr {
        let Some(element) = self.element_of(native, &list) else { return Self::unknown(span) };
        let [arg] = args else { return self.wrong_count(native, 1, args.len(), span) };
        let made = match native {
            Native::Where | Native::Any | Native::All => {
                self.lambda(&arg.value, (&list, &element), Some(&Type::Bool)).map(|f| {
                    let ExprKind::Lambda(names, body) = f.kind else { return f };
                    let body = self.coerce(*body, &Type::Bool, "this condition");
                    Self::make(ExprKind::Lambda(names, Box::new(body)), Type::Bool, f.span)
                })
            }
            Native::Map => self.lambda(&arg.value, (&list, &element), want.and_then(|w| w.present().element())),
            _ => self.lambda(&arg.value, (&list, &element), None),
        };
        let Some(f) = made else { return Self::unknown(span) };
        let result = match native {
            Native::Where => list.ty.clone(),
            Native::Sorted if self.sorts(&f) => list.ty.clone(),
            Native::Sorted => Type::Unknown,
            Native::Any | Native::All => Type::Bool,
            Native::Flat => match f.ty.element() {
                Some(_) => f.ty.clone(),
                None => {
                    self.cx.say(
                        &codes::TYPE_MISMATCH,
                        f.span,
                        "`flat` needs a list for each element",
                        "give it a list, or use `map`",
                    );
                    Type::Unknown
                }
            },
            _ => Type::List(Arc::new(f.ty.clone())),
        };
        Self::make(ExprKind::Native(native, vec![list, f]), result, span)
    }

    /// `x => e` over an element of that type, of a list.
    pub(crate) fn lambda(
        &mut self,
        e: &ast::Expr,
        (list, element): (&Expr, &Type),
        want: Option<&Type>,
    ) -> Option<Expr> {
        let A::Lambda(names, body) = &e.kind else {
            self.cx.say(&codes::TYPE_MISMATCH, e.span, "a function is wanted here", "write it as `x => …`");
            return None;
        };
        let [name] = names.as_slice() else {
            self.cx.say(
                &codes::ARGUMENTS,
                e.span,
                "this function is given one element at a time",
                "write it as `x => …`",
            );
            return None;
        };
        Some(self.scoped(|inner| {
            let local = inner.bind(name, element.clone());
            inner.names_caseless(local, list);
            let made = inner.expr(body, want);
            let (ty, span) = (made.ty.clone(), e.span);
            Self::make(ExprKind::Lambda(vec![local], Box::new(made)), ty, span)
        }))
    }

    /// Whether values of what a function gives have an order.
    fn sorts(&mut self, f: &Expr) -> bool {
        let fits = orders(&f.ty) || f.ty.is_text() && !f.ty.is_optional();
        if !fits {
            let message =
                format!("`sorted` puts texts, numbers and times in their order; this is {}", self.cx.show(&f.ty));
            self.cx.say(
                &codes::BAD_OPERANDS,
                f.span,
                message,
                "sort by a field that is there: `xs.sorted(x => x.name)`",
            );
        }
        fits
    }

    /// `xs.chain((x, last) => e)`: what it gives is of the type that is wanted, since each is given what came of the one
    /// before it.
    pub(crate) fn chain(&mut self, list: Expr, args: &[Arg], want: Option<&Type>, span: Span) -> Expr {
        let Some(element) = self.element_of(Native::Chain, &list) else { return Self::unknown(span) };
        let [arg] = args else { return self.wrong_count(Native::Chain, 1, args.len(), span) };
        let A::Lambda(names, body) = &arg.value.kind else {
            let help = "write it as `(x, last) => …`";
            self.cx.say(&codes::TYPE_MISMATCH, arg.value.span, "a function is wanted here", help);
            return Self::unknown(span);
        };
        let [name, last] = names.as_slice() else {
            let message = "`chain` gives an element and what came of the one before it";
            self.cx.say(&codes::ARGUMENTS, arg.value.span, message, "write it as `(x, last) => …`");
            return Self::unknown(span);
        };
        let Some(ty) = want.map(|want| want.present().clone()) else {
            let message = "what `chain` gives is of the type that its place wants, and here is none";
            let help = "give it to a field, or to a function whose result has a type: `fn f(xs: list<text>) -> woo.Category? = xs.chain(…)`";
            self.cx.say(&codes::MISPLACED, span, message, help);
            return Self::unknown(span);
        };
        let f = self.scoped(|inner| {
            let each = inner.bind(name, element.clone());
            inner.names_caseless(each, &list);
            let before = inner.bind(last, ty.clone().optional());
            let made = inner.expr(body, Some(&ty));
            let made = inner.coerce(made, &ty, "what `chain` makes of an element");
            Self::make(ExprKind::Lambda(vec![each, before], Box::new(made)), ty.clone(), arg.value.span)
        });
        Self::make(ExprKind::Native(Native::Chain, vec![list, f]), ty.optional(), span)
    }
}
