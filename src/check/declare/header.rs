//! The header of a mapping: its verb and keys, what an update may touch, what is balanced and what follows.

use crate::check::infer::coerce::Wanted;
use crate::check::infer::frame::{Infer, constant_of};
use crate::check::infer::names::Local;
use crate::check::resolve::suggest;
use crate::ir::{
    Access, Arm, Balance, Const, EntityId, Expr, ExprKind, FieldId, Key, KeyField, Native, OnChange, Overwrite, Rest,
    Type, Verb,
};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, ExprKind as A, Name, Stmt, StmtKind};
use std::sync::Arc;

impl Infer<'_, '_> {
    /// A statement of a mapping that fills nothing.
    pub(crate) fn header_statement(&mut self, parts: &mut HeaderParts, stmt: &Stmt) {
        let Some(target) = self.target else { return };
        match &stmt.kind {
            StmtKind::Header(h) => {
                let verb = match h.verb {
                    ast::Verb::CreateOnce => Verb::CreateOnce,
                    ast::Verb::Upsert => Verb::Upsert,
                    ast::Verb::Update => Verb::Update,
                };
                self.set_verb(parts, verb, stmt.span);
                let keys = h.keys.iter().filter_map(|k| self.key(target, k)).collect();
                parts.keys = keys;
                parts.otherwise = h.otherwise.as_ref().map(|o| self.stop_only(o));
            }
            StmtKind::CreateUnless(cond) => {
                let lowered = self.expr(cond, Some(&Type::Bool));
                let cond = self.coerce(lowered, &Type::Bool, "`create unless`");
                self.set_verb(parts, Verb::CreateUnless(Box::new(cond)), stmt.span);
            }
            StmtKind::Delete { key, cond, otherwise } => {
                let key = self.key(target, key);
                let cond = cond.as_ref().map(|c| {
                    let was = self.was.replace((target, false));
                    let lowered = self.expr(c, Some(&Type::Bool));
                    let cond = self.coerce(lowered, &Type::Bool, "the condition of `delete`");
                    self.was = was;
                    Box::new(cond)
                });
                self.set_verb(parts, Verb::Delete(cond), stmt.span);
                parts.keys.extend(key);
                parts.otherwise = otherwise.as_ref().map(|o| match &o.kind {
                    A::Alert(Some(message)) => self.expr(message, None),
                    _ => self.stop_only(o),
                });
            }
            StmtKind::Accept(cond) => {
                // A copy that may be it is there.
                let was = self.was.replace((target, false));
                let lowered = self.scoped(|b| b.expr(cond, Some(&Type::Bool)));
                self.was = was;
                parts.accept = Some(self.coerce(lowered, &Type::Bool, "`accept where`"));
            }
            StmtKind::Prefer(name, value) => {
                if let Some(field) = self.cx.field_named(target, &name.text, name.span) {
                    let ty = self.cx.program.entity(target).get(field).ty.clone().optional();
                    let lowered = self.expr(value, Some(&ty));
                    let place = Wanted {
                        what: format!("`{}`", name.text),
                        declared: None,
                        length_at_run: true,
                        ..Wanted::default()
                    };
                    let value = self.coerce_at(lowered, &ty, &place);
                    parts.prefer.push((field, value));
                }
            }
            StmtKind::PreferNewest(name) => parts.newest = self.cx.field_named(target, &name.text, name.span),
            StmtKind::Overwrite { mode, fields } => self.overwrite(parts, mode, fields.as_ref()),
            StmtKind::OnChange(change) => self.on_change(parts, target, change),
            StmtKind::Balance(balance) => self.balance(parts, target, balance, stmt.span),
            StmtKind::Then(write) => {
                let lowered = self.follow_up(write);
                parts.then.push(lowered);
            }
            _ => {}
        }
    }

    fn set_verb(&mut self, parts: &mut HeaderParts, verb: Verb, span: Span) {
        if let Some((_, before)) = parts.verb {
            self.cx.report(
                Diagnostic::new(&codes::FILLED_TWICE, span, "a mapping says once when it creates and updates")
                    .related(before, "already said here")
                    .help("keep one of the two"),
            );
        }
        parts.verb = Some((verb, span));
    }

