//! Lines that end in CRLF, collected from pieces of any size.

use super::super::fault::{Fault, HttpFault};
use zeroize::Zeroizing;

/// Room for a line that comes in pieces; few are longer.
const ROOM: usize = 512;

/// A line without its end.
type Whole = Zeroizing<Vec<u8>>;

/// The line that is being received. Work is linear in the bytes received, however they are cut up.
#[derive(Default)]
pub(super) struct Line {
    bytes: Zeroizing<Vec<u8>>,
}

impl Line {
    /// Takes bytes up to and including the next LF: how many were taken, and the line without CRLF if complete.
    ///
    /// At most `limit` bytes, CRLF included, otherwise `over`. A bare CR or LF and any control byte but a tab
    /// are refused: peers disagree about them, and disagreement is what response splitting is made of.
    pub(super) fn take(
        &mut self,
        input: &[u8],
        limit: usize,
        over: Fault,
    ) -> Result<(usize, Option<Whole>), Fault> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(input.len(), |at| at + 1);
        if self.bytes.len() + taken > limit {
            return Err(over);
        }
        self.push(input.get(..taken).unwrap_or_default());
        if end.is_none() {
            return Ok((taken, None));
        }
        let mut line = std::mem::take(&mut self.bytes);
        if !line.ends_with(b"\r\n") {
            return Err(Fault::Http(HttpFault::Line));
        }
        let length = line.len() - 2;
        line.truncate(length);
        if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return Err(Fault::Http(HttpFault::Line));
        }
        Ok((taken, Some(line)))
    }

    /// A header may hold what a login yields: no piece of it is left in a place that it outgrew.
    fn push(&mut self, piece: &[u8]) {
        let needed = self.bytes.len() + piece.len();
        if needed > self.bytes.capacity() {
            let mut larger = Vec::with_capacity(needed.max(2 * self.bytes.capacity()).max(ROOM));
            larger.extend_from_slice(&self.bytes);
            self.bytes = Zeroizing::new(larger);
        }
        self.bytes.extend_from_slice(piece);
    }
}
