//! Chains of the Ethereum Virtual Machine.

mod abi;
mod address;
mod build;
mod chain;
mod erc20;
mod message;
mod rlp;
mod transaction;
mod typed;

pub use address::{Address, InvalidAddress};
pub use build::{Fees, Payment, Place, gas_limit};
pub use chain::{chain, coin, token};
pub use erc20::Call;
pub use message::personal_hash;
pub use rlp::Malformed;
pub use transaction::{Signed, Transaction};
pub use typed::{Domain, Field, struct_hash, typed_hash};
