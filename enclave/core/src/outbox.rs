//! Frames for the host that the program has not taken yet.

use crate::limits::{OUTBOX_DEAD, OUTBOX_FULL};
use wire::Refusal;
use wire::frame::{Frame, FrameError, Kind, MAX_FRAME};

#[derive(Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// Something that the host must have had fits no frame.
    is_broken: bool,
}

impl Outbox {
    pub(crate) fn frame(&mut self, kind: Kind, stream: u32, body: &[u8]) -> Result<(), FrameError> {
        Frame::write(kind, stream, body, &mut self.bytes)
    }

    /// Writes what everything after it counts on: if it fits no frame, the enclave ends.
    pub(crate) fn must(&mut self, kind: Kind, stream: u32, body: &[u8]) {
        self.is_broken |= self.frame(kind, stream, body).is_err();
    }

    /// Whether a frame has room for this body.
    pub(crate) fn fits(body: &[u8]) -> bool {
        body.len() < MAX_FRAME - 64
    }

    /// Answers a frame; if the answer is too large for one, by a refusal.
    pub(crate) fn answer(&mut self, kind: Kind, stream: u32, body: &[u8]) {
        if self.frame(kind, stream, body).is_err() {
            self.refuse(stream, Refusal::Internal);
        }
    }

    /// A refusal that nothing can seal: its number and no more.
    pub(crate) fn refuse(&mut self, stream: u32, refusal: Refusal) {
        let written = self.frame(Kind::Refused, stream, &refusal.number().to_be_bytes());
        debug_assert!(written.is_ok(), "two bytes fit");
    }

    /// What another one holds follows.
    pub(crate) fn append(&mut self, mut other: Outbox) {
        self.bytes.append(&mut other.bytes);
        self.is_broken |= other.is_broken;
    }

    /// Whether the host is so far behind that no new work is taken on.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= OUTBOX_FULL
    }

    /// Whether nobody seems to read any more, or what should be read could not be written.
    pub(crate) fn is_dead(&self) -> bool {
        self.bytes.len() >= OUTBOX_DEAD || self.is_broken
    }

    /// Drops everything: whom it was for is gone.
    pub(crate) fn clear(&mut self) {
        self.bytes = Vec::new();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_must_have_and_fits_no_frame_is_the_end() {
        let mut outbox = Outbox::default();
        outbox.must(Kind::Commit, 0, &[0; 1 << 20]);
        assert!(!outbox.is_dead());
        outbox.must(Kind::Commit, 0, &[0; MAX_FRAME]);
        assert!(outbox.is_dead());
    }
}
