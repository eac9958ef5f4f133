//! Amounts as chains count them: whole numbers of 256 bits.

use core::fmt;
use core::str::FromStr;

/// A number below 2^256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct U256([u8; 32]);

/// Not decimal digits, with a zero in front, or not below 2^256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidNumber;

impl U256 {
    pub const ZERO: U256 = U256([0; 32]);

    /// Big-endian.
    pub const fn from_be_bytes(bytes: [u8; 32]) -> U256 {
        U256(bytes)
    }

    /// Big-endian.
    pub const fn to_be_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The sum, or nothing if it is too large.
    pub fn checked_add(self, other: U256) -> Option<U256> {
        let mut sum = [0; 32];
        let mut carry = 0;
        for ((to, a), b) in sum.iter_mut().zip(self.0).zip(other.0).rev() {
            let [high, low] = (u16::from(a) + u16::from(b) + carry).to_be_bytes();
            (*to, carry) = (low, u16::from(high));
        }
        (carry == 0).then_some(U256(sum))
    }

    /// The difference, or nothing if it is below zero.
    pub fn checked_sub(self, other: U256) -> Option<U256> {
        let mut difference = [0; 32];
        let mut borrow = 0;
        for ((to, a), b) in difference.iter_mut().zip(self.0).zip(other.0).rev() {
            let [high, low] = (0x100 + u16::from(a) - u16::from(b) - borrow).to_be_bytes();
            (*to, borrow) = (low, 1 - u16::from(high));
        }
        (borrow == 0).then_some(U256(difference))
    }

    /// The number, if it is below 2^64.
    pub fn as_u64(self) -> Option<u64> {
        let ([zeros, bytes], []) = self.0.as_chunks::<16>() else { return None };
        u64::try_from(u128::from_be_bytes(*bytes)).ok().filter(|_| *zeros == [0; 16])
    }

    /// The product, or nothing if it is too large.
    pub fn checked_mul(self, factor: u64) -> Option<U256> {
        let mut product = [0; 32];
        let mut carry = 0_u128;
        for (to, digit) in product.as_chunks_mut::<8>().0.iter_mut().zip(self.0.as_chunks::<8>().0).rev() {
            let wide = u128::from(u64::from_be_bytes(*digit)) * u128::from(factor) + carry;
            *to = low(wide).to_be_bytes();
            carry = wide >> 64;
        }
        (carry == 0).then_some(U256(product))
    }

    /// Divides by a number that is not zero; the quotient and the remainder.
    fn divide(self, divisor: u64) -> (U256, u64) {
        let mut quotient = [0; 32];
        let mut rest = 0_u64;
        for (to, digit) in quotient.as_chunks_mut::<8>().0.iter_mut().zip(self.0.as_chunks::<8>().0) {
            let wide = u128::from(rest) << 64 | u128::from(u64::from_be_bytes(*digit));
            *to = low(wide / u128::from(divisor)).to_be_bytes();
            rest = low(wide % u128::from(divisor));
        }
        (U256(quotient), rest)
    }
}

/// The lowest 64 bits.
fn low(wide: u128) -> u64 {
    let [_, _, _, _, _, _, _, _, bytes @ ..] = wide.to_be_bytes();
    u64::from_be_bytes(bytes)
}

impl From<u128> for U256 {
    fn from(number: u128) -> U256 {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().skip(16).zip(number.to_be_bytes()) {
            *to = from;
        }
        U256(bytes)
    }
}

impl From<u64> for U256 {
    fn from(number: u64) -> U256 {
        U256::from(u128::from(number))
    }
}

/// Decimal digits.
impl fmt::Display for U256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Ten to the 19th: the most that a word of 64 bits holds.
        const PART: u64 = 10_000_000_000_000_000_000;
        let (rest, last) = self.divide(PART);
        if rest == U256::ZERO { write!(f, "{last}") } else { write!(f, "{rest}{last:019}") }
    }
}

impl fmt::Debug for U256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for U256 {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<U256, InvalidNumber> {
        let is_canonical = text == "0" || !text.starts_with('0');
        if text.is_empty() || text.len() > 78 || !is_canonical {
            return Err(InvalidNumber);
        }
        let number = text.bytes().try_fold(U256::ZERO, |number, letter| {
            let digit = u64::from(letter.checked_sub(b'0').filter(|digit| *digit < 10)?);
            number.checked_mul(10)?.checked_add(U256::from(digit))
        });
        number.ok_or(InvalidNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LARGEST: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

    #[test]
    fn the_largest_number_is_read_written_and_has_no_next() {
        let largest = U256([0xff; 32]);
        assert_eq!(largest.to_string(), LARGEST);
        assert_eq!(LARGEST.parse(), Ok(largest));
        assert_eq!(largest.checked_add(U256::from(1_u64)), None);
        assert_eq!(largest.checked_mul(2), None);
        assert_eq!(largest.checked_mul(1), Some(largest));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let larger = LARGEST.replace("935", "936");
        for text in ["", "00", "01", "+1", "-1", "1.0", " 1", "1e3", "0x1", &larger, &"9".repeat(79)] {
            assert_eq!(text.parse::<U256>(), Err(InvalidNumber), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_read_as_it_was_written(bytes: [u8; 32]) {
            prop_assert_eq!(U256(bytes).to_string().parse(), Ok(U256(bytes)));
        }

        #[test]
        fn sums_and_products_are_those_of_small_numbers(a: u64, b: u64, c: u64) {
            let (a, b, c) = (a, b, c >> 1);
            let expected = u128::from(a) * u128::from(c) + u128::from(b);
            let sum = U256::from(a).checked_mul(c).and_then(|product| product.checked_add(U256::from(b)));
            prop_assert_eq!(sum, Some(U256::from(expected)));
            let rest = U256::from(expected).checked_sub(U256::from(b));
            prop_assert_eq!(rest, Some(U256::from(u128::from(a) * u128::from(c))));
            prop_assert_eq!(U256::from(a).checked_sub(U256::from(b)), a.checked_sub(b).map(U256::from));
            prop_assert_eq!(U256::from(expected).as_u64(), u64::try_from(expected).ok());
            prop_assert_eq!(U256::from(expected).to_string(), expected.to_string());
        }
    }
}
