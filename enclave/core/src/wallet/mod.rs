//! Wallets: keys made and kept here, the addresses that they have, and what they are asked to sign.

pub mod evm;
pub(crate) mod hex;
#[cfg(test)]
pub(crate) mod vectors;
