//! A small shop and ledger, and words to write flows about them.
#![allow(clippy::cast_possible_truncation, reason = "programs made by hand are small")]

use crate::eval::{Answered, Compiled, Evaluated, Query, Resolver, WriteSet};
use crate::ir::*;
use crate::source::{FileId, Span};
use rust_decimal::Decimal;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// A span that tells where a test put it.
pub(super) fn at(n: usize) -> Span {
    Span::new(FileId(0), n, n + 1)
}

pub(super) fn lab() -> Program {
    let mut program = Program { zone: Some("Europe/Amsterdam".into()), ..Program::default() };
    for (name, connector) in [("shop", "woo"), ("ledger", "exact")] {
        program.connectors.push(Connector {
            name: connector.into(),
            zone: "Europe/Amsterdam".into(),
            ..Connector::default()
        });
        program.connections.push(Connection {
            name: name.into(),
            connector: connector.into(),
            entries: vec![],
            span: at(0),
        });
    }
    shop(&mut program);
    ledger(&mut program);
    program
}

fn shop(p: &mut Program) {
    entity(
        p,
        "woo.Billing",
        None,
        &[
            ("email", email(), ""),
            ("company", text(), "?"),
            ("first_name", text(), "?"),
            ("country", Type::Country, "?"),
            ("phone", text(), "?"),
        ],
    );
    entity(p, "woo.Address", None, &[("first_name", text(), "?"), ("country", Type::Country, "?")]);
    entity(
        p,
        "woo.LineItem",
        None,
        &[
            ("id", Type::Int, ""),
            ("name", text(), ""),
            ("sku", text(), "?"),
            ("quantity", Type::Decimal, ""),
            ("total", net(), "text"),
            ("total_tax", tax(), "text"),
        ],
    );
    let status = enumeration("OrderStatus", true, &[("processing", "\"processing\""), ("completed", "\"completed\"")]);
    let (billing, line) = (of(p, "Billing"), of(p, "LineItem"));
    entity(p, "woo.Customer", Some("id"), &[("id", Type::Int, ""), ("email", email(), "?")]);
    entity(p, "woo.MetaEntry", None, &[("key", text(), ""), ("value", Type::Json, "?")]);
    let (customer, entry) = (of(p, "Customer"), of(p, "MetaEntry"));
    entity(
        p,
        "woo.Order",
        Some("id"),
        &[
            ("id", Type::Int, ""),
            ("number", text(), ""),
            ("status", status, ""),
            ("currency", Type::Currency, ""),
            ("total", gross(), "text"),
            ("date_created", Type::Instant, "utc"),
            ("customer_note", text(), "?"),
            ("billing", Type::Record(billing), ""),
            ("customer", Type::Record(customer), "?zero"),
            ("line_items", Type::List(Arc::new(Type::Record(line))), ""),
            ("vat_number", text(), "?meta"),
            ("exact_number", text(), "?meta"),
            ("paid", Type::Bool, "?"),
            ("meta_data", Type::List(Arc::new(Type::Record(entry))), "?"),
        ],
    );
    let order = of(p, "Order");
    let fields = &mut p.entities[order.0 as usize].fields;
    fields[5].wire = "date_created_gmt".into();
    fields[8].wire = "customer_id".into();
    fields[10].meta = Some(Meta { keys: vec!["_vat_number".into(), "vat".into()] });
    fields[11].meta = Some(Meta { keys: vec!["_exact_number".into()] });
}

