//! `flowc fields ENTITY [WORD]`: the fields of an entity, what they hold, what screens call them, who fills them.

use super::look::{Look, Schema};
use super::screen::{Paint, Screen};
use super::{Answer, Format, Global, Outcome, Trouble};
use crate::check::nearest;
use crate::plan::{Writer, writers};
use crate::source::Doc;
use crate::syntax::ast::{FieldDecl, Type, TypeKind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Parts within parts that a word is looked for in.
const PARTS_DEEP: usize = 3;

/// Columns of a type.
const TYPE_COLUMNS: usize = 24;

/// The arguments of `fields`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The entity, `exact.Account` or `woo.Order`; a module, `exact`, lists its entities.
    #[arg(value_name = "ENTITY")]
    entity: String,
    /// Only fields with this word in their name, in what screens call them, or in what is said of them.
    #[arg(value_name = "WORD")]
    word: Option<String>,
}

/// A field, and the way to it from the entity that was asked for.
pub(super) struct Found<'s> {
    /// `Name`, `billing.phone`, `line_items[].sku`.
    pub(super) path: String,
    pub(super) field: &'s FieldDecl,
    pub(super) doc: Doc<'s>,
    pub(super) written_by: BTreeSet<Writer>,
}

/// Prints the fields, or the entities of a module.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let look = Look::new(global)?;
    let schemas = look.schemas();
    let of_module = look.of_module(&schemas, &arguments.entity);
    if !of_module.is_empty() {
        return entities(screen, &look, &of_module, arguments);
    }
    let schema = look.schema(&schemas, &arguments.entity)?;
    let mut found = Vec::new();
    collect(&look, &schemas, schema, "", arguments.word.as_ref().map_or(0, |_| PARTS_DEEP), &mut found);
    if let Some(word) = &arguments.word {
        let all = found;
        found = all.iter().filter(|found| found.has(word)).map(Found::again).collect();
        if found.is_empty() {
            return Err(Trouble::Misuse(nothing(schema, &all, word)));
        }
    }
    let text = if screen.format() == Format::Json {
        let fields: Vec<Value> = found.iter().map(|found| found.json(&look)).collect();
        with(schema.json(&look), "fields", json!(fields)).to_string()
    } else {
        let mut text = schema.heading(screen, &look);
        let width = found.iter().map(|found| found.path.chars().count()).max().unwrap_or(0);
        found.iter().for_each(|one| one.print(screen, &look, width, &mut text));
        text
    };
    Screen::answer(&text)?;
    Ok(Outcome::Done)
}

/// The entities of a module; with a word the fields of any of them.
fn entities(screen: &Screen, look: &Look, schemas: &[&Schema], arguments: &Arguments) -> Answer {
    let word = arguments.word.as_deref();
    let mut lines = Vec::new();
    let mut list = Vec::new();
    for schema in schemas {
        let doc = Doc::of(&schema.doc);
        let Some(word) = word else {
            lines.push(format!("{:<34}  {}", schema.full_name(), doc.says).trim_end().to_owned());
            list.push(schema.json(look));
            continue;
        };
        let mut found = Vec::new();
        collect(look, &[], schema, "", 0, &mut found);
        found.retain(|found| found.has(word));
        let name = schema.full_name();
        lines.extend(found.iter().map(|found| format!("{:<44}  {}", format!("{name}.{}", found.path), found.doc.says)));
        list.extend(found.iter().map(|found| with(found.json(look), "entity", json!(name))));
    }
    if lines.is_empty() {
        let (module, word) = (&arguments.entity, word.unwrap_or_default());
        return Err(Trouble::Misuse(format!("no field of `{module}` is called `{word}` or says so")));
    }
    let text = if screen.format() == Format::Json { json!(list).to_string() } else { lines.join("\n") };
    Screen::answer(&text)?;
    Ok(Outcome::Done)
}

