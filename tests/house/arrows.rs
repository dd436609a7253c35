//! The arrows between files: who names what another file defines.
//!
//! Exact are paths (`super::x::Name`, `crate::room::x::Name`, what a `use` brings, through all that modules hand on), in
//! macros too, and methods where the receiver's type is written down: `self`, a parameter, a field, a constructor's or a
//! function's result. Approximated is the rest: a call on a value of unknown type means the one file of the crate that
//! defines a method of that name with so many arguments, if it is one and the standard library has no method of that name;
//! a field that is read makes no arrow, since its owner's type came from somewhere; and what a macro of ours makes is its
//! module's. So nearly every arrow that is shown is there, and few that are there are missed.

use crate::code::{File, Named, for_tests, marked_for_tests, named};
use crate::names::{Definition, Names, Target, imported};
use crate::types::{self, Known, Types, known, segments};
use proc_macro2::Span;
use std::collections::{BTreeMap, BTreeSet};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Pat, Token};

/// The names by which a file uses another one, each with the line where it does first.
pub(crate) type Uses = BTreeMap<String, usize>;

/// The arrows between files, by their numbers.
pub(crate) type Arrows = BTreeMap<(usize, usize), Uses>;

/// Methods that so many types of the standard library and of other crates have that a name alone says nothing.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "all", "and_then", "any", "as_bytes", "as_deref", "as_mut", "as_ref", "as_slice", "as_str", "borrow", "bytes",
    "chain", "chars", "clear", "clone", "cloned", "cmp", "collect", "concat", "contains", "contains_key", "copied",
    "count", "day", "dedup", "drain", "end", "ends_with", "entry", "enumerate", "eq", "expect", "extend", "filter",
    "filter_map", "find", "find_map", "first", "flat_map", "flatten", "fold", "get", "get_mut",
    "get_or_insert_with", "hash", "id", "insert", "into", "into_iter", "is_ascii", "is_empty", "is_err", "is_none",
    "is_null", "is_ok", "is_some", "iter", "iter_mut", "join", "json", "keys", "last", "len", "lines", "lock",
    "map", "map_err", "max", "min", "name", "ne", "next", "ok", "open", "or", "or_default", "or_else", "or_insert",
    "parse", "peek", "pop", "position", "push", "push_str", "range", "read", "remove", "replace", "retain", "rev",
    "round", "seconds", "send", "set", "skip", "sort", "split", "start", "starts_with", "strip_prefix", "sum",
    "take", "then", "to_owned", "to_string", "trim", "truncate", "unwrap_or", "update", "values", "with", "write",
    "zip",
];

/// The arrows between files of one room, for all rooms; code for tests is left out.
pub(crate) fn arrows(files: &[File], names: &Names) -> Arrows {
    let types = Types::new(files, names);
    let mut arrows = Arrows::new();
    for (number, file) in files.iter().enumerate() {
        let Some(room) = file.at.room().filter(|_| !file.at.is_test()) else { continue };
        let mut reader = Reader {
            names,
            types: &types,
            door: file.at.0.ends_with("mod.rs"),

            module: file.at.module(),
            own: None,
            locals: BTreeMap::new(),
            bound: BTreeSet::new(),
            found: Vec::new(),
        };
        reader.visit_file(&file.ast);
        for (to, name, line) in reader.found {
            if to != number && files[to].at.room().is_some_and(|other| other == room) {
                arrows.entry((number, to)).or_default().entry(name).or_insert(line);
            }
        }
    }
    arrows
}

/// A reader of one file.
struct Reader<'a> {
    names: &'a Names,
    types: &'a Types,
    /// A `mod.rs`: what it imports may be for the files below it.
    door: bool,
    module: Vec<String>,
    /// The type whose `impl` is read.
    own: Option<Definition>,
    /// Types of what a function has at hand.
    locals: BTreeMap<String, Known>,
    /// Names that a function binds.
    bound: BTreeSet<String>,
    found: Vec<(usize, String, usize)>,
}

