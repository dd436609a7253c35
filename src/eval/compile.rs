//! Expressions compiled once into closures over slots: names, constants, tables and layouts are resolved here, so that a
//! record costs only what it computes.

use super::code::{Call, Code};
use super::layout::{Layouts, NO_SLOT};
use super::lookup::{RowWanted, Table};
use super::make::{FlowCode, MappingCode};
use super::natives;
use super::ops;
use super::part::PartCode;
use super::personal::{Personal, told};
use super::pool::Pool;
use super::run::{Eval, Run};
use super::script::Scripts;
use super::value::{Value, show};
use super::wire::Wires;
use super::{Failure, Halt, why};
use crate::ir::{
    Arm, Const, Element, EntityId, Expr, ExprKind, FieldId, Find, ForClause, LocalId, MappingId, Pattern, Program,
    Stop, Type, accepts, known,
};
use crate::plan::Reads;
use crate::source::Span;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

/// A program ready to be run over records, by any number of threads at once.
pub struct Compiled {
    pub(crate) program: Arc<Program>,
    pub(crate) layouts: Layouts,
    pub(crate) wires: Wires,
    pub(crate) pool: Pool,
    pub(crate) tables: Vec<Table>,
    pub(crate) parts: Vec<PartCode>,
    pub(crate) mappings: Vec<MappingCode>,
    pub(crate) flows: Vec<FlowCode>,
    pub(crate) scripts: Scripts,
    /// The project's zone.
    pub(crate) zone: TimeZone,
    /// The same program with its steps told, made when somebody asks why.
    tracing: OnceLock<Box<Compiled>>,
    sources: BTreeMap<Arc<str>, String>,
    /// Layouts of what each flow reads alone, made when its records are first compared.
    pub(crate) flow_layouts: Vec<OnceLock<Layouts>>,
}

/// What is collected while a program is compiled.
pub(crate) struct Compiler<'p> {
    pub(crate) program: &'p Program,
    pub(crate) layouts: Layouts,
    pub(crate) wires: Wires,
    pub(crate) pool: Pool,
    pub(crate) parts: Vec<PartCode>,
    pub(crate) scripts: Scripts,
    /// Every step is told.
    pub(crate) trace: bool,
    /// Where the mapping or flow that is being compiled holds personal data.
    pub(crate) personal: Personal,
    /// The entity at the other end of `linked(x)`.
    pub(crate) other: Option<EntityId>,
    /// Mappings compiled so far.
    pub(crate) mappings_made: usize,
    /// Parts that are compiled, by where their builder lies.
    pub(crate) part_numbers: HashMap<usize, usize>,
    /// Locals that are another local under a second name, and so need no place of their own.
    aliases: HashMap<u32, u32>,
}

impl Compiled {
    /// Compiles a checked program. One with functions in rhai is made by [`Self::with_scripts`].
    pub fn new(program: Arc<Program>) -> Self {
        Self::with_scripts(program, BTreeMap::new())
    }

    /// As [`Self::new`], with the texts of its `.rhai` files by their names.
    pub fn with_scripts(program: Arc<Program>, sources: BTreeMap<Arc<str>, String>) -> Self {
        Self::compile(program, sources, false)
    }

    fn compile(program: Arc<Program>, sources: BTreeMap<Arc<str>, String>, trace: bool) -> Self {
        let reads = Reads::of_program(&program);
        let mut compiler = Compiler {
            program: &program,
            layouts: Layouts::new(&program, &reads),
            wires: Wires::new(&program),
            pool: Pool::default(),
            parts: Vec::new(),
            scripts: Scripts::new(&sources),
            trace,
            personal: Personal::default(),
            other: None,
            mappings_made: 0,
            part_numbers: HashMap::new(),
            aliases: HashMap::new(),
        };
        let tables = program.lookups.iter().map(|lookup| Table::new(&mut compiler, lookup)).collect();
        let mut mappings = Vec::with_capacity(program.mappings.len());
        for mapping in &program.mappings {
            mappings.push(MappingCode::new(&mut compiler, mapping));
            compiler.mappings_made += 1;
        }
        let flows = program.flows.iter().map(|flow| FlowCode::new(&mut compiler, flow)).collect();
        let Compiler { layouts, wires, pool, parts, scripts, .. } = compiler;
        let zone = program.zone.as_deref().and_then(|zone| TimeZone::get(zone).ok()).unwrap_or(TimeZone::UTC);
        let tracing = OnceLock::new();
        let flow_layouts = program.flows.iter().map(|_| OnceLock::new()).collect();
        Self {
            program,
            layouts,
            wires,
            pool,
            tables,
            parts,
            mappings,
            flows,
            scripts,
            zone,
            tracing,
            sources,
            flow_layouts,
        }
    }

