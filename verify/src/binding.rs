//! What ties evidence to one identity document and to the nonces of the clients it answers.

use crate::Refused;
use crate::merkle::{Nonce, root_of};
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use wire::evidence::Inclusion;
use wire::transcript::{Transcript, domain};

/// The TEE's report data: `SHA-512(lp(domain) ‖ lp(nonce root) ‖ lp(SHA-512(identity)))`, where `lp` is a 32-bit
/// big-endian length and the bytes. `identity` is the document as it was encoded or received.
pub fn report_data(nonce_root: &[u8; 32], identity: &[u8]) -> [u8; 64] {
    let identity = digest(&SHA512, identity);
    let transcript = Transcript::new(domain::EVIDENCE).field(nonce_root).field(identity.as_ref());
    let mut data = [0; 64];
    let hash = digest(&SHA512, &transcript.bytes());
    data.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    data
}

/// SHA-256 of the identity document: what a signed request names the enclave by.
pub fn identity_hash(identity: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut().zip(digest(&SHA256, identity).as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// Whether `data` is the report data for this nonce and identity.
pub(crate) fn check(
    data: Option<&[u8]>,
    nonce: &Nonce,
    inclusion: &Inclusion,
    identity: &[u8],
) -> Result<(), Refused> {
    let root = root_of(nonce, inclusion).ok_or(Refused::NonceMismatch)?;
    if data == Some(report_data(&root, identity).as_slice()) { Ok(()) } else { Err(Refused::BindingMismatch) }
}