fn ledger(p: &mut Program) {
    let kind = enumeration("VATType", false, &[("including", "\"I\""), ("excluding", "\"E\"")]);
    entity(
        p,
        "exact.VATCode",
        Some("ID"),
        &[
            ("ID", Type::Guid, ""),
            ("Code", text(), "code"),
            ("Type", kind, ""),
            ("Percentage", Type::Percent, "fraction"),
        ],
    );
    let vat = of(p, "VATCode");
    p.entities[vat.0 as usize].small = true;
    entity(
        p,
        "exact.Item",
        Some("ID"),
        &[
            ("ID", Type::Guid, ""),
            ("Code", text(), "code"),
            ("Description", Type::Text(Some(60)), "?"),
            ("StartDate", Type::Date, "?ms"),
        ],
    );
    entity(
        p,
        "exact.Account",
        Some("ID"),
        &[
            ("ID", Type::Guid, ""),
            ("Code", text(), "?padded"),
            ("Name", Type::Text(Some(20)), "required"),
            ("Email", email(), "?caseless"),
            ("Phone", text(), "?"),
            ("VATNumber", text(), "?"),
            ("Created", Type::Instant, "?ms"),
        ],
    );
    let (item, account) = (of(p, "Item"), of(p, "Account"));
    entity(
        p,
        "exact.Contact",
        Some("ID"),
        &[
            ("ID", Type::Guid, ""),
            ("Account", Type::Record(account), ""),
            ("Email", email(), "?"),
            ("LastName", text(), "?"),
        ],
    );
    entity(
        p,
        "exact.SalesOrderLine",
        None,
        &[
            ("Item", Type::Record(item), "required"),
            ("Quantity", Type::Decimal, "?"),
            ("VATCode", Type::Code(vat), "?"),
            ("NetPrice", Type::Price, "?"),
            ("Description", Type::Text(Some(10)), "?"),
        ],
    );
    let line = of(p, "SalesOrderLine");
    let open = enumeration("DeliveryStatus", false, &[("open", "12"), ("complete", "21")]);
    entity(
        p,
        "exact.SalesOrder",
        Some("OrderID"),
        &[
            ("OrderID", Type::Guid, ""),
            ("OrderNumber", Type::Int, "?read"),
            ("OrderedBy", Type::Record(account), ""),
            ("YourRef", text(), "?"),
            ("Description", text(), "?"),
            ("OrderDate", Type::Date, "?ms"),
            ("Currency", Type::Currency, "?"),
            ("DeliveryStatus", open, "?read"),
            ("AmountFC", gross(), "?read"),
            ("SalesOrderLines", Type::List(Arc::new(Type::Record(line))), ""),
            ("Remarks", text(), "?"),
        ],
    );
}

/// The same, where a customer's data are personal.
pub(super) fn personal(mut program: Program) -> Program {
    for name in ["Billing", "Account"] {
        let entity = of(&program, name);
        program.entities[entity.0 as usize].fields.iter_mut().for_each(|field| field.personal = true);
    }
    program
}

pub(super) fn text() -> Type {
    Type::Text(None)
}
fn email() -> Type {
    Type::Email
}
pub(super) fn net() -> Type {
    Type::Money(Kind::Net)
}
fn tax() -> Type {
    Type::Money(Kind::Tax)
}
pub(super) fn gross() -> Type {
    Type::Money(Kind::Gross)
}

fn enumeration(name: &str, open: bool, values: &[(&str, &str)]) -> Type {
    let values = values.iter().map(|(code, wire)| EnumValue { code: (*code).into(), wire: (*wire).into() }).collect();
    Type::Enum(Arc::new(EnumType { name: name.into(), open, values }))
}

pub(super) fn of(p: &Program, name: &str) -> EntityId {
    EntityId::from(p.entities.iter().position(|e| &*e.name == name).unwrap())
}

fn entity(p: &mut Program, name: &str, key: Option<&str>, fields: &[(&str, Type, &str)]) {
    let (connector, short) = name.split_once('.').unwrap();
    let made: Vec<Field> = fields.iter().map(|(name, ty, marks)| a_field(name, ty.clone(), marks)).collect();
    let position = |wanted: &str| fields.iter().position(|(n, ..)| *n == wanted).map(|n| FieldId(n as u32));
    p.entities.push(Entity {
        route: key.map(|_| short.to_lowercase().into()),
        methods: vec![Method::Get, Method::Post, Method::Put],
        key: key.and_then(position),
        code: position("Code"),
        total: position("AmountFC"),
        tax: position("Type").zip(position("Percentage")).map(|(by, rate)| Tax {
            rate,
            by,
            included: "including".into(),
            country: None,
        }),
        entry: position("key").zip(position("value")),
        fields: made,
        ..Entity::new(connector.into(), short.into(), at(0))
    });
}

