//! Padmé buckets ("Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019, §4).
//!
//! A length keeps only as many significant bits as its magnitude has bits, so that an observer learns
//! O(log log L) bits of it at a cost of at most 12 %.

/// No plaintext is shorter: below this, buckets would be too fine to hide anything.
pub const MIN_BYTES: usize = 512;

/// The bucket that `length` bytes are padded to; never less than `length` (saturating at the largest number).
pub const fn padded(length: usize) -> usize {
    if length <= MIN_BYTES {
        return MIN_BYTES;
    }
    // E = floor(log2 L); S = floor(log2 E) + 1 bits of the mantissa are kept; the rest is rounded up.
    let exponent = length.ilog2();
    let kept = exponent.ilog2().saturating_add(1);
    let dropped = exponent.saturating_sub(kept);
    let mask = match 1usize.checked_shl(dropped) {
        Some(bit) => bit.saturating_sub(1),
        None => 0,
    };
    length.saturating_add(mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_short_plaintext_has_one_length() {
        for length in 0..=MIN_BYTES {
            assert_eq!(padded(length), MIN_BYTES);
        }
        assert!(padded(MIN_BYTES + 1) > MIN_BYTES);
    }

    proptest! {
        #[test]
        fn a_bucket_holds_the_plaintext_and_costs_at_most_an_eighth(length in MIN_BYTES..1usize << 40) {
            let bucket = padded(length);
            prop_assert!(bucket >= length);
            prop_assert!(bucket - length <= length / 8, "{length} → {bucket}");
            prop_assert_eq!(padded(bucket), bucket, "a bucket is its own bucket");
        }

        #[test]
        fn longer_plaintexts_never_get_smaller_buckets(a in 0usize..1 << 30, b in 0usize..1 << 30) {
            prop_assert!(padded(a.min(b)) <= padded(a.max(b)));
        }
    }
}
