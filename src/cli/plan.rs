//! `flowc plan FLOW`: the steps of a flow, what is sent of its filter, and its calls as a formula.

use super::open::{Answers, Ready};
use super::screen::Screen;
use super::{Answer, Format, Global, Outcome, Trouble};
use crate::ir::{Flow, Program};
use crate::plan::plan;

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The flow: `orders`, or `module.flow` where that is ambiguous.
    #[arg(value_name = "FLOW")]
    flow: String,
    #[command(flatten)]
    answers: Answers,
}

/// Prints the plan.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let ready = Ready::new(screen, global, &arguments.answers)?;
    let program = ready.compiled.program();
    let flow = flow_named(program, &arguments.flow)?;
    let plan = plan(program, flow);
    if screen.format() == Format::Json {
        Screen::answer(&plan.json(program).to_string())?;
    } else {
        Screen::answer(plan.human(program).trim_end())?;
    }
    Ok(Outcome::Done)
}

fn flow_named<'p>(program: &'p Program, name: &str) -> Result<&'p Flow, Trouble> {
    let fits = |f: &&Flow| *f.name == *name || f.name.rsplit('.').next() == Some(name);
    let found: Vec<&Flow> = program.flows.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let names: Vec<&str> = program.flows.iter().map(|f| &*f.name).collect();
            Err(Trouble::Misuse(format!("there is no flow `{name}`; the project has {}", names.join(", "))))
        }
        _ => Err(Trouble::Misuse(format!("there are several flows `{name}`: say `module.{name}`"))),
    }
}
