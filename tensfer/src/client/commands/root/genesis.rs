//! `root genesis`: the roots of a manifest are made, once, in a verified enclave.

use super::super::{print, print_json};
use super::end::next_nonce;
use super::relay::At;
use super::{Proposal, Proposed, ceremony, damaged, manifest, read_file};
use crate::client::clock::now;
use crate::client::encode::{hex, serde_base64};
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::key_file::random;
use crate::client::options::Options;
use crate::client::terminal::{Progress, counted, say};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use verify::manifest::with_made;
use verify::setup::check_genesis;
use wire::Canonical;
use wire::ceremony::{Answer, Attested, Ceremony, Genesis, Proposal as ProposalToEnclave};
use wire::manifest::Manifest;

pub const BEGIN_HELP: &str = "Example:\n  \
    tensfer root begin --manifest example-3.toml --approval ada.approval --approval ben.approval --output epoch-2.genesis \
    --next example-4.toml\n\
    The manifest is the enclave's own with a higher nonce and, for each epoch, `[[steps]]` with `stage = \"make\"`, `class` and \
    `epoch`. Approve the next one with both genesis files, then `tensfer root adopt` it.";
pub const RESHARE_HELP: &str = "Example:\n  \
    tensfer root reshare --manifest example-7.toml --approval ada.approval --approval ben.approval --output shares-2.genesis \
    --next example-8.toml\n\
    The manifest is the last one with a higher nonce and `[reshare]`: threshold and members, as `[holders]`. As many present \
    holders as it takes first release to a start of its own (`tensfer root release … --to-new-holders`).";
const FORMAT: &str = "tensfer genesis";

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer root genesis --manifest example.toml --approval ada.approval --approval ben.approval --output example.genesis \
    --next example-2.toml\n\
    Nothing in what it writes is secret: each share is sealed to its holder. Approve the next manifest, and keep both files.")]
pub struct Args {
    #[command(flatten)]
    proposed: Proposed,

    /// The new file with what was made: commitments, and a sealed share for each holder.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,

    /// The new file of the manifest that has to be approved next (TOML).
    #[arg(long, value_name = "FILE")]
    next: PathBuf,

    #[command(flatten)]
    at: At,

    /// Print JSON: manifest, roots, recovered.
    #[arg(long)]
    json: bool,
}

