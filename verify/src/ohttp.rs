//! Oblivious HTTP encapsulation (RFC 9458 §4), byte for byte, both halves.
//!
//! A request is sealed in two steps, because the owner signs the hash of the encapsulated key inside it:
//! making a [`Sealer`] makes the encapsulated key, [`Sealer::seal`] takes the plaintext. The reply is sealed with a key
//! exported from the same HPKE context, so only the sender of that one request opens it.

#[cfg(test)]
mod tests;

use crate::hpke::{
    self, Info, KEY_BYTES, NONCE_BYTES, PublicKey, RecipientContext, RecipientKey, Secret, SenderContext,
    TAG_BYTES, aead_key, expand, extract,
};
use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use aws_lc_rs::digest::{SHA256, digest};
use core::fmt;
use wire::identity::Suite;
use zeroize::Zeroizing;

/// No encapsulated message is longer.
pub const MAX_BYTES: usize = crate::bhttp::MAX_BYTES + 4096;

const REQUEST_LABEL: &[u8] = b"message/bhttp request";
const RESPONSE_LABEL: &[u8] = b"message/bhttp response";
/// Key id (1) ‖ KEM (2) ‖ KDF (2) ‖ AEAD (2).
const HEADER_BYTES: usize = 7;
/// `max(Nn, Nk)` of AES-256-GCM.
const RESPONSE_NONCE_BYTES: usize = KEY_BYTES;

/// Why a message was not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Longer than [`MAX_BYTES`].
    TooLong,
    /// Shorter than a header, an encapsulated key and a tag.
    Truncated,
    /// No recipient with this key id and suite.
    UnknownKey,
    Hpke(hpke::Error),
}

/// Seals one request; see the module's documentation.
pub struct Sealer {
    suite: Suite,
    header: [u8; HEADER_BYTES],
    encapsulated: Vec<u8>,
    context: SenderContext,
}

impl Sealer {
    /// Encapsulates to a recipient's public key under the id that the recipient published it with.
    ///
    /// Nothing here says that the key is an enclave's. Clients get their sealers from a verification
    /// ([`crate::Verified::sealer`]); this is for tests, which hold the other half themselves.
    pub fn dangerous_unverified(key_id: u8, recipient: &PublicKey) -> Result<Sealer, Error> {
        let suite = recipient.suite();
        let header = header(key_id, suite);
        let (encapsulated, context) = recipient.setup_sender(&request_info(suite, &header)?)?;
        Ok(Sealer { suite, header, encapsulated, context })
    }

    /// The id of the key that the request is sealed to.
    pub fn key_id(&self) -> u8 {
        let [key_id, ..] = self.header;
        key_id
    }

    pub fn encapsulated_key(&self) -> &[u8] {
        &self.encapsulated
    }

    /// SHA-256 of the encapsulated key: what the owner signs, so that nobody can pass the request on.
    pub fn encapsulated_key_hash(&self) -> [u8; 32] {
        sha256(&self.encapsulated)
    }

    /// `Encapsulated Request = hdr ‖ enc ‖ ct`. Takes a padded Binary HTTP request.
    pub fn seal(mut self, request: &[u8]) -> Result<(Vec<u8>, ReplyOpener), Error> {
        if request.len() > crate::bhttp::MAX_BYTES {
            return Err(Error::TooLong);
        }
        let ciphertext = self.context.seal(b"", request)?;
        let reply = ReplyKeys::export(self.suite, self.encapsulated.clone(), |label, out| {
            self.context.export(label, out)
        })?;
        Ok(([self.header.as_slice(), &self.encapsulated, &ciphertext].concat(), ReplyOpener(reply)))
    }
}

/// Opens the one reply to a request.
pub struct ReplyOpener(ReplyKeys);

impl ReplyOpener {
    /// `Encapsulated Response = response_nonce ‖ ct`.
    pub fn open(&self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLong);
        }
        let (response_nonce, ciphertext) =
            bytes.split_at_checked(RESPONSE_NONCE_BYTES).ok_or(Error::Truncated)?;
        let (key, nonce) = self.0.derive(response_nonce)?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        let opened = key.open_in_place(nonce, Aad::empty(), &mut plaintext);
        let length = opened.map_err(|_| Error::Hpke(hpke::Error::Open))?.len();
        plaintext.truncate(length);
        Ok(plaintext)
    }
}

/// A private key with the id that its public half is published under.
pub struct Recipient {
    id: u8,
    header: [u8; HEADER_BYTES],
    info: Info,
    key: RecipientKey,
}

impl Recipient {
    /// A fresh X-Wing key.
    pub fn generate(id: u8) -> Result<Recipient, Error> {
        Recipient::new(id, RecipientKey::generate()?)
    }

    fn new(id: u8, key: RecipientKey) -> Result<Recipient, Error> {
        let header = header(id, key.public_key().suite());
        let info = request_info(key.public_key().suite(), &header)?;
        Ok(Recipient { id, header, info, key })
    }

    pub fn id(&self) -> u8 {
        self.id
    }

    pub fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// Opens one message that is no request: sealed to this key for another purpose, which `info` names.
    pub fn open_message(
        &self,
        info: &[u8],
        encapsulated: &[u8],
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let info = Info::new(self.key.public_key().suite(), info)?;
        Ok(self.key.setup_recipient(encapsulated, &info)?.open(b"", ciphertext)?)
    }

