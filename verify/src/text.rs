//! Bytes that were saved as text, white space anywhere.

/// Longer texts are of nothing that is read here.
const LONGEST: usize = 128 * 1024;

/// Hexadecimal digits, two a byte.
pub(crate) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text_symbols(text, |byte| char::from(byte).to_digit(16)?.try_into().ok())?;
    let mut pairs = digits.chunks_exact(2);
    let bytes = pairs.by_ref().map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    pairs.remainder().is_empty().then_some(bytes)
}

/// Base64 (RFC 4648 §4), padding optional.
pub(crate) fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let unpadded = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte.checked_sub(b'A'),
        b'a'..=b'z' => byte.checked_sub(b'a' - 26),
        b'0'..=b'9' => byte.checked_add(52 - b'0'),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let symbols = text_symbols(unpadded, value)?;
    let mut bytes = Vec::with_capacity(symbols.len());
    for group in symbols.chunks(4) {
        let bits = group.iter().fold(0u32, |bits, symbol| bits << 6 | u32::from(*symbol));
        let [_, high, middle, low] =
            (bits << (24u32.checked_sub(6u32.checked_mul(group.len().try_into().ok()?)?)?)).to_be_bytes();
        match (group.len(), middle, low) {
            (4, ..) => bytes.extend([high, middle, low]),
            (3, _, 0) => bytes.extend([high, middle]),
            (2, 0, 0) => bytes.push(high),
            // Bits behind the last byte, or a symbol alone.
            _ => return None,
        }
    }
    Some(bytes)
}

/// The values of a text's symbols, white space left out; `None` for no text, or for one with another symbol.
fn text_symbols(text: &[u8], value: impl Fn(u8) -> Option<u8>) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    let symbols = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let values = symbols.map(|byte| value(*byte)).collect::<Option<Vec<u8>>>()?;
    (!values.is_empty()).then_some(values)
}
