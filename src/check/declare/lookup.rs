//! Decision tables: their rows, which go before which, and what is left open.

use crate::check::declare::rows::{RowIndex, is_single};
use crate::check::infer::coverage::{is_closed, is_reached, uncovered};
use crate::check::infer::frame::{Infer, constant_of};
use crate::check::infer::patterns::is_any;
use crate::check::resolve::checker::Changed;
use crate::check::resolve::checker::Checker;
use crate::check::resolve::instances::InstanceId;
use crate::ir::{Expr, Grows, LookupId, Pattern, Row, Type};
use crate::limits;
use crate::source::{Diagnostic, codes};
use crate::syntax::ast::{self, LookupRows, PatternKind};
use rustc_hash::FxHashSet;
use std::sync::Arc;

impl Checker<'_> {
    /// Reads the rows of a lookup, and those that projects add.
    pub(crate) fn read_lookup(&mut self, instance: InstanceId, id: LookupId, lookup: &ast::Lookup) {
        let (keys, result) = {
            let head = self.program.lookup(id);
            (head.keys.clone(), head.result.clone())
        };
        let mut rows = match &lookup.rows {
            LookupRows::Here(rows) => self.rows(instance, &keys, &result, rows),
            LookupRows::Csv(file) => {
                let (rows, path) = self.csv_rows(&keys, &result, file);
                if let Some(path) = path {
                    self.program.lookups[id.0 as usize].grows = Grows::Csv(path.display().to_string().into());
                }
                rows
            }
        };
        self.add_rows(instance, lookup, &mut rows, (&keys, &result));
        if self.order(&mut rows, &keys, &lookup.name) {
            self.shadowed(&rows, &keys);
        }
        self.open_values(&rows, &keys, &lookup.name);
        self.program.lookups[id.0 as usize].rows = rows;
    }

    /// The rows that projects add. One with the same cells takes the other's place; of two that are added nobody could say
    /// which does.
    fn add_rows(
        &mut self,
        instance: InstanceId,
        lookup: &ast::Lookup,
        rows: &mut Vec<Row>,
        (keys, result): (&[(Arc<str>, Type)], &Type),
    ) {
        let more = self.lookup_rows.get(&(instance, lookup.name.text.to_string())).cloned().unwrap_or_default();
        let of: Arc<str> = format!("{}.{}", self.instance(instance).name, lookup.name.text).into();
        let mut added: Vec<Row> = Vec::new();
        for (by, more) in more {
            for row in self.rows(by, keys, result, &more) {
                if let Some(before) = added.iter().find(|before| before.cells == row.cells) {
                    self.report(
                        Diagnostic::new(&codes::ADAPT_TWICE, row.span, "a row with these cells is added twice")
                            .label("again here")
                            .related(before.span, "added here first")
                            .help("keep one of the two; the order of files decides nothing"),
                    );
                    continue;
                }
                let displaced = rows.iter().find(|own| own.cells == row.cells);
                if let Some(own) = displaced
                    .filter(|own| constant_of(&own.value).is_some_and(|value| Some(value) == constant_of(&row.value)))
                {
                    self.changes_nothing(row.span, own.span);
                }
                let displaced = displaced.map(|own| own.span);
                let text = self.modules.sources.text(row.span);
                let what = text.split("=>").next().unwrap_or_default().trim().to_owned();
                let (of, kind) = (Arc::clone(&of), "lookup");
                self.note_change(Changed { of, kind, what, at: row.span, displaced, removed: false });
                added.push(row);
            }
        }
        let same: FxHashSet<&[Pattern]> = added.iter().map(|row| &*row.cells).collect();
        rows.retain(|row| !same.contains(&*row.cells));
        rows.extend(added);
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
        let mut body = Infer::new(self, inside);
        let lowered = body.expr_for("the value of a row", value, result);
        body.coerce(lowered, result, "the value of a row")
    }

    /// Values of closed keys that no row takes: in all their combinations, or, beside keys that nobody can list, each by itself.
    fn open_values(&mut self, rows: &[Row], keys: &[(Arc<str>, Type)], name: &ast::Name) {
        if keys.iter().all(|(_, ty)| is_closed(ty)) {
            let cells: Vec<&[Pattern]> = rows.iter().map(|row| &*row.cells).collect();
            return self.no_row_for(&cells, keys, name);
        }
        // A table without rows waits for those of a project.
        if rows.is_empty() {
            return;
        }
        for (n, key) in keys.iter().enumerate().filter(|(_, (_, ty))| is_closed(ty)) {
            let cells: Vec<&[Pattern]> = rows.iter().filter_map(|row| row.cells.get(n..=n)).collect();
            self.no_row_for(&cells, std::slice::from_ref(key), name);
        }
    }

    fn no_row_for(&mut self, cells: &[&[Pattern]], keys: &[(Arc<str>, Type)], name: &ast::Name) {
        let types: Vec<&Type> = keys.iter().map(|(_, ty)| ty).collect();
        let open = uncovered(&types, cells);
        if !open.is_empty() {
            let keys: Vec<String> = keys.iter().map(|(key, _)| format!("`{key}`")).collect();
            let between = if keys.len() == 1 { ", " } else { "; " };
            let message = format!("`{}` has no row for {} of {}", name.text, open.join(between), keys.join(", "));
            self.say(&codes::LOOKUP_NOT_COVERED, name.span, message, "add a row for it, or `else => …`");
        }
    }

    /// Rows to which narrower ones of the same file leave nothing; `rows` stand in the order in which they decide.
    fn shadowed(&mut self, rows: &[Row], keys: &[(Arc<str>, Type)]) {
        let types: Vec<&Type> = keys.iter().map(|(_, ty)| ty).collect();
        let mut compared = 0;
        for (n, row) in rows.iter().enumerate().filter(|(_, row)| !row.cells.iter().all(is_single)) {
            compared += n;
            if compared > limits::ROW_PAIRS_MAX {
                return;
            }
            let before: Vec<&[Pattern]> =
                rows[..n].iter().filter(|other| other.span.file == row.span.file).map(|row| &*row.cells).collect();
            if is_reached(&row.cells, &types, &before) {
                continue;
            }
            let others = if row.cells.iter().all(is_any) { "the others" } else { "narrower rows" };
            let d = Diagnostic::new(
                &codes::LOOKUP_ROW_UNREACHABLE,
                row.span,
                format!("this row is never reached: {others} take every value of it"),
            )
            .label("never reached")
            .help("delete it");
            self.report(d);
        }
    }
}
