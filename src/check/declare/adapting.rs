//! What a project changes of declarations that come from elsewhere: which, and whether the changes go together.

use crate::check::resolve::checker::{Adapted, Checker};
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::resolve::modules::ModuleId;
use crate::check::resolve::suggest;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, AdaptBody, DeclKind, FlowStmtKind, Stmt, StmtKind};
use std::sync::Arc;

/// What a statement says of the whole: it is said once, so another that says it takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whole {
    /// When a mapping creates and updates, and by which key.
    Verb,
    Accept,
    Prefer,
    Overwrite,
    OnChange,
    Balance,
    /// When a flow runs.
    Every,
    Daily,
    Webhook,
    Since,
    Per,
    Watch,
    After,
    Where,
    Write,
}

/// What a statement of a mapping says of the whole.
pub(crate) fn said_by(stmt: &Stmt) -> Option<Whole> {
    Some(match &stmt.kind {
        StmtKind::Header(_) | StmtKind::CreateUnless(_) | StmtKind::Delete { .. } => Whole::Verb,
        StmtKind::Accept(_) => Whole::Accept,
        StmtKind::Prefer(..) | StmtKind::PreferNewest(_) => Whole::Prefer,
        StmtKind::Overwrite { .. } => Whole::Overwrite,
        StmtKind::OnChange(_) => Whole::OnChange,
        StmtKind::Balance(_) => Whole::Balance,
        _ => return None,
    })
}

/// What a statement of a flow says of the whole.
pub(crate) fn said_by_flow(stmt: &ast::FlowStmt) -> Option<Whole> {
    Some(match &stmt.kind {
        FlowStmtKind::Every(_) => Whole::Every,
        FlowStmtKind::Daily(_) => Whole::Daily,
        FlowStmtKind::OnWebhook => Whole::Webhook,
        FlowStmtKind::Since(_) => Whole::Since,
        FlowStmtKind::Per(_) => Whole::Per,
        FlowStmtKind::Watch { .. } => Whole::Watch,
        FlowStmtKind::After(_) => Whole::After,
        FlowStmtKind::Where(_) => Whole::Where,
        FlowStmtKind::Write(_) => Whole::Write,
        FlowStmtKind::From { .. } | FlowStmtKind::Once(..) | FlowStmtKind::Let(..) | FlowStmtKind::Check(..) => {
            return None;
        }
    })
}

/// The statements of an adapted flow.
pub(crate) fn flow_statements(adapted: &Adapted) -> &[ast::FlowStmt] {
    match &adapted.decl.kind {
        DeclKind::Adapt(ast::Adapt { body: AdaptBody::Flow(stmts), .. }) => stmts,
        _ => &[],
    }
}

/// A thing that a change is about: the way to a field in a case, or what is said of the whole.
#[derive(PartialEq, Eq)]
enum Subject {
    Field(Vec<Arc<str>>, Option<bool>),
    Whole(Whole),
    Value,
}

impl Subject {
    /// Whether changes of these are two of one thing. A field is changed with what it is a part of, and in each case.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Field(a, in_a), Self::Field(b, in_b)) => {
                (a.starts_with(b) || b.starts_with(a)) && (in_a.is_none() || in_b.is_none() || in_a == in_b)
            }
            _ => self == other,
        }
    }
}

