//! Base58 as Bitcoin and Solana write it, and Base58Check.

use crate::connector::encode;
use crate::hash::sha256;

const CHECKSUM: usize = 4;

/// Not Base58, longer than 128 letters (an extended key has 111), or a checksum that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidBase58;

/// A zero byte in front is a `1`; the rest is one number, the largest digit first.
pub(crate) fn encode(bytes: &[u8]) -> String {
    encode::base58(bytes).into_iter().map(char::from).collect()
}

/// Reads what [`encode`] writes, and nothing else.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, InvalidBase58> {
    encode::from_base58(text.as_bytes()).ok_or(InvalidBase58)
}

/// Base58 with the first four bytes of a double SHA-256 behind.
pub(crate) fn encode_check(payload: &[u8]) -> String {
    encode(&[payload, &checksum(payload)].concat())
}

/// The payload, if the checksum holds.
pub(crate) fn decode_check(text: &str) -> Result<Vec<u8>, InvalidBase58> {
    let mut bytes = decode(text)?;
    let (payload, claimed) = bytes.split_last_chunk::<CHECKSUM>().ok_or(InvalidBase58)?;
    if checksum(payload) != *claimed {
        return Err(InvalidBase58);
    }
    bytes.truncate(bytes.len() - CHECKSUM);
    Ok(bytes)
}

fn checksum(payload: &[u8]) -> [u8; CHECKSUM] {
    let [a, b, c, d, ..] = sha256(&sha256(payload));
    [a, b, c, d]
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::hex;
    use proptest::prelude::*;

    #[test]
    fn published_texts_are_met() {
        // draft-msporny-base58, section 5, and Bitcoin Core's base58_encode_decode.json.
        for (bytes, text) in [
            (b"Hello World!".as_slice(), "2NEpo7TZRRrLZSi2U"),
            (
                b"The quick brown fox jumps over the lazy dog.",
                "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
            ),
            (&hex::decode("0000287fb4cd").unwrap(), "11233QC4"),
            (&[0; 10], "1111111111"),
            (b"", ""),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).unwrap(), bytes);
        }
    }

    #[test]
    fn letters_that_look_alike_and_long_texts_are_refused() {
        for text in ["0", "O", "I", "l", " ", "é", &"1".repeat(129)] {
            assert_eq!(decode(text), Err(InvalidBase58), "{text}");
        }
        assert_eq!(decode_check(""), Err(InvalidBase58));
        assert_eq!(decode_check("111"), Err(InvalidBase58));
    }

    #[test]
    fn every_altered_letter_breaks_the_checksum() {
        let text = encode_check(&[5; 21]);
        for (at, letter) in text.char_indices() {
            let mut other = text.clone();
            other.replace_range(at..=at, if letter == '2' { "3" } else { "2" });
            assert_eq!(decode_check(&other), Err(InvalidBase58), "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_written(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes.clone());
            prop_assert_eq!(decode_check(&encode_check(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "[1-9A-HJ-NP-Za-km-z]{0,60}") {
            prop_assert_eq!(encode(&decode(&text).unwrap()), text);
        }
    }
}
