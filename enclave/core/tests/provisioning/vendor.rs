//! A vendor of one test's own, who vouches for enclaves in the form of AWS's: the production verifier checks them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use enclave::{AttestFailed, Attestation, Attester};
use minicbor::Encoder;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, date_time_ymd,
};
use verify::expect::Kind;
use verify::{Root, VendorRoots};
use wire::UnixMillis;
use wire::cose::to_be_signed;
use wire::identity::TeeKind;

/// `{1: -35}`: ES384.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

pub struct Vendor(CertifiedIssuer<'static, KeyPair>);

impl Vendor {
    pub fn new() -> Vendor {
        let mut root = certificate("root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        Vendor(CertifiedIssuer::self_signed(root, key).unwrap())
    }

    /// An enclave whose program measures this in PCR0, and that believes what this vendor says of others.
    pub fn enclave(&self, measured: u8) -> Box<dyn Attester> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let mut leaf = certificate("leaf");
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let leaf = leaf.signed_by(&key, &self.0).unwrap().der().to_vec();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, key.serialized_der()).unwrap();
        Box::new(Vouched { root: self.0.der().to_vec(), leaf, key, measured })
    }
}

struct Vouched {
    root: Vec<u8>,
    leaf: Vec<u8>,
    key: EcdsaKeyPair,
    measured: u8,
}

impl Attester for Vouched {
    fn kind(&self) -> TeeKind {
        TeeKind::Nitro
    }

    fn vendors(&self) -> VendorRoots {
        let root = Root::dangerous_from_der(&self.root).unwrap();
        VendorRoots::default().dangerous_instead(Kind::Nitro, vec![root])
    }

    fn attest(&mut self, report_data: &[u8; 64], time: UnixMillis) -> Result<Attestation, AttestFailed> {
        let payload = self.payload(report_data, time);
        let signed = to_be_signed(&PROTECTED, "", &payload);
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        encoder.array(4).unwrap().bytes(&PROTECTED).unwrap().map(0).unwrap();
        encoder.bytes(&payload).unwrap().bytes(signature.as_ref()).unwrap();
        Ok(Attestation::nitro(bytes))
    }
}

impl Vouched {
    fn payload(&self, user_data: &[u8], time: UnixMillis) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        encoder.map(7).unwrap();
        encoder.str("module_id").unwrap().str("i-test-enc0").unwrap();
        encoder.str("digest").unwrap().str("SHA384").unwrap();
        encoder.str("timestamp").unwrap().u64(time.0).unwrap();
        encoder.str("pcrs").unwrap().map(3).unwrap();
        for (register, value) in [(0u8, self.measured), (1, 1), (2, 2)] {
            encoder.u8(register).unwrap().bytes(&[value; 48]).unwrap();
        }
        encoder.str("certificate").unwrap().bytes(&self.leaf).unwrap();
        encoder.str("cabundle").unwrap().array(1).unwrap().bytes(&self.root).unwrap();
        encoder.str("user_data").unwrap().bytes(user_data).unwrap();
        bytes
    }
}

fn certificate(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 11, 22);
    params.not_after = date_time_ymd(2026, 11, 23);
    params
}