impl Checker<'_> {
    /// `adapt lookup tables.vat_code { rows }`, `adapt fields orders.header { set … }`
    pub(crate) fn adaptations(&mut self, id: ModuleId) {
        let inside = self.shared_instance(id);
        for decl in self.modules.with_keyword(id, "adapt") {
            let DeclKind::Adapt(a) = &decl.kind else { continue };
            if a.body.is_empty() {
                let at = a.names.iter().fold(a.kind.span, |at, path| at.to(path.span));
                self.say(
                    &codes::NEEDLESS,
                    at,
                    "this `adapt` changes nothing: its block is empty",
                    "leave it out, or write into it what changes",
                );
            }
            for path in &a.names {
                if let Some((instance, name, space, declared)) = self.adapted_by(inside, a, path) {
                    let key = (instance, space, name.text.to_string());
                    match &a.body {
                        AdaptBody::Rows(rows) => {
                            let key = (instance, name.text.to_string());
                            self.lookup_rows.entry(key).or_default().push((inside, rows.clone()));
                        }
                        _ => {
                            let of = format!("{}.{}", self.instance(instance).name, name.text).into();
                            let kind = kind_word(&a.kind.text);
                            let (decl, at) = (Arc::clone(&decl), path.span);
                            let adapted = Adapted { by: inside, of, kind, decl, at, declared };
                            self.adaptations.entry(key).or_default().push(adapted);
                        }
                    }
                }
            }
        }
    }

    /// The declaration that is adapted; a report where there is none of that kind, or where it may not be changed.
    fn adapted_by<'p>(
        &mut self,
        inside: InstanceId,
        a: &ast::Adapt,
        path: &'p ast::Path,
    ) -> Option<(InstanceId, &'p ast::Name, Space, Span)> {
        let kind = &*a.kind.text;
        let space = match kind {
            "lookup" => Space::Lookup,
            "flow" => Space::Flow,
            _ => Space::Call,
        };
        let (instances, name) = match path.parts.as_slice() {
            [alias, name] => match self.used_instance(inside, &alias.text) {
                Some(instance) => (vec![instance], name),
                None => {
                    self.unknown_alias(inside, alias);
                    return None;
                }
            },
            [name] => (self.visible(inside), name),
            _ => {
                self.unknown_alias(inside, &path.parts[0]);
                return None;
            }
        };
        let found = instances.iter().copied().find_map(|instance| {
            let module = self.module_of(instance);
            let decls = self.modules.named(module, space, &name.text);
            (!decls.is_empty()).then_some((instance, decls))
        });
        let Some((instance, decls)) = found else {
            self.nothing_to_adapt(&instances, kind, name, space);
            return None;
        };
        let fitting: Vec<_> = decls.iter().filter(|decl| is_kind(decl, kind)).collect();
        match fitting.as_slice() {
            [] => {
                let is = decls.first().map_or("", |decl| kind_of(decl));
                let message = format!("`{}` is a `{is}`, not a `{kind}`", name.text);
                self.report(
                    Diagnostic::new(&codes::ADAPT_MISSES, a.kind.span, message)
                        .label("another kind")
                        .related(decls[0].span.at_start(), "declared here")
                        .help(format!("write `adapt {is} {}`", self.modules.sources.text(path.span)))
                        .fix(format!("use `{is}`"), a.kind.span, is),
                );
                None
            }
            [_, second, ..] => {
                let message =
                    format!("several functions are called `{}`, told apart by their first parameter", name.text);
                self.report(
                    Diagnostic::new(&codes::AMBIGUOUS, name.span, message)
                        .label("which of them?")
                        .related(second.span.at_start(), "one of them")
                        .help(
                            "change what calls them: `adapt` a mapping, a part or a function that has its name alone",
                        ),
                );
                None
            }
            [decl] if decl.sealed => {
                self.is_sealed(path.span, decl.span.at_start(), &format!("`{}`", name.text));
                None
            }
            [decl] => Some((instance, name, space, decl.span)),
        }
    }

    fn nothing_to_adapt(&mut self, instances: &[InstanceId], kind: &str, name: &ast::Name, space: Space) {
        let mut names = Vec::new();
        for instance in instances {
            let module = self.module_of(*instance);
            for found in self.modules.names(module, space) {
                if self.modules.named(module, space, &found).iter().any(|decl| is_kind(decl, kind)) {
                    names.push(found);
                }
            }
        }
        let message = format!("there is no {kind} `{}` to adapt", name.text);
        let d = Diagnostic::new(&codes::ADAPT_MISSES, name.span, message).label("not found");
        names.sort();
        self.report(match suggest::hint(&name.text, names.clone()) {
            Some(near) => d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), name.span, near),
            None if names.is_empty() => d.help(format!("what this file uses declares no `{kind}`")),
            None => d.help(format!("there are: {}", suggest::listed(&names))),
        });
    }

    /// Tells of changes that exclude one another: of two that say the same thing, the order of files would decide.
    pub(crate) fn adaptations_agree(&mut self) {
        let mut told: Vec<(Span, Span, String)> = Vec::new();
        for of in self.adaptations.values() {
            let mut all: Vec<_> = of.iter().flat_map(subjects).collect();
            all.sort_by_key(|(_, span, _)| *span);
            for (n, (subject, again, name)) in all.iter().enumerate() {
                if let Some((_, before, _)) = all[..n].iter().find(|(before, ..)| before.meets(subject)) {
                    told.push((*again, *before, name.clone()));
                }
            }
        }
        for (again, before, name) in told {
            let joined = self.one_where(before, again);
            self.report(
                Diagnostic::new(&codes::ADAPT_TWICE, again, format!("{name} is changed twice"))
                    .label("again here")
                    .related(before, "changed here first")
                    .help(
                        joined.unwrap_or_else(|| "keep one of the two; the order of files decides nothing".to_owned()),
                    ),
            );
        }
    }

    /// How two conditions that both keep to `base` are said at once.
    fn one_where(&self, before: Span, again: Span) -> Option<String> {
        let more = |span: Span| {
            let more = self.modules.sources.text(span).strip_prefix("where base and ").map(str::trim);
            // What an `or` joins stands beside `base`, and not behind it.
            more.filter(|more| !more.contains(" or "))
        };
        Some(format!("both hold in one line: `where base and {} and {}`", more(before)?, more(again)?))
    }

    /// Tells of a line that says what the one says in whose place it stands.
    pub(crate) fn says_the_same(&mut self, line: Span, before: Option<Span>) {
        let Some(before) = before else { return };
        // `set every = …` says what `every …` does; settings are those of the file that names them.
        let words = |span: Span| {
            let words = self.modules.sources.text(span).split_whitespace();
            words.filter(|word| !matches!(*word, "set" | "=" | "sealed")).collect::<Vec<_>>().join(" ")
        };
        let said = words(line);
        if said == "where base" || said == words(before) && !said.contains("settings.") {
            self.changes_nothing(line, before);
        }
    }

    /// A lint about what ships is about what the project changes of it. That no record can pass a check is said of the
    /// answers that it asks.
    pub(crate) fn lint(&mut self, lint: Diagnostic) {
        let depth = self.changing.depth();
        if lint.span.file.ships() && lint.code != &codes::CHECK_FAILS {
            let all = || self.adaptations.values().flatten().filter(|a| a.declared.file == lint.span.file);
            let of = all().filter(|a| a.declared.contains(lint.span)).min_by_key(|a| a.at);
            if let Some(adapted) = of.or_else(|| all().min_by_key(|a| a.at)) {
                self.changing.enter(adapted.at, None);
            }
        }
        self.report(lint);
        self.changing.leave(depth);
    }

    /// Tells of changes of what nothing uses: of another use of a module, mostly, than the one that runs.
    pub(crate) fn adapted_in_vain(&mut self) {
        let mut running: Vec<String> = Vec::new();
        for runs in self.facts.running.iter().filter(|runs| runs.is_read) {
            let name = format!("`{}`", runs.flow);
            if !running.contains(&name) {
                running.push(name);
            }
        }
        if running.is_empty() {
            return;
        }
        let unread = self.adaptations.iter().filter(|(key, _)| !self.facts.has_adapted(key));
        let mut vain: Vec<(Span, String)> =
            unread.flat_map(|(_, of)| of.iter().map(|adapted| (adapted.at, adapted.of.to_string()))).collect();
        for (key, rows) in &self.lookup_rows {
            if !self.facts.has_lookup(key) {
                let of = format!("{}.{}", self.instance(key.0).name, key.1);
                let first = rows.iter().filter_map(|(_, rows)| rows.first());
                vain.extend(first.map(|row| (row.span, of.clone())));
            }
        }
        vain.sort();
        for (at, of) in vain {
            self.report(
                Diagnostic::new(&codes::UNUSED, at, format!("nothing that runs uses `{of}`, so this changes nothing"))
                    .label("changed in vain")
                    .help(format!(
                        "the project runs {}: change what these use, by the name under which `project.flow` uses it",
                        running.join(", ")
                    )),
            );
        }
    }

    /// Adapted declarations that nothing has read, so that no change of them goes unseen.
    pub(crate) fn adapted_unread(&mut self) -> Vec<(InstanceId, Arc<ast::Decl>)> {
        let mut keys: Vec<_> = self.adaptations.keys().filter(|key| !self.facts.has_adapted(key)).cloned().collect();
        keys.sort();
        let mut found = Vec::new();
        for (instance, space, name) in keys {
            let module = self.module_of(instance);
            found.extend(self.modules.named(module, space, &name).into_iter().map(|decl| (instance, decl)));
        }
        found
    }
}

