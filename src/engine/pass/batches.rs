//! Changes of several records in one call, where the API takes them together. Each record goes its own way, with its own
//! intent and its own outcome: only the call is shared. It goes out when as many are together as it carries, or when no
//! record goes on before it is answered.

use crate::connector::{Answer, CallError, Connector, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// The changes that wait for a call.
#[derive(Default)]
pub(crate) struct Batches(Mutex<State>);

#[derive(Default)]
struct State {
    /// Records under way.
    running: usize,
    /// More of them are about to begin.
    filling: bool,
    waiting: Vec<Waiting>,
}

/// A change, and who waits for what becomes of it.
struct Waiting {
    connection: Arc<str>,
    connector: Arc<dyn Connector>,
    write: Write,
    outcome: oneshot::Sender<Result<Answer, CallError>>,
}

impl Batches {
    /// Records are about to begin: nothing goes out before they have.
    pub(crate) fn fill(&self) {
        self.state(|state| state.filling = true);
    }

    /// So many records are under way, and none begins before one of them has ended.
    pub(crate) fn filled(&self, running: usize) {
        self.state(|state| (state.filling, state.running) = (false, running));
    }

    /// Sends a change with others of its kind. An outcome that nobody knows is one for each of them.
    pub(crate) async fn write(
        &self,
        connection: &Arc<str>,
        connector: &Arc<dyn Connector>,
        write: &Write,
    ) -> Result<Answer, CallError> {
        let (outcome, answered) = oneshot::channel();
        let connector = Arc::clone(connector);
        let waiting = Waiting { connection: Arc::clone(connection), connector, write: write.clone(), outcome };
        self.state(|state| state.waiting.push(waiting));
        let lost = || CallError::Unknown { system: connection.to_string(), reason: "the call broke off".to_owned() };
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Changes the state, and sends what is due then.
    fn state(&self, change: impl FnOnce(&mut State)) {
        let due = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut state);
            state.due()
        };
        for together in due {
            tokio::spawn(send(together));
        }
    }
}

impl State {
    /// What goes out now, those of one kind together.
    fn due(&mut self) -> Vec<Vec<Waiting>> {
        let nobody_goes_on = !self.filling && self.waiting.len() >= self.running;
        let mut due: Vec<Vec<Waiting>> = Vec::new();
        let mut kinds: Vec<Vec<Waiting>> = Vec::new();
        for one in self.waiting.drain(..) {
            let like = |other: &&mut Vec<Waiting>| other[0].is_like(&one);
            match kinds.iter_mut().find(like) {
                Some(kind) => kind.push(one),
                None => kinds.push(vec![one]),
            }
        }
        for kind in kinds {
            let is_full = kind.len() >= kind[0].write.entity.batch.unwrap_or(1) as usize;
            if nobody_goes_on || is_full { due.push(kind) } else { self.waiting.extend(kind) }
        }
        due
    }
}

impl Waiting {
    fn is_like(&self, other: &Self) -> bool {
        self.connection == other.connection && Arc::ptr_eq(&self.write.entity, &other.write.entity)
    }
}

/// One call, or as many as it takes; whoever waits no longer was cancelled, and its intent says so.
async fn send(together: Vec<Waiting>) {
    let Some(first) = together.first() else { return };
    let connector = Arc::clone(&first.connector);
    let writes: Vec<Write> = together.iter().map(|waiting| waiting.write.clone()).collect();
    let outcomes = connector.write_all(&writes).await;
    for (waiting, outcome) in together.into_iter().zip(outcomes) {
        let _ = waiting.outcome.send(outcome);
    }
}
