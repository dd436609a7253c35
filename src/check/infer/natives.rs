//! The language's own functions: what they take and what they give.

use crate::check::infer::frame::Infer;
use crate::check::types::relations::{comparable, join};
use crate::ir::{Const, Expr, ExprKind, Kind, Native, Type};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, Arg, ExprKind as A};
use std::sync::Arc;

impl Infer<'_, '_> {
    /// A call of a native: what stands before the dot, and the arguments behind it.
    pub(crate) fn native(
        &mut self,
        native: Native,
        receiver: Option<Expr>,
        args: &[Arg],
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        use Native as N;
        let Some(receiver) = receiver else {
            return match native {
                N::Today => Self::make(ExprKind::Native(native, Vec::new()), Type::Date, span),
                N::Now => Self::make(ExprKind::Native(native, Vec::new()), Type::Instant, span),
                _ => self.wrong_count(native, 1, 0, span),
            };
        };
        if matches!(receiver.ty, Type::Unknown | Type::Never) {
            self.all_the_same(args.iter().map(|arg| &arg.value));
            return Self::unknown(span);
        }
        if receiver.ty.is_optional() && !matches!(native, N::Linked | N::Present) {
            let d = Diagnostic::new(
                &codes::OPTIONAL_AS_PRESENT,
                receiver.span,
                format!("this may be absent, so `{}` has nothing to work on", native.name()),
            )
            .label("may be absent");
            self.cx.report(self.present_for(native, &receiver, args, d));
            self.all_the_same(args.iter().map(|arg| &arg.value));
            return Self::unknown(span);
        }
        match native {
            N::Map | N::Where | N::Flat | N::Any | N::All | N::Sorted => self.over(native, receiver, args, want, span),
            N::Chain => self.chain(receiver, args, want, span),
            N::Sum => self.sum(receiver, args, span),
            N::Count | N::First | N::Last | N::Single | N::IsEmpty | N::Present | N::Distinct => {
                self.of_list(native, receiver, args, span)
            }
            N::Join => self.join_texts(receiver, args, span),
            N::Nth => self.of_number(native, receiver, args, span),
            N::Fit => self.fit(receiver, args, want, span),
            N::Max | N::Min => self.extreme(native, receiver, args, span),
            N::Round | N::Floor | N::Abs | N::Int | N::DecimalOf | N::PercentOf => {
                self.of_number(native, receiver, args, span)
            }
            N::PriceOf | N::Untaxed | N::TaxOf | N::NetOf | N::GrossOf | N::WithTax | N::Share => {
                self.of_money(native, receiver, args, want, span)
            }
            N::DateOf => self.fixed(native, receiver, &Type::Instant, args, &[], Type::Date, span),
            N::Today | N::Now => self.wrong_count(native, 0, 1, span),
            N::TextOf => self.fixed(native, receiver, &Type::Json, args, &[], Type::Text(None).optional(), span),
            N::Linked if !args.is_empty() => self.linked_as(receiver, args, span),
            N::Linked if self.drafts && self.target.is_none() => {
                let help = "write `exact.SalesOrder.linked(order) is some`: what it became, of that entity";
                self.cx.say(
                    &codes::MISPLACED,
                    span,
                    "nothing is written here that the record could be linked to",
                    help,
                );
                Self::unknown(span)
            }
            N::Linked => {
                self.record_of_ours(&receiver);
                Self::make(ExprKind::Native(native, vec![receiver]), Type::Bool, span)
            }
            N::MetaOf => self.meta(receiver, args, span),
            N::DocumentTotal | N::JsonOf => {
                let (message, help) = match native {
                    N::JsonOf => ("a value becomes JSON where JSON is wanted", "leave `.json()` out"),
                    _ => (
                        "`document_total` is the formula of a schema",
                        "use `balance` to compare with a computed field",
                    ),
                };
                self.cx.say(&codes::MISPLACED, span, message, help);
                Self::unknown(span)
            }
            N::Plain
            | N::Digits
            | N::Trim
            | N::Tidy
            | N::CountryOf
            | N::Upper
            | N::Lower
            | N::Take
            | N::Replace
            | N::StartsWith
            | N::EndsWith
            | N::Contains
            | N::Split
            | N::Length
            | N::Postcode
            | N::Street
            | N::Capture => self.of_text(native, receiver, args, span),
        }
    }

