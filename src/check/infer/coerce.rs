//! What fits where: a value against the type that is wanted, with the reason when it doesn't.

use crate::check::infer::fixes;
use crate::check::infer::frame::Infer;
use crate::check::resolve::suggest;
use crate::check::resolve::suggest::quoted;
use crate::check::types::relations::longest;
use crate::ir::{Arm, Const, Element, EntityId, Expr, ExprKind, Find, Kind, Native, Type};
use crate::source::{Diagnostic, Severity, Span, codes};
use std::sync::Arc;

/// For whom a value is: what messages say, and where it is declared.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// "the field `YourRef` of exact.SalesOrder".
    pub(crate) what: String,
    /// Where that is declared.
    pub(crate) declared: Option<Span>,
    /// A text of unknown length is checked when it runs: it is a key, or only a part is being checked.
    pub(crate) length_at_run: bool,
    /// It is a key: cut, it would be another's.
    pub(crate) is_key: bool,
}

impl Infer<'_, '_> {
    /// The value, made to fit; a report where it can't.
    pub(crate) fn coerce(&mut self, e: Expr, want: &Type, what: &str) -> Expr {
        self.coerce_at(e, want, &Wanted { what: what.to_owned(), ..Wanted::default() })
    }

    /// The value, made to fit a place; a report where it can't.
    pub(crate) fn coerce_at(&mut self, e: Expr, want: &Type, place: &Wanted) -> Expr {
        let e = match self.branch_by_branch(e, want, place) {
            Ok(done) => return done,
            Err(whole) => whole,
        };
        match (&e.ty, want) {
            (Type::Unknown | Type::Never, _) | (_, Type::Unknown) => return e,
            (Type::Nothing, Type::Optional(_) | Type::Nothing) => return e,
            (Type::Nothing, _) => return self.absent_there(e, want, place),
            (Type::Optional(_), Type::Optional(inner)) => {
                let inner = Arc::clone(inner);
                if same_shape(e.ty.present(), &inner) {
                    self.check_length(&e, &inner, place);
                    return e;
                }
                return self.map_present(e, |body, there| body.coerce_at(there, &inner, place));
            }
            (Type::Optional(_), _) => return self.absent_there(e, want, place),
            (_, Type::Optional(inner)) => {
                let inner = Arc::clone(inner);
                return self.coerce_at(e, &inner, place);
            }
            _ => {}
        }
        self.coerce_present(e, want, place)
    }

    /// Where the value is a choice, each branch is made to fit: what is wrong is told where it stands. `Err`: it is none.
    fn branch_by_branch(&mut self, e: Expr, want: &Type, place: &Wanted) -> Result<Expr, Expr> {
        if e.ty == *want || matches!(want, Type::Unknown) || matches!(e.ty, Type::Unknown | Type::Never) {
            return Err(e);
        }
        let Expr { kind, ty, span } = e;
        // What stands elsewhere, in a function that is called here, is told at the call.
        let here = |e: &Expr| span.file == e.span.file && span.start <= e.span.start && e.span.end <= span.end;
        let mut made = |e: Expr| self.coerce_at(e, want, place);
        let kind = match kind {
            // The absent branch of `a?.b` is nobody's line.
            ExprKind::If(cond, then, other) if !is_question(&cond, &other) && here(&then) && here(&other) => {
                ExprKind::If(cond, Box::new(made(*then)), Box::new(made(*other)))
            }
            // Of two texts the whole is too long: one cut is put around it.
            ExprKind::OrElse(first, other)
                if here(&first) && here(&other) && !same_shape(ty.present(), want.present()) =>
            {
                let first = self.coerce_at(*first, &want.clone().optional(), place);
                ExprKind::OrElse(Box::new(first), Box::new(self.coerce_at(*other, want, place)))
            }
            ExprKind::List(elements) if want.present().element().is_some() => {
                let of = want.present().element().cloned().unwrap_or(Type::Unknown);
                ExprKind::List(elements.into_iter().map(|e| self.coerce_element(e, &of, want, place)).collect())
            }
            ExprKind::Match(on, arms) if arms.iter().all(|a| here(&a.value)) => {
                let arms = arms.into_iter().map(|a| Arm { pattern: a.pattern, value: made(a.value) }).collect();
                ExprKind::Match(on, arms)
            }
            kind => return Err(Expr { kind, ty, span }),
        };
        Ok(Expr { kind, ty: narrowed(&ty, want), span })
    }

