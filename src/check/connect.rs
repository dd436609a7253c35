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

/// Whether a text is the address of a site: its scheme, and a host.
fn is_address(text: &str) -> bool {
    let rest = text.trim().strip_prefix("https://").or_else(|| text.trim().strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
        !host.is_empty() && !rest.contains(char::is_whitespace)
    })
}
