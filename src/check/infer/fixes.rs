//! What people write in the form of another language, a spreadsheet or an API, and what it is here.

use crate::check::infer::frame::Infer;
use crate::ir::{Const, EntityId, Expr, ExprKind, Native, Type};
use crate::source::{Diagnostic, Edit, Span};

/// What to do about a text that is too long, and what is put behind it. A key that is cut would be another's.
pub(crate) fn shorter(is_key: bool) -> (&'static str, &'static str) {
    if is_key {
        let help = "say something shorter: a key that is cut is another's; `.fit(at: \"mark\")` puts a mark of the whole behind what is left";
        (help, ".fit(at: \"mark\")")
    } else {
        ("cut it with `.fit()`, or say something shorter", ".fit()")
    }
}

/// Functions as other languages call them, and what they are here.
const FUNCTIONS: [(&str, &str); 35] = [
    ("if", "if … then … else …"),
    ("als", "if … then … else …"),
    ("iif", "if … then … else …"),
    ("ifs", "match … { … => … }"),
    ("vlookup", "NAME[key], of a lookup"),
    ("iferror", "… ?? …"),
    ("ifnull", "… ?? …"),
    ("substring", "take"),
    ("substr", "take"),
    ("slice", "take"),
    ("left", "take"),
    ("truncate", "take"),
    ("uppercase", "upper"),
    ("toUpperCase", "upper"),
    ("lowercase", "lower"),
    ("toLowerCase", "lower"),
    ("strip", "trim"),
    ("filter", "where"),
    ("includes", "contains"),
    ("has", "contains"),
    ("len", "length"),
    ("size", "count"),
    ("concat", "join"),
    ("unique", "distinct"),
    ("flatMap", "flat"),
    ("some", "any"),
    ("every", "all"),
    ("number", "decimal"),
    ("parseFloat", "decimal"),
    ("concatenate", "join"),
    ("links", "take"),
    ("afronden", "round"),
    ("hoofdletters", "upper"),
    ("lengte", "length"),
    ("substitute", "replace"),
];

/// Yes and no in the languages of those who write flows.
const TRUTHS: [(&str, &str); 12] = [
    ("yes", "yes"),
    ("true", "yes"),
    ("ja", "yes"),
    ("oui", "yes"),
    ("si", "yes"),
    ("1", "yes"),
    ("no", "no"),
    ("false", "no"),
    ("nee", "no"),
    ("nein", "no"),
    ("non", "no"),
    ("0", "no"),
];

/// A day as people write it, `01-11-2026` or `1/11/2026`, in the form of the language.
fn day_meant(written: &str) -> Option<String> {
    let parts: Vec<&str> = written.split(['-', '/', '.']).map(str::trim).collect();
    let [day, month, year] = parts[..] else { return None };
    let date = jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    (year.len() == 4).then(|| date.to_string())
}

/// Countries by letters that are no code of ISO 3166, though they are in use.
const COUNTRIES: [(&str, &str); 3] = [("UK", "GB"), ("EL", "GR"), ("EN", "GB")];

/// What a function of another language is called here.
pub(crate) fn function_meant(name: &str) -> Option<&'static str> {
    // Spreadsheets write theirs in capitals.
    let is = |theirs: &str| theirs == name || name.to_uppercase() == *name && theirs.to_uppercase() == *name;
    FUNCTIONS.iter().find(|(theirs, _)| is(theirs)).map(|(_, ours)| *ours)
}

/// The country that is meant by these letters.
pub(crate) fn country_meant(text: &str) -> Option<String> {
    let capitals = text.trim().to_uppercase();
    let known = COUNTRIES.iter().find(|(theirs, _)| *theirs == capitals).map(|(_, ours)| (*ours).to_owned());
    known.or_else(|| (capitals != text && crate::value::code::is_country(&capitals)).then_some(capitals))
}

