//! What a manifest must be in itself, whoever approved it.

use super::{
    HOLDER_KEY_BYTES, Holders, MAX_CLASSES, MAX_DELAY_HOURS, MAX_MEMBERS, MAX_PROGRAMS, MAX_REGISTERS,
    MAX_ROOTS, MAX_VALIDITY_MS, Manifest, NOTICE_HOURS, Program, Replaced, RootCommitment, Signers,
    SigningKey, Stage, Step,
};
use crate::consent::Class;
use crate::identity::{TeeKind, WIRE_VERSION};
use crate::owner::OwnerAlgorithm;
use crate::passkey::{are_relying_parties, is_plain};

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
    /// A group is empty or too large, or its threshold is 0 or more than it has members; of witnesses, not more than half.
    Threshold,
    /// An alias or key is in a group twice, so that one member could count as two.
    Twice,
    /// A key has not its algorithm's length.
    Key,
    /// No program, too many, none or too many registers, or a register twice, of zeros (m02) or of another TEE.
    Program,
    /// Simulated programs beside those of real TEEs.
    Mixed,
    /// They do not begin with `any`, are not ascending, or are unknown.
    Classes,
    /// Hours without class `delayed`, or that class without hours.
    Delay,
    /// It ends before it begins, or lasts too long.
    Validity,
    /// An epoch on its way that is not the next or the newest of its class, or is of no class, or one of a class twice.
    Steps,
    /// New holders beside epochs on their way, for no root, or the same as there are.
    Reshare,
    /// A notice of an epoch that is not there, or that is sealed under or on its way; two of a class, of nobody, or of too few
    /// hours or too many.
    Notices,
    /// Commitments are not ascending without a gap, or not one for each holder.
    Roots,
    /// Class `any` begins after epoch 1, and it does not say what the first root was, by which witnesses know the deployment; or
    /// it says so beside that root, or without any.
    FirstRoot,
    /// An empty list of relying parties, or some that no deployment can have; or plain HTTP beside programs that are no
    /// simulation.
    RelyingParties,
    /// Witnesses that replace others, as the 0th, or themselves; none of either; or those before are no majority. Or there is no
    /// root, so no line that could have been kept.
    Replaced,
}

impl core::fmt::Display for ManifestFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            ManifestFault::Version => "its version is not 1",
            ManifestFault::Name => "a name, alias or class is not 1 to 64 of a-z, 0-9 and -",
            ManifestFault::Nonce => "its nonce is 0",
            ManifestFault::Threshold => {
                "a group has no member, too many, or a threshold that it cannot reach; or half of the witnesses suffice"
            }
            ManifestFault::Twice => "an alias or key is in a group twice",
            ManifestFault::Key => "a key has not the length of its algorithm",
            ManifestFault::Program => {
                "a program has no register, one twice, one of zeros, or one of another TEE"
            }
            ManifestFault::Mixed => "it lists simulated programs beside real ones",
            ManifestFault::Classes => "its consent classes are not `any` first, then `delayed` and `owner`",
            ManifestFault::Delay => "it says hours without class `delayed`, or the class without hours",
            ManifestFault::Validity => "it ends before it begins, or lasts longer than two years",
            ManifestFault::Steps => {
                "an epoch that is to be made is not the one after its class's newest, or one that is pending is not the newest"
            }
            ManifestFault::Reshare => {
                "it asks for new holders beside another step, for no root, or for those that there are"
            }
            ManifestFault::Notices => {
                "a notice is not of one retained epoch of its class, of nobody, or of hours outside of a week to 90 days"
            }
            ManifestFault::Roots => {
                "its commitments are not ascending without a gap, or not one for each holder"
            }
            ManifestFault::FirstRoot => {
                "it says what the first root was although that one is there, or does not say so although it is over"
            }
            ManifestFault::RelyingParties => {
                "its relying parties are none, too many, one twice, or not a domain with one to four `https` origins at it"
            }
            ManifestFault::Replaced => {
                "its witnesses replace nobody, themselves or no majority, or there is no root yet; or nobody replaces the former ones"
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
        check_holders(&self.holders)?;
        if self.witnesses.threshold != 0 || !self.witnesses.members.is_empty() {
            check_witnesses(&self.witnesses)?;
        }
        check_programs(&self.programs)?;
        check_classes(&self.classes)?;
        check_delay(self)?;
        let lasts = self.until.0.checked_sub(self.from.0);
        require(lasts.is_some_and(|lasts| (1..=MAX_VALIDITY_MS).contains(&lasts)), ManifestFault::Validity)?;
        check_roots(self)?;
        check_first(self)?;
        check_steps(self)?;
        check_notices(self)?;
        check_reshare(self)?;
        check_replaced(self)?;
        check_relying_parties(self)
    }

    pub fn has_class(&self, class: Class) -> bool {
        self.classes.iter().any(|name| name == class.name())
    }

    /// Whether its programs are simulated: then it protects nothing.
    pub fn is_simulated(&self) -> bool {
        self.programs.iter().any(|program| program.tee == TeeKind::Simulated)
    }
}

