//! Entropy of a TEE: what its hardware and its kernel give, mixed so that either alone suffices. Without the hardware's, nothing starts.

use crate::health::is_plausible;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use enclave::entropy::{Entropy, NoEntropy};
use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::{Zeroize, Zeroizing};

/// From the hardware, once: far more than the key that is made of it.
const SEED: usize = 1024;
/// One block of output: HMAC-SHA-256.
const BLOCK: usize = 32;

/// `HMAC-SHA-256(key = hardware's bytes, counter ‖ kernel's 32 bytes)` for each block.
///
/// Who knows the kernel's bytes does not know the key, and who knows the key does not know the kernel's bytes.
pub struct MixedEntropy {
    key: hmac::Key,
    counter: u64,
    /// SHA-256 of the kernel's last block: the block itself may have become a key.
    last: Option<[u8; 32]>,
}

impl MixedEntropy {
    /// Takes the hardware's bytes, tests them, stirs them into the kernel's generator by `stir` and keys the mixer with them.
    ///
    /// `hardware` fills the whole slice or fails.
    pub fn start(
        mut hardware: impl FnMut(&mut [u8]) -> Result<(), NoEntropy>,
        stir: impl FnOnce(&[u8]) -> Result<(), NoEntropy>,
    ) -> Result<MixedEntropy, NoEntropy> {
        let mut seed = Zeroizing::new([0; SEED]);
        hardware(seed.as_mut_slice())?;
        if !is_plausible(seed.as_slice()) {
            return Err(NoEntropy);
        }
        let (for_kernel, for_key) = seed.split_at(SEED / 2);
        stir(for_kernel)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, for_key);
        let mut mixed = MixedEntropy { key, counter: 0, last: None };
        // Two blocks, so that a kernel that repeats itself is noticed before anything is made.
        mixed.fill(&mut [0; 2 * BLOCK])?;
        Ok(mixed)
    }

    fn block(&mut self) -> Result<Zeroizing<[u8; BLOCK]>, NoEntropy> {
        let kernel = self.kernel()?;
        self.counter = self.counter.checked_add(1).ok_or(NoEntropy)?;
        let mut mixer = hmac::Context::with_key(&self.key);
        mixer.update(&self.counter.to_be_bytes());
        mixer.update(kernel.as_slice());
        let mut block = Zeroizing::new([0; BLOCK]);
        block.iter_mut().zip(mixer.sign().as_ref()).for_each(|(to, from)| *to = *from);
        Ok(block)
    }

    fn kernel(&mut self) -> Result<Zeroizing<[u8; BLOCK]>, NoEntropy> {
        let mut block = Zeroizing::new([0; BLOCK]);
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            filled += getrandom(rest, GetRandomFlags::empty()).map_err(|_| NoEntropy)?;
        }
        let seen: [u8; 32] = digest(&SHA256, block.as_slice()).as_ref().try_into().map_err(|_| NoEntropy)?;
        if self.last == Some(seen) || !is_plausible(block.as_slice()) {
            return Err(NoEntropy);
        }
        self.last = Some(seen);
        Ok(block)
    }
}

impl Entropy for MixedEntropy {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in out.chunks_mut(BLOCK) {
            match self.block() {
                Ok(block) => chunk.iter_mut().zip(block.iter()).for_each(|(to, from)| *to = *from),
                Err(NoEntropy) => {
                    out.zeroize();
                    return Err(NoEntropy);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn hardware(out: &mut [u8]) -> Result<(), NoEntropy> {
        aws_lc_rs::rand::fill(out).map_err(|_| NoEntropy)
    }

    #[test]
    fn nothing_starts_without_the_hardware_or_with_a_stuck_one() {
        assert!(MixedEntropy::start(|_| Err(NoEntropy), |_| Ok(())).is_err());
        assert!(MixedEntropy::start(|_| Ok(()), |_| Ok(())).is_err(), "all zeros");
        assert!(MixedEntropy::start(hardware, |_| Err(NoEntropy)).is_err(), "a kernel that takes nothing");
    }

    #[test]
    fn the_kernel_gets_other_bytes_than_the_key_is_made_of() {
        let mut given = Vec::new();
        let mut all = Vec::new();
        let source = |out: &mut [u8]| {
            hardware(out)?;
            all = out.to_vec();
            Ok(())
        };
        MixedEntropy::start(source, |bytes| {
            given = bytes.to_vec();
            Ok(())
        })
        .unwrap();
        assert_eq!(Some(given.as_slice()), all.get(..SEED / 2));
    }

    #[test]
    fn blocks_differ_though_the_hardware_gave_the_same() {
        let same = |out: &mut [u8]| {
            out.iter_mut().zip((0..=255u8).cycle()).for_each(|(to, from)| *to = from);
            Ok(())
        };
        let mut outputs = std::collections::BTreeSet::new();
        for _ in 0..2 {
            let mut mixed = MixedEntropy::start(same, |_| Ok(())).unwrap();
            for length in [1, 31, 32, 33, 100] {
                let mut out = vec![0; length];
                mixed.fill(&mut out).unwrap();
                assert!(length < 16 || outputs.insert(out), "{length}");
            }
        }
    }
}
