//! Plaintexts are padded to Padmé buckets: `u32be(length) ‖ bytes ‖ zeros`.

use super::EnvelopeFault;
use verify::padding::padded;

/// Bytes of the length before the text.
pub(crate) const PREFIX: usize = 4;

/// The padded length of `length` bytes of text.
pub(crate) fn bucket(length: usize) -> usize {
    padded(length.saturating_add(PREFIX))
}

/// The text in a padded plaintext. Any other padding than the one there is refuses.
pub(crate) fn strip(plaintext: &[u8]) -> Result<&[u8], EnvelopeFault> {
    let (prefix, rest) = plaintext.split_first_chunk::<PREFIX>().ok_or(EnvelopeFault::Malformed)?;
    let length = usize::try_from(u32::from_be_bytes(*prefix)).map_err(|_| EnvelopeFault::Malformed)?;
    let (text, zeros) = rest.split_at_checked(length).ok_or(EnvelopeFault::Malformed)?;
    if bucket(length) != plaintext.len() || zeros.iter().any(|byte| *byte != 0) {
        return Err(EnvelopeFault::Malformed);
    }
    Ok(text)
}
