//! What a client does: verify an enclave's evidence, then seal to it. No verification, no sealer.

#[cfg(test)]
mod tests;

use crate::attested::{Accepted, Attested, Freshness, Standing};
use crate::binding::{self, identity_hash};
use crate::evidence::{self, Claims, Presented};
use crate::examination::{Check, Examination};
use crate::expect::{Expect, Version};
use crate::hpke::{Info, PublicKey};
use crate::measurement::Registers;
use crate::merkle::Nonce;
use crate::ohttp::{self, ReplyOpener, Sealer};
use crate::release::Released;
use crate::{Refused, bhttp, release};
use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use core::fmt;
use core::marker::PhantomData;
use wire::evidence::Evidence;
use wire::identity::{Identity, WIRE_VERSION};
use wire::reply::Reply;
use wire::{Canonical, UnixMillis};

/// Marks what a hardware vendor's root vouches for.
#[derive(Debug)]
pub enum Hardware {}

/// Marks what only the caller's own `dangerous_simulated` vouches for.
#[derive(Debug)]
pub enum Simulated {}

/// A verified enclave. The two kinds are two types: nothing turns one into the other.
#[derive(Debug)]
pub enum Verdict {
    Hardware(Verified<Hardware>),
    Simulated(Verified<Simulated>),
}

/// The witness that every check passed; only [`check`] makes one.
pub struct Verified<Kind> {
    proven: Proven,
    kind: PhantomData<Kind>,
}

struct Proven {
    identity: Identity,
    identity_hash: [u8; 32],
    attested: Attested,
    release: Option<String>,
    sealing: Vec<SealingKey>,
    valid_until: UnixMillis,
}

struct SealingKey {
    id: u8,
    public: PublicKey,
    not_after: UnixMillis,
}

/// A verdict with what was checked on the way, for display.
#[derive(Debug)]
pub struct Outcome {
    pub verdict: Result<Verdict, Refused>,
    /// The document's registers; empty unless its signature was verified.
    pub registers: Registers,
    pub checks: Vec<Check>,
}

/// Checks an enclave's answer to `nonce` as at the time `at`, in the order of docs/spec/evidence.md §3.
///
/// The nonce is the caller's own, 32 fresh random bytes, used for this one call.
pub fn check(evidence: &[u8], nonce: &Nonce, expect: &Expect, at: UnixMillis) -> Outcome {
    let mut examination = Examination::default();
    let verdict = examine(evidence, nonce, expect, at, &mut examination);
    Outcome { verdict, registers: examination.registers, checks: examination.checks }
}

fn examine(
    evidence: &[u8],
    nonce: &Nonce,
    expect: &Expect,
    at: UnixMillis,
    examination: &mut Examination,
) -> Result<Verdict, Refused> {
    examination.check("policy", || expect.names_programs())?;
    let answer = examination.check("evidence", || {
        let evidence = Evidence::from_bytes(evidence).map_err(|_| Refused::Malformed)?;
        if evidence.version == WIRE_VERSION { Ok(evidence) } else { Err(Refused::Malformed) }
    })?;
    let bound = |claims: &Claims<'_>| binding::check(claims.data, nonce, &answer.inclusion, &answer.identity);
    let answers = |claims: &Claims<'_>| match bound(claims) {
        Ok(()) => Freshness::Proven,
        Err(_) => Freshness::Unknown,
    };
    let certificates: Vec<Vec<u8>> = answer.certificates.iter().map(|bytes| bytes.to_vec()).collect();
    let presented = Presented {
        kind: answer.form.into(),
        document: &answer.document,
        certificates: &certificates,
        collateral: answer.collateral.as_deref(),
    };
    let (attested, claims) = evidence::check(&presented, expect, at, answers, examination)?;
    examination.check("binding", || bound(&claims))?;
    let identity = examination.check("identity", || identity(&answer.identity, &attested))?;
    let release = check_policy(&identity, &attested, expect, at, examination)?;
    let sealing = check_identity(&identity, expect, at, examination)?;
    let until = release.map_or(UnixMillis(u64::MAX), |release| release.release().until);
    let valid_until = valid_until(&attested, &identity, expect, at).min(until);
    let release = release.map(|release| release.release().name.clone());
    let identity_hash = identity_hash(&answer.identity);
    let standing = attested.standing;
    let proven = Proven { identity, identity_hash, attested, release, sealing, valid_until };
    Ok(match standing {
        Standing::Hardware => Verdict::Hardware(Verified { proven, kind: PhantomData }),
        Standing::Simulated => Verdict::Simulated(Verified { proven, kind: PhantomData }),
    })
}

