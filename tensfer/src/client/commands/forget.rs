//! `forget`: the enclave refuses the connection from now on, and this machine removes its envelope.

use super::print;
use crate::client::failure::Result;
use crate::client::home::record::{Record, Slot};
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::{Enclave, Session};
use crate::client::terminal::{printable, say};
use host::catalogue;
use wire::operation::{Nothing, Op};
use wire::{Canonical, Refusal};

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer forget kraken")]
pub struct Args {
    /// The connection's id or name.
    id: String,

    /// Only remove it from this machine, without asking the enclave.
    #[arg(long)]
    local: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let record = if args.local {
        home.connection_anywhere(&args.id)?
    } else {
        let session = Session::open(options.gateway(None)?, options.expect_enclave()?)?;
        let linked = Linked::open(&home, &session)?;
        let mut record = home.connection(session.realm(), &args.id)?;
        if let Some(slot) = record.pending.clone().or_else(|| record.current.clone()) {
            match end(&linked, &mut record, &slot) {
                // An earlier `forget` was broken off after the enclave had answered.
                Err(failure) if failure.code == Refusal::Forgotten.code() => {}
                Err(failure) if failure.code == Refusal::GenerationPending.code() => {
                    linked.resume(&mut record)?;
                    let slot = record.current()?.clone();
                    end(&linked, &mut record, &slot)?;
                }
                answered => drop(answered?),
            }
        }
        record
    };
    home.remove(&record)?;
    let what = if is_authorised(&record) { "look that the access is gone" } else { "delete the key" };
    say(format!(
        "hint: {what} at {} too: an enclave that is started anew does not remember what it forgot",
        printable(&record.exchange)
    ));
    print(&format!("forgot {} ({})\n", printable(&record.name), record.id))
}

/// Forgets the connection; where the owner authorised it at the provider, the provider ends that first.
fn end(linked: &Linked<'_>, record: &mut Record, slot: &Slot) -> Result<()> {
    let authorised = is_authorised(record);
    let mut ask = |op| linked.ask(record, slot, op, &Nothing {}.to_bytes(), &[]).map(drop);
    if !authorised {
        return ask(Op::Forget);
    }
    match ask(Op::Revoke) {
        Err(failure) if failure.code == Refusal::NotOffered.code() => ask(Op::Forget),
        ended => ended,
    }
}

fn is_authorised(record: &Record) -> bool {
    catalogue::find(&record.exchange).is_some_and(|exchange| exchange.oauth)
}
