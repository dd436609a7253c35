//! Prices that stand in one field: net or gross as a code or a setting says. Written, they are the one of both amounts that
//! counts there; read, they are both.

use crate::check::infer::frame::Infer;
use crate::ir::{Binary, Const, EntityId, Expr, ExprKind, FieldId, Find, Kind, Native, PriceBy, Stop, Type};
use crate::source::Span;
use std::sync::Arc;

impl Infer<'_, '_> {
    /// The amount of a price that goes into a field of `owner`.
    pub(crate) fn price_written(&mut self, price: Expr, owner: EntityId, by: &PriceBy) -> Expr {
        let span = price.span;
        let written =
            |decider| Self::make(ExprKind::PriceBy(Box::new(price.clone()), Box::new(decider)), Type::Price, span);
        let path = match by {
            PriceBy::Setting(entity, field) => return written(self.setting_of_system((*entity, *field), span)),
            PriceBy::Code(path) => path,
        };
        let Some((&first, further)) = path.split_first() else { return price };
        self.reads_it.push(owner);
        let ty = self.cx.program.entity(owner).get(first.1).ty.clone();
        let beside = Self::make(ExprKind::It(first.1), ty, span);
        if further.is_empty() {
            // The system may take the code of another place where a line has none of its own.
            return self.row_of(beside, false).map_or_else(|| price.clone(), written);
        }
        let code = self.followed(beside, further);
        self.by_code(code, path, span, |body, code| match body.row_of(code, true) {
            Some(row) => written(row),
            None => price.clone(),
        })
    }

    /// Both amounts of a price in a record, by its code's rate; as it was entered where a setting says which it is.
    pub(crate) fn price_read(&mut self, of: Expr, at: (EntityId, FieldId), by: &PriceBy, span: Span) -> Expr {
        let ty = self.cx.program.entity(at.0).get(at.1).ty.clone();
        let path = match by {
            PriceBy::Setting(entity, field) => {
                let entered = Type::Entered(*entity, *field);
                let ty = if ty.is_optional() { entered.optional() } else { entered };
                return Self::make(ExprKind::Field(Box::new(of), at.0, at.1), ty, span);
            }
            PriceBy::Code(path) => path,
        };
        let (local, record) = (self.local(), of.ty.clone());
        let there = Self::make(ExprKind::Local(local), record, of.span);
        let amount = Self::make(ExprKind::Field(Box::new(there.clone()), at.0, at.1), ty, span);
        let both = self.map_present(amount, |body, amount| {
            let code = body.followed(there, path);
            body.by_code(code, path, span, |body, code| match body.row_of(code, true) {
                Some(row) => body.both_by_row(amount, row),
                None => Self::unknown(span),
            })
        });
        let ty = both.ty.clone();
        Self::make(ExprKind::Let(local, Box::new(of), Box::new(both)), ty, span)
    }

    /// Both amounts of a price as it was entered, by its rate.
    pub(crate) fn entered_both_ways(&mut self, entered: Expr, rate: Expr, span: Span) -> Expr {
        let Type::Entered(entity, field) = entered.ty else { return Self::unknown(span) };
        let including = self.setting_of_system((entity, field), span);
        self.both(entered, rate, including, span)
    }

    /// The one row of a table of settings, and what it says.
    fn setting_of_system(&mut self, (entity, field): (EntityId, FieldId), span: Span) -> Expr {
        self.cx.read_entity(entity);
        let connection = self.connection_of(entity);
        let find = Find { connection, entity, by: Vec::new(), values: Vec::new(), must: true };
        let row = Self::make(ExprKind::Find(Box::new(find)), Type::Record(entity), span);
        Self::make(ExprKind::Field(Box::new(row), entity, field), Type::Bool, span)
    }

    /// What a way of fields leads to from a record.
    fn followed(&mut self, from: Expr, path: &[(EntityId, FieldId)]) -> Expr {
        path.iter().fold(from, |of, (entity, field)| {
            self.cx.read_entity(*entity);
            let ty = self.cx.program.entity(*entity).get(*field).ty.clone();
            let span = of.span;
            self.map_present(of, |_, of| Self::make(ExprKind::Field(Box::new(of), *entity, *field), ty, span))
        })
    }

