//! Whole programs: settings, functions, lookups, parts, and the mapping that uses them.

use crate::chance::Dice;
use crate::make::{COUNTRIES, Maker, Signature, value};
use crate::number::Number;
use crate::program::{
    Cell, Decl, DeclKind, Kind, Limit, Line, LineKind, Node, Params, Place, Program, Row, Stop, TEXT, Ty,
};
use crate::schema::{self, CHOICES, WORLDS};

/// How deep values of functions are, and those of the mapping.
const DEEP: usize = 3;

/// The program of these dice.
pub(crate) fn program(dice: &mut Dice) -> Program {
    // What ships takes longer to read.
    let world = if dice.once_in(20) { 1 + dice.below(WORLDS.len() - 1) } else { 0 };
    let (source, target) = WORLDS[world];
    let mut maker = Maker::new(dice);
    let mut decls = vec![Decl::new("schema", DeclKind::Schema(heading(world == 0)))];
    decls.extend(settings(&mut maker));
    decls.push(lookup(&mut maker));
    for _ in 0..=maker.dice.below(2) {
        decls.push(function(&mut maker, source));
    }
    if world == 0 {
        decls.push(part(&mut maker));
    }
    decls.push(mapping(&mut maker, source, target));
    let mut ones = Vec::new();
    // One of them may need another.
    while ones.len() < maker.ones.len() {
        let (name, ty) = maker.ones[ones.len()].clone();
        maker.locals.clear();
        let body = maker.node(&ty, Place::Wanted, 0);
        ones.push(Decl::new(&name, DeclKind::Fn(Vec::new(), ty, body)));
    }
    decls.extend(ones);
    Program { source, target, decls }
}

fn heading(own: bool) -> String {
    if own {
        schema::declared()
    } else {
        "use woocommerce as woo\nuse exact\n\nenum Size { \"big\", \"small\", \"odd\" }\n".into()
    }
}

fn settings(maker: &mut Maker<'_>) -> Option<Decl> {
    let all = [TEXT, Ty::Int, Ty::Rate, Ty::Country, Ty::Bool, Ty::Choice(0), TEXT.list()];
    let mut made = Vec::new();
    for _ in 0..maker.dice.below(3) {
        let ty = maker.dice.of(&all).clone();
        let name = maker.name("asked");
        made.push((name, ty.clone(), maker.node(&ty, Place::Wanted, 0)));
    }
    maker.settings = made.iter().map(|(name, ty, _)| (name.clone(), ty.clone())).collect();
    (!made.is_empty()).then(|| Decl::new("settings", DeclKind::Settings(made)))
}

/// Types that functions take and give.
fn some_type(maker: &mut Maker<'_>) -> Ty {
    let all = [
        Ty::Bool,
        Ty::Int,
        Ty::Decimal,
        Ty::Rate,
        Ty::Net,
        Ty::Gross,
        Ty::Tax,
        TEXT,
        Ty::Text(Some(Limit { most: 12, utf16: false })),
        Ty::Date,
        Ty::Country,
        Ty::Currency,
        Ty::Email,
        Ty::Guid,
        Ty::Choice(0),
        Ty::Choice(1),
        TEXT.list(),
        Ty::Int.list(),
        Ty::Rate.list(),
        Ty::Country.list(),
        Ty::Net.list(),
        Ty::Text(Some(Limit { most: 4, utf16: false })).list(),
    ];
    let ty = maker.dice.of(&all).clone();
    if maker.dice.once_in(4) && !matches!(ty, Ty::List(_)) { ty.optional() } else { ty }
}

