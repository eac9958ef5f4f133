//! What a caller accepts. Everything that loosens a check says `dangerous`.

use crate::attested::Accepted;
use crate::measurement::{Policy, Registers};
use crate::release::Released;
use crate::root::{Root, VendorRoots};
use crate::{Refused, snp, tdx};
use core::fmt;
use wire::evidence::Form;
use wire::identity::Environment;

/// A format of evidence that is understood here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// AWS Nitro Enclaves attestation documents; simulations have the same form.
    Nitro,
    /// AMD SEV-SNP attestation reports.
    SevSnp,
    /// Intel TDX quotes.
    Tdx,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Nitro, Kind::SevSnp, Kind::Tdx];

    /// The stable text name.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Nitro => "nitro",
            Kind::SevSnp => "sev-snp",
            Kind::Tdx => "tdx",
        }
    }
}

impl From<Form> for Kind {
    fn from(form: Form) -> Kind {
        match form {
            Form::Nitro => Kind::Nitro,
            Form::SevSnp => Kind::SevSnp,
            Form::Tdx => Kind::Tdx,
        }
    }
}

/// The caller's expectation. [`Expect::new`] allows hardware of every kind known here, and compares nothing that the
/// caller did not name but the measurements, which it must.
#[derive(Clone, Debug)]
pub struct Expect {
    pub kinds: Vec<Kind>,
    pub vendors: VendorRoots,
    /// Accepts simulated evidence under this very root; the verdict still says `Simulated`.
    pub dangerous_simulated: Option<Root>,
    pub measurements: Policy,
    /// Releases of which any program is accepted, too, as long as each holds and for what it says of its build.
    pub releases: Vec<Released>,
    /// What SEV-SNP evidence must say of its machine.
    pub snp: snp::Demands,
    /// What TDX evidence and Intel must say of its platform.
    pub tdx: tdx::Demands,
    /// Which providers the enclave must reach.
    pub environment: Option<Reaches>,
    /// SHA-256 of the root's manifest.
    pub manifest: Option<[u8; 32]>,
    /// Commitments that the identity must carry, by epoch.
    pub root_commitments: Vec<(u32, [u8; 32])>,
    /// SHA-256 over the connector files.
    pub connectors: Option<[u8; 32]>,
    pub log_key: Option<[u8; 32]>,
    pub minimum_version: Option<Version>,
    /// How far clocks may differ, in milliseconds.
    pub leeway: u64,
    /// How long a verification is good for after the document was signed, in milliseconds.
    pub freshness: u64,
}

/// The environments that a caller accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaches {
    /// The real providers, by the public web PKI.
    Live,
    /// Made-up providers, whichever.
    AnySandbox,
    /// The sandbox of this hash (docs/spec/protocol.md §2).
    Sandbox([u8; 32]),
}

impl Reaches {
    pub fn admits(self, environment: Environment) -> bool {
        match (self, environment) {
            (Reaches::Live, Environment::Live) | (Reaches::AnySandbox, Environment::Sandbox(_)) => true,
            (Reaches::Sandbox(expected), Environment::Sandbox(found)) => expected == found,
            (Reaches::Live, Environment::Sandbox(_))
            | (Reaches::AnySandbox | Reaches::Sandbox(_), Environment::Live) => false,
        }
    }
}

/// Five minutes: what the clocks of ordinary machines are off by.
pub const DEFAULT_LEEWAY_MS: u64 = 300_000;
/// Ten minutes: a client that works on verifies again.
pub const DEFAULT_FRESHNESS_MS: u64 = 600_000;

impl Expect {
    pub fn new(measurements: Policy) -> Expect {
        Expect {
            kinds: Kind::ALL.to_vec(),
            vendors: VendorRoots::default(),
            dangerous_simulated: None,
            measurements,
            releases: Vec::new(),
            snp: snp::Demands::default(),
            tdx: tdx::Demands::default(),
            environment: None,
            manifest: None,
            root_commitments: Vec::new(),
            connectors: None,
            log_key: None,
            minimum_version: None,
            leeway: DEFAULT_LEEWAY_MS,
            freshness: DEFAULT_FRESHNESS_MS,
        }
    }

    /// Refuses an expectation with nothing to compare a program with, or with a set that any program satisfies (m01).
    pub(crate) fn names_programs(&self) -> Result<(), Refused> {
        let is_empty = if self.releases.is_empty() {
            self.measurements.is_empty()
        } else {
            self.measurements.has_an_empty_set()
        };
        if is_empty { Err(Refused::EmptyPolicy) } else { Ok(()) }
    }

    /// Whether a program is accepted, and on whose word. What a release says besides is checked after this.
    pub(crate) fn accept(&self, registers: &Registers) -> Result<Accepted, Refused> {
        self.names_programs()?;
        if !self.measurements.is_empty() && self.measurements.check(registers).is_ok() {
            return Ok(Accepted::Named);
        }
        let released = self.releases.iter().any(|release| release.lists(registers));
        if released { Ok(Accepted::Released) } else { Err(Refused::MeasurementMismatch) }
    }
}

/// `major.minor.patch`, compared number by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Reads three decimal numbers without leading zeros; a pre-release or build suffix is not a version here.
    pub fn parse(text: &str) -> Option<Version> {
        let mut numbers = text.split('.').map(|part| {
            let is_canonical = part == "0" || !part.starts_with(['0', '+']);
            part.parse::<u32>().ok().filter(|_| is_canonical)
        });
        let version = Version(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_is_never_a_sandbox_and_one_sandbox_never_another() {
        let environments = [Environment::Live, Environment::Sandbox([1; 32]), Environment::Sandbox([2; 32])];
        for (expected, admitted) in [
            (Reaches::Live, [true, false, false]),
            (Reaches::AnySandbox, [false, true, true]),
            (Reaches::Sandbox([1; 32]), [false, true, false]),
        ] {
            assert_eq!(
                environments.map(|environment| expected.admits(environment)),
                admitted,
                "{expected:?}"
            );
        }
    }

    #[test]
    fn versions_compare_by_number_and_have_one_form() {
        assert!(Version::parse("0.10.0") > Version::parse("0.9.12"));
        assert_eq!(Version::parse("1.2.3").map(|version| version.to_string()).as_deref(), Some("1.2.3"));
        for bad in ["", "1", "1.2", "1.2.3.4", "1.02.3", "1.+2.3", "1.2.3-rc1", "v1.2.3", "1..3"] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
    }
}
