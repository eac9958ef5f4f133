//! The sandbox's certificates: a root that is good for `*.sandbox.test` only, and a leaf for each provider host.
//!
//! The root's private key lives until the leaves are signed and is never written. The root is critically
//! name-constrained (RFC 5280 §4.2.1.10), so that it is worthless for a real provider's name wherever it ends up;
//! `docs/spec/egress.md` fixes the bytes of the constraint, which the enclave compares.

use super::described;
use super::dialect::{Dialect, Exchange};
use super::upstream::Upstream;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, SanType, date_time_ymd,
};
use rustls::crypto::aws_lc_rs as provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ResolvesServerCertUsingSni;
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ServerConfig, version};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What every sandbox host name ends with: `api.kraken.com` is served as `api.kraken.com.sandbox.test`.
pub const SUFFIX: &str = ".sandbox.test";
const ZONE: &str = "sandbox.test";
/// The name under which the `Host` header alone selects the exchange.
pub const ANY_HOST: &str = "localhost.sandbox.test";
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// Clients whose clocks run behind accept the certificates too.
const BACKDATED: Duration = Duration::from_secs(24 * 3600);

/// The root certificate, and the TLS configuration with the leaves under it.
pub struct Authority {
    pub root: CertificateDer<'static>,
    pub tls: Arc<ServerConfig>,
}

impl Authority {
    /// Makes fresh keys and certificates for every provider host, those of upstreams among them.
    ///
    /// # Errors
    /// When keys cannot be drawn.
    pub fn make(upstreams: &[Upstream]) -> anyhow::Result<Self> {
        let key = KeyPair::generate()?;
        let params = root_params();
        let certificate = params.self_signed(&key)?;
        let issuer = Issuer::new(params, key);
        let mut leaves = ResolvesServerCertUsingSni::new();
        // One key for all leaves: they stand for one server, and the start stays short.
        let key = KeyPair::generate()?;
        let forwarded = upstreams.iter().map(|upstream| format!("{}{SUFFIX}", upstream.host));
        for host in hosts().chain(forwarded) {
            leaves.add(&host, leaf(&host, &key, &issuer)?)?;
        }
        let mut provider = provider::default_provider();
        // As the load balancers of AWS choose by their policies of TLS 1.3: AES-128 first, whatever the client names first.
        provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
        let mut tls = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&version::TLS13])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(leaves));
        tls.ignore_client_order = true;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Every client makes its own full handshake, as a bench of handshakes expects; and no ticket state is kept.
        tls.send_tls13_tickets = 0;
        Ok(Self { root: certificate.der().clone(), tls: Arc::new(tls) })
    }
}

/// Every name that the sandbox's own exchanges are served under.
pub fn hosts() -> impl Iterator<Item = String> {
    let sites = Exchange::WRITTEN.into_iter().filter_map(Exchange::dialect).flat_map(Dialect::sites);
    let written = sites.flat_map(|site| site.hosts.iter());
    let described = described::all().flat_map(|(_, hosts)| hosts);
    let hosts: BTreeSet<&str> = written.chain(described).copied().collect();
    hosts.into_iter().map(|host| format!("{host}{SUFFIX}")).chain([ANY_HOST.to_owned()])
}

fn root_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Tensfer sandbox root, good for sandbox.test only");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(ZONE.to_owned())],
        excluded_subtrees: Vec::new(),
    });
    dated(params)
}

fn leaf(host: &str, key: &KeyPair, issuer: &Issuer<'_, KeyPair>) -> anyhow::Result<CertifiedKey> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Tensfer sandbox");
    params.subject_alt_names = vec![SanType::DnsName(host.try_into()?)];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = dated(params).signed_by(key, issuer)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(CertifiedKey::new(vec![certificate.der().clone()], provider::sign::any_supported_type(&key)?))
}

fn dated(mut params: CertificateParams) -> CertificateParams {
    let now = SystemTime::now();
    let earliest = date_time_ymd(2025, 1, 1);
    params.not_before = earliest.max((now - BACKDATED).into());
    params.not_after = (now + LIFETIME).into();
    params
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{ServerName, UnixTime};
    use rustls::{CertificateError, Error, RootCertStore};

    fn issued(san: SanType) -> (CertificateDer<'static>, CertificateDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let root = root_params().self_signed(&key).unwrap();
        let issuer = Issuer::new(root_params(), key);
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![san];
        let leaf = dated(params).signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        (root.der().clone(), leaf.der().clone())
    }

    fn verdict(san: SanType, name: &str) -> Result<(), Error> {
        let (root, leaf) = issued(san);
        let mut roots = RootCertStore::empty();
        roots.add(root).unwrap();
        let provider = Arc::new(provider::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(&leaf, &[], &name, &[], UnixTime::now()).map(|_| ())
    }

    fn dns(name: &str) -> SanType {
        SanType::DnsName(name.try_into().unwrap())
    }

    #[test]
    fn the_root_is_good_for_sandbox_hosts() {
        assert_eq!(verdict(dns("api.kraken.com.sandbox.test"), "api.kraken.com.sandbox.test"), Ok(()));
    }

    #[test]
    fn the_root_is_worthless_for_a_real_providers_name() {
        for (san, name) in
            [(dns("api.kraken.com"), "api.kraken.com"), (dns("xsandbox.test"), "xsandbox.test")]
        {
            let refused = verdict(san, name).unwrap_err();
            let Error::InvalidCertificate(CertificateError::Other(reason)) = &refused else {
                panic!("{name}: {refused:?}")
            };
            assert!(format!("{reason:?}").contains("NameConstraintViolation"), "{name}: {reason:?}");
        }
    }

    #[test]
    fn the_constraint_is_byte_for_byte_what_the_enclave_expects() {
        // docs/spec/egress.md, section 1: the extension's id, critical, and its 20 bytes.
        let constraint =
            b"\x06\x03\x55\x1d\x1e\x01\x01\xff\x04\x14\x30\x12\xa0\x10\x30\x0e\x82\x0csandbox.test";
        let root = Authority::make(&[]).unwrap().root;
        let found = root.windows(constraint.len()).filter(|window| window == constraint).count();
        assert_eq!(found, 1);
    }

    #[test]
    fn every_start_makes_another_root() {
        assert_ne!(Authority::make(&[]).unwrap().root, Authority::make(&[]).unwrap().root);
    }
}
