//! A quick hash for short texts in tables that live for one answer.
//!
//! The texts come from providers, so the seed is random for each process: nobody can prepare texts that collide.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// A place of the table that holds no item.
const EMPTY: u32 = u32::MAX;

/// For each item, the index of the first one with an equal key: its own where there is none before it.
///
/// A table of four bytes a place, at most half full, which costs less than a map that holds the keys.
pub fn firsts<'i, T, K: Hash + Eq>(items: &'i [T], key: impl Fn(&'i T) -> K) -> Vec<u32> {
    let mut table = vec![EMPTY; (items.len() * 2).next_power_of_two()];
    let mask = table.len() - 1;
    let seed = Seeded::default();
    let place = |(index, item): (usize, &'i T)| {
        let wanted = key(item);
        let mut at = seed.hash_one(&wanted) as usize & mask;
        while let Some(place) = table.get_mut(at) {
            if *place == EMPTY {
                *place = index as u32;
                break;
            }
            if items.get(*place as usize).is_some_and(|known| key(known) == wanted) {
                return *place;
            }
            at = (at + 1) & mask;
        }
        index as u32
    };
    items.iter().enumerate().map(place).collect()
}

/// Whether every item is the first one with its key.
pub fn are_distinct<'i, T, K: Hash + Eq>(items: &'i [T], key: impl Fn(&'i T) -> K) -> bool {
    firsts(items, key).into_iter().zip(0..).all(|(first, index): (u32, u32)| first == index)
}

/// Builds [`Quick`] with the process's seed.
#[derive(Clone, Copy)]
pub struct Seeded(u64);

pub struct Quick(u64);

impl Default for Seeded {
    fn default() -> Self {
        static SEED: OnceLock<u64> = OnceLock::new();
        Self(*SEED.get_or_init(|| RandomState::new().hash_one(FACTOR)))
    }
}

impl BuildHasher for Seeded {
    type Hasher = Quick;
    fn build_hasher(&self) -> Quick {
        Quick(self.0)
    }
}

impl Quick {
    #[inline]
    fn mix(&mut self, word: u64) {
        // The full product folded: every bit of the word reaches every bit of the state.
        let product = u128::from(self.0 ^ word) * u128::from(FACTOR);
        self.0 = (product as u64) ^ ((product >> 64) as u64).rotate_left(23);
    }
}

impl Hasher for Quick {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        self.mix(short_word(rest) ^ (bytes.len() as u64) << 56);
    }

    #[inline]
    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Up to seven bytes as a word that no other bytes of that count make: where two overlap, both stand elsewhere too.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 24;
    }
    bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_lead_to_the_first() {
        let words = ["a", "b", "a", "", "c", "b", ""];
        assert_eq!(firsts(&words, |word| *word), [0, 1, 0, 3, 4, 1, 3]);
        assert!(firsts(&[] as &[&str], |word| *word).is_empty());
        let many: Vec<u32> = (0..10_000).collect();
        assert!(are_distinct(&many, |number| number.to_le_bytes()));
        assert!(!are_distinct(&many, |number| (number % 9_999).to_le_bytes()));
    }
}
