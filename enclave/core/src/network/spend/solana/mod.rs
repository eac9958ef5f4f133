//! Sending on Solana.
//!
//! INVARIANT: a signature over a message is the transaction's name, and all that it takes to send it. So it is made and
//! told where both of the owner's factors asked for it to be sent, and nowhere else: looking for a transaction compares
//! the signatures that the chain has with its message.

mod find;
mod preview;
mod send;

use super::{Task, Want};
use crate::connector::{Fault, Json};
use crate::network::ask::{Answers, Ask};
use crate::network::reading::Reading;
use crate::network::solana::chain;
use std::sync::Arc;
use wire::Refusal;

pub(super) fn begin(task: Arc<Task>, want: &Want) -> Result<Box<dyn Reading>, Refusal> {
    Ok(match want {
        Want::Preview { .. } => Box::new(preview::Preview::of(task)?),
        Want::Send { .. } => Box::new(send::Send::of(task)?),
        Want::Find { .. } => Box::new(find::Find::of(task)?),
    })
}

/// The questions that begin a look for a transaction.
///
/// INVARIANT: whether a transaction is there is asked when the answer has come. What is not there then, and is void at that
/// height, is never there; were both asked at once, a height that is held up would speak of a later time than the list.
fn height_asks() -> Vec<Ask> {
    vec![chain::ask(), Ask::rpc("getBlockHeight", r#"[{"commitment":"finalized"}]"#)]
}

/// The height, of a node that is of this chain.
fn height(answers: &Answers, task: &Task) -> Result<u64, Fault> {
    chain::check(task.network, answers, 0)?;
    answers.result(1, number)
}

/// A whole number below 2^64.
fn number(json: Json<'_>) -> Option<u64> {
    json.scalar()?.parse().ok()
}
