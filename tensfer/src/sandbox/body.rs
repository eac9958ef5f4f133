//! Bodies as faults need them: whole, cut in the middle, or huge without being held in memory.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

const CHUNK: &[u8] = &[b'x'; 16 * 1024];

/// A response body.
#[derive(Debug)]
pub enum Reel {
    Whole(Option<Bytes>),
    /// Announces `announced` bytes, sends `sent`, then breaks the connection.
    Cut {
        announced: u64,
        sent: Option<Bytes>,
    },
    /// A JSON string of `left` more bytes, the closing quote included.
    Huge {
        announced: u64,
        left: u64,
    },
}

impl Reel {
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self::Whole(Some(bytes.into()))
    }

    pub fn cut(bytes: &[u8], after: usize) -> Self {
        let sent = bytes.get(..after).unwrap_or(bytes);
        // Announcing one byte more than there is makes even a cut at the end a cut.
        Self::Cut { announced: bytes.len() as u64 + 1, sent: Some(Bytes::copy_from_slice(sent)) }
    }

    pub fn huge(bytes: u64) -> Self {
        Self::Huge { announced: bytes.max(2), left: bytes.max(2) }
    }
}

impl Body for Reel {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let next = match self.get_mut() {
            Self::Whole(bytes) => bytes.take().map(Ok),
            Self::Cut { sent, .. } => Some(sent.take().ok_or_else(|| io::Error::other("cut by a fault"))),
            Self::Huge { announced, left } => huge(*announced, left).map(Ok),
        };
        Poll::Ready(next.map(|bytes| bytes.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Whole(bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
            Self::Cut { announced, .. } | Self::Huge { announced, .. } => *announced,
        })
    }
}

/// The next piece of `"xxx…x"`.
fn huge(announced: u64, left: &mut u64) -> Option<Bytes> {
    let piece = match *left {
        0 => return None,
        1 => Bytes::from_static(b"\""),
        all if all == announced => Bytes::from_static(b"\""),
        rest => {
            Bytes::from_static(&CHUNK[..CHUNK.len().min(usize::try_from(rest - 1).unwrap_or(CHUNK.len()))])
        }
    };
    *left -= piece.len() as u64;
    Some(piece)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    fn collected(reel: Reel) -> Result<Bytes, io::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(reel.collect()).map(|body| body.to_bytes())
    }

    #[test]
    fn a_huge_body_is_one_json_string_of_the_announced_size() {
        for size in [2, 3, 16 * 1024 + 1, 100_000] {
            let body = collected(Reel::huge(size)).unwrap();
            assert_eq!(body.len() as u64, size);
            assert!(serde_json::from_slice::<String>(&body).is_ok());
        }
    }

    #[test]
    fn a_cut_body_breaks_off_and_never_ends_well() {
        assert!(collected(Reel::cut(b"{}", 1)).is_err());
        assert!(collected(Reel::cut(b"{}", 9)).is_err());
        assert_eq!(Reel::cut(b"{}", 9).size_hint().exact(), Some(3));
    }
}
