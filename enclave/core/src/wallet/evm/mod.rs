//! Chains of the Ethereum Virtual Machine.

mod address;

pub use address::{Address, InvalidAddress};
