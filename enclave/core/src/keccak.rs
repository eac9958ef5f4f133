//! Keccak-256, the hash of Ethereum: the sponge that became SHA-3 (FIPS 202) with the padding from before it did.
//!
//! aws-lc-rs offers SHA-3 only, whose domain bits differ. The permutation is the same, so the tests hold this one to
//! aws-lc-rs' SHA3-256. Hash no secrets with it: what passes through is not erased.

/// Bytes absorbed for each permutation: 1600 bits of state less twice 256 of capacity.
const RATE: usize = 136;

/// The padding's first byte. FIPS 202 §6.1 puts the bits `01` before it; the original puts none.
const KECCAK: u8 = 0x01;

/// The Keccak-256 digest of `bytes`.
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    digest(bytes, KECCAK)
}

fn digest(bytes: &[u8], padding: u8) -> [u8; 32] {
    let mut state = [0; 25];
    let (blocks, rest) = bytes.as_chunks::<RATE>();
    for block in blocks {
        absorb(&mut state, block);
    }
    absorb(&mut state, &padded(rest, padding));
    let mut output = [0; 32];
    for (to, lane) in output.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *to = lane.to_le_bytes();
    }
    output
}

/// The last block: what is left, then the padding `padding 00 … 80` (one byte holds both ends if only one is free).
fn padded(rest: &[u8], padding: u8) -> [u8; RATE] {
    let mut block = [0; RATE];
    for (to, from) in block.iter_mut().zip(rest.iter().chain([&padding])) {
        *to = *from;
    }
    block[RATE - 1] |= 0x80;
    block
}

fn absorb(state: &mut [u64; 25], block: &[u8; RATE]) {
    for (lane, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *lane ^= u64::from_le_bytes(*bytes);
    }
    permute(state);
}

/// Keccak-f[1600] (FIPS 202 §3). The lane at (x, y) is `state[x + 5 y]`.
#[expect(
    clippy::indexing_slicing,
    reason = "every index is below 25, or 5, by the loop's bounds and by the tables"
)]
fn permute(state: &mut [u64; 25]) {
    for constant in ROUND_CONSTANTS {
        // θ
        let mut parity = [0; 5];
        for x in 0..5 {
            parity[x] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20];
        }
        for x in 0..5 {
            let change = parity[(x + 4) % 5] ^ parity[(x + 1) % 5].rotate_left(1);
            for y in 0..5 {
                state[x + 5 * y] ^= change;
            }
        }
        // ρ and π
        let mut moved = state[1];
        for (target, rotation) in PI.into_iter().zip(RHO) {
            moved = core::mem::replace(&mut state[target], moved.rotate_left(rotation));
        }
        // χ
        for y in 0..5 {
            let row: [u64; 5] = core::array::from_fn(|x| state[5 * y + x]);
            for x in 0..5 {
                state[5 * y + x] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
            }
        }
        // ι
        state[0] ^= constant;
    }
}

/// The lanes in the order in which π moves them, from lane 1 on.
const PI: [usize; 24] =
    [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];

/// How far ρ rotates what moves into each of them: the triangular numbers modulo 64.
const RHO: [u32; 24] =
    [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];

const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest::SHA3_256;
    use proptest::prelude::*;

    /// The padding's first byte with the domain bits of SHA-3.
    const SHA3: u8 = 0x06;

    proptest! {
        #[test]
        fn with_the_padding_of_sha3_it_is_sha3(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let expected = aws_lc_rs::digest::digest(&SHA3_256, &bytes);
            prop_assert_eq!(&digest(&bytes, SHA3)[..], expected.as_ref());
        }
    }

    #[test]
    fn around_a_full_block_the_padding_is_right() {
        for length in [0, 1, RATE - 2, RATE - 1, RATE, RATE + 1, 2 * RATE - 1, 2 * RATE] {
            let bytes = vec![0xa5; length];
            let expected = aws_lc_rs::digest::digest(&SHA3_256, &bytes);
            assert_eq!(&digest(&bytes, SHA3)[..], expected.as_ref(), "{length} bytes");
        }
    }

    #[test]
    fn known_answers_are_met() {
        let vectors = crate::wallet::vectors::read(include_str!("../../../vectors/wallet/secp256k1.json"));
        for case in vectors.list("keccak256") {
            assert_eq!(keccak256(&case.bytes("input")).to_vec(), case.bytes("digest"));
        }
    }
}
