//! What can be looked at: the flow files of the project and those that ship, by the names that people have for them.

use super::{Global, Trouble, project};
use crate::check::{self, Checked, nearest};
use crate::ir::{EntityId, Program};
use crate::source::{Disk, FileId, Files as _, Memory, Source, Sources, Span, library};
use crate::syntax::ast::{self, DeclKind, TypeKind};
use crate::syntax::parse;
use std::path::{Path, PathBuf};

/// The files of the project, or of the default flows where there is no project, and all that ships.
pub(crate) struct Look {
    /// Their texts.
    pub(crate) sources: Sources,
    /// What the project means, as far as it is understood.
    pub(crate) program: Program,
}

/// A schema as its file writes it.
pub(crate) struct Schema {
    /// The module that declares it; empty for one of the project.
    module: String,
    /// Its `##` comment.
    pub(crate) doc: String,
    /// Its name, clauses and fields, those that the project adds among them.
    pub(crate) entity: ast::Entity,
}

impl Schema {
    /// `exact.Account`.
    pub(crate) fn full_name(&self) -> String {
        let name = &self.entity.name.text;
        if self.module.is_empty() { name.to_string() } else { format!("{}.{name}", self.module) }
    }
}

impl Schema {
    /// The module that declares it.
    pub(crate) fn module(&self) -> &str {
        &self.module
    }

    /// Whether it is a part of others: it has no address of its own.
    pub(crate) fn is_part(&self) -> bool {
        let routed = |clause: &ast::Clause| matches!(clause.words.first(), Some(ast::Word::Name(word)) if word.parts.len() == 1 && &*word.parts[0].text == "route");
        !self.entity.clauses.iter().any(routed)
    }
}

impl Look {
    /// Looks around from where the command was called.
    pub(crate) fn new(global: &Global) -> Result<Self, Trouble> {
        let Checked { sources, program, .. } = match root(global)? {
            Some(root) => check::check_project(&Disk, &root, &[]),
            None => default_flows(),
        };
        Ok(Self::with_library(sources, program))
    }

    /// The texts alone: nothing is checked.
    pub(crate) fn texts(global: &Global) -> Result<Self, Trouble> {
        let mut sources = Sources::new();
        if let Some(root) = root(global)? {
            for path in Disk.flow_files(&root).unwrap_or_default() {
                if let Ok(text) = Disk.read(&path) {
                    sources.add(path.strip_prefix(&root).unwrap_or(&path), text);
                }
            }
        }
        Ok(Self::with_library(sources, Program::default()))
    }

    fn with_library(mut sources: Sources, program: Program) -> Self {
        for (_, path, text) in library::LIBRARY {
            let there = sources.iter().any(|(_, source)| source.path == Path::new(path) && *source.text == **text);
            if !there {
                sources.add(*path, *text);
            }
        }
        Self { sources, program }
    }

