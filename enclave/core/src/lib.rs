//! The enclave's core: a state machine without I/O. Frames, claimed time and entropy in; frames out.
//!
//! No async runtime, no logging, no files, sockets, environment or clock. A program around it owns the channel.

mod asset;
mod attester;
mod authorisation;
mod boot;
mod calls;
mod clock;
mod connections;
pub mod connector;
mod credentials;
pub mod egress;
mod enclave;
pub mod entropy;
pub mod envelope;
mod grant;
mod hash;
mod held;
mod identity;
pub mod keccak;
mod keys;
mod limits;
mod line;
pub mod network;
mod nonces;
mod operation;
mod outbox;
mod owner;
mod passkey;
mod provider;
mod provisioning;
mod quotes;
mod receipts;
mod references;
mod register;
mod reply;
mod request;
pub mod rewrap;
pub mod root;
pub mod secp256k1;
pub mod secret;
mod surroundings;
#[cfg(test)]
mod vectors;
pub mod wallet;

pub use attester::{AttestFailed, Attestation, Attester};
pub use boot::{Boot, Fatal, StartFailed};
pub use enclave::Enclave;
pub use passkey::fuzz_assertion;
pub use provisioning::{Provisioning, Stage, Unprovisioned};
pub use register::Leave;
pub use request::fuzz_request;