fn check_relying_parties(manifest: &Manifest) -> Result<(), ManifestFault> {
    let Some(parties) = &manifest.relying_parties else { return Ok(()) };
    let origins = || parties.iter().flat_map(|party| &party.origins);
    let is_simulation = manifest.is_simulated();
    let fits = !parties.is_empty() && are_relying_parties(parties);
    require(
        fits && (is_simulation || !origins().any(|origin| is_plain(origin))),
        ManifestFault::RelyingParties,
    )
}

fn require(holds: bool, fault: ManifestFault) -> Result<(), ManifestFault> {
    if holds { Ok(()) } else { Err(fault) }
}

pub(crate) fn is_name(text: &str) -> bool {
    let visible = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(visible)
}

impl Signers {
    /// A threshold that can be reached, each alias and each key once, each key of its algorithm's length.
    pub fn check_form(&self) -> Result<(), ManifestFault> {
        check_signers(self)
    }
}

fn check_signers(signers: &Signers) -> Result<(), ManifestFault> {
    let members = &signers.members;
    check_group(signers.threshold, members.len(), members.iter().map(|member| member.alias.as_str()))?;
    require(members.iter().all(|member| has_form(&member.key)), ManifestFault::Key)?;
    require(all_differ(members.iter().map(|member| &member.key.public)), ManifestFault::Twice)
}

/// Any two sets of a threshold share a witness: what the one accepted, the other hears of.
fn check_witnesses(witnesses: &Signers) -> Result<(), ManifestFault> {
    check_signers(witnesses)?;
    require(usize::from(witnesses.threshold) > witnesses.members.len() / 2, ManifestFault::Threshold)
}