    /// The module of a file: `exact`, `flows.orders`; none for a file of the project.
    pub(crate) fn module(source: &Source) -> Option<&'static str> {
        let ships = |(_, path, text): &&library::Embedded| Path::new(path) == source.path && **text == *source.text;
        library::LIBRARY.iter().find(ships).map(|(module, _, _)| *module)
    }

    /// Every schema that is declared, with what the project adds to it.
    pub(crate) fn schemas(&self) -> Vec<Schema> {
        let (mut schemas, mut more) = (Vec::new(), Vec::new());
        for (file, source) in self.sources.iter() {
            if !["entity ", "extend "].iter().any(|word| source.text.contains(word)) {
                continue;
            }
            let module = Self::module(source).unwrap_or_default();
            for decl in parse(file, &source.text).ast.decls {
                let doc = decl.doc.unwrap_or_default();
                match decl.kind {
                    DeclKind::Entity(entity) => {
                        schemas.push(Schema { module: module.to_owned(), doc, entity });
                    }
                    DeclKind::Extend(extend) => more.push((file, extend)),
                    _ => {}
                }
            }
        }
        for (file, extend) in more {
            let names: Vec<&str> = extend.entity.parts.iter().map(|part| &*part.text).collect();
            let module = match &names[..] {
                [alias, _] => self.meant(alias, Some(file)),
                _ => None,
            };
            let extended = schemas.iter_mut().find(|schema| {
                Some(&&*schema.entity.name.text) == names.last() && module.as_ref().is_none_or(|m| *m == schema.module)
            });
            extended.into_iter().for_each(|schema| schema.entity.fields.extend(extend.fields.iter().cloned()));
        }
        schemas
    }

    /// The module that is meant by its own name or by one that a `use` gives it, in this file or in any.
    fn meant(&self, name: &str, within: Option<FileId>) -> Option<String> {
        if library::module(name).next().is_some() {
            return Some(name.to_owned());
        }
        let connection = self.program.connections.iter().find(|connection| *connection.name == *name);
        let files = self.sources.iter().filter(|(file, _)| within.is_none_or(|within| within == *file));
        let used = files.flat_map(|(_, source)| source.text.lines()).find_map(|line| {
            let (module, alias) = line.trim().strip_prefix("use ")?.split_once(" as ")?;
            (alias.split_whitespace().next() == Some(name)).then(|| module.trim().to_owned())
        });
        used.or_else(|| connection.map(|connection| connection.connector.to_string()))
    }

    /// The schema that is asked for: `exact.Account`, `woo.Order`, or `Account` where no other is called so.
    pub(crate) fn schema<'s>(&self, schemas: &'s [Schema], asked: &str) -> Result<&'s Schema, Trouble> {
        let (module, name) = asked.rsplit_once('.').map_or((None, asked), |(module, name)| (Some(module), name));
        let module = module.map(|module| self.meant(module, None).unwrap_or_else(|| module.to_owned()));
        let called = |schema: &&Schema| {
            module.as_ref().is_none_or(|module| *module == schema.module)
                && schema.entity.name.text.eq_ignore_ascii_case(name)
        };
        let found: Vec<&Schema> = schemas.iter().filter(called).collect();
        match &found[..] {
            [one] => Ok(one),
            [] => Err(Trouble::Misuse(unknown(schemas, asked, module.as_deref(), name))),
            several => {
                let names: Vec<String> = several.iter().map(|schema| format!("`{}`", schema.full_name())).collect();
                Err(Trouble::Misuse(format!("`{asked}` could be any of {}: say which", names.join(", "))))
            }
        }
    }

    /// The number of a schema in the program; none where the project does not use it.
    pub(crate) fn id(&self, schema: &Schema) -> Option<EntityId> {
        self.program.entities.iter().position(|entity| entity.span == schema.entity.name.span).map(EntityId::from)
    }

    /// The schemas of a module, when that is what is asked for: `exact`, `woo`.
    pub(crate) fn of_module<'s>(&self, schemas: &'s [Schema], asked: &str) -> Vec<&'s Schema> {
        let Some(module) = self.meant(asked, None) else { return Vec::new() };
        schemas.iter().filter(|schema| schema.module == module).collect()
    }

    /// The values that a type allows, when it is an enumeration: one in place, or one of the schema's module.
    pub(crate) fn values(&self, schema: &Schema, ty: &ast::Type) -> Vec<String> {
        let listed = |values: &[(ast::Text, Option<ast::Expr>)]| {
            values.iter().map(|(text, _)| format!("{:?}", &*text.value)).collect::<Vec<_>>()
        };
        match &ty.kind {
            TypeKind::Optional(inner) | TypeKind::List(inner) => self.values(schema, inner),
            TypeKind::OneOf(texts) => texts.iter().map(|text| format!("{:?}", &*text.value)).collect(),
            TypeKind::Enum(own) => listed(&own.values),
            TypeKind::Named(path, None) => {
                let Some(name) = path.parts.last() else { return Vec::new() };
                let of_module = |source: &Source| Self::module(source).unwrap_or_default() == schema.module;
                let files = self.sources.iter().filter(|(_, source)| of_module(source));
                let decls = files.flat_map(|(file, source)| parse(file, &source.text).ast.decls);
                let found = decls.into_iter().find_map(|decl| match decl.kind {
                    DeclKind::Enum(found) if found.name.text == name.text => Some(listed(&found.values)),
                    _ => None,
                });
                found.unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    /// `file:line`, as `flowc source` takes it.
    pub(crate) fn place(&self, span: Span) -> String {
        format!("{}:{}", self.sources.get(span.file).path.display(), self.sources.position(span).line)
    }

    /// `{file, line, column}`.
    pub(crate) fn place_json(&self, span: Span) -> serde_json::Value {
        let at = self.sources.position(span);
        let file = self.sources.get(span.file).path.display().to_string();
        serde_json::json!({ "file": file, "line": at.line, "column": at.column })
    }
}

/// The project's folder; none where there is none and none was named.
fn root(global: &Global) -> Result<Option<PathBuf>, Trouble> {
    match project::folder(global) {
        Ok(root) => Ok(Some(root)),
        Err(wrong) if global.project.is_some() => Err(wrong),
        Err(_) => Ok(None),
    }
}

/// The default flows by themselves.
fn default_flows() -> Checked {
    let flows = library::LIBRARY.iter().filter(|(module, _, _)| module.starts_with("flows."));
    let files = Memory(flows.map(|(_, path, text)| (PathBuf::from(path), (*text).to_owned())).collect());
    let paths: Vec<PathBuf> = files.0.keys().cloned().collect();
    check::check_files(&files, &paths)
}

fn unknown(schemas: &[Schema], asked: &str, module: Option<&str>, name: &str) -> String {
    let of_module = |schema: &&Schema| module.is_none_or(|module| module == schema.module);
    let near = nearest(name, schemas.iter().filter(of_module).map(|schema| &*schema.entity.name.text));
    let meant = near.and_then(|near| schemas.iter().filter(of_module).find(|schema| *schema.entity.name.text == *near));
    match meant {
        Some(schema) => format!("there is no entity `{asked}`: did you mean `{}`?", schema.full_name()),
        None => {
            let known = module.filter(|module| schemas.iter().any(|schema| schema.module == *module));
            let list = known.unwrap_or("exact");
            format!("there is no entity `{asked}`: `flowc fields {list}` lists those of `{list}`")
        }
    }
}
