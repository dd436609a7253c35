//! Connections: what a project calls its systems, and which of them a use of a module goes to.

use crate::check::infer::frame::Infer;
use crate::check::resolve::checker::Checker;
use crate::check::resolve::facts::Runs;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::modules::ModuleId;
use crate::check::resolve::suggest;
use crate::ir::{Connection, ConnectionValue, Const};
use crate::source::{Diagnostic, codes};
use crate::syntax::ast::{self, DeclKind, ExprKind as A};
use std::sync::Arc;

impl Checker<'_> {
    pub(crate) fn connect(&mut self, c: &ast::Connect) {
        let connector = c.connector.text();
        if !self.program.connectors.iter().any(|k| *k.name == connector)
            && self.modules.find_or_load(&connector).is_some()
        {
            self.libraries_of(&connector);
        }
        if !self.program.connectors.iter().any(|k| *k.name == connector) {
            let names: Vec<String> = self.program.connectors.iter().map(|k| k.name.to_string()).collect();
            let mut d = Diagnostic::new(
                &codes::UNKNOWN_MODULE,
                c.connector.span,
                format!("there is no connector `{connector}`"),
            )
            .help("connectors: exact, woocommerce");
            if let Some(near) = suggest::hint(&connector, names) {
                d = d.fix(format!("use `{near}`"), c.connector.span, near);
            }
            self.report(d);
            return;
        }
        if let Some(before) = self.program.connections.iter().find(|k| k.name == c.name.text) {
            let before = before.span;
            self.report(
                Diagnostic::new(
                    &codes::DECLARED_TWICE,
                    c.name.span,
                    format!("there is already a connection `{}`", c.name.text),
                )
                .related(before, "declared here")
                .help("give it another name"),
            );
            return;
        }
        self.program.connections.push(Connection {
            name: Arc::clone(&c.name.text),
            connector: connector.into(),
            entries: Vec::new(),
            span: c.name.span,
        });
    }

    /// The entries of a project's connections: values that are known before anything runs, settings among them.
    pub(crate) fn connection_values(&mut self, root: ModuleId) {
        let instance = self.shared_instance(root);
        for decl in self.modules.with_keyword(root, "connect") {
            let DeclKind::Connect(c) = &decl.kind else { continue };
            let Some(n) = self.program.connections.iter().position(|made| made.span == c.name.span) else { continue };
            let connector = Arc::clone(&self.program.connections[n].connector);
            let files = self.entries_fit(&connector, c);
            let mut entries: Vec<(Arc<str>, ConnectionValue)> = Vec::new();
            for e in &c.entries {
                let file = files.iter().find(|(name, _)| *name == e.name.text).map(|(_, text)| Arc::clone(text));
                let value = match file {
                    Some(text) => Some(ConnectionValue::Plain(Const::Text(text))),
                    None => self.connection_value(instance, e),
                };
                entries.extend(value.map(|value| (Arc::clone(&e.name.text), value)));
            }
            self.program.connections[n].entries = entries;
        }
    }

    fn libraries_of(&mut self, name: &str) {
        if let Some(id) = self.modules.by_name(name) {
            for decl in self.modules.with_keyword(id, "connector") {
                if let DeclKind::Connector(c) = &decl.kind {
                    self.read_connector(c);
                }
            }
        }
    }

    /// `url = "…"`, `key = secret("NAME")`. A secret written down is an error.
    fn connection_value(&mut self, instance: InstanceId, e: &ast::Entry) -> Option<ConnectionValue> {
        if let A::Call(callee, args) = &e.value.kind
            && let A::Name(name) = &callee.kind
            && &*name.text == "secret"
        {
            if let [ast::Arg { value: ast::Expr { kind: A::Text(parts), .. }, .. }] = args.as_slice()
                && let [ast::TextPart::Plain(text)] = parts.as_slice()
            {
                return Some(ConnectionValue::Secret(Arc::clone(text)));
            }
            let (message, help) = ("a secret is named by a text, as it stands", "write `secret(\"SHOP_KEY\")`");
            self.say(&codes::ARGUMENTS, e.value.span, message, help);
            return None;
        }
        let secret = ["secret", "password", "token", "key"].iter().any(|w| e.name.text.contains(w));
        if secret && matches!(e.value.kind, A::Text(_)) {
            let upper = e.name.text.to_uppercase();
            self.report(
                Diagnostic::new(
                    &codes::SECRET_IN_FLOW,
                    e.value.span,
                    format!("`{}` is a secret, and flow files are shared", e.name.text),
                )
                .label("written down")
                .help(format!("write `secret(\"{upper}\")` and put the value into the environment or `.flowc/secrets`"))
                .fix("name the secret instead", e.value.span, format!("secret(\"{upper}\")")),
            );
            return None;
        }
        Infer::new(self, instance).constant(&e.value).map(ConnectionValue::Plain)
    }
}

/// The names under which a module uses others, each with that module.
type Aliases = Vec<(String, ModuleId)>;

