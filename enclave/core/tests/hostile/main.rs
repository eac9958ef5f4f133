//! The hostile host, in process: a real client and a real enclave, and between them a host that replays, reorders,
//! drops, swaps, alters, lies about time, passes on, truncates and floods. Each case names the refusal it gets.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod acting;
mod arbitrary;
mod authorisation;
mod backups;
mod bytes;
mod consent;
mod departing;
mod epochs;
mod evidence;
mod flood;
mod freshness;
mod generations;
mod granting;
mod keys;
mod linking;
mod moving;
mod new_keys;
mod outside;
mod passkeys;
mod paying;
mod portfolio;
mod provider;
mod proving;
mod reached;
mod receipts;
mod refreshing;
mod register;
mod renewing;
mod replacing;
mod rotation;
mod support;
mod time;
#[path = "../provisioning/vendor.rs"]
mod vendor;
