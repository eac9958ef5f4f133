//! `root key`: an operator's key, born on their machine.

use super::super::{print, print_json};
use super::key_file;
use super::manifest::public_text;
use crate::client::encode::base64;
use crate::client::failure::{Failure, Result};
use crate::client::home::key_file::Purpose;
use crate::client::home::realm::Realm;
use crate::client::options::Options;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use serde::Serialize;
use std::path::PathBuf;
use verify::hpke::RecipientKey;
use wire::manifest::SigningKey;
use wire::owner::OwnerAlgorithm;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer root key approver --output ada.key\n  \
    tensfer root key holder --output dot.key --passphrase-file dot.passphrase\n\
    What it prints is public, and goes into the manifest.")]
pub struct Args {
    /// What the key is for.
    #[arg(value_enum)]
    role: Role,

    /// The new file, which only you may read.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// For manifests of simulated programs, which take no other keys.
    #[arg(long)]
    simulated: bool,

    /// Print JSON: role, key.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Role {
    /// Signs manifests (Ed25519).
    Approver,
    /// Takes a share (X-Wing).
    Holder,
}

#[derive(Serialize)]
struct Made {
    role: &'static str,
    key: String,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let realm = if args.simulated { Realm::Simulated } else { Realm::Hardware };
    let failed = |_| Failure::internal("this machine could not make a key");
    let made = match args.role {
        Role::Approver => {
            let pair = Ed25519KeyPair::generate().map_err(failed)?;
            let document = pair.to_pkcs8().map_err(failed)?;
            key_file::create(
                &args.output,
                Purpose::Approver,
                realm,
                document.as_ref(),
                &options.passphrases(),
            )?;
            let public = pair.public_key().as_ref().to_vec();
            let key = public_text(&SigningKey { algorithm: OwnerAlgorithm::EdDsa, public });
            Made { role: "approver", key }
        }
        Role::Holder => {
            let (pair, bytes) = RecipientKey::generate_kept()
                .map_err(|_| Failure::internal("this machine could not make a key"))?;
            key_file::create(&args.output, Purpose::Holder, realm, &bytes, &options.passphrases())?;
            Made { role: "holder", key: format!("x-wing:{}", base64(pair.public_key().bytes())) }
        }
    };
    if args.json { print_json(&made) } else { print(&format!("key = \"{}\"\n", made.key)) }
}
