//! Why a field has its value: the record is computed again with every step told.

use super::code::Code;
use super::compile::{Compiled, Compiler, call};
use super::part::StepCode;
use super::run::Run;
use super::value::{Value, show};
use super::{Evaluated, Resolver};
use crate::ir::{Entity, Expr, ExprKind, MappingId};
use crate::source::Span;
use std::collections::HashSet;
use std::sync::Arc;

/// What made a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The field: `sales_order.SalesOrderLines[0].VATCode`.
    pub field: String,
    /// Its value as a person reads it.
    pub value: String,
    /// The line that decided it.
    pub place: Span,
    /// The line of the default that it displaces.
    pub displaced: Option<Span>,
    /// Table and row, where one gave it.
    pub row: Option<(Arc<str>, Span)>,
    /// Settings with their answers.
    pub settings: Vec<(Arc<str>, String)>,
    /// Source fields with their values.
    pub sources: Vec<(String, String)>,
}

/// Something that a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Item {
    Row(usize, usize),
    Setting(Arc<str>, String),
    Source(String, String),
}

/// A field that was told.
struct Told {
    mapping: Option<MappingId>,
    path: String,
    value: String,
    place: Span,
    displaced: Option<Span>,
    items: Vec<Item>,
}

/// What is told while a record is computed.
#[derive(Default)]
pub(crate) struct Trace {
    items: Vec<Item>,
    fields: Vec<Told>,
    /// What the value of a local came from: frame, local, items.
    locals: Vec<(usize, u32, Vec<Item>)>,
}

/// How far had been told when something began.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    items: usize,
    fields: usize,
}

impl Compiled {
    /// What made a field of the record: `MAPPING.Path[0].Field`, the mapping with or without its module. None: there is
    /// no such field, or what it needs is not known.
    pub fn why(&self, flow: usize, raw: &str, known: &dyn Resolver, field: &str) -> Option<Why> {
        let tracing = self.tracing();
        let (outcome, trace) = tracing.traced_unit(flow, raw, known);
        if let Evaluated::Needs(_) = outcome {
            return None;
        }
        trace.find(tracing, field)
    }

    /// What made each field of the documents of the record, as [`Compiled::why`] names them; of lists and parts those of
    /// their elements. None where what it needs is not known.
    pub fn whys(&self, flow: usize, raw: &str, known: &dyn Resolver) -> Vec<Why> {
        let tracing = self.tracing();
        let (outcome, trace) = tracing.traced_unit(flow, raw, known);
        if let Evaluated::Needs(_) = outcome { Vec::new() } else { trace.leaves(tracing) }
    }
}

impl Trace {
    /// Takes what was told since, each thing once, so that a local of locals does not grow with every step.
    fn since(&mut self, mark: Mark) -> Vec<Item> {
        let mut items = self.items.split_off(mark.items.min(self.items.len()));
        let mut seen = HashSet::new();
        items.retain(|item| seen.insert(item.clone()));
        items
    }

    fn leaves(&self, compiled: &Compiled) -> Vec<Why> {
        let told = self.fields.iter().filter_map(|told| {
            let name = Arc::clone(&compiled.program.mapping(told.mapping?).name);
            Some((format!("{}.{}", name.rsplit('.').next().unwrap_or_default(), told.path), told))
        });
        let told: Vec<(String, &Told)> = told.collect();
        let names: HashSet<&str> = told.iter().map(|(name, _)| &**name).collect();
        let parts = names.iter().flat_map(|name| name.match_indices(['.', '[']).map(|(at, _)| &name[..at]));
        let whole: HashSet<&str> = parts.collect();
        let leaves = told.iter().filter(|(name, _)| !whole.contains(&**name));
        leaves.map(|(name, told)| told.why(compiled, name)).collect()
    }

