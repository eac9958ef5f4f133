//! `rotation verify` of what a server publishes: the last statement, and the proof of each connection that its owner has
//! there. Nothing that the server says is believed: statements are signed, and proofs lead to them.

use super::{Shown, check_destruction, enclave_of, explain, held, parse, show};
use crate::client::clock::{now, rfc3339};
use crate::client::failure::{Failure, Fault, Result};
use crate::client::gateway::{Gateway, Stated, Unstated};
use crate::client::home::Home;
use crate::client::home::realm::Realm;
use crate::client::home::record::Record;
use crate::client::options::Options;
use crate::client::session::{Enclave, Session};
use crate::client::terminal::printable;
use ::verify::register::{self, Completion, Own, Unproven};
use serde::Serialize;
use wire::consent::Class;
use wire::register::{Proof, Statement};
use wire::{Canonical, UnixMillis};

/// How far clocks may differ where a connection is younger than the statement.
const LEEWAY_MS: u64 = 300_000;
/// A server concludes anew now and then, and not while each proof is fetched.
const TRIES: usize = 3;

/// What came of one connection.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    id: String,
    name: String,
    /// `held`, `rewrapped` or `revoked`, as the register has it; `linked_since` or `changed_since` the statement.
    state: Option<&'static str>,
    /// Why it is not proven.
    reason: Option<&'static str>,
}

impl Found {
    pub(super) fn line(&self) -> String {
        let what = match (self.state, self.reason) {
            (Some("linked_since"), _) => "linked since; the next statement has it",
            (Some("changed_since"), _) => "in it, and changed since",
            (Some(state), _) => state,
            (None, reason) => reason.unwrap_or("not proven"),
        };
        format!("{:<20} {what}\n", printable(&self.name))
    }
}

pub(super) fn check(options: &Options, shown: &mut Shown) -> Result<()> {
    let (home, gateway) = (options.home()?, options.gateway(None)?);
    // The enclave that runs now: of the same realm, and none that was gone back to.
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    let mut tries = 0;
    let (completion, published) = loop {
        let (completion, published) = statement(options, &gateway, &session, shown)?;
        match connections(&home, &gateway, session.realm(), &completion)? {
            Some(found) => {
                shown.connections = Some(found);
                break (completion, published);
            }
            None if tries < TRIES => tries += 1,
            None => {
                return Err(Failure::host("other_statement", "the server states something else each time")
                    .hint("try again in a moment")
                    .retryable(true));
            }
        }
    };
    destruction(options, &gateway, &completion, shown)?;
    not_before_the_last(&home, session.realm(), session.server(), &completion)?;
    // Kept only now: what is refused takes no other's place.
    home.keep_statement(session.realm(), session.server(), &published)?;
    let refused = shown.connections.iter().flatten().find(|found| found.reason.is_some());
    match refused.and_then(|found| found.reason.map(|reason| (found, reason))) {
        None => Ok(()),
        Some((found, reason)) => Err(Failure::new(
            Fault::Refused,
            reason,
            format!("`{}` is not proven: {reason}", printable(&found.name)),
        )
        .hint(hint(reason))),
    }
}

fn hint(reason: &str) -> &'static str {
    match reason {
        "still_in_the_epoch" => "run `tensfer rotate ID --epoch` while the epoch still opens",
        "not_recorded" => {
            "it was linked before the statement and is not in it: keep the statement, renew the envelope with `tensfer \
             rotate`, and ask whoever runs the server"
        }
        _ => "keep what the server published: with your envelope it shows what was done",
    }
}

/// The last statement of completion, proven to be an enclave's that the caller accepts.
fn statement(
    options: &Options,
    gateway: &Gateway,
    session: &Session,
    shown: &mut Shown,
) -> Result<(Completion, Vec<u8>)> {
    let bytes = gateway.stated(Stated::Completion)?.map_err(|_| {
        Failure::host("nothing_stated", "the server states nothing about a rotation (nothing_stated)")
            .hint("its operator concludes one with `tensfer root rotate conclude`")
    })?;
    let published = parse(&bytes)?;
    if published.time > now().plus(LEEWAY_MS) {
        return Err(explain(Unproven::Contradiction));
    }
    let (identity, enclave) = enclave_of(&published, &options.expect_enclave()?, None)?;
    if enclave != session.realm().name() {
        return Err(explain(Unproven::Identity));
    }
    shown.enclave = Some(enclave);
    shown.published = Some(rfc3339(published.time));
    let completion = register::completion(&identity, &published.statement.0).map_err(explain)?;
    show(&completion.statement, shown);
    Ok((completion, bytes))
}

