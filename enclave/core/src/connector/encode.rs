//! Text encodings of bytes: hex, base64 (RFC 4648 §4, §5), percent (RFC 3986).

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub fn hex(bytes: &[u8]) -> Vec<u8> {
    hex_with(LOWER, bytes)
}

pub fn hex_upper(bytes: &[u8]) -> Vec<u8> {
    hex_with(UPPER, bytes)
}

fn hex_with(alphabet: &[u8; 16], bytes: &[u8]) -> Vec<u8> {
    let digit = |nibble: u8| alphabet.get(usize::from(nibble & 15)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Base64 with padding.
pub fn base64(bytes: &[u8]) -> Vec<u8> {
    base64_with(STANDARD, bytes, true)
}

/// Base64 with padding, as text.
pub fn to_base64(bytes: &[u8]) -> String {
    // The bytes are the text: no copy of a secret is left behind.
    String::from_utf8(base64(bytes)).unwrap_or_default()
}

/// Base64url without padding, as text.
pub fn to_base64url(bytes: &[u8]) -> String {
    String::from_utf8(base64url(bytes)).unwrap_or_default()
}

/// Base64url without padding.
pub fn base64url(bytes: &[u8]) -> Vec<u8> {
    base64_with(URL, bytes, false)
}

fn base64_with(alphabet: &[u8; 64], bytes: &[u8], pad: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let group = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4usize {
            if place <= chunk.len() {
                let digit = (group >> (18 - 6 * place)) & 63;
                text.push(alphabet.get(digit as usize).copied().unwrap_or_default());
            } else if pad {
                text.push(b'=');
            }
        }
    }
    text
}

/// Reads base64 of either alphabet; padding is optional, anything else (white space too) is refused.
pub fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = text.get(..text.len() - padding)?;
    if padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) || digits.len() % 4 == 1 {
        return None;
    }
    // Read twice, so that nothing of a key is left of a text that turns out to be none.
    if !digits.chunks(4).all(|chunk| base64_group(chunk).is_some()) {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let group = base64_group(chunk)?.to_be_bytes();
        bytes.extend(group.into_iter().skip(1).take(chunk.len() - 1));
    }
    Some(bytes)
}

/// One to four digits as 24 bits. Bits behind the last whole byte must be zero: one text for one value.
fn base64_group(chunk: &[u8]) -> Option<u32> {
    let mut group = 0u32;
    for byte in chunk {
        group = (group << 6) | u32::from(base64_digit(*byte)?);
    }
    group <<= 6 * (4 - chunk.len());
    (group & (0xFF_FFFFu32 >> (8 * (chunk.len() - 1))) == 0).then_some(group)
}

fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

const BITCOIN: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Base58 in Bitcoin's alphabet: the number in base 58, and a `1` for each leading zero byte.
pub fn base58(bytes: &[u8]) -> Vec<u8> {
    let mut digits: Vec<u8> = Vec::with_capacity(bytes.len() * 138 / 100 + 1);
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digit = |digit: &u8| BITCOIN.get(usize::from(*digit)).copied().unwrap_or_default();
    std::iter::repeat_n(b'1', zeros).chain(digits.iter().rev().map(digit)).collect()
}

/// Reads base58 of at most 128 characters.
pub fn from_base58(text: &[u8]) -> Option<Vec<u8>> {
    let value = |character: &u8| BITCOIN.iter().position(|known| known == character);
    // Nothing of a key is left of a text that turns out to be none, and the one buffer never grows.
    if text.len() > 128 || !text.iter().all(|character| value(character).is_some()) {
        return None;
    }
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for character in text {
        let mut carry = u32::try_from(value(character)?).ok()?;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = (carry & 0xFF) as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push((carry & 0xFF) as u8);
            carry >>= 8;
        }
    }
    bytes.extend(text.iter().take_while(|character| **character == b'1').map(|_| 0));
    bytes.reverse();
    Some(bytes)
}

/// A UUID of random bytes (RFC 9562 §5.4), in lower case.
pub fn uuid(mut random: [u8; 16]) -> Vec<u8> {
    for (byte, (kept, set)) in random.iter_mut().skip(6).step_by(2).zip([(0x0F, 0x40), (0x3F, 0x80)]) {
        *byte = *byte & kept | set;
    }
    let digits = hex(&random);
    let mut out = Vec::with_capacity(36);
    for (at, digit) in digits.into_iter().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            out.push(b'-');
        }
        out.push(digit);
    }
    out
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 §2.3.
pub fn percent(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(*byte);
        } else {
            out.push(b'%');
            out.extend(hex_upper(&[*byte]));
        }
    }
}

/// Percent-encoded (RFC 3986), as text.
pub fn percent_text(text: &str) -> String {
    let mut out = Vec::with_capacity(3 * text.len());
    percent(text.as_bytes(), &mut out);
    out.into_iter().map(char::from).collect()
}

/// Percent-encoded text with `+` for `%20`, as forms of HTML write spaces.
pub fn plus(percent_encoded: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(percent_encoded.len());
    let mut rest = percent_encoded;
    while let Some((first, tail)) = rest.split_first() {
        rest = rest.strip_prefix(b"%20").unwrap_or(tail);
        out.push(if rest.len() < tail.len() { b'+' } else { *first });
    }
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn forms_of_html_write_spaces_as_plus() {
        assert_eq!(plus(b"a%20b%2520c%2B%20"), b"a+b%2520c%2B+");
    }

    #[test]
    fn base64_agrees_with_rfc_4648_section_10() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ] {
            assert_eq!(base64(plain.as_bytes()), text.as_bytes());
            assert_eq!(from_base64(text.as_bytes()).unwrap(), plain.as_bytes());
        }
        assert_eq!(base64url(&[0xFB, 0xFF]), b"-_8");
    }

    #[test]
    fn base64_that_is_not_canonical_is_refused() {
        for text in ["Zh==", "Zg=", "Z", "Zm9v=", "Zm 9v", "Zg===", "===="] {
            assert_eq!(from_base64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn base58_agrees_with_the_published_examples() {
        // draft-msporny-base58-03, section 5.
        for (plain, text) in [
            (&b"Hello World!"[..], "2NEpo7TZRRrLZSi2U"),
            (
                b"The quick brown fox jumps over the lazy dog.",
                "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
            ),
            (&[0, 0, 0x28, 0x7F, 0xB4, 0xCD], "11233QC4"),
        ] {
            assert_eq!(base58(plain), text.as_bytes());
            assert_eq!(from_base58(text.as_bytes()).unwrap(), plain);
        }
        assert_eq!(from_base58(b"0OIl"), None);
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        assert_eq!(uuid([0; 16]), b"00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xFF; 16]), b"ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn hex_and_percent_are_as_documented() {
        assert_eq!(hex(&[0x0A, 0xFF]), b"0aff");
        let mut out = Vec::new();
        percent("a b&c/é~".as_bytes(), &mut out);
        assert_eq!(out, b"a%20b%26c%2F%C3%A9~");
    }
}