impl Checker<'_> {
    /// `use … with inner = outer`: what a module calls `inner` is that connection, or that use of the same module.
    pub(crate) fn rebound(&mut self, owner: InstanceId, made: InstanceId, inner: &ast::Name, outer: &ast::Name) {
        let module = self.module_of(made);
        let aliases: Aliases =
            self.modules.get(module).uses.iter().map(|(alias, id, _)| (alias.to_string(), *id)).collect();
        let connection = self.program.connections.iter().find(|c| c.name == outer.text).cloned();
        let meant = aliases.iter().find(|(alias, _)| **alias == *inner.text).map(|(_, id)| *id);
        let Some(meant) = meant else {
            let connector = connection.map(|c| c.connector);
            self.not_used_there(module, &aliases, inner, connector.as_deref());
            return;
        };
        let called = Arc::clone(&self.modules.get(meant).name);
        if let Some(connection) = connection {
            if connection.connector == called {
                self.instances[made.0].connections.insert(inner.text.to_string(), Arc::clone(&outer.text));
            } else {
                let what = format!("`{}` is a connection to {}", outer.text, connection.connector);
                self.other_kind(inner, outer, &called, &what);
            }
        } else if let Some(other) = self.used_instance(owner, &outer.text) {
            if self.module_of(other) == meant {
                self.let_mean(made, &inner.text, other);
            } else {
                let what = format!("`{}` is {}", outer.text, self.modules.get(self.module_of(other)).name);
                self.other_kind(inner, outer, &called, &what);
            }
        } else {
            let mut names: Vec<String> = self.program.connections.iter().map(|c| c.name.to_string()).collect();
            names.extend(self.aliases(owner));
            let mut d = Diagnostic::new(
                &codes::UNKNOWN_NAME,
                outer.span,
                format!("`{}` is neither a connection nor something used here", outer.text),
            )
            .help("connect it, or use it under that name");
            if let Some(near) = suggest::hint(&outer.text, names) {
                d = d.fix(format!("use `{near}`"), outer.span, near);
            }
            self.report(d);
        }
    }

    fn other_kind(&mut self, inner: &ast::Name, outer: &ast::Name, called: &str, what: &str) {
        let message = format!("`{}` stands for {called} there, and {what}", inner.text);
        self.report(
            Diagnostic::new(&codes::TYPE_MISMATCH, outer.span, message)
                .label("another kind")
                .help(format!("name a connection to {called}, or a use of {called}")),
        );
    }

    /// The left side of a `with` that the module does not know.
    fn not_used_there(&mut self, module: ModuleId, aliases: &Aliases, inner: &ast::Name, connector: Option<&str>) {
        let of = Arc::clone(&self.modules.get(module).name);
        let names: Vec<String> = aliases.iter().map(|(alias, _)| alias.clone()).collect();
        let of_kind = aliases.iter().find(|(_, id)| connector.is_some_and(|c| *self.modules.get(*id).name == *c));
        let near = of_kind.map(|(alias, _)| alias.clone()).or_else(|| suggest::hint(&inner.text, names.clone()));
        let d = Diagnostic::new(&codes::UNKNOWN_NAME, inner.span, format!("{of} calls nothing `{}`", inner.text))
            .label("not a name in it");
        self.report(match near {
            Some(near) => d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), inner.span, near),
            None if names.is_empty() => {
                d.help("a connection is named where a flow is used: `use flows.orders with woo = shop`")
            }
            None => d.help(format!("it uses: {}", names.join(", "))),
        });
    }

    /// A flow that is on goes to one connection of each kind.
    pub(crate) fn decided(&mut self, runs: &Runs) {
        let instance = runs.instance;
        let mut reached = vec![instance];
        let mut n = 0;
        while let Some(next) = reached.get(n).copied() {
            let more: Vec<InstanceId> = self.visible(next).into_iter().filter(|i| !reached.contains(i)).collect();
            reached.extend(more);
            n += 1;
        }
        for (of, connector) in self.facts.undecided(runs.number).into_iter().filter(|(of, _)| reached.contains(of)) {
            let fit = self.program.connections.iter().filter(|c| c.connector == connector);
            let fit: Vec<String> = fit.map(|c| format!("`{}`", c.name)).collect();
            let module = self.modules.get(self.module_of(of));
            let alias = module.uses.iter().find(|(_, id, _)| self.modules.get(*id).name == connector);
            let alias = alias.map_or(&*connector, |(alias, _, _)| &**alias);
            let first = fit.first().map_or("", |name| name.trim_matches('`'));
            let name = Arc::clone(&self.instance(of).name);
            let mut help = format!("say which, where it is used: `use {} as NAME with {alias} = {first}`", module.name);
            if of != instance {
                help = format!(
                    "{help}, and that under its name: `use {} with {name} = NAME`",
                    self.modules.get(self.module_of(instance)).name
                );
            }
            let message = format!("`{name}` goes to {connector}, and {} are connections to it", fit.join(" and "));
            self.report(Diagnostic::new(&codes::AMBIGUOUS, runs.at, message).label("which of them?").help(help));
        }
    }
}
