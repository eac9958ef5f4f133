//! The TLS listener: HTTP/1.1 on loopback, one connection a task.

use super::authority::{ANY_HOST, SUFFIX};
use super::body::Reel;
use super::call::Call;
use super::reply::Reply;
use super::upstream::{self, Upstream};
use super::world::World;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

/// Connections at a time; more wait in the listen queue.
const CONNECTIONS: usize = 4_096;
/// The largest request body that is read.
const BODY: usize = 64 * 1024;
/// Read buffer of a connection, and so the largest request head.
const BUFFER: usize = 16 * 1024;
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a kept-alive connection may idle.
const IDLE: Duration = Duration::from_secs(120);

/// Accepts for ever.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    world: Arc<World>,
    upstreams: Arc<[Upstream]>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (world, upstreams) = (Arc::clone(&world), Arc::clone(&upstreams));
                tokio::spawn(connection(stream, peer, acceptor.clone(), world, upstreams, place));
            }
            // Out of descriptors, most likely: let some close.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// One connection to its end. A client that fails the handshake or the protocol hurts nobody but itself.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    world: Arc<World>,
    upstreams: Arc<[Upstream]>,
    _place: OwnedSemaphorePermit,
) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
    let name: Arc<str> = stream.get_ref().1.server_name().unwrap_or_default().into();
    if let Some(upstream) = upstream::find(&upstreams, &name) {
        return upstream.carry(stream).await;
    }
    let service = service_fn(move |request| {
        let (world, name) = (Arc::clone(&world), Arc::clone(&name));
        async move { respond(&world, &name, peer, request).await }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(BUFFER);
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(
    world: &World,
    server_name: &str,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> hyper::Result<Response<Reel>> {
    let arrived = tokio::time::Instant::now();
    let (head, body) = request.into_parts();
    let Some(body) = bounded(body).await else {
        return Ok(response(Reply::text(413, "request body too large"), None));
    };
    let authority = head.uri.host().or_else(|| head.headers.get(HOST)?.to_str().ok());
    let Some(host) = provider(server_name, authority.unwrap_or_default()) else {
        return Ok(response(Reply::text(421, "host and TLS server name differ"), None));
    };
    // Half of the delay is the way there: what the exchange goes by (nonces, limits, its clock) is as of then.
    wait_until(arrived + world.delay() / 2).await;
    let call = Call {
        method: head.method.as_str(),
        host: &host,
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &head.headers,
        body: &body,
        peer: peer.ip(),
        now: host::clock::now().0,
    };
    let Some(outcome) = world.answer(&call) else {
        return Ok(response(Reply::text(421, "no exchange has this host"), None));
    };
    wait_until(arrived + outcome.after).await;
    match outcome.reply {
        Some((reply, body)) => Ok(response(reply, Some(body))),
        None => std::future::pending().await,
    }
}

async fn wait_until(time: tokio::time::Instant) {
    if time > tokio::time::Instant::now() {
        tokio::time::sleep_until(time).await;
    }
}

async fn bounded(body: Incoming) -> Option<Bytes> {
    match Limited::new(body, BODY).collect().await {
        Ok(body) => Some(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => None,
        Err(_) => Some(Bytes::new()),
    }
}

/// The real provider's host that both the TLS server name and the `Host` header mean.
fn provider(server_name: &str, host: &str) -> Option<String> {
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let host = host.strip_suffix(SUFFIX).unwrap_or(&host);
    let alike = server_name == ANY_HOST || server_name.strip_suffix(SUFFIX) == Some(host);
    alike.then(|| host.to_owned())
}

/// Puts a reply on the wire, with another body where faults staged one.
pub fn response(reply: Reply, body: Option<Reel>) -> Response<Reel> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(&*name, value);
    }
    let body = body.unwrap_or_else(|| Reel::whole(reply.body));
    response.body(body).unwrap_or_else(|_| {
        let mut failed = Response::new(Reel::whole(Vec::new()));
        *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_server_name_must_mean_the_same_provider() {
        let kraken = "api.kraken.com.sandbox.test";
        for host in [kraken, "api.kraken.com", "API.kraken.com.sandbox.test:8443"] {
            assert_eq!(provider(kraken, host).as_deref(), Some("api.kraken.com"), "{host}");
        }
        for host in ["api.binance.com", "www.okx.com.sandbox.test", "", "sandbox.test"] {
            assert_eq!(provider(kraken, host), None, "{host}");
        }
        assert_eq!(provider(ANY_HOST, "www.okx.com").as_deref(), Some("www.okx.com"));
        assert_eq!(provider("", "api.kraken.com"), None);
    }
}
