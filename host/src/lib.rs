//! Everything untrusted: it forwards sealed bytes, and can refuse service and nothing else.
//!
//! Roles are modules, each a process of its own; [`calls`] says who may call whom.

pub mod calls;
pub mod catalogue;
pub mod clock;
pub mod confinement;
pub mod egress;
pub mod gateway;
pub mod identity;
pub mod log;
pub mod policy;
pub mod process;
pub mod proofs;
mod rate;
pub mod relay;
pub mod signatures;
pub mod store;
pub mod transport;
pub mod workload;

#[cfg(test)]
mod testing;
