//! `rotation`: what an operator states about a rotation, checked offline; and re-wrapping many envelopes.

mod rewrap;
mod sequence;
pub mod verify;

use crate::client::failure::Result;
use crate::client::options::Options;
use std::process::ExitCode;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Check a statement of completion, and that a connection of yours is in it, without asking any server.
    Verify(verify::Args),
    /// Re-wrap envelopes to the enclave's current epoch: a file of them into another.
    Rewrap(rewrap::Args),
}

pub fn run(options: &Options, command: &Command) -> Result<ExitCode> {
    match command {
        Command::Verify(args) => verify::run(options, args),
        Command::Rewrap(args) => rewrap::run(options, args),
    }
}
