//! `root handover`: carries what an enclave and its successor say to each other. Nothing of it can be read or altered here.

use super::super::{print, print_json};
use super::relay::{At, Relay};
use super::status::Shown;
use super::{Proposal, Proposed, approve, ceremony, manifest};
use crate::client::failure::{Failure, Result};
use crate::client::home::keys::sha256;
use crate::client::options::Options;
use std::path::PathBuf;
use wire::Canonical;
use wire::ceremony::{Answer, Ceremony, HandOver, Inherit};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer root handover --run one/run --to two/run --manifest example-2.toml \
    --approval ada.approval --approval ben.approval\n  \
    tensfer root handover … --manifest example-3.toml --approval … --from-manifest example-2.toml --from-approval …\n\
    Both enclaves verify each other; no holder is needed. A simulated enclave hands its root to nobody.")]
pub struct Args {
    #[command(flatten)]
    proposed: Proposed,

    #[command(flatten)]
    at: At,

    /// Folder of the relay's socket of the successor, which waits for its root; `--run` or `--data` is of the enclave that
    /// has it.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,

    /// The manifest that the roots are under now, if it is another.
    #[arg(long, value_name = "FILE", requires = "from_approvals")]
    from_manifest: Option<PathBuf>,

    /// An approval of that one; repeat for each.
    #[arg(long = "from-approval", value_name = "FILE", requires = "from_manifest")]
    from_approvals: Vec<PathBuf>,

    /// Print JSON: what `tensfer root status` prints of the successor.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let next = args.proposed.read()?;
    let own = predecessor(args)?;
    if own.as_ref().is_some_and(|own| !own.approved.admits(&next.approved)) {
        return Err(Failure::refused(
            "not_a_successor",
            "the manifest does not succeed the one that the roots are under (not_a_successor)",
        )
        .hint("name, environment, approvers, holders, classes and roots stay, and the nonce rises"));
    }
    let (from, to) = (args.at.relay(options)?, Relay::at(&args.to));
    let Answer::Challenge(challenge) = ceremony::ask(&from, &Ceremony::Challenge, None)? else {
        return Err(ceremony::unexpected());
    };
    let proposal = next.with(challenge.nonce);
    let Answer::Setup(setup) = ceremony::ask(&to, &Ceremony::Setup(proposal.clone()), Some(next.manifest()))?
    else {
        return Err(ceremony::unexpected());
    };
    let name = sha256(&setup.document);
    let hand_over = Ceremony::HandOver(HandOver { proposal, setup });
    let Answer::HandOver(handover) = ceremony::ask(&from, &hand_over, Some(next.manifest()))? else {
        return Err(ceremony::unexpected());
    };
    let proposal = own.as_ref().unwrap_or(&next).with(name);
    let inherit = Ceremony::Inherit(Inherit { proposal, handover });
    let Answer::Status(status) = ceremony::ask(&to, &inherit, Some(next.manifest()))? else {
        return Err(ceremony::unexpected());
    };
    let shown = Shown::of(&status, Some(next.manifest()));
    if args.json { print_json(&shown) } else { print(&shown.text()) }
}

/// The manifest that the roots are under, where it is not the successor's own.
fn predecessor(args: &Args) -> Result<Option<Proposal>> {
    let Some(path) = &args.from_manifest else { return Ok(None) };
    let approvals: Vec<Vec<u8>> =
        args.from_approvals.iter().map(|path| approve::read(path)).collect::<Result<_>>()?;
    Proposal::check(manifest::read(path)?.to_bytes(), approvals).map(Some)
}
