//! Which chain a server is of.

use super::scan::Scan;
use crate::connector::Fault;
use crate::network::ask::{Answers, Ask, other_chain};
use crate::network::model::Network;

/// Goes on with a scan behind the question which chain it is; no questions are left once it is over.
pub(super) fn scan_on(
    network: &Network,
    scan: &mut Scan,
    began: &mut bool,
    answers: &Answers,
) -> Result<Vec<Ask>, Fault> {
    if answers.is_empty() {
        return Ok(std::iter::once(ask()).chain(scan.asks()).collect());
    }
    if std::mem::replace(began, true) {
        scan.take(answers, 0)?;
    } else {
        check(network, answers, 0)?;
        scan.take(answers, 1)?;
    }
    Ok(scan.asks())
}

/// The question that begins everything: the hash of the first block.
pub(in crate::network) fn ask() -> Ask {
    Ask::get("/block-height/0")
}

/// Refuses a server of another chain. CAIP-2 has the first 32 digits of the hash.
pub(in crate::network) fn check(network: &Network, answers: &Answers, at: usize) -> Result<(), Fault> {
    let chain = answers.text(at, |hash| {
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        hash.get(..32).filter(|_| is_hash).map(|start| format!("bip122:{start}"))
    })?;
    if chain == network.chain { Ok(()) } else { Err(other_chain()) }
}