    fn key(&mut self, target: EntityId, key: &ast::Key) -> Option<Key> {
        match key {
            ast::Key::Itself(span) => {
                self.is_given(target, *span);
                Some(Key::Itself)
            }
            ast::Key::Linked(of) => {
                let of = self.expr(of, None);
                self.record_of_ours(&of);
                Some(Key::Linked(of))
            }
            ast::Key::By(fields) => {
                let by: Vec<KeyField> = fields
                    .iter()
                    .filter_map(|f| {
                        Some(KeyField {
                            field: self.cx.field_named(target, &f.name.text, f.name.span)?,
                            optional: f.optional,
                        })
                    })
                    .collect();
                if by.len() == fields.len()
                    && let (Some(first), Some(last)) = (fields.first(), fields.last())
                {
                    let ids: Vec<FieldId> = by.iter().map(|k| k.field).collect();
                    self.searchable(target, (&ids, &[]), first.name.span.to(last.name.span));
                }
                (!by.is_empty()).then_some(Key::By(by))
            }
        }
    }

    /// Whether the mapping is given a record of the kind that it updates: which one would `itself` be else?
    fn is_given(&mut self, target: EntityId, at: Span) {
        let of_target = |ty: &Type| matches!(ty.present(), Type::Unknown) || *ty.present() == Type::Record(target);
        if self.names.iter().any(|local| self.given.contains(&local.id) && of_target(&local.ty)) {
            return;
        }
        let full = self.cx.program.entity(target).full_name();
        let message = format!("`itself` is the record that the mapping is given, and it is given no {full}");
        let d = Diagnostic::new(&codes::WRONG_ENTITY, at, message).label("none of its parameters is one");
        self.cx.report(d.help("give it the record, or say how it is found: `update linked to x`, `update by Field`"));
    }

    fn overwrite(&mut self, parts: &mut HeaderParts, mode: &ast::Expr, fields: Option<&ast::Expr>) {
        let lowered = self.expr(mode, Some(&Type::Text(None)));
        self.are_modes(&lowered);
        parts.overwrite = match constant_of(&lowered).as_ref() {
            Some(Const::Text(text)) => self.overwrite_mode(text, mode.span),
            _ => {
                self.known_before(&lowered, "what an update may touch");
                None
            }
        };
        let Some(fields) = fields else { return };
        if self.fields_unquoted(fields) {
            return;
        }
        let target = self.target.map_or(Type::Unknown, Type::FieldOf);
        let lowered = self.expr(fields, Some(&Type::List(Arc::new(target))));
        parts.overwrite_fields = match constant_of(&lowered) {
            Some(Const::List(list)) => {
                Some(list.into_iter().filter_map(|c| if let Const::Text(t) = c { Some(t) } else { None }).collect())
            }
            _ => {
                self.known_before(&lowered, "the fields that an update may touch");
                None
            }
        };
    }

    /// `of Name`, `of [Name, Email]`, `of "Name"`: the fields are named by texts, in a list.
    fn fields_unquoted(&mut self, fields: &ast::Expr) -> bool {
        let of_one = |e: &ast::Expr| match &e.kind {
            A::Name(name) => Some((name.text.to_string(), true)),
            A::Text(parts) => match parts.as_slice() {
                [ast::TextPart::Plain(text)] => Some((text.to_string(), false)),
                _ => None,
            },
            _ => None,
        };
        let (named, bare) = match &fields.kind {
            A::List(elements) => {
                let of_element = |e: &ast::Element| if let ast::Element::One(e) = e { of_one(e) } else { None };
                let Some(named) = elements.iter().map(of_element).collect::<Option<Vec<_>>>() else { return false };
                let bare = named.iter().any(|(_, bare)| *bare);
                (named, bare)
            }
            _ => match of_one(fields) {
                Some(one) => (vec![one], true),
                None => return false,
            },
        };
        let a_value = named.iter().any(|(name, bare)| *bare && self.value_named(name).is_some());
        if !bare || a_value {
            return false;
        }
        let list: Vec<String> = named.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let list = format!("[{}]", list.join(", "));
        self.cx.report(
            Diagnostic::new(
                &codes::TYPE_MISMATCH,
                fields.span,
                "the fields that an update may touch are a list of texts",
            )
            .label("not such a list")
            .help(format!("write `of {list}`"))
            .fix("make a list of it", fields.span, list),
        );
        true
    }

