//! A database over the network says nothing to who cannot prove its name, and is told nothing.

use super::super::{Database, NotOpened};
use crate::testing::Folder;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// PostgreSQL's protocol, "SSL Session Encryption": length, code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer() -> Issuer {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn serving(issuer: &Issuer, name: &str) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

/// How many bytes a client says to who answers in this way, after it asked for TLS.
async fn said(acceptor: Option<TlsAcceptor>, listener: TcpListener) -> usize {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut asked = [0; SSL_REQUEST.len()];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(asked, SSL_REQUEST);
    let Some(acceptor) = acceptor else {
        stream.write_all(b"N").await.unwrap();
        return until_it_waits(stream).await;
    };
    stream.write_all(b"S").await.unwrap();
    match acceptor.accept(stream).await {
        Ok(stream) => until_it_waits::<tokio_rustls::server::TlsStream<TcpStream>>(stream).await,
        Err(_) => 0,
    }
}

/// The first that it says, or nothing if it goes.
async fn until_it_waits<S: AsyncRead + Unpin>(mut stream: S) -> usize {
    stream.read(&mut [0; 64]).await.unwrap_or(0)
}

async fn told(acceptor: Option<TlsAcceptor>, authority: Option<&Issuer>) -> (Result<(), NotOpened>, usize) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = Folder::new();
    let mut url = format!("postgres://tensfer:secret@localhost:{port}/x?sslmode=verify-full");
    if let Some(authority) = authority {
        let file = folder.path().join("authority.pem");
        std::fs::write(&file, authority.pem()).unwrap();
        url = format!("{url}&sslrootcert={}", file.display());
    }
    let server = tokio::spawn(said(acceptor, listener));
    let opened = Database::postgres(&url).unwrap().open().await.map(|_| ());
    (opened, server.await.unwrap())
}

#[tokio::test]
async fn a_database_over_the_network_is_told_nothing_before_it_proves_its_name() {
    let (ours, strangers) = (issuer(), issuer());
    let cases = [
        ("without TLS", None, Some(&ours)),
        ("of another authority", Some(serving(&strangers, "localhost")), Some(&ours)),
        ("of an authority of nobody's", Some(serving(&ours, "localhost")), None),
        ("of another name", Some(serving(&ours, "elsewhere.internal")), Some(&ours)),
    ];
    for (what, acceptor, authority) in cases {
        let (opened, bytes) = told(acceptor, authority).await;
        assert!(
            matches!(opened, Err(NotOpened::Migration(_) | NotOpened::Database(_))),
            "{what}: {opened:?}"
        );
        assert_eq!(bytes, 0, "{what}");
    }
    let (_, bytes) = told(Some(serving(&ours, "localhost")), Some(&ours)).await;
    assert!(bytes > 0, "one that proves it is spoken to");
}

#[test]
fn a_database_over_the_network_has_to_prove_its_name() {
    for url in [
        "postgres://db/x",
        "postgres://127.0.0.1/x",
        "postgres://db/x?sslmode=disable",
        "postgres://db/x?sslmode=prefer",
        "postgres://db/x?sslmode=require",
        "postgres://db/x?sslmode=verify-ca",
        "postgres://db/x?sslmode=verify-full&sslmode=prefer",
        "postgres://db/x?sslmode=verify-full&ssl-mode=disable",
    ] {
        assert!(matches!(Database::postgres(url), Err(NotOpened::Unproven)), "{url}");
    }
    for url in [
        "postgres://db/x?sslmode=verify-full",
        "postgres://%2Frun%2Fpostgresql/x",
        "postgres:///x?host=/run/postgresql",
    ] {
        assert!(Database::postgres(url).is_ok(), "{url}");
    }
    for url in ["mysql://db/x?sslmode=verify-full", "postgres://db:port/x", "postgres://db/x?sslmode=best"] {
        assert!(matches!(Database::postgres(url), Err(NotOpened::Address)), "{url}");
    }
}
