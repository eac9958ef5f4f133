//! What a release manifest must be in itself, whoever signed it.

use super::{MAX_RELEASED, MAX_VALIDITY_MS, MinimumTcb, Release, Released};
use crate::identity::{TeeKind, WIRE_VERSION};
use crate::manifest::{is_measured, is_name};

/// The longest version.
const MAX_BUILD_VERSION: usize = 32;

/// The first rule that a release breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseFault {
    Version,
    /// Its name is not 1 to 64 of `a` to `z`, `0` to `9` and `-`.
    Name,
    /// Its version is not `major.minor.patch`, or its commit not 40 or 64 lower-case hexadecimal digits.
    Build,
    /// It ends before it begins, or lasts too long.
    Validity,
    /// No program, too many, one twice, or one without a register, with one twice, of zeros (m02) or of another TEE.
    Program,
    /// Simulated programs beside those of real TEEs.
    Mixed,
    /// The firmware of a TEE is named that no program is for.
    MinimumTcb,
}

impl core::fmt::Display for ReleaseFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            ReleaseFault::Version => "its version is not 1",
            ReleaseFault::Name => "its name is not 1 to 64 of a-z, 0-9 and -",
            ReleaseFault::Build => {
                "its build is not major.minor.patch with a commit of 40 or 64 lower-case hexadecimal digits"
            }
            ReleaseFault::Validity => "it ends before it begins, or lasts longer than two years",
            ReleaseFault::Program => {
                "it has no program, too many or one twice, or one with no register, one twice, one of zeros, or one of \
                 another TEE"
            }
            ReleaseFault::Mixed => "it lists simulated programs beside real ones",
            ReleaseFault::MinimumTcb => "it names the firmware of a TEE that none of its programs is for",
        })
    }
}

impl core::error::Error for ReleaseFault {}

impl Release {
    /// Checks every rule of docs/spec/release.md §1 that needs no key and no clock.
    pub fn check_form(&self) -> Result<(), ReleaseFault> {
        require(self.version == WIRE_VERSION, ReleaseFault::Version)?;
        require(is_name(&self.name), ReleaseFault::Name)?;
        require(is_version(&self.build.version) && is_commit(&self.build.commit), ReleaseFault::Build)?;
        let lasts = self.until.0.checked_sub(self.from.0);
        require(lasts.is_some_and(|lasts| 0 < lasts && lasts <= MAX_VALIDITY_MS), ReleaseFault::Validity)?;
        check_programs(&self.programs)?;
        let MinimumTcb { sev_snp, tdx } = self.minimum_tcb;
        let has = |tee| self.programs.iter().any(|released| released.program.tee == tee);
        let of_its_own = (sev_snp.is_none() || has(TeeKind::SevSnp)) && (tdx.is_none() || has(TeeKind::Tdx));
        require(of_its_own, ReleaseFault::MinimumTcb)
    }

    /// Whether its programs are simulations: they protect nothing, and stand beside none that does.
    pub fn is_simulated(&self) -> bool {
        self.programs.iter().any(|released| released.program.tee == TeeKind::Simulated)
    }
}

fn require(holds: bool, fault: ReleaseFault) -> Result<(), ReleaseFault> {
    if holds { Ok(()) } else { Err(fault) }
}

/// Three decimal numbers without leading zeros: as clients compare them.
fn is_version(text: &str) -> bool {
    let is_number = |part: &str| {
        (part == "0" || !part.starts_with(['0', '+']))
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u32>().is_ok()
    };
    text.len() <= MAX_BUILD_VERSION && text.split('.').count() == 3 && text.split('.').all(is_number)
}

