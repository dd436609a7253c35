//! The writer: one thread that takes what has gathered at its door and makes it durable in one commit; or whoever asks,
//! in its own turn.

use super::tables::Trouble;
use super::{File, rename, write};
use crate::limits;
use crate::store::rows::{Budget, RefreshTurn, Tokens};
use crate::store::{Commit, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// What the writer is asked.
pub(super) enum Order {
    Commit(Commit),
    BeginRefresh { connection: String, holder: String, now: Timestamp },
    PutTokens { connection: String, tokens: Tokens },
    AbandonRefresh { connection: String, holder: String },
    PutBudget { connection: String, budget: Budget },
    Expire { now: Timestamp },
    Forget { person: String },
    RenameFlow { old: String, new: String },
    RenameConnection { old: String, new: String },
}

/// What it answers.
#[derive(Debug)]
pub(super) enum Reply {
    Done,
    Count(u64),
    Turn(RefreshTurn),
}

/// Who refreshes a login, as it stands in the file.
#[derive(Serialize, Deserialize)]
pub(super) struct Refresher {
    pub(super) holder: String,
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
}

type Request = (Order, oneshot::Sender<Result<Reply, StoreError>>);

/// Who makes orders durable.
pub(super) enum Writer {
    /// A thread, behind this door.
    Thread(Option<mpsc::Sender<Request>>, Option<JoinHandle<()>>),
    /// Whoever asks.
    Asker(Arc<File>),
}

impl Writer {
    pub(super) fn start(file: Arc<File>) -> Result<Self, StoreError> {
        let (orders, waiting) = mpsc::channel(limits::STORE_QUEUE_MAX);
        let path = file.path.to_string();
        let mend = "end other programs, so that the machine has a thread to give";
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || work(&file, waiting))
            .map_err(|e| StoreError::Disk { path, what: e.to_string(), mend })?;
        Ok(Self::Thread(Some(orders), Some(thread)))
    }

    /// Waits until the order is durable, or refused.
    pub(super) async fn ask(&self, order: Order) -> Result<Reply, StoreError> {
        let orders = match self {
            Self::Thread(orders, _) => orders.as_ref().ok_or(StoreError::Closed)?,
            Self::Asker(file) => return guarded(file, &[order])?.pop().unwrap_or(Err(StoreError::Closed)),
        };
        let (reply, answer) = oneshot::channel();
        orders.send((order, reply)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    /// What is under way is committed before the file is let go.
    fn drop(&mut self) {
        let Self::Thread(orders, thread) = self else { return };
        *orders = None;
        if let Some(thread) = thread.take() {
            // A panic there has been answered to whoever asked.
            let _ = thread.join();
        }
    }
}

fn work(file: &File, mut waiting: mpsc::Receiver<Request>) {
    while let Some(first) = waiting.blocking_recv() {
        let mut orders = vec![first.0];
        let mut replies = vec![first.1];
        while orders.len() < limits::STORE_GROUP_MAX {
            let Ok((order, reply)) = waiting.try_recv() else { break };
            orders.push(order);
            replies.push(reply);
        }
        match guarded(file, &orders) {
            Ok(results) => {
                assert_eq!(results.len(), replies.len(), "each order has its answer");
                for (reply, result) in replies.into_iter().zip(results) {
                    // Whoever asked may have gone; it is durable all the same.
                    let _ = reply.send(result);
                }
            }
            Err(error) => {
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }
}

/// What is wrong deep inside the file may come out as a panic there.
fn guarded(file: &File, orders: &[Order]) -> Result<Vec<Result<Reply, StoreError>>, StoreError> {
    catch_unwind(AssertUnwindSafe(|| commit(file, orders))).unwrap_or_else(|_| Err(file.damaged()))
}

/// All orders in one transaction. An order that is refused changes nothing and stops none of the others; trouble with
/// the file stops all.
fn commit(file: &File, orders: &[Order]) -> Result<Vec<Result<Reply, StoreError>>, StoreError> {
    let at = |trouble: Trouble| file.told(trouble);
    let transaction = file.database.begin_write().map_err(|e| at(e.into()))?;
    let mut results = Vec::with_capacity(orders.len());
    for order in orders {
        match perform(file, &transaction, order) {
            Ok(reply) => results.push(Ok(reply)),
            Err(Trouble::Refused(error)) => results.push(Err(error)),
            Err(trouble @ (Trouble::File(_) | Trouble::Value(_))) => return Err(at(trouble)),
        }
    }
    transaction.commit().map_err(|e| at(e.into()))?;
    Ok(results)
}

fn perform(file: &File, transaction: &redb::WriteTransaction, order: &Order) -> Result<Reply, Trouble> {
    let seal = &file.seal;
    match order {
        Order::Commit(changes) => write::commit(transaction, seal, changes).map(|()| Reply::Done),
        Order::BeginRefresh { connection, holder, now } => {
            write::begin_refresh(transaction, connection, holder, *now).map(Reply::Turn)
        }
        Order::PutTokens { connection, tokens } => {
            write::put_tokens(transaction, seal, connection, tokens).map(|()| Reply::Done)
        }
        Order::AbandonRefresh { connection, holder } => {
            write::abandon_refresh(transaction, connection, holder).map(|()| Reply::Done)
        }
        Order::PutBudget { connection, budget } => {
            write::put_budget(transaction, connection, budget).map(|()| Reply::Done)
        }
        Order::Expire { now } => write::expire(transaction, seal, *now).map(Reply::Count),
        Order::Forget { person } => write::forget(transaction, seal, person).map(Reply::Count),
        Order::RenameFlow { old, new } => rename::flow(transaction, seal, old, new).map(|()| Reply::Done),
        Order::RenameConnection { old, new } => rename::connection(transaction, seal, old, new).map(|()| Reply::Done),
    }
}
