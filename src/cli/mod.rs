//! The command line: arguments, one file a command, what people and programs see, exit codes.
//!
//! A command parses, calls a room and renders its answer; it decides nothing. In: the arguments of the process. Out: an
//! [`ExitCode`], people's text on stderr, programs' JSON on stdout.

mod answer;
mod check;
mod coverage;
mod demo;
mod diff;
mod doctor;
mod explain;
mod fields;
mod junit;
mod login;
mod look;
mod machine;
mod map;
mod moment;
mod money;
mod moved;
mod new;
mod open;
mod plan;
mod project;
mod reconcile;
mod records;
mod remote;
mod render;
mod run;
mod sandbox;
mod schema;
mod screen;
mod secrets;
mod source;
mod state;
mod store;
mod tell;
mod test;
mod update;
mod why;

use crate::limits::STACK_BYTES;
use answer::no_threads;
use clap::{CommandFactory, Parser, Subcommand};
use screen::Screen;
use std::process::ExitCode;

pub(crate) use answer::{Answer, Global, Outcome, Trouble, interrupted, runtime};
pub(crate) use screen::Format;

/// WooCommerce records become Exact Online records, and back, as `.flow` files say.
#[derive(Debug, Parser)]
#[command(
    name = "flowc",
    version,
    about,
    max_term_width = 110,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: 0 done · 1 what was asked about is wrong · 2 misused · 3 a system can't be reached or \
                        refuses the login · 4 a bug of flowc\n\nExample: flowc demo"
)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell all mistakes of a project, or of single files
    #[command(after_help = "Example: flowc check flows/orders.flow --format json")]
    Check(check::Arguments),
    /// See it work: a simulated shop and ledger, the default flows, a report
    #[command(after_help = "Example: flowc demo --keep ./demo")]
    Demo(demo::Arguments),
    /// Show what the project changes of the defaults, field by field
    #[command(after_help = "Example: flowc diff --default")]
    Diff(diff::Arguments),
    /// Look before going live: logins, rights, clocks, limits, codes, periods, rows that the last records miss
    #[command(after_help = "Example: flowc doctor --records 200")]
    Doctor(doctor::Arguments),
    /// Tell what a diagnostic means, or what an entity or a field is
    #[command(after_help = "Example: flowc explain F0202\n         flowc explain exact.Item.VATCode")]
    Explain(explain::Arguments),
    /// List the fields of an entity: what they hold, what screens call them, who fills them
    #[command(after_help = "Example: flowc fields exact.Account telefoon")]
    Fields(fields::Arguments),
    /// Erase what the log holds about a person
    #[command(after_help = "Example: flowc forget --email ann@example.org")]
    Forget(state::ForgetArguments),
    /// Consent to a connection in the browser, and keep its tokens
    #[command(after_help = "Example: flowc login books --redirect https://acme.example/consent")]
    Login(login::Arguments),
    /// Make payloads of records, offline: JSON lines in, JSON lines out
    #[command(after_help = "Example: flowc map sales_order --given items.json < orders.ndjson > payloads.ndjson")]
    Map(map::Arguments),
    /// Show what a flow does: its steps, what is sent of its filter, its calls as a formula
    #[command(after_help = "Example: flowc plan orders")]
    Plan(plan::Arguments),
    /// Make a project: connections, default flows, answers, tables
    #[command(after_help = "Example: flowc new acme --yes --sandbox sandbox.json")]
    New(new::Arguments),
    /// List records and what became of them
    #[command(after_help = "Example: flowc records --state parked")]
    Records(records::RecordsArguments),
    /// Compare the money of both sides by day, VAT code, country and way to pay
    #[command(after_help = "Example: flowc reconcile --from 2026-01-01 --to 2026-01-31")]
    Reconcile(reconcile::Arguments),
    /// Let records be tried again with the next run
    #[command(after_help = "Example: flowc retry orders:1001")]
    Retry(records::RetryArguments),
    /// Run flows once: read what changed, write what is due
    #[command(after_help = "Example: flowc run orders --dry-run")]
    Run(run::Arguments),
    /// Serve a simulated shop and a simulated ledger on this machine, until interrupted
    #[command(after_help = "Example: flowc sandbox --orders 100 --format json > sandbox.json")]
    Sandbox(sandbox::Arguments),
    /// Take what the systems have of their own into the project: codes, ways to pay, names of further entries
    #[command(after_help = "Example: flowc schema pull books --diff")]
    Schema(schema::SchemaArguments),
    /// Show all that was tried for a record, with what went in and what came back
    #[command(after_help = "Example: flowc show orders:1001 --why")]
    Show(records::ShowArguments),
    /// Leave a record out until it changes in its source
    #[command(after_help = "Example: flowc skip orders:1001 --reason 'booked by hand'")]
    Skip(records::SkipArguments),
    /// Print a flow file that ships or of the project, or one declaration of it
    #[command(after_help = "Example: flowc source exact/crm.flow:21")]
    Source(source::Arguments),
    /// Keep links and positions when something is renamed
    #[command(after_help = "Example: flowc state move orders.orders shop_orders.orders")]
    State(state::StateArguments),
    /// Show all flows at a glance
    #[command(after_help = "Example: flowc status")]
    Status(records::StatusArguments),
    /// Take the defaults of this edition into the project: show what they change, write defaults.lock
    #[command(after_help = "Example: flowc update --dry-run")]
    Update(update::Arguments),
    /// Run the tests of a project, offline
    #[command(after_help = "Example: flowc test orders --junit outcomes.xml")]
    Test(test::Arguments),
    /// Tell what made a field of a record: line, row, settings, source fields
    #[command(after_help = "Example: flowc why orders:1001 'sales_order.SalesOrderLines[0].VATCode'")]
    Why(why::Arguments),
}

