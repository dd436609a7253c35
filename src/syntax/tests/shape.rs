//! What values mean: operators, calls, texts, written out with all their parentheses.

use super::read;
use crate::source::Span;
use crate::syntax::ast::{
    Arg, Decl, DeclKind, Element, Expr, ExprKind, PatternKind, StmtKind, StopKind, TextPart, UnaryOp,
};

/// A value with a parenthesis around each step.
fn expr(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Number(n) | ExprKind::Date(n) | ExprKind::Instant(n) => n.to_string(),
        ExprKind::Percent(n) => format!("{n}%"),
        ExprKind::Duration(n, unit) => format!("{n} {}", unit.text),
        ExprKind::Text(parts) => {
            let part = |p: &TextPart| match p {
                TextPart::Plain(t) => t.to_string(),
                TextPart::Value(v) => format!("{{{}}}", expr(v)),
            };
            format!("'{}'", parts.iter().map(part).collect::<String>())
        }
        ExprKind::Bool(b) => if *b { "yes" } else { "no" }.into(),
        ExprKind::None => "none".into(),
        ExprKind::Name(n) => n.text.to_string(),
        ExprKind::Field(of, n, maybe) => format!("{}{}{}", expr(of), if *maybe { "?." } else { "." }, n.text),
        ExprKind::Call(f, args) => format!("{}({})", expr(f), args.iter().map(arg).collect::<Vec<_>>().join(" ")),
        ExprKind::Index(of, keys) => format!("{}[{}]", expr(of), list(keys)),
        ExprKind::Binary(op, _, a, b) => format!("({op:?} {} {})", expr(a), expr(b)),
        ExprKind::Unary(UnaryOp::Neg, a) => format!("(- {})", expr(a)),
        ExprKind::Unary(UnaryOp::Not, a) => format!("(not {})", expr(a)),
        ExprKind::IsSome(a, None) => format!("(some {})", expr(a)),
        ExprKind::IsSome(a, Some(n)) => format!("(some {} as {})", expr(a), n.text),
        ExprKind::IsNone(a) => format!("(none {})", expr(a)),
        ExprKind::In(a, b) => format!("(in {} {})", expr(a), expr(b)),
        ExprKind::If(c, a, b) => format!("(if {} {} {})", expr(c), expr(a), expr(b)),
        ExprKind::Match(s, arms) => {
            let arm = |a: &crate::syntax::ast::Arm| format!("{} => {}", pattern(&a.pattern.kind), expr(&a.value));
            format!("(match {} {})", expr(s), arms.iter().map(arm).collect::<Vec<_>>().join("; "))
        }
        ExprKind::List(items) => {
            let item = |e: &Element| match e {
                Element::One(v) => expr(v),
                Element::For(clauses, v) => {
                    let each = |c: &crate::syntax::ast::ForClause| {
                        let cond = c.cond.as_ref().map_or(String::new(), |c| format!(" where {}", expr(c)));
                        format!("for {} {}{cond}", c.name.text, expr(&c.list))
                    };
                    format!("{}: {}", clauses.iter().map(each).collect::<Vec<_>>().join(" "), expr(v))
                }
            };
            format!("[{}]", items.iter().map(item).collect::<Vec<_>>().join(", "))
        }
        ExprKind::Record(fields) => {
            let field = |(p, v): &(crate::syntax::ast::Path, Expr)| {
                format!("{} = {}", p.parts.iter().map(|n| &*n.text).collect::<Vec<_>>().join("."), expr(v))
            };
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        ExprKind::Lambda(names, body) => {
            format!("({} => {})", names.iter().map(|n| &*n.text).collect::<Vec<_>>().join(" "), expr(body))
        }
        ExprKind::Ensure(call) => format!("(ensure {})", expr(call)),
        ExprKind::Stop(kind, why) => {
            let word = match kind {
                StopKind::Fail => "fail",
                StopKind::Skip => "skip",
                StopKind::Wait => "wait",
            };
            format!("({word} {})", expr(why))
        }
        ExprKind::Alert(why) => format!("(alert {})", why.as_ref().map_or(String::new(), |w| expr(w))),
        ExprKind::Keep => "keep".into(),
        ExprKind::It => "it".into(),
        ExprKind::Was => "was".into(),
        ExprKind::Base => "base".into(),
        ExprKind::Error => "ERROR".into(),
    }
}

fn list(values: &[Expr]) -> String {
    values.iter().map(expr).collect::<Vec<_>>().join(" ")
}

fn arg(a: &Arg) -> String {
    let name = a.name.as_ref().map_or(String::new(), |n| format!("{}: ", n.text));
    name + &*expr(&a.value)
}

fn pattern(p: &PatternKind) -> String {
    match p {
        PatternKind::Any => "_".into(),
        PatternKind::Else => "else".into(),
        PatternKind::None => "none".into(),
        PatternKind::Group(g) => format!("in {}", g.text),
        PatternKind::Value(v) => expr(v),
        PatternKind::Either(parts) => parts.iter().map(|p| pattern(&p.kind)).collect::<Vec<_>>().join(" | "),
    }
}

fn only(text: &str) -> (Decl, Vec<String>) {
    let mut parsed = read(text);
    let told = parsed.diagnostics.iter().map(|d| format!("{} {}", d.code.id, d.message)).collect();
    (parsed.ast.decls.remove(0), told)
}

