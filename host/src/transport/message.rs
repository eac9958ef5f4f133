//! Messages: the enclave's frames (`u32be length ‖ u8 number ‖ u32be stream ‖ body`), with the host's own numbers too.

use bytes::{Buf, Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};
use wire::frame::MAX_FRAME;

const PREFIX: usize = 4;
const HEADER: usize = 5;
/// What one read asks for at least.
const READ: usize = 16 << 10;
/// A buffer that grew beyond this for one message is given back after it.
const KEEP: usize = 64 << 10;

/// One message, as it arrived: nothing but its length is checked yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub number: u8,
    pub stream: u32,
    pub body: Bytes,
}

impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Message({:#04x}, {}, {} bytes)", self.number, self.stream, self.body.len())
    }
}

/// The bytes of a message.
///
/// # Errors
/// `InvalidInput`: the body does not fit a frame. It is refused, never cut.
pub fn frame(number: u8, stream: u32, body: &[u8]) -> io::Result<Bytes> {
    let length = HEADER + body.len();
    let prefix = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME);
    let prefix = prefix.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "longer than a frame"))?;
    let mut bytes = BytesMut::with_capacity(PREFIX + length);
    bytes.extend_from_slice(&prefix.to_be_bytes());
    bytes.extend_from_slice(&[number]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(body);
    Ok(bytes.freeze())
}

/// Takes messages off a stream of bytes; a body is a slice of what was read, not a copy.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub fn new(source: R) -> Reader<R> {
        Reader { source, buffer: BytesMut::new() }
    }

    /// The next message, or `None` at a clean end. Cancelling it loses nothing.
    ///
    /// # Errors
    /// `InvalidData`: a length outside 5 to [`MAX_FRAME`]. `UnexpectedEof`: the end came within a message.
    pub async fn next(&mut self) -> io::Result<Option<Message>> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            self.buffer.reserve(READ);
            if self.source.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<Message>> {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX>() else { return Ok(None) };
        let length = u32::from_be_bytes(*prefix) as usize;
        if !(HEADER..=MAX_FRAME).contains(&length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a frame"));
        }
        if self.buffer.len() < PREFIX + length {
            return Ok(None);
        }
        self.buffer.advance(PREFIX);
        let mut body = self.buffer.split_to(length);
        if self.buffer.is_empty() && length > KEEP {
            self.buffer = BytesMut::new();
        }
        let (number, stream) = (body.get_u8(), body.get_u32());
        Ok(Some(Message { number, stream, body: body.freeze() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_read_back_as_written_however_the_bytes_arrive() {
        let mut bytes = frame(3, 7, b"nonce").unwrap().to_vec();
        bytes.extend_from_slice(&frame(0x42, u32::MAX, b"").unwrap());
        for cut in 0..bytes.len() {
            let mut reader = Reader::new(AsyncReadExt::chain(&bytes[..cut], &bytes[cut..]));
            let first = reader.next().await.unwrap().unwrap();
            assert_eq!((first.number, first.stream, &first.body[..]), (3, 7, &b"nonce"[..]));
            let second = reader.next().await.unwrap().unwrap();
            assert_eq!((second.number, second.stream, second.body.len()), (0x42, u32::MAX, 0));
            assert_eq!(reader.next().await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn m07_a_length_is_checked_before_anything_is_kept() {
        for (bytes, kind) in [
            (&[0xff_u8; 9][..], io::ErrorKind::InvalidData),
            (&[0, 0, 0, 4, 1, 0, 0, 0][..], io::ErrorKind::InvalidData),
            (&[0, 0, 0, 6, 1, 0, 0, 0, 0][..], io::ErrorKind::UnexpectedEof),
        ] {
            assert_eq!(Reader::new(bytes).next().await.unwrap_err().kind(), kind);
        }
        assert!(frame(4, 0, &vec![0; MAX_FRAME]).is_err());
    }
}
