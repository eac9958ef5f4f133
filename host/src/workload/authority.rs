//! The built-in authority: certifies the roles of one trust domain, from one process's memory and for as long as that lives.

use super::credential::{Credential, Unusable};
use super::{SpiffeId, TrustDomain};
use crate::calls::Role;
use crate::clock::Clock;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SignatureAlgorithm,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::time::Duration;
use zeroize::Zeroize;

/// How long a certificate is good for, unless less is asked for.
pub const LIFE: Duration = Duration::from_secs(300);
/// The most that can be asked for.
pub const MOST: Duration = Duration::from_secs(600);
/// Certificates begin this long before they are made: a clock that is set back by less disturbs nobody.
const BACKDATED: Duration = Duration::from_secs(60);

/// Signs certificates of roles. Its key is made with it and never leaves it.
pub struct Authority {
    domain: TrustDomain,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    life: Duration,
    clock: Clock,
}

/// A public key on P-256, uncompressed (65 bytes), whose owner has shown that it holds the private one.
#[derive(Clone, Debug)]
pub struct Proven(pub(super) Vec<u8>);

/// A certificate and its authority's, both DER.
pub(super) struct Issued {
    pub certificate: CertificateDer<'static>,
    pub authority: CertificateDer<'static>,
}

impl Authority {
    /// A new one, whose certificates are good for `life`, at most [`MOST`].
    ///
    /// # Errors
    /// The library could make no key.
    pub fn make(domain: TrustDomain, life: Duration, clock: Clock) -> Result<Authority, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(domain.as_str());
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        // It is over when its process is; no date would say when.
        (params.not_before, params.not_after) = (date_time_ymd(1970, 1, 1), date_time_ymd(9999, 12, 31));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?.der().clone();
        Ok(Authority { domain, issuer: Issuer::new(params, key), certificate, life: life.min(MOST), clock })
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate for this key as this role, from now.
    pub(super) fn issue(&self, role: Role, key: &Proven) -> Result<Issued, rcgen::Error> {
        let name = SpiffeId { domain: self.domain.clone(), role }.to_string();
        let mut params = CertificateParams::default();
        params.distinguished_name = named(role.name());
        params.subject_alt_names = vec![SanType::URI(name.as_str().try_into()?)];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let now = Duration::from_millis(self.clock.now().0);
        params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(BACKDATED);
        params.not_after = date_time_ymd(1970, 1, 1) + now + self.life;
        let certificate = params.signed_by(key, &self.issuer)?.der().clone();
        Ok(Issued { certificate, authority: self.certificate.clone() })
    }

    /// A new key with its certificate, for a process of this authority's own, or for who reads a folder of its.
    pub(super) fn credential(&self, role: Role) -> Result<(Credential, KeyPair), Unusable> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| Unusable::NotMade)?;
        let proven = Proven(key.public_key_raw().to_vec());
        let Issued { certificate, authority } = self.issue(role, &proven).map_err(|_| Unusable::NotMade)?;
        let mut pkcs8 = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let made = Credential::new(role, vec![certificate], &pkcs8, vec![authority], &self.clock);
        pkcs8.zeroize();
        Ok((made?, key))
    }
}

impl core::fmt::Debug for Authority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Authority({})", self.domain.as_str())
    }
}

impl PublicKeyData for Proven {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}
