//! `connectors`: the engine that the enclave runs, checked against test vectors by the program beside this one.

use crate::client::failure::{Failure, Result};
use std::ffi::OsString;
use std::process::{Command, ExitCode};

const PROGRAM: &str = "tensfer-connector-check";

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tensfer connectors check --vectors vectors/exchanges --exchange kraken --json"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Run a folder of vectors: `--vectors DIR [--exchange ID] [--json]`; not zero if one fails.
    #[command(disable_help_flag = true)]
    Check {
        /// Passed on to `tensfer-connector-check` as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        arguments: Vec<OsString>,
    },
}

/// Passes its arguments and exit code on.
pub fn run(args: &Args) -> Result<ExitCode> {
    let missing = |detail: &str| {
        Failure::internal(format!("the program `{PROGRAM}` {detail}"))
            .hint("it belongs beside `tensfer`; `make build` puts both there")
    };
    let Action::Check { arguments } = &args.action;
    let own = std::env::current_exe().map_err(|_| missing("cannot be looked for"))?;
    let status = Command::new(own.with_file_name(PROGRAM)).args(arguments).status();
    let status = status.map_err(|error| missing(&format!("could not be started: {error}")))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map(ExitCode::from).ok_or_else(|| missing("was ended by a signal"))
}
