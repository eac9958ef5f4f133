//! Replacing a file so that what was in it does not stay on the disk as a file's content.

use super::super::folder::{private, sync_folder};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// As [`super::super::folder::replace`]; the old content keeps a name of its own until it is overwritten, so that
/// [`finish`] finds it after a crash.
pub fn replace_and_wipe(path: &Path, bytes: &[u8]) -> io::Result<()> {
    finish(path)?;
    let next = path.with_extension("next");
    remove_if_there(&next)?;
    let mut file = private().create_new(true).write(true).open(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::hard_link(path, old(path))?;
    sync_folder(path)?;
    std::fs::rename(&next, path)?;
    sync_folder(path)?;
    finish(path)
}

/// Overwrites and removes what a replacement has left behind.
///
/// INVARIANT: what `path` names is never overwritten: before the rename the old name is a second name of it.
pub fn finish(path: &Path) -> io::Result<()> {
    let old = old(path);
    let left = match std::fs::symlink_metadata(&old) {
        Ok(left) => left,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let is_in_use = match std::fs::symlink_metadata(path) {
        Ok(used) => (used.dev(), used.ino()) == (left.dev(), left.ino()),
        // Nothing took its place: it is the one copy there is, and its owner's to bring back.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !is_in_use && left.is_file() {
        let mut file = OpenOptions::new().write(true).open(&old)?;
        overwrite(&mut file, left.len())?;
    }
    std::fs::remove_file(&old)?;
    sync_folder(path)
}

fn overwrite(file: &mut File, length: u64) -> io::Result<()> {
    let zeros = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.write_all(&zeros)?;
    file.sync_all()
}

fn old(path: &Path) -> PathBuf {
    path.with_extension("old")
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
