//! Reading a body: its type first, then never more than its path takes, at a pace, and never more at once than fits.

use super::guard::{Arrival, network};
use super::problem::{Code, Problem};
use super::room::{GaveWay, Notice, Place};
use super::state::State;
use axum::body::{Body, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Instant;
use tokio::time::{timeout, timeout_at};

/// Reads a body of the type `media` and at most `most` bytes. JSON that carries the result of a PRF goes no further.
pub async fn read(
    state: &State,
    arrival: &Arrival,
    headers: &HeaderMap,
    body: Body,
    media: &str,
    most: usize,
) -> Result<Bytes, Problem> {
    check_type(headers, media)?;
    if claimed_length(headers).is_some_and(|claimed| claimed > most as u64) {
        return Err(Problem(Code::BodyTooLarge));
    }
    // Its room is given back when the body is on its way.
    let place = state.uploads.enter(network(arrival.peer.ip()), state.limits.upload);
    let reading = collect(state, place, body, most);
    let read = timeout(state.limits.body, reading).await.map_err(|_| Problem(Code::BodyTooSlow))??;
    if media.ends_with("json") {
        state.prf_secrets.check(&read)?;
    }
    Ok(read)
}

/// Copies what arrives, since a piece of it may keep the whole buffer that it came in.
async fn collect(
    state: &State,
    (place, mut notice): (Place, Notice),
    mut body: Body,
    most: usize,
) -> Result<Bytes, Problem> {
    let (stride, stall) = (state.limits.stride, state.limits.stall);
    let (mut read, mut stridden, mut since) = (BytesMut::new(), 0, Instant::now());
    loop {
        let piece = tokio::select! {
            () = notice.gave_way() => return Err(GaveWay.into()),
            piece = timeout_at((since + stall).into(), piece(&mut body)) => piece,
        };
        let Some(piece) = piece.map_err(|_| Problem(Code::BodyTooSlow))?? else { return Ok(read.freeze()) };
        if piece.len() > most - read.len() {
            return Err(Problem(Code::BodyTooLarge));
        }
        place.grow(piece.len())?;
        read.extend_from_slice(&piece);
        if read.len() - stridden >= stride {
            (stridden, since) = (read.len(), Instant::now());
            place.advance();
        }
    }
}

/// The next bytes; `None` at the end.
async fn piece(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    loop {
        match poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
            None => return Ok(None),
            // Broken off: then nobody reads the answer.
            Some(Err(_)) => return Err(Problem(Code::BodyMalformed)),
            // Trailers are nothing that a path takes.
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => return Ok(Some(data)),
                Err(_trailers) => {}
            },
        }
    }
}

impl From<GaveWay> for Problem {
    fn from(GaveWay: GaveWay) -> Problem {
        Problem(Code::Busy)
    }
}

fn check_type(headers: &HeaderMap, media: &str) -> Result<(), Problem> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none());
    let matches = only.is_some_and(|found| found.as_bytes().eq_ignore_ascii_case(media.as_bytes()));
    let plain = !headers.contains_key(CONTENT_ENCODING);
    if matches && plain { Ok(()) } else { Err(Problem(Code::MediaTypeUnsupported)) }
}

fn claimed_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
