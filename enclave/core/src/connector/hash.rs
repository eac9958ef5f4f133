//! A quick hash for short texts in tables that live for one answer.
//!
//! The texts come from providers, so the seed is random for each process: nobody can prepare texts that collide.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::OnceLock;

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// A place of the table that holds no item.
const EMPTY: u32 = u32::MAX;

/// For each item, the index of the first one with an equal key: its own where there is none before it.
pub fn firsts<'i, T, K: Hash + Eq>(items: &'i [T], key: impl Fn(&'i T) -> K) -> Vec<u32> {
    let mut places = Places::for_items(items.len());
    items
        .iter()
        .zip(0..)
        .map(|(item, index)| places.first(index, &key(item), |at| items.get(at).map(&key)))
        .collect()
}

/// Whether every item is the first one with its key.
pub fn are_distinct<'i, T, K: Hash + Eq>(items: &'i [T], key: impl Fn(&'i T) -> K) -> bool {
    let mut places = Places::for_items(items.len());
    let mut items_at = items.iter().zip(0..);
    items_at.all(|(item, index)| places.first(index, &key(item), |at| items.get(at).map(&key)) == index)
}

/// The places of items that lie in a list, by their keys: four bytes each, at most half full, which costs less than a map
/// that holds the keys.
pub struct Places {
    table: Vec<u32>,
    seed: Seeded,
}

impl Places {
    pub fn for_items(count: usize) -> Self {
        Self { table: vec![EMPTY; (count * 2).next_power_of_two()], seed: Seeded::default() }
    }

    /// The first item with this key, which is the item `index` where there was none. `key_of` gives those of earlier items.
    pub fn first<K: Hash + Eq>(&mut self, index: u32, key: &K, key_of: impl Fn(usize) -> Option<K>) -> u32 {
        let at = self.find(key, key_of);
        match self.table.get_mut(at) {
            Some(place) if *place == EMPTY => {
                *place = index;
                index
            }
            Some(place) => *place,
            None => index,
        }
    }

    /// The item with this key.
    pub fn known<K: Hash + Eq>(&self, key: &K, key_of: impl Fn(usize) -> Option<K>) -> Option<u32> {
        self.table.get(self.find(key, key_of)).copied().filter(|place| *place != EMPTY)
    }

    /// Where in the table the item with this key is, or would be.
    fn find<K: Hash + Eq>(&self, key: &K, key_of: impl Fn(usize) -> Option<K>) -> usize {
        let mask = self.table.len() - 1;
        let mut at = self.seed.hash_one(key) as usize & mask;
        while let Some(place) = self.table.get(at) {
            if *place == EMPTY || key_of(*place as usize).as_ref() == Some(key) {
                break;
            }
            at = (at + 1) & mask;
        }
        at
    }
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
