//! What an envelope is for, and what is in it beside the credential.

use super::EnvelopeFault;
use wire::capability::Finding;
use wire::consent::Class;
use wire::envelope::Purpose;
use wire::owner::{MAX_OWNER_KEYS, OwnerKey};
use wire::{ConnectionId, OrganisationId, UnixMillis};

/// What an envelope is for. Stays the same through all its generations, but for the class, which its owner may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    pub organisation: OrganisationId,
    pub connection: ConnectionId,
    pub purpose: Purpose,
    pub class: Class,
}

/// What is sealed with the credential. None of it is secret from the owner or the enclave; the host sees none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The connector's id, such as `kraken`.
    pub exchange: String,
    /// 1 to 8 different keys.
    pub owners: Vec<OwnerKey>,
    pub finding: Finding,
    /// When the connection was linked.
    pub created: UnixMillis,
}

/// An owner set has 1 to 8 keys, all different.
pub(crate) fn check_owners(owners: &[OwnerKey]) -> Result<(), EnvelopeFault> {
    let repeats =
        owners.iter().enumerate().any(|(place, key)| owners.iter().skip(place + 1).any(|k| k == key));
    if owners.is_empty() || owners.len() > MAX_OWNER_KEYS || repeats {
        return Err(EnvelopeFault::Malformed);
    }
    Ok(())
}
