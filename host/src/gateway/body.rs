//! Reading a body: its type first, then never more than its path takes, in time, and never more at once than fits.

use super::problem::{Code, Problem};
use super::state::State;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use tokio::time::timeout;

/// Reads a body of the type `media` and at most `most` bytes.
pub async fn read(
    state: &State,
    headers: &HeaderMap,
    body: Body,
    media: &str,
    most: usize,
) -> Result<Bytes, Problem> {
    check_type(headers, media)?;
    let claimed = claimed_length(headers).unwrap_or(most);
    let room = u32::try_from(claimed).ok().filter(|_| claimed <= most).ok_or(Problem(Code::BodyTooLarge))?;
    // Reserved before a byte is read, given back when the body is on its way.
    let _room = state.buffered.try_acquire_many(room).map_err(|_| Problem(Code::Busy))?;
    let reading = axum::body::to_bytes(body, most);
    let read = timeout(state.limits.body, reading).await.map_err(|_| Problem(Code::BodyTooSlow))?;
    // Too long although it claimed no length, or broken off: then nobody reads the answer.
    read.map_err(|_| Problem(Code::BodyTooLarge))
}

fn check_type(headers: &HeaderMap, media: &str) -> Result<(), Problem> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none());
    let matches = only.is_some_and(|found| found.as_bytes().eq_ignore_ascii_case(media.as_bytes()));
    let plain = !headers.contains_key(CONTENT_ENCODING);
    if matches && plain { Ok(()) } else { Err(Problem(Code::MediaTypeUnsupported)) }
}

fn claimed_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
