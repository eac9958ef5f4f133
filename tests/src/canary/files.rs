//! Searching files and captured output, as bytes.

use super::leak::{Leak, Place};
use super::scanner::{Scanner, settle};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Read at once.
pub(super) const PIECE: usize = 4 << 20;

impl Scanner {
    /// Every regular file below a folder, and every name, except the files in `but`.
    ///
    /// # Panics
    /// When a file or folder cannot be read.
    pub fn search_folder(&self, folder: &Path, but: &[PathBuf]) -> Vec<Leak> {
        let mut leaks = Vec::new();
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let entry = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            let path = entry.path();
            let name = entry.file_name();
            leaks.extend(self.search_stream(name.as_bytes(), |_| Place::FileName(folder.to_path_buf())));
            let kind = entry.file_type().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            if kind.is_dir() {
                leaks.extend(self.search_folder(&path, but));
            } else if kind.is_file() && !but.contains(&path) {
                leaks.extend(self.search_file(&path));
            }
        }
        leaks
    }

    /// One file, whatever it holds.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn search_file(&self, path: &Path) -> Vec<Leak> {
        let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.search_stream(file, |offset| Place::File { path: path.to_path_buf(), offset })
    }

    /// What a program wrote.
    pub fn search_output(&self, of: &str, bytes: &[u8]) -> Vec<Leak> {
        self.search_stream(bytes, |offset| Place::Output { of: of.to_owned(), offset })
    }

    /// Reads to the end, piece by overlapping piece.
    pub(super) fn search_stream(&self, mut source: impl Read, place: impl Fn(u64) -> Place) -> Vec<Leak> {
        let mut hits = Vec::new();
        let mut piece = Vec::new();
        let mut start = 0u64;
        loop {
            let had = piece.len();
            source.by_ref().take(PIECE as u64).read_to_end(&mut piece).expect("what was opened can be read");
            hits.extend(self.hits(start, &piece));
            if piece.len() == had {
                break;
            }
            let kept = piece.len().saturating_sub(self.longest());
            piece.drain(..kept);
            start += kept as u64;
        }
        settle(hits).into_iter().map(|hit| Leak::new(place(hit.at.start), hit)).collect()
    }
}
