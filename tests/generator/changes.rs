//! Changes that preserve what a program means.

use crate::chance::Dice;
use crate::program::{Decl, DeclKind, Item, Kind, Line, LineKind, Node, Params, Place, Program, Ty};

/// Changes a program; `false` where it has no place for it.
type Change = fn(&mut Program, &mut Dice) -> bool;

/// Changes by their names.
pub(crate) const CHANGES: [(&str, Change); 6] = [
    ("another name of a value", rename),
    ("a name inlined", inline),
    ("declarations in another order", reorder),
    ("brackets", brackets),
    ("a choice of the same twice", choose),
    ("a function made of a part", extract),
];

/// Names of `let` lines of the mapping.
fn lets(program: &mut Program) -> Vec<String> {
    let lines = program.mapping().iter();
    lines.filter_map(|line| if let LineKind::Let(name, _) = &line.kind { Some(name.clone()) } else { None }).collect()
}

fn mapping(program: &mut Program) -> &mut Vec<Line> {
    let decl = program.decls.iter_mut().find(|decl| matches!(decl.kind, DeclKind::Mapping(..)));
    decl.and_then(Decl::lines).expect("a program has a mapping")
}

fn rename(program: &mut Program, dice: &mut Dice) -> bool {
    let names = lets(program);
    if names.is_empty() {
        return false;
    }
    let old = dice.of(&names).clone();
    let new = format!("other_{old}");
    for line in mapping(program) {
        if let LineKind::Let(name, _) = &mut line.kind
            && *name == old
        {
            name.clone_from(&new);
        }
        line.each(&mut |node| {
            if let Kind::Name(name) = &mut node.kind
                && *name == old
            {
                name.clone_from(&new);
            }
        });
    }
    true
}

fn inline(program: &mut Program, dice: &mut Dice) -> bool {
    let lines = mapping(program);
    let lets: Vec<usize> = (0..lines.len()).filter(|n| matches!(lines[*n].kind, LineKind::Let(..))).collect();
    if lets.is_empty() {
        return false;
    }
    let LineKind::Let(name, mut value) = lines.remove(*dice.of(&lets)).kind else { return false };
    let mut used = false;
    // A name that a condition gives is given anew where it stands twice.
    let mut binds = false;
    value.each(&mut |node| binds |= matches!(node.kind, Kind::IsSome(_, Some(_)) | Kind::Lambda(..)) || walks(node));
    // What stops is told where it is computed, and what is cut is cut to its place.
    value.each(&mut |node| binds |= matches!(node.kind, Kind::Stop(..) | Kind::Lookup(..) | Kind::Quotient(..)));
    if binds {
        return false;
    }
    for line in lines {
        line.each(&mut |node| {
            if matches!(&node.kind, Kind::Name(known) if *known == name) {
                node.kind = Kind::Brackets(Box::new(value.clone()));
                used = true;
            }
        });
    }
    used
}

fn walks(node: &Node) -> bool {
    matches!(&node.kind, Kind::List(items) if items.iter().any(|item| matches!(item, Item::For(..))))
}

fn reorder(program: &mut Program, dice: &mut Dice) -> bool {
    // The heading stays, with its `use` lines.
    dice.shuffle(&mut program.decls[1..]);
    true
}

/// Calls `change` for one expression of the program's functions, parts and mapping that it takes.
fn one(program: &mut Program, dice: &mut Dice, change: &mut dyn FnMut(&mut Node) -> bool) -> bool {
    let mut decls: Vec<&mut Decl> = program
        .decls
        .iter_mut()
        .filter(|decl| matches!(decl.kind, DeclKind::Fn(..) | DeclKind::Fields(..) | DeclKind::Mapping(..)))
        .collect();
    let mut places = 0;
    decls.iter_mut().for_each(|decl| decl.each(&mut |_| places += 1));
    let start = dice.below(places);
    let mut done = false;
    for behind in [true, false] {
        let mut seen = 0;
        let mut see = |node: &mut Node| {
            if !done && (seen >= start) == behind {
                done = change(node);
            }
            seen += 1;
        };
        decls.iter_mut().for_each(|decl| decl.each(&mut see));
    }
    done
}

/// Whether an expression may stand by itself: what is only a part of a form may not.
fn stands_alone(node: &Node) -> bool {
    let is_part = matches!(node.kind, Kind::Lambda(..) | Kind::Stop(..) | Kind::IsSome(_, Some(_)) | Kind::Brackets(_));
    // Literals are cells of tables and patterns too.
    let is_cell = matches!(node.kind, Kind::Text(_) | Kind::Number(_) | Kind::Rate(_) | Kind::Bool(_) | Kind::None);
    !is_part && !is_cell
}

fn brackets(program: &mut Program, dice: &mut Dice) -> bool {
    one(program, dice, &mut |node| {
        let fits = stands_alone(node);
        if fits {
            let inner = node.clone();
            node.kind = Kind::Brackets(Box::new(inner));
        }
        fits
    })
}

/// `if yes then x else x`
fn choose(program: &mut Program, dice: &mut Dice) -> bool {
    one(program, dice, &mut |node| {
        // What is there beside a lookup without a row is a matter of the lookup itself, and a pattern is no value.
        let mut plain = stands_alone(node) && node.place != Place::Hint;
        node.clone()
            .each(&mut |inner| plain &= !matches!(inner.kind, Kind::Lookup(..) | Kind::Call(..) | Kind::Match(..)));
        if plain {
            let inner = Box::new(node.clone());
            let yes = Box::new(Node::new(Kind::Bool(true), &Ty::Bool, Place::Wanted));
            node.kind = Kind::If(yes, inner.clone(), inner);
        }
        plain
    })
}

fn extract(program: &mut Program, dice: &mut Dice) -> bool {
    let mut made = None;
    one(program, dice, &mut |node| {
        // A place that only hints leaves the type open, and a literal has one that its place decides.
        let simple = matches!(
            node.kind,
            Kind::Name(_)
                | Kind::Number(_)
                | Kind::Rate(_)
                | Kind::Text(_)
                | Kind::Date(_)
                | Kind::Bool(_)
                | Kind::List(_)
        );
        if !stands_alone(node)
            || simple
            || node.place != Place::Wanted
            || matches!(node.ty.present(), Ty::Json | Ty::Text(Some(_)))
        {
            return false;
        }
        let Some(params) = free(node) else { return false };
        if params.is_empty() {
            return false;
        }
        let args: Vec<Node> =
            params.iter().map(|(name, ty)| Node::new(Kind::Name(name.clone()), ty, Place::Wanted)).collect();
        let body = node.clone();
        node.kind = Kind::Call("extracted".into(), args);
        made = Some(Decl::new("extracted", DeclKind::Fn(params, body.ty.clone(), body)));
        true
    });
    let done = made.is_some();
    program.decls.extend(made);
    done
}

/// The names that an expression takes from outside, with their types; none where it gives names itself.
fn free(node: &Node) -> Option<Params> {
    let (mut params, mut binds) = (Params::new(), false);
    node.clone().each(&mut |inner| {
        binds |= matches!(inner.kind, Kind::IsSome(_, Some(_)) | Kind::Lambda(..)) || walks(inner);
        if let Kind::Name(name) = &inner.kind
            && !params.iter().any(|(known, _)| known == name)
        {
            params.push((name.clone(), inner.ty.clone()));
        }
    });
    (!binds).then_some(params)
}
