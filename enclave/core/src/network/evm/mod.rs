//! Chains of the Ethereum Virtual Machine, over Ethereum's JSON-RPC (EIP-1474).

mod balances;
pub(super) mod block;
mod history;
mod multicall;
pub(super) mod quantity;

pub(super) use balances::Balances;
pub(super) use history::History;
