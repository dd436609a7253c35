//! The typed view of a file: declarations, statements, expressions, each with its span.
//!
//! What ships is read when flowc is built, and kept in the binary in a compact form ([`crate::shipped`]).
//!
//! It is made from the lossless tree and keeps nothing of the layout; the tree does. What could not be parsed is an
//! [`ExprKind::Error`] or is left out, and has its diagnostic already: whoever reads this may trust the rest.

use crate::source::{FileId, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A name as written.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The word.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

/// Names joined by dots: `exact.SalesOrder`, `flows.tables`.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// At least one.
    pub parts: Vec<Name>,
    /// All of it.
    pub span: Span,
}

impl Path {
    /// As it is written: `exact.SalesOrder`.
    pub fn text(&self) -> String {
        self.parts.iter().map(|part| &*part.text).collect::<Vec<_>>().join(".")
    }
}

/// A text without `{expressions}`, unescaped.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What it says.
    pub value: Arc<str>,
    /// With its quotes.
    pub span: Span,
}

/// A file, its declarations in order.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct File {
    /// Which file.
    pub file: FileId,
    /// What it declares.
    pub decls: Vec<Decl>,
}

/// A declaration and its `##` comment.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Decl {
    /// The `##` lines above it, joined by line ends.
    pub doc: Option<String>,
    /// What it is.
    pub kind: DeclKind,
    /// `sealed` before it: no `adapt` changes it.
    pub sealed: bool,
    /// All of it.
    pub span: Span,
}

impl Decl {
    /// The word that opens it and its name: `mapping`, `sales_order`; no name where it has none.
    pub fn heading(&self) -> (&'static str, String) {
        use DeclKind as D;
        let (word, name) = match &self.kind {
            D::Edition(_) => ("edition", String::new()),
            D::Zone(_) => ("zone", String::new()),
            D::Run(_) => ("run", String::new()),
            D::Use(_) => ("use", String::new()),
            D::Connect(c) => ("connect", c.name.text.to_string()),
            D::Settings(_) => ("settings", String::new()),
            D::Answers(a) => ("answers", a.module.text()),
            D::Lookup(l) => ("lookup", l.name.text.to_string()),
            D::Enum(e) => ("enum", e.name.text.to_string()),
            D::Entity(e) => ("entity", e.name.text.to_string()),
            D::Extend(e) => ("extend", e.entity.text()),
            D::Connector(c) => ("connector", c.name.text.to_string()),
            D::Fn(f) => ("fn", f.name.text.to_string()),
            D::Extern(f) => ("extern", f.name.text.to_string()),
            D::Mapping(m) => ("mapping", m.name.text.to_string()),
            D::Fields(f) => ("fields", f.name.text.to_string()),
            D::Flow(f) => ("flow", f.name.text.to_string()),
            D::Adapt(_) => ("adapt", String::new()),
            D::Test(_) => ("test", String::new()),
        };
        (word, name)
    }

    /// Where its name stands; all of it where it has none.
    pub fn name_span(&self) -> Span {
        match &self.kind {
            DeclKind::Connect(c) => c.name.span,
            DeclKind::Lookup(l) => l.name.span,
            DeclKind::Enum(e) => e.name.span,
            DeclKind::Entity(e) => e.name.span,
            DeclKind::Connector(c) => c.name.span,
            DeclKind::Fn(f) => f.name.span,
            DeclKind::Extern(f) => f.name.span,
            DeclKind::Mapping(m) => m.name.span,
            DeclKind::Fields(f) => f.name.span,
            DeclKind::Flow(f) => f.name.span,
            _ => self.span,
        }
    }
}

/// The kinds of declarations.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum DeclKind {
    /// `edition 2026`
    Edition(Text),
    /// `zone "Europe/Amsterdam"`
    Zone(Text),
    /// `run orders.orders, stock.stock`
    Run(Vec<Path>),
    /// `use flows.orders as outlet with woo = outlet`
    Use(Use),
    /// `connect shop to woocommerce { … }`
    Connect(Connect),
    /// `settings { name: type = default }`
    Settings(Vec<Setting>),
    /// `settings for orders { name = value }`
    Answers(Answers),
    /// `lookup name(key: type) -> type { rows }`
    Lookup(Lookup),
    /// `enum Name { open = 20 }`
    Enum(Enum),
    /// `entity Name { … }`
    Entity(Entity),
    /// `extend E { field: type = meta("key") }`
    Extend(Extend),
    /// `connector name { … }`
    Connector(Connector),
    /// `fn name(params) -> type = expr`, or without a body where the compiler has it (standard library only)
    Fn(Fn),
    /// `extern fn name(params) -> type in "file.rhai"`
    Extern(Extern),
    /// `mapping name(params) -> E { … }`
    Mapping(Mapping),
    /// `fields name(params) for E, F { … }`
    Fields(Fields),
    /// `flow name { … }`
    Flow(Flow),
    /// `adapt fields orders.header { … }`
    Adapt(Adapt),
    /// `test "…" { … }`
    Test(Test),
}

