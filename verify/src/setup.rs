//! What an operator checks before a share leaves their hands, and of a genesis: docs/spec/provisioning.md §4 to §6.
//!
//! A setup document, a genesis and an identity are bound into evidence under a domain each: none passes as another (m15).

use crate::attested::{Attested, Freshness, Standing};
use crate::evidence::{self, Claims, Presented};
use crate::examination::{Check, Examination};
use crate::expect::{Expect, Version};
use crate::hpke::{Info, PublicKey};
use crate::manifest::{self, Approved, sha256};
use crate::measurement::Registers;
use crate::merkle::Nonce;
use crate::{Refused, consent, hpke};
use aws_lc_rs::digest::{SHA512, digest};
use core::fmt;
use wire::ceremony::{self, Genesis, Handover, Release, Sealed, Setup, Shares, handover_info, released_info};
use wire::evidence::Hash;
use wire::identity::{Build, Environment, SUITE, TeeKind, WIRE_VERSION};
use wire::manifest::RootCommitment;
use wire::transcript::{Transcript, domain};
use wire::{Canonical, UnixMillis};
use zeroize::Zeroizing;

/// What evidence is about: each has a domain of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Setup,
    Genesis,
    Handover,
}

/// Why a setup or a genesis was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupRefused {
    /// The evidence: see docs/spec/evidence.md.
    Evidence(Refused),
    /// The document is not canonical, or not of version 1.
    Malformed,
    /// It names another kind of TEE than was proven, or one that the manifest does not list.
    Kind,
    Environment,
    /// It is about another manifest.
    Manifest,
    VersionTooOld,
    /// Not issued yet, or over.
    Expired,
    /// Its key is none of the suite.
    Key,
    /// A genesis that is not of the manifest's classes and holders, or that proved nothing.
    Content,
}

/// The witness that an enclave may have the shares; only [`check_setup`] makes one.
pub struct Ready {
    setup: Setup,
    registers: Registers,
    hash: [u8; 32],
    key: PublicKey,
    /// Simulated evidence: it protects nothing.
    pub simulated: bool,
    valid_until: UnixMillis,
}

/// A verdict with what was checked on the way, for display.
#[derive(Debug)]
pub struct Outcome<T> {
    pub verdict: Result<T, SetupRefused>,
    /// Empty unless the evidence's signature was verified.
    pub registers: Registers,
    pub checks: Vec<Check>,
}

/// The TEE's report data: `SHA-512(lp(domain) ‖ lp(nonce) ‖ lp(SHA-512(document)))`.
pub fn report_data(about: About, nonce: &Nonce, document: &[u8]) -> [u8; 64] {
    let document = digest(&SHA512, document);
    let transcript = Transcript::new(about.domain()).field(nonce).field(document.as_ref());
    let mut data = [0; 64];
    let hash = digest(&SHA512, &transcript.bytes());
    data.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    data
}

/// Checks a setup document as at the time `at`. `expect` is [`manifest::expect`] with the caller's roots of trust; the
/// nonce is the caller's own, 32 fresh random bytes, used for this one call.
pub fn check_setup(
    answer: &ceremony::Attested,
    nonce: &Nonce,
    approved: &Approved,
    expect: &Expect,
    at: UnixMillis,
) -> Outcome<Ready> {
    examined(|examination| examine_setup(answer, nonce, approved, expect, at, examination))
}

/// Checks what a genesis made, as at the time `at`: for who asked for it, now; for who looks at it later, when it was issued.
pub fn check_genesis(
    answer: &ceremony::Attested,
    nonce: &Nonce,
    approved: &Approved,
    expect: &Expect,
    at: UnixMillis,
) -> Outcome<Genesis> {
    examined(|examination| examine_genesis(answer, nonce, approved, expect, at, examination))
}

/// Checks what a predecessor handed over, as at the time `at`. The nonce is the hash of the successor's own setup, whose
/// key is fresh; `approved` is the predecessor's manifest.
pub fn check_handover(
    answer: &ceremony::Attested,
    nonce: &Nonce,
    approved: &Approved,
    expect: &Expect,
    at: UnixMillis,
) -> Outcome<Handover> {
    examined(|examination| examine_handover(answer, nonce, approved, expect, at, examination))
}

/// Whatever the verdict, what was checked on the way.
fn examined<T>(examine: impl FnOnce(&mut Examination) -> Result<T, SetupRefused>) -> Outcome<T> {
    let mut examination = Examination::default();
    let verdict = examine(&mut examination);
    Outcome { verdict, registers: examination.registers, checks: examination.checks }
}