fn a_field(name: &str, ty: Type, marks: &str) -> Field {
    let ty = if marks.contains('?') { ty.optional() } else { ty };
    let form = match () {
        () if marks.contains("text") => WireForm::NumberInText,
        () if marks.contains("fraction") => WireForm::Fraction,
        () if marks.contains("utc") => WireForm::Utc,
        () if marks.contains("ms") => WireForm::Milliseconds,
        () => WireForm::Plain,
    };
    Field {
        access: if marks.contains("read") { Access::ReadOnly } else { Access::Free },
        required: if marks.contains("required") { Required::Yes } else { Required::No },
        search: Search::Filter,
        form: Forms {
            form,
            zero_is_absent: marks.contains("zero"),
            padded: if marks.contains("padded") { 18 } else { 0 },
            caseless: marks.contains("caseless"),
            utf16: true,
            scale: 255,
        },
        ..Field::new(name.into(), ty, at(0))
    }
}

// ------------------------------------------------------------------------------------------------ expressions

pub(super) fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, span: at(7) }
}
pub(super) fn constant(c: Const) -> Expr {
    let ty = match &c {
        Const::Absent => Type::Nothing,
        Const::Bool(_) => Type::Bool,
        Const::Number(_) => Type::Literal,
        Const::Text(_) => text(),
        Const::Date(_) => Type::Date,
        Const::Instant(_) => Type::Instant,
        Const::Duration(_) => Type::Duration,
        Const::List(_) => Type::List(Arc::new(text())),
    };
    expr(ExprKind::Const(c), ty)
}
pub(super) fn t(s: &str) -> Expr {
    constant(Const::Text(s.into()))
}
pub(super) fn n(s: &str) -> Expr {
    constant(Const::Number(s.parse().unwrap()))
}
pub(super) fn none() -> Expr {
    constant(Const::Absent)
}
pub(super) fn local(id: u32, ty: Type) -> Expr {
    expr(ExprKind::Local(LocalId(id)), ty)
}
pub(super) fn dot(p: &Program, of: Expr, name: &str) -> Expr {
    let Type::Record(entity) = of.ty.present().clone() else { panic!("no record has `{name}`") };
    let id = p.entity(entity).field(name).unwrap_or_else(|| panic!("no field {name}"));
    let ty = p.entity(entity).get(id).ty.clone();
    expr(ExprKind::Field(Box::new(of), entity, id), ty)
}
pub(super) fn path(p: &Program, of: Expr, names: &str) -> Expr {
    names.split('.').fold(of, |of, name| dot(p, of, name))
}
pub(super) fn or_else(a: Expr, b: Expr) -> Expr {
    let ty = b.ty.clone();
    expr(ExprKind::OrElse(Box::new(a), Box::new(b)), ty)
}
pub(super) fn fail(s: &str) -> Expr {
    expr(ExprKind::Stop(Stop::Fail, Box::new(t(s))), Type::Never)
}
pub(super) fn native(native: Native, args: Vec<Expr>, ty: Type) -> Expr {
    expr(ExprKind::Native(native, args), ty)
}
pub(super) fn binary(op: Binary, a: Expr, b: Expr, ty: Type) -> Expr {
    expr(ExprKind::Binary(op, Box::new(a), Box::new(b)), ty)
}
pub(super) fn concat(parts: Vec<Expr>) -> Expr {
    expr(ExprKind::Concat(parts), text())
}
pub(super) fn find(p: &Program, name: &str, by: &str, value: Expr, must: bool) -> Expr {
    let entity = of(p, name);
    let by = vec![p.entity(entity).field(by).unwrap()];
    let ty = Type::Record(entity);
    expr(
        ExprKind::Find(Box::new(Find { connection: "".into(), entity, by, values: vec![value], must })),
        if must { ty } else { ty.optional() },
    )
}
pub(super) fn each_of(local: u32, list: Expr, body: Expr) -> Expr {
    let ty = Type::List(Arc::new(body.ty.clone()));
    let clause = ForClause { local: LocalId(local), list, cond: None };
    expr(ExprKind::List(vec![Element::For(vec![clause], body)]), ty)
}
pub(super) fn step(kind: StepKind) -> Step {
    Step { kind, span: at(9), displaced: Vec::new() }
}
pub(super) fn set(p: &Program, entity: &str, name: &str, value: Expr) -> Step {
    set_when(p, entity, name, value, When::Always)
}
pub(super) fn set_when(p: &Program, entity: &str, name: &str, value: Expr, when: When) -> Step {
    let mut at = of(p, entity);
    let mut path = Vec::new();
    for name in name.split('.') {
        let id = p.entity(at).field(name).unwrap_or_else(|| panic!("no field {name}"));
        path.push(id);
        if let Type::Record(part) = p.entity(at).get(id).ty.present() {
            at = *part;
        }
    }
    step(StepKind::Assign { path, value, when })
}
pub(super) fn build(p: &Program, entity: &str, steps: Vec<Step>) -> Expr {
    let id = of(p, entity);
    expr(ExprKind::Build(Box::new(Builder { entity: id, steps, name: entity.into() })), Type::Record(id))
}
pub(super) fn it(p: &Program, entity: &str, name: &str) -> Expr {
    let id = p.entity(of(p, entity)).field(name).unwrap();
    expr(ExprKind::It(id), p.entity(of(p, entity)).get(id).ty.clone())
}

