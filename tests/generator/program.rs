//! Programs as the generator has them: a tree of its own, from which text is printed and which the oracle evaluates.

use crate::number::Number;

/// The longest text of a field, and whether it is counted in UTF-16 units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) most: usize,
    pub(crate) utf16: bool,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    Bool,
    Int,
    Decimal,
    Rate,
    Net,
    Gross,
    Tax,
    Text(Option<Limit>),
    Date,
    Instant,
    Country,
    Currency,
    Email,
    Guid,
    /// One of a closed list, by its number in [`crate::schema::CHOICES`].
    Choice(usize),
    Json,
    List(Box<Ty>),
    Optional(Box<Ty>),
    /// A record of the entity of that name.
    Part(&'static str),
}

pub(crate) const TEXT: Ty = Ty::Text(None);

impl Ty {
    pub(crate) fn optional(self) -> Self {
        if self.is_optional() { self } else { Self::Optional(Box::new(self)) }
    }

    pub(crate) fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    pub(crate) fn is_optional(&self) -> bool {
        matches!(self, Self::Optional(_))
    }

    pub(crate) fn present(&self) -> &Self {
        if let Self::Optional(inner) = self { inner } else { self }
    }

    pub(crate) fn is_money(&self) -> bool {
        matches!(self, Self::Net | Self::Gross | Self::Tax)
    }
}

/// What the place of an expression does with its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing says what it has to be: a `let`, what stands before a dot.
    Free,
    /// It decides what a text in quotes is, and no more: the other side of a comparison.
    Hint,
    /// It must be of the type.
    Wanted,
}

