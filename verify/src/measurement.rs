//! What program runs: the registers of a TEE's document, and the caller's policy over them.

use crate::Refused;
use core::fmt;
use std::collections::BTreeMap;

/// A SHA-384 value of one register.
pub type Register = [u8; 48];

/// Which of a document's values a register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Nitro: platform configuration register 0 to 31. 0 is the image, 1 its kernel, 2 the application.
    Pcr(u8),
    /// SEV-SNP: the launch digest, that is all memory that the machine started with.
    Measurement,
    /// TDX: the initial contents of the trust domain.
    Mrtd,
    /// TDX: run-time measurement register 0 to 3.
    Rtmr(u8),
    /// TDX: what the host set at creation and the domain is bound to.
    MrConfigId,
    MrOwner,
    MrOwnerConfig,
}

/// The highest number of a PCR.
pub const MAX_PCR: u8 = 31;
/// The highest number of an RTMR.
const MAX_RTMR: u8 = 3;
/// Image, kernel and application: zero in debug mode (AWS, "Cryptographic attestation").
const IMAGE_REGISTERS: [Name; 3] = [Name::Pcr(0), Name::Pcr(1), Name::Pcr(2)];

impl Name {
    /// Reads a name as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Name> {
        let numbered = |prefix| text.strip_prefix(prefix)?.parse::<u8>().ok();
        let name = match text {
            "MEASUREMENT" => Name::Measurement,
            "MRTD" => Name::Mrtd,
            "MRCONFIGID" => Name::MrConfigId,
            "MROWNER" => Name::MrOwner,
            "MROWNERCONFIG" => Name::MrOwnerConfig,
            _ => numbered("PCR").map(Name::Pcr).or_else(|| numbered("RTMR").map(Name::Rtmr))?,
        };
        // A number has one form: no sign, no leading zero.
        (name.exists() && name.to_string() == text).then_some(name)
    }

    const fn exists(self) -> bool {
        match self {
            Name::Pcr(number) => number <= MAX_PCR,
            Name::Rtmr(number) => number <= MAX_RTMR,
            _ => true,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Pcr(number) => write!(f, "PCR{number}"),
            Name::Rtmr(number) => write!(f, "RTMR{number}"),
            Name::Measurement => f.write_str("MEASUREMENT"),
            Name::Mrtd => f.write_str("MRTD"),
            Name::MrConfigId => f.write_str("MRCONFIGID"),
            Name::MrOwner => f.write_str("MROWNER"),
            Name::MrOwnerConfig => f.write_str("MROWNERCONFIG"),
        }
    }
}

/// Registers of one document, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers(BTreeMap<Name, Register>);

impl Registers {
    pub fn new() -> Registers {
        Registers::default()
    }

    /// Adds a register; refuses one that no TEE has and a second value.
    pub fn with(mut self, name: Name, value: Register) -> Result<Registers, Refused> {
        if self.insert(name, value) { Ok(self) } else { Err(Refused::Malformed) }
    }

    /// Reads `PCR0=HEX`, `MEASUREMENT=HEX`, `MRTD=HEX` and so on, as it stands on a command line.
    pub fn parse(text: &str) -> Option<(Name, Register)> {
        let (name, digits) = text.split_once('=')?;
        Some((Name::parse(name)?, unhex(digits)?))
    }

    pub fn value(&self, name: Name) -> Option<&Register> {
        self.0.get(&name)
    }

    /// Name and value, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (Name, &Register)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every register of `set` is here with its value. A set without any is satisfied by nothing (m01).
    pub(crate) fn satisfy(&self, set: &Registers) -> bool {
        !set.is_empty() && set.iter().all(|(name, value)| self.value(name) == Some(value))
    }

    pub(crate) fn insert(&mut self, name: Name, value: Register) -> bool {
        name.exists() && self.0.insert(name, value).is_none()
    }

    /// Whether this is a Nitro enclave whose memory its host can read (m02).
    pub(crate) fn is_debug_nitro(&self) -> bool {
        let is_set = |name: &Name| self.value(*name).is_some_and(|value| value.iter().any(|byte| *byte != 0));
        let image = IMAGE_REGISTERS.iter();
        !image.clone().all(|name| self.value(*name).is_some()) || !image.clone().any(is_set)
    }
}

/// The programs that a caller accepts: any one of the sets, every register of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy(Vec<Registers>);

impl Policy {
    /// Accepts nothing: an empty policy refuses (m01).
    pub fn new() -> Policy {
        Policy::default()
    }

    /// Accepts programs with all of these registers, too.
    #[must_use]
    pub fn or(mut self, registers: Registers) -> Policy {
        self.0.push(registers);
        self
    }

