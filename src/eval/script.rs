//! The escape hatch: functions in rhai. They see their arguments and nothing else, and stop at limits.

use crate::eval::pending::without_nul;
use crate::eval::script_stop::{self, Stopped};
use crate::eval::value::{Value, show};
use crate::ir::Type;
use crate::value::{code, script, time};
use bumpalo::Bump;
use rhai::{AST, Dynamic, Engine, Scope};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The scripts of a project.
pub(crate) struct Scripts {
    engine: Engine,
    files: BTreeMap<Arc<str>, File>,
}

/// A file of functions.
struct File {
    source: String,
    /// What it compiled to, or what is wrong with it.
    ast: Result<AST, String>,
}

/// A function in rhai, by its file and name, and whether what it is given may tell of a person.
#[derive(Clone, Copy)]
pub(crate) struct Called<'c> {
    pub(crate) file: &'c str,
    pub(crate) name: &'c str,
    pub(crate) personal: bool,
}

impl Scripts {
    pub(crate) fn new(sources: &BTreeMap<Arc<str>, String>) -> Self {
        let engine = script::engine();
        let files = sources
            .iter()
            .map(|(file, source)| {
                let ast = engine.compile(source).map_err(|e| e.to_string());
                (Arc::clone(file), File { source: source.clone(), ast })
            })
            .collect();
        Self { engine, files }
    }

    /// Calls a function; its result must be of the declared type, else why there is none.
    pub(crate) fn call<'r>(
        &self,
        arena: &'r Bump,
        Called { file, name, personal }: Called<'_>,
        args: &[Value<'r>],
        whole: &[bool],
        ty: &Type,
    ) -> Result<Value<'r>, Stopped> {
        let Some(File { source, ast }) = self.files.get(file) else {
            return Err("the file is not there".to_owned().into());
        };
        let ast = ast.as_ref().map_err(|e| format!("the file can't be used: {e}"))?;
        let args: Vec<Dynamic> = args.iter().zip(whole).map(|(value, whole)| to_dynamic(*value, *whole)).collect();
        let result = self
            .engine
            .call_fn::<Dynamic>(&mut Scope::new(), ast, name, args)
            .map_err(|e| script_stop::stopped(&e, source, personal).within(name, source))?;
        from_dynamic(arena, &result, ty).ok_or_else(|| Stopped {
            line: script_stop::line_of(name, source),
            reason: script_stop::wrong_result(&result, ty),
        })
    }
}

fn to_dynamic(value: Value<'_>, whole: bool) -> Dynamic {
    match value {
        Value::Bool(b) => b.into(),
        Value::Number(n) if whole && n.fract().is_zero() => {
            i64::try_from(n.trunc().mantissa()).map_or_else(|_| Dynamic::from_decimal(n), Dynamic::from_int)
        }
        Value::Number(n) => Dynamic::from_decimal(n),
        Value::List(list) => list.iter().map(|v| to_dynamic(*v, whole)).collect::<Vec<_>>().into(),
        Value::Absent | Value::Missing(_) | Value::Hole(_) | Value::Keep => Dynamic::UNIT,
        other => show(other).into(),
    }
}

fn from_dynamic<'r>(arena: &'r Bump, value: &Dynamic, ty: &Type) -> Option<Value<'r>> {
    if value.is_unit() {
        return ty.is_optional().then_some(Value::Absent);
    }
    match ty.present() {
        Type::Bool => value.as_bool().ok().map(Value::Bool),
        Type::Int => value.as_int().ok().map(|n| Value::Number(Decimal::from(n))),
        ty if ty.is_number() => match value.as_int() {
            Ok(n) => Some(Value::Number(Decimal::from(n))),
            Err(_) => value.as_decimal().ok().map(Value::Number),
        },
        Type::Date => value.clone().into_string().ok().and_then(|t| time::date(&t).ok()).map(Value::Date),
        Type::Instant => {
            value.clone().into_string().ok().and_then(|t| time::instant(&t, None).ok()).map(Value::Instant)
        }
        Type::List(element) => {
            let list = value.clone().into_array().ok()?;
            let values: Option<Vec<Value<'r>>> = list.iter().map(|v| from_dynamic(arena, v, element)).collect();
            values.map(|values| Value::List(arena.alloc_slice_copy(&values)))
        }
        ty if ty.is_text() => {
            let given = value.clone().into_string().ok()?;
            let text = without_nul(&given);
            is_of(&text, ty).then(|| Value::Text(arena.alloc_str(&text)))
        }
        _ => None,
    }
}

/// Whether a text is one of those that its type has.
fn is_of(text: &str, ty: &Type) -> bool {
    match ty {
        Type::Country => code::is_country(text),
        Type::Currency => code::is_currency(text),
        Type::Guid => code::is_guid(text),
        Type::Email => text.contains('@'),
        Type::Enum(known) => known.open || known.values.iter().any(|value| *value.code == *text),
        Type::Text(Some(most)) => text.chars().count() <= *most as usize,
        _ => true,
    }
}
