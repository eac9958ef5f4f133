//! The authority of a server whose certificate no public one vouches for. It concerns the way there and nothing else: what
//! an enclave is, evidence says.

use crate::client::failure::{Failure, Result};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::path::Path;
use ureq::tls::{Certificate, RootCerts};

/// The certificates in this file (PEM), each of which may vouch for a server; no other does then.
pub fn read(path: &Path) -> Result<RootCerts> {
    let name = path.display();
    let pem = std::fs::read(path).map_err(|error| {
        Failure::usage(format!("the authority's file `{name}` cannot be read: {error}"))
            .hint("check `--server-ca FILE`")
    })?;
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&pem).collect::<std::result::Result<_, _>>().unwrap_or_default();
    let usable =
        |certificate: &CertificateDer<'static>| RootCertStore::empty().add(certificate.clone()).is_ok();
    if certificates.is_empty() || !certificates.iter().all(usable) {
        return Err(Failure::usage(format!("`{name}` holds no authority's certificate in PEM"))
            .hint("`--server-ca` takes the root that signed the server's certificate, as `-----BEGIN CERTIFICATE-----`"));
    }
    let roots: Vec<Certificate<'static>> =
        certificates.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    Ok(RootCerts::new_with_certs(&roots))
}
