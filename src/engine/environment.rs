//! What the runner takes from the machine that it runs on, beside its connections and its store: a simulation passes its
//! own, so that a seed decides all of it. Time is the runtime's, which a test may pause.

use std::sync::Arc;

/// What a runner runs on.
#[derive(Clone)]
pub struct Environment {
    ids: Arc<dyn Fn() -> String + Send + Sync>,
}

impl Environment {
    /// A machine whose names for intents are made so: none may come twice in the life of a store.
    pub fn new(ids: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { ids: Arc::new(ids) }
    }

    /// A name that nothing had before.
    pub(crate) fn id(&self) -> String {
        (self.ids)()
    }
}

impl Default for Environment {
    /// This machine.
    fn default() -> Self {
        Self::new(|| uuid::Uuid::new_v4().to_string())
    }
}
