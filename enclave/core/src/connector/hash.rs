//! A quick hash for short texts in tables that live for one answer.
//!
//! The texts come from providers, so the seed is random for each process: nobody can prepare texts that collide.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

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
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.mix(u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
        }
        let mut last = [0; 8];
        let rest = chunks.remainder();
        if let Some(part) = last.get_mut(..rest.len()) {
            part.copy_from_slice(rest);
        }
        self.mix(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
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
