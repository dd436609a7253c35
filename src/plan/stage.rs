//! Stages of finds: what is asked for together, and what must wait for an answer.

use crate::ir::{
    Const, Element, EntityId, Expr, ExprKind, FieldId, Find, Flow, Key, LocalId, MappingId, Native, Program, Step,
    StepKind, Verb, decided,
};
use std::collections::{BTreeMap, BTreeSet};

/// A find of a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// The stage: those of one stage are asked together.
    pub stage: u32,
    /// Of what.
    pub entity: EntityId,
    /// By these fields; of a small entity all rows are read once.
    pub by: Vec<FieldId>,
}

/// Stages of what has been walked through.
pub(crate) struct Stages<'p> {
    program: &'p Program,
    pub(crate) asked: BTreeSet<Asked>,
    /// Mappings in the order in which their documents are written.
    pub(crate) mappings: Vec<MappingId>,
    /// What was walked, at which stage.
    walked: BTreeMap<(MappingId, u32), u32>,
    /// The stage at which each local's value is known.
    locals: BTreeMap<LocalId, u32>,
    /// The stage at which each field of the document in the making is known, and the document itself.
    fields: BTreeMap<FieldId, u32>,
    itself: u32,
}

impl<'p> Stages<'p> {
    /// The finds of a flow.
    pub(crate) fn of(program: &'p Program, flow: &Flow) -> Self {
        let mut stages = Self {
            program,
            asked: BTreeSet::new(),
            mappings: Vec::new(),
            walked: BTreeMap::new(),
            locals: BTreeMap::new(),
            fields: BTreeMap::new(),
            itself: 0,
        };
        if let Some(filter) = &flow.filter {
            stages.expr(filter);
        }
        if let Some(watch) = &flow.watch {
            stages.expr(&watch.unit);
        }
        for step in &flow.steps {
            stages.step(step);
        }
        stages.expr(&flow.write);
        stages
    }

    fn find(&mut self, entity: EntityId, by: &[FieldId], known: u32) -> u32 {
        let small = self.program.entity(entity).read_whole();
        // All rows of a small entity wait for nothing.
        let (stage, by) = if small { (1, Vec::new()) } else { (known + 1, by.to_vec()) };
        self.asked.insert(Asked { stage, entity, by });
        stage.max(known)
    }

    /// The stage after which the value of an expression is known; 0: at once.
    fn expr(&mut self, expr: &Expr) -> u32 {
        if let Some(taken) = decided(expr) {
            return self.expr(taken);
        }
        match &expr.kind {
            ExprKind::It(field) => self.fields.get(field).copied().unwrap_or(0).max(self.itself),
            ExprKind::ItSelf => self.itself,
            ExprKind::Local(local) => self.locals.get(local).copied().unwrap_or(0),
            ExprKind::Let(local, value, body) => {
                let stage = self.expr(value);
                self.locals.insert(*local, stage);
                self.expr(body)
            }
            ExprKind::IsSome(of, local) => {
                let stage = self.expr(of);
                if let Some(local) = local {
                    self.locals.insert(*local, stage);
                }
                stage
            }
            ExprKind::Find(find) | ExprKind::FindAll(find) | ExprKind::Verified(find) => {
                let Find { entity, by, values, .. } = find.as_ref();
                let known = values.iter().map(|v| self.expr(v)).max().unwrap_or(0);
                self.find(*entity, by, known)
            }
            ExprKind::Ensure(mapping, args) | ExprKind::Write(mapping, args) => {
                let known = args.iter().map(|a| self.expr(a)).max().unwrap_or(0);
                self.mapping(*mapping, known)
            }
            ExprKind::Build(builder) => {
                let outer = std::mem::take(&mut self.fields);
                let stage = builder.steps.iter().map(|step| self.step(step)).max().unwrap_or(0);
                self.fields = outer;
                stage
            }
            ExprKind::List(elements) => elements.iter().map(|e| self.element(e)).max().unwrap_or(0),
            ExprKind::Match(subject, arms) => {
                let subject = self.expr(subject);
                arms.iter().map(|arm| self.expr(&arm.value)).max().unwrap_or(0).max(subject)
            }
            ExprKind::If(a, b, c) => self.expr(a).max(self.expr(b)).max(self.expr(c)),
            ExprKind::Binary(_, a, b) | ExprKind::OrElse(a, b) | ExprKind::In(a, b) | ExprKind::PriceBy(a, b) => {
                self.expr(a).max(self.expr(b))
            }
            ExprKind::Lookup { keys: list, .. } | ExprKind::Extern(_, _, list) | ExprKind::Concat(list) => {
                list.iter().map(|e| self.expr(e)).max().unwrap_or(0)
            }
            ExprKind::Native(native, args) => {
                let known = args.iter().map(|e| self.expr(e)).max().unwrap_or(0);
                if *native == Native::DocumentTotal { known.max(self.document(args)) } else { known }
            }
            ExprKind::Field(of, ..)
            | ExprKind::Lambda(_, of)
            | ExprKind::Unary(_, of)
            | ExprKind::InGroup(of, _)
            | ExprKind::LinkedTo(_, of)
            | ExprKind::Once(_, of)
            | ExprKind::Stop(_, of) => self.expr(of),
            ExprKind::ChangedSince(of) => self.expr(&of.since) + 1,
            ExprKind::Const(_) | ExprKind::Setting(..) | ExprKind::Unanswered(_) | ExprKind::Was | ExprKind::Keep => 0,
        }
    }