    fn open(&self, bytes: &[u8]) -> Result<Opened, Error> {
        let (encapsulated, ciphertext) =
            bytes.split_at_checked(self.key.encapsulated_bytes()).ok_or(Error::Truncated)?;
        if ciphertext.len() < TAG_BYTES {
            return Err(Error::Truncated);
        }
        let mut context: RecipientContext = self.key.setup_recipient(encapsulated, &self.info)?;
        let plaintext = context.open(b"", ciphertext)?;
        let suite = self.key.public_key().suite();
        let reply = ReplyKeys::export(suite, encapsulated.to_vec(), |label, out| context.export(label, out))?;
        Ok(Opened {
            key_id: self.id,
            encapsulated_key_hash: sha256(encapsulated),
            plaintext,
            reply: ReplySealer(reply),
        })
    }
}

/// An opened request.
pub struct Opened {
    pub key_id: u8,
    /// SHA-256 of the encapsulated key: to be compared with the hash that the owner signed.
    pub encapsulated_key_hash: [u8; 32],
    /// A padded Binary HTTP request.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Seals the one reply.
    pub reply: ReplySealer,
}

/// Opens an encapsulated request with the recipient whose header it carries.
pub fn open_request<'k>(
    recipients: impl IntoIterator<Item = &'k Recipient>,
    bytes: &[u8],
) -> Result<Opened, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::TooLong);
    }
    let (header, rest) = bytes.split_at_checked(HEADER_BYTES).ok_or(Error::Truncated)?;
    let mut recipients = recipients.into_iter();
    recipients.find(|recipient| recipient.header == header).ok_or(Error::UnknownKey)?.open(rest)
}

/// The key id that an encapsulated request names: an unverified hint for routing.
pub fn claimed_key_id(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied()
}

/// Seals the one reply to a request; using it up is what keeps its key from a second message.
pub struct ReplySealer(ReplyKeys);

impl ReplySealer {
    /// Takes a padded Binary HTTP response; the response nonce is the library's own randomness.
    pub fn seal(self, response: &[u8]) -> Result<Vec<u8>, Error> {
        let mut response_nonce = [0; RESPONSE_NONCE_BYTES];
        aws_lc_rs::rand::fill(&mut response_nonce).map_err(|_| Error::Hpke(hpke::Error::Library))?;
        self.seal_with(&response_nonce, response)
    }

    fn seal_with(
        self,
        response_nonce: &[u8; RESPONSE_NONCE_BYTES],
        response: &[u8],
    ) -> Result<Vec<u8>, Error> {
        if response.len() > crate::bhttp::MAX_BYTES {
            return Err(Error::TooLong);
        }
        let (key, nonce) = self.0.derive(response_nonce)?;
        let mut ciphertext = Vec::with_capacity(response.len().saturating_add(TAG_BYTES));
        ciphertext.extend_from_slice(response);
        if key.seal_in_place_append_tag(nonce, Aad::empty(), &mut ciphertext).is_err() {
            drop(Zeroizing::new(ciphertext));
            return Err(Error::Hpke(hpke::Error::Library));
        }
        Ok([response_nonce.as_slice(), &ciphertext].concat())
    }
}

/// What both ends derive a reply's key from (RFC 9458 §4.4).
struct ReplyKeys {
    suite: Suite,
    encapsulated: Vec<u8>,
    secret: Secret,
}

impl ReplyKeys {
    /// `secret = context.Export("message/bhttp response", max(Nn, Nk))`
    fn export(
        suite: Suite,
        encapsulated: Vec<u8>,
        export: impl FnOnce(&[u8], &mut [u8]) -> Result<(), hpke::Error>,
    ) -> Result<ReplyKeys, Error> {
        let mut secret = Secret::default();
        export(RESPONSE_LABEL, secret.as_mut_slice())?;
        Ok(ReplyKeys { suite, encapsulated, secret })
    }

    /// `prk = Extract(enc ‖ response_nonce, secret)`, then `Expand(prk, "key", Nk)` and `Expand(prk, "nonce", Nn)`.
    fn derive(&self, response_nonce: &[u8]) -> Result<(LessSafeKey, Nonce), Error> {
        let salt = [self.encapsulated.as_slice(), response_nonce].concat();
        let prk = extract(&salt, self.secret.as_slice())?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let mut nonce = [0; NONCE_BYTES];
        expand(&prk, &[b"key"], key.as_mut_slice())?;
        expand(&prk, &[b"nonce"], &mut nonce)?;
        Ok((aead_key(self.suite, &key)?, Nonce::assume_unique_for_key(nonce)))
    }
}

fn header(key_id: u8, suite: Suite) -> [u8; HEADER_BYTES] {
    let [kem_high, kem_low] = suite.kem.to_be_bytes();
    let [kdf_high, kdf_low] = suite.kdf.to_be_bytes();
    let [aead_high, aead_low] = suite.aead.to_be_bytes();
    [key_id, kem_high, kem_low, kdf_high, kdf_low, aead_high, aead_low]
}

/// `info = "message/bhttp request" ‖ 0x00 ‖ hdr`
fn request_info(suite: Suite, header: &[u8; HEADER_BYTES]) -> Result<Info, hpke::Error> {
    Info::new(suite, &[REQUEST_LABEL, &[0], header].concat())
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

impl From<hpke::Error> for Error {
    fn from(error: hpke::Error) -> Error {
        Error::Hpke(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::TooLong => f.write_str("the sealed message is longer than the protocol allows"),
            Error::Truncated => f.write_str("the sealed message is truncated"),
            Error::UnknownKey => f.write_str("the message is sealed to a key that is not here"),
            Error::Hpke(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

macro_rules! opaque {
    ($($name:ident),+) => { $(impl fmt::Debug for $name {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(concat!(stringify!($name), "(..)"))
        }
    })+ };
}
opaque!(Sealer, ReplyOpener, Recipient, Opened, ReplySealer);
