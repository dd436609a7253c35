//! Typical mistakes of consultants in the flows that ship.
//!
//! `tests/corpus/mistakes/*.md`: a file is a mistake. It shows the lines as they stand in a flow, what somebody made of
//! them, and all that is then said, word for word; `UPDATE=1 cargo test --test mistakes` writes that part anew. One
//! mistake is told once, on its own lines.
//!
//! Beside them, small slips are made at random, always the same ones, in every flow: nearly all must be caught, on their
//! own line.

mod folder;

use flowc::check::{Checked, check_files};
use flowc::source::{Diagnostic, Memory, Severity, Span};
use folder::flow_files;
use libtest_mimic::{Arguments, Failed, Trial};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn main() {
    let args = Arguments::from_args();
    let mut trials = Vec::new();
    let mut cases: Vec<PathBuf> = std::fs::read_dir(root().join("tests/corpus/mistakes"))
        .expect("the corpus is part of the sources")
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "md") && !p.ends_with("README.md"))
        .collect();
    cases.sort();
    for case in cases {
        let name = case.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        trials.push(Trial::test(name, move || golden(&case)));
    }
    let mut flows = Vec::new();
    flow_files(&root().join("flows"), &mut flows);
    flow_files(&root().join("tests/corpus/flows-north-star"), &mut flows);
    // A project by itself says little: what it uses is not all there. Tests are no flows.
    flows.retain(|flow| !flow.ends_with("project.flow") && !flow.starts_with(root().join("flows/tests")));
    for flow in flows {
        let name = flow.strip_prefix(root()).unwrap_or(&flow).display().to_string();
        trials.push(Trial::test(format!("slips in {name}"), move || slips(&flow)));
    }
    libtest_mimic::run(&args, trials).exit();
}

/// The one caller of the checker: the flows that ship, one of them with another text.
fn check_with(flow: &Path, text: &str) -> Checked {
    let mut files = Memory::default();
    let mut shipped = Vec::new();
    flow_files(&root().join("flows"), &mut shipped);
    for path in shipped {
        files.0.insert(path.clone(), std::fs::read_to_string(&path).expect("the flows that ship are text"));
    }
    files.0.insert(flow.to_path_buf(), text.to_owned());
    let csv = root().join("flows/data/shipping_methods.csv");
    files.0.insert(csv.clone(), std::fs::read_to_string(&csv).expect("the data ship too"));
    check_files(&files, &[flow.to_path_buf()])
}

// --- One mistake a file --------------------------------------------------------------------------------

/// A case as it stands in its file.
struct Case<'a> {
    /// Title and story, up to what is said.
    head: &'a str,
    flow: PathBuf,
    right: &'a str,
    wrong: &'a str,
    said: &'a str,
}

const SAID: &str = "## Said\n";

fn parse_case(text: &str) -> Option<Case<'_>> {
    let (head, said) = text.split_once(SAID)?;
    let block = |heading: &str| {
        let (_, rest) = head.split_once(heading)?;
        let (_, rest) = rest.split_once("```flow\n")?;
        rest.split_once("```").map(|(block, _)| block)
    };
    let (_, flow) = head.split_once("In `")?;
    let (flow, _) = flow.split_once('`')?;
    Some(Case { head, flow: root().join(flow), right: block("## Right")?, wrong: block("## Wrong")?, said })
}

fn golden(file: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let case = parse_case(&text).ok_or("it wants a flow, `## Right`, `## Wrong` and `## Said`")?;
    let flow = std::fs::read_to_string(&case.flow)?;
    if flow.matches(case.right).count() != 1 {
        return Err("what is right does not stand once in the flow".into());
    }
    let start = flow.find(case.right).expect("counted just now");
    let wrong = flow.replacen(case.right, case.wrong, 1);
    let checked = check_with(&case.flow, &wrong);
    let said = format!("\n{}", told(&checked));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, format!("{}{SAID}{said}", case.head))?;
    } else if said != case.said {
        return Err(format!("another thing is said now:\n{said}\nbefore:\n{}", case.said).into());
    }
    let [only] = checked.diagnostics.as_slice() else {
        return Err(format!("one mistake, {} messages:\n{said}", checked.diagnostics.len()).into());
    };
    let within = start..=start + case.wrong.len();
    let here = checked.sources.get(only.span.file).path == case.flow && within.contains(&(only.span.start as usize));
    if !here {
        return Err(format!("it is told elsewhere:\n{said}").into());
    }
    Ok(())
}

