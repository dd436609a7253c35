//! The rows of a lookup that stand in a CSV file.

use crate::check::declare::rows::RowIndex;
use crate::check::infer::frame::{Infer, constant_of};
use crate::check::infer::patterns::pattern_of;
use crate::check::resolve::checker::Checker;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::paths::leads_down;
use crate::ir::{Const, Expr, ExprKind, Pattern, Row, Type};
use crate::limits;
use crate::source::{Diagnostic, FileId, Span, codes, library};
use crate::syntax::ast;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Checker<'_> {
    /// `from csv "file"`: a column a key and one for the value, the first line names them.
    pub(crate) fn csv_rows(
        &mut self,
        keys: &[(Arc<str>, Type)],
        result: &Type,
        file: &ast::Text,
    ) -> (Vec<Row>, Option<PathBuf>) {
        if !leads_down(Path::new(&*file.value)) {
            self.say(
                &codes::LOOKUP_CSV,
                file.span,
                format!("the path \"{}\" leads out of the folder", file.value),
                "keep the table in the project's folder, and name it by its path from there or from the flow file",
            );
            return (Vec::new(), None);
        }
        let folder = self.modules.sources.get(file.span.file).path.parent().map(Path::to_path_buf).unwrap_or_default();
        let (path, text) = match self.modules.text_beside(&folder, &file.value) {
            Ok(found) => found,
            Err(e) => {
                self.say(
                    &codes::LOOKUP_CSV,
                    file.span,
                    format!("the table \"{}\" can't be read: {e}", file.value),
                    "paths are relative to the flow file; a project's file of the same name wins",
                );
                return (Vec::new(), None);
            }
        };
        let source = match &path {
            Some(own) => self.modules.sources.add(own, text.as_str()),
            None => self.modules.sources.add_default(Path::new(library::DATA_FOLDER).join(&*file.value), text.as_str()),
        };
        (self.rows_of(source, &text, keys, result, file), path)
    }

    fn rows_of(
        &mut self,
        source: FileId,
        text: &str,
        keys: &[(Arc<str>, Type)],
        result: &Type,
        file: &ast::Text,
    ) -> Vec<Row> {
        let header = text.lines().next().unwrap_or_default();
        if !keys.is_empty() && header.contains(';') && !header.contains(',') {
            self.say(
                &codes::LOOKUP_CSV,
                Span::new(source, 0, header.len()),
                "the columns of this file are separated by semicolons",
                "separate them with commas, in every line; a text with a comma in it stands in double quotes",
            );
            return Vec::new();
        }
        if !self.csv_is_whole(source, text, keys) {
            return Vec::new();
        }
        let mut rows: Vec<Row> = Vec::new();
        let mut index = RowIndex::default();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(true)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(e) => {
                    self.say(
                        &codes::LOOKUP_CSV,
                        file.span,
                        format!("the table \"{}\" is not CSV: {e}", file.value),
                        "a line a row, columns separated by commas, texts with commas in double quotes",
                    );
                    return rows;
                }
            };
            let start = record.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or(0));
            let length = text[start.min(text.len())..].find('\n').unwrap_or(text.len() - start.min(text.len()));
            let span = Span::new(source, start, start + length);
            if rows.len() >= limits::LOOKUP_ROWS_MAX {
                self.say(
                    &codes::LOOKUP_CSV,
                    file.span,
                    format!("the table has more than {} rows", limits::LOOKUP_ROWS_MAX),
                    "keep a table that large in one of the systems",
                );
                return rows;
            }
            if record.len() != keys.len() + 1 {
                let message =
                    format!("this row has {} columns; the lookup has {} keys and a value", record.len(), keys.len());
                self.say(&codes::LOOKUP_CSV, span, message, "write a column for each key and one for the value");
                continue;
            }
            let quoted = quoted(&text[start.min(text.len())..], record.len());
            let cells: Vec<Pattern> =
                keys.iter().enumerate().map(|(n, (_, ty))| self.csv_cell((&record[n], quoted[n]), ty, span)).collect();
            let value = self.csv_value(&record[keys.len()], result, span);
            if let Some(before) = index.taken(&cells, rows.len()) {
                let d = Diagnostic::new(
                    &codes::LOOKUP_ROW_UNREACHABLE,
                    span,
                    "this row is never reached: another has the same keys",
                )
                .related(rows[before].span, "the other row")
                .help("delete one of the two");
                self.report(d);
                continue;
            }
            rows.push(Row { cells, value, span });
        }
        rows
    }

    /// Whether the file is divided as it seems: each quote is closed, and its first line names the keys in their order.
    fn csv_is_whole(&mut self, source: FileId, text: &str, keys: &[(Arc<str>, Type)]) -> bool {
        if text.bytes().filter(|b| *b == b'"').count() % 2 == 1 {
            let (mut open, mut start, mut at) = (false, 0, 0);
            for line in text.split_inclusive('\n') {
                if line.bytes().filter(|b| *b == b'"').count() % 2 == 1 {
                    (open, start) = (!open, if open { start } else { at });
                }
                at += line.len();
            }
            let end = text[start..].find('\n').map_or(text.len(), |end| start + end);
            let message = "a quote is opened here and never closed";
            self.say(
                &codes::LOOKUP_CSV,
                Span::new(source, start, end),
                message,
                "write the second quote; a quote within a text is written twice",
            );
            return false;
        }
        let header = text.lines().next().unwrap_or_default();
        let named: Vec<&str> = header.split(',').map(|name| name.trim().trim_matches('"')).collect();
        let right = named.len() == keys.len() + 1
            && named.iter().zip(keys).all(|(named, (key, _))| named.eq_ignore_ascii_case(key));
        if !right {
            let names: Vec<&str> = keys.iter().map(|(name, _)| &**name).collect();
            let message =
                format!("the first line of a table names its columns: {}, and one for the value", names.join(", "));
            let help =
                format!("write `{},code` above the rows, and the columns of all rows in this order", names.join(","));
            self.say(&codes::LOOKUP_CSV, Span::new(source, 0, header.len()), message, &help);
        }
        right
    }

    /// `_` takes anything and an empty cell nothing; in quotes `_` is the text that it is.
    fn csv_cell(&mut self, (text, quoted): (&str, bool), ty: &Type, span: Span) -> Pattern {
        match text {
            "_" | "*" if !quoted => Pattern::Any,
            "" => Pattern::Absent,
            word if (word == "else" || word.starts_with("in ")) && !matches!(ty.present(), Type::Text(_)) => {
                self.say(
                    &codes::LOOKUP_CSV,
                    span,
                    format!("`{word}` is not a cell of a file"),
                    "a cell of a file is one value, `_` for any, or empty for none; a row of a group is added by `adapt lookup`",
                );
                Pattern::OneOf(Vec::new())
            }
            _ => constant_of(&self.csv_value(text, ty, span)).map_or(Pattern::OneOf(Vec::new()), |c| pattern_of(c, ty)),
        }
    }

    fn no_cell(&mut self, text: &str, ty: &Type, span: Span, help: &str) -> Expr {
        let message = format!("`{text}` is not {}", self.show(ty));
        self.say(&codes::LOOKUP_CSV, span, message, help);
        Infer::unknown(span)
    }

    /// A value of a CSV file, read as its column's type.
    fn csv_value(&mut self, text: &str, ty: &Type, span: Span) -> Expr {
        let made = |c: Const| Expr { kind: ExprKind::Const(c), ty: ty.clone(), span };
        if text.is_empty() {
            if !ty.is_optional() {
                self.say(&codes::LOOKUP_CSV, span, "this row has no value", "write it, or delete the row");
            }
            return made(Const::Absent);
        }
        match ty.present() {
            Type::Percent if is_fraction(text) => {
                let message = format!("`{text}` could be a fraction or a rate in percent");
                self.say(&codes::LOOKUP_CSV, span, message, "write the sign: `20%`, or `0.2%`");
                Infer::unknown(span)
            }
            t if t.is_number() => match plain_number(text, *t == Type::Percent) {
                Some(n) if *t != Type::Int || n.fract().is_zero() => made(Const::Number(n)),
                _ => self.no_cell(text, ty, span, "write numbers with a point and without a thousands separator"),
            },
            Type::Bool => match text {
                "yes" | "true" | "1" => made(Const::Bool(true)),
                "no" | "false" | "0" => made(Const::Bool(false)),
                _ => self.no_cell(text, ty, span, "write `yes` or `no`"),
            },
            Type::Date => match text.parse() {
                Ok(date) => made(Const::Date(date)),
                Err(_) => self.no_cell(text, ty, span, "a date is written year-month-day, as 2026-01-31"),
            },
            Type::Text(Some(max)) if text.chars().count() > *max as usize => {
                self.no_cell(text, ty, span, "write a shorter text")
            }
            Type::Instant | Type::Duration | Type::Price | Type::Entered(..) | Type::List(_) | Type::Record(_) => {
                self.no_cell(text, ty, span, "a column holds texts, codes, numbers, dates, `yes` or `no`")
            }
            t => {
                let t = t.clone();
                let instance = InstanceId(0);
                let place = crate::check::infer::coerce::Wanted {
                    what: "this column".into(),
                    declared: None,
                    length_at_run: true,
                    ..Default::default()
                };
                let value = Infer::new(self, instance).literal_text(&text.into(), &t, span, &place);
                Expr { ty: ty.clone(), ..value }
            }
        }
    }
}

