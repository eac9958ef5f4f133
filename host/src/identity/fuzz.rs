//! A fuzz target: a plain function over hostile bytes, run over a corpus on stable Rust and by any fuzzer.
//!
//! It panics if what must hold does not, and on nothing else.

use super::ask::{Admitted, Begin, Head, Introduction, NewOrganisation};
use super::passkey::{self, Assertion, Expected, Registration};
use super::people::view::{Begun, SignedIn, SignedUp};
use super::token::{Issuer, Verifier};
use super::view::{self, Accepted, Made, PoliciesReplacement, Rotated};
use super::{Denied, Environment};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::OnceLock;
use wire::identity::RelyingParty;
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
    once_as_written::<Begin>(data);
    let _ = view::read::<Begun>(data).map(|begun| (begun.purpose(), begun.device()));
    let _ = view::read::<SignedUp>(data).map(|signed_up| signed_up.device());
    let _ = view::read::<SignedIn>(data).map(|signed_in| signed_in.device());
    say(data);
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

/// Whatever a browser and an authenticator say, it is nothing that was asked for.
fn say(data: &[u8]) {
    let party = RelyingParty { id: "localhost".to_owned(), origins: vec!["http://localhost".to_owned()] };
    let expected = Expected { challenge: &[7; 32], parties: &[party] };
    // What a browser says stands first; so that the rest is reached too, it may also be as it should.
    let challenge = URL_SAFE_NO_PAD.encode(expected.challenge);
    for kind in ["webauthn.create", "webauthn.get"] {
        let good = format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"http://localhost"}}"#);
        for client in [data, good.as_bytes()] {
            let registered = passkey::register(Registration { client, attestation: data }, expected);
            if let Ok(credential) = registered {
                assert!((1..1024).contains(&credential.id.len()), "an id has its length");
                let assertion = Assertion { client, authenticator: data, signature: data };
                assert!(passkey::assert(assertion, &credential, expected).is_err(), "nobody signed this");
            }
        }
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
