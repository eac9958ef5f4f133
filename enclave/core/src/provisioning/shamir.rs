//! Shamir's secret sharing (Communications of the ACM 22, 1979) of 32 bytes, each byte for itself over GF(2^8).
//!
//! Share `x` (from 1) of a secret `s` is, byte by byte, `f(x)` of a random polynomial of degree `threshold − 1` with
//! `f(0) = s`. Fewer shares than the threshold say nothing at all of the secret. Only the numbers are public; what is
//! computed with secret bytes takes the same steps whatever they are.

use super::field::{invert, multiply};
use crate::entropy::{Entropy, NoEntropy};
use crate::secret::Secret;
use zeroize::Zeroizing;

const BYTES: usize = 32;

/// Why a secret was not put together. Nothing was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotCombined {
    /// No share at all.
    None,
    /// Number 0 would be the secret itself.
    Zero,
    /// A number twice: then there are fewer shares than it seems.
    Twice,
}

/// Shares 1 to `count`, of which any `threshold` yield the secret. A threshold of 0 counts as 1.
pub(super) fn split(
    secret: &Secret<BYTES>,
    threshold: u8,
    count: u8,
    entropy: &mut dyn Entropy,
) -> Result<Vec<Secret<BYTES>>, NoEntropy> {
    let random: Vec<Secret<BYTES>> =
        (1..threshold).map(|_| Secret::make(entropy)).collect::<Result<_, _>>()?;
    Ok((1..=count).map(|x| evaluate(secret, &random, x)).collect())
}

/// `f(x)` by Horner's rule, `random` being the coefficients of x, x², …
fn evaluate(secret: &Secret<BYTES>, random: &[Secret<BYTES>], x: u8) -> Secret<BYTES> {
    let mut value = Zeroizing::new([0; BYTES]);
    for coefficient in random.iter().rev().chain([secret]) {
        for (byte, add) in value.iter_mut().zip(coefficient.expose()) {
            *byte = multiply(*byte, x) ^ add;
        }
    }
    Secret::copied(&value)
}

/// What these shares yield by interpolation at 0: the secret, if they are as many as its threshold and all right.
/// Nothing tells here whether they are: the caller compares commitments.
pub(super) fn combine(shares: &[(u8, &Secret<BYTES>)]) -> Result<Secret<BYTES>, NotCombined> {
    if shares.is_empty() {
        return Err(NotCombined::None);
    }
    if shares.iter().any(|(x, _)| *x == 0) {
        return Err(NotCombined::Zero);
    }
    let twice = |at: usize, x: u8| shares.iter().skip(at + 1).any(|(other, _)| *other == x);
    if shares.iter().enumerate().any(|(at, (x, _))| twice(at, *x)) {
        return Err(NotCombined::Twice);
    }
    let mut secret = Zeroizing::new([0; BYTES]);
    for (x, share) in shares {
        let weight = weight(*x, shares.iter().map(|(other, _)| *other));
        for (byte, part) in secret.iter_mut().zip(share.expose()) {
            *byte ^= multiply(*part, weight);
        }
    }
    Ok(Secret::copied(&secret))
}