/// Decodes the identity, which is bound by now, and compares the kind of TEE it names with the one that was proven.
fn identity(bytes: &[u8], attested: &Attested) -> Result<Identity, Refused> {
    let identity = Identity::from_bytes(bytes).map_err(|_| Refused::IdentityMalformed)?;
    if identity.version != WIRE_VERSION || !identity.epochs.is_coherent() {
        return Err(Refused::IdentityMalformed);
    }
    if identity.tee == attested.tee() { Ok(identity) } else { Err(Refused::IdentityKind) }
}

/// What the caller's policy says about the identity: the release that it was accepted by, if it was by one.
fn check_policy<'e>(
    identity: &Identity,
    attested: &Attested,
    expect: &'e Expect,
    at: UnixMillis,
    examination: &mut Examination,
) -> Result<Option<&'e Released>, Refused> {
    let environment = expect.environment.is_none_or(|expected| expected.admits(identity.environment));
    examination.check("environment", || require(environment, Refused::EnvironmentMismatch))?;
    let manifest = expect.manifest.is_none_or(|expected| identity.manifest == Some(expected));
    examination.check("manifest", || require(manifest, Refused::ManifestMismatch))?;
    let commitments = root_commitments_match(identity, expect);
    examination.check("root_commitment", || require(commitments, Refused::RootCommitmentMismatch))?;
    let connectors = expect.connectors.is_none_or(|expected| identity.connectors == expected);
    examination.check("connectors", || require(connectors, Refused::ConnectorsMismatch))?;
    let log_key = expect.log_key.is_none_or(|key| identity.log.as_ref().is_some_and(|log| log.key == key));
    examination.check("log_key", || require(log_key, Refused::LogKeyMismatch))?;
    let version = Version::parse(&identity.build.version);
    let recent = expect.minimum_version.is_none_or(|least| version.is_some_and(|version| version >= least));
    examination.check("minimum_version", || require(recent, Refused::VersionTooOld))?;
    match attested.accepted {
        Accepted::Named => Ok(None),
        Accepted::Released => examination
            .check("build", || release::describing(&expect.releases, attested, identity, at).map(Some)),
    }
}

/// The identity's own times and keys.
fn check_identity(
    identity: &Identity,
    expect: &Expect,
    at: UnixMillis,
    examination: &mut Examination,
) -> Result<Vec<SealingKey>, Refused> {
    let valid = identity.issued <= at.plus(expect.leeway) && at < identity.expires.plus(expect.leeway);
    examination.check("identity_fresh", || require(valid, Refused::IdentityExpired))?;
    let receipt_key =
        identity.receipt_key != [0; 32] && ParsedPublicKey::new(&ED25519, identity.receipt_key).is_ok();
    examination.check("receipt_key", || require(receipt_key, Refused::ReceiptKey))?;
    examination.check("sealing_key", || sealing_keys(identity))
}

/// Every expected epoch is there with its commitment, and no epoch is there twice.
fn root_commitments_match(identity: &Identity, expect: &Expect) -> bool {
    let commitments = &identity.epochs.commitments;
    let ascending = commitments.iter().zip(commitments.iter().skip(1)).all(|(a, b)| a.epoch < b.epoch);
    ascending
        && expect.root_commitments.iter().all(|(epoch, commitment)| {
            commitments.iter().any(|one| one.epoch == *epoch && one.commitment == *commitment)
        })
}

