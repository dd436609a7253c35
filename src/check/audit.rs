//! What is sound and yet probably not meant: amounts that nobody uses, filters that are not sent, checks that never hold.

use super::body::Body;
use super::fold::truth;
use crate::ir::{
    Access, Binary, Const, Currency, EntityId, Expr, ExprKind, FieldId, Kind, LocalId, MappingId, Search, Step,
    StepKind, Type, Unary, When, each, of_steps,
};
use crate::source::{Diagnostic, Span, codes};
use std::collections::HashSet;

impl Body<'_, '_> {
    /// Checks over settings alone are run before anything is.
    pub(crate) fn checks_hold(&mut self, steps: &[Step]) {
        for step in steps {
            let StepKind::Check(cond, otherwise) = &step.kind else { continue };
            if truth(cond) != Some(false) {
                continue;
            }
            let reason = match &otherwise.kind {
                ExprKind::Stop(_, why) => match &why.kind {
                    ExprKind::Const(Const::Text(text)) => text.to_string(),
                    _ => "this check never holds with the settings as they are answered".to_owned(),
                },
                _ => continue,
            };
            self.cx.report(
                Diagnostic::new(&codes::CHECK_FAILS, cond.span, reason)
                    .label("does not hold")
                    .help("no record can pass it: answer the settings that it asks in another way"),
            );
        }
    }

    /// A document has parts: lists whose elements bear a part of its total. A mapping that takes some of them over and
    /// never reads another loses money, or stops at its `balance`.
    pub(crate) fn amounts_used(&mut self, id: MappingId, at: Span) {
        let mapping = self.cx.program.mapping(id);
        let mut sources: Vec<EntityId> = mapping.params.iter().filter_map(|(_, ty, _)| ty.record()).collect();
        sources.dedup();
        let at = mapping.balance.as_ref().map_or(at, |b| b.to.span);
        let (read, passed_on) = taken_over(&mapping.steps);
        for source in sources.into_iter().filter(|s| !passed_on.contains(s)) {
            let parts = self.parts_of(source);
            let (used, open): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(f, ..)| read.contains(&(source, *f)));
            if used.is_empty() {
                continue;
            }
            if let Some((_, _, declared)) = open.first() {
                let (full, used) = (self.cx.program.entity(source).full_name(), &used[0].1);
                let names: Vec<String> = open.iter().map(|(_, name, _)| format!("`{name}`")).collect();
                let name = names.join(" and ");
                self.cx.report(
                    Diagnostic::new(
                        &codes::AMOUNT_UNUSED,
                        at,
                        format!("`{used}` of {full} is taken over, and the amounts of {name} never are"),
                    )
                    .label("an amount is left out")
                    .related(*declared, "declared here")
                    .help(format!("add lines for {name}, or stop records that have some with a `check`")),
                );
            }
        }
    }

    /// Lists of an entity whose elements have a net amount of its total's name and a tax beside it: parts of the total.
    fn parts_of(&mut self, entity: EntityId) -> Vec<(FieldId, String, Span)> {
        let e = self.cx.entity(entity);
        let Some(total) = e.total else { return Vec::new() };
        let name = e.get(total).name.clone();
        let lists: Vec<(FieldId, String, Span, EntityId)> = self
            .cx
            .program
            .entity(entity)
            .fields
            .iter()
            .enumerate()
            .filter_map(|(n, f)| match f.ty.present().element() {
                Some(Type::Record(of)) => Some((FieldId(u32::try_from(n).ok()?), f.name.to_string(), f.span, *of)),
                _ => None,
            })
            .collect();
        let bears = |cx: &mut super::cx::Cx<'_>, of: EntityId| {
            let e = cx.entity(of);
            e.field(&name).is_some_and(|f| *e.get(f).ty.present() == Type::Money(Kind::Net))
                && e.fields.iter().any(|f| *f.ty.present() == Type::Money(Kind::Tax))
        };
        lists.into_iter().filter(|(.., of)| bears(self.cx, *of)).map(|(f, n, s, _)| (f, n, s)).collect()
    }

    /// An amount whose currency nobody fills is taken for one in the currency of the system.
    pub(crate) fn currency_filled(&mut self, target: EntityId, steps: &[Step], at: Span) {
        let assigned = |steps: &[Step]| -> Vec<FieldId> {
            let first = |step: &Step| match &step.kind {
                StepKind::Assign { path, when: When::Always | When::Create, .. } => path.first().copied(),
                _ => None,
            };
            steps.iter().filter_map(first).collect()
        };
        let filled = assigned(steps);
        let entity = self.cx.program.entity(target);
        let currency = |field: FieldId| entity.get(field).currency.clone();
        let mut of = filled.iter().find_map(|field| match currency(*field) {
            Some(Currency::Here(currency)) => Some((currency, entity.get(*field).name.clone())),
            _ => None,
        });
        of_steps(steps, &mut |outer| {
            each(outer, &mut |e| {
                let ExprKind::Build(part) = &e.kind else { return };
                let lines = self.cx.program.entity(part.entity);
                for field in assigned(&part.steps) {
                    if let Some(Currency::Above(name)) = &lines.get(field).currency
                        && let Some(currency) = entity.field(name)
                    {
                        of.get_or_insert((currency, lines.get(field).name.clone()));
                    }
                }
            });
        });
        let Some((currency, amount)) = of.filter(|(currency, _)| !filled.contains(currency)) else { return };
        let field = entity.get(currency);
        if field.access == Access::ReadOnly || self.half_filled.contains(&target) {
            return;
        }
        let (name, declared) = (field.name.clone(), field.span);
        let message =
            format!("`{amount}` is filled, and `{name}`, its currency, is not: the system would take its own");
        self.cx.report(
            Diagnostic::new(&codes::CURRENCY_NOT_FILLED, at, message)
                .label("amounts without their currency")
                .related(declared, "declared here")
                .help(format!("fill it: `{name} = order.currency`")),
        );
    }

    /// Conditions that are evaluated here though they speak of fields that the API can filter by.
    pub(crate) fn filter_sent(&mut self, record: LocalId, cond: &Expr) {
        if let ExprKind::Binary(Binary::And, a, b) = &cond.kind {
            self.filter_sent(record, a);
            self.filter_sent(record, b);
            return;
        }
        if truth(cond).is_some() || is_plain(record, cond) {
            return;
        }
        // What a setting decides is not there any more.
        if let ExprKind::Binary(Binary::Or, a, b) = &cond.kind {
            for (one, other) in [(a, b), (b, a)] {
                if truth(one) == Some(false) {
                    return self.filter_sent(record, other);
                }
            }
        }
        let mut field = None;
        each(cond, &mut |e| {
            if let ExprKind::Field(of, entity, f) = &e.kind
                && of.kind_is_local(record)
            {
                field.get_or_insert((*entity, *f));
            }
        });
        let Some((entity, f)) = field else { return };
        let f = self.cx.program.entity(entity).get(f);
        if f.search == Search::No {
            return;
        }
        let name = f.name.clone();
        let help = match &cond.kind {
            ExprKind::Binary(Binary::Or, ..) => format!("say it as one list: `{name} in [\"a\", \"b\"]`"),
            _ => format!("compare the field itself, as in `{name} == value` or `{name} in [\"a\", \"b\"]`"),
        };
        self.cx.report(
            Diagnostic::new(
                &codes::FILTER_NOT_SENT,
                cond.span,
                format!("every record is fetched to decide this; the API could filter by `{name}` itself"),
            )
            .label("evaluated here")
            .help(help),
        );
    }
}

