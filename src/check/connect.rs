//! Connections: where a system is and how to log in, held against what its connector's declaration takes.

use super::body::Body;
use super::cx::{Cx, InstanceId};
use super::entity::word_text;
use super::load::{ModuleId, path_text};
use super::suggest;
use crate::ir::{Connection, ConnectionValue};
use crate::source::{Diagnostic, codes};
use crate::syntax::ast::{self, DeclKind, Element, ExprKind as A, TextPart, Word};
use std::sync::Arc;

/// What an entry holds. Any of them may be kept as a secret; it is looked at when it is used then.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// The address of a site.
    Address,
    /// A whole number.
    Number,
    /// A secret, or a text that is as good as one.
    Secret,
    /// One of these texts.
    OneOf(Vec<String>),
}

/// An entry that a `connect` block may have, as the connector's `entries { … }` declares it:
/// `country [NL, BE] required unless base_url`.
#[derive(Clone, Debug)]
struct Declared {
    name: String,
    form: Form,
    required: bool,
    /// The entry that makes it needless.
    unless: Option<String>,
}

impl Declared {
    fn read(clause: &ast::Clause) -> Option<Self> {
        let [Word::Name(name), form, marks @ ..] = clause.words.as_slice() else { return None };
        let form = match form {
            Word::Value(ast::Expr { kind: A::List(elements), .. }) => Form::OneOf(
                elements
                    .iter()
                    .filter_map(
                        |e| if let Element::One(e) = e { Some(word_text(&Word::Value(e.clone()))) } else { None },
                    )
                    .collect(),
            ),
            word => match word_text(word).as_str() {
                "address" => Form::Address,
                "number" => Form::Number,
                _ => Form::Secret,
            },
        };
        let marks: Vec<String> = marks.iter().map(word_text).collect();
        let after = marks.iter().position(|mark| mark == "unless").and_then(|n| marks.get(n + 1)).cloned();
        Some(Self { name: path_text(name), form, required: marks.iter().any(|m| m == "required"), unless: after })
    }

    /// A line that fills it.
    fn example(&self) -> String {
        let value = match &self.form {
            Form::Address => "\"https://shop.example.com\"".to_owned(),
            Form::Number => "123456".to_owned(),
            Form::Secret => format!("secret(\"{}\")", self.name.to_uppercase()),
            Form::OneOf(values) => format!("\"{}\"", values.first().map_or("", String::as_str)),
        };
        format!("{} = {value}", self.name)
    }
}

