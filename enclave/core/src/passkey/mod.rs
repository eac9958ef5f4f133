//! A passkey's assertion over a request (W3C Web Authentication Level 3, §7.2), checked where its word is needed: here, and
//! by nobody else. Specification: docs/spec/passkeys.md.

mod authenticator;
mod client;
mod der;
mod fuzz;
#[cfg(test)]
mod tests;

use crate::connector::to_base64url;
use crate::hash::sha256;
use authenticator::Authenticator;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use client::Client;
pub use fuzz::fuzz_assertion;
use wire::Refusal;
use wire::identity::RelyingParty;
use wire::owner::{OwnerAlgorithm, OwnerKey};
use wire::passkey::{Assertion, Passkey, challenge_transcript};

/// Why an assertion does not count. It stays inside: the owner is told a [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The enclave does not serve the key's relying party, or not at all of the key's origins.
    NotServed,
    /// `clientDataJSON` is no bounded JSON object with the members that are read, each once.
    Client,
    /// It was made for something else, such as a registration.
    Type,
    /// It is over another request, or for another key.
    Challenge,
    /// It was made at another page.
    Origin,
    /// It was made inside somebody else's page, and the key does not name that one.
    Embedded,
    /// `authenticatorData` has not its form, or flags that no assertion has.
    Authenticator,
    /// It is for another relying party.
    RelyingParty,
    /// Nobody was there.
    NotPresent,
    /// Whoever was there, the authenticator did not find out who.
    NotVerified,
    /// Its backup flags contradict themselves, or the key.
    Backup,
    /// The signature has not its algorithm's one form.
    SignatureForm,
    /// The signature is not the key's over these bytes.
    Signature,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        match fault {
            Fault::NotServed => Refusal::PasskeyNotServed,
            Fault::Client | Fault::Authenticator | Fault::SignatureForm => Refusal::Malformed,
            Fault::Type
            | Fault::Challenge
            | Fault::Origin
            | Fault::Embedded
            | Fault::RelyingParty
            | Fault::NotPresent
            | Fault::NotVerified
            | Fault::Backup
            | Fault::Signature => Refusal::NotAuthorised,
        }
    }
}

/// Checks an assertion by `key`, which is this passkey and has this name, over the request of this SHA-256.
pub(crate) fn check(
    assertion: &Assertion<'_>,
    (key, passkey): (&OwnerKey, &Passkey),
    request: &[u8; 32],
    parties: &[RelyingParty],
) -> Result<(), Fault> {
    passkey.served_by(parties).ok_or(Fault::NotServed)?;
    check_client(&Client::parse(assertion.client)?, passkey, &assertion.key, request)?;
    check_authenticator(&Authenticator::parse(assertion.authenticator)?, passkey)?;
    check_signature(assertion, key)
}

/// Steps 10 to 14 of WebAuthn §7.2. What is covered is what a COSE_Sign1 covers: the key's name and the request.
fn check_client(client: &Client, passkey: &Passkey, key: &[u8; 32], request: &[u8; 32]) -> Result<(), Fault> {
    require(client.kind == "webauthn.get", Fault::Type)?;
    let challenge = to_base64url(&sha256(&challenge_transcript(key, request)));
    require(client.challenge == challenge, Fault::Challenge)?;
    require(passkey.origins.contains(&client.origin), Fault::Origin)?;
    let is_named = |top: &str| passkey.embedders.iter().any(|embedder| embedder == top);
    match (client.cross_origin, client.top_origin.as_deref()) {
        (false, None) => Ok(()),
        (true, Some(top)) if is_named(top) => Ok(()),
        _ => Err(Fault::Embedded),
    }
}

/// Steps 15 to 19. The counter is signed over and not compared: what comes twice is refused by its nonce, and an enclave that
/// keeps nothing between its starts has nothing to compare it with. Whether a key is backed up at the moment
/// decides nothing here, only that it says what such a key can say.
fn check_authenticator(authenticator: &Authenticator, passkey: &Passkey) -> Result<(), Fault> {
    let party = sha256(passkey.relying_party.as_bytes());
    require(authenticator.relying_party == party, Fault::RelyingParty)?;
    require(authenticator.user_present, Fault::NotPresent)?;
    require(authenticator.user_verified, Fault::NotVerified)?;
    let is_possible = authenticator.backup_eligible || !authenticator.backed_up;
    require(is_possible && authenticator.backup_eligible == passkey.backup_eligible, Fault::Backup)
}

/// Steps 20 and 21, by the one algorithm that the key has.
fn check_signature(assertion: &Assertion<'_>, key: &OwnerKey) -> Result<(), Fault> {
    let signed = [assertion.authenticator, sha256(assertion.client).as_slice()].concat();
    let valid = match key.algorithm {
        OwnerAlgorithm::Es256 => {
            let raw = der::raw_signature(assertion.signature).ok_or(Fault::SignatureForm)?;
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key.public).verify(&signed, &raw)
        }
        OwnerAlgorithm::EdDsa => {
            let raw: &[u8; 64] = assertion.signature.as_ref().try_into().map_err(|_| Fault::SignatureForm)?;
            UnparsedPublicKey::new(&ED25519, &key.public).verify(&signed, raw)
        }
    };
    valid.map_err(|_| Fault::Signature)
}

fn require(holds: bool, fault: Fault) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(fault) }
}
