//! Frames for the host that the program has not taken yet.

use crate::limits::{OUTBOX_DEAD, OUTBOX_FULL};
use wire::Refusal;
use wire::frame::{Frame, FrameError, Kind};

#[derive(Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
}

impl Outbox {
    pub(crate) fn frame(&mut self, kind: Kind, stream: u32, body: &[u8]) -> Result<(), FrameError> {
        Frame::write(kind, stream, body, &mut self.bytes)
    }

    /// A refusal that nothing can seal: its number and no more.
    pub(crate) fn refuse(&mut self, stream: u32, refusal: Refusal) {
        let written = self.frame(Kind::Refused, stream, &refusal.number().to_be_bytes());
        debug_assert!(written.is_ok(), "two bytes fit");
    }

    /// Whether the host is so far behind that no new work is taken on.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= OUTBOX_FULL
    }

    /// Whether nobody seems to read any more.
    pub(crate) fn is_dead(&self) -> bool {
        self.bytes.len() >= OUTBOX_DEAD
    }

    /// Moves everything to `out`, whose allocation serves the next round.
    pub(crate) fn take(&mut self, out: &mut Vec<u8>) {
        if out.is_empty() {
            core::mem::swap(&mut self.bytes, out);
        } else {
            out.append(&mut self.bytes);
        }
    }
}
