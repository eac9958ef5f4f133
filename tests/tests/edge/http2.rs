//! HTTP/2 frames (RFC 9113), written by hand.

use crate::gateway::Stream;
use std::io::{self, Read, Write};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;
pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Preface and empty settings.
pub fn begin(stream: &mut Stream) {
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).unwrap();
}

/// A field without compression (RFC 7541 §6.2.2); its name is the static table's, or is spelled out.
pub fn field(index: u8, name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&length(text.len()), text.as_bytes()].concat();
    let name = if index == 0 { text(name) } else { Vec::new() };
    [&[index], &name[..], &text(value)].concat()
}

/// RFC 7541 §5.1, with a prefix of 7 bits.
fn length(length: usize) -> Vec<u8> {
    let Some(mut rest) = length.checked_sub(127) else { return vec![u8::try_from(length).unwrap()] };
    let mut bytes = vec![127];
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).unwrap());
    bytes
}

/// The fields of `GET path` of `authority`.
pub fn get(authority: &str, path: &str) -> Vec<u8> {
    // `:method: GET` and `:scheme: https` are whole in the static table.
    [&[0x82, 0x87][..], &field(4, "", path), &field(1, "", authority)].concat()
}

/// `POST path` with this type.
pub fn post(authority: &str, path: &str, media: &str) -> Vec<u8> {
    let pseudo = [&[0x83, 0x87][..], &field(4, "", path), &field(1, "", authority)].concat();
    [pseudo, field(0, "content-type", media)].concat()
}

/// The next frame; an error at the end.
pub fn read(stream: &mut impl Read) -> io::Result<Frame> {
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload)?;
    let number = u32::from_be_bytes(head[5..].try_into().unwrap());
    Ok(Frame { kind: head[3], flags: head[4], stream: number, payload })
}

/// Reads to the first frame that is wanted.
pub fn read_to(stream: &mut impl Read, wanted: impl Fn(&Frame) -> bool) -> io::Result<Frame> {
    loop {
        let frame = read(stream)?;
        if wanted(&frame) {
            return Ok(frame);
        }
    }
}

/// The value of one of our server's settings (RFC 9113 §6.5).
pub fn setting(settings: &Frame, wanted: u16) -> Option<u32> {
    let found = settings.payload.chunks_exact(6).find(|one| one[..2] == wanted.to_be_bytes())?;
    Some(u32::from_be_bytes(found[2..].try_into().unwrap()))
}
