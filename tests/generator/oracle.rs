//! What a program makes of a record, computed from its tree: the rules of the reference once more, and no code of the
//! product's.

use crate::number::Number;
use crate::program::{Cell, DeclKind, Item, Kind, Line, LineKind, Node, Piece, Program, Row, Stop, Ty};
use crate::schema;
use std::cmp::Ordering;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Absent,
    Bool(bool),
    Number(Number),
    Text(String),
    /// Days since 1970.
    Date(i64),
    /// Seconds since 1970.
    Instant(i64),
    List(Vec<Value>),
    Record(Vec<(&'static str, Value)>),
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    Stop(Stop),
    /// It could not be had: a `??` leads on from here.
    Soft,
    /// It has more digits than we look at.
    TooLarge,
}

pub(crate) type Outcome = Result<Value, Halt>;

/// What comes of a record: its fields in any order, or why it stops.
pub(crate) fn evaluate(program: &Program, record: &Value) -> Result<Vec<(&'static str, Value)>, Halt> {
    let mut oracle = Oracle { program, names: vec![("input".into(), record.clone())], utf16: false };
    let made = oracle.lines(program.mapping(), program.target);
    let made = made.map_err(|halt| if halt == Halt::Soft { Halt::Stop(Stop::Fail) } else { halt })?;
    // A system takes no record without what it requires.
    let of_system =
        |name: &str| program.target.starts_with("exact.") && schema::entity(program.target).field(name).required;
    let empty = made.iter().any(|(name, value)| of_system(name) && *value == Value::Text(String::new()));
    if empty { Err(Halt::Stop(Stop::Fail)) } else { Ok(made) }
}

pub(crate) struct Oracle<'p> {
    program: &'p Program,
    names: Vec<(String, Value)>,
    /// Texts are counted in UTF-16 units: those of the field that is being filled.
    pub(crate) utf16: bool,
}

pub(crate) fn large<T>(number: Option<T>) -> Result<T, Halt> {
    number.ok_or(Halt::TooLarge)
}

