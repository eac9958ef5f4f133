//! What a person accepts of an enclave, written down once: `policy.json` (docs/spec/client.md §4).

use crate::client::failure::{Failure, Result};
use crate::client::home::environment::Environment;
use crate::client::home::files;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::Path;
use verify::measurement::{Name, Policy as Measurements, Registers};
use verify::{snp, tdx};

const FORMAT: &str = "tensfer policy";
const VERSION: u8 = 1;
/// A policy is a few releases, not a catalogue.
const MAX_SETS: usize = 64;

/// One policy file, read strictly: what is misspelt in it must not loosen anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    format: String,
    version: u8,
    /// Programs; one suffices.
    accept: Vec<Program>,
    /// The exchanges that the enclave must reach.
    #[serde(default)]
    pub environment: Option<Environment>,
    #[serde(default)]
    pub sev_snp: SevSnp,
    #[serde(default)]
    pub tdx: Tdx,
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
        Policy::parse(&bytes).map(Some).map_err(|why| {
            refused(path, &format!("is not a policy: {why}"))
                .hint("`docs/spec/client.md` shows one; an unreadable policy is never taken for none")
        })
    }

    fn parse(bytes: &[u8]) -> std::result::Result<Policy, String> {
        let policy: Policy = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if policy.format != FORMAT || policy.version != VERSION {
            return Err(format!("`format` must be `{FORMAT}` and `version` {VERSION}"));
        }
        match policy.accept.len() {
            1..=MAX_SETS => Ok(policy),
            _ => Err(format!("`accept` must list 1 to {MAX_SETS} programs")),
        }
    }

    /// Any of the programs.
    pub fn measurements(self) -> Measurements {
        self.accept.into_iter().fold(Measurements::new(), |any, Program(registers)| any.or(registers))
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
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    fn policy(accept: &str, more: &str) -> String {
        format!(r#"{{"format": "tensfer policy", "version": 1, "accept": {accept}{more}}}"#)
    }

    fn hex(byte: u8) -> String {
        format!("{byte:02x}").repeat(48)
    }

    #[test]
    fn a_policy_accepts_any_of_its_programs_and_says_what_they_reach() {
        let (one, two) = (hex(1), hex(2));
        let text = policy(
            &format!(r#"[{{"PCR0": "{one}", "PCR1": "{two}"}}, {{"PCR0": "{two}"}}]"#),
            r#", "environment": "live""#,
        );
        let policy = Policy::parse(text.as_bytes()).unwrap();
        assert_eq!(policy.environment, Some(Environment::Live));
        let registers = |text: &str| Registers::parse(text).unwrap().1;
        let expected = Registers::new().with(Name::Pcr(0), registers(&format!("PCR0={one}"))).unwrap();
        let expected = expected.with(Name::Pcr(1), registers(&format!("PCR1={two}"))).unwrap();
        let second = Registers::new().with(Name::Pcr(0), registers(&format!("PCR0={two}"))).unwrap();
        let expected = Measurements::new().or(expected).or(second);
        assert_eq!(format!("{:?}", policy.measurements()), format!("{expected:?}"));
    }

    #[test]
    fn m01_a_policy_that_names_nothing_or_says_anything_unknown_is_refused() {
        let one = hex(1);
        let good = format!(r#"[{{"PCR0": "{one}"}}]"#);
        assert!(Policy::parse(policy(&good, "").as_bytes()).is_ok());
        for bad in [
            policy("[]", ""),
            policy("[{}]", ""),
            policy(&format!(r#"[{{"PCR0": "{}"}}]"#, hex(0)), ""),
            policy(&format!(r#"[{{"PCR0": "{one}", "PCR0": "{one}"}}]"#), ""),
            policy(&format!(r#"[{{"PCR": "{one}"}}]"#), ""),
            policy(&format!(r#"[{{"PCR0": "{}"}}]"#, &one[2..]), ""),
            policy(r#"[{"PCR0": 1}]"#, ""),
            policy(&good, r#", "environment": "anything""#),
            policy(&good, r#", "dangerous_simulated": true"#),
            policy(&good, &format!(r#", "accept": {good}"#)),
            policy(&good, "").replace("policy", "polcy"),
            policy(&good, "").replace(": 1,", ": 2,"),
            policy(&good, "") + "{}",
            "null".into(),
            String::new(),
        ] {
            assert!(Policy::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_policy_that_others_may_write_is_refused_and_a_missing_one_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.json");
        assert!(Policy::read(&path).unwrap().is_none());
        write(&path, policy(&format!(r#"[{{"PCR0": "{}"}}]"#, hex(1)), "")).unwrap();
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(Policy::read(&path).unwrap().is_some());
        set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        assert!(Policy::read(&path).unwrap_err().to_string().contains("chmod 600"));
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        write(&path, "{").unwrap();
        assert_eq!(Policy::read(&path).unwrap_err().code, "policy_refused");
    }

    #[test]
    fn a_policy_says_which_platforms_it_accepts() {
        let accept = format!(r#"[{{"MEASUREMENT": "{}"}}, {{"MRTD": "{}"}}]"#, hex(1), hex(2));
        let more = r#", "sev_snp": {"minimum_tcb": {"snp": 24, "microcode": 217}, "highest_vmpl": 1},
            "tdx": {"also_accepted": ["SWHardeningNeeded"], "minimum_evaluation": 17}"#;
        let read = Policy::parse(policy(&accept, more).as_bytes()).unwrap();
        let snp = snp::Demands::from(read.sev_snp);
        assert_eq!((snp.minimum_tcb.snp, snp.minimum_tcb.microcode, snp.highest_vmpl), (24, 217, 1));
        let demands = read.tdx.demands();
        assert_eq!(
            (demands.also_accepted, demands.minimum_evaluation),
            (vec![tdx::Status::SwHardeningNeeded], 17)
        );
        for bad in [
            r#", "tdx": {"also_accepted": ["OutOfDate"]}"#,
            r#", "sev_snp": {"minimum_tcb": {"ucode": 1}}"#,
            r#", "sev_snp": {"minimum_tcb": {"snp": 256}}"#,
        ] {
            assert!(Policy::parse(policy(&accept, bad).as_bytes()).is_err(), "{bad}");
        }
    }
}