    fn find(&self, compiled: &Compiled, wanted: &str) -> Option<Why> {
        let (mapping, path) = wanted.split_once('.')?;
        let told = self.fields.iter().rev().find(|told| {
            let name = told.mapping.map(|id| Arc::clone(&compiled.program.mapping(id).name));
            name.is_some_and(|name| *name == *mapping || name.rsplit('.').next() == Some(mapping)) && told.path == path
        });
        // A mapping may be named with its module.
        let Some(told) = told else {
            let (module, rest) = wanted.split_once('.')?;
            let (mapping, path) = rest.split_once('.')?;
            let full = format!("{module}.{mapping}");
            return self
                .fields
                .iter()
                .rev()
                .find(|t| t.path == path && t.mapping.is_some_and(|id| *compiled.program.mapping(id).name == *full))
                .map(|told| told.why(compiled, wanted));
        };
        Some(told.why(compiled, wanted))
    }
}

impl Told {
    fn why(&self, compiled: &Compiled, field: &str) -> Why {
        let mut why = Why {
            field: field.to_owned(),
            value: self.value.clone(),
            place: self.place,
            displaced: self.displaced,
            row: None,
            settings: Vec::new(),
            sources: Vec::new(),
        };
        for item in &self.items {
            match item {
                Item::Row(lookup, row) => {
                    let lookup = &compiled.program.lookups[*lookup];
                    why.row = Some((Arc::clone(&lookup.name), lookup.rows[*row].span));
                }
                Item::Setting(name, value) => why.settings.push((Arc::clone(name), value.clone())),
                Item::Source(path, value) => why.sources.push((path.clone(), value.clone())),
            }
        }
        why.settings.sort();
        why.settings.dedup();
        let mut seen = Vec::new();
        why.sources.retain(|source| {
            !seen.contains(source) && {
                seen.push(source.clone());
                true
            }
        });
        why
    }
}

/// The code of an expression that tells what it looks at. What is inside is compiled once: twice at each depth would
/// never end.
pub(crate) fn traced(compiler: &mut Compiler<'_>, expr: &Expr) -> Code {
    match &expr.kind {
        ExprKind::Setting(name, _) => {
            let (name, code) = (Arc::clone(name), compiler.plain_code(expr));
            call(move |run| {
                let value = code.eval(run)?;
                run.tell(|| Item::Setting(Arc::clone(&name), show(value)));
                Ok(value)
            })
        }
        ExprKind::Field(of, entity, field) => {
            let (entity, field, span) = (*entity, *field, expr.span);
            let name = Arc::clone(&compiler.program.entity(entity).get(field).name);
            let of = compiler.code(of);
            call(move |run| {
                let of = of.eval(run)?;
                let value = run.field(of, entity, field, span)?;
                // Records and lists are looked into further: their fields tell themselves.
                if let Value::Record(record) = of
                    && !matches!(value, Value::Record(_) | Value::List(_))
                {
                    let found =
                        run.source.is_none_or(|source| source.entity != record.entity && record.path.is_empty());
                    let path = match (record.path, found) {
                        ("", false) => name.to_string(),
                        ("", true) => format!("{}.{name}", run.compiled.program.entity(record.entity).full_name()),
                        (path, _) => format!("{path}.{name}"),
                    };
                    run.tell(|| Item::Source(path, show(value)));
                }
                Ok(value)
            })
        }
        ExprKind::Local(local) => {
            let (local, code) = (local.0, compiler.plain_code(expr));
            call(move |run| {
                let frame = run.frame_number();
                if let Some(trace) = &mut run.trace
                    && let Some((.., items)) = trace.locals.iter().rev().find(|(f, l, _)| (*f, *l) == (frame, local))
                {
                    trace.items.extend(items.clone());
                }
                code.eval(run)
            })
        }
        ExprKind::Let(local, value, body) => {
            let (local, value, body) = (local.0, compiler.code(value), compiler.code(body));
            call(move |run| {
                let mark = run.tell_from();
                let value = value.eval(run);
                run.told_local(mark, local);
                run.bind(local, value)?;
                body.eval(run)
            })
        }
        _ => compiler.plain_code(expr),
    }
}

