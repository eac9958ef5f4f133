//! Who is heard, and what of it.

use super::connection::nobody;
use super::stream::{Wire, halves};
use super::*;
use crate::calls::{Operation, Role, admit};
use crate::clock::Clock;
use crate::testing::{Folder, soon};
use crate::workload::{Authority, Credential, LIFE, Source, TrustDomain, Workload};
use rustls::ClientConfig;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::sign::CertifiedKey;
use rustls::{SignatureScheme, version};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use wire::UnixMillis;

/// A trust domain with a clock that can be set.
struct Domain {
    authority: Arc<Authority>,
    seconds: Arc<AtomicU64>,
}

impl Domain {
    fn new(name: &str) -> Domain {
        let seconds = Arc::new(AtomicU64::new(1_800_000_000));
        let told = Arc::clone(&seconds);
        let clock = Clock::new(move || UnixMillis(told.load(Ordering::Relaxed) * 1000));
        let domain = TrustDomain::parse(name).unwrap();
        Domain { authority: Arc::new(Authority::make(domain, LIFE, clock).unwrap()), seconds }
    }

    fn workload(&self, role: Role) -> Workload {
        Workload::new(role, Source::Authority(Arc::clone(&self.authority)))
    }

    async fn credential(&self, role: Role) -> Arc<Credential> {
        self.workload(role).credential().await.unwrap()
    }

    fn set(&self, seconds: impl FnOnce(u64) -> u64) {
        self.seconds.store(seconds(self.seconds.load(Ordering::Relaxed)), Ordering::Relaxed);
    }
}

/// No certificate, whoever asks for one.
#[derive(Debug)]
struct Nothing;

