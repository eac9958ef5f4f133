//! `granted key`: the keys of a business, born on its machine.

use super::{PublicKeys, print, print_json};
use crate::client::failure::Result;
use crate::client::home::files;
use crate::client::home::realm::Realm;
use crate::client::options::Options;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tensfer granted key --output payroll.pub\n\nGive that file to the owners who are to grant you something, and compare the name of the key with them. \
    Without `--output` it prints the name alone. Keys that are there are used again."
)]
pub struct Args {
    /// The new file of the public keys, for owners.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// For grants in simulated deployments, which take no other keys.
    #[arg(long)]
    simulated: bool,

    /// Make a further pair, for grants that are made from now on; those that you have keep theirs.
    #[arg(long)]
    new: bool,

    /// Print JSON: key, output.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shape<'p> {
    /// The name of the signing key.
    key: String,
    output: Option<&'p Path>,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let realm = if args.simulated { Realm::Simulated } else { Realm::Hardware };
    let keys = options.home()?.grantee_or_new(realm, args.new)?;
    let public = PublicKeys::of(realm, keys.newest()?);
    if let Some(output) = &args.output {
        files::create(output, &public.to_bytes()?)?;
    }
    let shape = Shape { key: public.name(), output: args.output.as_deref() };
    if args.json { print_json(&shape) } else { print(&format!("key {}\n", shape.key)) }
}
