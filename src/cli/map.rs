//! `flowc map`: records as JSON lines in, payloads as JSON lines out, in order, offline.

use super::open::{Answers, open};
use super::screen::Screen;
use super::{Answer, Format, Global, Outcome, Trouble, moved};
use crate::eval::{Failure, Given, Mapper, Tables, entity_named};
use crate::ir::{Entity, EntityId, MappingId, Stop, Type};
use crate::json::path_to;
use crate::limits;
use crate::limits::STACK_BYTES;
use crate::syntax::ast::DeclKind;
use crate::syntax::parse;
use crate::workspace::Workspace;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes that are read and done at once: enough that a thread is worth waking, little enough that output flows.
const CHUNK_BYTES: usize = 256 << 10;
/// Chunks that wait for a thread, or for their turn to be printed: a bound on memory.
const CHUNKS_WAITING: usize = 4;

/// The arguments of `map`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The mapping: `sales_order`, or `orders.sales_order`.
    #[arg(value_name = "MAPPING")]
    mapping: String,
    /// What finds would find: {"exact.Item": [{…}], …}
    #[arg(long, value_name = "FILE")]
    given: Option<PathBuf>,
    /// Where a record that fails is told.
    #[arg(long, value_name = "WHERE", default_value = "stderr")]
    failures: Failures,
    /// Threads; the order stays.
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    jobs: NonZeroUsize,
    #[command(flatten)]
    answers: Answers,
}

/// Where failed records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Failures {
    /// A line on stderr.
    Stderr,
    /// An object in the place of the payload.
    Inline,
}

/// What a chunk became.
#[derive(Default)]
struct Mapped {
    out: Vec<u8>,
    told: Vec<u8>,
    failed: bool,
}

/// Maps stdin to stdout.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let workspace = open(screen, global, &arguments.answers)?;
    moved::warn(workspace.root(), || workspace.defaults())?;
    let id = workspace.compiled().mapping(&arguments.mapping).ok_or_else(|| unknown(&workspace, &arguments.mapping))?;
    let given = given(&workspace, arguments)?;
    let work = Work { workspace: &workspace, id, given: &given, failures: arguments.failures, format: screen.format() };
    work.mapper(&Tables::default())?;
    let failed = match arguments.jobs.get() {
        1 => alone(&work)?,
        jobs => together(&work, jobs)?,
    };
    Ok(if failed { Outcome::Wrong } else { Outcome::Done })
}

fn unknown(workspace: &Workspace, name: &str) -> Trouble {
    let names: Vec<&str> = workspace.program().mappings.iter().map(|mapping| &*mapping.name).collect();
    let short = names.iter().filter_map(|full| full.rsplit('.').next());
    let near = crate::check::nearest(name, names.iter().copied().chain(short));
    let near = near.map_or(String::new(), |near| format!(" (did you mean `{near}`?)"));
    Trouble::Misuse(format!(
        "there is no mapping `{name}`, or there are several{near}; the project has {}",
        names.join(", ")
    ))
}

fn given(workspace: &Workspace, arguments: &Arguments) -> Result<Given, Trouble> {
    let now = Timestamp::now();
    let Some(path) = &arguments.given else { return Ok(Given::empty(now)) };
    let wrong = |why: String| Trouble::Misuse(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| wrong(format!("it can't be read: {e}")))?;
    let aliases = aliases(workspace);
    Given::from_json_by(workspace.program(), &text, now, &|name| entity(workspace, &aliases, name)).map_err(wrong)
}

/// What the project's own files call modules: alias, and module.
fn aliases(workspace: &Workspace) -> Vec<(String, String)> {
    let sources = workspace.sources();
    let own = sources.iter().filter(|(file, _)| !sources.is_default(*file));
    let uses = own.flat_map(|(file, source)| parse(file, &source.text).ast.decls).filter_map(|decl| match decl.kind {
        DeclKind::Use(used) => Some((used.alias?.text.to_string(), used.module.text())),
        _ => None,
    });
    let mut all: Vec<(String, String)> = uses.collect();
    all.sort();
    all.dedup();
    all
}

/// The entity that is meant: by its full name, by that under which the project uses its module, or by its own alone.
fn entity(workspace: &Workspace, aliases: &[(String, String)], name: &str) -> Result<EntityId, String> {
    let program = workspace.program();
    let (before, own) = name.split_once('.').unwrap_or(("", name));
    let mut meant = aliases.iter().filter(|(alias, _)| alias == before).map(|(_, module)| format!("{module}.{own}"));
    let found = entity_named(program, name).or_else(|| meant.find_map(|full| entity_named(program, &full)));
    found.ok_or_else(|| no_entity(workspace, aliases, name))
}

