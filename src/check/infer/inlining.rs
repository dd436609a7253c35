//! How far declarations are copied into one another: where there would be no end to it, or too late a one.

use crate::check::infer::frame::Infer;
use crate::check::infer::names::Names;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::typed::Typed;
use crate::ir::Type;
use crate::limits;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, Name};
impl Infer<'_, '_> {
    /// Whether what leads to a declaration, each needing the next, is too long a chain.
    pub(crate) fn too_far(&mut self, name: &str, span: Span) -> bool {
        let far = self.cx.depth >= limits::INLINE_DEPTH_MAX;
        if far {
            self.cx.chain_too_long(name, span);
        }
        far
    }

    /// Whether there would be no end to what is inlined, or too late a one. `text` is as long as what is inlined.
    pub(crate) fn too_deep(&mut self, name: &Name, text: usize, span: Span) -> bool {
        self.inlined += 1;
        self.inlined_bytes += text;
        let d = if let Some(n) = self.around.iter().position(|a| *a == name.span) {
            if !self.cx.circles.insert(name.span) {
                return true;
            }
            self.cx.circles.extend(&self.around[n..]);
            Diagnostic::new(&codes::CYCLE, name.span, format!("`{}` needs itself, through what it calls", name.text))
                .label("a circle")
                .help("nothing may call itself: go through a list with `for`")
        } else if self.too_far(&name.text, span) {
            return true;
        } else if self.inlined > limits::INLINED_MAX || self.inlined_bytes > limits::INLINED_BYTES_MAX {
            self.copied_too_often(name, span);
            return true;
        } else {
            return false;
        };
        self.cx.report(d.related(span, "called here"));
        true
    }

    pub(crate) fn copied_too_often(&mut self, name: &Name, span: Span) {
        self.cx.report(
            Diagnostic::new(
                &codes::CYCLE,
                name.span,
                format!("`{}` and what calls it are copied too often", name.text),
            )
            .label("too many copies")
            .help("give a value that is needed several times a name with `let`, or pass it on as an argument")
            .related(span, "called here"),
        );
    }

    /// Works in another declaration's scope, in this frame.
    pub(crate) fn apart<T>(
        &mut self,
        instance: InstanceId,
        callee: Span,
        names: Names,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let names = std::mem::replace(&mut self.names, names);
        let inside = std::mem::replace(&mut self.inside, instance);
        let (target, was, base) = (self.target.take(), self.was.take(), self.base.take());
        let (writes, keeps) = (std::mem::replace(&mut self.writes, false), std::mem::replace(&mut self.keeps, false));
        self.around.push(callee);
        self.cx.depth += 1;
        self.cx.reaches_here();
        let out = inner(self);
        self.cx.depth -= 1;
        self.around.pop();
        (self.names, self.inside) = (names, inside);
        (self.target, self.was, self.base) = (target, was, base);
        (self.writes, self.keeps) = (writes, keeps);
        out
    }
}

impl Infer<'_, '_> {
    /// Whether a copy of a function would be too much: nested too deep with what is around, or copied too often with what
    /// is copied already.
    pub(crate) fn too_much(&mut self, f: &ast::Fn, typed: &Typed, span: Span) -> bool {
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
            self.cx.chain_too_long(&f.name.text, span);
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
pub(crate) fn widen(made: Type, declared: &Type) -> Type {
    match (&made, declared) {
        (Type::Text(Some(_)), Type::Text(None)) => made,
        (Type::Optional(inner), Type::Optional(_)) if matches!(**inner, Type::Text(Some(_))) => made,
        _ => declared.clone(),
    }
}

/// The text of statements, bytes.
pub(crate) fn length(statements: &[ast::Stmt]) -> usize {
    let (first, last) = (statements.first(), statements.last());
    first.zip(last).map_or(0, |(first, last)| (last.span.end - first.span.start) as usize)
}
