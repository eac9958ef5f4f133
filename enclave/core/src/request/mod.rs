//! A sealed request on its way in. Each step leaves a value that only its check can make, and the next step takes it:
//! [`Opened`] (the seal) → [`Fresh`] (this enclave, this moment, once) → the envelope → [`Consent`] (its owner) →
//! [`Authorised`] (spent).
//!
//! The envelope is opened before its owner is checked, because the owner's keys are inside it; nothing of what is
//! inside is used or answered before [`Consent`] exists.

mod authorised;
mod fresh;
mod fuzz;
mod opened;

pub(crate) use authorised::{Authorised, Consent, Danger, Factors};
pub(crate) use fresh::Fresh;
pub use fuzz::fuzz_request;
pub(crate) use opened::{Opened, SealedTo, body};
