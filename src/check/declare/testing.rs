//! Tests: what they give must fit the schemas, what they expect is typed as any expression is.

use crate::check::infer::frame::Infer;
use crate::check::resolve::checker::{Checker, TypeItem};
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::resolve::paths::leads_down;
use crate::ir::{
    Answers, Case, Cases, EntityId, Expected, Expr, FieldId, GivenRecord, GivenValue, Place, Stop, Subject, Test,
    TestStep, Type,
};
use crate::source::{Span, codes};
use crate::syntax::ast::{self, DeclKind, Element, Entry, Expectation, ExprKind as A, Name, TestStmt};
use std::path::Path;
use std::sync::Arc;

/// Which tests a check is made for.
#[derive(Clone, Debug, Default)]
pub struct Tests {
    /// The test whose answers to settings hold for the whole program.
    pub answered: Option<Answered>,
}

/// A test that answers settings.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its module.
    pub module: Arc<str>,
    /// Its title.
    pub title: Arc<str>,
    /// Its answers, as they are written.
    pub answers: Arc<str>,
    /// Which of its cases.
    pub case: usize,
}

impl Answered {
    /// Whether a test of that module has the same answers.
    fn suits(&self, module: &str, answers: Option<&Answers>) -> bool {
        *self.module == *module && answers.is_some_and(|answers| answers.text == self.answers)
    }
}

impl Checker<'_> {
    /// The tests of a module become part of the program where they are asked for; what is wrong with them is told in
    /// any case.
    pub(crate) fn tests(&mut self, instance: InstanceId, wanted: Option<&Tests>) {
        self.only_looking(|cx| cx.tests_of(instance, wanted));
    }

    fn tests_of(&mut self, instance: InstanceId, wanted: Option<&Tests>) {
        let module = self.module_of(instance);
        let name = Arc::clone(&self.modules.get(module).name);
        for decl in self.modules.with_keyword(module, "test") {
            let DeclKind::Test(test) = &decl.kind else { continue };
            let answers = self.answers_as_written(test);
            // The others can't be evaluated with these answers.
            if wanted.and_then(|tests| tests.answered.as_ref()).is_some_and(|of| !of.suits(&name, answers.as_ref())) {
                continue;
            }
            let mut body = Infer::new(self, instance);
            (body.writes, body.drafts) = (true, true);
            let cases = table(test).map(|cases| body.cases(cases));
            let steps = test.body.iter().filter_map(|stmt| body.test_statement(stmt)).collect();
            body.unused_lets();
            tables(test).skip(1).for_each(|second| {
                let help = "put the rows into one table, or the second one into a test of its own";
                body.cx.say(&codes::MISPLACED, second.span, "a test has one table of cases", help);
            });
            let locals = body.next;
            if wanted.is_some() {
                self.program.tests.push(Test {
                    module: Arc::clone(&name),
                    title: Arc::clone(&test.title.value),
                    answers,
                    cases,
                    locals,
                    steps,
                    span: test.title.span,
                });
            }
        }
    }

    /// The answers of one test hold for the whole program: it is checked for that test alone.
    pub(crate) fn answers_of_test(&mut self, instance: InstanceId, answered: &Answered) {
        let module = self.module_of(instance);
        for decl in self.modules.with_keyword(module, "test") {
            let DeclKind::Test(test) = &decl.kind else { continue };
            if test.title.value != answered.title {
                continue;
            }
            let case = table(test).and_then(|cases| Some((cases, cases.rows.get(answered.case)?)));
            for stmt in &test.body {
                let TestStmt::Settings(entries) = stmt else { continue };
                for entry in entries {
                    if let Some(asking) = self.asking(instance, &entry.name.text) {
                        let mut entry = entry.clone();
                        if let Some((cases, row)) = case {
                            put_cells(&mut entry.value, cases, row);
                        }
                        self.instances[asking.0].answers.insert(entry.name.text.to_string(), entry);
                    }
                }
            }
        }
    }

    /// The answers of a test as they stand in its file.
    fn answers_as_written(&self, test: &ast::Test) -> Option<Answers> {
        let entries = test.body.iter().filter_map(|stmt| match stmt {
            TestStmt::Settings(entries) => Some(entries),
            _ => None,
        });
        let entries: Vec<&Entry> = entries.flatten().collect();
        if entries.is_empty() {
            return None;
        }
        let by_case = table(test).is_some_and(|cases| {
            let mut made = entries.iter().map(|entry| entry.value.clone());
            cases.rows.first().is_some_and(|row| made.any(|mut value| put_cells(&mut value, cases, row)))
        });
        let written = |entry: &&Entry| format!("{} = {}", entry.name.text, self.modules.sources.text(entry.value.span));
        let text = entries.iter().map(written).collect::<Vec<_>>().join(", ");
        Some(Answers { text: text.into(), by_case })
    }

    /// The module that asks a setting which a test answers: its own, or one that it uses.
    fn asking(&mut self, inside: InstanceId, setting: &str) -> Option<InstanceId> {
        let mut seen = vec![inside];
        seen.extend(self.visible(inside));
        seen.into_iter().find(|instance| {
            let module = self.module_of(*instance);
            self.asked(module).contains_key(setting)
        })
    }

    /// The JSON text of a record's file.
    fn record_file(&mut self, file: &ast::Text) -> Option<Arc<str>> {
        let told = if leads_down(Path::new(&*file.value)) {
            let folder = self.modules.sources.get(file.span.file).path.parent().map(Path::to_path_buf);
            match self.modules.text_beside(&folder.unwrap_or_default(), &file.value) {
                Ok((_, text)) => match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text) {
                    Ok(_) => return Some(text.into()),
                    Err(e) => format!("the record \"{}\" is no JSON object: {e}", file.value),
                },
                Err(e) => format!("the record \"{}\" can't be read: {e}", file.value),
            }
        } else {
            format!("the path \"{}\" leads out of the folder", file.value)
        };
        let help = "a record is a file with one JSON object, as the API gives it; its path is relative to the flow file, \
                    or to the folder `data` beside it";
        self.say(&codes::UNREADABLE, file.span, told, help);
        None
    }
}