    /// An element of a list that is written here.
    fn coerce_element(&mut self, element: Element, of: &Type, list: &Type, place: &Wanted) -> Element {
        let one = Wanted { what: format!("an element of {}", place.what), ..place.clone() };
        match element {
            Element::One(e) => Element::One(self.coerce_at(e, of, &one)),
            Element::For(clauses, e) => Element::For(clauses, self.coerce_at(e, of, &one)),
            Element::All(e) => Element::All(self.coerce_at(e, list.present(), place)),
        }
    }

    fn coerce_present(&mut self, mut e: Expr, want: &Type, place: &Wanted) -> Expr {
        use Type as T;
        if let (ExprKind::Const(Const::Text(text)), true) = (&e.kind, wants_code(want)) {
            let text = Arc::clone(text);
            return self.literal_text(&text, want, e.span, place);
        }
        match (&e.ty, want) {
            (T::Record(a), T::Record(b)) if a == b => e,
            (T::Record(a), T::Record(b)) => {
                let (a, b) = (*a, *b);
                self.cx.read_entity(a);
                self.cx.read_entity(b);
                let (from, to) = (self.cx.program.entity(a), self.cx.program.entity(b));
                if crate::check::types::entity::is_view_of(to, from) { e } else { self.wrong_entity(e, a, b, place) }
            }
            (T::Code(a), T::Record(b)) if a == b => self.found_by_code(*a, e),
            (T::Record(a), T::Code(b)) if a == b => self.code_of(*a, e),
            (T::Code(a) | T::Record(a), T::Code(b) | T::Record(b)) if a != b => {
                let (a, b) = (*a, *b);
                self.wrong_entity(e, a, b, place)
            }
            (T::Code(a), T::Guid) => {
                let found = self.found_by_code(*a, e);
                Expr { ty: T::Guid, ..found }
            }
            (T::Record(_), T::Guid) => Expr { ty: T::Guid, ..e },
            (T::List(a), T::List(b)) => {
                let (a, b) = (Arc::clone(a), Arc::clone(b));
                self.coerce_list(e, &a, &b, want, place)
            }
            (T::Enum(a), T::Enum(b)) => {
                if b.open || a.values.iter().all(|v| b.values.iter().any(|w| w.code == v.code)) {
                    // The wire form is the target's.
                    e.ty = want.clone();
                    e
                } else {
                    self.mismatch(e, want, place)
                }
            }
            (from, T::Text(_)) if from.is_text() => {
                self.check_length(&e, want, place);
                e
            }
            (T::Text(_) | T::Email, T::Email) => e,
            (T::Json, T::Json) => e,
            (from, T::Json) if is_plain(from) => {
                let span = e.span;
                Self::make(ExprKind::Native(Native::JsonOf, vec![e]), T::Json, span)
            }
            (T::Int, T::Literal | T::Decimal) => e,
            (T::Fraction, T::Int | T::Percent) | (T::Literal, T::Percent) => self.mismatch(e, want, place),
            (from, to) if from.is_written() && to.is_number() => e,
            (T::Money(_), T::Money(_)) if e.ty != *want => self.wrong_kind(e, want, place),
            (T::Money(_), T::Price) => self.price_needs_both(e, place),
            (from, to) if from == to => e,
            _ => self.mismatch(e, want, place),
        }
    }

