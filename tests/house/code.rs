//! The code of the package, read by `syn` as the compiler reads it: without comments, texts apart, tests left out on demand.

use crate::arrows::{Arrows, arrows};
use crate::names::{Names, paths};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use syn::visit::Visit;
use syn::{Attribute, Item};

/// Where a source file lies below `src`.
#[derive(Clone)]
pub(crate) struct Place(pub(crate) PathBuf);

impl Place {
    /// The folder below `src`, or the file, that it belongs to; `lib.rs` and `main.rs` belong to none.
    pub(crate) fn room(&self) -> Option<String> {
        (self.0.components().count() > 1 || self.is("limits.rs")).then(|| self.module().into_iter().next()).flatten()
    }

    /// Whether it is this file.
    pub(crate) fn is(&self, path: &str) -> bool {
        self.0 == Path::new(path)
    }

    /// The names of its module from the crate's root on.
    pub(crate) fn module(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.0.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if names.last().is_some_and(|name| ["mod", "lib"].contains(&name.as_str())) {
            names.pop();
        }
        names
    }

    /// Its name within its room: `entity`, `embedded/writer`, `mod`.
    pub(crate) fn name(&self) -> String {
        let inside: PathBuf = self.0.iter().skip(1).collect();
        let inside = if inside.as_os_str().is_empty() { &self.0 } else { &inside };
        inside.with_extension("").to_string_lossy().into_owned()
    }

    /// A file of tests beside the code.
    pub(crate) fn is_test(&self) -> bool {
        self.0.with_extension("").iter().any(|part| part.to_string_lossy().ends_with("tests"))
    }

    /// Its path as people write it.
    pub(crate) fn shown(&self) -> String {
        self.0.display().to_string()
    }
}

/// A source file with what stands in it.
pub(crate) struct File {
    pub(crate) at: Place,
    pub(crate) ast: syn::File,
}

impl File {
    /// A file read from its text.
    pub(crate) fn new(path: &Path, text: &str) -> Self {
        let ast = syn::parse_file(text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        Self { at: Place(path.to_path_buf()), ast }
    }

    /// What stands in it for the product: items that exist for tests alone are left out.
    pub(crate) fn product(&self) -> impl Iterator<Item = &Item> {
        self.ast.items.iter().filter(|item| !for_tests(item))
    }
}

/// The code of the package, as the rules ask of it.
pub(crate) struct House {
    pub(crate) files: Vec<Facts>,
    pub(crate) arrows: Arrows,
}

impl House {
    /// What these files say, and the arrows between them.
    pub(crate) fn of(files: &[File]) -> Self {
        let names = Names::new(files);
        let arrows = arrows(files, &names);
        Self { files: files.iter().map(|file| Facts::new(file, &names)).collect(), arrows }
    }
}

/// What the rules ask of a file.
pub(crate) struct Facts {
    pub(crate) at: Place,
    /// What it says for the product.
    pub(crate) product: Written,
    /// The whole paths that it names for the product.
    pub(crate) paths: Vec<Vec<String>>,
    /// The whole paths that it names for the product and for its tests.
    pub(crate) all_paths: Vec<Vec<String>>,
    /// The modules and public constants that it declares.
    pub(crate) modules: Vec<String>,
    pub(crate) constants: Vec<String>,
}

/// The code of the package, read once.
pub(crate) fn house() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| {
        let src = root().join("src");
        let read = |path: PathBuf| {
            let text = std::fs::read_to_string(&path).expect("a source can be read");
            File::new(path.strip_prefix(&src).expect("it lies below src"), &text)
        };
        let read: Vec<File> = files(&src, Some("rs")).into_iter().map(read).collect();
        House::of(&read)
    })
}

impl Facts {
    fn new(file: &File, names: &Names) -> Self {
        let (mut modules, mut constants) = (Vec::new(), Vec::new());
        for item in &file.ast.items {
            match item {
                Item::Mod(item) => modules.push(item.ident.to_string()),
                Item::Const(item) if matches!(item.vis, syn::Visibility::Public(_)) => {
                    constants.push(item.ident.to_string());
                }
                _ => {}
            }
        }
        Self {
            at: file.at.clone(),
            product: written(file.product()),
            paths: paths(names, file, file.product()),
            all_paths: paths(names, file, file.ast.items.iter()),
            modules,
            constants,
        }
    }
}

