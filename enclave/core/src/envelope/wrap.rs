//! The two wraps of the data key: inner under the share, outer under the root.

use super::aead::{self, AeadFailed, NONCE, TAG};
use super::layout::Layout;
use super::{EnvelopeFault, Share, context};
use crate::entropy::Entropy;
use crate::root::Roots;
use crate::secret::Secret;
use wire::envelope::{Header, Wrap};
use zeroize::Zeroizing;

/// Nonce, encrypted data key, tag.
const INNER: usize = NONCE + KEY + TAG;
const KEY: usize = 32;

/// The inner wrap: opens with the share only, so the outer layer handles it without knowing the data key. It is
/// ciphertext, and is not erased.
pub(crate) struct Inner([u8; INNER]);

impl Inner {
    /// Wraps the data key under the share, bound to the generation and to the data key's commitment.
    pub(crate) fn seal(
        data_key: &Secret<KEY>,
        share: &Share,
        header: &Header,
        commitment: &[u8; 32],
        entropy: &mut dyn Entropy,
    ) -> Result<Inner, EnvelopeFault> {
        let key = share.derive_key(context::share_wrap(header))?;
        Inner::lock(data_key, &key, &context::share_wrap_aad(header.generation, commitment), entropy)
    }

    pub(crate) fn open(
        &self,
        share: &Share,
        header: &Header,
        commitment: &[u8; 32],
    ) -> Result<Secret<KEY>, EnvelopeFault> {
        let key = share.derive_key(context::share_wrap(header))?;
        self.unlock(&key, &context::share_wrap_aad(header.generation, commitment))
    }

    /// Wraps the data key under a key that a share gave.
    pub(crate) fn lock(
        data_key: &Secret<KEY>,
        key: &[u8; 32],
        aad: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Inner, EnvelopeFault> {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce)?;
        let mut text = Zeroizing::new(*data_key.expose());
        let tag = aead::seal(key, &nonce, aad, text.as_mut_slice())
            .map_err(|AeadFailed| EnvelopeFault::Internal)?;
        let mut inner = [0; INNER];
        let parts = nonce.iter().chain(text.iter()).chain(&tag);
        inner.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        Ok(Inner(inner))
    }

    pub(crate) fn unlock(&self, key: &[u8; 32], aad: &[u8]) -> Result<Secret<KEY>, EnvelopeFault> {
        let (nonce, rest) = self.0.split_first_chunk::<NONCE>().ok_or(EnvelopeFault::Refused)?;
        let (text, rest) = rest.split_first_chunk::<KEY>().ok_or(EnvelopeFault::Refused)?;
        let (tag, _) = rest.split_first_chunk::<TAG>().ok_or(EnvelopeFault::Refused)?;
        let mut text = Zeroizing::new(*text);
        aead::open(key, nonce, aad, text.as_mut_slice(), tag).map_err(|AeadFailed| EnvelopeFault::Refused)?;
        Ok(Secret::copied(&text))
    }

    /// Removes the outer wrap of an envelope as received: every byte before the wrap's nonce is authenticated.
    pub(crate) fn unwrap(layout: &Layout<'_>, roots: &Roots) -> Result<Inner, EnvelopeFault> {
        let key = roots.wrap_key(layout.wrap.epoch, &layout.header)?;
        Inner::unwrap_by(&layout.wrap, &key, layout.bound)
    }

    /// The same with the root's key of the wrap's epoch.
    pub(crate) fn unwrap_by(wrap: &Wrap, key: &[u8; 32], bound: &[u8]) -> Result<Inner, EnvelopeFault> {
        let (text, tag) = wrap.ciphertext.split_first_chunk::<INNER>().ok_or(EnvelopeFault::Refused)?;
        let tag = tag.first_chunk::<TAG>().ok_or(EnvelopeFault::Refused)?;
        let mut text = *text;
        aead::open(key, &wrap.nonce, bound, text.as_mut_slice(), tag)
            .map_err(|AeadFailed| EnvelopeFault::Refused)?;
        Ok(Inner(text))
    }

    /// What another enclave took the outer wrap off.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Inner, EnvelopeFault> {
        bytes.try_into().map(Inner).map_err(|_| EnvelopeFault::Refused)
    }

    pub(crate) fn bytes(&self) -> &[u8; INNER] {
        &self.0
    }

    /// Puts an outer wrap on. `key` is the root's key of the epoch at the end of `bound`.
    pub(crate) fn wrap(
        mut self,
        key: &[u8; 32],
        nonce: &[u8; NONCE],
        bound: &[u8],
    ) -> Result<[u8; INNER + TAG], EnvelopeFault> {
        let tag = aead::seal(key, nonce, bound, self.0.as_mut_slice())
            .map_err(|AeadFailed| EnvelopeFault::Internal)?;
        let mut ciphertext = [0; INNER + TAG];
        let (text, end) = ciphertext.split_first_chunk_mut::<INNER>().ok_or(EnvelopeFault::Internal)?;
        *text = self.0;
        end.copy_from_slice(&tag);
        Ok(ciphertext)
    }
}
