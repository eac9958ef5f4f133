//! A fuzz target: a plain function over hostile bytes, run over a corpus on stable Rust and by any fuzzer.
//!
//! It panics if what must hold does not, and on nothing else.

use super::ask::{Admitted, Head, Introduction, NewOrganisation};
use super::token::{Issuer, Verifier};
use super::view::{self, Accepted, Made, PoliciesReplacement, Rotated};
use super::{Denied, Environment};
use std::sync::OnceLock;
use wire::{Canonical, UnixMillis};

/// What a gateway may send, and what a program's body may hold.
pub fn fuzz_identity(data: &[u8]) {
    once_as_written::<Head>(data);
    once_as_written::<Introduction>(data);
    once_as_written::<NewOrganisation>(data);
    if let Ok(Admitted { token, body }) = Admitted::from_bytes(data) {
        refuse(&token, &body);
    }
    if let Ok(text) = core::str::from_utf8(data) {
        refuse(text, b"");
        let _ =
            view::cursor(text).map(|cursor| assert!(text.ends_with(&cursor.id.to_string()), "one spelling"));
        let _ = Denied::from_text(text).map(|denied| assert!(denied.to_text() == text, "one spelling"));
    }
    // A key that is read is a key.
    let _ = view::read::<Accepted>(data).map(|accepted| accepted.public());
    let _ = view::read::<Rotated>(data).map(|rotated| rotated.public());
    let _ = view::read::<PoliciesReplacement>(data);
    let now = UnixMillis(1_800_000_000_000);
    if let Ok(new) = view::read::<Made>(data).and_then(|made| made.new_key(Environment::Sandbox, now)) {
        assert!(
            new.validity.not_before < new.validity.expires && now < new.validity.expires,
            "it is valid once"
        );
    }
}

fn once_as_written<'b, T: Canonical<'b>>(data: &'b [u8]) {
    if let Ok(read) = T::from_bytes(data) {
        assert!(read.to_bytes() == data, "one spelling");
    }
}

/// Whatever it says, this issuer did not.
fn refuse(token: &str, body: &[u8]) {
    static TOKENS: OnceLock<Option<Verifier>> = OnceLock::new();
    let tokens = TOKENS.get_or_init(|| Issuer::make().ok()?.verifier().ok());
    let checked =
        tokens.as_ref().map(|tokens| tokens.check("identity", token, body, UnixMillis(1_800_000_000_000)));
    assert!(!matches!(checked, Some(Ok(_))), "nobody said this");
}
