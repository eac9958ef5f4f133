//! `granted`: for a business, what owners granted it, and asking by that while they are away.

mod balances;
mod key;
mod list;
mod public;
mod remove;
mod status;
mod take;

pub use balances::holds;
pub use list::{Entry, entry};
pub use public::PublicKeys;
pub use status::became;
pub use take::take;

use super::records::{self, Whose};
use super::{print, print_json};
use crate::client::failure::Result;
use crate::client::options::Options;
use clap::Subcommand;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the keys that owners name in their grants, and write the public ones for them.
    Key(key::Args),
    /// Take a grant in that an owner made for your keys.
    Take(take::Args),
    /// List what you were granted, from what this machine keeps. Asks nobody.
    List(list::Args),
    /// Remove a grant from this machine. Its owner ends it: `tensfer grant revoke`.
    Remove(remove::Args),
    /// Show what the account holds.
    Balances(balances::Args),
    /// Read deposits, withdrawals, ledger, trades or transfers. Each page of them is a use.
    #[command(
        after_help = "Examples:\n  tensfer granted history kraken deposits --since 2024-01-01\n  tensfer granted history kraken trades --out trades.jsonl"
    )]
    History(records::History),
    /// Show where to send an asset to.
    #[command(after_help = "Example:\n  tensfer granted addresses kraken --asset BTC")]
    Addresses(records::Addresses),
    /// Show the networks that the exchange moves assets on: fees, limits, what is open.
    #[command(after_help = "Example:\n  tensfer granted networks kraken --asset USDT")]
    Networks(records::Networks),
    /// Show where money can be sent by its name at the provider: bank accounts, cards.
    #[command(after_help = "Example:\n  tensfer granted destinations stripe")]
    Destinations(records::Destinations),
    /// Show open positions.
    #[command(after_help = "Example:\n  tensfer granted positions bybit")]
    Positions(records::Positions),
    /// Find out what became of an instruction of the owner's.
    Status(status::Args),
}

pub fn run(options: &Options, command: &Command) -> Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Key(args) => key::run(options, args).map(done),
        Command::Take(args) => take::run(options, args).map(done),
        Command::List(args) => list::run(options, args).map(done),
        Command::Remove(args) => remove::run(options, args).map(done),
        Command::Balances(args) => balances::run(options, args),
        Command::History(args) => records::history(options, Whose::Granted, args),
        Command::Addresses(args) => records::addresses(options, Whose::Granted, args),
        Command::Networks(args) => records::networks(options, Whose::Granted, args),
        Command::Destinations(args) => records::destinations(options, Whose::Granted, args),
        Command::Positions(args) => records::positions(options, Whose::Granted, args),
        Command::Status(args) => status::run(options, args),
    }
}
