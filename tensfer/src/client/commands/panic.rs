//! `panic`: everything is given up at once. Each key is ended at its provider where that is offered, each connection is
//! refused for good, and what is kept here is erased once the enclave's receipts are on disk.
//!
//! What fails is kept, so that the command can be given again; nothing waits for anything else.

use super::revocation::{backup_needed, by_hand, is_lost_with_its_envelope};
use super::{print, print_json};
use crate::client::failure::{Failure, Fault, Result};
use crate::client::home::Home;
use crate::client::home::panicked::{Panicked, Told};
use crate::client::home::realm::Realm;
use crate::client::home::record::{Record, Slot};
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::{Enclave, Session};
use crate::client::terminal::{Progress, ask_line, can_ask, counted, printable, say};
use serde::Serialize;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use wire::operation::{Nothing, Op};
use wire::provider_key::{self, AtProvider};
use wire::{Canonical, Refusal};

/// As many at a time as `balances` asks.
const AT_ONCE: usize = 128;
/// What a person types.
const WORD: &str = "panic";

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  tensfer panic\n  tensfer panic --yes --json\n\n\
    Ends every key at its exchange where the exchange has a call for that, refuses every connection from then on, and erases \
    envelopes and keys here. Receipts stay. It takes your device key alone, so that it works when everything else is lost. \
    What fails is kept: give it again.")]
pub struct Args {
    /// Do not ask.
    #[arg(long)]
    yes: bool,

    /// Also wallets whose key is in an envelope and whose words you have not backed up: WHAT THEY HOLD IS LOST.
    #[arg(long)]
    with_wallets: bool,

    /// Do not ask the enclave: erase what is here, and say where each key is ended by hand.
    #[arg(long)]
    local: bool,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What came of one connection.
#[derive(Debug, Serialize)]
struct Line {
    connection: String,
    name: String,
    exchange: String,
    /// It is refused by the enclave from now on.
    refused: bool,
    /// `ended`, `unknown`, `not_offered`, `failed`; `kept`: nothing was done; `local`: only erased here.
    at_provider: &'static str,
    /// Why something is left to do.
    reason: Option<String>,
    /// Where it is ended by hand.
    by_hand: Option<String>,
    /// Where its receipt is kept.
    receipt: Option<PathBuf>,
    /// Whether everything of it is erased here.
    erased: bool,
    #[serde(skip)]
    fault: Option<Fault>,
}

pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    let home = options.home()?;
    if args.local {
        let records = home.connections()?;
        confirm(args, &records)?;
        return report(args, &erase_all(&home, args, &records)?);
    }
    let session = match Session::open(&home, options.gateway(None)?, options.expect_enclave()?) {
        Ok(session) => session,
        Err(failure) => return Err(unreachable(&home, failure)?),
    };
    let records = home.connections_in(session.realm())?;
    confirm(args, &records)?;
    report(args, &end_all(&home, &session, args, records)?)
}

/// Without an enclave nothing is ended; what can be done by hand is said.
fn unreachable(home: &Home, failure: Failure) -> Result<Failure> {
    for record in home.connections()? {
        if let Some(place) = by_hand(&record) {
            say(format!("left: `{}`: end its key at {place}", printable(&record.name)));
        }
    }
    Ok(Failure {
        hint: Some(
            "nothing was ended: give it again when the server is there; `--local` erases what is here, with the keys at the \
             exchanges left as they are"
                .to_owned(),
        ),
        ..failure
    })
}

fn confirm(args: &Args, records: &[Record]) -> Result<()> {
    let lost: Vec<&Record> =
        records.iter().filter(|record| args.with_wallets && is_lost_with_its_envelope(record)).collect();
    for record in &lost {
        say(format!(
            "WARNING: nobody has the words of the wallet `{}`: what it holds is LOST",
            printable(&record.name)
        ));
    }
    if args.yes {
        return Ok(());
    }
    if !can_ask() {
        return Err(Failure::usage("nobody is here to be asked").hint("`--yes` does it without asking"));
    }
    say(format!(
        "This ends {} for good: keys are ended at their providers, envelopes are erased. It cannot be undone.",
        counted(records.len() as u64, "connection", "connections")
    ));
    match ask_line(&format!("Type `{WORD}` to go on"))?.trim() {
        WORD => Ok(()),
        _ => Err(Failure::usage("nothing was done")),
    }
}