/// SHA-1 or SHA-256 of a commit. `unknown`, what a changed working copy is built as, is never released.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn check_programs(programs: &[Released]) -> Result<(), ReleaseFault> {
    require((1..=MAX_RELEASED).contains(&programs.len()), ReleaseFault::Program)?;
    require(programs.iter().all(|released| is_measured(&released.program)), ReleaseFault::Program)?;
    let repeated =
        programs.iter().enumerate().any(|(at, one)| programs.iter().skip(at + 1).any(|other| one == other));
    require(!repeated, ReleaseFault::Program)?;
    let simulated = programs.iter().filter(|released| released.program.tee == TeeKind::Simulated).count();
    require(simulated == 0 || simulated == programs.len(), ReleaseFault::Mixed)
}

#[cfg(test)]
mod tests {
    use super::super::SnpTcb;
    use super::*;
    use crate::Canonical;
    use crate::evidence::Hash;
    use crate::identity::Build;
    use crate::manifest::{Program, Reach, Register};
    use crate::time::UnixMillis;

    fn program(tee: TeeKind, name: &str, fill: u8) -> Released {
        let registers = vec![Register { name: name.to_owned(), value: [fill; 48] }];
        Released { environment: Reach::Live, program: Program { tee, registers } }
    }

    fn release() -> Release {
        Release {
            version: 1,
            name: "example".to_owned(),
            build: Build { version: "0.2.0".to_owned(), commit: "ab".repeat(20) },
            connectors: Hash([7; 32]),
            from: UnixMillis(1_000),
            until: UnixMillis(2_000),
            programs: vec![
                program(TeeKind::Nitro, "PCR0", 1),
                program(TeeKind::SevSnp, "MEASUREMENT", 2),
                program(TeeKind::Tdx, "MRTD", 3),
            ],
            minimum_tcb: MinimumTcb { sev_snp: Some(SnpTcb { snp: 24, ..SnpTcb::default() }), tdx: Some(17) },
        }
    }

    #[test]
    fn a_release_in_form_reads_back() {
        let release = release();
        assert_eq!(release.check_form(), Ok(()));
        assert_eq!(Release::from_bytes(&release.to_bytes()), Ok(release));
    }

    type Alter<'a> = &'a dyn Fn(&mut Release);

    #[test]
    fn every_rule_of_a_releases_form_refuses() {
        let altered = |alter: Alter<'_>| {
            let mut release = release();
            alter(&mut release);
            release.check_form()
        };
        let cases: [(Alter<'_>, ReleaseFault); 17] = [
            (&|release| release.version = 2, ReleaseFault::Version),
            (&|release| release.name = String::new(), ReleaseFault::Name),
            (&|release| release.name = "Example".to_owned(), ReleaseFault::Name),
            (&|release| release.build.version = "0.2".to_owned(), ReleaseFault::Build),
            (&|release| release.build.version = "0.02.0".to_owned(), ReleaseFault::Build),
            (&|release| release.build.version = "0.2.0-rc1".to_owned(), ReleaseFault::Build),
            (&|release| release.build.version = "0.2.4294967296".to_owned(), ReleaseFault::Build),
            (&|release| release.build.commit = "unknown".to_owned(), ReleaseFault::Build),
            (&|release| release.build.commit = "AB".repeat(20), ReleaseFault::Build),
            (&|release| release.until = release.from, ReleaseFault::Validity),
            (&|release| release.until.0 += MAX_VALIDITY_MS, ReleaseFault::Validity),
            (&|release| release.programs.clear(), ReleaseFault::Program),
            (&|release| release.programs[0].program.registers.clear(), ReleaseFault::Program),
            (&|release| release.programs[0].program.registers[0].value = [0; 48], ReleaseFault::Program),
            (&|release| release.programs[1] = release.programs[0].clone(), ReleaseFault::Program),
            (&|release| release.programs.push(program(TeeKind::Simulated, "PCR0", 9)), ReleaseFault::Mixed),
            (&|release| release.programs.truncate(2), ReleaseFault::MinimumTcb),
        ];
        for (alter, fault) in cases {
            assert_eq!(altered(alter), Err(fault));
        }
        let many = (0..33).map(|fill| program(TeeKind::Nitro, "PCR0", fill + 1));
        assert_eq!(altered(&|release| release.programs = many.clone().collect()), Err(ReleaseFault::Program));
    }
}
