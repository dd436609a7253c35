//! A story that fails is made as short as it still fails.

use super::run::run;
use super::story::{Step, Story};

/// Runs that shortening may take.
const RUNS: usize = 600;

/// The shortest story found that breaks the same, with what breaks.
pub(crate) fn told(story: &Story) -> String {
    let report = run(story, false);
    let Some((kind, _)) = report.broken.first() else { return format!("{story}  it does not fail") };
    let short = shortened(story, kind);
    let report = run(&short, true);
    let broken: Vec<String> = report.broken.iter().map(|(kind, text)| format!("  {kind}: {text}")).collect();
    format!("{short}{}\n", broken.join("\n"))
}

fn shortened(story: &Story, kind: &str) -> Story {
    let mut short = story.clone();
    let mut runs = 0;
    loop {
        let smaller = candidates(&short).into_iter().find(|candidate| {
            runs += 1;
            runs < RUNS && run(candidate, false).broken.iter().any(|(other, _)| *other == kind)
        });
        match smaller {
            Some(smaller) => short = smaller,
            None => return short,
        }
    }
}

/// The story without some of it: large pieces first.
fn candidates(story: &Story) -> Vec<Story> {
    let with = |steps: Vec<Step>| Story { steps, ..story.clone() };
    let len = story.steps.len();
    let mut all = Vec::new();
    let mut size = len / 2;
    while size >= 1 {
        for at in (0..len).step_by(size) {
            let mut steps = story.steps.clone();
            steps.drain(at..(at + size).min(len));
            all.push(with(steps));
        }
        size /= 2;
    }
    for (n, step) in story.steps.iter().enumerate() {
        let Step::Pass(turns) = step else { continue };
        for turn in 0..turns.len() {
            let mut turns = turns.clone();
            turns.remove(turn);
            let mut steps = story.steps.clone();
            steps[n] = Step::Pass(turns);
            all.push(with(steps));
        }
    }
    all
}
