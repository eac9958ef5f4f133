//! Operators and an enclave without a root, in process: a genesis, a boot by quorum, and everyone who gets it wrong.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod approving;
mod arbitrary;
mod classes;
mod emulated;
mod ending;
mod epochs;
mod genesis;
mod handover;
#[expect(dead_code, unused_imports, clippy::expect_used, reason = "a hostile host has more of it")]
#[path = "../hostile/support/mod.rs"]
mod hostile;
mod noticing;
mod releasing;
mod resharing;
mod support;
mod vendor;

use hostile::keeper;
