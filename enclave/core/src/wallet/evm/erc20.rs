//! Calls of token contracts (EIP-20).

use super::Address;
use super::abi::{self, Word};
use crate::wallet::u256::U256;

/// What a call to a token contract asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    /// `transfer(address,uint256)`.
    Transfer { to: Address, amount: U256 },
    /// `approve(address,uint256)`: lets another spend, which is never a transfer.
    Approve { spender: Address, amount: U256 },
    /// `transferFrom(address,address,uint256)`.
    TransferFrom { from: Address, to: Address, amount: U256 },
}

/// The first four bytes of the Keccak-256 digest of each signature.
const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
const APPROVE: [u8; 4] = [0x09, 0x5e, 0xa7, 0xb3];
const TRANSFER_FROM: [u8; 4] = [0x23, 0xb8, 0x72, 0xdd];

impl Call {
    /// Reads a call whose arguments have the exact length and whose addresses have zeros before them.
    pub fn decode(data: &[u8]) -> Option<Call> {
        let (selector, arguments) = data.split_first_chunk::<4>()?;
        let (words, rest) = arguments.as_chunks::<32>();
        if !rest.is_empty() {
            return None;
        }
        match (*selector, words) {
            (TRANSFER, [to, amount]) => {
                Some(Call::Transfer { to: abi::read_address(to)?, amount: U256::from_be_bytes(*amount) })
            }
            (APPROVE, [spender, amount]) => Some(Call::Approve {
                spender: abi::read_address(spender)?,
                amount: U256::from_be_bytes(*amount),
            }),
            (TRANSFER_FROM, [from, to, amount]) => Some(Call::TransferFrom {
                from: abi::read_address(from)?,
                to: abi::read_address(to)?,
                amount: U256::from_be_bytes(*amount),
            }),
            _ => None,
        }
    }

    /// What [`Self::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        let call = |selector: [u8; 4], words: &[Word]| [selector.as_slice(), words.as_flattened()].concat();
        match self {
            Call::Transfer { to, amount } => call(TRANSFER, &[abi::address(to), abi::number(*amount)]),
            Call::Approve { spender, amount } => {
                call(APPROVE, &[abi::address(spender), abi::number(*amount)])
            }
            Call::TransferFrom { from, to, amount } => {
                call(TRANSFER_FROM, &[abi::address(from), abi::address(to), abi::number(*amount)])
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::keccak::keccak256;
    use proptest::prelude::*;

    #[test]
    fn selectors_are_those_of_the_signatures() {
        for (selector, signature) in [
            (TRANSFER, "transfer(address,uint256)"),
            (APPROVE, "approve(address,uint256)"),
            (TRANSFER_FROM, "transferFrom(address,address,uint256)"),
        ] {
            assert_eq!(keccak256(signature.as_bytes())[..4], selector, "{signature}");
        }
    }

    proptest! {
        #[test]
        fn every_call_is_read_as_it_was_written(from: [u8; 20], to: [u8; 20], amount: [u8; 32]) {
            let (from, to, amount) = (Address(from), Address(to), U256::from_be_bytes(amount));
            for call in [
                Call::Transfer { to, amount },
                Call::Approve { spender: to, amount },
                Call::TransferFrom { from, to, amount },
            ] {
                let data = call.encode();
                prop_assert_eq!(Call::decode(&data[..data.len() - 1]), None);
                prop_assert_eq!(Call::decode(&[data.as_slice(), &[0]].concat()), None);
                prop_assert_eq!(Call::decode(&data), Some(call));
            }
        }

        #[test]
        fn bytes_before_an_address_are_refused(at in 4_usize..16, to: [u8; 20]) {
            let mut data = Call::Transfer { to: Address(to), amount: U256::ZERO }.encode();
            data[at] = 1;
            prop_assert_eq!(Call::decode(&data), None);
        }
    }
}
