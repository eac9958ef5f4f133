//! Operators and an enclave without a root, in process: a genesis, a boot by quorum, and everyone who gets it wrong.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod approving;
mod arbitrary;
mod genesis;
mod handover;
mod releasing;
mod support;
mod vendor;