fn examine_setup(
    answer: &ceremony::Attested,
    nonce: &Nonce,
    approved: &Approved,
    expect: &Expect,
    at: UnixMillis,
    examination: &mut Examination,
) -> Result<Ready, SetupRefused> {
    let attested = attested(answer, About::Setup, nonce, expect, at, examination)?;
    let setup = Setup::from_bytes(&answer.document).map_err(|_| SetupRefused::Malformed)?;
    let said = Said {
        version: setup.version,
        tee: setup.tee,
        environment: setup.environment,
        manifest: setup.manifest,
        build: &setup.build,
    };
    said.check(&attested, approved, expect)?;
    let valid = setup.issued <= at.plus(expect.leeway) && at < setup.expires.plus(expect.leeway);
    require(valid, SetupRefused::Expired)?;
    let key = PublicKey::parse(setup.suite, &setup.key).map_err(|_| SetupRefused::Key)?;
    let fresh = attested.signed.min(at).plus(expect.freshness);
    Ok(Ready {
        hash: sha256(&answer.document),
        key,
        simulated: attested.standing == Standing::Simulated,
        registers: attested.registers,
        valid_until: fresh.min(setup.expires.plus(expect.leeway)),
        setup,
    })
}

fn examine_genesis(
    answer: &ceremony::Attested,
    nonce: &Nonce,
    approved: &Approved,
    expect: &Expect,
    at: UnixMillis,
    examination: &mut Examination,
) -> Result<Genesis, SetupRefused> {
    let attested = attested(answer, About::Genesis, nonce, expect, at, examination)?;
    let genesis = Genesis::from_bytes(&answer.document).map_err(|_| SetupRefused::Malformed)?;
    let said = Said {
        version: genesis.version,
        tee: genesis.tee,
        environment: genesis.environment,
        manifest: genesis.manifest,
        build: &genesis.build,
    };
    said.check(&attested, approved, expect)?;
    let manifest = approved.manifest();
    let next = manifest::with_made(manifest, &genesis.roots);
    let own = consent::programs(manifest, &examination.registers);
    let is_own = |root: &RootCommitment| root.program.is_none_or(|program| own.contains(&program));
    let complete = !genesis.roots.is_empty()
        && manifest::is_answered(manifest, &genesis.roots)
        && genesis.roots.iter().all(is_own)
        && next.check_form().is_ok()
        && genesis.sealed.len() == manifest.recipients().members.len()
        && genesis.recovered > 0;
    require(complete, SetupRefused::Content)?;
    Ok(genesis)
}

fn examine_handover(
    answer: &ceremony::Attested,
    nonce: &Nonce,
    approved: &Approved,
    expect: &Expect,
    at: UnixMillis,
    examination: &mut Examination,
) -> Result<Handover, SetupRefused> {
    let attested = attested(answer, About::Handover, nonce, expect, at, examination)?;
    let handover = Handover::from_bytes(&answer.document).map_err(|_| SetupRefused::Malformed)?;
    let said = Said {
        version: handover.version,
        tee: handover.tee,
        environment: handover.environment,
        manifest: handover.manifest,
        build: &handover.build,
    };
    said.check(&attested, approved, expect)?;
    Ok(handover)
}

/// The evidence, up to what ties it to this nonce and document.
fn attested(
    answer: &ceremony::Attested,
    about: About,
    nonce: &Nonce,
    expect: &Expect,
    at: UnixMillis,
    examination: &mut Examination,
) -> Result<Attested, SetupRefused> {
    examination.check("policy", || {
        // The manifest's programs and nothing else: a release names none here.
        let is_manifests = !expect.measurements.is_empty() && expect.releases.is_empty();
        if is_manifests { Ok(()) } else { Err(Refused::EmptyPolicy) }
    })?;
    examination.check("evidence", || {
        if answer.version == WIRE_VERSION { Ok(()) } else { Err(Refused::Malformed) }
    })?;
    let data = report_data(about, nonce, &answer.document);
    let bound = |claims: &Claims<'_>| claims.data == Some(data.as_slice());
    let answers = |claims: &Claims<'_>| if bound(claims) { Freshness::Proven } else { Freshness::Unknown };
    let certificates: Vec<Vec<u8>> = answer.certificates.iter().map(|bytes| bytes.to_vec()).collect();
    let presented = Presented {
        kind: answer.form.into(),
        document: &answer.evidence,
        certificates: &certificates,
        collateral: answer.collateral.as_deref(),
    };
    let (attested, claims) = evidence::check(&presented, expect, at, answers, examination)?;
    examination.check("binding", || if bound(&claims) { Ok(()) } else { Err(Refused::BindingMismatch) })?;
    Ok(attested)
}

/// What both documents say of the enclave.
struct Said<'d> {
    version: u8,
    tee: TeeKind,
    environment: Environment,
    manifest: Hash,
    build: &'d Build,
}

