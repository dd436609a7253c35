//! The task of the benchmark in VRL (`task.vrl`), a compiled language for events: JSON in, the program, JSON out.
//!
//! `bench-vrl FILE` maps the orders of a file once for each line on stdin, and answers each with the microseconds of CPU
//! time an order; `bench-vrl FILE --documents` prints the documents, an empty line for an order that it refuses.

use std::io::{BufRead, Write};
use vrl::compiler::runtime::{Runtime, Terminate};
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{Program, TargetValue, TimeZone};
use vrl::value::{Secrets, Value};

/// The compiled program and its runtime.
struct Vrl {
    program: Program,
    runtime: Runtime,
    zone: TimeZone,
}

impl Vrl {
    fn new() -> Result<Self, String> {
        let functions = vrl::stdlib::all();
        let compiled = vrl::compiler::compile(include_str!("task.vrl"), &functions)
            .map_err(|problems| vrl::diagnostic::Formatter::new(include_str!("task.vrl"), problems).to_string())?;
        let runtime = Runtime::new(RuntimeState::default());
        Ok(Self { program: compiled.program, runtime, zone: TimeZone::parse("UTC").ok_or("there is no UTC")? })
    }

    /// Appends the document of an order, or nothing when it is refused.
    fn map(&mut self, order: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let value: Value = serde_json::from_slice(order).map_err(|e| e.to_string())?;
        let metadata = Value::Object(std::collections::BTreeMap::new());
        let mut target = TargetValue { value, metadata, secrets: Secrets::default() };
        let result = self.runtime.resolve(&mut target, &self.program, &self.zone);
        self.runtime.clear();
        match result {
            Ok(document) => serde_json::to_writer(out, &document).map_err(|e| e.to_string()),
            Err(Terminate::Abort(_)) => Ok(()),
            Err(Terminate::Error(error)) => Err(error.to_string()),
            Err(Terminate::Interrupted) => Err("the program was interrupted".to_owned()),
        }
    }
}

fn main() -> Result<(), String> {
    let mut words = std::env::args().skip(1);
    let file = words.next().ok_or("a file of orders is wanted")?;
    let orders = std::fs::read(&file).map_err(|e| format!("{file}: {e}"))?;
    let orders: Vec<&[u8]> = orders.split(|b| *b == b'\n').filter(|order| !order.is_empty()).collect();
    let mut vrl = Vrl::new()?;
    let mut answers = std::io::stdout().lock();
    let mut out = Vec::with_capacity(1 << 17);
    if words.next().as_deref() == Some("--documents") {
        for order in &orders {
            vrl.map(order, &mut out)?;
            out.push(b'\n');
        }
        return answers.write_all(&out).map_err(|e| e.to_string());
    }
    for _ in std::io::stdin().lock().lines() {
        let start = cpu_seconds();
        for order in &orders {
            // Where a run writes, it is the same for all.
            if out.len() > 1 << 16 {
                std::hint::black_box(&out);
                out.clear();
            }
            vrl.map(order, &mut out)?;
            out.push(b'\n');
        }
        let micros = (cpu_seconds() - start) * 1e6 / orders.len().max(1) as f64;
        writeln!(answers, "{micros}").and_then(|()| answers.flush()).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// What this thread has computed: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    std::time::Duration::try_from(time).unwrap_or_default().as_secs_f64()
}
