//! Templates of connector files, `text{token|filter}text`, and their filters both ways.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::super::{clock, mac};
use wire::Decimal;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'t> {
    Literal(&'t str),
    Place { token: &'t str, filters: Vec<&'t str> },
}

/// The pieces of a template, in which `{{` and `}}` are braces; connector files were checked by the enclave's build.
pub fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (literal, tail) = rest.split_at(at);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        rest = if let Some(behind) = tail.strip_prefix("{{").or_else(|| tail.strip_prefix("}}")) {
            pieces.push(Piece::Literal(&tail[..1]));
            behind
        } else if let Some((place, behind)) = tail[1..].split_once('}') {
            let mut parts = place.split('|');
            pieces.push(Piece::Place { token: parts.next().unwrap_or_default(), filters: parts.collect() });
            behind
        } else {
            pieces.push(Piece::Literal(tail));
            ""
        };
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

/// Applies a filter.
pub fn filtered(filter: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let text = || std::str::from_utf8(bytes).ok();
    let millis = || text()?.parse::<u64>().ok();
    Some(match filter {
        "hex" => hex(bytes).into_bytes(),
        "HEX" => hex(bytes).to_uppercase().into_bytes(),
        "base64" => STANDARD.encode(bytes).into_bytes(),
        "base64url" => URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
        "base58" => base58(bytes).into_bytes(),
        "percent" => percent(bytes).into_bytes(),
        "plus" => text()?.replace("%20", "+").into_bytes(),
        "upper" => bytes.to_ascii_uppercase(),
        "lower" => bytes.to_ascii_lowercase(),
        "unrooted" => bytes.strip_prefix(b"/").unwrap_or(bytes).to_vec(),
        // Without the first segment.
        "inner" => format!("/{}", text()?.strip_prefix('/')?.split_once('/')?.1).into_bytes(),
        "seconds" => (millis()? / 1000).to_string().into_bytes(),
        "seconds-up" => (millis()?.div_ceil(1000)).to_string().into_bytes(),
        "seconds-after" => (millis()? / 1000 + 1).to_string().into_bytes(),
        "next" => (millis()? + 1).to_string().into_bytes(),
        "previous" => millis()?.checked_sub(1)?.to_string().into_bytes(),
        "seconds-decimal" => format!("{}.{:03}", millis()? / 1000, millis()? % 1000).into_bytes(),
        "iso" => clock::iso(millis()?).into_bytes(),
        _ => scaled(text()?, filter.strip_prefix("scaled-")?.parse().ok()?)?.into_bytes(),
    })
}

/// A number with its point so many places further on; `None` where that is no whole number, or for a negative count.
fn scaled(text: &str, places: u32) -> Option<String> {
    let factor = Decimal::new(10i128.checked_pow(places)?, 0).ok()?;
    let whole = text.parse::<Decimal>().ok()?.checked_mul(factor).ok()?.to_string();
    (!whole.contains('.')).then_some(whole)
}

/// The number that was scaled so.
fn unscaled(text: &str, places: u8) -> Option<String> {
    Some(Decimal::new(text.parse().ok()?, places).ok()?.to_string())
}

/// Undoes a filter, where what it made says what it was made from. Text that the filter would not write is refused.
pub fn unfiltered(filter: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let was = match filter {
        "hex" | "HEX" => mac::unhex(text)?,
        "base64" => STANDARD.decode(text).ok()?,
        "base64url" => URL_SAFE_NO_PAD.decode(text).ok()?,
        "percent" => unpercent(text)?,
        "plus" => text.replace('+', "%20").into_bytes(),
        // A second whose milliseconds nobody knows is read as its beginning, the next one as the end of the one before.
        "seconds" => format!("{text}000").into_bytes(),
        "seconds-up" => return text.parse::<u64>().ok().map(|s| (s * 1000).to_string().into_bytes()),
        "seconds-after" => {
            return text.parse::<u64>().ok().map(|s| (s * 1000).saturating_sub(1).to_string().into_bytes());
        }
        // A client may be more precise than the milliseconds that are looked at.
        "seconds-decimal" => {
            let (seconds, places) = text.split_once('.')?;
            return Some(format!("{seconds}{}", format!("{places:0<3}").get(..3)?).into_bytes());
        }
        "next" => text.parse::<u64>().ok()?.checked_sub(1)?.to_string().into_bytes(),
        "previous" => (text.parse::<u64>().ok()? + 1).to_string().into_bytes(),
        "iso" => clock::parse_iso(text)?.to_string().into_bytes(),
        "upper" | "lower" => bytes.to_vec(),
        _ => unscaled(text, filter.strip_prefix("scaled-")?.parse().ok()?)?.into_bytes(),
    };
    (filtered(filter, &was)? == bytes).then_some(was)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub fn percent(bytes: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    bytes
        .iter()
        .map(|&byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Undoes [`percent`] and nothing else: `+` is a plus.
pub fn unpercent(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            bytes.extend(mac::unhex(std::str::from_utf8(tail.get(..2)?).ok()?)?);
            rest = tail.get(2..)?;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    Some(bytes)
}

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Base58 with bitcoin's alphabet.
pub fn base58(bytes: &[u8]) -> String {
    let mut digits: Vec<u32> = Vec::new();
    for &byte in bytes {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            carry += *digit << 8;
            *digit = carry % 58;
            carry /= 58;
        }
        while carry > 0 {
            digits.push(carry % 58);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = digits.iter().rev().map(|digit| char::from(ALPHABET[*digit as usize]));
    std::iter::repeat_n('1', zeros).chain(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_literals_and_places() {
        let place = |token, filters: &[&'static str]| Piece::Place { token, filters: filters.to_vec() };
        assert_eq!(
            pieces("a{b|hex|base64}{c}d"),
            [Piece::Literal("a"), place("b", &["hex", "base64"]), place("c", &[]), Piece::Literal("d"),]
        );
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn filters_are_undone() {
        for (filter, plain, text) in [
            ("hex", &b"\x00\xff"[..], "00ff"),
            ("HEX", b"\xab", "AB"),
            ("base64", b"\xfb\xff", "+/8="),
            ("base64url", b"\xfb\xff", "-_8"),
            ("percent", "a b/é".as_bytes(), "a%20b%2F%C3%A9"),
            ("plus", b"a%20b", "a+b"),
            ("iso", b"1700000000123", "2023-11-14T22:13:20.123Z"),
            ("seconds-decimal", b"1700000000123", "1700000000.123"),
            ("scaled-8", b"0.03", "3000000"),
            ("scaled-4", b"1", "10000"),
        ] {
            assert_eq!(filtered(filter, plain).unwrap(), text.as_bytes(), "{filter}");
            assert_eq!(unfiltered(filter, text.as_bytes()).unwrap(), plain, "{filter}");
        }
        for (filter, text) in [
            ("hex", "AB"),
            ("base64", "+/9="),
            ("percent", "a b"),
            ("percent", "%2f"),
            ("hex", "a"),
            ("scaled-8", "0.5"),
            ("scaled-8", "03"),
        ] {
            assert_eq!(unfiltered(filter, text.as_bytes()), None, "{filter} {text}");
        }
        assert_eq!(filtered("inner", b"/spot/api/v3").unwrap(), b"/api/v3");
    }

    #[test]
    fn base58_is_bitcoins() {
        for (bytes, text) in
            [(&b""[..], ""), (b"\0\0a", "112g"), (b"simply a long string", "2cFupjhnEsSn59qHXstmK2ffpLv2")]
        {
            assert_eq!(base58(bytes), text);
        }
    }
}
