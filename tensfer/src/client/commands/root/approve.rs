//! `root approve`: an approver reads a manifest, to the letter, and signs it.

use super::super::{print, print_json};
use super::genesis::Record;
use super::{damaged, key_file, manifest, read_file};
use crate::client::encode::{base64, from_base64, hex};
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::key_file::Purpose;
use crate::client::options::Options;
use crate::client::terminal::{ask_line, can_ask, say};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use serde::Serialize;
use std::path::{Path, PathBuf};
use verify::manifest::{hash, key_name, to_be_approved};
use wire::Canonical;
use wire::cose::{EDDSA, Protected, Sign1};
use wire::manifest::{Manifest, SigningKey};
use wire::owner::OwnerAlgorithm;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer root approve --manifest example.toml --key ada.key --output ada.approval\n\
    After a genesis, name its file too: `--genesis FILE` compares what it made with what you sign.")]
pub struct Args {
    /// The manifest (TOML).
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,

    /// Your approver's key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// The new file with your approval, which is public.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// What a genesis made: it is verified, and the manifest's roots must be its.
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,

    /// Sign without being asked.
    #[arg(long)]
    yes: bool,

    /// Print JSON: manifest, approver.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Signed<'m> {
    manifest: String,
    approver: &'m str,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let manifest = manifest::read(&args.manifest)?;
    check_roots(options, args, &manifest)?;
    let secret =
        key_file::open(&args.key, Purpose::Approver, key_file::realm(&manifest), &options.passphrases())?;
    let pair = Ed25519KeyPair::from_pkcs8(&secret).map_err(|_| key_file::not_a_key(&args.key))?;
    let key = SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: pair.public_key().as_ref().to_vec() };
    let approver = manifest.approvers.members.iter().find(|member| member.key == key);
    let approver = approver.ok_or_else(|| {
        Failure::refused("not_an_approver", "your key is none of this manifest's approvers (not_an_approver)")
            .hint("your key's public half, as `tensfer root key` printed it, has to be in the manifest")
    })?;
    say(manifest::text(&manifest));
    agree(args)?;
    let name = hash(&manifest.to_bytes());
    files::create(&args.output, format!("{}\n", base64(&sign(&pair, &key, &name))).as_bytes())?;
    match args.json {
        true => print_json(&Signed { manifest: hex(&name), approver: &approver.alias }),
        false => print(&format!("{} approves {}\n", approver.alias, hex(&name))),
    }
}

/// An approval in a file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_file(path, "approval")?;
    let text = std::str::from_utf8(&bytes).ok().and_then(|text| text.strip_suffix('\n'));
    text.and_then(from_base64).ok_or_else(|| damaged(path, "approval"))
}

/// That the manifest commits to what a genesis made, where one is named.
fn check_roots(options: &Options, args: &Args, manifest: &Manifest) -> Result<()> {
    let Some(path) = &args.genesis else {
        if !manifest.roots.is_empty() {
            say(
                "warning: the manifest's roots were compared with no genesis\nhint: name what it made, `--genesis FILE`",
            );
        }
        return Ok(());
    };
    let genesis = Record::read(path)?.verify(options)?;
    if genesis.roots == manifest.roots {
        return Ok(());
    }
    Err(Failure::refused("other_roots", "the manifest's roots are not those of this genesis (other_roots)")
        .hint("sign nothing, and ask where this manifest comes from"))
}

fn agree(args: &Args) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    if !can_ask() {
        return Err(
            Failure::usage("nobody is there to be asked").hint("say `--yes` once you have read the manifest")
        );
    }
    let answer = ask_line("type `yes` to sign exactly this")?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::refused("not_signed", "you did not sign it")) }
}

fn sign(pair: &Ed25519KeyPair, key: &SigningKey, manifest: &[u8; 32]) -> Vec<u8> {
    let protected = Protected { algorithm: EDDSA, key: key_name(key) }.to_bytes();
    let signature = pair.sign(&to_be_approved(&protected, manifest));
    Sign1 { protected: &protected, payload: None, signature: signature.as_ref() }.to_bytes()
}
