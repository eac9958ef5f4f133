//! What a person accepts of an enclave, written down once: `policy.toml` (docs/spec/client.md §4).

mod releases;

use crate::client::failure::{Failure, Result};
use crate::client::home::environment::Environment;
use crate::client::home::files;
use releases::Releases;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::Path;
use verify::expect::Version;
use verify::measurement::{Name, Policy as Measurements, Registers};
use verify::release::{Publishers, Released};
use verify::{snp, tdx};

const FORMAT: &str = "tensfer policy";
const VERSION: u8 = 1;
/// A policy is a few releases, not a catalogue.
const MAX_SETS: usize = 64;

/// One policy, with the releases that it goes by.
#[derive(Debug)]
pub struct Policy {
    accept: Vec<Program>,
    /// The exchanges that the enclave must reach.
    pub environment: Option<Environment>,
    pub minimum_version: Option<Version>,
    /// Whose releases count; `None`: nobody's.
    pub publishers: Option<Publishers>,
    pub sev_snp: SevSnp,
    pub tdx: Tdx,
    releases: Option<Releases>,
}

/// The file, read strictly: what is misspelt in it must not loosen anything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    format: String,
    version: u8,
    /// Programs by their registers; one suffices.
    #[serde(default)]
    accept: Vec<Program>,
    environment: Option<Environment>,
    minimum_version: Option<String>,
    releases: Option<Releases>,
    #[serde(default)]
    sev_snp: SevSnp,
    #[serde(default)]
    tdx: Tdx,
}

/// What is accepted of a machine with SEV-SNP.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SevSnp {
    minimum_tcb: MinimumTcb,
    highest_vmpl: u32,
}

/// The least version of each part of the firmware.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MinimumTcb {
    fmc: u8,
    boot_loader: u8,
    tee: u8,
    snp: u8,
    microcode: u8,
}

/// What is accepted of a platform with TDX.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tdx {
    also_accepted: Vec<TdxStatus>,
    minimum_evaluation: u64,
}

/// Intel's names of what may be accepted beside `UpToDate`.
#[derive(Clone, Copy, Debug, Deserialize)]
enum TdxStatus {
    #[serde(rename = "SWHardeningNeeded")]
    SwHardening,
    #[serde(rename = "ConfigurationNeeded")]
    Configuration,
    #[serde(rename = "ConfigurationAndSWHardeningNeeded")]
    Both,
}

impl From<SevSnp> for snp::Demands {
    fn from(SevSnp { minimum_tcb, highest_vmpl }: SevSnp) -> snp::Demands {
        let MinimumTcb { fmc, boot_loader, tee, snp, microcode } = minimum_tcb;
        snp::Demands { minimum_tcb: snp::Tcb { fmc, boot_loader, tee, snp, microcode }, highest_vmpl }
    }
}

impl Tdx {
    pub fn demands(&self) -> tdx::Demands {
        let status = |status: &TdxStatus| match status {
            TdxStatus::SwHardening => tdx::Status::SwHardeningNeeded,
            TdxStatus::Configuration => tdx::Status::ConfigurationNeeded,
            TdxStatus::Both => tdx::Status::ConfigurationAndSwHardeningNeeded,
        };
        tdx::Demands {
            also_accepted: self.also_accepted.iter().map(status).collect(),
            minimum_evaluation: self.minimum_evaluation,
        }
    }
}

/// The registers of one program; all must match.
#[derive(Debug)]
struct Program(Registers);

impl Policy {
    /// The policy in a file; `None` where there is no file.
    pub fn read(path: &Path) -> Result<Option<Policy>> {
        let Some(bytes) = files::read(path)? else { return Ok(None) };
        if files::others_may_write(path) {
            return Err(refused(path, "can be written to by others on this machine")
                .hint(format!("check what is in it, then run `chmod 600 {}`", path.display())));
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| "it is not text".to_owned());
        text.and_then(Policy::parse).map(Some).map_err(|why| {
            refused(path, &format!("is not a policy: {}", why.trim_end()))
                .hint("`docs/spec/client.md` shows one; an unreadable policy is never taken for none")
        })
    }

    /// That a file of a form that is no longer read is not taken for none.
    pub fn refuse_former(path: &Path) -> Result<()> {
        if files::read(path)?.is_none() {
            return Ok(());
        }
        Err(refused(path, "is of an earlier form, which is not read any more")
            .hint("write it as `policy.toml` beside it (docs/spec/client.md §4), and remove it"))
    }

    fn parse(text: &str) -> std::result::Result<Policy, String> {
        let source: Source = toml::from_str(text).map_err(|error| error.to_string())?;
        if source.format != FORMAT || source.version != VERSION {
            return Err(format!("`format` must be `{FORMAT}` and `version` {VERSION}"));
        }
        let minimum_version = source.minimum_version.map(|text| {
            Version::parse(&text).ok_or("`minimum_version` is three numbers, such as 0.2.0".to_owned())
        });
        if source.accept.len() > MAX_SETS {
            return Err(format!("`accept` lists at most {MAX_SETS} programs"));
        }
        if source.accept.is_empty() && source.releases.is_none() {
            return Err("it names no program: neither `[[accept]]` nor `[releases]` (m01)".to_owned());
        }
        Ok(Policy {
            accept: source.accept,
            environment: source.environment,
            minimum_version: minimum_version.transpose()?,
            publishers: source.releases.as_ref().map(Releases::publishers).transpose()?,
            sev_snp: source.sev_snp,
            tdx: source.tdx,
            releases: source.releases,
        })
    }

    /// The releases that it goes by, each signed by enough of its publishers. `path` is the policy's own.
    pub fn released(&self, path: &Path) -> Result<Vec<Released>> {
        match (&self.releases, &self.publishers) {
            (Some(releases), Some(publishers)) => releases.read(path, publishers),
            _ => Ok(Vec::new()),
        }
    }

    /// Any of the programs that are named by their registers.
    pub fn measurements(&self) -> Measurements {
        self.accept.iter().fold(Measurements::new(), |any, Program(registers)| any.or(registers.clone()))
    }
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::refused(
        "policy_refused",
        format!("your policy file `{}` {why} (policy_refused)", path.display()),
    )
}

impl<'d> Deserialize<'d> for Program {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> std::result::Result<Program, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// `{"PCR0": "96 hexadecimal digits", …}`; a register named twice, none, or one of zeros is refused.
struct Members;

impl<'d> Visitor<'d> for Members {
    type Value = Program;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object such as {\"PCR0\": \"96 hexadecimal digits\"}")
    }

    fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> std::result::Result<Program, A::Error> {
        let mut registers = Registers::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            let member = Registers::parse(&format!("{name}={value}"));
            let (register, value) = member
                .ok_or_else(|| A::Error::custom(format!("`{name}` is not a register with its value")))?;
            if matches!(register, Name::Pcr(_)) && value == [0; 48] {
                return Err(A::Error::custom(format!("`{name}` is all zeros, as in a debug enclave")));
            }
            let with = registers.with(register, value);
            registers = with.map_err(|_| A::Error::custom(format!("`{name}` is there twice")))?;
        }
        if registers.is_empty() {
            return Err(A::Error::custom("a program without a register would accept every program"));
        }
        Ok(Program(registers))
    }
}

#[cfg(test)]
mod tests;