/// The tables of cases of a test: there should be one at most.
fn tables(test: &ast::Test) -> impl Iterator<Item = &ast::Cases> {
    test.body.iter().filter_map(|stmt| match stmt {
        TestStmt::Cases(cases) => Some(cases),
        _ => None,
    })
}

fn table(test: &ast::Test) -> Option<&ast::Cases> {
    tables(test).next()
}

/// Puts the cells of a case where its columns are named in an answer; whether there was one.
fn put_cells(value: &mut ast::Expr, cases: &ast::Cases, row: &ast::Case) -> bool {
    match &mut value.kind {
        A::Name(name) => {
            let column = cases.columns.iter().position(|column| column.name.text == name.text);
            let Some(cell) = column.and_then(|n| row.cells.get(n)) else { return false };
            *value = cell.clone();
            true
        }
        A::List(elements) => {
            let mut put = false;
            for element in elements {
                if let Element::One(one) = element {
                    put |= put_cells(one, cases, row);
                }
            }
            put
        }
        _ => false,
    }
}

fn counted(n: usize, of: &str) -> String {
    if n == 1 { format!("1 {of}") } else { format!("{n} {of}s") }
}

impl Infer<'_, '_> {
    fn test_statement(&mut self, stmt: &TestStmt) -> Option<TestStep> {
        match stmt {
            TestStmt::Cases(_) => None,
            TestStmt::Now(now, _) => {
                let now = self.expr_for("what the clock says", now, &Type::Instant);
                Some(TestStep::Now(self.coerce(now, &Type::Instant, "what the clock says")))
            }
            TestStmt::Settings(entries) => {
                entries.iter().for_each(|entry| self.answer_of_test(entry));
                None
            }
            TestStmt::Given { name, entity, file, fields, linked, linked_as, span } => {
                let Some(TypeItem::Entity(id)) = self.cx.named_type(self.inside, entity) else {
                    // Whatever it was to be, its name is one.
                    if let Some(name) = name {
                        self.bind(name, Type::Unknown);
                    }
                    return None;
                };
                self.cx.read_entity(id);
                let base = file.as_ref().and_then(|file| self.cx.record_file(file));
                let fields = fields.iter().filter_map(|(path, value)| self.given_field(id, path, value)).collect();
                let local = name.as_ref().map(|name| self.bind(name, Type::Record(id)));
                let linked = linked.as_ref().map(|linked| self.expr(linked, None));
                let linked_as = linked_as.as_ref().and_then(|by| self.linked_by(by, id, linked.as_ref()));
                Some(TestStep::Given(GivenRecord { local, entity: id, base, fields, linked, linked_as, span: *span }))
            }
            TestStmt::Let(name, value) => {
                let value = self.expr(value, None);
                let local = self.bind(name, value.ty.clone());
                Some(TestStep::Let(local, value))
            }
            TestStmt::Expect(value, expectation, span) => self.expectation(value, expectation, *span),
            TestStmt::Snapshot(value, span) => Some(TestStep::Snapshot(self.subject(value)?, *span)),
        }
    }