    /// A setting may have another answer tomorrow: each that it takes is a way to overwrite.
    fn are_modes(&mut self, mode: &Expr) {
        let Type::Enum(values) = mode.ty.present() else { return };
        if let Some(other) = values.values.iter().find(|value| overwrite_of(&value.code).is_none()) {
            let message = format!("the setting may be `{}`, which is not a way to overwrite", other.code);
            let d = Diagnostic::new(&codes::UNKNOWN_VALUE, mode.span, message).label("it takes other values");
            self.cx.report(d.help("let the type of the setting be of \"nothing\", \"empty\", \"changed\" and \"all\""));
        }
    }

    fn overwrite_mode(&mut self, text: &str, span: Span) -> Option<Overwrite> {
        Some(match overwrite_of(text) {
            Some(mode) => mode,
            None => {
                let other = text;
                let modes = ["nothing", "empty", "changed", "all"].map(str::to_owned);
                let mut d =
                    Diagnostic::new(&codes::UNKNOWN_VALUE, span, format!("`{other}` is not a way to overwrite"))
                        .label("no such value")
                        .help("one of \"nothing\", \"empty\", \"changed\" or \"all\"");
                if let Some(near) = suggest::hint(other, modes.into()) {
                    d = d.fix(format!("use \"{near}\""), span, format!("\"{near}\""));
                }
                self.cx.report(d);
                return None;
            }
        })
    }

    /// What a header says is a literal or a setting; a question that nobody has answered yet is no mistake of its own.
    fn known_before(&mut self, e: &Expr, what: &str) {
        let open = matches!(e.kind, ExprKind::Unanswered(_)) || e.ty == Type::Unknown;
        if !open && constant_of(e) != Some(Const::Absent) {
            let message = format!("{what} must be known before anything runs");
            self.cx.say(&codes::TYPE_MISMATCH, e.span, message, "write a text, a list of field names, or a setting");
        }
    }

    /// `else fail "…"`, `else skip "…"`, `else wait "…"`
    fn stop_only(&mut self, e: &ast::Expr) -> Expr {
        let lowered = self.expr(e, None);
        if !matches!(lowered.ty, Type::Never | Type::Unknown) {
            let shown = self.cx.show(&lowered.ty);
            let message = format!("after this `else` stands what happens to the record; this is {shown}");
            self.cx.say(&codes::MISPLACED, e.span, message, "write `else fail \"why\"` or `else skip \"why\"`");
        }
        lowered
    }

    /// What follows a write: a mapping, none, or a list of mappings, one for each element.
    fn follow_up(&mut self, e: &ast::Expr) -> Expr {
        let lowered = self.lowered_write(e);
        let of_writes = |ty: &Type| ty.element().is_some_and(|element| *element == Type::Nothing);
        if matches!(lowered.kind, ExprKind::List(_)) && of_writes(&lowered.ty) {
            return Expr { ty: Type::Nothing, ..lowered };
        }
        self.is_write(lowered, e)
    }

    /// What a flow writes, or another mapping in the place of one: a mapping, or none.
    pub(crate) fn written(&mut self, e: &ast::Expr) -> Expr {
        let lowered = self.lowered_write(e);
        self.is_write(lowered, e)
    }

    fn lowered_write(&mut self, e: &ast::Expr) -> Expr {
        let writes = std::mem::replace(&mut self.writes, true);
        // After the write `it` is as the system answered: all of its fields are known.
        let its = self.its.len();
        let lowered = self.expr(e, None);
        self.its.truncate(its);
        self.writes = writes;
        lowered
    }

    fn is_write(&mut self, lowered: Expr, e: &ast::Expr) -> Expr {
        let lowered = if matches!(lowered.ty.present(), Type::Record(_)) { as_write(lowered) } else { lowered };
        if !matches!(lowered.ty, Type::Nothing | Type::Never | Type::Unknown) {
            let message = format!("`write` needs a mapping; this is {}", self.cx.show(&lowered.ty));
            self.cx.say(&codes::FLOW_SHAPE, e.span, message, "name a mapping: `write sales_order(order)`");
        }
        lowered
    }

