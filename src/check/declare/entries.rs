//! The entries of a `connect` block, held against what the connector's declaration takes.

use crate::check::resolve::checker::Checker;
use crate::check::resolve::paths::leads_down;
use crate::check::resolve::suggest;
use crate::check::types::words::word_text;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, DeclKind, Element, ExprKind as A, TextPart, Word};
use std::path::Path;
use std::sync::Arc;

/// What an entry holds. Any of them may be kept as a secret; it is looked at when it is used then.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// The address of a site.
    Address,
    /// A whole number.
    Number,
    /// A text that anybody may see.
    Text,
    /// A secret, or a text that is as good as one.
    Secret,
    /// The name of a file of the project that holds certificates. Its text is the entry's value.
    Certificate,
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
    /// The entry without which it says nothing.
    with: Option<String>,
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
                "text" => Form::Text,
                "certificate" => Form::Certificate,
                _ => Form::Secret,
            },
        };
        let marks: Vec<String> = marks.iter().map(word_text).collect();
        let after = |word: &str| marks.iter().position(|mark| mark == word).and_then(|n| marks.get(n + 1)).cloned();
        let required = marks.iter().any(|m| m == "required");
        Some(Self { name: name.text(), form, required, unless: after("unless"), with: after("with") })
    }

    /// A line that fills it.
    fn example(&self) -> String {
        let value = match &self.form {
            Form::Address => "\"https://shop.example.com\"".to_owned(),
            Form::Number => "123456".to_owned(),
            Form::Text => "\"…\"".to_owned(),
            Form::Secret => format!("secret(\"{}\")", self.name.to_uppercase()),
            Form::Certificate => "\"certificate.pem\"".to_owned(),
            Form::OneOf(values) => format!("\"{}\"", values.first().map_or("", String::as_str)),
        };
        format!("{} = {value}", self.name)
    }
}

/// The texts of the files that a block's entries name, by the entry.
pub(super) type EntryFiles = Vec<(Arc<str>, Arc<str>)>;

impl Checker<'_> {
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
    pub(crate) fn entries_fit(&mut self, connector: &str, c: &ast::Connect) -> EntryFiles {
        let declared = self.declared_entries(connector);
        let mut files = EntryFiles::new();
        if declared.is_empty() {
            return files;
        }
        for entry in &c.entries {
            match declared.iter().find(|d| *d.name == *entry.name.text) {
                Some(of) if of.form == Form::Certificate => {
                    files.extend(self.certificate(of, &entry.value).map(|text| (Arc::clone(&entry.name.text), text)));
                }
                Some(of) => self.entry_fits(of, &declared, &entry.value),
                None => self.unknown_entry(connector, &declared, &entry.name),
            }
        }
        self.nothing_missing(c, &declared);
        files
    }

    fn nothing_missing(&mut self, c: &ast::Connect, declared: &[Declared]) {
        let says = |name: &str| c.entries.iter().any(|e| *e.name.text == *name);
        // A misspelt entry is told; that it is missing too is no second mistake.
        let meant = |name: &str| {
            c.entries.iter().any(|e| crate::check::resolve::suggest::nearest(&e.name.text, [name]).is_some())
        };
        let companion = |name: &str| declared.iter().any(|d| says(&d.name) && d.with.as_deref() == Some(name));
        let missing: Vec<&Declared> = declared
            .iter()
            .filter(|d| d.required && !d.unless.as_deref().is_some_and(says) || companion(&d.name))
            .filter(|d| !says(&d.name) && !meant(&d.name))
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

    fn entry_fits(&mut self, declared: &Declared, all: &[Declared], value: &ast::Expr) {
        // A call is `secret("NAME")`: what that holds is known when it is used.
        if matches!(value.kind, A::Call(..) | A::Error) {
            return;
        }
        let text = plain_text(value);
        let name = &declared.name;
        let wrong = |wants: &str| {
            Diagnostic::new(&codes::CONNECT_ENTRY, value.span, format!("`{name}` needs {wants}")).label("not that")
        };
        let told = match (&declared.form, text) {
            (Form::Number, None) => match &value.kind {
                A::Number(n) if n.bytes().all(|b| b.is_ascii_digit()) => return,
                _ => wrong("a whole number").help(format!("write `{}`", declared.example())),
            },
            (Form::Number, Some(text)) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => wrong(
                "a number, and this is a text",
            )
            .help("write it without quotes")
            .fix("remove the quotes", value.span, text),
            (Form::Number, Some(_)) => wrong("a whole number").help(format!("write `{}`", declared.example())),
            (Form::Address, Some(text)) => match Address::read(text) {
                Some(address) => match address.too_much(declared, all, value.span) {
                    Some(told) => told,
                    None => return,
                },
                None => wrong("the address of a site").help(format!("write `{}`", declared.example())),
            },
            (Form::Address, None) => wrong("the address of a site").help(format!("write `{}`", declared.example())),
            (Form::OneOf(values), Some(text)) if values.iter().any(|v| v == text) => return,
            (Form::OneOf(values), text) => {
                let d = wrong(&format!("one of {}", crate::check::resolve::suggest::quoted(values)))
                    .help("the list is all that its connector knows");
                match text.and_then(|text| suggest::hint(text, values.clone())) {
                    Some(near) => d.help(format!("did you mean \"{near}\"?")).fix(
                        format!("use \"{near}\""),
                        value.span,
                        format!("\"{near}\""),
                    ),
                    None => d,
                }
            }
            // That a secret is written down is told where it is read.
            (Form::Secret | Form::Text, Some(text)) if !text.trim().is_empty() => return,
            (Form::Secret, _) => wrong("a secret, by its name").help(format!("write `{}`", declared.example())),
            (Form::Text, _) => wrong("a text").help(format!("write `{}`", declared.example())),
            // It is read by `certificate`.
            (Form::Certificate, _) => return,
        };
        self.report(told);
    }

    /// The text of the certificates that an entry names: a file of the project, in the form PEM.
    fn certificate(&mut self, declared: &Declared, value: &ast::Expr) -> Option<Arc<str>> {
        let name = &declared.name;
        let wrong =
            |message: String| Diagnostic::new(&codes::CONNECT_ENTRY, value.span, message).label("can't be used");
        let inside = "keep the file in the project's folder, and name it by its path from there: `ca = \"shop.pem\"`";
        let Some(file) = plain_text(value).filter(|file| !file.is_empty()) else {
            if !matches!(value.kind, A::Error) {
                self.report(wrong(format!("`{name}` needs a file of the project, by its name")).help(inside));
            }
            return None;
        };
        if !leads_down(Path::new(file)) {
            self.report(wrong(format!("the path \"{file}\" leads out of the project's folder")).help(inside));
            return None;
        }
        let beside = self.modules.sources.get(value.span.file).path.parent().map(Path::to_path_buf);
        let root = self.modules.root.clone().or(beside).unwrap_or_default();
        match self.modules.files.read(&root.join(file)).map_err(|e| e.to_string()).and_then(|text| {
            match not_pem(&text) {
                Some(why) => Err(why.to_owned()),
                None => Ok(text),
            }
        }) {
            Ok(text) => {
                // It belongs to the version of the project, as its flows do.
                self.modules.sources.add(file, text.as_str());
                Some(text.into())
            }
            Err(why) => {
                self.report(wrong(format!("\"{file}\" holds no certificates that can be used: {why}")).help(
                    "`ca` names a file with the certificate of the authority that signed the system's own, in the form \
                     PEM; `openssl x509 -inform der -in FILE -out FILE.pem` makes one of the binary form",
                ));
                None
            }
        }
    }
}

