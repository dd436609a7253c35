//! Programs as text, and the lines on which their mistakes stand.

use crate::program::{Cell, Decl, DeclKind, Item, Kind, Line, LineKind, Node, Params, Piece, Program, Row, Stop};
use crate::schema;
use std::ops::RangeInclusive;

/// A program as text.
pub(crate) struct Printed {
    pub(crate) text: String,
    /// Lines, from 1, on which something wrong was planted.
    pub(crate) wrong: Vec<RangeInclusive<usize>>,
}

impl Printed {
    pub(crate) fn is_wrong(&self, line: usize) -> bool {
        self.wrong.iter().any(|lines| lines.contains(&line))
    }
}

pub(crate) fn print(program: &Program) -> Printed {
    let mut printer = Printer { out: String::new(), line: 1, wrong: Vec::new(), within_text: 0, indent: 4 };
    for decl in &program.decls {
        printer.decl(decl);
        printer.put("\n");
    }
    Printed { text: printer.out, wrong: printer.wrong }
}

/// An expression as text, as it stands within another.
pub(crate) fn expression(node: &Node) -> String {
    let mut printer = Printer { out: String::new(), line: 1, wrong: Vec::new(), within_text: 0, indent: 4 };
    printer.inner(node);
    printer.out
}

struct Printer {
    out: String,
    line: usize,
    wrong: Vec<RangeInclusive<usize>>,
    /// Braces of texts around here, within which a line cannot end.
    within_text: usize,
    /// How far a line within brackets is indented.
    indent: usize,
}

impl Printer {
    fn put(&mut self, text: &str) {
        self.line += text.matches('\n').count();
        self.out.push_str(text);
    }

    fn joined<T>(&mut self, all: &[T], between: &str, mut one: impl FnMut(&mut Self, &T)) {
        for (n, part) in all.iter().enumerate() {
            if n > 0 {
                self.put(between);
            }
            one(self, part);
        }
    }

    fn params(&mut self, params: &Params) {
        self.put("(");
        self.joined(params, ", ", |p, (name, ty)| p.put(&format!("{name}: {}", schema::written(ty))));
        self.put(")");
    }

    fn decl(&mut self, decl: &Decl) {
        let start = self.line;
        match &decl.kind {
            DeclKind::Schema(text) | DeclKind::Raw(text) => self.put(text),
            DeclKind::Settings(all) => {
                self.put("settings {\n");
                for (name, ty, node) in all {
                    self.put(&format!("  {name}: {} = ", schema::written(ty)));
                    self.node(node);
                    self.put("\n");
                }
                self.put("}\n");
            }
            DeclKind::Fn(params, result, body) => {
                self.put(&format!("fn {}", decl.name));
                self.params(params);
                self.put(&format!(" -> {} = ", schema::written(result)));
                self.node(body);
                self.put("\n");
            }
            DeclKind::Lookup(keys, result, rows) => {
                self.put(&format!("lookup {}", decl.name));
                self.params(keys);
                self.put(&format!(" -> {} {{\n", schema::written(result)));
                rows.iter().for_each(|row| self.row(row));
                self.put("}\n");
            }
            DeclKind::Fields(params, entity, lines) => {
                self.put(&format!("fields {}", decl.name));
                self.params(params);
                self.put(&format!(" for {entity} {{\n"));
                lines.iter().for_each(|line| self.line(line, "  "));
                self.put("}\n");
            }
            DeclKind::Mapping(params, entity, lines) => {
                self.put(&format!("mapping {}", decl.name));
                self.params(params);
                self.put(&format!(" -> {entity} {{\n  {}\n", schema::HEADER));
                lines.iter().for_each(|line| self.line(line, "  "));
                self.put("}\n");
            }
        }
        if decl.wrong {
            let whole = matches!(decl.kind, DeclKind::Raw(_) | DeclKind::Schema(_));
            self.wrong.push(start..=if whole { self.line } else { start });
        }
    }

    fn row(&mut self, row: &Row) {
        let start = self.line;
        self.put("  ");
        if row.cells.is_empty() {
            self.put("else");
        }
        self.joined(&row.cells, ", ", Self::cell);
        self.put(" => ");
        self.node(&row.value);
        if row.wrong {
            self.wrong.push(start..=self.line);
        }
        self.put("\n");
    }

