//! `grant`: what an owner lets a business ask for while they are away (docs/spec/grants.md).

mod list;
mod make;
mod revoke;
mod show;
mod shown;

pub use show::read as read_file;
pub use shown::Shown;

use super::{print, print_json};
use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Let a business read an account while you are away; needs your second factor.
    Make(Box<make::Args>),
    /// List the grants that are in force: whose, how often each was used, what is left of it.
    List(list::Args),
    /// Show what a grant's file allows. Asks nobody.
    Show(show::Args),
    /// End a grant, at once and for good.
    Revoke(revoke::Args),
}

pub fn run(options: &Options, command: &Command) -> Result<()> {
    match command {
        Command::Make(args) => make::run(options, args),
        Command::List(args) => list::run(options, args),
        Command::Show(args) => show::run(args),
        Command::Revoke(args) => revoke::run(options, args),
    }
}

fn unreadable() -> Failure {
    Failure::internal("the enclave answered with something unreadable")
}
