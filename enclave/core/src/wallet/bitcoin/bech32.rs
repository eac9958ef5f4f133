//! Bech32 (BIP 173) and Bech32m (BIP 350).

/// Five bits a letter.
const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

const MAX_TEXT: usize = 90;
const CHECKSUM: usize = 6;

/// The constant that the checksum ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    Bech32 = 1,
    Bech32m = 0x2bc8_30a3,
}

/// A text in parts: letters of the network, groups of five bits without the checksum, and whose checksum it was.
pub(super) struct Decoded {
    pub(super) prefix: String,
    pub(super) groups: Vec<u8>,
    pub(super) variant: Variant,
}

/// Reads a text that is in one case and whose checksum holds.
pub(super) fn decode(text: &str) -> Option<Decoded> {
    let is_printable = text.bytes().all(|letter| (33..=126).contains(&letter));
    let is_mixed = text.bytes().any(|letter| letter.is_ascii_lowercase())
        && text.bytes().any(|letter| letter.is_ascii_uppercase());
    if text.len() > MAX_TEXT || !is_printable || is_mixed {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let (prefix, data) = text.rsplit_once('1').filter(|(prefix, _)| !prefix.is_empty())?;
    let group = |letter| u8::try_from(ALPHABET.iter().position(|listed| *listed == letter)?).ok();
    let mut groups: Vec<u8> = data.bytes().map(group).collect::<Option<_>>()?;
    let length = groups.len().checked_sub(CHECKSUM)?;
    let end = polymod(expand(prefix).chain(groups.iter().copied()));
    let variant = [Variant::Bech32, Variant::Bech32m].into_iter().find(|variant| *variant as u32 == end)?;
    groups.truncate(length);
    Some(Decoded { prefix: prefix.to_owned(), groups, variant })
}

/// Writes lower case. The groups are below 32.
pub(super) fn encode(prefix: &str, groups: &[u8], variant: Variant) -> String {
    let zeros = core::iter::repeat_n(0, CHECKSUM);
    let end = polymod(expand(prefix).chain(groups.iter().copied()).chain(zeros)) ^ variant as u32;
    let checksum = (0..CHECKSUM).rev().filter_map(|at| u8::try_from(end >> (5 * at) & 31).ok());
    let letters = groups.iter().copied().chain(checksum);
    let letters =
        letters.filter_map(|group| ALPHABET.get(usize::from(group))).map(|letter| char::from(*letter));
    format!("{prefix}1{}", letters.collect::<String>())
}

/// Bytes as groups of five bits, zeros behind.
pub(super) fn to_groups(bytes: &[u8]) -> Vec<u8> {
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let group = |group: usize| (0..5).fold(0, |bits, at| bits << 1 | u8::from(bit(group * 5 + at)));
    (0..(bytes.len() * 8).div_ceil(5)).map(group).collect()
}

/// Groups of five bits as bytes. At most four bits may be left, all zero: one program has one text.
pub(super) fn to_bytes(groups: &[u8]) -> Option<Vec<u8>> {
    let bit = |at: usize| groups.get(at / 5).is_some_and(|group| group >> (4 - at % 5) & 1 == 1);
    let (bits, whole) = (groups.len() * 5, groups.len() * 5 / 8 * 8);
    let is_padded_right = bits - whole < 5 && !(whole..bits).any(bit);
    let byte = |byte: usize| (0..8).fold(0, |bits, at| bits << 1 | u8::from(bit(byte * 8 + at)));
    is_padded_right.then(|| (0..whole / 8).map(byte).collect())
}

fn expand(prefix: &str) -> impl Iterator<Item = u8> {
    prefix.bytes().map(|letter| letter >> 5).chain([0]).chain(prefix.bytes().map(|letter| letter & 31))
}

fn polymod(values: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |checksum, value| {
        let top = checksum >> 25;
        let next = (checksum & 0x01ff_ffff) << 5 ^ u32::from(value);
        let terms = GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
        terms.fold(next, |sum, (_, term)| sum ^ term)
    })
}
