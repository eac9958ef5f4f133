//! Callers, until someone asks to stop: then those who are being answered get their answers.

use super::listen::{Listener, Stream, Way};
use super::routes::{Shared, router};
use crate::client::terminal::say;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

/// Callers at a time; further ones wait in the kernel's queue.
const CALLERS: usize = 256;
/// A request's line and header fields together.
const HEADER: usize = 16 << 10;
/// The header of a request, and how long a connection may be without one.
const IDLE: Duration = Duration::from_secs(60);
/// Longer than a server has for an answer: whoever waits for a payment learns what came of it.
const FINISH: Duration = Duration::from_secs(100);
/// After an accept that failed (no descriptors): long enough for one to come back.
const PAUSE: Duration = Duration::from_millis(50);

pub async fn serve(listener: Listener, shared: Shared, stop: impl Future<Output = ()>) {
    let (way, router) = (listener.way(), router(shared));
    let places = Arc::new(Semaphore::new(CALLERS));
    let (stopping, stopped) = watch::channel(());
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &places) => accepted,
            () = &mut stop => break,
        };
        let Some((stream, place)) = accepted else { continue };
        let (router, stopped) = (router.clone(), stopped.clone());
        tokio::spawn(async move {
            answer(stream, way, router, stopped).await;
            drop(place);
        });
    }
    drop((listener, stopped, router));
    let _ = stopping.send(());
    let _ = timeout(FINISH, stopping.closed()).await;
}

/// A caller of our user, once there is a place for them.
async fn next(
    listener: &Listener,
    places: &Arc<Semaphore>,
) -> Option<(Box<dyn Stream>, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok(Some(stream)) => return Some((stream, place)),
        Ok(None) => say("tensfer agent: hung up on a process of another user"),
        Err(_) => sleep(PAUSE).await,
    }
    None
}

/// One connection, from its first byte to its last. How it ended is the caller's business.
async fn answer(stream: Box<dyn Stream>, way: Way, router: Router, mut stopped: watch::Receiver<()>) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(way);
        let answered = router.clone().oneshot(request);
        async move {
            let answer: Result<Response<Body>, Infallible> = answered.await;
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_header_size(HEADER)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = &mut connection => return,
        _ = stopped.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
