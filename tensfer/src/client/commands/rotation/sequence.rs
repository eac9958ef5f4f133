//! Files of envelopes: a CBOR sequence (RFC 8742) of byte strings, or, of what was refused, of its number instead.

use std::io::{self, ErrorKind, Read};
use wire::envelope::MAX_ENVELOPE;

/// One item of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Envelope(Vec<u8>),
    Refused(u16),
}

/// Reads the next item; `None` at the end. An item that is cut off is an error of its own kind, `UnexpectedEof`.
pub fn read(source: &mut impl Read) -> io::Result<Option<(Item, u64)>> {
    let Some((major, number, head)) = read_head(source)? else { return Ok(None) };
    let wrong = || io::Error::new(ErrorKind::InvalidData, "not a sequence of envelopes");
    match major {
        0 => Ok(Some((Item::Refused(u16::try_from(number).map_err(|_| wrong())?), head))),
        2 => {
            let length = usize::try_from(number).ok().filter(|length| *length <= MAX_ENVELOPE);
            let mut envelope = vec![0; length.ok_or_else(wrong)?];
            source.read_exact(&mut envelope)?;
            Ok(Some((Item::Envelope(envelope), head + number)))
        }
        _ => Err(wrong()),
    }
}

/// Appends an item.
pub fn write(item: &Item, out: &mut Vec<u8>) {
    let mut encoder = minicbor::Encoder::new(out);
    // A vector takes every byte.
    let _ = match item {
        Item::Envelope(envelope) => encoder.bytes(envelope).map(|_| ()),
        Item::Refused(number) => encoder.u16(*number).map(|_| ()),
    };
}

/// Major type and argument (RFC 8949 §3), and how many bytes they took.
fn read_head(source: &mut impl Read) -> io::Result<Option<(u8, u64, u64)>> {
    let mut first = [0; 1];
    if source.read(&mut first)? == 0 {
        return Ok(None);
    }
    let (major, short) = (first[0] >> 5, first[0] & 0x1f);
    let length = match short {
        0..24 => return Ok(Some((major, short.into(), 1))),
        24 => 1,
        25 => 2,
        26 => 4,
        _ => return Err(io::Error::new(ErrorKind::InvalidData, "not a sequence of envelopes")),
    };
    let mut bytes = [0; 4];
    source.read_exact(&mut bytes[4 - length..])?;
    Ok(Some((major, u32::from_be_bytes(bytes).into(), 1 + length as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_read_back_and_a_cut_one_is_told_apart_from_the_end() {
        let items =
            [Item::Envelope(vec![7; 300]), Item::Refused(11), Item::Envelope(Vec::new()), Item::Refused(93)];
        let mut bytes = Vec::new();
        items.iter().for_each(|item| write(item, &mut bytes));
        let (mut source, mut taken) = (bytes.as_slice(), 0);
        for item in &items {
            let (found, length) = read(&mut source).unwrap().unwrap();
            assert_eq!(&found, item);
            taken += length;
        }
        assert_eq!((taken, read(&mut source).unwrap()), (bytes.len() as u64, None));
        for end in 1..303 {
            let cut = read(&mut &bytes[..end]).unwrap_err();
            assert_eq!(cut.kind(), ErrorKind::UnexpectedEof, "cut at {end}");
        }
        for wrong in [&[0x60][..], &[0x5f], &[0x5a, 0, 2, 0, 0], &[0xff]] {
            assert_eq!(read(&mut &wrong[..]).unwrap_err().kind(), ErrorKind::InvalidData, "{wrong:?}");
        }
    }
}
