//! Sending on Solana.
//!
//! INVARIANT: a signature over a message is the transaction's name, and all that it takes to send it. So it is made and
//! told where both of the owner's factors asked for it to be sent, and nowhere else: looking for a transaction compares
//! the signatures that the chain has with its message.

mod find;
mod preview;
mod send;

use super::{Task, Want};
use crate::connector::Json;
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

/// A whole number below 2^64.
fn number(json: Json<'_>) -> Option<u64> {
    json.scalar()?.parse().ok()
}