fn sealing_keys(identity: &Identity) -> Result<Vec<SealingKey>, Refused> {
    if !(1..=2).contains(&identity.hpke_keys.len()) {
        return Err(Refused::NoSealingKey);
    }
    let keys = identity.hpke_keys.iter().map(|key| {
        let public = PublicKey::parse(key.suite, &key.public).map_err(|_| Refused::NoSealingKey)?;
        Ok(SealingKey { id: key.id, public, not_after: key.not_after })
    });
    keys.collect()
}

/// The earliest end of what the verification leans on.
fn valid_until(attested: &Attested, identity: &Identity, expect: &Expect, at: UnixMillis) -> UnixMillis {
    let fresh = attested.signed.min(at).plus(expect.freshness);
    fresh.min(attested.not_after.plus(expect.leeway)).min(identity.expires.plus(expect.leeway))
}

fn require(holds: bool, refused: Refused) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(refused) }
}

impl<Kind> Verified<Kind> {
    /// Starts a sealed request to this enclave; refuses once the verification is no longer fresh (m20).
    pub fn sealer(&self, at: UnixMillis) -> Result<Sealer, Refused> {
        let key = self.live_key(at)?;
        Sealer::dangerous_unverified(key.id, &key.public).map_err(|_| Refused::NoSealingKey)
    }

    /// Seals one message that is no request to this enclave, for the purpose that `info` names: key id, encapsulated key and
    /// ciphertext. As fresh as [`Verified::sealer`].
    pub fn seal_message(
        &self,
        info: &[u8],
        message: &[u8],
        at: UnixMillis,
    ) -> Result<(u8, Vec<u8>, Vec<u8>), Refused> {
        let key = self.live_key(at)?;
        let info = Info::new(key.public.suite(), info).map_err(|_| Refused::NoSealingKey)?;
        let (encapsulated, mut context) =
            key.public.setup_sender(&info).map_err(|_| Refused::NoSealingKey)?;
        let ciphertext = context.seal(b"", message).map_err(|_| Refused::NoSealingKey)?;
        Ok((key.id, encapsulated, ciphertext))
    }

    fn live_key(&self, at: UnixMillis) -> Result<&SealingKey, Refused> {
        if at >= self.proven.valid_until {
            return Err(Refused::VerificationExpired);
        }
        self.proven.sealing.iter().find(|key| at < key.not_after).ok_or(Refused::NoSealingKey)
    }

    pub fn identity(&self) -> &Identity {
        &self.proven.identity
    }

    /// SHA-256 of the identity document: what a signed request names the enclave by.
    pub fn identity_hash(&self) -> [u8; 32] {
        self.proven.identity_hash
    }

    pub fn registers(&self) -> &Registers {
        &self.proven.attested.registers
    }

    /// The name of the release that the program was accepted by; `None`: the caller named its registers.
    pub fn release(&self) -> Option<&str> {
        self.proven.release.as_deref()
    }

    /// What the TEE is called: the `module_id` of a Nitro document.
    pub fn module(&self) -> &str {
        &self.proven.attested.module
    }

    /// From this time on, there are no more sealers.
    pub fn valid_until(&self) -> UnixMillis {
        self.proven.valid_until
    }
}

/// Opens and parses the reply to a sealed request. What it says is believed only with its receipt ([`crate::receipt`]).
pub fn open_reply(opener: &ReplyOpener, bytes: &[u8]) -> Result<Reply, Refused> {
    let plaintext = opener.open(bytes).map_err(|_: ohttp::Error| Refused::ReplyMalformed)?;
    let response = bhttp::Response::from_bytes(&plaintext).map_err(|_| Refused::ReplyMalformed)?;
    let reply = Reply::from_bytes(&response.content).map_err(|_| Refused::ReplyMalformed)?;
    if reply.version == WIRE_VERSION && reply.result.is_some() != reply.refusal.is_some() {
        Ok(reply)
    } else {
        Err(Refused::ReplyMalformed)
    }
}

impl<Kind> fmt::Debug for Verified<Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({}, until {})", self.proven.attested.module, self.proven.valid_until.0)
    }
}
