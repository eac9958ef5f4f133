//! Opening an envelope.

use super::layout::Layout;
use super::payload::{self, PayloadKey};
use super::wrap::Inner;
use super::{Contents, EnvelopeFault, Share, VERSION, context, layout};
use crate::root::Roots;
use crate::secret::{Secret, SecretBytes};
use core::fmt;
use wire::envelope::{Envelope, Header, Sealed};

/// Opens the canonical bytes of an envelope, as received.
///
/// Whether its generation is current, and whether an owner authorised the use, is for the caller to check: the
/// header and owner keys of an [`Opened`] are authentic, those of a mere `Envelope` are claims.
pub fn open(envelope: &[u8], share: &Share, roots: &Roots) -> Result<Opened, EnvelopeFault> {
    let layout = layout::parse(envelope)?;
    let inner = Inner::unwrap(&layout, roots)?;
    open_inner(layout, &inner, share)
}

/// The same below the outer layer, which is off.
pub(crate) fn open_inner(layout: Layout<'_>, inner: &Inner, share: &Share) -> Result<Opened, EnvelopeFault> {
    let data_key = inner.open(share, &layout.header, layout.commitment)?;
    open_payload(layout, data_key)
}

/// The same below both layers. A data key that is not the one that the envelope commits to opens nothing.
pub(crate) fn open_payload(layout: Layout<'_>, data_key: Secret<32>) -> Result<Opened, EnvelopeFault> {
    let sealed = Sealed { nonce: *layout.nonce, ciphertext: layout.ciphertext.to_vec() };
    let plaintext =
        PayloadKey::derive(&data_key, &layout.header)?.open(&layout.header, layout.commitment, &sealed)?;
    let (contents, credential) = read(plaintext.expose(), &layout.header)?;
    let envelope = Envelope {
        version: VERSION,
        header: layout.header,
        payload: sealed,
        commitment: *layout.commitment,
        wrap: layout.wrap,
    };
    Ok(Opened { envelope, contents, credential, data_key })
}

/// An envelope that opened: the only way to a credential. Only [`open`] makes one.
pub struct Opened {
    pub(crate) envelope: Envelope,
    pub(crate) contents: Contents,
    pub(crate) credential: SecretBytes,
    pub(crate) data_key: Secret<32>,
}

impl Opened {
    pub fn header(&self) -> &Header {
        &self.envelope.header
    }

    /// The epoch it is wrapped to.
    pub fn epoch(&self) -> u32 {
        self.envelope.wrap.epoch
    }

    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Lends the credential as it was linked, to sign with or to seal to its owner.
    pub fn lend_credential<R>(&self, to: impl FnOnce(&[u8]) -> R) -> R {
        to(self.credential.expose())
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

/// Splits a plaintext, and holds it against the header that it was sealed with.
fn read(plaintext: &[u8], header: &Header) -> Result<(Contents, SecretBytes), EnvelopeFault> {
    // What opened was made by an enclave; if it does not parse, it is not of this protocol.
    let payload = payload::parse(plaintext).map_err(|_| EnvelopeFault::Refused)?;
    if payload.generation != header.generation || context::owners_hash(&payload.owners) != header.owners {
        return Err(EnvelopeFault::Refused);
    }
    let credential = SecretBytes::copied(payload.credential);
    let contents = Contents {
        exchange: payload.exchange.to_owned(),
        owners: payload.owners,
        finding: payload.finding,
        created: payload.created,
    };
    Ok((contents, credential))
}