    /// The columns of a table become values of the test; each row gives all of them.
    fn cases(&mut self, cases: &ast::Cases) -> Cases {
        let types: Vec<Type> = cases.columns.iter().map(|c| self.cx.type_of(self.inside, &c.ty)).collect();
        let rows = cases.rows.iter().map(|row| self.case(cases, &types, row)).collect();
        let columns = cases.columns.iter().zip(types).map(|(column, ty)| self.bind(&column.name, ty)).collect();
        self.lets.extend(cases.columns.iter().filter_map(|column| self.names.named(&column.name.text).cloned()));
        Cases { columns, rows }
    }

    fn case(&mut self, cases: &ast::Cases, types: &[Type], row: &ast::Case) -> Case {
        if row.cells.len() != types.len() {
            self.cx.say(
                &codes::ARGUMENTS,
                row.span,
                format!("a case of {} for {}", counted(row.cells.len(), "cell"), counted(types.len(), "column")),
                "a case has a cell for each column, `none` where there is nothing",
            );
        }
        let cells = row.cells.iter().zip(types).zip(&cases.columns).map(|((cell, ty), column)| {
            let what = format!("`{}`", column.name.text);
            let value = self.expr_for(&what, cell, ty);
            self.coerce(value, ty, &what)
        });
        let cells = cells.collect();
        let written = || {
            let texts = row.cells.iter().map(|cell| self.cx.modules.sources.text(cell.span));
            texts.collect::<Vec<_>>().join(", ")
        };
        let name = row.name.as_ref().map_or_else(|| written().into(), |name| Arc::clone(&name.value));
        Case { name, cells, span: row.span }
    }

    fn answer_of_test(&mut self, entry: &Entry) {
        let Some(asking) = self.cx.asking(self.inside, &entry.name.text) else {
            self.cx.unknown_setting(self.inside, &entry.name.text, entry.name.span, true);
            return;
        };
        let setting = self.setting(asking, &entry.name, entry.name.span);
        let what = format!("the setting `{}`", entry.name.text);
        let value = self.expr_for(&what, &entry.value, &setting.ty);
        self.coerce(value, &setting.ty, &what);
    }

    fn expectation(&mut self, value: &ast::Expr, expectation: &Expectation, span: Span) -> Option<TestStep> {
        let subject = match expectation {
            Expectation::Holds => {
                let holds = self.condition(value);
                Subject::Value(self.coerce(holds, &Type::Bool, "what is expected"))
            }
            _ => self.subject(value)?,
        };
        let expected = match expectation {
            Expectation::Holds => Expected::Holds,
            Expectation::WritesNothing => Expected::Writes(Vec::new()),
            Expectation::Writes(paths) => {
                let named = paths.iter().filter_map(|path| match self.cx.named_type(self.inside, path) {
                    Some(TypeItem::Entity(id)) => Some(id),
                    _ => None,
                });
                Expected::Writes(named.collect())
            }
            Expectation::Fails(why) => Expected::Stops(Stop::Fail, self.reason(why)),
            Expectation::Waits(why) => Expected::Stops(Stop::Wait, self.reason(why)),
            Expectation::Skips(why) => Expected::Stops(Stop::Skip, self.reason(why)),
            Expectation::Alerts(why) => Expected::Alerts(self.reason(why)),
        };
        Some(TestStep::Expect(subject, expected, span))
    }

    fn reason(&mut self, why: &ast::Expr) -> Expr {
        let text = Type::Text(None);
        let why = self.expr_for("the reason", why, &text);
        self.coerce(why, &text, "the reason")
    }

    /// A value, a mapping's draft, or a whole flow over a record.
    fn subject(&mut self, value: &ast::Expr) -> Option<Subject> {
        if let A::Call(callee, args) = &value.kind
            && let [arg] = args.as_slice()
            && let Some((instance, name)) = self.flow_called(callee)
        {
            self.cx.read_flow(instance, &name, false);
            let full = format!("{}.{name}", self.cx.instance(instance).name);
            let flow = self.cx.program.flows.iter().position(|flow| *flow.name == *full)?;
            let source = Type::Record(self.cx.program.flows[flow].source);
            let what = format!("the record of `{name}`");
            let record = self.expr_for(&what, &arg.value, &source);
            return Some(Subject::Flow(flow, self.coerce(record, &source, &what)));
        }
        Some(Subject::Value(self.expr(value, None)))
    }

    /// The flow that a call names, where nothing else is called so.
    fn flow_called(&mut self, callee: &ast::Expr) -> Option<(InstanceId, Arc<str>)> {
        let (instance, name) = match &callee.kind {
            A::Name(name) => {
                let visible = self.cx.visible(self.inside);
                if !self.callables(&visible, &name.text).is_empty() {
                    return None;
                }
                (self.cx.with_flow(self.inside, &name.text)?, name)
            }
            A::Field(of, name, false) => {
                let A::Name(alias) = &of.kind else { return None };
                let instance = self.cx.used_instance(self.inside, &alias.text)?;
                if !self.callables(&[instance], &name.text).is_empty() {
                    return None;
                }
                (instance, name)
            }
            _ => return None,
        };
        let module = self.cx.module_of(instance);
        let there = !self.cx.modules.named(module, Space::Flow, &name.text).is_empty();
        there.then(|| (instance, Arc::clone(&name.text)))
    }

