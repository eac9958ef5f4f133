//! Folding: a journal that was set aside becomes part of the map, in a thread of its own. At a million connections that is a
//! hundred megabytes to write, and nothing waits for it: the enclave's frames, its clock and its commits go on.

use super::journal::Journal;
use super::store::Folder;
use super::{FOLDED, Last};
use std::io;
use std::thread::JoinHandle;
use wire::Canonical;
use wire::freshness::Commit;

/// Makes all durable where it belongs. Killed anywhere and done again, it comes to the same.
pub fn fold(folder: &Folder, last: &Last) -> io::Result<()> {
    folder.sync_entries()?;
    folder.replace_last(last)?;
    let mut states = folder.states()?;
    Journal::open(&folder.path(FOLDED), |body| {
        let commit = Commit::from_bytes(body).map_err(io::Error::other)?;
        states.extend(commit.leaves.into_iter().map(|leaf| (leaf.name.0, leaf.state.0)));
        Ok(())
    })?;
    folder.replace_map(&states)?;
    std::fs::remove_file(folder.path(FOLDED))?;
    folder.sync()
}

/// The fold that is under way. Dropping it waits for its end: nobody else writes to the folder meanwhile.
#[derive(Debug, Default)]
pub struct Folding(pub(super) Option<JoinHandle<io::Result<()>>>);

impl Folding {
    pub fn begin(&mut self, folder: Folder, last: Last) {
        self.0 = Some(std::thread::spawn(move || fold(&folder, &last)));
    }

    /// # Errors
    /// The one before failed.
    pub fn is_under_way(&mut self) -> io::Result<bool> {
        match &self.0 {
            Some(folding) if !folding.is_finished() => Ok(true),
            _ => self.wait().map(|()| false),
        }
    }

    pub fn wait(&mut self) -> io::Result<()> {
        let ended = self.0.take().map(JoinHandle::join);
        ended.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(io::Error::other("a fold panicked")))
    }
}

impl Drop for Folding {
    fn drop(&mut self) {
        // The next start finds what is left to do.
        let _ = self.wait();
    }
}