    fn cell(&mut self, cell: &Cell) {
        match cell {
            Cell::Any => self.put("_"),
            Cell::None => self.put("none"),
            Cell::Eu => self.put("in eu"),
            Cell::Value(node) => self.node(node),
            Cell::Begins(text) => self.put(&format!("\"{}*\"", escaped(text))),
        }
    }

    fn line(&mut self, line: &Line, indent: &str) {
        let start = self.line;
        self.put(indent);
        match &line.kind {
            LineKind::Let(name, node) => {
                self.put(&format!("let {name} = "));
                self.node(node);
            }
            LineKind::Fill(path, node) => {
                self.put(&format!("{} = ", path.join(".")));
                self.node(node);
            }
            LineKind::Check(cond, stop) => {
                self.put("check ");
                self.node(cond);
                self.put(&format!(" else {} \"told\"", word(*stop)));
            }
            LineKind::OnCreate(lines) => {
                self.put("on create {\n");
                lines.iter().for_each(|line| self.line(line, "    "));
                self.put(&format!("{indent}}}"));
            }
        }
        if line.wrong {
            self.wrong.push(start..=self.line);
        }
        self.put("\n");
    }

    /// A value within another one: in brackets where it has parts.
    fn inner(&mut self, node: &Node) {
        let composite = matches!(
            node.kind,
            Kind::Binary(..)
                | Kind::Not(_)
                | Kind::Negative(_)
                | Kind::Later(..)
                | Kind::Else(..)
                | Kind::If(..)
                | Kind::Match(..)
                | Kind::IsSome(..)
                | Kind::IsNone(_)
                | Kind::In(..)
                | Kind::InEu(_)
                | Kind::Stop(..)
        ) || matches!(&node.kind, Kind::Number(n) if n.is_negative())
            || matches!(&node.kind, Kind::Raw(text) if text.contains(' '));
        if composite {
            self.put("(");
        }
        self.node(node);
        if composite {
            self.put(")");
        }
    }

    fn node(&mut self, node: &Node) {
        let start = self.line;
        self.kind(node);
        if node.wrong {
            self.wrong.push(start..=self.line);
        }
    }

    fn kind(&mut self, node: &Node) {
        match &node.kind {
            Kind::Number(n) => self.put(&n.shown(0)),
            Kind::Rate(n) => self.put(&format!("{}%", n.shown(0))),
            Kind::Text(text) => self.put(&format!("\"{}\"", escaped(text))),
            Kind::Bool(yes) => self.put(if *yes { "yes" } else { "no" }),
            Kind::Date(day) => self.put(&schema::day(*day)),
            Kind::Instant(at) => self.put(&schema::moment(*at)),
            Kind::None => self.put("none"),
            Kind::Name(name) => self.put(name),
            Kind::Setting(name) => self.put(&format!("settings.{name}")),
            Kind::Field(of, name, asked) => {
                self.inner(of);
                self.put(&format!("{}{name}", if *asked { "?." } else { "." }));
            }
            Kind::Interpolation(pieces) => self.pieces(pieces),
            Kind::List(items) => self.items(items, node.open),
            Kind::Record(fields) => self.record(fields, node.open),
            Kind::Call(name, args) => {
                self.put(&format!("{name}("));
                self.joined(args, ", ", Self::node);
                self.put(")");
            }
            Kind::Method(on, name, args, asked) => {
                self.inner(on);
                self.put(&format!("{}{name}(", if *asked { "?." } else { "." }));
                self.joined(args, ", ", Self::node);
                self.put(")");
            }
            Kind::Lambda(name, body) => {
                self.put(&format!("{name} => "));
                self.inner(body);
            }
            Kind::Lookup(name, keys) => {
                self.put(&format!("{name}["));
                self.joined(keys, ", ", Self::node);
                self.put("]");
            }
            Kind::Stop(stop, text) => {
                self.put(&format!("{} ", word(*stop)));
                self.inner(text);
            }
            Kind::Brackets(a) => {
                self.put("(");
                self.node(a);
                self.put(")");
            }
            Kind::Raw(text) => self.put(text),
            operation => self.operation(operation),
        }
    }

