//! The one binary: every role, the command-line client and the sandbox provider is a subcommand with a module of its own.
//!
//! Exit codes: 0 done, 1 refused, 2 usage, 3 provider, 4 host, 5 internal. A subcommand returns the code it
//! decided on; an error that nobody decided about is internal.

mod client;
mod sandbox;
mod up;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Connect exchange accounts without handing anyone the keys.
#[derive(Debug, Parser)]
#[command(name = "tensfer", version, propagate_version = true)]
struct Tensfer {
    #[command(flatten)]
    client: client::Options,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Client(client::Command),

    /// Serve six exchanges on loopback, with seeded accounts and made-up money.
    Sandbox(sandbox::Args),

    #[command(flatten)]
    Host(up::Command),
}

fn main() -> ExitCode {
    let Tensfer { client: options, command } = Tensfer::parse();
    let outcome = match command {
        Command::Client(command) => Ok(client::run(&options, command)),
        Command::Sandbox(args) => sandbox::run(args),
        Command::Host(command) => Ok(up::run(command)),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(5)
    })
}
