//! Flows that can write one record of one system under one key, though what they read is not the same: two shops with the
//! same order numbers, a default that is used twice. The second would find what the first has made.

use crate::ir::{
    Connection, Const, Expr, ExprKind, FieldId, Flow, Key, LocalId, Mapping, Native, Program, StepKind, Verb, When,
    each, known, of_steps,
};
use crate::source::{Diagnostic, Span, codes};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A flow that is on: its name, and where the project says so.
pub type Running = (Arc<str>, Span);

/// A flow and what it makes of its records.
struct Made<'p> {
    flow: &'p Flow,
    mapping: &'p Mapping,
    runs: Span,
}

/// Warns of flows that can write one record under one key.
pub(super) fn twins(program: &Program, running: &[Running]) -> Vec<Diagnostic> {
    let flow = |name: &str| program.flows.iter().find(|flow| *flow.name == *name);
    let made: Vec<Made<'_>> = running
        .iter()
        .filter_map(|(name, runs)| Some((flow(name)?, *runs)))
        .flat_map(|(flow, runs)| written(program, flow).into_iter().map(move |mapping| Made { flow, mapping, runs }))
        .collect();
    let mut told: Vec<Diagnostic> = Vec::new();
    for (n, second) in made.iter().enumerate() {
        // One report a flow: its first twin shows what is to be done.
        if told.iter().any(|d| d.span == second.runs) {
            continue;
        }
        let twin = made[..n].iter().find_map(|first| Some((first, shared_key(program, first, second)?)));
        told.extend(twin.map(|(first, key)| report(program, first, second, &key)));
    }
    told
}

/// The mappings that a flow makes of its own records. What these need beside them (an account, an item) is shared on
/// purpose.
fn written<'p>(program: &'p Program, flow: &'p Flow) -> Vec<&'p Mapping> {
    let mut found = Vec::new();
    each(&flow.write, &mut |e| {
        if let ExprKind::Write(id, _) = &e.kind {
            found.push(program.mapping(*id));
        }
    });
    found.retain(|mapping| matches!(mapping.header.verb, Verb::CreateOnce | Verb::Upsert | Verb::CreateUnless(_)));
    found
}

/// The key under which two flows can write one record, if there is one.
fn shared_key(program: &Program, first: &Made<'_>, second: &Made<'_>) -> Option<Vec<FieldId>> {
    let (a, b) = (first.mapping, second.mapping);
    let one_target = a.target == b.target && a.connection == b.connection;
    let again = a.span == b.span && a.name != b.name;
    let sources = |made: &Made<'_>| (Arc::clone(&made.flow.connection), made.flow.source);
    if first.flow.name == second.flow.name || !one_target || !(again || sources(first) != sources(second)) {
        return None;
    }
    // A connection that nobody has decided on is told as such.
    let of_kind = |c: &&Connection| c.connector == program.entity(first.flow.source).connector;
    if program.connections.iter().filter(of_kind).count() > 1
        && (first.flow.connection.is_empty() || second.flow.connection.is_empty())
    {
        return None;
    }
    let (said_a, said_b) = (Said::of(a), Said::of(b));
    keys(a).into_iter().find(|key| {
        keys(b).contains(key) && key.iter().all(|field| !said_a.affixes(*field).differ(&said_b.affixes(*field)))
    })
}

fn keys(mapping: &Mapping) -> Vec<Vec<FieldId>> {
    let fields = mapping.header.keys.iter().filter_map(Key::fields);
    fields.map(|fields| fields.iter().map(|key| key.field).collect()).collect()
}

fn report(program: &Program, first: &Made<'_>, second: &Made<'_>, key: &[FieldId]) -> Diagnostic {
    let entity = program.entity(second.mapping.target);
    let names: Vec<String> = key.iter().map(|field| format!("`{}`", entity.get(*field).name)).collect();
    let names = names.join(" and ");
    let module = |made: &Made<'_>| made.flow.name.rsplit_once('.').map_or("", |(module, _)| module).to_owned();
    let (a, b) = (module(first), module(second));
    let setting = Said::of(second.mapping).setting(key).filter(|_| a != b);
    let help = match setting {
        Some(name) => format!("answer `{name}` in `settings for {a}` and in `settings for {b}`, each in its own way"),
        None => format!("put before {names} what tells them apart, such as \"BE-{{…}}\", or let one flow read both"),
    };
    let message = format!(
        "`{}` and `{}` can write one {} under one {names}",
        first.flow.name,
        second.flow.name,
        entity.full_name()
    );
    Diagnostic::new(&codes::ONE_KEY_TWICE, second.runs, message)
        .label("its key may be the other's")
        .related(first.runs, "the other flow runs here")
        .related(second.mapping.span, "the key is made here")
        .help(help)
}

/// What a mapping says into its fields.
struct Said<'p> {
    fields: FxHashMap<FieldId, &'p Expr>,
    locals: FxHashMap<LocalId, &'p Expr>,
}

