//! What this device knows of the receipts of a realm's connections, written down as it happens: one file, a line each time.
//!
//! A command that asks a hundred accounts notes that each request leaves and what each receipt said. What several threads
//! note at the same time is written and made durable together. Format: `docs/spec/client.md`, section 3.

use super::files;
use super::realm::Realm;
use super::receipts::Receipts;
use super::record::connection_id;
use crate::client::failure::{Failure, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use wire::ConnectionId;

const FORMAT: &str = "tensfer receipts";
const VERSION: u8 = 1;
/// Bytes from which on it is written anew, with the last line of each connection; it is also twice as long by then as it
/// was when that was done last.
const LONG: usize = 512 << 10;
/// More than a line of 3 KiB, twice, for each of 8,192 connections.
const MAX: u64 = 64 << 20;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u8,
    realm: Realm,
}

/// Any other line: as things are with one connection from now on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(with = "connection_id")]
    connection: ConnectionId,
    receipts: Receipts,
}

/// The file of one realm. Several threads may note in it.
pub struct Ledger {
    path: PathBuf,
    realm: Realm,
    state: Mutex<State>,
    written: Condvar,
}

struct State {
    latest: BTreeMap<ConnectionId, Receipts>,
    /// Lines that nobody writes yet, and the number of the batch that they are.
    waiting: Vec<u8>,
    batch: u64,
    /// Batches before this one are durable.
    durable: u64,
    pen: Pen,
}

/// One thread writes at a time, for all that wait.
enum Pen {
    Free(Writer),
    Taken,
    /// Whether what was written is durable is not known: nothing more leaves in this command.
    Broken(Failure),
}

struct Writer {
    /// `None`: the file is missing or ends in the middle of a line, and is written anew.
    file: Option<File>,
    length: usize,
    /// Its length after it was written anew; 0: not by this command.
    compact: usize,
}

impl Ledger {
    /// Reads what is there, as far as it is about connections that `exists` knows. The file is made by the first note.
    pub fn open(path: PathBuf, realm: Realm, exists: impl Fn(ConnectionId) -> bool) -> Result<Ledger> {
        let (mut latest, mut writer) = (BTreeMap::new(), Writer { file: None, length: 0, compact: 0 });
        if let Some(bytes) = files::read_up_to(&path, MAX)? {
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            latest = parse(&bytes[..whole], realm).map_err(|failure| super::in_file(&path, failure))?;
            latest.retain(|connection, _| exists(*connection));
            if whole == bytes.len() && whole > 0 {
                writer = Writer { file: Some(open(&path)?), length: whole, compact: 0 };
            }
        }
        let state = State { latest, waiting: Vec::new(), batch: 0, durable: 0, pen: Pen::Free(writer) };
        Ok(Ledger { path, realm, state: Mutex::new(state), written: Condvar::new() })
    }

    /// The last that was noted of a connection.
    pub fn latest(&self, connection: ConnectionId) -> Option<Receipts> {
        self.lock().latest.get(&connection).cloned()
    }

    /// Writes it down, and returns when it is durable.
    pub fn note(&self, connection: ConnectionId, receipts: &Receipts) -> Result<()> {
        let line = line(&Line { connection, receipts: receipts.clone() })?;
        let mut state = self.lock();
        state.latest.insert(connection, receipts.clone());
        state.waiting.extend_from_slice(&line);
        let batch = state.batch;
        while state.durable <= batch {
            state = match std::mem::replace(&mut state.pen, Pen::Taken) {
                Pen::Free(writer) => self.write(state, writer),
                Pen::Taken => self.written.wait(state).unwrap_or_else(PoisonError::into_inner),
                Pen::Broken(failure) => {
                    state.pen = Pen::Broken(failure.clone());
                    return Err(failure);
                }
            };
        }
        Ok(())
    }

