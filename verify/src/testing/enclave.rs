//! An enclave that a test owns: throw-away certificates, an identity, evidence for a nonce.

use crate::binding::report_data;
use crate::expect::Expect;
use crate::expect::Kind;
use crate::hpke::RecipientKey;
use crate::measurement::{Name, Policy, Registers};
use crate::merkle::{Nonce, Tree};
use crate::ohttp::Recipient;
use crate::{Root, VendorRoots};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use minicbor::Encoder;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName, DnType, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P384_SHA384, date_time_ymd,
};
use wire::cose::to_be_signed;
use wire::evidence::{Evidence, Form};
use wire::identity::{
    Build, Environment, EpochCommitment, Epochs, HpkeKey, Identity, SUITE, TeeKind, WIRE_VERSION,
};
use wire::{BootId, Canonical, UnixMillis};

/// 2026-11-22T12:00:00Z; the certificates are valid on that day.
pub(crate) const NOW: UnixMillis = UnixMillis(1_795_348_800_000);
const HOUR_MS: u64 = 3_600_000;
const MARK: &str = "DEVELOPMENT - NOT A TEE";
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x38, 0x22];

pub(crate) struct Enclave {
    pub(crate) identity: Identity,
    pub(crate) recipient: Recipient,
    pub(crate) receipts: Ed25519KeyPair,
    pub(crate) timestamp: UnixMillis,
    simulated: bool,
    pub(crate) module: String,
    root: Vec<u8>,
    leaf: Vec<u8>,
    key: EcdsaKeyPair,
}

impl Enclave {
    /// As a vendor would vouch for it.
    pub(crate) fn hardware() -> Enclave {
        Enclave::start(false)
    }

    pub(crate) fn simulated() -> Enclave {
        Enclave::start(true)
    }

    fn start(simulated: bool) -> Enclave {
        let key = || KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let mut root = certificate("root", simulated);
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = CertifiedIssuer::self_signed(root, key()).unwrap();
        let mut leaf = certificate("leaf", simulated);
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let leaf_key = key();
        let leaf = leaf.signed_by(&leaf_key, &root).unwrap().der().to_vec();
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, leaf_key.serialized_der()).unwrap();
        let recipient = Recipient::generate(1).unwrap();
        let receipts = Ed25519KeyPair::generate().unwrap();
        let tee = if simulated { TeeKind::Simulated } else { TeeKind::Nitro };
        let identity = identity(tee, &recipient, receipts.public_key().as_ref().try_into().unwrap());
        Enclave {
            identity,
            recipient,
            receipts,
            timestamp: NOW,
            simulated,
            module: if simulated { "dev-simulated-test" } else { "i-test-enc0" }.to_owned(),
            root: root.der().to_vec(),
            leaf,
            key,
        }
    }

    pub(crate) fn root(&self) -> Root {
        Root::dangerous_from_der(&self.root).unwrap()
    }

    /// What accepts this enclave and no other.
    pub(crate) fn expected(&self) -> Expect {
        let registers = (0..3).try_fold(Registers::new(), |all, at| all.with(Name::Pcr(at), [at + 1; 48]));
        let mut expect = Expect::new(Policy::new().or(registers.unwrap()));
        if self.simulated {
            expect.dangerous_simulated = Some(self.root());
        } else {
            expect.vendors = VendorRoots::default().dangerous_instead(Kind::Nitro, vec![self.root()]);
        }
        expect
    }

    /// Evidence for a client whose nonce is answered together with two others.
    pub(crate) fn evidence(&self, nonce: &Nonce) -> Evidence {
        let identity = self.identity.to_bytes();
        let tree = Tree::new([&[1; 32], nonce, &[2; 32]]).unwrap();
        let document = self.document(&report_data(&tree.root(), &identity));
        Evidence {
            version: WIRE_VERSION,
            identity,
            document,
            inclusion: tree.inclusion(1).unwrap(),
            form: Form::Nitro,
            certificates: Vec::new(),
            collateral: None,
        }
    }

    pub(crate) fn document(&self, user_data: &[u8]) -> Vec<u8> {
        let payload = self.payload(user_data);
        let signed = to_be_signed(&PROTECTED, "", &payload);
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        encoder.array(4).unwrap().bytes(&PROTECTED).unwrap().map(0).unwrap();
        encoder.bytes(&payload).unwrap().bytes(signature.as_ref()).unwrap();
        bytes
    }

    fn payload(&self, user_data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        encoder.map(7).unwrap();
        encoder.str("module_id").unwrap().str(&self.module).unwrap();
        encoder.str("digest").unwrap().str("SHA384").unwrap();
        encoder.str("timestamp").unwrap().u64(self.timestamp.0).unwrap();
        encoder.str("pcrs").unwrap().map(3).unwrap();
        for register in 0..3u8 {
            encoder.u8(register).unwrap().bytes(&[register + 1; 48]).unwrap();
        }
        encoder.str("certificate").unwrap().bytes(&self.leaf).unwrap();
        encoder.str("cabundle").unwrap().array(1).unwrap().bytes(&self.root).unwrap();
        encoder.str("user_data").unwrap().bytes(user_data).unwrap();
        bytes
    }
}

fn identity(tee: TeeKind, recipient: &Recipient, receipt_key: [u8; 32]) -> Identity {
    Identity {
        version: WIRE_VERSION,
        hpke_keys: vec![hpke_key(recipient)],
        receipt_key,
        boot: BootId([3; 16]),
        epochs: Epochs {
            current: 2,
            oldest: 1,
            commitments: vec![
                EpochCommitment { epoch: 1, commitment: [0x11; 32] },
                EpochCommitment { epoch: 2, commitment: [0x22; 32] },
            ],
        },
        manifest: Some([4; 32]),
        connectors: [5; 32],
        relying_parties: Vec::new(),
        tee,
        environment: Environment::Live,
        log: None,
        build: Build { version: "0.3.0".to_owned(), commit: "unknown".to_owned() },
        issued: NOW,
        expires: NOW.plus(HOUR_MS),
        freshness: None,
        classes: Vec::new(),
        announced: Vec::new(),
        notices: Vec::new(),
    }
}

pub(crate) fn hpke_key(recipient: &Recipient) -> HpkeKey {
    HpkeKey {
        id: recipient.id(),
        suite: SUITE,
        public: recipient.public_key().bytes().to_vec(),
        not_after: NOW.plus(HOUR_MS),
    }
}

/// A fresh public key of the right length that nobody holds the other half of.
pub(crate) fn stray_public_key() -> Vec<u8> {
    RecipientKey::generate().unwrap().public_key().bytes().to_vec()
}

fn certificate(name: &str, simulated: bool) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 11, 22);
    params.not_after = date_time_ymd(2026, 11, 23);
    if simulated {
        params.distinguished_name.push(DnType::OrganizationName, MARK);
        let value = [&[0x0c, u8::try_from(MARK.len()).unwrap()], MARK.as_bytes()].concat();
        let mut mark = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1, 1], value);
        mark.set_criticality(true);
        params.custom_extensions = vec![mark];
    }
    params
}
