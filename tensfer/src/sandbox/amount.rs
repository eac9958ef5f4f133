//! Exact decimals for the sums that exchanges report: 18 places in an `i128`, no floats (m31).

use std::fmt;
use std::str::FromStr;

const PLACES: usize = 18;
const ONE: i128 = 10i128.pow(PLACES as u32);

/// A decimal with at most 18 places, held as a multiple of 10⁻¹⁸.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(i128);

impl Amount {
    pub const ZERO: Self = Self(0);

    /// `units` × 10^-`places`, for `places` ≤ 18.
    pub fn scaled(units: i128, places: u32) -> Self {
        Self(units * 10i128.pow(PLACES as u32 - places))
    }

    pub fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// Nothing where it would be less than nothing.
    pub fn minus(self, other: Self) -> Option<Self> {
        (self.0 >= other.0).then(|| Self(self.0 - other.0))
    }

    /// Rounded towards zero. The price is cut to 8 places first, so that amounts up to 10⁶ × prices up to 10⁵ fit; beyond that it saturates.
    pub fn times(self, price: Self) -> Self {
        const PRICE: i128 = 10i128.pow(10);
        Self(self.0.saturating_mul(price.0 / PRICE) / (ONE / PRICE))
    }

    /// Rounded towards zero; both operands are cut to 12 places so that the quotient fits.
    pub fn over(self, divisor: Self) -> Self {
        const CUT: i128 = 10i128.pow(6);
        Self((self.0 / CUT) * ONE / (divisor.0 / CUT))
    }

    /// Rounded towards zero to that many places.
    pub fn rounded(self, places: u32) -> Self {
        let step = 10i128.pow(PLACES as u32 - places);
        Self(self.0 / step * step)
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is not a decimal with at most {PLACES} places");
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || places.len() > PLACES || !digits(whole) || !digits(places) {
            return Err(refused());
        }
        let units: i128 = format!("{whole}{places:0<PLACES$}").parse().map_err(|_| refused())?;
        Ok(Self(units))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = format!("{:018}", self.0 % ONE);
        match places.trim_end_matches('0') {
            "" => write!(f, "{}", self.0 / ONE),
            places => write!(f, "{}.{places}", self.0 / ONE),
        }
    }
}

/// A decimal string as a JSON number, for the exchanges that answer in numbers; null when it is none.
///
/// Up to 15 digits survive the client's way through a float; seeded amounts in such places have fewer.
pub fn number(decimal: &str) -> serde_json::Value {
    serde_json::from_str(decimal).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_the_digits_that_the_decimal_has() {
        for text in ["0", "1800", "0.125", "199.999999"] {
            assert_eq!(number(text).to_string(), text);
        }
    }

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn decimals_survive_parsing_and_printing() {
        for text in ["0", "1", "0.1", "123456.789", "0.123456789012345678", "42000000"] {
            assert_eq!(amount(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_decimal_is_refused() {
        for text in ["", ".5", "-1", "1e3", "1.2.3", "0.1234567890123456789", "1_000"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    #[test]
    fn sums_products_and_quotients_are_exact_in_range() {
        assert_eq!(amount("0.1").plus(amount("0.2")), amount("0.3"));
        assert_eq!(amount("1000000").times(amount("64250.5")), amount("64250500000"));
        assert_eq!(amount("3").over(amount("4")), amount("0.75"));
        assert_eq!(amount("1.23456").rounded(2), amount("1.23"));
    }
}
