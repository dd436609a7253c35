//! `flowc check` of projects that grow: the default flow of orders, copied into a file of the project again and again.
//!
//! For each size: a check from nothing, and a check of a held project after a declaration has changed. Medians of several
//! rounds, CPU time of the thread, and what a line costs beside the smallest project. `--rounds 15`.

use flowc::check::{Cancel, Held, check_project};
use flowc::limits::STACK_BYTES;
use flowc::source::{Memory, library};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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
        let _ = writeln!(head, "use o{n}\nsettings for o{n} {{ prefix = \"{n}-\", shipping_item = \"S\", fee_item = \"F\" }}");
        let text = if n == 0 { (*flow).to_owned() } else { without_extend(flow) };
        files.0.insert(PathBuf::from(format!("p/o{n}.flow")), text);
    }
    head.push_str("run o0.orders\n");
    files.0.insert(PathBuf::from("p/project.flow"), head);
    let lines = files.0.values().map(|text| text.lines().count()).sum();
    (files, lines)
}

/// The flow without the field that it adds, and without those who read it.
fn without_extend(flow: &str) -> String {
    let (before, rest) = flow.split_once("extend woo.Order {").expect("the flow adds a field");
    let (_, after) = rest.split_once("\n}\n").expect("its block ends");
    format!("{before}{after}").replace("order.exact_origin", "order.transaction_id").replace("exact_number", "customer_note")
}

fn cpu_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn timed(rounds: usize, mut work: impl FnMut(usize)) -> f64 {
    let one = |n| {
        let from = cpu_ms();
        work(n);
        cpu_ms() - from
    };
    median((0..rounds).map(one).collect())
}

fn run(rounds: usize) -> Result<(), String> {
    let root = Path::new("p");
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("{:>7} {:>12} {:>14} {:>12}", "lines", "anew, ms", "held, ms", "a line, us");
    for copies in COPIES {
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
        println!("{lines:>7} {anew:>12.1} {again:>14.1} {:>12.1}", anew * 1e3 / lines as f64);
    }
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let rounds = words.iter().position(|word| word == "--rounds").and_then(|n| words.get(n + 1)?.parse().ok()).unwrap_or(9);
    // The checker walks nested values on the native stack, as the command does.
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || run(rounds));
    match thread.expect("a thread").join().expect("no panic") {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
