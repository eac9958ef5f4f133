//! `rotation verify`: docs/spec/rotation.md §6, in its order; of files, or of what a server publishes.

mod online;

use super::super::{print, print_json};
use crate::client::clock::{parse_rfc3339, rfc3339};
use crate::client::failure::{Failure, Fault, Result};
use crate::client::home::files;
use crate::client::home::record::Record;
use crate::client::options::Options;
use crate::client::session::{self, explain_refused};
use crate::client::terminal::say;
use ::verify::register::{self, Completion, Own, Unproven};
use ::verify::{Expect, Verdict, client};
use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wire::envelope::body_of;
use wire::register::{Proof, Published, Statement};
use wire::{Canonical, Identity, UnixMillis};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer rotation verify\n  \
    tensfer rotation verify completion.cbor --measurement PCR0=HEX\n  \
    tensfer rotation verify completion.cbor --destruction destruction-3.cbor --json\n  \
    tensfer rotation verify completion.cbor --proof kraken.proof --connection kraken")]
pub struct Args {
    /// The published statement of completion. Without one the server is asked for it, and for the proof of every
    /// connection that you have there.
    statement: Option<PathBuf>,

    /// The published statement that the epoch was destroyed.
    #[arg(long, value_name = "FILE", requires = "statement")]
    destruction: Option<PathBuf>,

    /// The proof that a connection is in the statement.
    #[arg(long, value_name = "FILE", requires_all = ["connection", "statement"])]
    proof: Option<PathBuf>,

    /// Your connection of that proof, by id or name: compared with the envelope that you hold.
    #[arg(long, value_name = "ID", requires = "proof")]
    connection: Option<String>,

    /// A statement that you checked before: this one has to be later, in the same register.
    #[arg(long, value_name = "FILE", requires = "statement")]
    after: Option<PathBuf>,

    /// Judge the evidence as at this time (RFC 3339); default: when it was published, as its publisher says.
    #[arg(long, value_name = "RFC3339", value_parser = time, requires = "statement")]
    at: Option<UnixMillis>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn time(text: &str) -> std::result::Result<UnixMillis, String> {
    parse_rfc3339(text).ok_or_else(|| "write it as 2026-11-23T12:00:00Z".to_owned())
}

/// What `--json` prints. What was not asked for, or not reached, is `null`.
#[derive(Debug, Default, Serialize)]
struct Shown {
    /// `complete`, `incomplete` or `refused`.
    verdict: &'static str,
    reason: Option<&'static str>,
    /// `hardware` or `simulated`.
    enclave: Option<&'static str>,
    published: Option<String>,
    register: Option<String>,
    chapter: Option<u32>,
    epoch: Option<u32>,
    current: Option<u32>,
    held: Option<u64>,
    rewrapped: Option<u64>,
    revoked: Option<u64>,
    absent: Option<u64>,
    destroyed: Option<u32>,
    /// What the register says of the connection that was asked for.
    connection: Option<&'static str>,
    /// Of a server: each of your connections there.
    connections: Option<Vec<online::Found>>,
}

pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    let mut shown = Shown::default();
    let outcome = match &args.statement {
        Some(statement) => check(options, args, statement, &mut shown),
        None => online::check(options, &mut shown),
    };
    let failure = match outcome {
        Ok(()) => None,
        Err(failure) if failure.fault == Fault::Refused => Some(failure),
        Err(failure) => return Err(failure),
    };
    shown.verdict = match (&failure, shown.absent) {
        (Some(failure), _) => {
            shown.reason = Some(failure.code);
            "refused"
        }
        (None, Some(0)) => "complete",
        (None, _) => "incomplete",
    };
    if args.json {
        print_json(&shown)?
    } else {
        print(&text(&shown))?
    }
    let Some(failure) = failure else { return Ok(ExitCode::SUCCESS) };
    say(failure.to_string());
    Ok(Fault::Refused.into())
}

fn check(options: &Options, args: &Args, statement: &Path, shown: &mut Shown) -> Result<()> {
    let expect = options.expect_enclave()?;
    let published = read(statement)?;
    let (identity, enclave) = enclave_of(&published, &expect, args.at)?;
    shown.enclave = Some(enclave);
    shown.published = Some(rfc3339(published.time));
    let completion = register::completion(&identity, &published.statement.0).map_err(explain)?;
    show(&completion.statement, shown);
    if let Some(path) = &args.after {
        let earlier = claimed(&read(path)?)?;
        register::later(&earlier, &completion.statement).map_err(explain)?;
    }
    if let Some(path) = &args.destruction {
        let epoch = check_destruction(&read(path)?, &expect, args.at, &completion)?;
        shown.destroyed = Some(epoch);
    }
    if let (Some(path), Some(connection)) = (&args.proof, &args.connection) {
        let proof = Proof::from_bytes(&bytes(path)?).map_err(|_| explain(Unproven::Malformed))?;
        let entry = register::included(&completion.statement, &proof).map_err(explain)?;
        let own = own(options, connection)?;
        register::own(&completion, &entry, &own).map_err(explain)?;
        shown.connection = Some(entry.state.name());
    }
    Ok(())
}

