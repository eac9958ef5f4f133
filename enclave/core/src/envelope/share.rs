//! The owner's half of the inner wrap.

use super::EnvelopeFault;
use super::kdf::Prk;
use crate::secret::Secret;
use core::fmt;
use wire::transcript::Transcript;
use zeroize::Zeroizing;

/// 32 bytes that the client derives from the owner secret (`docs/spec/envelope.md` §2) and sends sealed.
pub struct Share(Secret<32>);

impl Share {
    /// Copies the share out of a request; the request's buffer is erased by its holder.
    pub fn parse(bytes: &[u8]) -> Result<Share, EnvelopeFault> {
        bytes.try_into().map(|bytes| Share(Secret::copied(bytes))).map_err(|_| EnvelopeFault::Malformed)
    }

    pub(crate) fn derive_key(&self, info: Transcript) -> Result<Zeroizing<[u8; 32]>, EnvelopeFault> {
        Ok(Prk::extract(self.0.expose())?.expand(info)?)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Share")
    }
}
