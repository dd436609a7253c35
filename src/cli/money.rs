//! `flowc plan FLOW --money`: where each amount of a record goes, in the words of whoever keeps the books.

use crate::ir::{Const, EntityId, FieldId, Flow, Mapping, Program, Rest, Type, mappings_of};
use crate::money::{Amounts, Place, Proof, Reaches, Verdict, proof};
use crate::source::{Sources, Span};
use serde_json::json;
use std::fmt::Write as _;

/// What is proved of the mappings that a flow comes through and that make documents.
pub(crate) struct Money<'p> {
    program: &'p Program,
    sources: &'p Sources,
    flow: &'p Flow,
    proofs: Vec<(&'p Mapping, Proof)>,
}

impl<'p> Money<'p> {
    /// Proves them.
    pub(crate) fn of(program: &'p Program, sources: &'p Sources, flow: &'p Flow) -> Self {
        let mappings = mappings_of(program, flow).into_iter().map(|id| program.mapping(id));
        let proofs = mappings.filter_map(|mapping| Some((mapping, proof(program, mapping)?))).collect();
        Self { program, sources, flow, proofs }
    }

    /// Whether no amount is lost or counted twice, as far as amounts are followed.
    pub(crate) fn holds(&self) -> bool {
        let lost = |a: &Amounts| !matches!(a.reaches, Reaches::Once | Reaches::Within);
        self.proofs.iter().all(|(_, proof)| proof.surplus.is_none() && !proof.amounts.iter().any(lost))
    }

    /// For people.
    pub(crate) fn human(&self) -> String {
        let mut out = format!("Where the money of {} goes\n", self.flow.name);
        if self.proofs.is_empty() {
            out.push_str("\nIt makes no document out of another one: no amount is carried over.\n");
        }
        for (mapping, proof) in &self.proofs {
            // Writing into memory does not fail.
            let _ = self.told(&mut out, mapping, proof);
        }
        out
    }

    fn told(&self, out: &mut String, mapping: &Mapping, proof: &Proof) -> std::fmt::Result {
        let target = self.program.entity(proof.target);
        let total = &target.get(proof.total).name;
        writeln!(out, "\n{} makes a {}", proof.mapping, target.full_name())?;
        writeln!(out, "  Its {total} must come to {} ({})", proof.to.1, self.place(proof.to.0))?;
        writeln!(out, "\n  What that is made of, and how often it gets there")?;
        let width =
            proof.amounts.iter().map(|a| a.name.chars().count() + if a.less { 5 } else { 0 }).max().unwrap_or(0);
        for amounts in &proof.amounts {
            let name = if amounts.less { format!("less {}", amounts.name) } else { amounts.name.clone() };
            let by: Vec<String> = amounts.by.iter().map(|at| self.place(*at)).collect();
            let by = if by.is_empty() { String::new() } else { format!("  by {}", by.join(", ")) };
            writeln!(out, "    {name:width$}  {}{by}", reaches(amounts))?;
        }
        writeln!(out, "\n  The lines that are made of it")?;
        for place in &proof.places {
            self.line(out, place)?;
        }
        writeln!(out, "\n  {}", self.verdict(proof))?;
        self.checks(out, mapping, proof)?;
        if !proof.settings.is_empty() {
            writeln!(out, "\n  With these answers")?;
            for (name, value) in &proof.settings {
                writeln!(out, "    {name} = {}", said(value))?;
            }
        }
        Ok(())
    }

    fn line(&self, out: &mut String, place: &Place) -> std::fmt::Result {
        writeln!(out, "    {}  {}", self.place(place.span), self.text(place.span))?;
        writeln!(out, "      amount: {}", place.amount)?;
        for (entity, field, at) in &place.fields {
            if self.tells(*entity, *field) {
                writeln!(out, "      {}  ({})", self.text(*at), self.place(*at))?;
            }
        }
        Ok(())
    }