/// What an adaptation changes, where, and what messages call it.
fn subjects(adapted: &Adapted) -> Vec<(Subject, Span, String)> {
    let DeclKind::Adapt(a) = &adapted.decl.kind else { return Vec::new() };
    match &a.body {
        AdaptBody::Value(value) => vec![(Subject::Value, value.span, "its value".to_owned())],
        AdaptBody::Stmts(stmts) => {
            let mut found = Vec::new();
            fields_changed(stmts, None, &mut found);
            found
        }
        AdaptBody::Flow(stmts) => {
            let said = stmts.iter().filter_map(|stmt| Some((said_by_flow(stmt)?, stmt.span)));
            let mut seen = Vec::new();
            said.filter_map(|(says, span)| {
                // `where` twice in one `adapt` is one condition.
                let again = says == Whole::Where && seen.contains(&says);
                seen.push(says);
                (!again).then(|| (Subject::Whole(says), span, called(says).to_owned()))
            })
            .collect()
        }
        AdaptBody::Rows(_) => Vec::new(),
    }
}

fn fields_changed(stmts: &[Stmt], on_create: Option<bool>, found: &mut Vec<(Subject, Span, String)>) {
    for stmt in stmts {
        match &stmt.kind {
            StmtKind::Set(path, _) | StmtKind::Add(path, _) | StmtKind::Remove(path) => {
                let way: Vec<Arc<str>> = path.parts.iter().map(|part| Arc::clone(&part.text)).collect();
                let name = format!("`{}`", way.join("."));
                found.push((Subject::Field(way, on_create), path.span, name));
            }
            StmtKind::OnCreate(inner) => fields_changed(inner, Some(true), found),
            StmtKind::OnUpdate(_, inner) => fields_changed(inner, Some(false), found),
            _ => {
                if let Some(says) = said_by(stmt).filter(|says| *says != Whole::Prefer) {
                    found.push((Subject::Whole(says), stmt.span, called(says).to_owned()));
                }
            }
        }
    }
}

