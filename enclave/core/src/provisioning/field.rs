//! The field GF(2^8) of AES (FIPS 197 §4), without a table and without a branch on what may be secret.

/// The low byte of x^8 + x^4 + x^3 + x + 1.
const POLYNOMIAL: u8 = 0x1b;

/// The product. The same work for all values: eight conditional additions by masks.
pub(super) fn multiply(a: u8, b: u8) -> u8 {
    let (mut product, mut shifted) = (0, a);
    for bit in 0..8 {
        product ^= shifted & mask(b >> bit);
        shifted = (shifted << 1) ^ (POLYNOMIAL & mask(shifted >> 7));
    }
    product
}

/// The inverse, a^254 (Fermat); of 0, which has none, 0.
pub(super) fn invert(a: u8) -> u8 {
    // a^2 · a^4 · … · a^128, and 2 + 4 + … + 128 = 254.
    let (mut power, mut inverse) = (a, 1);
    for _ in 0..7 {
        power = multiply(power, power);
        inverse = multiply(inverse, power);
    }
    inverse
}

/// All ones if the lowest bit is set, else all zeros. `black_box` keeps the compiler from making a branch of it.
fn mask(bits: u8) -> u8 {
    core::hint::black_box(0u8.wrapping_sub(bits & 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another way to the same product: polynomials over GF(2) multiplied whole, then reduced.
    fn long_way(a: u8, b: u8) -> u8 {
        let mut product =
            (0..8).filter(|bit| b >> bit & 1 == 1).fold(0u16, |sum, bit| sum ^ u16::from(a) << bit);
        for bit in (8..15).rev() {
            if product >> bit & 1 == 1 {
                product ^= 0x11b << (bit - 8);
            }
        }
        product as u8
    }

    #[test]
    fn every_product_is_that_of_long_multiplication() {
        for a in 0..=u8::MAX {
            for b in 0..=u8::MAX {
                assert_eq!(multiply(a, b), long_way(a, b), "{a:#04x} · {b:#04x}");
            }
        }
        assert_eq!(multiply(0x57, 0x83), 0xc1, "FIPS 197 §4.2");
    }

    #[test]
    fn every_element_but_zero_has_its_inverse() {
        assert_eq!(invert(0), 0);
        for a in 1..=u8::MAX {
            assert_eq!(multiply(a, invert(a)), 1);
        }
    }
}
