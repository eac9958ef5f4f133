//! Making an envelope.

use super::contents::check_owners;
use super::payload::PayloadKey;
use super::wrap::Inner;
use super::{Contents, EnvelopeFault, Share, Subject, VERSION, context, layout};
use crate::entropy::Entropy;
use crate::root::Roots;
use crate::secret::Secret;
use wire::Canonical;
use wire::envelope::{Envelope, Header, MAX_ENVELOPE, Wrap};

/// Seals a credential into a new envelope: generation 1, a fresh data key, wrapped to the current epoch of its class.
pub fn seal(
    subject: &Subject,
    contents: &Contents,
    credential: &[u8],
    share: &Share,
    roots: &Roots,
    entropy: &mut dyn Entropy,
) -> Result<Envelope, EnvelopeFault> {
    let header = Header {
        organisation: subject.organisation,
        connection: subject.connection,
        owners: context::owners_hash(&contents.owners),
        purpose: subject.purpose,
        generation: 1,
        class: subject.class,
    };
    let data_key = Secret::make(entropy)?;
    let lock = Lock { data_key: &data_key, share, roots, epoch: roots.current_of(subject.class)? };
    seal_generation(header, contents, credential, &lock, entropy)
}

/// With what a generation is sealed.
pub(crate) struct Lock<'a> {
    pub data_key: &'a Secret<32>,
    pub share: &'a Share,
    pub roots: &'a Roots,
    pub epoch: u32,
}

/// Seals one generation: payload, commitment, both wraps. Entropy is drawn in that order: payload nonce, inner
/// nonce, outer nonce.
pub(crate) fn seal_generation(
    header: Header,
    contents: &Contents,
    credential: &[u8],
    lock: &Lock<'_>,
    entropy: &mut dyn Entropy,
) -> Result<Envelope, EnvelopeFault> {
    check_owners(&contents.owners)?;
    let key = PayloadKey::derive(lock.data_key, &header)?;
    let payload = key.seal(&header, contents, credential, entropy)?;
    let mut envelope = Envelope {
        version: VERSION,
        header,
        payload,
        commitment: key.commitment(),
        wrap: Wrap { epoch: lock.epoch, nonce: [0; 12], ciphertext: [0; 76] },
    };
    envelope.wrap = wrap(&envelope, lock, entropy)?;
    Ok(envelope)
}

/// Both wraps of the data key for everything else that is in the envelope.
pub(crate) fn wrap(
    envelope: &Envelope,
    lock: &Lock<'_>,
    entropy: &mut dyn Entropy,
) -> Result<Wrap, EnvelopeFault> {
    let mut bytes = envelope.to_bytes();
    if bytes.len() > MAX_ENVELOPE {
        return Err(EnvelopeFault::TooLarge);
    }
    let inner = Inner::seal(lock.data_key, lock.share, &envelope.header, &envelope.commitment, entropy)?;
    let mut nonce = [0; 12];
    entropy.fill(&mut nonce)?;
    let key = lock.roots.wrap_key(lock.epoch, &envelope.header)?;
    let body = layout::parse(&bytes)?.body.len();
    layout::rebind(&mut bytes, body, lock.epoch);
    Ok(Wrap { epoch: lock.epoch, nonce, ciphertext: inner.wrap(&key, &nonce, &bytes)? })
}
