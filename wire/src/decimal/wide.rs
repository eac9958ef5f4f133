//! 256-bit intermediates: a product or a shifted dividend may be wider than its rounded result.

use core::cmp::Ordering;

use super::{Decimal, DecimalError, Rounding, power_of_ten};

/// An unsigned 256-bit number, `high · 2^128 + low`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wide {
    high: u128,
    low: u128,
}

/// A sign and a 256-bit magnitude.
pub(super) struct Signed {
    negative: bool,
    magnitude: Wide,
}

impl Wide {
    fn from(low: u128) -> Self {
        Self { high: 0, low }
    }

    /// The full product of two 128-bit numbers, by halves.
    fn product(left: u128, right: u128) -> Self {
        if let Some(low) = left.checked_mul(right) {
            return Self::from(low);
        }
        const HALF: u128 = u64::MAX as u128;
        let (a, b) = (left >> 64, left & HALF);
        let (c, d) = (right >> 64, right & HALF);
        let low = b * d;
        let middle = a * d + (low >> 64);
        let carried = b * c + (middle & HALF);
        let high = a * c + (middle >> 64) + (carried >> 64);
        Self { high, low: (carried << 64) | (low & HALF) }
    }

    /// `self · factor`, where 256 bits hold it.
    fn times(self, factor: u128) -> Option<Self> {
        let low = Self::product(self.low, factor);
        let high = Self::product(self.high, factor);
        if high.high != 0 {
            return None;
        }
        Some(Self { high: high.low.checked_add(low.high)?, low: low.low })
    }

    /// Quotient and remainder; `divisor` is not zero and below 2^127.
    fn divided(self, divisor: u128) -> (Self, u128) {
        if self.high == 0 {
            return (Self::from(self.low / divisor), self.low % divisor);
        }
        let high = self.high / divisor;
        let mut remainder = self.high % divisor;
        let mut low = 0u128;
        for bit in (0..128).rev() {
            // INVARIANT: remainder < divisor < 2^127, so the shift loses nothing.
            remainder = (remainder << 1) | ((self.low >> bit) & 1);
            low <<= 1;
            if remainder >= divisor {
                remainder -= divisor;
                low |= 1;
            }
        }
        (Self { high, low }, remainder)
    }

    /// `self / divisor` to the next whole number as `rounding` says; `divisor` is below 2^127.
    fn rounded_quotient(self, divisor: u128, rounding: Rounding) -> Option<Self> {
        let (quotient, remainder) = self.divided(divisor);
        let up = match rounding {
            Rounding::Down => false,
            Rounding::Up => remainder != 0,
            Rounding::HalfEven => match remainder.cmp(&(divisor - remainder)) {
                Ordering::Less => false,
                Ordering::Greater => true,
                Ordering::Equal => quotient.low & 1 == 1,
            },
        };
        if !up {
            return Some(quotient);
        }
        match quotient.low.checked_add(1) {
            Some(low) => Some(Self { low, ..quotient }),
            None => Some(Self { high: quotient.high.checked_add(1)?, low: 0 }),
        }
    }
}

impl Signed {
    pub(super) fn product(left: i128, right: i128) -> Self {
        let magnitude = Wide::product(left.unsigned_abs(), right.unsigned_abs());
        Self { negative: (left < 0) != (right < 0), magnitude }
    }

    /// The exact value `self · 10^-scale`, after taking out trailing zeros.
    pub(super) fn reduced(self, mut scale: u32) -> Result<Decimal, DecimalError> {
        let mut magnitude = self.magnitude;
        if magnitude == Wide::from(0) {
            return Ok(Decimal::ZERO);
        }
        let fits = |magnitude: Wide, scale| magnitude.high == 0 && scale <= u32::from(Decimal::MAX_SCALE);
        while scale > 0 && !fits(magnitude, scale) {
            let (quotient, remainder) = magnitude.divided(10);
            if remainder != 0 {
                return Err(DecimalError::Overflow);
            }
            magnitude = quotient;
            scale -= 1;
        }
        self.decimal(magnitude, scale)
    }

