//! Bytes as hexadecimal text.

use crate::connector::encode;

/// Lower case, two digits a byte, no prefix.
pub(crate) fn encode(bytes: &[u8]) -> String {
    encode::hex(bytes).into_iter().map(char::from).collect()
}

/// Reads two digits a byte in either case, without a prefix.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_pairs_of_digits_is_refused() {
        for text in ["0", "0g", "+1", "0x", " 0", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_written(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(decode(&encode(&bytes).to_uppercase()), Some(bytes));
        }
    }
}
