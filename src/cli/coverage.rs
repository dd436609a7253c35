//! What of a project its tests come to: for people, for programs, and as a page in HTML.

use crate::testing::{Coverage, Covered, PointKind, Reached, Share};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The shares, and each place that no test comes to.
pub(crate) fn people(coverage: &Coverage) -> String {
    let mut out = String::new();
    let missed = || coverage.files.iter().flat_map(|file| file.missed().map(move |point| (file, point)));
    let (explained, open): (Vec<_>, Vec<_>) = missed().partition(|(_, point)| point.never.is_some());
    for (title, points) in [("no test comes to:", open), ("no test can come to:", explained)] {
        if !points.is_empty() {
            let _ = writeln!(out, "\n{title}");
        }
        for (file, point) in points {
            let _ = writeln!(out, "  {}:{}:{}: {}", file.path, point.line, point.column, told(point));
        }
    }
    let width = coverage.files.iter().map(|file| file.path.len()).max().unwrap_or(0).max("all".len());
    out.push_str("\nreached:\n");
    for file in &coverage.files {
        let _ = writeln!(out, "  {:<width$}  {}", file.path, shares(|kind| file.share(kind)));
    }
    let _ = writeln!(out, "  {:<width$}  {}", "all", shares(|kind| coverage.share(kind)));
    out
}

fn shares(share: impl Fn(Option<PointKind>) -> Share) -> String {
    let of_kind = PointKind::ALL.map(|(kind, name)| {
        let share = share(Some(kind));
        format!("{name} {} of {}", share.reached, share.all)
    });
    let explained = match share(None).explained {
        0 => String::new(),
        n => format!("; {n} that no test can come to"),
    };
    format!("{:>3} %  {}{explained}", share(None).percent(), of_kind.join(", "))
}

/// The same for programs.
pub(crate) fn machine(coverage: &Coverage) -> Value {
    let numbers = |share: &dyn Fn(Option<PointKind>) -> Share| {
        let kinds = PointKind::ALL.map(|(kind, name)| {
            let share = share(Some(kind));
            (name.to_owned(), json!({ "all": share.all, "reached": share.reached, "explained": share.explained }))
        });
        json!({ "percent": share(None).percent(), "kinds": Value::Object(kinds.into_iter().collect()) })
    };
    let files = coverage.files.iter().map(|file| {
        let points = file.points.iter().map(|point| {
            json!({
                "line": point.line, "column": point.column, "kind": kind(point), "times": point.times,
                "missing": (point.times == 0).then(|| point.missing()), "never": point.never,
            })
        });
        let points: Vec<Value> = points.collect();
        json!({ "file": file.path, "reached": numbers(&|kind| file.share(kind)), "points": points })
    });
    let files: Vec<Value> = files.collect();
    json!({ "reached": numbers(&|kind| coverage.share(kind)), "files": files })
}

fn kind(point: &Reached) -> &'static str {
    match point.kind() {
        PointKind::Field => "field",
        PointKind::Branch => "branch",
        PointKind::Row => "row",
    }
}

const STYLE: &str = "
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #1b1b1b }
table { border-collapse: collapse } th, td { padding: .15rem .8rem .15rem 0; text-align: left }
td.n { text-align: right; font-variant-numeric: tabular-nums }
pre { margin: 0; font: 12px/1.5 ui-monospace, monospace; white-space: pre-wrap }
.line { display: grid; grid-template-columns: 3.5rem 4rem 1fr } .line > * { padding: 0 .4rem }
.no, .times { color: #777; text-align: right; user-select: none }
.all { background: #e7f5e9 } .some { background: #fff3cd } .none { background: #fbdcdc }
.missing { grid-column: 3; color: #8a1f1f; font-style: italic }
@media print { body { margin: 0; max-width: none } h2 { break-after: avoid } .line { break-inside: avoid }
.all, .some, .none { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
";

/// One page that needs nothing beside itself: the shares, and each text with what is reached of its lines.
pub(crate) fn page(coverage: &Coverage) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>What the tests come to</title><style>{STYLE}</style>\n<h1>What the tests come to</h1>\n<table><tr><th>file<th>reached"
    );
    PointKind::ALL.iter().for_each(|(_, name)| {
        let _ = write!(out, "<th>{name}");
    });
    out.push('\n');
    for (n, file) in coverage.files.iter().enumerate() {
        row(&format!("<a href=\"#f{n}\">{}</a>", escaped(&file.path)), |kind| file.share(kind), &mut out);
    }
    row("<b>all</b>", |kind| coverage.share(kind), &mut out);
    out.push_str("</table>\n");
    for (n, file) in coverage.files.iter().enumerate() {
        let _ = writeln!(out, "<h2 id=\"f{n}\">{}</h2>\n<pre>", escaped(&file.path));
        lines(file, &mut out);
        out.push_str("</pre>\n");
    }
    out + "</html>\n"
}

fn row(name: &str, share: impl Fn(Option<PointKind>) -> Share, out: &mut String) {
    let _ = write!(out, "<tr><td>{name}<td class=n>{} %", share(None).percent());
    for (kind, _) in PointKind::ALL {
        let share = share(Some(kind));
        let _ = write!(out, "<td class=n>{} of {}", share.reached, share.all);
    }
    out.push('\n');
}

fn lines(file: &Covered, out: &mut String) {
    for (n, text) in file.text.lines().enumerate() {
        let here = || file.points.iter().filter(|point| point.line == n + 1);
        let open = |point: &&Reached| point.times == 0 && point.never.is_none();
        let (all, missed) = (here().count(), here().filter(open).count());
        let class = match (all, missed) {
            (0, _) => "",
            (_, 0) => " all",
            (all, missed) if all == missed => " none",
            _ => " some",
        };
        let times = if all == 0 { String::new() } else { format!("{} / {all}", all - missed) };
        let _ = write!(
            out,
            "<div class=\"line{class}\"><span class=no>{}</span><span class=times>{times}</span><code>{}</code>",
            n + 1,
            escaped(text)
        );
        for point in file.missed().filter(|point| point.line == n + 1) {
            let _ = write!(out, "<span class=missing>{}: {}</span>", point.column, escaped(&told(point)));
        }
        out.push_str("</div>");
    }
}

fn told(point: &Reached) -> String {
    let why = point.never.as_ref().map_or(String::new(), |why| format!(" ({why})"));
    format!("{}{why}", point.missing())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
