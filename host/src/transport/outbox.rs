//! Bytes on their way to one writer, never more than a budget of them.

use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, TryAcquireError};

/// Frames that one batch takes together, at most.
const BATCH: usize = 64;

/// Why bytes were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The budget is spent.
    Full,
    /// Nobody writes any more.
    Closed,
}

/// The side that fills; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    sender: UnboundedSender<Bytes>,
    budget: Arc<Semaphore>,
    /// The whole budget, in bytes.
    most: usize,
}

/// The side that writes.
#[derive(Debug)]
pub struct Drain {
    receiver: UnboundedReceiver<Bytes>,
    budget: Arc<Semaphore>,
    taken: usize,
}

impl Outbox {
    /// Holds at most `most` bytes; a single item that is larger is refused.
    pub fn new(most: usize) -> (Outbox, Drain) {
        let (sender, receiver) = unbounded_channel();
        let budget = Arc::new(Semaphore::new(most));
        (Outbox { sender, budget: Arc::clone(&budget), most }, Drain { receiver, budget, taken: 0 })
    }

    /// Adds without waiting: for directions that must never stand still, or two processes wait for each other.
    pub fn push(&self, bytes: Bytes) -> Result<(), NotTaken> {
        let permit = self.budget.try_acquire_many(self.cost(&bytes)?).map_err(|error| match error {
            TryAcquireError::NoPermits => NotTaken::Full,
            TryAcquireError::Closed => NotTaken::Closed,
        })?;
        permit.forget();
        self.sender.send(bytes).map_err(|_| NotTaken::Closed)
    }

    /// Waits for room: back-pressure on whoever fills.
    pub async fn send(&self, bytes: Bytes) -> Result<(), NotTaken> {
        let permit = self.budget.acquire_many(self.cost(&bytes)?).await.map_err(|_| NotTaken::Closed)?;
        permit.forget();
        self.sender.send(bytes).map_err(|_| NotTaken::Closed)
    }

    fn cost(&self, bytes: &Bytes) -> Result<u32, NotTaken> {
        u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= self.most).ok_or(NotTaken::Full)
    }
}

impl Drain {
    /// The next items, in order, or none when every [`Outbox`] is gone. Asking again gives back the room of those
    /// before: ask when they are written. Cancelling it loses nothing.
    pub async fn batch(&mut self, items: &mut Vec<Bytes>) -> bool {
        items.clear();
        self.budget.add_permits(std::mem::take(&mut self.taken));
        if self.receiver.recv_many(items, BATCH).await == 0 {
            return false;
        }
        self.taken = items.iter().map(Bytes::len).sum();
        true
    }
}

impl Drop for Drain {
    /// Whoever waits for room learns that none will come.
    fn drop(&mut self) {
        self.budget.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_comes_back_when_the_batch_is_written() {
        let (outbox, mut drain) = Outbox::new(10);
        let mut items = Vec::new();
        outbox.push(Bytes::from_static(&[0; 10])).unwrap();
        assert_eq!(outbox.push(Bytes::from_static(&[0])), Err(NotTaken::Full));
        assert!(drain.batch(&mut items).await);
        assert_eq!(outbox.push(Bytes::from_static(&[0])), Err(NotTaken::Full));
        let (more, ()) = tokio::join!(drain.batch(&mut items), async {
            outbox.send(Bytes::from_static(&[0; 10])).await.unwrap();
        });
        assert!(more && items.len() == 1);
    }

    #[tokio::test]
    async fn a_lost_writer_ends_the_wait_for_room() {
        let (outbox, drain) = Outbox::new(1);
        outbox.push(Bytes::from_static(&[0])).unwrap();
        let waiting = outbox.send(Bytes::from_static(&[0]));
        drop(drain);
        assert_eq!(waiting.await, Err(NotTaken::Closed));
        assert_eq!(outbox.push(Bytes::new()), Err(NotTaken::Closed));
    }
}
