//! Exact decimals for money: an `i128` mantissa and a decimal scale, never a float.
//!
//! `value = mantissa · 10^-scale`, scale 0 ..= [`Decimal::MAX_SCALE`]. A [`Decimal`] is always in canonical form
//! (no trailing zero behind the point, zero has scale 0), so equal values are equal structures with equal text.
//! What does not fit is an error; nothing is rounded unless the caller names a scale and a [`Rounding`].

use core::cmp::Ordering;
use core::fmt;
use core::num::NonZeroU64;
use core::str::FromStr;

mod wide;

/// An exact decimal number.
///
/// ```
/// use wire::decimal::{Decimal, Rounding};
/// let amount: Decimal = "0.10000000".parse()?;
/// let price: Decimal = "2.5e-3".parse()?;
/// assert_eq!(amount.checked_mul(price)?.to_string(), "0.00025");
/// assert_eq!(amount.checked_div_to(Decimal::from(3), 4, Rounding::HalfEven)?.to_string(), "0.0333");
/// # Ok::<(), wire::decimal::DecimalError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    // The mantissa in two halves: without the alignment of an `i128` it takes 24 bytes, as an `Option` too, not 48.
    high: i64,
    low: u64,
    /// The scale and one. Whole words all three, and the error too: a processor waits where what it has just written as a
    /// byte is read back as a word.
    scale: NonZeroU64,
}

/// Why a number was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum DecimalError {
    /// Not a decimal number in plain or exponent notation.
    Malformed,
    /// The exact result needs more than an `i128` mantissa or a scale beyond [`Decimal::MAX_SCALE`].
    Overflow,
    /// Division by zero.
    DivisionByZero,
}

/// What to do with the digits behind the wanted scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
    /// To the nearest, ties to the even digit (IEEE 754 `roundTiesToEven`).
    HalfEven,
}

impl Decimal {
    pub const ZERO: Decimal = Decimal::of(0, 0);
    pub const ONE: Decimal = Decimal::of(1, 0);
    /// The largest scale: 10^38 is the largest power of ten in an `i128`.
    pub const MAX_SCALE: u8 = 38;
    /// Longer texts are malformed, whatever they hold.
    pub const MAX_TEXT: usize = 96;

    /// `mantissa · 10^-scale`, brought to canonical form.
    pub fn new(mantissa: i128, scale: u8) -> Result<Self, DecimalError> {
        if scale > Self::MAX_SCALE {
            return Err(DecimalError::Overflow);
        }
        Ok(Self::canonical(mantissa, scale))
    }

    /// A mantissa and scale that are canonical.
    const fn of(mantissa: i128, scale: u8) -> Self {
        let scale = NonZeroU64::MIN.saturating_add(scale as u64);
        Self { high: (mantissa >> 64) as i64, low: mantissa as u64, scale }
    }

    /// The canonical mantissa.
    pub fn mantissa(self) -> i128 {
        i128::from(self.high) << 64 | i128::from(self.low)
    }

    /// The canonical scale: the count of digits behind the point.
    pub fn scale(self) -> u8 {
        (self.scale.get() - 1) as u8
    }

    pub fn is_zero(self) -> bool {
        self.mantissa() == 0
    }

    pub fn is_negative(self) -> bool {
        self.high < 0
    }

    /// Reads `-12.50`, `.5`, `7.`, `1e-8`, `1.25E+3`; ASCII, no white space, no leading plus, at least one digit.
    #[inline]
    pub fn parse(text: &[u8]) -> Result<Self, DecimalError> {
        match parse_short(text) {
            Some((mantissa, scale)) => Ok(Self::canonical_short(mantissa, scale)),
            None => Self::parse_long(text),
        }
    }

    fn parse_long(text: &[u8]) -> Result<Self, DecimalError> {
        if text.len() > Self::MAX_TEXT {
            return Err(DecimalError::Malformed);
        }
        let (negative, digits) = split_sign(text);
        let (digits, exponent) = split_exponent(digits)?;
        let (mantissa, scale) = parse_plain(digits)?;
        let mantissa = if negative { -mantissa } else { mantissa };
        if exponent == 0 {
            return Ok(Self::of(mantissa, scale));
        }
        Self::shifted(mantissa, i32::from(scale) - exponent)
    }

