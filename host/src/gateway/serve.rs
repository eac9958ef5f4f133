//! The public listener, until someone asks to stop.

use super::connection::{Caller, Service};
use super::guard::network;
use super::listen::{Edge, Listeners, NotBound};
use super::routes::router;
use super::state::{Limits, Shared, State};
use crate::process::{Hangup, descriptors};
use crate::transport::Address;
use crate::workload::Workload;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Answers that are on their way when someone asks to stop have this long.
pub const FINISH: Duration = Duration::from_secs(5);
/// After an accept that failed (no descriptors): long enough for one to come back.
const PAUSE: Duration = Duration::from_millis(50);
/// Descriptors for everything but clients.
const OURS: usize = 64;

/// A gateway that listens, and does not serve yet.
#[derive(Debug)]
pub struct Gateway {
    edge: Edge,
    listeners: Listeners,
    port: u16,
    state: Shared,
}

impl Gateway {
    /// Listens. Other roles are at `run` and asked as `me`, and what is stated about rotations is in the folder `published`; neither need be
    /// there yet.
    pub fn bind(
        edge: Edge,
        me: Workload,
        run: Address,
        published: Option<PathBuf>,
        limits: Limits,
    ) -> Result<Gateway, NotBound> {
        let listeners = edge.listen()?;
        let port = listeners.port().map_err(NotBound::Io)?;
        // Without a descriptor nobody could even be told to give way.
        let connections = limits.connections.min(descriptors().saturating_sub(OURS).max(1));
        let limits = Limits { connections, ..limits };
        let state = State::new(limits, edge.names(), me, run, published);
        Ok(Gateway { edge, listeners, port, state })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until `stop`, then lets answers that are on their way finish. With TLS it listens to SIGHUP, which has it
    /// read its certificate again.
    ///
    /// # Errors
    /// The kernel refused the handler of SIGHUP.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Gateway { edge, listeners, state, .. } = self;
        match edge {
            Edge::Localhost(_) => accept(listeners, state, None, stop).await,
            Edge::Tls(_, tls) => {
                let hangup = Hangup::listen()?;
                tokio::select! {
                    () = accept(listeners, state, Some(tls.acceptor()), stop) => {}
                    () = tls.watch(hangup) => {}
                }
            }
        }
        Ok(())
    }
}

/// Accepts until `stop`, and waits for those who were accepted.
async fn accept(
    listeners: Listeners,
    state: Shared,
    tls: Option<TlsAcceptor>,
    stop: impl Future<Output = ()>,
) {
    let service = Arc::new(Service { router: router(state.clone()), limits: state.limits });
    let (stopping, stopped) = watch::channel(());
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listeners.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let served =
                    welcome(stream, peer, state.clone(), tls.clone(), service.clone(), stopped.clone());
                tokio::spawn(served);
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
    drop((listeners, stopped));
    let _ = stopping.send(());
    let _ = timeout(FINISH, stopping.closed()).await;
}

/// One connection, from its first byte to its last. How it ended is the client's business.
async fn welcome(
    stream: TcpStream,
    peer: SocketAddr,
    state: Shared,
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    stopped: watch::Receiver<()>,
) {
    let (place, mut notice) = state.connections.enter(network(peer.ip()), 1);
    let caller = Caller::new(peer, place);
    // In boxes: a task is as large as the largest of what it ever awaits, for as long as the connection lasts.
    let served = async {
        match tls {
            None => Box::pin(service.plain(stream, caller, stopped)).await,
            Some(tls) => {
                let shaken = Box::pin(shake_hands(stream, peer, &state, tls, stopped.clone())).await;
                if let Some(stream) = shaken {
                    Box::pin(service.over_tls(stream, caller, stopped)).await;
                }
            }
        }
    };
    tokio::select! {
        () = served => {}
        () = notice.gave_way() => {}
    }
}

/// A TLS connection, if there is one in time. Those who take theirs give way to those who do not.
async fn shake_hands(
    stream: TcpStream,
    peer: SocketAddr,
    state: &Shared,
    tls: TlsAcceptor,
    mut stopped: watch::Receiver<()>,
) -> Option<Box<TlsStream<TcpStream>>> {
    if !state.arrivals.admit(peer.ip(), Instant::now()) {
        return None;
    }
    let (_place, mut notice) = state.handshakes.enter(network(peer.ip()), 1);
    tokio::select! {
        shaken = timeout(state.limits.handshake, tls.accept(stream)) => shaken.ok()?.ok().map(Box::new),
        () = notice.gave_way() => None,
        _ = stopped.changed() => None,
    }
}
