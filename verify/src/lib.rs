//! The client's half of trust: evidence → `Verified`, sealing to the enclave, opening replies, checking receipts.
//!
//! No I/O, no clock, no environment: time is a parameter. The enclave imports this crate for the other half of the
//! sealing protocol and to check a successor before it hands keys over.
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::arithmetic_side_effects
    )
)]

// Evidence.
mod attested;
pub mod binding;
pub mod certificates;
pub mod client;
pub mod consent;
pub mod document;
pub mod evidence;
mod examination;
pub mod expect;
#[doc(hidden)]
pub mod fuzz;
mod json;
pub mod manifest;
pub mod map;
pub mod mark;
pub mod measurement;
pub mod merkle;
mod nitro;
mod refused;
pub mod release;
mod root;
pub mod setup;
pub mod snp;
pub mod tdx;
mod text;
mod x509;

// Sealing.
pub mod bhttp;
pub mod holder;
pub mod hpke;
pub mod ohttp;
pub mod padding;
pub mod passkey;
pub mod receipt;
pub mod register;
pub mod share;
pub mod witness;

pub use client::{Verdict, Verified};
pub use examination::Check;
use examination::Examination;
pub use expect::{Expect, Reaches};
pub use refused::{Fault, Refused};
pub use root::{Root, VendorRoots};

#[cfg(test)]
mod testing;
