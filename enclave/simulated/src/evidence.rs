//! Simulated evidence: a Nitro-format document under a throw-away root made at start (docs/spec/evidence.md §1.4).

use aws_lc_rs::digest::{SHA384, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use enclave::{AttestFailed, Attestation, Attester};
use minicbor::Encoder;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName, DnType, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, SerialNumber,
};
use time::OffsetDateTime;
use wire::UnixMillis;
use wire::identity::TeeKind;

/// What every certificate and document of a simulation says of itself.
pub const MARK: &str = "DEVELOPMENT - NOT A TEE";

/// Marks a development certificate; critical, so that a verifier that does not know it refuses the chain.
const MARK_OID: [u64; 9] = [1, 3, 6, 1, 4, 1, 99999, 1, 1];
const BACKDATE_MS: u64 = 5 * 60_000;
const ROOT_LIFETIME_MS: u64 = 31 * 86_400_000;
const LEAF_LIFETIME_MS: u64 = 24 * 3_600_000;
const RENEW_LEAF_AFTER_MS: u64 = 12 * 3_600_000;
/// `{1: -35}`: ES384 (RFC 9053 §2.1).
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

/// Signs documents that only a verifier told to accept this very root will take.
pub struct SimulatedAttester {
    root: CertifiedIssuer<'static, KeyPair>,
    leaf: Leaf,
    module_id: String,
    pcrs: [[u8; 48]; 3],
}

struct Leaf {
    certificate: Vec<u8>,
    key: EcdsaKeyPair,
    issued: UnixMillis,
}

impl SimulatedAttester {
    /// Makes the root and the first leaf.
    ///
    /// `program` is the file that runs; PCR0 is its SHA-384, so that a simulation too can be told from another.
    /// PCR1 and PCR2 are the SHA-384 of [`MARK`].
    pub fn make(program: &[u8], now: UnixMillis) -> Result<SimulatedAttester, AttestFailed> {
        let root = make_root(now)?;
        let leaf = make_leaf(&root, now)?;
        let mark = sha384(MARK.as_bytes())?;
        let name = sha384(root.der())?;
        let module_id = format!("dev-simulated-{}", hex(name.get(..8).unwrap_or_default()));
        Ok(SimulatedAttester { root, leaf, module_id, pcrs: [sha384(program)?, mark, mark] })
    }

    /// DER of the root that a caller must name to accept this simulation.
    pub fn root(&self) -> &[u8] {
        self.root.der()
    }
}

impl Attester for SimulatedAttester {
    fn kind(&self) -> TeeKind {
        TeeKind::Simulated
    }

    fn attest(&mut self, report_data: &[u8; 64], time: UnixMillis) -> Result<Attestation, AttestFailed> {
        if time.distance(self.leaf.issued) > RENEW_LEAF_AFTER_MS {
            self.leaf = make_leaf(&self.root, time)?;
        }
        let payload = self.payload(report_data, time).map_err(|_| AttestFailed)?;
        let signed =
            encode(|e| e.array(4)?.str("Signature1")?.bytes(&PROTECTED)?.bytes(&[])?.bytes(&payload)?.ok())
                .map_err(|_| AttestFailed)?;
        let signature = self.leaf.key.sign(&SystemRandom::new(), &signed).map_err(|_| AttestFailed)?;
        encode(|e| e.array(4)?.bytes(&PROTECTED)?.map(0)?.bytes(&payload)?.bytes(signature.as_ref())?.ok())
            .map(Attestation::nitro)
            .map_err(|_| AttestFailed)
    }
}

impl SimulatedAttester {
    fn payload(&self, report_data: &[u8; 64], time: UnixMillis) -> Result<Vec<u8>, EncodeError> {
        encode(|e| {
            e.map(9)?;
            e.str("module_id")?.str(&self.module_id)?;
            e.str("digest")?.str("SHA384")?;
            e.str("timestamp")?.u64(time.0)?;
            e.str("pcrs")?.map(3)?;
            for (index, pcr) in (0u8..).zip(&self.pcrs) {
                e.u8(index)?.bytes(pcr)?;
            }
            e.str("certificate")?.bytes(&self.leaf.certificate)?;
            e.str("cabundle")?.array(1)?.bytes(self.root.der())?;
            e.str("public_key")?.null()?;
            e.str("user_data")?.bytes(report_data)?;
            e.str("nonce")?.null()?.ok()
        })
    }
}

type EncodeError = minicbor::encode::Error<core::convert::Infallible>;

fn encode(
    write: impl FnOnce(&mut Encoder<&mut Vec<u8>>) -> Result<(), EncodeError>,
) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::new();
    write(&mut Encoder::new(&mut bytes))?;
    Ok(bytes)
}

fn make_root(now: UnixMillis) -> Result<CertifiedIssuer<'static, KeyPair>, AttestFailed> {
    let mut params = marked("Tensfer simulation root", now, ROOT_LIFETIME_MS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).map_err(|_| AttestFailed)?;
    CertifiedIssuer::self_signed(params, key).map_err(|_| AttestFailed)
}

fn make_leaf(root: &CertifiedIssuer<'static, KeyPair>, now: UnixMillis) -> Result<Leaf, AttestFailed> {
    let mut params = marked("Tensfer simulated enclave", now, LEAF_LIFETIME_MS)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).map_err(|_| AttestFailed)?;
    let certificate = params.signed_by(&key, root).map_err(|_| AttestFailed)?.der().to_vec();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, key.serialized_der())
        .map_err(|_| AttestFailed)?;
    Ok(Leaf { certificate, key, issued: now })
}

/// Parameters that every certificate of the simulation shares: marked, backdated, short-lived.
fn marked(name: &str, now: UnixMillis, lifetime_ms: u64) -> Result<CertificateParams, AttestFailed> {
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
fn mark_extension() -> Result<CustomExtension, AttestFailed> {
    let length = u8::try_from(MARK.len()).map_err(|_| AttestFailed)?;
    let value = [&[0x0c, length], MARK.as_bytes()].concat();
    let mut extension = CustomExtension::from_oid_content(&MARK_OID, value);
    extension.set_criticality(true);
    Ok(extension)
}

fn serial() -> Result<SerialNumber, AttestFailed> {
    let mut serial = [0u8; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| AttestFailed)?;
    serial[0] = serial[0] & 0x7f | 0x40; // Positive, and of one length.
    Ok(SerialNumber::from_slice(&serial))
}

fn certificate_time(at: UnixMillis) -> Result<OffsetDateTime, AttestFailed> {
    let seconds = i64::try_from(at.0 / 1000).map_err(|_| AttestFailed)?;
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| AttestFailed)
}

fn sha384(bytes: &[u8]) -> Result<[u8; 48], AttestFailed> {
    digest(&SHA384, bytes).as_ref().try_into().map_err(|_| AttestFailed)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