/// All that is said, as people read it, with the texts of lines instead of their numbers: those change with every edit.
fn told(checked: &Checked) -> String {
    checked.diagnostics.iter().map(|d| one(checked, d)).collect::<Vec<_>>().join("\n")
}

fn one(checked: &Checked, d: &Diagnostic) -> String {
    let mut out = format!("```\n{} {}: {}\n", d.severity.word(), d.code.id, d.message);
    let at = checked.sources.text(d.span);
    let at = at.lines().next().unwrap_or_default();
    writeln!(out, "  at `{at}`: {}", d.label).expect("a text can be written to");
    for r in &d.related {
        writeln!(out, "  see `{}`: {}", line_of(checked, r.span), r.message).expect("a text can be written to");
    }
    if let Some(help) = &d.help {
        writeln!(out, "  help: {help}").expect("a text can be written to");
    }
    if let Some(fix) = &d.fix {
        let edits: Vec<String> = fix
            .edits
            .iter()
            .map(|e| format!("`{}` becomes `{}`", checked.sources.text(e.span), e.text.replace('\n', "⏎")))
            .collect();
        writeln!(out, "  fix: {}: {}", fix.title, edits.join(", ")).expect("a text can be written to");
    }
    out + "```\n"
}

fn line_of(checked: &Checked, span: Span) -> String {
    let source = checked.sources.get(span.file);
    let line = source.text.lines().nth(checked.sources.position(span).line - 1).unwrap_or_default();
    let blanks: Vec<&str> = line.split_whitespace().collect();
    format!("{}: {}", source.path.strip_prefix(root()).unwrap_or(&source.path).display(), blanks.join(" "))
}

// --- Slips at random -----------------------------------------------------------------------------------

/// A slip: its kind, its line from 0, and what the line became.
struct Slip {
    kind: &'static str,
    line: usize,
    becomes: String,
}

/// The next of a row of numbers that is always the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % n as u64).expect("it is less than n")
    }
}

/// Two letters changed places, or one came in between where they are the same.
fn misspelt(word: &str, chance: &mut Chance) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = chance.below(letters.len() - 1);
    if letters[at] == letters[at + 1] {
        letters.insert(at, 'x');
    } else {
        letters.swap(at, at + 1);
    }
    letters.into_iter().collect()
}

fn slips_of(text: &str, chance: &mut Chance) -> Vec<Slip> {
    let pattern = |p: &str| regex::Regex::new(p).expect("the patterns of a test are right");
    let target = pattern(r"^(\s+)([A-Z]\w{3,})(\s*=\s*)(.+)$");
    let typed = ["Amount", "Quantity", "OrderDate", "NetPrice"];
    let words = [
        (
            "misspelt source field",
            pattern(r"\b(?:order|line|product|customer|item|refund|billing|fee|ship|part)\.([a-z_]{4,})\b"),
        ),
        ("misspelt setting", pattern(r"\bsettings\.([a-z_]{4,})")),
        ("misspelt lookup", pattern(r"(?:^|[^.\w])([a-z_]{5,})\[")),
        ("misspelt function", pattern(r"\b([a-z_]{4,})\(")),
        ("misspelt type", pattern(r"(?:->|:|for)\s+(?:exact|woo)\.([A-Z]\w{3,})")),
    ];
    let mut slips = Vec::new();
    for (line, whole) in text.lines().enumerate() {
        let code = whole.split('#').next().unwrap_or_default();
        if code.contains("\"\"\"") {
            continue;
        }
        if let Some(m) = target.captures(code) {
            let becomes = format!("{}{}{}{}", &m[1], misspelt(&m[2], chance), &m[3], &m[4]);
            slips.push(Slip { kind: "misspelt target field", line, becomes });
            if typed.iter().any(|t| m[2].starts_with(t)) {
                let becomes = format!("{}{}{}\"abc def\"", &m[1], &m[2], &m[3]);
                slips.push(Slip { kind: "text for another type", line, becomes });
            }
        }
        let declares = ["fn ", "fields ", "mapping ", "lookup "].iter().any(|w| code.starts_with(w));
        for (kind, words) in &words {
            // A declaration may be called as one likes.
            if declares && *kind == "misspelt function" {
                continue;
            }
            for m in words.captures_iter(code).filter_map(|c| c.get(1)) {
                let becomes = format!("{}{}{}", &code[..m.start()], misspelt(m.as_str(), chance), &code[m.end()..]);
                slips.push(Slip { kind, line, becomes });
            }
        }
        if code.trim_end().ends_with('{') {
            let code = code.trim_end();
            slips.push(Slip { kind: "brace missing", line, becomes: code[..code.len() - 1].to_owned() });
        }
        if code.matches('"').count() == 2 {
            let at = code.rfind('"').expect("counted just now");
            let becomes = format!("{}{}", &code[..at], &code[at + 1..]);
            slips.push(Slip { kind: "quote missing", line, becomes });
        }
    }
    slips
}

