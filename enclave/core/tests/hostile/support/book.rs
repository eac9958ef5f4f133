//! What a host keeps of the register, and how it reads it out.

use super::machine::{Answer, Machine};
use std::collections::BTreeMap;
use verify::merkle::{audit_path, leaf};
use wire::frame::Kind;
use wire::register::{Conclude, Concluded, Destroy, Destroyed, ENTRY, Entry, Head, Kept, Proof, State};
use wire::{Canonical, Refusal};

const STREAM: u32 = 40_000;
/// Few at a time, so that every pass takes several frames.
const CHUNK: usize = 7;

#[derive(Clone, Default)]
pub struct Book {
    pub entries: Vec<[u8; ENTRY]>,
    pub kept: Option<Vec<u8>>,
    pub chapter: u32,
}

impl Book {
    /// Keeps everything that was recorded so far.
    pub fn keep(&mut self, machine: &mut Machine) {
        for recorded in std::mem::take(&mut machine.keeper.commits) {
            if recorded.chapter != self.chapter && self.chapter != 0 {
                self.entries = self.compacted();
            }
            self.chapter = recorded.chapter;
            self.entries.truncate(usize::try_from(recorded.first).unwrap());
            assert_eq!(self.entries.len() as u64, recorded.first, "nothing is left out");
            let (entries, rest) = recorded.entries.as_chunks::<ENTRY>();
            assert!(rest.is_empty());
            self.entries.extend_from_slice(entries);
            self.kept = Some(recorded.kept);
        }
    }

    pub fn head(&self) -> Head {
        let kept = Kept::from_bytes(self.kept.as_ref().unwrap()).unwrap();
        let signed = wire::cose::Sign1::from_bytes(&kept.head.0).unwrap();
        Head::from_bytes(signed.payload.unwrap()).unwrap()
    }

    /// Each connection once, by the rule of docs/spec/rotation.md §3, written anew here.
    pub fn compacted(&self) -> Vec<[u8; ENTRY]> {
        let mut by_name = BTreeMap::<[u8; 32], Vec<Entry>>::new();
        for entry in self.entries.iter().map(|bytes| Entry::from_bytes(bytes).unwrap()) {
            by_name.entry(entry.name).or_default().push(entry);
        }
        let each = by_name.into_values().map(|entries| {
            let newest = entries.iter().map(|entry| entry.generation).max();
            let revoked = entries.iter().find(|entry| entry.state == State::Revoked);
            let last = entries.iter().rfind(|entry| Some(entry.generation) == newest);
            let backup = entries.iter().map(|entry| entry.backup).max().unwrap();
            Entry { backup, ..*revoked.or(last).unwrap() }.to_bytes()
        });
        each.collect()
    }

    /// Every entry with its place, by name, then place.
    pub fn sorted(&self) -> Vec<Vec<u8>> {
        let mut sorted: Vec<(u64, [u8; ENTRY])> = (0..).zip(self.entries.iter().copied()).collect();
        sorted.sort_by_key(|(place, entry)| (entry[..32].to_vec(), *place));
        sorted.into_iter().map(|(place, entry)| [&place.to_be_bytes()[..], &entry].concat()).collect()
    }

    /// Reads the register out as it is: the signed statement.
    pub fn conclude(&mut self, machine: &mut Machine, epoch: u32) -> Result<Vec<u8>, Refusal> {
        let log = self.entries.iter().map(|entry| entry.to_vec()).collect();
        let concluded = read_out(machine, epoch, log, self.sorted());
        self.keep(machine);
        concluded
    }

    /// The proof of the connection with this name, in the tree of the statement that ended the chapter before.
    pub fn proof(&self, name: &[u8; 32], size: u64) -> Option<Proof> {
        let base = &self.entries[..usize::try_from(size).unwrap()];
        let index = base.iter().position(|entry| entry.starts_with(name))?;
        let leaves: Vec<[u8; 32]> = base.iter().map(|entry| leaf(entry)).collect();
        let path = audit_path(&leaves, index).unwrap();
        Some(Proof { version: 1, entry: base[index].to_vec(), index: index as u64, size, path })
    }
}

/// Both passes about class `any`, whatever they are; the signed statement.
pub fn read_out(
    machine: &mut Machine,
    epoch: u32,
    log: Vec<Vec<u8>>,
    sorted: Vec<Vec<u8>>,
) -> Result<Vec<u8>, Refusal> {
    read_out_of(machine, wire::consent::Class::Any, epoch, log, sorted)
}

pub fn read_out_of(
    machine: &mut Machine,
    class: wire::consent::Class,
    epoch: u32,
    log: Vec<Vec<u8>>,
    sorted: Vec<Vec<u8>>,
) -> Result<Vec<u8>, Refusal> {
    step(machine, &Conclude::Begin(epoch, class))?;
    for chunk in log.chunks(CHUNK) {
        step(machine, &Conclude::Log(chunk.concat()))?;
    }
    for chunk in sorted.chunks(CHUNK) {
        step(machine, &Conclude::Sorted(chunk.concat()))?;
    }
    Ok(step(machine, &Conclude::Finish)?.statement.unwrap().0)
}

pub fn step(machine: &mut Machine, step: &Conclude) -> Result<Concluded, Refusal> {
    ask(machine, Kind::Conclude, &step.to_bytes()).map(|body| Concluded::from_bytes(&body).unwrap())
}

/// Destroys as a program does that has leave for so many.
pub fn destroy(machine: &mut Machine, epoch: u32, absent: u64) -> Result<Destroyed, Refusal> {
    destroy_of(machine, wire::consent::Class::Any, epoch, absent)
}

pub fn destroy_of(
    machine: &mut Machine,
    class: wire::consent::Class,
    epoch: u32,
    absent: u64,
) -> Result<Destroyed, Refusal> {
    let body = Destroy { epoch, absent, class }.to_bytes();
    machine.enclave.destroy_epoch(STREAM, &body, enclave::Leave::dangerous_of_simulation(absent));
    machine.collect();
    answer(machine).map(|body| Destroyed::from_bytes(&body).unwrap())
}

fn ask(machine: &mut Machine, kind: Kind, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    machine.frame(kind, STREAM, body);
    answer(machine)
}

fn answer(machine: &mut Machine) -> Result<Vec<u8>, Refusal> {
    match machine.answer(STREAM) {
        Answer::Reply(body) => Ok(body),
        Answer::Refused(refusal) => Err(refusal),
        Answer::Nothing => panic!("no answer"),
    }
}
