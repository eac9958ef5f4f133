//! Entropy of the simulated program: the kernel's, health-tested. The hardware program mixes the TEE's in.

use aws_lc_rs::digest::{SHA256, digest};
use enclave::entropy::{Entropy, NoEntropy};

/// Lets the cryptographic library set up its own generator while it may still look at the file system: it asks once
/// whether the machine can be cloned from a snapshot (`/dev/sysgenid`).
pub fn wake_library() -> Result<(), NoEntropy> {
    aws_lc_rs::rand::fill(&mut [0u8; 32]).map_err(|_| NoEntropy)
}

/// Reads the kernel's generator and refuses output that repeats (a stuck source; NIST SP 800-90B §4.4.1).
#[derive(Default)]
pub struct KernelEntropy {
    /// SHA-256 of the last block: the block itself may have become a key.
    last: Option<[u8; 32]>,
}

impl KernelEntropy {
    /// Fails unless two reads differ and neither is constant.
    pub fn start() -> Result<KernelEntropy, NoEntropy> {
        let mut entropy = KernelEntropy::default();
        entropy.block()?;
        entropy.block()?;
        Ok(entropy)
    }

    fn block(&mut self) -> Result<[u8; 32], NoEntropy> {
        let mut block = [0u8; 32];
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            filled += rustix::rand::getrandom(rest, rustix::rand::GetRandomFlags::empty())
                .map_err(|_| NoEntropy)?;
        }
        let seen: [u8; 32] = digest(&SHA256, &block).as_ref().try_into().map_err(|_| NoEntropy)?;
        if Some(seen) == self.last || block.windows(2).all(|pair| pair.first() == pair.last()) {
            return Err(NoEntropy);
        }
        self.last = Some(seen);
        Ok(block)
    }
}

impl Entropy for KernelEntropy {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in out.chunks_mut(32) {
            let block = self.block()?;
            chunk.iter_mut().zip(block).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}
