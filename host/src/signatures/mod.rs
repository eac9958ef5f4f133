//! HTTP message signatures of requests (RFC 9421, RFC 9530), in the one profile of docs/spec/http-signatures.md.
//!
//! What was received is a [`Request`]. [`Presented::read`] finds the one signature with our tag and holds it to the profile; then come,
//! in this order and no other, the key and the time ([`Presented::signed_by`]), the nonce ([`Signed::once`]) and the body
//! ([`Once::with_body`]). Only the last makes a [`Verified`]: a handler reads from it, and it gives nothing that was not signed.
//!
//! Whoever keeps keys is asked between the steps, so nothing here waits, reads a clock or takes a lock. The other half, for our own
//! client side, is [`sign`].

mod base;
mod digest;
pub mod fuzz;
mod key;
mod nonces;
mod presented;
mod refused;
mod request;
mod signer;
mod structured;
#[cfg(test)]
mod tests;

pub use digest::check as check_content_digest;
pub use key::{Algorithm, InvalidKey, PublicKey, SigningKey};
pub use nonces::{Nonces, Room, Used};
pub use presented::{Once, Presented, Signed, Verified};
pub use refused::Refused;
pub use request::{Authority, Field, Request, Scheme};
pub use signer::{Signer, Stamp, Unsigned, sign};

/// The application that our signatures are for (RFC 9421 §2.3, `tag`).
pub const TAG: &str = "tensfer";
/// From `created` to `expires`, in seconds, at most.
pub const LONGEST_LIFETIME: u64 = 120;
/// How far `created` may lie ahead of our clock, in milliseconds. And so long after a start no signature is taken ([`Nonces::starting`]).
pub const LEEWAY_MS: u64 = 5_000;