    /// Whether a field of a line says how much is booked, or on what: numbers, amounts, codes and references.
    fn tells(&self, entity: EntityId, field: FieldId) -> bool {
        let ty = self.program.entity(entity).get(field).ty.present();
        ty.is_number() || matches!(ty, Type::Price | Type::Entered(..) | Type::Code(_) | Type::Record(_))
    }

    fn verdict(&self, proof: &Proof) -> String {
        let total = &self.program.entity(proof.target).get(proof.total).name;
        match &proof.verdict {
            Verdict::Proved => format!("Proved: each of these amounts reaches {total} once, and nothing else does."),
            Verdict::Answered => format!(
                "Not reckoned here: {} adds up {total} itself. Its answer is compared.",
                self.program.entity(proof.target).connector
            ),
            Verdict::Open(rest) => match &proof.surplus {
                Some((at, what)) => format!("Wrong: {what} is counted again at {}.", self.place(*at)),
                None if proof.amounts.iter().any(|a| a.reaches == Reaches::Within) => format!(
                    "Not followed to the end: what is divided on the way is not proved to come to the same. What {total} comes to is\n  checked for each record below."
                ),
                None => format!("Wrong: {total} comes to something else by {}", rest.join("; ")),
            },
        }
    }

    fn checks(&self, out: &mut String, mapping: &Mapping, proof: &Proof) -> std::fmt::Result {
        let total = &self.program.entity(proof.target).get(proof.total).name;
        writeln!(out, "\n  What is checked before anything is written")?;
        for (cond, otherwise) in &proof.checks {
            writeln!(out, "    {}  {}\n      else {}", self.place(*cond), self.text(*cond), self.text(*otherwise))?;
        }
        let Some(balance) = &mapping.balance else {
            return writeln!(out, "    {total} is not balanced: nothing compares it when a record comes (`balance`).");
        };
        if balance.formula.is_none() {
            return writeln!(
                out,
                "  And after it\n    {total} of the answer must be {}: else the record stops, with both amounts, for a person to look at.",
                proof.to.1
            );
        }
        let within = balance
            .within
            .as_ref()
            .map_or("to the cent".to_owned(), |within| format!("but for {} a line", self.text(within.span)));
        writeln!(
            out,
            "    {}  the lines are added up as the target does it, and must come to {}, {within}",
            self.place(balance.span),
            proof.to.1
        )?;
        match &balance.rest {
            Some(Rest::Line(_, line)) => writeln!(
                out,
                "      cents that are over get a line of their own: {} ({})",
                self.text(line.span),
                self.place(line.span)
            )?,
            Some(Rest::Field(field)) => {
                let line = balance
                    .lines
                    .and_then(|list| self.program.entity(proof.target).get(list).ty.present().element()?.record());
                let name = line.map_or("", |line| &self.program.entity(line).get(*field).name);
                writeln!(out, "      cents that are over are put into {name} of the lines")?;
            }
            None => {}
        }
        if let Some(otherwise) = &balance.otherwise {
            writeln!(out, "      else {}: nothing is written", self.text(otherwise.span))?;
        }
        writeln!(
            out,
            "  And after it\n    {total} of the answer is compared: another amount stops the record, with both, for a person to look at."
        )?;
        if !proof.rounded.is_empty() {
            writeln!(out, "\n  Where amounts are rounded")?;
            for at in &proof.rounded {
                writeln!(out, "    {}  {}", self.place(*at), self.text(*at))?;
            }
        }
        Ok(())
    }

