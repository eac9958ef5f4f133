//! `grant revoke`: a grant is over from now on, for good.

use super::{print, print_json};
use crate::client::failure::Result;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::{Enclave, Session};
use serde::Serialize;
use wire::grant::End;
use wire::operation::Op;
use wire::{Canonical, GrantId};

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tensfer grant revoke kraken grant_6f1c0e5d8b7a49302f1e0d9c8b7a6950\n\n`tensfer grant list` has the ids."
)]
pub struct Args {
    /// The connection's id or name.
    id: String,

    /// The grant's id.
    #[arg(value_parser = grant)]
    grant: GrantId,

    /// Print JSON: grant, over.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shape {
    grant: String,
    over: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let linked = Linked::open(&home, &session)?;
    let mut record = linked.connection(&args.id)?;
    let slot = record.current()?.clone();
    linked.ask(&mut record, &slot, Op::Ungrant, &End { id: args.grant }.to_bytes(), &[])?;
    home.remove_given_grant(session.realm(), args.grant)?;
    let grant = args.grant.to_string();
    if args.json { print_json(&Shape { grant, over: true }) } else { print(&format!("{grant} is over\n")) }
}

fn grant(text: &str) -> std::result::Result<GrantId, String> {
    GrantId::parse(text).ok_or_else(|| "a grant's id is `grant_` and 32 hexadecimal digits".to_owned())
}
