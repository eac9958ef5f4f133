//! Wallets: keys made and kept here, the addresses that they have, and what they are asked to sign.

pub(crate) mod base58;
pub mod bitcoin;
pub mod evm;
pub(crate) mod hex;
pub mod key;
pub mod payment;
mod ripemd160;
pub mod sign_in;
pub mod solana;
pub mod summary;
pub mod u256;
#[cfg(test)]
pub(crate) mod vectors;
