//! The whole enclave against an authorisation server that we did not write (npm `oidc-provider`): pushed requests
//! (RFC 9126), the issuer in the answer (RFC 9207), refresh tokens that do not rotate. By a connector of these tests
//! alone, because no exchange that is built in has them.
//!
//! `make test-oauth` fetches the server and runs this; without `TENSFER_OAUTH` it fails and says so. Everything listens on
//! loopback, on ports that are free, and ends with the test.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod flow;
mod pushed;
mod refreshing;
mod server;
#[path = "../hostile/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests of the hostile host use more of it")]
mod support;
