//! A vendor of one test's own, who vouches for enclaves in the form of AWS's: the production verifier checks them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use enclave::{AttestFailed, Attestation, Attester};
use minicbor::Encoder;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName, DnType, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, date_time_ymd,
};
use verify::expect::Kind;
use verify::{Root, VendorRoots};
use wire::UnixMillis;
use wire::cose::to_be_signed;
use wire::identity::TeeKind;

/// `{1: -35}`: ES384.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

/// What a development signer's certificates say of themselves (docs/spec/evidence.md §1.4).
const MARK: &str = "DEVELOPMENT - NOT A TEE";
const MARK_OID: [u64; 9] = [1, 3, 6, 1, 4, 1, 99999, 1, 1];

pub struct Vendor {
    root: CertifiedIssuer<'static, KeyPair>,
    is_development: bool,
}

/// Whom an enclave believes besides the vendors that are compiled in.
#[derive(Clone, Copy, PartialEq)]
enum Believes {
    /// Nobody.
    Nobody,
    /// This vendor, in the place of AWS.
    Vendor,
    /// This development signer, of emulated peers.
    Development,
}

impl Vendor {
    pub fn new() -> Vendor {
        Vendor::make(false)
    }

    /// A development signer, who says that it is one, and signs for emulated machines.
    pub fn development() -> Vendor {
        Vendor::make(true)
    }

    fn make(is_development: bool) -> Vendor {
        let mut root = certificate("root", is_development);
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        Vendor { root: CertifiedIssuer::self_signed(root, key).unwrap(), is_development }
    }

    /// An enclave whose program measures this in PCR0, and that believes what this vendor says of others.
    pub fn enclave(&self, measured: u8) -> Box<dyn Attester> {
        self.vouched(measured, if self.is_development { Believes::Development } else { Believes::Vendor })
    }

    /// One that believes nobody but the vendors that are compiled in.
    pub fn doubting(&self, measured: u8) -> Box<dyn Attester> {
        self.vouched(measured, Believes::Nobody)
    }

    fn vouched(&self, measured: u8, believes: Believes) -> Box<dyn Attester> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let mut leaf = certificate("leaf", self.is_development);
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let leaf = leaf.signed_by(&key, &self.root).unwrap().der().to_vec();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, key.serialized_der()).unwrap();
        let module = if self.is_development { "dev-simulated-emulated-1" } else { "i-test-enc0" };
        Box::new(Vouched { root: self.root.der().to_vec(), leaf, key, measured, module, believes })
    }
}

struct Vouched {
    root: Vec<u8>,
    leaf: Vec<u8>,
    key: EcdsaKeyPair,
    measured: u8,
    module: &'static str,
    believes: Believes,
}

impl Vouched {
    fn root_for(&self, believes: Believes) -> Option<Root> {
        (self.believes == believes).then(|| Root::dangerous_from_der(&self.root).unwrap())
    }
}

impl Attester for Vouched {
    fn kind(&self) -> TeeKind {
        TeeKind::Nitro
    }

    fn vendors(&self) -> VendorRoots {
        let own = self.root_for(Believes::Vendor);
        own.map_or_else(VendorRoots::default, |root| {
            VendorRoots::default().dangerous_instead(Kind::Nitro, vec![root])
        })
    }

    fn dangerous_peers(&self) -> Option<Root> {
        self.root_for(Believes::Development)
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
        encoder.str("module_id").unwrap().str(self.module).unwrap();
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

fn certificate(name: &str, is_development: bool) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 11, 22);
    params.not_after = date_time_ymd(2026, 11, 23);
    if is_development {
        params.distinguished_name.push(DnType::OrganizationName, MARK);
        let value = [&[0x0c, u8::try_from(MARK.len()).unwrap()], MARK.as_bytes()].concat();
        let mut mark = CustomExtension::from_oid_content(&MARK_OID, value);
        mark.set_criticality(true);
        params.custom_extensions = vec![mark];
    }
    params
}
