//! The threads that do what callers ask for. There are so many of them, and so many requests wait; further ones are refused.

use super::owner::Agent;
use super::turns::busy;
use crate::client::failure::{Failure, Result};
use crate::client::terminal::say;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

/// One that waits for a provider costs a thread and a connection to the server.
pub const THREADS: usize = 32;
const WAITING: usize = 64;

type Job = Box<dyn FnOnce(&Agent<'_>) + Send>;

/// Where work is left. The threads end when the last handle is gone.
#[derive(Clone, Debug)]
pub struct Workers(SyncSender<Job>);

/// Where the threads find it.
pub struct Jobs(Mutex<Receiver<Job>>);

pub fn queue() -> (Workers, Jobs) {
    let (sender, receiver) = sync_channel(WAITING);
    (Workers(sender), Jobs(Mutex::new(receiver)))
}

impl Workers {
    /// Has it done, unless whoever asked is gone before it is begun. What was begun is carried to its end.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Agent<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |agent| {
            if !answer.is_closed() {
                let _ = answer.send(work(agent));
            }
        });
        match self.0.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(busy("too many requests wait")),
            Err(TrySendError::Disconnected(_)) => return Err(busy("it is ending")),
        }
        answered.await.unwrap_or_else(|_| Err(Failure::internal("the agent failed; its log says more")))
    }
}

impl Jobs {
    /// One job after another, until nobody can leave one.
    pub fn work(&self, agent: &Agent<'_>) {
        loop {
            let job = self.0.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { return };
            // A fault in one request takes no thread from the others: what it held is given back as it unwinds.
            if catch_unwind(AssertUnwindSafe(|| job(agent))).is_err() {
                say("tensfer agent: a request failed in a way that nobody expected");
            }
        }
    }
}
