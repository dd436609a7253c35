//! The command line: arguments, one file a command, what people and programs see, exit codes.
//!
//! A command parses, calls a room and renders its answer; it decides nothing. In: the arguments of the process. Out: an
//! [`ExitCode`], people's text on stderr, programs' JSON on stdout.

mod check;
mod demo;
mod explain;
mod login;
mod machine;
mod map;
mod moment;
mod new;
mod open;
mod plan;
mod project;
mod records;
mod remote;
mod render;
mod run;
mod sandbox;
mod screen;
mod secrets;
mod state;
mod store;
mod tell;
mod why;

use crate::limits::STACK_BYTES;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use screen::Screen;
use std::path::PathBuf;
use std::process::ExitCode;

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

/// What every command takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Global {
    /// Text for people, or JSON on stdout for programs (`check` also SARIF).
    #[arg(long, global = true, value_name = "FORM", default_value = "human")]
    format: Format,
    /// The project's folder, instead of the nearest one upwards that has a `project.flow`.
    #[arg(long, global = true, value_name = "DIR")]
    project: Option<PathBuf>,
}

/// For whom a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// People: text on stderr and stdout.
    Human,
    /// Programs: one document, or one object a line.
    Json,
    /// Code hosts: SARIF 2.1.0, of `check` only.
    Sarif,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell all mistakes of a project, or of single files
    #[command(after_help = "Example: flowc check flows/orders.flow --format json")]
    Check(check::Arguments),
    /// See it work: a simulated shop and ledger, the default flows, a report
    #[command(after_help = "Example: flowc demo --keep ./demo")]
    Demo(demo::Arguments),
    /// Tell what a diagnostic means, with a wrong and a right example
    #[command(after_help = "Example: flowc explain F0202")]
    Explain(explain::Arguments),
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
    /// Let records be tried again with the next run
    #[command(after_help = "Example: flowc retry orders:1001")]
    Retry(records::RetryArguments),
    /// Run flows once: read what changed, write what is due
    #[command(after_help = "Example: flowc run orders --dry-run")]
    Run(run::Arguments),
    /// Serve a simulated shop and a simulated ledger on this machine, until interrupted
    #[command(after_help = "Example: flowc sandbox --orders 100 --format json > sandbox.json")]
    Sandbox(sandbox::Arguments),
    /// Show all that was tried for a record, with what went in and what came back
    #[command(after_help = "Example: flowc show orders:1001 --why")]
    Show(records::ShowArguments),
    /// Leave a record out until it changes in its source
    #[command(after_help = "Example: flowc skip orders:1001 --reason 'booked by hand'")]
    Skip(records::SkipArguments),
    /// Keep links and positions when something is renamed
    #[command(after_help = "Example: flowc state move orders.orders shop_orders.orders")]
    State(state::StateArguments),
    /// Show all flows at a glance
    #[command(after_help = "Example: flowc status")]
    Status(records::StatusArguments),
    /// Tell what made a field of a record: line, row, settings, source fields
    #[command(after_help = "Example: flowc why orders:1001 'sales_order.SalesOrderLines[0].VATCode'")]
    Why(why::Arguments),
}

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Exit code 0.
    Done,
    /// Exit code 1: the check found errors, a record was parked.
    Wrong,
}

/// Why a command could not do its work, by exit code.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Exit code 2: the arguments, or where the command was called.
    Misuse(String),
    /// Exit code 3: a system can't be reached, or refuses the login; the store too.
    Unreachable(String),
    /// Exit code 3: another flowc has the store.
    Busy(Box<store::Busy>),
    /// Exit code 1: the project has errors, and they have been told.
    Unsound,
    /// Exit code 4: a bug of ours.
    Bug(String),
    /// Nobody reads what is printed any more (`flowc … | head`): an end, not an error.
    Closed,
}

impl From<std::io::Error> for Trouble {
    /// Only what is printed gives this error here: files are read and written where their trouble is told in words.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Misuse(format!("the answer can't be written: {error}")),
        }
    }
}

/// What a command gives back.
pub(crate) type Answer = Result<Outcome, Trouble>;

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

fn no_threads(error: &std::io::Error) -> String {
    format!("the machine gives no threads: {error}")
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
        Command::Explain(these) => explain::run(screen, these),
        Command::Forget(these) => state::forget(screen, global, these),
        Command::Login(these) => login::run(screen, global, these),
        Command::Map(these) => map::run(screen, global, these),
        Command::Plan(these) => plan::run(screen, global, these),
        Command::New(these) => new::run(screen, these),
        Command::Records(these) => records::list(screen, global, these),
        Command::Retry(these) => records::retry(screen, global, these),
        Command::Run(these) => run::run(screen, global, these),
        Command::Sandbox(these) => sandbox::run(screen, these),
        Command::Show(these) => records::show(screen, global, these),
        Command::Skip(these) => records::skip(screen, global, these),
        Command::State(these) => state::run(screen, global, these),
        Command::Status(these) => records::status(screen, global, these),
        Command::Why(these) => why::run(screen, global, these),
    }
}

/// The one runtime of a command that talks to systems.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build()
        .map_err(|e| Trouble::Misuse(no_threads(&e)))
}

/// Waits for Ctrl-C, or for being told to end.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut asked), Ok(mut told)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = asked.recv() => {}
            _ = told.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
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
