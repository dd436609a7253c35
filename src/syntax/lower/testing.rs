//! Statements of tests.

use super::schema::path_value;
use super::{Lower, Pair};
use crate::syntax::ast::{Case, Cases, Expectation, Expr, TestStmt};
use crate::syntax::forms::Place;
use crate::syntax::grammar::Rule;

impl Lower<'_> {
    pub(super) fn test_body(&mut self, pair: Pair<'_>) -> Vec<TestStmt> {
        let mut stmts = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() == Rule::test_junk {
                self.junk(&part, Place::TestStatement);
                continue;
            }
            stmts.extend(self.test_stmt(part));
        }
        stmts
    }

    fn test_stmt(&mut self, pair: Pair<'_>) -> Option<TestStmt> {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::given_settings => pair.into_inner().next().map(|entries| TestStmt::Settings(self.entries(entries))),
            Rule::given_now => Some(TestStmt::Now(self.last_result(pair), span)),
            Rule::given => self.given(pair),
            Rule::cases => Some(TestStmt::Cases(self.cases(pair))),
            Rule::let_stmt => {
                let (path, value) = self.assignment(pair)?;
                Some(TestStmt::Let(path.parts.into_iter().next()?, value))
            }
            Rule::snapshot => Some(TestStmt::Snapshot(self.last_result(pair), span)),
            _ => {
                let mut parts = pair.into_inner();
                let value = self.expr(parts.next()?);
                let expectation = parts.next().map_or(Some(Expectation::Holds), |part| self.expectation(part));
                Some(TestStmt::Expect(value, expectation?, span))
            }
        }
    }

    fn cases(&mut self, pair: Pair<'_>) -> Cases {
        let span = self.span(&pair);
        let (mut columns, mut rows) = (Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::params => columns = self.params(part),
                _ => {
                    for row in part.into_inner() {
                        match row.as_rule() {
                            Rule::case => rows.push(self.case(row)),
                            _ => self.junk(&row, Place::Case),
                        }
                    }
                }
            }
        }
        Cases { columns, rows, span }
    }

    fn case(&mut self, pair: Pair<'_>) -> Case {
        let span = self.span(&pair);
        let (mut name, mut cells) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => name = Some(self.text(part)),
                _ => cells.push(self.expr(part)),
            }
        }
        Case { name, cells, span }
    }

    fn expectation(&mut self, pair: Pair<'_>) -> Option<Expectation> {
        if pair.as_rule() == Rule::writes {
            let what = pair.into_inner().next()?;
            return Some(match what.as_rule() {
                Rule::nothing => Expectation::WritesNothing,
                _ => Expectation::Writes(self.paths(what)),
            });
        }
        let word = pair.clone().into_inner().next()?;
        let why = self.last_result(pair);
        Some(match word.as_str() {
            "fails" => Expectation::Fails(why),
            "waits" => Expectation::Waits(why),
            "skips" => Expectation::Skips(why),
            _ => Expectation::Alerts(why),
        })
    }

    fn given(&mut self, pair: Pair<'_>) -> Option<TestStmt> {
        let span = self.span(&pair);
        let (mut name, mut entity, mut file, mut fields) = (None, None, None, Vec::new());
        let (mut linked, mut linked_as) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::given_name => name = part.into_inner().next().map(|word| self.name(&word)),
                Rule::path => entity = Some(self.path(part)),
                Rule::record => {
                    fields = self.record(part).into_iter().map(|(path, value)| (path_value(path), value)).collect();
                }
                Rule::linked_to => {
                    let (by, to): (Vec<_>, Vec<_>) = part.into_inner().partition(|p| p.as_rule() == Rule::linked_as);
                    linked = to.into_iter().last().map(|to| self.result(to));
                    linked_as = by.into_iter().last().map(|by| self.last_result(by));
                }
                _ => {
                    for inner in part.into_inner() {
                        match inner.as_rule() {
                            Rule::text => file = Some(self.text(inner)),
                            _ => fields.extend(self.given_with(inner)),
                        }
                    }
                }
            }
        }
        Some(TestStmt::Given { name, entity: entity?, file, fields, linked, linked_as, span })
    }

    /// `line_items[0].sku = "GONE"`
    fn given_with(&mut self, pair: Pair<'_>) -> Option<(Expr, Expr)> {
        let (mut place, mut value) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::value => place = Some(self.result(part)),
                Rule::slip_assign => self.slip(&part, "=", "a value is given with `=`"),
                _ => value = Some(self.result(part)),
            }
        }
        Some((place?, value?))
    }
}
