//! Recursive length prefixes (Yellow Paper, appendix B), in the one shortest form.

use crate::wallet::u256::U256;

/// Bytes that are not RLP in its shortest form, or not of the expected structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

const STRING: u8 = 0x80;
const LIST: u8 = 0xc0;

/// The longest content whose length is in the first byte.
const SHORT: usize = 55;

/// Appends items.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Writer {
        match bytes {
            [byte] if *byte < STRING => self.0.push(*byte),
            _ => {
                head(&mut self.0, STRING, bytes.len());
                self.0.extend_from_slice(bytes);
            }
        }
        self
    }

    /// A number is its bytes, big-endian, without zeros in front.
    pub(super) fn number(self, number: impl Into<U256>) -> Writer {
        let bytes = number.into().to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        self.bytes(bytes.get(zeros..).unwrap_or_default())
    }

    pub(super) fn empty_list(mut self) -> Writer {
        self.0.push(LIST);
        self
    }

    /// All items as one list.
    pub(super) fn list(self) -> Vec<u8> {
        let mut list = Vec::with_capacity(self.0.len() + 9);
        head(&mut list, LIST, self.0.len());
        list.extend_from_slice(&self.0);
        list
    }
}

fn head(to: &mut Vec<u8>, kind: u8, length: usize) {
    match u8::try_from(length) {
        Ok(short) if length <= SHORT => to.push(kind + short),
        _ => {
            let length = length.to_be_bytes();
            let zeros = length.iter().take_while(|byte| **byte == 0).count();
            let length = length.get(zeros..).unwrap_or_default();
            // At most eight bytes say a length.
            to.push(kind + 55 + u8::try_from(length.len()).unwrap_or_default());
            to.extend_from_slice(length);
        }
    }
}

/// Reads the items of a list from front to back.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The items of the one list that `bytes` are.
    pub(super) fn list(bytes: &'a [u8]) -> Result<Reader<'a>, Malformed> {
        let mut outer = Reader(bytes);
        let inner = outer.nested()?;
        outer.end()?;
        Ok(inner)
    }

    /// The next item, a string.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        match *self.0 {
            [byte, ..] if byte < STRING => self.take(1),
            [byte, ..] if byte < LIST => {
                let content = self.content(STRING)?;
                // A byte that stands for itself needs no head.
                if matches!(content, [byte] if *byte < STRING) { Err(Malformed) } else { Ok(content) }
            }
            _ => Err(Malformed),
        }
    }

    /// The next item, a list.
    pub(super) fn nested(&mut self) -> Result<Reader<'a>, Malformed> {
        match *self.0 {
            [byte, ..] if byte >= LIST => self.content(LIST).map(Reader),
            _ => Err(Malformed),
        }
    }

    /// The next item, a number of at most 256 bits.
    pub(super) fn number(&mut self) -> Result<U256, Malformed> {
        let bytes = self.bytes()?;
        if bytes.len() > 32 || bytes.first() == Some(&0) {
            return Err(Malformed);
        }
        let mut number = [0; 32];
        for (to, from) in number.iter_mut().rev().zip(bytes.iter().rev()) {
            *to = *from;
        }
        Ok(U256::from_be_bytes(number))
    }

    /// The next item, a number of at most 128 bits.
    pub(super) fn u128(&mut self) -> Result<u128, Malformed> {
        let bytes = self.number()?.to_be_bytes();
        let ([high, low], _) = bytes.as_chunks::<16>() else { return Err(Malformed) };
        if *high == [0; 16] { Ok(u128::from_be_bytes(*low)) } else { Err(Malformed) }
    }

    /// The next item, a number of at most 64 bits.
    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.u128()?.try_into().map_err(|_| Malformed)
    }

    /// That nothing follows.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    fn content(&mut self, kind: u8) -> Result<&'a [u8], Malformed> {
        let [first] = self.take(1)? else { return Err(Malformed) };
        let short = usize::from(first.checked_sub(kind).ok_or(Malformed)?);
        let Some(bytes) = short.checked_sub(SHORT).filter(|bytes| *bytes > 0) else {
            return self.take(short);
        };
        let said = self.take(bytes)?;
        let length = said.iter().try_fold(0_usize, |sum, byte| {
            sum.checked_mul(256).and_then(|sum| sum.checked_add(usize::from(*byte)))
        });
        let length = length.ok_or(Malformed)?;
        if said.first() == Some(&0) || length <= SHORT { Err(Malformed) } else { self.take(length) }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::hex;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut reader = Reader(bytes);
        let item = reader.bytes()?.to_vec();
        reader.end().map(|()| item)
    }

    #[test]
    fn published_items_are_met() {
        // ethereum.org, "Recursive-length prefix (RLP) serialization", Examples.
        assert_eq!(
            Writer::default().bytes(b"cat").bytes(b"dog").list(),
            hex::decode("c88363617483646f67").unwrap()
        );
        assert_eq!(Writer::default().bytes(b"").0, [0x80]);
        assert_eq!(
            Writer::default().number(0_u64).number(15_u64).number(1024_u64).0,
            hex::decode("800f820400").unwrap()
        );
        let long = b"Lorem ipsum dolor sit amet, consectetur adipisicing elit";
        assert_eq!(Writer::default().bytes(long).0, [&[0xb8, 0x38], long.as_slice()].concat());
    }

    #[test]
    fn longer_forms_and_cut_items_are_refused() {
        for text in [
            "",
            "8100",
            "817f",
            "b800",
            "b80161",
            "b90001",
            "83616263ff",
            "8261",
            "b837",
            "c0",
            "bfffffffffffffffff",
        ] {
            assert_eq!(read(&hex::decode(text).unwrap()), Err(Malformed), "{text}");
        }
        for text in
            ["8100", "820001", "a1010000000000000000000000000000000000000000000000000000000000000000", "c0"]
        {
            let bytes = hex::decode(text).unwrap();
            assert!(Reader(&bytes).number().is_err(), "{text}");
        }
        assert!(Reader(&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]).u64().is_err());
    }

    proptest! {
        #[test]
        fn every_item_is_read_as_it_was_written(item in proptest::collection::vec(any::<u8>(), 0..300), number: u128) {
            let list = Writer::default().bytes(&item).number(number).empty_list().list();
            let mut reader = Reader::list(&list).unwrap();
            prop_assert_eq!(reader.bytes().unwrap(), item);
            prop_assert_eq!(reader.u128(), Ok(number));
            prop_assert!(reader.nested().unwrap().end().is_ok());
            prop_assert!(reader.end().is_ok());
        }

        #[test]
        fn what_is_read_has_that_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(item) = read(&bytes) {
                prop_assert_eq!(Writer::default().bytes(&item).0, bytes);
            }
        }
    }
}
