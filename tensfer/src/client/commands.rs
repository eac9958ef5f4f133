//! The client's subcommands, one module each.

pub mod act;
pub mod balances;
pub mod connections;
mod connectors;
mod export;
mod forget;
mod grant;
pub mod granted;
pub mod inspect;
mod keys;
pub mod link;
mod organisations;
mod panic;
mod policy;
pub mod records;
mod release;
mod request;
mod revocation;
pub mod root;
mod rotate;
mod rotation;
pub mod status;
mod upgrade;
mod verify;
mod wallet;

use crate::client::agent;
use crate::client::failure::{Failure, Result};
use crate::client::options::Options;
use crate::client::terminal::printable_json;
use clap::Subcommand;
use serde::Serialize;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Verify a server's enclave, or a saved attestation document.
    Verify(verify::Args),
    /// Link an exchange account: its key is sealed to the verified enclave.
    Link(link::Args),
    /// Wallets: make one whose key is kept in an envelope, back it up, prove that one elsewhere is yours.
    #[command(subcommand)]
    Wallet(wallet::Command),
    /// List the linked accounts, from what this machine keeps.
    Connections(connections::Args),
    /// Show what you own over all linked accounts.
    Balances(balances::Args),
    /// Read deposits, withdrawals, ledger, trades or transfers, to their very beginning.
    History(records::History),
    /// Show where to send an asset to.
    Addresses(records::Addresses),
    /// Show the networks that an exchange moves assets on: fees, limits, what is open.
    Networks(records::Networks),
    /// Show where money can be sent by its name at the provider: bank accounts, cards.
    Destinations(records::Destinations),
    /// Show open positions.
    Positions(records::Positions),
    /// Move an asset between your own accounts at an exchange.
    Transfer(act::Transfer),
    /// Send an asset to an address, or money to a bank account or a person; needs your second factor.
    Withdraw(Box<act::Withdraw>),
    /// Convert an asset to another at the exchange's price; needs your second factor.
    Convert(act::Convert),
    /// Buy or sell at the market; needs your second factor.
    Order(act::Order),
    /// Find out what became of what you ordered.
    Status(status::Args),
    /// Renew an envelope: data key, epoch, share, owner keys.
    Rotate(rotate::Args),
    /// Rotations of the enclave's root: check what is stated about one; re-wrap many envelopes.
    #[command(subcommand)]
    Rotation(rotation::Command),
    /// Let a newer program open your accounts of consent class `owner`, one by one; needs your second factor.
    Upgrade(upgrade::Args),
    /// Show what is in an envelope, without the secret.
    Inspect(inspect::Args),
    /// Get a credential back; needs your second factor.
    Export(export::Args),
    /// Forget a linked account, in the enclave and here.
    Forget(forget::Args),
    /// Grants: let a business read an account while you are away; list what you granted, end it.
    #[command(subcommand)]
    Grant(grant::Command),
    /// For a business: what owners granted you, and asking by it.
    #[command(subcommand)]
    Granted(Box<granted::Command>),
    /// Releases: sign what was published as a build, read it, check who signed.
    #[command(subcommand)]
    Release(release::Command),
    /// Give everything up at once: end each key at its provider, refuse each connection for good, erase what is here.
    Panic(panic::Args),
    /// API keys of your organisation's programs: make, list, show, rotate, revoke.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Call the server's API, signed with an API key.
    Request(request::Args),
    /// Organisations that the host serves: create one, with the invitation for its first key; list them. On the host itself.
    #[command(subcommand)]
    Organisations(organisations::Command),
    /// Who may do what: the server's policies, an organisation's own, and how they decide.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Serve plain JSON to programs on this machine: verifies the enclave, keeps the keys, signs and seals for them.
    Agent(agent::Args),
    /// Check the connectors against test vectors.
    Connectors(connectors::Args),
}

impl Command {
    pub fn run(self, options: &Options) -> Result<ExitCode> {
        let done = |()| ExitCode::SUCCESS;
        match self {
            Command::Verify(args) => verify::run(options, &args),
            Command::Link(args) => link::run(options, &args).map(done),
            Command::Wallet(command) => wallet::run(options, &command).map(done),
            Command::Connections(args) => connections::run(options, &args).map(done),
            Command::Balances(args) => balances::run(options, &args),
            Command::History(args) => records::history(options, records::Whose::Own, &args),
            Command::Addresses(args) => records::addresses(options, records::Whose::Own, &args),
            Command::Networks(args) => records::networks(options, records::Whose::Own, &args),
            Command::Destinations(args) => records::destinations(options, records::Whose::Own, &args),
            Command::Positions(args) => records::positions(options, records::Whose::Own, &args),
            Command::Transfer(args) => act::transfer(options, &args),
            Command::Withdraw(args) => act::withdraw(options, &args),
            Command::Convert(args) => act::convert(options, &args),
            Command::Order(args) => act::order(options, &args),
            Command::Status(args) => status::run(options, &args),
            Command::Rotate(args) => rotate::run(options, &args).map(done),
            Command::Rotation(command) => rotation::run(options, &command),
            Command::Upgrade(args) => upgrade::run(options, &args).map(done),
            Command::Inspect(args) => inspect::run(options, &args).map(done),
            Command::Export(args) => export::run(options, &args).map(done),
            Command::Forget(args) => forget::run(options, &args).map(done),
            Command::Grant(command) => grant::run(options, &command).map(done),
            Command::Granted(command) => granted::run(options, &command),
            Command::Release(command) => release::run(options, &command).map(done),
            Command::Panic(args) => panic::run(options, &args),
            Command::Keys(command) => keys::run(options, &command).map(done),
            Command::Request(args) => request::run(options, &args),
            Command::Organisations(command) => organisations::run(options, &command).map(done),
            Command::Policy(command) => policy::run(options, &command),
            Command::Agent(args) => agent::run(options, &args),
            Command::Connectors(args) => connectors::run(&args),
        }
    }
}

/// Data, to standard output. Whoever stops to read has read enough (`… | head`).
fn print(text: &str) -> Result<()> {
    let written = std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::internal("this machine could not write to standard output"))
        }
        _ => Ok(()),
    }
}

/// One line, for a reader that takes each as it comes.
fn print_json_line(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value)
        .map_err(|_| Failure::internal("this program could not write its answer as JSON"))?;
    print(&format!("{}\n", printable_json(&text)))
}

fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|_| Failure::internal("this program could not write its answer as JSON"))?;
    print(&format!("{}\n", printable_json(&text)))
}