impl ResolvesClientCert for Nothing {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// What a callee in `folder` hears from a caller that is configured like this and asks one thing.
async fn heard(
    folder: &Folder,
    listener: &Listener,
    config: ClientConfig,
    operation: u8,
) -> Result<(Role, Operation), TransportError> {
    let callee = listener.role();
    let call = async {
        let stream = UnixStream::connect(folder.path().join(format!("{}.sock", callee.name()))).await?;
        let stream = TlsConnector::from(Arc::new(config)).connect(nobody(), Wire::Unix(stream)).await?;
        let (reader, mut writer) = halves(stream.into());
        // Whoever is refused may find that out by writing.
        let _ = writer.write_all(&frame(operation, 7, b"asked").unwrap()).await;
        io::Result::Ok((reader, writer))
    };
    let hear = async {
        let (mut calls, _answers) = listener.accept().await?.hear().await?;
        let next = calls.next().await?;
        next.map(|(operation, ..)| (calls.caller(), operation)).ok_or(TransportError::Silent)
    };
    let (_open, heard) = soon(async { tokio::join!(call, hear) }).await;
    heard
}

#[tokio::test]
async fn every_operation_is_refused_to_every_role_without_a_certificate_with_another_ones_and_with_one_that_is_over()
 {
    let (ours, foreign) = (Domain::new("ours.internal"), Domain::new("ours.internal"));
    let other = Domain::new("other.internal");
    for callee in Role::ALL {
        let folder = Folder::new();
        let listener = Listener::bind(&folder.address(), ours.workload(*callee)).unwrap();
        for caller in Role::ALL {
            let good = ours.credential(*caller).await;
            let strangers = [foreign.credential(*caller).await, other.credential(*caller).await];
            for operation in Operation::ALL {
                let number = *operation as u8;
                let call = format!("{} > {}: {operation:?}", caller.name(), callee.name());
                let ask = async |config| heard(&folder, &listener, config, number).await;

                let outcome = ask(good.client(*callee).unwrap()).await;
                match admit(*caller, *callee, number) {
                    Ok(operation) => assert_eq!(outcome.unwrap(), (*caller, operation), "{call}"),
                    Err(_) => {
                        assert!(matches!(outcome, Err(TransportError::NotAllowed(_))), "{call}: {outcome:?}");
                    }
                }
                let mut bare = good.client(*callee).unwrap();
                bare.client_auth_cert_resolver = Arc::new(Nothing);
                refused(ask(bare).await, &call);
                for stranger in &strangers {
                    // It trusts the callee, which does not trust it.
                    let mut config = good.client(*callee).unwrap();
                    config.client_auth_cert_resolver =
                        stranger.client(*callee).unwrap().client_auth_cert_resolver;
                    refused(ask(config).await, &call);
                }
                ours.set(|seconds| seconds + LIFE.as_secs() + 1);
                refused(ask(good.client(*callee).unwrap()).await, &call);
                ours.set(|seconds| seconds - LIFE.as_secs() - 1);
            }
        }
    }
}

fn refused(outcome: Result<(Role, Operation), TransportError>, call: &str) {
    assert!(matches!(outcome, Err(TransportError::Handshake(_))), "{call}: {outcome:?}");
}

#[tokio::test]
async fn a_caller_says_nothing_to_one_that_is_not_the_callee_it_meant() {
    let (ours, foreign) = (Domain::new("ours.internal"), Domain::new("ours.internal"));
    let folder = Folder::new();
    for (who, role) in [(&ours, Role::Egress), (&foreign, Role::Relay)] {
        let listener = Listener::bind(&folder.address(), who.workload(role)).unwrap();
        // It sits where the relay should be.
        let place = folder.path().join("relay.sock");
        if role != Role::Relay {
            std::fs::rename(folder.path().join("egress.sock"), &place).unwrap();
        }
        let (address, me) = (folder.address(), ours.workload(Role::Gateway));
        let called = connect(&address, &me, Role::Relay);
        let (called, heard) =
            soon(async { tokio::join!(called, async { listener.accept().await?.hear().await }) }).await;
        assert!(matches!(called, Err(TransportError::Handshake(_))), "{role:?}");
        assert!(heard.is_err());
        let _ = std::fs::remove_file(place);
    }
}

#[tokio::test]
async fn plain_text_is_not_heard() {
    let domain = Domain::new("ours.internal");
    let folder = Folder::new();
    let listener = Listener::bind(&folder.address(), domain.workload(Role::Relay)).unwrap();
    let frame = frame(Operation::Attest as u8, 1, &[0; 32]).unwrap();
    for plain in [&[1, 3][..], &frame, &[&[1, 3], &frame[..]].concat(), b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = UnixStream::connect(folder.path().join("relay.sock")).await.unwrap();
        stream.write_all(plain).await.unwrap();
        stream.shutdown().await.unwrap();
        let heard = soon(listener.accept()).await.unwrap().hear().await;
        assert!(matches!(heard, Err(TransportError::Handshake(_))), "{plain:?}");
        let mut answer = Vec::new();
        let _ = soon(stream.read_to_end(&mut answer)).await;
        // At most an alert, which says nothing of anybody.
        assert!(answer.is_empty() || answer[0] == 0x15, "{answer:?}");
    }
}

#[tokio::test]
async fn nothing_but_the_hybrid_group_is_spoken() {
    let domain = Domain::new("ours.internal");
    let folder = Folder::new();
    let listener = Listener::bind(&folder.address(), domain.workload(Role::Relay)).unwrap();
    let good = domain.credential(Role::Gateway).await.client(Role::Relay).unwrap();
    let with = |group: &'static dyn SupportedKxGroup| {
        let provider = CryptoProvider { kx_groups: vec![group], ..default_provider() };
        let builder = ClientConfig::builder_with_details(Arc::new(provider), good.time_provider.clone());
        let builder = builder.with_protocol_versions(&[&version::TLS13]).unwrap();
        let verifier = Arc::new(Trusting(default_provider()));
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = builder.with_client_cert_resolver(good.client_auth_cert_resolver.clone());
        config.alpn_protocols = good.alpn_protocols.clone();
        config
    };
    let attest = Operation::Attest as u8;
    for classical in [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1] {
        refused(heard(&folder, &listener, with(classical), attest).await, &format!("{classical:?}"));
    }
    heard(&folder, &listener, with(kx_group::X25519MLKEM768), attest).await.unwrap();
}

/// Takes any certificate: what is tested is the other end.
#[derive(Debug)]
struct Trusting(CryptoProvider);

impl rustls::client::danger::ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A connection, and its two ends.
async fn connected(
    address: &Address,
    listener: &Listener,
    caller: Workload,
) -> (Connection, Calls, Outgoing) {
    let callee = listener.role();
    let hear = async { listener.accept().await.unwrap().hear().await.unwrap() };
    let (connection, (calls, answers)) =
        soon(async { tokio::join!(connect(address, &caller, callee), hear) }).await;
    (connection.unwrap(), calls, answers)
}

