//! What program runs: platform configuration registers, and the caller's policy over them.

use crate::Refused;
use core::fmt;
use std::collections::BTreeMap;

/// A SHA-384 value of one register.
pub type Register = [u8; 48];

/// Registers of one document, by number (0 to 31).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers(BTreeMap<u8, Register>);

/// The highest register number.
pub const MAX_REGISTER: u8 = 31;
/// Image, kernel and application: zero in debug mode (AWS, "Cryptographic attestation").
const IMAGE_REGISTERS: [u8; 3] = [0, 1, 2];

impl Registers {
    pub fn new() -> Registers {
        Registers::default()
    }

    /// Adds a register; refuses a number above [`MAX_REGISTER`] and a second value.
    pub fn with(mut self, number: u8, value: Register) -> Result<Registers, Refused> {
        if number > MAX_REGISTER || self.0.insert(number, value).is_some() {
            return Err(Refused::Malformed);
        }
        Ok(self)
    }

    /// Reads `PCR0=HEX`, as it stands on a command line.
    pub fn parse(text: &str) -> Option<(u8, Register)> {
        let (name, digits) = text.split_once('=')?;
        let number: u8 = name.strip_prefix("PCR")?.parse().ok()?;
        let value = unhex(digits)?;
        (number <= MAX_REGISTER && name.len() <= "PCR31".len()).then_some((number, value))
    }

    pub fn value(&self, number: u8) -> Option<&Register> {
        self.0.get(&number)
    }

    /// Number and value, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &Register)> {
        self.0.iter().map(|(number, value)| (*number, value))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn insert(&mut self, number: u8, value: Register) -> bool {
        number <= MAX_REGISTER && self.0.insert(number, value).is_none()
    }

    /// Whether this is an enclave whose memory its host can read (m02).
    pub(crate) fn is_debug(&self) -> bool {
        let is_set =
            |number: &u8| self.value(*number).is_some_and(|value| value.iter().any(|byte| *byte != 0));
        let image = IMAGE_REGISTERS.iter();
        !image.clone().all(|number| self.value(*number).is_some()) || !image.clone().any(is_set)
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
        self.0.is_empty() || self.0.iter().any(Registers::is_empty)
    }

    pub(crate) fn check(&self, registers: &Registers) -> Result<(), Refused> {
        if self.is_empty() {
            return Err(Refused::EmptyPolicy);
        }
        let matches =
            |set: &Registers| set.iter().all(|(number, value)| registers.value(number) == Some(value));
        if self.0.iter().any(matches) { Ok(()) } else { Err(Refused::MeasurementMismatch) }
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
        let all =
            values.iter().try_fold(Registers::new(), |all, (number, fill)| all.with(*number, [*fill; 48]));
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
        assert!(registers(&[(0, 0), (1, 0), (2, 0), (3, 7)]).is_debug());
        assert!(registers(&[(0, 1), (1, 1)]).is_debug(), "PCR2 is absent");
        assert!(Registers::new().is_debug());
        assert!(!registers(&[(0, 1), (1, 0), (2, 0)]).is_debug());
    }

    #[test]
    fn a_register_is_read_from_the_command_line_in_one_form() {
        let digits = "ab".repeat(48);
        assert_eq!(Registers::parse(&format!("PCR0={digits}")), Some((0, [0xab; 48])));
        assert_eq!(Registers::parse(&format!("PCR31={}", digits.to_uppercase())), Some((31, [0xab; 48])));
        for bad in ["PCR0", "PCR0=", "0=ab", "PCR32=ab", "PCR=ab", "PCR0=zz"] {
            assert_eq!(Registers::parse(bad), None, "{bad}");
        }
        for bad in [format!("PCR32={digits}"), format!("PCR0={digits}00"), format!("PCR0000={digits}")] {
            assert_eq!(Registers::parse(&bad), None, "{bad}");
        }
    }
}