impl Said<'_> {
    fn check(&self, attested: &Attested, approved: &Approved, expect: &Expect) -> Result<(), SetupRefused> {
        let manifest = approved.manifest();
        require(self.version == WIRE_VERSION, SetupRefused::Malformed)?;
        let proven = attested.tee();
        let listed = manifest.programs.iter().any(|program| program.tee == proven);
        require(self.tee == proven && listed, SetupRefused::Kind)?;
        require(manifest::reaches(manifest, self.environment), SetupRefused::Environment)?;
        require(self.manifest == Hash(approved.hash()), SetupRefused::Manifest)?;
        let version = Version::parse(&self.build.version);
        let recent =
            expect.minimum_version.is_none_or(|least| version.is_some_and(|version| version >= least));
        require(recent, SetupRefused::VersionTooOld)
    }
}

impl Ready {
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What the enclave measures.
    pub fn registers(&self) -> &Registers {
        &self.registers
    }

    /// SHA-256 of the setup document, as received.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Seals whole roots to a successor: what an enclave does, and nobody else has them. As fresh as [`Ready::seal`].
    pub fn hand_over(&self, roots: &Shares<'_>, at: UnixMillis) -> Result<Sealed, SetupRefused> {
        require(at < self.valid_until, SetupRefused::Evidence(Refused::VerificationExpired))?;
        seal_shares(&self.key, &handover_info(&self.hash), roots).map_err(|_| SetupRefused::Key)
    }

    /// Seals holder `number`'s shares to the enclave; refuses once the evidence is no longer fresh (m20).
    pub fn seal(&self, number: u8, shares: &Shares<'_>, at: UnixMillis) -> Result<Release, SetupRefused> {
        require(at < self.valid_until, SetupRefused::Evidence(Refused::VerificationExpired))?;
        let sealed = seal_shares(&self.key, &released_info(&self.hash, number), shares)
            .map_err(|_| SetupRefused::Key)?;
        Ok(Release { setup: Hash(self.hash), holder: number, sealed })
    }
}

/// One HPKE message with an empty AAD. Whoever calls it has checked whose the key is.
pub fn seal_shares(key: &PublicKey, info: &[u8], shares: &Shares<'_>) -> Result<Sealed, hpke::Error> {
    // Grown, the buffer would leave copies behind.
    let room = shares.shares.iter().map(|share| share.class.len().saturating_add(64));
    let room = room.fold(64, usize::saturating_add);
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    minicbor::encode(shares, &mut *text).map_err(|_| hpke::Error::Library)?;
    debug_assert!(text.len() <= room, "the buffer was too small");
    let (encapsulated, mut context) = key.setup_sender(&Info::new(SUITE, info)?)?;
    Ok(Sealed { encapsulated, ciphertext: context.seal(&[], &text)? })
}

/// The canonical bytes of the [`Shares`] in a message; wiped when dropped.
pub fn open_shares(
    key: &hpke::RecipientKey,
    info: &[u8],
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, hpke::Error> {
    key.setup_recipient(&sealed.encapsulated, &Info::new(SUITE, info)?)?.open(&[], &sealed.ciphertext)
}

impl About {
    const fn domain(self) -> &'static str {
        match self {
            About::Setup => domain::SETUP_EVIDENCE,
            About::Genesis => domain::GENESIS_EVIDENCE,
            About::Handover => domain::HANDOVER_EVIDENCE,
        }
    }
}

impl SetupRefused {
    /// The stable text code.
    pub const fn code(self) -> &'static str {
        match self {
            SetupRefused::Evidence(refused) => refused.code(),
            SetupRefused::Malformed => "setup_malformed",
            SetupRefused::Kind => "setup_kind",
            SetupRefused::Environment => "environment_mismatch",
            SetupRefused::Manifest => "manifest_mismatch",
            SetupRefused::VersionTooOld => "version_too_old",
            SetupRefused::Expired => "setup_expired",
            SetupRefused::Key => "setup_key",
            SetupRefused::Content => "genesis_incomplete",
        }
    }
}

impl fmt::Display for SetupRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetupRefused::Evidence(refused) => return refused.fmt(f),
            SetupRefused::Malformed => "the enclave's document is malformed",
            SetupRefused::Kind => {
                "the enclave runs in another kind of TEE than it says, or than the manifest lists"
            }
            SetupRefused::Environment => "the enclave serves another environment than the manifest",
            SetupRefused::Manifest => "the enclave was given another manifest",
            SetupRefused::VersionTooOld => "the program is older than the manifest allows",
            SetupRefused::Expired => "the enclave's document is not valid at this time",
            SetupRefused::Key => "the enclave's key is none that a share can be sealed to",
            SetupRefused::Content => "what the genesis made is not what the manifest asked for",
        })
    }
}

impl core::error::Error for SetupRefused {}

impl From<Refused> for SetupRefused {
    fn from(refused: Refused) -> SetupRefused {
        SetupRefused::Evidence(refused)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ready({}, until {})", self.setup.boot, self.valid_until.0)
    }
}

fn require(holds: bool, refused: SetupRefused) -> Result<(), SetupRefused> {
    if holds { Ok(()) } else { Err(refused) }
}

#[cfg(test)]
#[path = "setup/tests.rs"]
mod tests;