/// `use NAME [as ALIAS] [with A = B, …]`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Use {
    /// What is used.
    pub module: Path,
    /// Its name here.
    pub alias: Option<Name>,
    /// Rebindings, `woo = shop`.
    pub with: Vec<(Name, Name)>,
}

/// `connect NAME to CONNECTOR { … }`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Connect {
    /// The connection's name.
    pub name: Name,
    /// The connector.
    pub connector: Path,
    /// `url = "…"`.
    pub entries: Vec<Entry>,
}

/// `name = value` in a block.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Entry {
    /// The name.
    pub name: Name,
    /// The value.
    pub value: Expr,
}

/// `name: type = default`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Setting {
    /// The `##` lines above it.
    pub doc: Option<String>,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Its default.
    pub default: Option<Expr>,
    /// All of it.
    pub span: Span,
}

/// `settings for FLOW { name = value }`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Answers {
    /// The module that asks.
    pub module: Path,
    /// The answers.
    pub entries: Vec<Entry>,
}

/// `name: type`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
}

/// A decision table.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Lookup {
    /// Its name.
    pub name: Name,
    /// Its keys.
    pub keys: Vec<Param>,
    /// What a row gives.
    pub result: Type,
    /// Its rows.
    pub rows: LookupRows,
}

/// Where the rows are.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum LookupRows {
    /// `{ "NL", 21% => "4" }`
    Here(Vec<Row>),
    /// `from csv "file.csv"`
    Csv(Text),
}

/// `cell, cell => value`; `else => value` has one cell, [`PatternKind::Else`].
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Row {
    /// One a key.
    pub cells: Vec<Pattern>,
    /// The value, or a `fail`.
    pub value: Expr,
    /// All of it.
    pub span: Span,
}

/// What a cell of a row or an arm of a `match` accepts.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Pattern {
    /// What.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

/// The kinds of patterns.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum PatternKind {
    /// `_`
    Any,
    /// `else`
    Else,
    /// `none`
    None,
    /// `in eu`
    Group(Name),
    /// A literal: a text, a number, a rate, `yes`, `no`.
    Value(Expr),
    /// `a | b`
    Either(Vec<Pattern>),
}

/// `enum Name { open = 20 }`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Enum {
    /// Its name.
    pub name: Name,
    /// `open` on the enumeration itself: unknown values decode.
    pub open: bool,
    /// `code = wire`; without `=` the wire form is the code.
    pub values: Vec<(Text, Option<Expr>)>,
}

/// A schema: clauses (`route`, `key`, …) and fields.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Entity {
    /// Its name.
    pub name: Name,
    /// What is said of the whole.
    pub clauses: Vec<Clause>,
    /// Its fields.
    pub fields: Vec<FieldDecl>,
}

/// A line of words in a schema or a connector: `page 60 by "__next"`, and a block behind it where there is one.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Clause {
    /// Its words, the first says what it is about.
    pub words: Vec<Word>,
    /// `when` or `where` and a condition at its end.
    pub when: Option<Expr>,
    /// `{ … }`
    pub block: Vec<Clause>,
    /// All of it.
    pub span: Span,
}

/// A word of a clause. `name = value` in a clause is a word, [`Word::Sign`] `=`, and a word.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum Word {
    /// A word or a dotted path.
    Name(Path),
    /// A literal: text, number, duration, list of names.
    Value(Expr),
    /// `=` or `,`
    Sign(char, Span),
}

/// A field of a schema: `NetPrice: price by VATCode in Currency  required, create only`.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct FieldDecl {
    /// The `##` lines above it.
    pub doc: Option<String>,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// `in Currency`: where its currency stands.
    pub currency: Option<Path>,
    /// `= meta("key")`, or a default.
    pub value: Option<Expr>,
    /// `required when …, create only, computed = …`: clauses behind commas.
    pub marks: Vec<Mark>,
    /// All of it.
    pub span: Span,
}

/// One mark of a field: its words, a condition, and for `computed = …` the formula.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Mark {
    /// `create only` → `create`, `only`.
    pub words: Vec<Word>,
    /// `when …`
    pub when: Option<Expr>,
    /// `= …`
    pub value: Option<Expr>,
    /// All of it.
    pub span: Span,
}

