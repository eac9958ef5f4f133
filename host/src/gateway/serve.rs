//! The public listener: HTTP/1.1 on loopback, until someone asks to stop.

use super::enclave::Enclave;
use super::guard::Peer;
use super::routes::router;
use super::state::{Limits, Shared, State};
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

/// Connections that the kernel holds before we accept them.
const BACKLOG: u32 = 4096;
/// A request's header fields and line together; more is a 431.
const HEADER: usize = 32 << 10;
/// Answers that are on their way when someone asks to stop have this long.
const FINISH: Duration = Duration::from_secs(5);
/// After an accept that failed (no descriptors): long enough for one to come back.
const PAUSE: Duration = Duration::from_millis(50);

/// Why the gateway does not listen.
#[derive(Debug)]
pub enum NotBound {
    /// Another program listens there.
    PortInUse(u16),
    /// The system keeps this port for others.
    PortNotAllowed(u16),
    Io(io::Error),
}

impl core::fmt::Display for NotBound {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            NotBound::PortInUse(port) => {
                write!(f, "port {port} is in use by another program; choose one with `--port`")
            }
            NotBound::PortNotAllowed(port) => {
                write!(f, "port {port} is not for us; choose one from 1024 with `--port`")
            }
            NotBound::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for NotBound {}

/// A gateway that listens, and does not serve yet.
#[derive(Debug)]
pub struct Gateway {
    listeners: (TcpListener, Option<TcpListener>),
    port: u16,
    state: Shared,
}

impl Gateway {
    /// Listens on `port` of `localhost`, IPv4 and (where there is any) IPv6; 0 takes a free one. The relay's socket
    /// is in the folder `run`, and what is stated about rotations in `published`; neither need be there yet.
    pub fn bind(
        port: u16,
        run: PathBuf,
        published: Option<PathBuf>,
        limits: Limits,
    ) -> Result<Gateway, NotBound> {
        let four = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let port = four.local_addr().map_err(NotBound::Io)?.port();
        // Names resolve to either; whoever listens on the other would be taken for us.
        let six = match listen(SocketAddr::from((Ipv6Addr::LOCALHOST, port))) {
            Ok(listener) => Some(listener),
            Err(NotBound::Io(_)) => None,
            Err(not_bound) => return Err(not_bound),
        };
        Ok(Gateway { listeners: (four, six), port, state: State::new(limits, Enclave::new(run), published) })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until `stop`, then lets answers that are on their way finish.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let connections = Arc::new(Semaphore::new(self.state.limits.connections));
        let limits = self.state.limits;
        let router = router(self.state);
        let graceful = GracefulShutdown::new();
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = accept(&self.listeners, &connections) => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((stream, peer, permit)) => {
                    let connection = connection(stream, peer, router.clone(), limits);
                    let watched = graceful.watch(connection);
                    tokio::spawn(async move {
                        // How it ended is the client's business.
                        let _ = watched.await;
                        drop(permit);
                    });
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
        drop(self.listeners);
        let _ = timeout(FINISH, graceful.shutdown()).await;
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
        io::ErrorKind::PermissionDenied => NotBound::PortNotAllowed(address.port()),
        _ => NotBound::Io(error),
    })
}

/// The next connection, when there is room for one.
async fn accept(
    (four, six): &(TcpListener, Option<TcpListener>),
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = match six {
        Some(six) => tokio::select! {
            accepted = four.accept() => accepted?,
            accepted = six.accept() => accepted?,
        },
        None => four.accept().await?,
    };
    stream.set_nodelay(true)?;
    Ok((stream, peer, permit))
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
) -> http1::Connection<
    TokioIo<TcpStream>,
    impl hyper::service::HttpService<Incoming, ResBody = axum::body::Body, Error = Infallible, Future: Send>,
> {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let answered = router.clone().oneshot(request);
        async move { answered.await as Result<Response<axum::body::Body>, Infallible> }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_header_size(HEADER)
        .max_buf_size(HEADER.max(64 << 10))
        .serve_connection(TokioIo::new(stream), service)
}
