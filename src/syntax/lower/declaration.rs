//! Declarations: their heads, and which kind of lines their blocks hold.

use super::{Lower, Pair};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{
    Adapt, AdaptBody, Answers, Connect, Connector, Decl, DeclKind, Entity, Entry, Expr, Extend, Extern, Fields, Flow,
    Fn, Lookup, LookupRows, Mapping, Name, Param, Path, Pattern, PatternKind, Row, Setting, Test, Type, TypeKind, Use,
};
use crate::syntax::forms::Place;
use crate::syntax::grammar::Rule;
use crate::syntax::messages;

/// What a head is made of, whichever declaration it opens.
#[derive(Default)]
struct Head {
    name: Option<Name>,
    path: Option<Path>,
    params: Vec<Param>,
    paths: Vec<Path>,
    ty: Option<Type>,
    text: Option<crate::syntax::ast::Text>,
}

impl Lower<'_> {
    /// The declaration of a chunk. `None` if its head can't be read; what is in its block has been checked all the same.
    pub(crate) fn declaration(&mut self, unit: Pair<'_>) -> Option<Decl> {
        let mut decl = None;
        let (mut headless, mut sealed) = (false, None);
        for part in unit.into_inner() {
            match part.as_rule() {
                Rule::EOI => {}
                Rule::sealed => sealed = Some(self.span(&part)),
                Rule::tail_junk => {
                    let told = headless || self.diagnostics.iter().any(|d| d.code == &codes::MISPLACED);
                    if !told {
                        self.junk(&part, Place::Tail);
                    }
                }
                Rule::head_junk => {
                    headless = true;
                    let diagnostic = messages::no_declaration(self, &part);
                    self.report(diagnostic);
                }
                _ => {
                    let span = self.span(&part);
                    let span = sealed.map_or(span, |sealed| sealed.to(span));
                    headless =
                        part.clone().into_inner().any(|p| matches!(p.as_rule(), Rule::no_body | Rule::head_junk));
                    let kind = self.declaration_kind(part);
                    decl = kind.map(|kind| Decl { doc: self.doc(span), kind, sealed: sealed.is_some(), span });
                }
            }
        }
        decl
    }

    fn declaration_kind(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        match pair.as_rule() {
            Rule::edition => {
                let number = self.only(pair, Rule::number)?;
                let span = self.span(&number);
                Some(DeclKind::Edition(crate::syntax::ast::Text { value: number.as_str().into(), span }))
            }
            Rule::zone => self.only(pair, Rule::text).map(|text| DeclKind::Zone(self.text(text))),
            Rule::run => self.only(pair, Rule::paths).map(|paths| DeclKind::Run(self.paths(paths))),
            Rule::use_decl => self.only(pair, Rule::use_head).and_then(|head| self.use_head(head)),
            Rule::connect => self.connect(pair),
            Rule::answers => self.answers(pair),
            Rule::settings => Some(self.settings(pair)),
            Rule::lookup => self.lookup(pair),
            Rule::enum_decl => self.enumeration(pair).map(DeclKind::Enum),
            Rule::entity | Rule::extend | Rule::connector => self.schema(pair),
            Rule::fn_decl => self.function(pair),
            Rule::extern_decl => self.external(pair),
            Rule::mapping | Rule::fields => self.mapping(pair),
            Rule::flow => self.flow(pair),
            Rule::test => self.test(pair),
            Rule::adapt => pair.into_inner().next().and_then(|kind| self.adapt(kind)),
            _ => None,
        }
    }

    /// The one part that a declaration of one line has; its junk is reported.
    fn only<'i>(&mut self, pair: Pair<'i>, wanted: Rule) -> Option<Pair<'i>> {
        let rule = pair.as_rule();
        let part = pair.into_inner().next()?;
        if part.as_rule() == wanted {
            return Some(part);
        }
        self.bad_head(&part, rule);
        None
    }

    /// The head of a declaration that can't be read, or the block that it lacks.
    pub(super) fn bad_head(&mut self, pair: &Pair<'_>, of: Rule) {
        let diagnostic = messages::head(self, pair, of);
        self.report(diagnostic);
    }

    fn use_head(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        let (mut module, mut alias, mut with) = (None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::path => module = Some(self.path(part)),
                Rule::use_as => alias = part.into_inner().next().map(|word| self.name(&word)),
                _ => {
                    let mut words = part.into_inner();
                    if let (Some(from), Some(to)) = (words.next(), words.next()) {
                        with.push((self.name(&from), self.name(&to)));
                    }
                }
            }
        }
        Some(DeclKind::Use(Use { module: module?, alias, with }))
    }

    fn head(&mut self, pair: Pair<'_>) -> Head {
        let mut head = Head::default();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::word => head.name = Some(self.name(&part)),
                Rule::path => head.path = Some(self.path(part)),
                Rule::params => head.params = self.params(part),
                Rule::paths => head.paths = self.paths(part),
                Rule::ty => head.ty = Some(self.ty(part)),
                Rule::text => head.text = Some(self.text(part)),
                Rule::slip_fat => self.slip(&part, "->", "the result's type stands after an arrow"),
                Rule::fn_head => head = self.head(part),
                _ => {}
            }
        }
        head
    }

    pub(super) fn params(&mut self, pair: Pair<'_>) -> Vec<Param> {
        let mut params = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() != Rule::parameter {
                self.junk(&part, Place::Parameter);
                continue;
            }
            let mut inner = part.into_inner();
            if let (Some(word), Some(ty)) = (inner.next(), inner.next()) {
                params.push(Param { name: self.name(&word), ty: self.ty(ty) });
            }
        }
        params
    }

    fn connect(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        let (mut head, mut entries) = (Head::default(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::connect_head => head = self.head(part),
                Rule::entries => entries = self.entries(part),
                _ => self.bad_head(&part, Rule::connect),
            }
        }
        Some(DeclKind::Connect(Connect { name: head.name?, connector: head.path?, entries }))
    }

    fn answers(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        let (mut module, mut entries) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::path => module = Some(self.path(part)),
                Rule::entries => entries = self.entries(part),
                _ => self.bad_head(&part, Rule::answers),
            }
        }
        Some(DeclKind::Answers(Answers { module: module?, entries }))
    }

    pub(super) fn entries(&mut self, pair: Pair<'_>) -> Vec<Entry> {
        let mut entries = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() != Rule::entry {
                self.junk(&part, Place::Entry);
                continue;
            }
            if let Some((path, value)) = self.assignment(part) {
                entries.extend(path.parts.into_iter().next().map(|name| Entry { name, value }));
            }
        }
        entries
    }

    fn settings(&mut self, pair: Pair<'_>) -> DeclKind {
        let mut settings = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() != Rule::settings_body {
                self.bad_head(&part, Rule::settings);
                continue;
            }
            for line in part.into_inner() {
                if line.as_rule() == Rule::setting {
                    settings.extend(self.setting(line));
                } else {
                    self.junk(&line, Place::Setting);
                }
            }
        }
        DeclKind::Settings(settings)
    }

    fn setting(&mut self, pair: Pair<'_>) -> Option<Setting> {
        let span = self.span(&pair);
        let (mut name, mut ty, mut default) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::word => name = Some(self.name(&part)),
                Rule::ty => ty = Some(self.ty(part)),
                _ => default = Some(self.result(part)),
            }
        }
        Some(Setting { doc: self.doc(span), name: name?, ty: ty?, default, span })
    }

    fn lookup(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        let (mut head, mut rows) = (Head::default(), LookupRows::Here(Vec::new()));
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::lookup_head => head = self.head(part),
                Rule::rows => rows = LookupRows::Here(self.rows(part)),
                Rule::lookup_csv => {
                    if let Some(text) = part.into_inner().next() {
                        rows = LookupRows::Csv(self.text(text));
                    }
                }
                _ => self.bad_head(&part, Rule::lookup),
            }
        }
        Some(DeclKind::Lookup(Lookup { name: head.name?, keys: head.params, result: head.ty?, rows }))
    }

    fn rows(&mut self, pair: Pair<'_>) -> Vec<Row> {
        let mut rows = Vec::new();
        for part in pair.into_inner() {
            if part.as_rule() != Rule::row {
                self.junk(&part, Place::Row);
                continue;
            }
            let span = self.span(&part);
            let mut cells: Vec<Pattern> = Vec::new();
            let mut value = self.error(&part);
            for inner in part.into_inner() {
                match inner.as_rule() {
                    Rule::pattern => cells.push(self.pattern(inner)),
                    Rule::slip_thin => self.slip(&inner, "=>", "a row gives its value with `=>`"),
                    _ => value = self.result(inner),
                }
            }
            self.else_alone(&cells);
            rows.push(Row { cells, value, span });
        }
        rows
    }

    /// `else` is the rest of the whole table, so it has no other cells.
    fn else_alone(&mut self, cells: &[Pattern]) {
        let Some(cell) = cells.iter().find(|cell| matches!(cell.kind, PatternKind::Else)) else {
            return;
        };
        if cells.len() > 1 {
            self.report(
                Diagnostic::new(&codes::SYNTAX, cell.span, "`else` stands for all columns of a table, not for one")
                    .label("one of several cells")
                    .help("write `_` for any value of this column, or a row of its own: `else => …`")
                    .fix("write `_`", cell.span, "_"),
            );
        }
    }

    fn function(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        let (mut head, mut body) = (Head::default(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::fn_head => head = self.head(part),
                Rule::head_junk => self.bad_head(&part, Rule::fn_decl),
                _ => body = Some(self.result(part)),
            }
        }
        Some(DeclKind::Fn(Fn { name: head.name?, params: head.params, result: head.ty?, body }))
    }

    fn external(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        let head = self.only(pair, Rule::extern_head)?;
        let mut file = None;
        let mut function = Head::default();
        for part in head.into_inner() {
            match part.as_rule() {
                Rule::fn_head => function = self.head(part),
                _ => file = Some(self.text(part)),
            }
        }
        let Head { name, params, ty, .. } = function;
        Some(DeclKind::Extern(Extern { name: name?, params, result: ty?, file: file? }))
    }

    fn mapping(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        let rule = pair.as_rule();
        let (mut head, mut body) = (Head::default(), Vec::new());
        let mut told = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::mapping_head | Rule::fields_head => head = self.head(part),
                Rule::body => body = self.body(part),
                _ if told => {}
                _ => {
                    told = true;
                    self.bad_head(&part, rule);
                }
            }
        }
        let Head { name, path, params, paths, .. } = head;
        Some(match rule {
            Rule::mapping => DeclKind::Mapping(Mapping { name: name?, params, target: path?, body }),
            _ => DeclKind::Fields(Fields { name: name?, params, targets: paths, body }),
        })
    }

    fn flow(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        let (mut name, mut body) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::word => name = Some(self.name(&part)),
                Rule::flow_body => body = self.flow_body(part),
                _ => self.bad_head(&part, Rule::flow),
            }
        }
        Some(DeclKind::Flow(Flow { name: name?, body }))
    }

    fn test(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        let (mut title, mut body) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => title = Some(self.text(part)),
                Rule::test_body => body = self.test_body(part),
                _ => self.bad_head(&part, Rule::test),
            }
        }
        Some(DeclKind::Test(Test { title: title?, body }))
    }

    fn schema(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        let rule = pair.as_rule();
        let (mut name, mut path, mut clauses, mut fields) = (None, None, Vec::new(), Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::word => name = Some(self.name(&part)),
                Rule::path => path = Some(self.path(part)),
                Rule::entity_body | Rule::extend_body => (clauses, fields) = self.schema_lines(part),
                Rule::clauses => clauses = self.clauses(part),
                _ => self.bad_head(&part, rule),
            }
        }
        Some(match rule {
            Rule::entity => DeclKind::Entity(Entity { name: name?, clauses, fields }),
            Rule::extend => DeclKind::Extend(Extend { entity: path?, fields }),
            _ => DeclKind::Connector(Connector { name: name?, clauses }),
        })
    }

    fn adapt(&mut self, pair: Pair<'_>) -> Option<DeclKind> {
        if pair.as_rule() == Rule::head_junk {
            self.bad_head(&pair, Rule::adapt);
            return None;
        }
        self.adapting = true;
        let rule = pair.as_rule();
        let (mut kind, mut names, mut body) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::adapt_kind_mapping | Rule::adapt_kind_lookup | Rule::adapt_kind_flow | Rule::adapt_kind_fn => {
                    kind = Some(self.name(&part));
                }
                Rule::adapt_names => names = part.into_inner().next().map(|paths| self.paths(paths)),
                Rule::body => body = Some(AdaptBody::Stmts(self.body(part))),
                Rule::rows => body = Some(AdaptBody::Rows(self.rows(part))),
                Rule::flow_body => body = Some(AdaptBody::Flow(self.flow_body(part))),
                Rule::head_junk | Rule::no_body => self.bad_head(&part, rule),
                _ => body = Some(AdaptBody::Value(self.result(part))),
            }
        }
        self.adapting = false;
        Some(DeclKind::Adapt(Adapt { kind: kind?, names: names?, body: body? }))
    }

    /// A type that could not be read.
    pub(super) fn error_type(span: Span) -> Type {
        Type { kind: TypeKind::Error, span }
    }

    /// A value that could not be read.
    pub(super) fn error_value(span: Span) -> Expr {
        Expr { kind: crate::syntax::ast::ExprKind::Error, span }
    }
}
