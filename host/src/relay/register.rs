//! Keeping the register: what the enclave records is on the disk before the reply that it belongs to goes on
//! (docs/spec/rotation.md §4).
//!
//! ```text
//! kept        what the enclave goes on from in a later start; written last, by rename
//! chapter-N   the entries of chapter N, one after another
//! base-N      the first entries of chapter N, written by whoever concluded chapter N - 1; becomes chapter-N
//! ```
//! An entry beyond the size that `kept` speaks of was cut off by a crash: it is written over.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use wire::Canonical;
use wire::register::{ENTRY, Recorded};

/// `kept` is a signed head, a seal and at most 64 hashes.
const MOST_KEPT: u64 = 8192;

#[derive(Debug)]
pub struct Keeper {
    folder: PathBuf,
}

impl Keeper {
    /// Keeps in `folder`, which is made when it is not there.
    pub fn open(folder: PathBuf) -> io::Result<Keeper> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(Keeper { folder })
    }

    /// What the enclave goes on from; `None`: there is no register yet.
    pub fn kept(&self) -> io::Result<Option<Vec<u8>>> {
        match File::open(self.folder.join("kept")) {
            Ok(file) => {
                let mut kept = Vec::new();
                file.take(MOST_KEPT).read_to_end(&mut kept)?;
                Ok(Some(kept))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps what a `Recorded` frame says, durably.
    pub fn keep(&self, body: &[u8]) -> io::Result<()> {
        let recorded = Recorded::from_bytes(body).map_err(io::Error::other)?;
        let chapter = self.folder.join(format!("chapter-{}", recorded.chapter));
        if !recorded.entries.is_empty() || recorded.first > 0 {
            self.take_base(recorded.chapter, &chapter)?;
        }
        if !recorded.entries.is_empty() {
            let file = private().create(true).truncate(false).open(&chapter)?;
            let place = u64::try_from(ENTRY).ok().and_then(|entry| recorded.first.checked_mul(entry));
            file.write_all_at(&recorded.entries, place.ok_or(io::ErrorKind::InvalidData)?)?;
            file.sync_data()?;
        }
        self.replace(&recorded.kept)?;
        // The chapter before is over: its connections are all in this one.
        match std::fs::remove_file(
            self.folder.join(format!("chapter-{}", recorded.chapter.saturating_sub(1))),
        ) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Puts a register that the enclave does not go on from aside: it is evidence, and founding another needs the name.
    pub fn put_aside(&self) -> io::Result<PathBuf> {
        let aside = (1_u32..).map(|number| self.folder.with_extension(format!("refused-{number}")));
        let aside = aside.into_iter().find(|path| !path.exists()).ok_or(io::ErrorKind::AlreadyExists)?;
        std::fs::rename(&self.folder, &aside)?;
        DirBuilder::new().mode(0o700).create(&self.folder)?;
        Ok(aside)
    }

    /// A new chapter begins with what its conclusion came to.
    fn take_base(&self, number: u32, chapter: &Path) -> io::Result<()> {
        let base = self.folder.join(format!("base-{number}"));
        if chapter.exists() || !base.exists() {
            return Ok(());
        }
        std::fs::rename(base, chapter)?;
        File::open(&self.folder)?.sync_all()
    }

    fn replace(&self, kept: &[u8]) -> io::Result<()> {
        let (path, next) = (self.folder.join("kept"), self.folder.join("kept.next"));
        let mut file = private().create(true).truncate(true).open(&next)?;
        file.write_all(kept)?;
        file.sync_all()?;
        std::fs::rename(next, path)?;
        File::open(&self.folder)?.sync_all()
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    fn recorded(chapter: u32, first: u64, entry: u8, kept: &[u8]) -> Vec<u8> {
        Recorded { chapter, first, entries: vec![entry; ENTRY], kept: kept.to_vec() }.to_bytes()
    }

    #[test]
    fn entries_lie_at_their_places_and_what_a_crash_cut_off_is_written_over() {
        let folder = Folder::new();
        let keeper = Keeper::open(folder.path().join("register")).unwrap();
        assert_eq!(keeper.kept().unwrap(), None);
        keeper.keep(&recorded(1, 0, b'a', b"one")).unwrap();
        keeper.keep(&recorded(1, 1, b'x', b"two")).unwrap();
        keeper.keep(&recorded(1, 1, b'b', b"two again")).unwrap();
        let chapter = std::fs::read(folder.path().join("register/chapter-1")).unwrap();
        assert_eq!(chapter, [[b'a'; ENTRY], [b'b'; ENTRY]].concat());
        assert_eq!(keeper.kept().unwrap().unwrap(), b"two again");
    }

    #[test]
    fn a_chapter_begins_with_its_base_and_ends_the_one_before() {
        let folder = Folder::new();
        let keeper = Keeper::open(folder.path().join("register")).unwrap();
        keeper.keep(&recorded(1, 0, b'a', b"one")).unwrap();
        std::fs::write(folder.path().join("register/base-2"), [b'c'; ENTRY]).unwrap();
        keeper.keep(&recorded(2, 1, b'd', b"two")).unwrap();
        let chapter = std::fs::read(folder.path().join("register/chapter-2")).unwrap();
        assert_eq!(chapter, [[b'c'; ENTRY], [b'd'; ENTRY]].concat());
        assert!(!folder.path().join("register/chapter-1").exists());
        assert!(!folder.path().join("register/base-2").exists());
    }

    #[test]
    fn a_register_that_is_refused_is_put_aside_and_never_written_over() {
        let folder = Folder::new();
        let keeper = Keeper::open(folder.path().join("register")).unwrap();
        for number in 1..3 {
            keeper.keep(&recorded(1, 0, b'a', b"one")).unwrap();
            let aside = keeper.put_aside().unwrap();
            assert!(aside.ends_with(format!("register.refused-{number}")));
            assert_eq!(std::fs::read(aside.join("kept")).unwrap(), b"one");
            assert_eq!(keeper.kept().unwrap(), None);
        }
    }
}
