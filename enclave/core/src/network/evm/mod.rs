//! Chains of the Ethereum Virtual Machine, over Ethereum's JSON-RPC (EIP-1474).

mod balances;
mod block;
mod multicall;
mod quantity;

pub(super) use balances::Balances;