    fn on_change(&mut self, parts: &mut HeaderParts, target: EntityId, change: &ast::OnChange) {
        parts.on_change = Some(match change {
            ast::OnChange::Alert => OnChange::Alert,
            ast::OnChange::Ignore => OnChange::Ignore,
            ast::OnChange::Update { cond, alert } => {
                let was = self.was.replace((target, false));
                let cond = cond.as_ref().map(|c| {
                    let lowered = self.expr(c, Some(&Type::Bool));
                    Box::new(self.coerce(lowered, &Type::Bool, "the condition of `on change`"))
                });
                self.was = was;
                OnChange::Update { cond, alert: *alert }
            }
            ast::OnChange::Write(write) => OnChange::Write(Box::new(self.written(write))),
        });
    }

    fn balance(&mut self, parts: &mut HeaderParts, target: EntityId, balance: &ast::Balance, span: Span) {
        let Some(field) = self.cx.field_named(target, &balance.field.text, balance.field.span) else { return };
        let e = self.cx.program.entity(target);
        let (ty, formula) = (e.get(field).ty.present().clone(), e.get(field).computed.clone());
        let tells = e.total == Some(field);
        if let Some(before) = &parts.balance {
            let before = before.span;
            self.cx.report(
                Diagnostic::new(&codes::FILLED_TWICE, span, "a mapping is balanced once")
                    .related(before, "already balanced here")
                    .help("keep one of the two"),
            );
        }
        let lines = match formula.as_ref().map(|formula| &formula.kind) {
            Some(ExprKind::Native(Native::DocumentTotal, args)) => match args.first().map(|a| &a.kind) {
                Some(ExprKind::It(lines)) => Some(*lines),
                _ => return,
            },
            Some(_) => return,
            None if tells => {
                self.answer_alone(balance);
                None
            }
            None => return self.no_formula(target, field, &balance.field),
        };
        let place = Wanted { what: format!("`balance` of `{}`", balance.field.text), ..Wanted::default() };
        let lowered = self.scoped(|b| b.expr(&balance.to, Some(&ty)));
        let to = self.coerce_at(lowered, &ty, &place);
        let within = balance.within.as_ref().map(|w| {
            let lowered = self.expr(w, Some(&ty));
            self.coerce(lowered, &Type::Decimal, "`within`")
        });
        let of_lines =
            lines.and_then(|lines| self.cx.program.entity(target).get(lines).ty.present().element().cloned());
        let element = of_lines.unwrap_or(Type::Unknown);
        let rest = balance.rest.as_ref().and_then(|rest| self.rest(rest, &ty, &element, span));
        let (sum, otherwise) = self.scoped(|b| {
            let sum = b.local();
            b.names.push(Local { name: "sum".into(), id: sum, ty: ty.clone(), span });
            (sum, balance.otherwise.as_ref().map(|o| b.stop_only(o)))
        });
        parts.balance = Some(Balance { field, formula, to, within, lines, rest, sum, otherwise, span });
    }

    /// The target alone knows how it adds up: before its answer there is no sum, and nothing to even out.
    fn answer_alone(&mut self, balance: &ast::Balance) {
        let rest = balance.rest.as_ref().map(|rest| match rest {
            ast::Rest::In(name) => name.span,
            ast::Rest::As(line) => line.span,
        });
        let otherwise = balance.otherwise.as_ref().map(|otherwise| otherwise.span);
        let within = balance.within.as_ref().map(|within| within.span);
        for at in [within, rest, otherwise].into_iter().flatten() {
            let message = format!("what `{}` comes to is known from the answer alone", balance.field.text);
            let d = Diagnostic::new(&codes::MISPLACED, at, message).label("nothing is added up before");
            self.cx.report(d.help(format!(
                "write `balance {} to …` alone: an answer with another total stops the record, with both amounts",
                balance.field.text
            )));
        }
    }

