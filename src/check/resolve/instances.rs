//! Uses of modules: each with its own settings, position and links.

use crate::check::resolve::modules::ModuleId;
use crate::syntax::ast;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A module as it is used: with its own settings, position and links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InstanceId(pub(crate) usize);

/// A use of a module under a name.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) module: ModuleId,
    pub(crate) name: Arc<str>,
    /// Whether it is the one that everybody shares.
    pub(crate) shared: bool,
    /// Connector's alias → connection, from `with woo = shop`.
    pub(crate) connections: FxHashMap<String, Arc<str>>,
    /// Module alias → instance, from `with customers = outlet_customers`.
    pub(crate) modules: FxHashMap<String, InstanceId>,
    /// Answers to its settings: name → value and its file's place.
    pub(crate) answers: FxHashMap<String, ast::Entry>,
}
