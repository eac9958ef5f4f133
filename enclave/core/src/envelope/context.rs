//! The KDF infos and AADs of the envelope, in one place: transcripts, each under a domain of its own (m10, m11).
//!
//! The outer wrap's AAD alone is no transcript: it is the envelope's own bytes ([`super::layout::Layout::bound`]).
//! `docs/spec/envelope.md` §3 writes them byte for byte.

use super::VERSION;
use aws_lc_rs::digest::{SHA256, digest};
use wire::GrantId;
use wire::envelope::{Header, Purpose};
use wire::owner::{OwnerKey, owner_set_transcript};
use wire::transcript::{Transcript, domain};

/// Info of the key that wraps the data key under the owner's share.
pub(crate) fn share_wrap(header: &Header) -> Transcript {
    binding(domain::SHARE_WRAP, header)
}

/// Info of the key that wraps the inner wrap under the root of `epoch` (m22).
pub(crate) fn root_wrap(header: &Header, epoch: u32) -> Transcript {
    binding(domain::ROOT_WRAP, header).number(u64::from(epoch))
}

/// Info of the key that wraps the data key under the share of a grant.
pub(crate) fn grant_share_wrap(header: &Header, id: GrantId) -> Transcript {
    binding(domain::GRANT_SHARE_WRAP, header).number(header.generation).field(&id.0)
}

/// Info of the key that wraps that under the root of `epoch`.
pub(crate) fn grant_root_wrap(header: &Header, id: GrantId, epoch: u32) -> Transcript {
    binding(domain::GRANT_ROOT_WRAP, header).number(header.generation).field(&id.0).number(u64::from(epoch))
}

/// Info of the key that encrypts the payload: another one for each generation.
pub(crate) fn payload_key(header: &Header) -> Transcript {
    binding(domain::PAYLOAD_KEY, header).number(header.generation)
}

/// Info of the commitment to the data key.
pub(crate) fn key_commitment() -> Transcript {
    Transcript::new(domain::KEY_COMMITMENT)
}

/// AAD of the payload. The epoch is not in it: re-wrapping to a new one leaves the payload as it is (m12).
pub(crate) fn payload_aad(header: &Header) -> Vec<u8> {
    binding(domain::PAYLOAD, header).number(header.generation).number(u64::from(VERSION)).bytes()
}

/// AAD of the inner wrap: the generation, and the data key it must turn out to hold.
pub(crate) fn share_wrap_aad(generation: u64, commitment: &[u8; 32]) -> Vec<u8> {
    Transcript::new(domain::SHARE_WRAP_AAD).number(generation).field(commitment).bytes()
}

/// SHA-256 that names an owner set.
pub(crate) fn owners_hash(owners: &[OwnerKey]) -> [u8; 32] {
    sha256(&owner_set_transcript(owners))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

/// The number of a purpose, as on the wire.
pub(crate) const fn purpose_number(purpose: Purpose) -> u8 {
    match purpose {
        Purpose::ExchangeCredential => 0,
        Purpose::PendingAuthorisation => 2,
        Purpose::PendingProof => 4,
    }
}

/// The purpose of a number.
pub(crate) const fn purpose_of(number: u8) -> Option<Purpose> {
    match number {
        0 => Some(Purpose::ExchangeCredential),
        2 => Some(Purpose::PendingAuthorisation),
        4 => Some(Purpose::PendingProof),
        _ => None,
    }
}

/// What every key and the payload are bound to: purpose, organisation, connection, owner set, and any class but `any`.
///
/// Envelopes from before there were classes are of `any`, and bound to none. A list of fields with a class is longer by
/// one than the same list without: under one domain no two of them are the same.
fn binding(domain: &str, header: &Header) -> Transcript {
    let binding = Transcript::new(domain)
        .number(u64::from(purpose_number(header.purpose)))
        .field(&header.organisation.0)
        .field(&header.connection.0)
        .field(&header.owners);
    if header.class.is_any() { binding } else { binding.number(u64::from(header.class.number())) }
}
