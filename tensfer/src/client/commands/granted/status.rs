//! `granted status`: what became of an instruction that the owner gave.

use super::{print, print_json};
use crate::client::asks::Asks;
use crate::client::commands::act::{ShownOutcome, ending, show_instruction, show_outcome};
use crate::client::failure::{Failure, Result};
use crate::client::grantee::{ByGrant, Grantee};
use crate::client::home::files;
use crate::client::home::journal::{self, Entry};
use crate::client::options::Options;
use crate::client::session::Session;
use std::path::PathBuf;
use std::process::ExitCode;
use wire::Canonical;
use wire::action::{Inquiry, Instruction, Outcome};
use wire::operation::Op;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tensfer granted status ada --action 0f3c….json\n\nThe file is what its owner's TENSFER_HOME keeps of the instruction: `REALM/actions/REFERENCE.json`. It holds no secret."
)]
pub struct Args {
    /// The grant's id or name.
    id: String,

    /// The instruction, as its owner keeps it.
    #[arg(long, value_name = "FILE")]
    action: PathBuf,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    let entry = journal::parse(&files::read_named(&args.action, "instruction")?)
        .map_err(|_| Failure::usage(format!("`{}` does not hold an instruction", args.action.display())))?;
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let grantee = Grantee::open(&home, &session)?;
    let mut by = grantee.by(&args.id)?;
    let (instruction, outcome) = became(&mut by, &entry)?;
    match args.json {
        true => print_json(&ShownOutcome::of(&outcome))?,
        false => {
            let shown = show_instruction(&instruction, by.exchange());
            print(&format!("{shown}{}", show_outcome(&outcome)))?;
        }
    }
    Ok(ending(&outcome))
}

/// What became of an instruction, as its owner keeps it. One use.
pub fn became(by: &mut ByGrant<'_>, entry: &Entry) -> Result<(Instruction, Outcome)> {
    if by.taken.read()?.body.header.connection.to_string() != entry.connection() {
        return Err(Failure::usage("the instruction is of another account than the grant"));
    }
    let id = entry.outcome()?.and_then(|outcome| outcome.id);
    let instruction = entry.instruction()?;
    let inquiry = Inquiry { instruction: instruction.clone(), id, sent: entry.sent() };
    let result = by.ask(Op::Status, &inquiry.to_bytes())?;
    let outcome = Outcome::from_bytes(&result).ok().filter(|it| it.reference == instruction.reference);
    let outcome =
        outcome.ok_or_else(|| Failure::internal("the enclave answered with something unreadable"))?;
    Ok((instruction, outcome))
}