/// All of them, then what opened them: also where an earlier run erased the last connection and came no further.
fn end_all(home: &Home, enclave: &dyn Enclave, args: &Args, records: Vec<Record>) -> Result<Vec<Line>> {
    let lines = if records.is_empty() { Vec::new() } else { end_each(home, enclave, args, records)? };
    erase_owner(home, enclave.realm())?;
    Ok(lines)
}

fn erase_owner(home: &Home, realm: Realm) -> Result<()> {
    if home.remove_owner(realm)? {
        say("your device key and share are erased too; your second factor is where you keep it");
    }
    Ok(())
}

/// Side by side; the lines are in the order of the records.
fn end_each(home: &Home, enclave: &dyn Enclave, args: &Args, records: Vec<Record>) -> Result<Vec<Line>> {
    let linked = Linked::open(home, enclave)?;
    let total = records.len();
    let progress = Progress::start(format!("ending {}", counted(total as u64, "connection", "connections")));
    let mut lines: Vec<Option<Line>> = records.iter().map(|_| None).collect();
    let queue = Mutex::new(records.into_iter().enumerate().collect::<VecDeque<_>>());
    let (sender, receiver) = channel();
    std::thread::scope(|scope| {
        for _ in 0..total.min(AT_ONCE) {
            let (linked, queue, sender) = (&linked, &queue, sender.clone());
            scope.spawn(move || work(linked, args, queue, &sender));
        }
        drop(sender);
        for (done, (place, line)) in (1..).zip(receiver) {
            progress.arrived(told(&line));
            progress.update(format!("ending {total} connections, {done} answered"));
            if let Some(slot) = lines.get_mut(place) {
                *slot = Some(line);
            }
        }
    });
    drop(progress);
    Ok(lines.into_iter().flatten().collect())
}

fn work(
    linked: &Linked<'_>,
    args: &Args,
    queue: &Mutex<VecDeque<(usize, Record)>>,
    lines: &Sender<(usize, Line)>,
) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some((place, mut record)) = next else { return };
        let line = end(linked, args, &mut record).unwrap_or_else(|failure| Line::kept(&record, &failure));
        if lines.send((place, line)).is_err() {
            return;
        }
    }
}

/// One connection: asked, its receipt stored, then erased. Broken off anywhere, it is done again.
fn end(linked: &Linked<'_>, args: &Args, record: &mut Record) -> Result<Line> {
    if is_lost_with_its_envelope(record) && !args.with_wallets {
        return Err(backup_needed(record, "--with-wallets"));
    }
    let Some(slot) = record.pending.clone().or_else(|| record.current.clone()) else {
        linked.home.remove(record)?;
        return Ok(Line { erased: true, ..Line::new(record, "unknown") });
    };
    let (answer, signed, key) = match ask(linked, record, &slot) {
        // The pending one was superseded: the one in use is asked with.
        Err(failure) if failure.code == Refusal::StaleGeneration.code() && record.pending.is_some() => {
            let slot = record.current()?.clone();
            ask(linked, record, &slot)?
        }
        asked => asked?,
    };
    let name = at_provider(answer.at_provider);
    let is_left = matches!(answer.at_provider, AtProvider::NotOffered | AtProvider::Failed);
    let told = Told {
        at_provider: name,
        refusal: answer.refusal.map(Refusal::code),
        by_hand: by_hand(record).filter(|_| is_left),
    };
    let path = linked.home.save_panicked(&Panicked::new(record, &told, signed, &key))?;
    let line = Line { refused: true, by_hand: told.by_hand, receipt: Some(path), ..Line::new(record, name) };
    if let Some(refusal) = answer.refusal {
        let failure = crate::client::explain::explain(refusal, &printable(&record.exchange));
        return Ok(Line { reason: Some(failure.sentence), fault: Some(failure.fault), ..line });
    }
    linked.home.remove(record)?;
    Ok(Line { erased: true, ..line })
}