impl<'p> Said<'p> {
    fn of(mapping: &'p Mapping) -> Self {
        let mut said = Self { fields: FxHashMap::default(), locals: FxHashMap::default() };
        for step in &mapping.steps {
            match &step.kind {
                StepKind::Let(local, value) => drop(said.locals.insert(*local, value)),
                StepKind::Assign { path, value, when } if !matches!(when, When::Update(_)) => {
                    if let [field] = path.as_slice() {
                        said.fields.insert(*field, value);
                    }
                }
                StepKind::Assign { .. } | StepKind::Check(..) | StepKind::Alert(..) => {}
            }
        }
        of_steps(&mapping.steps, &mut |outer| {
            each(outer, &mut |e| {
                if let ExprKind::Let(local, value, _) = &e.kind {
                    said.locals.insert(*local, value);
                }
            });
        });
        said
    }

    fn affixes(&self, field: FieldId) -> Affixes {
        self.fields.get(&field).map_or_else(Affixes::default, |value| self.affixes_of(value, 0))
    }

    fn affixes_of(&self, value: &Expr, depth: usize) -> Affixes {
        if let Some(text) = known(value).as_ref().and_then(text_of) {
            return Affixes { before: text.clone(), behind: text, whole: true };
        }
        // Locals of a mapping name one another in no circle; but none of that is proved here.
        if depth > DEPTH {
            return Affixes::default();
        }
        let within = |value: &Expr| self.affixes_of(value, depth + 1);
        match &value.kind {
            ExprKind::Concat(parts) => {
                let parts: Vec<Affixes> = parts.iter().map(within).collect();
                Affixes { before: beginning(parts.iter()), behind: end(parts.iter().rev()), whole: false }
            }
            ExprKind::Local(local) => self.locals.get(local).map_or_else(Affixes::default, |value| within(value)),
            ExprKind::Let(_, _, body) => within(body),
            ExprKind::OrElse(value, other) if matches!(other.kind, ExprKind::Stop(..)) => within(value),
            ExprKind::Native(Native::Trim | Native::Tidy, args) => args.first().map_or_else(Affixes::default, within),
            // What is cut off at the end is nobody's.
            ExprKind::Native(Native::Fit, args) => {
                let of = args.first().map_or_else(Affixes::default, within);
                Affixes { behind: String::new(), whole: false, ..of }
            }
            _ => Affixes::default(),
        }
    }

    /// A setting that stands in one of these fields.
    fn setting(&self, key: &[FieldId]) -> Option<String> {
        let mut found = None;
        for value in key.iter().filter_map(|field| self.fields.get(field)) {
            each(value, &mut |e| {
                let e =
                    if let ExprKind::Local(local) = &e.kind { self.locals.get(local).copied().unwrap_or(e) } else { e };
                if let ExprKind::Setting(name, _) = &e.kind {
                    found.get_or_insert_with(|| name.rsplit('.').next().unwrap_or(name).to_owned());
                }
            });
        }
        found
    }
}

/// How deep locals are looked into.
const DEPTH: usize = 32;

/// What is known of a text before anything is read: how it begins, and how it ends.
#[derive(Debug, Default)]
struct Affixes {
    before: String,
    behind: String,
    /// It is known as a whole.
    whole: bool,
}

impl Affixes {
    /// Whether no text is both.
    fn differ(&self, other: &Self) -> bool {
        if self.whole && other.whole {
            return self.before != other.before;
        }
        let reversed = |text: &str| text.chars().rev().collect::<String>();
        parts_differ(&self.before, &other.before) || parts_differ(&reversed(&self.behind), &reversed(&other.behind))
    }
}

/// Whether two beginnings are those of different texts. Where one goes on with what no number has, they are: what stands
/// behind the other is taken to be a number.
fn parts_differ(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    match long.strip_prefix(short.as_str()) {
        Some(more) => more.chars().any(|c| !c.is_ascii_digit()),
        None => true,
    }
}

fn beginning<'a>(parts: impl Iterator<Item = &'a Affixes>) -> String {
    let mut out = String::new();
    for part in parts {
        out.push_str(&part.before);
        if !part.whole {
            break;
        }
    }
    out
}

/// The same from the other side.
fn end<'a>(parts: impl Iterator<Item = &'a Affixes>) -> String {
    let mut out = String::new();
    for part in parts {
        out.insert_str(0, &part.behind);
        if !part.whole {
            break;
        }
    }
    out
}

fn text_of(value: &Const) -> Option<String> {
    match value {
        Const::Text(text) => Some(text.to_string()),
        Const::Number(n) => Some(n.normalize().to_string()),
        Const::Date(date) => Some(date.to_string()),
        Const::Absent => Some(String::new()),
        Const::Bool(_) | Const::Instant(_) | Const::Duration(_) | Const::List(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parts_differ;

    /// Which prefixes tell two numbers apart.
    #[test]
    fn prefixes() {
        let apart = [("NL-", "BE-"), ("", "BE-"), ("A", "AB"), ("1-", "2-")];
        let alike = [("", ""), ("NL-", "NL-"), ("nl-", "NL-"), ("", "1"), ("NL", "NL1")];
        for (a, b) in apart {
            assert!(parts_differ(a, b) && parts_differ(b, a), "{a} {b}");
        }
        for (a, b) in alike {
            assert!(!parts_differ(a, b) && !parts_differ(b, a), "{a} {b}");
        }
    }
}
