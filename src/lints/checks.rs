//! Checks that never hold: settings alone decide them.

use crate::ir::{Const, ExprKind, Step, StepKind, truth};
use crate::source::{Diagnostic, codes};

/// Checks over settings alone are run before anything is.
pub(super) fn hold(steps: &[Step], told: &mut Vec<Diagnostic>) {
    for step in steps {
        let StepKind::Check(cond, otherwise) = &step.kind else { continue };
        if truth(cond) != Some(false) {
            continue;
        }
        let reason = match &otherwise.kind {
            ExprKind::Stop(_, why) => match &why.kind {
                ExprKind::Const(Const::Text(text)) => text.to_string(),
                _ => "this check never holds with the settings as they are answered".to_owned(),
            },
            _ => continue,
        };
        told.push(
            Diagnostic::new(&codes::CHECK_FAILS, cond.span, reason)
                .label("does not hold")
                .help("no record can pass it: answer the settings that it asks in another way"),
        );
    }
}
