//! Machines that a test owns: SEV-SNP reports and TDX quotes under made-up vendors (vectors/make), signed over any data.

use super::enclave::Enclave;
use super::vector;
use crate::binding::report_data;
use crate::expect::{Expect, Kind};
use crate::measurement::{Name, Policy, Registers};
use crate::merkle::{Nonce, Tree};
use crate::{Root, VendorRoots, text};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use serde_json::Value;
use wire::Canonical;
use wire::evidence::{Evidence, Form};
use wire::identity::{TeeKind, WIRE_VERSION};

pub(crate) struct Machine {
    kind: Kind,
    made: Value,
    /// What runs in it.
    pub(crate) enclave: Enclave,
}

impl Machine {
    pub(crate) fn sev_snp() -> Machine {
        Machine::start(Kind::SevSnp, TeeKind::SevSnp, "made-snp.json")
    }

    pub(crate) fn tdx() -> Machine {
        Machine::start(Kind::Tdx, TeeKind::Tdx, "made-tdx.json")
    }

    fn start(kind: Kind, tee: TeeKind, file: &str) -> Machine {
        let made = serde_json::from_slice(&vector(&format!("evidence/{file}"))).unwrap();
        let mut enclave = Enclave::hardware();
        enclave.identity.tee = tee;
        Machine { kind, made, enclave }
    }

    /// What accepts this machine and no other.
    pub(crate) fn expected(&self) -> Expect {
        let (root, name) = match self.kind {
            Kind::SevSnp => ("ark", Name::Measurement),
            _ => ("root", Name::Mrtd),
        };
        let measured = Registers::new().with(name, [0x11; 48]).unwrap();
        let mut expect = Expect::new(Policy::new().or(measured));
        let root = Root::dangerous_from_der(&self.part("roots", root)).unwrap();
        expect.vendors = VendorRoots::default().dangerous_instead(self.kind, vec![root]);
        expect
    }

    /// Evidence for a client that is answered alone.
    pub(crate) fn evidence(&self, nonce: &Nonce) -> Evidence {
        let identity = self.enclave.identity.to_bytes();
        let tree = Tree::new([nonce]).unwrap();
        let document = self.document(&report_data(&tree.root(), &identity));
        let inclusion = tree.inclusion(0).unwrap();
        let (form, certificates, collateral) = match self.kind {
            Kind::SevSnp => (Form::SevSnp, vec!["vcek", "ask"], None),
            _ => (Form::Tdx, vec![], Some(self.part("collateral", "valid"))),
        };
        let certificates =
            certificates.into_iter().map(|name| self.part("certificates", name).into()).collect();
        Evidence { version: WIRE_VERSION, identity, document, inclusion, form, certificates, collateral }
    }

    /// The valid document over other data, signed again.
    fn document(&self, data: &[u8; 64]) -> Vec<u8> {
        let mut document = self.part("documents", "valid");
        if self.kind == Kind::SevSnp {
            document[0x50..0x90].copy_from_slice(data);
            let signature = self.sign("chip", &ECDSA_P384_SHA384_FIXED_SIGNING, &document[..0x2a0]);
            // r and s, each little-endian in 72 bytes.
            for (at, number) in [0x2a0, 0x2e8].into_iter().zip(signature.chunks(48)) {
                let number: Vec<u8> = number.iter().rev().copied().collect();
                document[at..at + 48].copy_from_slice(&number);
            }
        } else {
            // The header has 48 bytes and the domain's report 584, of which the last 64 are its data; a length follows.
            document[568..632].copy_from_slice(data);
            let signature = self.sign("quoting-enclave", &ECDSA_P256_SHA256_FIXED_SIGNING, &document[..632]);
            document[636..700].copy_from_slice(&signature);
        }
        document
    }

    fn sign(&self, key: &str, algorithm: &'static EcdsaSigningAlgorithm, message: &[u8]) -> Vec<u8> {
        let key = EcdsaKeyPair::from_pkcs8(algorithm, &self.part("keys", key)).unwrap();
        key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    fn part(&self, kind: &str, name: &str) -> Vec<u8> {
        text::unbase64(self.made[kind][name].as_str().unwrap().as_bytes()).unwrap()
    }
}
