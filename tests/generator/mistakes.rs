//! Mistakes that are planted: one of a kind in a sound program, on a place that dice choose among all that it fits.

use crate::chance::Dice;
use crate::planted_names::{
    EXTERNS, FIELDS, arguments, left_out, misspelt_field, misspelt_function, misspelt_lookup, misspelt_name,
    misspelt_setting, no_such_field, required, twice, uncovered,
};
use crate::planted_types::{
    mixed_money, no_condition, no_json, other_comparison, other_money, other_type, other_type_in_list, rate_on_money,
};
use crate::planted_values::{
    bare_rate, bare_rate_in_list, empty_list, fraction, fraction_in_list, keep, no_guid, none_by_map, none_in_list,
    optional, optional_in_text, optional_operand, optional_receiver, too_long, too_long_in_list, unknown_choice,
    unknown_country, unknown_currency, unknown_length, unknown_pattern,
};
use crate::program::{Decl, DeclKind, Node, Program};

/// A kind of mistake: its name, and how a place gets one; `false` where the place takes none.
pub(crate) struct Mistake {
    pub(crate) name: &'static str,
    plant: Plant,
    /// Only where a field is filled: what a function gives and a part makes is looked at where it is used.
    filled: bool,
}

enum Plant {
    /// In an expression.
    Node(fn(&mut Node, &mut Dice) -> bool),
    /// In a declaration.
    Decl(fn(&mut Decl, &mut Dice) -> bool),
    /// One of these declarations.
    Added(&'static [&'static str]),
}

const fn node(name: &'static str, plant: fn(&mut Node, &mut Dice) -> bool) -> Mistake {
    Mistake { name, plant: Plant::Node(plant), filled: false }
}

const fn decl(name: &'static str, plant: fn(&mut Decl, &mut Dice) -> bool) -> Mistake {
    Mistake { name, plant: Plant::Decl(plant), filled: false }
}

pub(crate) const MISTAKES: [Mistake; 41] = [
    node("a bare number for a rate", bare_rate),
    node("a bare number in a list of rates", bare_rate_in_list),
    node("a fraction for a whole number", fraction),
    node("fractions in a list of whole numbers", fraction_in_list),
    node("keep within a value", keep),
    node("[] for what is no list", empty_list),
    node("none in a list", none_in_list),
    node("a list of none by a function", none_by_map),
    node("what may be absent for what is there", optional),
    node("absent within a text", optional_in_text),
    node("absent in arithmetic", optional_operand),
    node("absent before a dot", optional_receiver),
    node("unknown country", unknown_country),
    node("unknown currency", unknown_currency),
    node("no guid", no_guid),
    node("unknown value of a list of choices", unknown_choice),
    node("unknown value of a pattern", unknown_pattern),
    node("text too long", too_long),
    Mistake { name: "text of unknown length", plant: Plant::Node(unknown_length), filled: true },
    Mistake { name: "too long in a list", plant: Plant::Node(too_long_in_list), filled: true },
    node("what is no JSON", no_json),
    node("another type", other_type),
    node("another type in a list", other_type_in_list),
    node("another kind of amount", other_money),
    node("amounts that don't add up", mixed_money),
    node("a rate on an amount", rate_on_money),
    node("comparison of different types", other_comparison),
    node("no condition", no_condition),
    node("misspelt field", misspelt_field),
    node("misspelt name", misspelt_name),
    node("misspelt function", misspelt_function),
    node("misspelt setting", misspelt_setting),
    node("misspelt lookup", misspelt_lookup),
    node("an argument more or less", arguments),
    node("a required field left out of a record", left_out),
    node("a field that a record does not have", no_such_field),
    decl("a case left out of a match or a table", uncovered),
    decl("a row or a field twice", twice),
    decl("a required field left out", required),
    Mistake { name: "a field that no record holds", plant: Plant::Added(&FIELDS), filled: false },
    Mistake { name: "a parameter that does not cross into rhai", plant: Plant::Added(&EXTERNS), filled: false },
];

/// A program with one mistake of this kind; none where no place of it takes one.
pub(crate) fn plant(mistake: &Mistake, program: &Program, dice: &mut Dice) -> Option<Program> {
    let mut planted = program.clone();
    let mut done = false;
    match mistake.plant {
        Plant::Node(plant) => {
            let decls =
                planted.decls.iter_mut().filter(|decl| !mistake.filled || matches!(decl.kind, DeclKind::Mapping(..)));
            let mut decls: Vec<&mut Decl> = decls.collect();
            let mut places = 0;
            decls.iter_mut().for_each(|decl| decl.each(&mut |_| places += 1));
            // The first place from one that the dice choose on.
            let start = dice.below(places);
            for behind in [true, false] {
                let mut seen = 0;
                let mut see = |node: &mut Node| {
                    if !done && (seen >= start) == behind {
                        done = plant(node, dice);
                    }
                    seen += 1;
                };
                decls.iter_mut().for_each(|decl| decl.each(&mut see));
            }
        }
        Plant::Decl(plant) => {
            let start = dice.below(planted.decls.len());
            for n in 0..planted.decls.len() {
                let at = (start + n) % planted.decls.len();
                done = done || plant(&mut planted.decls[at], dice);
            }
        }
        Plant::Added(texts) => {
            let mut odd = Decl::new("odd", DeclKind::Raw(format!("{}\n", dice.of(texts))));
            odd.wrong = true;
            planted.decls.push(odd);
            done = true;
        }
    }
    done.then_some(planted)
}