    /// What is put together by signs and words.
    fn operation(&mut self, kind: &Kind) {
        match kind {
            Kind::Binary(op, a, b) => {
                self.inner(a);
                self.put(&format!(" {op} "));
                self.inner(b);
            }
            Kind::Not(a) => self.before("not ", a),
            Kind::Negative(a) => self.before("-", a),
            Kind::Quotient(a, b, n) => {
                self.put("(");
                self.inner(a);
                self.put(" / ");
                self.inner(b);
                self.put(&format!(").round({n})"));
            }
            Kind::Later(a, days) => {
                self.inner(a);
                self.put(&format!(" {} {} days", if *days < 0 { "-" } else { "+" }, days.abs()));
            }
            Kind::Else(a, b) => {
                self.inner(a);
                self.put(" ?? ");
                self.inner(b);
            }
            Kind::If(c, a, b) => {
                self.put("if ");
                self.inner(c);
                self.put(" then ");
                self.inner(a);
                self.put(" else ");
                self.inner(b);
            }
            Kind::Match(on, arms) => self.matched(on, arms),
            Kind::IsSome(a, bound) => {
                self.inner(a);
                self.put(&format!(" is some{}", bound.as_ref().map_or(String::new(), |name| format!(" {name}"))));
            }
            Kind::IsNone(a) => {
                self.inner(a);
                self.put(" is none");
            }
            Kind::In(a, b) => {
                self.inner(a);
                self.put(" in ");
                self.inner(b);
            }
            Kind::InEu(a) => {
                self.inner(a);
                self.put(" in eu");
            }
            _ => unreachable!("the other forms are no operations"),
        }
    }

    fn before(&mut self, sign: &str, node: &Node) {
        self.put(sign);
        self.inner(node);
    }

    fn matched(&mut self, on: &Node, arms: &[(Vec<Cell>, Node)]) {
        self.put("match ");
        self.inner(on);
        self.put(" { ");
        self.joined(arms, ", ", |p, (cells, value)| {
            if cells.is_empty() {
                p.put("else");
            }
            p.joined(cells, " | ", Self::cell);
            p.put(" => ");
            p.inner(value);
        });
        self.put(" }");
    }

    fn pieces(&mut self, pieces: &[Piece]) {
        self.put("\"");
        self.within_text += 1;
        for piece in pieces {
            match piece {
                Piece::Plain(text) => self.put(&escaped(text)),
                Piece::Value(node) => {
                    self.put("{");
                    self.node(node);
                    self.put("}");
                }
            }
        }
        self.within_text -= 1;
        self.put("\"");
    }

    fn items(&mut self, items: &[Item], open: bool) {
        self.bracketed(['[', ']'], items, open, |p, item| match item {
            Item::One(node) => p.node(node),
            Item::For(name, list, cond, value) => {
                p.put(&format!("for {name} in "));
                p.inner(list);
                if let Some(cond) = cond {
                    p.put(" where ");
                    p.inner(cond);
                }
                p.put(": ");
                p.inner(value);
            }
        });
    }

    fn record(&mut self, fields: &[(&'static str, Node)], open: bool) {
        self.bracketed(['{', '}'], fields, open, |p, (name, node)| {
            p.put(&format!("{name} = "));
            p.node(node);
        });
    }

    /// Each part on its line where `open`, all on one otherwise.
    fn bracketed<T>(&mut self, [start, end]: [char; 2], all: &[T], open: bool, one: impl FnMut(&mut Self, &T)) {
        if open && self.within_text == 0 && !all.is_empty() {
            self.indent += 2;
            let line = format!("\n{}", " ".repeat(self.indent));
            self.put(&format!("{start}{line}"));
            self.joined(all, &format!(",{line}"), one);
            self.indent -= 2;
            self.put(&format!(",\n{}{end}", " ".repeat(self.indent)));
        } else {
            self.put(&format!("{start} "));
            self.joined(all, ", ", one);
            self.put(&format!(" {end}"));
        }
    }
}

fn word(stop: Stop) -> &'static str {
    match stop {
        Stop::Fail => "fail",
        Stop::Skip => "skip",
    }
}

/// A text as it is written between the quotes of a flow.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '{' | '}') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