    /// The program with every step told.
    pub(crate) fn tracing(&self) -> &Self {
        self.tracing.get_or_init(|| Box::new(Self::compile(Arc::clone(&self.program), self.sources.clone(), true)))
    }

    /// The program that this was compiled from.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The field of the same name in the entity that a record really is: parts go where a view of them is wanted.
    pub(crate) fn view(&self, actual: EntityId, wanted: EntityId, field: FieldId) -> Option<FieldId> {
        if actual == wanted {
            return Some(field);
        }
        self.program.entity(actual).field(&self.program.entity(wanted).get(field).name)
    }

    /// The connection of an entity in this flow; without any, the name of its system.
    pub(crate) fn connection(&self, flow: Option<usize>, entity: EntityId) -> Arc<str> {
        let flow = flow.and_then(|n| self.program.flows.get(n));
        let known = self.program.connection_of(flow, entity);
        known.unwrap_or_else(|| Arc::clone(&self.program.entity(entity).connector))
    }
}

/// A closure as code.
pub(crate) fn call(f: impl for<'r> Fn(&mut Run<'r>) -> Eval<'r> + Send + Sync + 'static) -> Code {
    Code::Call(Box::new(f))
}

impl Compiler<'_> {
    /// A constant as code.
    pub(crate) fn constant(&mut self, constant: &Const) -> Code {
        Code::Const(self.pool.add(constant))
    }

    /// An expression as code.
    pub(crate) fn code(&mut self, expr: &Expr) -> Code {
        if !self.trace
            && let Some(constant) = known(expr)
        {
            return self.constant(&constant);
        }
        if self.trace { why::traced(self, expr) } else { self.plain_code(expr) }
    }

    /// The code of an expression that tells nothing of itself.
    pub(crate) fn plain_code(&mut self, expr: &Expr) -> Code {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Const(constant) | ExprKind::Setting(_, constant) => self.constant(constant),
            ExprKind::Unanswered(name) => unanswered(name, span),
            ExprKind::Local(local) => Code::Local(self.aliases.get(&local.0).copied().unwrap_or(local.0)),
            ExprKind::Field(of, entity, field) => self.field(of, *entity, *field, span),
            ExprKind::Let(local, value, body) => self.binding(*local, value, body),
            ExprKind::Lookup { lookup, keys, must } => {
                let personal = keys.iter().map(|k| self.tells_personal(k)).collect();
                let keys = keys.iter().map(|k| self.code(k)).collect();
                let row = RowWanted { table: lookup.0 as usize, keys, personal, must: *must, span };
                call(move |run| row.find(run))
            }
            ExprKind::Native(native, args) => natives::compile(self, *native, args, expr),
            ExprKind::Extern(file, name, args) => self.script(file, name, args, expr),
            // A lambda has a value only where it is applied.
            ExprKind::Lambda(_, body) => self.code(body),
            ExprKind::Binary(op, a, b) => ops::binary(self, *op, a, b, span),
            ExprKind::Unary(op, a) => ops::unary(self, *op, a, span),
            ExprKind::OrElse(a, b) => self.or_else(a, b),
            ExprKind::IsSome(a, local) => {
                let (a, local) = (self.code(a), local.map(|l| l.0));
                call(move |run| some(run, &a, local).map(Value::Bool))
            }
            ExprKind::In(a, b) => ops::within(self, a, b, span),
            ExprKind::InGroup(a, group) => {
                let (a, group) = (self.code(a), Arc::clone(group));
                call(move |run| {
                    let value = a.eval(run)?;
                    Ok(Value::Bool(matches!(value, Value::Text(t) if crate::value::code::in_group(t, &group))))
                })
            }
            ExprKind::If(cond, then, other) => self.choice(cond, then, other),
            ExprKind::Match(subject, arms) => self.arms(subject, arms, span, Compiler::code),
            ExprKind::Concat(parts) => self.concat(parts, span),
            ExprKind::List(elements) => self.list(elements, span),
            ExprKind::Build(builder) => PartCode::compile(self, builder),
            ExprKind::Find(find) => self.find(find, span),
            ExprKind::FindAll(find) => self.find_all(find, span),
            ExprKind::LinkedTo(entity, of) => self.linked_to(*entity, of, span),
            ExprKind::Ensure(mapping, args) | ExprKind::Write(mapping, args) => {
                self.making(*mapping, args, super::make::Role::Ensured, span)
            }
            ExprKind::Stop(stop, text) => self.stop(*stop, text, span),
            ExprKind::It(field) => {
                let field = *field;
                call(move |run| run.it(field, span))
            }
            ExprKind::ItSelf => call(move |run| run.itself(span)),
            ExprKind::Was => call(move |run| run.was(span)),
            ExprKind::Keep => call(|_| Ok(Value::Keep)),
            ExprKind::PriceBy(price, row) => self.price_by(price, row, span),
            ExprKind::Verified(find) => self.verified(find, span),
        }
    }

    fn field(&mut self, of: &Expr, entity: EntityId, field: FieldId, span: Span) -> Code {
        let inner = self.code(of);
        let slot = self.layouts.slot(entity, field);
        let views = self.views(entity, field);
        if let (Code::Local(local), false) = (&inner, slot == NO_SLOT) {
            let local = *local;
            let else_call: Call = Box::new(move |run| {
                let of = run.local(local)?;
                match of_view(of, &views) {
                    Some(value) => Ok(value),
                    None => run.field(of, entity, field, span),
                }
            });
            return Code::Slot { local, entity, slot, else_call };
        }
        call(move |run| {
            let of = match (inner.lying(run), &inner) {
                (Some(of), _) => *of,
                (None, inner) => match inner.eval(run) {
                    Ok(Value::Record(record)) => Value::Record(record),
                    Ok(other) => other,
                    Err(halt) => return Err(halt),
                },
            };
            if let Value::Record(record) = of
                && record.entity == entity
                && let Some(value) = record.slots.get(usize::from(slot))
                && !matches!(value, Value::Missing(_))
            {
                return Ok(*value);
            }
            match of_view(of, &views) {
                Some(value) => Ok(value),
                None => run.field(of, entity, field, span),
            }
        })
    }

    /// The parts that may stand where this one is wanted, with the slot of the field of the same name.
    fn views(&self, entity: EntityId, field: FieldId) -> Vec<(EntityId, u16)> {
        let schema = self.program.entity(entity);
        if schema.stands_alone() {
            return Vec::new();
        }
        let name = &schema.get(field).name;
        let others = self.program.entities.iter().enumerate().map(|(n, other)| (EntityId::from(n), other));
        others
            .filter(|(id, other)| *id != entity && !other.stands_alone() && other.connector == schema.connector)
            .filter_map(|(id, other)| Some((id, self.layouts.slot(id, other.field(name)?))))
            .filter(|(_, slot)| *slot != NO_SLOT)
            .collect()
    }

    fn binding(&mut self, local: LocalId, value: &Expr, body: &Expr) -> Code {
        if let Some(code) = self.aliased(local, value, |compiler| compiler.code(body)) {
            return code;
        }
        let (value, body) = (self.code(value), self.code(body));
        call(move |run| {
            let value = value.eval(run);
            run.bind(local.0, value)?;
            body.eval(run)
        })
    }

    /// What is made of a body whose local is only a second name of another one, as a function's parameter often is: that
    /// one is read in its place.
    pub(crate) fn aliased<T>(&mut self, local: LocalId, value: &Expr, body: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let ExprKind::Local(other) = &value.kind else { return None };
        if self.trace {
            return None;
        }
        let other = self.aliases.get(&other.0).copied().unwrap_or(other.0);
        let hidden = self.aliases.insert(local.0, other);
        let made = body(self);
        // Numbers of locals mean something else in the next mapping.
        match hidden {
            Some(hidden) => self.aliases.insert(local.0, hidden),
            None => self.aliases.remove(&local.0),
        };
        Some(made)
    }

    fn or_else(&mut self, a: &Expr, b: &Expr) -> Code {
        let (a, b) = (self.code(a), self.code(b));
        call(move |run| {
            if let Some(lying) = a.lying(run)
                && lying.is_some()
            {
                return Ok(*lying);
            }
            // One value, made where it is handed on, so that it is never copied.
            let mut value = a.eval(run);
            let other = match &value {
                Ok(Value::Absent) => true,
                Err(Halt::Stop(stopped)) => stopped.soft,
                _ => false,
            };
            if other {
                value = b.eval(run);
            }
            value
        })
    }

    fn choice(&mut self, cond: &Expr, then: &Expr, other: &Expr) -> Code {
        if !self.trace
            && let Some(Const::Bool(known)) = known(cond)
        {
            return self.code(if known { then } else { other });
        }
        if let ExprKind::IsSome(value, local) = &cond.kind {
            let (value, local) = (self.code(value), local.map(|l| l.0));
            let (then, other) = (self.code(then), self.code(other));
            return call(move |run| if some(run, &value, local)? { then.eval(run) } else { other.eval(run) });
        }
        let (cond, then, other) = (self.code(cond), self.code(then), self.code(other));
        call(move |run| if cond.holds(run)? { then.eval(run) } else { other.eval(run) })
    }

    /// A `match`, whose arms are compiled by `code`.
    pub(crate) fn arms(
        &mut self,
        subject: &Expr,
        arms: &[Arm],
        span: Span,
        code: fn(&mut Self, &Expr) -> Code,
    ) -> Code {
        if !self.trace
            && let Some(known) = known(subject)
            && let Some(arm) = arms.iter().find(|arm| accepts(&arm.pattern, &known))
        {
            return code(self, &arm.value);
        }
        let personal = self.tells_personal(subject);
        let subject = self.code(subject);
        let arms: Vec<(Pattern, Code)> = arms.iter().map(|arm| (arm.pattern.clone(), code(self, &arm.value))).collect();
        call(move |run| {
            let value = subject.eval(run)?;
            if let Some((_, code)) = arms.iter().find(|(pattern, _)| ops::accepts(pattern, &value)) {
                code.eval(run)
            } else {
                let shown = told(value, personal);
                Err(Halt::fail(Failure::new(format!("no case here is for {shown}"), span).with_value(shown)))
            }
        })
    }

    fn concat(&mut self, parts: &[Expr], span: Span) -> Code {
        let parts = parts.iter().map(|part| (self.code(part), part.ty.present().clone())).collect();
        Self::concat_of(parts, span)
    }

    fn concat_of(parts: Vec<(Code, Type)>, span: Span) -> Code {
        call(move |run| {
            let mut out = bumpalo::collections::String::with_capacity_in(96, run.arena);
            let mut halted = None;
            for (part, ty) in &parts {
                match part.eval(run) {
                    Ok(Value::Text(t)) => out.push_str(t),
                    Ok(value) => {
                        let value = match (value, ty) {
                            (Value::Number(n), Type::Money(_)) => Value::Number(crate::value::decimal::shown(n, 2)),
                            (Value::Number(n), _) => Value::Number(crate::value::decimal::shown(n, 0)),
                            (value, _) => value,
                        };
                        let mut text = Vec::new();
                        super::value::show_into(value, &mut text);
                        out.push_str(&String::from_utf8_lossy(&text));
                        if *ty == Type::Percent {
                            out.push('%');
                        }
                    }
                    Err(halt) => ops::note(&mut halted, halt)?,
                }
            }
            if let Some(halt) = halted {
                return Err(halt);
            }
            ops::text_fits(out.len(), span)?;
            Ok(Value::Text(out.into_bump_str()))
        })
    }

    fn list(&mut self, elements: &[Element], span: Span) -> Code {
        let elements: Vec<ElementCode> = elements.iter().map(|e| ElementCode::new(self, e)).collect();
        call(move |run| {
            let mut out = bumpalo::collections::Vec::new_in(run.arena);
            let mut halted = None;
            for element in &elements {
                element.push(run, &mut out, &mut halted, span)?;
            }
            match halted {
                Some(halt) => Err(halt),
                None => Ok(Value::List(out.into_bump_slice())),
            }
        })
    }

    fn find(&mut self, find: &Find, span: Span) -> Code {
        let values: Vec<Code> = find.values.iter().map(|v| self.code(v)).collect();
        let (entity, by, must) = (find.entity, find.by.clone(), find.must);
        let connection = Arc::clone(&find.connection);
        call(move |run| {
            let Some(values) = run.key_values(&values, span)? else { return Ok(Value::Absent) };
            // An entity of one record is found by nothing: `TaxSettings()`.
            if !by.is_empty() && values.iter().all(Option::is_none) {
                let schema = run.compiled.program.entity(entity);
                let names: Vec<&str> = by.iter().map(|field| &*schema.get(*field).name).collect();
                let reason = format!("the {} can't be found: its {} is empty", schema.name, names.join(" and "));
                return if must { Err(Halt::fail(Failure::new(reason, span))) } else { Ok(Value::Absent) };
            }
            match run.find(Some(&connection), entity, &by, &values, span)?.as_slice() {
                [row] => Ok(Value::Record(row)),
                [] if must => Err(run.none_found(entity, &by, &values, span)),
                [] => Ok(Value::Absent),
                _ => Err(run.two_found(entity, &by, &values, span)),
            }
        })
    }

    fn find_all(&mut self, find: &Find, span: Span) -> Code {
        let values: Vec<Code> = find.values.iter().map(|v| self.code(v)).collect();
        let (entity, by) = (find.entity, find.by.clone());
        let connection = Arc::clone(&find.connection);
        call(move |run| {
            // Nothing refers to a document that is not written yet.
            let Some(values) = run.key_values(&values, span)? else { return Ok(Value::List(&[])) };
            let rows = run.find(Some(&connection), entity, &by, &values, span)?;
            Ok(Value::List(run.arena.alloc_slice_fill_iter(rows.into_iter().map(Value::Record))))
        })
    }

    /// A code that is asked for where there is somebody to ask.
    fn verified(&mut self, find: &Find, span: Span) -> Code {
        let values: Vec<Code> = find.values.iter().map(|v| self.code(v)).collect();
        let (entity, by, must) = (find.entity, find.by.clone(), find.must);
        let connection = Arc::clone(&find.connection);
        call(move |run| {
            let [value] = values.as_slice() else { return Err(run.broken_promise("a code of several parts", span)) };
            let value = value.eval(run)?;
            let Value::Text(code) = value else { return Ok(value) };
            if run.known.offline() {
                return Ok(value);
            }
            let wanted = [Some(Arc::from(code))];
            match run.find(Some(&connection), entity, &by, &wanted, span)?.len() {
                1 => Ok(value),
                0 if must => Err(run.none_found(entity, &by, &wanted, span)),
                0 => Ok(Value::Absent),
                _ => Err(run.two_found(entity, &by, &wanted, span)),
            }
        })
    }

    fn linked_to(&mut self, entity: EntityId, of: &Expr, span: Span) -> Code {
        let from = match of.ty.present() {
            Type::Record(from) | Type::Code(from) => *from,
            _ => entity,
        };
        let of = self.code(of);
        call(move |run| {
            let of = of.eval(run)?;
            let Some((from, key)) = run.identity(of, from, span)? else { return Ok(Value::Absent) };
            let need = super::LinkNeed { mapping: None, entity: from, key, other: entity };
            match run.linked(need, span)?.as_slice() {
                [] => Ok(Value::Absent),
                [id] => Ok(Value::Reference(id)),
                _ => {
                    let name = &run.compiled.program.entity(entity).name;
                    Err(Halt::fail(Failure::new(format!("it is linked to more than one {name}"), span)))
                }
            }
        })
    }

    /// The call of a mapping.
    pub(crate) fn making(&mut self, mapping: MappingId, args: &[Expr], role: super::make::Role, span: Span) -> Code {
        let args: Vec<Code> = args.iter().map(|arg| self.code(arg)).collect();
        call(move |run| {
            let args = run.arguments(&args, role)?;
            super::make::make(run, mapping, args, role, span)
        })
    }

    /// Whether an expression tells personal data.
    pub(crate) fn tells_personal(&self, expr: &Expr) -> bool {
        self.personal.tells(self.program, expr)
    }

    /// A text that is told to people: personal data in it are masked.
    pub(crate) fn reason(&mut self, text: &Expr) -> Code {
        match &text.kind {
            _ if !self.tells_personal(text) => self.code(text),
            ExprKind::Concat(parts) => {
                let parts = parts.iter().map(|part| (self.reason(part), part.ty.present().clone())).collect();
                Self::concat_of(parts, text.span)
            }
            ExprKind::Let(local, value, body) => {
                let (local, value, body) = (local.0, self.code(value), self.reason(body));
                call(move |run| {
                    let value = value.eval(run);
                    run.bind(local, value)?;
                    body.eval(run)
                })
            }
            _ => {
                let code = self.code(text);
                call(move |run| match code.eval(run)? {
                    Value::Text("") => Ok(Value::Text("")),
                    value => Ok(run.text(&told(value, true))),
                })
            }
        }
    }

    fn stop(&mut self, stop: Stop, text: &Expr, span: Span) -> Code {
        let text = self.reason(text);
        call(move |run| {
            let reason = show(text.eval(run)?);
            Err(Halt::stop(stop, Failure::new(reason, span)))
        })
    }

    fn price_by(&mut self, price: &Expr, row: &Expr, span: Span) -> Code {
        let entity = match row.ty.present() {
            Type::Record(entity) | Type::Code(entity) => Some(*entity),
            _ => None,
        };
        let (price, row) = (self.code(price), self.code(row));
        call(move |run| {
            let price = price.eval(run);
            let row = row.eval(run)?;
            let Value::Price((net, gross)) = price? else { return Ok(Value::Absent) };
            let including = match entity {
                Some(entity) => run.tax_row(row, entity, span)?.is_some_and(|(including, _)| including),
                None => false,
            };
            Ok(Value::Number(if including { *gross } else { *net }))
        })
    }

    fn script(&mut self, file: &Arc<str>, name: &Arc<str>, args: &[Expr], expr: &Expr) -> Code {
        let personal = args.iter().any(|arg| self.tells_personal(arg));
        let whole: Vec<bool> = args.iter().map(|arg| is_whole(&arg.ty)).collect();
        let args: Vec<Code> = args.iter().map(|arg| self.code(arg)).collect();
        let (file, name, ty, span) = (Arc::clone(file), Arc::clone(name), expr.ty.clone(), expr.span);
        call(move |run| {
            let args = run.arguments(&args, super::make::Role::Ensured)?;
            let failed = |reason: String| {
                // What a script says of itself may repeat what it was given.
                let reason = if personal { "it can't work with what it is given".to_owned() } else { reason };
                Halt::soft(Failure::new(format!("`{name}` in {file} stopped: {reason}"), span))
            };
            run.compiled.scripts.call(run, (&file, &name), args, &whole, &ty).map_err(failed)
        })
    }
}