impl Oracle<'_> {
    fn lines(&mut self, lines: &[Line], entity: &str) -> Result<Vec<(&'static str, Value)>, Halt> {
        let mut made = Vec::new();
        for line in lines {
            match &line.kind {
                LineKind::Let(name, node) => {
                    let value = self.node(node)?;
                    self.names.push((name.clone(), value));
                }
                LineKind::Fill(path, node) => made.push((path[0], self.filled(entity, path[0], node)?)),
                LineKind::Check(cond, stop) => {
                    if !self.truth(cond)? {
                        return Err(Halt::Stop(*stop));
                    }
                }
                LineKind::OnCreate(lines) => made.extend(self.lines(lines, entity)?),
            }
        }
        Ok(made)
    }

    /// A value for a field, whose unit counts within it.
    fn filled(&mut self, entity: &str, field: &str, node: &Node) -> Outcome {
        let utf16 = matches!(schema::entity(entity).field(field).ty.present(), Ty::Text(Some(limit)) if limit.utf16);
        let outer = std::mem::replace(&mut self.utf16, utf16);
        let value = self.node(node);
        self.utf16 = outer;
        value
    }

    pub(crate) fn truth(&mut self, node: &Node) -> Result<bool, Halt> {
        match self.node(node)? {
            Value::Bool(yes) => Ok(yes),
            other => unreachable!("a condition is {other:?}"),
        }
    }

    pub(crate) fn number(&mut self, node: &Node) -> Result<Number, Halt> {
        match self.node(node)? {
            Value::Number(n) => Ok(n),
            other => unreachable!("a number is {other:?}"),
        }
    }

    pub(crate) fn text(&mut self, node: &Node) -> Result<String, Halt> {
        match self.node(node)? {
            Value::Text(text) => Ok(text),
            other => unreachable!("a text is {other:?}"),
        }
    }

    pub(crate) fn list(&mut self, node: &Node) -> Result<Vec<Value>, Halt> {
        match self.node(node)? {
            Value::List(all) => Ok(all),
            // A shop that sends no list has none of what it holds.
            Value::Absent => Ok(Vec::new()),
            other => unreachable!("a list is {other:?}"),
        }
    }

    pub(crate) fn named(&mut self, name: &str, value: Value, body: &Node) -> Outcome {
        self.names.push((name.to_owned(), value));
        let made = self.node(body);
        self.names.pop();
        made
    }

    pub(crate) fn node(&mut self, node: &Node) -> Outcome {
        let bool = |yes| Ok(Value::Bool(yes));
        match &node.kind {
            Kind::Number(n) | Kind::Rate(n) => Ok(Value::Number(*n)),
            Kind::Text(text) => Ok(Value::Text(text.clone())),
            Kind::Bool(yes) => bool(*yes),
            Kind::Date(day) => Ok(Value::Date(*day)),
            Kind::Instant(at) => Ok(Value::Instant(*at)),
            Kind::None => Ok(Value::Absent),
            Kind::Name(name) => {
                let found = self.names.iter().rev().find(|(known, _)| known == name);
                Ok(found.unwrap_or_else(|| panic!("`{name}` is known")).1.clone())
            }
            Kind::Setting(name) => {
                let DeclKind::Settings(all) = &self.program.named("settings").kind else { unreachable!("they are") };
                let (_, _, node) = all.iter().find(|(known, ..)| known == name).expect("it is declared");
                self.node(node)
            }
            Kind::Field(of, name, _) => match self.node(of)? {
                Value::Record(fields) => {
                    let found = fields.into_iter().find(|(known, _)| known == name);
                    Ok(found.map_or(Value::Absent, |(_, value)| value))
                }
                Value::Absent => Ok(Value::Absent),
                other => unreachable!("a field of {other:?}"),
            },
            Kind::Binary(op, a, b) => self.binary(op, a, b),
            Kind::Not(a) => bool(!self.truth(a)?),
            Kind::Negative(a) => Ok(Value::Number(self.number(a)?.negative())),
            Kind::Quotient(a, b, decimals) => {
                let (a, b) = (self.number(a)?, self.number(b)?);
                if b.is_zero() {
                    return Err(Halt::Soft);
                }
                Ok(Value::Number(large(a.divided(b, *decimals))?))
            }
            Kind::Later(a, days) => match self.node(a)? {
                Value::Date(day) => Ok(Value::Date(day + days)),
                other => unreachable!("a date is {other:?}"),
            },
            Kind::Else(a, b) => match self.maybe(a) {
                Ok(Value::Absent) | Err(Halt::Soft) => self.node(b),
                other => other,
            },
            Kind::If(cond, then, other) => self.choice(cond, then, other),
            Kind::Match(on, arms) => {
                let on = self.node(on)?;
                for (cells, value) in arms {
                    let mut taken = cells.is_empty();
                    for cell in cells {
                        taken |= self.takes(cell, &on)?;
                    }
                    if taken {
                        return self.node(value);
                    }
                }
                Err(Halt::Stop(Stop::Fail))
            }
            Kind::IsSome(a, _) => bool(self.node(a)? != Value::Absent),
            Kind::IsNone(a) => bool(self.node(a)? == Value::Absent),
            Kind::In(a, b) => {
                let a = self.node(a)?;
                bool(self.list(b)?.contains(&a))
            }
            Kind::InEu(a) => {
                let country = self.text(a)?;
                bool(is_eu(&country))
            }
            Kind::Interpolation(pieces) => self.pieces(pieces),
            Kind::List(items) => self.items(items),
            Kind::Record(fields) => self.record(fields, &node.ty),
            Kind::Call(name, args) => self.call(name, args),
            Kind::Method(on, name, args, _) => self.method(on, name, args, &node.ty),
            Kind::Lookup(name, keys) => self.lookup(name, keys)?.ok_or(Halt::Stop(Stop::Fail)),
            Kind::Stop(stop, _) => Err(Halt::Stop(*stop)),
            Kind::Brackets(a) => self.node(a),
            Kind::Lambda(..) | Kind::Raw(_) => unreachable!("nobody evaluates it"),
        }
    }

    /// What a lookup has no row for is absent before `??`, be it a function's that gives what the lookup does.
    fn maybe(&mut self, node: &Node) -> Outcome {
        let program = self.program;
        match &node.kind {
            Kind::Brackets(a) => self.maybe(a),
            Kind::Lookup(name, keys) => Ok(self.lookup(name, keys)?.unwrap_or(Value::Absent)),
            Kind::Call(name, args) if !matches!(&**name, "max" | "min") => match &program.named(name).kind {
                DeclKind::Fn(params, _, body) => self.within(params, args, |oracle| oracle.maybe(body)),
                _ => self.node(node),
            },
            _ => self.node(node),
        }
    }

    /// With the values of arguments under the names of parameters, and nothing else in sight.
    fn within<T>(
        &mut self,
        params: &[(String, Ty)],
        args: &[Node],
        inner: impl FnOnce(&mut Self) -> Result<T, Halt>,
    ) -> Result<T, Halt> {
        let values: Vec<Value> = args.iter().map(|arg| self.node(arg)).collect::<Result<_, _>>()?;
        let given = params.iter().map(|(name, _)| name.clone()).zip(values).collect();
        let outer = std::mem::replace(&mut self.names, given);
        let made = inner(self);
        self.names = outer;
        made
    }

    fn choice(&mut self, cond: &Node, then: &Node, other: &Node) -> Outcome {
        if let Kind::IsSome(asked, Some(name)) = &cond.kind {
            return match self.node(asked)? {
                Value::Absent => self.node(other),
                there => self.named(name, there, then),
            };
        }
        if self.truth(cond)? { self.node(then) } else { self.node(other) }
    }

    fn binary(&mut self, op: &str, a: &Node, b: &Node) -> Outcome {
        match op {
            "and" => return Ok(Value::Bool(self.truth(a)? && self.truth(b)?)),
            "or" => return Ok(Value::Bool(self.truth(a)? || self.truth(b)?)),
            _ => {}
        }
        let (a, b) = (self.node(a)?, self.node(b)?);
        let order = |holds: fn(Ordering) -> bool| {
            let order = match (&a, &b) {
                (Value::Number(a), Value::Number(b)) => large(a.order(*b))?,
                (Value::Date(a), Value::Date(b)) => a.cmp(b),
                other => unreachable!("an order of {other:?}"),
            };
            Ok(Value::Bool(holds(order)))
        };
        match (op, &a, &b) {
            ("==", ..) => Ok(Value::Bool(a == b)),
            ("!=", ..) => Ok(Value::Bool(a != b)),
            ("<", ..) => order(Ordering::is_lt),
            ("<=", ..) => order(Ordering::is_le),
            (">", ..) => order(Ordering::is_gt),
            (">=", ..) => order(Ordering::is_ge),
            ("+", Value::List(a), Value::List(b)) => Ok(Value::List([a.clone(), b.clone()].concat())),
            ("+", Value::Number(a), Value::Number(b)) => Ok(Value::Number(large(a.plus(*b))?)),
            ("-", Value::Number(a), Value::Number(b)) => Ok(Value::Number(large(a.minus(*b))?)),
            ("*", Value::Number(a), Value::Number(b)) => Ok(Value::Number(large(a.times(*b))?)),
            other => unreachable!("{other:?}"),
        }
    }

    fn pieces(&mut self, pieces: &[Piece]) -> Outcome {
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Plain(text) => out.push_str(text),
                Piece::Value(node) => match self.node(node)? {
                    Value::Text(text) => out.push_str(&text),
                    Value::Date(day) => out.push_str(&schema::day(day)),
                    // An amount shows two decimals at least, a rate its sign.
                    Value::Number(n) if node.ty.is_money() => out.push_str(&n.shown(2)),
                    Value::Number(n) if node.ty == Ty::Rate => out.extend([&n.shown(0), "%"]),
                    Value::Number(n) => out.push_str(&n.shown(0)),
                    other => unreachable!("a text of {other:?}"),
                },
            }
        }
        Ok(Value::Text(out))
    }

    fn items(&mut self, items: &[Item]) -> Outcome {
        let mut made = Vec::new();
        for item in items {
            match item {
                Item::One(node) => made.push(self.node(node)?),
                Item::For(name, list, cond, value) => {
                    for one in self.list(list)? {
                        self.names.push((name.clone(), one));
                        let kept = cond.as_ref().map_or(Ok(true), |cond| self.truth(cond));
                        let value = match kept {
                            Ok(true) => self.node(value).map(Some),
                            Ok(false) => Ok(None),
                            Err(halt) => Err(halt),
                        };
                        self.names.pop();
                        made.extend(value?);
                    }
                }
            }
        }
        Ok(Value::List(made))
    }

    fn record(&mut self, fields: &[(&'static str, Node)], ty: &Ty) -> Outcome {
        let Ty::Part(entity) = ty.present() else { unreachable!("a record is one of an entity") };
        let mut made = Vec::new();
        for (name, node) in fields {
            made.push((*name, self.filled(entity, name, node)?));
        }
        Ok(Value::Record(made))
    }

    fn call(&mut self, name: &str, args: &[Node]) -> Outcome {
        if let ("max" | "min", [a, b]) = (name, args) {
            let (a, b) = (self.node(a)?, self.node(b)?);
            let order = match (&a, &b) {
                (Value::Number(a), Value::Number(b)) => large(a.order(*b))?,
                (Value::Date(a), Value::Date(b)) => a.cmp(b),
                other => unreachable!("an order of {other:?}"),
            };
            return Ok(if order.is_ge() == (name == "max") { a } else { b });
        }
        let program = self.program;
        match &program.named(name).kind {
            DeclKind::Fn(params, _, body) => self.within(params, args, |oracle| oracle.node(body)),
            DeclKind::Fields(params, entity, lines) => {
                self.within(params, args, |oracle| oracle.lines(lines, entity)).map(Value::Record)
            }
            other => unreachable!("a call of {other:?}"),
        }
    }

    /// The value of the narrowest row that takes these keys, where there is one.
    fn lookup(&mut self, name: &str, keys: &[Node]) -> Result<Option<Value>, Halt> {
        let keys: Vec<Value> = keys.iter().map(|key| self.node(key)).collect::<Result<_, _>>()?;
        let DeclKind::Lookup(_, _, rows) = &self.program.named(name).kind else { unreachable!("it is a lookup") };
        let mut best: Option<(Vec<u32>, &Row)> = None;
        for row in rows {
            let mut taken = true;
            for (cell, key) in row.cells.iter().zip(&keys) {
                taken &= self.takes(cell, key)?;
            }
            let widths = if row.cells.is_empty() { vec![9; keys.len()] } else { row.cells.iter().map(width).collect() };
            let narrower = best.as_ref().is_none_or(|(before, _)| widths.iter().zip(before).all(|(a, b)| a <= b));
            if taken && narrower {
                best = Some((widths, row));
            }
        }
        best.map(|(_, row)| self.node(&row.value)).transpose()
    }

    fn takes(&mut self, cell: &Cell, value: &Value) -> Result<bool, Halt> {
        Ok(match (cell, value) {
            (Cell::Any, _) => true,
            (Cell::None, value) => *value == Value::Absent,
            (Cell::Eu, Value::Text(country)) => is_eu(country),
            (Cell::Begins(start), Value::Text(text)) => text.starts_with(start),
            (Cell::Value(node), value) => self.node(node)? == *value,
            _ => false,
        })
    }
}

fn width(cell: &Cell) -> u32 {
    match cell {
        Cell::Value(_) | Cell::None => 0,
        Cell::Begins(_) => 1,
        Cell::Eu => 2,
        Cell::Any => 3,
    }
}

fn is_eu(country: &str) -> bool {
    ["NL", "BE", "DE"].contains(&country)
}
