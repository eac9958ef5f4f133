//! Whom the enclave believes to be a provider: the roots, the TLS parameters and the name that is dialled.

use std::fmt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion};

use super::clock::ClaimedClock;
use super::fault::Fault;
use super::sandbox_root::{self, RootRefusal};

/// The only domain that a sandbox root may vouch for; `.test` is reserved and never resolves (RFC 6761).
pub const SANDBOX_DOMAIN: &str = "sandbox.test";

/// TLS 1.3, then TLS 1.2 with ephemeral key exchange and AEAD. Listed here so that no default can widen it.
const SUITES: [SupportedCipherSuite; 9] = [
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// Which providers this enclave talks to. Part of its attested identity.
#[derive(Clone, PartialEq, Eq)]
pub enum Environment {
    /// Real providers, under the web's roots as compiled in. Nothing can be added.
    Live,
    /// Sandbox providers, under exactly this root (DER). Host `H` is dialled as `H.sandbox.test`.
    Sandbox { root_der: Box<[u8]> },
}

/// Why a sandbox root was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrustError {
    /// Not one certificate in DER.
    Encoding,
    /// Not a CA by a critical basicConstraints.
    NotAnAuthority,
    /// No critical nameConstraints that permit exactly `sandbox.test` and nothing else.
    Unconstrained,
}

/// An environment, ready to open connections in. One per enclave, shared by all connections.
pub struct Trust {
    environment: Environment,
    /// `None` only if rustls refuses constant parameters; then every connection fails as ours.
    tls13: Option<Arc<ClientConfig>>,
    tls12: Option<Arc<ClientConfig>>,
    clock: Arc<ClaimedClock>,
}

impl Trust {
    /// Real providers: Mozilla's roots as compiled in (webpki-roots). Has no input.
    pub fn live() -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self::new(Environment::Live, roots)
    }

    /// Sandbox providers under one root, which must be unable to vouch for a real provider.
    ///
    /// # Errors
    /// Unless `root_der` is one CA certificate whose critical nameConstraints (RFC 5280 section 4.2.1.10) permit
    /// the DNS name `sandbox.test` and say nothing else.
    pub fn sandbox(root_der: &[u8]) -> Result<Self, TrustError> {
        sandbox_root::check(root_der).map_err(|refusal| match refusal {
            RootRefusal::Encoding => TrustError::Encoding,
            RootRefusal::NotAnAuthority => TrustError::NotAnAuthority,
            RootRefusal::Unconstrained => TrustError::Unconstrained,
        })?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(root_der)).map_err(|_| TrustError::Encoding)?;
        // The path validation enforces what *it* read from the root, so that reading is checked too.
        if roots.roots.iter().any(|anchor| anchor.name_constraints.is_none()) {
            return Err(TrustError::Unconstrained);
        }
        Ok(Self::new(Environment::Sandbox { root_der: root_der.into() }, roots))
    }

    /// The environment, for the identity document.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The name that stands for a provider's host on the network, in SNI and in `Host`.
    ///
    /// Signatures over the host use the provider's own name, not this one.
    pub fn transport_host(&self, provider_host: &str) -> String {
        match self.environment {
            Environment::Live => provider_host.to_owned(),
            Environment::Sandbox { .. } => format!("{provider_host}.{SANDBOX_DOMAIN}"),
        }
    }

    pub(super) fn config(&self, tls12: bool) -> Result<Arc<ClientConfig>, Fault> {
        let config = if tls12 { &self.tls12 } else { &self.tls13 };
        config.clone().ok_or(Fault::Internal)
    }

    pub(super) fn clock(&self) -> Arc<ClaimedClock> {
        Arc::clone(&self.clock)
    }

    fn new(environment: Environment, roots: RootCertStore) -> Self {
        let clock = Arc::new(ClaimedClock::default());
        let (provider, roots) = (Arc::new(provider()), Arc::new(roots));
        let config = |versions| config(&provider, &roots, &clock, versions).map(Arc::new);
        let (tls13, tls12) = (config(&[&TLS13]), config(&[&TLS13, &TLS12]));
        Self { environment, tls13, tls12, clock }
    }
}

/// The environment; roots and configuration are constants of it.
impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("environment", &self.environment).finish_non_exhaustive()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "Live",
            Self::Sandbox { .. } => "Sandbox",
        })
    }
}

/// aws-lc-rs, with the hybrid post-quantum group first; rustls offers its X25519 half beside it.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: SUITES.to_vec(),
        kx_groups: vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1],
        ..default_provider()
    }
}

fn config(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    clock: &Arc<ClaimedClock>,
    versions: &[&'static SupportedProtocolVersion],
) -> Option<ClientConfig> {
    let clock: Arc<ClaimedClock> = Arc::clone(clock);
    let mut config = ClientConfig::builder_with_details(Arc::clone(provider), clock)
        .with_protocol_versions(versions)
        .ok()?
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A ticket would let the network link two connections of an owner, and a shared store two owners.
    config.resumption = Resumption::disabled();
    // Defaults of rustls today, said here because the design leans on them.
    config.enable_early_data = false;
    config.enable_secret_extraction = false;
    config.enable_sni = true;
    Some(config)
}
