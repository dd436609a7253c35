//! Functions: each is typed once, by its declaration alone; a call takes a copy of the typed body into its own frame.

use super::body::{Body, Local};
use super::call::Given;
use super::cx::{Height, InstanceId};
use super::fits::Place;
use super::names::Names;
use crate::ir::{Expr, LocalId, Type, relocate};
use crate::limits;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast;
use std::sync::Arc;

/// Which function, and what of its surroundings its meaning depends on: texts are counted in UTF-16 units, and a call of a
/// mapping is the record that it would make.
pub(crate) type Key = (InstanceId, Span, bool, bool);

/// A function that has been typed, in a frame of its own whose first places are its parameters.
#[derive(Debug)]
pub(crate) struct Typed {
    /// What it computes, of the type that it gives.
    body: Expr,
    /// Places of the frame that it needs.
    frame: u32,
    /// Functions and parts that are copied into it, and their text in bytes.
    inlined: usize,
    inlined_bytes: usize,
    /// How far it is nested.
    height: Height,
}

impl Body<'_, '_> {
    /// A call of a function: the arguments, let around a copy of its body.
    pub(crate) fn inline(&mut self, instance: InstanceId, f: &ast::Fn, given: Vec<Given>, span: Span) -> Expr {
        let Some(body) = &f.body else { return Self::unknown(span) };
        if self.too_deep(&f.name, body.span.range().len(), span) {
            return Self::unknown(span);
        }
        let values = self.arguments(instance, &f.params, given, &f.name.text);
        let typed = self.typed(instance, f, body);
        if self.too_much(f, &typed, span) {
            return Self::unknown(span);
        }
        let by = self.next;
        self.next += typed.frame;
        let mut made = typed.body.clone();
        relocate(&mut made, by);
        let places: Vec<LocalId> = (by..).zip(&f.params).map(|(n, _)| LocalId(n)).collect();
        for ((param, id), value) in f.params.iter().zip(places).zip(values).rev() {
            let ty = self.cx.type_of(instance, &param.ty);
            let local = Local { name: Arc::clone(&param.name.text), id, ty, span: param.name.span };
            made = Self::let_in(&local, value, made);
        }
        // What is wrong with the result is wrong where it is called.
        Expr { span, ..made }
    }

    /// The function as it is typed, now or before.
    fn typed(&mut self, instance: InstanceId, f: &ast::Fn, body: &ast::Expr) -> Arc<Typed> {
        let key = (instance, f.name.span, self.utf16, self.drafts);
        if let Some(typed) = self.cx.functions.get(&key) {
            return Arc::clone(typed);
        }
        let (around, utf16, drafts) = (self.around.clone(), self.utf16, self.drafts);
        let before = std::mem::take(&mut self.cx.highest);
        let from = Height { depth: self.cx.depth, levels: self.cx.levels };
        let result = self.cx.type_of(instance, &f.result);
        let mut inner = Body::new(self.cx, instance);
        (inner.around, inner.utf16, inner.drafts) = (around, utf16, drafts);
        let mut names = Names::default();
        for param in &f.params {
            let ty = inner.cx.type_of(instance, &param.ty);
            names.push(Local { name: Arc::clone(&param.name.text), id: inner.local(), ty, span: param.name.span });
        }
        let made = inner.apart(instance, f.name.span, names, |inner| {
            let lowered = inner.expr(body, Some(&result));
            let place = Place {
                what: format!("the result of `{}`", f.name.text),
                declared: Some(f.result.span),
                length_at_run: true,
            };
            inner.accept_at(lowered, &result, &place)
        });
        let ty = if matches!(made.ty, Type::Unknown) { result } else { widen(made.ty, &result) };
        let (frame, inlined, inlined_bytes) = (inner.next, inner.inlined, inner.inlined_bytes);
        let highest = self.cx.highest;
        let height = Height {
            depth: highest.depth.saturating_sub(from.depth),
            levels: highest.levels.saturating_sub(from.levels),
        };
        self.cx.highest = before;
        let body = Expr { kind: made.kind, ty, span: made.span };
        let typed = Arc::new(Typed { body, frame, inlined, inlined_bytes, height });
        self.cx.functions.insert(key, Arc::clone(&typed));
        typed
    }

    /// Whether a copy of a function would be too much: nested too deep with what is around, or copied too often with what
    /// is copied already.
    fn too_much(&mut self, f: &ast::Fn, typed: &Typed, span: Span) -> bool {
        self.cx.reaches(typed.height);
        if self.cx.levels + typed.height.levels > limits::LEVELS_MAX {
            self.cx.say(
                &codes::TOO_DEEP,
                span,
                "values are nested too deep here, with those of the functions around",
                "give a part of it a name (`let`), or pass on what is there instead of what makes it",
            );
            return true;
        }
        if self.cx.depth + typed.height.depth > limits::INLINE_DEPTH_MAX {
            self.cx.report(
                Diagnostic::new(&codes::CYCLE, span, format!("what leads to `{}` is nested too deep", f.name.text))
                    .label("too deep")
                    .help(format!("a chain of calls has at most {} links", limits::INLINE_DEPTH_MAX)),
            );
            return true;
        }
        self.inlined += typed.inlined;
        self.inlined_bytes += typed.inlined_bytes;
        let much = self.inlined > limits::INLINED_MAX || self.inlined_bytes > limits::INLINED_BYTES_MAX;
        if much {
            self.copied_too_often(&f.name, span);
        }
        much
    }
}

/// What a function gives is what it declares, but for a text whose length is known better.
fn widen(made: Type, declared: &Type) -> Type {
    match (&made, declared) {
        (Type::Text(Some(_)), Type::Text(None)) => made,
        (Type::Optional(inner), Type::Optional(_)) if matches!(**inner, Type::Text(Some(_))) => made,
        _ => declared.clone(),
    }
}