/// The fields that the steps of a mapping read, and the records that they pass on: what a mapping of its own or a foreign
/// function makes of one is not seen from here. Who is told of an amount has not taken it over: what alerts alone read,
/// and values that nothing else uses, do not count.
fn taken_over(steps: &[Step]) -> (HashSet<(EntityId, FieldId)>, HashSet<EntityId>) {
    let mut read: HashSet<(EntityId, FieldId)> = HashSet::new();
    let mut passed_on: HashSet<EntityId> = HashSet::new();
    let mut used: HashSet<LocalId> = HashSet::new();
    for step in steps.iter().rev() {
        match &step.kind {
            StepKind::Alert(..) => continue,
            StepKind::Let(name, _) if !used.contains(name) => continue,
            _ => {}
        }
        of_steps(std::slice::from_ref(step), &mut |outer| {
            each(outer, &mut |e| match &e.kind {
                ExprKind::Local(name) => drop(used.insert(*name)),
                ExprKind::Field(_, entity, field) => drop(read.insert((*entity, *field))),
                ExprKind::Ensure(_, args) | ExprKind::Extern(_, _, args) => {
                    passed_on.extend(args.iter().filter_map(|a| a.ty.record()));
                }
                _ => {}
            });
        });
    }
    (read, passed_on)
}

impl Expr {
    fn kind_is_local(&self, local: LocalId) -> bool {
        matches!(self.kind, ExprKind::Local(id) if id == local)
    }
}

/// `record.field OP value`, `record.field in values`, `record.flag`, `not record.flag`, `record.field is some`, where the
/// values do not depend on the record.
fn is_plain(record: LocalId, cond: &Expr) -> bool {
    let field = |e: &Expr| matches!(&e.kind, ExprKind::Field(of, ..) if of.kind_is_local(record));
    let free = |e: &Expr| {
        let mut free = true;
        each(e, &mut |e| free &= !e.kind_is_local(record));
        free
    };
    match &cond.kind {
        ExprKind::Binary(Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge, a, b) => {
            field(a) && free(b) || field(b) && free(a)
        }
        ExprKind::In(a, list) => field(a) && free(list),
        ExprKind::IsSome(a, _) => field(a),
        ExprKind::Unary(Unary::Not, a) => field(a) || matches!(&a.kind, ExprKind::IsSome(a, _) if field(a)),
        _ => field(cond),
    }
}
