//! What a rule says when it fails, in the reader's words. The parser's own words never reach anyone.
//!
//! A piece of junk is read again with the rule of its place, alone: the farthest byte that the rule reached is where it
//! went wrong, and the rules that were tried there are what would have been right.

use super::forms::{
    CHECK_STAYS, Form, OF_FLOWS, OF_MAPPINGS, OF_TESTS, Place, form, head_form, nearest_statement, shape,
};
use super::grammar::{Grammar, Rule};
use super::lower::{Lower, Pair};
use super::mend::near_before;
use super::outline::DECLARATIONS;
use super::token::Token;
use crate::source::{Diagnostic, Span, codes};
use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};

/// The diagnostic of a piece of junk.
pub(crate) fn junk(lower: &Lower<'_>, pair: &Pair<'_>, place: Place) -> Diagnostic {
    let form = form(place);
    if let Some(told) = misplaced(lower, pair, place) {
        return told;
    }
    if place == Place::Tail {
        return tail(lower, pair, &form);
    }
    if pair.as_str().trim().is_empty() {
        return missing(lower, pair, &form);
    }
    let (reached, tried) = reached(form.rule, pair.as_str());
    let told = explain(lower, pair, reached, &tried, &form);
    if let Some(told) = decimal_comma(lower, &told) {
        return told;
    }
    of_statement(lower, pair, place, told)
}

/// `0,01`: what surprises is a number right behind a comma that is right behind another.
fn decimal_comma(lower: &Lower<'_>, told: &Diagnostic) -> Option<Diagnostic> {
    let (before, behind) = lower.text.split_at(told.span.start as usize);
    let before = before.strip_suffix(',')?;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let decimals = digits(behind);
    let whole = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    if whole == 0 || decimals == 0 {
        return None;
    }
    let (start, comma) = (before.len() - whole, before.len());
    let at = |from, to| Span::new(lower.file, from, to);
    let number = &lower.text[start..comma + 1 + decimals];
    Some(
        Diagnostic::new(
            &codes::SYNTAX,
            at(start, comma + 1 + decimals),
            format!("`{number}` is not a number: decimals are written with a point"),
        )
        .label("a comma separates two values")
        .help(format!("write `{}`", number.replace(',', ".")))
        .fix("write a point", at(comma, comma + 1), "."),
    )
}

/// How far a rule came in a text, and which rules were tried there.
fn reached(rule: Rule, text: &str) -> (usize, Vec<Rule>) {
    match Grammar::parse(rule, text) {
        Ok(_) => (text.len(), Vec::new()),
        Err(error) => {
            let at = match error.location {
                InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
            };
            let tried = match error.variant {
                ErrorVariant::ParsingError { positives, .. } => positives,
                ErrorVariant::CustomError { .. } => Vec::new(),
            };
            (at.min(text.len()), tried)
        }
    }
}

