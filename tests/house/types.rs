//! What the code says of types: enough of them to know whose method a call means, and no more.

use crate::code::{File, for_tests};
use crate::names::{Definition, Names, Target};
use std::collections::{BTreeMap, BTreeSet};
use syn::{Fields, ImplItem, Item, ReturnType, TraitItem, Type, TypeParamBound};

/// A type as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// What defines it, when that is ours.
    pub(crate) of: Option<Definition>,
    /// Its last name.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) args: Vec<Known>,
}

/// What stands for its content.
const SEEN_THROUGH: &[&str] = &["Box", "Rc", "Arc", "Ref", "RefMut", "MutexGuard", "Cow", "Pin"];

/// What the crate defines on types.
#[derive(Default)]
pub(crate) struct Types {
    /// The file of each method of a type or a trait, and what it returns.
    pub(crate) methods: BTreeMap<(Definition, String), (usize, Option<Known>)>,
    /// The type of each field; of a variant under `Variant.field`.
    pub(crate) fields: BTreeMap<(Definition, String), Known>,
    /// What each function returns.
    pub(crate) returns: BTreeMap<Definition, Known>,
    /// The files that define a method of this name with so many arguments.
    pub(crate) by_name: BTreeMap<(String, usize), BTreeSet<usize>>,
}

impl Types {
    /// The types of these files.
    pub(crate) fn new(files: &[File], names: &Names) -> Self {
        let mut types = Self::default();
        for (number, file) in files.iter().enumerate().filter(|(_, file)| !file.at.is_test()) {
            types.items(number, &file.at.module(), &file.ast.items, names);
        }
        types
    }

    fn items(&mut self, number: usize, module: &[String], items: &[Item], names: &Names) {
        let here = |name: &syn::Ident| (module.to_vec(), name.to_string());
        for item in items.iter().filter(|item| !for_tests(item)) {
            match item {
                Item::Struct(item) => self.fields(&here(&item.ident), "", &item.fields, names),
                Item::Enum(item) => {
                    let of = here(&item.ident);
                    item.variants.iter().for_each(|variant| {
                        self.fields(&of, &format!("{}.", variant.ident), &variant.fields, names);
                    });
                }
                Item::Fn(item) => {
                    if let Some(returned) = returned(names, module, None, &item.sig.output) {
                        self.returns.insert(here(&item.sig.ident), returned);
                    }
                }
                Item::Trait(item) => {
                    let of = here(&item.ident);
                    for function in item.items.iter().filter_map(|item| match item {
                        TraitItem::Fn(function) => Some(function),
                        _ => None,
                    }) {
                        self.method(number, &of, module, &function.sig, names);
                    }
                }
                // What a trait asks for is the trait's; who calls it needs not know who answers.
                Item::Impl(item) if item.trait_.is_none() => {
                    let Some(of) = known(names, module, None, &item.self_ty).and_then(|known| known.of) else {
                        continue;
                    };
                    for function in item.items.iter().filter_map(|item| match item {
                        ImplItem::Fn(function) => Some(function),
                        _ => None,
                    }) {
                        self.method(number, &of, module, &function.sig, names);
                    }
                }
                Item::Mod(syn::ItemMod { ident, content: Some((_, items)), .. }) => {
                    self.items(number, &[module, &[ident.to_string()]].concat(), items, names);
                }
                _ => {}
            }
        }
    }

    fn method(&mut self, number: usize, of: &Definition, module: &[String], signature: &syn::Signature, names: &Names) {
        let name = signature.ident.to_string();
        let returned = returned(names, module, Some(of), &signature.output);
        if signature.receiver().is_some() {
            let arguments = signature.inputs.len() - 1;
            self.by_name.entry((name.clone(), arguments)).or_default().insert(number);
        }
        self.methods.insert((of.clone(), name), (number, returned));
    }

    fn fields(&mut self, of: &Definition, before: &str, fields: &Fields, names: &Names) {
        for (at, field) in fields.iter().enumerate() {
            let name = field.ident.as_ref().map_or_else(|| at.to_string(), ToString::to_string);
            if let Some(known) = known(names, &of.0, Some(of), &field.ty) {
                self.fields.insert((of.clone(), format!("{before}{name}")), known);
            }
        }
    }
}

/// What a function returns.
fn returned(names: &Names, module: &[String], own: Option<&Definition>, output: &ReturnType) -> Option<Known> {
    match output {
        ReturnType::Default => None,
        ReturnType::Type(_, of) => known(names, module, own, of),
    }
}

/// A type that is written in a module; `own` is what `Self` means there.
pub(crate) fn known(names: &Names, module: &[String], own: Option<&Definition>, of: &Type) -> Option<Known> {
    let all = |types: &mut dyn Iterator<Item = &Type>| {
        types.map(|of| known(names, module, own, of).unwrap_or_else(Known::nothing)).collect()
    };
    match of {
        Type::Reference(of) => known(names, module, own, &of.elem),
        Type::Paren(of) => known(names, module, own, &of.elem),
        Type::Slice(of) => Some(Known { of: None, name: "Vec".to_owned(), args: all(&mut [&*of.elem].into_iter()) }),
        Type::Array(of) => Some(Known { of: None, name: "Vec".to_owned(), args: all(&mut [&*of.elem].into_iter()) }),
        Type::Tuple(of) => Some(Known { of: None, name: "()".to_owned(), args: all(&mut of.elems.iter()) }),
        Type::Path(of) => path(names, module, own, &of.path),
        Type::TraitObject(of) => of.bounds.iter().find_map(|bound| self::bound(names, module, own, bound)),
        Type::ImplTrait(of) => of.bounds.iter().find_map(|bound| self::bound(names, module, own, bound)),
        _ => None,
    }
}

fn bound(names: &Names, module: &[String], own: Option<&Definition>, bound: &TypeParamBound) -> Option<Known> {
    match bound {
        TypeParamBound::Trait(bound) => path(names, module, own, &bound.path),
        _ => None,
    }
}

/// The type of a path that is written in a module.
pub(crate) fn path(names: &Names, module: &[String], own: Option<&Definition>, path: &syn::Path) -> Option<Known> {
    let last = path.segments.last()?;
    let mut args: Vec<Known> = match &last.arguments {
        syn::PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                syn::GenericArgument::Type(of) => Some(known(names, module, own, of).unwrap_or_else(Known::nothing)),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    if path.is_ident("Self") {
        return own.map(|own| Known { of: Some(own.clone()), name: own.1.clone(), args: Vec::new() });
    }
    match names.resolve(module, &segments(path)) {
        Target::Item(of, _) => Some(Known { name: of.1.clone(), of: Some(of), args }),
        Target::Foreign(path) => {
            let name = path.last()?.clone();
            if SEEN_THROUGH.contains(&name.as_str()) {
                return args.pop();
            }
            // A name of one letter or so is a type that the caller chooses.
            (name.len() > 2).then_some(Known { of: None, name, args })
        }
        Target::Module(_) => None,
    }
}

impl Known {
    /// A type of which nothing is known.
    pub(crate) fn nothing() -> Self {
        Self { of: None, name: String::new(), args: Vec::new() }
    }

    /// What one item of it is.
    pub(crate) fn item(&self) -> Self {
        match &self.args[..] {
            [key, value] if self.name.ends_with("Map") => {
                Self { of: None, name: "()".to_owned(), args: vec![key.clone(), value.clone()] }
            }
            [.., item] => item.clone(),
            [] => Self::nothing(),
        }
    }
}

/// The names of a path.
pub(crate) fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}
