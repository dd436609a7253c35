//! `flowc explain CODE`: the page of a diagnostic, with a wrong and a right example.

use super::screen::{Paint, Screen};
use super::{Answer, Format, Outcome, Trouble};
use crate::source::{Code, codes};
use serde_json::{Value, json};

/// The arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The code of a diagnostic, or a word of what it says; without one, all are listed.
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// Prints the page, or the list of all.
pub(crate) fn run(screen: &Screen, arguments: &Arguments) -> Answer {
    let found = match &arguments.code {
        None => codes::REGISTRY.to_vec(),
        Some(asked) => match codes::code(asked.trim()) {
            Some(code) => return one(screen, code),
            None => said_with(asked.trim()),
        },
    };
    if found.is_empty() {
        let asked = arguments.code.as_deref().unwrap_or_default();
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