fn check_holders(holders: &Holders) -> Result<(), ManifestFault> {
    let members = &holders.members;
    check_group(holders.threshold, members.len(), members.iter().map(|member| member.alias.as_str()))?;
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
pub(crate) fn is_measured(program: &Program) -> bool {
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

/// Known ones, from the loosest on: what an enclave does at any time needs the root of `any`.
fn check_classes(classes: &[String]) -> Result<(), ManifestFault> {
    require((1..=MAX_CLASSES).contains(&classes.len()), ManifestFault::Classes)?;
    let known: Option<Vec<Class>> = classes.iter().map(|class| Class::parse(class)).collect();
    let known = known.ok_or(ManifestFault::Classes)?;
    let ascending = known.iter().zip(known.iter().skip(1)).all(|(a, b)| a < b);
    require(ascending && known.first() == Some(&Class::Any), ManifestFault::Classes)
}

fn check_delay(manifest: &Manifest) -> Result<(), ManifestFault> {
    let has_class = manifest.has_class(Class::Delayed);
    let in_range = manifest.delay.is_none_or(|hours| (1..=MAX_DELAY_HOURS).contains(&hours));
    require(manifest.delay.is_some() == has_class && in_range, ManifestFault::Delay)
}

/// None at all, or of each class at least one, with a share for each holder: by class, then by epoch. A class has no gap but
/// between programs of class `owner`, of which each has its epochs together: so an epoch of a class is of one program.
fn check_roots(manifest: &Manifest) -> Result<(), ManifestFault> {
    let Manifest { roots, classes, .. } = manifest;
    if roots.is_empty() {
        return Ok(());
    }
    let holders = manifest.holders.members.len();
    let is_formed = |root: &RootCommitment| {
        let is_of_one = root.class == Class::Owner.name();
        root.epoch > 0 && root.shares.len() == holders && root.program.is_some() == is_of_one
    };
    let formed = roots.len() <= MAX_ROOTS && roots.iter().all(is_formed);
    let mut listed: Vec<&RootCommitment> = Vec::with_capacity(roots.len());
    for class in classes {
        let before = listed.len();
        listed.extend(roots.iter().filter(|root| root.class == *class));
        let of_class = listed.get(before..).unwrap_or_default();
        let follows = |root: &RootCommitment, next: &RootCommitment| {
            let begins = next.program != root.program && next.epoch > root.epoch;
            begins || next.program == root.program && root.epoch.checked_add(1) == Some(next.epoch)
        };
        let pairs = || of_class.iter().zip(of_class.iter().skip(1));
        let ascending = pairs().all(|(root, next)| follows(root, next));
        let firsts = of_class.first().into_iter().map(|first| first.program);
        let changes = pairs().filter(|(root, next)| next.program != root.program);
        let programs: Vec<_> = firsts.chain(changes.map(|(_, next)| next.program)).collect();
        let together = all_differ(programs.iter());
        require(!of_class.is_empty() && ascending && together, ManifestFault::Roots)?;
    }
    require(formed && listed.iter().copied().eq(roots), ManifestFault::Roots)
}

/// The first root is among the roots, or named in its place: a deployment has one name for good.
fn check_first(manifest: &Manifest) -> Result<(), ManifestFault> {
    let of_any = manifest.roots.iter().filter(|root| root.class() == Some(Class::Any));
    let is_over = of_any.map(|root| root.epoch).min().is_some_and(|oldest| oldest > 1);
    require(manifest.first.is_some() == is_over, ManifestFault::FirstRoot)
}

/// None at all, or one epoch of each of some classes: to be made, the one after the newest; pending, the newest, after
/// another of the same program.
fn check_steps(manifest: &Manifest) -> Result<(), ManifestFault> {
    let Some(steps) = &manifest.steps else { return Ok(()) };
    let places = steps.iter().map(|step| manifest.classes.iter().position(|class| *class == step.class));
    let places: Option<Vec<usize>> = places.collect();
    let places = places.ok_or(ManifestFault::Steps)?;
    let ascending = places.iter().zip(places.iter().skip(1)).all(|(place, next)| place < next);
    let is_in_place = |step: &Step| {
        let newest = manifest.roots.iter().rfind(|root| root.class == step.class);
        newest.is_some_and(|newest| match step.stage {
            Stage::Make => newest.epoch.checked_add(1) == Some(step.epoch),
            Stage::Pending => newest.epoch == step.epoch && !manifest.is_first(newest),
        })
    };
    require(!steps.is_empty() && ascending && steps.iter().all(is_in_place), ManifestFault::Steps)
}

/// None at all, or one of each of some classes: of an epoch that is there, and after which another one is current.
fn check_notices(manifest: &Manifest) -> Result<(), ManifestFault> {
    let Some(notices) = &manifest.notices else { return Ok(()) };
    let places =
        notices.iter().map(|notice| manifest.classes.iter().position(|class| *class == notice.class));
    let places: Option<Vec<usize>> = places.collect();
    let places = places.ok_or(ManifestFault::Notices)?;
    let ascending = places.iter().zip(places.iter().skip(1)).all(|(place, next)| place < next);
    let is_left = |root: &RootCommitment| {
        manifest.roots.iter().any(|other| {
            let is_later =
                other.class == root.class && other.program == root.program && other.epoch > root.epoch;
            is_later && !manifest.is_pending(&other.class, other.epoch)
        })
    };
    let formed = notices.iter().all(|notice| {
        let mut of_epoch =
            manifest.roots.iter().filter(|root| root.class == notice.class && root.epoch == notice.epoch);
        of_epoch.any(is_left) && notice.absent > 0 && NOTICE_HOURS.contains(&notice.hours)
    });
    require(!notices.is_empty() && ascending && formed, ManifestFault::Notices)
}

/// One thing at a time: roots that exist, and nothing on its way.
fn check_reshare(manifest: &Manifest) -> Result<(), ManifestFault> {
    let Some(holders) = &manifest.reshare else { return Ok(()) };
    check_holders(holders)?;
    let alone = manifest.steps.is_none() && !manifest.roots.is_empty();
    require(alone && *holders != manifest.holders, ManifestFault::Reshare)
}

fn check_replaced(manifest: &Manifest) -> Result<(), ManifestFault> {
    let Some(Replaced { generation, former }) = &manifest.replaced else { return Ok(()) };
    check_witnesses(former)?;
    let there = !manifest.witnesses.members.is_empty() && !manifest.roots.is_empty();
    require(there && *generation > 0 && *former != manifest.witnesses, ManifestFault::Replaced)
}
