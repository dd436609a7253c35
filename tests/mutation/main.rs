//! Mutation of what ships: a single slip in a default flow, or in a function of the library that it uses, is told on its line
//! by the check, or where it shows with its line beside it, or fails a test of the default flows.
//!
//! Slips are the same ones for each seed. A run makes some of each kind; `MUTATIONS=400` makes that many, `SEED=7` others,
//! `SHOW=1` shows each as it is tried.

mod recorded;
mod slips;

use flowc::check::check_files;
use flowc::shipped;
use flowc::source::{Diagnostic, Files, Memory, Severity, Shipping, Sources, Span};
use flowc::testing::{Outcome, Snapshots, Suite};
use recorded::Recorded;
use slips::{ADAPTED, KINDS, Slip, adapted, slipped, slips};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is mutated: where it stands, and the name under which it ships.
const FLOWS: [(&str, &str); 7] = [
    ("flows/orders.flow", "flows/orders.flow"),
    ("flows/customers.flow", "flows/customers.flow"),
    ("flows/tables.flow", "flows/tables.flow"),
    ("flows/taxes.flow", "flows/taxes.flow"),
    ("stdlib/std/vat.flow", "std/vat.flow"),
    ("stdlib/std/address.flow", "std/address.flow"),
    ("stdlib/woocommerce/functions.flow", "woocommerce/functions.flow"),
];

/// Slips of a run.
const MUTATIONS: usize = 14;
const STACK: usize = 64 << 20;

/// Slips that change nothing that anybody could see: the kind, the line as it stands, and why.
const HARMLESS: [(&str, &str, &str); 2] = [
    ("row dropped", "\"NL\",  _,   _   => none", "`else` says the same, until a project gives the rest another code"),
    (
        "row dropped",
        "else => none",
        "where no row stands for a country, `?? settings.warehouse` counts as it does for `none`",
    ),
];

/// Numbers that a seed decides.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % most as u64).expect("it is less than a usize")
    }
}

/// What came of a slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// The check tells it on its line.
    Told,
    /// The check tells it where it shows, with its line beside it.
    Beside,
    /// The check tells it elsewhere.
    Elsewhere,
    /// A test fails.
    Fails,
    Missed,
}

/// A slip in one of the flows.
struct Mutant {
    flow: usize,
    slip: Slip,
}

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn text_of(flow: usize) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FLOWS[flow].0);
    std::fs::read_to_string(path).expect("what ships is there")
}