    /// A list whose elements fit, or are made to.
    fn coerce_list(&mut self, e: Expr, from: &Type, to: &Type, want: &Type, place: &Wanted) -> Expr {
        if matches!(from, Type::Unknown | Type::Never) || matches!(to, Type::Unknown) {
            return e;
        }
        if from.is_optional() && !to.is_optional() {
            return self.absent_within(e, to, place);
        }
        if *from == Type::Nothing || same_shape(from, to) {
            self.check_lengths(&e, from, to, place);
            return e;
        }
        let identity =
            matches!((from, to), (Type::Code(a), Type::Record(b)) | (Type::Record(a), Type::Code(b)) if a == b);
        if identity {
            let (local, span) = (self.local(), e.span);
            let one = Self::make(ExprKind::Local(local), from.clone(), span);
            let one = self.coerce_at(one, to, place);
            let each = Self::make(ExprKind::Lambda(vec![local], Box::new(one)), to.clone(), span);
            return Self::make(ExprKind::Native(Native::Map, vec![e, each]), want.clone(), span);
        }
        if crate::check::types::relations::join(from, to).is_some_and(|j| same_shape(&j, to)) {
            return e;
        }
        self.mismatch(e, want, place)
    }

    /// The record with that code; none stops the record.
    pub(crate) fn found_by_code(&mut self, entity: EntityId, code: Expr) -> Expr {
        let span = code.span;
        self.cx.read_entity(entity);
        let Some(by) = self.cx.program.entity(entity).code else { return Self::unknown(span) };
        let connection = self.connection_of(entity);
        let find = Find { connection, entity, by: vec![by], values: vec![code], must: true };
        Self::make(ExprKind::Find(Box::new(find)), Type::Record(entity), span)
    }

    /// A code that the ledger is asked to confirm.
    pub(crate) fn verified(&mut self, entity: EntityId, code: Expr) -> Expr {
        let found = self.found_by_code(entity, code);
        match found.kind {
            ExprKind::Find(find) => Self::make(ExprKind::Verified(find), Type::Code(entity), found.span),
            _ => found,
        }
    }

    fn code_of(&mut self, entity: EntityId, record: Expr) -> Expr {
        let span = record.span;
        self.cx.read_entity(entity);
        match self.cx.program.entity(entity).code {
            Some(code) => Self::make(ExprKind::Field(Box::new(record), entity, code), Type::Code(entity), span),
            None => Self::unknown(span),
        }
    }

