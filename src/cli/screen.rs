//! The two streams: text for people, JSON for programs, colour only where a terminal wants it.

use clap::ValueEnum;
use std::borrow::Cow;
use std::io::{IsTerminal, Write};

/// Columns that every terminal has.
const OUT_COLUMNS: u16 = 80;

/// For whom a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// People: text on stderr and stdout.
    Human,
    /// Programs: one document, or one object a line.
    Json,
    /// Code hosts: SARIF 2.1.0, of `check` only.
    Sarif,
}

/// Where a command prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    format: Format,
    colour: bool,
    columns: usize,
}

impl Screen {
    /// Looks at the terminal once. `NO_COLOR`, set to anything, and a dumb terminal mean none.
    pub(crate) fn new(format: Format) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        let columns = terminal_size::terminal_size_of(std::io::stderr()).map_or(100, |(width, _)| usize::from(width.0));
        Self { format, colour: std::io::stderr().is_terminal() && !refused, columns: columns.clamp(60, 120) }
    }

    /// For whom.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// People's text on stderr may be coloured.
    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    /// Somebody watches: stderr is a terminal, and the answer is for people.
    pub(crate) fn watched(&self) -> bool {
        self.format == Format::Human && std::io::stderr().is_terminal()
    }

    /// Columns of people's text.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Columns of the answer: those of the terminal, or what fits anywhere.
    pub(crate) fn out_columns() -> u16 {
        terminal_size::terminal_size_of(std::io::stdout()).map_or(OUT_COLUMNS, |(width, _)| width.0.max(OUT_COLUMNS))
    }

    /// The answer itself, on stdout, with its line end.
    pub(crate) fn answer(text: &str) -> std::io::Result<()> {
        let text = harmless(text);
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    }

    /// Text for people, on stderr. A stderr that is closed is no reason to stop the work.
    pub(crate) fn tell(text: &str) {
        let text = harmless(text);
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = err.write_all(b"\n");
        }
    }

    /// Why the command could not do its work.
    pub(crate) fn complain(self, why: &str) {
        Self::tell(&format!("{}: {why}", self.paint("error", Paint::Red)));
    }

    /// A word in colour, where colour is wanted.
    pub(crate) fn paint(&self, text: &str, paint: Paint) -> String {
        if self.colour { format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code()) } else { text.to_owned() }
    }

    /// A bug of ours, in a sentence for whoever sees it and the place for us.
    pub(crate) fn bug(what: &str) {
        let what = what.replace('\n', " ");
        let _ = writeln!(
            std::io::stderr().lock(),
            "This is a bug of flowc, not of your flow: {what}. What was sent before it is in the journal, and the same \
             command goes on from there; please report this line."
        );
    }
}

/// Text without what would steer a terminal: words of a shop or a ledger are printed, and theirs to choose. Colours stay.
fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(steers) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let colour = rest.strip_prefix("\u{1b}[").and_then(|behind| {
            let end = behind.find(|c: char| !c.is_ascii_digit() && c != ';')?;
            behind[end..].starts_with('m').then_some("\u{1b}[".len() + end + 1)
        });
        let taken = colour.unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
        out.push_str(if colour.is_some() { &rest[..taken] } else { "\u{fffd}" });
        rest = &rest[taken..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The few colours in use.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paint {
    /// Errors, parked records.
    Red,
    /// Warnings, waiting records.
    Yellow,
    /// Done.
    Green,
    /// Headings.
    Bold,
    /// What matters less.
    Dim,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Red => "1;31",
            Self::Yellow => "33",
            Self::Green => "32",
            Self::Bold => "1",
            Self::Dim => "2",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn nothing_that_is_printed_steers_the_terminal() {
        assert_eq!(harmless("\u{1b}[1;31merror\u{1b}[0m: a\tb\n"), "\u{1b}[1;31merror\u{1b}[0m: a\tb\n");
        assert_eq!(
            harmless("X\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}1m\r"),
            "X\u{fffd}[2J\u{fffd}]0;title\u{fffd}\u{fffd}1m\u{fffd}"
        );
        assert_eq!(harmless("\u{1b}"), "\u{fffd}");
    }
}
