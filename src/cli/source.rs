//! `flowc source NAME[:LINE]`: the text of a flow file that ships or of the project, all of it or one declaration.

use super::look::Look;
use super::screen::{Paint, Screen};
use super::{Answer, Format, Global, Outcome, Trouble};
use crate::check::nearest;
use crate::source::{FileId, Source, library};
use crate::syntax::ast::{Decl, DeclKind};
use crate::syntax::parse;
use serde_json::json;
use std::io::IsTerminal as _;
use std::path::Path;

/// Lines shown around one that stands in no declaration.
const LINES_AROUND: usize = 5;

/// The arguments of `source`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A module, `flows.orders`; a file with or without a line, `exact/crm.flow:21`; or what one declares, `exact.Account`.
    #[arg(value_name = "NAME[:LINE]")]
    name: String,
}

/// Lines of a file, from 1, both included.
struct Shown {
    file: FileId,
    from: usize,
    to: usize,
    /// The line that was asked for.
    asked: Option<usize>,
}

/// Prints the text.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let name = arguments.name.trim().trim_start_matches("flowc's ");
    if let Some(table) = name.split(':').next().and_then(|path| library::data(path.rsplit('/').next()?)) {
        Screen::answer(table)?;
        return Ok(Outcome::Done);
    }
    let look = Look::texts(global)?;
    let files = files(&look, name);
    let shown = match &files[..] {
        [] => declared(&look, name)?,
        [one] => part(&look, *one, line_of(name)?)?,
        // A module of several files is told by their names.
        several => {
            let paths: Vec<String> =
                several.iter().map(|file| look.sources.get(*file).path.display().to_string()).collect();
            let text = if screen.format() == Format::Json {
                json!({ "module": name, "files": paths }).to_string()
            } else {
                paths.join("\n")
            };
            Screen::answer(&text)?;
            return Ok(Outcome::Done);
        }
    };
    print(screen, &look, &shown)?;
    Ok(Outcome::Done)
}

/// The files of that path or module.
fn files(look: &Look, name: &str) -> Vec<FileId> {
    let name = name.split(':').next().unwrap_or(name);
    let path = |source: &Source| {
        let path = &source.path;
        path == Path::new(name) || path.strip_prefix("./").is_ok_and(|path| path == Path::new(name))
    };
    let own = |source: &Source| {
        let module = source.path.with_extension("").display().to_string().replace('/', ".");
        Look::module(source).is_none() && module == name
    };
    let ships = library::shipped(name);
    let of = |wanted: &dyn Fn(&Source) -> bool| -> Vec<FileId> {
        look.sources.iter().filter(|(_, source)| wanted(source)).map(|(file, _)| file).collect()
    };
    let found = [of(&path), of(&own), of(&|source| ships.is_some() && Look::module(source) == ships)];
    found.into_iter().find(|files| !files.is_empty()).unwrap_or_default()
}

/// The line behind the colon; a column behind it says no more.
fn line_of(name: &str) -> Result<Option<usize>, Trouble> {
    let Some(line) = name.split(':').nth(1) else { return Ok(None) };
    let line = line.parse().ok().filter(|line| *line > 0);
    line.map(Some).ok_or_else(|| {
        Trouble::Misuse(format!("`{name}` names no line: write it as in `flowc source exact/crm.flow:21`"))
    })
}

/// All of a file, or the declaration around a line.
fn part(look: &Look, file: FileId, line: Option<usize>) -> Result<Shown, Trouble> {
    let source = look.sources.get(file);
    let lines = source.text.lines().count();
    let Some(line) = line else { return Ok(Shown { file, from: 1, to: lines, asked: None }) };
    if line > lines {
        let path = source.path.display();
        return Err(Trouble::Misuse(format!(
            "{path} has {lines} lines, so none is {line}: `flowc source {path}` shows it"
        )));
    }
    let around = parse(file, &source.text)
        .ast
        .decls
        .iter()
        .map(|decl| lines_of(source, decl))
        .find(|(from, to)| (*from..=*to).contains(&line));
    let (from, to) = around.unwrap_or((line.saturating_sub(LINES_AROUND).max(1), (line + LINES_AROUND).min(lines)));
    Ok(Shown { file, from, to, asked: Some(line) })
}

