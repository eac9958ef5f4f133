//! `root destroy`: a holder's key goes, and with it every share that was ever sealed to it.

use super::super::{print, print_json};
use super::genesis::Record;
use super::held::number_of;
use super::holder_key::HolderKey;
use super::opened::{self, Receipts};
use super::{Proposed, key_file};
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::keys::sha256;
use crate::client::options::Options;
use crate::client::terminal::{ask_line, can_ask, say};
use serde::Serialize;
use std::path::PathBuf;
use verify::hpke::RecipientKey;
use wire::manifest::Manifest;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer root destroy --manifest example-8.toml --approval ada.approval --approval ben.approval --genesis shares-2.genesis \
    --opened shares-2.gus --opened shares-2.hal --opened shares-2.ian --key dot.key\n\
    With `--token`, the token's key that locks the file goes, too.\n\
    Once other holders have the roots: what your key opens of any genesis file, wherever copies of it are, nobody opens then.")]
pub struct Args {
    #[command(flatten)]
    proposed: Proposed,

    /// What came of the new split: the manifest's holders have their shares in it.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,

    /// A new holder's receipts, as `tensfer root opened` wrote them; repeat for each.
    #[arg(long, value_name = "FILE", required = true)]
    opened: Vec<PathBuf>,

    #[command(flatten)]
    key: HolderKey,

    /// Destroy it without being asked.
    #[arg(long)]
    yes: bool,

    /// Print JSON: manifest, destroyed.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Destroyed {
    /// Under which the roots live on.
    manifest: String,
    /// SHA-256 of the public key.
    destroyed: String,
    /// Whether the token's key that locked it is gone as well; nothing, where there was none.
    on_token: Option<bool>,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let proposal = args.proposed.read()?;
    let record = Record::read(&args.genesis)?;
    let (asked, made) = (record.proposal()?, record.verify(options)?.roots);
    if asked.manifest().reshare.is_none() || !asked.approved.admits_after(&made, &proposal.approved) {
        return Err(Failure::refused(
            "other_lineage",
            "the manifest does not follow a new split of the roots that your key has shares of (other_lineage)",
        )
        .hint("destroy nothing: name what `tensfer root reshare` wrote, and the manifest that was approved after it"));
    }
    let (key, on_token) = args.key.open(options, key_file::realm(proposal.manifest()))?;
    check_replaced(&key, asked.manifest(), proposal.manifest())?;
    let opened: Vec<Receipts> = args.opened.iter().map(|path| Receipts::read(path)).collect::<Result<_>>()?;
    opened::check_all(proposal.manifest(), &opened)?;
    agree(args)?;
    // First what locks the file: no copy of it opens from then on.
    let on_token = on_token.map(|key| key.destroy().map_err(|failure| say(not_erased(&failure))).is_ok());
    files::erase(args.key.path())?;
    let destroyed = Destroyed {
        manifest: hex(&proposal.approved.hash()),
        destroyed: hex(&sha256(key.public_key().bytes())),
        on_token,
    };
    if args.json {
        return print_json(&destroyed);
    }
    print(&format!("key {} is gone\n", destroyed.destroyed))?;
    say(match on_token {
        Some(true) => "So is the token's key that locked its file: copies of that open no more.",
        Some(false) | None => "What a disk, a file system or a backup keeps beside that is yours to erase.",
    });
    Ok(())
}

fn not_erased(failure: &Failure) -> String {
    format!(
        "warning: the key on the token is still there: {}\n\
         hint: erase it with the token's maker's program; until then copies of the file open with it",
        failure.sentence
    )
}

/// That the key was a holder's, and is none any more.
fn check_replaced(key: &RecipientKey, asked: &Manifest, now: &Manifest) -> Result<()> {
    if number_of(key, &asked.holders).is_none() {
        return Err(Failure::refused(
            "not_a_holder",
            "your key is none of those whose shares were split anew (not_a_holder)",
        ));
    }
    if number_of(key, &now.holders).is_some() {
        return Err(Failure::refused(
            "still_a_holder",
            "your key holds shares under this manifest: it is needed (still_a_holder)",
        )
        .hint("have the roots split anew to another key of yours first"));
    }
    Ok(())
}

fn agree(args: &Args) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    if !can_ask() {
        return Err(
            Failure::usage("nobody is there to be asked").hint("say `--yes` if the key may go for good")
        );
    }
    let what =
        if args.key.is_on_token() { "this key, and the one on the token that locks it," } else { "this key" };
    let answer = ask_line(&format!("type `destroy` to erase {what} for good"))?;
    if answer.trim() == "destroy" { Ok(()) } else { Err(Failure::refused("not_destroyed", "the key stays")) }
}
