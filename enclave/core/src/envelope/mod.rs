//! The sealed envelope: a credential under a data key, wrapped twice, by the owner's share and the enclave's root.
//!
//! `docs/spec/envelope.md` is the specification, byte for byte. Neither the root alone nor the share alone opens
//! anything; a re-wrap to a new epoch ([`crate::rewrap`]) touches the outer wrap only.

pub(crate) mod aead;
mod contents;
pub(crate) mod context;
mod fault;
mod fuzz;
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
pub use fuzz::fuzz_envelope;
pub use open::{Opened, open};
pub(crate) use open::{open_inner, open_payload};
pub use rotate::{Rotation, rotate};
pub use seal::seal;
pub use share::Share;

/// The only version there is.
pub const VERSION: u8 = 1;