/// Whether a line is of a declaration that the default flows use: of the library's functions they use some.
fn used(flow: usize, texts: &[String]) -> impl Fn(usize) -> bool {
    let lines: Vec<&str> = texts[flow].lines().collect();
    let head = |n: usize| lines[..=n].iter().rfind(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let heads: Vec<String> = (0..lines.len()).map(|n| head(n).copied().unwrap_or_default().to_owned()).collect();
    let shipped = FLOWS[flow].0.starts_with("flows/");
    let mut users: String =
        texts.iter().zip(FLOWS).filter(|(_, (path, _))| path.starts_with("flows/")).map(|(text, _)| &**text).collect();
    let name =
        |head: &str| head.strip_prefix("fn ").and_then(|rest| rest.split('(').next()).map(|name| format!("{name}("));
    let mut reached: Vec<String> = Vec::new();
    // What a function uses that is used is used too.
    while let Some(next) = heads
        .iter()
        .find(|head| !reached.contains(head) && name(head).is_some_and(|name| users.contains(&name)))
        .cloned()
    {
        users.extend(lines.iter().zip(&heads).filter(|(_, head)| **head == next).skip(1).map(|(line, _)| *line));
        users.push_str(next.split_once('=').map_or("", |(_, value)| value));
        reached.push(next);
    }
    move |line| shipped || !heads[line].starts_with("fn ") || reached.contains(&heads[line])
}

/// As many slips as are wanted, of all kinds alike as far as there are so many.
fn chosen(texts: &[String], wanted: usize) -> Vec<Mutant> {
    let mut dice = Dice(number("SEED").unwrap_or(2026) as u64);
    let mut of_kind: BTreeMap<&str, Vec<Mutant>> = BTreeMap::new();
    for (flow, text) in texts.iter().enumerate() {
        let used = used(flow, texts);
        let module = Path::new(FLOWS[flow].0).file_stem().and_then(|stem| stem.to_str()).expect("a file has a name");
        for slip in slips(text).into_iter().chain(adapted(module, text)).filter(|slip| used(slip.line)) {
            of_kind.entry(slip.kind).or_default().push(Mutant { flow, slip });
        }
    }
    let mut made = Vec::new();
    while made.len() < wanted && of_kind.values().any(|left| !left.is_empty()) {
        for kind in KINDS {
            let left = of_kind.entry(kind).or_default();
            if !left.is_empty() && made.len() < wanted {
                made.push(left.swap_remove(dice.below(left.len())));
            }
        }
    }
    made
}

/// Whether an error stands where the slip is: on its line, of brackets and quotes within a few lines, and of what is gone in the
/// declaration around it.
fn is_here(sources: &Sources, span: Span, mutant: &Mutant, text: &str) -> bool {
    let Slip { kind, line, becomes, .. } = &mutant.slip;
    let (path, at) = (sources.get(span.file).path.display().to_string(), sources.position(span).line);
    if *kind == "removed adapt target" {
        return path.ends_with("adapted.flow");
    }
    // What uses a declaration that is gone may stand anywhere.
    if *kind == "removed declaration" {
        return true;
    }
    if path != FLOWS[mutant.flow].1 {
        return false;
    }
    let near = match *kind {
        "missing brace" | "missing quote" => 3,
        "dropped for" | "row doubled" => 1,
        _ => 0,
    };
    let head = |n: usize| {
        let lines: Vec<&str> = text.lines().take(n).collect();
        1 + lines.iter().rposition(|line| line.starts_with(|c: char| c.is_ascii_lowercase())).unwrap_or(0)
    };
    at.abs_diff(line + 1) <= near || becomes.is_empty() && head(*line) == head(at)
}

fn verdict(mutant: &Mutant, texts: &[String]) -> (Verdict, String) {
    let text = slipped(&texts[mutant.flow], &mutant.slip);
    let mut tests: BTreeMap<PathBuf, String> =
        shipped::TESTS.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    tests.insert("adapted.flow".into(), ADAPTED.into());
    let files = Memory(tests.clone());
    let shipped = Shipping { files: &files, texts: [(FLOWS[mutant.flow].1.to_owned(), text.clone())].into() };
    if mutant.slip.kind == "removed adapt target" {
        let checked = check_files(&shipped, &["adapted.flow".into()]);
        return judged(&checked.sources, &checked.diagnostics, mutant, &text);
    }
    tests.remove(Path::new("adapted.flow"));
    let files = Memory(tests);
    let shipped = Shipping { files: &files, ..shipped };
    let suite = match Suite::open(&shipped, PathBuf::new(), &[], false) {
        Ok(suite) => suite,
        Err(checked) => return judged(&checked.sources, &checked.diagnostics, mutant, &text),
    };
    let mut snapshots = Snapshots::new(&shipped, PathBuf::new(), false);
    let all = suite.named(&[]).expect("no name is wrong");
    for number in all {
        for test in suite.run(number, &mut snapshots) {
            if !matches!(test.outcome, Outcome::Passed) {
                return (Verdict::Fails, format!("{}: {}", test.module, test.title));
            }
        }
    }
    (Verdict::Missed, String::new())
}

fn judged(sources: &Sources, told: &[Diagnostic], mutant: &Mutant, text: &str) -> (Verdict, String) {
    let errors: Vec<&Diagnostic> = told.iter().filter(|d| d.severity == Severity::Error).collect();
    let here = |span: Span| is_here(sources, span, mutant, text);
    let verdict = match () {
        () if errors.is_empty() => Verdict::Missed,
        () if errors.iter().any(|d| here(d.span)) => Verdict::Told,
        () if errors.iter().any(|d| d.related.iter().any(|beside| here(beside.span))) => Verdict::Beside,
        () => Verdict::Elsewhere,
    };
    let said = errors.iter().map(|d| format!("{} {} {}\n", sources.place(d.span), d.code.id, d.message));
    (verdict, said.collect())
}

/// Tells a slip as soon as it has been tried.
fn show(mutant: &Mutant, (verdict, said): &(Verdict, String), texts: &[String]) {
    let Slip { kind, line, becomes, .. } = &mutant.slip;
    let before = texts[mutant.flow].lines().nth(*line).unwrap_or_default().trim();
    println!("{verdict:?} {kind} {}:{}\n  - {before}\n  + {}\n{said}", FLOWS[mutant.flow].0, line + 1, becomes.trim());
}

/// What comes of each, by as many threads as there are processors.
fn all_verdicts(mutants: &[Mutant], texts: &[String]) -> Vec<(Verdict, String)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(mutant) = mutants.get(at) else { return made };
            let came = verdict(mutant, texts);
            if number("SHOW").is_some() {
                show(mutant, &came, texts);
            }
            made.push((at, came));
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let mut all = std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("a thread");
        let running: Vec<_> = (0..threads).map(spawn).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("a slip is judged")).collect::<Vec<_>>()
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, verdict)| verdict).collect()
}

