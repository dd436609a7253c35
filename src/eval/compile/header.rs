//! Headers of mappings, compiled.

use super::compiler::Compiler;
use super::written::written;
use crate::eval::code::{ChangeCode, HeaderCode, KeyCode, VerbCode};
use crate::eval::making::Role;
use crate::ir::{EntityId, Header, Key, OnChange, Type, Verb};

/// A header as code.
pub(crate) fn header(compiler: &mut Compiler<'_>, header: &Header) -> HeaderCode {
    let key = |compiler: &mut Compiler<'_>, key: &Key| match key {
        Key::Linked(to) => {
            let entity = match to.ty.present() {
                Type::Record(entity) | Type::Code(entity) => *entity,
                _ => EntityId(0),
            };
            KeyCode::Linked(compiler.code(to), entity)
        }
        Key::Itself => KeyCode::Itself,
        Key::By(fields) => KeyCode::By(fields.clone()),
    };
    HeaderCode {
        verb: match &header.verb {
            Verb::CreateOnce => VerbCode::CreateOnce,
            Verb::Upsert => VerbCode::Upsert,
            Verb::Update => VerbCode::Update,
            Verb::CreateUnless(cond) => VerbCode::CreateUnless(compiler.condition(cond)),
            Verb::Delete(cond) => VerbCode::Delete(cond.as_ref().map(|cond| compiler.condition(cond))),
        },
        keys: header.keys.iter().map(|k| key(compiler, k)).collect(),
        accept: header.accept.as_ref().map(|cond| compiler.condition(cond)),
        prefer: header.prefer.iter().map(|(field, value)| (*field, compiler.code(value))).collect(),
        prefer_newest: header.prefer_newest,
        overwrite: header.overwrite,
        overwrite_fields: header.overwrite_fields.clone(),
        on_change: match &header.on_change {
            OnChange::Alert => ChangeCode::Alert,
            OnChange::Ignore => ChangeCode::Ignore,
            OnChange::Update { cond, alert } => {
                ChangeCode::Update(cond.as_ref().map(|cond| compiler.condition(cond)), *alert)
            }
            // It is the record's own copy, too: written again, and not only once.
            OnChange::Write(then) => ChangeCode::Write(written(compiler, then, Role::Top)),
        },
        otherwise: header.otherwise.as_ref().map(|e| compiler.only_then(e)),
        span: header.span,
    }
}