/// The dots of a chain, `.a.b().c`, that ask something of what stands before them, from behind a value on. A function of
/// one's own decides by itself what it does without a value.
fn dots(text: &str, from: usize) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = from;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        at += rest.len() - rest.trim_start().len();
        let dot = match rest.trim_start().as_bytes() {
            [b'.', ..] => Some(at),
            [b'?', b'.', ..] => None,
            _ => return found,
        };
        at += if dot.is_some() { 1 } else { 2 };
        let name = at;
        at += bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        if bytes.get(at) == Some(&b'(') {
            match (closing(bytes, at), Native::by_name(&text[name..at])) {
                (_, None | Some(Native::Linked | Native::Present)) | (None, _) => return found,
                (Some(behind), Some(_)) => at = behind,
            }
        } else if at == name {
            return found;
        }
        found.extend(dot);
    }
}

/// Behind the bracket that closes this one; none where a text with values in it may hold one.
fn closing(bytes: &[u8], open: usize) -> Option<usize> {
    let (mut depth, mut within) = (0_usize, false);
    for (n, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'"' => within = !within,
            b'{' | b'\\' if within => return None,
            b'(' if !within => depth += 1,
            b')' if !within => {
                depth -= 1;
                if depth == 0 {
                    return Some(n + 1);
                }
            }
            _ => {}
        }
    }
    None
}

impl Infer<'_, '_> {
    /// `?` before the dot behind a value that may be absent, and before those that follow it: what they ask is absent too.
    pub(crate) fn ask_when_there(&self, d: Diagnostic, dot: Span) -> Diagnostic {
        let text = &self.cx.modules.sources.get(dot.file).text;
        let mut d = d.fix("ask only when it is there", dot, "?");
        if let Some(fix) = &mut d.fix {
            let further = dots(text, dot.start as usize).into_iter().skip(1);
            fix.edits.extend(further.map(|at| Edit { span: Span::new(dot.file, at, at), text: "?".to_owned() }));
        }
        d
    }

    /// Two sides that can't be compared, where it is certain how one becomes what the other is.
    pub(crate) fn mended_side(&mut self, side: &Expr, other: &Expr, d: &Diagnostic) -> Option<Diagnostic> {
        if let (Type::Instant, Type::Date) = (side.ty.present(), other.ty.present()) {
            let day = if side.ty.is_optional() { "?.date()" } else { ".date()" };
            let d = d.clone().help(format!("`{day}` takes the day of an instant, by the project's clocks"));
            let alone = !matches!(
                side.kind,
                ExprKind::Binary(..) | ExprKind::OrElse(..) | ExprKind::If(..) | ExprKind::Match(..)
            ) || side.ty.is_optional();
            let end = Span { start: side.span.end, ..side.span };
            return Some(if alone { d.fix("take its day", end, day) } else { d });
        }
        let quoted = matches!(side.kind, ExprKind::Const(Const::Text(_)));
        (quoted && !other.ty.present().is_text()).then(|| self.quick_fix(side, other.ty.present(), d))?
    }