/// Whether a value is there; a local gets it.
#[inline]
fn some(run: &mut Run<'_>, value: &Code, local: Option<u32>) -> Result<bool, Halt> {
    let Some(local) = local else { return value.is_some(run) };
    if let Some(lying) = value.lying(run) {
        run.locals[local as usize] = *lying;
        return Ok(lying.is_some());
    }
    let value = value.eval(run);
    let some = !matches!(value, Ok(Value::Absent));
    match value {
        Ok(Value::Text(t)) => run.locals[local as usize] = Value::Text(t),
        Ok(Value::Record(record)) => run.locals[local as usize] = Value::Record(record),
        Ok(value) => run.locals[local as usize] = value,
        Err(halt) => return Err(halt),
    }
    Ok(some)
}

/// The field of a record that stands where another part is wanted.
fn of_view<'r>(of: Value<'r>, views: &[(EntityId, u16)]) -> Option<Value<'r>> {
    let Value::Record(record) = of else { return None };
    let (_, slot) = views.iter().find(|(entity, _)| *entity == record.entity)?;
    record.slots.get(usize::from(*slot)).copied().filter(|value| !matches!(value, Value::Missing(_)))
}

/// Whether numbers of this type are whole, in lists too.
fn is_whole(ty: &Type) -> bool {
    match ty.present() {
        Type::List(element) => is_whole(element),
        ty => *ty == Type::Int,
    }
}

