//! Addresses of accounts and contracts.

use crate::keccak::keccak256;
use crate::secp256k1::PublicKey;
use crate::wallet::hex;
use core::fmt;
use core::str::FromStr;

/// 20 bytes that name an account or a contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

/// Not `0x` and 40 hexadecimal digits, or a checksum (EIP-55) that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidAddress;

impl Address {
    /// The account of a key: the last 20 bytes of the Keccak-256 digest of `x ‖ y` (Yellow Paper, appendix F).
    pub fn of(key: &PublicKey) -> Address {
        let [_, point @ ..] = key.uncompressed();
        let [_, _, _, _, _, _, _, _, _, _, _, _, address @ ..] = keccak256(&point);
        Address(address)
    }
}

/// With the checksum of EIP-55: a letter is upper case where the digest of the lower-case text has a high digit.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = hex::encode(&self.0);
        let digest = hex::encode(&keccak256(plain.as_bytes()));
        let cased = plain.chars().zip(digest.chars()).map(|(digit, hash)| match hash {
            '8'..='9' | 'a'..='f' => digit.to_ascii_uppercase(),
            _ => digit,
        });
        write!(f, "0x{}", cased.collect::<String>())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads an address. One of mixed case must have the right checksum; one of a single case has none.
impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Address, InvalidAddress> {
        let digits = text.strip_prefix("0x").ok_or(InvalidAddress)?;
        let bytes = hex::decode(digits).and_then(|bytes| <[u8; 20]>::try_from(bytes).ok());
        let address = Address(bytes.ok_or(InvalidAddress)?);
        let has = |is: fn(&char) -> bool| digits.chars().any(|digit| is(&digit));
        let has_checksum = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase);
        if has_checksum && address.to_string() != text { Err(InvalidAddress) } else { Ok(address) }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::secp256k1::SigningKey;
    use crate::wallet::vectors::read;

    #[test]
    fn known_answers_are_met() {
        let vectors = read(include_str!("../../../../../vectors/wallet/secp256k1.json"));
        for case in vectors.list("signatures") {
            let address = Address::of(&SigningKey::from_bytes(&case.array("key")).unwrap().public_key());
            assert_eq!(address.to_string(), case.text("address"));
            assert_eq!(case.text("address").parse(), Ok(address));
            assert_eq!(case.text("address").to_lowercase().parse(), Ok(address));
        }
    }

    #[test]
    fn every_letter_in_the_wrong_case_is_refused() {
        let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert!(address.parse::<Address>().is_ok());
        for (at, letter) in address.char_indices().skip(2).filter(|(_, digit)| digit.is_ascii_alphabetic()) {
            let mut other = address.to_owned();
            let swapped = match letter.is_ascii_uppercase() {
                true => letter.to_ascii_lowercase(),
                false => letter.to_ascii_uppercase(),
            };
            other.replace_range(at..=at, &swapped.to_string());
            assert_eq!(other.parse::<Address>(), Err(InvalidAddress), "{other}");
        }
    }

    #[test]
    fn what_is_not_0x_and_40_digits_is_refused() {
        let good = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
        let long = format!("{good}0");
        for text in
            ["", "0x", &good[2..], &good[..41], &long, &good.replace("0x", "0X"), &good.replace('5', "g")]
        {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress), "{text}");
        }
    }
}
