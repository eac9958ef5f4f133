//! `export`: the credential back to its owner, sealed to a key made for this one request. Needs both factors.

use super::print;
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::keys::SigningKey;
use crate::client::home::record::{Record, Slot};
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::Session;
use crate::client::terminal::{printable, say};
use std::path::PathBuf;
use verify::hpke::{Info, RecipientKey};
use wire::Canonical;
use wire::identity::SUITE;
use wire::operation::{Export, Exported, Op};
use wire::owner::OwnerRole;
use wire::transcript::{Transcript, domain};
use zeroize::Zeroizing;

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer export kraken --output kraken.json\n  tensfer export kraken --print --second-factor /media/stick/second-factor.key"
)]
#[command(group(clap::ArgGroup::new("destination").required(true).args(["output", "print"])))]
pub struct Args {
    /// The connection's id or name.
    id: String,

    /// Write the credential to this new file, mode 0600.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print the credential to standard output: it may stay in your terminal's history.
    #[arg(long)]
    print: bool,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let session = Session::open(options.gateway(None)?, options.expect_enclave()?)?;
    let linked = Linked::open(&home, &session)?;
    let mut record = linked.connection(&args.id)?;
    let mut credential = credential_of(&linked, &mut record)?;
    credential.push(b'\n');
    match &args.output {
        Some(path) => {
            files::create(path, &credential)?;
            say(format!("wrote the credential of {} to `{}`", printable(&record.name), path.display()));
            Ok(())
        }
        None => print(std::str::from_utf8(&credential).map_err(|_| unreadable())?),
    }
}

/// A connection's credential as it is in its envelope, with both factors.
pub(super) fn credential_of(linked: &Linked<'_>, record: &mut Record) -> Result<Zeroizing<Vec<u8>>> {
    let slot = record.current()?.clone();
    let (home, realm) = (linked.home, linked.enclave.realm());
    let ring = home.second_factor(realm)?;
    let second = slot.owner(OwnerRole::Second).and_then(|key| ring.as_ref()?.find(key));
    let second = second.ok_or_else(|| {
        let path = home.second_factor_path(realm);
        Failure::refused(
            "second_factor_needed",
            format!("your second factor of `{}` is not in `{}`", printable(&record.name), path.display()),
        )
        .hint("an export needs both your keys: name the second one's file with `--second-factor FILE`")
    })?;
    export(linked, record, &slot, second)
}

fn export(
    linked: &Linked<'_>,
    record: &mut Record,
    slot: &Slot,
    second: &SigningKey,
) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |_| Failure::internal("this program could not make a key for the export");
    let recipient = RecipientKey::generate().map_err(failed)?;
    let args = Export { recipient: recipient.public_key().bytes().to_vec() }.to_bytes();
    let answer = linked.send(record, slot, Op::Export, &args, &[second]);
    let (result, request) = linked.finish(record, answer)?;
    let exported = Exported::from_bytes(&result).map_err(|_| unreadable())?;
    let info = Transcript::new(domain::EXPORT).field(&record.id.0).field(&request).bytes();
    let info = Info::new(SUITE, &info).map_err(failed)?;
    let mut context = recipient.setup_recipient(&exported.encapsulated, &info).map_err(|_| unreadable())?;
    context.open(b"", &exported.ciphertext).map_err(|_| unreadable())
}

fn unreadable() -> Failure {
    Failure::internal("the enclave answered with something unreadable")
}
