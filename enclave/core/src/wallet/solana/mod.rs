//! Solana.

mod address;
mod build;
mod curve;
mod instruction;
mod message;
mod sign;

pub use address::{Address, InvalidAddress};
pub use build::{Payment, RENT_EXEMPT, Receiver, State, Tokens};
pub use instruction::{Call, Limits, TOKEN};
pub use message::{Instruction, Malformed, Message};
pub use sign::{Cluster, SIGNATURE_FEE, TOKEN_ACCOUNT_RENT};
