//! The flows that are on in a new project, and the files that they need.

use super::shipped::{self, Module};
use crate::check::nearest;
use crate::cli::Trouble;

/// The flows of a project, by their full names, and the default flow files that it uses.
pub(crate) struct Chosen {
    /// `orders.orders`, in the order in which they ship.
    pub(super) flows: Vec<String>,
    /// The files of these flows and what those use, each before what needs it.
    pub(super) modules: Vec<Module>,
}

/// Stands for each flow that ships.
const ALL: &str = "all";

impl Chosen {
    /// The flows of these names; a module's name is all of its flows, and `all` is each.
    ///
    /// # Errors
    /// A name that neither a flow nor a module has.
    pub(crate) fn of(names: &[&str]) -> Result<Self, Trouble> {
        let modules = shipped::modules();
        let there =
            || modules.iter().flat_map(|module| module.flows.iter().map(|flow| format!("{}.{flow}", module.name)));
        let is_of = |name: &str, flow: &str| {
            name == ALL || name == flow || flow.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
        };
        if let Some(unknown) = names.iter().find(|name| !there().any(|flow| is_of(name, &flow))) {
            let all: Vec<String> = there().collect();
            let near = nearest(unknown, all.iter().map(String::as_str));
            let hint =
                near.map_or_else(|| format!("there are {}", all.join(", ")), |near| format!("did you mean `{near}`?"));
            return Err(Trouble::Misuse(format!("no flow `{unknown}` ships: {hint}")));
        }
        let flows: Vec<String> = there().filter(|flow| names.iter().any(|name| is_of(name, flow))).collect();
        let mut needed: Vec<String> =
            flows.iter().filter_map(|flow| flow.split_once('.')).map(|(module, _)| module.to_owned()).collect();
        let mut seen = 0;
        while let Some(name) = needed.get(seen).cloned() {
            let uses = modules.iter().filter(|module| module.name == name).flat_map(|module| &module.uses);
            let new: Vec<String> = uses.filter(|used| !needed.contains(used)).cloned().collect();
            needed.extend(new);
            seen += 1;
        }
        Ok(Self { flows, modules: modules.into_iter().filter(|module| needed.contains(&module.name)).collect() })
    }

    /// Whether one of these flows is on.
    pub(super) fn runs(&self, some: &[&str]) -> bool {
        self.flows.iter().any(|flow| some.contains(&&**flow))
    }

    /// Refuses an answer to what none of these files asks: it would be lost.
    ///
    /// # Errors
    /// The answer.
    pub(super) fn asks(&self, name: &str) -> Result<(), Trouble> {
        let asked = self.modules.iter().flat_map(|module| {
            module.questions.iter().flat_map(|q| [q.name.clone(), format!("{}.{}", module.name, q.name)])
        });
        let asked: Vec<String> = asked.collect();
        if asked.iter().any(|question| question == name) {
            return Ok(());
        }
        let near = nearest(name, asked.iter().map(String::as_str));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Err(Trouble::Misuse(format!("no flow that is on asks the setting `{name}`{hint}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_brings_the_files_that_it_needs() {
        let chosen = Chosen::of(&["customers.customers_to_ledger"]).unwrap_or_else(|_| panic!("it ships"));
        assert_eq!(chosen.flows, ["customers.customers_to_ledger"]);
        assert_eq!(chosen.modules.iter().map(|module| &*module.name).collect::<Vec<_>>(), ["tables", "customers"]);
        assert!(chosen.asks("customers.roles").is_ok() && chosen.asks("orders.prefix").is_err());
        let all = Chosen::of(&["all"]).unwrap_or_else(|_| panic!("they ship"));
        assert!(all.flows.len() > 5 && all.runs(&["orders.orders"]));
        let both = Chosen::of(&["customers"]).unwrap_or_else(|_| panic!("it ships"));
        assert_eq!(both.flows, ["customers.customers_to_ledger", "customers.accounts_to_shop"]);
        assert!(Chosen::of(&["orders.order"]).is_err() && Chosen::of(&["order"]).is_err());
    }
}
