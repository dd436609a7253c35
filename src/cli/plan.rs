//! `flowc plan FLOW`: the steps of a flow, what is sent of its filter, and its calls as a formula; or where its money goes.

use super::money::Money;
use super::open::{Answers, open};
use super::screen::Screen;
use super::{Answer, Format, Global, Outcome, Trouble, moved};
use crate::plan::plan;

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The flow: `orders`, or `module.flow` where that is ambiguous.
    #[arg(value_name = "FLOW")]
    flow: String,
    /// Where each amount of a record goes, as a proof that none is lost and none counts twice.
    #[arg(long)]
    money: bool,
    #[command(flatten)]
    answers: Answers,
}

/// Prints the plan.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let workspace = open(screen, global, &arguments.answers)?;
    moved::warn(workspace.root(), || workspace.defaults())?;
    let program = workspace.compiled().program();
    let flow = program.flow_named(&arguments.flow).map_err(|e| Trouble::Misuse(e.to_string()))?;
    if arguments.money {
        return money(screen, &Money::of(program, workspace.sources(), &program.flows[flow]));
    }
    let plan = plan(program, &program.flows[flow]);
    if screen.format() == Format::Json {
        Screen::answer(&plan.json(program, workspace.sources()).to_string())?;
    } else {
        Screen::answer(plan.human(program, workspace.sources()).trim_end())?;
    }
    Ok(Outcome::Done)
}

fn money(screen: &Screen, money: &Money<'_>) -> Answer {
    if screen.format() == Format::Json {
        Screen::answer(&money.json().to_string())?;
    } else {
        Screen::answer(money.human().trim_end())?;
    }
    Ok(if money.holds() { Outcome::Done } else { Outcome::Wrong })
}