    /// For programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        let mappings: Vec<serde_json::Value> =
            self.proofs.iter().map(|(mapping, proof)| self.one(mapping, proof)).collect();
        json!({"flow": *self.flow.name, "holds": self.holds(), "mappings": mappings})
    }

    fn one(&self, mapping: &Mapping, proof: &Proof) -> serde_json::Value {
        let target = self.program.entity(proof.target);
        let at = |at: Span| self.at(at);
        let amounts: Vec<serde_json::Value> = proof
            .amounts
            .iter()
            .map(|a| {
                let by: Vec<_> = a.by.iter().map(|by| at(*by)).collect();
                json!({"amount": a.name, "less": a.less, "reaches": word(&a.reaches), "by": by})
            })
            .collect();
        let lines: Vec<serde_json::Value> = proof.places.iter().map(|place| self.line_json(place)).collect();
        let checks: Vec<serde_json::Value> = proof
            .checks
            .iter()
            .map(|(cond, otherwise)| json!({"place": at(*cond), "holds": self.text(*cond), "else": self.text(*otherwise)}))
            .collect();
        let settings: serde_json::Map<String, serde_json::Value> =
            proof.settings.iter().map(|(name, value)| (name.to_string(), said(value).into())).collect();
        json!({
            "mapping": *proof.mapping, "entity": target.full_name(), "total": *target.get(proof.total).name,
            "comes_to": {"amount": proof.to.1, "place": at(proof.to.0)},
            "verdict": match &proof.verdict { Verdict::Proved => "proved", Verdict::Answered => "answered", Verdict::Open(_) => "open" },
            "left": match &proof.verdict { Verdict::Open(rest) => rest.clone(), Verdict::Proved | Verdict::Answered => Vec::new() },
            "counted_again": proof.surplus.as_ref().map(|(span, what)| json!({"place": at(*span), "amount": what})),
            "amounts": amounts, "lines": lines, "checks": checks,
            "balanced": mapping.balance.as_ref().map(|balance| at(balance.span)),
            "rounded": proof.rounded.iter().map(|span| at(*span)).collect::<Vec<_>>(),
            "settings": settings,
        })
    }

    fn line_json(&self, place: &Place) -> serde_json::Value {
        let told = place.fields.iter().filter(|(entity, field, _)| self.tells(*entity, *field));
        let fields: Vec<serde_json::Value> = told
            .map(|(entity, field, span)| {
                let name = &self.program.entity(*entity).get(*field).name;
                json!({"field": **name, "text": self.text(*span), "place": self.at(*span)})
            })
            .collect();
        json!({"place": self.at(place.span), "text": self.text(place.span), "amount": place.amount, "fields": fields})
    }

    fn at(&self, span: Span) -> serde_json::Value {
        let position = self.sources.position(span);
        json!({"file": self.sources.get(span.file).called(), "line": position.line, "column": position.column})
    }

    fn place(&self, span: Span) -> String {
        format!("{}:{}", self.sources.get(span.file).called(), self.sources.position(span).line)
    }

    fn text(&self, span: Span) -> String {
        self.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn reaches(amounts: &Amounts) -> String {
    match &amounts.reaches {
        Reaches::Once => "once".to_owned(),
        Reaches::Never => "NEVER".to_owned(),
        Reaches::Times(times) => format!("{times} TIMES"),
        Reaches::When(under) => format!("ONLY {}", under.join(", ")),
        Reaches::Within => "within other amounts".to_owned(),
    }
}

fn word(reaches: &Reaches) -> serde_json::Value {
    match reaches {
        Reaches::Once => "once".into(),
        Reaches::Never => "never".into(),
        Reaches::Times(times) => json!({"times": times.to_string()}),
        Reaches::When(under) => json!({"when": under}),
        Reaches::Within => "within".into(),
    }
}

fn said(value: &Const) -> String {
    match value {
        Const::Absent => "none".to_owned(),
        Const::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Const::Number(n) => n.to_string(),
        Const::Text(text) => text.to_string(),
        Const::Date(date) => date.to_string(),
        Const::Instant(at) => at.to_string(),
        Const::Duration(span) => format!("{span:#}"),
        Const::List(of) => of.iter().map(said).collect::<Vec<_>>().join(", "),
    }
}
