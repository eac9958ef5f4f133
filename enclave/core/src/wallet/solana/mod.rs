//! Solana.

mod address;
mod curve;
mod instruction;
mod message;
mod sign;

pub use address::{Address, InvalidAddress};
pub use instruction::{Call, Limits};
pub use message::{Instruction, Malformed, Message};
pub use sign::{Cluster, TOKEN_ACCOUNT_RENT};
