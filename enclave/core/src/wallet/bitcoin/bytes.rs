//! Bytes as Bitcoin's structures have them: little-endian numbers and compact sizes.

/// Bytes that are not of the expected structure, or not in its one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads from front to back.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// A compact size in its shortest form.
    pub(super) fn size(&mut self) -> Result<usize, Malformed> {
        let [first] = self.array()?;
        let (size, least) = match first {
            0xfd => (u64::from(u16::from_le_bytes(self.array()?)), 0xfd),
            0xfe => (u64::from(self.u32()?), 0x1_0000),
            0xff => (self.u64()?, 0x1_0000_0000),
            small => (u64::from(small), 0),
        };
        if size < least { Err(Malformed) } else { usize::try_from(size).map_err(|_| Malformed) }
    }

    /// Bytes behind their compact size.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let size = self.size()?;
        self.take(size)
    }

    /// As many items as a compact size says. Each has at least `least` bytes: a count that cannot be true is refused
    /// before room is made for it.
    pub(super) fn list<T>(
        &mut self,
        least: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.size()?;
        if count.checked_mul(least).is_none_or(|bytes| bytes > self.0.len()) {
            return Err(Malformed);
        }
        (0..count).map(|_| item(self)).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the next bytes are these; they are taken then.
    pub(super) fn skip(&mut self, bytes: &[u8]) -> bool {
        let rest = self.0.strip_prefix(bytes);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }
}

/// A compact size in its shortest form.
pub(super) fn size(to: &mut Vec<u8>, size: usize) {
    if let Ok(small @ 0..0xfd) = u8::try_from(size) {
        to.push(small);
    } else if let Ok(size) = u16::try_from(size) {
        to.push(0xfd);
        to.extend(size.to_le_bytes());
    } else if let Ok(size) = u32::try_from(size) {
        to.push(0xfe);
        to.extend(size.to_le_bytes());
    } else {
        to.push(0xff);
        to.extend((size as u64).to_le_bytes());
    }
}

/// Bytes behind their compact size.
pub(super) fn sized(to: &mut Vec<u8>, bytes: &[u8]) {
    size(to, bytes.len());
    to.extend_from_slice(bytes);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_form() {
        for number in [0, 0xfc, 0xfd, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000] {
            let mut written = Vec::new();
            size(&mut written, number);
            assert_eq!(Reader::new(&written).size(), Ok(number));
        }
        for bytes in [
            [0xfd, 0xfc, 0].as_slice(),
            &[0xfe, 0xff, 0xff, 0, 0],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
            &[0xfd, 0xff],
            &[],
        ] {
            assert_eq!(Reader::new(bytes).size(), Err(Malformed));
        }
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused_before_room_is_made() {
        let bytes = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(Reader::new(&bytes).list(1, |reader| reader.u32()), Err(Malformed));
        let few = [2, 1, 0, 0, 0, 2, 0, 0, 0];
        assert_eq!(Reader::new(&few).list(4, |reader| reader.u32()).unwrap(), [1, 2]);
    }
}
