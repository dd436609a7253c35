//! `flowc map` against the same mapping by hand, on one thread, in CPU time, all of them in turn in one run.
//!
//! It makes 2000 orders of each shape, compares all outputs, and times 9 rounds. `--orders 20000 --rounds 15 --seed 7`;
//! `FILE…` takes orders from NDJSON files instead; `--vrl PROGRAM` lets that build of `vrl/` take part;
//! `--write ten` or `mix` prints orders, `--map ours FILE` or `baseline` prints documents, for other tools.

#[path = "order/amount.rs"]
mod amount;
#[path = "order/baseline.rs"]
mod baseline;
#[path = "order/compare.rs"]
mod compare;
#[path = "order/generate.rs"]
mod generate;
#[path = "order/ours.rs"]
mod ours;
#[path = "order/peer.rs"]
mod peer;
#[path = "order/street.rs"]
mod street;
#[path = "order/words.rs"]
mod words;
#[path = "order/write.rs"]
mod write;

use generate::{Orders, Shape};
use std::process::ExitCode;

/// The product's, so that what is measured is what ships.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One that takes part: appends the document of an order (`true`), or refuses it.
trait Contestant {
    fn map(&mut self, order: &str, out: &mut Vec<u8>) -> Result<bool, String>;
}

impl Contestant for baseline::Baseline {
    fn map(&mut self, order: &str, out: &mut Vec<u8>) -> Result<bool, String> {
        baseline::Baseline::map(self, order, out)
    }
}

/// Parses an order and drops it: what generic code pays before it has done anything.
struct ParseAndDrop;

impl Contestant for ParseAndDrop {
    fn map(&mut self, order: &str, _: &mut Vec<u8>) -> Result<bool, String> {
        let value: serde_json::Value = serde_json::from_str(order).map_err(|e| e.to_string())?;
        std::hint::black_box(&value);
        Ok(true)
    }
}

/// What is asked of a run.
struct Asked {
    orders: usize,
    rounds: usize,
    seed: u64,
    write: Option<Shape>,
    map: Option<String>,
    vrl: Option<String>,
    files: Vec<String>,
}

impl Asked {
    fn of_arguments() -> Result<Self, String> {
        let mut asked = Self { orders: 2000, rounds: 9, seed: 1, write: None, map: None, vrl: None, files: Vec::new() };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut next = || words.next().ok_or(format!("{word} wants a value"));
            let number = |text: String| text.parse::<u64>().map_err(|_| format!("{text} is no number"));
            match word.as_str() {
                "--orders" => asked.orders = usize::try_from(number(next()?)?).unwrap_or(usize::MAX),
                "--rounds" => asked.rounds = usize::try_from(number(next()?)?).unwrap_or(usize::MAX).max(1),
                "--seed" => asked.seed = number(next()?)?,
                "--write" => asked.write = Some(if next()? == "ten" { Shape::Ten } else { Shape::Mix }),
                "--map" => asked.map = Some(next()?),
                "--vrl" => asked.vrl = Some(next()?),
                _ => asked.files.push(word),
            }
        }
        Ok(asked)
    }

    fn generate(&self, shape: Shape) -> String {
        let mut orders = Orders::new(shape, self.seed);
        let mut text = String::new();
        (0..self.orders).for_each(|_| orders.line(&mut text));
        text
    }

    /// Names and texts of the sets of orders.
    fn sets(&self) -> Result<Vec<(String, String)>, String> {
        if self.files.is_empty() {
            return Ok(vec![
                ("ten".to_owned(), self.generate(Shape::Ten)),
                ("mix".to_owned(), self.generate(Shape::Mix)),
            ]);
        }
        let read = |file: &String| std::fs::read_to_string(file).map(|t| (file.clone(), t));
        self.files.iter().map(read).collect::<Result<_, _>>().map_err(|e| e.to_string())
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            println!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let asked = Asked::of_arguments()?;
    if let Some(shape) = asked.write {
        print!("{}", asked.generate(shape));
        return Ok(());
    }
    let compiled = ours::compile()?;
    let known = ours::Known::default();
    let mut contestants: Vec<(&str, Box<dyn Contestant + '_>)> = vec![
        ("baseline", Box::new(baseline::Baseline::new()?)),
        ("ours", Box::new(ours::Ours::new(&compiled, &known)?)),
        ("parse and drop", Box::new(ParseAndDrop)),
    ];
    for (name, orders) in asked.sets()? {
        if let Some(wanted) = &asked.map {
            let (_, one) = contestants.iter_mut().find(|(name, _)| name == wanted).ok_or("nobody has that name")?;
            print_documents(one.as_mut(), &orders)?;
            continue;
        }
        println!(
            "{name}: {} orders, {} bytes each",
            lines(&orders).count(),
            orders.len() / lines(&orders).count().max(1)
        );
        let equal = compare::compare(&mut baseline::Baseline::new()?, contestants[1].1.as_mut(), lines(&orders))?;
        println!("  ours: {equal}");
        if !equal.all() {
            return Err("ours is not the same as the baseline".to_owned());
        }
        let vrl = asked.vrl.as_ref().map(|program| peer::Peer::new(program, &orders)).transpose()?;
        if let Some(vrl) = &vrl {
            let mut documents = vrl.documents()?;
            println!("  VRL: {}", compare::compare(&mut baseline::Baseline::new()?, &mut documents, lines(&orders))?);
        }
        time(&mut contestants, vrl, &orders, asked.rounds)?;
    }
    Ok(())
}

