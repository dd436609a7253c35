//! Flows: what is read, when, which records, and what is written.

use super::beside::FlowParts;
use crate::check::declare::adapting::called;
use crate::check::declare::adapting::{Whole, flow_statements, said_by_flow};
use crate::check::infer::frame::Infer;
use crate::check::resolve::checker::Changed;
use crate::check::resolve::checker::{Adapted, Checker, State, TypeItem};
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::resolve::modules::ModuleId;
use crate::ir::{Const, Entity, EntityId, ExprKind, Flow, Schedule, Step, StepKind, Type};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, DeclKind, FlowStmtKind};
use std::sync::Arc;

impl Checker<'_> {
    /// Reads a flow of an instance and adds it to the program.
    pub(crate) fn read_flow(&mut self, instance: InstanceId, name: &str, on: bool) {
        let module = self.module_of(instance);
        let Some(decl) = self.modules.named(module, Space::Flow, name).into_iter().next() else { return };
        let DeclKind::Flow(f) = &decl.kind else { return };
        let full: Arc<str> = format!("{}.{name}", self.instance(instance).name).into();
        if self.program.flows.iter().any(|other| other.name == full) {
            return;
        }
        let from = f.body.iter().find_map(|s| match &s.kind {
            FlowStmtKind::From { deleted, entity, name } => Some((*deleted, entity, name)),
            _ => None,
        });
        let deleted = from.is_some_and(|(deleted, ..)| deleted);
        let source = match from {
            Some((_, path, _)) => {
                let Some(TypeItem::Entity(source)) = self.named_type(instance, path) else { return };
                self.read_entity(source);
                source
            }
            None => self.turn(module, f.name.span),
        };
        let mut body = Infer::new(self, instance);
        let local = match from {
            Some((_, _, record)) => body.bind(record, Type::Record(source)),
            None => body.local(),
        };
        let mut flow = FlowParts::default();
        let adapted = body.cx.adapted(instance, Space::Flow, name);
        body.flow_statements(f, &adapted, &mut flow);
        body.unused_lets();
        body.watches_its_own(source, &flow);
        let mut own = f.body.iter().chain(adapted.iter().flat_map(flow_statements));
        if let Some(stmt) = own.find(|stmt| matches!(stmt.kind, FlowStmtKind::OnWebhook)).filter(|_| from.is_some()) {
            body.cx.tells_of_changes(source, stmt.span);
        }
        let locals = body.next;
        let Some(write) = flow.write else {
            self.say(
                &codes::FLOW_SHAPE,
                f.name.span,
                format!("the flow `{name}` writes nothing"),
                "say what it writes: `write mapping(record)`",
            );
            return;
        };
        if from.is_none() {
            let adapted = adapted.iter().flat_map(flow_statements);
            self.is_due_by_the_clock(f, f.body.iter().chain(adapted), &flow.schedule);
        }
        if deleted {
            self.finds_deleted(source, f.body.iter().chain(adapted.iter().flat_map(flow_statements)));
        }
        if flow.per.is_some() {
            self.filters_by_itself(flow.filter.as_ref());
        }
        // Its clock is that of the system that it reads; without one, of the system that it writes into.
        let of = if from.is_some() { Some(source) } else { self.target_of(&write) };
        let connector = of.map(|of| Arc::clone(&self.program.entity(of).connector)).unwrap_or_default();
        let connection = self.connection(instance, &connector);
        self.program.flows.push(Flow {
            name: full,
            source,
            deleted,
            connection,
            per: flow.per,
            watch: flow.watch,
            record: local,
            locals,
            filter: flow.filter,
            listed: flow.listed,
            displaced: flow.displaced,
            steps: flow.steps,
            write,
            schedule: flow.schedule,
            on,
            span: f.name.span,
        });
    }

    /// What a flow without a `from` reads: the times at which it is due.
    fn turn(&mut self, module: ModuleId, span: Span) -> EntityId {
        if let Some(known) = self.program.entities.iter().position(Entity::is_turn) {
            return EntityId::from(known);
        }
        self.program.entities.push(Entity::turn(span));
        self.entity_states.push((State::Read, module, None));
        EntityId::from(self.program.entities.len() - 1)
    }

    /// A flow that reads nothing runs by the clock, and by nothing else.
    fn is_due_by_the_clock<'f>(
        &mut self,
        f: &ast::Flow,
        body: impl Iterator<Item = &'f ast::FlowStmt>,
        schedule: &Schedule,
    ) {
        let name = &f.name.text;
        if schedule.every.is_none() && schedule.daily.is_none() {
            let message = format!("the flow `{name}` reads nothing, and does not say when it is due");
            let help = "say what it reads, `from woo.Order as order`, or when it is due, `daily at 02:00`";
            self.say(&codes::FLOW_SHAPE, f.name.span, message, help);
        }
        let of_source = |kind: &FlowStmtKind| match kind {
            FlowStmtKind::OnWebhook => Some("no system calls a flow that reads nothing"),
            FlowStmtKind::Since(_) => Some("a flow that reads nothing has no changes to begin with"),
            FlowStmtKind::Per(_) => Some("a flow that reads nothing has no changes to gather"),
            FlowStmtKind::Watch { .. } => Some("a flow that reads nothing has no record to look at again"),
            _ => None,
        };
        for (said, span) in body.filter_map(|stmt| Some((of_source(&stmt.kind)?, stmt.span))) {
            self.say(&codes::FLOW_SHAPE, span, said, "leave it out, or say what the flow reads");
        }
    }

    /// Where changes are gathered, the filter says which of them belong to a unit, before anything is asked for it.
    fn filters_by_itself(&mut self, filter: Option<&crate::ir::Expr>) {
        let mut asks = None;
        if let Some(filter) = filter {
            crate::ir::each(filter, &mut |e| {
                let is_asked = matches!(
                    e.kind,
                    ExprKind::Find(_) | ExprKind::FindAll(_) | ExprKind::Verified(_) | ExprKind::LinkedTo(..)
                );
                asks = asks.or(is_asked.then_some(e.span));
            });
        }
        if let Some(span) = asks {
            let message = "the `where` of a flow with `per` asks the record itself, and nothing beside it";
            self.say(&codes::FLOW_SHAPE, span, message, "ask it behind that: `check … else skip \"why\"`");
        }
    }

    /// What a `write` writes first.
    fn target_of(&self, write: &crate::ir::Expr) -> Option<EntityId> {
        let mut first = None;
        crate::ir::each(write, &mut |e| {
            if let ExprKind::Write(mapping, _) = &e.kind {
                first = first.or(Some(self.program.mapping(*mapping).target));
            }
        });
        first
    }

    /// Whether a system tells of changes of an entity, so that a flow can wait for them.
    fn tells_of_changes(&mut self, source: EntityId, span: Span) {
        let entity = self.program.entity(source);
        if entity.webhook {
            return;
        }
        let message = format!("{} has no webhook: its system tells nobody of a change", entity.full_name());
        let declared = entity.span;
        self.report(
            Diagnostic::new(&codes::FLOW_SHAPE, span, message)
                .label("is never called")
                .related(declared, "the schema has no `webhook`")
                .help("leave it out: `every 5 minutes` reads what has changed"),
        );
    }

    /// Whether a feed of an entity can be read.
    fn readable(&mut self, source: EntityId) -> bool {
        let e = self.program.entity(source);
        !e.is_part()
    }
}

