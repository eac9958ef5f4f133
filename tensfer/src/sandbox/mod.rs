//! The sandbox provider: six exchanges' REST dialects on loopback, good for sandbox hosts only.

use std::process::ExitCode;

/// Options of `tensfer sandbox`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// Serves until a signal ends it.
///
/// # Errors
/// Always, until the dialects land in the commits that follow.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("no dialect is served on port {} yet", args.port)
}
