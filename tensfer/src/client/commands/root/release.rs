//! `root release`: a holder verifies an enclave that waits, and gives it their share.

use super::super::{print, print_json};
use super::genesis::Record;
use super::status::Shown;
use super::{Proposal, Proposed, ceremony, damaged, key_file};
use crate::client::clock::{now, rfc3339};
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::key_file::{Purpose, random};
use crate::client::home::keys::sha256;
use crate::client::options::Options;
use crate::client::terminal::{emphasised, say};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use verify::hpke::RecipientKey;
use verify::setup::{check_setup, open_shares};
use wire::Canonical;
use wire::ceremony::{Answer, Ceremony, Shares, held_info};
use wire::manifest::{Manifest, share_transcript};
use zeroize::Zeroizing;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer root release --manifest example-2.toml --approval ada.approval --approval ben.approval \
    --genesis example.genesis --key dot.key")]
pub struct Args {
    #[command(flatten)]
    proposed: Proposed,

    /// What the genesis made: your share is in it, sealed to your key.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,

    /// Your holder's key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Print JSON: what `tensfer root status` prints.
    #[arg(long)]
    json: bool,
}

/// The newest manifest that a holder has trusted with a share: `KEY.released`, beside the key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    nonce: u32,
    manifest: String,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let proposal = args.proposed.read()?;
    let record = Record::read(&args.genesis)?;
    check_validity(proposal.manifest())?;
    check_lineage(&record.proposal()?, &proposal)?;
    check_last(&args.key, &proposal)?;
    let (number, held) = held(options, args, &record, proposal.manifest())?;
    let shares = Shares::from_bytes(&held).map_err(|_| damaged(&args.genesis, "genesis"))?;

    // Nothing leaves before the enclave has shown what it is.
    let (gateway, nonce) = (options.gateway(None)?, random()?);
    let expect = ceremony::expect(options, proposal.manifest())?;
    let setup = ceremony::ask(&gateway, &Ceremony::Setup(proposal.with(nonce)), Some(proposal.manifest()))?;
    let Answer::Setup(attested) = setup else { return Err(ceremony::unexpected()) };
    let ready = ceremony::proven(check_setup(&attested, &nonce, &proposal.approved, &expect, now()))?;
    if ready.simulated {
        say(emphasised("SIMULATED - NOT A TEE: whoever runs this enclave has the root"));
    }
    let release = ready.seal(number, &shares, now());
    let release = release.map_err(|refused| Failure::refused(refused.code(), refused.to_string()))?;
    remember(&args.key, &proposal)?;
    let answer = ceremony::ask(&gateway, &Ceremony::Release(release), Some(proposal.manifest()))?;
    let Answer::Status(status) = answer else { return Err(ceremony::unexpected()) };
    let shown = Shown::of(&status, Some(proposal.manifest()));
    if args.json { print_json(&shown) } else { print(&shown.text()) }
}

/// By this machine's clock: the enclave has only its host's.
fn check_validity(manifest: &Manifest) -> Result<()> {
    let (code, when) = match now() {
        now if now < manifest.from => ("manifest_not_yet_valid", manifest.from),
        now if now >= manifest.until => ("manifest_over", manifest.until),
        _ => return Ok(()),
    };
    let verb = if code == "manifest_over" { "ended" } else { "begins" };
    Err(Failure::refused(code, format!("the manifest {verb} at {} ({code})", rfc3339(when)))
        .hint("have another one approved, or set your clock"))
}

/// The manifest succeeds the one that the share came from, under the same approvers.
fn check_lineage(genesis: &Proposal, proposal: &Proposal) -> Result<()> {
    if genesis.approved.admits(&proposal.approved) {
        return Ok(());
    }
    Err(Failure::refused(
        "other_lineage",
        "the manifest does not succeed the one that your share came from: another name, environment, approver, holder, \
         class or a lower nonce (other_lineage)",
    )
    .hint("release nothing, and ask where this manifest comes from"))
}

/// Nonces only rise, and one nonce is one manifest.
fn check_last(key: &Path, proposal: &Proposal) -> Result<()> {
    let path = beside(key);
    let Some(bytes) = files::read(&path)? else { return Ok(()) };
    let last: Last =
        serde_json::from_slice(&bytes).map_err(|_| damaged(&path, "record of what you released"))?;
    let (nonce, name) = (proposal.manifest().nonce, hex(&proposal.approved.hash()));
    if nonce > last.nonce || (nonce == last.nonce && name == last.manifest) {
        return Ok(());
    }
    Err(Failure::refused(
        "manifest_older",
        format!(
            "you have released your share under manifest {} (nonce {}), and this one is older or another of that nonce \
             (manifest_older)",
            last.manifest, last.nonce
        ),
    )
    .hint("use the newest manifest"))
}

fn remember(key: &Path, proposal: &Proposal) -> Result<()> {
    let last = Last { nonce: proposal.manifest().nonce, manifest: hex(&proposal.approved.hash()) };
    let bytes = serde_json::to_vec(&last)
        .map_err(|_| Failure::internal("this program could not write what you released"))?;
    files::replace(&beside(key), &bytes)
}

fn beside(key: &Path) -> PathBuf {
    let mut path = OsString::from(key);
    path.push(".released");
    path.into()
}

/// The holder's number, and their shares, each compared with what the manifest commits to.
fn held(
    options: &Options,
    args: &Args,
    record: &Record,
    manifest: &Manifest,
) -> Result<(u8, Zeroizing<Vec<u8>>)> {
    let secret =
        key_file::open(&args.key, Purpose::Holder, key_file::realm(manifest), &options.passphrases())?;
    let key = RecipientKey::kept(&secret).map_err(|_| key_file::not_a_key(&args.key))?;
    let mut members = (1u8..).zip(&manifest.holders.members);
    let holder = members.find(|(_, holder)| holder.key == key.public_key().bytes());
    let (number, _) = holder.ok_or_else(|| {
        Failure::refused("not_a_holder", "your key is none of this manifest's holders (not_a_holder)")
    })?;
    let genesis = record.claimed()?;
    let sealed = genesis.sealed.get(usize::from(number) - 1).ok_or_else(wrong)?;
    let held = open_shares(&key, &held_info(&genesis.manifest.0, number), sealed).map_err(|_| wrong())?;
    check_shares(number, &held, manifest)?;
    Ok((number, held))
}

fn check_shares(number: u8, held: &[u8], manifest: &Manifest) -> Result<()> {
    let shares = Shares::from_bytes(held).map_err(|_| wrong())?;
    let fits = shares.shares.len() == manifest.roots.len()
        && shares.shares.iter().zip(&manifest.roots).all(|(share, root)| {
            let bytes: Option<&[u8; 32]> = share.share[..].try_into().ok();
            let expected = root.shares.get(usize::from(number) - 1);
            bytes.zip(expected).is_some_and(|(bytes, expected)| {
                let transcript = Zeroizing::new(share_transcript(share.class, share.epoch, number, bytes));
                (share.class, share.epoch) == (root.class.as_str(), root.epoch)
                    && sha256(&transcript) == expected.0
            })
        });
    if fits { Ok(()) } else { Err(wrong()) }
}

fn wrong() -> Failure {
    Failure::refused("share_wrong", "your share is not the one that the manifest commits to (share_wrong)")
        .hint("use the genesis file that this manifest came from, and the key that was in it")
}
