//! `root release`: a holder verifies an enclave that waits, and gives it their share.

use super::super::{print, print_json};
use super::genesis::Record;
use super::held::Held;
use super::holder_key::HolderKey;
use super::relay::At;
use super::seen::Seen;
use super::status::Shown;
use super::{Proposal, Proposed, ceremony, damaged};
use crate::client::clock::{now, rfc3339};
use crate::client::encode::hex;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::key_file::random;
use crate::client::options::Options;
use crate::client::terminal::{emphasised, say};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use verify::consent::{self, Candidate};
use verify::holder::is_of;
use verify::setup::check_setup;
use wire::ceremony::{Answer, Ceremony, Shares};
use wire::manifest::Manifest;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer root release --manifest example-2.toml --approval ada.approval --approval ben.approval \
    --genesis example.genesis --key dot.key")]
pub struct Args {
    #[command(flatten)]
    proposed: Proposed,

    /// What the genesis made, or the beginning of an epoch: your share is in it, sealed to your key; repeat for each.
    #[arg(long, value_name = "FILE", required = true)]
    genesis: Vec<PathBuf>,

    #[command(flatten)]
    key: HolderKey,

    #[command(flatten)]
    at: At,

    /// The manifest asks to give your roots to other holders: that is what you want.
    #[arg(long)]
    to_new_holders: bool,

    /// Print JSON: what `tensfer root status` prints.
    #[arg(long)]
    json: bool,
}

const RELEASED: &str = ".released";
const RESHARED: &str = ".reshared";

/// The newest manifest that a holder has trusted with a share, beside the key: `KEY.released` of those that an enclave runs
/// under, `KEY.reshared` of those that new holders were to have the roots by. Nothing runs under these, so that the present
/// manifest can still be released to when the way to new holders ends half-way.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    nonce: u32,
    manifest: String,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let proposal = args.proposed.read()?;
    let records: Vec<Record> = args.genesis.iter().map(|path| Record::read(path)).collect::<Result<_>>()?;
    check_validity(proposal.manifest())?;
    check_wanted(args, proposal.manifest())?;
    records.iter().try_for_each(|record| check_lineage(record, &proposal))?;
    check_last(args.key.path(), &proposal)?;
    let manifest = proposal.manifest();
    let held = Held::open(options, &args.key, &records, (manifest, &manifest.holders))?;
    let shares = held.shares(&proposal.manifest().roots)?;

    // Nothing leaves before the enclave has shown what it is.
    let (relay, nonce) = (args.at.relay(options)?, random()?);
    let expect = ceremony::expect(options, proposal.manifest())?;
    let setup = ceremony::ask(&relay, &Ceremony::Setup(proposal.with(nonce)), Some(proposal.manifest()))?;
    let Answer::Setup(attested) = setup else { return Err(ceremony::unexpected()) };
    let ready = ceremony::proven(check_setup(&attested, &nonce, &proposal.approved, &expect, now()))?;
    if ready.simulated {
        say(emphasised("SIMULATED - NOT A TEE: whoever runs this enclave has the root"));
    }
    let programs = consent::programs(proposal.manifest(), ready.registers());
    let geneses: Vec<Proposal> = records.iter().map(Record::proposal).collect::<Result<_>>()?;
    let first = geneses.iter().map(Proposal::manifest).find(|genesis| genesis.roots.is_empty());
    let seen = Seen::note(args.key.path(), proposal.manifest(), now())?;
    let candidate = seen.candidate(programs, first, proposal.manifest(), now());
    let shares = qualified(shares, held.number(), proposal.manifest(), &candidate);
    let release = ready.seal(held.number(), &shares, now());
    let release = release.map_err(|refused| Failure::refused(refused.code(), refused.to_string()))?;
    remember(args.key.path(), &proposal)?;
    let answer = ceremony::ask(&relay, &Ceremony::Release(release), Some(proposal.manifest()))?;
    let Answer::Status(status) = answer else { return Err(ceremony::unexpected()) };
    let shown = Shown::of(&status, Some(proposal.manifest()));
    if args.json { print_json(&shown) } else { print(&shown.text()) }
}

/// The shares of the roots that the enclave's program qualifies for; of the classes that are left out, it is told.
fn qualified<'s>(
    mut shares: Shares<'s>,
    number: u8,
    manifest: &Manifest,
    candidate: &Candidate,
) -> Shares<'s> {
    let mut left_out = BTreeSet::new();
    shares.shares.retain(|share| {
        let mut roots = manifest.roots.iter();
        let qualifies = roots.any(|root| is_of(share, number, root) && candidate.qualifies(root));
        if !qualifies {
            left_out.insert(share.class);
        }
        qualifies
    });
    for class in left_out {
        say(format!(
            "note: this program does not qualify for class `{class}` yet, or at all: that share stays here"
        ));
    }
    shares
}

/// That the holder knows what they release for: an enclave that has the roots, or other holders who are to have them.
fn check_wanted(args: &Args, manifest: &Manifest) -> Result<()> {
    let Some(holders) = &manifest.reshare else {
        return if args.to_new_holders {
            Err(Failure::usage("the manifest asks for no new holders: leave `--to-new-holders` out"))
        } else {
            Ok(())
        };
    };
    let aliases: Vec<&str> = holders.members.iter().map(|holder| holder.alias.as_str()).collect();
    let sentence =
        format!("{} of {} are to hold the roots in your place", holders.threshold, aliases.join(", "));
    if args.to_new_holders {
        say(format!("note: {sentence}"));
        return Ok(());
    }
    Err(Failure::refused(
        "new_holders",
        format!("{sentence}: your share would serve that alone (new_holders)"),
    )
    .hint("ask them and the approvers; if it is what you want, say `--to-new-holders`"))
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
fn check_lineage(record: &Record, proposal: &Proposal) -> Result<()> {
    let (asked, made) = (record.proposal()?.approved, record.claimed()?.roots);
    if asked.admits_after(&made, &proposal.approved) || asked.may_reshare(&proposal.approved) {
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
    check_newer(&beside(key, RELEASED), proposal)?;
    if proposal.manifest().reshare.is_some() { check_newer(&beside(key, RESHARED), proposal) } else { Ok(()) }
}

fn check_newer(path: &Path, proposal: &Proposal) -> Result<()> {
    let Some(bytes) = files::read(path)? else { return Ok(()) };
    let last: Last =
        serde_json::from_slice(&bytes).map_err(|_| damaged(path, "record of what you released"))?;
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
    let name = if proposal.manifest().reshare.is_some() { RESHARED } else { RELEASED };
    files::replace(&beside(key, name), &bytes)
}

fn beside(key: &Path, name: &str) -> PathBuf {
    let mut path = OsString::from(key);
    path.push(name);
    path.into()
}