    /// A native with fixed types.
    #[expect(clippy::too_many_arguments, reason = "a native is its name, its types and its arguments")]
    fn fixed(
        &mut self,
        native: Native,
        receiver: Expr,
        first: &Type,
        args: &[Arg],
        types: &[Type],
        result: Type,
        span: Span,
    ) -> Expr {
        if args.len() != types.len() {
            return self.wrong_count(native, types.len(), args.len(), span);
        }
        let mut values = vec![self.coerce(receiver, first, &format!("`{}`", native.name()))];
        for (arg, ty) in args.iter().zip(types) {
            let value = self.expr(&arg.value, Some(ty));
            self.is_possible(native, &value);
            values.push(self.coerce(value, ty, &format!("`{}`", native.name())));
        }
        Self::make(ExprKind::Native(native, values), result, span)
    }

    fn of_text(&mut self, native: Native, receiver: Expr, args: &[Arg], span: Span) -> Expr {
        use Native as N;
        let text = Type::Text(None);
        let length = crate::check::types::relations::longest(&receiver.ty);
        let same = Type::Text(length);
        let (types, result): (Vec<Type>, Type) = match native {
            N::Plain | N::Trim | N::Tidy => (vec![], same.optional()),
            N::CountryOf => (vec![], Type::Country.optional()),
            N::Digits => (vec![], same.optional()),
            N::Upper | N::Lower => (vec![], Type::Text(None)),
            N::Take => (vec![Type::Int], Type::Text(None)),
            N::Replace => (vec![text.clone(), text.clone()], Type::Text(None)),
            N::StartsWith | N::EndsWith | N::Contains => (vec![text.clone()], Type::Bool),
            N::Split => (vec![text.clone()], Type::List(Arc::new(text.clone()))),
            N::Capture => (vec![text.clone()], Type::List(Arc::new(text.clone().optional()))),
            N::Length => (vec![], Type::Int),
            N::Postcode => (vec![Type::Country], Type::Text(Some(20))),
            _ => (vec![], Type::List(Arc::new(text.clone().optional()))),
        };
        // A text without HTML, or trimmed, is still a text when it was one: what is empty is absent.
        let result = if native == N::Plain { Type::Text(length) } else { result };
        let mut made = self.fixed(native, receiver, &text, args, &types, result, span);
        if let (N::Take, ExprKind::Native(_, values)) = (native, &mut made.kind) {
            if let Some(ExprKind::Const(Const::Number(n))) = values.get(1).map(|v| &v.kind) {
                made.ty = Type::Text(u32::try_from(*n).ok());
            }
            if self.utf16 {
                values.push(Self::make(ExprKind::Const(Const::Bool(true)), Type::Bool, span));
            }
        }
        if let (N::StartsWith | N::EndsWith | N::Contains, ExprKind::Native(_, values)) = (native, &mut made.kind)
            && let [whole, part] = values.as_mut_slice()
        {
            (*whole, *part) = self.without_case(whole.clone(), part.clone());
        }
        made
    }

    /// `.fit()`: the place that it is for decides the length.
    fn fit(&mut self, receiver: Expr, args: &[Arg], want: Option<&Type>, span: Span) -> Expr {
        let at = match args {
            [] => "char",
            [Arg { name: Some(name), value }] if &*name.text == "at" => match self.constant(value) {
                Some(Const::Text(word)) if &*word == "word" => "word",
                Some(Const::Text(word)) if &*word == "mark" => "mark",
                _ => {
                    self.cx.say(
                        &codes::UNKNOWN_VALUE,
                        value.span,
                        "`fit` cuts anywhere, at a word, or with a mark that tells two long texts apart",
                        "write `.fit()`, `.fit(at: \"word\")` or `.fit(at: \"mark\")`",
                    );
                    "char"
                }
            },
            _ => return self.wrong_count(Native::Fit, 0, args.len(), span),
        };
        let receiver = self.coerce(receiver, &Type::Text(None), "`fit`");
        let Some(Type::Text(Some(max))) = want.map(Type::present) else {
            return match want.map(Type::present) {
                Some(Type::Text(None) | Type::Email | Type::Unknown) => receiver,
                _ => {
                    self.cx.say(
                        &codes::NEEDLESS,
                        span,
                        "`fit` cuts to the field that it is for; here is none",
                        "cut with `.take(n)`, or leave it to the field that gets the text",
                    );
                    receiver
                }
            };
        };
        if at == "mark" && (*max as usize) < crate::value::text::MARKED_MIN {
            let message = format!("a text of {max} characters has no room for a mark");
            self.cx.say(
                &codes::BAD_OPERANDS,
                span,
                message,
                "leave `.fit()` out: a text that is too long stops its record",
            );
        }
        let constant = |c: Const, ty: Type| Self::make(ExprKind::Const(c), ty, span);
        let values = vec![
            receiver,
            constant(Const::Number((*max).into()), Type::Int),
            constant(Const::Text(at.into()), Type::Text(None)),
            constant(Const::Bool(self.utf16), Type::Bool),
        ];
        Self::make(ExprKind::Native(Native::Fit, values), Type::Text(Some(*max)), span)
    }

