//! Bitcoin, over the HTTP interface of Esplora (<https://github.com/Blockstream/esplora/blob/master/API.md>).

mod addresses;
mod balances;
pub(super) mod chain;
pub(super) mod scan;
mod scripts;

pub(super) use addresses::Addresses;
pub(super) use balances::Balances;
pub use scripts::Scripts;
