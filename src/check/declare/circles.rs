//! Declarations that lead back to themselves: a mapping that ensures itself would never end, the value of a lookup that
//! needs its own would never be known.

use crate::check::resolve::checker::Checker;
use crate::ir::{Expr, ExprKind, LookupId, MappingId, each, of_mapping};
use crate::limits;
use crate::source::{Diagnostic, Span, codes};
use rustc_hash::FxHashMap;

/// A declaration that others are needed for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Node {
    Lookup(LookupId),
    Mapping(MappingId),
    Flow(usize),
}

/// What leads to another declaration: which, and where it is named.
type Lead = (Node, Span);

impl Checker<'_> {
    /// Tells of mappings, lookups and flows in circles.
    pub(crate) fn tell_circles(&mut self) {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let lookups = (0..self.program.lookups.len()).map(|n| Node::Lookup(LookupId(number(n))));
        let mappings = (0..self.program.mappings.len()).map(|n| Node::Mapping(MappingId(number(n))));
        let flows = (0..self.program.flows.len()).map(Node::Flow);
        let nodes: Vec<Node> = lookups.chain(mappings).chain(flows).collect();
        let leads: FxHashMap<Node, Vec<Lead>> = nodes.iter().map(|node| (*node, self.leads_of(*node))).collect();
        let mut walk = Walk { leads: &leads, seen: FxHashMap::default(), depth: 0, back: Vec::new(), deep: Vec::new() };
        nodes.iter().for_each(|node| walk.from(*node));
        let (back, deep) = (walk.back, walk.deep);
        for (node, span) in back {
            let (name, declared) = self.name_of_node(node);
            match node {
                Node::Lookup(_) => self.needs_itself(&format!("the lookup `{name}`"), span, declared),
                Node::Mapping(_) => self.report(
                    Diagnostic::new(&codes::CYCLE, span, format!("`{name}` needs itself: making it would never end"))
                        .related(declared, "declared here")
                        .help("a record that must be there first can't wait for this one: take one of the two out of the circle"),
                ),
                Node::Flow(_) => self.report(
                    Diagnostic::new(&codes::CYCLE, span, format!("`{name}` runs after itself: there is no order of these flows"))
                        .label("a circle of `after`")
                        .related(declared, "declared here")
                        .help("take one `after` out of the circle"),
                ),
            }
        }
        for (node, span) in deep {
            let (name, _) = self.name_of_node(node);
            self.chain_too_long(&name, span);
        }
    }

    fn leads_of(&self, node: Node) -> Vec<Lead> {
        let mut leads = Vec::new();
        let mut look = |outer: &Expr| {
            each(outer, &mut |e| match &e.kind {
                ExprKind::Ensure(of, _) | ExprKind::Write(of, _) => leads.push((Node::Mapping(*of), e.span)),
                ExprKind::Lookup { lookup, .. } => leads.push((Node::Lookup(*lookup), e.span)),
                _ => {}
            });
        };
        match node {
            Node::Lookup(id) => self.program.lookup(id).rows.iter().for_each(|row| look(&row.value)),
            Node::Mapping(id) => of_mapping(self.program.mapping(id), &mut look),
            Node::Flow(n) => {
                let flows = &self.program.flows;
                let after = flows[n].schedule.after.iter();
                leads.extend(
                    after.filter_map(|(name, at)| Some((Node::Flow(flows.iter().position(|f| f.name == *name)?), *at))),
                );
            }
        }
        leads
    }

    /// What a declaration is called, and where it stands.
    fn name_of_node(&self, node: Node) -> (String, Span) {
        let (full, span) = match node {
            Node::Lookup(id) => (&self.program.lookup(id).name, self.program.lookup(id).span),
            Node::Mapping(id) => (&self.program.mapping(id).name, self.program.mapping(id).span),
            Node::Flow(n) => (&self.program.flows[n].name, self.program.flows[n].span),
        };
        (last(full), span)
    }
}

/// `debtor` of `orders.debtor`.
fn last(full: &str) -> String {
    full.rsplit('.').next().unwrap_or(full).to_owned()
}

/// A walk along what leads where, depth first.
struct Walk<'l> {
    leads: &'l FxHashMap<Node, Vec<Lead>>,
    /// Whether a declaration is done; those that are not are on the way here.
    seen: FxHashMap<Node, bool>,
    depth: usize,
    /// What leads back to a declaration on the way.
    back: Vec<Lead>,
    /// Where the way is too long.
    deep: Vec<Lead>,
}

impl Walk<'_> {
    fn from(&mut self, node: Node) {
        if self.seen.contains_key(&node) {
            return;
        }
        self.seen.insert(node, false);
        self.depth += 1;
        for (to, span) in self.leads.get(&node).into_iter().flatten() {
            match self.seen.get(to) {
                Some(false) => self.back.push((*to, *span)),
                Some(true) => {}
                None if self.depth >= limits::INLINE_DEPTH_MAX => self.deep.push((*to, *span)),
                None => self.from(*to),
            }
        }
        self.depth -= 1;
        self.seen.insert(node, true);
    }
}
