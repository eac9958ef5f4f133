//! `--upstream HOST=ADDRESS`: a provider host whose bytes are carried to a server on loopback, behind our TLS.
//!
//! So an independent server (a node of a blockchain, an OAuth provider, an emulator) can stand where the enclave
//! expects a provider. The bytes are not looked at: the server sees `Host: HOST.sandbox.test`, as the enclave sent it.

use super::authority::SUFFIX;
use anyhow::{Context, ensure};
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::timeout;

const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection may live; the enclave's own limits end it long before.
const LIFETIME: Duration = Duration::from_secs(600);

/// One host, and the server behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The provider's real host, without the sandbox's suffix.
    pub host: String,
    address: SocketAddr,
}

impl FromStr for Upstream {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Upstream> {
        let (host, address) = text.split_once('=').context("not HOST=ADDRESS:PORT")?;
        let address: SocketAddr = address.parse().context("not an IP address and a port")?;
        ensure!(address.ip().is_loopback(), "not a loopback address: made-up providers stay on this machine");
        ensure!(is_host(host), "not a host name in lower case, with a dot and without `{SUFFIX}`");
        Ok(Upstream { host: host.to_owned(), address })
    }
}

/// A name that the enclave dials, before the suffix: `docs/spec/egress.md`, section 1.
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.contains('.') && name.split('.').all(is_label) && !name.ends_with(SUFFIX)
}

/// The upstream that a TLS server name means.
pub fn find<'u>(upstreams: &'u [Upstream], server_name: &str) -> Option<&'u Upstream> {
    let host = server_name.strip_suffix(SUFFIX)?;
    upstreams.iter().find(|upstream| upstream.host == host)
}

impl Upstream {
    /// Carries bytes both ways until either side has ended. A server that is not there ends the connection.
    pub async fn carry(&self, mut client: impl AsyncRead + AsyncWrite + Unpin) {
        let Ok(Ok(mut server)) = timeout(CONNECT, TcpStream::connect(self.address)).await else { return };
        let _ = server.set_nodelay(true);
        let _ = timeout(LIFETIME, copy_bidirectional(&mut client, &mut server)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[test]
    fn an_upstream_is_a_host_and_a_loopback_address() {
        let upstream: Upstream = "api.stripe.com=127.0.0.1:8420".parse().unwrap();
        assert_eq!(upstream.host, "api.stripe.com");
        assert_eq!(find(std::slice::from_ref(&upstream), "api.stripe.com.sandbox.test"), Some(&upstream));
        assert_eq!(find(&[upstream], "api.stripe.com"), None);
        for wrong in [
            "",
            "api.stripe.com",
            "api.stripe.com=8420",
            "api.stripe.com=localhost:8420",
            "api.stripe.com=192.0.2.1:443",
            "stripe=127.0.0.1:1",
            "API.stripe.com=127.0.0.1:1",
            "api..com=127.0.0.1:1",
            "api.stripe.com.sandbox.test=127.0.0.1:1",
        ] {
            assert!(wrong.parse::<Upstream>().is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn bytes_are_carried_as_they_are_and_both_ends_close() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream: Upstream = format!("a.b={}", listener.local_addr().unwrap()).parse().unwrap();
        let (mut client, end) = tokio::io::duplex(64);
        let carried = tokio::spawn(async move { upstream.carry(end).await });
        client.write_all(b"\x00ask").await.unwrap();
        client.shutdown().await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        server.read_to_end(&mut asked).await.unwrap();
        assert_eq!(asked, b"\x00ask");
        server.write_all(b"told").await.unwrap();
        drop(server);
        let mut told = Vec::new();
        client.read_to_end(&mut told).await.unwrap();
        assert_eq!(told, b"told");
        carried.await.unwrap();
    }
}
