//! The timed task: one order becomes one document, by the compiled project and by hand-written code.
//!
//! `cargo bench --bench order -- ORDERS.ndjson [--print flowc|serde]` prints the time of an order of each, in one run and
//! in turns, or the documents of one of them.

mod by_hand;

use flowc::check::check_project;
use flowc::eval::{Compiled, Given, Mapper};
use flowc::source::Disk;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rounds of each, in turns: other work on the machine hits both alike.
const ROUNDS: usize = 7;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let Some(file) = args.first() else { return };
    let text = std::fs::read_to_string(file).expect("the orders can be read");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/order");
    let checked = check_project(&Disk, &folder, &[]);
    for diagnostic in &checked.diagnostics {
        eprintln!("{} {}", diagnostic.code.id, diagnostic.message);
    }
    assert!(checked.is_sound(), "the project is sound");
    let compiled = Compiled::new(Arc::new(checked.program));
    let given = Given::empty(jiff::Timestamp::UNIX_EPOCH);
    let mapping = compiled.mapping("bench_order").expect("the mapping is there");
    let mut mapper = Mapper::new(&compiled, mapping).expect("it takes one order");
    let mut flowc = |line: &str, out: &mut Vec<u8>| match mapper.map(line, &given, out) {
        Ok(_) => {}
        Err((_, failure)) => write!(out, "{{\"error\":{:?}}}", failure.reason).expect("memory takes it"),
    };
    if let Some(at) = args.iter().position(|a| a == "--print") {
        let mut out = Vec::new();
        for line in text.lines() {
            if args.get(at + 1).is_some_and(|a| a == "serde") {
                by_hand::map(line, &mut out)
            } else {
                flowc(line, &mut out)
            }
            out.push(b'\n');
        }
        std::io::stdout().write_all(&out).expect("the documents can be written");
        return;
    }
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        ours = ours.min(timed(&text, &mut flowc));
        theirs = theirs.min(timed(&text, &mut by_hand::map));
    }
    let count = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
    println!(
        "flowc {:?} · by hand {:?} an order · {:.2}",
        ours / count,
        theirs / count,
        ours.as_secs_f64() / theirs.as_secs_f64()
    );
}

fn timed(text: &str, map: &mut dyn FnMut(&str, &mut Vec<u8>)) -> Duration {
    let mut out = Vec::with_capacity(1 << 20);
    let start = Instant::now();
    for line in text.lines() {
        if out.len() > 1 << 19 {
            out.clear();
        }
        map(line, &mut out);
        out.push(b'\n');
    }
    start.elapsed()
}
