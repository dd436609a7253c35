//! `flowc state move`, `flowc forget`: what is kept moves to a new name, or is erased.

use super::open::{Answers, open};
use super::records::with_engine;
use super::screen::Screen;
use super::store::Stored;
use super::{Answer, Format, Global, Outcome, Trouble, runtime, store};
use serde_json::json;

/// The arguments of `state`.
#[derive(Debug, clap::Args)]
pub(crate) struct StateArguments {
    #[command(subcommand)]
    does: StateCommand,
}

#[derive(Debug, clap::Subcommand)]
enum StateCommand {
    /// Give links and positions of a renamed flow or connection its new name
    #[command(after_help = "Example: flowc state move orders.orders shop_orders.orders")]
    Move(MoveArguments),
}

/// The arguments of `state move`.
#[derive(Debug, clap::Args)]
struct MoveArguments {
    /// The name that the store has.
    #[arg(value_name = "OLD")]
    old: String,
    /// The name that the project has now: a flow, `module.flow`, or a connection.
    #[arg(value_name = "NEW")]
    new: String,
    #[command(flatten)]
    stored: Stored,
}

/// The arguments of `forget`.
#[derive(Debug, clap::Args)]
pub(crate) struct ForgetArguments {
    /// The address of the person.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    #[command(flatten)]
    stored: Stored,
}

/// Moves what is kept under a name to another.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &StateArguments) -> Answer {
    let StateCommand::Move(MoveArguments { old, new, stored }) = &arguments.does;
    let workspace = open(screen, global, &Answers::default())?;
    let program = workspace.program();
    let is_flow = program.flows.iter().any(|flow| *flow.name == **new);
    let is_connection = program.connections.iter().any(|connection| *connection.name == **new);
    runtime()?.block_on(async {
        let store = store::of(workspace.root(), stored.store.as_deref(), "state")?;
        match (is_flow, is_connection) {
            (true, _) => store.rename_flow(old, new).await?,
            (false, true) => store.rename_connection(old, new).await?,
            (false, false) => {
                let flows = program.flows.iter().map(|flow| &*flow.name);
                let names: Vec<&str> = flows.chain(program.connections.iter().map(|c| &*c.name)).collect();
                return Err(Trouble::Misuse(format!(
                    "the project has neither a flow nor a connection `{new}`; it has {}",
                    names.join(", ")
                )));
            }
        }
        match screen.format() {
            Format::Human => Screen::tell(&format!("what was kept of {old} is {new}'s now")),
            Format::Json | Format::Sarif => Screen::answer(&json!({ "old": old, "new": new }).to_string())?,
        }
        Ok(Outcome::Done)
    })
}

/// Erases what the log holds about a person.
pub(crate) fn forget(screen: &Screen, global: &Global, arguments: &ForgetArguments) -> Answer {
    let address = &arguments.email;
    if !address.contains('@') {
        return Err(Trouble::Misuse(format!("`{address}` is no e-mail address")));
    }
    with_engine(screen, global, (&arguments.stored, "forget"), async |engine| {
        let erased = engine.forget(address).await?;
        match screen.format() {
            Format::Human => Screen::tell(&format!(
                "{erased} entries of the log were erased; links stay, so that nothing is written again. The shop and the \
                 ledger keep what they have"
            )),
            Format::Json | Format::Sarif => Screen::answer(&json!({ "erased": erased }).to_string())?,
        }
        Ok(Outcome::Done)
    })
}