    /// `self · 10^-scale` rounded to `wanted` digits.
    pub(super) fn rescaled(
        self,
        scale: u32,
        wanted: u8,
        rounding: Rounding,
    ) -> Result<Decimal, DecimalError> {
        if scale <= u32::from(wanted) {
            return self.reduced(scale);
        }
        let mut excess = scale - u32::from(wanted);
        let mut magnitude = self.magnitude;
        // More than 38 digits go: the first ones only matter for being zero or not.
        let mut sticky = false;
        while excess > u32::from(Decimal::MAX_SCALE) {
            let (quotient, remainder) = magnitude.divided(10);
            sticky |= remainder != 0;
            magnitude = quotient;
            excess -= 1;
        }
        let divisor = power_of_ten(excess).ok_or(DecimalError::Overflow)?.unsigned_abs();
        let magnitude = if sticky {
            // INVARIANT: a lost non-zero digit below the divisor breaks ties upwards and is never zero.
            magnitude.times(10).and_then(|wide| wide.plus_one()).map(|wide| (wide, divisor.checked_mul(10)))
        } else {
            Some((magnitude, Some(divisor)))
        };
        let (magnitude, divisor) = magnitude.ok_or(DecimalError::Overflow)?;
        let divisor = divisor.filter(|divisor| *divisor >> 127 == 0).ok_or(DecimalError::Overflow)?;
        let quotient = magnitude.rounded_quotient(divisor, rounding).ok_or(DecimalError::Overflow)?;
        self.decimal(quotient, u32::from(wanted))
    }

    fn decimal(&self, magnitude: Wide, scale: u32) -> Result<Decimal, DecimalError> {
        let scale = u8::try_from(scale).map_err(|_| DecimalError::Overflow)?;
        if magnitude.high != 0 {
            return Err(DecimalError::Overflow);
        }
        let mantissa = i128::try_from(magnitude.low).map_err(|_| DecimalError::Overflow)?;
        Decimal::new(if self.negative { -mantissa } else { mantissa }, scale)
    }
}

impl Wide {
    fn plus_one(self) -> Option<Self> {
        match self.low.checked_add(1) {
            Some(low) => Some(Self { low, ..self }),
            None => Some(Self { high: self.high.checked_add(1)?, low: 0 }),
        }
    }
}

/// `(mantissa, scale) / (mantissa, scale)` rounded to `wanted` digits; the divisor is not zero.
pub(super) fn divide(
    left: (i128, u8),
    right: (i128, u8),
    wanted: u8,
    rounding: Rounding,
) -> Result<Decimal, DecimalError> {
    if wanted > Decimal::MAX_SCALE {
        return Err(DecimalError::Overflow);
    }
    let divisor = right.0.unsigned_abs();
    // quotient · 10^-wanted = left / right · 10^(right.scale - left.scale)
    let shift = i32::from(wanted) + i32::from(right.1) - i32::from(left.1);
    let mut magnitude = Wide::from(left.0.unsigned_abs());
    let mut divisor_power = 0u32;
    if shift >= 0 {
        magnitude = times_power(magnitude, shift.unsigned_abs()).ok_or(DecimalError::Overflow)?;
    } else {
        divisor_power = shift.unsigned_abs();
    }
    let divisor = power_of_ten(divisor_power)
        .and_then(|factor| divisor.checked_mul(factor.unsigned_abs()))
        .filter(|divisor| *divisor >> 127 == 0)
        .ok_or(DecimalError::Overflow)?;
    let quotient = magnitude.rounded_quotient(divisor, rounding).ok_or(DecimalError::Overflow)?;
    let negative = (left.0 < 0) != (right.0 < 0);
    Signed { negative, magnitude: quotient }.decimal(quotient, u32::from(wanted))
}

fn times_power(mut wide: Wide, mut exponent: u32) -> Option<Wide> {
    while exponent > 0 {
        let step = exponent.min(u32::from(Decimal::MAX_SCALE));
        wide = wide.times(power_of_ten(step)?.unsigned_abs())?;
        exponent -= step;
    }
    Some(wide)
}

/// Orders two decimals whose common scale overflows an `i128`.
pub(super) fn compare(left: (i128, u8), right: (i128, u8)) -> Ordering {
    let sign = left.0.signum().cmp(&right.0.signum());
    if sign != Ordering::Equal {
        return sign;
    }
    let scale = left.1.max(right.1);
    let widened = |value: (i128, u8)| {
        // INVARIANT: 128 + 127 bits fit 256, so the product always exists.
        times_power(Wide::from(value.0.unsigned_abs()), u32::from(scale - value.1))
            .unwrap_or(Wide { high: u128::MAX, low: u128::MAX })
    };
    let magnitude = widened(left).cmp(&widened(right));
    if left.0 < 0 { magnitude.reverse() } else { magnitude }
}
