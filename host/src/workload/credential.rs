//! What a process shows of itself (an X.509-SVID) with the key behind it, and how TLS is spoken with that.

use super::SpiffeId;
use super::trust::{Callee, Callers, Trust, Window, claimed_id, window};
use crate::calls::Role;
use crate::clock::Clock;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ServerConfig, SupportedCipherSuite, version};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use wire::UnixMillis;

const GROUPS: [&dyn SupportedKxGroup; 1] = [kx_group::X25519MLKEM768];
const SUITES: [SupportedCipherSuite; 2] =
    [cipher_suite::TLS13_AES_256_GCM_SHA384, cipher_suite::TLS13_CHACHA20_POLY1305_SHA256];
/// What is spoken inside, by its name (RFC 7301): frames, of this version.
const PROTOCOL: &[u8] = b"tensfer-calls/2";

/// Why a process cannot show who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// No key or certificate could be made.
    NotMade,
    /// Who certifies this process gave nothing, or not in time.
    NotGiven,
    /// A file is not there, cannot be read, or others may read the key.
    Unreadable,
    /// Not a certificate and key that belong together, with the certificates of their authority.
    Damaged,
    /// It is another role's.
    OtherRole,
    /// Its own authority does not vouch for it, or not now.
    NotGood,
}

impl core::fmt::Display for Unusable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Unusable::NotMade => "no key or certificate could be made",
            Unusable::NotGiven => "whoever certifies this process gave it no certificate",
            Unusable::Unreadable => "its certificate or key cannot be read, or others can read the key",
            Unusable::Damaged => "certificate, key and authority do not belong together",
            Unusable::OtherRole => "its certificate is of another role",
            Unusable::NotGood => "its certificate is over, not good yet, or not of its authority",
        })
    }
}

impl core::error::Error for Unusable {}

/// One certificate of one role, with its key. Nothing prints it, and nothing reads the key back out.
pub struct Credential {
    id: SpiffeId,
    window: Window,
    own: Arc<CertifiedKey>,
    trust: Arc<Trust>,
    server: Arc<ServerConfig>,
    provider: Arc<CryptoProvider>,
    clock: Clock,
}

impl Credential {
    /// `chain`: the own certificate first. It has to be good now, for `role`, from one of the authorities.
    pub fn new(
        role: Role,
        chain: Vec<CertificateDer<'static>>,
        key: &PrivateKeyDer<'_>,
        authorities: Vec<CertificateDer<'static>>,
        clock: &Clock,
    ) -> Result<Credential, Unusable> {
        let provider = Arc::new(provider());
        let first = chain.first().ok_or(Unusable::Damaged)?;
        let id = claimed_id(first).ok_or(Unusable::Damaged)?;
        let window = window(first).ok_or(Unusable::Damaged)?;
        let trust = Trust::new(id.domain.clone(), authorities, &provider).ok_or(Unusable::Damaged)?;
        let now = UnixTime::since_unix_epoch(Duration::from_millis(clock.now().0));
        if trust.check(&chain, now).map_err(|_| Unusable::NotGood)? != role {
            return Err(Unusable::OtherRole);
        }
        let key = provider.key_provider.load_private_key(key.clone_key()).map_err(|_| Unusable::Damaged)?;
        let own = CertifiedKey::new(chain, key);
        own.keys_match().map_err(|_| Unusable::Damaged)?;
        let (own, trust) = (Arc::new(own), Arc::new(trust));
        let server = server(&own, &trust, &provider, clock).map_err(|_| Unusable::Damaged)?;
        Ok(Credential { id, window, own, trust, server: Arc::new(server), provider, clock: clock.clone() })
    }

    /// Whether it could be shown at `now`.
    pub fn is_good(&self, now: UnixMillis) -> bool {
        (self.window.from..=self.window.until).contains(&now)
    }

    /// Whether another one should be had: half of its time is over, or a clock was set.
    pub fn is_due(&self, now: UnixMillis) -> bool {
        let half = self.window.until.0.saturating_sub(self.window.from.0) / 2;
        now < self.window.from || now.0 >= self.window.until.0.saturating_sub(half)
    }

    /// How long it is still good for.
    pub fn remaining(&self) -> Duration {
        remaining(self.window, &self.clock)
    }

    pub(super) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.own.cert
    }

    /// Takes calls.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.server))
    }

    /// Calls `callee` and nobody else.
    pub(crate) fn connector(&self, callee: Role) -> Result<TlsConnector, rustls::Error> {
        self.client(callee).map(|config| TlsConnector::from(Arc::new(config)))
    }

    /// How `callee` is called.
    pub(crate) fn client(&self, callee: Role) -> Result<ClientConfig, rustls::Error> {
        let clock = Arc::new(self.clock.clone());
        let builder = ClientConfig::builder_with_details(Arc::clone(&self.provider), clock)
            .with_protocol_versions(&[&version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Callee {
                trust: Arc::clone(&self.trust),
                role: callee,
            }));
        let own = SingleCertAndKey::from(Arc::clone(&self.own));
        let mut config = builder.with_client_cert_resolver(Arc::new(own));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        Ok(config)
    }

    /// Whose certificate a handshake has just checked, and how long that is good for.
    pub(crate) fn peer(&self, chain: Option<&[CertificateDer<'_>]>) -> Option<(Role, Duration)> {
        let first = chain?.first()?;
        let id = claimed_id(first).filter(|id| id.domain == self.id.domain)?;
        Some((id.role, remaining(window(first)?, &self.clock)))
    }
}

impl core::fmt::Debug for Credential {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Credential({})", self.id)
    }
}

fn remaining(window: Window, clock: &Clock) -> Duration {
    Duration::from_millis(window.until.0.saturating_sub(clock.now().0))
}

fn provider() -> CryptoProvider {
    CryptoProvider { cipher_suites: SUITES.to_vec(), kx_groups: GROUPS.to_vec(), ..default_provider() }
}

/// No tickets and no early data: a connection is made with what its two ends show then, and with nothing older.
fn server(
    own: &Arc<CertifiedKey>,
    trust: &Arc<Trust>,
    provider: &Arc<CryptoProvider>,
    clock: &Clock,
) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_details(Arc::clone(provider), Arc::new(clock.clone()));
    let builder = builder.with_protocol_versions(&[&version::TLS13])?;
    let builder = builder.with_client_cert_verifier(Arc::new(Callers(Arc::clone(trust))));
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(own))));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}