// --------------------------------------------------------------------------------------------------- mappings

pub(super) fn by(p: &Program, entity: &str, names: &[&str]) -> Key {
    let id = |n: &&str| KeyField {
        field: p.entity(of(p, entity)).field(n.trim_end_matches('?')).unwrap(),
        optional: n.ends_with('?'),
    };
    Key::By(names.iter().map(id).collect())
}

pub(super) fn mapping(
    p: &Program,
    name: &str,
    target: &str,
    params: &[(&str, Type)],
    verb: Verb,
    keys: Vec<Key>,
    steps: Vec<Step>,
) -> Mapping {
    Mapping {
        name: name.into(),
        target: of(p, target),
        connection: "".into(),
        params: params
            .iter()
            .enumerate()
            .map(|(n, (name, ty))| ((*name).into(), ty.clone(), LocalId(n as u32)))
            .collect(),
        locals: 16,
        header: Header {
            verb,
            keys,
            accept: None,
            prefer: vec![],
            prefer_newest: None,
            overwrite: Overwrite::Changed,
            overwrite_fields: None,
            on_change: OnChange::Alert,
            otherwise: None,
            span: at(3),
        },
        steps,
        balance: None,
        then: vec![],
        span: at(2),
    }
}

pub(super) fn call(p: &Program, name: &str, args: Vec<Expr>) -> ExprKind {
    let n = p.mappings.iter().position(|m| &*m.name == name).unwrap();
    ExprKind::Ensure(MappingId(n as u32), args)
}
pub(super) fn ensure(p: &Program, name: &str, args: Vec<Expr>) -> Expr {
    let n = p.mappings.iter().position(|m| &*m.name == name).unwrap();
    let ty = Type::Record(p.mappings[n].target);
    expr(call(p, name, args), ty)
}

/// A flow over orders that writes by this mapping; the order is local 0.
pub(super) fn flow(p: &mut Program, name: &str) {
    let order = of(p, "Order");
    let write = ensure(p, name, vec![local(0, Type::Record(order))]);
    p.flows.push(Flow {
        deleted: false,
        name: "orders.orders".into(),
        source: order,
        connection: "shop".into(),
        record: LocalId(0),
        locals: 8,
        filter: None,
        listed: None,
        per: None,
        watch: None,
        displaced: Vec::new(),
        steps: vec![],
        write,
        schedule: Schedule::default(),
        on: true,
        span: at(1),
    });
}

// ------------------------------------------------------------------------------------------------- the world

