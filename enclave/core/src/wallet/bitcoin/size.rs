//! What parts of a transaction weigh, before it is signed (BIP 141), and what is too little to be worth an output.

use super::account::Kind;
use super::transaction::MAX_MONEY;

/// Satoshis for a thousand virtual bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeeRate(u64);

/// Version, marker, flag, lock time, and how many inputs and outputs there are: fewer than 253 of each.
pub(super) const FRAME_WEIGHT: u64 = 4 * (4 + 1 + 1 + 4) + 2;

/// Weight units of a thousand virtual bytes.
const WEIGHT: u64 = 4000;

/// Satoshis for a thousand bytes, at which nodes reckon whether an output is worth its own spending.
const DUST_RATE: u64 = 3000;

impl FeeRate {
    /// Satoshis for a thousand virtual bytes: at least what any node passes on, at most what was never paid.
    pub fn new(per_thousand: u64) -> Option<FeeRate> {
        (100..=10_000_000).contains(&per_thousand).then_some(FeeRate(per_thousand))
    }

    pub fn per_thousand(self) -> u64 {
        self.0
    }

    /// The fee for a weight, of which nodes count whole virtual bytes; rounded up.
    pub fn fee(self, weight: u64) -> u64 {
        weight.div_ceil(4).saturating_mul(self.0).div_ceil(1000).min(MAX_MONEY)
    }

    /// Four thousand times the fee for a weight, without rounding: beside satoshis that are [`scaled`].
    pub(super) fn scaled_fee(self, weight: u64) -> i128 {
        i128::from(weight) * i128::from(self.0)
    }
}

/// The most by which rounding makes a fee larger: three units of weight, and a satoshi.
pub(super) fn scaled_rounding(rate: FeeRate) -> i128 {
    rate.scaled_fee(3) + scaled(1)
}

pub(super) fn scaled(satoshis: u64) -> i128 {
    i128::from(satoshis) * i128::from(WEIGHT)
}

/// An input with its witness. A signature of P2WPKH has 71 or 72 bytes with its type; the longer is reckoned with.
pub(super) fn input_weight(kind: Kind) -> u64 {
    let witness = match kind {
        Kind::Segwit => 1 + (1 + 72) + (1 + 33),
        Kind::Taproot => 1 + (1 + 64),
    };
    4 * (36 + 1 + 4) + witness
}

/// An output with a script that is shorter than 253 bytes.
pub(super) fn output_weight(script: &[u8]) -> u64 {
    4 * (8 + 1 + script.len() as u64)
}

/// The least that nodes pass on in an output: less than that costs more to spend than it is.
pub fn dust(script: &[u8]) -> u64 {
    let is_witness =
        matches!(script, [0x00 | 0x51..=0x60, length, program @ ..] if usize::from(*length) == program.len());
    let spending = if is_witness { 32 + 4 + 1 + 107 / 4 + 4 } else { 32 + 4 + 1 + 107 + 4 };
    (8 + 1 + script.len() as u64 + spending) * DUST_RATE / 1000
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn dust_is_what_nodes_say_it_is() {
        // P2WPKH, P2TR, P2WSH, P2PKH, P2SH: the figures of the node's own documentation.
        for (head, length, least) in [
            ([0x00, 20].as_slice(), 22, 294),
            (&[0x51, 32], 34, 330),
            (&[0x00, 32], 34, 330),
            (&[0x76, 0xa9, 20], 25, 546),
            (&[0xa9, 20], 23, 540),
        ] {
            let mut script = head.to_vec();
            script.resize(length, 0);
            assert_eq!(dust(&script), least);
        }
    }

    #[test]
    fn a_fee_is_rounded_up_and_a_senseless_rate_is_none() {
        let rate = FeeRate::new(1001).unwrap();
        assert_eq!((rate.fee(1), rate.fee(4), rate.fee(5), rate.fee(4000), rate.fee(0)), (2, 2, 3, 1001, 0));
        for senseless in [0, 99, 10_000_001, u64::MAX] {
            assert_eq!(FeeRate::new(senseless), None);
        }
        assert_eq!(FeeRate::new(10_000_000).unwrap().fee(u64::MAX), MAX_MONEY);
    }
}
