//! Proofs of the last statement of completion, written when it was concluded so that any of them is read in a few places
//! (docs/spec/rotation.md §5): nothing is hashed and nothing kept in memory to answer.
//!
//! ```text
//! file   = "tensfer proofs 1" ‖ register (16) ‖ u32be chapter ‖ u64be size ‖ entries ‖ levels
//! entries  77 bytes each, one for each connection, ascending by name
//! levels   32 bytes each: the hashes of all leaves; of each two of them that stand side by side, a last one that stands
//!          alone unchanged; and so on to the root
//! ```
//! Nobody believes it: a proof leads to the root that the enclave signed, or is none.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use wire::RegisterId;
use wire::evidence::Hash;
use wire::register::{ENTRY, Proof};

const MAGIC: &[u8; 16] = b"tensfer proofs 1";
const HEADER: u64 = 16 + 16 + 4 + 8;
const HASH: u64 = 32;
/// Of the folder of what is published.
pub const FILE: &str = "proofs";

/// Which statement a file of proofs is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Of {
    pub register: RegisterId,
    pub chapter: u32,
}

/// RFC 6962's two hashes: whoever writes knows them.
#[derive(Clone, Copy)]
pub struct Hashes {
    pub leaf: fn(&[u8]) -> [u8; 32],
    pub node: fn(&[u8; 32], &[u8; 32]) -> [u8; 32],
}

impl core::fmt::Debug for Hashes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Hashes")
    }
}

/// Writes the proofs of a statement into `folder`, whole or not at all. Entries ascend by name.
pub fn write(
    folder: &Path,
    of: Of,
    entries: impl ExactSizeIterator<Item = [u8; ENTRY]>,
    hashes: Hashes,
) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let next = folder.join(format!("{FILE}.next"));
    let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&next)?;
    let mut out = BufWriter::new(file);
    out.write_all(MAGIC)?;
    out.write_all(&of.register.0)?;
    out.write_all(&of.chapter.to_be_bytes())?;
    out.write_all(&(entries.len() as u64).to_be_bytes())?;
    let mut level = Vec::with_capacity(entries.len());
    for entry in entries {
        out.write_all(&entry)?;
        level.push((hashes.leaf)(&entry));
    }
    loop {
        out.write_all(level.as_flattened())?;
        if level.len() <= 1 {
            break;
        }
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => (hashes.node)(left, right),
                alone => alone.first().copied().unwrap_or_default(),
            })
            .collect();
    }
    out.into_inner()?.sync_all()?;
    std::fs::rename(next, folder.join(FILE))?;
    File::open(folder)?.sync_all()
}

/// The proofs of one statement.
#[derive(Debug)]
pub struct Proofs {
    file: File,
    of: Of,
    size: u64,
}

