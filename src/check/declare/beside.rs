//! What a flow looks at beside its records: what gathers their changes, what it reads once for all of them, what it watches.

use crate::check::infer::frame::Infer;
use crate::check::resolve::checker::TypeItem;
use crate::ir::{EntityId, ExprKind, FieldId, Schedule, Step, StepKind, Type, Watch};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast;

/// What a flow says, as far as it has been read.
#[derive(Default)]
pub(super) struct FlowParts {
    pub(super) filter: Option<crate::ir::Expr>,
    pub(super) listed: Option<crate::ir::Expr>,
    pub(super) displaced: Vec<Span>,
    pub(super) steps: Vec<Step>,
    pub(super) write: Option<crate::ir::Expr>,
    pub(super) schedule: Schedule,
    pub(super) per: Option<FieldId>,
    pub(super) watch: Option<Watch>,
    /// How many values it reads once.
    pub(super) once: u32,
    /// Where it says when it is due, what gathers its changes, and from when on it reads.
    pub(super) when: Option<Span>,
    pub(super) gathers: Option<Span>,
    pub(super) watches: Option<Span>,
    pub(super) begins: Option<Span>,
}

impl Infer<'_, '_> {
    /// The field by which changes are gathered: one of the record itself, since a unit is known by it before anything else
    /// is asked.
    pub(super) fn gathered(&mut self, e: &ast::Expr) -> Option<FieldId> {
        let value = self.expr(e, None);
        if value.ty == Type::Unknown {
            return None;
        }
        let field = match &value.kind {
            ExprKind::Field(of, _, field) if matches!(of.kind, ExprKind::Local(_)) => Some(*field),
            _ => None,
        };
        if let Type::Record(entity) = &value.ty {
            self.cx.read_entity(*entity);
        }
        let is_one = match &value.ty {
            Type::Record(entity) => self.cx.program.entity(*entity).stands_alone(),
            ty => ty.is_text() || matches!(ty, Type::Int),
        };
        if field.is_none() || !is_one {
            let message = format!(
                "changes are gathered by a field of the record itself that it always has: a number, a code, another record; this is {}",
                self.cx.show(&value.ty)
            );
            self.cx.say(&codes::FLOW_SHAPE, e.span, message, "name one, as `per position.ItemId` does");
            return None;
        }
        field
    }

    /// Records elsewhere whose changes concern a record of the flow: a feed must tell of them.
    pub(super) fn watched(&mut self, path: &ast::Path, name: &ast::Name, unit: &ast::Expr) -> Option<Watch> {
        let Some(TypeItem::Entity(entity)) = self.cx.named_type(self.inside, path) else { return None };
        self.cx.read_entity(entity);
        let e = self.cx.program.entity(entity);
        if e.feed.is_none() {
            let (full, declared) = (e.full_name(), e.span);
            let message = format!("{full} has no feed: nobody tells what has changed");
            self.cx.report(
                Diagnostic::new(&codes::FLOW_SHAPE, path.span, message)
                    .related(declared, "the schema has no `feed`")
                    .help("leave it out"),
            );
            return None;
        }
        let before = self.next;
        let record = self.bind(name, Type::Record(entity));
        let unit = self.expr(unit, None);
        let mut own = None;
        crate::ir::each(&unit, &mut |e| {
            if matches!(e.kind, ExprKind::Local(local) if local.0 < before) {
                own = own.or(Some(e.span));
            }
        });
        if let Some(own) = own {
            let message = format!("`{}` alone says which record it concerns: no other is at hand", name.text);
            self.cx.say(&codes::FLOW_SHAPE, own, message, "leave this out");
        }
        Some(Watch { entity, record, unit })
    }

    /// Whether what is watched names records of the flow: those that it reads, or those by which it gathers.
    pub(super) fn watches_its_own(&mut self, source: EntityId, flow: &FlowParts) {
        let Some(Watch { unit, .. }) = &flow.watch else { return };
        let gathered = flow.per.map(|per| self.cx.program.entity(source).get(per).ty.present().clone());
        let wanted = gathered.unwrap_or(Type::Record(source));
        if unit.ty == Type::Unknown || *unit.ty.present() == wanted {
            return;
        }
        let message =
            format!("the flow's records are known by {}; this is {}", self.cx.show(&wanted), self.cx.show(&unit.ty));
        let span = unit.span;
        self.cx.say(&codes::FLOW_SHAPE, span, message, "name the record that the change concerns, or `none`");
    }

    /// `once open = …`: records that are read once for all records of the flow, and so by nothing that is theirs.
    pub(super) fn once(&mut self, name: &ast::Name, value: &ast::Expr, span: Span, flow: &mut FlowParts) {
        let before = self.next;
        self.reads_once = true;
        let value = self.scoped(|b| b.expr(value, None));
        self.reads_once = false;
        let mut own = None;
        crate::ir::each(&value, &mut |e| {
            if let ExprKind::Local(local) = e.kind
                && local.0 < before
            {
                own = own.or(Some(e.span));
            }
        });
        let is_records = matches!(value.ty.element().map(Type::present), Some(Type::Record(e)) if self.cx.program.entity(*e).stands_alone());
        if let Some(own) = own {
            let message = "what is read once is the same for all records: it can't look at one of them";
            self.cx.say(
                &codes::FLOW_SHAPE,
                own,
                message,
                "leave the record out, or write `let` for what each has of its own",
            );
        } else if !is_records && value.ty != Type::Unknown {
            let message = format!("what is read once are records of a system; this is {}", self.cx.show(&value.ty));
            let help = "name the records themselves, as `once open = woo.Order.all(since: now() - 60 days)` does, and reckon with them in a function";
            self.cx.say(&codes::FLOW_SHAPE, value.span, message, help);
        }
        let (ty, place) = (value.ty.clone(), value.span);
        let value = Self::make(ExprKind::Once(flow.once, Box::new(value)), ty.clone(), place);
        flow.once += 1;
        let local = self.bind(name, ty);
        self.lets.extend(self.names.last().cloned());
        flow.steps.push(Step { kind: StepKind::Let(local, value), span, displaced: Vec::new() });
    }
}
