//! Why a function in rhai gave nothing that can be used: its line, and what is wrong in plain words. No value is repeated,
//! as it may tell of a person; names stand in the file, and types tell nothing of anybody.

use crate::ir::Type;
use crate::value::script;
use rhai::{Dynamic, EvalAltResult};

/// Why a call of a script has no value.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// The line of the script, from 1, where it is known.
    pub(crate) line: Option<usize>,
    pub(crate) reason: String,
}

impl From<String> for Stopped {
    fn from(reason: String) -> Self {
        Self { line: None, reason }
    }
}

impl Stopped {
    /// Where no line is to blame, that of the function that was called.
    pub(crate) fn within(self, name: &str, source: &str) -> Self {
        Self { line: self.line.or_else(|| line_of(name, source)), ..self }
    }
}

/// What stopped a script, at the innermost line that is to blame. A text that it throws may be made of what it was given:
/// with `personal` it is shown only where the file itself holds it.
pub(crate) fn stopped(error: &EvalAltResult, source: &str, personal: bool) -> Stopped {
    if let EvalAltResult::ErrorInFunctionCall(name, _, inner, at) = error {
        let inner = stopped(inner, source, personal);
        // A limit is met at no place of its own.
        return Stopped { line: inner.line.or_else(|| line_of(name, source)).or(at.line()), ..inner };
    }
    Stopped { line: error.position().line(), reason: reason(error, source, personal) }
}

fn reason(error: &EvalAltResult, source: &str, personal: bool) -> String {
    use EvalAltResult as E;
    match error {
        E::ErrorTooManyOperations(_) => format!(
            "it takes more than {} operations: a loop that does not end, or too much work for one record",
            script::OPERATIONS_MAX
        ),
        E::ErrorStackOverflow(_) => "functions call one another too deep: one that calls itself must end".to_owned(),
        E::ErrorDataTooLarge(what, _) => format!("it makes something too large ({})", what.to_lowercase()),
        E::ErrorFunctionNotFound(signature, _) => no_function(signature, source),
        E::ErrorVariableNotFound(name, _) => format!("there is no variable {}", named(name, source)),
        E::ErrorMismatchDataType(wanted, given, _) | E::ErrorMismatchOutputType(wanted, given, _) => {
            format!("{} stands where {} is wanted", kind(given), kind(wanted))
        }
        E::ErrorIndexingType(of, _) => {
            let of = of.split(" [").next().unwrap_or(of);
            format!("{} has no elements to ask for by `[…]`", kind(of))
        }
        E::ErrorArrayBounds(..) => "it asks for an element that the list does not have".to_owned(),
        E::ErrorStringBounds(..) => "it asks for a place beyond the end of a text".to_owned(),
        E::ErrorBitFieldBounds(..) => "it asks for a bit that a number does not have".to_owned(),
        E::ErrorIndexNotFound(..) | E::ErrorPropertyNotFound(..) => {
            "it asks for a member that the map does not have".to_owned()
        }
        E::ErrorDotExpr(told, _) => match told.split('\'').nth(1) {
            Some(name) => format!("the value has no {}", named(name, source)),
            None => "it asks for something by `.` that the value does not have".to_owned(),
        },
        E::ErrorFor(_) => "`for` goes through a value that is no list".to_owned(),
        E::ErrorArithmetic(told, _) if told.contains("zero") => "it divides by zero".to_owned(),
        E::ErrorArithmetic(..) => "a calculation has no result: it is beyond what a number holds".to_owned(),
        E::ErrorAssignmentToConstant(name, _) | E::ErrorNonPureMethodCallOnConstant(name, _) => {
            format!("{} is a constant and can't be changed", named(name, source))
        }
        E::ErrorVariableExists(name, _) => format!("there is a variable {} already", named(name, source)),
        E::ErrorUnboundThis(_) => "`this` means nothing here".to_owned(),
        E::ErrorRuntime(thrown, _) => threw(thrown, source, personal),
        E::ErrorForbiddenVariable(..) | E::ErrorTooManyVariables(_) => "it has more variables than it may".to_owned(),
        _ => "it can't go on".to_owned(),
    }
}

