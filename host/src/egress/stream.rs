//! One TCP connection to a provider.

use super::allow::{Target, is_public};
use super::answer;
use crate::transport::{Drain, Outbox};
use bytes::BytesMut;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use wire::frame::Kind;

const CONNECT: Duration = Duration::from_secs(10);
/// One read: a TLS record (RFC 8446 §5.2) and its header fit.
const READ: usize = 17 << 10;

/// Connects, carries both directions until either ends, and says so. Its own number is what it returns.
pub async fn carry(stream: u32, target: Target, to_provider: Drain, answers: Outbox) -> u32 {
    if let Ok(Ok(mut connection)) = timeout(CONNECT, connect(target)).await {
        if answers.send(answer(Kind::EgressConnected, stream, &[])).await.is_err() {
            return stream;
        }
        let (reader, writer) = connection.split();
        // How it ended is the provider's or the network's business: the enclave learns that it did.
        let _ = tokio::select! {
            ended = receive(reader, stream, &answers) => ended,
            ended = send(writer, to_provider) => ended,
        };
    }
    gone(stream, answers).await
}

/// Says that the stream is gone.
pub async fn gone(stream: u32, answers: Outbox) -> u32 {
    let _ = answers.send(answer(Kind::EgressGone, stream, &[])).await;
    stream
}

async fn connect(target: Target) -> io::Result<TcpStream> {
    let connection = match target {
        Target::Address(address) => TcpStream::connect(address).await?,
        Target::Name(name) => {
            let resolved = lookup_host((name, 443)).await?;
            let public: Vec<_> = resolved.filter(|address| is_public(address.ip())).collect();
            first(&public).await?
        }
    };
    connection.set_nodelay(true)?;
    Ok(connection)
}

/// The first address that answers.
async fn first(addresses: &[std::net::SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(connection) => return Ok(connection),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn receive(mut reader: ReadHalf<'_>, stream: u32, answers: &Outbox) -> io::Result<()> {
    loop {
        // An idle connection, one of thousands, holds no buffer.
        reader.readable().await?;
        let mut buffer = BytesMut::with_capacity(READ);
        if reader.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        let sent = answers.send(answer(Kind::EgressReceived, stream, &buffer)).await;
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
    }
}

async fn send(mut writer: WriteHalf<'_>, mut to_provider: Drain) -> io::Result<()> {
    let mut parts = Vec::new();
    while to_provider.batch(&mut parts).await {
        for part in &parts {
            writer.write_all(part).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_resolves_to_loopback_is_not_connected_to() {
        let outcome = connect(Target::Name("localhost".to_owned())).await;
        // Connection refused would mean that it was tried.
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }
}