/// `extend woo.Order { … }`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Extend {
    /// The entity.
    pub entity: Path,
    /// Its further fields.
    pub fields: Vec<FieldDecl>,
}

/// `connector exact { … }`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Connector {
    /// Its name.
    pub name: Name,
    /// Its habits.
    pub clauses: Vec<Clause>,
}

/// `fn name(params) -> type = expr`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Fn {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its result.
    pub result: Type,
    /// Its value; absent where the compiler has it.
    pub body: Option<Expr>,
}

/// `extern fn name(params) -> type in "file.rhai"`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Extern {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its result.
    pub result: Type,
    /// The file.
    pub file: Text,
}

/// `mapping name(params) -> E { … }`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Mapping {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What it makes.
    pub target: Path,
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// `fields name(params) for E, F { … }`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Fields {
    /// Its name.
    pub name: Name,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What it is a part of.
    pub targets: Vec<Path>,
    /// Its statements.
    pub body: Vec<Stmt>,
}

/// `flow name { … }`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Flow {
    /// Its name.
    pub name: Name,
    /// Its statements.
    pub body: Vec<FlowStmt>,
}

/// `adapt mapping|fields|lookup|flow|fn NAME, … { … }` or `adapt fn NAME = e`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Adapt {
    /// The word behind `adapt`.
    pub kind: Name,
    /// What is adapted.
    pub names: Vec<Path>,
    /// The changes.
    pub body: AdaptBody,
}

/// The changes of an `adapt`.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum AdaptBody {
    /// `= expr`, of a `fn`.
    Value(Expr),
    /// Rows of a lookup.
    Rows(Vec<Row>),
    /// Of a mapping or `fields`.
    Stmts(Vec<Stmt>),
    /// Of a flow.
    Flow(Vec<FlowStmt>),
}

impl AdaptBody {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Stmts(stmts) => stmts.is_empty(),
            Self::Flow(stmts) => stmts.is_empty(),
            Self::Rows(rows) => rows.is_empty(),
            Self::Value(_) => false,
        }
    }
}

/// A statement of a mapping or a part.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Stmt {
    /// What it says.
    pub kind: StmtKind,
    /// `sealed` before it: no `adapt` changes it.
    pub sealed: bool,
    /// All of it.
    pub span: Span,
}

/// The statements of mappings and parts.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum StmtKind {
    /// `create once by K or K`, `upsert by K`, `update by K else skip "…"`
    Header(Header),
    /// `create unless c`
    CreateUnless(Expr),
    /// `delete linked to x while c else alert "…"`
    Delete {
        /// What is deleted.
        key: Key,
        /// The condition.
        cond: Option<Expr>,
        /// What otherwise: an [`ExprKind::Alert`] or [`ExprKind::Stop`].
        otherwise: Option<Expr>,
    },
    /// `accept where c`
    Accept(Expr),
    /// `prefer FIELD = v`
    Prefer(Name, Expr),
    /// `prefer newest FIELD`
    PreferNewest(Name),
    /// `overwrite "changed" of fields`
    Overwrite {
        /// Which changes.
        mode: Expr,
        /// Of which fields.
        fields: Option<Expr>,
    },
    /// `on change alert`, `on change update while c else alert`, `on change m(x)`
    OnChange(OnChange),
    /// `include part(args)`
    Include(Expr),
    /// `on create { … }`
    OnCreate(Vec<Stmt>),
    /// `on update [when c] { … }`
    OnUpdate(Option<Expr>, Vec<Stmt>),
    /// `let name = e`
    Let(Name, Expr),
    /// `check c else fail "…"` or `else alert "…"`
    Check(Expr, Expr),
    /// `balance …`
    Balance(Box<Balance>),
    /// `then write e`
    Then(Expr),
    /// `Field = e`, `billing.phone = e`
    Assign(Path, Expr),
    /// `set Field = e`, in an `adapt`
    Set(Path, Expr),
    /// `add Field = e`, in an `adapt`
    Add(Path, Expr),
    /// `remove Field`, in an `adapt`
    Remove(Path),
}

/// The header of a mapping.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Header {
    /// The verb.
    pub verb: Verb,
    /// The keys, tried in this order.
    pub keys: Vec<Key>,
    /// `else skip "…"`, of an `update`.
    pub otherwise: Option<Expr>,
}

/// What happens to an earlier copy.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `create once`: found, it is left alone.
    CreateOnce,
    /// `upsert`: found, it is updated.
    Upsert,
    /// `update`: it must be there.
    Update,
}

