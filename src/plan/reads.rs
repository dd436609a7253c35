//! Which fields of each entity some expression reads: what is selected, decoded and hashed. All else is skipped.

use super::walk::{each, each_of_flow, each_of_mapping};
use crate::ir::{
    EntityId, Expr, ExprKind, FieldId, Find, Flow, Key, Mapping, MappingId, Native, Program, Required, Type,
    mappings_of, reached,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The fields that are read, by entity.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    fields: Vec<BTreeSet<FieldId>>,
    meta: Vec<BTreeSet<Arc<str>>>,
}

impl Reads {
    /// What the whole program reads.
    pub fn of_program(program: &Program) -> Self {
        let mut reads = Self::empty(program);
        let all = (0..program.mappings.len()).filter_map(|n| u32::try_from(n).ok()).map(MappingId).collect();
        program.flows.iter().for_each(|flow| reads.flow(program, flow));
        for outer in program.tests.iter().flat_map(|test| test.exprs().into_iter().chain(test.cells())) {
            // Whoever is given as a value, or is linked, is known by its key.
            if let Type::Record(given) = outer.ty.present() {
                reads.identity(program, *given);
            }
            each(outer, &mut |e| reads.expr(program, e));
        }
        reads.finish(program, &all);
        reads
    }

    /// What one flow reads, with all that it comes through.
    pub fn of_flow(program: &Program, flow: &Flow) -> Self {
        let mut reads = Self::empty(program);
        reads.flow(program, flow);
        reads.finish(program, &mappings_of(program, flow));
        reads
    }

    /// What one mapping reads, with all that it comes through.
    pub fn of_mapping(program: &Program, mapping: MappingId) -> Self {
        let mut reads = Self::empty(program);
        reads.finish(program, &reached(program, BTreeSet::from([mapping])));
        reads
    }