/// What came of a slip.
#[derive(Default)]
struct Tally {
    tried: usize,
    caught: usize,
    placed: usize,
    once: usize,
    missed: String,
}

fn slips(flow: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(flow)?;
    // A flow of the design may ask for what a schema does not have yet: only what the slip adds counts.
    let before: Vec<String> = errors(&check_with(flow, &text)).map(|d| d.message.clone()).collect();
    let shipped = flow.starts_with(root().join("flows"));
    let each = std::env::var("SLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(if shipped { 50 } else { 12 });
    let mut chance = Chance(std::env::var("SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(2026));
    let mut made = slips_of(&text, &mut chance);
    let mut tally = Tally::default();
    for _ in 0..made.len().min(each) {
        let slip = made.swap_remove(chance.below(made.len()));
        let mut lines: Vec<&str> = text.lines().collect();
        if lines[slip.line].split('#').next().unwrap_or_default().trim_end() == slip.becomes.trim_end() {
            continue;
        }
        lines[slip.line] = &slip.becomes;
        let checked = check_with(flow, &lines.join("\n"));
        let told: Vec<&Diagnostic> = errors(&checked).filter(|d| !before.contains(&d.message)).collect();
        tally.count(flow, &slip, &checked, &told)?;
    }
    let Tally { tried, caught, placed, once, missed } = tally;
    let enough = caught * 100 >= tried * 99 && placed * 100 >= tried * 97 && once * 100 >= tried * 90;
    // `SHOW=1` fails on purpose, and so shows what is not told once.
    if enough && std::env::var_os("SHOW").is_none() {
        return Ok(());
    }
    Err(format!("of {tried} slips {caught} are caught, {placed} on their line, {once} told once\n{missed}").into())
}

fn errors(checked: &Checked) -> impl Iterator<Item = &Diagnostic> {
    checked.diagnostics.iter().filter(|d| d.severity == Severity::Error)
}

impl Tally {
    fn count(&mut self, flow: &Path, slip: &Slip, checked: &Checked, told: &[&Diagnostic]) -> std::fmt::Result {
        let near = if slip.kind.ends_with("missing") { 3 } else { 0 };
        let here = told.iter().any(|d| {
            let own = checked.sources.get(d.span.file).path == *flow;
            own && checked.sources.position(d.span).line.abs_diff(slip.line + 1) <= near
        });
        self.tried += 1;
        self.caught += usize::from(!told.is_empty());
        self.placed += usize::from(here);
        self.once += usize::from(told.len() == 1);
        if !here || told.len() != 1 {
            writeln!(self.missed, "{}:{} {}: {}", flow.display(), slip.line + 1, slip.kind, slip.becomes.trim())?;
            for d in told {
                writeln!(self.missed, "    {} {} {}", checked.sources.place(d.span), d.code.id, d.message)?;
            }
        }
        Ok(())
    }
}
