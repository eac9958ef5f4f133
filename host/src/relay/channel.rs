//! The enclave's channel: one writer, which keeps the claimed time fresh, and one reader, which waits for nobody.

use super::egress::Egress;
use super::line::Line;
use super::{Ended, Shared};
use crate::clock;
use crate::transport::{Drain, Message, Reader, frame};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncRead;
use tokio::time::{MissedTickBehavior, interval};
use wire::frame::Kind;

/// The enclave hears the time at least this often.
const TIME: Duration = Duration::from_millis(250);
/// The stream of what is said of the line: callers' begin at 1.
pub const LINE: u32 = 0;
/// Nothing is written after a time older than this.
const STALE: Duration = Duration::from_millis(20);

/// Writes what the outboxes hold, each batch after a fresh claim of the time.
pub async fn write(shared: Arc<Shared>, mut drain: Drain, mut urgent: Drain) -> Ended {
    let mut ticks = interval(TIME);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: Option<Instant> = None;
    let (mut frames, mut answers) = (Vec::new(), Vec::new());
    loop {
        tokio::select! {
            more = urgent.batch(&mut answers) => if more { frames.clear() } else { return Ended::EnclaveGone },
            more = drain.batch(&mut frames) => if more { answers.clear() } else { return Ended::EnclaveGone },
            _ = ticks.tick() => { frames.clear(); answers.clear() }
        }
        frames.append(&mut answers);
        if frames.is_empty() || told.is_none_or(|at| at.elapsed() > STALE) {
            told = Some(Instant::now());
            frames.insert(0, time());
        }
        if shared.writer.write(&frames).await.is_err() {
            return Ended::EnclaveGone;
        }
    }
}

/// What this host claims the time to be. Nobody has to believe it.
fn time() -> Bytes {
    frame(Kind::Time as u8, 0, &clock::now().0.to_be_bytes()).unwrap_or_default()
}

/// Hands on what the enclave writes.
pub async fn read(
    shared: Arc<Shared>,
    mut channel: Reader<impl AsyncRead + Unpin>,
    mut egress: Egress,
    line: Line,
) -> Ended {
    loop {
        let Message { number, stream, body } = match channel.next().await {
            Ok(Some(message)) => message,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Ended::EnclaveGarbage,
            Ok(None) | Err(_) => return Ended::EnclaveGone,
        };
        let done = match Kind::from_number(number) {
            Some(Kind::Take) => line.take(&body),
            Some(Kind::Lookup) => line.find(stream, &body),
            Some(Kind::Commit) => line.commit(&body),
            Some(Kind::Refused) if stream == LINE => line.refused(&body),
            Some(
                Kind::Evidence
                | Kind::Reply
                | Kind::Refused
                | Kind::Rewrapped
                | Kind::Concluded
                | Kind::Destroyed
                | Kind::CeremonyAnswer,
            ) => {
                answer(&shared, number, stream, &body);
                Ok(())
            }
            Some(Kind::EgressOpen | Kind::EgressSend | Kind::EgressClose) => {
                egress.call(number, stream, &body)
            }
            Some(_) | None => Err(Ended::EnclaveGarbage),
        };
        if let Err(ended) = done {
            return ended;
        }
    }
}

fn answer(shared: &Shared, number: u8, channel: u32, body: &[u8]) {
    let waiting = shared.pending.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).answered(channel);
    let Some(waiting) = waiting else { return };
    if let Ok(bytes) = frame(number, waiting.stream, body) {
        // A caller that takes no answers loses them: its connection is closed, or will be.
        let _ = waiting.answers.push(bytes);
    }
}