/// A text without anything to be filled in.
fn plain_text(value: &ast::Expr) -> Option<&str> {
    let A::Text(parts) = &value.kind else { return None };
    match parts.as_slice() {
        [TextPart::Plain(text)] => Some(text),
        [] => Some(""),
        _ => None,
    }
}

/// Why a text is no list of certificates in the form PEM.
fn not_pem(text: &str) -> Option<&'static str> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    if text.contains("PRIVATE KEY-----") {
        return Some("it holds a private key, which belongs to the system and to nobody else; delete it from the file");
    }
    let mut rest = text;
    let mut found = false;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let Some((body, behind)) = after.split_once(END) else {
            return Some("a certificate in it begins and does not end");
        };
        let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c) || c.is_ascii_whitespace();
        if body.trim().is_empty() || !body.chars().all(base64) {
            return Some("what stands between `BEGIN CERTIFICATE` and `END CERTIFICATE` is not base64");
        }
        (found, rest) = (true, behind);
    }
    (!found).then_some("no line of it says `-----BEGIN CERTIFICATE-----`")
}

/// An address, cut into what a connection wants of it and what it does not.
struct Address<'a> {
    /// `https://`, or what it should have been.
    scheme: Option<&'a str>,
    /// Before the `@`.
    user: Option<&'a str>,
    /// Host, port and path.
    place: &'a str,
    /// A query or a fragment, with its sign.
    behind: &'a str,
}

