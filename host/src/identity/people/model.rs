//! People, their passkeys, and the devices that they are signed in with.

use super::super::key::derive_id;
use super::super::passkey::Credential;
use super::super::{Environment, Name, Public, Refusal, RequestName, Use};
use crate::identity::Actor;
use std::net::IpAddr;
use wire::transcript::{Transcript, domain};
use wire::{EventId, PasskeyId, PersonId, SessionId, UnixMillis};

const HOUR: u64 = 3_600_000;
/// A session ends so long after it began, in milliseconds: NIST SP 800-63B-4 §2.2.3 (AAL2).
pub const LONGEST_SESSION: u64 = 24 * HOUR;
/// And so long after its last request.
pub const LONGEST_IDLE: u64 = HOUR;
/// One person is signed in on so many devices at once.
pub const MOST_SESSIONS: usize = 50;

/// A recovery waits so long, in milliseconds: longer than any session lasts, so that whoever stops one has a passkey, or had one
/// after it was begun.
pub const RECOVERY_WAIT: u64 = 72 * HOUR;
/// And can be finished for so long afterwards.
pub const LONGEST_RECOVERY: u64 = 7 * 24 * HOUR;
/// Codes that a person is given at once.
pub const RECOVERY_CODES: usize = 10;
/// One person has so many passkeys.
pub const MOST_PASSKEYS: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    /// What they call themselves. It finds nobody: no two people need differ in it.
    pub name: Name,
    pub created: UnixMillis,
}

/// A person's passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    pub person: PersonId,
    pub name: Name,
    pub credential: Credential,
    pub created: UnixMillis,
    pub last_used: Option<UnixMillis>,
}

/// A device that a person signed in with: it has the private half of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub person: PersonId,
    /// What the person calls the device.
    pub name: Name,
    pub public: Public,
    pub environment: Environment,
    /// The passkey that it was signed in with.
    pub passkey: PasskeyId,
    pub created: UnixMillis,
    pub expires: UnixMillis,
    pub last_used: Use,
    pub revoked: Option<UnixMillis>,
}

/// A person's way back: a device that brought a recovery code, and waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The session that it will have.
    pub device: SessionId,
    pub person: PersonId,
    pub name: Name,
    pub begun: UnixMillis,
    /// From then on it can be finished.
    pub due: UnixMillis,
    pub from: IpAddr,
}

/// Who did what of a person's. The action is a word of docs/spec/people.md §8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalEvent {
    pub id: EventId,
    pub person: PersonId,
    pub actor: Actor,
    pub action: String,
    pub subject: String,
    pub happened: UnixMillis,
    pub request: RequestName,
}

impl Passkey {
    pub fn id(&self) -> PasskeyId {
        passkey_id(&self.credential.id)
    }
}

/// Whoever has a credential's id finds its passkey; the passkey's id finds no credential.
pub fn passkey_id(credential: &[u8]) -> PasskeyId {
    PasskeyId(derive_id(Transcript::new(domain::PASSKEY).field(credential)))
}

impl Recovery {
    /// Told only to the device that began it.
    pub fn check_due(&self, now: UnixMillis) -> Result<(), Refusal> {
        if now < self.due {
            return Err(Refusal::RecoveryNotDue);
        }
        if now < self.due.plus(LONGEST_RECOVERY) { Ok(()) } else { Err(Refusal::RecoveryRefused) }
    }
}

impl Session {
    /// When it ends if it is used no more.
    pub fn idle_expires(&self) -> UnixMillis {
        self.expires.min(self.last_used.at.plus(LONGEST_IDLE))
    }

    /// Whether it counts at that time, if it was used last at `used`. Asked only for who holds its key.
    pub fn check_live(&self, used: UnixMillis, now: UnixMillis) -> Result<(), Refusal> {
        if self.revoked.is_some() {
            return Err(Refusal::SessionRevoked);
        }
        if now < self.expires && now < used.plus(LONGEST_IDLE) { Ok(()) } else { Err(Refusal::SessionOver) }
    }
}
