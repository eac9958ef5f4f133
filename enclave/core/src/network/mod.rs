//! Networks: wallets on chains, read through nodes that anyone may ask.
//!
//! `connectors/networks/*.toml` says what a chain is: its nodes, coin and tokens. The build checks the files with this
//! module's loader and embeds them as compact JSON; they are part of the attested digest. No I/O: [`Run`] takes time
//! and answers, and gives requests. Nothing here needs a secret: a chain is public, and whose addresses are read is
//! what a node learns.

mod account;
mod addresses;
mod amount;
mod ask;
mod bitcoin;
mod catalogue;
mod evm;
mod history;
#[cfg(test)]
mod hostile;
pub(crate) mod load;
pub(crate) mod model;
pub(crate) mod proof;
mod reading;
mod run;
mod solana;
pub mod spend;

pub use account::{Account, AccountError};
pub use bitcoin::Scripts;
pub use catalogue::{all, embedded, find, load_leaked};
pub use model::{Family, Network, Node, Token};
pub use run::Run;