fn unanswered(name: &Arc<str>, span: Span) -> Code {
    let name = Arc::clone(name);
    call(move |_| Err(Halt::fail(Failure::new(format!("the setting `{name}` has no answer: give it one"), span))))
}

enum ElementCode {
    One(Code),
    All(Code),
    For(Vec<Clause>, Code),
}

/// Elements of a list in the making.
type Elements<'r> = bumpalo::collections::Vec<'r, Value<'r>>;

impl ElementCode {
    fn new(compiler: &mut Compiler<'_>, element: &Element) -> Self {
        match element {
            Element::One(e) => Self::One(compiler.code(e)),
            Element::All(e) => Self::All(compiler.code(e)),
            Element::For(clauses, body) => {
                let clause = |compiler: &mut Compiler<'_>, c: &ForClause| {
                    (c.local.0, compiler.code(&c.list), c.cond.as_ref().map(|cond| compiler.code(cond)))
                };
                let clauses = clauses.iter().map(|c| clause(compiler, c)).collect();
                Self::For(clauses, compiler.code(body))
            }
        }
    }

    fn push<'r>(
        &self,
        run: &mut Run<'r>,
        out: &mut Elements<'r>,
        halted: &mut Option<Halt>,
        span: Span,
    ) -> Result<(), Halt> {
        match self {
            Self::One(code) => push(run, code, (out, halted), span),
            Self::All(code) => match code.eval(run) {
                Ok(Value::List(list)) => {
                    ops::list_fits(out.len() + list.len(), span)?;
                    out.extend_from_slice(list);
                    Ok(())
                }
                Ok(_) => Ok(()),
                Err(halt) => ops::note(halted, halt),
            },
            Self::For(clauses, body) => for_each(run, (clauses, body), out, halted, span),
        }
    }
}

