//! `release key`: a publisher's key, born on their machine.

use super::super::root::{key_file, manifest::public_text};
use super::super::{print, print_json};
use crate::client::failure::{Failure, Result};
use crate::client::home::key_file::Purpose;
use crate::client::home::realm::Realm;
use crate::client::options::Options;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::path::PathBuf;
use wire::manifest::SigningKey;
use wire::owner::OwnerAlgorithm;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer release key --output ada.key --passphrase-file ada.passphrase\n\
    What it prints is public, and goes into the policies of those who trust you.")]
pub struct Args {
    /// The new file, which only you may read.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// For releases of simulated programs, which take no other keys.
    #[arg(long)]
    simulated: bool,

    /// Print JSON: key.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let failed = |_| Failure::internal("this machine could not make a key");
    let pair = Ed25519KeyPair::generate().map_err(failed)?;
    let document = pair.to_pkcs8().map_err(failed)?;
    let realm = if args.simulated { Realm::Simulated } else { Realm::Hardware };
    key_file::create(&args.output, Purpose::Publisher, realm, document.as_ref(), &options.passphrases())?;
    let public = pair.public_key().as_ref().to_vec();
    let key = public_text(&SigningKey { algorithm: OwnerAlgorithm::EdDsa, public });
    match args.json {
        true => print_json(&serde_json::json!({ "key": key })),
        false => print(&format!("key = \"{key}\"\n")),
    }
}
