//! Keeping what the enclave commits: durable before anybody witnesses it, and before any reply that follows from it
//! (docs/spec/rotation.md §4, docs/spec/freshness.md §4).
//!
//! ```text
//! journal           every commit since the last fold began, whole: what counts after a crash
//! journal.folding   those before it, while they are folded
//! checkpoint        what the enclave goes on from, and the payloads of its head and those before, at the last fold
//! map               the state of every connection, at the last fold
//! kept              what the enclave goes on from when the log grew: for whoever reads the log
//! chapter-N         the entries of chapter N, one after another
//! base-N            the first entries of chapter N, written by whoever concluded chapter N - 1; becomes chapter-N
//! ```
//! An entry beyond the size that `kept` speaks of was cut off by a crash: it is written over.

mod fold;
mod journal;
mod map;
mod store;
#[cfg(test)]
mod tests;

use fold::{Folding, fold};
use journal::Journal;
use map::Map;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use store::Folder;
use wire::Canonical;
use wire::cose::Sign1;
use wire::freshness::{Commit, Found, Leaf, Lookup, MAX_LINKS};
use wire::register::Kept;
use wire::rewrap::Bytes;

/// A journal that is longer is folded into the map; never shorter than the map itself, so that folding stays rare.
const JOURNAL: u64 = 32 << 20;
const WRITTEN: &str = "journal";
const FOLDED: &str = "journal.folding";

/// What the host keeps of the line, in memory and on the disk.
#[derive(Debug)]
pub struct Keeper {
    folder: Folder,
    journal: Journal,
    map: Map,
    last: Last,
    folding: Folding,
}

/// What the enclave goes on from.
#[derive(Clone, Debug, Default)]
struct Last {
    kept: Option<Vec<u8>>,
    /// Payloads of the kept head and of those before it, the latest first.
    heads: VecDeque<Bytes>,
}

impl Keeper {
    /// Keeps in `folder`, which is made when it is not there.
    pub fn open(folder: PathBuf) -> io::Result<Keeper> {
        let folder = Folder::open(folder)?;
        let mut last = folder.last()?;
        // A start before was killed while it folded.
        if folder.path(FOLDED).try_exists()? {
            Journal::open(&folder.path(FOLDED), |body| take(&folder, &mut last, body).map(drop))?;
            fold(&folder, &last)?;
        }
        let mut map = folder.map()?;
        let journal = Journal::open(&folder.path(WRITTEN), |body| {
            set_states(&mut map, &take(&folder, &mut last, body)?)
        })?;
        folder.sync()?;
        if let Some(kept) = &last.kept {
            folder.replace("kept", kept)?;
        }
        Ok(Keeper { folder, journal, map, last, folding: Folding::default() })
    }

    /// What the enclave goes on from; `None`: there is no register yet.
    pub fn kept(&self) -> Option<&[u8]> {
        self.last.kept.as_deref()
    }

    /// Heads before that, the latest first.
    pub fn links(&self) -> Vec<Bytes> {
        self.last.heads.iter().skip(1).cloned().collect()
    }

    /// Keeps a commit, durably. One that is kept already changes nothing: the enclave asks for it again.
    pub fn keep(&mut self, body: &[u8]) -> io::Result<()> {
        let commit = Commit::from_bytes(body).map_err(io::Error::other)?;
        if self.last.kept.as_ref() == Some(&commit.kept) {
            return Ok(());
        }
        let head = head(&commit)?;
        self.journal.append(body)?;
        self.folder.write_entries(&commit)?;
        // Whoever reads the register out looks for the log's size; a change of states alone leaves it.
        if !commit.entries.is_empty() || commit.leaves.is_empty() {
            self.folder.put("kept", &commit.kept)?;
        }
        set_states(&mut self.map, &commit.leaves)?;
        self.last.note(head, commit.kept);
        if !self.folding.is_under_way()? && self.journal.size() > JOURNAL.max(self.folder.map_size()) {
            self.fold()?;
        }
        Ok(())
    }

    /// What is kept under these names, in the map after the last commit.
    pub fn find(&self, lookup: &Lookup) -> Found {
        Found { proofs: lookup.names.iter().map(|name| self.map.proof(&name.0)).collect() }
    }

    /// Goes over to the register that somebody put in this one's place, whole; whether there is one.
    pub fn take_brought(&mut self) -> io::Result<bool> {
        let is_replaced = self.folder.is_replaced();
        if is_replaced {
            self.folding.wait()?;
            *self = Keeper::open(self.folder.path(""))?;
        }
        Ok(is_replaced)
    }

    /// Where it lies.
    pub fn path(&self) -> PathBuf {
        self.folder.path("")
    }

    /// Puts a register that the enclave does not go on from aside: it is evidence, and founding another needs the name.
    pub fn put_aside(&mut self) -> io::Result<PathBuf> {
        self.folding.wait()?;
        let aside = self.folder.put_aside()?;
        *self = Keeper::open(self.folder.path(""))?;
        Ok(aside)
    }

    /// Makes all durable where it belongs, beside the work, and begins the journal anew.
    fn fold(&mut self) -> io::Result<()> {
        self.journal.set_aside(&self.folder.path(WRITTEN), &self.folder.path(FOLDED))?;
        self.folder.sync()?;
        self.folding.begin(self.folder.clone(), self.last.clone());
        Ok(())
    }
}

impl Last {
    /// The same commit may come again, from a journal: what follows its head is noted anew then.
    fn note(&mut self, head: Bytes, kept: Vec<u8>) {
        match self.heads.iter().position(|noted| *noted == head) {
            Some(at) => drop(self.heads.drain(..at)),
            None => self.heads.push_front(head),
        }
        self.heads.truncate(1 + MAX_LINKS);
        self.kept = Some(kept);
    }
}

/// Takes a commit from a journal; what it changed is left to do.
fn take(folder: &Folder, last: &mut Last, body: &[u8]) -> io::Result<Vec<Leaf>> {
    let commit = Commit::from_bytes(body).map_err(io::Error::other)?;
    folder.write_entries(&commit)?;
    last.note(head(&commit)?, commit.kept);
    Ok(commit.leaves)
}

fn set_states(map: &mut Map, leaves: &[Leaf]) -> io::Result<()> {
    let leaves = leaves.iter().map(|leaf| (&leaf.name.0, leaf.state.0.as_slice()));
    map.set_all(leaves).ok_or_else(|| io::Error::other("more connections than can be counted"))
}

/// The payload of a commit's head.
fn head(commit: &Commit) -> io::Result<Bytes> {
    let kept = Kept::from_bytes(&commit.kept).map_err(io::Error::other)?;
    let signed = Sign1::from_bytes(&kept.head.0).map_err(io::Error::other)?;
    Ok(Bytes(signed.payload.ok_or(io::ErrorKind::InvalidData)?.to_vec()))
}
