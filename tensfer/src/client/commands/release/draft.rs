//! `release draft`: the file of a release, from what was measured of a build. Nothing in it is signed yet.

use super::super::root::manifest::{self, Tee, measured};
use super::super::{print, print_json};
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::release::{File, text};
use crate::client::terminal::say;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wire::UnixMillis;
use wire::evidence::Hash;
use wire::identity::Build;
use wire::manifest::Reach;
use wire::release::{MinimumTcb, Release, Released};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer release draft --measurements target/enclave/measurements.json --name example \\\n    \
    --connectors $(tensfer connectors digest) --from 2026-12-01T00:00:00Z --until 2027-06-01T00:00:00Z \\\n    \
    --output releases/0.2.0.toml")]
pub struct Args {
    /// What `make image` or `make measure` wrote.
    #[arg(long, value_name = "FILE")]
    measurements: PathBuf,

    /// What is released, by name: every later release has the same.
    #[arg(long)]
    name: String,

    /// SHA-256 over the connectors of this build: `tensfer connectors digest`.
    #[arg(long, value_name = "HEX", value_parser = hash)]
    connectors: Hash,

    /// When it begins to hold (RFC 3339, to the second).
    #[arg(long, value_name = "RFC3339", value_parser = time)]
    from: UnixMillis,

    /// When it is over; at most two years later.
    #[arg(long, value_name = "RFC3339", value_parser = time)]
    until: UnixMillis,

    /// The new file (TOML).
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// Print JSON: release, output.
    #[arg(long)]
    json: bool,
}

/// The draft's hash, and where it is.
#[derive(Debug, Serialize)]
struct Drafted<'d> {
    release: String,
    output: &'d Path,
}

fn hash(text: &str) -> std::result::Result<Hash, String> {
    manifest::hash(text)
}

fn time(text: &str) -> std::result::Result<UnixMillis, String> {
    manifest::time(text)
}

/// What `scripts/image` writes, as far as a release repeats it.
#[derive(Deserialize)]
struct Measured {
    version: String,
    commit: String,
    environment: String,
    measurements: BTreeMap<String, String>,
}

pub fn run(args: &Args) -> Result<()> {
    let bytes = files::read_named(&args.measurements, "file")?;
    let path = args.measurements.display();
    let found: Measured = serde_json::from_slice(&bytes)
        .map_err(|_| Failure::usage(format!("`{path}` is not what `make image` writes")))?;
    if found.environment != "live" {
        return Err(Failure::usage(format!(
            "`{path}` is of an image for a sandbox: that is never a release"
        )));
    }
    let unfit = |why: String| Failure::usage(format!("`{path}` cannot be released: {why}"));
    let program = measured(Tee::Nitro, found.measurements).map_err(&unfit)?;
    let release = Release {
        version: 1,
        name: args.name.clone(),
        build: Build { version: found.version, commit: found.commit },
        connectors: args.connectors,
        from: args.from,
        until: args.until,
        programs: vec![Released { environment: Reach::Live, program }],
        minimum_tcb: MinimumTcb::default(),
    };
    release.check_form().map_err(|fault| {
        unfit(fault.to_string()).hint("a working copy with changes builds as commit `unknown`: commit first")
    })?;
    let file = File { release, signatures: Vec::new() };
    files::create(&args.output, text(&file).as_bytes())?;
    say(format!("`{}`: read it, add what is missing, and have it signed", args.output.display()));
    let release = hex(&file.hash());
    if args.json {
        return print_json(&Drafted { release, output: &args.output });
    }
    print(&format!("{release}\n"))
}
