//! `flowc check` of projects that grow: the default flow of orders, copied into a file of the project again and again.
//!
//! For each size: a check from nothing, and a check of a held project after a declaration has changed. Medians of several
//! rounds, time on the clock (files are parsed side by side), the least behind it, and what a line costs. `--rounds 15`;
//! `--copies 7` measures one size alone.

use flowc::check::{Cancel, Held, check_project};
use flowc::limits::STACK_BYTES;
use flowc::source::{Memory, library};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// The product's, so that what is measured is what ships.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Copies of the flow: about 300, 2000, 5000 and 20000 lines.
const COPIES: [usize; 4] = [1, 7, 19, 74];

const HEAD: &str = r#"edition 2026
zone "Europe/Amsterdam"

connect shop to woocommerce {
  url    = "https://shop.example"
  key    = secret("KEY")
  secret = secret("SECRET")
}

connect books to exact {
  country       = "NL"
  division      = 1
  client_id     = secret("ID")
  client_secret = secret("SECRET")
}

"#;

/// A project with so many copies of the flow, and its lines. Only the first one keeps the field that it adds to an order.
fn project(copies: usize) -> (Memory, usize) {
    let (_, _, flow) = library::module("flows.orders").next().expect("the flow ships");
    let mut files = Memory::default();
    let mut head = HEAD.to_owned();
    for n in 0..copies {
        let _ = writeln!(
            head,
            "use o{n}\nsettings for o{n} {{ prefix = \"{n}-\", shipping_item = \"S\", fee_item = \"F\" }}"
        );
        let text = if n == 0 { (*flow).to_owned() } else { without_extend(flow) };
        files.0.insert(PathBuf::from(format!("p/o{n}.flow")), text);
    }
    head.push_str("run o0.orders\n");
    files.0.insert(PathBuf::from("p/project.flow"), head);
    let lines = files.0.values().map(|text| text.lines().count()).sum();
    (files, lines)
}

/// The flow without the fields that it adds, and without those who read them: what leads to the shop adds its own.
fn without_extend(flow: &str) -> String {
    let flow = flow.split("\n# --- From the ledger to the shop").next().unwrap_or(flow);
    let (before, rest) = flow.split_once("extend woo.Order {").expect("the flow adds a field");
    let (_, after) = rest.split_once("\n}\n").expect("its block ends");
    format!("{before}{after}")
        .replace("order.exact_origin", "order.transaction_id")
        .replace("exact_number", "customer_note")
}

/// Median and least of the times that each round took, milliseconds.
fn timed(rounds: usize, mut work: impl FnMut(usize)) -> (f64, f64) {
    let one = |n| {
        let from = Instant::now();
        work(n);
        from.elapsed().as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = (0..rounds).map(one).collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

fn run(rounds: usize, sizes: &[usize]) -> Result<(), String> {
    let root = Path::new("p");
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("{:>7} {:>18} {:>18} {:>12}", "lines", "anew, ms (least)", "held, ms (least)", "a line, us");
    for &copies in sizes {
        let (files, lines) = project(copies);
        let checked = check_project(&files, root, &[]);
        if !checked.is_sound() {
            return Err(format!("{copies} copies: {:?}", checked.diagnostics.first().map(|d| &d.message)));
        }
        let anew = timed(rounds, |_| drop(std::hint::black_box(check_project(&files, root, &[]))));
        let mut held = Held::default();
        held.check(&files, root, &[], &Cancel::default());
        let last = PathBuf::from(format!("p/o{}.flow", copies - 1));
        let texts = [files.0[&last].clone(), files.0[&last].replacen("price(", "price( ", 1)];
        assert_ne!(texts[0], texts[1], "the text changes");
        let mut files = files;
        let again = timed(rounds, |n| {
            files.0.insert(last.clone(), texts[(n + 1) % 2].clone());
            std::hint::black_box(held.check(&files, root, &[], &Cancel::default()));
        });
        let shown = |(median, least): (f64, f64)| format!("{median:.1} ({least:.1})");
        println!("{lines:>7} {:>18} {:>18} {:>12.1}", shown(anew), shown(again), anew.0 * 1e3 / lines as f64);
    }
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let asked = |name: &str| words.iter().position(|word| word == name).and_then(|n| words.get(n + 1)?.parse().ok());
    let (rounds, alone) = (asked("--rounds").unwrap_or(9), asked("--copies"));
    // The checker walks nested values on the native stack, as the command does.
    let thread = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || run(rounds, alone.as_ref().map_or(&COPIES[..], std::slice::from_ref)));
    match thread.expect("a thread").join().expect("no panic") {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