    /// Writes all that waits, without holding up those who come meanwhile.
    fn write<'s>(&'s self, mut state: MutexGuard<'s, State>, mut writer: Writer) -> MutexGuard<'s, State> {
        let lines = std::mem::take(&mut state.waiting);
        state.batch += 1;
        let anew = writer.is_due().then(|| document(self.realm, &state.latest));
        drop(state);
        let written = match anew {
            Some(document) => document.and_then(|document| writer.replace(&self.path, &document)),
            None => writer.append(&self.path, &lines),
        };
        let mut state = self.lock();
        state.durable += u64::from(written.is_ok());
        state.pen = match written {
            Ok(()) => Pen::Free(writer),
            Err(failure) => Pen::Broken(failure),
        };
        self.written.notify_all();
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// To be written anew.
    fn is_due(&self) -> bool {
        self.file.is_none() || self.length > LONG.max(2 * self.compact)
    }

    fn append(&mut self, path: &Path, lines: &[u8]) -> Result<()> {
        let written = self.file.as_mut().map_or(Err(ErrorKind::NotFound.into()), |file| {
            file.write_all(lines)?;
            file.sync_data()
        });
        self.length += lines.len();
        written.map_err(|error| files::io("write", path, &error))
    }

    fn replace(&mut self, path: &Path, document: &[u8]) -> Result<()> {
        files::replace(path, document)?;
        (self.file, self.length, self.compact) = (Some(open(path)?), document.len(), document.len());
        Ok(())
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new().append(true).open(path).map_err(|error| files::io("open", path, &error))
}

/// The whole file, with one line of each connection.
fn document(realm: Realm, latest: &BTreeMap<ConnectionId, Receipts>) -> Result<Vec<u8>> {
    let mut document = line(&Header { format: FORMAT.to_owned(), version: VERSION, realm })?;
    for (connection, receipts) in latest {
        document.extend(line(&Line { connection: *connection, receipts: receipts.clone() })?);
    }
    Ok(document)
}

fn line(content: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(content)
        .map_err(|_| Failure::internal("this program could not write down a receipt"))?;
    line.push(b'\n');
    Ok(line)
}

/// Whole lines. The last one about a connection holds.
fn parse(bytes: &[u8], realm: Realm) -> Result<BTreeMap<ConnectionId, Receipts>> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let Some(first) = lines.next() else { return Ok(BTreeMap::new()) };
    let header: Header = serde_json::from_slice(first).map_err(|_| damaged())?;
    if header.format != FORMAT || header.version != VERSION {
        return Err(damaged().hint("it may come from a newer version of this program"));
    }
    if header.realm != realm {
        return Err(Realm::mixed(header.realm, realm));
    }
    let line = |line| serde_json::from_slice::<Line>(line).map_err(|_| damaged());
    lines.map(|text| line(text).map(|line| (line.connection, line.receipts))).collect()
}

fn damaged() -> Failure {
    Failure::refused("receipts_damaged", "the file of receipts is damaged or was altered").hint(
        "put back a copy of it, or remove it: the receipts that it alone knew are then reported as missing, once",
    )
}

#[cfg(test)]
mod tests {
    use super::super::receipts::Boot;
    use super::*;
    use std::fs;

    fn receipts(step: u64) -> Receipts {
        Receipts { step, counter: step, ..Receipts::default() }
    }

    fn at(id: u8) -> ConnectionId {
        ConnectionId([id; 16])
    }

    fn open_at(directory: &Path) -> Result<Ledger> {
        Ledger::open(directory.join("receipts"), Realm::Simulated, |_| true)
    }

    #[test]
    fn what_is_noted_is_known_to_the_next_command_the_last_of_each_connection() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(open_at(directory.path()).unwrap().latest(at(1)), None);
        assert!(!directory.path().join("receipts").exists(), "reading makes no file");
        for step in 1..4 {
            let ledger = open_at(directory.path()).unwrap();
            ledger.note(at(1), &receipts(step)).unwrap();
            ledger.note(at(2), &receipts(step + 10)).unwrap();
        }
        let ledger = open_at(directory.path()).unwrap();
        assert_eq!(ledger.latest(at(1)), Some(receipts(3)));
        assert_eq!(ledger.latest(at(2)), Some(receipts(13)));
        assert_eq!(ledger.latest(at(3)), None);
    }

