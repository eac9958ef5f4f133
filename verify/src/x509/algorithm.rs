//! The keys and signatures that certificates of TEE vendors use, told apart by the bytes of their AlgorithmIdentifier.

use super::der::{Reader, SEQUENCE};
use crate::Refused;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PSS_2048_8192_SHA384, UnparsedPublicKey,
    VerificationAlgorithm,
};

/// How a certificate or a list of revoked ones is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// ecdsa-with-SHA256 by a P-256 key: Intel.
    Es256,
    /// ecdsa-with-SHA384 by a P-384 key: AWS.
    Es384,
    /// RSASSA-PSS with SHA-384, MGF1 of SHA-384 and 48 bytes of salt: AMD.
    Ps384,
}

/// A subject's key, as the received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key<'b> {
    /// Uncompressed points: 0x04 ‖ x ‖ y.
    P256(&'b [u8]),
    P384(&'b [u8]),
    /// RSAPublicKey in DER (RFC 8017 §A.1.1).
    Rsa(&'b [u8]),
}

/// Contents of `AlgorithmIdentifier { ecdsa-with-SHA256 }` and `{ ecdsa-with-SHA384 }`, without parameters (RFC 5758 §3.2).
const ES256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
const ES384: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03";
/// Contents of `AlgorithmIdentifier { id-RSASSA-PSS }` with these parameters (RFC 4055 §3.1).
const PS384: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\
    \x03\x04\x02\x02\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\x86\x48\
    \x01\x65\x03\x04\x02\x02\x05\x00\xa2\x03\x02\x01\x30";
/// The same with the trailer field, which is its default and so not DER: AMD's older certificates write it.
const PS384_TRAILER: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x39\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\
    \x01\x65\x03\x04\x02\x02\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d\x06\x09\x60\
    \x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\xa2\x03\x02\x01\x30\xa3\x03\x02\x01\x01";
/// Contents of `AlgorithmIdentifier { id-ecPublicKey }` of each curve (RFC 5480 §2.1).
const P256: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
/// Contents of `AlgorithmIdentifier { rsaEncryption, NULL }` (RFC 4055 §1.2).
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

const P256_POINT_BYTES: usize = 65;
const P384_POINT_BYTES: usize = 97;

impl Algorithm {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Algorithm, Refused> {
        match reader.expect(SEQUENCE)?.contents {
            ES256 => Ok(Algorithm::Es256),
            ES384 => Ok(Algorithm::Es384),
            PS384 | PS384_TRAILER => Ok(Algorithm::Ps384),
            _ => Err(Refused::CertificateAlgorithm),
        }
    }

    /// Whether the holder of `key` signed `message`; never with a key of another kind.
    pub(super) fn verifies(self, key: Key<'_>, message: &[u8], signature: &[u8]) -> bool {
        let (algorithm, key): (&'static dyn VerificationAlgorithm, &[u8]) = match (self, key) {
            (Algorithm::Es256, Key::P256(point)) => (&ECDSA_P256_SHA256_ASN1, point),
            (Algorithm::Es384, Key::P384(point)) => (&ECDSA_P384_SHA384_ASN1, point),
            (Algorithm::Ps384, Key::Rsa(key)) => (&RSA_PSS_2048_8192_SHA384, key),
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
    }
}

impl<'b> Key<'b> {
    /// Reads the contents of a SubjectPublicKeyInfo.
    pub(super) fn parse(mut info: Reader<'b>) -> Result<Key<'b>, Refused> {
        let algorithm = info.expect(SEQUENCE)?.contents;
        let key = info.bit_string_bytes()?;
        info.finish()?;
        match (algorithm, key) {
            (P256, [0x04, ..]) if key.len() == P256_POINT_BYTES => Ok(Key::P256(key)),
            (P384, [0x04, ..]) if key.len() == P384_POINT_BYTES => Ok(Key::P384(key)),
            (RSA, _) => Ok(Key::Rsa(key)),
            _ => Err(Refused::CertificateAlgorithm),
        }
    }
}
