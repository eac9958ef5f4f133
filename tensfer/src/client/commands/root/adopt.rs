//! `root adopt`: an enclave goes on under a newer manifest. Any host could ask: what counts is who approved.

use super::super::{print, print_json};
use super::relay::At;
use super::status::Shown;
use super::{Proposed, ceremony};
use crate::client::failure::Result;
use crate::client::home::key_file::random;
use crate::client::options::Options;
use wire::ceremony::{Answer, Ceremony};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  \
    tensfer root adopt --manifest example-4.toml --approval ada.approval --approval ben.approval\n\
    Then look at every replica (`tensfer verify`), and have the same manifest without `[[steps]]`, with a higher nonce, \
    approved: adopting that makes the epoch current.")]
pub struct Args {
    #[command(flatten)]
    proposed: Proposed,

    #[command(flatten)]
    at: At,

    /// Print JSON: what `tensfer root status` prints.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let proposal = args.proposed.read()?;
    let step = Ceremony::Adopt(proposal.with(random()?));
    let answer = ceremony::ask(&args.at.relay(options)?, &step, Some(proposal.manifest()))?;
    let Answer::Status(status) = answer else { return Err(ceremony::unexpected()) };
    let shown = Shown::of(&status, Some(proposal.manifest()));
    if args.json { print_json(&shown) } else { print(&shown.text()) }
}
