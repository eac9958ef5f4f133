//! The sealed envelope: a credential under a data key, wrapped twice, by the owner's share and the enclave's root.
//!
//! `docs/spec/envelope.md` is the specification, byte for byte. Neither the root alone nor the share alone opens
//! anything; a re-wrap to a new epoch ([`crate::rewrap`]) touches the outer wrap only.

pub(crate) mod aead;
mod contents;
pub(crate) mod context;
mod fault;
pub(crate) mod kdf;
pub(crate) mod layout;
mod open;
mod padding;
mod payload;
mod rotate;
mod seal;
mod share;
pub(crate) mod wrap;

#[cfg(test)]
mod tests;

pub use contents::{Contents, Subject};
pub use fault::EnvelopeFault;
pub use open::{Opened, open};
pub use rotate::{Rotation, rotate};
pub use seal::seal;
pub use share::Share;

/// The only version there is.
pub const VERSION: u8 = 1;

/// Opens whatever it is given, as any holder of arbitrary bytes could try: refuses, never panics.
pub fn fuzz_envelope(data: &[u8]) {
    let Ok(roots) = crate::root::Roots::new(1, &crate::secret::Secret::copied(&[1; 32])) else { return };
    let Ok(share) = Share::parse(&[2; 32]) else { return };
    let strict = layout::parse(data).is_ok();
    let general = <wire::envelope::Envelope as wire::Canonical>::from_bytes(data)
        .is_ok_and(|envelope| layout::admissible(&envelope) && data.len() <= wire::envelope::MAX_ENVELOPE);
    assert_eq!(strict, general, "the strict parser and the general decoder agree");
    let _ = open(data, &share, &roots).is_ok();
    let _ = payload::parse(data).is_ok();
}