impl Reader<'_> {
    fn named(&mut self, path: &[String], at: Span) {
        match path {
            [one] if self.bound.contains(one) => {}
            [first, after @ ..] if first == "Self" => {
                if let (Some(own), [method, ..]) = (self.own.clone(), after) {
                    self.method(&own, method, at);
                }
            }
            _ => {
                if let Target::Item(definition, after) = self.names.resolve(&self.module, path) {
                    if let Some(file) = self.names.file(&definition.0) {
                        self.found.push((file, definition.1.clone(), line(at)));
                    }
                    if let Some(method) = after.first() {
                        self.method(&definition, method, at);
                    }
                }
            }
        }
    }

    fn method(&mut self, of: &Definition, name: &str, at: Span) -> bool {
        let found = self.types.methods.get(&(of.clone(), name.to_owned()));
        if let Some((file, _)) = found {
            self.found.push((*file, format!("{}::{name}", of.1), line(at)));
        }
        found.is_some()
    }

    /// A method that is called on a value with so many arguments.
    fn called(&mut self, on: Option<&Known>, name: &syn::Ident, arguments: usize) {
        let (method, at) = (name.to_string(), name.span());
        match on {
            Some(Known { of: Some(of), .. }) if self.method(of, &method, at) => {}
            // A type of another crate has its own methods.
            Some(Known { of: None, name, .. }) if !name.is_empty() => {}
            _ if COMMON.contains(&method.as_str()) => {}
            _ => {
                let files = self.types.by_name.get(&(method.clone(), arguments));
                if let Some(file) = files.filter(|files| files.len() == 1).and_then(BTreeSet::first) {
                    self.found.push((*file, format!(".{method}"), line(at)));
                }
            }
        }
    }

    fn known(&self, of: &syn::Type) -> Option<Known> {
        known(self.names, &self.module, self.own.as_ref(), of)
    }

    /// The type of an expression, where what is written tells it.
    fn infer(&self, expr: &Expr) -> Option<Known> {
        match expr {
            Expr::Path(path) => {
                let path = segments(&path.path);
                path.first().filter(|_| path.len() == 1).and_then(|name| self.locals.get(name).cloned())
            }
            Expr::Field(field) => {
                let base = self.infer(&field.base)?;
                let name = match &field.member {
                    syn::Member::Named(name) => name.to_string(),
                    syn::Member::Unnamed(at) => at.index.to_string(),
                };
                match base.of {
                    Some(of) => self.types.fields.get(&(of, name)).cloned(),
                    None => name.parse().ok().and_then(|at: usize| base.args.get(at).cloned()),
                }
            }
            Expr::MethodCall(call) => {
                let on = self.infer(&call.receiver)?;
                match (&on.of, call.method.to_string().as_str()) {
                    (Some(of), name) if self.types.methods.contains_key(&(of.clone(), name.to_owned())) => {
                        self.types.methods[&(of.clone(), name.to_owned())].1.clone()
                    }
                    (_, "clone" | "as_ref" | "as_mut" | "as_deref" | "borrow" | "iter" | "iter_mut" | "lock") => {
                        Some(on)
                    }
                    (None, "unwrap" | "expect" | "unwrap_or_default" | "unwrap_or" | "unwrap_or_else") => {
                        on.args.into_iter().next()
                    }
                    (None, "get" | "get_mut" | "first" | "last" | "next" | "pop" | "remove") => {
                        let args = on.args.last().cloned().into_iter().collect();
                        Some(Known { of: None, name: "Option".to_owned(), args })
                    }
                    _ => None,
                }
            }
            Expr::Call(call) => {
                let Expr::Path(path) = &*call.func else { return None };
                self.result(&segments(&path.path))
            }
            Expr::Struct(made) => types::path(self.names, &self.module, self.own.as_ref(), &made.path),
            Expr::Reference(inner) => self.infer(&inner.expr),
            Expr::Paren(inner) => self.infer(&inner.expr),
            Expr::Unary(inner) => self.infer(&inner.expr),
            Expr::Await(inner) => self.infer(&inner.base),
            Expr::Try(inner) => self.infer(&inner.expr)?.args.into_iter().next(),
            Expr::Index(inner) => Some(self.infer(&inner.expr)?.args.last()?.clone()),
            _ => None,
        }
    }

    /// What a function or a constructor of this path results in.
    fn result(&self, path: &[String]) -> Option<Known> {
        let (of, after) = match (path, &self.own) {
            ([first, after @ ..], Some(own)) if first == "Self" => (own.clone(), after.to_vec()),
            _ => match self.names.resolve(&self.module, path) {
                Target::Item(of, after) => (of, after),
                _ => return None,
            },
        };
        match after.first() {
            Some(method) => match self.types.methods.get(&(of.clone(), method.clone())) {
                Some((_, returned)) => returned.clone(),
                None => Some(Known { name: of.1.clone(), of: Some(of), args: Vec::new() }),
            },
            None => self.types.returns.get(&of).cloned(),
        }
    }

    /// Gives the names of a pattern the types that they have.
    fn bind(&mut self, pattern: &Pat, of: Option<Known>) {
        let Some(of) = of else { return };
        match pattern {
            Pat::Ident(name) => _ = self.locals.insert(name.ident.to_string(), of),
            Pat::Reference(inner) => self.bind(&inner.pat, Some(of)),
            Pat::Paren(inner) => self.bind(&inner.pat, Some(of)),
            Pat::Tuple(tuple) => {
                for (part, of) in tuple.elems.iter().zip(of.args) {
                    self.bind(part, Some(of));
                }
            }
            Pat::TupleStruct(made) => {
                for (at, part) in made.elems.iter().enumerate() {
                    let of = match &of.of {
                        Some(of) => self.field(of, &made.path, &at.to_string()),
                        None => of.args.get(usize::from(made.path.is_ident("Err"))).cloned(),
                    };
                    self.bind(part, of);
                }
            }
            Pat::Struct(made) => {
                for field in &made.fields {
                    let name = match &field.member {
                        syn::Member::Named(name) => name.to_string(),
                        syn::Member::Unnamed(at) => at.index.to_string(),
                    };
                    let of = of.of.as_ref().and_then(|of| self.field(of, &made.path, &name));
                    self.bind(&field.pat, of);
                }
            }
            _ => {}
        }
    }

    fn field(&self, of: &Definition, made: &syn::Path, name: &str) -> Option<Known> {
        let variant = made.segments.last()?.ident.to_string();
        let of_variant = self.types.fields.get(&(of.clone(), format!("{variant}.{name}")));
        of_variant.or_else(|| self.types.fields.get(&(of.clone(), name.to_owned()))).cloned()
    }

    fn function(&mut self, signature: &syn::Signature, body: Option<&syn::Block>) {
        let before = (self.locals.clone(), self.bound.clone());
        if let (Some(_), Some(own)) = (signature.receiver(), &self.own) {
            let own = Known { of: Some(own.clone()), name: own.1.clone(), args: Vec::new() };
            self.locals.insert("self".to_owned(), own);
        }
        self.visit_signature(signature);
        for input in &signature.inputs {
            if let syn::FnArg::Typed(input) = input {
                self.bind(&input.pat, self.known(&input.ty));
            }
        }
        body.into_iter().for_each(|body| self.visit_block(body));
        (self.locals, self.bound) = before;
    }
}

