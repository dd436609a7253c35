//! Programs and records from seeds, held against an oracle that shares no code with the product.
//!
//! - **values**: what `flowc map` writes of a generated program's records is what the oracle computes.
//! - **mistakes**: one that is planted is told on its own line, and nothing else is blamed.
//! - **changes**: what changes no meaning (other names, another order, a function made of a part) changes no value.
//!
//! `SEED=17` runs one program and shows it, `PROGRAMS=20000` more than the 2,000 of every run; both together so many from
//! that seed on.

mod chance;
mod changes;
mod declare;
mod functions;
mod make;
mod make_lists;
mod make_typed;
mod mistakes;
mod number;
mod oracle;
mod planted_names;
mod planted_types;
mod planted_values;
mod print;
mod product;
mod program;
mod records;
mod schema;

use chance::Dice;
use changes::CHANGES;
use mistakes::{MISTAKES, plant};
use oracle::{Halt, evaluate};
use product::{Outcome, Verdict, check, errors, map, said, told, verdict};
use program::{Program, Stop};
use std::collections::BTreeMap;

/// Programs of a run, and records of each.
const PROGRAMS: u64 = 2_000;
const RECORDS: usize = 6;
/// Room for values that are nested deep, in a build without optimization.
const STACK: usize = 64 << 20;

