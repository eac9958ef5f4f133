//! One connection of a caller: the gateway's requests, or `up` borrowing the channel.

use super::lend::Lent;
use super::pending::{NotEntered, Waiting};
use super::{Ended, Shared};
use crate::calls::{DONE, Operation};
use crate::transport::{Calls, Drain, Outbox, Outgoing, TransportError, Unheard, frame};
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;
use wire::Refusal;
use wire::frame::Kind;

/// Answers that one caller has not taken yet: 32 of the largest.
const ANSWERS: usize = 64 << 20;
/// How long requests wait for an enclave that is about to take its line.
const LINE: Duration = Duration::from_secs(2);

/// Serves one connection to its end.
pub async fn serve(shared: Arc<Shared>, unheard: Unheard) -> Result<(), TransportError> {
    let (calls, writer) = unheard.hear().await?;
    let (answers, drain) = Outbox::new(ANSWERS);
    let caller = Caller::new(shared, answers);
    tokio::select! {
        ended = caller.listen(calls) => ended,
        ended = write(writer, drain) => Ok(ended?),
    }
}

async fn write(mut writer: Outgoing, mut drain: Drain) -> io::Result<()> {
    let mut frames = Vec::new();
    while drain.batch(&mut frames).await {
        writer.write_batch(&frames).await?;
    }
    Ok(())
}

struct Caller {
    shared: Arc<Shared>,
    connection: u64,
    answers: Outbox,
}

impl Caller {
    fn new(shared: Arc<Shared>, answers: Outbox) -> Caller {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Caller { shared, connection: NEXT.fetch_add(1, Ordering::Relaxed), answers }
    }

    async fn listen(&self, mut calls: Calls) -> Result<(), TransportError> {
        // Comes back with its return, or with the end of the connection.
        let mut lent: Option<Lent> = None;
        while let Some((operation, stream, body)) = calls.next().await? {
            match operation {
                Operation::Attest
                | Operation::Request
                | Operation::Rewrap
                | Operation::Ceremony
                | Operation::Conclude
                | Operation::Destroy => {
                    self.forward(operation, stream, &body).await?;
                }
                Operation::Cancel => self.cancel(stream),
                Operation::LendChannel => {
                    lent = Some(self.shared.writer.lend().await);
                    self.answer(DONE, stream, &[]);
                }
                Operation::ReturnChannel => {
                    drop(lent.take());
                    // Frames are taken in order: evidence comes when the lent channel's frame was taken.
                    self.forward(Operation::Attest, stream, &body).await?;
                }
                Operation::NewEpoch
                | Operation::TakeLine
                | Operation::Admit
                | Operation::Introduce
                | Operation::AskIdentity
                | Operation::CreateOrganisation
                | Operation::ListOrganisations
                | Operation::Invite
                | Operation::BeginCeremony
                | Operation::AdvanceLine
                | Operation::EgressOpen
                | Operation::EgressSend
                | Operation::EgressClose => unreachable_by_the_table()?,
            }
        }
        Ok(())
    }

    async fn forward(&self, operation: Operation, stream: u32, body: &[u8]) -> Result<(), TransportError> {
        let waiting = Waiting { connection: self.connection, stream, answers: self.answers.clone() };
        let entered = self.pending().enter(waiting);
        match entered {
            Ok(channel) => {
                if !matches!(operation, Operation::Attest | Operation::Ceremony) {
                    self.wait_for_line().await;
                }
                let bytes = frame(operation as u8, channel, body)?;
                self.shared.enclave.send(bytes).await.map_err(|_| broken(Ended::EnclaveGone))?;
            }
            Err(NotEntered::Overloaded) => {
                self.answer(Kind::Refused as u8, stream, &Refusal::Overloaded.number().to_be_bytes());
            }
            Err(NotEntered::InUse) => return Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        }
        Ok(())
    }

    /// An enclave that has just started takes its line in some milliseconds, and refuses what comes before. One that does
    /// not get it says so itself.
    async fn wait_for_line(&self) {
        let mut is_open = self.shared.is_open.subscribe();
        let _ = timeout(LINE, is_open.wait_for(|is_open| *is_open)).await;
    }

    fn cancel(&self, stream: u32) {
        let cancelled = self.pending().cancel(self.connection, stream);
        cancelled.into_iter().for_each(|channel| self.tell_cancelled(channel));
    }

    /// The enclave may do work for nothing when its outbox is full; nothing else depends on it.
    fn tell_cancelled(&self, channel: u32) {
        let _ = frame(Kind::Cancel as u8, channel, &[]).map(|bytes| self.shared.enclave.push(bytes));
    }

    fn answer(&self, number: u8, stream: u32, body: &[u8]) {
        let _ = frame(number, stream, body).map(|bytes: Bytes| self.answers.push(bytes));
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, super::Pending> {
        self.shared.pending.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Caller {
    /// Nobody waits for the answers of a connection that is gone.
    fn drop(&mut self) {
        let cancelled = self.pending().cancel_all(self.connection);
        cancelled.into_iter().for_each(|channel| self.tell_cancelled(channel));
    }
}

fn broken(ended: Ended) -> TransportError {
    io::Error::new(io::ErrorKind::BrokenPipe, ended).into()
}

/// The table lets nobody ask this of the relay; if it ever does, the connection ends.
fn unreachable_by_the_table() -> Result<(), TransportError> {
    Err(io::Error::from(io::ErrorKind::Unsupported).into())
}
