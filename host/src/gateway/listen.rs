//! Where the gateway listens: in plain HTTP on this machine alone, elsewhere with TLS.

use super::guard::Names;
use super::tls::Tls;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that the kernel holds before we accept them.
const BACKLOG: u32 = 4096;

/// What clients connect to. There is no plain HTTP to another machine.
#[derive(Debug)]
pub enum Edge {
    /// This port of `localhost`, IPv4 and (where there is any) IPv6, in plain; 0 takes a free one.
    Localhost(u16),
    /// This address, with TLS; port 0 takes a free one.
    Tls(SocketAddr, Box<Tls>),
}

/// Why the gateway does not listen.
#[derive(Debug)]
pub enum NotBound {
    /// Another program listens there.
    PortInUse(u16),
    /// The system keeps this port for others.
    PortNotAllowed(u16),
    /// No address of this machine.
    NotOurs(SocketAddr),
    Io(io::Error),
}

impl core::fmt::Display for NotBound {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            NotBound::PortInUse(port) => {
                write!(
                    f,
                    "port {port} is in use by another program; choose one with `--port` (or in `--listen`)"
                )
            }
            NotBound::PortNotAllowed(port) => {
                write!(f, "port {port} is not for us; choose one from 1024 with `--port` (or in `--listen`)")
            }
            NotBound::NotOurs(address) => {
                write!(
                    f,
                    "{address} is no address of this machine; `--listen [::]:PORT` takes all that it has"
                )
            }
            NotBound::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for NotBound {}

/// Sockets that listen.
#[derive(Debug)]
pub struct Listeners {
    first: TcpListener,
    second: Option<TcpListener>,
}

impl Edge {
    pub fn names(&self) -> Names {
        match self {
            Edge::Localhost(_) => Names::Localhost,
            Edge::Tls(_, tls) => tls.names(),
        }
    }

    pub fn listen(&self) -> Result<Listeners, NotBound> {
        match self {
            Edge::Localhost(port) => Listeners::on_localhost(*port),
            Edge::Tls(address, _) => Ok(Listeners { first: listen(*address)?, second: None }),
        }
    }
}

impl Listeners {
    fn on_localhost(port: u16) -> Result<Listeners, NotBound> {
        let first = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let port = first.local_addr().map_err(NotBound::Io)?.port();
        // Names resolve to either; whoever listens on the other would be taken for us.
        let second = match listen(SocketAddr::from((Ipv6Addr::LOCALHOST, port))) {
            Ok(listener) => Some(listener),
            Err(NotBound::Io(_) | NotBound::NotOurs(_)) => None,
            Err(not_bound) => return Err(not_bound),
        };
        Ok(Listeners { first, second })
    }

    pub fn port(&self) -> io::Result<u16> {
        Ok(self.first.local_addr()?.port())
    }

    /// The next connection.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = match &self.second {
            Some(second) => tokio::select! {
                accepted = self.first.accept() => accepted?,
                accepted = second.accept() => accepted?,
            },
            None => self.first.accept().await?,
        };
        stream.set_nodelay(true)?;
        Ok((stream, peer))
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, NotBound> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bound().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => NotBound::PortInUse(address.port()),
        io::ErrorKind::AddrNotAvailable => NotBound::NotOurs(address),
        io::ErrorKind::PermissionDenied => NotBound::PortNotAllowed(address.port()),
        _ => NotBound::Io(error),
    })
}