/// Which of the columns of the row that begins here stand in quotes.
pub(crate) fn quoted(row: &str, columns: usize) -> Vec<bool> {
    let (mut cells, mut open, mut fresh) = (Vec::with_capacity(columns), false, true);
    for c in row.chars() {
        match c {
            '\n' if !open => break,
            ',' if !open => {
                if fresh {
                    cells.push(false);
                }
                fresh = true;
            }
            c if fresh && !c.is_whitespace() => {
                cells.push(c == '"');
                fresh = false;
            }
            _ => {}
        }
        if c == '"' {
            open = !open;
        }
    }
    cells.resize(columns, false);
    cells
}

/// A number in digits, with a point and a sign at most, and the sign of a rate where it is one.
pub(crate) fn plain_number(text: &str, is_rate: bool) -> Option<rust_decimal::Decimal> {
    let digits = if is_rate { text.trim_end_matches('%').trim_end() } else { text };
    let plain = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    digits.chars().all(plain).then(|| digits.parse().ok()).flatten()
}

/// `0.20` as a rate: 20 % as a spreadsheet has it, or a fifth of a percent.
fn is_fraction(text: &str) -> bool {
    text.parse::<rust_decimal::Decimal>().is_ok_and(|n| !n.is_zero() && n.abs() < rust_decimal::Decimal::ONE)
}
