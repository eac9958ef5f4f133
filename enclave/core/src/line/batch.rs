//! What goes into one head: register entries, connections that changed, and the answers that wait for it.

use super::Release;
use crate::register::{Register, Snapshot};
use wire::ConnectionId;
use wire::freshness::MAX_NAMES;
use wire::register::{Entry, MAX_ENTRIES};

pub(crate) struct Batch {
    /// Of the register's log, in which the entries are, from the place `first` on.
    pub(super) chapter: u32,
    pub(super) first: u64,
    pub(super) entries: Vec<Entry>,
    pub(super) waiting: Vec<Waiting>,
    /// The register after these entries, once there are later ones.
    closed: Option<Snapshot>,
    bytes: usize,
}

/// An answer, with the connection whose state it changed.
pub(super) struct Waiting {
    pub(super) release: Release,
    pub(super) connection: Option<ConnectionId>,
}

impl Batch {
    pub(super) fn new(chapter: u32, first: u64) -> Batch {
        Batch { chapter, first, entries: Vec::new(), waiting: Vec::new(), closed: None, bytes: 0 }
    }

    /// With the entries of a head that the host never got.
    pub(super) fn again(chapter: u32, first: u64, entries: Vec<Entry>, snapshot: Snapshot) -> Batch {
        Batch { entries, closed: Some(snapshot), ..Batch::new(chapter, first) }
    }

    pub(super) fn has_room(&self, entries: usize) -> bool {
        !self.is_closed()
            && self.entries.len().saturating_add(entries) <= MAX_ENTRIES
            && self.waiting.len() < MAX_NAMES
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    pub(super) fn answers(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The register has these entries now.
    pub(crate) fn note(&mut self, entries: &[Entry]) {
        self.entries.extend_from_slice(entries);
    }

    pub(crate) fn hold(&mut self, release: Release, connection: Option<ConnectionId>) {
        self.bytes = self.bytes.saturating_add(release.bytes());
        self.waiting.push(Waiting { release, connection });
    }

    /// What waits for it, which it does not keep: the entries stay, and what changed is noted elsewhere.
    pub(super) fn give_up(&mut self) -> Vec<Waiting> {
        self.bytes = 0;
        core::mem::take(&mut self.waiting)
    }

    pub(super) fn close(&mut self, register: &Register) {
        self.closed.get_or_insert_with(|| register.snapshot());
    }

    /// The register that its head is of.
    pub(super) fn snapshot(&mut self, register: &Register) -> Snapshot {
        self.closed.take().unwrap_or_else(|| register.snapshot())
    }
}