#[tokio::test]
async fn roles_on_several_machines_are_checked_the_same_way() {
    let (ours, foreign) = (Domain::new("ours.internal"), Domain::new("ours.internal"));
    let any = Address::Tcp("127.0.0.1:0".parse().unwrap());
    let listener = Listener::bind(&any, ours.workload(Role::Relay)).unwrap();
    let address = Address::Tcp(listener.address().unwrap().unwrap());
    let (mut connection, mut calls, mut answers) =
        connected(&address, &listener, ours.workload(Role::Gateway)).await;
    connection.writer.write_all(&frame(Operation::Attest as u8, 3, b"nonce").unwrap()).await.unwrap();
    assert_eq!(soon(calls.next()).await.unwrap().unwrap(), (Operation::Attest, 3, b"nonce"[..].into()));
    answers.write_all(&frame(0x83, 3, b"evidence").unwrap()).await.unwrap();
    assert_eq!(soon(connection.answers.next()).await.unwrap().unwrap().body, b"evidence"[..]);

    let hear = async { listener.accept().await?.hear().await };
    let me = foreign.workload(Role::Gateway);
    let (called, heard) = soon(async { tokio::join!(connect(&address, &me, Role::Relay), hear) }).await;
    assert!(called.is_err() && heard.is_err());
}

#[tokio::test]
async fn what_was_begun_goes_on_after_the_certificates_are_over_for_a_while_and_nothing_new_begins() {
    let domain = Domain::new("ours.internal");
    let folder = Folder::new();
    let listener = Listener::bind(&folder.address(), domain.workload(Role::Egress)).unwrap();
    let caller = domain.workload(Role::Relay);
    let mut kept = connected(&folder.address(), &listener, caller.clone()).await;
    let mut new = connected(&folder.address(), &listener, caller).await;
    assert!(!kept.0.fresh.is_over());
    let send = async |connection: &mut Connection, operation: Operation| {
        connection.writer.write_all(&frame(operation as u8, 1, b"").unwrap()).await.unwrap();
    };
    tokio::time::pause();
    // The caller is ahead of it.
    tokio::time::advance(LIFE - Duration::from_secs(20)).await;
    assert!(kept.0.fresh.is_over());
    send(&mut kept.0, Operation::EgressOpen).await;
    assert_eq!(kept.1.next().await.unwrap().unwrap().0, Operation::EgressOpen);
    tokio::time::advance(Duration::from_secs(60)).await;
    send(&mut kept.0, Operation::EgressSend).await;
    assert_eq!(kept.1.next().await.unwrap().unwrap().0, Operation::EgressSend);
    send(&mut new.0, Operation::EgressOpen).await;
    assert!(matches!(new.1.next().await, Err(TransportError::Over)));
    tokio::time::advance(GRACE - Duration::from_secs(60)).await;
    send(&mut kept.0, Operation::EgressSend).await;
    assert_eq!(kept.1.next().await.unwrap().unwrap().0, Operation::EgressSend);
    // Time passes by itself while nobody says anything.
    assert!(matches!(kept.1.next().await, Err(TransportError::Over)));
}

#[tokio::test]
async fn a_clock_that_is_set_ends_no_connection_and_keeps_none_from_being_made() {
    let domain = Domain::new("ours.internal");
    let folder = Folder::new();
    let listener = Listener::bind(&folder.address(), domain.workload(Role::Relay)).unwrap();
    let caller = domain.workload(Role::Gateway);
    let mut kept = connected(&folder.address(), &listener, caller.clone()).await;
    let jumps: [fn(u64) -> u64; 4] = [|now| now + 86_400, |now| now - 172_800, |now| now + 200, |_| 30];
    for jump in jumps {
        domain.set(jump);
        let mut next = connected(&folder.address(), &listener, caller.clone()).await;
        for (connection, calls, _) in [&mut kept, &mut next] {
            connection.writer.write_all(&frame(Operation::Attest as u8, 1, b"").unwrap()).await.unwrap();
            assert_eq!(soon(calls.next()).await.unwrap().unwrap().0, Operation::Attest);
        }
    }
}
