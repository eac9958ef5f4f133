//! Wallets against real nodes, which know nothing of us: what we sign, they take; what we derive, they derive.
//!
//! `make test-nodes` fetches the nodes and runs this; without `TENSFER_NODES` it fails and says so. Everything listens
//! on loopback, on ports that are free, and ends with the test.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod bitcoin;
mod bitcoin_reads;
mod bitcoin_spends;
mod esplora;
mod ethereum;
mod evm_reads;
mod evm_spends;
mod node;
mod pay;
mod read;
mod rpc;
mod solana;
mod solana_reads;
mod solana_spends;
