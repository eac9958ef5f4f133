//! Reads DER (X.690 §10): single-byte tags, definite and minimal lengths, every length within what is left.

use crate::Refused;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

const MALFORMED: Refused = Refused::CertificateMalformed;

#[derive(Clone, Copy)]
pub(crate) struct Reader<'b>(&'b [u8]);

/// One element: its tag, its contents, and all its bytes with tag and length.
#[derive(Clone, Copy)]
pub(crate) struct Element<'b> {
    pub(crate) tag: u8,
    pub(crate) contents: &'b [u8],
    pub(crate) bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next element, if there is one.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    pub(crate) fn element(&mut self) -> Result<Element<'b>, Refused> {
        let (&tag, rest) = self.0.split_first().ok_or(MALFORMED)?;
        if tag & 0x1f == 0x1f {
            return Err(MALFORMED);
        }
        let (length, rest) = length(rest)?;
        let (contents, rest) = rest.split_at_checked(length).ok_or(MALFORMED)?;
        let (bytes, _) = self.0.split_at_checked(self.0.len().saturating_sub(rest.len())).ok_or(MALFORMED)?;
        self.0 = rest;
        Ok(Element { tag, contents, bytes })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'b>, Refused> {
        let element = self.element()?;
        if element.tag == tag { Ok(element) } else { Err(MALFORMED) }
    }

    /// A reader of the contents of the next element, which must have this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Result<Reader<'b>, Refused> {
        Ok(Reader(self.expect(tag)?.contents))
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'b>>, Refused> {
        if self.peek() == Some(tag) { self.element().map(Some) } else { Ok(None) }
    }

    /// `BOOLEAN DEFAULT FALSE`. An explicit FALSE is not DER, but chains made by OpenSSL carry it.
    pub(crate) fn default_false(&mut self) -> Result<bool, Refused> {
        match self.optional(BOOLEAN)?.map(|element| element.contents) {
            None | Some([0x00]) => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(MALFORMED),
        }
    }

    /// The contents of a BIT STRING of whole bytes.
    pub(crate) fn bit_string_bytes(&mut self) -> Result<&'b [u8], Refused> {
        match self.expect(BIT_STRING)?.contents.split_first() {
            Some((0, bytes)) => Ok(bytes),
            _ => Err(MALFORMED),
        }
    }

    /// Nothing may follow.
    pub(crate) fn finish(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(MALFORMED) }
    }
}

/// Whether the bytes are one SEQUENCE and nothing else.
pub(crate) fn is_der_sequence(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    reader.expect(SEQUENCE).is_ok() && reader.is_empty()
}

/// A definite length in its shortest form, of at most two bytes: no certificate here is larger.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), Refused> {
    match bytes {
        [short @ 0..=0x7f, rest @ ..] => Ok((usize::from(*short), rest)),
        [0x81, long @ 0x80..=0xff, rest @ ..] => Ok((usize::from(*long), rest)),
        [0x82, high @ 0x01..=0xff, low, rest @ ..] => {
            Ok((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => Err(MALFORMED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_minimal_and_within_the_input() {
        let read = |bytes: &[u8]| Reader::new(bytes).element().map(|element| element.contents.len());
        assert_eq!(read(&[0x04, 0x00]), Ok(0));
        assert_eq!(read(&[[0x04, 0x81, 0x80].as_slice(), &[0; 128]].concat()), Ok(128));
        for bad in [
            &[0x04][..],
            &[0x04, 0x01],
            &[0x04, 0x80, 0x00, 0x00],
            &[0x04, 0x81, 0x01, 0x00],
            &[0x04, 0x82, 0x00, 0x01, 0x00],
            &[0x04, 0x83, 0x00, 0x00, 0x01, 0x00],
            &[0x1f, 0x01, 0x00],
        ] {
            assert_eq!(read(bad), Err(MALFORMED), "{bad:02x?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            while reader.element().is_ok() {}
        }
    }
}