impl Infer<'_, '_> {
    fn reads(&mut self, entity: &ast::Path) {
        if let Some(TypeItem::Entity(id)) = self.cx.named_type(self.inside, entity)
            && !self.cx.readable(id)
        {
            let message = format!(
                "{} is a part of other records: it can't be read by itself",
                self.cx.program.entity(id).full_name()
            );
            self.cx.say(&codes::FLOW_SHAPE, entity.span, message, "read the record that it is a part of");
        } else if let Some(TypeItem::Entity(id)) = self.cx.named_type(self.inside, entity)
            && self.cx.program.entity(id).is_of_no_system()
        {
            let message =
                format!("{} is declared in this project, and no system has it", self.cx.program.entity(id).name);
            self.cx.say(
                &codes::FLOW_SHAPE,
                entity.span,
                message,
                "read a record of a system: `from woo.Order as order`",
            );
        }
    }

    /// The statements of a flow, and those of its adaptations, which take the place of those that say the same.
    fn flow_statements(&mut self, f: &ast::Flow, adapted: &[Adapted], flow: &mut FlowParts) {
        let sealed = |says: Whole| f.body.iter().find(|own| own.sealed && said_by_flow(own) == Some(says));
        let changes = adapted.iter().flat_map(flow_statements).filter_map(said_by_flow);
        let changed: Vec<Whole> = changes.filter(|says| sealed(*says).is_none()).collect();
        for stmt in &f.body {
            // What a `where` says is the `base` of the one in its place.
            let displaced = said_by_flow(stmt).is_some_and(|says| says != Whole::Where && changed.contains(&says));
            if !displaced {
                self.flow_statement(stmt, flow);
            }
        }
        let base = if changed.contains(&Whole::Where) { flow.filter.take() } else { None };
        if base.is_some() {
            flow.displaced = f.body.iter().filter_map(condition).map(|cond| cond.span).collect();
        }
        for adaptation in adapted {
            let names = self.names.clone();
            self.apart(adaptation.by, adaptation.at, names, |body| {
                let all = |span| Self::make(ExprKind::Const(Const::Bool(true)), Type::Bool, span);
                let said = base.clone().unwrap_or_else(|| all(f.name.span));
                let mut dropped = None;
                for stmt in flow_statements(adaptation) {
                    if let Some(own) = said_by_flow(stmt).and_then(sealed) {
                        body.cx.is_sealed(stmt.span, own.span, "this line of the flow");
                        continue;
                    }
                    let depth = body.cx.changing.depth();
                    body.cx.changing.enter(stmt.span, Some(said.span));
                    body.base = matches!(stmt.kind, FlowStmtKind::Where(_)).then(|| said.clone());
                    body.adapted_statement(f, adaptation, stmt, flow);
                    if matches!(stmt.kind, FlowStmtKind::Where(_)) {
                        let kept = stmt.set || asks_base(stmt) || matches!(dropped, Some(None));
                        dropped = Some((!kept).then_some((stmt, body.cx.changing.has_base())));
                    }
                    body.cx.changing.leave(depth);
                }
                if let (Some(Some((stmt, says_base))), Some(base)) = (dropped, &base) {
                    body.drops_conditions(stmt, says_base, base.span);
                }
            });
        }
    }

