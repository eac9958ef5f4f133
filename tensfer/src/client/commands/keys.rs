//! `keys`: an organisation's API keys, and the pairs that this machine keeps of them (docs/spec/identity.md).

mod list;
mod make;
mod revoke;
mod rotate;
mod show;
mod shown;

use crate::client::failure::Result;
use crate::client::options::Options;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a key pair on this machine, and register its public half: by an invitation, or by another key.
    Make(make::Args),
    /// List your organisation's keys.
    List(list::Args),
    /// Show one.
    Show(show::Args),
    /// Put a new key pair in the place of one that this machine has.
    Rotate(rotate::Args),
    /// Revoke a key, at once and for good.
    Revoke(revoke::Args),
}

pub fn run(options: &Options, command: &Command) -> Result<()> {
    match command {
        Command::Make(args) => make::run(options, args),
        Command::List(args) => list::run(options, args),
        Command::Show(args) => show::run(options, args),
        Command::Rotate(args) => rotate::run(options, args),
        Command::Revoke(args) => revoke::run(options, args),
    }
}
