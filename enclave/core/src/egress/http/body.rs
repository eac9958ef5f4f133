//! A response's body, by each of the three framings, never above its limit.

use super::super::fault::{Fault, HttpFault};
use super::head::{Framing, parse_header};
use super::line::Line;

/// `chunk-size [chunk-ext] CRLF`: sixteen digits and what a real server might append.
const MAX_CHUNK_LINE: usize = 256;
/// Chunk extensions in one response; no provider sends any.
const MAX_EXTENSIONS: usize = 4 << 10;
const MAX_TRAILERS: usize = 8 << 10;
/// First allocation, whatever the provider announces: memory follows bytes that arrived.
const FIRST_ALLOCATION: usize = 16 << 10;

/// A body that is being received.
pub(super) struct Body {
    bytes: Vec<u8>,
    part: Part,
    line: Line,
    /// Bytes of chunk extensions, then of trailers, still allowed.
    extensions_left: usize,
    trailers_left: usize,
    trailer_fields_left: usize,
    limit: usize,
}

enum Part {
    /// That many bytes and then the end.
    Fixed(usize),
    ChunkSize,
    /// That many bytes of the chunk are still to come.
    ChunkData(usize),
    /// The CRLF after a chunk.
    ChunkEnd,
    Trailers,
    UntilClose,
    Complete,
}

impl Body {
    pub(super) fn new(framing: Framing, limit: usize, max_trailer_fields: usize) -> Self {
        let (part, expected) = match framing {
            Framing::Length(0) => (Part::Complete, 0),
            Framing::Length(length) => (Part::Fixed(length), length),
            Framing::Chunked => (Part::ChunkSize, 0),
            Framing::Close => (Part::UntilClose, 0),
        };
        Self {
            bytes: Vec::with_capacity(expected.min(FIRST_ALLOCATION)),
            part,
            line: Line::default(),
            extensions_left: MAX_EXTENSIONS,
            trailers_left: MAX_TRAILERS,
            trailer_fields_left: max_trailer_fields,
            limit,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(self.part, Part::Complete)
    }

    /// The provider closed, authenticated: completes a body that ends so.
    pub(super) fn close(&mut self) {
        if matches!(self.part, Part::UntilClose) {
            self.part = Part::Complete;
        }
    }

    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.shrink_to_fit();
        self.bytes
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Takes what belongs to the body's current part, at least one byte of a non-empty input: how many.
    pub(super) fn feed(&mut self, input: &[u8]) -> Result<usize, Fault> {
        match self.part {
            Part::Fixed(left) => {
                let taken = self.append(input, left)?;
                self.part = if taken == left { Part::Complete } else { Part::Fixed(left - taken) };
                Ok(taken)
            }
            Part::ChunkData(left) => {
                let taken = self.append(input, left)?;
                self.part = if taken == left { Part::ChunkEnd } else { Part::ChunkData(left - taken) };
                Ok(taken)
            }
            Part::UntilClose => self.append(input, usize::MAX),
            Part::ChunkSize => self.feed_line(input, MAX_CHUNK_LINE, Self::start_chunk),
            Part::ChunkEnd => self.feed_line(input, 2, Self::end_chunk),
            Part::Trailers => self.feed_line(input, self.trailers_left, Self::take_trailer),
            Part::Complete => Ok(0),
        }
    }

    fn append(&mut self, input: &[u8], at_most: usize) -> Result<usize, Fault> {
        let taken = input.len().min(at_most);
        if taken > self.limit - self.bytes.len() {
            return Err(Fault::TooLarge);
        }
        self.bytes.extend_from_slice(input.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn feed_line(
        &mut self,
        input: &[u8],
        limit: usize,
        take: fn(&mut Self, &[u8]) -> Result<(), Fault>,
    ) -> Result<usize, Fault> {
        let (taken, line) = self.line.take(input, limit, CHUNK)?;
        if let Some(line) = line {
            take(self, &line)?;
        }
        Ok(taken)
    }

    /// `1*HEXDIG [BWS ";" …]`, RFC 9112 section 7.1; extensions are counted and dropped.
    fn start_chunk(&mut self, line: &[u8]) -> Result<(), Fault> {
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (size, extension) = line.split_at_checked(digits).ok_or(CHUNK)?;
        let text = std::str::from_utf8(size).map_err(|_| CHUNK)?;
        let size = u64::from_str_radix(text, 16).map_err(|_| CHUNK)?;
        if !extension.is_empty() && !extension.trim_ascii_start().starts_with(b";") {
            return Err(CHUNK);
        }
        self.extensions_left = self.extensions_left.checked_sub(extension.len()).ok_or(CHUNK)?;
        let size = usize::try_from(size).map_err(|_| Fault::TooLarge)?;
        if size > self.limit - self.bytes.len() {
            return Err(Fault::TooLarge);
        }
        self.part = if size == 0 { Part::Trailers } else { Part::ChunkData(size) };
        Ok(())
    }

    fn end_chunk(&mut self, line: &[u8]) -> Result<(), Fault> {
        self.part = Part::ChunkSize;
        if line.is_empty() { Ok(()) } else { Err(CHUNK) }
    }

    /// Trailers are checked and dropped: a field after the body never changes what the head said.
    fn take_trailer(&mut self, line: &[u8]) -> Result<(), Fault> {
        if line.is_empty() {
            self.part = Part::Complete;
            return Ok(());
        }
        parse_header(line)?;
        self.trailers_left = self.trailers_left.saturating_sub(line.len() + 2);
        self.trailer_fields_left = self.trailer_fields_left.checked_sub(1).ok_or(CHUNK)?;
        Ok(())
    }
}

const CHUNK: Fault = Fault::Http(HttpFault::Chunk);
