//! What an assertion may hold.

use super::authenticator::Authenticator;
use super::client::Client;
use super::der::raw_signature;

/// Reads arbitrary bytes as each part of an assertion: refuses, never panics.
pub fn fuzz_assertion(data: &[u8]) {
    let _ = Client::parse(data).is_ok();
    let _ = Authenticator::parse(data).is_ok();
    let _ = raw_signature(data).is_some();
}
