//! Bitcoin, over the HTTP interface of Esplora (<https://github.com/Blockstream/esplora/blob/master/API.md>).

mod addresses;
mod balances;
pub(super) mod chain;
mod history;
pub(super) mod scan;
mod scripts;

pub(super) use addresses::Addresses;
pub(super) use balances::Balances;
pub(super) use history::History;
pub use scripts::Scripts;
