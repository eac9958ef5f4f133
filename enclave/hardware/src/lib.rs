//! The enclave program for hardware: the same core as in the simulation, as the first and only process of a machine that a TEE isolates.
//!
//! What differs from the simulation is all here: evidence and entropy of the hardware ([`nsm`], [`tsm`], [`entropy`]), the machine
//! ([`machine`]), the channel's vsock ([`vsock`]), and inputs that are measured ([`inputs`]), which in a test image name whom to take for
//! a peer ([`peers`]).

pub mod bounded;
pub mod entropy;
mod health;
pub mod inputs;
pub mod machine;
pub mod nsm;
pub mod peers;
pub mod program;
pub mod tee;
pub mod tsm;
pub mod vsock;
