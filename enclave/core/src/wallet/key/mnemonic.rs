//! The phrase that backs up a wallet (BIP 39, English words).

use super::Seed;
use crate::entropy::{Entropy, NoEntropy};
use crate::hash::sha256;
use crate::secret::SecretBytes;
use aws_lc_rs::pbkdf2;
use core::num::NonZeroU32;

/// The list of BIP 39: 2048 words in alphabetical order, each recognisable by its first four letters.
const WORDS: &str = include_str!("english.txt");

/// Rounds of PBKDF2, as the specification has them.
const ROUNDS: NonZeroU32 = match NonZeroU32::new(2048) {
    Some(rounds) => rounds,
    None => NonZeroU32::MAX,
};

/// A word stands for eleven bits.
const WORD_BITS: usize = 11;

const LONGEST_WORD: usize = 8;

/// The entropy behind a phrase: 16, 20, 24, 28 or 32 bytes.
pub struct Mnemonic(SecretBytes);

/// Which rule a phrase breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidPhrase {
    /// Not 12, 15, 18, 21 or 24 words, parted by single spaces.
    Length,
    /// The word at this place, counted from 1, is not in the list.
    Word(usize),
    /// Every word is in the list, but together they are no phrase: one is wrong, or two are swapped.
    Checksum,
}

/// The specification wants other letters normalised (NFKD), by tables that are not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseNotAscii;

impl Mnemonic {
    /// A fresh phrase of 24 words.
    pub fn make(entropy: &mut dyn Entropy) -> Result<Mnemonic, NoEntropy> {
        let mut secret = SecretBytes::zeroed(32);
        entropy.fill(secret.expose_mut())?;
        Ok(Mnemonic(secret))
    }

    /// The phrase of this entropy. Erasing the original is its holder's part.
    pub fn from_entropy(entropy: &[u8]) -> Result<Mnemonic, InvalidPhrase> {
        match entropy.len() {
            16 | 20 | 24 | 28 | 32 => Ok(Mnemonic(SecretBytes::copied(entropy))),
            _ => Err(InvalidPhrase::Length),
        }
    }

    /// Reads a phrase in lower case, its words parted by single spaces.
    pub fn parse(phrase: &str) -> Result<Mnemonic, InvalidPhrase> {
        let count = phrase.split(' ').take(25).count();
        if !matches!(count, 12 | 15 | 18 | 21 | 24) {
            return Err(InvalidPhrase::Length);
        }
        // Every three words hold 32 bits of entropy and one bit of the checksum.
        let mut bytes = SecretBytes::zeroed(count / 3 * 4 + 1);
        for (place, word) in phrase.split(' ').enumerate() {
            let index = index_of(word).ok_or(InvalidPhrase::Word(place + 1))?;
            write_bits(bytes.expose_mut(), place * WORD_BITS, index);
        }
        let (claimed, entropy) = bytes.expose().split_last().ok_or(InvalidPhrase::Length)?;
        let mnemonic = Mnemonic::from_entropy(entropy)?;
        if mnemonic.checksum() == *claimed { Ok(mnemonic) } else { Err(InvalidPhrase::Checksum) }
    }

    /// The words. For its owner, to be written down; nobody else.
    pub fn phrase(&self) -> SecretBytes {
        let entropy = self.0.expose();
        let checksum = self.checksum();
        let count = entropy.len() / 4 * 3;
        let mut text = SecretBytes::zeroed(count * (LONGEST_WORD + 1));
        let mut length = 0;
        for place in 0..count {
            let index = read_bits(entropy, checksum, place * WORD_BITS);
            let space = if place == 0 { "" } else { " " };
            let word = WORDS.lines().nth(index).unwrap_or_default();
            for (to, from) in text.expose_mut().iter_mut().skip(length).zip(space.bytes().chain(word.bytes()))
            {
                *to = from;
            }
            length += space.len() + word.len();
        }
        SecretBytes::copied(text.expose().get(..length).unwrap_or_default())
    }

    /// The seed that keys are derived from: PBKDF2-HMAC-SHA512 over the phrase, 2048 rounds, salted with the passphrase.
    pub fn seed(&self, passphrase: &str) -> Result<Seed, PassphraseNotAscii> {
        if !passphrase.is_ascii() {
            return Err(PassphraseNotAscii);
        }
        let mut salt = SecretBytes::zeroed("mnemonic".len() + passphrase.len());
        for (to, from) in salt.expose_mut().iter_mut().zip("mnemonic".bytes().chain(passphrase.bytes())) {
            *to = from;
        }
        let mut seed = SecretBytes::zeroed(64);
        let phrase = self.phrase();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, ROUNDS, salt.expose(), phrase.expose(), seed.expose_mut());
        Ok(Seed(seed))
    }

    /// The first bits of SHA-256 over the entropy, as many as there are 32-bit words in it, at the top of a byte.
    fn checksum(&self) -> u8 {
        let [first, ..] = sha256(self.0.expose());
        let bits = self.0.expose().len() / 4;
        first & !(0xff_u8.checked_shr(u32::try_from(bits).unwrap_or_default()).unwrap_or_default())
    }
}

