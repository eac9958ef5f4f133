//! `export`: the credential back to its owner, sealed to a key made for this one request. Needs both factors.

use super::{print, print_json};
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::keys::SigningKey;
use crate::client::home::record::{Record, Slot};
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::Session;
use crate::client::terminal::{printable, printable_json, say};
use serde::Serialize;
use serde::de::IgnoredAny;
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
    after_help = "Examples:\n  tensfer export kraken --output kraken.json\n  tensfer export kraken --print --second-factor /media/stick/second-factor.key\n\n\
    The credential is JSON already; `--json` says beside it, or beside the file that it went to, what it is of."
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

    /// Print JSON: id, name, exchange, and `output` (the file), or with `--print` the `credential`.
    #[arg(long)]
    json: bool,
}

/// What the export is of, and the file that it went to.
#[derive(Debug, Serialize)]
struct Shape<'r> {
    id: String,
    name: &'r str,
    exchange: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<PathBuf>,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let linked = Linked::open(&home, &session)?;
    let mut record = linked.connection(&args.id)?;
    let credential = credential_of(&linked, &mut record)?;
    if serde_json::from_slice::<IgnoredAny>(&credential).is_err() {
        return Err(unreadable());
    }
    let mut shape =
        Shape { id: record.id.to_string(), name: &record.name, exchange: &record.exchange, output: None };
    match &args.output {
        Some(path) => {
            files::create(path, &line(&[&credential]))?;
            say(format!("wrote the credential of {} to `{}`", printable(&record.name), path.display()));
            shape.output = Some(path.clone());
            if args.json { print_json(&shape) } else { Ok(()) }
        }
        None if args.json => print_secret(&beside(&shape, &credential)?),
        None => print_secret(&line(&[&credential])),
    }
}

/// The shape with the credential in it, in a buffer that is wiped.
fn beside(shape: &Shape<'_>, credential: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let head = serde_json::to_string(shape).map_err(|_| unreadable())?;
    let head = printable_json(&head);
    let members = head.strip_suffix('}').ok_or_else(unreadable)?;
    Ok(line(&[members.as_bytes(), b",\"credential\":", credential, b"}"]))
}

/// The parts as one line. One allocation of the right size: growing would leave copies behind.
fn line(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let room = parts.iter().map(|part| part.len()).sum::<usize>() + 1;
    let mut line = Zeroizing::new(Vec::with_capacity(room));
    parts.iter().for_each(|part| line.extend_from_slice(part));
    line.push(b'\n');
    line
}

fn print_secret(line: &[u8]) -> Result<()> {
    print(std::str::from_utf8(line).map_err(|_| unreadable())?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_stands_in_the_json_as_it_was_linked_and_nowhere_else() {
        let shape = Shape { id: "conn_1".into(), name: "a \u{9b}name", exchange: "kraken", output: None };
        let text = beside(&shape, br#"{ "apiKey": "k", "secret": "s\u00e9" }"#).unwrap();
        assert!(std::str::from_utf8(&text).unwrap().is_ascii(), "nothing that a terminal obeys");
        let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(
            read,
            serde_json::json!({
                "id": "conn_1", "name": "a \u{9b}name", "exchange": "kraken",
                "credential": {"apiKey": "k", "secret": "sé"},
            })
        );
        assert_eq!(text.len(), text.capacity(), "no copy was left behind by growing");
    }
}
