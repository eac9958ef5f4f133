//! A provider in memory: a certificate authority and a rustls server that is fed bytes.
//!
//! Uses no part of this crate, so that the example that measures costs can include it as well.

use std::io::{Read, Write};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

/// A certificate authority made for one test.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A server certificate with its chain and key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Authority {
    /// A root whose certificate permits the DNS names under each of `domains` only; without any: all names.
    pub fn constrained_to(domains: &[&str]) -> Self {
        let permitted = domains.iter().map(|domain| GeneralSubtree::DnsName((*domain).to_owned())).collect();
        let constraints = NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() };
        Self::with(|params| params.name_constraints = (!domains.is_empty()).then_some(constraints))
    }

    /// A root with parameters of the test's choice.
    pub fn with(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Test root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        change(&mut params);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// The root a sandbox would use.
    pub fn sandbox() -> Self {
        Self::constrained_to(&["sandbox.test"])
    }

    pub fn der(&self) -> &[u8] {
        self.issuer.der()
    }

    /// A server certificate for `names`, valid through 2030.
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| {})
    }

    /// A server certificate with parameters of the test's choice.
    pub fn issue_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let (params, key) = (leaf(names, change), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { chain: vec![certificate.der().clone()], key }
    }
}

impl Identity {
    /// The certificate itself.
    pub fn leaf(&self) -> &CertificateDer<'static> {
        &self.chain[0]
    }

    /// A certificate that vouches for itself.
    pub fn self_signed(names: &[&str]) -> Self {
        let (params, key) = (leaf(names, |_| {}), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap();
        Self { chain: vec![certificate.der().clone()], key }
    }
}

fn leaf(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2030, 12, 31);
    change(&mut params);
    params
}

/// One accepted connection of a provider.
pub struct Provider {
    tls: ServerConnection,
    plaintext: Vec<u8>,
}

impl Provider {
    pub fn new(identity: &Identity, versions: &[&'static SupportedProtocolVersion]) -> Self {
        Self::accept(Self::config(identity, versions))
    }

    /// A configuration that many connections can share.
    pub fn config(identity: &Identity, versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain.clone(), key)
            .unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }

    pub fn accept(config: Arc<ServerConfig>) -> Self {
        Self { tls: ServerConnection::new(config).unwrap(), plaintext: Vec::new() }
    }

    /// Takes bytes of the client; what was decrypted is kept for [`request`](Self::request).
    pub fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.tls.read_tls(&mut bytes).unwrap();
            // A client that refuses the certificate says so by an alert, which is an error here.
            let Ok(state) = self.tls.process_new_packets() else { return };
            let mut plaintext = vec![0; state.plaintext_bytes_to_read()];
            self.tls.reader().read_exact(&mut plaintext).unwrap();
            self.plaintext.extend(plaintext);
        }
    }

    /// The plaintext received since the last call.
    pub fn request(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.plaintext)).unwrap()
    }

    pub fn respond(&mut self, plaintext: &[u8]) {
        for piece in plaintext.chunks(8 << 10) {
            self.tls.writer().write_all(piece).unwrap();
        }
    }

    /// Sends close_notify.
    pub fn close(&mut self) {
        self.tls.send_close_notify();
    }

    /// Bytes for the client.
    pub fn output(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    /// The name the client asked for.
    pub fn server_name(&self) -> Option<&str> {
        self.tls.server_name()
    }

    pub fn tls(&self) -> &ServerConnection {
        &self.tls
    }
}