/// How an earlier copy is found.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum Key {
    /// `linked to x`
    Linked(Expr),
    /// `itself`
    Itself(Span),
    /// `by A, B?`
    By(Vec<KeyField>),
}

/// A field of a key.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct KeyField {
    /// The field.
    pub name: Name,
    /// `?`: it may be empty, here and there.
    pub optional: bool,
}

/// What a `create once` does when its source has changed.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum OnChange {
    /// `alert`
    Alert,
    /// `ignore`
    Ignore,
    /// `update while c else alert|ignore`
    Update {
        /// The condition.
        cond: Option<Expr>,
        /// `else alert` (true) or `else ignore`.
        alert: bool,
    },
    /// Another mapping.
    Write(Expr),
}

/// `balance FIELD to AMOUNT within 0.01 each, rest as m(rest) | rest in FIELD else fail "…"`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Balance {
    /// The computed field.
    pub field: Name,
    /// What it must come to.
    pub to: Expr,
    /// The most that a line may be off.
    pub within: Option<Expr>,
    /// Where the last cents go.
    pub rest: Option<Rest>,
    /// The failure.
    pub otherwise: Option<Expr>,
}

/// Where the last cents go.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum Rest {
    /// `rest as m(rest)`: a further line.
    As(Expr),
    /// `rest in FIELD`: spread over that field of the lines.
    In(Name),
}

/// A statement of a flow.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct FlowStmt {
    /// What it says.
    pub kind: FlowStmtKind,
    /// `set` before it, in an `adapt`.
    pub set: bool,
    /// `sealed` before it: no `adapt` changes it.
    pub sealed: bool,
    /// All of it.
    pub span: Span,
}

/// The statements of flows.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum FlowStmtKind {
    /// `from E as x`, `from deleted E as x`
    From {
        /// Deletions of it.
        deleted: bool,
        /// The entity.
        entity: Path,
        /// Its name here.
        name: Name,
    },
    /// `where e`
    Where(Expr),
    /// `every 5 minutes`
    Every(Expr),
    /// `daily at 02:00`
    Daily(Text),
    /// `on webhook`
    OnWebhook,
    /// `since 2026-01-01`
    Since(Expr),
    /// `per x.key`
    Per(Expr),
    /// `watch E as x per key`
    Watch {
        /// The entity.
        entity: Path,
        /// Its name here.
        name: Name,
        /// Which record of the flow it concerns.
        unit: Expr,
    },
    /// `once name = e`
    Once(Name, Expr),
    /// `after OTHER`
    After(Path),
    /// `let name = e`
    Let(Name, Expr),
    /// `check c else fail "…"`
    Check(Expr, Expr),
    /// `write e`
    Write(Expr),
}

/// `test "…" { … }`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Test {
    /// What it shows.
    pub title: Text,
    /// Its statements.
    pub body: Vec<TestStmt>,
}

/// The statements of tests.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum TestStmt {
    /// `cases (name: type, …) { … }`
    Cases(Cases),
    /// `given settings { … }`
    Settings(Vec<Entry>),
    /// `given now = e`
    Now(Expr, Span),
    /// `given [name =] E from "file" [with path = v, …] [linked to x]` or `given [name =] E { … } [linked to x]`
    Given {
        /// Its name.
        name: Option<Name>,
        /// The entity.
        entity: Path,
        /// The file.
        file: Option<Text>,
        /// Its fields, or the changes behind `with`.
        fields: Vec<(Expr, Expr)>,
        /// What it is linked to.
        linked: Option<Expr>,
        /// The mapping that linked them, where only one is meant.
        linked_as: Option<Expr>,
        /// All of it.
        span: Span,
    },
    /// `let name = e`
    Let(Name, Expr),
    /// `expect e`, and what follows
    Expect(Expr, Expectation, Span),
    /// `snapshot m(x)`
    Snapshot(Expr, Span),
}

/// A table of cases: the test holds for each of its rows.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Cases {
    /// Its columns: values of the test.
    pub columns: Vec<Param>,
    /// Its rows.
    pub rows: Vec<Case>,
    /// All of it.
    pub span: Span,
}

/// A row of a table of cases.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Case {
    /// What it is called; without a name it is known by its values.
    pub name: Option<Text>,
    /// A value for each column.
    pub cells: Vec<Expr>,
    /// All of it.
    pub span: Span,
}

