//! What builders of transactions are asked for, and why they cannot.

use super::u256::U256;

/// How much is paid, in the asset's smallest unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// This arrives, and the fee comes on top.
    Arriving(U256),
    /// This leaves the wallet in all: what arrives is less by the fee, which is paid in the same asset.
    Leaving(U256),
}

/// Why there is no transaction that does what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbuildable {
    /// There is not enough, with the fee.
    Funds,
    /// What would arrive, or be left, is too little for the chain to keep it.
    Dust,
    /// What pays can never be spent there, or belongs to nobody.
    Recipient,
    /// It takes more pieces than one transaction is given here.
    Pieces,
    /// The fee is beyond what a number, or sense, holds.
    Fee,
    /// A fee that is in another asset cannot be taken out of the amount.
    FeeApart,
}
