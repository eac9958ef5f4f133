//! Solana, over its JSON-RPC (<https://solana.com/docs/rpc>).

mod balances;
mod chain;

pub(super) use balances::Balances;
