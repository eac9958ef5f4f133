//! What must outlive a process: one concrete store, in SQLite or PostgreSQL, by the same statements.
//!
//! Everything that changes is a [`Change`]: data that says what is to happen, carried out in one serialisable transaction, again from
//! the start if another was in its way. What it returns is durable.

mod answers;
mod database;
mod events;
mod invitations;
mod keys;
mod organisations;
mod passkeys;
mod people;
mod policies;
mod recovery;
mod remembered;
mod row;
mod sessions;
#[cfg(test)]
mod tests;

pub use answers::{Answer, Answered, Idempotency};
pub use database::{Database, NotOpened};
pub use events::Provenance;
pub use invitations::AcceptInvitation;
pub use keys::{AddKey, Cursor, Page, RecordUses, ReplaceKey, RevokeKey};
pub use organisations::{CreateInvitation, CreateOrganisation};
pub use passkeys::{AddPasskey, CountPasskey, NamePasskey, RemovePasskey};
pub use people::{SignIn, SignUp};
pub use policies::{ReplacePolicies, Written};
pub use recovery::{BeginRecovery, CancelRecoveries, FinishRecovery, ReplaceRecoveryCodes};
pub use sessions::{EndOtherSessions, EndSession, NameSession};

use crate::identity::{Key, Organisation, Refusal, Session};
use remembered::{Changes, Remembered};
use sqlx::AnyConnection;
use sqlx::{Any, Pool, Transaction};
use std::sync::Arc;
use wire::{KeyId, OrganisationId, SessionId};

/// A transaction that others are in the way of is begun again so often.
const ATTEMPTS: usize = 20;

/// An open store; cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool<Any>,
    begin: &'static str,
    memory: Arc<Memory>,
}

/// What each request needs again.
#[derive(Debug, Default)]
struct Memory {
    changes: Changes,
    keys: Remembered<KeyId, Key>,
    sessions: Remembered<SessionId, Session>,
    organisations: Remembered<OrganisationId, Organisation>,
    policies: Remembered<OrganisationId, i64>,
}

/// Why nothing was done.
#[derive(Debug)]
pub enum Failed {
    /// What is there does not let it.
    Refused(Refusal),
    /// A row that nobody here wrote.
    Damaged(&'static str),
    Database(sqlx::Error),
}

/// One step from a consistent state to another.
pub trait Change: Sync {
    type Outcome: Send;

    /// May be called several times: each time on what is there then.
    fn apply(&self, within: &mut AnyConnection)
    -> impl Future<Output = Result<Self::Outcome, Failed>> + Send;
}

impl Store {
    /// Carries it out, durably, or not at all.
    pub async fn change<C: Change>(&self, change: &C) -> Result<C::Outcome, Failed> {
        let mut attempts = 1;
        loop {
            match self.attempt(change).await {
                Err(failed) if failed.is_conflict() && attempts < ATTEMPTS => attempts += 1,
                outcome => return outcome,
            }
        }
    }

    async fn attempt<C: Change>(&self, change: &C) -> Result<C::Outcome, Failed> {
        let mut within: Transaction<'_, Any> = self.pool.begin_with(self.begin).await?;
        let outcome = change.apply(&mut within).await?;
        let _forgets = self.memory.changes.forgets();
        within.commit().await?;
        Ok(outcome)
    }

    /// Ends when every statement has.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Failed {
    /// Another transaction was in its way: in PostgreSQL serialisation (40001), a deadlock (40P01) or a row that came meanwhile
    /// (23505: a change looks before it inserts); in SQLite a writer (5, 517).
    fn is_conflict(&self) -> bool {
        let Failed::Database(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01" | "23505" | "5" | "517"))
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Failed {
        Failed::Database(error)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Failed {
        Failed::Refused(refusal)
    }
}

impl core::fmt::Display for Failed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Failed::Refused(refusal) => refusal.fmt(f),
            Failed::Damaged(column) => {
                write!(f, "the database holds a `{column}` that was not written by this program")
            }
            Failed::Database(error) => write!(f, "the database: {error}"),
        }
    }
}

impl core::error::Error for Failed {}
