//! A throw-away root, and the leaf below it that signs.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use minicbor::Encoder;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, SerialNumber,
};
use time::OffsetDateTime;
use wire::UnixMillis;

/// What every certificate and document of a simulation says of itself.
pub const MARK: &str = "DEVELOPMENT - NOT A TEE";
/// How the module id of every simulated enclave begins.
pub const MODULE_PREFIX: &str = "dev-simulated-";

/// Marks a development certificate; critical, so that a verifier that does not know it refuses the chain.
const MARK_OID: [u64; 9] = [1, 3, 6, 1, 4, 1, 99999, 1, 1];
const BACKDATE_MS: u64 = 5 * 60_000;
const ROOT_LIFETIME_MS: u64 = 31 * 86_400_000;
const LEAF_LIFETIME_MS: u64 = 24 * 3_600_000;
const RENEW_LEAF_AFTER_MS: u64 = 12 * 3_600_000;
/// `{1: -35}`: ES384 (RFC 9053 §2.1).
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

/// The cryptographic library failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningFailed;

/// Signs documents that only a verifier told to accept this very root will take.
pub struct Authority {
    /// DER.
    root: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
    leaf: Leaf,
}

struct Leaf {
    certificate: Vec<u8>,
    key: EcdsaKeyPair,
    issued: UnixMillis,
}

impl Authority {
    /// Makes the root and the first leaf. Its keys end with the process, unless somebody asks for the root's.
    pub fn make(now: UnixMillis) -> Result<Authority, SigningFailed> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).map_err(|_| SigningFailed)?;
        let root = root_parameters(now)?.self_signed(&key).map_err(|_| SigningFailed)?.der().to_vec();
        Authority::of(root, key, now)
    }

    /// A root that was made before, with a leaf of its own: so that several processes sign under one root.
    pub fn kept(root: Vec<u8>, key: &[u8], now: UnixMillis) -> Result<Authority, SigningFailed> {
        Authority::of(root, KeyPair::try_from(key).map_err(|_| SigningFailed)?, now)
    }

    fn of(root: Vec<u8>, key: KeyPair, now: UnixMillis) -> Result<Authority, SigningFailed> {
        let issuer = Issuer::new(root_parameters(now)?, key);
        let leaf = make_leaf(&issuer, now)?;
        Ok(Authority { root, issuer, leaf })
    }

    /// DER of the root that a caller must name to accept what this signs.
    pub fn root(&self) -> &[u8] {
        &self.root
    }

    /// The root's private key, PKCS#8 in DER.
    pub fn key(&self) -> &[u8] {
        self.issuer.key().serialized_der()
    }

    /// DER of the certificate that [`Authority::sign`] signs under. Makes a new one where the last is old.
    pub fn leaf(&mut self, time: UnixMillis) -> Result<&[u8], SigningFailed> {
        if time.distance(self.leaf.issued) > RENEW_LEAF_AFTER_MS {
            self.leaf = make_leaf(&self.issuer, time)?;
        }
        Ok(&self.leaf.certificate)
    }

    /// The whole document: COSE_Sign1 over this payload, which names the leaf.
    pub fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let signed =
            encode(|e| e.array(4)?.str("Signature1")?.bytes(&PROTECTED)?.bytes(&[])?.bytes(payload)?.ok())?;
        let signature = self.leaf.key.sign(&SystemRandom::new(), &signed).map_err(|_| SigningFailed)?;
        encode(|e| e.array(4)?.bytes(&PROTECTED)?.map(0)?.bytes(payload)?.bytes(signature.as_ref())?.ok())
    }
}

type EncodeError = minicbor::encode::Error<core::convert::Infallible>;

/// CBOR that `write` writes.
pub fn encode(
    write: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> Result<(), EncodeError>,
) -> Result<Vec<u8>, SigningFailed> {
    let mut bytes = Vec::new();
    write(&mut Encoder::new(&mut bytes)).map_err(|_| SigningFailed)?;
    Ok(bytes)
}

/// The name and uses are the same of every root; the times are of the one that is made now.
fn root_parameters(now: UnixMillis) -> Result<CertificateParams, SigningFailed> {
    let mut params = marked("Tensfer simulation root", now, ROOT_LIFETIME_MS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn make_leaf(root: &Issuer<'static, KeyPair>, now: UnixMillis) -> Result<Leaf, SigningFailed> {
    let mut params = marked("Tensfer simulated enclave", now, LEAF_LIFETIME_MS)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).map_err(|_| SigningFailed)?;
    let certificate = params.signed_by(&key, root).map_err(|_| SigningFailed)?.der().to_vec();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, key.serialized_der())
        .map_err(|_| SigningFailed)?;
    Ok(Leaf { certificate, key, issued: now })
}

/// Parameters that every certificate of the simulation shares: marked, backdated, short-lived.
fn marked(name: &str, now: UnixMillis, lifetime_ms: u64) -> Result<CertificateParams, SigningFailed> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, MARK);
    let from = now.minus(BACKDATE_MS);
    params.not_before = certificate_time(from)?;
    params.not_after = certificate_time(from.plus(lifetime_ms))?;
    params.serial_number = Some(serial()?);
    params.custom_extensions = vec![mark_extension()?];
    Ok(params)
}

/// Critical, value: DER UTF8String of [`MARK`].
fn mark_extension() -> Result<CustomExtension, SigningFailed> {
    let length = u8::try_from(MARK.len()).map_err(|_| SigningFailed)?;
    let value = [&[0x0c, length], MARK.as_bytes()].concat();
    let mut extension = CustomExtension::from_oid_content(&MARK_OID, value);
    extension.set_criticality(true);
    Ok(extension)
}

fn serial() -> Result<SerialNumber, SigningFailed> {
    let mut serial = [0u8; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| SigningFailed)?;
    serial[0] = serial[0] & 0x7f | 0x40; // Positive, and of one length.
    Ok(SerialNumber::from_slice(&serial))
}

fn certificate_time(at: UnixMillis) -> Result<OffsetDateTime, SigningFailed> {
    let seconds = i64::try_from(at.0 / 1000).map_err(|_| SigningFailed)?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| SigningFailed)
}