impl Proofs {
    /// `None`: nothing was concluded yet.
    pub fn open(folder: &Path) -> io::Result<Option<Proofs>> {
        let file = match File::open(folder.join(FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let magic: [u8; 16] = read(&file, 0)?;
        let (register, chapter, size) = (read(&file, 16)?, read(&file, 32)?, read(&file, 36)?);
        let of = Of { register: RegisterId(register), chapter: u32::from_be_bytes(chapter) };
        let proofs = Proofs { file, of, size: u64::from_be_bytes(size) };
        let is_whole = Some(proofs.file.metadata()?.len()) == proofs.length();
        if magic == *MAGIC && is_whole { Ok(Some(proofs)) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    pub fn of(&self) -> Of {
        self.of
    }

    /// The proof of the connection with this blinded name; `None`: it is not in the statement.
    pub fn find(&self, name: &[u8; 32]) -> io::Result<Option<Proof>> {
        let (mut low, mut high) = (0, self.size);
        while low < high {
            let middle = low.midpoint(high);
            let entry = self.entry(middle)?;
            match entry.first_chunk::<32>().cmp(&Some(name)) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
                core::cmp::Ordering::Equal => {
                    let (index, size) = (middle, self.size);
                    let path = self.path(index)?;
                    return Ok(Some(Proof { version: 1, entry: entry.to_vec(), index, size, path }));
                }
            }
        }
        Ok(None)
    }

    fn entry(&self, index: u64) -> io::Result<[u8; ENTRY]> {
        read(&self.file, HEADER + index * ENTRY as u64)
    }

    /// RFC 6962 §2.1.1, bottom up: beside each node that stands on the way, if one does.
    fn path(&self, index: u64) -> io::Result<Vec<Hash>> {
        let (mut position, mut length) = (index, self.size);
        let mut at = HEADER + self.size * ENTRY as u64;
        let mut path = Vec::new();
        while length > 1 {
            let sibling = position ^ 1;
            if sibling < length {
                path.push(Hash(read(&self.file, at + sibling * HASH)?));
            }
            at += length * HASH;
            (position, length) = (position / 2, length.div_ceil(2));
        }
        Ok(path)
    }

    /// How long a file of so many entries is; `None`: longer than any.
    fn length(&self) -> Option<u64> {
        let mut bytes = self.size.checked_mul(ENTRY as u64)?.checked_add(HEADER)?;
        let mut length = self.size;
        while length > 0 {
            bytes = bytes.checked_add(length.checked_mul(HASH)?)?;
            length = if length == 1 { 0 } else { length.div_ceil(2) };
        }
        Some(bytes)
    }
}

fn read<const N: usize>(file: &File, at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    const OF: Of = Of { register: RegisterId([7; 16]), chapter: 3 };

    /// No hash, but as good as one to find what stands beside what: texts of places.
    fn label(bytes: &[u8]) -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&bytes[28..32]);
        hash[31] = 1;
        hash
    }

    fn joined(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
        let mut hash = *left;
        hash[4..8].copy_from_slice(&right[..4]);
        hash[30] = left[30].max(right[30]) + 1;
        hash
    }

    const HASHES: Hashes = Hashes { leaf: label, node: joined };

    fn entry(number: u32) -> [u8; ENTRY] {
        let mut entry = [0; ENTRY];
        entry[28..32].copy_from_slice(&(2 * number).to_be_bytes());
        entry
    }

    fn name(number: u32) -> [u8; 32] {
        let mut name = [0; 32];
        name[28..].copy_from_slice(&number.to_be_bytes());
        name
    }

    fn climbed(proof: &Proof) -> [u8; 32] {
        let mut hash = label(&proof.entry);
        let (mut position, mut length) = (proof.index, proof.size);
        let mut path = proof.path.iter();
        while length > 1 {
            if position ^ 1 < length {
                let sibling = path.next().unwrap().0;
                hash = if position % 2 == 0 { joined(&hash, &sibling) } else { joined(&sibling, &hash) };
            }
            (position, length) = (position / 2, length.div_ceil(2));
        }
        assert!(path.next().is_none());
        hash
    }

    #[test]
    fn every_connection_of_a_statement_is_found_with_its_path_and_no_other_is() {
        for size in [0, 1, 2, 3, 5, 8, 13, 100] {
            let folder = Folder::new();
            write(folder.path(), OF, (0..size).map(entry).collect::<Vec<_>>().into_iter(), HASHES).unwrap();
            let proofs = Proofs::open(folder.path()).unwrap().unwrap();
            assert_eq!(proofs.of(), OF);
            let mut root = None;
            for number in 0..size {
                let proof = proofs.find(&name(2 * number)).unwrap().unwrap();
                assert_eq!((proof.index, proof.size), (u64::from(number), u64::from(size)));
                assert_eq!(proof.entry, entry(number));
                assert_eq!(*root.get_or_insert(climbed(&proof)), climbed(&proof), "{number} of {size}");
            }
            for missing in [1, 2 * size + 1, u32::MAX] {
                assert_eq!(proofs.find(&name(missing)).unwrap(), None);
            }
        }
    }

    #[test]
    fn a_file_that_is_cut_off_or_of_something_else_is_an_error_and_none_is_none() {
        let folder = Folder::new();
        assert!(Proofs::open(folder.path()).unwrap().is_none());
        write(folder.path(), OF, (0..5).map(entry).collect::<Vec<_>>().into_iter(), HASHES).unwrap();
        let path = folder.path().join(FILE);
        let good = std::fs::read(&path).unwrap();
        for length in [0, 10, 43, 44, good.len() - 1] {
            std::fs::write(&path, &good[..length]).unwrap();
            assert!(Proofs::open(folder.path()).is_err(), "{length} bytes");
        }
        // Sizes that no file has: refused before anything is read by them.
        for size in [u64::MAX, u64::MAX / 77, 6] {
            let mut bad = good.clone();
            bad[36..44].copy_from_slice(&size.to_be_bytes());
            std::fs::write(&path, &bad).unwrap();
            assert!(Proofs::open(folder.path()).is_err(), "{size} entries");
        }
    }
}
