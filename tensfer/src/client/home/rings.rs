//! What the two key files hold: the owner's secret with the device keys, and the keys kept apart.

use super::key_file::random;
use super::keys::SigningKey;
use crate::client::encode::canonical_secret;
use crate::client::failure::{Failure, Result};
use minicbor::bytes::ByteSlice;
use minicbor::{Decode, Encode};
use std::fmt;
use wire::owner::{OwnerKey, OwnerRole};
use wire::{Canonical, OrganisationId};
use zeroize::Zeroizing;

/// More keys than this and old ones are not being dropped: refused rather than grown without end (m23).
const MAX_KEYS: usize = 64;

/// The owner at one realm: one secret, one organisation, the device keys in use.
pub struct Owner {
    pub organisation: OrganisationId,
    pub secret: Zeroizing<[u8; 32]>,
    pub devices: Ring,
}

/// Signing keys of one role, oldest first; the last one is for new connections.
pub struct Ring {
    role: OwnerRole,
    keys: Vec<SigningKey>,
}

/// The plaintext of `owner.key`. Borrows from a buffer that is zeroized.
#[derive(Encode, Decode)]
#[cbor(map)]
struct OwnerPlaintext<'b> {
    #[n(0)]
    organisation: OrganisationId,
    #[b(1)]
    secret: &'b ByteSlice,
    #[b(2)]
    devices: Vec<&'b ByteSlice>,
}

/// The plaintext of `second-factor.key`.
#[derive(Encode, Decode)]
#[cbor(map)]
struct RingPlaintext<'b> {
    #[b(0)]
    keys: Vec<&'b ByteSlice>,
}

impl<'b> Canonical<'b> for OwnerPlaintext<'b> {}
impl<'b> Canonical<'b> for RingPlaintext<'b> {}

impl Owner {
    pub fn make() -> Result<Owner> {
        Ok(Owner {
            organisation: OrganisationId(random()?),
            secret: Zeroizing::new(random()?),
            devices: Ring::make(OwnerRole::Device)?,
        })
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let plaintext = OwnerPlaintext {
            organisation: self.organisation,
            secret: self.secret.as_slice().into(),
            devices: self.devices.documents(),
        };
        canonical_secret(&plaintext, ROOM)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Owner> {
        let plaintext = OwnerPlaintext::from_bytes(bytes).map_err(|_| damaged())?;
        let secret: &[u8; 32] = (&**plaintext.secret).try_into().map_err(|_| damaged())?;
        Ok(Owner {
            organisation: plaintext.organisation,
            secret: Zeroizing::new(*secret),
            devices: Ring::parse(OwnerRole::Device, &plaintext.devices)?,
        })
    }
}

impl Ring {
    pub fn make(role: OwnerRole) -> Result<Ring> {
        let mut ring = Ring { role, keys: Vec::new() };
        ring.add()?;
        Ok(ring)
    }

    /// Makes a key that new connections use from now on.
    pub fn add(&mut self) -> Result<OwnerKey> {
        if self.keys.len() >= MAX_KEYS {
            return Err(Failure::refused(
                "too_many_keys",
                "your key file holds too many keys that are still in use",
            )
            .hint("rotate the owner keys of all connections together: `tensfer rotate --all --owner-keys`"));
        }
        let key = SigningKey::generate(self.role)?;
        let public = key.public().clone();
        self.keys.push(key);
        Ok(public)
    }

    /// The key for new connections.
    pub fn newest(&self) -> Result<&SigningKey> {
        self.keys.last().ok_or_else(damaged)
    }

    pub fn find(&self, public: &OwnerKey) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.public() == public)
    }

    /// Drops every key but the newest and those that `in_use` names; says whether anything changed.
    pub fn keep(&mut self, in_use: &[OwnerKey]) -> bool {
        let before = self.keys.len();
        let newest = self.keys.last().map(|key| key.public().clone());
        self.keys.retain(|key| Some(key.public()) == newest.as_ref() || in_use.contains(key.public()));
        self.keys.len() != before
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        canonical_secret(&RingPlaintext { keys: self.documents() }, ROOM)
    }

    pub(super) fn from_bytes(role: OwnerRole, bytes: &[u8]) -> Result<Ring> {
        Ring::parse(role, &RingPlaintext::from_bytes(bytes).map_err(|_| damaged())?.keys)
    }

    fn parse(role: OwnerRole, documents: &[&ByteSlice]) -> Result<Ring> {
        let keys: Option<Vec<SigningKey>> =
            documents.iter().map(|document| SigningKey::from_pkcs8(document, role)).collect();
        match keys {
            Some(keys) if !keys.is_empty() && keys.len() <= MAX_KEYS => Ok(Ring { role, keys }),
            _ => Err(damaged()),
        }
    }

    fn documents(&self) -> Vec<&ByteSlice> {
        self.keys.iter().map(|key| key.pkcs8().into()).collect()
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owner({})", self.organisation)
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ring({:?}, {} keys)", self.role, self.keys.len())
    }
}

/// Room for every key at once.
const ROOM: usize = MAX_KEYS * 128;

fn damaged() -> Failure {
    Failure::refused("key_file_damaged", "what your key file holds is not what this program wrote")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_back() {
        let owner = Owner::make().unwrap();
        let again = Owner::from_bytes(&owner.to_bytes()).unwrap();
        assert_eq!(*owner.secret, *again.secret);
        assert_eq!(owner.organisation, again.organisation);
        assert_eq!(owner.devices.newest().unwrap().public(), again.devices.newest().unwrap().public());
    }

    #[test]
    fn keys_in_use_are_kept_and_others_are_dropped() {
        let mut ring = Ring::make(OwnerRole::Second).unwrap();
        let first = ring.newest().unwrap().public().clone();
        let second = ring.add().unwrap();
        let third = ring.add().unwrap();
        assert!(ring.keep(std::slice::from_ref(&first)));
        assert!(ring.find(&first).is_some() && ring.find(&second).is_none() && ring.find(&third).is_some());
        assert!(!ring.keep(&[first]));
    }

    #[test]
    fn debug_prints_no_secret() {
        let owner = Owner {
            organisation: OrganisationId([1; 16]),
            secret: Zeroizing::new([0xab; 32]),
            devices: Ring::make(OwnerRole::Device).unwrap(),
        };
        assert_eq!(format!("{owner:?}"), "Owner(org_01010101010101010101010101010101)");
        assert_eq!(format!("{:?}", owner.devices), "Ring(Device, 1 keys)");
    }

    #[test]
    fn cut_off_plaintexts_are_refused() {
        let bytes = Owner::make().unwrap().to_bytes();
        for length in 0..bytes.len() {
            assert!(Owner::from_bytes(&bytes[..length]).is_err());
        }
    }
}
