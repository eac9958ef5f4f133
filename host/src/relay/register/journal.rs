//! A file that grows by whole records: one is there, or it is not, whenever the power goes.
//!
//! ```text
//! record = u32be length ‖ body ‖ the first 8 bytes of SHA-256(body)
//! ```

use aws_lc_rs::digest::{SHA256, digest};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// No body is longer: a frame is not.
const MOST: usize = wire::frame::MAX_FRAME;
const CHECK: usize = 8;

#[derive(Debug)]
pub struct Journal {
    file: File,
    /// Bytes of whole records.
    size: u64,
}

impl Journal {
    /// Opens it, hands every whole record to `take`, and cuts off what is behind the last one: a write that was not finished.
    ///
    /// # Errors
    /// `InvalidData`: whole records are behind one that is not. No crash does that, and nothing is changed.
    pub fn open(path: &Path, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Journal> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let mut reader = io::BufReader::new(&file);
        let mut size = 0;
        while let Some(body) = read(&mut reader)? {
            take(&body)?;
            size += length(&body);
        }
        drop(reader);
        check_end(&file, size)?;
        file.set_len(size)?;
        Ok(Journal { file, size })
    }

    /// Adds a record. It is durable when this returns.
    pub fn append(&mut self, body: &[u8]) -> io::Result<()> {
        let prefix = u32::try_from(body.len()).map_err(io::Error::other)?.to_be_bytes();
        let record = [&prefix, body, &check(body)].concat();
        self.file.write_all_at(&record, self.size)?;
        self.file.sync_data()?;
        self.size += length(body);
        Ok(())
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Gives the file at `path`, which is this one, another name, and begins anew. The names last once their folder is synced.
    pub fn set_aside(&mut self, path: &Path, aside: &Path) -> io::Result<()> {
        std::fs::rename(path, aside)?;
        *self = Journal::open(path, |_| Ok(()))?;
        Ok(())
    }
}

/// The next record's body; `None` at the end, or where it was cut off or never fully written.
fn read(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut prefix = [0; 4];
    if !fill(reader, &mut prefix)? {
        return Ok(None);
    }
    let length = u32::from_be_bytes(prefix) as usize;
    if length > MOST {
        return Ok(None);
    }
    let mut record = vec![0; length + CHECK];
    if !fill(reader, &mut record)? {
        return Ok(None);
    }
    let checked = record.split_off(length);
    Ok((checked == check(&record)).then_some(record))
}

/// Whether what is behind the whole records can be one that was not fully written: no longer than one, and with none in it.
fn check_end(file: &File, size: u64) -> io::Result<()> {
    let most = length(&[]) + MOST as u64;
    let mut rest = Vec::new();
    let mut reader = file;
    reader.seek(io::SeekFrom::Start(size))?;
    reader.take(most + 1).read_to_end(&mut rest)?;
    let is_whole = |from: usize| read(&mut rest.get(from..).unwrap_or_default()).map(|body| body.is_some());
    let has_whole = || (1..rest.len()).map(is_whole).find(|whole| !matches!(whole, Ok(false))).is_some();
    if rest.len() as u64 > most || has_whole() {
        let damaged = format!(
            "the journal is damaged at byte {size}, before commits that are whole: nothing was changed"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, damaged));
    }
    Ok(())
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn check(body: &[u8]) -> [u8; CHECK] {
    let mut check = [0; CHECK];
    check.copy_from_slice(&digest(&SHA256, body).as_ref()[..CHECK]);
    check
}

fn length(body: &[u8]) -> u64 {
    (4 + body.len() + CHECK) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn records(path: &Path) -> (Journal, Vec<Vec<u8>>) {
        let mut seen = Vec::new();
        let journal = Journal::open(path, |body| {
            seen.push(body.to_vec());
            Ok(())
        });
        (journal.unwrap(), seen)
    }

    #[test]
    fn m21_a_record_that_was_cut_off_anywhere_is_not_there_and_those_before_it_are() {
        let folder = Folder::new();
        let path = folder.path().join("journal");
        let (mut journal, _) = records(&path);
        journal.append(b"one").unwrap();
        let whole = journal.size();
        journal.append(b"two, which is longer").unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for cut in whole as usize..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let (mut journal, seen) = records(&path);
            assert_eq!(seen, [b"one"], "cut at {cut}");
            journal.append(b"three").unwrap();
            assert_eq!(records(&path).1, [b"one".to_vec(), b"three".to_vec()]);
        }
        let mut garbled = bytes.clone();
        *garbled.last_mut().unwrap() ^= 1;
        std::fs::write(&path, garbled).unwrap();
        assert_eq!(records(&path).1, [b"one"]);
    }

    #[test]
    fn a_journal_that_is_damaged_before_its_end_is_not_cut_off_but_refused_as_it_is() {
        let folder = Folder::new();
        let path = folder.path().join("journal");
        let (mut journal, _) = records(&path);
        journal.append(b"one").unwrap();
        let last = journal.size() as usize;
        journal.append(b"two, which is longer").unwrap();
        let whole = std::fs::read(&path).unwrap();
        // Every bit before the last record: of a length, a body, a check.
        for bit in 0..last * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &damaged).unwrap();
            let refused = Journal::open(&path, |_| Ok(())).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "bit {bit}");
            assert!(refused.to_string().contains("at byte 0"), "{refused}");
            assert_eq!(std::fs::read(&path).unwrap(), damaged);
        }
        // More than one record is too much to be cut off, whatever it is.
        let garbage = vec![0xff; MOST + 13];
        std::fs::write(&path, [whole, garbage].concat()).unwrap();
        assert_eq!(Journal::open(&path, |_| Ok(())).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