fn function(maker: &mut Maker<'_>, source: &'static str) -> Decl {
    let name = maker.name("made");
    let mut params: Params = Vec::new();
    // A function is told from natives of lists and texts by its name alone, so it may take anything first.
    for _ in 0..=maker.dice.below(3) {
        let ty = if maker.dice.once_in(4) { Ty::Part(source) } else { some_type(maker) };
        params.push((maker.name("given"), ty));
    }
    let gives = some_type(maker);
    let settings = maker.settings.clone();
    maker.locals.clone_from(&params);
    let body = maker.node(&gives, Place::Wanted, DEEP);
    maker.settings = settings;
    maker.locals.clear();
    let takes = params.iter().map(|(_, ty)| ty.clone()).collect();
    maker.functions.push(Signature { name: name.clone(), takes, gives: gives.clone() });
    Decl::new(&name, DeclKind::Fn(params, gives, body))
}

fn part(maker: &mut Maker<'_>) -> Decl {
    let name = maker.name("part");
    let params: Params = vec![(maker.name("given"), Ty::Part("Input")), (maker.name("given"), some_type(maker))];
    maker.locals.clone_from(&params);
    let mut lines = Vec::new();
    if maker.dice.once_in(2) {
        lines.push(named(maker));
    }
    for field in schema::fillable("Piece") {
        if field.required || maker.dice.once_in(2) {
            let node = maker.node(&field.ty, Place::Wanted, 2);
            lines.push(Line::new(LineKind::Fill(vec![field.name], node)));
        }
    }
    maker.locals.clear();
    let takes = params.iter().map(|(_, ty)| ty.clone()).collect();
    maker.parts.push(Signature { name: name.clone(), takes, gives: Ty::Part("Piece") });
    Decl::new(&name, DeclKind::Fields(params, "Piece", lines))
}

/// Values of a key's column.
fn values(maker: &mut Maker<'_>, ty: &Ty) -> Vec<Cell> {
    let number = |n: i64| Cell::Value(Node::new(Kind::Number(Number::whole(n)), ty, Place::Wanted));
    let rate = |n: i64| Cell::Value(Node::new(Kind::Rate(Number::whole(n)), ty, Place::Wanted));
    let mut all: Vec<Cell> = match ty.present() {
        Ty::Choice(n) => CHOICES[*n].1.iter().map(|text| value(ty, text)).collect(),
        Ty::Country => COUNTRIES.iter().map(|text| value(ty, text)).collect(),
        Ty::Bool => [true, false].map(|yes| Cell::Value(Node::new(Kind::Bool(yes), ty, Place::Wanted))).into(),
        Ty::Rate => [0, 6, 21].map(rate).into(),
        Ty::Int => [0, 1, 7].map(number).into(),
        _ => ["Ann", "a", "x-1"].iter().map(|text| value(ty, text)).collect(),
    };
    maker.dice.shuffle(&mut all);
    if ty.is_optional() {
        all.push(Cell::None);
    }
    all
}

