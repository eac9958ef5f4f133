//! The enclave's channel: one writer, which keeps the claimed time fresh, and one reader, which waits for nobody.

use super::egress::Egress;
use super::register::Keeper;
use super::{Ended, Shared};
use crate::calls::Role;
use crate::log;
use crate::transport::{Drain, Message, Reader, frame};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::AsyncRead;
use tokio::time::{MissedTickBehavior, interval};
use wire::Refusal;
use wire::frame::Kind;

/// The enclave hears the time at least this often.
const TIME: Duration = Duration::from_millis(250);
/// The stream of the frame that resumes the register: callers' begin at 1.
pub const RESUME: u32 = 0;
/// Nothing is written after a time older than this.
const STALE: Duration = Duration::from_millis(20);

/// Writes what the outbox holds, each batch after a fresh claim of the time.
pub async fn write(shared: Arc<Shared>, mut drain: Drain) -> Ended {
    let mut ticks = interval(TIME);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: Option<Instant> = None;
    let mut frames = Vec::new();
    loop {
        tokio::select! {
            more = drain.batch(&mut frames) => if !more { return Ended::EnclaveGone },
            _ = ticks.tick() => frames.clear(),
        }
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
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    frame(Kind::Time as u8, 0, &millis.to_be_bytes()).unwrap_or_default()
}

/// Hands on what the enclave writes.
pub async fn read(
    shared: Arc<Shared>,
    mut channel: Reader<impl AsyncRead + Unpin>,
    mut egress: Egress,
    keeper: Keeper,
) -> Ended {
    let mut awaits_roots = false;
    loop {
        let Message { number, stream, body } = match channel.next().await {
            Ok(Some(message)) => message,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return Ended::EnclaveGarbage,
            Ok(None) | Err(_) => return Ended::EnclaveGone,
        };
        match Kind::from_number(number) {
            Some(Kind::Recorded) => {
                if let Err(error) = keeper.keep(&body) {
                    return Ended::NotKept(error);
                }
            }
            Some(Kind::Refused) if stream == RESUME => {
                awaits_roots = is_unprovisioned(&body);
                if !awaits_roots && let Err(error) = begin_anew(&keeper) {
                    return Ended::NotKept(error);
                }
            }
            // The enclave may have its roots from now on: the register goes to it before anything that is sealed to it.
            Some(Kind::CeremonyAnswer) => {
                if std::mem::take(&mut awaits_roots)
                    && let Err(error) = super::resume(&shared, &keeper)
                {
                    return Ended::NotKept(error);
                }
                answer(&shared, number, stream, &body);
            }
            Some(
                Kind::Evidence
                | Kind::Reply
                | Kind::Refused
                | Kind::Rewrapped
                | Kind::Concluded
                | Kind::Destroyed,
            ) => {
                answer(&shared, number, stream, &body);
            }
            Some(Kind::EgressOpen | Kind::EgressSend | Kind::EgressClose) => {
                if let Err(ended) = egress.call(number, stream, &body) {
                    return ended;
                }
            }
            Some(_) | None => return Ended::EnclaveGarbage,
        }
    }
}

/// Operators have yet to release the roots.
fn is_unprovisioned(refusal: &[u8]) -> bool {
    refusal == Refusal::NotProvisioned.number().to_be_bytes()
}

/// The enclave does not go on with the register: it is of other roots, or was tampered with.
fn begin_anew(keeper: &Keeper) -> std::io::Result<()> {
    let aside = keeper.put_aside()?;
    log::line(
        Role::Relay,
        format_args!("the enclave refused the register: it lies in {}, another is begun", aside.display()),
    );
    Ok(())
}

fn answer(shared: &Shared, number: u8, channel: u32, body: &[u8]) {
    let waiting = shared.pending.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).answered(channel);
    let Some(waiting) = waiting else { return };
    if let Ok(bytes) = frame(number, waiting.stream, body) {
        // A caller that takes no answers loses them: its connection is closed, or will be.
        let _ = waiting.answers.push(bytes);
    }
}