    /// Mistakes of form whose mending is certain.
    pub(crate) fn quick_fix(&mut self, e: &Expr, want: &Type, d: &Diagnostic) -> Option<Diagnostic> {
        let d = d.clone();
        let written = self.cx.modules.sources.text(e.span).trim().to_owned();
        match (&e.kind, want) {
            (ExprKind::Const(Const::Number(n)), Type::Percent) if e.ty != Type::Percent => {
                let plain = n.is_zero() || n.abs() >= rust_decimal::Decimal::ONE;
                if plain {
                    let rate = format!("{written}%");
                    return Some(d.help(format!("a rate has its sign: `{rate}`")).fix("write the sign", e.span, rate));
                }
                let rate = format!("{}%", (*n * rust_decimal::Decimal::ONE_HUNDRED).normalize());
                let help =
                    format!("as a rate the fraction {written} is `{rate}`; a part of one percent is `{written}%`");
                Some(d.help(help).fix("write it as a rate", e.span, rate))
            }
            (ExprKind::Const(Const::Number(_)), Type::Code(_) | Type::Text(_)) if e.ty != Type::Percent => {
                let text = format!("\"{written}\"");
                Some(d.help(format!("a code or another text stands in quotes: `{text}`")).fix(
                    "put it in quotes",
                    e.span,
                    text,
                ))
            }
            (ExprKind::Const(Const::Text(text)), Type::Date) if text.parse::<jiff::civil::Date>().is_ok() => Some(
                d.help(format!("write it without quotes: `{text}`")).fix("remove the quotes", e.span, text.to_string()),
            ),
            (_, Type::Date) if day_meant(written.trim_matches('"')).is_some() => {
                let day = day_meant(written.trim_matches('"')).unwrap_or_default();
                Some(d.help(format!("write the year first: `{day}`")).fix("write the year first", e.span, day))
            }
            (ExprKind::Const(Const::Text(text)), Type::Bool) => {
                let meant = TRUTHS.iter().find(|(theirs, _)| text.trim().eq_ignore_ascii_case(theirs));
                let (_, ours) = meant?;
                Some(d.help(format!("it is `{ours}`, without quotes")).fix(format!("write `{ours}`"), e.span, *ours))
            }
            (ExprKind::Const(Const::Text(text)), Type::Instant) if text.parse::<jiff::Timestamp>().is_ok() => Some(
                d.help(format!("write it without quotes: `{text}`")).fix("remove the quotes", e.span, text.to_string()),
            ),
            (ExprKind::Const(Const::Text(text)), number) if number.is_number() => {
                text.trim_end_matches('%').trim().parse::<rust_decimal::Decimal>().ok().map(|n| {
                    let plain = if *number == Type::Percent { format!("{n}%") } else { n.to_string() };
                    d.help(format!("write it without quotes: `{plain}`")).fix("remove the quotes", e.span, plain)
                })
            }
            (ExprKind::Const(Const::Text(text)), Type::Record(entity)) => {
                self.cx.read_entity(*entity);
                let found = self.cx.program.entity(*entity);
                found.code?;
                let (name, connector) = (found.name.clone(), found.connector.clone());
                let uses = &self.cx.modules.get(self.cx.module_of(self.inside)).uses;
                let (alias, ..) = uses.iter().find(|(_, m, _)| self.cx.modules.get(*m).name == connector)?;
                let call = format!("{alias}.{name}(\"{text}\")");
                Some(d.help(format!("find the record by its code: `{call}`")).fix("find it by its code", e.span, call))
            }
            (ExprKind::Const(_), Type::List(element))
                if crate::check::types::relations::join(&e.ty, element).is_some() =>
            {
                let inside = format!("[{}]", self.cx.modules.sources.text(e.span));
                Some(d.help("a list stands in brackets").fix("put it into brackets", e.span, inside))
            }
            _ => None,
        }
    }

    /// How the entry of `meta_data` is read that somebody means by a name behind a dot or in brackets.
    pub(crate) fn entry_meant(&mut self, list: &Expr, key: &str) -> Option<String> {
        let ExprKind::Field(record, entity, field) = &list.kind else { return None };
        let (entity, field): (EntityId, _) = (*entity, *field);
        (self.cx.entries_field(entity) == Some(field))
            .then(|| format!("{}.meta(\"{key}\")", self.cx.modules.sources.text(record.span)))
    }

    /// What a value that has no form as text is put into one by.
    pub(crate) fn text_of(&self, value: &Type, span: Span) -> String {
        let written = self.cx.modules.sources.text(span);
        match value {
            Type::Bool => format!("say what stands for it: `{{if {written} then \"yes\" else \"no\"}}`"),
            Type::List(_) => format!("join its elements: `{{{written}.join(\", \") ?? \"\"}}`"),
            Type::Record(_) => "put one of its fields into the text".to_owned(),
            _ => "put a text, a number or a date into it".to_owned(),
        }
    }

    /// A lookup that is called as if it were a function.
    pub(crate) fn asked_with_brackets(&mut self, d: Diagnostic, name: &str, at: Span, call: Span) -> Diagnostic {
        let args = Span { start: at.end, ..call };
        let written = self.cx.modules.sources.text(args).trim();
        let asked = written.strip_prefix('(').and_then(|w| w.strip_suffix(')')).map(|inner| format!("[{inner}]"));
        let d = d.help(format!("`{name}` is a lookup: it is asked with `{name}[…]`"));
        match asked {
            Some(asked) => d.fix("ask the lookup", args, asked),
            None => d,
        }
    }
}
