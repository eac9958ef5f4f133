//! Hexadecimal in addresses.

/// Bytes have one spelling: two lower-case digits each.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hex = text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() != 2 * N || !is_hex {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_spelling() {
        assert_eq!(unhex("00ff"), Some([0, 255]));
        for text in ["00FF", "00f", "00ff0", "00fg", "+0ff", "0é0"] {
            assert_eq!(unhex::<2>(text), None, "{text}");
        }
    }
}