#[test]
fn slips_in_what_ships_are_caught() {
    let texts: Vec<String> = (0..FLOWS.len()).map(text_of).collect();
    let mutants = chosen(&texts, number("MUTATIONS").unwrap_or(MUTATIONS));
    let verdicts = all_verdicts(&mutants, &texts);
    let mut table: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    let (mut caught, mut missed, mut unseen) = (0, Vec::new(), Vec::new());
    let kept = OnceCell::new();
    for (mutant, (verdict, _)) in mutants.iter().zip(&verdicts) {
        table.entry(mutant.slip.kind).or_default()[*verdict as usize] += 1;
        let Slip { kind, line, .. } = &mutant.slip;
        let (path, name) = FLOWS[mutant.flow];
        let before = texts[mutant.flow].lines().nth(*line).unwrap_or_default().trim().to_owned();
        let place = format!("{path}:{}: {kind}: {before}", line + 1);
        match verdict {
            Verdict::Told | Verdict::Beside | Verdict::Fails => caught += 1,
            Verdict::Elsewhere => println!("told elsewhere: {place}"),
            Verdict::Missed => {
                let changed =
                    kept.get_or_init(Recorded::new).changed(name, &slipped(&texts[mutant.flow], &mutant.slip));
                unseen.extend(changed.first().map(|first| format!("{place}\n  of {} orders, {first}", changed.len())));
                if !HARMLESS.iter().any(|(slip, line, _)| slip == kind && *line == before) {
                    missed.push(place);
                }
            }
        }
    }
    println!("{:<25} made  told on its line  with its line  elsewhere  fails a test  missed", "slip");
    for kind in KINDS {
        let counts @ [told, beside, elsewhere, fails, unseen] = table.get(kind).copied().unwrap_or_default();
        let made: usize = counts.iter().sum();
        println!("{kind:<25} {made:>4} {told:>17} {beside:>14} {elsewhere:>10} {fails:>13} {unseen:>7}");
    }
    println!("{caught} of {} are caught", mutants.len());
    // Of a sample, one may be told elsewhere than on its line.
    let enough = caught * 100 >= mutants.len() * 95 || caught + 1 >= mutants.len();
    assert!(enough, "of {} slips only {caught} are caught", mutants.len());
    assert!(unseen.is_empty(), "these change what is made of recorded orders, unseen:\n{}", unseen.join("\n"));
    assert!(missed.is_empty(), "these are not caught, and nothing says why that does no harm:\n{}", missed.join("\n"));
}

/// The flows as they are pass, so that what fails then fails by its slip.
#[test]
fn without_a_slip_nothing_is_told() {
    let tests = shipped::TESTS.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
    let mut files = Memory(tests.collect());
    assert!(Suite::open(&files, PathBuf::new(), &[], false).is_ok());
    files.0.insert("adapted.flow".into(), ADAPTED.into());
    let checked = check_files(&files as &dyn Files, &["adapted.flow".into()]);
    let told: Vec<&str> = checked.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert!(checked.is_sound(), "{told:?}");
}
