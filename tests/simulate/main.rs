//! A simulation of the world: the real engine over the real store, on one thread, in a time that stands still until all
//! wait; both systems as small models behind their doors; people, faults, crashes and clocks that a seed makes up. In the
//! end the world calms down, and an oracle looks at what became of it.
//!
//! `cargo test --test simulate` runs some hundred seeds. `SEEDS=200000 cargo test --release --test simulate --
//! --nocapture` runs as many as wanted, from `FROM` on; `SEED=17` runs that one and tells its story, shortened as far as it
//! still fails.
//!
//! As in the simulations of FoundationDB and TigerBeetle one seed decides everything, and time is made up. Written by hand:
//! `turmoil` simulates hosts and the network between them, which lies below our door; `madsim` replaces the runtime of the
//! whole program; `shuttle` tries orders of threads, and here is one. Tokio's own paused time is all that is needed.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a surprise fails the test, and its figures are wanted")]

mod chance;
mod disk;
mod door;
mod ledger;
mod oracle;
mod planted;
mod project;
mod run;
mod shop;
mod shrink;
mod story;
mod world;

use planted::Bug;
use run::{Report, run, run_with};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use story::Story;

/// Seeds that a change must survive.
const SEEDS: u64 = 300;
/// Failing seeds of a kind that are shortened and told.
const TOLD: usize = 2;

/// A fault that is known, and whether it shows in a story that breaks so.
type Known = (&'static str, fn(&Story, &str) -> bool);

/// Faults of the runner that are known: stories in which one shows are counted apart. It should be empty.
const KNOWN: &[Known] = &[];

fn is_known(story: &Story, report: &Report) -> bool {
    report.broken.iter().all(|(broken, _)| KNOWN.iter().any(|(_, shows)| shows(story, broken)))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs all seeds from one on; those that fail, with what was broken.
fn seeds(from: u64, count: u64) -> (Vec<(u64, Report)>, BTreeMap<&'static str, u64>) {
    // What cannot be compiled is no matter of a seed.
    story::KINDS.iter().for_each(|kind| (0..4).for_each(|version| drop(project::Ready::of(*kind, version))));
    let (next, failed) = (AtomicU64::new(from), Mutex::new(Vec::new()));
    let sums = Mutex::new(BTreeMap::new());
    let threads =
        number("THREADS").unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get() as u64));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        return;
                    }
                    let story = Story::of(seed);
                    let report = run(&story, false);
                    let mut sums = sums.lock().unwrap();
                    *sums.entry("passes").or_default() += u64::from(report.passes);
                    *sums.entry("writes").or_default() += report.writes as u64;
                    *sums.entry("crashes").or_default() += u64::from(report.crashes);
                    if !report.broken.is_empty() && is_known(&story, &report) {
                        *sums.entry("known faults").or_default() += 1;
                    } else if !report.broken.is_empty() {
                        failed.lock().unwrap().push((seed, report));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_by_key(|(seed, _)| *seed);
    (failed, sums.into_inner().unwrap())
}

#[test]
fn whatever_happens_all_is_well_in_the_end() {
    if let Some(seed) = number("SEED") {
        let story = Story::of(seed);
        println!("{story}");
        let report = run(&story, true);
        println!("{}", report.told.join("\n"));
        println!("{:#?}", report.broken);
        assert!(report.broken.is_empty(), "seed {seed}:\n{}", shrink::told(&story));
        return;
    }
    let (from, count) = (number("FROM").unwrap_or(1), number("SEEDS").unwrap_or(SEEDS));
    let began = Instant::now();
    let (failed, sums) = seeds(from, count);
    let took = began.elapsed();
    println!(
        "{count} seeds from {from} on in {took:.1?}, {:.2?} each; {sums:?}; {} failed",
        took / u32::try_from(count).unwrap(),
        failed.len()
    );
    let mut kinds: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (seed, report) in &failed {
        kinds.entry(report.broken[0].0).or_default().push(*seed);
    }
    for (kind, seeds) in &kinds {
        println!("{kind}: {} seeds, {:?} …", seeds.len(), &seeds[..seeds.len().min(12)]);
    }
    // Of each kind the first ones.
    let stories = kinds.values().flat_map(|seeds| seeds.iter().take(TOLD));
    let stories: Vec<String> = stories.map(|seed| shrink::told(&Story::of(*seed))).collect();
    assert!(failed.is_empty(), "{} of {count} seeds fail:\n{}", failed.len(), stories.join("\n"));
}

/// Seeds within which a planted bug is looked for.
const SEEDS_OF_A_BUG: u64 = 3_000;

/// What a story breaks with a bug in it that it does not break without.
fn breaks(story: &Story, bug: Bug) -> Option<(&'static str, String)> {
    let broken = run_with(story, false, Some(bug)).broken.into_iter().next()?;
    let known = run(story, false).broken;
    known.iter().all(|(kind, _)| *kind != broken.0).then_some(broken)
}

/// Each planted bug is found by its seed. Where stories have changed, `HUNT=1` looks for the seeds that find them now.
#[test]
fn each_planted_bug_is_found() {
    let mut missed = Vec::new();
    let only = std::env::var("BUG").ok();
    for (bug, seed) in planted::BUGS.iter().filter(|(bug, _)| only.as_ref().is_none_or(|o| *o == format!("{bug:?}"))) {
        let from = number("FROM").unwrap_or(1);
        let seeds = if number("HUNT").is_some() { from..=from + SEEDS_OF_A_BUG } else { *seed..=*seed };
        let found = seeds.into_iter().find_map(|seed| {
            let story = Story::of(seed);
            if !bug.may_show(&story) {
                return None;
            }
            Some((seed, breaks(&story, *bug)?))
        });
        match found {
            Some((seed, (kind, text))) => {
                println!("(Bug::{bug:?}, {seed}), {kind}: {}", text.chars().take(150).collect::<String>());
            }
            None => missed.push(bug),
        }
    }
    for (bug, story) in planted::TOLD {
        match (1..=20).find_map(|call| Some((call, breaks(&story(call), *bug)?))) {
            Some((call, (kind, _))) => println!("Bug::{bug:?} at call {call}, {kind}"),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}; run with HUNT=1");
}

#[test]
fn a_seed_tells_the_same_story_each_time() {
    for seed in 1..=20 {
        let story = Story::of(seed);
        assert_eq!(run(&story, false).hash, run(&story, false).hash, "seed {seed}");
    }
}