/// What a genesis made, with everything that it takes to verify it again. Nothing of it is secret.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    format: String,
    version: u8,
    /// Canonical CBOR.
    #[serde(with = "serde_base64")]
    manifest: Vec<u8>,
    approvals: Vec<Approval>,
    #[serde(with = "serde_base64")]
    nonce: Vec<u8>,
    /// [`Attested`] in canonical CBOR.
    #[serde(with = "serde_base64")]
    genesis: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Approval(#[serde(with = "serde_base64")] Vec<u8>);

#[derive(Serialize)]
struct Made {
    manifest: String,
    roots: Vec<Root>,
    recovered: u32,
}

#[derive(Serialize)]
struct Root {
    class: String,
    epoch: u32,
    commitment: String,
}

/// The first roots of all.
pub fn run(options: &Options, args: &Args) -> Result<()> {
    make(options, args, Ceremony::Genesis)
}

/// Epochs after others, in an enclave that has those.
pub fn begin(options: &Options, args: &Args) -> Result<()> {
    make(options, args, Ceremony::Begin)
}

fn make(options: &Options, args: &Args, step: impl FnOnce(ProposalToEnclave) -> Ceremony) -> Result<()> {
    for path in [&args.output, &args.next] {
        if files::read(path)?.is_some() {
            return Err(Failure::usage(format!(
                "`{}` exists already: a genesis is made once",
                path.display()
            ))
            .hint("if its shares are lost, name new files; roots of an earlier one are not made again"));
        }
    }
    let proposal = args.proposed.read()?;
    let nonce: [u8; 32] = random()?;
    let expect = ceremony::expect(options, proposal.manifest())?;
    let relay = args.at.relay(options)?;
    let progress = Progress::start("the enclave makes the roots and proves that they come back");
    let answer = ceremony::ask(&relay, &step(proposal.with(nonce)), Some(proposal.manifest()))?;
    let Answer::Genesis(attested) = answer else { return Err(ceremony::unexpected()) };
    drop(progress);
    let outcome = check_genesis(&attested, &nonce, &proposal.approved, &expect, now());
    let genesis = ceremony::proven(outcome)?;
    let next = next(proposal.manifest(), &genesis)?;
    files::create(&args.output, &Record::of(&proposal, nonce, &attested).to_bytes()?)?;
    files::create(&args.next, manifest::text(&next).as_bytes())?;
    tell(args, &next, &genesis)
}

/// The manifest that commits to what was made.
fn next(before: &Manifest, genesis: &Genesis) -> Result<Manifest> {
    Ok(Manifest { nonce: next_nonce(before)?, ..with_made(before, &genesis.roots) })
}

fn tell(args: &Args, next: &Manifest, genesis: &Genesis) -> Result<()> {
    let roots = genesis.roots.iter().map(|root| Root {
        class: root.class.clone(),
        epoch: root.epoch,
        commitment: hex(&root.commitment.0),
    });
    let name = hex(&verify::manifest::hash(&next.to_bytes()));
    let made = Made { manifest: name, roots: roots.collect(), recovered: genesis.recovered };
    if args.json {
        return print_json(&made);
    }
    for root in &made.roots {
        print(&format!("root {} of class {}: {}\n", root.epoch, root.class, root.commitment))?;
    }
    say(format!(
        "{} the roots back. Each holder keeps `{}`; approve `{}` next.",
        counted(made.recovered.into(), "set of shares gave", "sets of shares gave"),
        args.output.display(),
        args.next.display()
    ));
    Ok(())
}

impl Record {
    fn of(proposal: &Proposal, nonce: [u8; 32], attested: &Attested) -> Record {
        Record {
            format: FORMAT.to_owned(),
            version: 1,
            manifest: proposal.manifest.clone(),
            approvals: proposal.approvals.iter().cloned().map(Approval).collect(),
            nonce: nonce.to_vec(),
            genesis: attested.to_bytes(),
        }
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|_| Failure::internal("this program could not write what the genesis made"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    pub fn read(path: &Path) -> Result<Record> {
        let bytes = read_file(path, "genesis")?;
        let record: Record = serde_json::from_slice(&bytes).map_err(|_| damaged(path, "genesis"))?;
        let known = record.format == FORMAT && record.version == 1;
        if known { Ok(record) } else { Err(damaged(path, "genesis")) }
    }

    /// The manifest that asked for it, with its approvals.
    pub fn proposal(&self) -> Result<Proposal> {
        let approvals = self.approvals.iter().map(|approval| approval.0.clone()).collect();
        Proposal::check(self.manifest.clone(), approvals)
    }

    /// What was made, as the file has it: that it is right is shown by the commitments of an approved manifest.
    pub fn claimed(&self) -> Result<Genesis> {
        let attested = self.attested()?;
        Genesis::from_bytes(&attested.document).map_err(|_| altered())
    }

    /// What was made, if a verified enclave made it: as at the time that it says, for which its evidence has to be good.
    pub fn verify(&self, options: &Options) -> Result<Genesis> {
        let proposal = self.proposal()?;
        let nonce = self.nonce.as_slice().try_into().map_err(|_| altered())?;
        let expect = ceremony::expect(options, proposal.manifest())?;
        let at = self.claimed()?.issued;
        ceremony::proven(check_genesis(&self.attested()?, &nonce, &proposal.approved, &expect, at))
    }

    fn attested(&self) -> Result<Attested> {
        Attested::from_bytes(&self.genesis).map_err(|_| altered())
    }
}

fn altered() -> Failure {
    Failure::refused("genesis_altered", "the genesis file was altered (genesis_altered)")
        .hint("get another copy of it from an operator")
}