/// Each own connection at this server; `None`: another statement took this one's place meanwhile.
fn connections(
    home: &Home,
    gateway: &Gateway,
    realm: Realm,
    completion: &Completion,
) -> Result<Option<Vec<Found>>> {
    let mut all = Vec::new();
    for record in home.connections_in(realm)? {
        if record.server != gateway.base() || record.current.is_none() {
            continue;
        }
        let own = held(&record)?;
        let statement = &completion.statement;
        let asked = Stated::Proof {
            name: register::name(record.id),
            register: statement.register.0,
            chapter: statement.chapter,
        };
        let (state, reason) = match gateway.stated(asked)? {
            Ok(bytes) => proven(completion, &bytes, &record, &own),
            Err(Unstated::NotRecorded) if is_since(record.linked, statement) => (Some("linked_since"), None),
            Err(Unstated::NotRecorded) => (None, Some("not_recorded")),
            Err(Unstated::OtherStatement | Unstated::Nothing) => return Ok(None),
        };
        all.push(Found { id: record.id.to_string(), name: record.name.clone(), state, reason });
    }
    Ok(Some(all))
}

/// What a proof shows of a connection, or why it shows nothing.
fn proven(
    completion: &Completion,
    bytes: &[u8],
    record: &Record,
    own: &Own,
) -> (Option<&'static str>, Option<&'static str>) {
    let entry = Proof::from_bytes(bytes)
        .map_err(|_| Unproven::Malformed)
        .and_then(|proof| register::included(&completion.statement, &proof));
    let entry = match entry {
        Ok(entry) => entry,
        Err(unproven) => return (None, Some(unproven.code())),
    };
    match register::own(completion, &entry, own) {
        Ok(()) => (Some(entry.state.name()), None),
        // It was in the register as it was then, and this machine renewed it later.
        Err(Unproven::RolledBack | Unproven::Absent) if changed_since(record, completion, entry.class) => {
            (Some("changed_since"), None)
        }
        Err(unproven) => (None, Some(unproven.code())),
    }
}

/// Whether what is held here left the epoch, and came about after the statement.
fn changed_since(record: &Record, completion: &Completion, class: Class) -> bool {
    let mut current = record.current.iter();
    current.any(|slot| {
        let is_since = slot.since.is_some_and(|since| is_since(since, &completion.statement));
        is_since && completion.has_left(class, slot.epoch) == Ok(true)
    })
}

fn is_since(time: u64, statement: &Statement) -> bool {
    UnixMillis(time).plus(LEEWAY_MS) >= statement.time
}

/// The statement that the epoch was destroyed, if there is one yet.
fn destruction(
    options: &Options,
    gateway: &Gateway,
    completion: &Completion,
    shown: &mut Shown,
) -> Result<()> {
    let epoch = completion.statement.epoch;
    let Ok(bytes) = gateway.stated(Stated::Destruction(epoch))? else { return Ok(()) };
    let checked = check_destruction(&parse(&bytes)?, &options.expect_enclave()?, None, completion);
    match checked {
        Ok(epoch) => shown.destroyed = Some(epoch),
        // Destroyed on an earlier statement: this one is later, and says nothing of that.
        Err(failure) if failure.code == Unproven::OtherGrounds.code() => {}
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// The same statement as the one that was last checked of this server, or a later one of the same register.
fn not_before_the_last(home: &Home, realm: Realm, server: &str, completion: &Completion) -> Result<()> {
    let Some(bytes) = home.last_statement(realm, server)? else { return Ok(()) };
    let last = super::claimed(&parse(&bytes)?)?;
    if last == completion.statement {
        return Ok(());
    }
    register::later(&last, &completion.statement).map_err(explain)
}
