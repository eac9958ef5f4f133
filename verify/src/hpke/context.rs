//! Encryption contexts (RFC 9180 §5.2, §5.3): a sequence number that only rises, and the exporter.

use super::schedule::Keys;
use super::{Error, NONCE_BYTES, TAG_BYTES};
use aws_lc_rs::aead::{Aad, Nonce};
use zeroize::Zeroizing;

/// The sender's half. Every call to [`SenderContext::seal`] uses the next nonce.
pub struct SenderContext {
    keys: Keys,
    sequence: Sequence,
}

/// The recipient's half. Messages open in the order they were sealed in; a failure uses up no sequence number.
pub struct RecipientContext {
    keys: Keys,
    sequence: Sequence,
}

impl SenderContext {
    pub(super) fn new(keys: Keys) -> SenderContext {
        SenderContext { keys, sequence: Sequence(0) }
    }

    /// Returns ciphertext ‖ tag.
    pub fn seal(&mut self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = self.sequence.nonce(&self.keys.base_nonce);
        let next = self.sequence.next()?;
        let mut bytes = Vec::with_capacity(plaintext.len().saturating_add(TAG_BYTES));
        bytes.extend_from_slice(plaintext);
        // The sequence moves before the key is used: no failure can make a nonce come twice.
        self.sequence = next;
        match self.keys.aead.seal_in_place_append_tag(nonce, Aad::from(aad), &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(_) => {
                drop(Zeroizing::new(bytes));
                Err(Error::Library)
            }
        }
    }

    /// `Context.Export`: fills `out` with a secret that only the two ends of this context know.
    pub fn export(&self, context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        self.keys.exporter.export(context, out)
    }
}

impl RecipientContext {
    pub(super) fn new(keys: Keys) -> RecipientContext {
        RecipientContext { keys, sequence: Sequence(0) }
    }

    /// Opens ciphertext ‖ tag; the plaintext is wiped when it is dropped.
    pub fn open(&mut self, aad: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let nonce = self.sequence.nonce(&self.keys.base_nonce);
        let next = self.sequence.next()?;
        let mut bytes = Zeroizing::new(ciphertext.to_vec());
        let opened = self.keys.aead.open_in_place(nonce, Aad::from(aad), &mut bytes);
        let length = opened.map_err(|_| Error::Open)?.len();
        bytes.truncate(length);
        self.sequence = next;
        Ok(bytes)
    }

    /// `Context.Export`: fills `out` with a secret that only the two ends of this context know.
    pub fn export(&self, context: &[u8], out: &mut [u8]) -> Result<(), Error> {
        self.keys.exporter.export(context, out)
    }
}

#[derive(Clone, Copy)]
struct Sequence(u64);

impl Sequence {
    /// `ComputeNonce`: `base_nonce XOR I2OSP(sequence, 12)`.
    fn nonce(self, base: &[u8; NONCE_BYTES]) -> Nonce {
        let mut nonce = *base;
        let low = nonce.iter_mut().skip(NONCE_BYTES - 8);
        low.zip(self.0.to_be_bytes()).for_each(|(byte, number)| *byte ^= number);
        Nonce::assume_unique_for_key(nonce)
    }

    fn next(self) -> Result<Sequence, Error> {
        self.0.checked_add(1).map(Sequence).ok_or(Error::Exhausted)
    }
}

impl core::fmt::Debug for SenderContext {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SenderContext(..)")
    }
}

impl core::fmt::Debug for RecipientContext {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RecipientContext(..)")
    }
}
