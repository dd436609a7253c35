//! A contestant that is a program of its own, such as `vrl/`: it gets a file of orders, and times itself.

use super::Contestant;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program, and the orders that it maps.
pub(crate) struct Peer {
    program: String,
    orders: PathBuf,
}

impl Peer {
    /// A program that maps these orders.
    pub(crate) fn new(program: &str, orders: &str) -> Result<Self, String> {
        let file = std::env::temp_dir().join(format!("flowc-bench-{}.ndjson", std::process::id()));
        std::fs::write(&file, orders).map_err(|e| format!("{}: {e}", file.display()))?;
        Ok(Self { program: program.to_owned(), orders: file })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(&self.orders);
        command
    }

    /// What it makes of the orders.
    pub(crate) fn documents(&self) -> Result<Documents, String> {
        let said = self.command().arg("--documents").output().map_err(|e| format!("{}: {e}", self.program))?;
        let text = String::from_utf8(said.stdout).map_err(|e| e.to_string())?;
        Ok(Documents(text.lines().map(str::to_owned).collect::<Vec<_>>().into_iter()))
    }

    /// The program, running.
    pub(crate) fn timing(self) -> Result<Timing, String> {
        let failed = |e: std::io::Error| format!("{}: {e}", self.program);
        let mut child = self.command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let (ask, answers) = child.stdin.take().zip(child.stdout.take()).ok_or("it has no streams")?;
        Ok(Timing { child, ask, answers: BufReader::new(answers), peer: self })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.orders);
    }
}

/// Documents that are there already, in the order of their orders.
pub(crate) struct Documents(std::vec::IntoIter<String>);

impl Contestant for Documents {
    fn map(&mut self, _: &str, out: &mut Vec<u8>) -> Result<bool, String> {
        let document = self.0.next().ok_or("there are fewer documents than orders")?;
        out.extend_from_slice(document.as_bytes());
        Ok(!document.is_empty())
    }
}

/// A program that times a round whenever it is asked.
pub(crate) struct Timing {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
    peer: Peer,
}

impl Timing {
    /// Microseconds of CPU time an order.
    pub(crate) fn once(&mut self) -> Result<f64, String> {
        let mut answer = String::new();
        writeln!(self.ask).and_then(|()| self.answers.read_line(&mut answer)).map_err(|e| e.to_string())?;
        answer.trim().parse().map_err(|_| format!("{} does not say its time", self.peer.program))
    }
}

impl Drop for Timing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
