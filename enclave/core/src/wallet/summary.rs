//! What a transaction does, in the words that its owner signed.
//!
//! INVARIANT: what is shown is what is signed. A signer decodes the bytes that it is given, writes down what they do
//! as a [`Summary`], and signs only if that is the one the owner signed. A transaction that no summary can say is
//! refused, however harmless.

use super::u256::U256;

/// One transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// CAIP-2.
    pub chain: String,
    /// The recipient's address in the chain's canonical writing.
    pub to: String,
    /// CAIP-19.
    pub asset: String,
    /// In the asset's smallest unit.
    pub amount: U256,
    /// CAIP-19 of what fees are paid in.
    pub fee_asset: String,
    /// The most that the chain may take, in the smallest unit of `fee_asset`.
    pub max_fee: U256,
    /// The account's count of transactions, on chains that have one: two with the same number cannot both happen.
    pub nonce: Option<u64>,
}

/// Why a transaction cannot be said as one transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotATransfer {
    /// A chain whose assets have no name here.
    Chain,
    /// It calls what is not known here, or does more than one thing.
    Call,
    /// Its recipient has no address, or can never spend.
    Recipient,
    /// Its fee cannot be bounded, or bounds itself twice.
    Fee,
}

/// The transaction does something else than its owner signed: which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs {
    Chain,
    To,
    Asset,
    Amount,
    Fee,
    Nonce,
}

/// Why a transaction was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    NotATransfer(NotATransfer),
    Differs(Differs),
    /// The key does not belong to what would be spent.
    Key,
}

impl From<NotATransfer> for Refused {
    fn from(why: NotATransfer) -> Refused {
        Refused::NotATransfer(why)
    }
}

impl From<Differs> for Refused {
    fn from(part: Differs) -> Refused {
        Refused::Differs(part)
    }
}

impl Summary {
    /// Compares what a transaction does with what its owner signed, part by part.
    pub fn check(&self, signed: &Summary) -> Result<(), Differs> {
        // Taken apart, so that a new part cannot be forgotten.
        let Summary { chain, to, asset, amount, fee_asset, max_fee, nonce } = self;
        let parts = [
            (*chain == signed.chain, Differs::Chain),
            (*to == signed.to, Differs::To),
            (*asset == signed.asset, Differs::Asset),
            (*amount == signed.amount, Differs::Amount),
            (*fee_asset == signed.fee_asset && *max_fee == signed.max_fee, Differs::Fee),
            (*nonce == signed.nonce, Differs::Nonce),
        ];
        match parts.into_iter().find(|(is_same, _)| !is_same) {
            Some((_, differs)) => Err(differs),
            None => Ok(()),
        }
    }
}
