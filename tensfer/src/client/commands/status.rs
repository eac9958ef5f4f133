//! `status`: what became of an instruction; without one, those that are open.

mod deployments;

use super::act::{ShownOutcome, ending, inquire, show_instruction, show_outcome, told};
use super::{print, print_json};
use crate::client::clock::rfc3339;
use crate::client::failure::{Failure, Result};
use crate::client::home::Home;
use crate::client::home::journal::State;
use crate::client::home::realm::Realm;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::Session;
use crate::client::table::{Align, Table};
use crate::client::terminal::printable;
use serde::Serialize;
use std::process::ExitCode;
use utoipa::ToSchema;
use wire::action::{Reference, Status};

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer status\n  tensfer status 0f3c… --json\n  tensfer status --deployments"
)]
pub struct Args {
    /// The instruction's reference, as it was shown; those that are open, if you name none.
    reference: Option<String>,

    /// Instead: the highest state that was seen of each deployment that has witnesses. Asks nobody.
    #[arg(long, conflicts_with = "reference")]
    deployments: bool,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    let home = options.home()?;
    if args.deployments {
        deployments::list(&home, args.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let linked = Linked::open(&home, &session)?;
    match &args.reference {
        None => list(&linked, args.json),
        Some(text) => {
            let reference = Reference::parse(text)
                .ok_or_else(|| Failure::usage("a reference is 32 hexadecimal digits, as it was shown"))?;
            one(&linked, reference, args.json)
        }
    }
}

fn one(linked: &Linked<'_>, reference: Reference, json: bool) -> Result<ExitCode> {
    let mut entry = linked.home.action(linked.enclave.realm(), reference)?;
    if let Some(code) = entry.refusal() {
        let code = printable(code);
        print(&format!("refused ({code}): nothing was moved\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut record = linked.connection(entry.connection())?;
    let last = entry.outcome()?.filter(|outcome| outcome.status.is_final());
    let outcome = match last {
        Some(outcome) => outcome,
        None => inquire(linked, &mut record, &mut entry)?,
    };
    match json {
        true => print_json(&ShownOutcome::of(&outcome))?,
        false => {
            let instruction = show_instruction(&entry.instruction()?, &record.exchange);
            print(&format!("{instruction}{}", show_outcome(&outcome)))?;
        }
    }
    told(linked, &outcome)?;
    Ok(ending(&outcome))
}

/// An instruction that is not known to have ended, as programs read it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenAction)]
pub struct Open {
    reference: String,
    connection: String,
    sent: String,
    kind: &'static str,
    amount: String,
    asset: String,
    status: &'static str,
}

/// What was ordered in a realm and is not known to have ended, oldest first.
pub fn open(home: &Home, realm: Realm) -> Result<Vec<Open>> {
    let mut open = Vec::new();
    for entry in home.action_entries(realm)? {
        let outcome = entry.outcome()?;
        let ended = outcome.as_ref().is_some_and(|outcome| outcome.status.is_final());
        let rests =
            entry.state() == State::Told && outcome.as_ref().is_none_or(|it| it.status == Status::Unknown);
        if ended || rests || entry.refusal().is_some() {
            continue;
        }
        let instruction = entry.instruction()?;
        open.push(Open {
            reference: instruction.reference.hex(),
            connection: entry.connection().to_owned(),
            sent: rfc3339(entry.sent()),
            kind: instruction.kind.name(),
            amount: instruction.amount,
            asset: instruction.asset,
            status: outcome.map_or("unknown", |outcome| outcome.status.name()),
        });
    }
    Ok(open)
}

fn list(linked: &Linked<'_>, json: bool) -> Result<ExitCode> {
    let open = open(linked.home, linked.enclave.realm())?;
    let mut table = Table::new([
        ("sent", Align::Left),
        ("order", Align::Left),
        ("amount", Align::Right),
        ("reference", Align::Left),
    ]);
    for Open { sent, kind, amount, asset, reference, .. } in &open {
        table.row([sent.clone(), (*kind).to_owned(), format!("{amount} {asset}"), reference.clone()]);
    }
    match json {
        true => print_json(&open)?,
        false if table.is_empty() => print("nothing that you ordered is open\n")?,
        false => print(&table.to_string())?,
    }
    Ok(ExitCode::SUCCESS)
}