impl Cx<'_> {
    pub(crate) fn connect(&mut self, root: ModuleId, c: &ast::Connect) {
        let connector = path_text(&c.connector);
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
                    format!("there is a connection `{}` already", c.name.text),
                )
                .related(before, "declared here")
                .help("give it another name"),
            );
            return;
        }
        self.entries_fit(&connector, c);
        let instance = self.shared_instance(root);
        let entries = c
            .entries
            .iter()
            .filter_map(|e| Some((Arc::clone(&e.name.text), self.connection_value(instance, e)?)))
            .collect();
        self.program.connections.push(Connection {
            name: Arc::clone(&c.name.text),
            connector: connector.into(),
            entries,
            span: c.name.span,
        });
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
            return match args.first().map(|a| &a.value.kind) {
                Some(A::Text(parts)) => match parts.as_slice() {
                    [ast::TextPart::Plain(text)] => Some(ConnectionValue::Secret(Arc::clone(text))),
                    _ => None,
                },
                _ => {
                    self.say(
                        &codes::ARGUMENTS,
                        e.value.span,
                        "a secret is named by a text",
                        "write `secret(\"SHOP_KEY\")`",
                    );
                    None
                }
            };
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
        Body::new(self, instance).constant(&e.value).map(ConnectionValue::Plain)
    }

    /// The entries that a connector's declaration takes; none where it declares none.
    fn declared_entries(&mut self, connector: &str) -> Vec<Declared> {
        let Some(module) = self.modules.by_name(connector) else { return Vec::new() };
        let decls = self.modules.with_keyword(module, "connector");
        let clauses =
            decls.iter().filter_map(|d| if let DeclKind::Connector(c) = &d.kind { Some(&c.clauses) } else { None });
        let entries = |c: &&ast::Clause| c.words.first().is_some_and(|word| word_text(word) == "entries");
        clauses.flatten().filter(entries).flat_map(|c| &c.block).filter_map(Declared::read).collect()
    }

    /// What a block says is what its connector takes, and nothing is missing.
    fn entries_fit(&mut self, connector: &str, c: &ast::Connect) {
        let declared = self.declared_entries(connector);
        if declared.is_empty() {
            return;
        }
        for entry in &c.entries {
            match declared.iter().find(|d| *d.name == *entry.name.text) {
                Some(declared) => self.entry_fits(declared, &entry.value),
                None => self.unknown_entry(connector, &declared, &entry.name),
            }
        }
        let says = |name: &str| c.entries.iter().any(|e| *e.name.text == *name);
        // A misspelt entry is told; that it is missing too is no second mistake.
        let meant = |name: &str| c.entries.iter().any(|e| super::nearest(&e.name.text, [name]).is_some());
        let missing: Vec<&Declared> = declared
            .iter()
            .filter(|d| d.required && !says(&d.name) && !meant(&d.name) && !d.unless.as_deref().is_some_and(says))
            .collect();
        if missing.is_empty() {
            return;
        }
        let names: Vec<String> = missing.iter().map(|d| format!("`{}`", d.name)).collect();
        let lines: Vec<String> = missing.iter().map(|d| format!("`{}`", d.example())).collect();
        self.report(
            Diagnostic::new(
                &codes::CONNECT_ENTRY,
                c.name.span,
                format!("`{}` does not say its {}", c.name.text, names.join(", ")),
            )
            .label("not enough to connect")
            .help(format!("add {}", lines.join(", "))),
        );
    }

    fn unknown_entry(&mut self, connector: &str, declared: &[Declared], name: &ast::Name) {
        let names: Vec<String> = declared.iter().map(|d| d.name.clone()).collect();
        let message = format!("a connection to {connector} has no `{}`", name.text);
        let d = Diagnostic::new(&codes::CONNECT_ENTRY, name.span, message).label("not known");
        self.report(match suggest::hint(&name.text, names.clone()) {
            Some(near) => d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), name.span, near),
            None => d.help(format!("it takes: {}", names.join(", "))),
        });
    }

    fn entry_fits(&mut self, declared: &Declared, value: &ast::Expr) {
        let text = match &value.kind {
            A::Text(parts) => match parts.as_slice() {
                [TextPart::Plain(text)] => Some(&**text),
                [] => Some(""),
                _ => None,
            },
            // A call is `secret("NAME")`: what that holds is known when it is used.
            A::Call(..) | A::Error => return,
            _ => None,
        };
        let name = &declared.name;
        let wrong = |wants: &str| {
            Diagnostic::new(&codes::CONNECT_ENTRY, value.span, format!("`{name}` wants {wants}")).label("not that")
        };
        let quoted = |text: &str| format!("\"{text}\"");
        let told = match (&declared.form, text) {
            (Form::Number, None) => match &value.kind {
                A::Number(n) if n.bytes().all(|b| b.is_ascii_digit()) => return,
                _ => wrong("a whole number").help(format!("write `{}`", declared.example())),
            },
            (Form::Number, Some(text)) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => wrong(
                "a number, and this is a text",
            )
            .help("write it without quotes")
            .fix("take the quotes away", value.span, text),
            (Form::Number, Some(_)) => wrong("a whole number").help(format!("write `{}`", declared.example())),
            (Form::Address, Some(text)) if is_address(text) => return,
            (Form::Address, Some(text)) if is_address(&format!("https://{text}")) && text.contains('.') => {
                let whole = quoted(&format!("https://{text}"));
                wrong("an address, which begins with `https://`").help(format!("write `{whole}`")).fix(
                    "put `https://` before it",
                    value.span,
                    whole.clone(),
                )
            }
            (Form::Address, _) => wrong("the address of a site").help(format!("write `{}`", declared.example())),
            (Form::OneOf(values), Some(text)) if values.iter().any(|v| v == text) => return,
            (Form::OneOf(values), text) => {
                let d = wrong(&format!("one of {}", super::fits::quoted(values)))
                    .help("the list is all that its connector knows");
                match text.and_then(|text| suggest::hint(text, values.clone())) {
                    Some(near) => d.help(format!("did you mean \"{near}\"?")).fix(
                        format!("use \"{near}\""),
                        value.span,
                        quoted(&near),
                    ),
                    None => d,
                }
            }
            // That it is written down is told where it is read.
            (Form::Secret, Some(_)) => return,
            (Form::Secret, None) => wrong("a secret, by its name").help(format!("write `{}`", declared.example())),
        };
        self.report(told);
    }
}

/// The names under which a module uses others, each with that module.
type Aliases = Vec<(String, ModuleId)>;

impl Cx<'_> {
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
                self.instances[made.0].modules.insert(inner.text.to_string(), other);
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
    pub(crate) fn decided(&mut self, instance: InstanceId, path: &ast::Path) {
        let mut reached = vec![instance];
        let mut n = 0;
        while let Some(next) = reached.get(n).copied() {
            let more: Vec<InstanceId> = self.visible(next).into_iter().filter(|i| !reached.contains(i)).collect();
            reached.extend(more);
            n += 1;
        }
        for (of, connector) in self.undecided.clone().into_iter().filter(|(of, _)| reached.contains(of)) {
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
            self.report(Diagnostic::new(&codes::AMBIGUOUS, path.span, message).label("which of them?").help(help));
        }
    }
}

/// Whether a text is the address of a site: its scheme, and a host.
fn is_address(text: &str) -> bool {
    let rest = text.trim().strip_prefix("https://").or_else(|| text.trim().strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
        !host.is_empty() && !rest.contains(char::is_whitespace)
    })
}
