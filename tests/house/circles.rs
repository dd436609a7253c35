//! Circles among the files of a room, and the uses that one would cut to open them.

use crate::arrows::Uses;
use crate::code::{File, House, house};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// Files of a circle that stays, at most.
const FILES_MAX: usize = 5;
/// Circles that stay: room, files, and the recursion that they are.
const RECURSIONS: &[(&str, &[&str], &str)] = &[
    (
        "check",
        &["infer/call", "infer/expr", "infer/natives", "infer/ops", "infer/steps"],
        "an expression is made of expressions: of calls, operators, and records that are filled by statements",
    ),
    (
        "money",
        &["choices", "follow", "natives"],
        "an expression is made of expressions: of functions, lists, and choices between them",
    ),
    (
        "eval",
        &["code/compiled", "code/document", "code/emit", "code/expression", "code/run"],
        "code works on an evaluation, which holds the compiled program that the code is a part of",
    ),
    (
        "eval",
        &["compile/calls", "compile/emit", "compile/expr", "compile/steps", "compile/traced"],
        "an expression is made of expressions: of calls, and of parts that are filled by steps",
    ),
    ("engine", &["pass/ask", "pass/once"], "what is read once is a question, and is made of questions"),
    ("eval", &["decode/object", "decode/value"], "an object holds values, and a value may be an object"),
    ("eval", &["runtime/fields", "runtime/rows"], "a reference's field stands in its row, which is found by a field"),
    ("eval", &["wire/nested", "wire/write"], "a part holds values, and a value may be a part"),
];
/// Folders of a room that are layers: a file uses its own and those before it.
const LAYERS: &[(&str, &[&str])] = &[
    ("check", &["resolve", "types", "infer", "declare"]),
    ("engine", &["values", "known", "decide", "pass", "journal", "record", "feed"]),
];
/// Files of a room that stand in circles which are to go. A number may only shrink; at 0 the row goes.
const CIRCLES: &[(&str, usize)] = &[("cli", 2), ("connector", 33), ("sandbox", 62), ("store", 7), ("syntax", 11)];
/// Names of an arrow that are printed.
const NAMES_SHOWN: usize = 6;

/// The files of one room and the arrows between them.
struct Room<'a> {
    name: String,
    files: BTreeMap<usize, String>,
    arrows: BTreeMap<(usize, usize), &'a Uses>,
}

impl<'a> Room<'a> {
    fn all(house: &'a House) -> Vec<Self> {
        let mut rooms: BTreeMap<String, Self> = BTreeMap::new();
        for (number, file) in house.files.iter().enumerate().filter(|(_, file)| !file.at.is_test()) {
            let Some(name) = file.at.room() else { continue };
            let room = rooms.entry(name.clone()).or_insert_with(|| Self {
                name,
                files: BTreeMap::new(),
                arrows: BTreeMap::new(),
            });
            room.files.insert(number, file.at.name());
        }
        for room in rooms.values_mut() {
            let inside = house.arrows.iter().filter(|((from, _), _)| room.files.contains_key(from));
            room.arrows = inside.map(|(arrow, uses)| (*arrow, uses)).collect();
        }
        rooms.into_values().collect()
    }

    fn reached(&self, from: usize) -> BTreeSet<usize> {
        let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(file) = next.pop() {
            for ((_, to), _) in self.arrows.range((file, 0)..=(file, usize::MAX)) {
                if reached.insert(*to) {
                    next.push(*to);
                }
            }
        }
        reached
    }

    /// The sets of files of which each reaches each.
    fn circles(&self) -> Vec<BTreeSet<usize>> {
        let reached: BTreeMap<usize, BTreeSet<usize>> =
            self.files.keys().map(|file| (*file, self.reached(*file))).collect();
        let circle = |file: &usize| -> BTreeSet<usize> {
            reached[file].iter().copied().filter(|other| reached[other].contains(file)).collect()
        };
        let circles: BTreeSet<BTreeSet<usize>> = self.files.keys().map(circle).collect();
        circles.into_iter().filter(|circle| circle.len() > 1).collect()
    }