/// An item that is compiled for tests alone.
pub(crate) fn for_tests(item: &Item) -> bool {
    let attributes: &[Attribute] = match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        _ => return false,
    };
    marked_for_tests(attributes)
}

/// Whether `#[cfg(test)]` stands among these attributes.
pub(crate) fn marked_for_tests(attributes: &[Attribute]) -> bool {
    let test = |attribute: &Attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    };
    attributes.iter().any(test)
}

/// The folder of the package.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder and of those in it, sorted; with an extension only those that have it.
pub(crate) fn files(folder: &Path, extension: Option<&str>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the package") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if extension.is_none_or(|extension| path.extension().is_some_and(|e| e == extension)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What some items are written with.
#[derive(Default)]
pub(crate) struct Written {
    /// Names, types of numbers and lifetimes apart.
    pub(crate) names: Vec<String>,
    /// What stands in quotes.
    pub(crate) texts: Vec<String>,
    /// A number with a binary point, as in `0.5`.
    pub(crate) floats: Vec<String>,
    /// A function, a block or a wait that is asynchronous.
    pub(crate) asynchronous: bool,
}

/// What these items are written with.
pub(crate) fn written<'f>(items: impl Iterator<Item = &'f Item>) -> Written {
    let mut written = Written::default();
    items.for_each(|item| written.visit_item(item));
    written
}

impl Written {
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name) => self.names.push(name.to_string()),
                TokenTree::Literal(literal) => self.visit_lit(&syn::Lit::new(literal)),
                TokenTree::Punct(_) => {}
            }
        }
    }
}

impl Visit<'_> for Written {
    fn visit_attribute(&mut self, _: &Attribute) {}

    fn visit_item(&mut self, item: &Item) {
        if !for_tests(item) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_ident(&mut self, name: &syn::Ident) {
        self.names.push(name.to_string());
    }

    fn visit_lit(&mut self, literal: &syn::Lit) {
        match literal {
            syn::Lit::Str(text) => self.texts.push(text.value()),
            syn::Lit::ByteStr(bytes) => self.texts.push(String::from_utf8_lossy(&bytes.value()).into_owned()),
            syn::Lit::Float(number) => self.floats.push(number.to_string()),
            syn::Lit::Int(number) if ["f32", "f64"].contains(&number.suffix()) => self.floats.push(number.to_string()),
            _ => {}
        }
    }

    fn visit_signature(&mut self, signature: &syn::Signature) {
        self.asynchronous |= signature.asyncness.is_some();
        syn::visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &syn::ExprAsync) {
        self.asynchronous = true;
        syn::visit::visit_expr_async(self, block);
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }
}

/// What tokens name that are no expressions, as those of a macro may be.
pub(crate) enum Named {
    /// A path.
    Path(Vec<String>, Span),
    /// A method that is called, and with how many arguments.
    Method(Ident, usize),
}

/// What these tokens name, in order.
pub(crate) fn named(tokens: TokenStream) -> Vec<Named> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Group(group) => found.extend(named(group.stream())),
            TokenTree::Ident(name) => {
                let mut path = vec![name.to_string()];
                while let Some([TokenTree::Punct(a), TokenTree::Punct(b), TokenTree::Ident(next)]) =
                    tokens.get(at..at + 3)
                    && (a.as_char(), b.as_char()) == (':', ':')
                {
                    path.push(next.to_string());
                    at += 3;
                }
                found.push(Named::Path(path, name.span()));
            }
            TokenTree::Punct(dot) if dot.as_char() == '.' => {
                if let Some([TokenTree::Ident(name), TokenTree::Group(arguments)]) = tokens.get(at..at + 2) {
                    let comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
                    let commas = arguments.stream().into_iter().filter(comma).count();
                    found.push(Named::Method(name.clone(), commas + usize::from(!arguments.stream().is_empty())));
                    at += 1;
                }
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}
