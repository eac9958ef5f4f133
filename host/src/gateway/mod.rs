//! HTTP for clients. It forwards what it cannot read: seals begin at the client and end in the enclave.

mod body;
mod enclave;
mod guard;
mod hex;
mod routes;
mod serve;
mod state;
#[cfg(test)]
mod tests;
mod uploads;

mod attestation;
mod document;
mod envelopes;
mod exchanges;
mod health;
pub mod problem;
mod problems;
mod requests;
mod rotation;

pub use routes::openapi;
pub use serve::{Gateway, NotBound};
pub use state::Limits;