    fn names(&self, circle: &BTreeSet<usize>) -> Vec<&str> {
        circle.iter().map(|file| self.files[file].as_str()).collect()
    }

    /// An order of a circle's files in which few uses lead upwards, and those: without them it is none.
    ///
    /// Each time the file goes last whose uses of the others are the fewest, compared with how much they use it: near the
    /// least, and the same for the same code.
    fn cuts(&self, circle: &BTreeSet<usize>) -> Vec<(usize, usize)> {
        let (mut left, mut placed, mut cuts) = (circle.clone(), BTreeSet::new(), Vec::new());
        let weight = |from: usize, to: usize| self.arrows.get(&(from, to)).map_or(0, |uses| uses.len());
        while let Some(lowest) = left.iter().copied().min_by_key(|file| {
            let out: usize = left.iter().map(|other| weight(*file, *other)).sum();
            let into: usize = left.iter().map(|other| weight(*other, *file)).sum();
            (out > 0, out.saturating_mul(100) / (into + 1), *file)
        }) {
            left.remove(&lowest);
            cuts.extend(left.iter().filter(|other| weight(lowest, **other) > 0).map(|other| (lowest, *other)));
            placed.insert(lowest);
        }
        cuts
    }

    fn arrow(&self, (from, to): (usize, usize)) -> String {
        let uses = self.arrows[&(from, to)];
        let mut names: Vec<(&String, &usize)> = uses.iter().collect();
        names.sort_by_key(|(name, _)| (name.len(), *name));
        let shown: Vec<String> =
            names.iter().take(NAMES_SHOWN).map(|(name, line)| format!("{name} (line {line})")).collect();
        let more =
            if names.len() > NAMES_SHOWN { format!(", {} more", names.len() - NAMES_SHOWN) } else { String::new() };
        format!("  {} → {}: {}{more}", self.files[&from], self.files[&to], shown.join(", "))
    }

    /// A circle as a developer wants to see it: which uses to cut, and then all that binds it.
    fn told(&self, circle: &BTreeSet<usize>) -> String {
        let mut told = format!("{}: a circle of {} files: {}\n", self.name, circle.len(), self.names(circle).join(" "));
        let mut cuts = self.cuts(circle);
        cuts.sort_by_key(|cut| self.arrows[cut].len());
        let _ = writeln!(told, " without these uses it is none:");
        cuts.iter().for_each(|cut| _ = writeln!(told, "{}", self.arrow(*cut)));
        let _ = writeln!(told, " the others within it:");
        let within = |arrow: &(usize, usize)| circle.contains(&arrow.0) && circle.contains(&arrow.1);
        let others = self.arrows.keys().filter(|arrow| within(arrow) && !cuts.contains(arrow));
        others.for_each(|arrow| _ = writeln!(told, "{}", self.arrow(*arrow)));
        told
    }

    fn recursion(&self, circle: &BTreeSet<usize>) -> bool {
        let names = self.names(circle);
        RECURSIONS.iter().any(|(room, files, _)| *room == self.name && files.iter().eq(names.iter()))
    }
}