    /// A statement of an adaptation.
    fn adapted_statement(&mut self, f: &ast::Flow, adaptation: &Adapted, stmt: &ast::FlowStmt, flow: &mut FlowParts) {
        let says = said_by_flow(stmt);
        let own = f.body.iter().find(|own| says.is_some() && said_by_flow(own) == says);
        let displaced = own.map(|own| own.span);
        self.cx.says_the_same(stmt.span, displaced);
        let what = match says {
            Some(says) => called(says).to_owned(),
            None => self.cx.modules.sources.text(stmt.span).lines().next().unwrap_or_default().to_owned(),
        };
        let (of, kind) = (Arc::clone(&adaptation.of), adaptation.kind);
        self.cx.note_change(Changed { of, kind, what, at: stmt.span, displaced, removed: false });
        match &stmt.kind {
            FlowStmtKind::From { .. } => {
                let message = "what a flow reads is not changed: its mapping is made for that";
                let help = "write a flow of your own, which reads it and writes a mapping for it";
                self.cx.say(&codes::MISPLACED, stmt.span, message, help);
            }
            _ => {
                if asks_base(stmt) {
                    flow.listed.clone_from(&self.base);
                }
                self.flow_statement(stmt, flow);
            }
        }
    }

    /// A `where` in the place of the default's, whose conditions hold no longer, or not for every record.
    fn drops_conditions(&mut self, stmt: &ast::FlowStmt, says_base: bool, base: Span) {
        let Some(cond) = condition(stmt) else { return };
        let sources = &self.cx.modules.sources;
        let (dropped, said) = (sources.text(base).to_owned(), sources.text(cond.span).to_owned());
        let told = if says_base {
            let message = format!("this also takes records that fail what the flow asks: `{dropped}`");
            let told = Diagnostic::new(&codes::ADAPT_DROPS, stmt.span, message)
                .label("`base` is asked of some records only")
                .related(base, "asked here");
            // `or` joins less closely than `and`.
            match (&cond.kind, said.strip_prefix("base and ")) {
                (ast::ExprKind::Binary(ast::BinaryOp::Or, ..), Some(further)) => {
                    let whole = format!("base and ({further})");
                    told.help(format!("`and` binds first; with brackets it holds for all: `where {whole}`; `set where = …` says that it is meant so"))
                        .fix("put what is asked further in brackets", cond.span, whole)
                }
                _ => told.help("`where base and …` asks it of every record; `set where = …` says that it is meant so"),
            }
        } else {
            Diagnostic::new(&codes::ADAPT_DROPS, stmt.span, format!("this drops what the flow asks: `{dropped}`"))
                .label("without `base`")
                .related(base, "asked here")
                .help("`where base and …` keeps it; `set where = …` says that it is meant to go")
        };
        self.cx.report(told);
    }

    /// What a flow says once, and has said before.
    fn said_before(&mut self, stmt: &ast::FlowStmt, flow: &mut FlowParts) {
        let (what, said) = match &stmt.kind {
            FlowStmtKind::Every(_) | FlowStmtKind::Daily(_) => ("when it is due", &mut flow.when),
            FlowStmtKind::Per(_) => ("what its changes are gathered by", &mut flow.gathers),
            FlowStmtKind::Since(_) => ("from when on it reads", &mut flow.begins),
            FlowStmtKind::Watch { .. } => ("what else it looks at", &mut flow.watches),
            _ => return,
        };
        let Some(before) = said.replace(stmt.span) else { return };
        self.cx.report(
            Diagnostic::new(&codes::FILLED_TWICE, stmt.span, format!("a flow says once {what}"))
                .related(before, "already said here")
                .help("leave one of them out"),
        );
    }