    /// A text in quotes where a code, a country or a value of an enumeration is wanted.
    pub(crate) fn literal_text(&mut self, text: &Arc<str>, want: &Type, span: Span, place: &Wanted) -> Expr {
        let fine = |ty: &Type| Self::make(ExprKind::Const(Const::Text(Arc::clone(text))), ty.clone(), span);
        match want {
            Type::Enum(e) if e.values.iter().any(|v| v.code == *text) => fine(want),
            Type::Enum(e) if e.open => {
                let names: Vec<String> = e.values.iter().map(|v| v.code.to_string()).collect();
                if let Some(near) = suggest::hint(text, names) {
                    let message = format!("`{text}` is not a value that the schema knows of {}", e.name);
                    let mut d = Diagnostic::new(&codes::UNKNOWN_VALUE, span, message)
                        .label("not known")
                        .help(format!("did you mean \"{near}\"? If a plugin has added it, all is well"))
                        .fix(format!("use \"{near}\""), span, format!("\"{near}\""));
                    // The shop may extend it, so it may be right.
                    d.severity = Severity::Warning;
                    self.cx.report(d);
                }
                fine(want)
            }
            Type::Enum(e) => {
                let names: Vec<String> = e.values.iter().map(|v| v.code.to_string()).collect();
                let message = if e.name.is_empty() {
                    format!("`{text}` is none of the values that {} takes", place.what)
                } else {
                    format!("`{text}` is not a value of {}", e.name)
                };
                let mut d = Diagnostic::new(&codes::UNKNOWN_VALUE, span, message)
                    .label("no such value")
                    .help(format!("one of {}", quoted(&names)));
                if let Some(near) = suggest::hint(text, names) {
                    d = d.fix(format!("use \"{near}\""), span, format!("\"{near}\""));
                }
                self.cx.report(d);
                Self::unknown(span)
            }
            Type::Country if crate::value::code::is_country(text) => fine(want),
            Type::Guid if crate::value::code::is_guid(text) => fine(want),
            Type::Currency if crate::value::code::is_currency(text) => fine(want),
            Type::Country if fixes::country_meant(text).is_some() => {
                let meant = fixes::country_meant(text).unwrap_or_default();
                self.cx.report(
                    Diagnostic::new(&codes::UNKNOWN_VALUE, span, format!("`{text}` is not a country"))
                        .label("no country")
                        .help(format!("in ISO 3166 it is \"{meant}\""))
                        .fix(format!("use \"{meant}\""), span, format!("\"{meant}\"")),
                );
                Self::unknown(span)
            }
            Type::Country | Type::Currency | Type::Guid => {
                let (what, form) = match want {
                    Type::Country => ("country", "two capitals, such as \"NL\" (ISO 3166)"),
                    Type::Currency => ("currency", "three capitals, such as \"EUR\" (ISO 4217)"),
                    _ => ("guid", "its five groups of hexadecimal digits, with `-` between them"),
                };
                self.cx.report(
                    Diagnostic::new(&codes::UNKNOWN_VALUE, span, format!("`{text}` is not a {what}"))
                        .label(format!("not a {what}"))
                        .help(format!("write {form}")),
                );
                Self::unknown(span)
            }
            Type::FieldOf(entity) => {
                self.cx.field_named(*entity, text, span);
                fine(want)
            }
            // As advice and pages write where a code of one's own belongs.
            Type::Code(entity) if matches!(&**text, "…" | "...") => {
                let message = format!("`{text}` is only a placeholder; {} needs a code", place.what);
                let help = format!("write the code of {} that is meant", self.cx.program.entity(*entity).full_name());
                self.cx.report(Diagnostic::new(&codes::UNKNOWN_VALUE, span, message).label("no code").help(help));
                Self::unknown(span)
            }
            _ => fine(want),
        }
    }

    fn check_length(&mut self, e: &Expr, want: &Type, place: &Wanted) {
        let Type::Text(Some(max)) = want else { return };
        let there = e.ty.present();
        let known = match &e.kind {
            ExprKind::Const(Const::Text(text)) => {
                let units = if self.utf16 { text.encode_utf16().count() } else { text.chars().count() };
                Some(u32::try_from(units).unwrap_or(u32::MAX))
            }
            _ => longest(there),
        };
        match known {
            Some(n) if n <= *max => {}
            Some(n) => {
                let message = format!("{} holds {max} characters; this text has up to {n}", place.what);
                let (help, fit) = fixes::shorter(place.is_key);
                let d = Diagnostic::new(&codes::TEXT_TOO_LONG, e.span, message);
                let d = d.label(format!("up to {n} characters")).help(help);
                self.report_at(self.cx.offer_behind(d, "cut it to fit", e.span, fit), place);
            }
            None if place.length_at_run || matches!(there, Type::Email | Type::Code(_) | Type::Enum(_)) => {}
            None => {
                let d = Diagnostic::new(
                    &codes::TEXT_MAY_BE_TOO_LONG,
                    e.span,
                    format!("{} holds {max} characters; this text may be longer", place.what),
                )
                .label("of unknown length")
                .help("`.fit()` cuts it to the field; `.fit(at: \"word\")` cuts at a word");
                let fit = if e.ty.is_optional() { "?.fit()" } else { ".fit()" };
                self.report_at(self.cx.offer_behind(d, "cut it to fit", e.span, fit), place);
            }
        }
    }

