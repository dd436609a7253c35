//! Decision tables: their rows, which go before which, and what is left open.

use super::body::{Body, constant_of};
use super::cx::{Cx, InstanceId};
use super::expr::uncovered;
use super::load::Space;
use super::rows::RowIndex;
use crate::ir::{Const, Expr, ExprKind, Lookup, LookupId, Pattern, Row, Type};
use crate::limits;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, LookupRows, PatternKind};
use std::path::Path;
use std::sync::Arc;

impl Cx<'_> {
    /// The lookup of that name of an instance, its rows read.
    pub(crate) fn lookup_named(&mut self, instance: InstanceId, name: &str) -> Option<LookupId> {
        self.mark_used(instance, "lookup", name);
        if let Some(id) = self.lookups.get(&(instance, name.to_owned())) {
            return Some(*id);
        }
        let module = self.module_of(instance);
        let decl = self.modules.named(module, Space::Lookup, name).into_iter().next()?;
        let ast::DeclKind::Lookup(lookup) = &decl.kind else { return None };
        let id = LookupId(u32::try_from(self.program.lookups.len()).unwrap_or(u32::MAX));
        self.lookups.insert((instance, name.to_owned()), id);
        let keys: Vec<(Arc<str>, Type)> =
            lookup.keys.iter().map(|k| (Arc::clone(&k.name.text), self.type_of(instance, &k.ty))).collect();
        let result = self.type_of(instance, &lookup.result);
        let full = format!("{}.{name}", self.instance(instance).name);
        self.program.lookups.push(Lookup {
            name: full.into(),
            keys: keys.clone(),
            result: result.clone(),
            rows: Vec::new(),
            span: lookup.name.span,
        });
        let mut rows = match &lookup.rows {
            LookupRows::Here(rows) => self.rows(instance, &keys, &result, rows),
            LookupRows::Csv(file) => self.csv_rows(&keys, &result, file),
        };
        for (by, more) in self.lookup_rows.get(&(instance, name.to_owned())).cloned().unwrap_or_default() {
            for row in self.rows(by, &keys, &result, &more) {
                // A row with the same patterns takes the other's place.
                rows.retain(|r| r.cells != row.cells);
                rows.push(row);
            }
        }
        self.order(&mut rows, name);
        self.open_values(&rows, &keys, &lookup.name);
        self.program.lookups[id.0 as usize].rows = rows;
        Some(id)
    }

    fn rows(&mut self, inside: InstanceId, keys: &[(Arc<str>, Type)], result: &Type, rows: &[ast::Row]) -> Vec<Row> {
        let mut made: Vec<Row> = Vec::new();
        let mut index = RowIndex::default();
        for row in rows {
            let otherwise = matches!(row.cells.as_slice(), [ast::Pattern { kind: PatternKind::Else, .. }]);
            if !otherwise && row.cells.len() != keys.len() {
                let names: Vec<&str> = keys.iter().map(|(n, _)| &**n).collect();
                let message = format!(
                    "this row has {} cells; the lookup has {} keys: {}",
                    row.cells.len(),
                    keys.len(),
                    names.join(", ")
                );
                self.report(
                    Diagnostic::new(&codes::LOOKUP_ROW_SHAPE, row.span, message)
                        .label("more or fewer cells than keys")
                        .help("write a cell for each key, `_` for any"),
                );
                continue;
            }
            let cells: Vec<Pattern> = if otherwise {
                vec![Pattern::Any; keys.len()]
            } else {
                row.cells.iter().zip(keys).map(|(cell, (_, ty))| self.pattern(inside, cell, ty)).collect()
            };
            if let Some(before) = index.taken(&cells, made.len()).map(|n| &made[n]) {
                let d = Diagnostic::new(
                    &codes::LOOKUP_ROW_UNREACHABLE,
                    row.span,
                    "this row is never reached: another has the same cells",
                )
                .label("never reached")
                .related(before.span, "the other row")
                .help("delete one of the two");
                self.report(d);
                continue;
            }
            let value = self.row_value(inside, &row.value, result);
            made.push(Row { cells, value, span: row.span });
        }
        made
    }

    fn row_value(&mut self, inside: InstanceId, value: &ast::Expr, result: &Type) -> Expr {
        let mut body = Body::new(self, inside);
        let lowered = body.expr_for("the value of a row", value, result);
        body.accept(lowered, result, "the value of a row")
    }

    /// What a cell or an arm takes.
    pub(crate) fn pattern(&mut self, inside: InstanceId, pattern: &ast::Pattern, ty: &Type) -> Pattern {
        match &pattern.kind {
            PatternKind::Any | PatternKind::Else => Pattern::Any,
            PatternKind::None => {
                if !ty.is_optional() && !matches!(ty, Type::Unknown) {
                    let message = format!("`none` never comes here: the key is {}", self.show(ty));
                    self.say(
                        &codes::LOOKUP_ROW_UNREACHABLE,
                        pattern.span,
                        message,
                        "delete it, or let the type be optional",
                    );
                }
                Pattern::Absent
            }
            PatternKind::Group(name) => {
                if &*name.text != "eu" {
                    self.say(
                        &codes::UNKNOWN_NAME,
                        name.span,
                        format!("there is no group of countries `{}`", name.text),
                        "groups are: `eu`",
                    );
                }
                if !matches!(ty.present(), Type::Country | Type::Unknown) {
                    let message = format!("`in {}` is a group of countries; the key is {}", name.text, self.show(ty));
                    self.say(&codes::TYPE_MISMATCH, pattern.span, message, "groups stand in columns of countries only");
                }
                Pattern::Group(Arc::clone(&name.text))
            }
            PatternKind::Either(list) => {
                let list: Vec<Pattern> = list.iter().map(|p| self.pattern(inside, p, ty)).collect();
                if list.iter().all(|p| matches!(p, Pattern::OneOf(_))) {
                    Pattern::OneOf(
                        list.into_iter().flat_map(|p| if let Pattern::OneOf(c) = p { c } else { Vec::new() }).collect(),
                    )
                } else {
                    Pattern::Either(list)
                }
            }
            PatternKind::Value(e) => {
                let mut body = Body::new(self, inside);
                let wanted = ty.present().clone();
                let lowered = body.expr_for("this cell", e, &wanted);
                let value = body.accept(lowered, &wanted, "this cell");
                match constant_of(&value) {
                    Some(c) => Pattern::OneOf(vec![c]),
                    None => {
                        if value.ty != Type::Unknown {
                            self.say(
                                &codes::LOOKUP_ROW_SHAPE,
                                pattern.span,
                                "a cell holds a value that is known before anything runs",
                                "write a text, a number, a rate, `yes` or `no`",
                            );
                        }
                        Pattern::OneOf(Vec::new())
                    }
                }
            }
        }
    }

    fn open_values(&mut self, rows: &[Row], keys: &[(Arc<str>, Type)], name: &ast::Name) {
        let [(key, ty)] = keys else { return };
        let (general, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|r| r.cells == [Pattern::Any]);
        let rest: Vec<Pattern> = rest.iter().filter_map(|r| r.cells.first().cloned()).collect();
        if let Some(last) = general.first()
            && *ty != Type::Unknown
            && uncovered(ty, &rest).is_empty()
        {
            let d = Diagnostic::new(
                &codes::LOOKUP_ROW_UNREACHABLE,
                last.span,
                "this row is never reached: the others take every value",
            )
            .label("never reached")
            .help("delete it");
            self.report(d);
        }
        if !matches!(ty.present(), Type::Enum(e) if !e.open) && !matches!(ty.present(), Type::Bool) {
            return;
        }
        let cells: Vec<Pattern> = rows.iter().filter_map(|r| r.cells.first().cloned()).collect();
        let open = uncovered(ty, &cells);
        if !open.is_empty() {
            let message = format!("`{}` has no row for {} of `{key}`", name.text, open.join(", "));
            self.say(&codes::LOOKUP_NOT_COVERED, name.span, message, "add a row for it, or `else => …`");
        }
    }

    /// `from csv "file"`: a column a key and one for the value, the first line names them.
    fn csv_rows(&mut self, keys: &[(Arc<str>, Type)], result: &Type, file: &ast::Text) -> Vec<Row> {
        let folder = self.modules.sources.get(file.span.file).path.parent().map(Path::to_path_buf).unwrap_or_default();
        let text = self.modules.text_beside(&folder, &file.value);
        let text = match text {
            Ok(text) => text,
            Err(e) => {
                self.say(
                    &codes::LOOKUP_CSV,
                    file.span,
                    format!("the table \"{}\" can't be read: {e}", file.value),
                    "paths are relative to the flow file; a project's file of the same name wins",
                );
                return Vec::new();
            }
        };
        let source = self.modules.sources.add(folder.join(&*file.value), text.as_str());
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
                        format!("the table \"{}\" is no CSV: {e}", file.value),
                        "a line a row, columns divided by commas, texts with commas in double quotes",
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
            let cells: Vec<Pattern> =
                keys.iter().enumerate().map(|(n, (_, ty))| self.csv_cell(&record[n], ty, span)).collect();
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

    fn csv_cell(&mut self, text: &str, ty: &Type, span: Span) -> Pattern {
        match text {
            "_" | "*" => Pattern::Any,
            "" => Pattern::Absent,
            _ => constant_of(&self.csv_value(text, ty, span))
                .map_or(Pattern::OneOf(Vec::new()), |c| Pattern::OneOf(vec![c])),
        }
    }

    fn no_cell(&mut self, text: &str, ty: &Type, span: Span, help: &str) -> Expr {
        let message = format!("`{text}` is not {}", self.show(ty));
        self.say(&codes::LOOKUP_CSV, span, message, help);
        Body::unknown(span)
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
            t if t.is_number() => match text.trim_end_matches('%').trim().parse::<rust_decimal::Decimal>() {
                Ok(n) if *t != Type::Int || n.fract().is_zero() => made(Const::Number(n)),
                _ => self.no_cell(text, ty, span, "numbers have a point and no thousands sign"),
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
            Type::Instant | Type::Duration | Type::Price | Type::List(_) | Type::Record(_) => {
                self.no_cell(text, ty, span, "a column holds texts, codes, numbers, dates, `yes` or `no`")
            }
            t => {
                let t = t.clone();
                let instance = InstanceId(0);
                let place = super::fits::Place { what: "this column".into(), declared: None, length_at_run: true };
                let value = Body::new(self, instance).literal_text(&text.into(), &t, span, &place);
                Expr { ty: ty.clone(), ..value }
            }
        }
    }
}
