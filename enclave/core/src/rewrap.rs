//! Re-wrapping to the current epoch: the outer layer only, without share, owner or data key, in bulk.

use crate::entropy::Entropy;
use crate::envelope::wrap::Inner;
use crate::envelope::{EnvelopeFault, context, layout};
use crate::root::Roots;
use wire::envelope::Header;

/// Nonces drawn at once: they are public, and a draw costs as much for one as for many.
const BATCH: usize = 64;

/// Re-wraps one envelope after another to the current epoch.
pub struct Rewrapper<'a> {
    roots: &'a Roots,
    entropy: &'a mut dyn Entropy,
    nonces: Vec<[u8; 12]>,
}

/// A re-wrapped envelope. The header is authentic: the caller refuses a generation below the one it recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    pub header: Header,
    pub envelope: Vec<u8>,
}

impl<'a> Rewrapper<'a> {
    pub fn new(roots: &'a Roots, entropy: &'a mut dyn Entropy) -> Rewrapper<'a> {
        Rewrapper { roots, entropy, nonces: Vec::with_capacity(BATCH) }
    }

    /// Re-wraps the canonical bytes of an envelope. Everything before the wrap stays as it was, byte for byte.
    pub fn rewrap(&mut self, envelope: &[u8]) -> Result<Rewrapped, EnvelopeFault> {
        let layout = layout::parse(envelope)?;
        let body_hash = context::body_hash(layout.body);
        let old = self.roots.wrap_key(layout.wrap.epoch, &layout.header)?;
        let inner = Inner::unwrap(&layout.wrap, &old, &body_hash)?;
        let epoch = self.roots.current();
        let new = self.roots.wrap_key(epoch, &layout.header)?;
        let wrap = inner.wrap(epoch, self.nonce()?, &new, &body_hash)?;
        Ok(Rewrapped { header: layout.header, envelope: layout::join(layout.body, &wrap) })
    }

    fn nonce(&mut self) -> Result<[u8; 12], EnvelopeFault> {
        if let Some(nonce) = self.nonces.pop() {
            return Ok(nonce);
        }
        let mut drawn = [[0; 12]; BATCH];
        self.entropy.fill(drawn.as_flattened_mut())?;
        self.nonces.extend_from_slice(&drawn);
        self.nonces.pop().ok_or(EnvelopeFault::Internal)
    }
}