impl<'a> Address<'a> {
    /// None when it is no address, whatever stands before it.
    fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = match ["https://", "http://"].iter().find(|s| has_scheme(text, s)) {
            Some(s) => (text.get(..s.len()), text.get(s.len()..)?),
            None => (None, text),
        };
        let (site, behind) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
        let (authority, _) = site.split_at(site.find('/').unwrap_or(site.len()));
        let user = authority.rfind('@').and_then(|at| site.get(..at));
        let place = user.map_or(Some(site), |user| site.get(user.len() + 1..))?;
        let host = place.split('/').next().unwrap_or_default();
        let (name, port) = host.rsplit_once(':').filter(|_| !host.ends_with(']')).unwrap_or((host, "80"));
        let sound = !name.is_empty() && port.parse::<u16>().is_ok() && !rest.contains(char::is_whitespace);
        // Without a scheme only what has the form of a host is taken for one.
        let meant = scheme.is_some() || name.contains('.');
        (sound && meant && !name.contains("://")).then_some(Self { scheme, user, place, behind })
    }

    /// Where a login belongs that stands in an address.
    fn login_goes(user: &str, all: &[Declared]) -> &'static str {
        if user.starts_with("ck_") {
            "the keys of the API are entries of their own: `key = secret(\"SHOP_KEY\")`, `secret = secret(\"SHOP_SECRET\")`"
        } else if all.iter().any(|d| d.name == "front_user") {
            "if the site asks for a login before it shows the shop, say it in entries of their own: \
             `front_user = \"…\"`, `front_password = secret(\"FRONT_PASSWORD\")`"
        } else {
            "leave it out: the login of a connection stands in its other entries"
        }
    }

    /// What it says beyond where the site is.
    fn too_much(&self, declared: &Declared, all: &[Declared], span: Span) -> Option<Diagnostic> {
        let name = &declared.name;
        let whole = format!("\"{}{}\"", self.scheme.unwrap_or("https://"), self.place);
        let told = |message: String| Diagnostic::new(&codes::CONNECT_ENTRY, span, message);
        if let Some(user) = self.user {
            return Some(
                told(format!("`{name}` holds a login, and an address is shown, logged and shared"))
                    .label("a user name before the `@`")
                    .help(Self::login_goes(user, all))
                    .fix("take the login out of the address", span, whole),
            );
        }
        if !self.behind.is_empty() {
            let what = if self.behind.starts_with('?') { "a query" } else { "a fragment" };
            return Some(
                told(format!("`{name}` holds {what}, and each call makes its own"))
                    .label(format!("`{}` is too much", self.behind))
                    .help(format!(
                        "write `{whole}`; what a shop without permalinks needs is set in the shop: Settings, Permalinks"
                    ))
                    .fix("end the address before it", span, whole),
            );
        }
        if self.scheme.is_none() {
            return Some(
                told(format!("`{name}` needs an address, which begins with `https://`"))
                    .label("not that")
                    .help(format!("write `{whole}`"))
                    .fix("put `https://` before it", span, whole),
            );
        }
        None
    }
}

fn has_scheme(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::{Address, Declared, Form, not_pem};

    /// What is taken for the address of a site, and what is cut from it.
    #[test]
    fn addresses() {
        let cases = [
            ("https://shop.example.com", Some(("", ""))),
            ("HTTPS://shop.example.com/", Some(("", ""))),
            ("https://shop.example.com/wp-json", Some(("", ""))),
            ("https://shop.example.com/wp-json/wc/v3", Some(("", ""))),
            ("https://shop.example.com/wp-json/wc/v3/", Some(("", ""))),
            ("http://localhost:8080/nl", Some(("", ""))),
            ("http://[::1]:8080", Some(("", ""))),
            ("http://[::1]", Some(("", ""))),
            ("shop.example.com", Some(("", ""))),
            ("https://u:p@shop.example.com", Some(("u:p", ""))),
            ("https://u@x:p@shop.example.com:8443/nl", Some(("u@x:p", ""))),
            ("u:p@shop.example.com", Some(("u:p", ""))),
            ("https://shop.example.com/a@b", Some(("", ""))),
            ("https://shop.example.com?rest_route=/wc/v3", Some(("", "?rest_route=/wc/v3"))),
            ("https://shop.example.com/#top", Some(("", "#top"))),
            ("https://shop.example.com/?mail=a@b.example", Some(("", "?mail=a@b.example"))),
            ("ftp://shop.example.com", None),
            ("https://", None),
            ("https://u:p@", None),
            ("https://shop.example.com:port", None),
            ("https://shop.example.com:99999", None),
            ("https://shop example.com", None),
            ("shop", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read = Address::read(text).map(|a| (a.user.unwrap_or_default(), a.behind));
            assert_eq!(read, expected, "{text}");
        }
    }

    /// Each kind of login in an address has words of its own.
    #[test]
    fn a_login_goes_elsewhere() {
        let named = |name: &str| Declared {
            name: name.to_owned(),
            form: Form::Text,
            required: false,
            unless: None,
            with: None,
        };
        let (shop, ledger) = (vec![named("front_user")], vec![named("client_id")]);
        assert!(Address::login_goes("ck_1:cs_2", &shop).contains("`key = secret(\"SHOP_KEY\")`"));
        assert!(Address::login_goes("trial:open", &shop).contains("`front_password = secret(\"FRONT_PASSWORD\")`"));
        assert!(Address::login_goes("trial:open", &ledger).contains("its other entries"));
    }

    #[test]
    fn certificates_in_the_form_pem() {
        let one = "-----BEGIN CERTIFICATE-----\nMIIBszCC\n-----END CERTIFICATE-----\n";
        assert_eq!(not_pem(one), None);
        assert_eq!(not_pem(&format!("# of the shop\n{one}{one}")), None);
        let open = one.replace("-----END CERTIFICATE-----", "");
        let odd = one.replace("MIIB", "{}");
        let key = format!("{one}-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
        for text in ["", "no", &open, &odd, &key] {
            assert!(not_pem(text).is_some(), "{text}");
        }
    }
}
