//! Whom a process believes: certificates of its own trust domain, from its authorities, each of one role.

use super::{SpiffeId, TrustDomain};
use crate::calls::Role;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};
use std::sync::Arc;
use std::time::Duration;
use wire::UnixMillis;

/// The authorities of one trust domain.
#[derive(Debug)]
pub(super) struct Trust {
    domain: TrustDomain,
    roots: Arc<RootCertStore>,
    callers: Arc<dyn ClientCertVerifier>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// When a certificate is good, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub from: UnixMillis,
    pub until: UnixMillis,
}

impl Trust {
    /// `None`: an authority's certificate cannot be read, or there is none.
    pub fn new(
        domain: TrustDomain,
        authorities: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Option<Trust> {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority).ok()?;
        }
        let roots = Arc::new(roots);
        let callers =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider)).build();
        let algorithms = provider.signature_verification_algorithms;
        Some(Trust { domain, roots, callers: callers.ok()?, algorithms })
    }

    /// Whose certificate this is, if it is good at `now` for both ends of a connection.
    pub fn check(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Result<Role, Error> {
        let [own, between @ ..] = chain else { return Err(Error::NoCertificatesPresented) };
        self.callers.verify_client_cert(own, between, now)?;
        self.check_issuer(own, between, now)?;
        self.role(own)
    }

    fn check_issuer(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(own)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, between, now, self.algorithms.all)
    }

    /// The role that a certificate names, of our domain; it is not checked here who signed it.
    fn role(&self, certificate: &CertificateDer<'_>) -> Result<Role, Error> {
        let id = claimed_id(certificate).filter(|id| id.domain == self.domain);
        id.map(|id| id.role)
            .ok_or(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }
}

/// What a certificate says of itself: its one URI, if that is a role's name.
pub(super) fn claimed_id(certificate: &CertificateDer<'_>) -> Option<SpiffeId> {
    let parsed = webpki::EndEntityCert::try_from(certificate).ok()?;
    let mut names = parsed.valid_uri_names();
    let (Some(only), None) = (names.next(), names.next()) else { return None };
    SpiffeId::parse(only)
}

/// When a certificate is good: nobody tells but the check of one that is not. It looks at the time before anything else.
pub(super) fn window(certificate: &CertificateDer<'_>) -> Option<Window> {
    const LATE: Duration = Duration::from_secs(1 << 40);
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let at = |time| {
        let now = UnixTime::since_unix_epoch(time);
        let none = RootCertStore::empty();
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
        let checked = verify_server_cert_signed_by_trust_anchor(&parsed, &none, &[], now, algorithms.all);
        checked.err().and_then(|error| match error {
            Error::InvalidCertificate(error) => Some(error),
            _ => None,
        })
    };
    let Some(CertificateError::ExpiredContext { not_after, .. }) = at(LATE) else { return None };
    let from = match at(Duration::ZERO) {
        Some(CertificateError::NotValidYetContext { not_before, .. }) => not_before.as_secs(),
        _ => 0,
    };
    let millis = |seconds: u64| UnixMillis(seconds.saturating_mul(1000));
    Some(Window { from: millis(from), until: millis(not_after.as_secs()) })
}

/// Checks who calls: any role of our domain; what it may ask is looked up call by call.
#[derive(Debug)]
pub(super) struct Callers(pub Arc<Trust>);

/// Checks that who answers is the one that was meant.
#[derive(Debug)]
pub(super) struct Callee {
    pub trust: Arc<Trust>,
    pub role: Role,
}

impl ClientCertVerifier for Callers {
    /// Nothing is said of ourselves to who has shown nothing.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.0.callers.verify_client_cert(own, between, now)?;
        self.0.role(own)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(only_tls13())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Callee {
    /// A name in the hello says nothing: the role in the certificate is who answers.
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.trust.check_issuer(own, between, now)?;
        if self.trust.role(own)? == self.role {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(only_tls13())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.trust.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms.supported_schemes()
    }
}

fn only_tls13() -> Error {
    Error::General("TLS 1.3 and nothing else".to_owned())
}
