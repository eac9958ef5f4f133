//! When keys and sessions were used last: noted at each request, written now and then.

use super::{Signer, Use};
use crate::store::{Failed, RecordUses, Store};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So often what was noted is written: a key that is used all the time is one row a second.
pub const EVERY: Duration = Duration::from_secs(1);

/// What is not written yet.
#[derive(Debug, Default)]
pub struct Uses(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    new: HashMap<Signer, Use>,
    /// On its way to the store, which does not know it for sure.
    writing: HashMap<Signer, Use>,
}

impl Uses {
    pub fn note(&self, signer: Signer, used: Use) {
        self.noted().new.insert(signer, used);
    }

    /// The last use that the store may not know yet.
    pub fn of(&self, signer: Signer) -> Option<Use> {
        let noted = self.noted();
        noted.new.get(&signer).or_else(|| noted.writing.get(&signer)).copied()
    }

    /// Writes what was noted. If that fails it is lost: a session then counts as idle since its use before.
    pub async fn write(&self, store: &Store) -> Result<(), Failed> {
        let mut uses: Vec<_> = {
            let mut noted = self.noted();
            noted.writing = std::mem::take(&mut noted.new);
            noted.writing.iter().map(|(signer, used)| (*signer, *used)).collect()
        };
        if uses.is_empty() {
            return Ok(());
        }
        // In one order, so that no two writers wait for each other.
        uses.sort_by_key(|(signer, _)| *signer);
        let written = store.change(&RecordUses(uses)).await;
        self.noted().writing.clear();
        written
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
