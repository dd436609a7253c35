//! Runs `tests/corpus/shapes`, what comes of records in all the shapes in which an API sends them, and `tests/corpus/books`,
//! what a bookkeeper decides.

use flowc::check::check_files;
use flowc::eval::{Answered, Argument, Compiled, Evaluated, Given, Mapper, Query, Resolver, Tables};
use flowc::ir::{MappingId, Program, Type};
use flowc::source::Disk;
use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A line of a file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    says: String,
    /// Its text: some of them are no JSON.
    record: String,
    gives: Option<String>,
    stops: Option<String>,
}

fn read(corpus: &str, name: &str) -> String {
    std::fs::read_to_string(folder(corpus).join(name)).expect("the corpus is there")
}

fn folder(corpus: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(corpus)
}

fn main() {
    let args = Arguments::from_args();
    let trials = ["shapes", "books"].into_iter().flat_map(trials).collect();
    libtest_mimic::run(&args, trials).exit();
}

fn trials(corpus: &'static str) -> Vec<Trial> {
    let checked = check_files(&Disk, &[folder(corpus).join(format!("{corpus}.flow"))]);
    let told: Vec<&str> = checked.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert!(checked.is_sound(), "the flows have no mistake: {told:?}");
    let program = Arc::new(checked.program);
    let compiled = Arc::new(Compiled::new(Arc::clone(&program)));
    let mut trials = Vec::new();
    for (n, mapping) in program.mappings.iter().enumerate() {
        let Some(name) = mapping.name.strip_prefix(&format!("{corpus}.")) else { continue };
        let id = MappingId(u32::try_from(n).expect("they are few"));
        for line in read(corpus, &format!("{name}.jsonl")).lines() {
            let case: Case = serde_json::from_str(line).expect("a case is an object");
            let (compiled, program) = (Arc::clone(&compiled), Arc::clone(&program));
            trials.push(Trial::test(format!("{name}: {}", case.says), move || {
                check(&compiled, &program, id, (corpus, &case))
            }));
        }
    }
    assert!(!trials.is_empty(), "{corpus} has cases");
    trials
}

fn check(compiled: &Compiled, program: &Program, id: MappingId, (corpus, case): (&str, &Case)) -> Result<(), Failed> {
    nothing_is_asked_by_nothing(compiled, id, &case.record)?;
    let given = Given::from_json(program, &read(corpus, "given.json"), jiff::Timestamp::UNIX_EPOCH)?;
    let mut out = Vec::new();
    // The second record of a mapper is read as the first has taught it.
    let tables = Tables::default();
    let mut mapper = Mapper::new(compiled, id, &given, &tables)?;
    let outcomes: Vec<_> = (0..2)
        .map(|_| {
            out.clear();
            let outcome = mapper.map(&case.record, &mut out);
            outcome.map(|_| String::from_utf8_lossy(&out).into_owned()).map_err(|(_, failure)| failure.reason)
        })
        .collect();
    for outcome in outcomes {
        match (&outcome, &case.gives, &case.stops) {
            (Ok(payload), Some(gives), None) => {
                let record: serde_json::Value = serde_json::from_str(payload)?;
                let said = record.get("Description").and_then(serde_json::Value::as_str);
                if said.unwrap_or(payload) != gives {
                    return Err(format!("it gives {payload}, and should give {gives}").into());
                }
            }
            (Err(reason), None, Some(part)) if reason.contains(part.as_str()) => {}
            _ => return Err(format!("it comes to {outcome:?}").into()),
        }
    }
    Ok(())
}

/// Nobody has been asked anything yet.
struct Nobody;

impl Resolver for Nobody {
    fn answer(&self, _: &Query) -> Answered {
        Answered::NotAsked
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn offline(&self) -> bool {
        false
    }
}

/// A search without a value is no question: whoever answered it would have to guess.
fn nothing_is_asked_by_nothing(compiled: &Compiled, id: MappingId, record: &str) -> Result<(), Failed> {
    let Type::Record(entity) = compiled.program().mapping(id).params[0].1 else {
        return Err("the mapping takes no record".into());
    };
    let Evaluated::Needs(needs) = compiled.apply(id, &[Argument::Record(entity, record)], &Nobody) else {
        return Ok(());
    };
    for need in needs {
        if let Query::Find { values, .. } = &need
            && !values.iter().flatten().any(|value| !value.trim().is_empty())
        {
            return Err(format!("it asks by nothing: {need:?}").into());
        }
    }
    Ok(())
}