impl Visit<'_> for Reader<'_> {
    fn visit_attribute(&mut self, _: &syn::Attribute) {}

    fn visit_item(&mut self, item: &syn::Item) {
        if !for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &syn::ItemMod) {
        if item.content.is_some() {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        // What is handed on is used by who takes it.
        if self.door || !matches!(item.vis, syn::Visibility::Inherited) {
            return;
        }
        for (_, path) in imported(&item.tree) {
            self.named(&path, item.use_token.span);
        }
    }

    fn visit_item_impl(&mut self, item: &syn::ItemImpl) {
        let before = self.own.take();
        self.own = self.known(&item.self_ty).and_then(|known| known.of);
        visit::visit_item_impl(self, item);
        self.own = before;
    }

    fn visit_item_trait(&mut self, item: &syn::ItemTrait) {
        let before = self.own.replace((self.module.clone(), item.ident.to_string()));
        visit::visit_item_trait(self, item);
        self.own = before;
    }

    fn visit_item_fn(&mut self, item: &syn::ItemFn) {
        self.function(&item.sig, Some(&item.block));
    }

    fn visit_impl_item_fn(&mut self, item: &syn::ImplItemFn) {
        if !marked_for_tests(&item.attrs) {
            self.function(&item.sig, Some(&item.block));
        }
    }

    fn visit_trait_item_fn(&mut self, item: &syn::TraitItemFn) {
        self.function(&item.sig, item.default.as_ref());
    }

    fn visit_pat_ident(&mut self, pattern: &syn::PatIdent) {
        let name = pattern.ident.to_string();
        if name.starts_with(char::is_uppercase) {
            self.named(&[name], pattern.ident.span());
        } else {
            // What had this name before is another value.
            self.locals.remove(&name);
            self.bound.insert(name);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_local(&mut self, local: &syn::Local) {
        visit::visit_local(self, local);
        let (pattern, of) = match &local.pat {
            Pat::Type(typed) => (&*typed.pat, self.known(&typed.ty)),
            pattern => (pattern, local.init.as_ref().and_then(|init| self.infer(&init.expr))),
        };
        self.bind(pattern, of);
    }

    fn visit_expr_let(&mut self, given: &syn::ExprLet) {
        visit::visit_expr_let(self, given);
        self.bind(&given.pat, self.infer(&given.expr));
    }

    fn visit_expr_for_loop(&mut self, each: &syn::ExprForLoop) {
        self.visit_expr(&each.expr);
        self.visit_pat(&each.pat);
        self.bind(&each.pat, self.infer(&each.expr).map(|of| of.item()));
        self.visit_block(&each.body);
    }

    fn visit_expr_match(&mut self, choice: &syn::ExprMatch) {
        self.visit_expr(&choice.expr);
        let of = self.infer(&choice.expr);
        for arm in &choice.arms {
            let (pattern, guard) = match &arm.pat {
                Pat::Guard(guarded) => (&*guarded.pat, Some(&guarded.guard)),
                pattern => (pattern, None),
            };
            self.visit_pat(pattern);
            self.bind(pattern, of.clone());
            guard.into_iter().for_each(|guard| self.visit_expr(guard));
            self.visit_expr(&arm.body);
        }
    }

    fn visit_expr_closure(&mut self, closure: &syn::ExprClosure) {
        for input in &closure.inputs {
            self.visit_pat(input);
            if let Pat::Type(typed) = input {
                self.bind(&typed.pat, self.known(&typed.ty));
            }
        }
        self.visit_expr(&closure.body);
    }

    fn visit_expr_method_call(&mut self, call: &syn::ExprMethodCall) {
        let on = self.infer(&call.receiver);
        self.called(on.as_ref(), &call.method, call.args.len());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        self.named(&segments(path), path.span());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.visit_path(&call.path);
        match call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            Ok(arguments) => arguments.iter().for_each(|argument| self.visit_expr(argument)),
            Err(_) => named(call.tokens.clone()).iter().for_each(|found| match found {
                Named::Path(path, at) => self.named(path, *at),
                Named::Method(name, arguments) => self.called(None, name, *arguments),
            }),
        }
    }
}

fn line(at: Span) -> usize {
    at.start().line
}