/// Lagrange's basis polynomial of `x` at 0: the product of `other / (other − x)`. Of public numbers only.
fn weight(x: u8, all: impl Iterator<Item = u8>) -> u8 {
    all.filter(|other| *other != x)
        .fold(1, |product, other| multiply(product, multiply(other, invert(other ^ x))))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    /// Draws what it is given, then nothing.
    struct Given(Vec<u8>);

    impl Entropy for Given {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
            if self.0.len() < out.len() {
                return Err(NoEntropy);
            }
            out.copy_from_slice(&self.0.drain(..out.len()).collect::<Vec<u8>>());
            Ok(())
        }
    }

    fn bytes(value: &Value) -> Vec<u8> {
        let text = value.as_str().unwrap();
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    fn secret(value: &Value) -> Secret<BYTES> {
        Secret::copied(&bytes(value).try_into().unwrap())
    }

    fn numbered(shares: &[Secret<BYTES>]) -> Vec<(u8, &Secret<BYTES>)> {
        (1u8..).zip(shares).collect()
    }

    #[test]
    fn shares_and_secrets_are_those_of_the_independent_script() {
        let file: Value =
            serde_json::from_str(include_str!("../../../../vectors/provisioning.json")).unwrap();
        let cases = file["shamir"].as_array().unwrap();
        assert!(cases.len() >= 8);
        for case in cases {
            let threshold = u8::try_from(case["threshold"].as_u64().unwrap()).unwrap();
            let expected: Vec<Secret<BYTES>> =
                case["shares"].as_array().unwrap().iter().map(secret).collect();
            let count = u8::try_from(expected.len()).unwrap();
            let given = &mut Given(bytes(&case["coefficients"]));
            let made = split(&secret(&case["secret"]), threshold, count, given).unwrap();
            assert!(given.0.is_empty(), "every coefficient was used");
            for (made, expected) in made.iter().zip(&expected) {
                assert_eq!(made.expose(), expected.expose());
            }
            let last: Vec<_> = numbered(&expected).into_iter().rev().take(usize::from(threshold)).collect();
            assert_eq!(combine(&last).unwrap().expose(), secret(&case["secret"]).expose());
        }
        for case in file["combined"].as_array().unwrap() {
            let shares: Vec<(u8, Secret<BYTES>)> = case["shares"]
                .as_array()
                .unwrap()
                .iter()
                .map(|share| (u8::try_from(share[0].as_u64().unwrap()).unwrap(), secret(&share[1])))
                .collect();
            let shares: Vec<(u8, &Secret<BYTES>)> = shares.iter().map(|(x, share)| (*x, share)).collect();
            assert_eq!(combine(&shares).unwrap().expose(), secret(&case["yields"]).expose());
        }
    }

    #[test]
    fn what_is_no_set_of_shares_is_refused() {
        let share = Secret::copied(&[7; 32]);
        assert_eq!(combine(&[]).unwrap_err(), NotCombined::None);
        assert_eq!(combine(&[(0, &share)]).unwrap_err(), NotCombined::Zero);
        assert_eq!(combine(&[(1, &share), (0, &share)]).unwrap_err(), NotCombined::Zero);
        assert_eq!(combine(&[(3, &share), (2, &share), (3, &share)]).unwrap_err(), NotCombined::Twice);
    }

    #[test]
    fn without_entropy_nothing_is_split() {
        let secret = Secret::copied(&[7; 32]);
        assert!(split(&secret, 3, 5, &mut Given(vec![1; 63])).is_err());
        assert!(split(&secret, 3, 5, &mut Given(vec![1; 64])).is_ok());
    }

    proptest! {
        /// Any set of as many shares as the threshold yields the secret, and one share fewer does not; in any order.
        #[test]
        fn enough_shares_yield_the_secret_and_fewer_do_not(
            bytes: [u8; 32],
            count in 1u8..=16,
            asked: u8,
            random in prop::collection::vec(any::<u8>(), 15 * 32),
            order in Just((1u8..=16).collect::<Vec<u8>>()).prop_shuffle(),
        ) {
            let threshold = asked % count + 1;
            let secret = Secret::copied(&bytes);
            let shares = split(&secret, threshold, count, &mut Given(random)).unwrap();
            let chosen: Vec<(u8, &Secret<BYTES>)> = order.into_iter().filter(|x| *x <= count)
                .map(|x| (x, &shares[usize::from(x) - 1])).take(usize::from(threshold)).collect();
            let whole = combine(&chosen).unwrap();
            prop_assert_eq!(whole.expose(), &bytes);
            if threshold > 1 {
                // Equal by chance once in 2^256.
                let too_few = combine(&chosen[1..]).unwrap();
                prop_assert_ne!(too_few.expose(), &bytes);
            }
        }
    }
}