    /// `xs.where(x => c)` and its like.
    fn over(&mut self, native: Native, list: Expr, args: &[Arg], want: Option<&Type>, span: Span) -> Expr {
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
    fn lambda(&mut self, e: &ast::Expr, (list, element): (&Expr, &Type), want: Option<&Type>) -> Option<Expr> {
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

    /// `xs.chain((x, last) => e)`: what it gives is of the type that is wanted, since each is given what came of the one
    /// before it.
    fn chain(&mut self, list: Expr, args: &[Arg], want: Option<&Type>, span: Span) -> Expr {
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

    fn sum(&mut self, list: Expr, args: &[Arg], span: Span) -> Expr {
        let Some(element) = self.element_of(Native::Sum, &list) else { return Self::unknown(span) };
        let (ty, values) = match args {
            [] => (element, vec![list]),
            [arg] => match self.lambda(&arg.value, (&list, &element), None) {
                Some(f) => (f.ty.clone(), vec![list, f]),
                None => return Self::unknown(span),
            },
            _ => return self.wrong_count(Native::Sum, 1, args.len(), span),
        };
        if !ty.is_number() && !matches!(ty, Type::Price | Type::Unknown | Type::Never) {
            let message = format!("`sum` adds numbers; these are {}", self.cx.show(&ty));
            self.cx.say(&codes::BAD_OPERANDS, span, message, "give it amounts that are there: `xs.sum(x => x.total)`");
            return Self::unknown(span);
        }
        // Of no elements it is 0.
        let ty = if ty == Type::Never { Type::Literal } else { ty };
        Self::make(ExprKind::Native(Native::Sum, values), ty, span)
    }

    fn join_texts(&mut self, list: Expr, args: &[Arg], span: Span) -> Expr {
        let Some(element) = self.element_of(Native::Join, &list) else { return Self::unknown(span) };
        let [separator] = args else { return self.wrong_count(Native::Join, 1, args.len(), span) };
        if !element.present().is_text() && !matches!(element.present(), Type::Unknown | Type::Never) {
            let message = format!("`join` joins texts; these are {}", self.cx.show(&element));
            self.cx.say(&codes::BAD_OPERANDS, list.span, message, "make texts of them first: `[for x in xs: \"{x}\"]`");
            return Self::unknown(span);
        }
        let separator = self.expr(&separator.value, None);
        let separator = self.coerce(separator, &Type::Text(None), "the separator");
        Self::make(ExprKind::Native(Native::Join, vec![list, separator]), Type::Text(None).optional(), span)
    }

    fn extreme(&mut self, native: Native, first: Expr, args: &[Arg], span: Span) -> Expr {
        let [arg] = args else { return self.wrong_count(native, 2, args.len() + 1, span) };
        let second = self.expr(&arg.value, Some(&first.ty));
        if second.ty.is_optional() {
            let message = format!("this may be absent, so `{}` can't compare it", native.name());
            self.cx.report(
                Diagnostic::new(&codes::OPTIONAL_AS_PRESENT, second.span, message)
                    .label("may be absent")
                    .help("say what counts without it: `max(0, x ?? 0)`"),
            );
            return Self::unknown(span);
        }
        match join(&first.ty, &second.ty) {
            Some(ty) if comparable(&first.ty, &second.ty) && crate::check::types::relations::orders(&ty) => {
                Self::make(ExprKind::Native(native, vec![first, second]), ty, span)
            }
            _ => {
                let message = format!(
                    "`{}` needs two values of one type: {} and {}",
                    native.name(),
                    self.cx.show(&first.ty),
                    self.cx.show(&second.ty)
                );
                self.cx.say(&codes::BAD_OPERANDS, span, message, "compare amounts of one kind");
                Self::unknown(span)
            }
        }
    }

    fn of_number(&mut self, native: Native, receiver: Expr, args: &[Arg], span: Span) -> Expr {
        use Native as N;
        if native == N::Nth {
            let help = "write `xs[0]`: the element of that number, counted from 0";
            self.cx.say(&codes::ARGUMENTS, span, "an element is taken by its number in brackets, not by `nth`", help);
            return Self::unknown(span);
        }
        let fine = match native {
            N::DecimalOf => receiver.ty.is_text() || receiver.ty.is_number(),
            N::Round => receiver.ty.is_number() || receiver.ty == Type::Price,
            _ => receiver.ty.is_number(),
        };
        if !fine {
            let message = format!("`{}` works on a number; this is {}", native.name(), self.cx.show(&receiver.ty));
            self.cx.say(&codes::BAD_OPERANDS, receiver.span, message, "give it a number or an amount");
            return Self::unknown(span);
        }
        let result = match native {
            N::Int | N::Floor => Type::Int,
            N::DecimalOf => Type::Decimal,
            N::PercentOf => Type::Percent,
            _ => receiver.ty.clone(),
        };
        let mut values = vec![receiver];
        match (native, args) {
            (N::Round, [digits]) => {
                let digits = self.expr(&digits.value, Some(&Type::Int));
                self.is_possible(native, &digits);
                values.push(self.coerce(digits, &Type::Int, "the decimals of `round`"));
            }
            (N::Round, _) => return self.wrong_count(native, 1, args.len(), span),
            (_, []) => {}
            _ => return self.wrong_count(native, 0, args.len(), span),
        }
        Self::make(ExprKind::Native(native, values), result, span)
    }

    fn of_money(&mut self, native: Native, receiver: Expr, args: &[Arg], want: Option<&Type>, span: Span) -> Expr {
        use Native as N;
        let (net, gross, tax) = (Type::Money(Kind::Net), Type::Money(Kind::Gross), Type::Money(Kind::Tax));
        match native {
            N::PriceOf => self.fixed(native, receiver, &net, args, &[tax], Type::Price, span),
            N::TaxOf => self.fixed(native, receiver, &net, args, &[Type::Percent], tax, span),
            N::WithTax if matches!(receiver.ty, Type::Entered(..)) => {
                let [rate] = args else { return self.wrong_count(native, 1, args.len(), span) };
                let rate = self.expr(&rate.value, Some(&Type::Percent));
                self.is_possible(native, &rate);
                let rate = self.coerce(rate, &Type::Percent, "`with_tax`");
                self.entered_both_ways(receiver, rate, span)
            }
            N::WithTax => self.fixed(native, receiver, &net, args, &[Type::Percent], gross, span),
            N::NetOf if receiver.ty == Type::Price => self.fixed(native, receiver, &Type::Price, args, &[], net, span),
            N::GrossOf => self.fixed(native, receiver, &Type::Price, args, &[], gross, span),
            N::NetOf => self.fixed(native, receiver, &gross, args, &[Type::Percent], net, span),
            N::Untaxed => {
                let result = match want.map(Type::present) {
                    Some(kind @ Type::Money(_)) => kind.clone(),
                    _ => net,
                };
                if !receiver.ty.is_written() && !matches!(receiver.ty, Type::Money(_) | Type::Decimal) {
                    return self.mismatch(
                        receiver,
                        &gross,
                        &crate::check::infer::coerce::Wanted { what: "`untaxed`".into(), ..Default::default() },
                    );
                }
                Self::make(ExprKind::Native(native, vec![receiver]), result, span)
            }
            _ => {
                let ty = receiver.ty.clone();
                let result = Type::List(Arc::new(ty.clone()));
                self.fixed(native, receiver, &ty, args, &[Type::List(Arc::new(Type::Decimal)), Type::Int], result, span)
            }
        }
    }

    /// `line.meta("Engraving")`: an entry of `meta_data`, as text.
    fn meta(&mut self, receiver: Expr, args: &[Arg], span: Span) -> Expr {
        let Type::Record(entity) = receiver.ty else {
            let message = format!("{} has no `meta_data`", self.cx.show(&receiver.ty));
            self.cx.say(
                &codes::BAD_OPERANDS,
                receiver.span,
                message,
                "`meta` works on an order, a line, a customer or a product",
            );
            return Self::unknown(span);
        };
        let Some(field) = self.cx.entries_of(entity, receiver.span) else { return Self::unknown(span) };
        let [key] = args else { return self.wrong_count(Native::MetaOf, 1, args.len(), span) };
        let key = self.expr(&key.value, None);
        let key = self.coerce(key, &Type::Text(None), "the key of `meta`");
        let ty = self.cx.program.entity(entity).get(field).ty.clone();
        let entries = Self::make(ExprKind::Field(Box::new(receiver), entity, field), ty, span);
        Self::make(ExprKind::Native(Native::MetaOf, vec![entries, key]), Type::Text(None).optional(), span)
    }
}
