//! The pages of the default flows: each flow has its section, and what a flow file itself says (settings, tables, what stops
//! a record) stands there as the file says it. `UPDATE=1 cargo test --test docs` writes that part anew.

use super::page;
use flowc::source::FileId;
use flowc::source::library;
use flowc::syntax::ast::{DeclKind, Lookup, LookupRows, Setting, Type};
use flowc::syntax::parse;
use std::fmt::Write as _;

const BEGIN: &str = "<!-- as the flow file says it: UPDATE=1 cargo test --test docs -->\n";
const END: &str = "<!-- /as the flow file says it -->\n";

/// What a flow file says, read as text.
struct Told<'t> {
    text: &'t str,
    settings: Vec<Setting>,
    lookups: Vec<(Lookup, Option<String>)>,
    flows: Vec<String>,
}

impl<'t> Told<'t> {
    fn of(text: &'t str) -> Self {
        let mut told = Self { text, settings: Vec::new(), lookups: Vec::new(), flows: Vec::new() };
        for decl in parse(FileId(0), text).ast.decls {
            match decl.kind {
                DeclKind::Settings(settings) => told.settings.extend(settings),
                DeclKind::Lookup(lookup) => told.lookups.push((lookup, decl.doc)),
                DeclKind::Flow(flow) => told.flows.push(flow.name.text.to_string()),
                _ => {}
            }
        }
        told
    }

    fn cut(&self, span: flowc::source::Span) -> String {
        let text = &self.text[span.range()];
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A type as it is written, in a cell of a table.
    fn ty(&self, ty: &Type) -> String {
        self.cut(ty.span).replace('|', "\\|")
    }

    fn settings(&self) -> String {
        if self.settings.is_empty() {
            return String::new();
        }
        let mut out = "### Settings\n\n| setting | type | default | decides |\n|---|---|---|---|\n".to_owned();
        for setting in &self.settings {
            let default = setting.default.as_ref().map(|value| self.cut(value.span));
            let default = default.map_or_else(|| "–".to_owned(), |text| format!("`{}`", text.replace('|', "\\|")));
            let doc = one_line(setting.doc.as_deref());
            let _ = writeln!(out, "| `{}` | `{}` | {default} | {doc} |", setting.name.text, self.ty(&setting.ty));
        }
        out.push('\n');
        out
    }

    fn tables(&self) -> String {
        if self.lookups.is_empty() {
            return String::new();
        }
        let mut out = "### Tables\n\n| table | by | gives | rows | decides |\n|---|---|---|---|---|\n".to_owned();
        for (lookup, doc) in &self.lookups {
            let keys: Vec<String> = lookup.keys.iter().map(|key| format!("`{}`", key.name.text)).collect();
            let rows = match &lookup.rows {
                LookupRows::Here(rows) => rows.len().to_string(),
                LookupRows::Csv(file) => format!("in `{}`", file.value),
            };
            let gives = self.ty(&lookup.result);
            let (name, by, doc) = (&lookup.name.text, keys.join(", "), one_line(doc.as_deref()));
            let _ = writeln!(out, "| `{name}` | {by} | `{gives}` | {rows} | {doc} |");
        }
        out.push('\n');
        out
    }

    /// The words with which a record stops, waits, is left out or is told to a person.
    fn stops(&self) -> String {
        let kinds = [("fail", "stops"), ("wait", "waits"), ("skip", "is left out"), ("alert", "is told to a person")];
        let mut out = String::new();
        for (word, means) in kinds {
            let mut said: Vec<String> = texts_behind(self.text, word);
            said.sort();
            said.dedup();
            said.iter().for_each(|text| {
                let _ = writeln!(out, "| {means} | {} |", text.replace('|', "\\|"));
            });
        }
        if out.is_empty() {
            return out;
        }
        format!(
            "### What becomes of a record that cannot be carried out\n\n| a record | in these words |\n|---|---|\n{out}\n"
        )
    }
}

/// The texts that stand behind a word: `fail "…"`.
fn texts_behind(text: &str, word: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (at, _) in joined.match_indices(&format!("{word} \"")) {
        let is_word = joined[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let rest = &joined[at + word.len() + 2..];
        if is_word && let Some(end) = end_of_text(rest) {
            found.push(rest[..end].replace("\\\"", "\""));
        }
    }
    found
}

/// Where a text ends that may hold values in braces with texts of their own.
fn end_of_text(text: &str) -> Option<usize> {
    let (mut depth, mut escaped) = (0_u32, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '"' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// A doc comment as a cell, without the names that people have for the thing.
fn one_line(doc: Option<&str>) -> String {
    let doc = doc.unwrap_or_default();
    let lines: Vec<&str> = doc.lines().map(str::trim).filter(|line| !line.starts_with("aka:")).collect();
    lines.join(" ").replace('|', "\\|")
}

#[test]
fn each_flow_has_its_page_and_the_page_says_what_the_file_says() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for (module, path, text) in library::LIBRARY.iter().filter(|(module, ..)| module.starts_with("flows.")) {
        let name = module.trim_start_matches("flows.");
        let file = format!("flows/{name}.md");
        let page = page(&file);
        let told = Told::of(text);
        for flow in &told.flows {
            if !page.contains(&format!("\n## {name}.{flow}")) {
                wrong.push(format!("docs/{file} has no section `## {name}.{flow}`"));
            }
        }
        let made = format!("{BEGIN}\n{}{}{}{END}", told.settings(), told.tables(), told.stops());
        for setting in told.settings.iter().filter(|setting| one_line(setting.doc.as_deref()).is_empty()) {
            wrong.push(format!("{path} does not say what `{}` decides: a `##` line above it", setting.name.text));
        }
        let Some((before, behind)) = page.split_once(BEGIN).and_then(|(before, rest)| {
            let (_, behind) = rest.split_once(END)?;
            Some((before, behind))
        }) else {
            wrong.push(format!("docs/{file} lacks the part that is made of {path}: {BEGIN}{END}"));
            continue;
        };
        let right = format!("{before}{made}{behind}");
        if right != page && update {
            std::fs::write(super::root().join("docs").join(&file), right).expect("the page can be written");
        } else if right != page {
            wrong.push(format!("docs/{file} says something else than {path}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n(`UPDATE=1 cargo test --test docs` writes the part made of the files)",
        wrong.join("\n")
    );
}

#[test]
fn texts_are_found_whole() {
    let text = "x fail \"a {b.join(\", \")} c\" # fail \"no\"\n  failed \"z\" else skip \"q\"";
    assert_eq!(texts_behind(text, "fail"), ["a {b.join(\", \")} c", "no"]);
    assert_eq!(texts_behind(text, "skip"), ["q"]);
    assert_eq!(texts_behind(r#"fail "add `a = \"B\"`""#, "fail"), ["add `a = \"B\"`"]);
}