    /// `status = …`, `billing.city = …`, `line_items[0].sku = …`
    fn given_field(&mut self, id: EntityId, path: &ast::Expr, value: &ast::Expr) -> Option<(Vec<Place>, GivenValue)> {
        let mut places = Vec::new();
        let end = self.place_in(id, path, &mut places);
        let Some((entity, field, ty)) = end else {
            self.expr(value, Some(&Type::Unknown));
            return None;
        };
        let value = self.given_value(entity, field, &ty, value);
        Some((places, value))
    }

    /// The field that a path ends in, and the type of what stands there.
    fn place_in(
        &mut self,
        id: EntityId,
        path: &ast::Expr,
        places: &mut Vec<Place>,
    ) -> Option<(EntityId, FieldId, Type)> {
        let (entity, name) = match &path.kind {
            A::Name(name) => (id, name),
            A::Field(of, name, _) => {
                let (_, _, ty) = self.place_in(id, of, places)?;
                let Type::Record(part) = ty.present() else {
                    let message = format!("{} has no fields, so no `{}`", self.cx.show(&ty), name.text);
                    self.cx.say(&codes::UNKNOWN_FIELD, name.span, message, "an element of a list is `list[0]`");
                    return None;
                };
                (*part, name)
            }
            A::Index(of, index) => {
                let (entity, field, ty) = self.place_in(id, of, places)?;
                let number = match index.as_slice() {
                    [ast::Expr { kind: A::Number(n), .. }] => n.parse().ok(),
                    _ => None,
                };
                let (Some(element), Some(number)) = (ty.present().element(), number) else {
                    self.cx.say(
                        &codes::BAD_OPERANDS,
                        path.span,
                        "which element is meant is not said",
                        "an element of a list is `list[0]`, `list[1]`, …",
                    );
                    return None;
                };
                places.push(Place::Index(number));
                return Some((entity, field, element.clone()));
            }
            _ => {
                self.cx.say(
                    &codes::MISPLACED,
                    path.span,
                    "this is no field of the record",
                    "name it: `status`, `billing.city`, `line_items[0].sku`",
                );
                return None;
            }
        };
        self.cx.read_entity(entity);
        let field = self.cx.field_named(entity, &name.text, name.span)?;
        places.push(Place::Field(entity, field));
        Some((entity, field, self.cx.program.entity(entity).get(field).ty.clone()))
    }

    /// A value as the system has it: records and lists as far as they are given.
    fn given_value(&mut self, entity: EntityId, field: FieldId, ty: &Type, value: &ast::Expr) -> GivenValue {
        match (&value.kind, ty.present()) {
            (A::Record(fields), Type::Record(part)) => {
                self.cx.read_entity(*part);
                GivenValue::Part(
                    *part,
                    fields.iter().filter_map(|(path, value)| self.part_field(*part, path, value)).collect(),
                )
            }
            (A::List(elements), Type::List(element)) if elements.iter().all(|e| matches!(e, Element::One(_))) => {
                let one = |e: &Element| if let Element::One(e) = e { Some(e.clone()) } else { None };
                let list: Vec<ast::Expr> = elements.iter().filter_map(one).collect();
                GivenValue::List(list.iter().map(|e| self.given_value(entity, field, element, e)).collect())
            }
            _ => {
                let what = format!("`{}`", self.cx.program.entity(entity).get(field).name);
                // What stands in a record is one amount, whichever it is.
                let ty = if *ty.present() == Type::Price { &Type::Decimal } else { ty };
                // That a record has none can be given of every field: what reads it finds out.
                let ty = ty.clone().optional();
                let made = self.expr_for(&what, value, &ty);
                GivenValue::Value(entity, field, self.coerce(made, &ty, &what))
            }
        }
    }

    fn part_field(&mut self, part: EntityId, path: &ast::Path, value: &ast::Expr) -> Option<(FieldId, GivenValue)> {
        let [name]: &[Name] = path.parts.as_slice() else {
            let message = format!("`{}` goes into a part of this record", path.text());
            self.cx.say(&codes::MISPLACED, path.span, message, "give the part as a record: `billing = { city = … }`");
            return None;
        };
        let field = self.cx.field_named(part, &name.text, name.span)?;
        let ty = self.cx.program.entity(part).get(field).ty.clone();
        Some((field, self.given_value(part, field, &ty, value)))
    }
}