/// The lines of a declaration, its comment among them.
fn lines_of(source: &Source, decl: &Decl) -> (usize, usize) {
    let comment = decl.doc.as_ref().map_or(0, |doc| doc.lines().count());
    let from = source.position(decl.span.start as usize).line;
    let starts_with_comment = source.text[decl.span.range()].starts_with("##");
    let from = if starts_with_comment { from } else { from.saturating_sub(comment).max(1) };
    (from, source.position(decl.span.end as usize).line)
}

/// The declaration of that name: `exact.Account`, `orders.sales_order`, `country_of`.
fn declared(look: &Look, name: &str) -> Result<Shown, Trouble> {
    let (module, wanted) = name.rsplit_once('.').map_or((None, name), |(module, name)| (Some(module), name));
    let mut names = Vec::new();
    for (file, source) in look.sources.iter() {
        let its =
            Look::module(source).map_or_else(|| source.path.with_extension("").display().to_string(), str::to_owned);
        for decl in parse(file, &source.text).ast.decls {
            let Some(declared) = name_of(&decl.kind) else { continue };
            let of_module = module.is_none_or(|module| its == module || its.strip_prefix("flows.") == Some(module));
            if declared == wanted && of_module {
                let (from, to) = lines_of(source, &decl);
                return Ok(Shown { file, from, to, asked: None });
            }
            names.push(format!("{}.{declared}", its.strip_prefix("flows.").unwrap_or(&its)));
        }
        names.push(source.path.display().to_string());
        names.push(its);
    }
    let near = nearest(name.split(':').next().unwrap_or(name), names.iter().map(String::as_str));
    let near = near.map_or(String::new(), |near| format!(": did you mean `{near}`?"));
    let modules = library::modules().join(", ");
    Err(Trouble::Misuse(format!("there is no file, module or declaration `{name}`{near} (what ships: {modules})")))
}

fn name_of(kind: &DeclKind) -> Option<&str> {
    Some(match kind {
        DeclKind::Lookup(decl) => &decl.name.text,
        DeclKind::Enum(decl) => &decl.name.text,
        DeclKind::Entity(decl) => &decl.name.text,
        DeclKind::Connector(decl) => &decl.name.text,
        DeclKind::Fn(decl) => &decl.name.text,
        DeclKind::Extern(decl) => &decl.name.text,
        DeclKind::Mapping(decl) => &decl.name.text,
        DeclKind::Fields(decl) => &decl.name.text,
        DeclKind::Flow(decl) => &decl.name.text,
        _ => return None,
    })
}

/// The text itself; for who watches with the numbers of its lines.
fn print(screen: &Screen, look: &Look, shown: &Shown) -> Result<(), Trouble> {
    let source = look.sources.get(shown.file);
    let Shown { from, to, asked, .. } = *shown;
    let lines: Vec<&str> = source.text.lines().skip(from - 1).take(to + 1 - from).collect();
    if screen.format() == Format::Json {
        let module = Look::module(source);
        let file = source.path.display().to_string();
        let text = lines.join("\n");
        Screen::answer(
            &json!({ "file": file, "module": module, "line": from, "end_line": to, "text": text }).to_string(),
        )?;
        return Ok(());
    }
    if !std::io::stdout().is_terminal() {
        Screen::answer(&lines.join("\n"))?;
        return Ok(());
    }
    let width = to.to_string().len();
    let numbered: Vec<String> = lines
        .iter()
        .zip(from..)
        .map(|(line, number)| {
            let mark = if asked == Some(number) { '>' } else { ' ' };
            format!("{} {line}", screen.paint(&format!("{mark}{number:>width$}"), Paint::Dim))
        })
        .collect();
    Screen::answer(&format!("{}\n{}", screen.paint(&source.called(), Paint::Bold), numbered.join("\n")))?;
    Ok(())
}
