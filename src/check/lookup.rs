//! Decision tables: their rows, which go before which, and what is left open.

use super::body::{Body, constant_of};
use super::cx::{Cx, InstanceId, State};
use super::expr::uncovered;
use super::load::{Origin, Space};
use super::rows::RowIndex;
use crate::ir::{Const, Expr, Grows, Lookup, LookupId, Pattern, Row, Type};
use crate::source::{Diagnostic, codes};
use crate::syntax::ast::{self, LookupRows, PatternKind};
use std::collections::HashSet;
use std::sync::Arc;

impl Cx<'_> {
    /// The lookup of that name of an instance, its rows read, or being read further up.
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
            grows: if self.modules.get(module).origin == Origin::Project { Grows::Here } else { Grows::Adapted },
            span: lookup.name.span,
        });
        self.lookup_states.push(State::Reading);
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
        for (by, more) in self.lookup_rows.get(&(instance, name.to_owned())).cloned().unwrap_or_default() {
            let more = self.rows(by, &keys, &result, &more);
            // A row with the same patterns takes the other's place.
            let same: HashSet<&[Pattern]> = more.iter().map(|row| &*row.cells).collect();
            rows.retain(|row| !same.contains(&*row.cells));
            rows.extend(more);
        }
        self.order(&mut rows, &keys, &lookup.name);
        self.open_values(&rows, &keys, &lookup.name);
        self.program.lookups[id.0 as usize].rows = rows;
        self.lookup_states[id.0 as usize] = State::Read;
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
                if wanted == Type::Json {
                    let message = "JSON is compared with nothing: it has whatever form its sender gave it";
                    self.say(
                        &codes::TYPE_MISMATCH,
                        pattern.span,
                        message,
                        "`match x?.text() { … }` takes the text of it",
                    );
                    return Pattern::OneOf(Vec::new());
                }
                let lowered = body.expr_for("this cell", e, &wanted);
                let value = body.accept(lowered, &wanted, "this cell");
                match constant_of(&value) {
                    Some(c) => pattern_of(c, &wanted),
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
}

/// A cell that holds a value. A text that ends with a star takes all texts that begin with what stands before it.
pub(crate) fn pattern_of(value: Const, ty: &Type) -> Pattern {
    if let (Const::Text(text), Type::Text(_)) = (&value, ty.present())
        && let Some(prefix) = text.strip_suffix('*').filter(|prefix| !prefix.is_empty())
    {
        return Pattern::Prefix(prefix.into());
    }
    Pattern::OneOf(vec![value])
}
