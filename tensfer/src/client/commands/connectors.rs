//! `connectors`: the engine that the enclave runs, checked, listed and added to by the program beside this one.

use crate::client::failure::{Failure, Result};
use std::ffi::OsString;
use std::process::{Command, ExitCode};

const PROGRAM: &str = "tensfer-connector-check";

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer connectors list\n  tensfer connectors check --vectors vectors/exchanges --exchange kraken --json\n  tensfer connectors new newexchange --name \"New Exchange\" --host api.newexchange.com"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Run a folder of vectors: `--vectors DIR [--exchange ID] [--connectors DIR] [--coverage] [--json]`; not zero if one fails.
    #[command(disable_help_flag = true)]
    Check(Passed),
    /// List the exchanges that are built in, what each offers and how many recorded cases it passes: `[--json]`.
    #[command(disable_help_flag = true)]
    List(Passed),
    /// Write the first draft of a connector file: `ID --name NAME --host HOST [--connectors DIR]`.
    #[command(disable_help_flag = true)]
    New(Passed),
    /// Print the digest of the connectors that are built in, as an enclave attests it.
    #[command(disable_help_flag = true)]
    Digest(Passed),
    /// Write docs/catalogue.md anew; `make catalogue` does.
    #[command(disable_help_flag = true, hide = true)]
    Catalogue(Passed),
}

#[derive(Debug, clap::Args)]
struct Passed {
    /// Passed on to `tensfer-connector-check` as they are.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// Passes its arguments and exit code on.
pub fn run(args: &Args) -> Result<ExitCode> {
    let missing = |detail: &str| {
        Failure::internal(format!("the program `{PROGRAM}` {detail}"))
            .hint("it belongs beside `tensfer`; `make build` puts both there")
    };
    let (action, Passed { arguments }) = match &args.action {
        Action::Check(passed) => ("check", passed),
        Action::List(passed) => ("list", passed),
        Action::New(passed) => ("new", passed),
        Action::Digest(passed) => ("digest", passed),
        Action::Catalogue(passed) => ("catalogue", passed),
    };
    let own = std::env::current_exe().map_err(|_| missing("cannot be looked for"))?;
    let status = Command::new(own.with_file_name(PROGRAM)).arg(action).args(arguments).status();
    let status = status.map_err(|error| missing(&format!("could not be started: {error}")))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map(ExitCode::from).ok_or_else(|| missing("was ended by a signal"))
}
