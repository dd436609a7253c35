//! The values in scope, the innermost last, and where each name stands among them.

use crate::ir::{LocalId, Type};
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Values in scope.
#[derive(Clone, Default)]
pub(crate) struct Names {
    list: Vec<Local>,
    places: FxHashMap<Arc<str>, Vec<usize>>,
}

impl Names {
    pub(crate) fn push(&mut self, local: Local) {
        self.places.entry(Arc::clone(&local.name)).or_default().push(self.list.len());
        self.list.push(local);
    }

    pub(crate) fn last(&self) -> Option<&Local> {
        self.list.last()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Local> {
        self.list.iter()
    }

    /// The innermost value of that name.
    pub(crate) fn named(&self, name: &str) -> Option<&Local> {
        self.places.get(name)?.last().map(|n| &self.list[*n])
    }

    /// Forgets what was named since there were so many.
    pub(crate) fn truncate(&mut self, len: usize) {
        for local in self.list.drain(len..).rev() {
            if let Some(places) = self.places.get_mut(&local.name) {
                places.pop();
            }
        }
    }
}

impl FromIterator<Local> for Names {
    fn from_iter<T: IntoIterator<Item = Local>>(locals: T) -> Self {
        let mut names = Self::default();
        locals.into_iter().for_each(|local| names.push(local));
        names
    }
}

/// A value with a name.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub(crate) name: Arc<str>,
    pub(crate) id: LocalId,
    pub(crate) ty: Type,
    pub(crate) span: Span,
}
