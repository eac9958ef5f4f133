//! Hybrid public key encryption (RFC 9180), base mode only, over aws-lc-rs.
//!
//! KEM X-Wing (0x647a, draft-connolly-cfrg-xwing-kem), KDF HKDF-SHA256 (0x0001), AEAD AES-256-GCM (0x0002).
//! There is no authenticated and no PSK mode: a long-lived sender key cannot be used, so no pair of messages can
//! meet on one AES-GCM key and nonce (m25). A recipient parses its keys once.

mod context;
mod kdf;
mod schedule;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod x25519;
mod xwing;

pub use context::{RecipientContext, SenderContext};
pub(crate) use kdf::{Secret, expand, extract};
pub use schedule::Info;

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use wire::identity::Suite;
use zeroize::Zeroizing;

/// The KEM's shared secret, 32 bytes for both KEMs.
type SharedSecret = Zeroizing<[u8; 32]>;

/// The length of an AES-256-GCM key.
pub const KEY_BYTES: usize = 32;
/// The length of an AES-GCM nonce.
pub const NONCE_BYTES: usize = 12;
/// The length of an AES-GCM tag.
pub const TAG_BYTES: usize = 16;

/// Why a message was not sealed or opened. Says nothing about the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The recipient's public key is malformed or of another suite.
    PublicKey,
    /// The encapsulated key has another length, or gives a non-contributory secret (m24).
    EncapsulatedKey,
    /// The ciphertext does not open.
    Open,
    /// The context has used every sequence number.
    Exhausted,
    /// An export of more than 255 × 32 bytes was asked for.
    ExportLength,
    /// The cryptographic library failed.
    Library,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Error::PublicKey => "the recipient's public key is not one of this suite",
            Error::EncapsulatedKey => "the encapsulated key is refused",
            Error::Open => "the message does not open",
            Error::Exhausted => "the context has used every sequence number",
            Error::ExportLength => "the export is longer than the key derivation allows",
            Error::Library => "the cryptographic library failed",
        })
    }
}

impl core::error::Error for Error {}

/// A recipient's public key, parsed.
#[derive(Debug)]
pub struct PublicKey {
    suite: Suite,
    kind: PublicKind,
}

#[derive(Debug)]
enum PublicKind {
    XWing(Box<xwing::PublicKey>),
    #[cfg(test)]
    X25519(x25519::PublicKey),
}

impl PublicKey {
    /// Parses an X-Wing public key: ML-KEM-768 encapsulation key (1184 bytes) ‖ X25519 public key (32 bytes).
    pub fn x_wing(bytes: &[u8]) -> Result<PublicKey, Error> {
        let kind = PublicKind::XWing(Box::new(xwing::PublicKey::parse(bytes)?));
        Ok(PublicKey { suite: wire::identity::SUITE, kind })
    }

    /// Parses a public key of the suite that it claims.
    pub fn parse(suite: Suite, bytes: &[u8]) -> Result<PublicKey, Error> {
        if suite != wire::identity::SUITE {
            return Err(Error::PublicKey);
        }
        PublicKey::x_wing(bytes)
    }

    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The public key as it goes on the wire.
    pub fn bytes(&self) -> &[u8] {
        match &self.kind {
            PublicKind::XWing(key) => key.bytes(),
            #[cfg(test)]
            PublicKind::X25519(key) => key.bytes(),
        }
    }

    /// `SetupBaseS` (RFC 9180 §5.1.1): a fresh encapsulated key and the context that goes with it.
    pub fn setup_sender(&self, info: &Info) -> Result<(Vec<u8>, SenderContext), Error> {
        info.check_suite(self.suite())?;
        let (encapsulated, shared) = match &self.kind {
            PublicKind::XWing(key) => key.encapsulate()?,
            #[cfg(test)]
            PublicKind::X25519(key) => key.encapsulate()?,
        };
        Ok((encapsulated, SenderContext::new(info.derive_keys(&shared)?)))
    }
}

/// A recipient's private key: made here, parsed once, never exported.
pub struct RecipientKey {
    kind: PrivateKind,
    public: PublicKey,
}

enum PrivateKind {
    XWing(Box<xwing::PrivateKey>),
    #[cfg(test)]
    X25519(x25519::PrivateKey),
}

impl RecipientKey {
    /// A fresh X-Wing key from the library's own randomness.
    pub fn generate() -> Result<RecipientKey, Error> {
        let private = xwing::PrivateKey::generate()?;
        let public = PublicKey::x_wing(private.public_bytes())?;
        Ok(RecipientKey { kind: PrivateKind::XWing(Box::new(private)), public })
    }

    /// A fresh X-Wing key, and its bytes, which a person keeps in a file. An enclave has no use for it: its keys die
    /// with it.
    pub fn generate_kept() -> Result<(RecipientKey, Zeroizing<Vec<u8>>), Error> {
        let (private, bytes) = xwing::PrivateKey::generate_kept()?;
        let public = PublicKey::x_wing(private.public_bytes())?;
        Ok((RecipientKey { kind: PrivateKind::XWing(Box::new(private)), public }, bytes))
    }

    /// A key from the bytes of [`RecipientKey::generate_kept`].
    pub fn kept(bytes: &[u8]) -> Result<RecipientKey, Error> {
        let private = xwing::PrivateKey::kept(bytes)?;
        let public = PublicKey::x_wing(private.public_bytes())?;
        Ok(RecipientKey { kind: PrivateKind::XWing(Box::new(private)), public })
    }

    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The length of an encapsulated key for this recipient.
    pub fn encapsulated_bytes(&self) -> usize {
        match &self.kind {
            PrivateKind::XWing(_) => xwing::ENCAPSULATED_BYTES,
            #[cfg(test)]
            PrivateKind::X25519(_) => x25519::ENCAPSULATED_BYTES,
        }
    }

    /// `SetupBaseR` (RFC 9180 §5.1.1).
    pub fn setup_recipient(&self, encapsulated: &[u8], info: &Info) -> Result<RecipientContext, Error> {
        info.check_suite(self.public.suite())?;
        let shared = match &self.kind {
            PrivateKind::XWing(key) => key.decapsulate(encapsulated)?,
            #[cfg(test)]
            PrivateKind::X25519(key) => key.decapsulate(encapsulated)?,
        };
        Ok(RecipientContext::new(info.derive_keys(&shared)?))
    }
}

/// The suite's AEAD under a key of [`KEY_BYTES`] bytes.
pub(crate) fn aead_key(suite: Suite, key: &[u8; KEY_BYTES]) -> Result<LessSafeKey, Error> {
    let algorithm = match suite.aead {
        0x0002 => &AES_256_GCM,
        // The one that crate `ohttp` has in common with us: keys and nonces are as long.
        #[cfg(test)]
        0x0003 => &aws_lc_rs::aead::CHACHA20_POLY1305,
        _ => return Err(Error::PublicKey),
    };
    UnboundKey::new(algorithm, key).map(LessSafeKey::new).map_err(|_| Error::Library)
}

impl core::fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RecipientKey(..)")
    }
}