/// The fields of a schema, and of its parts as deep as wanted.
pub(super) fn collect<'s>(
    look: &Look,
    schemas: &'s [Schema],
    schema: &'s Schema,
    before: &str,
    deep: usize,
    found: &mut Vec<Found<'s>>,
) {
    let mut by_field: BTreeMap<String, BTreeSet<Writer>> = BTreeMap::new();
    if let Some(id) = look.id(schema) {
        let entity = look.program.entity(id);
        let lines = writers(&look.program, id).into_iter();
        by_field.extend(lines.map(|(field, lines)| (entity.get(field).name.to_string(), lines)));
    }
    for field in &schema.entity.fields {
        let path = format!("{before}{}", field.name.text);
        let part = schemas.iter().find(|part| {
            deep > 0
                && part.is_part()
                && part.module() == schema.module()
                && Some(&*part.entity.name.text) == record(&field.ty)
        });
        let list = if is_list(&field.ty) { "[]" } else { "" };
        found.push(Found {
            field,
            doc: Doc::of(field.doc.as_deref().unwrap_or_default()),
            written_by: by_field.remove(&*field.name.text).unwrap_or_default(),
            path: path.clone(),
        });
        if let Some(part) = part {
            collect(look, schemas, part, &format!("{path}{list}."), deep - 1, found);
        }
    }
}

/// The entity that a type names, behind `?` and `list<…>`.
fn record(ty: &Type) -> Option<&str> {
    match &ty.kind {
        TypeKind::Optional(inner) | TypeKind::List(inner) => record(inner),
        TypeKind::Named(path, None) => path.parts.last().map(|name| &*name.text),
        _ => None,
    }
}

fn is_list(ty: &Type) -> bool {
    match &ty.kind {
        TypeKind::Optional(inner) => is_list(inner),
        kind => matches!(kind, TypeKind::List(_)),
    }
}

/// The most characters of a text.
fn length(ty: &Type) -> Option<u32> {
    match &ty.kind {
        TypeKind::Optional(inner) | TypeKind::List(inner) => length(inner),
        TypeKind::Named(_, size) => size.as_ref().map(|(length, _)| *length),
        _ => None,
    }
}

/// Why no field is what was asked for.
pub(super) fn nothing(schema: &Schema, all: &[Found<'_>], word: &str) -> String {
    let names = all.iter().flat_map(|found| found.doc.aka.iter().copied().chain([found.path.as_str()]));
    let name = schema.full_name();
    let near = nearest(word, names).map_or(String::new(), |near| format!(" (did you mean `{near}`?)"));
    format!("no field of {name} is called `{word}` or says so{near}: `flowc fields {name}` lists all")
}

/// An object with one more member.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
    object
}

impl Schema {
    /// Its name, what it is and how it is reached, for people.
    pub(super) fn heading(&self, screen: &Screen, look: &Look) -> String {
        let doc = Doc::of(&self.doc);
        let mut text = format!("{}  {}\n", screen.paint(&self.full_name(), Paint::Bold), doc.says);
        if !doc.aka.is_empty() {
            let _ = writeln!(text, "also called: {}", doc.aka.join(", "));
        }
        let mut clauses: Vec<String> =
            self.clauses(look).into_iter().map(|(name, rest)| format!("{name} {rest}")).collect();
        clauses.push(look.place(self.entity.name.span));
        let _ = writeln!(text, "{}\n", screen.paint(&clauses.join(" · "), Paint::Dim));
        text
    }

    /// What is said of the whole, a word and the rest of its line.
    pub(super) fn clauses(&self, look: &Look) -> Vec<(String, String)> {
        let written = self.entity.clauses.iter().map(|clause| look.sources.text(clause.span));
        let words = written.map(|text| text.split_whitespace().collect::<Vec<_>>());
        words.filter_map(|words| Some(((*words.first()?).to_owned(), words[1..].join(" ")))).collect()
    }