type Asked = (provider_key::Panicked, Vec<u8>, [u8; 32]);

fn ask(linked: &Linked<'_>, record: &mut Record, slot: &Slot) -> Result<Asked> {
    let answer = linked.send(record, slot, Op::Panic, &Nothing {}.to_bytes(), &[])?;
    let (signed, key) = (answer.signed_receipt.clone(), answer.identity.receipt_key);
    let (result, _) = linked.finish(record, Ok(answer))?;
    let panicked = provider_key::Panicked::from_bytes(&result)
        .map_err(|_| Failure::internal("the enclave answered with something unreadable"))?;
    Ok((panicked, signed, key))
}

fn at_provider(at_provider: AtProvider) -> &'static str {
    match at_provider {
        AtProvider::Ended => "ended",
        AtProvider::Unknown => "unknown",
        AtProvider::NotOffered => "not_offered",
        AtProvider::Failed => "failed",
    }
}

/// Without the enclave: only what is here, and all of it that can be.
fn erase_all(home: &Home, args: &Args, records: &[Record]) -> Result<Vec<Line>> {
    let erased = |record| erase(home, args, record).unwrap_or_else(|failure| Line::kept(record, &failure));
    let lines = records.iter().map(erased).collect();
    Realm::ALL.into_iter().try_for_each(|realm| erase_owner(home, realm))?;
    Ok(lines)
}

fn erase(home: &Home, args: &Args, record: &Record) -> Result<Line> {
    if is_lost_with_its_envelope(record) && !args.with_wallets {
        return Ok(Line::kept(record, &backup_needed(record, "--with-wallets")));
    }
    home.remove(record)?;
    Ok(Line { erased: true, by_hand: by_hand(record), ..Line::new(record, "local") })
}

fn report(args: &Args, lines: &[Line]) -> Result<ExitCode> {
    if args.json {
        print_json(&lines)?;
    } else {
        print(&lines.iter().map(|line| told(line) + "\n").collect::<String>())?;
    }
    let left: Vec<&Line> = lines.iter().filter(|line| line.by_hand.is_some()).collect();
    for line in &left {
        let place = line.by_hand.as_deref().unwrap_or_default();
        say(format!("left: `{}`: end its key by hand: {place}", printable(&line.name)));
    }
    if lines.iter().any(|line| !line.erased) {
        say("hint: what failed is kept here: give `tensfer panic` again");
    }
    Ok(lines.iter().find_map(|line| line.fault).map_or(ExitCode::SUCCESS, ExitCode::from))
}

/// One line for a person.
fn told(line: &Line) -> String {
    let what = match line.at_provider {
        "ended" => "ended at the provider, refused for good, erased",
        "unknown" => "unknown to the provider, refused for good, erased",
        "not_offered" => "refused for good, erased; the provider has no call to end it",
        "failed" => "refused for good; the provider did not end it",
        "local" => "erased here",
        _ => "NOT ended",
    };
    let reason = line.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}: {what}{reason}", printable(&line.name))
}

impl Line {
    fn new(record: &Record, at_provider: &'static str) -> Line {
        Line {
            connection: record.id.to_string(),
            name: record.name.clone(),
            exchange: record.exchange.clone(),
            refused: false,
            at_provider,
            reason: None,
            by_hand: None,
            receipt: None,
            erased: false,
            fault: None,
        }
    }

    fn kept(record: &Record, failure: &Failure) -> Line {
        let reason = Some(failure.sentence.clone());
        Line { by_hand: by_hand(record), reason, fault: Some(failure.fault), ..Line::new(record, "kept") }
    }
}

#[cfg(test)]
mod tests;