    pub fn checked_add(self, other: Self) -> Result<Self, DecimalError> {
        if other.is_zero() {
            return Ok(self);
        }
        if self.is_zero() {
            return Ok(other);
        }
        let (left, right, scale) = aligned(self, other)?;
        left.checked_add(right).map(|sum| Self::canonical(sum, scale)).ok_or(DecimalError::Overflow)
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, DecimalError> {
        self.checked_add(other.checked_neg()?)
    }

    pub fn checked_neg(self) -> Result<Self, DecimalError> {
        let mantissa = self.mantissa().checked_neg().ok_or(DecimalError::Overflow)?;
        Ok(Self::of(mantissa, self.scale()))
    }

    /// The exact product.
    pub fn checked_mul(self, other: Self) -> Result<Self, DecimalError> {
        let product = wide::Signed::product(self.mantissa(), other.mantissa());
        product.reduced(u32::from(self.scale()) + u32::from(other.scale()))
    }

    /// The product rounded to `scale` digits; the exact product never has to fit.
    pub fn checked_mul_to(self, other: Self, scale: u8, rounding: Rounding) -> Result<Self, DecimalError> {
        let product = wide::Signed::product(self.mantissa(), other.mantissa());
        product.rescaled(u32::from(self.scale()) + u32::from(other.scale()), scale, rounding)
    }

    /// The quotient rounded to `scale` digits.
    pub fn checked_div_to(self, other: Self, scale: u8, rounding: Rounding) -> Result<Self, DecimalError> {
        if other.is_zero() {
            return Err(DecimalError::DivisionByZero);
        }
        wide::divide((self.mantissa(), self.scale()), (other.mantissa(), other.scale()), scale, rounding)
    }

    /// The value rounded to at most `scale` digits behind the point.
    pub fn rounded(self, scale: u8, rounding: Rounding) -> Result<Self, DecimalError> {
        wide::Signed::product(self.mantissa(), 1).rescaled(u32::from(self.scale()), scale, rounding)
    }

    /// `mantissa · 10^-scale` for a scale of either sign.
    fn shifted(mantissa: i128, scale: i32) -> Result<Self, DecimalError> {
        if mantissa == 0 {
            return Ok(Self::ZERO);
        }
        if scale >= 0 {
            return wide::Signed::product(mantissa, 1).reduced(scale.unsigned_abs());
        }
        let factor = power_of_ten(scale.unsigned_abs()).ok_or(DecimalError::Overflow)?;
        let mantissa = mantissa.checked_mul(factor).ok_or(DecimalError::Overflow)?;
        Ok(Self::of(mantissa, 0))
    }

    fn canonical(mantissa: i128, scale: u8) -> Self {
        // A division of 64 bits is many times faster than one of 128.
        match i64::try_from(mantissa) {
            Ok(short) => Self::canonical_short(short, scale),
            Err(_) => Self::canonical_wide(mantissa, scale),
        }
    }

    #[inline]
    fn canonical_short(mut mantissa: i64, mut scale: u8) -> Self {
        if mantissa == 0 {
            return Self::ZERO;
        }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self::of(i128::from(mantissa), scale)
    }

    fn canonical_wide(mut mantissa: i128, mut scale: u8) -> Self {
        while scale > 0 && mantissa % 10 == 0 {
            if mantissa == 0 {
                return Self::ZERO;
            }
            mantissa /= 10;
            scale -= 1;
        }
        Self::of(mantissa, scale)
    }
}

/// `10^exponent`, where an `i128` holds it.
pub(crate) fn power_of_ten(exponent: u32) -> Option<i128> {
    const POWERS: [i128; 39] = {
        let mut powers = [1i128; 39];
        let mut at = 1;
        while at < 39 {
            powers[at] = powers[at - 1] * 10;
            at += 1;
        }
        powers
    };
    POWERS.get(exponent as usize).copied()
}

fn aligned(left: Decimal, right: Decimal) -> Result<(i128, i128, u8), DecimalError> {
    let scale = left.scale().max(right.scale());
    let widen = |value: Decimal| {
        power_of_ten(u32::from(scale - value.scale()))
            .and_then(|factor| value.mantissa().checked_mul(factor))
            .ok_or(DecimalError::Overflow)
    };
    Ok((widen(left)?, widen(right)?, scale))
}

/// Splits `1.5e-8` into `1.5` and -8.
fn split_exponent(digits: &[u8]) -> Result<(&[u8], i32), DecimalError> {
    let Some(at) = digits.iter().position(|byte| matches!(byte, b'e' | b'E')) else {
        return Ok((digits, 0));
    };
    let (plain, exponent) = digits.split_at(at);
    let exponent = exponent.get(1..).unwrap_or_default();
    let (negative, exponent) = match exponent.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, exponent),
    };
    if exponent.is_empty() || exponent.len() > 4 {
        return Err(DecimalError::Malformed);
    }
    let mut value = 0i32;
    for byte in exponent {
        if !byte.is_ascii_digit() {
            return Err(DecimalError::Malformed);
        }
        value = value * 10 + i32::from(byte - b'0');
    }
    Ok((plain, if negative { -value } else { value }))
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    }
}

