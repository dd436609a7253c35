//! Flows that can write one record of one system under one key, though what they read is not the same: two shops with the
//! same order numbers, a default that is used twice. The second would find what the first has made.

use crate::ir::{
    Connection, Const, Entity, Expr, ExprKind, FieldId, Flow, Key, LocalId, Mapping, Native, Program, StepKind, Verb,
    When, children, decided, each, known, of_steps,
};
use crate::source::{Diagnostic, Span, codes};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What a flow that is on makes of its records, and under which keys. It names all by what it is called or where it is
/// declared, so that claims of several programs can be compared.
#[derive(Clone, Debug)]
pub struct Claim {
    flow: Arc<str>,
    /// Where the project says that it runs.
    runs: Span,
    /// The connection that it reads, and where the entity of its records is declared.
    source: (Arc<str>, Span),
    /// Whether it is not said which of several connections it reads.
    is_undecided: bool,
    /// Whether its connector has several connections.
    has_choice: bool,
    mapping: Arc<str>,
    /// Where that is declared.
    made: Span,
    /// The connection that it writes to, and where the entity is declared.
    target: (Arc<str>, Span),
    /// What messages call that.
    called: String,
    keys: Vec<Claimed>,
}

/// A key under which something is written.
#[derive(Clone, Debug)]
struct Claimed {
    /// Its fields, with what is known of their values.
    fields: Vec<(Arc<str>, Affixes)>,
    /// A setting that stands in one of them.
    setting: Option<String>,
}

impl Claimed {
    fn of(entity: &Entity, said: &Said<'_>, key: &[FieldId]) -> Self {
        let fields = key.iter().map(|field| (Arc::clone(&entity.get(*field).name), said.affixes(*field)));
        Self { fields: fields.collect(), setting: said.setting(key) }
    }

    /// Whether one key can have the values of the other.
    fn meets(&self, other: &Self) -> bool {
        let mut both = self.fields.iter().zip(&other.fields);
        self.fields.len() == other.fields.len() && both.all(|((a, one), (b, two))| a == b && !one.differ(two))
    }
}

/// What a flow claims that is on, and runs where the project says so.
pub fn claims(program: &Program, flow: &str, runs: Span) -> Vec<Claim> {
    let Some(flow) = program.flows.iter().find(|other| *other.name == *flow) else { return Vec::new() };
    let connector = &program.entity(flow.source).connector;
    let of_kind = |c: &&Connection| c.connector == *connector;
    let has_choice = program.connections.iter().filter(of_kind).count() > 1;
    let claim = |mapping: &Mapping| {
        let (entity, said) = (program.entity(mapping.target), Said::of(mapping));
        let keys = mapping.header.keys.iter().filter_map(Key::fields);
        let keys = keys.map(|fields| fields.iter().map(|key| key.field).collect::<Vec<_>>());
        Claim {
            flow: Arc::clone(&flow.name),
            runs,
            source: (Arc::clone(&flow.connection), program.entity(flow.source).span),
            is_undecided: flow.connection.is_empty(),
            has_choice,
            mapping: Arc::clone(&mapping.name),
            made: mapping.span,
            target: (Arc::clone(&mapping.connection), entity.span),
            called: entity.full_name(),
            keys: keys.map(|key| Claimed::of(entity, &said, &key)).collect(),
        }
    };
    written(program, flow).into_iter().map(claim).collect()
}

/// Warns of flows that can write one record under one key. The claims are in the order in which the flows are named.
pub fn twins(claims: &[&Claim]) -> Vec<Diagnostic> {
    let mut told: Vec<Diagnostic> = Vec::new();
    for (n, second) in claims.iter().enumerate() {
        // One report a flow: its first twin shows what is to be done.
        if told.iter().any(|d| d.span == second.runs) {
            continue;
        }
        let twin = claims[..n].iter().find_map(|first| Some((first, shared_key(first, second)?)));
        told.extend(twin.map(|(first, key)| report(first, second, key)));
    }
    told
}

/// The mappings that a flow makes of its own records. What these need beside them (an account, an item) is shared on
/// purpose.
fn written<'p>(program: &'p Program, flow: &'p Flow) -> Vec<&'p Mapping> {
    let mut found = Vec::new();
    taken(&flow.write, &mut |e| {
        if let ExprKind::Write(id, _) = &e.kind {
            found.push(program.mapping(*id));
        }
    });
    found.retain(|mapping| matches!(mapping.header.verb, Verb::CreateOnce | Verb::Upsert | Verb::CreateUnless(_)));
    found
}

/// Calls `see` for what an expression comes through with the settings as they are answered.
fn taken<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    see(expr);
    match decided(expr) {
        Some(branch) => taken(branch, see),
        None => children(expr, &mut |child| taken(child, see)),
    }
}

/// The key of the second under which both flows can write one record, if there is one.
fn shared_key<'c>(first: &Claim, second: &'c Claim) -> Option<&'c Claimed> {
    let again = first.made == second.made && first.mapping != second.mapping;
    if first.flow == second.flow || first.target != second.target || !(again || first.source != second.source) {
        return None;
    }
    // A connection that nobody has decided on is told as such.
    if first.has_choice && (first.is_undecided || second.is_undecided) {
        return None;
    }
    first.keys.iter().find_map(|key| second.keys.iter().find(|other| key.meets(other)))
}

fn report(first: &Claim, second: &Claim, key: &Claimed) -> Diagnostic {
    let names: Vec<String> = key.fields.iter().map(|(name, _)| format!("`{name}`")).collect();
    let names = names.join(" and ");
    let module = |claim: &Claim| claim.flow.rsplit_once('.').map_or("", |(module, _)| module).to_owned();
    let (a, b) = (module(first), module(second));
    let help = match key.setting.as_ref().filter(|_| a != b) {
        Some(name) => format!("answer `{name}` in `settings for {a}` and in `settings for {b}`, each in its own way"),
        None => format!("put before {names} what tells them apart, such as \"BE-{{…}}\", or let one flow read both"),
    };
    let message = format!("`{}` and `{}` can write one {} under one {names}", first.flow, second.flow, second.called);
    Diagnostic::new(&codes::ONE_KEY_TWICE, second.runs, message)
        .label("its key may be the other's")
        .related(first.runs, "the other flow runs here")
        .related(second.made, "the key is made here")
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
            return Affixes { before: text.clone(), behind: text.clone(), said: text, whole: true };
        }
        // Locals of a mapping name one another in no circle; but none of that is proved here.
        if depth > DEPTH {
            return Affixes::default();
        }
        let within = |value: &Expr| self.affixes_of(value, depth + 1);
        match &value.kind {
            ExprKind::Concat(parts) => {
                let parts: Vec<Affixes> = parts.iter().map(within).collect();
                let said = parts.iter().map(|part| &*part.said).collect();
                Affixes { before: beginning(parts.iter()), behind: end(parts.iter().rev()), said, whole: false }
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
#[derive(Clone, Debug, Default)]
struct Affixes {
    before: String,
    behind: String,
    /// All of it that is known, wherever it stands.
    said: String,
    /// It is known as a whole.
    whole: bool,
}

impl Affixes {
    /// Whether no text is both.
    fn differ(&self, other: &Self) -> bool {
        if self.whole && other.whole {
            return self.before != other.before;
        }
        let words = |text: &str| text.to_lowercase().replace(|c: char| c.is_ascii_digit(), "");
        if words(&self.said) != words(&other.said) {
            return true;
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
