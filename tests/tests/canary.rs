//! No marked secret is anywhere outside the enclave; and the search that says so can see.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "canary/sight.rs"]
mod sight;
