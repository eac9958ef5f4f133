//! Reads a known-length message: every length is compared with what is left before anything is copied.

use super::{Error, Field, MAX_BYTES, MAX_FIELDS, check_name, check_value};
use zeroize::Zeroizing;

pub(super) struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Result<Reader<'b>, Error> {
        if bytes.len() > MAX_BYTES { Err(Error::TooLong) } else { Ok(Reader(bytes)) }
    }

    /// A variable-length integer (RFC 9000 §16); longer forms than needed are allowed there.
    pub(super) fn number(&mut self) -> Result<u64, Error> {
        let first = *self.0.first().ok_or(Error::Truncated)?;
        let length = 1usize << (first >> 6);
        let bytes = self.take(length)?;
        let rest = bytes.iter().skip(1);
        Ok(rest.fold(u64::from(first & 0x3f), |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A length and as many bytes of UTF-8 without control characters.
    pub(super) fn text(&mut self) -> Result<String, Error> {
        let text = core::str::from_utf8(self.string()?).map_err(|_| Error::Field)?;
        check_value(text)?;
        Ok(text.to_owned())
    }

    /// Header section, content, trailer section and padding. A message may end early where everything left is
    /// empty (RFC 9292 §3.8).
    pub(super) fn finish(mut self) -> Result<(Vec<Field>, Zeroizing<Vec<u8>>), Error> {
        let fields = Reader(self.optional_string()?).fields()?;
        let content = Zeroizing::new(self.optional_string()?.to_vec());
        if !self.optional_string()?.is_empty() {
            return Err(Error::Trailer);
        }
        if self.0.iter().any(|byte| *byte != 0) {
            return Err(Error::Padding);
        }
        Ok((fields, content))
    }

    fn fields(mut self) -> Result<Vec<Field>, Error> {
        let mut fields = Vec::new();
        while !self.0.is_empty() {
            if fields.len() == MAX_FIELDS {
                return Err(Error::TooLong);
            }
            let (name, value) = (self.text()?, self.text()?);
            check_name(&name)?;
            fields.push(Field { name, value });
        }
        Ok(fields)
    }

    fn optional_string(&mut self) -> Result<&'b [u8], Error> {
        if self.0.is_empty() { Ok(&[]) } else { self.string() }
    }

    fn string(&mut self) -> Result<&'b [u8], Error> {
        let length = usize::try_from(self.number()?).map_err(|_| Error::Truncated)?;
        self.take(length)
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Error> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(Error::Truncated)?;
        self.0 = tail;
        Ok(head)
    }
}
