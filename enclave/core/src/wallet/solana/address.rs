//! Addresses: public keys, and names that no key has.

use super::curve;
use crate::hash::sha256;
use crate::wallet::base58;
use core::fmt;
use core::str::FromStr;

/// 32 bytes that name an account: an Ed25519 public key, or an address derived from a program's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 32]);

/// Not the Base58 text of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidAddress;

impl Address {
    /// Moves the system's coin. All zeros.
    pub const SYSTEM: Address = Address([0; 32]);

    /// The account that keeps a wallet's tokens of one mint, if it keeps them where everyone looks.
    pub fn token_account(wallet: &Address, mint: &Address) -> Option<Address> {
        Address::derived(
            &[&wallet.0, &super::instruction::TOKEN.0, &mint.0],
            &super::instruction::ASSOCIATED_TOKEN,
        )
    }

    /// `find_program_address`: the first of 256 addresses that is no public key, so that no one can sign for it.
    pub fn derived(seeds: &[&[u8]], program: &Address) -> Option<Address> {
        let seeds = seeds.concat();
        (0..=u8::MAX).rev().find_map(|bump| {
            let text = [seeds.as_slice(), &[bump], &program.0, b"ProgramDerivedAddress"].concat();
            Some(Address(sha256(&text))).filter(|address| !address.is_on_curve())
        })
    }

    /// Whether there is a key for it.
    pub fn is_on_curve(&self) -> bool {
        curve::is_point(&self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base58::encode(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Address, InvalidAddress> {
        let bytes = base58::decode(text).map_err(|_| InvalidAddress)?;
        bytes.try_into().map(Address).map_err(|_| InvalidAddress)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::vectors::read;

    #[test]
    fn token_accounts_are_where_an_independent_library_finds_them() {
        for case in read(include_str!("../../../../../vectors/wallet/solana.json")).list("token_accounts") {
            let parse = |name: &str| case.text(name).parse::<Address>().unwrap();
            let account = Address::token_account(&parse("wallet"), &parse("mint")).unwrap();
            assert_eq!(account.to_string(), case.text("account"));
            assert!(!account.is_on_curve());
        }
    }

    #[test]
    fn points_of_the_curve_are_told_from_other_bytes() {
        for case in read(include_str!("../../../../../vectors/wallet/solana.json")).list("points") {
            let address = Address(case.array("bytes"));
            assert_eq!(address.is_on_curve(), case.text("is_on_curve") == "true", "{}", case.text("bytes"));
            assert_eq!(address.to_string(), case.text("address"));
            assert_eq!(case.text("address").parse(), Ok(address));
        }
    }

    #[test]
    fn what_is_not_32_bytes_is_refused() {
        for text in ["", "1", &"1".repeat(31), &"1".repeat(33), "0x00", &"z".repeat(44)] {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress), "{text}");
        }
    }
}