/// Both systems and the store: rows by entity, links, and what was asked in each round.
#[derive(Default)]
pub(super) struct World {
    pub(super) rows: HashMap<EntityId, Vec<String>>,
    pub(super) links: Vec<(EntityId, String, String)>,
    known: RefCell<HashMap<Query, Vec<Arc<str>>>>,
    pub(super) asked: RefCell<Vec<Vec<Query>>>,
    pub(super) offline: bool,
}

impl World {
    pub(super) fn with(p: &Program, rows: &[(&str, &str)]) -> Self {
        let mut world = Self::default();
        for (name, row) in rows {
            world.rows.entry(of(p, name)).or_default().push((*row).to_owned());
        }
        world
    }

    fn look(&self, need: &Query) -> Vec<Arc<str>> {
        let all =
            |entity: &EntityId| self.rows.get(entity).into_iter().flatten().map(|r| Arc::from(r.as_str())).collect();
        match need {
            Query::Find { entity, .. }
            | Query::Table { entity, .. }
            | Query::Changed { entity, .. }
            | Query::Once { entity, .. } => all(entity),
            Query::Row { entity, id, .. } => {
                let rows: Vec<Arc<str>> = all(entity);
                rows.into_iter().filter(|r| r.contains(&**id)).collect()
            }
            Query::Link(need) => {
                let ends = self.links.iter().filter(|(other, key, _)| *other == need.other && **key == *need.key);
                ends.map(|(.., id)| Arc::from(format!("\"{id}\""))).collect()
            }
        }
    }

    /// Rounds until nothing more must be asked.
    pub(super) fn settle(&self, mut round: impl FnMut(&Self) -> Evaluated) -> Evaluated {
        for _ in 0..crate::limits::STAGES_MAX {
            match round(self) {
                Evaluated::Needs(needs) => {
                    assert!(!needs.is_empty(), "a round that needs something says what");
                    for need in &needs {
                        let rows = self.look(need);
                        assert!(self.known.borrow_mut().insert(need.clone(), rows).is_none(), "asked twice: {need:?}");
                    }
                    self.asked.borrow_mut().push(needs);
                }
                done => return done,
            }
        }
        panic!("it never ends");
    }

    pub(super) fn run(&self, p: &Program, raw: &str) -> Evaluated {
        let compiled = Compiled::new(Arc::new(p.clone()));
        self.settle(|world| compiled.unit(0, raw, world))
    }

    pub(super) fn unit(&self, p: &Program, raw: &str) -> WriteSet {
        match self.run(p, raw) {
            Evaluated::WriteSet(unit) => unit,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn failure(&self, p: &Program, raw: &str) -> crate::eval::Failure {
        match self.run(p, raw) {
            Evaluated::Stopped(Stop::Fail, failure, _) => failure,
            other => panic!("{other:?}"),
        }
    }
}

impl Resolver for World {
    fn answer(&self, need: &Query) -> Answered {
        self.known.borrow().get(need).cloned().map_or(Answered::NotAsked, Answered::all)
    }
    fn now(&self) -> jiff::Timestamp {
        "2026-03-01T23:30:00Z".parse().unwrap()
    }
    fn offline(&self) -> bool {
        self.offline
    }
}

pub(super) const ORDER: &str = r#"{"id":7,"number":"1001","status":"processing","currency":"EUR","total":"24.20","date_created_gmt":"2026-03-01T23:30:00",
 "customer_note":"","customer_id":0,"billing":{"email":"Jan@Example.com","company":"","first_name":"Jan","country":"NL","phone":"020\/1"},
 "meta_data":[{"id":1,"key":"x","value":{"a":[1,2]}},{"id":2,"key":"vat","value":"NL1"}],
 "line_items":[{"id":1,"name":"Caf\u00e9 \ud83d\ude00 mok","sku":"A","quantity":2,"price":8.26,"total":"16.00","total_tax":"3.36"},
  {"id":2,"name":"Thee","sku":"B","quantity":1,"total":"4.00","total_tax":"0.84"}]}"#;

pub(super) fn number(s: &str) -> Decimal {
    s.parse().unwrap()
}