/// What a run comes to.
#[derive(Default)]
struct Tally {
    programs: usize,
    values: usize,
    stops: usize,
    large: usize,
    faults: Vec<String>,
    /// For each kind of mistake: planted, caught and nothing else, something else blamed too, told elsewhere, missed.
    planted: BTreeMap<&'static str, [usize; 5]>,
    /// Changes that were made of each kind.
    changed: BTreeMap<&'static str, usize>,
    /// Mistakes that were not caught alone on their line.
    doubtful: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.programs += other.programs;
        self.values += other.values;
        self.stops += other.stops;
        self.large += other.large;
        self.faults.extend(other.faults);
        self.doubtful.extend(other.doubtful);
        other.changed.into_iter().for_each(|(name, n)| *self.changed.entry(name).or_default() += n);
        for (name, counts) in other.planted {
            let all = self.planted.entry(name).or_default();
            all.iter_mut().zip(counts).for_each(|(all, more)| *all += more);
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// A sound program, what the product says of it, and what it makes of records.
struct Case {
    seed: u64,
    program: Program,
    said: Vec<(&'static str, String)>,
    /// As the system sends them.
    records: Vec<String>,
    outcomes: Vec<Outcome>,
}

/// What the product makes of a program's records is what the oracle does.
fn values(seed: u64, dice: &mut Dice, tally: &mut Tally) -> Option<Case> {
    let program = declare::program(dice);
    let checked = check(&print::print(&program).text);
    if !checked.is_sound() {
        let told = told(&checked, errors(&checked));
        tally.faults.push(format!("seed {seed}: a sound program is refused\n{told}"));
        return None;
    }
    let said = said(&checked);
    let all: Vec<oracle::Value> = (0..RECORDS).map(|_| records::record(dice, program.source)).collect();
    let texts: Vec<String> = all.iter().map(|record| records::json(program.source, record)).collect();
    let outcomes = map(checked, &texts);
    for ((record, text), outcome) in all.iter().zip(&texts).zip(&outcomes) {
        let expected = evaluate(&program, record);
        let compared = match (outcome, &expected) {
            (_, Err(Halt::TooLarge)) => {
                tally.large += 1;
                Ok(0)
            }
            (Outcome::Payload(made), Ok(expected)) => records::compare(program.target, made, expected),
            (Outcome::Nothing, Ok(expected)) => records::compare(program.target, &serde_json::json!({}), expected),
            (Outcome::Fails(_), Err(Halt::Stop(Stop::Fail))) | (Outcome::Skips, Err(Halt::Stop(Stop::Skip))) => {
                tally.stops += 1;
                Ok(1)
            }
            _ => Err(format!("{outcome:?} instead of {expected:?}")),
        };
        match compared {
            Ok(n) => tally.values += n,
            Err(why) => {
                tally.faults.push(format!("seed {seed}: {why}\nof {text}"));
                return None;
            }
        }
    }
    Some(Case { seed, program, said, records: texts, outcomes })
}

/// A mistake in a sound program is told on its line, and nothing else is.
fn mistake(case: &Case, dice: &mut Dice, tally: &mut Tally) {
    let first = usize::try_from(case.seed).expect("seeds are small");
    // The next kind that fits.
    let mut kinds = (0..MISTAKES.len()).map(|more| &MISTAKES[(first + more) % MISTAKES.len()]);
    let planted = kinds.find_map(|kind| Some((kind, plant(kind, &case.program, dice)?)));
    let Some((kind, planted)) = planted else { return };
    let printed = print::print(&planted);
    let checked = check(&printed.text);
    let verdict = verdict(&checked, &printed, case.said.clone());
    let counts = tally.planted.entry(kind.name).or_default();
    counts[0] += 1;
    counts[1 + verdict as usize] += 1;
    if verdict != Verdict::Caught {
        let lines = printed.text.lines().enumerate().filter(|(n, _)| printed.is_wrong(n + 1));
        let lines: Vec<String> = lines.map(|(n, line)| format!("    {} {}", n + 1, line.trim())).collect();
        let (lines, told) = (lines.join("\n"), told(&checked, &checked.diagnostics));
        let name = kind.name;
        tally.doubtful.push(format!("{verdict:?}: {name} (seed {})\n{lines}\n  told:\n{told}", case.seed));
    }
}

/// A change that preserves what a program means preserves what comes of its records.
fn change(case: &Case, dice: &mut Dice, tally: &mut Tally) {
    let (name, change) = CHANGES[dice.below(CHANGES.len())];
    let mut changed = case.program.clone();
    if !change(&mut changed, dice) {
        return;
    }
    let text = print::print(&changed).text;
    let checked = check(&text);
    *tally.changed.entry(name).or_default() += 1;
    if !checked.is_sound() {
        let told = told(&checked, errors(&checked));
        tally.faults.push(format!("seed {}: {name}: it is refused then\n{told}", case.seed));
        return;
    }
    for ((record, before), after) in case.records.iter().zip(&case.outcomes).zip(map(checked, &case.records)) {
        if *before != after {
            let seed = case.seed;
            tally.faults.push(format!("seed {seed}: {name}: {before:?} becomes {after:?}\nof {record}\n{text}"));
            return;
        }
    }
}

fn run(seed: u64) -> Tally {
    let mut tally = Tally { programs: 1, ..Tally::default() };
    let mut dice = Dice::new(seed);
    if let Some(case) = values(seed, &mut dice, &mut tally) {
        mistake(&case, &mut dice, &mut tally);
        // It takes as long as all the rest.
        if seed.is_multiple_of(2) {
            change(&case, &mut dice, &mut tally);
        }
    }
    tally
}

/// All seeds, by as many threads as there are processors.
fn run_all(seeds: std::ops::Range<u64>) -> Tally {
    let next = std::sync::atomic::AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let work = || {
            let mut tally = Tally::default();
            loop {
                let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if seed >= seeds.end {
                    return tally;
                }
                tally.add(run(seed));
            }
        };
        let spawn = |_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("a thread");
        let running: Vec<_> = (0..threads).map(spawn).collect();
        let mut tally = Tally::default();
        running.into_iter().for_each(|thread| tally.add(thread.join().expect("a program is run to its end")));
        tally
    })
}

#[test]
fn programs_mean_what_the_oracle_says() {
    let tally = match (number("SEED"), number("PROGRAMS")) {
        (Some(seed), None) => {
            let program = declare::program(&mut Dice::new(seed));
            println!("{}", print::print(&program).text);
            run_all(seed..seed + 1)
        }
        (from, programs) => {
            let from = from.unwrap_or(0);
            run_all(from..from + programs.unwrap_or(PROGRAMS))
        }
    };
    let Tally { programs, values, stops, large, faults, .. } = &tally;
    println!("{programs} programs, {values} values compared, {stops} stops, {large} records too large to look at");
    faults.iter().take(8).for_each(|fault| println!("{fault}"));
    tally.changed.iter().for_each(|(name, n)| println!("{n:>6} programs changed: {name}"));
    println!("{:<45} planted  alone  blames  elsewhere  missed", "mistake");
    for (name, [all, alone, blames, elsewhere, missed]) in &tally.planted {
        println!("{name:<45} {all:>7} {alone:>6} {blames:>7} {elsewhere:>10} {missed:>7}");
    }
    let shown = usize::try_from(number("SHOW").unwrap_or(0)).expect("few are shown");
    tally.doubtful.iter().take(shown).for_each(|doubtful| println!("{doubtful}"));
    let planted: usize = tally.planted.values().map(|[all, ..]| all).sum();
    let doubtful = tally.doubtful.len();
    println!("{planted} mistakes, {doubtful} of them not told alone on their line");
    assert!(faults.is_empty(), "{} faults", faults.len());
    assert!(doubtful * 100 <= planted, "more than one in a hundred mistakes is not told alone on its line");
}
