//! Release manifests: who signed one, and whether a proven program is the one that it lists (docs/spec/release.md).

#[cfg(test)]
mod tests;

use crate::Refused;
use crate::attested::{Attested, Platform};
use crate::manifest::{Detached, registers, sha256};
use crate::measurement::Registers;
use crate::snp;
use core::fmt;
use wire::cose;
use wire::identity::{Environment, Identity, TeeKind};
use wire::manifest::{Reach, Signers, SigningKey};
use wire::release::{MinimumTcb, Release, ReleaseFault, SnpTcb, release_key_transcript, release_transcript};
use wire::transcript::domain;
use wire::{Canonical, UnixMillis};

/// Whose signatures make a release count: chosen by who decides which programs to trust, never by the release.
#[derive(Clone, Debug)]
pub struct Publishers(Signers);

impl Publishers {
    /// `None`: nobody, a threshold that cannot be reached, or a key or alias twice, so that one could count as two.
    pub fn new(signers: Signers) -> Option<Publishers> {
        signers.check_form().is_ok().then_some(Publishers(signers))
    }

    pub fn signers(&self) -> &Signers {
        &self.0
    }
}

/// Why a file is no release to go by. Always the fault of who brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotReleased {
    /// Not canonical.
    Malformed,
    Form(ReleaseFault),
    /// A signature that is in no form, does not verify, or is by none of the publishers: none may be ignored.
    Signature,
    /// A publisher signed twice, by alias.
    Twice(String),
    /// So many publishers signed, of so many that are wanted.
    TooFew(u8, u8),
}

impl NotReleased {
    /// The stable text code.
    pub const fn code(&self) -> &'static str {
        match self {
            NotReleased::Malformed | NotReleased::Form(_) => "release_malformed",
            NotReleased::Signature => "release_signature",
            NotReleased::Twice(_) => "release_signer_twice",
            NotReleased::TooFew(..) => "release_signatures_missing",
        }
    }
}

impl fmt::Display for NotReleased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotReleased::Malformed => f.write_str("it is not a release in its one form"),
            NotReleased::Form(fault) => fault.fmt(f),
            NotReleased::Signature => f.write_str(
                "a signature under it is not valid, or is by none of the release keys that are trusted",
            ),
            NotReleased::Twice(alias) => write!(f, "`{alias}` signed it twice"),
            NotReleased::TooFew(found, wanted) => {
                write!(f, "{found} of the trusted release keys signed it, and {wanted} have to")
            }
        }
    }
}

impl core::error::Error for NotReleased {}

/// The witness that enough publishers signed a release in form; only [`Released::check`] makes one.
///
/// Whether it is within its validity is asked each time that a program is compared with it.
#[derive(Clone, Debug)]
pub struct Released {
    release: Release,
    hash: [u8; 32],
    programs: Vec<Program>,
}

#[derive(Clone, Debug)]
struct Program {
    tee: TeeKind,
    environment: Reach,
    registers: Registers,
}

impl Released {
    /// Checks the form of a release, as received, and every signature under it.
    pub fn check<'a>(
        bytes: &[u8],
        signatures: impl IntoIterator<Item = &'a [u8]>,
        publishers: &Publishers,
    ) -> Result<Released, NotReleased> {
        let release = read(bytes)?;
        let hash = hash(bytes);
        let mut signed: Vec<&str> = Vec::new();
        for signature in signatures {
            let alias = signer(signature, &hash, &publishers.0).ok_or(NotReleased::Signature)?;
            if signed.contains(&alias) {
                return Err(NotReleased::Twice(alias.to_owned()));
            }
            signed.push(alias);
        }
        let wanted = publishers.0.threshold;
        if signed.len() < usize::from(wanted) {
            return Err(NotReleased::TooFew(u8::try_from(signed.len()).unwrap_or(u8::MAX), wanted));
        }
        let programs = release.programs.iter().filter_map(|one| {
            // A register that no TEE has is refused by the form already; without it nothing may match.
            let registers = registers(&one.program)?;
            Some(Program { tee: one.program.tee, environment: one.environment, registers })
        });
        Ok(Released { programs: programs.collect(), hash, release })
    }

    pub fn release(&self) -> &Release {
        &self.release
    }

    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Whether it is valid at this time.
    pub fn holds(&self, at: UnixMillis) -> Result<(), Refused> {
        match at {
            at if at < self.release.from => Err(Refused::ReleaseNotYetValid),
            at if at >= self.release.until => Err(Refused::ReleaseOver),
            _ => Ok(()),
        }
    }

    /// Whether a program with these registers is in it.
    pub(crate) fn lists(&self, registers: &Registers) -> bool {
        self.programs.iter().any(|program| registers.satisfy(&program.registers))
    }

    /// Whether it lists what was proven, for this TEE, now, on this firmware.
    fn admits(&self, attested: &Attested, at: UnixMillis) -> Result<(), Refused> {
        if self.of(attested).next().is_none() {
            return Err(Refused::MeasurementMismatch);
        }
        self.holds(at)?;
        if is_recent(self.release.minimum_tcb, attested.platform) { Ok(()) } else { Err(Refused::TcbTooOld) }
    }

    /// Whether the identity says what the release says of this program.
    fn describes(&self, identity: &Identity, attested: &Attested) -> Result<(), Refused> {
        let release = &self.release;
        let is_build = identity.build == release.build && identity.connectors == release.connectors.0;
        if !is_build {
            return Err(Refused::ReleaseMismatch);
        }
        let mut listed = self.of(attested);
        let reaches = listed.any(|program| reaches(program.environment, identity.environment));
        if reaches { Ok(()) } else { Err(Refused::EnvironmentMismatch) }
    }

    fn of(&self, attested: &Attested) -> impl Iterator<Item = &Program> {
        let tee = attested.tee();
        let is_it =
            move |program: &&Program| program.tee == tee && attested.registers.satisfy(&program.registers);
        self.programs.iter().filter(is_it)
    }
}

