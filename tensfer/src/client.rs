//! The command-line client: verifies before it seals, keeps keys and envelopes on this machine, says whose fault it is.
//!
//! What is stored is in `docs/spec/client.md`. Data goes to standard output, everything else to standard error.

mod agent;
mod asks;
mod calls;
mod clock;
mod commands;
mod credential;
mod encode;
mod explain;
mod failure;
mod finding;
mod gateway;
mod grantee;
mod home;
mod linked;
mod names;
mod notices;
mod options;
mod policy;
mod portfolio;
mod redirect;
mod release;
mod session;
mod table;
mod terminal;
#[cfg(test)]
mod testing;
mod token;
mod watched;

pub use commands::Command;
pub use commands::root::Command as Operator;
pub use options::Options;

use std::process::ExitCode;

/// Runs one command; what went wrong is told on standard error.
pub fn run(options: &Options, command: Command) -> ExitCode {
    ended(command.run(options))
}

/// As [`run`], of who operates a deployment.
pub fn operate(options: &Options, command: Operator) -> ExitCode {
    ended(command.run(options))
}

fn ended(outcome: failure::Result<ExitCode>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            terminal::say(failure.to_string());
            failure.fault.into()
        }
    }
}
