//! Which chain a node is of, and how far it has come.

use super::quantity::{small, written};
use crate::connector::{Fault, Json};
use crate::network::ask::{Answers, Ask, behind, other_chain};
use crate::network::model::Evm;

/// A node's clock and ours may differ by as much.
const FUTURE_MS: u64 = 600_000;

/// A block that everything else is read at, so that nothing is counted twice or left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::network) struct Block {
    pub(in crate::network) number: u64,
    pub(in crate::network) time_s: u64,
}

/// The questions that begin everything.
pub(in crate::network) fn asks() -> Vec<Ask> {
    vec![Ask::rpc("eth_chainId", "[]"), Ask::rpc("eth_getBlockByNumber", r#"["latest",false]"#)]
}

/// The question for one block.
pub(in crate::network) fn ask(number: u64) -> Ask {
    Ask::rpc("eth_getBlockByNumber", format!(r#"["{}",false]"#, written(number)))
}

/// A block's number and time.
pub(in crate::network) fn read(json: Json<'_>) -> Option<Block> {
    let number = small(json.member("number").ok()??)?;
    let time_s = small(json.member("timestamp").ok()??)?;
    Some(Block { number, time_s })
}

impl Block {
    /// The newest block, of a node that is of this chain and not behind.
    pub(in crate::network) fn newest(answers: &Answers, chain: Evm, now_ms: u64) -> Result<Block, Fault> {
        if answers.result(0, small)? != chain.chain_id {
            return Err(other_chain());
        }
        let block = answers.result(1, read)?;
        let time_ms = block.time_s.saturating_mul(1000);
        let is_old = now_ms.saturating_sub(time_ms) > chain.stale_after_s.saturating_mul(1000);
        if is_old || time_ms.saturating_sub(now_ms) > FUTURE_MS {
            return Err(behind());
        }
        Ok(block)
    }

    /// The block as questions name it.
    pub(in crate::network) fn tag(self) -> String {
        written(self.number)
    }
}
