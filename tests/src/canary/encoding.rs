//! The forms that a leaked secret can take, and how much of each is enough to know it.

use std::fmt;

/// So many consecutive bytes of a secret are a leak; a shorter secret has to be there whole.
pub(super) const PART: usize = 16;
/// Every [`PART`] consecutive bytes hold a whole chunk of this many, aligned in the secret.
const CHUNK: usize = PART / 2;
/// [`PART`] bytes at any bit offset fill at least this many characters of base64: (128 − 4) / 6.
const BASE64_PART: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    Raw,
    /// Lower case.
    Hex,
    HexUpper,
    /// RFC 4648 §4. The number of bytes before the secret, modulo 3: it shifts every character.
    Base64(u8),
    /// RFC 4648 §5, likewise.
    Base64Url(u8),
    /// As `Debug` prints bytes: `1, 2, 3`.
    Decimals,
    /// As JSON has bytes: `1,2,3`.
    DecimalsTight,
    /// The inside of a JSON string (RFC 8259 §7).
    Json,
    /// RFC 3986 §2.1, upper case.
    Percent,
    PercentLower,
    /// As Rust and C escape bytes: `\x01`.
    Escaped,
}

impl Encoding {
    pub const ALL: [Encoding; 15] = [
        Encoding::Raw,
        Encoding::Hex,
        Encoding::HexUpper,
        Encoding::Base64(0),
        Encoding::Base64(1),
        Encoding::Base64(2),
        Encoding::Base64Url(0),
        Encoding::Base64Url(1),
        Encoding::Base64Url(2),
        Encoding::Decimals,
        Encoding::DecimalsTight,
        Encoding::Json,
        Encoding::Percent,
        Encoding::PercentLower,
        Encoding::Escaped,
    ];

    /// The secret in this form; of base64 only those characters that depend on nothing but the secret.
    pub fn encode(self, secret: &[u8]) -> Vec<u8> {
        self.units(secret).concat()
    }

    /// The form cut into units: one per byte of the secret, in base64 one per character.
    fn units(self, secret: &[u8]) -> Vec<Vec<u8>> {
        let each = |unit: fn(u8) -> String| secret.iter().map(|byte| unit(*byte).into_bytes()).collect();
        match self {
            Encoding::Raw => secret.iter().map(|byte| vec![*byte]).collect(),
            Encoding::Hex => each(|byte| format!("{byte:02x}")),
            Encoding::HexUpper => each(|byte| format!("{byte:02X}")),
            Encoding::Base64(before) => base64(secret, before, b"+/"),
            Encoding::Base64Url(before) => base64(secret, before, b"-_"),
            Encoding::Decimals => decimals(secret, ", "),
            Encoding::DecimalsTight => decimals(secret, ","),
            Encoding::Json => secret.iter().map(|byte| json(*byte)).collect(),
            Encoding::Percent => each(|byte| percent(byte, true)),
            Encoding::PercentLower => each(|byte| percent(byte, false)),
            Encoding::Escaped => each(|byte| std::ascii::escape_default(byte).to_string()),
        }
    }

    /// Units in the part that counts as a leak, and in the chunks that it is recognised by.
    fn part_and_chunk(self) -> (usize, usize) {
        match self {
            Encoding::Base64(_) | Encoding::Base64Url(_) => (BASE64_PART, BASE64_PART / 2),
            _ => (PART, CHUNK),
        }
    }

    /// Bytes before the first unit that a part in the middle lacks.
    fn separator(self) -> usize {
        match self {
            Encoding::Decimals => 2,
            Encoding::DecimalsTight => 1,
            _ => 0,
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Encoding::Raw => f.write_str("raw bytes"),
            Encoding::Hex => f.write_str("hex"),
            Encoding::HexUpper => f.write_str("upper-case hex"),
            Encoding::Base64(before) => write!(f, "base64 (alignment {before})"),
            Encoding::Base64Url(before) => write!(f, "base64url (alignment {before})"),
            Encoding::Decimals | Encoding::DecimalsTight => f.write_str("a list of decimals"),
            Encoding::Json => f.write_str("a JSON string"),
            Encoding::Percent | Encoding::PercentLower => f.write_str("percent-encoding"),
            Encoding::Escaped => f.write_str("escaped bytes"),
        }
    }
}

/// One secret in one encoding, ready to be looked for.
pub(super) struct Form {
    pub text: Vec<u8>,
    /// Where the chunks lie in the text: every part that counts holds one of them whole.
    pub chunks: Vec<std::ops::Range<usize>>,
    /// Bytes of the text that are a leak.
    pub enough: usize,
}