fn lines(orders: &str) -> impl Iterator<Item = &str> {
    orders.lines().filter(|line| !line.is_empty())
}

fn print_documents(one: &mut dyn Contestant, orders: &str) -> Result<(), String> {
    let mut out = Vec::new();
    for order in lines(orders) {
        out.clear();
        one.map(order, &mut out)?;
        if !out.is_empty() {
            println!("{}", String::from_utf8_lossy(&out));
        }
    }
    Ok(())
}

/// All contestants in turn, `rounds` times, and their table.
fn time(
    contestants: &mut [(&str, Box<dyn Contestant + '_>)],
    vrl: Option<peer::Peer>,
    orders: &str,
    rounds: usize,
) -> Result<(), String> {
    let mut names: Vec<&str> = contestants.iter().map(|(name, _)| *name).collect();
    let mut timing = vrl.map(|vrl| vrl.timing()).transpose()?;
    names.extend(timing.as_ref().map(|_| "VRL"));
    let mut times = vec![Vec::with_capacity(rounds); names.len()];
    for _ in 0..rounds {
        for ((_, one), times) in contestants.iter_mut().zip(&mut times) {
            times.push(once(one.as_mut(), orders.as_bytes())?);
        }
        if let (Some(timing), Some(times)) = (&mut timing, times.last_mut()) {
            times.push(timing.once()?);
        }
    }
    println!("  {}", load());
    println!("  {:<16}{:>10}{:>10}{:>12}{:>10}", "", "median µs", "least µs", "× baseline", "× ours");
    for (name, own) in names.iter().zip(&times) {
        let against = |other: &[f64]| median(own.iter().zip(other).map(|(t, b)| t / b).collect());
        let least = own.iter().copied().fold(f64::INFINITY, f64::min);
        let (baseline, ours) = (against(&times[0]), against(&times[1]));
        println!("  {name:<16}{:>10.2}{least:>10.2}{baseline:>12.3}{ours:>10.2}", median(own.clone()));
    }
    Ok(())
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// How busy the machine is: what else runs makes every figure worse, and ratios least.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let minute = load.split(' ').next().filter(|text| !text.is_empty()).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("load {minute} on {cores} cores")
}

/// Microseconds of CPU time an order, over all orders: lines are found and their UTF-8 is checked within it.
fn once(one: &mut dyn Contestant, orders: &[u8]) -> Result<f64, String> {
    let mut out = Vec::with_capacity(1 << 17);
    let (mut count, mut written, start) = (0_u32, 0, cpu_seconds());
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', orders) {
        let order = std::str::from_utf8(&orders[from..end]).map_err(|e| e.to_string())?;
        from = end + 1;
        one.map(order, &mut out)?;
        out.push(b'\n');
        count += 1;
        // Where a run writes, it is the same for all.
        if out.len() > 1 << 16 {
            written += std::hint::black_box(&out).len();
            out.clear();
        }
    }
    std::hint::black_box(written);
    Ok((cpu_seconds() - start) * 1e6 / f64::from(count.max(1)))
}

/// What this thread has computed: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    std::time::Duration::try_from(time).unwrap_or_default().as_secs_f64()
}
