//! Sending on chains of the Ethereum Virtual Machine.

mod find;
mod preview;
mod send;

use super::{Task, Want};
use crate::network::model::Evm;
use crate::network::reading::Reading;
use std::sync::Arc;
use wire::Refusal;

/// Blocks with a transaction and above it, after which it stays where it is.
const DEEP: u64 = 12;

pub(super) fn begin(task: Arc<Task>, chain: Evm, want: &Want) -> Result<Box<dyn Reading>, Refusal> {
    Ok(match want {
        Want::Preview { .. } => Box::new(preview::Preview::of(task, chain)?),
        Want::Send { .. } => Box::new(send::Send::of(task, chain)?),
        Want::Find { .. } => Box::new(find::Find::of(task, chain)?),
    })
}
