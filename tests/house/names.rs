//! What a path means: the modules of the crate with what each defines, imports and hands on.

use crate::code::{File, Named, for_tests, named};
use crate::types::segments;
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};
use syn::{Item, UseTree};

/// Something that is defined: its module and its name.
pub(crate) type Definition = (Vec<String>, String);

/// Imports that lead to imports; more is a circle.
const IMPORTS_DEEP: usize = 16;

/// The modules of the crate.
pub(crate) struct Names {
    modules: BTreeMap<Vec<String>, Module>,
}

/// A module: a file, or a part of one.
#[derive(Default)]
struct Module {
    /// The number of its file.
    file: usize,
    items: BTreeSet<String>,
    imports: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A module.
    Module(Vec<String>),
    /// What a file defines, and the segments of the path that follow its name.
    Item(Definition, Vec<String>),
    /// Something of another crate, by its whole path.
    Foreign(Vec<String>),
}

impl Names {
    /// The names of these files.
    pub(crate) fn new(files: &[File]) -> Self {
        let mut names = Self { modules: BTreeMap::new() };
        for (number, file) in files.iter().enumerate() {
            names.add(number, file.at.module(), &file.ast.items);
        }
        names
    }

    fn add(&mut self, file: usize, path: Vec<String>, items: &[Item]) {
        let mut module = Module { file, ..Module::default() };
        for item in items.iter().filter(|item| !for_tests(item)) {
            if let Some(name) = name_of(item) {
                module.items.insert(name.to_string());
            }
            if let Item::Mod(syn::ItemMod { ident, content: Some((_, items)), .. }) = item {
                self.add(file, [&path[..], &[ident.to_string()]].concat(), items);
            }
            // What a block imports is taken as if the module did.
            module.visit_item(item);
        }
        self.modules.insert(path, module);
    }

    /// The number of the file that holds a module.
    pub(crate) fn file(&self, module: &[String]) -> Option<usize> {
        self.modules.get(module).map(|module| module.file)
    }

    /// What a path leads to that is written in this module.
    pub(crate) fn resolve(&self, module: &[String], path: &[String]) -> Target {
        self.target(module, path, false, 0).unwrap_or_else(|| Target::Foreign(path.to_vec()))
    }

    /// `more`: something of it is named behind the path, so it is no function.
    fn target(&self, module: &[String], path: &[String], more: bool, deep: usize) -> Option<Target> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Target::Module(Vec::new()),
            "self" => Target::Module(module.to_vec()),
            "super" => Target::Module(module[..module.len().checked_sub(1)?].to_vec()),
            name => self.within(module, name, more || !rest.is_empty(), deep)?,
        };
        while let (Target::Module(inner), Some((name, after))) = (&at, rest.split_first()) {
            at = match name.as_str() {
                "super" => Target::Module(inner[..inner.len().checked_sub(1)?].to_vec()),
                // What no item says, a macro of that module has made.
                name => self.within(inner, name, more || !after.is_empty(), deep).unwrap_or_else(|| item(inner, name)),
            };
            rest = after;
        }
        Some(match at {
            Target::Module(module) => Target::Module(module),
            Target::Item(definition, after) => Target::Item(definition, [&after[..], rest].concat()),
            Target::Foreign(path) => Target::Foreign([&path[..], rest].concat()),
        })
    }

    /// What a name means in a module: a module below it, its own, or what it imports.
    fn within(&self, path: &[String], name: &str, more: bool, deep: usize) -> Option<Target> {
        let below = [path, &[name.to_owned()]].concat();
        let module = self.modules.get(path).filter(|_| deep < IMPORTS_DEEP);
        let (own, inner) =
            (module.is_some_and(|module| module.items.contains(name)), self.modules.contains_key(&below));
        // A function and a module may share a name.
        if inner && (more || !own) {
            return Some(Target::Module(below));
        }
        if own {
            return Some(item(path, name));
        }
        if let Some(import) = module?.imports.get(name) {
            // `use url::Url` in a module `url` of ours names the crate.
            return Some(self.target(path, import, more, deep + 1).unwrap_or_else(|| Target::Foreign(import.clone())));
        }
        module?.globs.iter().find_map(|glob| match self.target(path, glob, true, deep + 1)? {
            Target::Module(module) => self.within(&module, name, more, deep + 1),
            Target::Item(..) | Target::Foreign(_) => None,
        })
    }
}

fn item(module: &[String], name: &str) -> Target {
    Target::Item((module.to_vec(), name.to_owned()), Vec::new())
}

impl Visit<'_> for Module {
    fn visit_item_use(&mut self, import: &syn::ItemUse) {
        for (name, path) in imported(&import.tree) {
            match name {
                Some(name) => _ = self.imports.entry(name).or_insert(path),
                None => self.globs.push(path),
            }
        }
    }

    fn visit_item_mod(&mut self, _: &syn::ItemMod) {}
}

/// The name that an item defines.
fn name_of(item: &Item) -> Option<&syn::Ident> {
    Some(match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    })
}

/// The paths that a `use` imports, each under the name that it gets; under none where all of a module is meant.
pub(crate) fn imported(tree: &UseTree) -> Vec<(Option<String>, Vec<String>)> {
    match tree {
        UseTree::Path(path) => imported(&path.tree)
            .into_iter()
            .map(|(name, mut rest)| {
                // `a::{self}` is `a`.
                let own = rest.last().is_some_and(|last| last == "self").then(|| rest.pop()).is_some();
                let name = if own && name.as_deref() == Some("self") { Some(path.ident.to_string()) } else { name };
                (name, [vec![path.ident.to_string()], rest].concat())
            })
            .collect(),
        UseTree::Name(name) => vec![(Some(name.ident.to_string()), vec![name.ident.to_string()])],
        UseTree::Rename(name) => vec![(Some(name.rename.to_string()), vec![name.ident.to_string()])],
        UseTree::Glob(_) => vec![(None, Vec::new())],
        UseTree::Group(group) => group.items.iter().flat_map(imported).collect(),
    }
}

/// The whole paths of what a file names: of our crate under `crate`, of others under theirs.
struct Paths<'a> {
    names: &'a Names,
    module: Vec<String>,
    found: Vec<Vec<String>>,
}

/// The whole paths of what these items name.
pub(crate) fn paths<'f>(names: &Names, file: &File, items: impl Iterator<Item = &'f Item>) -> Vec<Vec<String>> {
    let mut paths = Paths { names, module: file.at.module(), found: Vec::new() };
    items.for_each(|item| paths.visit_item(item));
    paths.found
}

impl Paths<'_> {
    fn named(&mut self, path: &[String]) {
        let ours = |module: Vec<String>| [vec!["crate".to_owned()], module].concat();
        self.found.push(match self.names.resolve(&self.module, path) {
            Target::Module(module) => ours(module),
            Target::Item((module, name), after) => [ours(module), vec![name], after].concat(),
            Target::Foreign(path) => path,
        });
        // What is handed on by another room is used of that room.
        if path[0] == "crate" {
            self.found.push(path.to_vec());
        }
    }
}

impl Visit<'_> for Paths<'_> {
    fn visit_attribute(&mut self, _: &syn::Attribute) {}

    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        imported(&item.tree).iter().for_each(|(_, path)| self.named(path));
    }

    fn visit_path(&mut self, path: &syn::Path) {
        self.named(&segments(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.visit_path(&call.path);
        for found in named(call.tokens.clone()) {
            if let Named::Path(path, _) = found {
                self.named(&path);
            }
        }
    }
}
