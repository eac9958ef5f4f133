//! Whether 32 bytes are a point of edwards25519, as Ed25519 writes them (RFC 8032 §5.1.3). Of public bytes only: the
//! time tells which.
//!
//! A point has `x² = (y² - 1) / (d y² + 1)`, so there is one exactly if `(y² - 1)(d y² + 1)` is a square or zero.
//! As every implementation that Solana's nodes use, a `y` of `p` or more is taken modulo `p`.

/// A number modulo `p = 2^255 - 19`, in four digits of 64 bits, the least first; below 2^256.
#[derive(Clone, Copy)]
struct Number([u64; 4]);

const ONE: Number = Number([1, 0, 0, 0]);
const P: [u64; 4] = [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff];

/// `-121665 / 121666`.
const D: Number =
    Number([0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73]);

pub(super) fn is_point(bytes: &[u8; 32]) -> bool {
    let mut digits = [0; 4];
    for (to, from) in digits.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *to = u64::from_le_bytes(*from);
    }
    // The last bit says which of the two x it is.
    digits[3] &= u64::MAX >> 1;
    let y = Number(digits);
    let square = y.times(y);
    let (numerator, denominator) = (square.minus_one(), square.times(D).plus(ONE));
    numerator.times(denominator).is_square_or_zero()
}

impl Number {
    fn plus(self, other: Number) -> Number {
        let mut sum = [0; 4];
        let mut carry = 0;
        for ((to, a), b) in sum.iter_mut().zip(self.0).zip(other.0) {
            (*to, carry) = split(u128::from(a) + u128::from(b) + u128::from(carry));
        }
        Number(sum).fold(carry)
    }

    /// Adds `p - 1`.
    fn minus_one(self) -> Number {
        let [low, rest @ ..] = P;
        let [a, b, c] = rest;
        self.plus(Number([low - 1, a, b, c]))
    }

    fn times(self, other: Number) -> Number {
        let mut product = [0; 8];
        for (at, a) in self.0.into_iter().enumerate() {
            let mut carry = 0;
            let mut places = product.iter_mut().skip(at);
            // The digits come first: what `zip` takes when they are over would be lost.
            for (b, to) in other.0.into_iter().zip(places.by_ref()) {
                (*to, carry) = split(u128::from(a) * u128::from(b) + u128::from(*to) + u128::from(carry));
            }
            if let Some(to) = places.next() {
                *to = carry;
            }
        }
        let [a, b, c, d, e, f, g, h] = product;
        // 2^256 is 38 modulo p.
        let mut folded = [a, b, c, d];
        let mut carry = 0;
        for (to, high) in folded.iter_mut().zip([e, f, g, h]) {
            (*to, carry) = split(u128::from(high) * 38 + u128::from(*to) + u128::from(carry));
        }
        Number(folded).fold(carry)
    }

    /// Adds `38 · high`, for a number of `2^256 · high` more.
    fn fold(self, high: u64) -> Number {
        let mut folded = self.0;
        let mut carry = u128::from(high) * 38;
        for digit in &mut folded {
            let (low, rest) = split(u128::from(*digit) + carry);
            (*digit, carry) = (low, u128::from(rest));
        }
        if carry == 0 { Number(folded) } else { Number(folded).fold(1) }
    }

    /// Euler: the power of `(p - 1) / 2` is 1 for a square and 0 for zero.
    fn is_square_or_zero(self) -> bool {
        // `n` ones in binary, put together; the exponent, 2^254 - 10, is 250 ones and 0110.
        let ones_2 = self.squared(1).times(self);
        let ones_5 = ones_2.squared(2).times(ones_2).squared(1).times(self);
        let ones_10 = ones_5.squared(5).times(ones_5);
        let ones_20 = ones_10.squared(10).times(ones_10);
        let ones_50 = ones_20.squared(20).times(ones_20).squared(10).times(ones_10);
        let ones_100 = ones_50.squared(50).times(ones_50);
        let ones_250 = ones_100.squared(100).times(ones_100).squared(50).times(ones_50);
        let value = ones_250.squared(4).times(ones_2.squared(1)).reduced();
        value == [0; 4] || value == ONE.0
    }

    /// Squared so many times.
    fn squared(self, times: u32) -> Number {
        (0..times).fold(self, |number, _| number.times(number))
    }

    /// The one representative below `p`.
    fn reduced(self) -> [u64; 4] {
        let mut value = self.0;
        while let Some(less) = minus_p(&value) {
            value = less;
        }
        value
    }
}

/// `value - p`, unless it is below zero.
fn minus_p(value: &[u64; 4]) -> Option<[u64; 4]> {
    let mut difference = [0; 4];
    let mut borrow = false;
    for ((to, a), b) in difference.iter_mut().zip(value).zip(P) {
        let (first, under) = a.overflowing_sub(b);
        let (digit, again) = first.overflowing_sub(u64::from(borrow));
        (*to, borrow) = (digit, under || again);
    }
    (!borrow).then_some(difference)
}

/// The low and the high 64 bits.
fn split(wide: u128) -> (u64, u64) {
    let low = u64::try_from(wide & u128::from(u64::MAX)).unwrap_or_default();
    let high = u64::try_from(wide >> 64).unwrap_or_default();
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_public_key_is_a_point(seed: [u8; 32]) {
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed);
            let Ok(pair) = pair else { return Ok(()) };
            let mut bytes = [0; 32];
            bytes.copy_from_slice(pair.public_key().as_ref());
            prop_assert!(is_point(&bytes));
        }

        #[test]
        fn products_are_those_of_small_numbers(a: u64, b: u64) {
            let wide = u128::from(a) * u128::from(b);
            let (low, high) = split(wide);
            prop_assert_eq!(Number([a, 0, 0, 0]).times(Number([b, 0, 0, 0])).reduced(), [low, high, 0, 0]);
        }
    }
}
