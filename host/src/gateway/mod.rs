//! HTTP for clients. It forwards what it cannot read: seals begin at the client and end in the enclave.

mod body;
mod connection;
mod guard;
mod hex;
mod listen;
mod prf;
mod room;
mod routes;
mod serve;
mod signed;
mod state;
#[cfg(test)]
mod tests;
pub mod tls;
mod way;

mod attestation;
mod challenges;
mod document;
mod envelopes;
mod exchanges;
mod health;
mod invitations;
mod keys;
mod organisation;
mod passkeys;
mod people;
mod policies;
pub mod problem;
mod problems;
mod recovery;
mod requests;
mod rotation;
mod sessions;

pub use listen::{Edge, NotBound};
pub use routes::openapi;
pub use serve::Gateway;
pub use state::Limits;