    fn flow_statement(&mut self, stmt: &ast::FlowStmt, flow: &mut FlowParts) {
        self.said_before(stmt, flow);
        match &stmt.kind {
            FlowStmtKind::From { entity, .. } => self.reads(entity),
            FlowStmtKind::Where(cond) => {
                let lowered = self.scoped(|b| b.expr(cond, Some(&Type::Bool)));
                let cond = self.coerce(lowered, &Type::Bool, "a `where`");
                flow.filter = Some(match flow.filter.take() {
                    Some(before) => {
                        let span = cond.span;
                        Self::make(
                            ExprKind::Binary(crate::ir::Binary::And, Box::new(before), Box::new(cond)),
                            Type::Bool,
                            span,
                        )
                    }
                    None => cond,
                });
            }
            FlowStmtKind::Every(e) => match self.constant(e) {
                Some(Const::Duration(d)) if d.as_secs() < 1 => self.cx.say(
                    &codes::BAD_LITERAL,
                    e.span,
                    "a flow can't run that often",
                    "write `every 1 minute`, or longer",
                ),
                Some(Const::Duration(d)) => flow.schedule.every = Some(d),
                _ => self.cx.say(&codes::TYPE_MISMATCH, e.span, "`every` needs a duration", "write `every 5 minutes`"),
            },
            FlowStmtKind::Daily(at) => flow.schedule.daily = Some(Arc::clone(&at.value)),
            FlowStmtKind::OnWebhook => flow.schedule.webhook = true,
            FlowStmtKind::Since(e) => match self.constant(e) {
                Some(Const::Instant(at)) => flow.schedule.since = Some(at),
                Some(Const::Date(day)) => {
                    let zone = self.cx.program.zone.as_deref().unwrap_or("UTC").to_owned();
                    flow.schedule.since = day.in_tz(&zone).ok().map(|z| z.timestamp());
                }
                _ => self.cx.say(&codes::TYPE_MISMATCH, e.span, "`since` needs a date", "write `since 2026-01-01`"),
            },
            FlowStmtKind::Per(e) => flow.per = self.gathered(e),
            FlowStmtKind::Watch { entity, name, unit } => {
                flow.watch = self.scoped(|b| b.watched(entity, name, unit));
            }
            FlowStmtKind::Once(name, value) => self.once(name, value, stmt.span, flow),
            FlowStmtKind::After(path) => {
                if let Some((instance, name)) = self.cx.flow_at(self.inside, path) {
                    let name = format!("{}.{}", self.cx.instance(instance).name, name.text);
                    flow.schedule.after.push((name.into(), stmt.span));
                }
            }
            FlowStmtKind::Let(name, value) => {
                let value = self.scoped(|b| b.expr(value, None));
                let local = self.bind(name, value.ty.clone());
                self.names_caseless(local, &value);
                self.lets.extend(self.names.last().cloned());
                flow.steps.push(Step { kind: StepKind::Let(local, value), span: stmt.span, displaced: Vec::new() });
            }
            FlowStmtKind::Check(cond, otherwise) => {
                let (cond, other, alert) = self.check_parts(cond, otherwise);
                let kind = if alert { StepKind::Alert(cond, other) } else { StepKind::Check(cond, other) };
                flow.steps.push(Step { kind, span: stmt.span, displaced: Vec::new() });
            }
            FlowStmtKind::Write(e) => {
                let write = self.written(e);
                if let Some(before) = &flow.write {
                    let before = before.span;
                    self.cx.report(
                        Diagnostic::new(&codes::FILLED_TWICE, stmt.span, "a flow says once what it writes")
                            .related(before, "already said here")
                            .help("choose with `match` or `if`; what follows a write is `then write` in the mapping"),
                    );
                }
                flow.write = Some(write);
            }
        }
    }
}

/// Whether a statement asks what the default's `where` asks.
fn asks_base(stmt: &ast::FlowStmt) -> bool {
    condition(stmt).is_some_and(narrows)
}

/// The condition of a `where`.
fn condition(stmt: &ast::FlowStmt) -> Option<&ast::Expr> {
    match &stmt.kind {
        FlowStmtKind::Where(cond) => Some(cond),
        _ => None,
    }
}

/// Whether a condition holds only where `base` does.
fn narrows(cond: &ast::Expr) -> bool {
    match &cond.kind {
        ast::ExprKind::Base => true,
        ast::ExprKind::Binary(ast::BinaryOp::And, _, left, right) => narrows(left) || narrows(right),
        ast::ExprKind::Binary(ast::BinaryOp::Or, _, left, right) | ast::ExprKind::If(_, left, right) => {
            narrows(left) && narrows(right)
        }
        _ => false,
    }
}
