//! Sending on Solana.
//!
//! INVARIANT: a signature over a message is the transaction's name, and all that it takes to send it. So it is made and
//! told where both of the owner's factors asked for it to be sent, and nowhere else: looking for a transaction compares
//! the signatures that the chain has with its message.

mod find;
mod preview;
mod send;

use super::wallet::cluster;
use super::{Task, Want};
use crate::connector::{Fault, Json};
use crate::network::ask::{Answers, Ask, malformed, other_chain};
use crate::network::reading::Reading;
use std::sync::Arc;
use wire::Refusal;

pub(super) fn begin(task: Arc<Task>, want: &Want) -> Result<Box<dyn Reading>, Refusal> {
    Ok(match want {
        Want::Preview { .. } => Box::new(preview::Preview::of(task)?),
        Want::Send { .. } => Box::new(send::Send::of(task)?),
        Want::Find { .. } => Box::new(find::Find::of(task)?),
    })
}

/// The question that begins everything: which chain a node is of.
fn ask_chain() -> Ask {
    Ask::rpc("getGenesisHash", "[]")
}

/// The first letters of the first block's hash are the chain's name.
fn check_chain(answers: &Answers, task: &Task) -> Result<(), Fault> {
    let chain = cluster(task.network).ok_or_else(malformed)?.chain();
    let name = chain.strip_prefix("solana:").unwrap_or_default();
    if answers.result(0, |json| Some(json.string()?.starts_with(name)))? {
        Ok(())
    } else {
        Err(other_chain())
    }
}

/// A whole number below 2^64.
fn number(json: Json<'_>) -> Option<u64> {
    json.scalar()?.parse().ok()
}
