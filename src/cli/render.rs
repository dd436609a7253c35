//! Diagnostics for people: a report with the lines of the flow, the caret, other places, what to do.

use super::screen::{Paint, Screen};
use crate::limits;
use crate::source::{Diagnostic, FileId, Severity, Sources, Span};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents,
};
use std::fmt;
use std::sync::Arc;

/// All diagnostics and their count, as text.
pub(crate) fn reports(screen: &Screen, sources: &Sources, diagnostics: &[Diagnostic]) -> String {
    let theme = if screen.colour() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(screen.columns())
        .with_links(false)
        .with_context_lines(1)
        .without_cause_chain();
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(limits::DIAGNOSTICS_SHOWN_MAX) {
        let before = text.len();
        // Writing into a String does not fail; a source that miette can't draw still gets its plain line.
        if handler.render_report(&mut text, &Report::new(sources, diagnostic)).is_err() {
            text.truncate(before);
            text.push_str(&plain(sources, diagnostic));
        }
        text.push('\n');
    }
    text.push_str(&summary(screen, diagnostics));
    text
}

/// One line: place, code, message.
pub(crate) fn plain(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let word = diagnostic.severity.word();
    format!("{}: {word} {}: {}\n", sources.place(diagnostic.span), diagnostic.code.id, diagnostic.message)
}

fn summary(screen: &Screen, diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let warnings = diagnostics.len() - errors;
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(screen.paint(&counted(errors, "error"), Paint::Red));
    }
    if warnings > 0 {
        parts.push(screen.paint(&counted(warnings, "warning"), Paint::Yellow));
    }
    let Some(first) = diagnostics.first() else { return screen.paint("no mistakes found", Paint::Green) + "\n" };
    let hidden = diagnostics.len().saturating_sub(limits::DIAGNOSTICS_SHOWN_MAX);
    let more = if hidden > 0 { format!(", {hidden} of them not shown") } else { String::new() };
    format!("{}{more} · `flowc explain {}` tells more\n", parts.join(", "), first.code.id)
}

fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// A diagnostic in the form that miette draws. Places in other files are reports of their own below it.
struct Report {
    code: Option<&'static str>,
    severity: miette::Severity,
    message: String,
    help: Option<String>,
    source: Excerpt,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Report>,
}

impl Report {
    fn new(sources: &Sources, diagnostic: &Diagnostic) -> Self {
        let home = diagnostic.span.file;
        let label = Some(diagnostic.label.clone()).filter(|l| !l.is_empty());
        let mut labels = vec![LabeledSpan::new_primary_with_span(label, drawn(sources, diagnostic.span))];
        let mut elsewhere = Vec::new();
        for related in &diagnostic.related {
            let label = Some(related.message.clone());
            if related.span.file == home {
                labels.push(LabeledSpan::new_with_span(label, drawn(sources, related.span)));
            } else {
                elsewhere.push(Self {
                    code: None,
                    severity: miette::Severity::Advice,
                    message: related.message.clone(),
                    help: None,
                    source: named(sources, related.span.file),
                    labels: vec![LabeledSpan::new_primary_with_span(None, drawn(sources, related.span))],
                    elsewhere: Vec::new(),
                });
            }
        }
        Self {
            code: Some(diagnostic.code.id),
            severity: match diagnostic.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            },
            message: shortened(&diagnostic.message),
            help: help(diagnostic),
            source: named(sources, home),
            labels,
            elsewhere,
        }
    }
}

/// What to do, and the change that an editor would make.
fn help(diagnostic: &Diagnostic) -> Option<String> {
    let fix = diagnostic.fix.as_ref().map(|fix| format!("fix: {}", fix.title));
    match (diagnostic.help.clone(), fix) {
        (Some(help), Some(fix)) => Some(format!("{help}\n{fix}")),
        (help, fix) => help.or(fix),
    }
}

fn named(sources: &Sources, file: FileId) -> Excerpt {
    let source = sources.get(file);
    Excerpt { name: source.called(), text: Arc::clone(&source.text) }
}

/// What is underlined: the first line of the span only, for a mapping of thirty lines is no caret.
fn drawn(sources: &Sources, span: Span) -> SourceSpan {
    let text = sources.text(span);
    let line = text[..text.find('\n').unwrap_or(text.len())].trim_end();
    SourceSpan::new((span.start as usize).into(), line.floor_char_boundary(LINE_BYTES_MAX / 2))
}

