//! What functions of the language work on: values that are there, lists and their elements.

use crate::check::infer::frame::Infer;
use crate::check::types::relations::orders;
use crate::ir::{Expr, ExprKind, Native, Type};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::Arg;
use std::sync::Arc;

impl Infer<'_, '_> {
    /// What to do where the value of a call may be absent: behind a dot it is asked with `?`; as an argument it wants a
    /// value in its place, which only numbers have one of.
    pub(crate) fn present_for(&self, native: Native, receiver: &Expr, args: &[Arg], d: Diagnostic) -> Diagnostic {
        let name = native.name();
        let file = &self.cx.modules.sources.get(receiver.span.file).text;
        let method = file[receiver.span.range().end..].trim_start().starts_with('.');
        let written = self.cx.modules.sources.text(receiver.span);
        if method {
            self.ask_when_there(d.help(format!("`?.{name}()` is absent too when it is")), receiver.span.at_end())
        } else if receiver.ty.present().is_number() {
            let d = d.help(format!("say what counts without it: `{written} ?? 0`"));
            self.cx.offer_behind(d, "count it as 0", receiver.span, " ?? 0")
        } else if args.is_empty() {
            d.help(format!("`{written}?.{name}()` is absent too when it is"))
        } else {
            d.help(format!("say what stands in its place: `{written} ?? …`"))
        }
    }

    pub(crate) fn wrong_count(&mut self, native: Native, wanted: usize, given: usize, span: Span) -> Expr {
        let message = format!("`{}` takes {wanted} arguments; here are {given}", native.name());
        self.cx.say(&codes::ARGUMENTS, span, message, "see the reference for its arguments");
        Self::unknown(span)
    }

    pub(crate) fn element_of(&mut self, native: Native, list: &Expr) -> Option<Type> {
        if let Some(element) = list.ty.element() {
            return Some(element.clone());
        }
        let message = format!("`{}` works on a list; this is {}", native.name(), self.cx.show(&list.ty));
        self.cx.say(&codes::BAD_OPERANDS, list.span, message, "give it a list, such as `order.line_items`");
        None
    }

    pub(crate) fn of_list(&mut self, native: Native, list: Expr, args: &[Arg], span: Span) -> Expr {
        let Some(element) = self.element_of(native, &list) else { return Self::unknown(span) };
        if !args.is_empty() {
            return self.wrong_count(native, 0, args.len(), span);
        }
        let result = match native {
            Native::Count => Type::Int,
            Native::IsEmpty => Type::Bool,
            Native::First | Native::Last => element.optional(),
            Native::Single => element,
            Native::Present => Type::List(Arc::new(element.present().clone())),
            _ => list.ty.clone(),
        };
        Self::make(ExprKind::Native(native, vec![list]), result, span)
    }

    /// Whether values of what a function gives have an order.
    pub(crate) fn sorts(&mut self, f: &Expr) -> bool {
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
}
