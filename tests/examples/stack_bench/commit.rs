//! What it takes to commit a head: an owner inspects their connection, which waits for the host's journal and a witness,
//! and asks the same with a wrong share, which is refused under the same seal without a head. The difference is the
//! commit, and some tens of microseconds in which the enclave checks a signature and opens an envelope.
//!
//! The floor is what has to be on this disk before: an append to a file and its `fdatasync` (the journal), and a file
//! that is written beside, synced, renamed over, and its folder synced (the witness).

use crate::account;
use crate::client::Enclave;
use crate::owner::{Owner, lines, link_all};
use serde::Serialize;
use stack::{Folder, Stack};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use wire::operation::{Nothing, Op};
use wire::{Canonical, Refusal};

const ROUNDS: usize = 300;
/// Of a commit of one connection in the journal, and of a witness's memory of one line, about.
const RECORD: usize = 700;
const MEMORY: usize = 160;

#[derive(Serialize)]
pub struct Report {
    rounds: usize,
    /// Medians, microseconds.
    committed_us: i128,
    uncommitted_us: i128,
    /// Of the differences of each round.
    commit_us: i128,
    commit_p90_us: i128,
    floor_us: i128,
}

struct Round {
    committed: i128,
    uncommitted: i128,
    floor: i128,
}

pub fn measure() -> Report {
    let folder = Folder::new();
    let stack = Stack::start_with(&folder.join("data"), &["--unlimited", "--load-accounts", "1"]);
    let enclave = Enclave::verify(&stack);
    let mut owners: Vec<Owner> = account::generated(1).into_iter().map(Owner::new).collect();
    link_all(&enclave, stack.port(), &mut owners);
    let (mut owner, mut line) = (owners.remove(0), lines(stack.port(), 1).remove(0));
    let mut disk = Disk::new(folder.path());
    let mut ask = |owner: &mut Owner, refused: Option<Refusal>| {
        let start = Instant::now();
        let sent = enclave.seal(owner, Op::Inspect, &Nothing {}.to_bytes());
        line.send(&sent.bytes);
        let response = line.receive();
        let took = micros(start);
        match refused {
            Some(refusal) => assert_eq!(enclave.refusal(&sent, &response), Some(refusal)),
            None => drop(enclave.open(owner, &sent, &response)),
        }
        took
    };
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let committed = ask(&mut owner, None);
        owner.share[0] ^= 1;
        let uncommitted = ask(&mut owner, Some(Refusal::EnvelopeRefused));
        owner.share[0] ^= 1;
        rounds.push(Round { committed, uncommitted, floor: disk.sync() });
    }
    Report {
        rounds: rounds.len(),
        committed_us: at(50, rounds.iter().map(|round| round.committed)),
        uncommitted_us: at(50, rounds.iter().map(|round| round.uncommitted)),
        commit_us: at(50, rounds.iter().map(|round| round.committed - round.uncommitted)),
        commit_p90_us: at(90, rounds.iter().map(|round| round.committed - round.uncommitted)),
        floor_us: at(50, rounds.iter().map(|round| round.floor)),
    }
}

/// The same folder's disk, written to by nobody in between.
struct Disk<'f> {
    folder: &'f Path,
    journal: File,
}

impl Disk<'_> {
    fn new(folder: &Path) -> Disk<'_> {
        let journal = OpenOptions::new().create(true).append(true).open(folder.join("journal"));
        Disk { folder, journal: journal.expect("a new file") }
    }

    fn sync(&mut self) -> i128 {
        let start = Instant::now();
        self.journal.write_all(&[7; RECORD]).expect("the disk has room");
        self.journal.sync_data().expect("the disk syncs");
        let (beside, memory) = (self.folder.join("memory.new"), self.folder.join("memory"));
        let mut file = File::create(&beside).expect("a new file");
        file.write_all(&[7; MEMORY]).expect("the disk has room");
        file.sync_all().expect("the disk syncs");
        std::fs::rename(beside, memory).expect("a file that was just written");
        File::open(self.folder).and_then(|folder| folder.sync_all()).expect("a folder");
        micros(start)
    }
}

fn micros(start: Instant) -> i128 {
    i128::try_from(start.elapsed().as_micros()).expect("less than an aeon")
}

/// The value below which so many per cent lie.
fn at(percent: usize, values: impl Iterator<Item = i128>) -> i128 {
    let mut values: Vec<i128> = values.collect();
    values.sort_unstable();
    values[values.len() * percent / 100]
}