fn explain(lower: &Lower<'_>, pair: &Pair<'_>, reached: usize, tried: &[Rule], form: &Form) -> Diagnostic {
    let start = pair.as_span().start();
    let text = pair.as_str();
    // Nothing that counts between the place and the end: it is the line's end that surprises.
    let at = reached + text[reached..].len() - text[reached..].trim_start_matches([' ', '\t', '\r']).len();
    let at = if text[at..].trim().is_empty() || text[at..].starts_with('\n') {
        text[..reached].trim_end().len()
    } else {
        at
    };
    let (span, found) = found_at(lower, lower.mended.real(start + at));
    let mut wanted = wanted(tried, form);
    if matches!(form.rule, Rule::alone_item | Rule::alone_param) {
        wanted = wanted.replace("the end of the line", "a comma");
    }
    let message = match &found {
        Some(found) => format!("{found} can't stand here: {wanted} is expected"),
        None => format!("the line ends too early: {wanted} is expected"),
    };
    let label = if found.is_some() { format!("expected {wanted}") } else { format!("{wanted} is missing") };
    let mut diagnostic = Diagnostic::new(&codes::SYNTAX, span, message).label(label).help(form.example);
    if let Some(comment) = comment(lower, span) {
        return comment;
    }
    let before = lower.text[..span.start as usize].trim_end();
    match found.as_deref() {
        Some("`%`") if before.ends_with(|c: char| c.is_ascii_digit()) => {
            "a rate has its sign right after the number".clone_into(&mut diagnostic.message);
            "apart from its number".clone_into(&mut diagnostic.label);
            let number = before.rsplit(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
            diagnostic.help = Some(format!("write `{number}%`"));
            let apart = Span::new(lower.file, before.len(), span.start as usize);
            diagnostic = diagnostic.fix("close the gap", apart, "");
        }
        Some("`not`") if before.ends_with(" is") => {
            diagnostic.help = Some("write `x is some` for what is there, `x is none` for what is not".to_owned());
        }
        Some("`not`") => {
            diagnostic.help = Some("write `not` before the whole condition: `not x in [a, b]`".to_owned());
        }
        Some("`mins`" | "`min`" | "`hrs`" | "`secs`" | "`sec`") => {
            diagnostic.help = Some("write the unit out: `5 minutes`, `2 hours`, `30 seconds`, `60 days`".to_owned());
        }
        Some(_) if opens_an_entry(lower.text, span) && !before.ends_with(['{', ',', '=']) => {
            let end = before.len();
            diagnostic.help = Some("separate two on one line with a comma: `a = 1, b = 2`".to_owned());
            diagnostic = diagnostic.fix("put a comma before it", Span::new(lower.file, end, end), ",");
        }
        _ => {}
    }
    slip_of_word(lower, pair, diagnostic)
}

/// Whether a word begins there that is given a value: `name = …`.
fn opens_an_entry(text: &str, span: Span) -> bool {
    let word = text.get(span.range()).unwrap_or_default();
    let behind = text.get(span.end as usize..).unwrap_or_default().trim_start_matches(' ');
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && behind.starts_with('=') && !behind.starts_with("==")
}

/// Bytes before a place in which the word that opens its line is looked for.
const LINE_BYTES_MAX: usize = 400;

/// A line that begins with a statement's word is told that statement's form; one that nearly does, the word.
fn of_statement(lower: &Lower<'_>, pair: &Pair<'_>, place: Place, mut told: Diagnostic) -> Diagnostic {
    let text = pair.as_str();
    let word = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("");
    let start = lower.mended.real(pair.as_span().start());
    let span = Span::new(lower.file, start, start + word.len());
    // Nothing but another kind of line would have fitted: it is the word that is to be looked at.
    let vague = told.label.contains("a statement of") || told.label.contains("`=`") && !text.contains('=');
    // `overwrite "all" of Name, Email`: what stands behind a comma belongs to the statement that opens the line.
    let before = near_before(lower.text, start, LINE_BYTES_MAX);
    let line = &before[before.rfind('\n').map_or(0, |n| n + 1)..];
    if line.trim_end().ends_with(',')
        && let Some(shape) = shape(place, line.split_whitespace().next().unwrap_or_default())
    {
        told.help = Some(format!("write `{shape}`"));
        return told;
    }
    if word == "remove" && text[word.len()..].trim_start().starts_with("check ") {
        return Diagnostic::new(&codes::SYNTAX, span, "`remove` takes a field; a `check` can't be removed")
            .label("the rest is no field")
            .help(CHECK_STAYS);
    }
    if let Some(shape) = shape(place, word) {
        told.help = Some(format!("write `{shape}`"));
        // The word itself is fine; that it could also be a field's name helps nobody.
        if vague || told.span.start == span.start {
            told.span = span;
            told.message = format!("this line begins with `{word}`, but the rest does not fit");
            "the rest does not fit".clone_into(&mut told.label);
        }
    } else if let Some(near) = nearest_statement(place, word)
        && vague
    {
        told.span = span;
        told.message = format!("no statement begins with `{word}`; did you mean `{near}`?");
        "misspelt".clone_into(&mut told.label);
        told = told.fix(format!("write `{near}`"), span, near);
    }
    told
}

/// The token at a byte, and what to call it; `None` at the end of a line.
fn found_at(lower: &Lower<'_>, at: usize) -> (Span, Option<String>) {
    let n = lower.tokens.partition_point(|token| token.to() <= at);
    let token = lower.tokens[n..].iter().find(|token| token.kind != Token::Blank && token.end > token.start);
    let Some(token) = token.filter(|token| !token.is_trivia()) else {
        return (Span::new(lower.file, at, at), None);
    };
    let (start, end) = (token.from(), token.to());
    let shown = match token.kind {
        Token::TextOpen => "a text".to_owned(),
        Token::Piece | Token::Escape => "this text".to_owned(),
        _ => format!("`{}`", &lower.text[start..end]),
    };
    (Span::new(lower.file, start, end), Some(shown))
}

/// What the rules that were tried would have taken, as a phrase.
fn wanted(tried: &[Rule], form: &Form) -> String {
    let mut phrases: Vec<&str> = Vec::new();
    for (phrase, rules) in PHRASES {
        if tried.iter().any(|rule| rules.contains(rule)) {
            phrases.push(phrase);
        }
    }
    // What may always follow is told only if nothing else is wanted.
    if phrases.iter().any(|phrase| MUST.contains(phrase)) {
        phrases.retain(|phrase| MUST.contains(phrase));
    }
    match phrases.as_slice() {
        [] => form.what.to_owned(),
        [one] => (*one).to_owned(),
        [first, second, ..] => format!("{first} or {second}"),
    }
}

/// Phrases that are no mere possibility.
const MUST: [&str; 12] = [
    "a value",
    "a name",
    "a type",
    "`=`",
    "`=>`",
    "`->`",
    "`else`",
    "a name in dots (`woo.Order`)",
    "a key (`by Field` or `linked to x`)",
    "a list of parameters in parentheses",
    "a text in quotes",
    "a field's name",
];

/// Rules by what they stand for, the most telling first.
const PHRASES: [(&str, &[Rule]); 17] = [
    ("`=`", &[Rule::slip_assign]),
    ("`=>`", &[Rule::slip_thin]),
    ("`->`", &[Rule::slip_fat]),
    ("`else`", &[Rule::slip_no_else]),
    ("a type", &[Rule::ty, Rule::ty_named, Rule::ty_list]),
    ("a key (`by Field` or `linked to x`)", &[Rule::key_by, Rule::key_linked, Rule::key_itself]),
    ("a list of parameters in parentheses", &[Rule::params]),
    (
        "a value",
        &[
            Rule::expr,
            Rule::operand,
            Rule::value,
            Rule::text,
            Rule::number,
            Rule::group,
            Rule::list,
            Rule::record,
            Rule::if_expr,
            Rule::arg,
            Rule::item_junk,
            Rule::for_element,
        ],
    ),
    ("a cell (a text, a number, `_`, `none`, `in GROUP`)", &[Rule::pattern, Rule::any, Rule::pattern_else]),
    ("a name in dots (`woo.Order`)", &[Rule::path, Rule::paths]),
    (
        "a name",
        &[Rule::word, Rule::name, Rule::parameter, Rule::field_decl, Rule::setting, Rule::record_entry, Rule::entry],
    ),
    ("a text in quotes", &[Rule::plain]),
    ("an `else`", &[Rule::else_action]),
    (
        "an operator",
        &[
            Rule::op_else,
            Rule::op_and,
            Rule::op_or,
            Rule::op_add,
            Rule::op_sub,
            Rule::op_mul,
            Rule::op_eq,
            Rule::is_test,
            Rule::call,
            Rule::index,
            Rule::member,
        ],
    ),
    ("`where`", &[Rule::when, Rule::when_word]),
    ("a comma", &[Rule::sign_comma]),
    ("the end of the line", &[Rule::stop, Rule::EOI]),
];

fn missing(lower: &Lower<'_>, pair: &Pair<'_>, form: &Form) -> Diagnostic {
    let at = lower.mended.real(pair.as_span().start());
    // The blank before the place belongs to the line; what comes behind it may not.
    let at = lower.text[..at].trim_end_matches([' ', '\t', '\r']).len();
    let behind = lower.text[..at].chars().next_back().map_or(String::new(), |sign| format!(" after `{sign}`"));
    Diagnostic::new(&codes::SYNTAX, Span::new(lower.file, at, at), format!("{} is missing{behind}", form.what))
        .label("missing here")
        .help(form.example)
}

/// A statement in a block of another kind.
fn misplaced(lower: &Lower<'_>, pair: &Pair<'_>, place: Place) -> Option<Diagnostic> {
    if !matches!(place, Place::Statement | Place::FlowStatement | Place::TestStatement) {
        return None;
    }
    let text = pair.as_str();
    let word = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("");
    let rest = text[word.len()..].trim_start_matches([' ', '\t']);
    let fills = rest.starts_with('=') && !word.is_empty();
    let fits = |rule: Rule| reached(rule, text).1.is_empty();
    let (belongs, what) = match place {
        Place::Statement if OF_FLOWS.contains(&word) && fits(Rule::alone_flow) => ("a flow", "a mapping"),
        Place::Statement if OF_TESTS.contains(&word) && fits(Rule::alone_test) => ("a test", "a mapping"),
        Place::FlowStatement if OF_TESTS.contains(&word) && fits(Rule::alone_test) => ("a test", "a flow"),
        Place::FlowStatement if (fills || OF_MAPPINGS.contains(&word)) && fits(Rule::alone_stmt) => {
            ("a mapping", "a flow")
        }
        Place::TestStatement if OF_FLOWS.contains(&word) && fits(Rule::alone_flow) => ("a flow", "a test"),
        Place::TestStatement if (fills || OF_MAPPINGS.contains(&word)) && fits(Rule::alone_stmt) => {
            ("a mapping", "a test")
        }
        _ => return None,
    };
    let start = lower.mended.real(pair.as_span().start());
    let span = Span::new(lower.file, start, start + word.len());
    let shown = if fills { format!("`{word} = …` fills a field, which") } else { format!("`{word}`") };
    Some(
        Diagnostic::new(&codes::MISPLACED, span, format!("{shown} belongs in {belongs}, and this is {what}"))
            .label(format!("a statement of {belongs}"))
            .help(form(place).example),
    )
}

/// Words that people write for ours: the diagnostic gets a hint where one begins the junk.
fn slip_of_word(lower: &Lower<'_>, pair: &Pair<'_>, mut diagnostic: Diagnostic) -> Diagnostic {
    let text = pair.as_str().trim_start();
    let word = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("");
    let right = match word {
        "insert" => "create once by",
        "merge" | "save" => "upsert by",
        "var" | "const" | "def" => "let",
        "assert" | "require" => "check",
        "return" => "then write",
        "when" | "case" | "switch" => "match",
        "foreach" | "each" => "for",
        "throw" | "raise" | "stop" => "fail",
        _ => return diagnostic,
    };
    let start = lower.mended.real(pair.as_span().start());
    let length = pair.as_str().len() - text.len();
    let span = Span::new(lower.file, start + length, start + length + word.len());
    diagnostic.help = Some(format!("in this language it is `{right}`: {}", diagnostic.help.unwrap_or_default()));
    if diagnostic.span.start == span.start {
        diagnostic.span = span;
    }
    diagnostic
}

/// `// …` and `/* … */` where nothing could stand: comments of other languages.
fn comment(lower: &Lower<'_>, span: Span) -> Option<Diagnostic> {
    // A value may have been expected behind the first of its two signs.
    let start = span.start - u32::from(lower.text[..span.start as usize].ends_with('/'));
    let rest = &lower.text[start as usize..];
    let opens = ["//", "/*"].into_iter().find(|sign| rest.starts_with(sign))?;
    let span = Span { start, end: start + 2, ..span };
    let wrong = Diagnostic::new(&codes::SYNTAX, span, format!("`{opens}` does not begin a comment"))
        .label("a comment of another language")
        .help("begin a comment with `#`; it ends with its line");
    Some(if opens == "//" { wrong.fix("write `#`", span, "#") } else { wrong })
}

fn tail(lower: &Lower<'_>, pair: &Pair<'_>, form: &Form) -> Diagnostic {
    let (span, found) = found_at(lower, lower.mended.real(pair.as_span().start()));
    if let Some(comment) = comment(lower, span) {
        return comment;
    }
    let found = found.unwrap_or_else(|| "this".to_owned());
    Diagnostic::new(
        &codes::SYNTAX,
        span,
        format!("{found} stands after the end of the declaration and belongs to nothing"),
    )
    .label("outside every declaration")
    .help(form.example)
}

/// The head of a declaration that can't be read, or a block that is not there.
pub(crate) fn head(lower: &Lower<'_>, pair: &Pair<'_>, of: Rule) -> Diagnostic {
    let (shape, alone) = head_form(of);
    let mut help = format!("write `{shape}`");
    if pair.as_rule() == Rule::no_body {
        let at = lower.mended.real(pair.as_span().start());
        let at = lower.text[..at].trim_end().len();
        let span = Span::new(lower.file, at, at);
        return Diagnostic::new(&codes::SYNTAX, span, "a declaration ends without its block: `{` is expected")
            .label("`{` is missing here")
            .help(help)
            .fix("add a block", span, " {\n}");
    }
    let text = pair.as_str();
    let (reached, tried) = alone.map_or((0, Vec::new()), |rule| reached(rule, text));
    let blank = text[reached..].len() - text[reached..].trim_start().len();
    let (span, found) = found_at(lower, lower.mended.real(pair.as_span().start() + reached + blank));
    if found.as_deref() == Some("`-`") {
        "use letters, digits and `_` in a name, no `-`; the same holds for the name of a file".clone_into(&mut help);
    }
    let form = Form { rule: Rule::alone_fn, what: "another form", example: "" };
    let wanted = wanted(&tried, &form);
    let wanted = if tried.is_empty() { String::new() } else { format!(": {wanted} is expected") };
    let message = match found {
        Some(found) => format!("{found} does not fit the head of this declaration{wanted}"),
        None => format!("the head of this declaration ends too early{wanted}"),
    };
    Diagnostic::new(&codes::SYNTAX, span, message).label("not understood").help(help)
}

/// Something in the place of a declaration that is none.
pub(crate) fn no_declaration(lower: &Lower<'_>, pair: &Pair<'_>) -> Diagnostic {
    let (span, found) = found_at(lower, lower.mended.real(pair.as_span().start()));
    if let Some(comment) = comment(lower, span) {
        return comment;
    }
    let found = found.unwrap_or_else(|| "this".to_owned());
    let word = found.trim_matches('`');
    let statement = OF_FLOWS.contains(&word) || OF_TESTS.contains(&word) || OF_MAPPINGS.contains(&word);
    let assigns = pair.as_str().split('{').next().is_some_and(|line| line.contains(" = "));
    if statement || assigns {
        return Diagnostic::new(&codes::MISPLACED, span, format!("{found} is a statement outside every declaration"))
            .label("no `{ }` around it")
            .help("put it into the `{ }` of a mapping, a flow or a test");
    }
    let near = DECLARATIONS.iter().map(|name| (strsim::osa_distance(word, name), *name)).min();
    let wrong = Diagnostic::new(&codes::SYNTAX, span, format!("{found} does not begin a declaration"))
        .label("not a declaration")
        .help("begin a declaration with `use`, `settings`, `lookup`, `mapping`, `fields`, `fn`, `flow`, `adapt`, `connect`, `extend` or `test`");
    match near {
        Some((away, name)) if away <= 2 && word.len() > 2 => {
            let mut wrong = wrong.fix(format!("write `{name}`"), span, name);
            wrong.help = Some(format!("did you mean `{name}`?"));
            wrong
        }
        _ => wrong,
    }
}
