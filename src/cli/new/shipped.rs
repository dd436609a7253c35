//! What ships with this binary: the default flows, what their files use of each other, and what they ask.

use crate::source::{FileId, library};
use crate::syntax::ast::{DeclKind, Type, TypeKind};
use crate::syntax::parse;

/// A default flow file.
#[derive(Debug)]
pub(super) struct Module {
    /// Its name behind `flows.`: `orders`.
    pub(super) name: String,
    /// Its flows.
    pub(super) flows: Vec<String>,
    /// The default flow files that it uses.
    pub(super) uses: Vec<String>,
    /// What it asks.
    pub(super) questions: Vec<Question>,
}

/// A setting.
#[derive(Debug)]
pub(super) struct Question {
    /// Its name.
    pub(super) name: String,
    /// What it is about.
    pub(super) doc: Option<String>,
    /// A code of this entity is wanted: `Item` of `code exact.Item`.
    pub(super) code_of: Option<String>,
    /// It has a default, or may stay open.
    pub(super) optional: bool,
}

/// The default flow files of this binary, in the order in which they need each other.
pub(super) fn modules() -> Vec<Module> {
    const FIRST: &[&str] = &["tables", "customers", "products", "orders", "refunds", "statuses"];
    let mut names: Vec<&str> = library::modules().into_iter().filter_map(|name| name.strip_prefix("flows.")).collect();
    names.sort_by_key(|name| (FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()), *name));
    names.into_iter().map(module).collect()
}

fn module(name: &str) -> Module {
    let mut module = Module { name: name.to_owned(), flows: Vec::new(), uses: Vec::new(), questions: Vec::new() };
    for (_, _, text) in library::module(&format!("flows.{name}")) {
        for decl in parse(FileId(0), text).ast.decls {
            match decl.kind {
                DeclKind::Flow(flow) => module.flows.push(flow.name.text.to_string()),
                DeclKind::Use(used) => {
                    module.uses.extend(used.module.text().strip_prefix("flows.").map(str::to_owned));
                }
                DeclKind::Settings(asked) => module.questions.extend(asked.into_iter().map(|setting| Question {
                    name: setting.name.text.to_string(),
                    doc: setting.doc,
                    code_of: code_of(&setting.ty),
                    optional: setting.default.is_some() || matches!(setting.ty.kind, TypeKind::Optional(_)),
                })),
                _ => {}
            }
        }
    }
    module
}

/// The rows of a shipped table of `flows.tables`, as they are written.
pub(super) fn rows_of(table: &str) -> Vec<&'static str> {
    let head = format!("lookup {table}(");
    let texts = library::module("flows.tables").map(|(_, _, text)| *text);
    let of_table = texts.flat_map(|text| {
        text.lines().skip_while(|line| !line.starts_with(&head)).skip(1).take_while(|line| !line.starts_with('}'))
    });
    of_table.map(str::trim).filter(|line| line.contains("=>")).collect()
}

/// A row without its alignment.
pub(super) fn without_blanks(row: &str) -> String {
    row.split('"')
        .enumerate()
        .map(|(n, part)| if n % 2 == 0 { part.replace(' ', "") } else { part.to_owned() })
        .collect::<Vec<_>>()
        .join("\"")
}

fn code_of(ty: &Type) -> Option<String> {
    match &ty.kind {
        TypeKind::Code(path) => path.parts.last().map(|name| name.text.to_string()),
        TypeKind::Optional(inner) => code_of(inner),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_run_and_ask_for_their_items() {
        let modules = modules();
        let orders = modules.iter().find(|module| module.name == "orders").expect("orders ship");
        assert!(orders.flows.iter().any(|flow| flow == "orders"));
        assert!(orders.uses.iter().any(|used| used == "customers"));
        let item = orders.questions.iter().find(|question| question.name == "shipping_item").expect("it is asked");
        assert_eq!((item.code_of.as_deref(), item.optional), (Some("Item"), false));
        let place = |name| modules.iter().position(|module| module.name == name);
        assert!(place("tables") < place("orders"), "what is needed stands before what needs it");
    }
}
