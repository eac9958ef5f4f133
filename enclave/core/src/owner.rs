//! Owners' signatures over a request: who of an owner set signed these very bytes, by a key or with a passkey.

use crate::hash::sha256;
use crate::passkey;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use minicbor::bytes::ByteSlice;
use wire::cose::{self, Protected, Sign1};
use wire::identity::RelyingParty;
use wire::owner::{MAX_OWNER_KEYS, OwnerAlgorithm, OwnerKey, OwnerRole};
use wire::passkey::{Assertion, Passkey};
use wire::request::MAX_SIGNATURES;
use wire::transcript::domain;
use wire::{Canonical, Refusal};
use zeroize::Zeroizing;

/// Raw r‖s and Ed25519 signatures alike. Anything longer or shorter, DER above all, is refused (m04).
const SIGNATURE_BYTES: usize = 64;

/// The keys that provably signed one request. Only [`Signed::check`] makes it.
#[derive(Debug)]
pub(crate) struct Signed<'k> {
    keys: Vec<&'k OwnerKey>,
}

impl<'k> Signed<'k> {
    /// Checks every signature of a request against the `known` keys; passkeys count for these relying parties alone.
    ///
    /// A signature that is malformed, by an unknown key, repeated, or of another algorithm than its key's refuses the
    /// whole request: there is no signature that may be ignored.
    pub(crate) fn check(
        request: &[u8],
        signatures: &[&ByteSlice],
        known: &[&'k OwnerKey],
        parties: &[RelyingParty],
    ) -> Result<Signed<'k>, Refusal> {
        let named: Vec<([u8; 32], &'k OwnerKey)> = known.iter().map(|key| (name(key), *key)).collect();
        Signed::check_each(signatures, |signature| {
            if Assertion::is_meant(signature) {
                check_assertion(request, signature, &named, parties)
            } else {
                check_one(domain::OWNER_REQUEST, request, signature, &named)
            }
        })
    }

    /// The same of a request by a grant: by the one key that it names, which is no passkey.
    pub(crate) fn check_granted(
        request: &[u8],
        signatures: &[&ByteSlice],
        key: &'k OwnerKey,
    ) -> Result<Signed<'k>, Refusal> {
        let named = [(name(key), key)];
        Signed::check_each(signatures, |signature| {
            check_one(domain::GRANTED_REQUEST, request, signature, &named)
        })
    }

    fn check_each(
        signatures: &[&ByteSlice],
        check: impl Fn(&[u8]) -> Result<&'k OwnerKey, Refusal>,
    ) -> Result<Signed<'k>, Refusal> {
        if signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
            return Err(Refusal::NotAuthorised);
        }
        let mut keys = Vec::with_capacity(signatures.len());
        for signature in signatures {
            let key = check(signature)?;
            if keys.contains(&key) {
                return Err(Refusal::NotAuthorised);
            }
            keys.push(key);
        }
        Ok(Signed { keys })
    }

    pub(crate) fn by(&self, key: &OwnerKey) -> bool {
        self.keys.contains(&key)
    }

    pub(crate) fn by_role(&self, owners: &[OwnerKey], role: OwnerRole) -> bool {
        owners.iter().any(|key| key.role == role && self.by(key))
    }
}

/// An owner set that may enter an envelope: 1 to 8 distinct public keys, a device key among them. A key in two roles
/// would make one signature count as two factors. Passkeys are of relying parties that the enclave serves.
pub(crate) fn check_set(owners: &[OwnerKey], parties: &[RelyingParty]) -> Result<(), Refusal> {
    let has_device = owners.iter().any(|key| key.role == OwnerRole::Device);
    let distinct = owners.iter().enumerate().all(|(at, key)| {
        let mut others = owners.iter().skip(at + 1);
        others.all(|other| other.public != key.public)
    });
    let formed = owners.iter().all(has_form);
    if owners.len() > MAX_OWNER_KEYS || !has_device || !distinct || !formed {
        return Err(Refusal::Malformed);
    }
    let mut passkeys = owners.iter().filter_map(|key| key.passkey.as_ref());
    if passkeys.all(|passkey| passkey.served_by(parties).is_some()) {
        Ok(())
    } else {
        Err(Refusal::PasskeyNotServed)
    }
}

/// A key whose bytes have the length that its algorithm has.
pub(crate) fn check_key(key: &OwnerKey) -> Result<(), Refusal> {
    if has_form(key) { Ok(()) } else { Err(Refusal::Malformed) }
}

/// The name of a key: SHA-256 of its transcript.
pub(crate) fn name(key: &OwnerKey) -> [u8; 32] {
    sha256(&key.transcript())
}

/// The key that made one signature.
fn check_one<'k>(
    domain: &str,
    request: &[u8],
    signature: &[u8],
    known: &[([u8; 32], &'k OwnerKey)],
) -> Result<&'k OwnerKey, Refusal> {
    let sign1 = Sign1::from_bytes(signature).map_err(|_| Refusal::Malformed)?;
    let Protected { algorithm, key: name } = sign1.protected().map_err(|_| Refusal::Malformed)?;
    if sign1.payload.is_some() || sign1.signature.len() != SIGNATURE_BYTES {
        return Err(Refusal::Malformed);
    }
    let (_, key) = known.iter().find(|(known, _)| *known == name).ok_or(Refusal::NotAuthorised)?;
    let (number, verification) = algorithm_of(key.algorithm);
    if algorithm != number || !has_form(key) || key.passkey.is_some() {
        return Err(Refusal::NotAuthorised);
    }
    // A copy of the whole request: share and, in a link, credential.
    let signed = Zeroizing::new(cose::to_be_signed(sign1.protected, domain, request));
    UnparsedPublicKey::new(verification, &key.public)
        .verify(&signed, sign1.signature)
        .map_err(|_| Refusal::NotAuthorised)?;
    Ok(key)
}

/// The passkey whose assertion this is.
fn check_assertion<'k>(
    request: &[u8],
    signature: &[u8],
    known: &[([u8; 32], &'k OwnerKey)],
    parties: &[RelyingParty],
) -> Result<&'k OwnerKey, Refusal> {
    let assertion = Assertion::from_bytes(signature).map_err(|_| Refusal::Malformed)?;
    let (_, key) = known.iter().find(|(known, _)| *known == assertion.key).ok_or(Refusal::NotAuthorised)?;
    let passkey = key.passkey.as_ref().filter(|_| has_form(key)).ok_or(Refusal::NotAuthorised)?;
    passkey::check(&assertion, (key, passkey), &sha256(request), parties)?;
    Ok(key)
}

/// The one algorithm that a key may sign with: its COSE number and how it is verified.
fn algorithm_of(algorithm: OwnerAlgorithm) -> (i8, &'static dyn VerificationAlgorithm) {
    match algorithm {
        OwnerAlgorithm::EdDsa => (cose::EDDSA, &ED25519),
        OwnerAlgorithm::Es256 => (cose::ES256, &ECDSA_P256_SHA256_FIXED),
    }
}

fn has_form(key: &OwnerKey) -> bool {
    let is_key = match key.algorithm {
        OwnerAlgorithm::EdDsa => key.public.len() == 32,
        OwnerAlgorithm::Es256 => key.public.len() == 65 && key.public.first() == Some(&4),
    };
    // A passkey is for a person who is asked: it is no key of a device, which signs whatever is done.
    let is_passkey = |passkey: &Passkey| key.role == OwnerRole::Second && passkey.has_form();
    is_key && key.passkey.as_ref().is_none_or(is_passkey)
}