    /// The tax codes of a document's lines.
    fn document(&mut self, args: &[Expr]) -> u32 {
        let line = args.first().and_then(|list| match list.ty.present().element()?.present() {
            crate::ir::Type::Record(line) => Some(*line),
            _ => None,
        });
        let code = args.get(3).and_then(|name| match &name.kind {
            ExprKind::Const(Const::Text(name)) => self.program.entity(line?).field(name),
            _ => None,
        });
        match line.zip(code).map(|(line, code)| self.program.entity(line).get(code).ty.present().clone()) {
            Some(crate::ir::Type::Code(codes)) => {
                let by: Vec<FieldId> = self.program.entity(codes).code.into_iter().collect();
                self.find(codes, &by, 0)
            }
            _ => 0,
        }
    }

    fn element(&mut self, element: &Element) -> u32 {
        match element {
            Element::One(e) | Element::All(e) => self.expr(e),
            Element::For(clauses, body) => {
                let mut stage = 0;
                for clause in clauses {
                    let known = self.expr(&clause.list);
                    self.locals.insert(clause.local, known);
                    stage = stage.max(known).max(clause.cond.as_ref().map_or(0, |cond| self.expr(cond)));
                }
                stage.max(self.expr(body))
            }
        }
    }

    fn step(&mut self, step: &Step) -> u32 {
        match &step.kind {
            StepKind::Let(local, value) => {
                let stage = self.expr(value);
                self.locals.insert(*local, stage);
                stage
            }
            StepKind::Assign { path, value, .. } => {
                let stage = self.expr(value);
                if let Some(field) = path.first() {
                    let known = self.fields.entry(*field).or_default();
                    *known = stage.max(*known);
                }
                stage
            }
            StepKind::Check(a, b) | StepKind::Alert(a, b) => self.expr(a).max(self.expr(b)),
        }
    }

    /// A mapping whose arguments are known after that stage: after which its document is known.
    fn mapping(&mut self, id: MappingId, known: u32) -> u32 {
        if let Some(stage) = self.walked.get(&(id, known)) {
            return *stage;
        }
        self.walked.insert((id, known), known);
        let mapping = self.program.mapping(id);
        let outer = std::mem::take(&mut self.locals);
        self.locals = mapping.params.iter().map(|(_, _, local)| (*local, known)).collect();
        let (fields, itself) = (std::mem::take(&mut self.fields), std::mem::take(&mut self.itself));
        let mut stage = known;
        for step in &mapping.steps {
            stage = stage.max(self.step(step));
        }
        if let Verb::CreateUnless(cond) | Verb::Delete(Some(cond)) = &mapping.header.verb {
            stage = stage.max(self.expr(cond));
        }
        for key in &mapping.header.keys {
            stage = stage.max(match key {
                Key::By(by) => {
                    let by: Vec<FieldId> = by.iter().map(|k| k.field).collect();
                    let filled = by.iter().filter_map(|f| self.fields.get(f)).max().copied().unwrap_or(0);
                    self.find(mapping.target, &by, filled.max(known))
                }
                Key::Linked(to) => self.expr(to),
                Key::Itself => known,
            });
        }
        if let Some(balance) = &mapping.balance {
            let formula = balance.formula.as_ref().map_or(0, |formula| self.expr(formula));
            stage = stage.max(formula).max(self.expr(&balance.to));
        }
        if !self.mappings.contains(&id) {
            self.mappings.push(id);
        }
        self.itself = stage;
        for then in &mapping.then {
            self.expr(then);
        }
        (self.locals, self.fields, self.itself) = (outer, fields, itself);
        self.walked.insert((id, known), stage);
        stage
    }
}
