//! Words of the contract ABI: 32 bytes each.

use super::Address;
use crate::wallet::u256::U256;

pub(super) type Word = [u8; 32];

pub(super) fn address(address: &Address) -> Word {
    let mut word = [0; 32];
    for (to, from) in word.iter_mut().skip(12).zip(address.0) {
        *to = from;
    }
    word
}

/// The address in a word whose first twelve bytes are zero.
pub(super) fn read_address(word: &Word) -> Option<Address> {
    let (zeros, address) = word.split_first_chunk::<12>()?;
    if *zeros == [0; 12] { address.try_into().ok().map(Address) } else { None }
}

pub(super) fn number(number: impl Into<U256>) -> Word {
    number.into().to_be_bytes()
}