    /// The fields of that entity, in the order of its schema.
    pub fn fields(&self, entity: EntityId) -> impl Iterator<Item = FieldId> + '_ {
        self.fields.get(entity.0 as usize).into_iter().flatten().copied()
    }

    /// Keys of its further entries that are asked for by name.
    pub fn meta(&self, entity: EntityId) -> impl Iterator<Item = &Arc<str>> + '_ {
        self.meta.get(entity.0 as usize).into_iter().flatten()
    }

    /// What an API is asked to select: wire names, those of nested parts behind a dot.
    pub fn wire_names(&self, program: &Program, entity: EntityId) -> Vec<String> {
        let mut names = Vec::new();
        self.wire_names_below(program, entity, "", 0, &mut names);
        names.sort();
        names.dedup();
        names
    }

    fn wire_names_below(
        &self,
        program: &Program,
        entity: EntityId,
        prefix: &str,
        depth: usize,
        names: &mut Vec<String>,
    ) {
        let schema = program.entity(entity);
        let is_entry = |id: FieldId| schema.get(id).meta.is_some();
        if let Some(entries) = program.entries_of(schema)
            && (self.meta(entity).next().is_some() || self.fields(entity).any(is_entry))
        {
            names.push(format!("{prefix}{}", entries.list));
        }
        for id in self.fields(entity).filter(|id| !is_entry(*id)) {
            let field = schema.get(id);
            let name = format!("{prefix}{}", field.wire);
            match part_of(program, &field.ty) {
                // Only what stands once is selected by parts; lists come whole.
                Some(part) if depth < 4 && self.fields(part).next().is_some() => {
                    self.wire_names_below(program, part, &format!("{name}."), depth + 1, names);
                }
                _ => names.push(name),
            }
        }
    }

    fn empty(program: &Program) -> Self {
        Self {
            fields: vec![BTreeSet::new(); program.entities.len()],
            meta: vec![BTreeSet::new(); program.entities.len()],
        }
    }

    fn add(&mut self, entity: EntityId, field: FieldId) {
        self.fields[entity.0 as usize].insert(field);
    }

    fn flow(&mut self, program: &Program, flow: &Flow) {
        self.identity(program, flow.source);
        flow.per.into_iter().for_each(|per| self.add(flow.source, per));
        each_of_flow(flow, &mut |e| self.expr(program, e));
    }

    /// A record that stands alone is known by these.
    fn identity(&mut self, program: &Program, entity: EntityId) {
        let known = program.entity(entity);
        if known.is_part() {
            return;
        }
        known.key.into_iter().chain(known.code).for_each(|field| self.add(entity, field));
    }

    fn finish(&mut self, program: &Program, mappings: &BTreeSet<MappingId>) {
        for id in mappings {
            self.mapping(program, program.mapping(*id));
        }
        // A record that is looked into may be a reference: its row is read by key.
        for n in 0..program.entities.len() {
            if !self.fields[n].is_empty() {
                self.identity(program, EntityId::from(n));
            }
        }
        self.views(program);
    }

    fn mapping(&mut self, program: &Program, mapping: &Mapping) {
        let target = mapping.target;
        self.identity(program, target);
        let header = &mapping.header;
        for key in &header.keys {
            if let Key::By(fields) = key {
                for key in fields {
                    self.add(target, key.field);
                }
            }
        }
        header.prefer.iter().for_each(|(field, _)| self.add(target, *field));
        header.prefer_newest.into_iter().chain(program.entity(target).total).for_each(|field| self.add(target, field));
        self.required(program, target);
        each_of_mapping(mapping, &mut |e| {
            if let ExprKind::It(field) = e.kind
                && (field.0 as usize) < program.entity(target).fields.len()
            {
                self.add(target, field);
            }
            self.expr(program, e);
        });
    }

    /// What the conditions of required fields look at, in other records.
    fn required(&mut self, program: &Program, entity: EntityId) {
        for field in &program.entity(entity).fields {
            if let Required::When { cond, .. } = &field.required {
                each(cond, &mut |e| self.expr(program, e));
            }
        }
    }

    fn expr(&mut self, program: &Program, expr: &Expr) {
        match &expr.kind {
            ExprKind::Field(_, entity, field) => {
                self.add(*entity, *field);
                // Whoever takes a list of records on, into another record, refers to each.
                let element = program.entity(*entity).get(*field).ty.present().element().map(Type::present);
                if let Some(Type::Record(listed)) = element
                    && program.entity(*listed).stands_alone()
                {
                    self.identity(program, *listed);
                }
            }
            ExprKind::Find(find) | ExprKind::FindAll(find) | ExprKind::Verified(find) => {
                let Find { entity, by, .. } = find.as_ref();
                self.identity(program, *entity);
                for field in by {
                    self.add(*entity, *field);
                }
            }
            ExprKind::LinkedTo(entity, _) => self.identity(program, *entity),
            ExprKind::ChangedSince(of) => self.identity(program, of.entity),
            ExprKind::PriceBy(_, row) => self.tax_row(program, &row.ty),
            ExprKind::Build(builder) => self.required(program, builder.entity),
            ExprKind::Native(Native::DocumentTotal, args) => self.document(program, args),
            ExprKind::Native(Native::MetaOf, args) => self.meta_of(program, expr, args),
            _ => {}
        }
    }

    fn tax_row(&mut self, program: &Program, ty: &Type) {
        let (Type::Record(entity) | Type::Code(entity)) = ty.present() else { return };
        self.identity(program, *entity);
        if let Some(tax) = &program.entity(*entity).tax {
            self.add(*entity, tax.by);
            self.add(*entity, tax.rate);
        }
    }

    fn document(&mut self, program: &Program, args: &[Expr]) {
        let Some(Type::Record(line)) = args.first().and_then(|list| list.ty.present().element()) else { return };
        for arg in &args[1..] {
            if let ExprKind::Const(crate::ir::Const::Text(name)) = &arg.kind
                && let Some(field) = program.entity(*line).field(name)
            {
                self.tax_row(program, &program.entity(*line).get(field).ty);
            }
        }
    }

    fn meta_of(&mut self, program: &Program, expr: &Expr, args: &[Expr]) {
        if let Some((record, key)) = super::walk::meta_entry(expr) {
            if let Type::Record(entity) = record.ty.present() {
                self.meta[entity.0 as usize].insert(Arc::clone(key));
            }
        } else if let Some(Type::Record(entry)) = args.first().and_then(|list| list.ty.present().element()) {
            let entry = (*entry, program.entity(*entry));
            entry.1.entry.into_iter().flat_map(|(key, value)| [key, value]).for_each(|field| self.add(entry.0, field));
        }
    }

    /// A part may go where a view of it is wanted (a billing address as an address): what is read of the view is read
    /// of each part that has all its fields.
    fn views(&mut self, program: &Program) {
        for n in 0..program.entities.len() {
            let view = &program.entities[n];
            if self.fields[n].is_empty() || !view.is_part() {
                continue;
            }
            let names: Vec<Arc<str>> = self.fields[n].iter().map(|f| Arc::clone(&view.get(*f).name)).collect();
            for (m, part) in program.entities.iter().enumerate() {
                let fits = m != n && part.is_part() && view.fields.iter().all(|f| part.field(&f.name).is_some());
                if fits {
                    self.fields[m].extend(names.iter().filter_map(|name| part.field(name)));
                }
            }
        }
    }
}

/// The part that a field holds once.
fn part_of(program: &Program, ty: &Type) -> Option<EntityId> {
    match ty.present() {
        Type::Record(entity) if !program.entity(*entity).stands_alone() => Some(*entity),
        _ => None,
    }
}
