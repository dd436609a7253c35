//! The escape hatch: what a file of functions in rhai may do, and which functions it holds. They see their arguments and
//! nothing else, and stop at limits.

use crate::limits::{LIST_MAX, TEXT_BYTES_MAX};
use rhai::{Engine, EvalAltResult};

/// Operations of one call: some milliseconds of work. One more fails the record.
pub const OPERATIONS_MAX: u64 = 200_000;
/// What a script is told that asks to wait.
pub const NO_SLEEP: &str = "a function waits for nothing: it has no `sleep`";
/// Members of a map, those of maps within it counted: rhai counts them anew with each change.
const MAP_MAX: usize = 1_000;
/// Calls within calls. One more fails the record.
const CALLS_MAX: usize = 32;
/// Deepest expression of a script.
const DEPTH_MAX: usize = 64;

/// A file that can't be read as rhai.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoScript {
    /// Its line, from 1, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub reason: String,
}

/// What compiles and calls scripts, with nothing of the outside: no printing, no evaluation of texts, and no waiting, which
/// no limit of operations would end. Other files and the clock are left out of rhai itself (its features in Cargo.toml).
pub fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_max_operations(OPERATIONS_MAX);
    engine.set_max_call_levels(CALLS_MAX);
    engine.set_max_expr_depths(DEPTH_MAX, DEPTH_MAX);
    engine.set_max_string_size(TEXT_BYTES_MAX);
    engine.set_max_array_size(LIST_MAX);
    engine.set_max_map_size(MAP_MAX);
    engine.on_print(|_| {});
    engine.on_debug(|_, _, _| {});
    engine.disable_symbol("eval");
    // A function of rhai's own, which is no symbol: another in its place is what a script finds.
    engine.register_fn("sleep", |_: rhai::INT| -> Result<(), Box<EvalAltResult>> { Err(NO_SLEEP.into()) });
    engine
}

/// The functions of a script by name, with the number of their parameters. Nothing of it is run.
pub fn functions(source: &str) -> Result<Vec<(String, usize)>, NoScript> {
    match engine().compile(source) {
        Ok(ast) => Ok(ast.iter_functions().map(|f| (f.name.to_owned(), f.params.len())).collect()),
        Err(e) => Err(NoScript { line: e.1.line(), reason: e.0.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_neither_waits_nor_reads_a_clock_or_a_file() {
        let start = std::time::Instant::now();
        for call in ["sleep(100)", "let n = 100; n.sleep()", "timestamp()", "eval(\"1\")", "import \"other\" as o"] {
            assert!(engine().run(call).is_err(), "{call} is let through");
        }
        assert!(start.elapsed() < std::time::Duration::from_secs(50), "it has slept");
    }
}
