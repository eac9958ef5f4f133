//! The cell from which rustls reads the time that the core passes in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use wire::UnixMillis;

/// The time at which rustls judges certificates: the last one that the core passed in.
///
/// Never set means 1970, at which no certificate is valid: it fails closed. The cell is shared by the
/// connections of one [`Trust`](super::Trust); a connection sets it right before it lets rustls work, so two
/// threads can at most swap two moments that the core vouched for at the same instant.
#[derive(Debug, Default)]
pub(super) struct ClaimedClock(AtomicU64);

impl ClaimedClock {
    pub(super) fn set(&self, now: UnixMillis) {
        self.0.store(now.0, Ordering::Relaxed);
    }
}

impl TimeProvider for ClaimedClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0.load(Ordering::Relaxed))))
    }
}