/// Reads at most 18 digits with or without a point, as nearly all amounts are: they fit an `i64`, which is several times
/// faster than an `i128`. Nothing for any other text; the mantissa may have trailing zeros.
#[inline]
fn parse_short(text: &[u8]) -> Option<(i64, u8)> {
    const MAX_DIGITS: usize = 18;
    let (negative, digits) = split_sign(text);
    if digits.len() > MAX_DIGITS + 1 {
        return None;
    }
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = digits.split_at_checked(point.unwrap_or(digits.len()))?;
    let fraction = fraction.get(1..).unwrap_or_default();
    if !(1..=MAX_DIGITS).contains(&(whole.len() + fraction.len())) {
        return None;
    }
    let mantissa = append_digits(append_digits(0, whole)?, fraction)? as i64;
    Some((if negative { -mantissa } else { mantissa }, fraction.len() as u8))
}

/// The number whose digits are those of `number` and then `digits`; nothing for what is no digit. Of at most 19 digits
/// in all, so that no sum has to be checked.
#[inline]
fn append_digits(mut number: u64, mut digits: &[u8]) -> Option<u64> {
    while let Some((eight, rest)) = digits.split_first_chunk() {
        number = number.wrapping_mul(100_000_000).wrapping_add(eight_digits(*eight)?);
        digits = rest;
    }
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    Some(number)
}

/// Reads eight digits at once: pairs, fours and the eight are summed side by side within one word.
#[inline]
fn eight_digits(digits: [u8; 8]) -> Option<u64> {
    const HIGH_HALVES: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let word = u64::from_le_bytes(digits);
    // 0x30 to 0x39, and what six more makes of them, have the same high half; nothing else has.
    let moved = word.wrapping_add(0x0606_0606_0606_0606);
    if (word & HIGH_HALVES) ^ ZEROS | (moved & HIGH_HALVES) ^ ZEROS != 0 {
        return None;
    }
    let ones = word ^ ZEROS;
    // Of each two bytes, the pair; of each four, the four; then all. The first digit is the lowest byte.
    let pairs = (ones.wrapping_mul(10).wrapping_add(ones >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some((fours & 0xFFFF_FFFF).wrapping_mul(10_000).wrapping_add(fours >> 32))
}

/// Reads `digits[.digits]` to a canonical mantissa and scale.
fn parse_plain(digits: &[u8]) -> Result<(i128, u8), DecimalError> {
    let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(at) => (digits.get(..at).unwrap_or_default(), digits.get(at + 1..).unwrap_or_default()),
        None => (digits, &[][..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(DecimalError::Malformed);
    }
    let kept = fraction.iter().rposition(|byte| *byte != b'0').map_or(0, |last| last + 1);
    let fraction = fraction.get(..kept).unwrap_or_default();
    let scale = u8::try_from(kept).map_err(|_| DecimalError::Overflow)?;
    let mantissa = accumulate(whole, fraction)?;
    match scale {
        0..=Decimal::MAX_SCALE => Ok((mantissa, scale)),
        _ => Err(DecimalError::Overflow),
    }
}

fn accumulate(whole: &[u8], fraction: &[u8]) -> Result<i128, DecimalError> {
    let mut value = 0i128;
    let mut fits = true;
    for byte in whole.iter().chain(fraction) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(DecimalError::Malformed);
        }
        match value.checked_mul(10).and_then(|value| value.checked_add(i128::from(digit))) {
            Some(next) => value = next,
            None => fits = false,
        }
    }
    if fits { Ok(value) } else { Err(DecimalError::Overflow) }
}

impl Default for Decimal {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match aligned(*self, *other) {
            Ok((left, right, _)) => left.cmp(&right),
            Err(_) => wide::compare((self.mantissa(), self.scale()), (other.mantissa(), other.scale())),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self::of(i128::from(value), 0)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        Self::parse(text.as_bytes())
    }
}

/// Plain notation without trailing zeros: `-0.00025`, `0`, `1200`.
impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa().unsigned_abs().to_string();
        let scale = usize::from(self.scale());
        if self.mantissa() < 0 {
            formatter.write_str("-")?;
        }
        if scale == 0 {
            return formatter.write_str(&digits);
        }
        let padding = (scale + 1).saturating_sub(digits.len());
        let padded = format!("{:0>width$}", digits, width = digits.len() + padding);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        write!(formatter, "{whole}.{fraction}")
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for DecimalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "not a decimal number",
            Self::Overflow => "the number does not fit exactly",
            Self::DivisionByZero => "division by zero",
        })
    }
}

impl core::error::Error for DecimalError {}

#[cfg(test)]
mod tests;
