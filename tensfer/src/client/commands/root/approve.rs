//! `root approve`: an approver reads a manifest, to the letter, and signs it.

use super::super::{print, print_json};
use super::genesis::Record;
use super::opened::{self, Receipts};
use super::signer::Signer;
use super::{damaged, manifest, read_file};
use crate::client::encode::{base64, from_base64, hex};
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::options::Options;
use crate::client::terminal::{ask_line, can_ask, say};
use crate::client::token::OnToken;
use serde::Serialize;
use std::path::{Path, PathBuf};
use verify::manifest::hash;
use wire::Canonical;
use wire::manifest::{Manifest, RootCommitment};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer root approve --manifest example.toml --key ada.key --output ada.approval\n  \
    tensfer root approve --manifest example.toml --token /usr/lib/opensc-pkcs11.so --label ben --output ben.approval\n\
    After a genesis, name its file too: `--genesis FILE` compares what it made with what you sign.")]
pub struct Args {
    /// The manifest (TOML).
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,

    /// Your approver's key, unless it is on a token.
    #[arg(long, value_name = "FILE", required_unless_present = "token", conflicts_with = "token")]
    key: Option<PathBuf>,

    #[command(flatten)]
    token: OnToken,

    /// The new file with your approval, which is public.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// What a genesis or beginning made: it is verified, and the manifest's roots must be what all made; repeat for each.
    #[arg(long, value_name = "FILE")]
    genesis: Vec<PathBuf>,

    /// A holder's receipts, as `tensfer root opened` wrote them; repeat for each. Wanted before an epoch becomes current.
    #[arg(long, value_name = "FILE")]
    opened: Vec<PathBuf>,

    /// The manifest (TOML) that this one comes after: of epochs that are current in it, no receipts are wanted again.
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,

    /// Make an epoch current of which too few holders have shown that their shares open: it may end with its enclave.
    #[arg(long)]
    dangerous_unopened: bool,

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
    if !args.dangerous_unopened {
        let opened: Vec<Receipts> =
            args.opened.iter().map(|path| Receipts::read(path)).collect::<Result<_>>()?;
        let after = args.after.as_deref().map(manifest::read).transpose()?;
        opened::check(&manifest, after.as_ref(), &opened)?;
    }
    let signer = Signer::open(options, args.key.as_deref(), &args.token, &manifest)?;
    let key = signer.public();
    let approver = manifest.approvers.members.iter().find(|member| member.key == key);
    let approver = approver.ok_or_else(|| {
        Failure::refused("not_an_approver", "your key is none of this manifest's approvers (not_an_approver)")
            .hint("your key's public half, as `tensfer root key` printed it, has to be in the manifest")
    })?;
    say(manifest::text(&manifest));
    agree(args)?;
    let name = hash(&manifest.to_bytes());
    files::create(&args.output, format!("{}\n", base64(&signer.approve(&name)?)).as_bytes())?;
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
    if args.genesis.is_empty() {
        if !manifest.roots.is_empty() {
            say(
                "warning: the manifest's roots were compared with no genesis\nhint: name what it made, `--genesis FILE`",
            );
        }
        return Ok(());
    }
    let mut made = Vec::new();
    for path in &args.genesis {
        made.push(Record::read(path)?.verify(options)?.roots);
    }
    // Some of what was made is over; but a file of which nothing is left has no place here.
    let each_counts = made.iter().all(|roots| roots.iter().any(|root| manifest.roots.contains(root)));
    let is_made = |root: &RootCommitment| made.iter().flatten().any(|made| made == root);
    if each_counts && manifest.roots.iter().all(is_made) {
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
