//! `root key`: an operator's key, born on their machine.

use super::super::{print, print_json};
use super::holder_key;
use super::signer::Signer;
use crate::client::encode::base64;
use crate::client::failure::{Failure, Result};
use crate::client::home::realm::Realm;
use crate::client::options::Options;
use crate::client::token::OnToken;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer root key approver --output ada.key\n  \
    tensfer root key holder --output dot.key --passphrase-file dot.passphrase\n  \
    tensfer root key approver --token /usr/lib/opensc-pkcs11.so --label ben\n  \
    tensfer root key holder --output eve.key --token /usr/lib/opensc-pkcs11.so --label eve\n\
    What it prints is public, and goes into the manifest. An approver's key on a token is nowhere else; a holder's is in the \
    file, which the token's key locks.")]
pub struct Args {
    /// What the key is for.
    #[arg(value_enum)]
    role: Role,

    /// The new file, which only you may read; an approver's key on a token has none.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    token: OnToken,

    /// Take the key of that name that is on the token already, as its maker's program made it: print it, or lock the file with it.
    #[arg(long, requires = "token", help_heading = "Hardware token")]
    existing: bool,

    /// For manifests of simulated programs, which take no other keys.
    #[arg(long)]
    simulated: bool,

    /// Print JSON: role, key.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Role {
    /// Signs manifests (Ed25519; on a token P-256).
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
    let made = match args.role {
        Role::Approver => Made { role: "approver", key: approver(options, args)?.public_text() },
        Role::Holder => {
            let key = holder_key::make(options, args.file()?, args.realm(), &args.token, args.existing)?;
            Made { role: "holder", key: format!("x-wing:{}", base64(key.public_key().bytes())) }
        }
    };
    if args.json { print_json(&made) } else { print(&format!("key = \"{}\"\n", made.key)) }
}

fn approver(options: &Options, args: &Args) -> Result<Signer> {
    if !args.token.is_named() {
        return Signer::make(options, args.file()?, args.realm());
    }
    if args.output.is_some() {
        return Err(Failure::usage("an approver's key on a token is in no file").hint("leave `--output` out"));
    }
    if args.simulated {
        return Err(Failure::usage("nothing on a token says that a key is for simulations alone")
            .hint("leave `--simulated` out, and take a key that approves nothing else"));
    }
    let signer = Signer::make_on_token(&args.token, args.existing)?;
    signer.ok_or_else(|| Failure::usage("no token was named"))
}

impl Args {
    fn realm(&self) -> Realm {
        if self.simulated { Realm::Simulated } else { Realm::Hardware }
    }

    fn file(&self) -> Result<&Path> {
        self.output
            .as_deref()
            .ok_or_else(|| Failure::usage("the key needs a new file").hint("name it: `--output FILE`"))
    }
}
