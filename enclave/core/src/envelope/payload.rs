//! The payload: what is encrypted under the data key.

use super::aead::{self, AeadFailed, NONCE, TAG};
use super::contents::{Contents, check_owners};
use super::kdf::Prk;
use super::{EnvelopeFault, context, padding};
use crate::entropy::Entropy;
use crate::secret::{Secret, SecretBytes};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use minicbor::bytes::ByteSlice;
use minicbor::encode::write::Cursor;
use minicbor::{Decode, Encode};
use wire::capability::Finding;
use wire::envelope::{Header, MAX_ENVELOPE, Sealed};
use wire::owner::OwnerKey;
use wire::{Canonical, UnixMillis};

/// Canonical CBOR, in a buffer that is erased: it borrows the credential.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(crate) struct Payload<'b> {
    /// The credential as it was linked: a JSON object.
    #[b(0)]
    pub credential: &'b ByteSlice,
    #[b(1)]
    pub exchange: &'b str,
    #[n(2)]
    pub owners: Vec<OwnerKey>,
    #[n(3)]
    pub finding: Finding,
    /// Equal to the header's.
    #[n(4)]
    pub generation: u64,
    #[n(5)]
    pub created: UnixMillis,
}

impl<'b> Canonical<'b> for Payload<'b> {}

/// What the data key gives: a key for the payload, and the commitment that only this data key has.
pub(crate) struct PayloadKey {
    key: zeroize::Zeroizing<[u8; 32]>,
    commitment: [u8; 32],
}

impl PayloadKey {
    pub(crate) fn derive(data_key: &Secret<32>, header: &Header) -> Result<PayloadKey, EnvelopeFault> {
        let prk = Prk::extract(data_key.expose())?;
        Ok(PayloadKey {
            key: prk.expand(context::payload_key(header))?,
            commitment: *prk.expand(context::key_commitment())?,
        })
    }

    /// Public: a hash of the data key that no other data key has.
    pub(crate) fn commitment(&self) -> [u8; 32] {
        self.commitment
    }

    pub(crate) fn seal(
        &self,
        header: &Header,
        contents: &Contents,
        credential: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Sealed, EnvelopeFault> {
        let mut text = encode(header, contents, credential)?;
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce)?;
        let aad = context::payload_aad(header);
        let tag = aead::seal(&self.key, &nonce, &aad, text.expose_mut())
            .map_err(|AeadFailed| EnvelopeFault::Internal)?;
        Ok(Sealed { nonce, ciphertext: [text.expose(), &tag].concat() })
    }

    /// Checks the commitment before it decrypts: a ciphertext can be made that opens under two keys.
    pub(crate) fn open(
        &self,
        header: &Header,
        commitment: &[u8; 32],
        sealed: &Sealed,
    ) -> Result<SecretBytes, EnvelopeFault> {
        verify_slices_are_equal(&self.commitment, commitment).map_err(|_| EnvelopeFault::Refused)?;
        let (text, tag) = sealed.ciphertext.split_last_chunk::<TAG>().ok_or(EnvelopeFault::Refused)?;
        let mut text = SecretBytes::copied(text);
        aead::open(&self.key, &sealed.nonce, &context::payload_aad(header), text.expose_mut(), tag)
            .map_err(|AeadFailed| EnvelopeFault::Refused)?;
        Ok(text)
    }
}

/// Reads a padded plaintext.
pub(crate) fn parse(plaintext: &[u8]) -> Result<Payload<'_>, EnvelopeFault> {
    let payload = Payload::from_bytes(padding::strip(plaintext)?).map_err(|_| EnvelopeFault::Malformed)?;
    check_owners(&payload.owners)?;
    Ok(payload)
}

/// The padded plaintext, in one buffer of its final size.
fn encode(header: &Header, contents: &Contents, credential: &[u8]) -> Result<SecretBytes, EnvelopeFault> {
    let payload = Payload {
        credential: credential.into(),
        exchange: &contents.exchange,
        owners: contents.owners.clone(),
        finding: contents.finding.clone(),
        generation: header.generation,
        created: contents.created,
    };
    let length = encoded_length(&payload);
    if length > MAX_ENVELOPE {
        return Err(EnvelopeFault::TooLarge);
    }
    let prefix = u32::try_from(length).map_err(|_| EnvelopeFault::TooLarge)?.to_be_bytes();
    let mut plaintext = SecretBytes::zeroed(padding::bucket(length));
    let (head, text) = plaintext
        .expose_mut()
        .split_first_chunk_mut::<{ padding::PREFIX }>()
        .ok_or(EnvelopeFault::Internal)?;
    *head = prefix;
    minicbor::encode(&payload, Cursor::new(text)).map_err(|_| EnvelopeFault::Internal)?;
    Ok(plaintext)
}

fn encoded_length(payload: &Payload<'_>) -> usize {
    struct Count(usize);
    impl minicbor::encode::Write for Count {
        type Error = core::convert::Infallible;
        fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
            self.0 = self.0.saturating_add(bytes.len());
            Ok(())
        }
    }
    let mut count = Count(0);
    match minicbor::encode(payload, &mut count) {
        Ok(()) => count.0,
        // The derived encoders and the counter have no error of their own.
        Err(_) => usize::MAX,
    }
}
