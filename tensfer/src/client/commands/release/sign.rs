//! `release sign`: a publisher reads a release, to the letter, and adds their signature to its file.

use super::super::root::key_file;
use super::super::{print, print_json};
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::key_file::Purpose;
use crate::client::home::realm::Realm;
use crate::client::options::Options;
use crate::client::release::{File, text};
use crate::client::terminal::{ask_line, can_ask, say};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::path::PathBuf;
use verify::release::{key_name, signer, to_be_signed};
use wire::Canonical;
use wire::cose::{EDDSA, Protected, Sign1};
use wire::manifest::{MAX_MEMBERS, Signer, Signers, SigningKey};
use wire::owner::OwnerAlgorithm;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer release sign releases/0.2.0.toml --key ada.key\n\
    Build it yourself before you sign: `make measure` at its commit.")]
pub struct Args {
    /// The release (TOML); the signature goes into it.
    release: PathBuf,

    /// Your publisher's key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Sign without being asked.
    #[arg(long)]
    yes: bool,

    /// Print JSON: release, key, signatures.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let mut file = File::read(&args.release)?;
    let realm = if file.release.is_simulated() { Realm::Simulated } else { Realm::Hardware };
    let secret = key_file::open(&args.key, Purpose::Publisher, realm, &options.passphrases())?;
    let pair = Ed25519KeyPair::from_pkcs8(&secret).map_err(|_| key_file::not_a_key(&args.key))?;
    let key = SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: pair.public_key().as_ref().to_vec() };
    let hash = file.hash();
    if is_signed(&file, &key) {
        return Err(Failure::usage("your key has signed this release already"));
    }
    if file.signatures.len() >= MAX_MEMBERS {
        return Err(Failure::usage(format!("the release has {MAX_MEMBERS} signatures, and takes no more")));
    }
    say(text(&file));
    agree(args)?;
    file.signatures.push(sign(&pair, &key, &hash));
    files::replace(&args.release, text(&file).as_bytes())?;
    let (release, name) = (hex(&hash), hex(&key_name(&key)));
    match args.json {
        true => print_json(&serde_json::json!({
            "release": release, "key": name, "signatures": file.signatures.len(),
        })),
        false => print(&format!("{name} signed {release}\n")),
    }
}

fn is_signed(file: &File, key: &SigningKey) -> bool {
    let alone = Signers { threshold: 1, members: vec![Signer { alias: "you".to_owned(), key: key.clone() }] };
    let hash = file.hash();
    file.signatures.iter().any(|signature| signer(signature, &hash, &alone).is_some())
}

fn agree(args: &Args) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    if !can_ask() {
        return Err(
            Failure::usage("nobody is there to be asked").hint("say `--yes` once you have read the release")
        );
    }
    let answer = ask_line("type `yes` to sign exactly this")?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::refused("not_signed", "you did not sign it")) }
}

fn sign(pair: &Ed25519KeyPair, key: &SigningKey, release: &[u8; 32]) -> Vec<u8> {
    let protected = Protected { algorithm: EDDSA, key: key_name(key) }.to_bytes();
    let signature = pair.sign(&to_be_signed(&protected, release));
    Sign1 { protected: &protected, payload: None, signature: signature.as_ref() }.to_bytes()
}