/// What an `expect` says of its value.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum Expectation {
    /// It holds.
    Holds,
    /// `writes A, B`
    Writes(Vec<Path>),
    /// `writes nothing`
    WritesNothing,
    /// `fails "…"`
    Fails(Expr),
    /// `waits "…"`
    Waits(Expr),
    /// `skips "…"`
    Skips(Expr),
    /// `alerts "…"`
    Alerts(Expr),
}

/// A type as written.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Type {
    /// What.
    pub kind: TypeKind,
    /// Where.
    pub span: Span,
}

/// The kinds of types.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum TypeKind {
    /// `int`, `country`, `exact.Account`, `text`; with a number: `text(40)`, `text(40 utf16)`.
    Named(Path, Option<(u32, Option<Name>)>),
    /// `list<T>`
    List(Box<Type>),
    /// `T?`
    Optional(Box<Type>),
    /// `"a" | "b"`
    OneOf(Vec<Text>),
    /// `code E`
    Code(Path),
    /// `field E`
    FieldOf(Path),
    /// `price by VATCode`
    PriceBy(Path),
    /// `enum { draft = 10 }` in place.
    Enum(Enum),
    /// Reported already.
    Error,
}

/// An expression.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Expr {
    /// What.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum ExprKind {
    /// `12`, `12.50`, as written.
    Number(Arc<str>),
    /// `21%`: the digits.
    Percent(Arc<str>),
    /// `2026-01-31`
    Date(Arc<str>),
    /// `2026-01-31T10:00:00Z`
    Instant(Arc<str>),
    /// `5 minutes`
    Duration(Arc<str>, Name),
    /// `"a {b}"`; a plain text is one [`TextPart::Plain`] or none.
    Text(Vec<TextPart>),
    /// `yes`, `no`
    Bool(bool),
    /// `none`
    None,
    /// A name.
    Name(Name),
    /// `a.b`, and with `?` in front of the dot, `a?.b`
    Field(Box<Expr>, Name, bool),
    /// `f(x, n: y)`; the callee is a [`ExprKind::Name`] or [`ExprKind::Field`] (`x.f(a)`, `module.f(a)`).
    Call(Box<Expr>, Vec<Arg>),
    /// `table[a, b]`, `xs[0]`
    Index(Box<Expr>, Vec<Expr>),
    /// `a + b`; the span is the operator's.
    Binary(BinaryOp, Span, Box<Expr>, Box<Expr>),
    /// `-a`, `not a`
    Unary(UnaryOp, Box<Expr>),
    /// `a is some`, `a is some b`
    IsSome(Box<Expr>, Option<Name>),
    /// `a is none`
    IsNone(Box<Expr>),
    /// `a in b`
    In(Box<Expr>, Box<Expr>),
    /// `if a then b else c`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `match a { p => b }`
    Match(Box<Expr>, Vec<Arm>),
    /// `[a, for x in xs: b]`
    List(Vec<Element>),
    /// `{ a = b }`
    Record(Vec<(Path, Expr)>),
    /// `x => e`, `(a, b) => e`
    Lambda(Vec<Name>, Box<Expr>),
    /// `ensure m(x)`: the call.
    Ensure(Box<Expr>),
    /// `fail "…"`, `skip "…"`, `wait "…"`
    Stop(StopKind, Box<Expr>),
    /// `alert "…"` behind an `else`; without a text a bare `alert`.
    Alert(Option<Box<Expr>>),
    /// `keep`
    Keep,
    /// `it`
    It,
    /// `was`
    Was,
    /// `base`
    Base,
    /// Reported already.
    Error,
}

/// A part of a text.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum TextPart {
    /// As it is, unescaped.
    Plain(Arc<str>),
    /// `{e}`
    Value(Expr),
}

/// An argument.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Arg {
    /// `name:` before it.
    pub name: Option<Name>,
    /// Its value.
    pub value: Expr,
}

/// An arm of a `match`.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Arm {
    /// What it accepts.
    pub pattern: Pattern,
    /// Its value.
    pub value: Expr,
}

/// An element of a list.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub enum Element {
    /// One value.
    One(Expr),
    /// `for x in xs where c for y in ys: e`
    For(Vec<ForClause>, Expr),
}

/// `for x in xs where c`
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct ForClause {
    /// The element's name.
    pub name: Name,
    /// The list.
    pub list: Expr,
    /// The condition.
    pub cond: Option<Expr>,
}

/// How a record stops.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopKind {
    /// It can't go on; it is parked.
    Fail,
    /// It is done, on purpose.
    Skip,
    /// Another record must come first.
    Wait,
}

/// Operators between two values.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `and`
    And,
    /// `or`
    Or,
    /// `??`
    Else,
}

/// Operators before a value.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `not`
    Not,
}
