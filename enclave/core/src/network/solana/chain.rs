//! Which chain a node is of.

use crate::connector::Fault;
use crate::network::ask::{Answers, Ask, other_chain};
use crate::network::model::Network;

/// The question that begins everything: the hash of the first block.
pub(in crate::network) fn ask() -> Ask {
    Ask::rpc("getGenesisHash", "[]")
}

/// Refuses a node of another chain. CAIP-2 has the first 32 letters of the hash.
pub(in crate::network) fn check(network: &Network, answers: &Answers, at: usize) -> Result<(), Fault> {
    let chain = answers.result(at, |hash| {
        let hash = hash.string()?;
        let is_hash = matches!(hash.len(), 32..=44) && hash.bytes().all(|b| b.is_ascii_alphanumeric());
        hash.get(..32).filter(|_| is_hash).map(|start| format!("solana:{start}"))
    })?;
    if chain == network.chain { Ok(()) } else { Err(other_chain()) }
}
