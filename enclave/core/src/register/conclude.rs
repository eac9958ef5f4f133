//! Concluding a rotation: the host reads the register out twice, and the enclave keeps a few hashes.
//!
//! The first time in the log's order: its tree hash must be the one that was signed, so nothing is dropped, added or
//! altered. The second time sorted by connection, so that each is counted once, by its last entry. That both are the same
//! entries shows in a sum of a keyed function of each entry with its place: the key is random, of this conclusion, and no
//! sum leaves the enclave, so the host cannot look for two sets with one sum. Both sets have every element once: places
//! are counted in the first pass, and ascend strictly with the names in the second.

use aws_lc_rs::hmac;
use core::mem::take;
use verify::merkle::{Digest, Frontier, leaf};
use wire::Refusal;
use wire::consent::Class;
use wire::register::{Backup, Counts, ENTRY, Entry, PLACED, State};

/// Entries that are recorded while a conclusion is under way, and go over behind it: 77 bytes each.
const MAX_SINCE: usize = 1 << 16;

pub(crate) struct Conclusion {
    class: Class,
    epoch: u32,
    size: u64,
    root: Digest,
    key: hmac::Key,
    log: Frontier,
    sums: [Sum; 2],
    sorted: u64,
    last: Option<([u8; 32], u64)>,
    /// What is known of the connection whose entries are being read.
    connection: Option<Entry>,
    tree: Frontier,
    counts: Counts,
    others: u64,
    without_backup: u64,
    since: Vec<Entry>,
}

/// What a conclusion comes to.
pub(crate) struct Done {
    pub(crate) class: Class,
    pub(crate) epoch: u32,
    pub(crate) tree: Frontier,
    pub(crate) counts: Counts,
    /// Connections of other classes.
    pub(crate) others: u64,
    /// Of the absent ones, wallets whose words nobody has shown to have.
    pub(crate) without_backup: u64,
    pub(crate) since: Vec<Entry>,
}

/// Of 256-bit numbers, bit by bit.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Sum([u8; 32]);

impl Conclusion {
    /// Over a log of `size` entries with the tree hash `root`; `key` is 32 random bytes.
    pub(crate) fn new(class: Class, epoch: u32, size: u64, root: Digest, key: &[u8; 32]) -> Conclusion {
        Conclusion {
            class,
            epoch,
            size,
            root,
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            log: Frontier::default(),
            sums: [Sum::default(); 2],
            sorted: 0,
            last: None,
            connection: None,
            tree: Frontier::default(),
            counts: Counts::default(),
            others: 0,
            without_backup: 0,
            since: Vec::new(),
        }
    }

    /// Remembers what is recorded meanwhile; `false` when it is too much.
    pub(crate) fn note(&mut self, entries: &[Entry]) -> bool {
        self.since.extend_from_slice(entries);
        self.since.len() <= MAX_SINCE
    }

    /// Takes the next entries of the log; how many there were so far.
    pub(crate) fn take_log(&mut self, bytes: &[u8]) -> Result<u64, Refusal> {
        let (entries, rest) = bytes.as_chunks::<ENTRY>();
        if !rest.is_empty() || self.sorted > 0 {
            return Err(Refusal::Malformed);
        }
        for entry in entries {
            if self.log.size() >= self.size {
                return Err(Refusal::RegisterMismatch);
            }
            self.add(0, self.log.size(), entry)?;
            self.log.push(leaf(entry));
        }
        Ok(self.log.size())
    }

    /// Takes the next entries in the order of names and places; how many there were so far.
    pub(crate) fn take_sorted(&mut self, bytes: &[u8]) -> Result<u64, Refusal> {
        if self.log.size() != self.size || self.log.root() != self.root {
            return Err(Refusal::RegisterMismatch);
        }
        let (placed, rest) = bytes.as_chunks::<PLACED>();
        if !rest.is_empty() {
            return Err(Refusal::Malformed);
        }
        for placed in placed {
            let (place, entry) = placed.split_first_chunk::<8>().ok_or(Refusal::Malformed)?;
            let entry: &[u8; ENTRY] = entry.try_into().map_err(|_| Refusal::Malformed)?;
            self.take_one(u64::from_be_bytes(*place), entry)?;
        }
        Ok(self.sorted)
    }

    fn take_one(&mut self, place: u64, bytes: &[u8; ENTRY]) -> Result<(), Refusal> {
        let entry = Entry::from_bytes(bytes).ok_or(Refusal::Malformed)?;
        let key = (entry.name, place);
        if self.last.is_some_and(|last| last >= key) {
            return Err(Refusal::RegisterMismatch);
        }
        self.add(1, place, bytes)?;
        self.sorted = self.sorted.saturating_add(1);
        if self.last.is_some_and(|(name, _)| name != entry.name) {
            self.close();
        }
        self.last = Some(key);
        self.connection = Some(match self.connection.take() {
            Some(known) => known.newer(entry),
            None => entry,
        });
        Ok(())
    }

    /// Counts the connection whose entries were read.
    fn close(&mut self) {
        let Some(entry) = self.connection.take() else { return };
        let Counts { held, rewrapped, revoked, absent } = &mut self.counts;
        let count = match entry.state {
            _ if entry.class != self.class => &mut self.others,
            State::Revoked => revoked,
            State::Moved => held,
            _ if entry.epoch <= self.epoch => {
                let is_lost = entry.backup == Backup::Missing;
                self.without_backup = self.without_backup.saturating_add(u64::from(is_lost));
                absent
            }
            State::Held => held,
            State::Rewrapped => rewrapped,
        };
        *count = count.saturating_add(1);
        self.tree.push(leaf(&entry.to_bytes()));
    }

    /// What it comes to, if the same entries were read out twice.
    pub(crate) fn finish(mut self: Box<Self>) -> Result<Done, Refusal> {
        let is_whole = self.log.size() == self.size && self.log.root() == self.root;
        let [log, sorted] = self.sums;
        if !is_whole || self.sorted != self.size || log != sorted {
            return Err(Refusal::RegisterMismatch);
        }
        self.close();
        let (tree, since) = (take(&mut self.tree), take(&mut self.since));
        Ok(Done {
            class: self.class,
            epoch: self.epoch,
            tree,
            counts: self.counts,
            others: self.others,
            without_backup: self.without_backup,
            since,
        })
    }

    fn add(&mut self, pass: usize, place: u64, entry: &[u8; ENTRY]) -> Result<(), Refusal> {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&place.to_be_bytes());
        context.update(entry);
        let tag = context.sign();
        let sum = self.sums.get_mut(pass).ok_or(Refusal::Internal)?;
        sum.0.iter_mut().zip(tag.as_ref()).for_each(|(sum, byte)| *sum ^= byte);
        Ok(())
    }
}