/// A signature is rhai's: a name, and the types of the arguments in brackets.
fn no_function(signature: &str, source: &str) -> String {
    let (name, rest) = signature.split_once(" (").unwrap_or((signature, ")"));
    let types = rest.trim_end_matches(')');
    // The unit type is `()`, whose bracket is not the list's.
    let types = if rest.ends_with("())") { format!("{}()", types.trim_end_matches('(')) } else { types.to_owned() };
    let types: Vec<String> = types.split(", ").filter(|ty| !ty.is_empty()).map(kind).collect();
    let is_word = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    match (is_word, types.as_slice()) {
        (true, []) => format!("there is no function {} without arguments", named(name, source)),
        (true, types) => format!("there is no function {} that takes {}", named(name, source), types.join(" and ")),
        (false, types) => format!("`{name}` can't be applied to {}", types.join(" and ")),
    }
}

fn threw(thrown: &Dynamic, source: &str, personal: bool) -> String {
    let Ok(text) = thrown.clone().into_string() else { return "it throws a value that is no text".to_owned() };
    let written = source.contains(&format!("\"{text}\""));
    if text == script::NO_SLEEP {
        text
    } else if written || !personal {
        format!("it says \"{text}\"")
    } else {
        "it stops itself by `throw`, with words that may repeat personal data".to_owned()
    }
}

/// A name as a message shows it: a script can call a function whose name it was given.
fn named(name: &str, source: &str) -> String {
    if source.contains(name) { format!("`{name}`") } else { "of the name that it worked out".to_owned() }
}

/// A type of rhai in words of the language.
fn kind(rhai: impl AsRef<str>) -> String {
    let first = rhai.as_ref().split(" | ").next().unwrap_or_default().trim();
    let known = match first {
        "()" | "" => "nothing",
        "i64" | "INT" | "integer" => "an int",
        "decimal" | "Decimal" | "rust_decimal::decimal::Decimal" => "a decimal",
        "string" | "&str" | "String" | "ImmutableString" | "alloc::string::String" => "a text",
        "bool" => "a bool",
        "char" => "a single character",
        "array" | "Array" => "a list",
        "map" | "Map" => "a map",
        "Fn" | "FnPtr" => "a function",
        "range" | "range=" => "a range",
        other => return format!("a value of rhai's type `{other}`"),
    };
    known.to_owned()
}

/// What is wrong with a result that is not of the declared type.
pub(crate) fn wrong_result(result: &Dynamic, ty: &Type) -> String {
    let (given, wanted) = (kind(result.type_name()), wanted(ty));
    match ty.present() {
        Type::List(element) if result.is_array() => {
            format!("it gives a list in which something is not {}", self::wanted(element))
        }
        present if result.is_string() && !present.is_number() && !matches!(present, Type::Bool | Type::List(_)) => {
            format!("it gives a text that is not {wanted}")
        }
        _ => format!("it gives {given} where {wanted} is wanted"),
    }
}

fn wanted(ty: &Type) -> String {
    let present = match ty.present() {
        Type::Bool => "a bool".to_owned(),
        Type::Int => "an int".to_owned(),
        ty if ty.is_number() => "a number".to_owned(),
        Type::Text(Some(most)) => format!("a text of at most {most} characters"),
        Type::Date => "a date written as \"2026-03-31\"".to_owned(),
        Type::Instant => "an instant written as \"2026-03-31T12:00:00Z\"".to_owned(),
        Type::Guid => "a guid".to_owned(),
        Type::Country => "the code of a country".to_owned(),
        Type::Currency => "the code of a currency".to_owned(),
        Type::Email => "an e-mail address".to_owned(),
        Type::Enum(known) if known.name.is_empty() => "one of the texts that its type names".to_owned(),
        Type::Enum(known) => format!("one of the values of {}", known.name),
        Type::List(element) => format!("a list of {}", wanted(element)),
        _ => "a text".to_owned(),
    };
    if ty.is_optional() { format!("{present} or nothing") } else { present }
}

/// The line of a function in a file: rhai tells no place of a result.
pub(crate) fn line_of(name: &str, source: &str) -> Option<usize> {
    let begins = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        code.split("fn ")
            .skip(1)
            .any(|rest| rest.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('(')))
    };
    source.lines().position(begins).map(|n| n + 1)
}