    /// The texts of a list against the limit of its elements.
    fn check_lengths(&mut self, list: &Expr, from: &Type, to: &Type, place: &Wanted) {
        let Type::Text(Some(max)) = to else { return };
        let (code, message) = match longest(from) {
            Some(n) if n <= *max => return,
            Some(n) => (&codes::TEXT_TOO_LONG, format!("one of these has up to {n}")),
            None if place.length_at_run => return,
            None => (&codes::TEXT_MAY_BE_TOO_LONG, "these may be longer".to_owned()),
        };
        let d =
            Diagnostic::new(code, list.span, format!("the texts of {} hold {max} characters; {message}", place.what))
                .label("too long, or of unknown length")
                .help("cut each of them: `xs.map(x => x.fit())`");
        self.report_at(d, place);
    }

    fn absent_there(&mut self, e: Expr, want: &Type, place: &Wanted) -> Expr {
        let what = if e.ty == Type::Nothing {
            "`none` is nothing".to_owned()
        } else {
            format!("this is {}", self.cx.show(&e.ty))
        };
        let d = Diagnostic::new(
            &codes::OPTIONAL_AS_PRESENT,
            e.span,
            format!("{what}; {} needs {}", place.what, self.cx.show(want)),
        )
        .label("may be absent")
        .help("say what happens without it: `?? value`, `?? fail \"why\"`, or `if x is some y then … else …`");
        let stop = format!(" ?? fail \"{} is missing\"", self.cx.name_of(e.span));
        self.report_at(self.cx.offer_behind(d, "stop the record without it", e.span, &stop), place);
        Self::unknown(e.span)
    }

    /// A list some of whose elements may be absent, where each has to be there.
    fn absent_within(&mut self, list: Expr, of: &Type, place: &Wanted) -> Expr {
        let message =
            format!("this is {}; each element of {} needs {}", self.cx.show(&list.ty), place.what, self.cx.show(of));
        let d = Diagnostic::new(&codes::OPTIONAL_AS_PRESENT, list.span, message)
            .label("elements may be absent")
            .help("`.present()` leaves out those that are; or say of each what stands in its place: `x ?? value`");
        self.report_at(d, place);
        Self::unknown(list.span)
    }

    fn wrong_entity(&mut self, e: Expr, from: EntityId, to: EntityId, place: &Wanted) -> Expr {
        let (from, to) = (self.cx.program.entity(from), self.cx.program.entity(to));
        let message = format!("{} needs {}; this is {}", place.what, to.full_name(), from.full_name());
        let help =
            format!("give it a value of {}, for example one found by its key: `{}(…)`", to.full_name(), to.full_name());
        self.report_at(
            Diagnostic::new(&codes::WRONG_ENTITY, e.span, message).label("another kind of record").help(help),
            place,
        );
        Self::unknown(e.span)
    }

    fn wrong_kind(&mut self, e: Expr, want: &Type, place: &Wanted) -> Expr {
        let message = format!("{} needs {}; this is {}", place.what, self.cx.show(want), self.cx.show(&e.ty));
        let help = match (&e.ty, want) {
            (Type::Money(Kind::Gross), Type::Money(Kind::Net)) => "take the tax off: `gross - tax`, or `.net(21%)`",
            (Type::Money(Kind::Net), Type::Money(Kind::Gross)) => "add the tax: `net + tax`, or `.with_tax(21%)`",
            _ => "net and tax make gross; an amount of one kind is not one of another",
        };
        self.report_at(
            Diagnostic::new(&codes::MONEY_KINDS, e.span, message).label("another kind of amount").help(help),
            place,
        );
        Self::unknown(e.span)
    }