/// That there is no such entity: those of that name elsewhere, the nearest one, or whose there are.
fn no_entity(workspace: &Workspace, aliases: &[(String, String)], name: &str) -> String {
    let full: Vec<String> = workspace.program().entities.iter().map(Entity::full_name).collect();
    let called = aliases.iter().flat_map(|(alias, module)| {
        let of_it = |full: &String| full.strip_prefix(&format!("{module}.")).map(|own| format!("{alias}.{own}"));
        full.iter().filter_map(of_it).collect::<Vec<_>>()
    });
    let all: Vec<String> = called.chain(full.iter().cloned()).collect();
    let own = name.rsplit('.').next().unwrap_or(name);
    let is_own = |other: &&String| other.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(own));
    let mut near: Vec<&str> = all.iter().filter(is_own).map(String::as_str).collect();
    let nearest = crate::check::nearest(name, all.iter().map(String::as_str));
    near.extend(nearest.filter(|nearest| !near.contains(nearest)));
    let hint = if near.is_empty() {
        let systems: BTreeSet<&str> = all.iter().filter_map(|full| Some(full.rsplit_once('.')?.0)).collect();
        format!("entities are named as `exact.Item`, here those of {}", Vec::from_iter(systems).join(", "))
    } else {
        format!("did you mean `{}`?", near.join("` or `"))
    };
    format!("there is no entity `{name}`: {hint}")
}

/// What every thread needs.
struct Work<'a> {
    workspace: &'a Workspace,
    id: MappingId,
    given: &'a Given,
    failures: Failures,
    format: Format,
}

impl Work<'_> {
    fn mapper<'w>(&'w self, tables: &'w Tables) -> Result<Mapper<'w>, Trouble> {
        Mapper::new(self.workspace.compiled(), self.id, self.given, tables).map_err(Trouble::Misuse)
    }

    fn chunk(&self, mapper: &mut Mapper<'_>, lines: &[u8]) -> Mapped {
        let mut done = Mapped { out: Vec::with_capacity(lines.len() / 2), ..Mapped::default() };
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', lines).chain([lines.len()]) {
            let line = lines[from..end].trim_ascii();
            from = end + 1;
            if line.is_empty() {
                continue;
            }
            let before = done.out.len();
            let outcome = match std::str::from_utf8(line) {
                Ok(raw) if raw.len() <= limits::RECORD_BYTES_MAX => mapper.map(raw, &mut done.out),
                Ok(_) => Err(self.refused(format!("the record is larger than {} MB", limits::RECORD_BYTES_MAX >> 20))),
                Err(e) => Err(self.refused(no_text(line, e.valid_up_to(), self.wrapper()))),
            };
            match outcome {
                Ok(true) => done.out.push(b'\n'),
                Ok(false) => done.out.truncate(before),
                Err((stop, failure)) => {
                    done.out.truncate(before);
                    self.stopped(line, stop, &failure, &mut done);
                }
            }
        }
        done
    }

    /// The member in which the records' system wraps its lists.
    fn wrapper(&self) -> Option<&str> {
        let program = self.workspace.program();
        let Type::Record(entity) = program.mapping(self.id).params.first()?.1.present() else { return None };
        program.connector(&program.entity(*entity).connector)?.word("lists")
    }

    fn refused(&self, why: String) -> (Stop, Failure) {
        (Stop::Fail, Failure::new(why, self.workspace.program().mapping(self.id).span))
    }

    fn stopped(&self, line: &[u8], stop: Stop, failure: &Failure, done: &mut Mapped) {
        // What is skipped is done, on purpose.
        done.failed |= stop != Stop::Skip;
        let place = self.workspace.place(failure.place);
        let id = self.id_of(line);
        let told = if self.failures == Failures::Inline || self.format != Format::Human {
            let mut error = json!({ "id": id, "reason": failure.reason });
            if let Some(members) = error.as_object_mut() {
                members.extend(failure.value.as_ref().map(|value| ("value".to_owned(), json!(value))));
                members.extend(failure.field.as_ref().map(|field| ("field".to_owned(), json!(field))));
                members.insert("place".into(), json!(place));
            }
            let word = if stop == Stop::Skip { "skipped" } else { "error" };
            json!({ word: error }).to_string()
        } else {
            let at = place.map_or(String::new(), |place| format!(" ({}:{})", place.file, place.line));
            let word = match stop {
                Stop::Fail => "failed",
                Stop::Skip => "skipped",
                Stop::Wait => "waits",
            };
            format!("{id} {word}: {}{at}", failure.reason)
        };
        let into = match self.failures {
            Failures::Inline => &mut done.out,
            Failures::Stderr => &mut done.told,
        };
        into.extend_from_slice(told.as_bytes());
        into.push(b'\n');
    }

    /// `sales_order:1001`: the mapping, and the record's key.
    fn id_of(&self, line: &[u8]) -> String {
        let program = self.workspace.program();
        let mapping = program.mapping(self.id);
        let key = mapping.params.first().and_then(|(_, ty, _)| match ty.present() {
            Type::Record(entity) => {
                let entity = program.entity(*entity);
                Some(entity.get(entity.key?).wire.to_string())
            }
            _ => None,
        });
        let record: Value = serde_json::from_slice(line).unwrap_or_default();
        let key = match key.and_then(|key| record.get(key).cloned()) {
            Some(Value::String(key)) => key,
            Some(key) => key.to_string(),
            None => "?".into(),
        };
        format!("{}:{key}", mapping.name.rsplit('.').next().unwrap_or_default())
    }
}