/// A lookup of one key or two: what the first one takes is divided once more by the second, or is not.
fn lookup(maker: &mut Maker<'_>) -> Decl {
    let all = [Ty::Choice(0), Ty::Choice(1).optional(), Ty::Country, Ty::Bool, Ty::Rate, Ty::Int, TEXT];
    let name = maker.name("table");
    let mut keys: Params = Vec::new();
    for _ in 0..=maker.dice.below(2) {
        let ty = maker.dice.of(&all).clone();
        keys.push((maker.name("key"), ty));
    }
    let gives = loop {
        let ty = some_type(maker);
        if !matches!(ty, Ty::List(_) | Ty::Optional(_)) {
            break ty;
        }
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut row = |maker: &mut Maker<'_>, cells: Vec<Cell>| {
        rows.push(Row { cells, value: maker.node(&gives, Place::Wanted, 0), wrong: false });
    };
    let firsts = values(maker, &keys[0].1);
    let closed = |ty: &Ty| matches!(ty.present(), Ty::Choice(_) | Ty::Bool);
    let whole = keys.iter().all(|(_, ty)| closed(ty)) && maker.dice.once_in(2);
    for (n, first) in firsts.iter().enumerate() {
        // Something is left for the rest.
        if !whole && (n == 0 || maker.dice.once_in(3)) {
            continue;
        }
        match keys.get(1) {
            None => row(maker, vec![first.clone()]),
            Some((_, second)) => {
                for (n, second) in values(maker, second).into_iter().enumerate() {
                    if whole || n > 0 && maker.dice.once_in(2) {
                        row(maker, vec![first.clone(), second]);
                    }
                }
                if !whole {
                    row(maker, vec![first.clone(), Cell::Any]);
                }
            }
        }
    }
    if !whole {
        // The first of the keys is the one of whose values some have no row.
        let open = closed(&keys[0].1) || maker.dice.once_in(2);
        if keys[0].1 == Ty::Country && maker.dice.once_in(2) {
            row(maker, keys.iter().enumerate().map(|(n, _)| if n == 0 { Cell::Eu } else { Cell::Any }).collect());
        }
        // Without an `else` a record whose keys no row takes stops.
        if open || rows.is_empty() {
            let value = maker.node(&gives, Place::Wanted, 0);
            rows.push(Row { cells: Vec::new(), value, wrong: false });
        }
    }
    maker.dice.shuffle(&mut rows);
    maker.lookups.push(Signature {
        name: name.clone(),
        takes: keys.iter().map(|(_, ty)| ty.clone()).collect(),
        gives: gives.clone(),
    });
    Decl::new(&name, DeclKind::Lookup(keys, gives, rows))
}

/// `let name = value`
fn named(maker: &mut Maker<'_>) -> Line {
    let all =
        [Ty::Int, Ty::Decimal, Ty::Rate, Ty::Net, Ty::Gross, TEXT, Ty::Bool, Ty::Date, Ty::Country, Ty::Choice(0)];
    let lists = [Ty::Rate.list(), TEXT.list(), Ty::Int.list(), Ty::Country.list()];
    let ty = if maker.dice.once_in(4) { maker.dice.of(&lists).clone() } else { maker.dice.of(&all).clone() };
    let ty = if maker.dice.once_in(5) { ty.optional() } else { ty };
    let node = maker.node(&ty, Place::Free, DEEP - 1);
    let name = maker.name("local");
    maker.locals.push((name.clone(), ty));
    Line::new(LineKind::Let(name, node))
}

fn mapping(maker: &mut Maker<'_>, source: &'static str, target: &'static str) -> Decl {
    let params: Params = vec![("input".to_owned(), Ty::Part(source))];
    maker.locals.clone_from(&params);
    let mut lines = Vec::new();
    let mut fields = schema::fillable(target);
    maker.dice.shuffle(&mut fields);
    for field in fields {
        match maker.dice.below(12) {
            0 => lines.push(named(maker)),
            1 => {
                let cond = maker.node(&Ty::Bool, Place::Wanted, 2);
                let stop = *maker.dice.of(&[Stop::Fail, Stop::Skip]);
                // Most records go on, and of none it is known beforehand.
                if maker.dice.once_in(2) {
                    let id = maker.there(&Ty::Int).remove(0);
                    let one = Node::new(Kind::Number(Number::whole(1)), &Ty::Int, Place::Hint);
                    let other = Node::new(Kind::Binary(">", Box::new(id), Box::new(one)), &Ty::Bool, Place::Wanted);
                    let either = Kind::Binary("or", Box::new(cond), Box::new(other));
                    let either = Node::new(either, &Ty::Bool, Place::Wanted);
                    lines.push(Line::new(LineKind::Check(either, stop)));
                }
            }
            _ => {}
        }
        if !field.required && !maker.dice.once_in(4) {
            continue;
        }
        let node = maker.node(&field.ty, Place::Wanted, DEEP);
        let line = Line::new(LineKind::Fill(vec![field.name], node));
        let apart = !field.required && maker.dice.once_in(8);
        lines.push(if apart { Line::new(LineKind::OnCreate(vec![line])) } else { line });
    }
    maker.locals.clear();
    Decl::new("made", DeclKind::Mapping(params, target, lines))
}
