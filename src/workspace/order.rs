//! Which flows run, and in which order.

use super::error::WorkspaceError;
use crate::check::nearest;
use crate::ir::Program;

/// The full names of the flows that are meant, or of all that are on, each behind those that it says it runs `after`.
///
/// # Errors
/// [`WorkspaceError::Asked`] where a name is none of a flow, or no flow is on.
pub fn in_order(program: &Program, named: &[String]) -> Result<Vec<String>, WorkspaceError> {
    let mut picked: Vec<usize> = Vec::new();
    if named.is_empty() {
        picked = (0..program.flows.len()).filter(|n| program.flows[*n].on).collect();
        if picked.is_empty() {
            return Err(WorkspaceError::Asked(
                "no flow is on: name some behind `run` in project.flow, or on the command line".into(),
            ));
        }
    }
    for name in named {
        let found = match program.flow_named(name) {
            Ok(n) => vec![n],
            Err(why) => {
                let in_module = |n: &usize| {
                    let flow = &program.flows[*n];
                    flow.on && flow.name.rsplit_once('.').is_some_and(|(module, _)| module == name)
                };
                let found: Vec<usize> = (0..program.flows.len()).filter(in_module).collect();
                if found.is_empty() {
                    return Err(WorkspaceError::Asked(format!("{why}{}", near(program, name))));
                }
                found
            }
        };
        picked.extend(found.into_iter().filter(|n| !picked.contains(n)).collect::<Vec<_>>());
    }
    Ok(sorted(program, picked))
}

/// A flow that is called nearly so, as the end of a message.
fn near(program: &Program, name: &str) -> String {
    let known = || program.flows.iter().map(|flow| &*flow.name);
    let near = nearest(name, known().chain(known().filter_map(|n| n.rsplit('.').next())));
    near.map_or(String::new(), |near| format!(" (did you mean `{near}`?)"))
}

fn sorted(program: &Program, mut left: Vec<usize>) -> Vec<String> {
    let mut done: Vec<String> = Vec::new();
    while !left.is_empty() {
        let waits = |n: &usize| {
            let after = &program.flows[*n].schedule.after;
            left.iter().any(|other| other != n && after.iter().any(|(name, _)| *name == program.flows[*other].name))
        };
        let next = left.iter().position(|n| !waits(n)).unwrap_or(0);
        done.push(program.flows[left.remove(next)].name.to_string());
    }
    done
}

/// The source's key of an ID: `orders:1001` and `1001` are the same record.
pub fn key_of(flows: &[String], id: &str) -> String {
    let of_flow = |flow: &str| flows.iter().any(|name| name == flow || name.rsplit('.').next() == Some(flow));
    match id.split_once(':') {
        Some((flow, key)) if of_flow(flow) => key.to_owned(),
        _ => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_its_key_are_one_record() {
        let flows = vec!["orders.orders".to_owned()];
        assert_eq!(key_of(&flows, "orders:1001"), "1001");
        assert_eq!(key_of(&flows, "orders.orders:1001"), "1001");
        assert_eq!(key_of(&flows, "a:b"), "a:b", "a key may hold a colon");
    }
}