/// The value of a `fn`, clean.
fn value(text: &str) -> String {
    let (decl, told) = only(&format!("fn f() -> int = {text}"));
    assert!(told.is_empty(), "{text}: {told:?}");
    let DeclKind::Fn(f) = decl.kind else { panic!("a function") };
    expr(&f.body.unwrap())
}

#[test]
fn operators_bind_as_the_language_says() {
    for (text, meant) in [
        ("a + b * c - d / e", "(Sub (Add a (Mul b c)) (Div d e))"),
        ("a - b - c", "(Sub (Sub a b) c)"),
        ("-a + -b * c", "(Add (- a) (Mul (- b) c))"),
        ("a ?? b ?? fail \"x\"", "(Else a (Else b (fail 'x')))"),
        ("a or b and c or not d == e", "(Or (Or a (And b c)) (not (Eq d e)))"),
        ("not a and b", "(And (not a) b)"),
        ("a is some x and x > 0 or b is none", "(Or (And (some a as x) (Gt x 0)) (none b))"),
        ("a is some", "(some a)"),
        ("a + 1 in [b, c]", "(in (Add a 1) [b, c])"),
        ("(a + b) * c", "(Mul (Add a b) c)"),
        ("(a ?? b) + c", "(Add (Else a b) c)"),
        ("a ?? b == c", "(Else a (Eq b c))"),
        ("if a then b else c ?? d", "(if a b (Else c d))"),
        ("2026-01-02 - 5 minutes", "(Sub 2026-01-02 5 minutes)"),
        ("21% * 3", "(Mul 21% 3)"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("price(a, b) / c", "(Div price(a b) c)"),
    ] {
        assert_eq!(value(text), meant, "{text}");
    }
}

#[test]
fn calls_texts_and_lists_nest() {
    for (text, meant) in [
        ("a?.b.c(d, at: \"word\")?.e[0]", "a?.b.c(d at: 'word')?.e[0]"),
        ("t[a, b] ?? c", "(Else t[a b] c)"),
        ("\"a {b ?? \"x {c}\"} \\{d\\}\"", "'a {(Else b 'x {c}')} {d}'"),
        ("xs.map(l => l.total + 1)", "xs.map((l => (Add l.total 1)))"),
        (
            "p.chain((name, parent) => ensure category(name, parent))",
            "p.chain((name parent => (ensure category(name parent))))",
        ),
        ("[a, for x in xs where x.a for y in x.ys: y.b, c]", "[a, for x xs where x.a for y x.ys: y.b, c]"),
        ("{ a = 1, b.c = [2] }", "{a = 1, b.c = [2]}"),
        (
            "exact.Item(s ?? fail \"no\") ?? match m { \"a\" | none => 1, in eu => 2, else => (3) }",
            "(Else exact.Item((Else s (fail 'no'))) (match m 'a' | none => 1; in eu => 2; else => 3))",
        ),
        ("f(a)\n  .g()\n  ?? h", "(Else f(a).g() h)"),
        ("\n  if a\n  then b\n  else c", "(if a b c)"),
        ("(a +\n b)", "(Add a b)"),
        ("[\n  # one\n  a,\n  b, # two\n]", "[a, b]"),
        ("it.a ?? was?.b ?? base", "(Else it.a (Else was?.b base))"),
        ("x.on.update.is", "x.on.update.is"),
    ] {
        assert_eq!(value(text), meant, "{text}");
    }
}

#[test]
fn a_long_text_keeps_its_lines() {
    assert_eq!(value("\"\"\"\none \"quoted\"\n two {a}\"\"\""), "'one \"quoted\"\n two {a}'");
}

#[test]
fn a_broken_value_leaves_its_field() {
    let (decl, told) = only("mapping m(a: T) -> E {\n  X = a b\n  on = yes\n  Y =\n  f(a, = , b)\n}\n");
    assert_eq!(told.len(), 3, "{told:?}");
    let DeclKind::Mapping(m) = decl.kind else { panic!("a mapping") };
    let fields: Vec<String> = m
        .body
        .iter()
        .filter_map(|stmt| match &stmt.kind {
            StmtKind::Assign(path, value) => Some(format!("{} = {}", path.parts[0].text, expr(value))),
            _ => None,
        })
        .collect();
    assert_eq!(fields, ["X = ERROR", "on = yes", "Y = ERROR"]);
}

#[test]
fn spans_are_those_of_the_file() {
    let text = "## One.\n## Two.\nmapping m(a: T) -> E {\n  A = 'x' && \"{order.n}\"\n}\n";
    let (decl, _) = only(text);
    assert_eq!(decl.doc.as_deref(), Some("One.\nTwo."));
    let DeclKind::Mapping(m) = decl.kind else { panic!("a mapping") };
    let StmtKind::Assign(_, value) = &m.body[0].kind else { panic!("a field") };
    let ExprKind::Binary(_, op, _, right) = &value.kind else { panic!("an and") };
    let shown = |span: Span| &text[span.range()];
    assert_eq!(shown(value.span), "'x' && \"{order.n}\"");
    assert_eq!(shown(*op), "&&");
    let ExprKind::Text(parts) = &right.kind else { panic!("a text") };
    let TextPart::Value(hole) = &parts[0] else { panic!("a value") };
    assert_eq!(shown(hole.span), "order.n");
}
