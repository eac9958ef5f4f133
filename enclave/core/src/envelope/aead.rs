//! AES-256-GCM (NIST SP 800-38D), 96-bit nonce, 128-bit tag. One key, one use: the callers derive each key anew.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

pub(crate) const NONCE: usize = 12;
pub(crate) const TAG: usize = 16;

/// It did not open, or the library could not seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AeadFailed;

/// Encrypts `text` in place and returns its tag.
pub(crate) fn seal(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    aad: &[u8],
    text: &mut [u8],
) -> Result<[u8; TAG], AeadFailed> {
    let tag = bound(key)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), text)
        .map_err(|_| AeadFailed)?;
    tag.as_ref().try_into().map_err(|_| AeadFailed)
}

/// Decrypts `text` in place if `tag` is right; otherwise `text` must not be used.
pub(crate) fn open(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    aad: &[u8],
    text: &mut [u8],
    tag: &[u8; TAG],
) -> Result<(), AeadFailed> {
    bound(key)?
        .open_in_place_separate_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), tag, text)
        .map(|_| ())
        .map_err(|_| AeadFailed)
}

/// Sets the key up; the library erases it on drop.
fn bound(key: &[u8; 32]) -> Result<LessSafeKey, AeadFailed> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| AeadFailed)
}