#[test]
fn files_of_a_room_have_an_order() {
    let rooms = Room::all(house());
    let mut wrong = Vec::new();
    for room in &rooms {
        let circles: Vec<BTreeSet<usize>> =
            room.circles().into_iter().filter(|circle| !room.recursion(circle)).collect();
        let held: usize = circles.iter().map(BTreeSet::len).sum();
        let listed = CIRCLES.iter().find(|(name, _)| *name == room.name).map_or(0, |(_, files)| *files);
        if held > listed {
            let told: String = circles.iter().map(|circle| room.told(circle)).collect();
            wrong.push(format!("{told}{}: {held} files stand in circles, CIRCLES allows {listed}", room.name));
        } else if held < listed {
            wrong.push(format!("{}: {held} files stand in circles, so lower its {listed} in CIRCLES", room.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let found = house().arrows.len();
    assert!(found > house().files.len(), "only {found} arrows were found: does the test still see them?");
}

#[test]
fn circles_that_stay_are_small_and_there() {
    let rooms = Room::all(house());
    for (name, circle, reason) in RECURSIONS {
        assert!(circle.len() <= FILES_MAX, "{name}: {circle:?} is more than one recursion");
        assert!(!reason.is_empty(), "{name}: {circle:?} stays, so say why");
        let room = rooms.iter().find(|room| room.name == *name).expect("RECURSIONS names a room");
        let there = room.circles().iter().any(|found| room.names(found).iter().eq(circle.iter()));
        assert!(there, "{name}: {circle:?} is no circle, or no longer all of one: take it off RECURSIONS");
    }
}

#[test]
fn layers_of_a_room_point_one_way() {
    let rooms = Room::all(house());
    let mut wrong = Vec::new();
    for (name, layers) in LAYERS {
        let room = rooms.iter().find(|room| room.name == *name).expect("LAYERS names a room");
        let layer = |file: &str| layers.iter().position(|layer| file.split('/').next() == Some(*layer));
        for (from, to) in room.arrows.keys() {
            let (from, to) = (&room.files[from], &room.files[to]);
            if let (Some(own), Some(used)) = (layer(from), layer(to))
                && used > own
            {
                wrong.push(format!("{name}: {from} uses {to}, which lies above it"));
            }
        }
        let empty = layers.iter().find(|of| !room.files.values().any(|file| file.split('/').next() == Some(**of)));
        assert_eq!(empty, None, "{name} has no such layer");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `HOUSE=eval cargo test --test house graph -- --ignored --nocapture` prints the arrows of a room and its circles; without
/// `HOUSE` those of all.
#[test]
#[ignore = "prints what others hold"]
fn graph() {
    let wanted = std::env::var("HOUSE").unwrap_or_else(|_| "all".to_owned());
    let mut seen = false;
    for room in Room::all(house()) {
        if wanted != "all" && wanted != room.name {
            continue;
        }
        seen = true;
        println!("{}: {} files, {} arrows", room.name, room.files.len(), room.arrows.len());
        room.arrows.keys().for_each(|arrow| println!("{}", room.arrow(*arrow)));
        room.circles().iter().for_each(|circle| println!("{}", room.told(circle)));
    }
    assert!(seen, "HOUSE={wanted} is no room");
}

/// A planted circle is found with its names, a file outside is not in it, and without the uses to cut it is none.
#[test]
fn a_circle_is_found_and_opens_where_it_is_said_to() {
    let files = [
        ("room/mod.rs", "mod a; mod b; mod c; mod d;\npub use a::A;"),
        ("room/a.rs", "use super::b::{B, made};\npub struct A;"),
        ("room/b.rs", "use super::c::C;\npub struct B;\npub fn made() {}"),
        ("room/c.rs", "use super::A;\npub struct C;"),
        ("room/d.rs", "use super::a::A;\nfn f() { super::c::C; }"),
    ];
    let house = House::of(&files.map(|(path, text)| File::new(Path::new(path), text)));
    let mut rooms = Room::all(&house);
    let room = &mut rooms[0];
    let circles = room.circles();
    assert_eq!(circles.iter().map(|circle| room.names(circle)).collect::<Vec<_>>(), [["a", "b", "c"]]);
    let told = room.told(&circles[0]);
    assert!(told.contains("room: a circle of 3 files: a b c"), "{told}");
    assert!(told.contains("a → b: B (line 1), made (line 1)"), "{told}");
    let cuts = room.cuts(&circles[0]);
    assert_eq!(cuts.len(), 1, "one use opens it: {told}");
    room.arrows.retain(|arrow, _| !cuts.contains(arrow));
    assert!(room.circles().is_empty(), "{told}");
}
