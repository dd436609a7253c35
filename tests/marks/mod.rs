//! What a corpus file expects of itself: `#! CODE part of the message` at the end of a line says what is told about that
//! line. A line can't bear a mark where the mistake is at its very end; `#!^ CODE …` on a line of its own speaks of the
//! line above it. Parts that are all told are divided by ` && `. `#!@file.csv:3 CODE …` speaks of a line of another file, which can bear no marks itself.

use std::fmt::Write as _;

/// A mark: the file's last part where it is another one, its line, and what is told there.
pub(crate) struct Mark {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) code: String,
    pub(crate) part: String,
}

/// Something that was told.
pub(crate) struct Told {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) rest: String,
}

/// The marks of a file that is called so.
pub(crate) fn marks(file: &str, text: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for mark in line.split("#!").skip(1) {
            let mut place = (file.to_owned(), n + 1);
            let mut mark = mark;
            if let Some(rest) = mark.strip_prefix('^') {
                (place.1, mark) = (n, rest);
            } else if let Some((at, rest)) = mark.strip_prefix('@').and_then(|m| m.split_once(' ')) {
                let (other, line) = at.rsplit_once(':').expect("a mark on another file names its line");
                (place, mark) = ((other.to_owned(), line.parse().expect("a line is a number")), rest);
            }
            let (code, part) = mark.trim().split_once(' ').unwrap_or((mark.trim(), ""));
            marks.push(Mark { file: place.0, line: place.1, code: code.to_owned(), part: part.trim().to_owned() });
        }
    }
    marks
}

/// Both ways: nothing missing, nothing more. What is wrong, a line each; empty when all is as marked.
pub(crate) fn compare(marks: Vec<Mark>, mut told: Vec<Told>) -> String {
    let mut wrong = String::new();
    for mark in marks {
        let fits = |t: &Told| {
            // Lines of what ships move: 0 is any.
            let at = t.file.ends_with(&mark.file) && (t.line == mark.line || mark.line == 0);
            let told = |part: &str| [&t.message, &t.rest].iter().any(|text| text.contains(part));
            at && t.code == mark.code && mark.part.split(" && ").all(told)
        };
        match told.iter().position(fits) {
            Some(n) => drop(told.remove(n)),
            None => writeln!(wrong, "missing: {}:{}: {} {}", mark.file, mark.line, mark.code, mark.part)
                .expect("a text can be written to"),
        }
    }
    for t in told {
        writeln!(wrong, "unexpected: {}:{}: {} {} {}", t.file, t.line, t.code, t.message, t.rest)
            .expect("a text can be written to");
    }
    wrong
}
