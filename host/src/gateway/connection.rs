//! One connection of a client: its protocol, and when it has lasted long enough.

use super::guard::Arrival;
use super::room::Place;
use super::serve::FINISH;
use super::state::Limits;
use super::tls::HTTP_2;
use axum::Router;
use axum::body::Body;
use axum::http::{StatusCode, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

/// A request's header fields and line together; more is a 431.
const HEADER: usize = 32 << 10;
/// The same in HTTP/2, where each field counts 32 bytes more (RFC 9113 §6.5.2).
const HEADER_LIST: u32 = 16 << 10;
/// What one HTTP/2 stream, and all of a connection, may send before we have read it.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 256 << 10;
/// What we hold of an answer that an HTTP/2 client does not take.
const UNTAKEN: usize = 64 << 10;
/// Streams that were reset and are not forgotten yet; more end the connection (CVE-2023-44487, CVE-2025-8671).
const RESETS: usize = 20;

/// What is served on every connection.
#[derive(Debug)]
pub struct Service {
    pub router: Router,
    pub limits: Limits,
}

/// The client of one connection, and what it is about.
#[derive(Debug)]
pub struct Caller {
    peer: SocketAddr,
    place: Place,
    doing: Mutex<Doing>,
    /// Requests that it gave up, and in HTTP/2 those that were too many or malformed.
    given_up: AtomicU32,
    /// There were more of them than it may.
    over: Notify,
}

#[derive(Debug)]
struct Doing {
    requests: usize,
    /// When the last answer was ready.
    since: Instant,
}

impl Service {
    pub async fn plain(&self, stream: TcpStream, caller: Caller, stopped: watch::Receiver<()>) {
        self.http1(stream, Arc::new(caller), None, stopped).await;
    }

    /// The protocol that was agreed on in the handshake; HTTP/1.1 where the client named none.
    pub async fn over_tls(
        &self,
        stream: Box<TlsStream<TcpStream>>,
        caller: Caller,
        stopped: watch::Receiver<()>,
    ) {
        let (_, session) = stream.get_ref();
        let server_name = session.server_name().map(Arc::from);
        let is_http2 = session.alpn_protocol() == Some(HTTP_2);
        let caller = Arc::new(caller);
        if is_http2 {
            self.http2(stream, caller, server_name, stopped).await;
        } else {
            self.http1(stream, caller, server_name, stopped).await;
        }
    }

    fn http1(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        caller: Arc<Caller>,
        server_name: Option<Arc<str>>,
        stopped: watch::Receiver<()>,
    ) -> impl Future<Output = ()> {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header)
            .max_header_size(HEADER)
            .max_buf_size(HEADER.max(64 << 10))
            .serve_connection(TokioIo::new(stream), self.answers(&caller, server_name));
        self.last(Box::pin(connection), caller, stopped)
    }

    pub(super) fn http2(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        caller: Arc<Caller>,
        server_name: Option<Arc<str>>,
        stopped: watch::Receiver<()>,
    ) -> impl Future<Output = ()> {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.limits.streams)
            .max_header_list_size(HEADER_LIST)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(UNTAKEN)
            .max_pending_accept_reset_streams(RESETS)
            .max_local_error_reset_streams(RESETS)
            .keep_alive_interval(self.limits.ping)
            .keep_alive_timeout(self.limits.ping)
            .serve_connection(TokioIo::new(stream), self.answers(&caller, server_name));
        self.last(Box::pin(connection), caller, stopped)
    }

    /// Drives a connection until it is over, has been idle for too long, or everything stops.
    async fn last(
        &self,
        mut connection: Pin<Box<impl GracefulConnection>>,
        caller: Arc<Caller>,
        mut stopped: watch::Receiver<()>,
    ) {
        tokio::select! {
            _ = &mut connection => return,
            () = caller.over.notified() => return,
            () = caller.idle_for(self.limits.idle) => {}
            _ = stopped.changed() => {}
        }
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            _ = timeout(FINISH, connection) => {}
            () = caller.over.notified() => {}
        }
    }

    fn answers(
        &self,
        caller: &Arc<Caller>,
        server_name: Option<Arc<str>>,
    ) -> impl hyper::service::HttpService<Incoming, ResBody = Body, Error = Infallible, Future: Send + 'static>
    + use<> {
        let (router, caller, most) = (self.router.clone(), Arc::clone(caller), self.limits.given_up);
        service_fn(move |mut request: Request<Incoming>| {
            let arrival = Arrival { peer: caller.peer, server_name: server_name.clone() };
            request.extensions_mut().insert(arrival);
            let asking = Asking::begin(&caller, most);
            let is_http2 = request.version() == Version::HTTP_2;
            let answered = router.clone().oneshot(request);
            async move {
                let answer: Result<Response<Body>, Infallible> = answered.await;
                asking.end(!(is_http2 && answer.as_ref().is_ok_and(is_futile)));
                answer
            }
        })
    }
}

/// Whether a request was too many, or no request: a body that its sender broke off is malformed.
fn is_futile(answer: &Response<Body>) -> bool {
    matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_REQUEST)
}

impl Caller {
    pub fn new(peer: SocketAddr, place: Place) -> Caller {
        let doing = Doing { requests: 0, since: Instant::now() };
        Caller { peer, place, doing: Mutex::new(doing), given_up: AtomicU32::new(0), over: Notify::new() }
    }

    /// Waits until nothing has been asked for that long.
    async fn idle_for(&self, idle: std::time::Duration) {
        loop {
            let since = {
                let doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner);
                if doing.requests > 0 { Instant::now() } else { doing.since }
            };
            if since.elapsed() >= idle {
                return;
            }
            sleep_until(since + idle).await;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Doing)) {
        change(&mut self.doing.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// One request on its way to its answer. Dropped before, it was given up.
struct Asking {
    caller: Arc<Caller>,
    most: u32,
    is_answered: bool,
}

impl Asking {
    fn begin(caller: &Arc<Caller>, most: u32) -> Asking {
        caller.place.begin_task();
        caller.change(|doing| doing.requests += 1);
        Asking { caller: Arc::clone(caller), most, is_answered: false }
    }

    fn end(mut self, is_answered: bool) {
        self.is_answered = is_answered;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let caller = &self.caller;
        caller.change(|doing| {
            doing.requests -= 1;
            doing.since = Instant::now();
        });
        caller.place.end_task();
        if !self.is_answered && caller.given_up.fetch_add(1, Ordering::Relaxed) >= self.most {
            caller.over.notify_one();
        }
    }
}
