//! A client with owner keys, and the host around one enclave.

mod client;
mod machine;
mod owner;

pub use client::{Draft, sha256, sign};
pub use machine::{Answer, BUILT, Machine, NOW, host, roots};
pub use owner::{CREDENTIAL, Key, Owner, envelope_of};