/// Runs the command that the arguments of the process name.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| Screen::bug(&info.to_string())));
    // A thread of our own: how much of a stack the first one has is the system's choice.
    let command = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(|| run(std::env::args_os()));
    match command {
        // The hook has told a bug in a sentence; only the code is left to give.
        Ok(command) => command.join().unwrap_or(ExitCode::from(4)),
        Err(e) => {
            Screen::tell(&no_threads(&e));
            ExitCode::from(2)
        }
    }
}

fn run(arguments: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(shown) => {
            // Help and version are asked for and go to stdout; a reader who has left is no error.
            let _ = shown.print();
            return ExitCode::from(u8::try_from(shown.exit_code()).unwrap_or(2));
        }
    };
    let screen = Screen::new(arguments.global.format);
    let answer = dispatch(&screen, &arguments);
    match answer {
        Ok(Outcome::Done) | Err(Trouble::Closed) => ExitCode::SUCCESS,
        Ok(Outcome::Wrong) | Err(Trouble::Unsound) => ExitCode::from(1),
        Err(Trouble::Misuse(why)) => {
            screen.complain(&why);
            ExitCode::from(2)
        }
        Err(Trouble::Unreachable(why)) => {
            screen.complain(&why);
            ExitCode::from(3)
        }
        Err(Trouble::Busy(busy)) => {
            screen.complain(busy.said());
            ExitCode::from(3)
        }
        Err(Trouble::Bug(what)) => {
            Screen::bug(&what);
            ExitCode::from(4)
        }
    }
}

fn dispatch(screen: &Screen, arguments: &Arguments) -> Answer {
    let global = &arguments.global;
    if global.format == Format::Sarif && !matches!(arguments.command, Command::Check(_)) {
        return Err(Trouble::Misuse("only `flowc check` prints SARIF: take `--format json`".into()));
    }
    match &arguments.command {
        Command::Check(these) => check::run(screen, global, these),
        Command::Demo(these) => demo::run(screen, these),
        // Against the defaults is the one way there is.
        Command::Diff(_) => diff::run(screen, global),
        Command::Doctor(these) => doctor::run(screen, global, these),
        Command::Explain(these) => explain::run(screen, global, these),
        Command::Fields(these) => fields::run(screen, global, these),
        Command::Forget(these) => state::forget(screen, global, these),
        Command::Login(these) => login::run(screen, global, these),
        Command::Map(these) => map::run(screen, global, these),
        Command::Plan(these) => plan::run(screen, global, these),
        Command::New(these) => new::run(screen, these),
        Command::Records(these) => records::list(screen, global, these),
        Command::Reconcile(these) => reconcile::run(screen, global, these),
        Command::Retry(these) => records::retry(screen, global, these),
        Command::Run(these) => run::run(screen, global, these),
        Command::Sandbox(these) => sandbox::run(screen, these),
        Command::Schema(these) => schema::run(screen, global, these),
        Command::Show(these) => records::show(screen, global, these),
        Command::Skip(these) => records::skip(screen, global, these),
        Command::Source(these) => source::run(screen, global, these),
        Command::State(these) => state::run(screen, global, these),
        Command::Status(these) => records::status(screen, global, these),
        Command::Update(these) => update::run(screen, global, these),
        Command::Test(these) => test::run(screen, global, these),
        Command::Why(these) => why::run(screen, global, these),
    }
}

/// The names of all commands, for tests and pages.
pub fn commands() -> Vec<String> {
    Arguments::command().get_subcommands().map(|c| c.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        for command in Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example: flowc "), "`flowc {} --help` shows no example", command.get_name());
        }
    }

    #[test]
    fn misuse_is_2_and_help_is_0() {
        let run = |words: &[&str]| run(words.iter().map(Into::into));
        assert_eq!(format!("{:?}", run(&["flowc", "explain", "F9999"])), format!("{:?}", ExitCode::from(2)));
        assert_eq!(format!("{:?}", run(&["flowc", "nothing"])), format!("{:?}", ExitCode::from(2)));
        assert_eq!(format!("{:?}", run(&["flowc", "--version"])), format!("{:?}", ExitCode::SUCCESS));
    }
}
