//! The envelope's canonical bytes, read in place: strict, no allocation, the body as a slice of what was received.
//!
//! Accepts exactly what `wire::envelope::Envelope` decodes to an [`admissible`] envelope (a property test holds
//! the two equal). Exists because a re-wrap authenticates the bytes as received and replaces only what follows.

use super::{EnvelopeFault, VERSION, context::purpose_of};
use wire::consent::Class;
use wire::envelope::{Envelope, Header, MAX_ENVELOPE, Wrap};
use wire::{ConnectionId, OrganisationId};

/// Heads of CBOR items (RFC 8949 §3).
const MAP_2: u8 = 0xa2;
const MAP_3: u8 = 0xa3;
const MAP_5: u8 = 0xa5;
const MAP_6: u8 = 0xa6;
const BYTES_12: u8 = 0x4c;
const BYTES_16: u8 = 0x50;
const BYTES_U8: u8 = 0x58;
const MAJOR_UINT: u8 = 0;
const MAJOR_BYTES: u8 = 2;

/// An envelope in the bytes it came in.
pub(crate) struct Layout<'b> {
    pub header: Header,
    pub nonce: &'b [u8; 12],
    pub ciphertext: &'b [u8],
    pub commitment: &'b [u8; 32],
    pub wrap: Wrap,
    /// Everything before the wrap: what a re-wrap keeps.
    pub body: &'b [u8],
    /// Everything up to and with the epoch, as received: the AAD of the outer wrap.
    pub bound: &'b [u8],
}

/// Reads canonical bytes; anything else is malformed.
pub(crate) fn parse(bytes: &[u8]) -> Result<Layout<'_>, EnvelopeFault> {
    if bytes.len() > MAX_ENVELOPE {
        return Err(EnvelopeFault::Malformed);
    }
    read(bytes).ok_or(EnvelopeFault::Malformed)
}

/// What CBOR alone does not say: the version is known and generations count from 1.
pub(crate) fn admissible(envelope: &Envelope) -> bool {
    envelope.version == VERSION && envelope.header.generation > 0
}

/// Cuts an envelope to its body and appends the epoch that it is to be wrapped to: the AAD of the new outer wrap.
pub(crate) fn rebind(envelope: &mut Vec<u8>, body: usize, epoch: u32) {
    envelope.truncate(body);
    envelope.extend_from_slice(&[4, MAP_3, 0]);
    put_uint(envelope, epoch);
}

/// Completes what [`rebind`] began to an envelope.
pub(crate) fn complete(bound: &mut Vec<u8>, nonce: &[u8; 12], ciphertext: &[u8; 76]) {
    bound.extend_from_slice(&[1, BYTES_12]);
    bound.extend_from_slice(nonce);
    bound.extend_from_slice(&[2, BYTES_U8, 76]);
    bound.extend_from_slice(ciphertext);
}

fn read(bytes: &[u8]) -> Option<Layout<'_>> {
    let mut cursor = Cursor(bytes);
    cursor.expect(&[MAP_5, 0, VERSION, 1])?;
    let header = read_header(&mut cursor)?;
    cursor.expect(&[2, MAP_2, 0, BYTES_12])?;
    let nonce = cursor.array::<12>()?;
    cursor.expect(&[1])?;
    let ciphertext = cursor.byte_string()?;
    cursor.expect(&[3, BYTES_U8, 32])?;
    let commitment = cursor.array::<32>()?;
    let body = read_so_far(bytes, &cursor)?;
    cursor.expect(&[4, MAP_3, 0])?;
    let epoch = u32::try_from(cursor.number(MAJOR_UINT)?).ok()?;
    let bound = read_so_far(bytes, &cursor)?;
    cursor.expect(&[1, BYTES_12])?;
    let wrap_nonce = *cursor.array()?;
    cursor.expect(&[2, BYTES_U8, 76])?;
    let wrap = Wrap { epoch, nonce: wrap_nonce, ciphertext: *cursor.array()? };
    cursor.0.is_empty().then_some(Layout { header, nonce, ciphertext, commitment, wrap, body, bound })
}

fn read_so_far<'b>(bytes: &'b [u8], cursor: &Cursor<'_>) -> Option<&'b [u8]> {
    bytes.get(..bytes.len().checked_sub(cursor.0.len())?)
}

/// Five members, or six where there is a class other than `any`, which is left out.
fn read_header(cursor: &mut Cursor<'_>) -> Option<Header> {
    let [members] = *cursor.array()?;
    cursor.expect(&[0, BYTES_16])?;
    let organisation = OrganisationId(*cursor.array()?);
    cursor.expect(&[1, BYTES_16])?;
    let connection = ConnectionId(*cursor.array()?);
    cursor.expect(&[2, BYTES_U8, 32])?;
    let owners = *cursor.array()?;
    cursor.expect(&[3])?;
    let [number] = *cursor.array()?;
    let purpose = purpose_of(number)?;
    cursor.expect(&[4])?;
    let generation = cursor.number(MAJOR_UINT)?;
    let class = match members {
        MAP_5 => Class::Any,
        MAP_6 => {
            cursor.expect(&[5])?;
            let [number] = *cursor.array()?;
            Class::from_number(number).filter(|class| !class.is_any())?
        }
        _ => return None,
    };
    (generation > 0).then_some(Header { organisation, connection, owners, purpose, generation, class })
}

/// What is still to be read.
struct Cursor<'b>(&'b [u8]);

impl<'b> Cursor<'b> {
    fn expect(&mut self, bytes: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(bytes)?;
        Some(())
    }

    fn array<const N: usize>(&mut self) -> Option<&'b [u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(array)
    }

    fn byte_string(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number(MAJOR_BYTES)?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// The argument of a head of this major type, in its shortest form only (RFC 8949 §4.2.1).
    fn number(&mut self, major: u8) -> Option<u64> {
        let [head] = *self.array()?;
        if head >> 5 != major {
            return None;
        }
        let (number, shortest) = match head & 0x1f {
            small @ 0..24 => (u64::from(small), 0),
            24 => (u64::from(u8::from_be_bytes(*self.array()?)), 24),
            25 => (u64::from(u16::from_be_bytes(*self.array()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(*self.array()?)), 1 << 16),
            27 => (u64::from_be_bytes(*self.array()?), 1 << 32),
            _ => return None,
        };
        (number >= shortest).then_some(number)
    }
}

/// A number in its shortest form.
fn put_uint(bytes: &mut Vec<u8>, number: u32) {
    match (u8::try_from(number), u16::try_from(number)) {
        (Ok(small @ 0..24), _) => bytes.push(small),
        (Ok(byte), _) => bytes.extend_from_slice(&[24, byte]),
        (_, Ok(short)) => {
            bytes.push(25);
            bytes.extend_from_slice(&short.to_be_bytes());
        }
        _ => {
            bytes.push(26);
            bytes.extend_from_slice(&number.to_be_bytes());
        }
    }
}
