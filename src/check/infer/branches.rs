//! Branches: the type that they have together, and whether each value has one.

use crate::check::infer::coverage::{is_reached, uncovered};
use crate::check::infer::frame::Infer;
use crate::check::types::relations::join;
use crate::ir::{Expr, Pattern, Type};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast;

impl Infer<'_, '_> {
    /// The type that branches have together, each made to fit it.
    pub(crate) fn together(&mut self, branches: Vec<Expr>, want: Option<&Type>, span: Span) -> (Type, Vec<Expr>) {
        let mut ty = Type::Never;
        for branch in &branches {
            match join(&ty, &branch.ty) {
                Some(joined) => ty = joined,
                None => match want {
                    // Each fits what is wanted in its own way: a code and a record, net and price.
                    Some(want) => {
                        ty = want.clone();
                        break;
                    }
                    None => {
                        let message = format!(
                            "the branches disagree: {} here, {} before",
                            self.cx.show(&branch.ty),
                            self.cx.show(&ty)
                        );
                        self.cx.say(
                            &codes::TYPE_MISMATCH,
                            branch.span,
                            message,
                            "every branch gives a value of one type",
                        );
                        return (Type::Unknown, branches);
                    }
                },
            }
        }
        let _ = span;
        let made =
            branches.into_iter().map(|b| if b.ty == ty { b } else { self.coerce(b, &ty, "this branch") }).collect();
        (ty, made)
    }

    pub(crate) fn covered(&mut self, on: &Expr, arms: &[ast::Arm], patterns: &[Pattern], span: Span) {
        let rows: Vec<&[Pattern]> = patterns.iter().map(std::slice::from_ref).collect();
        let mut open = uncovered(&[&on.ty], &rows);
        if open.is_empty() {
            return;
        }
        open.truncate(6);
        let reason = format!("{} is not provided for", self.cx.name_of(on.span));
        let last = arms.last().map_or(span, |arm| arm.value.span).at_end();
        self.cx.report(
            Diagnostic::new(
                &codes::MATCH_NOT_COVERED,
                Span { end: span.start + 5, ..span },
                format!("this `match` says nothing for {}", open.join(", ")),
            )
            .label("a case is left open")
            .help("add an arm for it, or `else => …`")
            .fix("stop the record in all other cases", last, format!("\n    else => fail \"{reason}\"")),
        );
    }

    /// Arms behind others that take all that they take.
    pub(crate) fn reached(&mut self, on: &Type, arms: &[ast::Arm], patterns: &[Pattern]) {
        for (n, arm) in arms.iter().enumerate() {
            let before: Vec<&[Pattern]> = patterns[..n].iter().map(std::slice::from_ref).collect();
            let taken = !is_reached(std::slice::from_ref(&patterns[n]), &[on], &before);
            if taken {
                let d = Diagnostic::new(&codes::NEEDLESS, arm.pattern.span, "this arm is never reached")
                    .label("the arms before it take everything")
                    .help("delete it, or move it up");
                self.cx.report(d);
            }
        }
    }
}
