//! Passkeys of people (W3C Web Authentication Level 3): what a registration and an assertion have to be to count (docs/spec/people.md
//! §4). Sans I/O: what is expected comes in, a witness of the check comes out.

mod authenticator;
mod client;

use super::Public;
use crate::signatures::Algorithm;
use authenticator::{Authenticator, authenticator_data};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use client::Client;
use wire::identity::RelyingParty;

/// Why a passkey's word does not count. It stays inside: whoever brought it is told that it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `clientDataJSON` is no bounded JSON object with the members that are read, each once.
    Client,
    /// It was made for something else.
    Type,
    /// It is for another ceremony, or for another device's key.
    Challenge,
    /// It was made at a page that is not the deployment's.
    Origin,
    /// It was made inside somebody else's page.
    Embedded,
    /// The attestation object has not its form.
    Attestation,
    /// `authenticatorData` has not its form, or flags that it cannot have.
    Authenticator,
    /// The credential's key is of an algorithm that is not taken, or no key.
    Key,
    /// It is for another relying party.
    RelyingParty,
    /// Nobody was there.
    NotPresent,
    /// Whoever was there, the authenticator did not find out who.
    NotVerified,
    /// Its backup flags contradict themselves, or what was registered.
    Backup,
    /// It was counted before: there are two authenticators with this key.
    Counter,
    /// The signature is not the key's over these bytes, in its algorithm's one form.
    Signature,
}

/// What a ceremony asked for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'e> {
    pub challenge: &'e [u8; 32],
    /// The deployment's, each with the pages that passkeys are used at.
    pub parties: &'e [RelyingParty],
}

/// `AuthenticatorAttestationResponse`, as the browser gave it.
#[derive(Clone, Copy, Debug)]
pub struct Registration<'r> {
    pub client: &'r [u8],
    pub attestation: &'r [u8],
}

/// `AuthenticatorAssertionResponse`, as the browser gave it.
#[derive(Clone, Copy, Debug)]
pub struct Assertion<'a> {
    pub client: &'a [u8],
    pub authenticator: &'a [u8],
    pub signature: &'a [u8],
}

/// A credential whose registration holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub relying_party: String,
    /// Its id, 1 to 1,023 bytes.
    pub id: Vec<u8>,
    pub public: Public,
    pub backup_eligible: bool,
    pub counter: u32,
}

/// An assertion by a credential that holds; only the check makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asserted {
    counter: u32,
}

impl Asserted {
    /// Of tests of what comes behind the check.
    #[cfg(test)]
    pub fn dangerous_unchecked(counter: u32) -> Asserted {
        Asserted { counter }
    }

    /// Of the authenticator: 0 where it does not count.
    pub fn counter(self) -> u32 {
        self.counter
    }
}

/// Steps 5 to 20 of WebAuthn §7.1; nothing is attested.
pub fn register(registration: Registration<'_>, expected: Expected<'_>) -> Result<Credential, Fault> {
    let party = check_client(registration.client, "webauthn.create", expected)?;
    let authenticator = Authenticator::parse(authenticator_data(registration.attestation)?)?;
    check_flags(&authenticator, &party.id)?;
    let made = authenticator.credential.ok_or(Fault::Authenticator)?;
    Ok(Credential {
        relying_party: party.id.clone(),
        id: made.id,
        public: made.public,
        backup_eligible: authenticator.backup_eligible,
        counter: authenticator.counter,
    })
}

/// Steps 10 to 22 of WebAuthn §7.2, by `credential` as it was registered or last counted.
pub fn assert(
    assertion: Assertion<'_>,
    credential: &Credential,
    expected: Expected<'_>,
) -> Result<Asserted, Fault> {
    let party = check_client(assertion.client, "webauthn.get", expected)?;
    require(party.id == credential.relying_party, Fault::RelyingParty)?;
    let authenticator = Authenticator::parse(assertion.authenticator)?;
    require(authenticator.credential.is_none(), Fault::Authenticator)?;
    check_flags(&authenticator, &party.id)?;
    require(authenticator.backup_eligible == credential.backup_eligible, Fault::Backup)?;
    check_signature(assertion, &credential.public)?;
    check_counter(authenticator.counter, credential.counter)?;
    Ok(Asserted { counter: authenticator.counter })
}

/// A synced passkey does not count: it says 0, and was registered with 0.
pub fn check_counter(now: u32, before: u32) -> Result<(), Fault> {
    require(now > before || (now, before) == (0, 0), Fault::Counter)
}

/// The relying party whose page asked.
fn check_client<'e>(client: &[u8], kind: &str, expected: Expected<'e>) -> Result<&'e RelyingParty, Fault> {
    let client = Client::parse(client)?;
    require(client.kind == kind, Fault::Type)?;
    require(client.challenge == URL_SAFE_NO_PAD.encode(expected.challenge), Fault::Challenge)?;
    let party = expected.parties.iter().find(|party| party.origins.contains(&client.origin));
    require(!client.cross_origin && client.top_origin.is_none(), Fault::Embedded)?;
    party.ok_or(Fault::Origin)
}

fn check_flags(authenticator: &Authenticator, party: &str) -> Result<(), Fault> {
    require(authenticator.relying_party == sha256(party.as_bytes()), Fault::RelyingParty)?;
    require(authenticator.user_present, Fault::NotPresent)?;
    require(authenticator.user_verified, Fault::NotVerified)?;
    require(authenticator.backup_eligible || !authenticator.backed_up, Fault::Backup)
}

fn check_signature(assertion: Assertion<'_>, public: &Public) -> Result<(), Fault> {
    let signed = [assertion.authenticator, &sha256(assertion.client)].concat();
    let valid = match public.algorithm() {
        // Authenticators write DER (WebAuthn §6.5.5). A signature that has several forms does no harm: its ceremony counts once.
        Algorithm::EcdsaP256Sha256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public.bytes())
            .verify(&signed, assertion.signature)
            .is_ok(),
        Algorithm::Ed25519 => {
            public.verifier().is_ok_and(|verifier| verifier.verifies(&signed, assertion.signature))
        }
    };
    require(valid, Fault::Signature)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

fn require(holds: bool, fault: Fault) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(fault) }
}
