//! Evidence for development, under a root made at start (docs/spec/evidence.md §1.4): every certificate says `DEVELOPMENT - NOT A TEE` under a critical
//! extension, and every verifier refuses it unless its caller names that very root.
//!
//! The simulated enclave signs with it ([`authority`]). The program of this crate stands where AWS's hypervisor would, between a host and an
//! emulated enclave, and signs what the emulation leaves unsigned ([`emulated`], [`frames`]).

pub mod authority;
pub mod emulated;
pub mod frames;