impl<'r> Run<'r> {
    /// What was told before may be told again: it belongs to another field then.
    fn tell(&mut self, item: impl FnOnce() -> Item) {
        if let Some(trace) = &mut self.trace {
            trace.items.push(item());
        }
    }

    fn frame_number(&self) -> usize {
        self.locals.as_ptr() as usize
    }

    /// A row of a table gave a value.
    pub(crate) fn told_row(&mut self, lookup: usize, row: usize) {
        self.tell(|| Item::Row(lookup, row));
    }

    /// Where the telling stands.
    pub(crate) fn tell_from(&self) -> Mark {
        self.trace
            .as_ref()
            .map_or(Mark { items: 0, fields: 0 }, |t| Mark { items: t.items.len(), fields: t.fields.len() })
    }

    /// A local's value came from what was told since.
    pub(crate) fn told_local(&mut self, mark: Mark, local: u32) {
        let frame = self.frame_number();
        if let Some(trace) = &mut self.trace {
            let items = trace.since(mark);
            trace.locals.push((frame, local, items));
        }
    }

    /// A field was filled from what was told since; parts told since lie within it.
    pub(crate) fn told_field(&mut self, mark: Mark, name: &str, value: Value<'r>, step: &StepCode) {
        if self.trace.is_none() {
            return;
        }
        let shown = self.named(value);
        if let Some(trace) = &mut self.trace {
            let items = trace.since(mark);
            within(&mut trace.fields[mark.fields..], name);
            trace.fields.push(Told {
                mapping: None,
                path: name.to_owned(),
                value: shown,
                place: step.span,
                displaced: step.displaced,
                items: items.clone(),
            });
            // What reads the field again may want to know too.
            trace.items.extend(items);
        }
    }

    /// A value as a person reads it: of a record what it is and what people call it, of one that is made with this one the
    /// mapping that makes it.
    fn named(&self, value: Value<'r>) -> String {
        let program = &self.compiled.program;
        match value {
            Value::Record(record) => {
                let entity = program.entity(record.entity);
                let row = serde_json::from_str(record.raw).unwrap_or_default();
                let called = called(entity, &row).unwrap_or_else(|| "without a code or a name".to_owned());
                format!("{} {called}", entity.name)
            }
            Value::Draft(n) => {
                let made = &self.drafts[n as usize];
                let (entity, mapping) = (program.entity(made.draft.entity), program.mapping(made.mapping));
                let row = made.found.and_then(|record| serde_json::from_str(record.raw).ok());
                match row.and_then(|row| called(entity, &row)) {
                    Some(name) => format!("{} {name}, of the mapping {}", entity.name, mapping.name),
                    None => format!("{} of the mapping {}", entity.name, mapping.name),
                }
            }
            other => show(other),
        }
    }

    /// An element of a list was made from what was told since.
    pub(crate) fn told_element(&mut self, mark: Mark, n: usize) {
        if let Some(trace) = &mut self.trace {
            within(&mut trace.fields[mark.fields..], &format!("[{n}]"));
        }
    }

    /// A document was made from what was told since.
    pub(crate) fn told_document(&mut self, mark: Mark, mapping: MappingId) {
        if let Some(trace) = &mut self.trace {
            for told in trace.fields[mark.fields..].iter_mut().filter(|told| told.mapping.is_none()) {
                told.mapping = Some(mapping);
            }
            trace.items.truncate(mark.items);
        }
    }
}

/// What people call a record of this entity: its code, else its name, or what stands for one.
pub fn called(entity: &Entity, row: &serde_json::Value) -> Option<String> {
    let code = entity.code.map(|code| &*entity.get(code).wire);
    let text = |name: &str| match row.get(name)? {
        serde_json::Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    code.into_iter().chain(["Name", "Description", "AddressLine1"]).find_map(text)
}

fn within(fields: &mut [Told], name: &str) {
    for told in fields.iter_mut().filter(|told| told.mapping.is_none()) {
        let dot = if told.path.starts_with('[') { "" } else { "." };
        told.path = format!("{name}{dot}{}", told.path);
    }
}
