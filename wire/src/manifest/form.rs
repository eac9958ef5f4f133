//! What a manifest must be in itself, whoever approved it.

use super::{
    HOLDER_KEY_BYTES, MAX_CLASSES, MAX_MEMBERS, MAX_PROGRAMS, MAX_REGISTERS, MAX_ROOTS, MAX_VALIDITY_MS,
    Manifest, Program, RootCommitment, Signers, SigningKey,
};
use crate::identity::{TeeKind, WIRE_VERSION};
use crate::owner::OwnerAlgorithm;

/// The longest name, alias or class.
const MAX_NAME: usize = 64;

/// The first rule that a manifest breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestFault {
    Version,
    /// A name, alias or class is not 1 to 64 of `a` to `z`, `0` to `9` and `-`.
    Name,
    /// Nonce 0.
    Nonce,
    /// A group is empty or too large, or its threshold is 0 or more than it has members.
    Threshold,
    /// An alias or key is in a group twice, so that one member could count as two.
    Twice,
    /// A key has not its algorithm's length.
    Key,
    /// No program, too many, none or too many registers, or a register twice, of zeros (m02) or of another TEE.
    Program,
    /// Simulated programs beside those of real TEEs.
    Mixed,
    Classes,
    /// It ends before it begins, or lasts too long.
    Validity,
    /// Commitments are not ascending without a gap, or not one for each holder.
    Roots,
}

impl core::fmt::Display for ManifestFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            ManifestFault::Version => "its version is not 1",
            ManifestFault::Name => "a name, alias or class is not 1 to 64 of a-z, 0-9 and -",
            ManifestFault::Nonce => "its nonce is 0",
            ManifestFault::Threshold => {
                "a group has no member, too many, or a threshold that it cannot reach"
            }
            ManifestFault::Twice => "an alias or key is in a group twice",
            ManifestFault::Key => "a key has not the length of its algorithm",
            ManifestFault::Program => {
                "a program has no register, one twice, one of zeros, or one of another TEE"
            }
            ManifestFault::Mixed => "it lists simulated programs beside real ones",
            ManifestFault::Classes => "it has no class, one twice, or too many",
            ManifestFault::Validity => "it ends before it begins, or lasts longer than two years",
            ManifestFault::Roots => {
                "its commitments are not ascending without a gap, or not one for each holder"
            }
        })
    }
}

impl core::error::Error for ManifestFault {}

impl Manifest {
    /// Checks every rule of docs/spec/provisioning.md §2 that needs nothing but the manifest.
    pub fn check_form(&self) -> Result<(), ManifestFault> {
        require(self.version == WIRE_VERSION, ManifestFault::Version)?;
        require(is_name(&self.name), ManifestFault::Name)?;
        require(self.nonce > 0, ManifestFault::Nonce)?;
        check_signers(&self.approvers)?;
        check_holders(self)?;
        if self.witnesses.threshold != 0 || !self.witnesses.members.is_empty() {
            check_signers(&self.witnesses)?;
        }
        check_programs(&self.programs)?;
        check_classes(&self.classes)?;
        let lasts = self.until.0.checked_sub(self.from.0);
        require(lasts.is_some_and(|lasts| (1..=MAX_VALIDITY_MS).contains(&lasts)), ManifestFault::Validity)?;
        check_roots(self)
    }

    /// Whether its programs are simulated: then it protects nothing.
    pub fn is_simulated(&self) -> bool {
        self.programs.iter().any(|program| program.tee == TeeKind::Simulated)
    }
}

fn require(holds: bool, fault: ManifestFault) -> Result<(), ManifestFault> {
    if holds { Ok(()) } else { Err(fault) }
}

fn is_name(text: &str) -> bool {
    let visible = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(visible)
}

fn check_signers(signers: &Signers) -> Result<(), ManifestFault> {
    let members = &signers.members;
    check_group(signers.threshold, members.len(), members.iter().map(|member| member.alias.as_str()))?;
    require(members.iter().all(|member| has_form(&member.key)), ManifestFault::Key)?;
    require(all_differ(members.iter().map(|member| &member.key.public)), ManifestFault::Twice)
}