    fn no_formula(&mut self, target: EntityId, field: FieldId, name: &Name) {
        let e = self.cx.program.entity(target);
        let (full, declared) = (e.full_name(), e.get(field).span);
        let message = format!("the schema has no formula for `{}` of {full}", name.text);
        let d = Diagnostic::new(&codes::BALANCE_FIELD, name.span, message).label("no formula");
        let help = "balance the field that the system computes from the lines, such as `AmountFC`";
        self.cx.report(d.related(declared, "declared here").help(help));
    }

    fn rest(&mut self, rest: &ast::Rest, ty: &Type, element: &Type, span: Span) -> Option<Rest> {
        match rest {
            ast::Rest::In(name) => {
                let Type::Record(line) = element else { return None };
                let field = self.cx.field_named(*line, &name.text, name.span)?;
                let f = self.cx.program.entity(*line).get(field);
                if f.access != Access::ReadOnly && matches!(f.ty.present(), Type::Money(_) | Type::Price) {
                    return Some(Rest::Field(field));
                }
                let (declared, ty) = (f.span, f.ty.clone());
                let message = format!("`{}` of a line takes no rest: it is {}", name.text, self.cx.show(&ty));
                let d = Diagnostic::new(&codes::BALANCE_FIELD, name.span, message).label("no amount that is filled");
                self.cx.report(d.related(declared, "declared here").help(
                    "name an amount or a price of the line that a mapping fills, or add a line for it, `rest as line(rest)`",
                ));
                None
            }
            ast::Rest::As(line) => Some(self.scoped(|b| {
                let local = b.local();
                b.names.push(Local { name: "rest".into(), id: local, ty: ty.clone(), span });
                let lowered = b.expr(line, Some(element));
                Rest::Line(local, b.coerce(lowered, element, "the line for the rest"))
            })),
        }
    }
}

/// What a function ensures, written instead: whichever way it chooses, it ends in a mapping. All else stays as it is.
fn as_write(expr: Expr) -> Expr {
    if !ensures(&expr) {
        return expr;
    }
    let boxed = |e: Box<Expr>| Box::new(as_write(*e));
    let kind = match expr.kind {
        ExprKind::Ensure(mapping, args) => ExprKind::Write(mapping, args),
        ExprKind::Let(local, value, body) => ExprKind::Let(local, value, boxed(body)),
        ExprKind::If(cond, then, other) => ExprKind::If(cond, boxed(then), boxed(other)),
        ExprKind::Match(on, arms) => ExprKind::Match(
            on,
            arms.into_iter().map(|arm| Arm { pattern: arm.pattern, value: as_write(arm.value) }).collect(),
        ),
        other => other,
    };
    Expr { kind, ty: Type::Nothing, span: expr.span }
}

/// Whether an expression ends in mappings only, or in nothing, or stops.
fn ensures(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Ensure(..) | ExprKind::Stop(..) | ExprKind::Const(Const::Absent) => true,
        ExprKind::Let(_, _, body) => ensures(body),
        ExprKind::If(_, then, other) => ensures(then) && ensures(other),
        ExprKind::Match(_, arms) => arms.iter().all(|arm| ensures(&arm.value)),
        _ => false,
    }
}

/// What a mapping's header statements have said so far.
#[derive(Default)]
pub(crate) struct HeaderParts {
    pub(crate) verb: Option<(Verb, Span)>,
    pub(crate) keys: Vec<Key>,
    pub(crate) accept: Option<Expr>,
    pub(crate) prefer: Vec<(FieldId, Expr)>,
    pub(crate) newest: Option<FieldId>,
    pub(crate) overwrite: Option<Overwrite>,
    pub(crate) overwrite_fields: Option<Vec<Arc<str>>>,
    pub(crate) on_change: Option<OnChange>,
    pub(crate) otherwise: Option<Expr>,
    pub(crate) balance: Option<Balance>,
    pub(crate) then: Vec<Expr>,
}

/// The way to overwrite that a word says.
fn overwrite_of(text: &str) -> Option<Overwrite> {
    Some(match text {
        "nothing" => Overwrite::Nothing,
        "empty" => Overwrite::Empty,
        "changed" => Overwrite::Changed,
        "all" => Overwrite::All,
        _ => return None,
    })
}
