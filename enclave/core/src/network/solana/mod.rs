//! Solana, over its JSON-RPC (<https://solana.com/docs/rpc>).

mod balances;
pub(super) mod chain;

pub(super) use balances::Balances;
