//! Sending on Bitcoin, through nodes that speak as Esplora does.

mod find;
mod preview;
mod scan;
mod send;

use super::wallet::bitcoin_network;
use super::{Task, Want};
use crate::connector::Fault;
use crate::network::ask::{Answers, Ask, malformed, other_chain};
use crate::network::reading::Reading;
use std::sync::Arc;
use wire::Refusal;

/// Blocks with a transaction and above it, after which it stays where it is.
const DEEP: u64 = 6;

pub(super) fn begin(task: Arc<Task>, want: &Want) -> Result<Box<dyn Reading>, Refusal> {
    Ok(match want {
        Want::Preview { .. } => Box::new(preview::Preview::of(task)?),
        Want::Send { .. } => Box::new(send::Send::of(task)?),
        Want::Find { .. } => Box::new(find::Find::of(task)?),
    })
}

/// The questions that begin everything: which chain, and how far the node has come.
fn asks() -> Vec<Ask> {
    vec![Ask::get("/block-height/0"), Ask::get("/blocks/tip/height")]
}

/// The chain's height, of a node that is of this chain: the first letters of its first block's hash are the chain's name.
fn height(answers: &Answers, task: &Task) -> Result<u32, Fault> {
    let chain = bitcoin_network(task.network).ok_or_else(malformed)?.chain();
    let name = chain.strip_prefix("bip122:").unwrap_or_default();
    if !answers.text(0, |text| Some(text.starts_with(name)))? {
        return Err(other_chain());
    }
    answers.text(1, |text| text.parse().ok())
}
