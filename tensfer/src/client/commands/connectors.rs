//! `connectors`: the engine that the enclave runs, checked against test vectors by the program beside this one.

use crate::client::failure::{Failure, Result};
use std::ffi::OsString;
use std::process::{Command, ExitCode};

const PROGRAM: &str = "tensfer-connector-check";

#[derive(clap::Args, Debug)]
#[command(
    disable_help_flag = true,
    after_help = "Example:\n  tensfer connectors check --vectors vectors/exchanges --exchange kraken --json"
)]
pub struct Args {
    /// `check --vectors DIR [--exchange ID] [--json]`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// Passes its arguments and exit code on.
pub fn run(args: &Args) -> Result<ExitCode> {
    let missing = |detail: &str| {
        Failure::internal(format!("the program `{PROGRAM}` {detail}"))
            .hint("it belongs beside `tensfer`; `make build` puts both there")
    };
    let own = std::env::current_exe().map_err(|_| missing("cannot be looked for"))?;
    let status = Command::new(own.with_file_name(PROGRAM)).args(&args.arguments).status();
    let status = status.map_err(|error| missing(&format!("could not be started: {error}")))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map(ExitCode::from).ok_or_else(|| missing("was ended by a signal"))
}
