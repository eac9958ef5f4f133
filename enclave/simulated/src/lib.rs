//! The simulated enclave program: the same core as on hardware, in a process that locks itself down. NOT A TEE.
//!
//! What differs from hardware is all here: evidence signed under a throw-away root ([`evidence`]), roots handed
//! over by the host ([`provision`]), isolation by the kernel instead of by the processor ([`lockdown`]).

pub mod channel;
pub mod entropy;
pub mod evidence;
pub mod lockdown;
pub mod provision;
pub mod secret_memory;