/// Reads whole lines, a chunk at a time.
struct Chunks<R> {
    from: R,
    rest: Vec<u8>,
    ended: bool,
}

impl<R: Read> Chunks<R> {
    fn new(from: R) -> Self {
        Self { from, rest: Vec::new(), ended: false }
    }

    fn next(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut chunk = std::mem::take(&mut self.rest);
        let mut looked = 0;
        while !self.ended {
            let start = chunk.len();
            chunk.resize(start + CHUNK_BYTES, 0);
            let read = self.from.read(&mut chunk[start..])?;
            chunk.truncate(start + read);
            self.ended = read == 0;
            // A record longer than any may be is passed on as it is, to fail by itself.
            if let Some(end) = memchr::memrchr(b'\n', &chunk[looked..]).map(|at| looked + at + 1) {
                self.rest = chunk.split_off(end);
                return Ok(Some(chunk));
            }
            looked = chunk.len();
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}

fn reading(error: &std::io::Error) -> Trouble {
    Trouble::Misuse(format!("the records on stdin can't be read: {error}"))
}

fn alone(work: &Work<'_>) -> Result<bool, Trouble> {
    let tables = Tables::default();
    let mut mapper = work.mapper(&tables)?;
    let mut chunks = Chunks::new(std::io::stdin().lock());
    let mut failed = false;
    while let Some(chunk) = chunks.next().map_err(|e| reading(&e))? {
        let done = work.chunk(&mut mapper, &chunk);
        failed |= done.failed;
        print(&done)?;
    }
    Ok(failed)
}

/// Each thread takes every n-th chunk, and what they make is printed in turn: the order stays.
fn together(work: &Work<'_>, jobs: usize) -> Result<bool, Trouble> {
    std::thread::scope(|scope| {
        let mut inputs = Vec::new();
        let mut outputs: Vec<Receiver<Mapped>> = Vec::new();
        for _ in 0..jobs {
            let (input, chunks) = sync_channel::<Vec<u8>>(CHUNKS_WAITING);
            let (made, output) = sync_channel(CHUNKS_WAITING);
            let map = move || {
                let tables = Tables::default();
                // That there is one has been seen.
                let Ok(mut mapper) = work.mapper(&tables) else { return };
                for chunk in chunks {
                    if made.send(work.chunk(&mut mapper, &chunk)).is_err() {
                        return;
                    }
                }
            };
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            thread.spawn_scoped(scope, map).map_err(|e| Trouble::Misuse(super::no_threads(&e)))?;
            inputs.push(input);
            outputs.push(output);
        }
        let reader = scope.spawn(move || deal(&inputs));
        let mut failed = false;
        // The threads end with their inputs, and the first output that is closed is behind the last chunk.
        for output in outputs.iter().cycle() {
            let Ok(done) = output.recv() else { break };
            failed |= done.failed;
            print(&done)?;
        }
        match reader.join() {
            Ok(read) => read.map_err(|e| reading(&e))?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        Ok(failed)
    })
}

fn deal(inputs: &[SyncSender<Vec<u8>>]) -> std::io::Result<()> {
    let mut chunks = Chunks::new(std::io::stdin().lock());
    for input in inputs.iter().cycle() {
        match chunks.next()? {
            Some(chunk) => {
                if input.send(chunk).is_err() {
                    // Nobody prints any more.
                    return Ok(());
                }
            }
            None => return Ok(()),
        }
    }
    Ok(())
}

fn print(done: &Mapped) -> Result<(), Trouble> {
    let mut out = std::io::stdout().lock();
    out.write_all(&done.out)?;
    out.flush()?;
    let _ = std::io::stderr().lock().write_all(&done.told);
    Ok(())
}

/// What is wrong with a record that is no text from that byte on.
fn no_text(line: &[u8], from: usize, wrapper: Option<&str>) -> String {
    let field = path_to(line, from, wrapper);
    let within = if field.is_empty() { String::new() } else { format!(", in `{field}`") };
    format!("the record is no UTF-8 text from its byte {} on{within}", from + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_whole_lines_and_lose_nothing() {
        let text: String =
            (0..9_000).map(|n| format!("{{\"id\": {n}, \"pad\": \"{}\"}}\n", "x".repeat(n % 90))).collect();
        let long = format!("{}\n{}last", text, "y".repeat(3 * CHUNK_BYTES));
        let mut chunks = Chunks::new(long.as_bytes());
        let mut together = Vec::new();
        while let Some(chunk) = chunks.next().expect("a slice can be read") {
            let whole = chunk.ends_with(b"\n") || chunk.ends_with(b"last");
            assert!(whole, "a chunk ends within a line");
            together.extend(chunk);
        }
        assert_eq!(together, long.as_bytes());
    }
}