    /// Whether there is nothing to compare with: no set at all, or a set that any document would satisfy.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty() || self.has_an_empty_set()
    }

    /// Whether a set in it would be satisfied by any document.
    pub(crate) fn has_an_empty_set(&self) -> bool {
        self.0.iter().any(Registers::is_empty)
    }

    pub(crate) fn check(&self, registers: &Registers) -> Result<(), Refused> {
        if self.is_empty() {
            return Err(Refused::EmptyPolicy);
        }
        if self.0.iter().any(|set| registers.satisfy(set)) {
            Ok(())
        } else {
            Err(Refused::MeasurementMismatch)
        }
    }
}

/// A register as lower-case hexadecimal digits.
pub struct Hex<'r>(pub &'r Register);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn unhex(digits: &str) -> Option<Register> {
    let mut value = [0; 48];
    let mut digits = digits.chars().map(|digit| digit.to_digit(16));
    for byte in &mut value {
        let (high, low) = (digits.next()??, digits.next()??);
        *byte = u8::try_from(high.saturating_mul(16).saturating_add(low)).ok()?;
    }
    digits.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registers(values: &[(u8, u8)]) -> Registers {
        let all = values
            .iter()
            .try_fold(Registers::new(), |all, (number, fill)| all.with(Name::Pcr(*number), [*fill; 48]));
        all.unwrap()
    }

    #[test]
    fn m01_an_empty_policy_refuses_every_document() {
        let document = registers(&[(0, 1), (1, 2), (2, 3)]);
        let all_empty = [
            Policy::new(),
            Policy::new().or(Registers::new()),
            Policy::new().or(document.clone()).or(Registers::new()),
        ];
        for policy in all_empty {
            assert_eq!(policy.check(&document), Err(Refused::EmptyPolicy));
            assert_eq!(policy.check(&Registers::new()), Err(Refused::EmptyPolicy));
        }
    }

    #[test]
    fn every_register_of_one_set_must_match() {
        let document = registers(&[(0, 1), (1, 2), (2, 3)]);
        let policy =
            |sets: &[&[(u8, u8)]]| sets.iter().fold(Policy::new(), |all, set| all.or(registers(set)));
        assert_eq!(policy(&[&[(0, 1)]]).check(&document), Ok(()));
        assert_eq!(policy(&[&[(0, 9)], &[(0, 1), (2, 3)]]).check(&document), Ok(()));
        for sets in [&[&[(0, 9)][..]][..], &[&[(0, 1), (1, 9)]], &[&[(0, 9)], &[(1, 9)]], &[&[(7, 0)]]] {
            assert_eq!(policy(sets).check(&document), Err(Refused::MeasurementMismatch), "{sets:?}");
        }
    }

    #[test]
    fn m02_zero_or_absent_image_registers_are_debug() {
        assert!(registers(&[(0, 0), (1, 0), (2, 0), (3, 7)]).is_debug_nitro());
        assert!(registers(&[(0, 1), (1, 1)]).is_debug_nitro(), "PCR2 is absent");
        assert!(Registers::new().is_debug_nitro());
        assert!(!registers(&[(0, 1), (1, 0), (2, 0)]).is_debug_nitro());
    }

    #[test]
    fn a_register_is_read_from_the_command_line_in_one_form() {
        let digits = "ab".repeat(48);
        assert_eq!(Registers::parse(&format!("PCR0={digits}")), Some((Name::Pcr(0), [0xab; 48])));
        assert_eq!(
            Registers::parse(&format!("PCR31={}", digits.to_uppercase())),
            Some((Name::Pcr(31), [0xab; 48]))
        );
        for name in ["MEASUREMENT", "MRTD", "RTMR0", "RTMR3", "MRCONFIGID", "MROWNER", "MROWNERCONFIG"] {
            let (read, value) = Registers::parse(&format!("{name}={digits}")).unwrap();
            assert_eq!((read.to_string().as_str(), value), (name, [0xab; 48]));
        }
        for bad in ["RTMR4", "RTMR", "PCR+1", "PCR01", "MEASUREMENT0", "mrtd", ""] {
            assert_eq!(Registers::parse(&format!("{bad}={digits}")), None, "{bad}");
        }
        for bad in ["PCR0", "PCR0=", "0=ab", "PCR32=ab", "PCR=ab", "PCR0=zz"] {
            assert_eq!(Registers::parse(bad), None, "{bad}");
        }
        for bad in [format!("PCR32={digits}"), format!("PCR0={digits}00"), format!("PCR0000={digits}")] {
            assert_eq!(Registers::parse(&bad), None, "{bad}");
        }
    }
}