/// An expression, the type that it is meant to have, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) ty: Ty,
    pub(crate) place: Place,
    /// A mistake was planted here.
    pub(crate) wrong: bool,
    /// A list or record is printed over several lines.
    pub(crate) open: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Number(Number),
    Rate(Number),
    Text(String),
    Bool(bool),
    /// Days since 1970.
    Date(i64),
    /// Seconds since 1970.
    Instant(i64),
    None,
    Name(String),
    Setting(String),
    /// `a.b`, `a?.b`
    Field(Box<Node>, &'static str, bool),
    Binary(&'static str, Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negative(Box<Node>),
    /// `(a / b).round(n)`
    Quotient(Box<Node>, Box<Node>, u32),
    /// `a + 3 days`
    Later(Box<Node>, i64),
    Else(Box<Node>, Box<Node>),
    If(Box<Node>, Box<Node>, Box<Node>),
    Match(Box<Node>, Vec<(Vec<Cell>, Node)>),
    IsSome(Box<Node>, Option<String>),
    IsNone(Box<Node>),
    In(Box<Node>, Box<Node>),
    InEu(Box<Node>),
    Interpolation(Vec<Piece>),
    List(Vec<Item>),
    Record(Vec<(&'static str, Node)>),
    Call(String, Vec<Node>),
    /// `a.f(b)`, `a?.f(b)`
    Method(Box<Node>, &'static str, Vec<Node>, bool),
    Lambda(String, Box<Node>),
    Lookup(String, Vec<Node>),
    Stop(Stop, Box<Node>),
    Brackets(Box<Node>),
    /// Text as it is: what was planted. Nobody evaluates it.
    Raw(String),
}

/// How a record stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Fail,
    Skip,
}

#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Plain(String),
    Value(Node),
}

#[expect(clippy::large_enum_variant, reason = "programs are small, and both variants are frequent")]
#[derive(Clone, Debug)]
pub(crate) enum Item {
    One(Node),
    /// `for x in xs where c: e`
    For(String, Node, Option<Node>, Node),
}

/// A cell of a lookup, a pattern of an arm. None of them: `else`.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Any,
    None,
    Eu,
    Value(Node),
    Begins(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// None: `else`.
    pub(crate) cells: Vec<Cell>,
    pub(crate) value: Node,
    pub(crate) wrong: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) kind: LineKind,
    pub(crate) wrong: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum LineKind {
    Let(String, Node),
    /// A field, by the way to it.
    Fill(Vec<&'static str>, Node),
    Check(Node, Stop),
    OnCreate(Vec<Line>),
}

pub(crate) type Params = Vec<(String, Ty)>;

#[derive(Clone, Debug)]
pub(crate) struct Decl {
    pub(crate) name: String,
    pub(crate) kind: DeclKind,
    /// What is wrong is told where it begins.
    pub(crate) wrong: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum DeclKind {
    /// The schema, as text.
    Schema(String),
    Settings(Vec<(String, Ty, Node)>),
    Fn(Params, Ty, Node),
    Lookup(Params, Ty, Vec<Row>),
    /// A part of an entity.
    Fields(Params, &'static str, Vec<Line>),
    /// From which entity to which.
    Mapping(Params, &'static str, Vec<Line>),
    Raw(String),
}

/// A program: one mapping, and what it uses.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) source: &'static str,
    pub(crate) target: &'static str,
    pub(crate) decls: Vec<Decl>,
}

impl Node {
    pub(crate) fn new(kind: Kind, ty: &Ty, place: Place) -> Self {
        Self { kind, ty: ty.clone(), place, wrong: false, open: false }
    }

    /// Its place takes what may be absent, and so do those of its branches.
    pub(crate) fn may_be_absent(&mut self, ty: &Ty) {
        self.ty = ty.clone();
        match &mut self.kind {
            Kind::If(_, then, other) => [then, other].into_iter().for_each(|branch| branch.may_be_absent(ty)),
            Kind::Else(_, other) => other.may_be_absent(ty),
            Kind::Match(_, arms) => arms.iter_mut().for_each(|(_, value)| value.may_be_absent(ty)),
            _ => {}
        }
    }

    /// Calls `see` for this and all within it, outer ones first.
    pub(crate) fn each(&mut self, see: &mut dyn FnMut(&mut Node)) {
        see(self);
        match &mut self.kind {
            Kind::Number(_) | Kind::Rate(_) | Kind::Text(_) | Kind::Bool(_) | Kind::Date(_) => {}
            Kind::Instant(_) | Kind::None => {}
            Kind::Name(_) | Kind::Setting(_) | Kind::Raw(_) => {}
            Kind::Field(a, ..) | Kind::Not(a) | Kind::Negative(a) | Kind::Later(a, _) => a.each(see),
            Kind::IsSome(a, _) | Kind::IsNone(a) | Kind::InEu(a) | Kind::Brackets(a) => a.each(see),
            Kind::Lambda(_, a) | Kind::Stop(_, a) => a.each(see),
            Kind::Binary(_, a, b) | Kind::Quotient(a, b, _) | Kind::Else(a, b) | Kind::In(a, b) => {
                a.each(see);
                b.each(see);
            }
            Kind::If(a, b, c) => [a, b, c].into_iter().for_each(|n| n.each(see)),
            Kind::Match(on, arms) => {
                on.each(see);
                for (cells, value) in arms {
                    cells.iter_mut().for_each(|cell| cell.each(see));
                    value.each(see);
                }
            }
            Kind::Interpolation(pieces) => {
                for piece in pieces {
                    if let Piece::Value(node) = piece {
                        node.each(see);
                    }
                }
            }
            Kind::List(items) => {
                for item in items {
                    match item {
                        Item::One(node) => node.each(see),
                        Item::For(_, list, cond, value) => {
                            list.each(see);
                            cond.iter_mut().for_each(|node| node.each(see));
                            value.each(see);
                        }
                    }
                }
            }
            Kind::Record(fields) => fields.iter_mut().for_each(|(_, node)| node.each(see)),
            Kind::Call(_, nodes) | Kind::Lookup(_, nodes) => nodes.iter_mut().for_each(|node| node.each(see)),
            Kind::Method(on, _, nodes, _) => {
                on.each(see);
                nodes.iter_mut().for_each(|node| node.each(see));
            }
        }
    }
}

impl Cell {
    fn each(&mut self, see: &mut dyn FnMut(&mut Node)) {
        if let Self::Value(node) = self {
            node.each(see);
        }
    }
}

impl Line {
    pub(crate) fn new(kind: LineKind) -> Self {
        Self { kind, wrong: false }
    }

    pub(crate) fn each(&mut self, see: &mut dyn FnMut(&mut Node)) {
        match &mut self.kind {
            LineKind::Let(_, node) | LineKind::Fill(_, node) | LineKind::Check(node, _) => node.each(see),
            LineKind::OnCreate(lines) => lines.iter_mut().for_each(|line| line.each(see)),
        }
    }
}

impl Decl {
    pub(crate) fn new(name: &str, kind: DeclKind) -> Self {
        Self { name: name.to_owned(), kind, wrong: false }
    }

    /// Calls `see` for each expression of the declaration and all within it.
    pub(crate) fn each(&mut self, see: &mut dyn FnMut(&mut Node)) {
        match &mut self.kind {
            DeclKind::Schema(_) | DeclKind::Raw(_) => {}
            DeclKind::Settings(all) => all.iter_mut().for_each(|(_, _, node)| node.each(see)),
            DeclKind::Fn(_, _, body) => body.each(see),
            DeclKind::Lookup(_, _, rows) => {
                for row in rows {
                    row.cells.iter_mut().for_each(|cell| cell.each(see));
                    row.value.each(see);
                }
            }
            DeclKind::Fields(_, _, lines) | DeclKind::Mapping(_, _, lines) => {
                lines.iter_mut().for_each(|line| line.each(see));
            }
        }
    }

    pub(crate) fn lines(&mut self) -> Option<&mut Vec<Line>> {
        match &mut self.kind {
            DeclKind::Fields(_, _, lines) | DeclKind::Mapping(_, _, lines) => Some(lines),
            _ => None,
        }
    }
}

impl Program {
    pub(crate) fn named(&self, name: &str) -> &Decl {
        self.decls.iter().find(|decl| decl.name == name).expect("a program names what it declares")
    }

    pub(crate) fn mapping(&self) -> &[Line] {
        let lines = self.decls.iter().find_map(|decl| match &decl.kind {
            DeclKind::Mapping(_, _, lines) => Some(lines),
            _ => None,
        });
        lines.expect("a program has a mapping")
    }
}
