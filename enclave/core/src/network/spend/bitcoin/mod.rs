//! Sending on Bitcoin, through nodes that speak as Esplora does.

mod find;
mod preview;
mod scan;
mod send;

use super::{Task, Want};
use crate::connector::Fault;
use crate::network::ask::{Answers, Ask};
use crate::network::bitcoin::chain;
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
    vec![chain::ask(), Ask::get("/blocks/tip/height")]
}

/// The chain's height, of a node that is of this chain.
fn height(answers: &Answers, task: &Task) -> Result<u32, Fault> {
    chain::check(task.network, answers, 0)?;
    answers.text(1, |text| text.parse().ok())
}