fn push<'r>(
    run: &mut Run<'r>,
    code: &Code,
    (out, halted): (&mut Elements<'r>, &mut Option<Halt>),
    span: Span,
) -> Result<(), Halt> {
    let mark = run.tell_from();
    match code.eval(run) {
        Ok(value) => {
            run.told_element(mark, out.len());
            out.push(value);
            ops::list_fits(out.len(), span)
        }
        Err(halt) => ops::note(halted, halt.within(&format!("[{}]", out.len()))),
    }
}

/// A `for`: the slot of its element, its list, and what must hold of an element.
type Clause = (u32, Code, Option<Code>);

fn for_each<'r>(
    run: &mut Run<'r>,
    (clauses, body): (&[Clause], &Code),
    out: &mut Elements<'r>,
    halted: &mut Option<Halt>,
    span: Span,
) -> Result<(), Halt> {
    let Some(((local, list, cond), rest)) = clauses.split_first() else {
        return push(run, body, (out, halted), span);
    };
    let list = match list.list(run) {
        Ok(Some(list)) => list,
        Ok(None) => return Ok(()),
        Err(halt) => return ops::note(halted, halt),
    };
    for element in list {
        run.locals[*local as usize] = *element;
        let taken = match cond {
            None => true,
            Some(cond) => match cond.holds(run) {
                Ok(taken) => taken,
                Err(halt) => {
                    ops::note(halted, halt)?;
                    false
                }
            },
        };
        if taken {
            for_each(run, (rest, body), out, halted, span)?;
        }
    }
    Ok(())
}
