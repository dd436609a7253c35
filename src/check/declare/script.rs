//! Functions in rhai: whether the file is there, can be read, and has the function. Nothing of it is run.

use crate::check::resolve::checker::Checker;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::paths::leads_down;
use crate::check::resolve::suggest;
use crate::ir::Type;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast;
use crate::value::script;
use std::path::Path;
use std::sync::Arc;

impl Checker<'_> {
    /// `extern fn name(params) -> type in "file.rhai"`
    pub(crate) fn external(&mut self, instance: InstanceId, f: &ast::Extern) {
        for p in &f.params {
            let ty = self.type_of(instance, &p.ty);
            self.crosses(&ty, p.ty.span, &format!("`{}`", p.name.text));
        }
        let result = self.type_of(instance, &f.result);
        self.crosses(&result, f.result.span, "the result");
        let file = &f.file.value;
        let Some(functions) = self.functions_of(f) else { return };
        let (name, wanted) = (&*f.name.text, f.params.len());
        let counts: Vec<usize> = functions.iter().filter(|(n, _)| n == name).map(|(_, count)| *count).collect();
        if counts.contains(&wanted) {
            return;
        }
        let parameters: Vec<&str> = f.params.iter().map(|p| &*p.name.text).collect();
        if let Some(has) = counts.first() {
            let message = format!("`{name}` has {} in {file}, and {wanted} here", counted(*has));
            self.report(
                Diagnostic::new(&codes::SCRIPT, f.name.span, message)
                    .label("another number of parameters")
                    .help(format!("begin it with `fn {name}({})` in {file}", parameters.join(", "))),
            );
            return;
        }
        let names: Vec<String> = functions.iter().map(|(n, _)| n.clone()).collect();
        let d =
            Diagnostic::new(&codes::SCRIPT, f.name.span, format!("{file} has no function `{name}`")).label("not found");
        self.report(match suggest::hint(name, names.clone()) {
            Some(near) => d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), f.name.span, near),
            None if names.is_empty() => {
                d.help(format!("write `fn {name}({}) {{ … }}` in {file}", parameters.join(", ")))
            }
            None => d.help(format!("its functions: {}", suggest::listed(&names))),
        });
    }

    /// Tells of a type whose values have no form in rhai.
    fn crosses(&mut self, ty: &Type, at: Span, what: &str) {
        let mut one = ty.present();
        while let Some(element) = one.element() {
            one = element.present();
        }
        // JSON is passed on as its text; a text that comes back is none.
        let json_back = *one == Type::Json && what == "the result";
        if json_back || matches!(one, Type::Record(_) | Type::Price | Type::Entered(..) | Type::Duration) {
            let message = format!("{what} is {}, which has no form in rhai", self.show(ty));
            let help = "functions in rhai take and give texts, numbers, amounts, dates, `bool`, and lists of them";
            self.say(&codes::TYPE_MISMATCH, at, message, help);
        }
    }

    /// The functions of a file; none where it can't be read, which is told once in each file that names it.
    fn functions_of(&mut self, f: &ast::Extern) -> Option<Vec<(String, usize)>> {
        let file = Path::new(&*f.file.value);
        let named_so = file.extension().is_some_and(|e| e == "rhai");
        if !leads_down(file) || !named_so {
            self.no_script(
                f,
                format!("\"{}\" does not name a file of functions", f.file.value),
                "name it by its path in the project's folder, such as \"numbers.rhai\"",
            );
            return None;
        }
        let beside = self.modules.sources.get(f.file.span.file).path.parent().map(Path::to_path_buf);
        let path = self.modules.root.clone().or(beside).unwrap_or_default().join(file);
        let key = (f.file.span.file, path);
        if let Some(known) = self.scripts.get(&key) {
            return known.clone();
        }
        let found = match self.modules.files.read(&key.1) {
            Err(e) => {
                self.no_script(
                    f,
                    format!("{} can't be read: {e}", f.file.value),
                    "its path begins in the project's folder",
                );
                None
            }
            Ok(text) => match script::functions(&text) {
                Ok(functions) => {
                    self.script_texts.insert(Arc::clone(&f.file.value), text);
                    Some(functions)
                }
                Err(e) => {
                    let line = e.line.map(|n| format!("line {n} of ")).unwrap_or_default();
                    let message = format!("{line}{} can't be read as rhai: {}", f.file.value, e.reason);
                    self.no_script(f, message, "correct the file: until then none of its functions can be called");
                    None
                }
            },
        };
        self.scripts.insert(key, found.clone());
        found
    }

    fn no_script(&mut self, f: &ast::Extern, message: String, help: &str) {
        self.report(Diagnostic::new(&codes::SCRIPT, f.file.span, message).label("can't be used").help(help));
    }
}

fn counted(n: usize) -> String {
    if n == 1 { "1 parameter".to_owned() } else { format!("{n} parameters") }
}
