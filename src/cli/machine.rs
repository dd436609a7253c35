//! Diagnostics for programs: our JSON, and SARIF 2.1.0. Lines and columns count from 1, columns in characters.

use crate::source::{Diagnostic, Fix, Severity, Sources, Span, codes};
use serde_json::{Value, json};

/// The list that `flowc check --format json` prints.
pub(crate) fn list(sources: &Sources, diagnostics: &[Diagnostic]) -> Value {
    diagnostics.iter().map(|d| one(sources, d)).collect()
}

fn one(sources: &Sources, diagnostic: &Diagnostic) -> Value {
    let (start, end) = (sources.position(diagnostic.span), sources.position(diagnostic.span.at_end()));
    let mut value = json!({
        "code": diagnostic.code.id,
        "severity": diagnostic.severity.word(),
        "message": diagnostic.message,
        "help": diagnostic.help,
        "file": file(sources, diagnostic.span),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "related": diagnostic.related.iter().map(|r| {
            let at = sources.position(r.span);
            json!({ "message": r.message, "file": file(sources, r.span), "line": at.line, "column": at.column })
        }).collect::<Vec<_>>(),
    });
    if let (Some(fix), Some(members)) = (&diagnostic.fix, value.as_object_mut()) {
        members.insert("fix".into(), fixed(sources, fix));
    }
    value
}

fn fixed(sources: &Sources, fix: &Fix) -> Value {
    let edits: Vec<Value> = fix
        .edits
        .iter()
        .map(|edit| {
            let (start, end) = (sources.position(edit.span), sources.position(edit.span.at_end()));
            json!({
                "file": file(sources, edit.span), "line": start.line, "column": start.column,
                "end_line": end.line, "end_column": end.column, "text": edit.text,
            })
        })
        .collect();
    json!({ "title": fix.title, "edits": edits })
}

fn file(sources: &Sources, span: Span) -> String {
    sources.get(span.file).path.display().to_string()
}

/// A SARIF log with one run. Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
pub(crate) fn sarif(sources: &Sources, diagnostics: &[Diagnostic]) -> Value {
    let rules: Vec<Value> = codes::REGISTRY
        .iter()
        .map(|code| {
            json!({
                "id": code.id,
                "shortDescription": { "text": code.title },
                "help": { "text": codes::page(code), "markdown": codes::page(code) },
                "defaultConfiguration": { "level": code.severity.word() },
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "flowc", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": diagnostics.iter().map(|d| finding(sources, d)).collect::<Vec<_>>(),
        }],
    })
}

fn finding(sources: &Sources, diagnostic: &Diagnostic) -> Value {
    let said = match &diagnostic.help {
        Some(help) => format!("{}. {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let mut value = json!({
        "ruleId": diagnostic.code.id,
        "ruleIndex": codes::REGISTRY.iter().position(|code| code.id == diagnostic.code.id),
        "level": match diagnostic.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "message": { "text": said },
        "locations": [{ "physicalLocation": physical(sources, diagnostic.span) }],
        "relatedLocations": diagnostic.related.iter().map(|r| json!({
            "physicalLocation": physical(sources, r.span), "message": { "text": r.message },
        })).collect::<Vec<_>>(),
    });
    if let (Some(fix), Some(members)) = (&diagnostic.fix, value.as_object_mut()) {
        let changes: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| {
                json!({
                    "artifactLocation": artifact(sources, edit.span),
                    "replacements": [{ "deletedRegion": region(sources, edit.span), "insertedContent": { "text": edit.text } }],
                })
            })
            .collect();
        members.insert("fixes".into(), json!([{ "description": { "text": fix.title }, "artifactChanges": changes }]));
    }
    value
}

fn physical(sources: &Sources, span: Span) -> Value {
    json!({ "artifactLocation": artifact(sources, span), "region": region(sources, span) })
}

/// A path as a URI reference: forward slashes, and whatever a URI can't hold as percents.
fn artifact(sources: &Sources, span: Span) -> Value {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');
    let path = file(sources, span).replace('\\', "/");
    json!({ "uri": percent_encoding::utf8_percent_encode(path.trim_start_matches("./"), KEPT).to_string() })
}

fn region(sources: &Sources, span: Span) -> Value {
    let (start, end) = (sources.position(span), sources.position(span.at_end()));
    json!({ "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> (Sources, Diagnostic) {
        let mut sources = Sources::new();
        let flow = sources.add("my flows/é.flow", "ü = 1\n  Cod = 2\n");
        let span = Span::new(flow, 9, 12);
        let diagnostic = Diagnostic::new(&codes::UNKNOWN_FIELD, span, "no field `Cod`").help("see the schema").fix(
            "write `Code`",
            span,
            "Code",
        );
        (sources, diagnostic.related(Span::new(flow, 0, 2), "here"))
    }

    #[test]
    fn the_json_form_is_the_contract() {
        let (sources, diagnostic) = found();
        assert_eq!(
            list(&sources, &[diagnostic]),
            json!([{
                "code": "F0102", "severity": "error", "message": "no field `Cod`", "help": "see the schema",
                "file": "my flows/é.flow", "line": 2, "column": 3, "end_line": 2, "end_column": 6,
                "related": [{ "message": "here", "file": "my flows/é.flow", "line": 1, "column": 1 }],
                "fix": { "title": "write `Code`", "edits": [{
                    "file": "my flows/é.flow", "line": 2, "column": 3, "end_line": 2, "end_column": 6, "text": "Code" }] },
            }])
        );
    }

    #[test]
    fn sarif_names_rule_place_and_fix() {
        let (sources, diagnostic) = found();
        let log = sarif(&sources, &[diagnostic]);
        let result = &log["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "F0102");
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("a registered rule")).expect("a small number");
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], "F0102");
        assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "my%20flows/%C3%A9.flow");
        assert_eq!(result["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "Code");
    }
}
