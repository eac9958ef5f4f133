//! TLS as the gateway speaks it: 1.3 alone, the post-quantum hybrid for whoever knows it, and a certificate that is
//! replaced while it runs.

mod certificate;
mod unusable;
mod watch;

pub use certificate::Files;
pub use unusable::Unusable;

use super::guard::Names;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SupportedCipherSuite, version};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;
use wire::UnixMillis;

/// In this order; a client's own order decides among them.
const GROUPS: [&dyn SupportedKxGroup; 3] = [kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1];
const SUITES: [SupportedCipherSuite; 3] = [
    cipher_suite::TLS13_AES_256_GCM_SHA384,
    cipher_suite::TLS13_AES_128_GCM_SHA256,
    cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
];
/// What is spoken inside, by its name (RFC 7301).
pub const HTTP_2: &[u8] = b"h2";
const HTTP_1_1: &[u8] = b"http/1.1";

/// A certificate with its key, and how TLS is spoken with it.
#[derive(Debug)]
pub struct Tls {
    files: Files,
    names: Vec<ServerName<'static>>,
    presented: Arc<Presented>,
    config: Arc<ServerConfig>,
}

/// The certificate that connections are made with from now on.
#[derive(Debug)]
struct Presented {
    names: Names,
    certificate: RwLock<Arc<CertifiedKey>>,
}

impl Tls {
    /// Reads certificate and key, for requests to these names.
    ///
    /// # Errors
    /// They cannot be used: not for these names, not now, or not at all.
    pub fn load(files: Files, names: Vec<ServerName<'static>>, now: UnixMillis) -> Result<Tls, Unusable> {
        let certificate = files.read(&names, now, &provider())?;
        let presented = Arc::new(Presented {
            names: Names::These(names.clone()),
            certificate: RwLock::new(Arc::new(certificate)),
        });
        let config = Arc::new(config(Arc::clone(&presented))?);
        Ok(Tls { files, names, presented, config })
    }

    /// What requests may be for.
    pub fn names(&self) -> Names {
        self.presented.names.clone()
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Reads both files again. New connections are made with what they hold; if that cannot be used, with what was there.
    pub fn renew(&self, now: UnixMillis) -> Result<(), Unusable> {
        let certificate = self.files.read(&self.names, now, &provider())?;
        *self.presented.certificate.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certificate);
        Ok(())
    }
}

/// No tickets: a client of ours makes one connection for a command and keeps nothing of it, so resuming would save nobody
/// a signature; a ticket would tell that two connections are one client's, live on after its certificate was replaced, and
/// need a key of its own to be kept and changed. Without them there is no 0-RTT either. Keys are logged nowhere: that is
/// `rustls`'s default, and `SSLKEYLOGFILE` is not looked at.
fn config(presented: Arc<Presented>) -> Result<ServerConfig, Unusable> {
    let builder = ServerConfig::builder_with_provider(Arc::new(provider()));
    let builder = builder.with_protocol_versions(&[&version::TLS13]).map_err(Unusable::Library)?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(presented);
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1_1.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}

fn provider() -> CryptoProvider {
    CryptoProvider { cipher_suites: SUITES.to_vec(), kx_groups: GROUPS.to_vec(), ..default_provider() }
}

impl ResolvesServerCert for Presented {
    /// None for a name that is not ours: the handshake is over then.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = || Arc::clone(&self.certificate.read().unwrap_or_else(PoisonError::into_inner));
        self.names.serve(hello.server_name()).then(current)
    }
}

#[cfg(test)]
pub(super) mod tests;
