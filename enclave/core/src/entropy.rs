//! Randomness, as the program hands it to the core.
//!
//! INVARIANT: it never comes from the host's channel. A program mixes and health-tests what its machine gives and
//! does not start without it; a deterministic source exists in tests only. Besides it, the cryptographic library
//! draws from the kernel for the keys that it makes itself.

/// The source failed. Nothing is made from what it may have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

/// A cryptographically secure random source.
pub trait Entropy {
    /// Fills the whole of `out`, or fails and leaves nothing that may be used.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy>;
}

impl dyn Entropy + '_ {
    /// An array of random bytes.
    pub fn make_bytes<const N: usize>(&mut self) -> Result<[u8; N], NoEntropy> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}

impl core::fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the random source failed")
    }
}

impl core::error::Error for NoEntropy {}