    #[test]
    fn what_many_threads_note_at_once_is_all_there() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = open_at(directory.path()).unwrap();
        let note_some = |id: u8| {
            let on_disk = || open_at(directory.path()).unwrap().latest(at(id));
            for step in 1..6 {
                ledger.note(at(id), &receipts(step)).unwrap();
                assert_eq!(on_disk(), Some(receipts(step)), "written when it returns");
            }
        };
        std::thread::scope(|scope| (0..16).for_each(|id| drop(scope.spawn(move || note_some(id)))));
        let again = open_at(directory.path()).unwrap();
        assert!((0..16).all(|id| again.latest(at(id)) == Some(receipts(5))));
    }

    #[test]
    fn a_line_that_a_crash_cut_off_was_relied_on_by_nobody_and_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("receipts");
        open_at(directory.path()).unwrap().note(at(1), &receipts(1)).unwrap();
        let whole = fs::read(&path).unwrap();
        open_at(directory.path()).unwrap().note(at(1), &receipts(2)).unwrap();
        let longer = fs::read(&path).unwrap();
        for cut in 0..longer.len() {
            fs::write(&path, &longer[..cut]).unwrap();
            let ledger = open_at(directory.path()).unwrap();
            let known = (cut >= whole.len()).then(|| receipts(1));
            assert_eq!(ledger.latest(at(1)), known, "{cut}");
            ledger.note(at(2), &receipts(7)).unwrap();
            let again = open_at(directory.path()).unwrap();
            assert_eq!((again.latest(at(1)), again.latest(at(2))), (known, Some(receipts(7))), "{cut}");
        }
    }

    #[test]
    fn a_damaged_line_or_one_of_another_realm_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("receipts");
        open_at(directory.path()).unwrap().note(at(1), &receipts(1)).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        for (damaged, code) in [
            (whole.replace("counter", "count"), "receipts_damaged"),
            (whole.replace("tensfer receipts", "something"), "receipts_damaged"),
            (whole.replace("simulated", "hardware"), "realms_mixed"),
            ("\n".to_owned(), "receipts_damaged"),
        ] {
            fs::write(&path, &damaged).unwrap();
            assert_eq!(open_at(directory.path()).err().unwrap().code, code, "{damaged}");
        }
    }

    #[test]
    fn m23_it_is_written_anew_before_it_grows_without_end_and_forgets_what_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("receipts");
        let ledger = open_at(directory.path()).unwrap();
        ledger.note(at(2), &receipts(1)).unwrap();
        let boot = Boot { boot: "b".repeat(2 << 10), counter: 1, time: 1 };
        let long = Receipts { boots: vec![boot; 8], ..receipts(1) };
        for _ in 0..3 * LONG / (16 << 10) {
            ledger.note(at(1), &long).unwrap();
            assert!(fs::metadata(&path).unwrap().len() < 2 * LONG as u64);
        }
        assert_eq!(open_at(directory.path()).unwrap().latest(at(2)), Some(receipts(1)));
        let gone = Ledger::open(path, Realm::Simulated, |connection| connection == at(1)).unwrap();
        assert_eq!(gone.latest(at(2)), None);
        assert_eq!(gone.latest(at(1)), Some(long));
    }

    #[test]
    fn of_many_connections_it_is_not_written_anew_for_each_note_and_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("receipts");
        let boot = Boot { boot: "b".repeat(64), counter: 1, time: 1 };
        let long = Receipts { boots: vec![boot; 32], ..receipts(1) };
        let connection = |nth: u16| ConnectionId([nth.to_be_bytes(); 8].concat().try_into().unwrap());
        let latest: BTreeMap<_, _> = (0..2000).map(|nth| (connection(nth), long.clone())).collect();
        fs::write(&path, document(Realm::Simulated, &latest).unwrap()).unwrap();
        let ledger = open_at(directory.path()).unwrap();
        assert_eq!(ledger.latest(connection(1999)), Some(long.clone()));
        ledger.note(connection(0), &long).unwrap();
        let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap());
        let anew = inode();
        for nth in 0..100 {
            ledger.note(connection(nth), &long).unwrap();
        }
        assert_eq!(inode(), anew, "a file that is replaced has another inode");
        assert_eq!(open_at(directory.path()).unwrap().latest(connection(1999)), Some(long));
    }

    #[test]
    fn after_a_failure_to_write_nothing_more_is_taken_for_durable() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = open_at(directory.path()).unwrap();
        fs::create_dir(directory.path().join("receipts")).unwrap();
        for _ in 0..2 {
            assert!(ledger.note(at(1), &receipts(1)).is_err());
        }
    }
}