    /// What a code decides; without one the record stops.
    fn by_code(
        &mut self,
        code: Expr,
        path: &[(EntityId, FieldId)],
        span: Span,
        decide: impl FnOnce(&mut Self, Expr) -> Expr,
    ) -> Expr {
        if !code.ty.is_optional() {
            return decide(self, code);
        }
        let names: Vec<&str> = path.iter().map(|(e, f)| &*self.cx.program.entity(*e).get(*f).name).collect();
        let why = format!("whether the price is with tax or without is said by `{}`, and it is empty", names.join("."));
        let local = self.local();
        let there = Self::make(ExprKind::Local(local), code.ty.present().clone(), code.span);
        let then = decide(self, there);
        let why = Self::make(ExprKind::Const(Const::Text(why.into())), Type::Text(None), span);
        let stop = Self::make(ExprKind::Stop(Stop::Fail, Box::new(why)), Type::Never, span);
        let ty = then.ty.clone();
        let is = Self::make(ExprKind::IsSome(Box::new(code), Some(local)), Type::Bool, span);
        Self::make(ExprKind::If(Box::new(is), Box::new(then), Box::new(stop)), ty, span)
    }

    /// The row of a code. `must`: one that its system does not know stops the record.
    fn row_of(&mut self, code: Expr, must: bool) -> Option<Expr> {
        let Type::Code(entity) = *code.ty.present() else { return None };
        self.cx.read_entity(entity);
        let by = self.cx.program.entity(entity).code?;
        let (connection, span) = (self.connection_of(entity), code.span);
        let find = Find { connection, entity, by: vec![by], values: vec![code], must };
        let row = Type::Record(entity);
        let ty = if must { row } else { row.optional() };
        Some(Self::make(ExprKind::Find(Box::new(find)), ty, span))
    }

    /// Both amounts by the row of a tax code: its rate, and whether amounts under it include the tax.
    fn both_by_row(&mut self, amount: Expr, row: Expr) -> Expr {
        let span = amount.span;
        let Type::Record(entity) = row.ty else { return Self::unknown(span) };
        let Some(tax) = self.cx.program.entity(entity).tax.clone() else { return Self::unknown(span) };
        let type_of = |field| self.cx.program.entity(entity).get(field).ty.clone();
        let (kind, percent) = (type_of(tax.by), type_of(tax.rate));
        let local = self.local();
        let there = Self::make(ExprKind::Local(local), row.ty.clone(), span);
        let field =
            |field, ty: &Type| Self::make(ExprKind::Field(Box::new(there.clone()), entity, field), ty.clone(), span);
        let included = Self::make(ExprKind::Const(Const::Text(Arc::clone(&tax.included))), kind.clone(), span);
        let same = ExprKind::Binary(Binary::Eq, Box::new(field(tax.by, &kind)), Box::new(included));
        let including = Self::make(same, Type::Bool, span);
        // A code without a rate taxes nothing.
        let free = Self::make(ExprKind::Const(Const::Number(rust_decimal::Decimal::ZERO)), Type::Percent, span);
        let known = self.local();
        let is = ExprKind::IsSome(Box::new(field(tax.rate, &percent)), Some(known));
        let is = Self::make(is, Type::Bool, span);
        let rate = Self::make(ExprKind::Local(known), Type::Percent, span);
        let rate = ExprKind::If(Box::new(is), Box::new(rate), Box::new(free));
        let rate = Self::make(rate, Type::Percent, span);
        let both = self.both(amount, rate, including, span);
        Self::make(ExprKind::Let(local, Box::new(row), Box::new(both)), Type::Price, span)
    }

    /// `price(net, tax)` of one amount, a rate, and whether the amount includes the tax.
    fn both(&mut self, amount: Expr, rate: Expr, including: Expr, span: Span) -> Expr {
        let (n, r) = (self.local(), self.local());
        let given = |kind| Self::make(ExprKind::Local(n), Type::Money(kind), span);
        let by_rate = |native, amount, kind| {
            let rate = Self::make(ExprKind::Local(r), Type::Percent, span);
            Self::make(ExprKind::Native(native, vec![amount, rate]), Type::Money(kind), span)
        };
        let price = |net: Expr, tax: Expr| {
            Box::new(Self::make(ExprKind::Native(Native::PriceOf, vec![net, tax]), Type::Price, span))
        };
        let net = || by_rate(Native::NetOf, given(Kind::Gross), Kind::Net);
        let tax = ExprKind::Binary(Binary::Sub, Box::new(given(Kind::Gross)), Box::new(net()));
        let of_gross = price(net(), Self::make(tax, Type::Money(Kind::Tax), span));
        let of_net = price(given(Kind::Net), by_rate(Native::TaxOf, given(Kind::Net), Kind::Tax));
        let chosen = Self::make(ExprKind::If(Box::new(including), of_gross, of_net), Type::Price, span);
        let with_rate = Self::make(ExprKind::Let(r, Box::new(rate), Box::new(chosen)), Type::Price, span);
        Self::make(ExprKind::Let(n, Box::new(amount), Box::new(with_rate)), Type::Price, span)
    }
}
