//! Bitcoin, its test network and regtest.

mod account;
mod address;
mod bech32;
mod build;
mod bytes;
mod descriptor;
mod draft;
mod proof;
mod psbt;
mod select;
mod sighash;
mod sign;
mod size;
mod transaction;

pub use account::{Account, Kind, MAX_INDEX};
pub use address::{Address, Destination, InvalidAddress, Network};
pub use build::Payment;
pub use bytes::Malformed;
pub use descriptor::{Branch, Descriptor, InvalidDescriptor};
pub use draft::{Coin, Draft, parse_txid, txid_text};
pub use proof::{is_provable, is_signed};
pub use psbt::{InputNote, Origin, OutputNote, Psbt};
pub use select::MAX_COINS;
pub use size::{FeeRate, dust};
pub use transaction::{Input, MAX_MONEY, OutPoint, Output, Transaction};
