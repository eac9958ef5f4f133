//! Byte scanners of the JSON reader.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The end (index of the closing quote) of a string whose content starts at `from`, and whether it holds escapes.
/// Nothing when it is unterminated, holds a control character or a malformed escape.
#[inline]
pub fn string_end(bytes: &[u8], from: usize) -> Option<(usize, bool)> {
    let mut at = from;
    let mut escaped = false;
    loop {
        at = special(bytes, at)?;
        match *bytes.get(at)? {
            b'"' => return Some((at, escaped)),
            b'\\' => {
                escaped = true;
                at += escape_length(bytes.get(at + 1..)?)?;
            }
            _ => return None,
        }
    }
}

/// The next quote, backslash or control character, eight bytes at a time.
#[inline]
fn special(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(word) = word(bytes, at) {
        // A byte is zero in `word ^ pattern` where it equals the pattern.
        let hits = zero_bytes(word ^ (ONES * 0x22))
            | zero_bytes(word ^ (ONES * 0x5C))
            | word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        if hits != 0 {
            return Some(at + (hits.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)).map(|offset| at + offset)
}

/// How many bytes at `left` and at `right`, which is behind it, are the same, up to `limit`. Compares whole words, so
/// within eight bytes of the end of the input it may count less than there are.
#[inline]
pub fn common(bytes: &[u8], left: usize, right: usize, limit: usize) -> usize {
    let words = |at: usize| bytes.get(at..).unwrap_or_default().as_chunks::<8>().0.iter().take(limit / 8);
    let mut length = 0;
    for (one, two) in words(left).zip(words(right)) {
        let difference = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*two);
        if difference != 0 {
            return length + (difference.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    length
}

/// Eight bytes, the first one lowest.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8).and_then(|chunk| chunk.try_into().ok()).map(u64::from_le_bytes)
}

/// The high bit of each byte that is zero; exact for the lowest such byte, which is the one that is used.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The length of an escape with its backslash, given the bytes behind the backslash.
fn escape_length(rest: &[u8]) -> Option<usize> {
    match *rest.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => rest.get(1..5)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

/// The end of the number that starts at `from`, by the grammar of RFC 8259 §6.
#[inline]
pub fn number_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at)? {
        b'0' => at + 1,
        b'1'..=b'9' => digits_end(bytes, at),
        _ => return None,
    };
    if bytes.get(at) == Some(&b'.') {
        let end = digits_end(bytes, at + 1);
        if end == at + 1 {
            return None;
        }
        at = end;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        let end = digits_end(bytes, at);
        if end == at {
            return None;
        }
        at = end;
    }
    Some(at)
}

#[inline]
fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b'0'..=b'9')) {
        at += 1;
    }
    at
}
