//! Bitcoin, its test network and regtest.

mod account;
mod address;
mod bech32;
mod bytes;
mod descriptor;
mod proof;
mod psbt;
mod sighash;
mod sign;
mod transaction;

pub use account::{Account, Kind, MAX_INDEX};
pub use address::{Address, Destination, InvalidAddress, Network};
pub use bytes::Malformed;
pub use descriptor::{Branch, Descriptor, InvalidDescriptor};
pub use proof::is_signed;
pub use psbt::{InputNote, Origin, OutputNote, Psbt};
pub use transaction::{Input, MAX_MONEY, OutPoint, Output, Transaction};
