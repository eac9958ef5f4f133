//! Base58 as Bitcoin and Solana write it, and Base58Check.

use crate::hash::sha256;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Longer texts are refused unread: the work grows with the square. An extended key has 111 letters.
pub(crate) const MAX_TEXT: usize = 128;

const CHECKSUM: usize = 4;

/// Not Base58, too long, or a checksum that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidBase58;

/// A zero byte in front is a `1`; the rest is one number, the largest digit first.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    // The least digit first.
    let mut digits: Vec<u8> = Vec::with_capacity(bytes.len() * 2);
    for byte in bytes.iter().skip(zeros) {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = low(carry % 58);
            carry /= 58;
        }
        while carry > 0 {
            digits.push(low(carry % 58));
            carry /= 58;
        }
    }
    let letters = core::iter::repeat_n(0, zeros).chain(digits.into_iter().rev());
    letters.filter_map(|digit| ALPHABET.get(usize::from(digit))).map(|letter| char::from(*letter)).collect()
}

/// Reads what [`encode`] writes, and nothing else.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, InvalidBase58> {
    if text.len() > MAX_TEXT {
        return Err(InvalidBase58);
    }
    let zeros = text.bytes().take_while(|letter| *letter == b'1').count();
    // The least byte first.
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for letter in text.bytes().skip(zeros) {
        let digit = ALPHABET.iter().position(|listed| *listed == letter).ok_or(InvalidBase58)?;
        let mut carry = u32::try_from(digit).map_err(|_| InvalidBase58)?;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = low(carry & 0xff);
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push(low(carry));
        }
    }
    Ok(core::iter::repeat_n(0, zeros).chain(bytes.into_iter().rev()).collect())
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

/// A number that is below 256, as the arithmetic around it has it.
fn low(number: u32) -> u8 {
    let [low, ..] = number.to_le_bytes();
    low
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
        for text in ["0", "O", "I", "l", " ", "é", &"1".repeat(MAX_TEXT + 1)] {
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