    /// Whether a clause names this field as the one that the system or people know it by.
    pub(super) fn is_key(&self, look: &Look, field: &str) -> bool {
        self.clauses(look).iter().any(|(name, rest)| ["key", "code"].contains(&name.as_str()) && rest == field)
    }

    /// For programs.
    pub(super) fn json(&self, look: &Look) -> Value {
        let doc = Doc::of(&self.doc);
        let clauses: serde_json::Map<String, Value> =
            self.clauses(look).into_iter().map(|(name, rest)| (name, json!(rest))).collect();
        json!({
            "entity": self.full_name(), "says": doc.says, "aka": doc.aka, "clauses": clauses,
            "place": look.place_json(self.entity.name.span),
        })
    }
}

impl Found<'_> {
    fn again(&self) -> Self {
        Self { path: self.path.clone(), field: self.field, doc: self.doc.clone(), written_by: self.written_by.clone() }
    }

    /// Whether the word is in its name, in another name of it, or in what is said of it.
    fn has(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let name = self.path.rsplit('.').next().unwrap_or(&self.path);
        let texts = self.doc.aka.iter().copied().chain([name, &*self.doc.says]);
        texts.into_iter().any(|text| text.to_lowercase().contains(&word))
    }

    /// Its marks as the schema writes them.
    pub(super) fn marks<'l>(&self, look: &'l Look) -> Vec<&'l str> {
        self.field.marks.iter().map(|mark| look.sources.text(mark.span)).collect()
    }

    /// Whether screens or people call it so.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.doc.aka.iter().any(|aka| aka.to_lowercase() == name.to_lowercase())
    }

    fn marked(&self, look: &Look, word: &str) -> bool {
        self.marks(look).iter().any(|mark| *mark == word || mark.starts_with(&format!("{word} ")))
    }

    /// Whether a create needs it: always, in a case, or never.
    pub(super) fn required(&self, look: &Look) -> &'static str {
        let when = self.field.marks.iter().any(|mark| mark.when.is_some());
        match (self.marked(look, "required"), when) {
            (true, true) => "when",
            (true, false) => "yes",
            (false, _) => "no",
        }
    }

    /// Who may fill it.
    fn access(&self, look: &Look) -> &'static str {
        ["read only", "create only", "write only"].into_iter().find(|word| self.marked(look, word)).unwrap_or("free")
    }

    fn searchable(&self, look: &Look) -> bool {
        ["filter", "parameter", "search"].into_iter().any(|word| self.marked(look, word))
    }

    /// Adds it to a text for people; paths take so many columns.
    pub(super) fn print(&self, screen: &Screen, look: &Look, width: usize, text: &mut String) {
        let written = look.sources.text(self.field.ty.span);
        let marks = self.marks(look).join(", ");
        let line = format!("{:<width$}  {written:<TYPE_COLUMNS$}  {marks}", self.path);
        text.push_str(line.trim_end());
        text.push('\n');
        if !self.doc.says.is_empty() {
            let _ = writeln!(text, "    {}", self.doc.says);
        }
        if !self.doc.aka.is_empty() {
            let _ = writeln!(text, "    also called: {}", self.doc.aka.join(", "));
        }
        for writer in &self.written_by {
            let line = format!("    filled by {} ({})", writer.mapping, look.place(writer.span));
            let _ = writeln!(text, "{}", screen.paint(&line, Paint::Dim));
        }
    }

    pub(super) fn json(&self, look: &Look) -> Value {
        let writers = self.written_by.iter();
        let writers = writers.map(|w| json!({ "mapping": &*w.mapping, "place": look.place_json(w.span) }));
        json!({
            "name": self.path, "type": look.sources.text(self.field.ty.span), "length": length(&self.field.ty),
            "required": self.required(look), "searchable": self.searchable(look), "access": self.access(look),
            "marks": self.marks(look), "says": self.doc.says, "aka": self.doc.aka,
            "place": look.place_json(self.field.name.span), "written_by": writers.collect::<Vec<_>>(),
        })
    }
}