/// Longest line that is shown as it stands, bytes. Of a longer one only what is around the place is.
const LINE_BYTES_MAX: usize = 400;
/// Longest message: one may repeat what stands in the flow.
const MESSAGE_BYTES_MAX: usize = 1_000;

fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(MESSAGE_BYTES_MAX);
    if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() }
}

/// The lines around a place, as long as they are lines that somebody wrote.
struct Excerpt {
    name: String,
    text: Arc<str>,
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = self.text.read_span(span, before, after)?;
        let (data, at, line, column, lines) = if whole.data().split(|b| *b == b'\n').all(|l| l.len() <= LINE_BYTES_MAX)
        {
            (whole.data(), *whole.span(), whole.line(), whole.column(), whole.line_count())
        } else {
            let place = span.offset();
            let (above, below) = self.text.split_at(place);
            let start = above.rfind('\n').map_or(0, |n| n + 1);
            let end = place + below.find('\n').unwrap_or(below.len());
            let from = self.text.ceil_char_boundary(start.max(place.saturating_sub(LINE_BYTES_MAX / 4)));
            let to = self.text.floor_char_boundary(end.min(place + LINE_BYTES_MAX * 3 / 4));
            let line = above.matches('\n').count();
            (self.text[from..to].as_bytes(), (from, to - from).into(), line, from - start, 1)
        };
        Ok(Box::new(MietteSpanContents::new_named(self.name.clone(), data, at, line, column, lines)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        if self.elsewhere.is_empty() {
            return None;
        }
        Some(Box::new(self.elsewhere.iter().map(|report| report as &dyn miette::Diagnostic)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;
    use crate::source::codes;

    #[test]
    fn a_report_names_the_place_the_reason_and_the_other_file() {
        let mut sources = Sources::new();
        let flow = sources.add("orders.flow", "mapping m() -> exact.Item {\n  Cod = \"1\"\n}\n");
        let schema = sources.add("exact/logistics.flow", "entity Item {\n  Code: text\n}\n");
        let diagnostic =
            Diagnostic::new(&codes::UNKNOWN_FIELD, Span::new(flow, 30, 33), "`exact.Item` has no field `Cod`")
                .label("no such field")
                .help("did you mean `Code`?")
                .related(Span::new(schema, 16, 20), "the nearest is declared here")
                .fix("write `Code`", Span::new(flow, 30, 33), "Code");
        let text = reports(&Screen::new(Format::Human), &sources, &[diagnostic]);
        for part in [
            "F0102",
            "orders.flow:2:3",
            "no such field",
            "did you mean",
            "fix: write",
            "exact/logistics.flow:2:3",
            "1 error",
        ] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
    }

    #[test]
    fn of_a_long_line_only_what_is_around_the_place_is_shown() {
        let mut sources = Sources::new();
        let text = format!("zone \"x\"\n{}wrong{}\nedition 2026\n", "é".repeat(100_000), "x".repeat(100_000));
        let flow = sources.add("long.flow", text);
        let at = 9 + 200_000;
        let near = Span::new(flow, at, at + 5);
        let far = Span::new(flow, at + 50_000, at + 50_005);
        let whole = Span::new(flow, 9, 9 + 300_005);
        for (span, other) in [(near, far), (far, near), (whole, near), (near, near)] {
            let diagnostic =
                Diagnostic::new(&codes::SYNTAX, span, "x".repeat(100_000)).label("here").related(other, "there");
            let text = reports(&Screen::new(Format::Human), &sources, &[diagnostic]);
            assert!(text.len() < 20_000 && text.contains("long.flow:2:"), "{} bytes", text.len());
        }
        let diagnostic = Diagnostic::new(&codes::SYNTAX, near, "it is wrong").label("here");
        let text = reports(&Screen::new(Format::Human), &sources, &[diagnostic]);
        assert!(text.contains("long.flow:2:") && text.contains("wrong") && text.contains("here"), "{text}");
    }

    #[test]
    fn an_empty_file_and_the_end_of_a_file_can_be_blamed() {
        let mut sources = Sources::new();
        let empty = sources.add("empty.flow", "");
        let short = sources.add("short.flow", "zone");
        for (file, at) in [(empty, 0), (short, 4)] {
            let diagnostic = Diagnostic::new(&codes::SYNTAX, Span::new(file, at, at), "something is missing");
            let text = reports(&Screen::new(Format::Human), &sources, &[diagnostic]);
            assert!(text.contains("something is missing"), "{text}");
        }
    }
}