impl Form {
    pub fn new(encoding: Encoding, secret: &[u8]) -> Form {
        let units = encoding.units(secret);
        let ends: Vec<usize> = std::iter::once(0)
            .chain(units.iter().scan(0, |end, unit| {
                *end += unit.len();
                Some(*end)
            }))
            .collect();
        let text = units.concat();
        let (part, chunk) = encoding.part_and_chunk();
        if units.len() < part {
            return Form { enough: text.len(), chunks: std::iter::once(0..text.len()).collect(), text };
        }
        let span =
            |from: usize, count: usize| ends.get(from).zip(ends.get(from + count)).map(|(a, b)| *a..*b);
        let shortest = (0..).map_while(|from| span(from, part)).map(|part| part.len()).min();
        let chunks = (0..).step_by(chunk).map_while(|from| span(from, chunk)).collect();
        Form { enough: shortest.unwrap_or(text.len()) - encoding.separator(), chunks, text }
    }
}

/// The characters whose six bits all belong to the secret.
fn base64(secret: &[u8], before: u8, last_two: &[u8; 2]) -> Vec<Vec<u8>> {
    let bit = |place: usize| secret[place / 8] >> (7 - place % 8) & 1;
    let first = (6 - usize::from(before) * 8 % 6) % 6;
    let character = |start: usize| {
        let six = (start..start + 6).fold(0, |six, place| six << 1 | bit(place));
        match six {
            0..26 => b'A' + six,
            26..52 => b'a' + six - 26,
            52..62 => b'0' + six - 52,
            _ => last_two[usize::from(six - 62)],
        }
    };
    let starts = (first..).step_by(6).take_while(|start| start + 6 <= secret.len() * 8);
    starts.map(|start| vec![character(start)]).collect()
}

/// The separator leads, so that the last number needs none.
fn decimals(secret: &[u8], separator: &str) -> Vec<Vec<u8>> {
    let number = |(place, byte): (usize, &u8)| match place {
        0 => byte.to_string(),
        _ => format!("{separator}{byte}"),
    };
    secret.iter().enumerate().map(number).map(String::into_bytes).collect()
}

/// What JSON has to escape; `/` and everything else may stay. Bytes over 0x7f are taken as they are.
fn json(byte: u8) -> Vec<u8> {
    match byte {
        b'"' => b"\\\"".to_vec(),
        b'\\' => b"\\\\".to_vec(),
        b'\n' => b"\\n".to_vec(),
        b'\r' => b"\\r".to_vec(),
        b'\t' => b"\\t".to_vec(),
        0..0x20 => format!("\\u{byte:04x}").into_bytes(),
        _ => vec![byte],
    }
}

fn percent(byte: u8, upper: bool) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if upper => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_the_known_ones() {
        let text = |encoding: Encoding, secret: &[u8]| String::from_utf8(encoding.encode(secret)).unwrap();
        assert_eq!(text(Encoding::Hex, b"\x00\xab"), "00ab");
        assert_eq!(text(Encoding::HexUpper, b"\x00\xab"), "00AB");
        // RFC 4648 §10: `foobar` is `Zm9vYmFy`, `xfoobar` is `eGZvb2Jhcg==`, `xxfoobar` is `eHhmb29iYXI=`.
        assert_eq!(text(Encoding::Base64(0), b"foobar"), "Zm9vYmFy");
        assert_eq!(text(Encoding::Base64(1), b"foobar"), "Zvb2Jhc");
        assert_eq!(text(Encoding::Base64(2), b"foobar"), "mb29iYX");
        assert_eq!(text(Encoding::Base64(0), b"\xfb\xff\xfe"), "+//+");
        assert_eq!(text(Encoding::Base64Url(0), b"\xfb\xff\xfe"), "-__-");
        assert_eq!(text(Encoding::Decimals, &[0, 255, 7]), "0, 255, 7");
        assert_eq!(text(Encoding::DecimalsTight, &[0, 255, 7]), "0,255,7");
        assert_eq!(text(Encoding::Json, b"a\"\\\n\x01/"), "a\\\"\\\\\\n\\u0001/");
        assert_eq!(text(Encoding::Percent, b"a/+="), "a%2F%2B%3D");
        assert_eq!(text(Encoding::PercentLower, b"a/+="), "a%2f%2b%3d");
        assert_eq!(text(Encoding::Escaped, b"a\x01\n"), "a\\x01\\n");
    }
}
