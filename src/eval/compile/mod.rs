//! A checked program compiled: once, for whatever number of records and threads.

mod calls;
mod compiler;
mod counted;
mod emit;
mod expr;
mod fused;
mod header;
mod mapping;
mod numbers;
mod shared;
mod steps;
mod testing;
mod traced;
mod written;

use crate::eval::code::{Code, Compiled, Frame, call};
use crate::eval::constants::Constants;
use crate::eval::coverage::Passed;
use crate::eval::decode::Layouts;
use crate::eval::personal::Personal;
use crate::eval::script::Scripts;
use crate::eval::table::Table;
use crate::eval::wire::Wires;
use crate::ir::{Lookup, Program};
use crate::plan::Reads;
use compiler::{Compiler, Counting};
use jiff::tz::TimeZone;
use shared::Shared;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

impl Compiled {
    /// Compiles a checked program. One with functions in rhai is made by [`Self::with_scripts`].
    pub fn new(program: Arc<Program>) -> Self {
        Self::with_scripts(program, BTreeMap::new())
    }

    /// As [`Self::new`], with the texts of its `.rhai` files by their names.
    pub fn with_scripts(program: Arc<Program>, sources: BTreeMap<Arc<str>, String>) -> Self {
        Self::compile(program, sources, false, None)
    }

    /// As [`Self::with_scripts`], and what evaluations come to is counted.
    pub fn counting(program: Arc<Program>, sources: BTreeMap<Arc<str>, String>) -> Self {
        Self::compile(program, sources, false, Some(Counting::default()))
    }

    fn compile(
        program: Arc<Program>,
        sources: BTreeMap<Arc<str>, String>,
        trace: bool,
        counting: Option<Counting>,
    ) -> Self {
        let reads = Reads::of_program(&program);
        let mut compiler = Compiler {
            program: &program,
            layouts: Layouts::new(&program, &reads),
            wires: Wires::new(&program),
            constants: Constants::default(),
            parts: Vec::new(),
            scripts: Scripts::new(&sources),
            trace,
            counting,
            personal: Personal::default(),
            other: None,
            shared: Shared::default(),
            locals: None,
            mappings_made: 0,
            part_numbers: HashMap::new(),
            aliases: HashMap::new(),
            known_locals: HashMap::new(),
        };
        let tables = program.lookups.iter().map(|lookup| table(&mut compiler, lookup)).collect();
        let mut mappings = Vec::with_capacity(program.mappings.len());
        for mapping in &program.mappings {
            mappings.push(mapping::mapping(&mut compiler, mapping));
            compiler.mappings_made += 1;
        }
        let flows = program.flows.iter().map(|flow| mapping::flow(&mut compiler, flow)).collect();
        compiler.end_frame();
        let tests = program.tests.iter().map(|test| testing::test(&mut compiler, test)).collect();
        let Compiler { layouts, wires, constants, parts, scripts, counting, .. } = compiler;
        let zone = program.zone.as_deref().and_then(|zone| TimeZone::get(zone).ok()).unwrap_or(TimeZone::UTC);
        let tracing = OnceLock::new();
        Self {
            program,
            layouts,
            wires,
            constants,
            tables,
            parts,
            mappings,
            flows,
            tests,
            scripts,
            zone,
            tracing,
            sources,
            coverage: counting.map(|counting| counting.coverage),
        }
    }

    /// The same program with every step told: each value is computed where it stands.
    pub fn tracing(&self) -> &Self {
        self.tracing
            .get_or_init(|| Box::new(Self::compile(Arc::clone(&self.program), self.sources.clone(), true, None)))
    }
}

fn table(compiler: &mut Compiler<'_>, lookup: &Lookup) -> Table<Code> {
    let table = Table::new(lookup.rows.iter().map(|row| {
        compiler.begin_frame(Shared::default);
        let value = compiler.code(&row.value);
        let value = in_own_frame(compiler.frame(), value);
        (row.cells.clone(), compiler.taken(row.span, Passed::Row(Arc::clone(&lookup.name)), value))
    }));
    compiler.end_frame();
    table
}

/// What a row gives: it is asked for from any frame, and the values that it names itself are in none of those.
fn in_own_frame(frame: Frame, value: Code) -> Code {
    if frame.locals == 0 {
        return value;
    }
    call(move |run| {
        let own = run.frame(frame);
        let outer = std::mem::replace(&mut run.locals, own);
        let given = value.eval(run);
        run.locals = outer;
        given
    })
}
