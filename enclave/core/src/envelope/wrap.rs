//! The two wraps of the data key: inner under the share, outer under the root.

use super::aead::{self, AeadFailed, NONCE, TAG};
use super::{EnvelopeFault, Share, context};
use crate::entropy::Entropy;
use crate::secret::Secret;
use wire::envelope::{Header, Wrap};
use zeroize::Zeroizing;

/// Nonce, encrypted data key, tag.
const INNER: usize = NONCE + KEY + TAG;
const KEY: usize = 32;

/// The inner wrap: opens with the share only, so the outer layer handles it without knowing the data key.
pub(crate) struct Inner(Zeroizing<[u8; INNER]>);

impl Inner {
    /// Wraps the data key under the share, bound to the generation and to the data key's commitment.
    pub(crate) fn seal(
        data_key: &Secret<KEY>,
        share: &Share,
        header: &Header,
        commitment: &[u8; 32],
        entropy: &mut dyn Entropy,
    ) -> Result<Inner, EnvelopeFault> {
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce)?;
        let key = share.derive_key(context::share_wrap(header))?;
        let aad = context::share_wrap_aad(header.generation, commitment);
        let mut text = Zeroizing::new(*data_key.expose());
        let tag = aead::seal(&key, &nonce, &aad, text.as_mut_slice())
            .map_err(|AeadFailed| EnvelopeFault::Internal)?;
        let mut inner = Zeroizing::new([0; INNER]);
        let parts = nonce.iter().chain(text.iter()).chain(&tag);
        inner.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        Ok(Inner(inner))
    }

    pub(crate) fn open(
        &self,
        share: &Share,
        header: &Header,
        commitment: &[u8; 32],
    ) -> Result<Secret<KEY>, EnvelopeFault> {
        let (nonce, rest) = self.0.split_first_chunk::<NONCE>().ok_or(EnvelopeFault::Refused)?;
        let (text, rest) = rest.split_first_chunk::<KEY>().ok_or(EnvelopeFault::Refused)?;
        let (tag, _) = rest.split_first_chunk::<TAG>().ok_or(EnvelopeFault::Refused)?;
        let key = share.derive_key(context::share_wrap(header))?;
        let aad = context::share_wrap_aad(header.generation, commitment);
        let mut text = Zeroizing::new(*text);
        aead::open(&key, nonce, &aad, text.as_mut_slice(), tag)
            .map_err(|AeadFailed| EnvelopeFault::Refused)?;
        Ok(Secret::copied(&text))
    }

    /// Removes the outer wrap. `key` is the root's key of the wrap's own epoch.
    pub(crate) fn unwrap(wrap: &Wrap, key: &[u8; 32], body_hash: &[u8; 32]) -> Result<Inner, EnvelopeFault> {
        let (text, rest) = wrap.ciphertext.split_first_chunk::<INNER>().ok_or(EnvelopeFault::Refused)?;
        let (tag, _) = rest.split_first_chunk::<TAG>().ok_or(EnvelopeFault::Refused)?;
        let mut text = Zeroizing::new(*text);
        aead::open(
            key,
            &wrap.nonce,
            &context::root_wrap_aad(wrap.epoch, body_hash),
            text.as_mut_slice(),
            tag,
        )
        .map_err(|AeadFailed| EnvelopeFault::Refused)?;
        Ok(Inner(text))
    }

    /// Puts the outer wrap of `epoch` on. `key` is the root's key of that epoch.
    pub(crate) fn wrap(
        mut self,
        epoch: u32,
        nonce: [u8; NONCE],
        key: &[u8; 32],
        body_hash: &[u8; 32],
    ) -> Result<Wrap, EnvelopeFault> {
        let aad = context::root_wrap_aad(epoch, body_hash);
        let tag = aead::seal(key, &nonce, &aad, self.0.as_mut_slice())
            .map_err(|AeadFailed| EnvelopeFault::Internal)?;
        let mut ciphertext = [0; INNER + TAG];
        ciphertext.iter_mut().zip(self.0.iter().chain(&tag)).for_each(|(to, from)| *to = *from);
        Ok(Wrap { epoch, nonce, ciphertext })
    }
}
