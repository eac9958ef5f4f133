//! `release`: what those do who publish builds of the enclave's program, and those who go by it (docs/spec/release.md).

mod check;
mod draft;
mod key;
mod show;
mod sign;

use crate::client::failure::Result;
use crate::client::options::Options;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a key that signs releases.
    Key(key::Args),
    /// Write the file of a release from what `make image` measured.
    Draft(draft::Args),
    /// Read a release, and sign it.
    Sign(sign::Args),
    /// Show what is in a release, and by which keys it is signed.
    Show(show::Args),
    /// Check that a release is signed by enough of the keys that your policy trusts, and is valid.
    Check(check::Args),
}

pub fn run(options: &Options, command: &Command) -> Result<()> {
    match command {
        Command::Key(args) => key::run(options, args),
        Command::Draft(args) => draft::run(args),
        Command::Sign(args) => sign::run(options, args),
        Command::Show(args) => show::run(args),
        Command::Check(args) => check::run(options, args),
    }
}
