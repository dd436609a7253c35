//! `flowc explain WHAT`: the page of a diagnostic with a wrong and a right example, or what an entity or a field is.

use super::fields::{self, Found};
use super::look::{Look, Schema};
use super::screen::{Paint, Screen};
use super::{Answer, Format, Global, Outcome, Trouble};
use crate::source::{Code, codes};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A diagnostic's code or a word of what it says, an entity (`exact.Item`) or a field of one (`exact.Item.VATCode`);
    /// without it all codes are listed.
    #[arg(value_name = "WHAT")]
    what: Option<String>,
}

/// Prints the page, or the list of all.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let found = match &arguments.what {
        None => codes::REGISTRY.to_vec(),
        Some(asked) => match codes::code(asked.trim()) {
            Some(code) => return one(screen, code),
            None if asked.contains('.') => return schema(screen, &Look::new(global)?, asked.trim()),
            None => said_with(asked.trim()),
        },
    };
    if found.is_empty() {
        let asked = arguments.what.as_deref().unwrap_or_default();
        return Err(Trouble::Misuse(unknown(asked)));
    }
    let text = if screen.format() == Format::Json {
        let list =
            found.iter().map(|code| json!({ "code": code.id, "severity": code.severity.word(), "title": code.title }));
        list.collect::<Value>().to_string()
    } else {
        let lines: Vec<String> =
            found.iter().map(|code| format!("{}  {}", screen.paint(code.id, Paint::Dim), code.title)).collect();
        lines.join("\n")
    };
    Screen::answer(&text)?;
    Ok(Outcome::Done)
}

fn one(screen: &Screen, code: &Code) -> Answer {
    let page = codes::page(code);
    let text = if screen.format() == Format::Json {
        json!({
            "code": code.id, "severity": code.severity.word(), "title": code.title, "page": page,
            "wrong": example(page, "Wrong"), "right": example(page, "Right"),
        })
        .to_string()
    } else {
        for_people(screen, page)
    };
    Screen::answer(&text)?;
    Ok(Outcome::Done)
}

/// Tells what an entity is, or a field of one.
fn schema(screen: &Screen, look: &Look, asked: &str) -> Answer {
    let schemas = look.schemas();
    let of_field = asked.rsplit_once('.').and_then(|(of, field)| Some((look.schema(&schemas, of).ok()?, field)));
    let text = match (of_field, look.schema(&schemas, asked)) {
        (_, Ok(schema)) => entity(screen, look, &schemas, schema),
        (Some((schema, name)), Err(_)) => field(screen, look, &schemas, schema, name)?,
        (None, Err(wrong)) => return Err(wrong),
    };
    Screen::answer(&text)?;
    Ok(Outcome::Done)
}

/// An entity: what it is, how it is reached and found, what a create needs, who makes it.
fn entity(screen: &Screen, look: &Look, schemas: &[Schema], schema: &Schema) -> String {
    let mut found = Vec::new();
    fields::collect(look, schemas, schema, "", 0, &mut found);
    let required: Vec<&Found> = found.iter().filter(|found| found.required(look) != "no").collect();
    let keys: Vec<&Found> = found.iter().filter(|found| schema.is_key(look, &found.path)).collect();
    let id = look.id(schema);
    let makers = look.program.mappings.iter().filter(|mapping| Some(mapping.target) == id);
    let makers: Vec<(&str, crate::source::Span)> = makers.map(|mapping| (&*mapping.name, mapping.span)).collect();
    if screen.format() == Format::Json {
        let list = |found: &[&Found]| found.iter().map(|found| found.json(look)).collect::<Value>();
        let makers = makers.iter().map(|(name, span)| json!({ "mapping": name, "place": look.place_json(*span) }));
        let mut value = schema.json(look);
        value["keys"] = list(&keys);
        value["required"] = list(&required);
        value["fields"] = json!(found.len());
        value["made_by"] = makers.collect();
        return value.to_string();
    }
    let mut text = schema.heading(screen, look);
    for (heading, found) in [("Keys", &keys), ("Needed to create it", &required)] {
        if !found.is_empty() {
            let _ = writeln!(text, "{}", screen.paint(heading, Paint::Bold));
            let width = found.iter().map(|found| found.path.chars().count()).max().unwrap_or(0);
            found.iter().for_each(|found| found.print(screen, look, width, &mut text));
            text.push('\n');
        }
    }
    if !makers.is_empty() {
        let _ = writeln!(text, "{}", screen.paint("Made by", Paint::Bold));
        makers.iter().for_each(|(name, span)| _ = writeln!(text, "{name} ({})", look.place(*span)));
        text.push('\n');
    }
    let name = schema.full_name();
    let all = found.len();
    let _ = writeln!(text, "`flowc fields {name}` lists its {all} fields, `flowc source {name}` shows the schema.");
    text
}

