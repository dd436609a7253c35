//! Statements of mappings, parts and flows.

use super::{Lower, Pair};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{
    Balance, Expr, ExprKind, FlowStmt, FlowStmtKind, Header, Key, KeyField, OnChange, Rest, Stmt, StmtKind, Text, Verb,
};
use crate::syntax::forms::Place;
use crate::syntax::grammar::Rule;

impl Lower<'_> {
    pub(super) fn body(&mut self, pair: Pair<'_>) -> Vec<Stmt> {
        let mut stmts = Vec::new();
        for part in pair.into_inner() {
            let span = self.span(&part);
            if part.as_rule() == Rule::stmt_junk {
                self.junk(&part, Place::Statement);
                continue;
            }
            let sealed = part.as_rule() == Rule::sealed_stmt;
            let inner = if sealed { part.into_inner().next() } else { Some(part) };
            stmts.extend(inner.and_then(|inner| self.stmt(inner)).map(|kind| Stmt { kind, sealed, span }));
        }
        stmts
    }

    fn stmt(&mut self, pair: Pair<'_>) -> Option<StmtKind> {
        match pair.as_rule() {
            Rule::assign => self.assignment(pair).map(|(path, value)| StmtKind::Assign(path, value)),
            Rule::header => self.header(pair).map(StmtKind::Header),
            Rule::create_unless => Some(StmtKind::CreateUnless(self.last_result(pair))),
            Rule::delete => self.delete(pair),
            Rule::accept => Some(StmtKind::Accept(self.last_result(pair))),
            Rule::prefer => self.prefer(pair),
            Rule::overwrite => self.overwrite(pair),
            Rule::on_change => self.on_change(pair).map(StmtKind::OnChange),
            Rule::on_create => pair.into_inner().next().map(|body| StmtKind::OnCreate(self.body(body))),
            Rule::on_update => Some(self.on_update(pair)),
            Rule::include => Some(StmtKind::Include(self.last_result(pair))),
            Rule::let_stmt => self
                .assignment(pair)
                .and_then(|(path, value)| Some(StmtKind::Let(path.parts.into_iter().next()?, value))),
            Rule::check => self.check(pair).map(|(cond, otherwise)| StmtKind::Check(cond, otherwise)),
            Rule::balance => self.balance(pair).map(|balance| StmtKind::Balance(Box::new(balance))),
            Rule::then_write => Some(StmtKind::Then(self.last_result(pair))),
            Rule::set_stmt | Rule::add_stmt | Rule::remove_stmt => self.change(pair),
            _ => None,
        }
    }

    /// `set`, `add`, `remove`: of an `adapt`, or of what a declaration includes.
    fn change(&mut self, pair: Pair<'_>) -> Option<StmtKind> {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        if !self.adapting && rule == Rule::add_stmt {
            self.report(
                Diagnostic::new(&codes::MISPLACED, span, "`add` fills what comes from elsewhere, and this is your own")
                    .label("nothing to add to")
                    .help("write `Field = value`, without a word before it"),
            );
        }
        if rule == Rule::remove_stmt {
            return pair.into_inner().next().map(|path| StmtKind::Remove(self.path(path)));
        }
        let (path, value) = self.assignment(pair)?;
        Some(if rule == Rule::set_stmt { StmtKind::Set(path, value) } else { StmtKind::Add(path, value) })
    }

    fn header(&mut self, pair: Pair<'_>) -> Option<Header> {
        let (mut verb, mut keys, mut otherwise) = (None, Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::verb => {
                    verb = part.into_inner().next().map(|verb| match verb.as_rule() {
                        Rule::verb_once => Verb::CreateOnce,
                        Rule::verb_upsert => Verb::Upsert,
                        _ => Verb::Update,
                    });
                }
                Rule::else_action => otherwise = self.else_action(part),
                _ => keys.push(self.key(part)),
            }
        }
        Some(Header { verb: verb?, keys, otherwise })
    }

    fn key(&mut self, pair: Pair<'_>) -> Key {
        match pair.as_rule() {
            Rule::key_linked => Key::Linked(self.last_result(pair)),
            Rule::key_itself => Key::Itself(self.span(&pair)),
            _ => {
                let mut fields = Vec::new();
                for field in pair.into_inner() {
                    let mut parts = field.into_inner();
                    if let Some(word) = parts.next() {
                        fields.push(KeyField { name: self.name(&word), optional: parts.next().is_some() });
                    }
                }
                Key::By(fields)
            }
        }
    }

    /// What stands behind `else`.
    fn else_action(&mut self, pair: Pair<'_>) -> Option<Expr> {
        let part = pair.into_inner().next()?;
        if part.as_rule() != Rule::alert_expr {
            return Some(self.result(part));
        }
        let span = self.span(&part);
        let why = part.into_inner().next().map(|why| Box::new(self.expr(why)));
        Some(Expr { kind: ExprKind::Alert(why), span })
    }

    fn delete(&mut self, pair: Pair<'_>) -> Option<StmtKind> {
        let (mut key, mut cond, mut otherwise) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::while_part => cond = Some(self.last_result(part)),
                Rule::else_action => otherwise = self.else_action(part),
                _ => key = Some(self.key(part)),
            }
        }
        Some(StmtKind::Delete { key: key?, cond, otherwise })
    }

    fn prefer(&mut self, pair: Pair<'_>) -> Option<StmtKind> {
        let part = pair.into_inner().next()?;
        if part.as_rule() == Rule::prefer_newest {
            return part.into_inner().next().map(|word| StmtKind::PreferNewest(self.name(&word)));
        }
        let (path, value) = self.assignment(part)?;
        Some(StmtKind::Prefer(path.parts.into_iter().next()?, value))
    }

    fn overwrite(&mut self, pair: Pair<'_>) -> Option<StmtKind> {
        let (mut mode, mut fields) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::overwrite_of => fields = Some(self.last_result(part)),
                _ => mode = Some(self.result(part)),
            }
        }
        Some(StmtKind::Overwrite { mode: mode?, fields })
    }

    fn on_change(&mut self, pair: Pair<'_>) -> Option<OnChange> {
        let part = pair.into_inner().next()?;
        Some(match part.as_rule() {
            Rule::change_alert => OnChange::Alert,
            Rule::change_ignore => OnChange::Ignore,
            Rule::change_write => OnChange::Write(self.last_result(part)),
            _ => {
                let (mut cond, mut alert) = (None, true);
                for inner in part.into_inner() {
                    match inner.as_rule() {
                        Rule::while_part => cond = Some(self.last_result(inner)),
                        rule => alert = rule == Rule::change_alert,
                    }
                }
                OnChange::Update { cond, alert }
            }
        })
    }

    fn on_update(&mut self, pair: Pair<'_>) -> StmtKind {
        let (mut cond, mut body) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::when => cond = Some(self.last_result(part)),
                _ => body = self.body(part),
            }
        }
        StmtKind::OnUpdate(cond, body)
    }

    fn check(&mut self, pair: Pair<'_>) -> Option<(Expr, Expr)> {
        let span = self.span(&pair);
        let (mut cond, mut otherwise) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::else_action => otherwise = self.else_action(part),
                Rule::slip_no_else => {
                    let at = span.at_end();
                    self.report(
                        Diagnostic::new(&codes::SYNTAX, span, "a `check` does not say what happens when it fails")
                            .label("`else` is missing")
                            .help("write `else fail \"why\"`, or `else alert \"why\"`, which reports it and goes on")
                            .fix("add `else fail`", at, " else fail \"why\""),
                    );
                    otherwise = Some(Self::error_value(at));
                }
                _ => cond = Some(self.result(part)),
            }
        }
        Some((cond?, otherwise?))
    }

    fn balance(&mut self, pair: Pair<'_>) -> Option<Balance> {
        let (mut field, mut to, mut within, mut rest, mut otherwise) = (None, None, None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::word => field = Some(self.name(&part)),
                Rule::within => within = Some(self.last_result(part)),
                Rule::rest => rest = self.rest(part),
                Rule::else_action => otherwise = self.else_action(part),
                _ => to = Some(self.result(part)),
            }
        }
        Some(Balance { field: field?, to: to?, within, rest, otherwise })
    }

    fn rest(&mut self, pair: Pair<'_>) -> Option<Rest> {
        let part = pair.into_inner().next()?;
        match part.as_rule() {
            Rule::rest_in => part.into_inner().next().map(|word| Rest::In(self.name(&word))),
            _ => Some(Rest::As(self.last_result(part))),
        }
    }

    pub(super) fn flow_body(&mut self, pair: Pair<'_>) -> Vec<FlowStmt> {
        let mut stmts = Vec::new();
        for part in pair.into_inner() {
            let span = self.span(&part);
            if part.as_rule() == Rule::flow_junk {
                self.junk(&part, Place::FlowStatement);
                continue;
            }
            let sealed = part.as_rule() == Rule::sealed_flow;
            let Some(part) = (if sealed { part.into_inner().next() } else { Some(part) }) else { continue };
            let set = part.as_rule() == Rule::flow_set;
            let kind = if set { self.flow_set(part, span) } else { self.flow_stmt(part) };
            stmts.extend(kind.map(|kind| FlowStmt { kind, set, sealed, span }));
        }
        stmts
    }

    fn flow_stmt(&mut self, pair: Pair<'_>) -> Option<FlowStmtKind> {
        Some(match pair.as_rule() {
            Rule::from => return self.from(pair),
            Rule::where_stmt => FlowStmtKind::Where(self.last_result(pair)),
            Rule::every => FlowStmtKind::Every(self.last_result(pair)),
            Rule::daily => {
                let time = pair.into_inner().next()?;
                FlowStmtKind::Daily(self.time(time))
            }
            Rule::on_webhook => FlowStmtKind::OnWebhook,
            Rule::since => FlowStmtKind::Since(self.last_result(pair)),
            Rule::per => FlowStmtKind::Per(self.last_result(pair)),
            Rule::after => {
                let path = pair.into_inner().next()?;
                FlowStmtKind::After(self.path(path))
            }
            Rule::watch => return self.watch(pair),
            Rule::once => {
                let (path, value) = self.assignment(pair)?;
                FlowStmtKind::Once(path.parts.into_iter().next()?, value)
            }
            Rule::let_stmt => {
                let (path, value) = self.assignment(pair)?;
                FlowStmtKind::Let(path.parts.into_iter().next()?, value)
            }
            Rule::check => {
                let (cond, otherwise) = self.check(pair)?;
                FlowStmtKind::Check(cond, otherwise)
            }
            _ => FlowStmtKind::Write(self.last_result(pair)),
        })
    }

    fn from(&mut self, pair: Pair<'_>) -> Option<FlowStmtKind> {
        let (mut deleted, mut entity, mut name) = (false, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::deleted => deleted = true,
                Rule::path => entity = Some(self.path(part)),
                _ => name = Some(self.name(&part)),
            }
        }
        Some(FlowStmtKind::From { deleted, entity: entity?, name: name? })
    }

    fn watch(&mut self, pair: Pair<'_>) -> Option<FlowStmtKind> {
        let mut parts = pair.into_inner();
        let entity = self.path(parts.next()?);
        let name = self.name(&parts.next()?);
        Some(FlowStmtKind::Watch { entity, name, unit: self.result(parts.next()?) })
    }

    fn time(&mut self, pair: Pair<'_>) -> Text {
        if pair.as_rule() == Rule::text {
            return self.text(pair);
        }
        let span = self.span(&pair);
        let written = pair.as_str();
        let padded = if written.len() < 5 { format!("0{written}") } else { written.to_owned() };
        if padded.parse::<jiff::civil::Time>().is_err() {
            self.report(
                Diagnostic::new(&codes::BAD_LITERAL, span, format!("there is no time {written}"))
                    .label("malformed")
                    .help("write hours and minutes, from `00:00` to `23:59`"),
            );
        }
        Text { value: padded.into(), span }
    }

    /// `set where = …`
    fn flow_set(&mut self, pair: Pair<'_>, span: Span) -> Option<FlowStmtKind> {
        if !self.adapting {
            self.report(
                Diagnostic::new(
                    &codes::MISPLACED,
                    span,
                    "`set` changes what comes from elsewhere, and this is a flow of your own",
                )
                .label("nothing to change")
                .help("write the statement itself, without a word before it: `every 5 minutes`"),
            );
        }
        let (mut word, mut value) = (String::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::flow_word => part.as_str().clone_into(&mut word),
                Rule::slip_assign => self.slip(&part, "=", "a value is given with `=`"),
                Rule::time if word == "daily" => return Some(FlowStmtKind::Daily(self.time(part))),
                Rule::time => value = Some(Self::error_value(self.span(&part))),
                _ => value = Some(self.result(part)),
            }
        }
        let value = value?;
        Some(match word.as_str() {
            "where" => FlowStmtKind::Where(value),
            "every" => FlowStmtKind::Every(value),
            "since" => FlowStmtKind::Since(value),
            "per" => FlowStmtKind::Per(value),
            "write" => FlowStmtKind::Write(value),
            _ => return self.set_by_name(&word, &value, span),
        })
    }

    /// `set daily = "02:00"`, `set after = orders`: what stands behind the sign is no value.
    fn set_by_name(&mut self, word: &str, value: &Expr, span: Span) -> Option<FlowStmtKind> {
        let form = if word == "daily" { "daily at 02:00" } else { "after OTHER" };
        let mut wrong =
            Diagnostic::new(&codes::SYNTAX, span, format!("`{word}` is replaced by writing it again, not by `set`"));
        wrong.span = span.to(value.span);
        self.report(wrong.label("not a value").help(format!("write `{form}`")));
        None
    }
}