/// A release in canonical form that breaks no rule; whoever signed it.
pub fn read(bytes: &[u8]) -> Result<Release, NotReleased> {
    let release = Release::from_bytes(bytes).map_err(|_| NotReleased::Malformed)?;
    release.check_form().map_err(NotReleased::Form)?;
    Ok(release)
}

/// The name of a release: SHA-256 of its transcript. `bytes` is its canonical encoding, as received.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    sha256(&release_transcript(bytes))
}

/// The name of a key that signs releases.
pub fn key_name(key: &SigningKey) -> [u8; 32] {
    sha256(&release_key_transcript(key))
}

/// What a publisher signs: the `Sig_structure` over a release's hash.
pub fn to_be_signed(protected: &[u8], release: &[u8; 32]) -> Vec<u8> {
    cose::to_be_signed(protected, domain::RELEASE_SIGNATURE, release)
}

/// Who made a signature: the alias of one of these publishers.
pub fn signer<'s>(signature: &[u8], hash: &[u8; 32], signers: &'s Signers) -> Option<&'s str> {
    let detached = Detached::parse(signature)?;
    let member = signers.members.iter().find(|member| key_name(&member.key) == detached.key)?;
    let signed = to_be_signed(detached.protected, hash);
    detached.is_of(&member.key, &signed).then_some(member.alias.as_str())
}

/// That a release admits what was proven: of several, any. Without one, what the first says that lists the program.
pub(crate) fn check(releases: &[Released], attested: &Attested, at: UnixMillis) -> Result<(), Refused> {
    first(releases, attested, |release| release.admits(attested, at)).map(|_| ())
}

/// The release that admits what was proven and describes what the enclave says of itself.
pub(crate) fn describing<'r>(
    releases: &'r [Released],
    attested: &Attested,
    identity: &Identity,
    at: UnixMillis,
) -> Result<&'r Released, Refused> {
    first(releases, attested, |release| {
        release.admits(attested, at).and_then(|()| release.describes(identity, attested))
    })
}

fn first<'r>(
    releases: &'r [Released],
    attested: &Attested,
    check: impl Fn(&Released) -> Result<(), Refused>,
) -> Result<&'r Released, Refused> {
    let mut refused = Refused::MeasurementMismatch;
    for release in releases.iter().filter(|release| release.lists(&attested.registers)) {
        match check(release) {
            Ok(()) => return Ok(release),
            Err(why) if refused == Refused::MeasurementMismatch => refused = why,
            Err(_) => {}
        }
    }
    Err(refused)
}

fn reaches(listed: Reach, environment: Environment) -> bool {
    match listed {
        Reach::Live => environment == Environment::Live,
        Reach::Sandbox => matches!(environment, Environment::Sandbox(_)),
    }
}

fn is_recent(minimum: MinimumTcb, platform: Platform) -> bool {
    match platform {
        Platform::Nitro => true,
        Platform::SevSnp(found) => minimum.sev_snp.is_none_or(|least| found.is_at_least(&demanded(least))),
        Platform::Tdx(found) => minimum.tdx.is_none_or(|least| found >= least),
    }
}

fn demanded(least: SnpTcb) -> snp::Tcb {
    let SnpTcb { fmc, boot_loader, tee, snp, microcode } = least;
    snp::Tcb { fmc, boot_loader, tee, snp, microcode }
}

/// How an environment is called where a person reads it.
pub const fn environment_name(environment: Reach) -> &'static str {
    match environment {
        Reach::Live => "live",
        Reach::Sandbox => "sandbox",
    }
}
