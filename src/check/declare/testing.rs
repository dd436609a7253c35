//! Tests: the names in them. What they expect is found out when they run.

use crate::check::infer::frame::Infer;
use crate::check::resolve::checker::{Checker, TypeItem};
use crate::check::resolve::instances::InstanceId;
use crate::ir::Type;
use crate::source::codes;
use crate::syntax::ast::{self, DeclKind, Expectation, ExprKind as A, TestStmt};

impl Checker<'_> {
    /// The tests of a module: entities, fields, settings, functions and mappings that they name.
    pub(crate) fn tests(&mut self, instance: InstanceId) {
        let module = self.module_of(instance);
        let used = self.used.clone();
        let before = std::mem::take(&mut self.diagnostics);
        for decl in self.modules.with_keyword(module, "test") {
            let DeclKind::Test(test) = &decl.kind else { continue };
            let mut body = Infer::new(self, instance);
            (body.writes, body.drafts) = (true, true);
            for stmt in &test.body {
                body.test_statement(stmt);
            }
        }
        // A draft may lack what a record has, and is compared in ways of its own: only names are certain.
        let names = [
            &codes::UNKNOWN_NAME,
            &codes::UNKNOWN_FIELD,
            &codes::UNKNOWN_SETTING,
            &codes::UNKNOWN_TYPE,
            &codes::UNKNOWN_FUNCTION,
            &codes::AMBIGUOUS,
        ];
        let told = std::mem::replace(&mut self.diagnostics, before);
        self.diagnostics.extend(told.into_iter().filter(|d| names.contains(&d.code)));
        self.used = used;
    }
}

impl Infer<'_, '_> {
    fn test_statement(&mut self, stmt: &TestStmt) {
        match stmt {
            TestStmt::Settings(entries) => {
                for entry in entries {
                    self.setting(self.inside, &entry.name, entry.name.span);
                    self.expr(&entry.value, Some(&Type::Unknown));
                }
            }
            TestStmt::Given { name, entity, fields, linked, .. } => {
                let Some(TypeItem::Entity(id)) = self.cx.named_type(self.inside, entity) else {
                    // Whatever it was to be, its name is one.
                    if let Some(name) = name {
                        self.bind(name, Type::Unknown);
                    }
                    return;
                };
                for (path, value) in fields {
                    self.given_field(id, path);
                    self.expr(value, Some(&Type::Unknown));
                }
                if let Some(linked) = linked {
                    self.expr(linked, None);
                }
                if let Some(name) = name {
                    self.bind(name, Type::Record(id));
                }
            }
            TestStmt::Let(name, value) => {
                let value = self.expr(value, None);
                self.bind(name, value.ty);
            }
            TestStmt::Expect(value, expectation, _) => {
                self.expr(value, None);
                match expectation {
                    Expectation::Holds | Expectation::WritesNothing => {}
                    Expectation::Writes(paths) => {
                        for path in paths {
                            self.cx.named_type(self.inside, path);
                        }
                    }
                    Expectation::Fails(text) | Expectation::Waits(text) | Expectation::Skips(text) => {
                        self.expr(text, None);
                    }
                }
            }
            TestStmt::Snapshot(value, _) => {
                self.expr(value, None);
            }
        }
    }

    /// `status`, `billing.city`, `line_items[0].sku`: the first name is a field of the entity.
    fn given_field(&mut self, id: crate::ir::EntityId, path: &ast::Expr) {
        match &path.kind {
            A::Name(name) => drop(self.cx.field_named(id, &name.text, name.span)),
            A::Field(of, _, _) | A::Index(of, _) => self.given_field(id, of),
            _ => {}
        }
    }
}
