//! Amounts that a document of the source has and the one that is made of it has not, or has twice.

use crate::ir::{Mapping, Program};
use crate::money::{Amounts, Proof, Reaches, Verdict, proof};
use crate::source::{Diagnostic, Span, codes};

/// A mapping that takes some amounts of a document over and leaves others out loses money; one that adds an amount to a
/// total that it is in already makes some. Either stops at `balance` where there is one, record by record.
pub(super) fn used(program: &Program, mapping: &Mapping, told: &mut Vec<Diagnostic>) {
    let Some(proof) = proof(program, mapping) else { return };
    let (alone, balanced) = (proof.verdict == Verdict::Answered, mapping.balance.is_some());
    // What is copied without a total of its own is no document of another one.
    if proof.verdict == Verdict::Proved || alone && !balanced {
        return;
    }
    let taken = |amounts: &&Amounts| amounts.reaches != Reaches::Never;
    let Some(used) = proof.amounts.iter().find(taken) else { return };
    if let Some((at, what)) = &proof.surplus {
        told.push(twice(&proof, *at, what));
        return;
    }
    let at = mapping.balance.as_ref().map_or(mapping.span, |balance| balance.to.span);
    // `balance` stops the few records that have one of an extension; a tax may be reckoned by the other system.
    let lost =
        |a: &&Amounts| a.reaches == Reaches::Never && !(balanced && a.is_optional && a.less) && !(alone && a.is_tax);
    let open: Vec<&Amounts> = proof.amounts.iter().filter(lost).collect();
    if let Some(first) = open.first() {
        let names = named(program, &proof, &open);
        let (full, used) = (program.entity(used.source).full_name(), &used.part);
        told.push(
            Diagnostic::new(
                &codes::AMOUNT_UNUSED,
                at,
                format!("`{used}` of {full} is taken over, and the amounts of {names} never are"),
            )
            .label("an amount is left out")
            .related(first.declared, "declared here")
            .help(format!("add lines for {names}, or stop records that have some with a `check`")),
        );
    }
    for amounts in &proof.amounts {
        match &amounts.reaches {
            Reaches::Times(times) if !times.is_zero() => {
                let at = amounts.by.last().copied().unwrap_or(at);
                told.push(twice(&proof, at, &format!("{times} times {}", amounts.name)));
            }
            Reaches::When(under) if !under.is_empty() && !balanced => told.push(
                Diagnostic::new(
                    &codes::AMOUNT_UNUSED,
                    amounts.by.last().copied().unwrap_or(at),
                    format!("`{}` reaches the total {} only", amounts.name, under.join(", ")),
                )
                .label("an amount is left out at times")
                .related(amounts.declared, "declared here")
                .help("add lines for the other cases too, or stop records of that kind with a `check`"),
            ),
            _ => {}
        }
    }
}

/// The lists, and fields of lists of which others are taken over.
fn named(program: &Program, proof: &Proof, open: &[&Amounts]) -> String {
    let mut names: Vec<String> = Vec::new();
    for amounts in open {
        let of_part = |other: &&Amounts| other.part == amounts.part && other.source == amounts.source;
        let whole = proof.amounts.iter().filter(of_part).all(|other| other.reaches == Reaches::Never);
        let is_list = program.entity(amounts.source).field(&amounts.part).is_some();
        let name = if whole && is_list { format!("`{}`", amounts.part) } else { format!("`{}`", amounts.name) };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(" and ")
}

fn twice(proof: &Proof, at: Span, what: &str) -> Diagnostic {
    let (to, goal) = &proof.to;
    let message =
        format!("{what} is counted here, and it is in the total already: the document would not come to {goal}");
    Diagnostic::new(&codes::AMOUNT_TWICE, at, message)
        .label("counted again")
        .related(*to, "what it must come to")
        .help("take it out here, or where it was counted before")
}
