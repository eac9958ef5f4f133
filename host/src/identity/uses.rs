//! When keys were used last: noted at each request, written now and then.

use super::Use;
use crate::store::{Failed, RecordUses, Store};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use wire::KeyId;

/// So often what was noted is written: a key that is used all the time is one row a second.
pub const EVERY: Duration = Duration::from_secs(1);

/// What is not written yet.
#[derive(Debug, Default)]
pub struct Uses(Mutex<HashMap<KeyId, Use>>);

impl Uses {
    pub fn note(&self, key: KeyId, used: Use) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, used);
    }

    /// The last use of a key that the store may not know yet.
    pub fn of(&self, key: KeyId) -> Option<Use> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied()
    }

    /// Writes what was noted. If that fails it is lost: it is told to people, and nothing is decided by it.
    pub async fn write(&self, store: &Store) -> Result<(), Failed> {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if noted.is_empty() {
            return Ok(());
        }
        let mut uses: Vec<_> = noted.into_iter().collect();
        // In one order, so that no two writers wait for each other.
        uses.sort_by_key(|(id, _)| *id);
        store.change(&RecordUses(uses)).await
    }
}
