//! Solana, over its JSON-RPC (<https://solana.com/docs/rpc>).

mod balances;
pub(super) mod chain;
mod history;

pub(super) use balances::Balances;
pub(super) use history::History;
