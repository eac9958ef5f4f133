//! Re-wrapping to the current epoch of an envelope's class: the outer layer only, without share, owner or data key, in bulk.

use crate::entropy::Entropy;
use crate::envelope::wrap::Inner;
use crate::envelope::{EnvelopeFault, layout};
use crate::root::Roots;
use wire::envelope::Header;

/// Nonces drawn at once: they are public, and a draw costs as much for one as for many.
const BATCH: usize = 64;

/// Re-wraps one envelope after another to the current epoch of its class. No envelope changes its class that way.
pub struct Rewrapper<'a> {
    roots: &'a Roots,
    entropy: &'a mut dyn Entropy,
    nonces: Vec<[u8; 12]>,
}

impl<'a> Rewrapper<'a> {
    pub fn new(roots: &'a Roots, entropy: &'a mut dyn Entropy) -> Rewrapper<'a> {
        Rewrapper { roots, entropy, nonces: Vec::with_capacity(BATCH) }
    }

    /// Re-wraps the canonical bytes of an envelope in place: everything before the wrap stays as it is.
    ///
    /// The header that it returns is authentic: the caller refuses a generation below the one it recorded, and
    /// then drops the envelope. On an error the envelope is as it was, unless the fault is our own.
    pub fn rewrap(&mut self, envelope: &mut Vec<u8>) -> Result<Header, EnvelopeFault> {
        let layout = layout::parse(envelope)?;
        let inner = Inner::unwrap(&layout, self.roots)?;
        let epoch = self.roots.current_of(layout.header.class)?;
        let key = self.roots.wrap_key(epoch, &layout.header)?;
        let nonce = self.nonce()?;
        let (header, body) = (layout.header, layout.body.len());
        layout::rebind(envelope, body, epoch);
        let ciphertext = inner.wrap(&key, &nonce, envelope)?;
        layout::complete(envelope, &nonce, &ciphertext);
        Ok(header)
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
