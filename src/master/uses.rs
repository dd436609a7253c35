//! The codes that the flows that are on come to: in settings, in rows of tables, in the flows themselves. Branches that
//! answered settings rule out are not looked at.

use crate::ir::{
    Const, EntityId, Expr, ExprKind, FieldId, LookupId, MappingId, Program, Setting, Step, StepKind, Type, When,
    children, decided, of_flow, of_mapping,
};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A code that the project names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Of what it is the code.
    pub entity: EntityId,
    /// The code.
    pub code: Arc<str>,
    /// Where it stands.
    pub span: Span,
    /// What names it.
    pub whence: Whence,
    /// The fields that it may come to, as far as that is plain.
    pub fields: BTreeSet<(EntityId, FieldId)>,
}

/// What names a code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whence {
    /// A setting: its module, its name, and whether the project answers it.
    Setting(Arc<str>, Arc<str>, bool),
    /// A row of a table.
    Row(LookupId, usize),
    /// A line of a flow.
    Line,
}

/// All codes that the flows that are on come to, in the order of their places.
pub fn uses(program: &Program) -> Vec<Use> {
    let mut walk = Walk { program, found: BTreeMap::new(), seen: BTreeSet::new(), tables: BTreeSet::new(), row: None };
    for flow in program.flows.iter().filter(|flow| flow.on) {
        let mut todo = Vec::new();
        of_flow(flow, &mut |e| walk.expr(e, None, &mut todo));
        while let Some(id) = todo.pop() {
            if walk.seen.insert(id) {
                let mapping = program.mapping(id);
                of_mapping(mapping, &mut |e| walk.expr(e, None, &mut todo));
                walk.steps(mapping.target, &mapping.steps, &mut todo);
            }
        }
    }
    walk.found.into_values().collect()
}

/// A field that is being filled.
type Place = Option<(EntityId, FieldId)>;

struct Walk<'p> {
    program: &'p Program,
    found: BTreeMap<(Span, EntityId, Arc<str>), Use>,
    seen: BTreeSet<MappingId>,
    tables: BTreeSet<(LookupId, Place)>,
    /// The row of a table whose value is looked at.
    row: Option<(LookupId, usize)>,
}

impl Walk<'_> {
    fn steps(&mut self, of: EntityId, steps: &[Step], todo: &mut Vec<MappingId>) {
        for step in steps {
            match &step.kind {
                StepKind::Let(_, value) => self.expr(value, None, todo),
                StepKind::Assign { path, value, when } => {
                    if let When::Update(Some(cond)) = when {
                        self.expr(cond, None, todo);
                    }
                    let place = self.field(of, path);
                    self.expr(value, place, todo);
                }
                StepKind::Check(a, b) | StepKind::Alert(a, b) => {
                    self.expr(a, None, todo);
                    self.expr(b, None, todo);
                }
            }
        }
    }

    /// The field at the end of a way, with the entity that has it.
    fn field(&self, mut of: EntityId, path: &[FieldId]) -> Place {
        let (last, way) = path.split_last()?;
        for field in way {
            of = self.program.entity(of).get(*field).ty.record()?;
        }
        Some((of, *last))
    }

    fn expr(&mut self, e: &Expr, place: Place, todo: &mut Vec<MappingId>) {
        match &e.kind {
            ExprKind::Const(value) => self.note(&e.ty, value, e.span, &Whence::Line, place),
            ExprKind::Setting(name, value) => {
                let setting = self.program.settings.iter().find(|s| is_called(s, name));
                let Some(setting) = setting else { return };
                let whence =
                    Whence::Setting(Arc::clone(&setting.module), Arc::clone(&setting.name), setting.answered.is_some());
                self.note(&e.ty, value, setting.answered.unwrap_or(setting.span), &whence, place);
            }
            ExprKind::Build(builder) => self.steps(builder.entity, &builder.steps, todo),
            ExprKind::Lookup { lookup, keys, .. } => {
                keys.iter().for_each(|key| self.expr(key, None, todo));
                self.table(*lookup, place, todo);
            }
            kind => {
                if let ExprKind::Ensure(id, _) | ExprKind::Write(id, _) = kind {
                    todo.push(*id);
                }
                match decided(e) {
                    Some(taken) => self.expr(taken, place, todo),
                    None => {
                        let mut inner: Vec<&Expr> = Vec::new();
                        children(e, &mut |child| inner.push(child));
                        inner.into_iter().for_each(|child| self.expr(child, place, todo));
                    }
                }
            }
        }
    }

    fn table(&mut self, id: LookupId, place: Place, todo: &mut Vec<MappingId>) {
        if !self.tables.insert((id, place)) {
            return;
        }
        let program = self.program;
        let outer = self.row;
        for (n, row) in program.lookup(id).rows.iter().enumerate() {
            self.row = Some((id, n));
            self.expr(&row.value, place, todo);
        }
        self.row = outer;
    }

    fn note(&mut self, ty: &Type, value: &Const, span: Span, whence: &Whence, place: Place) {
        match (ty.present(), value) {
            (Type::List(inner), Const::List(values)) => {
                values.iter().for_each(|value| self.note(inner, value, span, whence, place));
            }
            (Type::Code(entity), Const::Text(code)) => {
                let (span, whence) = match (whence, self.row) {
                    // A row as a whole is what a person changes.
                    (Whence::Line, Some((table, n))) => {
                        (self.program.lookup(table).rows[n].span, Whence::Row(table, n))
                    }
                    (whence, _) => (span, whence.clone()),
                };
                let key = (span, *entity, Arc::clone(code));
                let new = || Use { entity: *entity, code: Arc::clone(code), span, whence, fields: BTreeSet::new() };
                self.found.entry(key).or_insert_with(new).fields.extend(place);
            }
            _ => {}
        }
    }
}

/// Whether the full name, `orders.journal`, is the setting's.
fn is_called(setting: &Setting, full: &str) -> bool {
    full.strip_suffix(&*setting.name).and_then(|module| module.strip_suffix('.')) == Some(&*setting.module)
}
