//! Names that lead into other modules: what they mean, and what to say when they mean nothing.

use crate::check::resolve::checker::Checker;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::resolve::modules::ModuleId;
use crate::check::resolve::suggest;
use crate::source::Span;
use crate::source::{Diagnostic, codes};
use crate::syntax::ast;
impl Checker<'_> {
    /// A bare name that several of the used modules declare.
    pub(crate) fn several(&mut self, name: &ast::Name, modules: &[ModuleId]) {
        let places: Vec<String> =
            modules.iter().map(|m| format!("`{}.{}`", self.modules.get(*m).name, name.text)).collect();
        let message = format!("`{}` could be any of {}", name.text, places.join(", "));
        self.report(
            Diagnostic::new(&codes::AMBIGUOUS, name.span, message)
                .label("several have that name")
                .help("say which, with the name under which this file uses it: `name.…`"),
        );
    }

    /// `alias.` that the file does not use.
    pub(crate) fn unknown_alias(&mut self, inside: InstanceId, alias: &ast::Name) {
        if self.lacks(inside, Some(&alias.text)) {
            return;
        }
        let names = self.aliases(inside);
        let d = Diagnostic::new(
            &codes::UNKNOWN_NAME,
            alias.span,
            format!("`{}` is neither a value here nor something that this file uses", alias.text),
        )
        .label("not found");
        if let Some(module) = self.modules.called(&alias.text) {
            self.report(self.offer_use(d, inside, &module));
            return;
        }
        let mut d = d.help(if names.is_empty() {
            "write a `use` line for it".to_owned()
        } else {
            format!("this file uses: {}", names.join(", "))
        });
        if let Some(near) = suggest::hint(&alias.text, names) {
            d = d.fix(format!("use `{near}`"), alias.span, near);
        }
        self.report(d);
    }
}

impl Checker<'_> {
    /// The flow that a path names; a report where there is none.
    pub(crate) fn flow_at<'p>(
        &mut self,
        inside: InstanceId,
        path: &'p ast::Path,
    ) -> Option<(InstanceId, &'p ast::Name)> {
        let (instance, name) = match path.parts.as_slice() {
            [alias, name] => (self.used_instance(inside, &alias.text), name),
            [name] => (self.with_flow(inside, &name.text), name),
            _ => (None, &path.parts[0]),
        };
        if let Some(instance) = instance {
            let module = self.module_of(instance);
            if let Some(decl) = self.modules.named(module, Space::Flow, &name.text).first() {
                self.means(name.span, decl.name_span());
                return Some((instance, name));
            }
        }
        let names = match instance {
            Some(i) => self.modules.names(self.module_of(i), Space::Flow),
            None => self.names_in_sight(inside, Space::Flow),
        };
        let mut d = Diagnostic::new(&codes::UNKNOWN_NAME, path.span, format!("there is no flow `{}`", path.text()))
            .label("not found");
        if instance.is_none() {
            let own = self.modules.with_flow(&name.text).map(|id| self.modules.get(id).name.to_string());
            let stands = own.as_ref().map(|module| format!("it stands in {}.flow: ", module.replace('.', "/")));
            let alias = path.parts.first().filter(|_| path.parts.len() > 1);
            if let Some(module) = own.or_else(|| self.modules.called(&alias?.text)) {
                d = self.offer_use(d, inside, &module);
                d.help = Some(format!("{}add `use {module}`", stands.unwrap_or_default()));
                self.report(d);
                return None;
            }
        }
        d = match suggest::hint(&name.text, names) {
            Some(near) => d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), name.span, near),
            None => d.help("`use` the file that declares it"),
        };
        self.report(d);
        None
    }

    pub(crate) fn with_flow(&mut self, inside: InstanceId, name: &str) -> Option<InstanceId> {
        self.visible(inside).into_iter().find(|i| {
            let module = self.module_of(*i);
            self.modules.has(module, Space::Flow, name)
        })
    }

    /// An `add` of what is filled, by itself or with what it is a part of: `name`.
    pub(crate) fn added_once_more(&mut self, at: Span, there: Span, name: &str) {
        self.report(
            Diagnostic::new(&codes::ADAPT_THERE, at, format!("`{}` is filled already", self.modules.sources.text(at)))
                .label("added once more")
                .related(there, "filled here")
                .help(format!(
                    "`set {name} = …` changes it, in an `adapt` of what fills it; `base` is the value that it has there"
                )),
        );
    }

    /// A change that puts there what stands there.
    pub(crate) fn changes_nothing(&mut self, change: Span, before: Span) {
        self.report(
            Diagnostic::new(&codes::NEEDLESS, change, "this changes nothing: it says what stands there")
                .label("the same")
                .related(before, "what it displaces")
                .help("leave the line out, or write something else"),
        );
    }

    /// A change of what is sealed.
    pub(crate) fn is_sealed(&mut self, at: Span, declared: Span, name: &str) {
        self.report(
            Diagnostic::new(&codes::SEALED, at, format!("{name} is sealed: what else there is relies on it"))
                .label("not to be changed")
                .related(declared, "sealed here")
                .help("change what is around it, answer a setting, or write a mapping of your own"),
        );
    }
}