/// A statement of completion in a file, as at its own time.
pub fn checked(options: &Options, path: &Path) -> Result<Completion> {
    let published = read(path)?;
    let (identity, _) = enclave_of(&published, &options.expect_enclave()?, None)?;
    register::completion(&identity, &published.statement.0).map_err(explain)
}

fn check_destruction(
    published: &Published,
    expect: &Expect,
    at: Option<UnixMillis>,
    completion: &Completion,
) -> Result<u32> {
    let (identity, _) = enclave_of(published, expect, at)?;
    let destruction = register::destruction(&identity, &published.statement.0).map_err(explain)?;
    register::destroyed_on(&destruction, completion).map_err(explain)?;
    Ok(destruction.epoch)
}

/// Checks the evidence that a statement came with: the identity of the enclave, and of what kind it is.
fn enclave_of(
    published: &Published,
    expect: &Expect,
    at: Option<UnixMillis>,
) -> Result<(Identity, &'static str)> {
    let at = at.unwrap_or(published.time);
    let outcome = client::check(&published.evidence, &published.nonce.0, expect, at);
    let verdict = outcome.verdict.map_err(|refused| explain_refused(&refused))?;
    let kind = match &verdict {
        Verdict::Hardware(_) => "hardware",
        Verdict::Simulated(_) => "simulated",
    };
    Ok((session::identity(&verdict).clone(), kind))
}

/// What this machine holds of the connection.
fn own(options: &Options, connection: &str) -> Result<Own> {
    held(&options.home()?.connection_anywhere(connection)?)
}

/// What its owner holds of a connection.
fn held(record: &Record) -> Result<Own> {
    let slot = record.current()?;
    let body = body_of(&slot.envelope)
        .ok_or_else(|| Failure::internal("the envelope that is kept here is damaged"))?;
    let mut payload = [0; 32];
    payload.copy_from_slice(digest(&SHA256, body).as_ref());
    Ok(Own { connection: record.id, generation: slot.generation, payload })
}

/// What a statement says that was checked before.
fn claimed(published: &Published) -> Result<Statement> {
    Statement::claimed(&published.statement.0).map_err(|_| explain(Unproven::Malformed))
}

fn read(path: &Path) -> Result<Published> {
    parse(&bytes(path)?)
}

fn parse(bytes: &[u8]) -> Result<Published> {
    let published = Published::from_bytes(bytes).map_err(|_| explain(Unproven::Malformed))?;
    if published.version == 1 { Ok(published) } else { Err(explain(Unproven::Malformed)) }
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    Ok(files::read_named(path, "file")?.to_vec())
}

fn explain(unproven: Unproven) -> Failure {
    let hint = match unproven {
        Unproven::Absent => "run `tensfer rotate ID --epoch` while the epoch still opens",
        Unproven::RolledBack => {
            "keep the statement and the proof: with your envelope they show what was done; renew it with `tensfer rotate`"
        }
        Unproven::OtherConnection => "ask for the proof of this connection",
        _ => "do not rely on it; keep it, and ask whoever published it",
    };
    Failure::refused(unproven.code(), format!("the statement was refused: {unproven} ({})", unproven.code()))
        .hint(hint)
}

fn show(statement: &Statement, shown: &mut Shown) {
    let counts = statement.counts;
    shown.register = Some(statement.register.to_string());
    (shown.chapter, shown.epoch) = (Some(statement.chapter), Some(statement.epoch));
    (shown.current, shown.held) = (Some(statement.current), Some(counts.held));
    (shown.rewrapped, shown.revoked) = (Some(counts.rewrapped), Some(counts.revoked));
    shown.absent = Some(counts.absent);
}

fn text(shown: &Shown) -> String {
    let mut text = format!("{}\n", shown.verdict);
    if shown.enclave == Some("simulated") {
        text += "by a SIMULATED enclave: whoever runs it can read every key in it\n";
    }
    if let Some((epoch, current)) = shown.epoch.zip(shown.current) {
        text += &format!("rotation from epoch {epoch} to {current}\n");
        let counts = [
            (shown.held, "left it by their owners' word"),
            (shown.rewrapped, "were re-wrapped in bulk"),
            (shown.revoked, "are revoked"),
            (shown.absent, "are still in it"),
        ];
        for (count, what) in counts {
            text += &format!("{:>10} {what}\n", count.unwrap_or_default());
        }
    }
    if let Some(epoch) = shown.destroyed {
        text += &format!("epoch {epoch} destroyed\n");
    }
    if let Some(state) = shown.connection {
        text += &format!("your connection is in it: {state}\n");
    }
    for found in shown.connections.iter().flatten() {
        text += &found.line();
    }
    text
}
