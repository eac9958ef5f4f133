//! Bitcoin, its test network and regtest.

mod address;
mod bech32;
mod descriptor;

pub use address::{Address, Destination, InvalidAddress, Network};
pub use descriptor::{Branch, Descriptor, InvalidDescriptor};
