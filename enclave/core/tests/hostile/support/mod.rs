//! A client with owner keys, and the host around one enclave.

pub mod book;
mod client;
mod exchange;
pub mod keeper;
mod machine;
mod owner;
pub mod passkey;
/// The TLS half of a provider, as the egress tests have it.
#[path = "../../../src/egress/tests/provider.rs"]
#[expect(dead_code, reason = "the egress tests use more of it")]
mod tls;

pub use client::{Draft, Sealed, sha256, sign};
pub use exchange::{Behaviour, Exchange, HOST};
pub use machine::{
    Answer, BUILT, Machine, NOW, counting, host, host_without_passkeys, roots, roots_of_all, sandbox,
    two_epochs_of_all,
};
pub use owner::{CREDENTIAL, Key, Owner, envelope_at, envelope_of};
pub use tls::{Authority, Identity};