impl core::fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Mnemonic")
    }
}

fn index_of(word: &str) -> Option<usize> {
    WORDS.lines().position(|listed| listed == word)
}

/// The eleven bits from `at` on, of the entropy and the checksum behind it.
fn read_bits(entropy: &[u8], checksum: u8, at: usize) -> usize {
    let bit = |place: usize| {
        let byte = entropy.get(place / 8).copied().unwrap_or(checksum);
        usize::from(byte >> (7 - place % 8) & 1)
    };
    (at..at + WORD_BITS).fold(0, |bits, place| bits << 1 | bit(place))
}

/// Sets eleven bits from `at` on, in bytes that are zero there.
fn write_bits(bytes: &mut [u8], at: usize, value: usize) {
    for place in 0..WORD_BITS {
        let is_set = value >> (WORD_BITS - 1 - place) & 1 == 1;
        if let Some(byte) = bytes.get_mut((at + place) / 8) {
            *byte |= u8::from(is_set) << (7 - (at + place) % 8);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::vectors::read;
    use proptest::prelude::*;

    const ZEROS: &str =
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

    #[test]
    fn published_phrases_and_seeds_are_met() {
        let vectors = read(include_str!("../../../../../vectors/wallet/bip39.json"));
        for case in vectors.list("cases") {
            let mnemonic = Mnemonic::from_entropy(&case.bytes("entropy")).unwrap();
            assert_eq!(mnemonic.phrase().expose(), case.text("phrase").as_bytes());
            let read = Mnemonic::parse(case.text("phrase")).unwrap();
            assert_eq!(read.0.expose(), case.bytes("entropy"));
            let seed = read.seed(vectors.text("passphrase")).unwrap();
            assert_eq!(seed.0.expose(), case.bytes("seed"));
        }
    }

    #[test]
    fn the_words_are_the_published_list() {
        // SHA-256 of english.txt as bitcoin/bips has it.
        let digest = crate::wallet::hex::encode(&sha256(WORDS.as_bytes()));
        assert_eq!(digest, "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
        assert!(WORDS.lines().all(|word| word.len() <= LONGEST_WORD));
    }

    #[test]
    fn every_wrong_word_is_told_by_its_place() {
        let words: Vec<&str> = ZEROS.split(' ').collect();
        for at in 0..words.len() {
            let mut other = words.clone();
            other[at] = "Abandon";
            let phrase = other.join(" ");
            assert_eq!(Mnemonic::parse(&phrase).err(), Some(InvalidPhrase::Word(at + 1)), "{phrase}");
        }
    }

    #[test]
    fn phrases_of_another_shape_are_refused() {
        let double = ZEROS.replacen(' ', "  ", 1);
        for phrase in
            ["", "abandon", &double, &format!("{ZEROS} "), &format!(" {ZEROS}"), &format!("{ZEROS} about")]
        {
            assert_eq!(Mnemonic::parse(phrase).err(), Some(InvalidPhrase::Length), "{phrase}");
        }
        for length in [0, 15, 17, 31, 33, 64] {
            assert_eq!(Mnemonic::from_entropy(&vec![0; length]).err(), Some(InvalidPhrase::Length));
        }
    }

    #[test]
    fn two_words_that_changed_places_are_refused() {
        let swapped = "legal winner thank year wave sausage worth useful winner legal thank yellow";
        assert_eq!(Mnemonic::parse(swapped).err(), Some(InvalidPhrase::Checksum));
    }

    #[test]
    fn a_passphrase_that_would_need_normalising_is_refused() {
        let mnemonic = Mnemonic::parse(ZEROS).unwrap();
        assert_eq!(mnemonic.seed("grüße").err(), Some(PassphraseNotAscii));
    }

    proptest! {
        #[test]
        fn every_phrase_is_read_as_it_was_written(bytes in any::<[u8; 32]>(), length in 4_usize..=8) {
            let mnemonic = Mnemonic::from_entropy(&bytes[..length * 4]).unwrap();
            let phrase = String::from_utf8(mnemonic.phrase().expose().to_vec()).unwrap();
            let read = Mnemonic::parse(&phrase).unwrap();
            prop_assert_eq!(read.0.expose(), &bytes[..length * 4]);
        }
    }
}