/// A field: its type, who may fill it, what it may hold.
fn field(screen: &Screen, look: &Look, schemas: &[Schema], schema: &Schema, name: &str) -> Result<String, Trouble> {
    let mut found = Vec::new();
    fields::collect(look, schemas, schema, "", 0, &mut found);
    let Some(one) = found.iter().find(|found| found.path.eq_ignore_ascii_case(name) || found.is_called(name)) else {
        return Err(Trouble::Misuse(fields::nothing(schema, &found, name)));
    };
    let values = look.values(schema, &one.field.ty);
    if screen.format() == Format::Json {
        let mut value = one.json(look);
        value["entity"] = json!(schema.full_name());
        value["values"] = json!(values);
        return Ok(value.to_string());
    }
    let heading = format!("{}.{}", schema.full_name(), one.path);
    let mut text = format!("{}  {}\n", screen.paint(&heading, Paint::Bold), look.place(one.field.name.span));
    one.print(screen, look, one.path.chars().count(), &mut text);
    for mark in one.marks(look) {
        if let Some(means) = meaning(mark) {
            let _ = writeln!(text, "    {mark}: {means}");
        }
    }
    if !values.is_empty() {
        let _ = writeln!(text, "    one of {}", values.join(", "));
    }
    Ok(text)
}

/// What a mark of a field means.
fn meaning(mark: &str) -> Option<&'static str> {
    let means = [
        ("read only", "the system computes it, nobody fills it"),
        ("create only", "it is filled when the record is created and never changes"),
        ("write only", "it can be filled, and no answer shows it"),
        ("feed only", "the feed of changes shows it, the record's own address does not"),
        ("not in feed", "the feed of changes lacks it, so the record is read again by its key"),
        ("required", "a create needs it"),
        ("filter", "the system can be searched by it"),
        ("parameter", "the system can be searched by it"),
        ("search", "the system can be searched by it, loosely: what comes back is compared"),
        ("personal", "it says something about a person, so logs hide it"),
        ("assumed", "its length or rule is not proved, so what was written is read back"),
        ("caseless", "upper and lower case are the same in it"),
        ("padded", "the system puts blanks before it, up to this length"),
        ("scale", "the system keeps so many decimals"),
        ("zero is absent", "0 and \"\" mean that nothing is there"),
    ];
    let words = |word: &str| mark == word || mark.strip_prefix(word).is_some_and(|rest| rest.starts_with(' '));
    means.into_iter().find(|(word, _)| words(word)).map(|(_, means)| means)
}

/// Headings stand out, fences go and examples are set in: a terminal is no page of Markdown.
fn for_people(screen: &Screen, page: &str) -> String {
    let mut text = String::new();
    let mut in_example = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_example = !in_example;
        } else if in_example {
            text.push_str(format!("    {line}").trim_end());
            text.push('\n');
        } else if line.starts_with('#') {
            text.push_str(&screen.paint(line.trim_start_matches('#').trim(), Paint::Bold));
            text.push('\n');
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// The flow under a heading of a page; `None` where the page shows none.
pub(crate) fn example<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let section = page.split_once(&format!("\n## {heading}\n"))?.1;
    let code = section.split_once("```flow\n")?.1;
    Some(code.split_once("```")?.0)
}

fn said_with(word: &str) -> Vec<&'static Code> {
    let word = word.to_lowercase();
    // A code that is misspelt is not a word to look for.
    let searched = word.len() > 2 && word.chars().any(char::is_alphabetic) && !looks_like_code(&word);
    codes::REGISTRY.iter().copied().filter(|code| searched && code.title.to_lowercase().contains(&word)).collect()
}

fn looks_like_code(word: &str) -> bool {
    word.chars().filter(char::is_ascii_digit).count() >= 2
}

fn unknown(asked: &str) -> String {
    if !looks_like_code(asked) {
        return format!("no diagnostic is `{asked}` or says so: `flowc explain` lists all codes");
    }
    let digits: u32 =
        asked.chars().filter_map(|c| c.to_digit(10)).fold(0, |n, digit| n.saturating_mul(10).saturating_add(digit));
    let nearest =
        codes::REGISTRY.iter().min_by_key(|code| code.id[1..].parse::<u32>().unwrap_or(u32::MAX).abs_diff(digits));
    let near = nearest.map_or(String::new(), |code| format!(": the nearest is {} ({})", code.id, code.title));
    format!("there is no code `{asked}`{near}; `flowc explain` lists all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_code_names_the_nearest() {
        assert!(unknown("F0219").contains("F021"), "{}", unknown("F0219"));
        assert!(unknown("F210").contains("F0210"), "{}", unknown("F210"));
        assert!(unknown("banana").contains("lists all"));
    }

    #[test]
    fn a_word_finds_the_codes_that_say_it() {
        assert!(said_with("overlap").iter().any(|code| code.id == "F0402"));
        assert!(said_with("F9999").is_empty());
    }

    #[test]
    fn examples_are_cut_out_of_a_page() {
        let page = "# T\n\n## Wrong\n```flow\na\n```\n\n## Right\n```flow\nb\n```\n";
        assert_eq!((example(page, "Wrong"), example(page, "Right")), (Some("a\n"), Some("b\n")));
    }
}