fn check_holders(manifest: &Manifest) -> Result<(), ManifestFault> {
    let members = &manifest.holders.members;
    check_group(
        manifest.holders.threshold,
        members.len(),
        members.iter().map(|member| member.alias.as_str()),
    )?;
    require(members.iter().all(|member| member.key.len() == HOLDER_KEY_BYTES), ManifestFault::Key)?;
    require(all_differ(members.iter().map(|member| &member.key)), ManifestFault::Twice)
}

fn check_group<'m>(
    threshold: u8,
    members: usize,
    aliases: impl Iterator<Item = &'m str> + Clone,
) -> Result<(), ManifestFault> {
    let reachable = threshold > 0 && usize::from(threshold) <= members && members <= MAX_MEMBERS;
    require(reachable, ManifestFault::Threshold)?;
    require(aliases.clone().all(is_name), ManifestFault::Name)?;
    require(all_differ(aliases), ManifestFault::Twice)
}

fn all_differ<T: PartialEq>(items: impl Iterator<Item = T> + Clone) -> bool {
    items.clone().enumerate().all(|(at, item)| items.clone().skip(at + 1).all(|other| other != item))
}

fn has_form(key: &SigningKey) -> bool {
    match key.algorithm {
        OwnerAlgorithm::EdDsa => key.public.len() == 32,
        OwnerAlgorithm::Es256 => key.public.len() == 65 && key.public.first() == Some(&4),
    }
}

fn check_programs(programs: &[Program]) -> Result<(), ManifestFault> {
    require((1..=MAX_PROGRAMS).contains(&programs.len()), ManifestFault::Program)?;
    require(programs.iter().all(is_measured), ManifestFault::Program)?;
    let simulated = programs.iter().filter(|program| program.tee == TeeKind::Simulated).count();
    require(simulated == 0 || simulated == programs.len(), ManifestFault::Mixed)
}

/// There is a register to compare (m01), each once, of this kind of TEE, and none of zeros (m02).
fn is_measured(program: &Program) -> bool {
    let registers = &program.registers;
    (1..=MAX_REGISTERS).contains(&registers.len())
        && all_differ(registers.iter().map(|register| &register.name))
        && registers.iter().all(|register| belongs(&register.name, program.tee) && register.value != [0; 48])
}

fn belongs(register: &str, tee: TeeKind) -> bool {
    let numbered = |prefix: &str, most: u8| {
        let number = register.strip_prefix(prefix).and_then(|digits| digits.parse::<u8>().ok());
        number.is_some_and(|number| number <= most && register == format!("{prefix}{number}"))
    };
    match tee {
        TeeKind::Simulated | TeeKind::Nitro => numbered("PCR", 31),
        TeeKind::SevSnp => register == "MEASUREMENT",
        TeeKind::Tdx => {
            matches!(register, "MRTD" | "MRCONFIGID" | "MROWNER" | "MROWNERCONFIG") || numbered("RTMR", 3)
        }
    }
}

fn check_classes(classes: &[String]) -> Result<(), ManifestFault> {
    require((1..=MAX_CLASSES).contains(&classes.len()), ManifestFault::Classes)?;
    require(classes.iter().all(|class| is_name(class)), ManifestFault::Name)?;
    require(all_differ(classes.iter()), ManifestFault::Classes)
}

/// None at all, or of each class at least one, by class and epoch, without a gap, with a share for each holder.
fn check_roots(manifest: &Manifest) -> Result<(), ManifestFault> {
    let Manifest { roots, classes, .. } = manifest;
    if roots.is_empty() {
        return Ok(());
    }
    let holders = manifest.holders.members.len();
    let formed =
        roots.len() <= MAX_ROOTS && roots.iter().all(|root| root.epoch > 0 && root.shares.len() == holders);
    let mut listed: Vec<&RootCommitment> = Vec::with_capacity(roots.len());
    for class in classes {
        let before = listed.len();
        listed.extend(roots.iter().filter(|root| root.class == *class));
        let of_class = listed.get(before..).unwrap_or_default();
        let ascending = of_class
            .iter()
            .zip(of_class.iter().skip(1))
            .all(|(root, next)| root.epoch.checked_add(1) == Some(next.epoch));
        require(!of_class.is_empty() && ascending, ManifestFault::Roots)?;
    }
    require(formed && listed.iter().copied().eq(roots), ManifestFault::Roots)
}
