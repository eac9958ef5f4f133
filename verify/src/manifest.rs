//! A root's manifest and who approved it: docs/spec/provisioning.md §2 and §3.

mod steps;

pub(crate) use steps::is_answered;
pub use steps::{FIRST_EPOCH, with_made};

use crate::Expect;
use crate::expect::{Kind, Reaches, Version};
use crate::measurement::{Name, Policy, Registers};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use wire::Canonical;
use wire::ceremony::{CeremonyFault, Refused};
use wire::cose::{self, Protected, Sign1};
use wire::identity::{Environment, TeeKind};
use wire::manifest::{Manifest, Program, Reach, Signer, SigningKey, manifest_transcript};
use wire::owner::OwnerAlgorithm;
use wire::transcript::domain;

/// Raw r‖s and Ed25519 signatures alike. Anything longer or shorter, DER above all, is refused (m04).
const SIGNATURE_BYTES: usize = 64;

/// The witness that enough approvers signed a manifest in form; only [`Approved::check`] makes one.
///
/// It says nothing of who the approvers are: whoever makes a manifest names them. What a client knows its root by is the
/// hash, or the commitments.
#[derive(Clone, Debug)]
pub struct Approved {
    manifest: Manifest,
    hash: [u8; 32],
}

impl Approved {
    /// Checks the manifest's form and every approval. One that does not count refuses all: none may be ignored.
    pub fn check<'a>(
        manifest: &[u8],
        approvals: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Approved, Refused> {
        let hash = hash(manifest);
        let manifest = read(manifest)?;
        let signers = &manifest.approvers;
        let mut approved: Vec<u8> = Vec::new();
        for approval in approvals {
            let number = approver(approval, &hash, &signers.members)
                .ok_or_else(|| refused(CeremonyFault::ApprovalRefused, None))?;
            if approved.contains(&number) {
                return Err(refused(CeremonyFault::ApproverTwice, Some(number)));
            }
            approved.push(number);
        }
        if approved.len() < usize::from(signers.threshold) {
            return Err(refused(CeremonyFault::ApprovalsMissing, None));
        }
        Ok(Approved { manifest, hash })
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }
}

/// A manifest in canonical form that breaks no rule.
pub fn read(bytes: &[u8]) -> Result<Manifest, Refused> {
    let manifest =
        Manifest::from_bytes(bytes).map_err(|_| refused(CeremonyFault::ManifestMalformed, None))?;
    let formed = manifest.check_form().is_ok() && Version::parse(&manifest.minimum_version).is_some();
    if formed { Ok(manifest) } else { Err(refused(CeremonyFault::ManifestMalformed, None)) }
}

/// The name of a manifest: SHA-256 of its transcript. `bytes` is its canonical encoding, as received.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    sha256(&manifest_transcript(bytes))
}

/// The name of a key that signs manifests.
pub fn key_name(key: &SigningKey) -> [u8; 32] {
    sha256(&key.transcript())
}

/// What an approver signs: the `Sig_structure` over a manifest's hash. Protected header and algorithm are the key's.
pub fn to_be_approved(protected: &[u8], manifest: &[u8; 32]) -> Vec<u8> {
    cose::to_be_signed(protected, domain::MANIFEST_APPROVAL, manifest)
}

/// What evidence has to prove of an enclave that is to have this manifest's roots. The caller adds the roots of trust
/// that it accepts.
pub fn expect(manifest: &Manifest) -> Expect {
    let sets = manifest.programs.iter().filter_map(registers);
    let mut expect = Expect::new(sets.fold(Policy::new(), Policy::or));
    expect.kinds = kinds(&manifest.programs);
    expect.minimum_version = Version::parse(&manifest.minimum_version);
    expect.environment = Some(match manifest.environment {
        Reach::Live => Reaches::Live,
        Reach::Sandbox => Reaches::AnySandbox,
    });
    expect
}

/// Whether a manifest is for enclaves that reach these providers.
pub fn reaches(manifest: &Manifest, environment: Environment) -> bool {
    match manifest.environment {
        Reach::Live => environment == Environment::Live,
        Reach::Sandbox => matches!(environment, Environment::Sandbox(_)),
    }
}

/// The number of the approver, from 1, who made this approval.
fn approver(approval: &[u8], hash: &[u8; 32], members: &[Signer]) -> Option<u8> {
    let detached = Detached::parse(approval)?;
    let (number, member) = (1u8..).zip(members).find(|(_, member)| key_name(&member.key) == detached.key)?;
    let signed = to_be_approved(detached.protected, hash);
    detached.is_of(&member.key, &signed).then_some(number)
}

/// A signature of which the payload is known otherwise: of a manifest or release, its hash.
pub(crate) struct Detached<'b> {
    pub(crate) protected: &'b [u8],
    /// By what name its key goes for this purpose.
    pub(crate) key: [u8; 32],
    algorithm: i8,
    signature: &'b [u8],
}

impl<'b> Detached<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Option<Detached<'b>> {
        let sign1 = Sign1::from_bytes(bytes).ok()?;
        let Protected { algorithm, key } = sign1.protected().ok()?;
        let in_form = sign1.payload.is_none() && sign1.signature.len() == SIGNATURE_BYTES;
        in_form.then_some(Detached { protected: sign1.protected, key, algorithm, signature: sign1.signature })
    }

    /// Whether `key` made it over these bytes, by the one algorithm that it may sign with.
    pub(crate) fn is_of(&self, key: &SigningKey, signed: &[u8]) -> bool {
        let (expected, verification) = algorithm_of(key.algorithm);
        self.algorithm == expected
            && UnparsedPublicKey::new(verification, &key.public).verify(signed, self.signature).is_ok()
    }
}

/// The one algorithm that a key may sign with: its COSE number and how it is verified.
pub(crate) fn algorithm_of(algorithm: OwnerAlgorithm) -> (i8, &'static dyn VerificationAlgorithm) {
    match algorithm {
        OwnerAlgorithm::EdDsa => (cose::EDDSA, &ED25519),
        OwnerAlgorithm::Es256 => (cose::ES256, &ECDSA_P256_SHA256_FIXED),
    }
}

/// `None` only for a register that the manifest's form refuses: then the set is left out, and accepts nothing.
pub(crate) fn registers(program: &Program) -> Option<Registers> {
    program.registers.iter().try_fold(Registers::new(), |all, register| {
        all.with(Name::parse(&register.name)?, register.value).ok()
    })
}

fn kinds(programs: &[Program]) -> Vec<Kind> {
    let kind = |tee: TeeKind| match tee {
        TeeKind::Simulated | TeeKind::Nitro => Kind::Nitro,
        TeeKind::SevSnp => Kind::SevSnp,
        TeeKind::Tdx => Kind::Tdx,
    };
    programs.iter().map(|program| kind(program.tee)).collect()
}

fn refused(fault: CeremonyFault, member: Option<u8>) -> Refused {
    Refused { fault, member }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

#[cfg(test)]
#[path = "manifest/tests.rs"]
mod tests;