pub(crate) fn called(says: Whole) -> &'static str {
    match says {
        Whole::Verb => "when it creates and updates",
        Whole::Accept => "which copies it accepts",
        Whole::Prefer => "which copy it prefers",
        Whole::Overwrite => "what an update may touch",
        Whole::OnChange => "what becomes of a change",
        Whole::Balance => "what is balanced",
        Whole::Every | Whole::Daily => "when it runs",
        Whole::Webhook => "whether it waits for a webhook",
        Whole::Since => "from when on it reads",
        Whole::Per => "what is gathered",
        Whole::Watch => "what else it looks at",
        Whole::After => "what it runs behind",
        Whole::Where => "which records it takes",
        Whole::Write => "what it writes",
    }
}

/// The word behind `adapt`.
fn kind_word(word: &str) -> &'static str {
    ["mapping", "fields", "flow", "fn"].into_iter().find(|kind| *kind == word).unwrap_or("lookup")
}

/// The word that declares it.
fn kind_of(decl: &ast::Decl) -> &'static str {
    match &decl.kind {
        DeclKind::Mapping(_) => "mapping",
        DeclKind::Fields(_) => "fields",
        DeclKind::Fn(_) => "fn",
        DeclKind::Extern(_) => "extern fn",
        DeclKind::Lookup(_) => "lookup",
        DeclKind::Flow(_) => "flow",
        _ => "declaration",
    }
}

fn is_kind(decl: &ast::Decl, kind: &str) -> bool {
    // A native function has nothing that could be displaced.
    kind_of(decl) == kind && !matches!(&decl.kind, DeclKind::Fn(f) if f.body.is_none())
}