    fn price_needs_both(&mut self, e: Expr, place: &Wanted) -> Expr {
        let message =
            format!("{} is net or gross as its VAT code says; this is {} alone", place.what, self.cx.show(&e.ty));
        self.report_at(
            Diagnostic::new(&codes::PRICE_NEEDS_BOTH, e.span, message)
                .label("one amount only")
                .help("give both: `price(net, tax)`, and the code's type in the administration chooses"),
            place,
        );
        Self::unknown(e.span)
    }

    pub(crate) fn mismatch(&mut self, e: Expr, want: &Type, place: &Wanted) -> Expr {
        let is = match &e.kind {
            ExprKind::Const(Const::Text(text)) => format!("the text \"{text}\""),
            _ => self.cx.show(&e.ty),
        };
        let message = format!("{} needs {}; this is {is}", place.what, self.cx.show(want));
        let mut d = Diagnostic::new(&codes::TYPE_MISMATCH, e.span, message).label(is);
        if let Some(d) = self.quick_fix(&e, want, &d) {
            self.report_at(d, place);
            return Self::unknown(e.span);
        }
        d = match (&e.ty, want) {
            (Type::Instant, Type::Date) => {
                let d = d.help("`.date()` gives its day in the project's zone");
                self.cx.offer_behind(d, "take its day", e.span, ".date()")
            }
            (from, Type::Text(_)) if from.is_number() || matches!(from, Type::Date | Type::Instant) => {
                d.help("put it into a text: `\"{…}\"`")
            }
            (Type::Decimal | Type::Fraction, Type::Int) => {
                d.help("`.int()` demands a whole number, `.round(0)` makes one")
            }
            (Type::Text(_), to) if to.is_number() => {
                d.help("`.decimal()` reads a number from a text, and stops the record where there is none")
            }
            (Type::Json, Type::Text(_)) => d.help("`.text()` takes the text of it, where it is one"),
            (Type::Text(_) | Type::Nothing, Type::Code(_) | Type::Record(_)) => {
                d.help("find the record by it, for example `exact.Item(code)`")
            }
            (from, Type::Price) if from.is_number() => d.help("give both: `price(net, tax)`"),
            (Type::Entered(..), Type::Price | Type::Money(_)) => {
                d.help("say the rate that it bears: `.with_tax(21%)` is the price both ways")
            }
            (Type::Price, Type::Money(_)) => d.help("a price holds both: `.net()` and `.gross()` take one of them"),
            _ => d.help("give it a value of that type"),
        };
        self.report_at(d, place);
        Self::unknown(e.span)
    }

    fn report_at(&mut self, mut d: Diagnostic, place: &Wanted) {
        if let Some(declared) = place.declared {
            d = d.related(declared, "declared here");
        }
        self.cx.report(d);
    }
}

/// Whether a text in quotes is checked against a list of values or a schema.
fn wants_code(want: &Type) -> bool {
    matches!(want, Type::Enum(_) | Type::Country | Type::Currency | Type::Code(_) | Type::FieldOf(_) | Type::Guid)
}

/// The branches fit `want`; what may be absent is there when all of them were.
fn narrowed(made: &Type, want: &Type) -> Type {
    if made.is_optional() { want.clone() } else { want.present().clone() }
}

/// `a?.b`: what the checker makes of a question mark, whose absent branch stands nowhere.
fn is_question(cond: &Expr, other: &Expr) -> bool {
    matches!(other.kind, ExprKind::Const(Const::Absent)) && other.span == cond.span
}

/// The same type, lengths and spellings apart: no value has to be touched.
fn same_shape(a: &Type, b: &Type) -> bool {
    a == b || matches!((a, b), (Type::Text(_), Type::Text(_)))
}

/// Whether JSON has a form for its values: no record, no price, no span of time. Elements that failed are told themselves.
fn is_plain(ty: &Type) -> bool {
    match ty.present() {
        Type::List(element) => matches!(**element, Type::Unknown | Type::Never) || is_plain(element),
        Type::Json | Type::Bool | Type::Date | Type::Instant => true,
        other => other.is_text() || other.is_number(),
    }
}
