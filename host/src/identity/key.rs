//! API keys: the public half of a key pair that a program keeps.

use super::rights::{Environment, Rights};
use super::{Actor, Name, Refusal};
use crate::signatures::{Algorithm, InvalidKey, PublicKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;
use wire::transcript::{Transcript, domain};
use wire::{KeyId, OrganisationId, SessionId, UnixMillis};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// A key that says nothing about it is valid so long, in milliseconds.
pub const LIFETIME: u64 = 365 * DAY;
/// And none longer.
pub const LONGEST_LIFETIME: u64 = 730 * DAY;
/// How long a replaced key goes on beside the one that replaced it, at most.
pub const LONGEST_OVERLAP: u64 = 7 * DAY;

/// The public half, in the form in which it was registered. One that exists is well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

/// From when, until when: milliseconds since 1970; `not_before < expires`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub not_before: UnixMillis,
    pub expires: UnixMillis,
}

/// What a key is registered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    pub name: Name,
    pub public: Public,
    pub rights: Rights,
    pub validity: Validity,
}

/// A registered key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub id: KeyId,
    pub organisation: OrganisationId,
    pub name: Name,
    pub public: Public,
    pub rights: Rights,
    pub validity: Validity,
    pub created: UnixMillis,
    pub created_by: Actor,
    pub revoked: Option<UnixMillis>,
    pub replaced_by: Option<KeyId>,
    pub last_used: Option<Use>,
}

/// When, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    pub at: UnixMillis,
    pub from: IpAddr,
}

impl Public {
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Result<Public, InvalidKey> {
        PublicKey::new(algorithm, bytes)?;
        Ok(Public { algorithm, bytes: bytes.to_vec() })
    }

    /// By the algorithm's name (RFC 9421 §6.2) and padded base64 (RFC 4648 §4).
    pub fn from_texts(algorithm: &str, key: &str) -> Result<Public, InvalidKey> {
        let algorithm =
            Algorithm::ALL.into_iter().find(|known| known.name() == algorithm).ok_or(InvalidKey)?;
        Public::new(algorithm, &STANDARD.decode(key).map_err(|_| InvalidKey)?)
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub fn base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What verifies with it.
    pub fn verifier(&self) -> Result<PublicKey, InvalidKey> {
        PublicKey::new(self.algorithm, &self.bytes)
    }

    /// The key's id: whoever has the key knows it before it is registered.
    pub fn id(&self) -> KeyId {
        KeyId(self.hashed(domain::API_KEY))
    }

    /// The id of the session that a device has with this key.
    pub fn session(&self) -> SessionId {
        SessionId(self.hashed(domain::SESSION))
    }

    fn hashed(&self, domain: &str) -> [u8; 16] {
        derive_id(Transcript::new(domain).field(self.algorithm.name().as_bytes()).field(&self.bytes))
    }

    /// What the new key signs to show that whoever has it wants it registered in that organisation, and so nobody registers another's.
    pub fn possession(&self, organisation: OrganisationId) -> Vec<u8> {
        let of = Transcript::new(domain::API_KEY_POSSESSION).field(&organisation.0);
        of.field(self.algorithm.name().as_bytes()).field(&self.bytes).bytes()
    }

    pub fn check_possession(&self, organisation: OrganisationId, proof: &[u8]) -> Result<(), Refusal> {
        let verifier = self.verifier().map_err(|_| Refusal::KeyInvalid)?;
        let proven = verifier.verifies(&self.possession(organisation), proof);
        if proven { Ok(()) } else { Err(Refusal::PossessionUnproven) }
    }
}

/// The first 16 bytes of a transcript's SHA-256.
pub fn derive_id(of: Transcript) -> [u8; 16] {
    let hash = digest(&SHA256, &of.bytes());
    let mut id = [0; 16];
    id.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    id
}

impl Validity {
    /// `None`: empty, or too long.
    pub fn new(not_before: UnixMillis, expires: UnixMillis) -> Option<Validity> {
        let lasts = expires.0.checked_sub(not_before.0)?;
        (1..=LONGEST_LIFETIME).contains(&lasts).then_some(Validity { not_before, expires })
    }

    pub fn starting(now: UnixMillis) -> Validity {
        Validity { not_before: now, expires: now.plus(LIFETIME) }
    }
}

impl Key {
    pub fn made(new: NewKey, organisation: OrganisationId, created: UnixMillis, created_by: Actor) -> Key {
        let NewKey { name, public, rights, validity } = new;
        let id = public.id();
        let (revoked, replaced_by, last_used) = (None, None, None);
        Key {
            id,
            organisation,
            name,
            public,
            rights,
            validity,
            created,
            created_by,
            revoked,
            replaced_by,
            last_used,
        }
    }

    /// Whether it counts at that time. Asked only for who holds it.
    pub fn check_live(&self, now: UnixMillis) -> Result<(), Refusal> {
        if self.revoked.is_some() {
            return Err(Refusal::KeyRevoked);
        }
        if now < self.validity.not_before {
            return Err(Refusal::KeyNotYetValid);
        }
        if now < self.validity.expires { Ok(()) } else { Err(Refusal::KeyExpired) }
    }

    /// Whether it counts here, and from there. Asked only for who holds it.
    pub fn check_place(&self, here: Environment, peer: IpAddr) -> Result<(), Refusal> {
        if self.rights.environment != here {
            return Err(Refusal::WrongEnvironment);
        }
        if self.rights.networks.admit(peer) { Ok(()) } else { Err(Refusal::NetworkNotAllowed) }
    }
}
