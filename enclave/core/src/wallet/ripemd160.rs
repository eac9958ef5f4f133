//! RIPEMD-160, which Bitcoin names public keys and scripts by, over SHA-256. The library that is trusted here has no
//! RIPEMD, and the hash is small.

use crate::hash::sha256;

/// `RIPEMD-160(SHA-256(bytes))`.
pub(crate) fn hash160(bytes: &[u8]) -> [u8; 20] {
    ripemd160(&sha256(bytes))
}

fn ripemd160(bytes: &[u8]) -> [u8; 20] {
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(64) + if padded.len() % 64 > 56 { 64 } else { 0 } - 8, 0);
    padded.extend_from_slice(&(bytes.len() as u64 * 8).to_le_bytes());
    for block in padded.as_chunks::<64>().0 {
        compress(&mut state, block);
    }
    let mut digest = [0; 20];
    for (to, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *to = word.to_le_bytes();
    }
    digest
}

/// Two lines of five times sixteen steps each, side by side, joined at the end.
fn compress(state: &mut [u32; 5], block: &[u8; 64]) {
    let mut words = [0; 16];
    for (to, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *to = u32::from_le_bytes(*bytes);
    }
    let left = line(*state, &words, &LEFT, [0, 1, 2, 3, 4]);
    let right = line(*state, &words, &RIGHT, [4, 3, 2, 1, 0]);
    let [s0, s1, s2, s3, s4] = *state;
    let [l0, l1, l2, l3, l4] = left;
    let [r0, r1, r2, r3, r4] = right;
    let sum = |a: u32, b: u32, c: u32| a.wrapping_add(b).wrapping_add(c);
    *state = [sum(s1, l2, r3), sum(s2, l3, r4), sum(s3, l4, r0), sum(s4, l0, r1), sum(s0, l1, r2)];
}

/// A line's order of words, its rotations, and the constant of each round.
struct Line {
    words: [[usize; 16]; 5],
    rotations: [[u32; 16]; 5],
    constants: [u32; 5],
}

fn line(state: [u32; 5], words: &[u32; 16], line: &Line, functions: [u8; 5]) -> [u32; 5] {
    let [mut a, mut b, mut c, mut d, mut e] = state;
    let rounds = line.words.iter().zip(&line.rotations).zip(line.constants).zip(functions);
    for (((order, rotations), constant), function) in rounds {
        for (word, rotation) in order.iter().zip(rotations) {
            let mixed = match function {
                0 => b ^ c ^ d,
                1 => (b & c) | (!b & d),
                2 => (b | !c) ^ d,
                3 => (b & d) | (c & !d),
                _ => b ^ (c | !d),
            };
            let word = words.get(*word).copied().unwrap_or_default();
            let sum = a.wrapping_add(mixed).wrapping_add(word).wrapping_add(constant);
            let next = sum.rotate_left(*rotation).wrapping_add(e);
            (a, b, c, d, e) = (e, next, b, c.rotate_left(10), d);
        }
    }
    [a, b, c, d, e]
}

const LEFT: Line = Line {
    words: [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8],
        [3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12],
        [1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2],
        [4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13],
    ],
    rotations: [
        [11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8],
        [7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12],
        [11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5],
        [11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12],
        [9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6],
    ],
    constants: [0, 0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xa953_fd4e],
};

const RIGHT: Line = Line {
    words: [
        [5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12],
        [6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2],
        [15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13],
        [8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14],
        [12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11],
    ],
    rotations: [
        [8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6],
        [9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11],
        [9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5],
        [15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8],
        [8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11],
    ],
    constants: [0x50a2_8be6, 0x5c4d_d124, 0x6d70_3ef3, 0x7a6d_76e9, 0],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::hex;

    /// From the designers' page.
    #[test]
    fn published_digests_are_met() {
        let digits = "1234567890".repeat(8);
        for (text, digest) in [
            ("", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
            ("abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
            ("message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "12a053384a9c0c88e405a06c27dcf49ada62eb2b",
            ),
            (&digits, "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
        ] {
            assert_eq!(hex::encode(&ripemd160(text.as_bytes())), digest, "{text}");
        }
    }
}
