//! Operations on linked connections: what is asked is written down before, what is answered before it is relied on.

use crate::client::encode::hex;
use crate::client::explain::explain;
use crate::client::failure::{Failure, Result};
use crate::client::home::Home;
use crate::client::home::environment::Environment;
use crate::client::home::keys::SigningKey;
use crate::client::home::receipts::News;
use crate::client::home::record::{Record, Slot};
use crate::client::home::rings::Owner;
use crate::client::session::{Answer, By, Call, Enclave, is_replaced};
use crate::client::terminal::{counted, printable, say};
use std::time::Duration;
use verify::share::derive_share;
use wire::authorisation::Refreshed;
use wire::operation::{Nothing, Op};
use wire::owner::OwnerRole;
use wire::{Canonical, ConnectionId, Refusal};
use zeroize::Zeroizing;

/// How often, and how long apart, tokens are asked for that somebody else is asking for already.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// An owner before one verified enclave.
pub struct Linked<'a> {
    pub home: &'a Home,
    pub enclave: &'a dyn Enclave,
    pub owner: Owner,
}

impl<'a> Linked<'a> {
    pub fn open(home: &'a Home, enclave: &'a dyn Enclave) -> Result<Linked<'a>> {
        let owner = home.existing_owner(enclave.realm())?;
        Ok(Linked { home, enclave, owner })
    }

    /// The connection of that id or name, with what an earlier command left unfinished brought to its end.
    pub fn connection(&self, id_or_name: &str) -> Result<Record> {
        let mut record = self.home.connection(self.enclave.realm(), id_or_name)?;
        self.resume(&mut record)?;
        Ok(record)
    }

    /// Acknowledges a stored generation that no reply confirmed yet.
    pub fn resume(&self, record: &mut Record) -> Result<()> {
        if record.pending.is_none() {
            return Ok(());
        }
        say(format!("note: taking up the unfinished change of `{}`", printable(&record.name)));
        match self.acknowledge(record) {
            // Authenticated by its receipt: the enclave will never open that generation, and the older one is in use.
            Err(failure) if failure.code == Refusal::StaleGeneration.code() && record.current.is_some() => {
                say("note: it was superseded; the envelope in use stays");
                // A key that was made with it was never in use, so none is over by it: another rotation finds and ends it.
                (record.pending, record.moving, record.retiring) = (None, None, false);
                self.home.save(record)
            }
            Err(failure) if record.moving.is_some() && is_of_another_program(&failure) => {
                Err(on_its_way(record))
            }
            acknowledged => acknowledged,
        }
    }

    /// Tells the enclave that the pending generation is stored; then it is the current one, there and here.
    pub fn acknowledge(&self, record: &mut Record) -> Result<()> {
        let Some(slot) = record.pending.clone() else { return Ok(()) };
        self.ask(record, &slot, Op::Acknowledge, &Nothing {}.to_bytes(), &[])?;
        record.promote();
        self.home.save(record)?;
        self.tell_ended_grants(record, slot.generation);
        Ok(())
    }

    /// A later generation ends what was granted of the one before.
    fn tell_ended_grants(&self, record: &Record, generation: u64) {
        // What is only kept to be shown fails nothing that was done.
        let ended = self.home.end_given_grants(record.realm, record.id, generation).unwrap_or(0);
        if ended > 0 {
            let (grants, name) = (counted(ended, "grant", "grants"), printable(&record.name));
            say(format!(
                "note: {grants} of `{name}` ended with its earlier envelope\nhint: grant it anew with `tensfer grant make {name}`"
            ));
        }
    }

    /// One operation on `slot`, signed by its device key and `others`; with new tokens where it takes them.
    pub fn ask(
        &self,
        record: &mut Record,
        slot: &Slot,
        op: Op,
        args: &[u8],
        others: &[&SigningKey],
    ) -> Result<Vec<u8>> {
        match self.ask_once(record, slot, op, args, others) {
            Err(failure) if failure.code == Refusal::RefreshNeeded.code() => {
                self.refresh(record)?;
                let slot = record.current()?.clone();
                self.ask_once(record, &slot, op, args, others)
            }
            answered => answered,
        }
    }

    fn ask_once(
        &self,
        record: &mut Record,
        slot: &Slot,
        op: Op,
        args: &[u8],
        others: &[&SigningKey],
    ) -> Result<Vec<u8>> {
        let answer = self.send(record, slot, op, args, others);
        self.finish(record, answer).map(|(result, _)| result)
    }

    /// Asks for new tokens, stores their envelope, then says that it is stored. Broken off anywhere and done again, it
    /// takes up where it stopped: the enclave keeps the tokens until they are stored here.
    pub fn refresh(&self, record: &mut Record) -> Result<()> {
        let slot = record.current()?.clone();
        let mut attempt = 1;
        let result = loop {
            match self.ask_once(record, &slot, Op::Refresh, &Nothing {}.to_bytes(), &[]) {
                Err(failure) if failure.code == Refusal::RefreshUnderWay.code() && attempt < ATTEMPTS => {
                    attempt += 1;
                    self.one_more_to_come(record)?;
                    std::thread::sleep(PAUSE);
                }
                answered => break answered?,
            }
        };
        let refreshed = Refreshed::from_bytes(&result)
            .map_err(|_| Failure::internal("the enclave answered with something unreadable"))?;
        record.pending =
            Some(record.slot(refreshed.envelope, slot.share_version, slot.owners.clone(), slot.class())?);
        self.home.save(record)?;
        self.acknowledge(record)
    }

    /// Writes down that a request leaves, then sends it; to no enclave of another environment. Several threads may, each
    /// with a record of its own.
    pub fn send(
        &self,
        record: &mut Record,
        slot: &Slot,
        op: Op,
        args: &[u8],
        others: &[&SigningKey],
    ) -> Result<Answer> {
        self.in_its_environment(record)?;
        let device = slot.owner(OwnerRole::Device).and_then(|key| self.owner.devices.find(key));
        let device = device.ok_or_else(|| {
            Failure::refused(
                "key_missing",
                format!("your device key of `{}` is missing", printable(&record.name)),
            )
            .hint("use the TENSFER_HOME that linked it, or put back a copy of its `owner.key`")
        })?;
        let share = self.share(record.id, slot.share_version)?;
        let (note, envelope) = (|record: &Record| self.home.note(record), Some(slot.envelope.as_slice()));
        // What moves money leaves once, whatever the server says about it (m38).
        let attempts = if op == Op::Act { Attempts::One } else { Attempts::Two };
        round_trip(self.enclave, record, note, attempts, |record| {
            let signers = std::iter::once(device).chain(others.iter().copied()).collect();
            let last = (record.receipts.counter, record.receipts.last);
            self.enclave.call(&Call {
                op,
                args,
                connection: record.id,
                envelope,
                share: &share,
                signers,
                last,
                by: By::Owner,
            })
        })
    }

    /// Refuses an enclave of another environment than the account was linked in.
    pub fn in_its_environment(&self, record: &Record) -> Result<()> {
        let (linked, here) = (record.environment, self.enclave.environment());
        match linked == here {
            true => Ok(()),
            false => Err(Environment::mixed(linked, here, &printable(&record.name))),
        }
    }

    /// Takes the receipt into the connection's chain, then gives the result with the hash of its request.
    pub fn finish(&self, record: &mut Record, answer: Result<Answer>) -> Result<(Vec<u8>, [u8; 32])> {
        let answer = answer?;
        let news = take_receipt(record, &answer);
        self.home.note(record)?;
        self.tell(record, news?);
        let result = answer.outcome.map_err(|refusal| explain(refusal, &printable(&record.exchange)))?;
        Ok((result, answer.request_hash))
    }

    /// The enclave says that it is at work on a request whose reply this device will not see: its receipt is still to come.
    fn one_more_to_come(&self, record: &mut Record) -> Result<()> {
        record.receipts.expect_reply();
        self.home.note(record)
    }

    fn tell(&self, record: &Record, news: News) {
        let boot = record.receipts.boots.last().map_or("", |boot| boot.boot.as_str());
        if news.boot_changed && self.home.tells_first(boot) {
            say(format!(
                "note: the enclave was started anew since your accounts were last used (now {boot})"
            ));
        }
        if news.lost > 0 {
            let replies = counted(news.lost, "earlier reply", "earlier replies");
            say(format!("note: {replies} for `{}` never arrived here", printable(&record.name)));
        }
    }

    pub fn share(&self, connection: ConnectionId, version: u64) -> Result<Zeroizing<[u8; 32]>> {
        derive_share(&self.owner.secret, connection, version)
            .map_err(|_| Failure::internal("this program could not derive a share"))
    }
}

/// The enclave that was asked is not the one that the pending envelope is for.
fn is_of_another_program(failure: &Failure) -> bool {
    [Refusal::UnknownEpoch, Refusal::ClassNotHeld].iter().any(|refusal| refusal.code() == failure.code)
}

fn on_its_way(record: &Record) -> Failure {
    let to = printable(record.moving.as_deref().unwrap_or_default());
    let name = printable(&record.name);
    Failure::refused("moving", format!("`{name}` is on its way to the program at `{to}`")).hint(format!(
        "finish that with `tensfer upgrade {} --to {to}`, or use it there: `--server {to}`",
        record.id
    ))
}

/// How often a request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    One,
    /// Again where the enclave was replaced meanwhile.
    Two,
}

/// One request and its answer; where the enclave was replaced meanwhile, it is verified again and asked once more.
///
/// Each request is counted and noted before it leaves: were its reply lost, the next receipt is not a gap.
pub fn round_trip(
    enclave: &dyn Enclave,
    record: &mut Record,
    note: impl Fn(&Record) -> Result<()>,
    attempts: Attempts,
    call: impl Fn(&Record) -> Result<Answer>,
) -> Result<Answer> {
    let leave = |record: &mut Record| {
        record.receipts.expect_reply();
        note(record)?;
        call(record)
    };
    let answer = leave(record);
    if attempts == Attempts::One || !is_replaced(&answer) {
        return answer;
    }
    if let Ok(answer) = &answer {
        take_receipt(record, answer)?;
    }
    enclave.refresh()?;
    leave(record)
}

/// A receipt without a connection belongs to a request that was refused before its owner was known, or to one that was
/// carried out and whose result too few witnesses let out: its receipt may be counted later, as if its reply were lost.
pub fn take_receipt(record: &mut Record, answer: &Answer) -> Result<News> {
    let withheld = matches!(answer.receipt.refusal, Some(Refusal::NoQuorum | Refusal::LineLost));
    if answer.receipt.connection.is_none() {
        if !withheld {
            record.receipts.nothing_sent();
        }
        return Ok(News::default());
    }
    record.receipts.take(&answer.receipt, answer.receipt_hash)
}

/// The last receipt, for people.
pub fn receipt_line(record: &Record) -> String {
    match record.receipts.last {
        Some(hash) => format!("{} ({})", record.receipts.counter, &hex(&hash)[..16]),
        None => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::home::realm::Realm;
    use crate::client::home::receipts::Receipts;
    use crate::client::testing::{CONNECTION, Loss, Scripted, copied_home, linked_home, supersede, use_it};
    use std::path::Path;
    use std::sync::Mutex;

    fn stored(home: &Home) -> Record {
        home.connection(Realm::Simulated, &CONNECTION.to_string()).unwrap()
    }

    #[test]
    fn an_account_of_one_environment_is_never_sent_to_an_enclave_of_another() {
        for (linked, found) in
            [(Environment::Live, Environment::Sandbox), (Environment::Sandbox, Environment::Live)]
        {
            let directory = tempfile::tempdir().unwrap();
            let (home, enclave) = (linked_home(directory.path()), Scripted::new());
            let mut record = stored(&home);
            record.environment = linked;
            home.save(&record).unwrap();
            enclave.move_to(found);
            let refused = use_it(&home, &enclave).unwrap_err();
            assert_eq!(refused.code, "environments_mixed");
            for named in ["kraken", linked.name(), found.name()] {
                assert!(refused.sentence.contains(named), "{refused}");
            }
            assert_eq!((enclave.asked(), stored(&home)), (0, record), "nothing left, and nothing was noted");
            enclave.move_to(linked);
            use_it(&home, &enclave).unwrap();
        }
    }

    #[test]
    fn an_unfinished_change_is_not_taken_up_in_another_environment_either() {
        let directory = tempfile::tempdir().unwrap();
        let (home, enclave) = (linked_home(directory.path()), Scripted::new());
        let mut record = stored(&home);
        record.pending = record.current.clone();
        home.save(&record).unwrap();
        enclave.move_to(Environment::Live);
        assert_eq!(use_it(&home, &enclave).unwrap_err().code, "environments_mixed");
        assert_eq!(enclave.asked(), 0);
        enclave.lose(Loss::Reply(Op::Acknowledge));
        enclave.move_to(Environment::Sandbox);
        assert_eq!(use_it(&home, &enclave).unwrap_err().code, "unreachable");
        use_it(&home, &enclave).unwrap();
    }

    /// Reads from disk, whenever a request arrives, what a command would that is started after a crash at that moment.
    struct Watching<'h> {
        enclave: Scripted,
        directory: &'h Path,
        seen: Mutex<Vec<Receipts>>,
    }

    impl Enclave for Watching<'_> {
        fn realm(&self) -> Realm {
            self.enclave.realm()
        }

        fn environment(&self) -> Environment {
            self.enclave.environment()
        }

        fn current_epoch_of(&self, class: wire::consent::Class) -> u32 {
            self.enclave.current_epoch_of(class)
        }

        fn refresh(&self) -> Result<()> {
            self.enclave.refresh()
        }

        fn call(&self, call: &Call<'_>) -> Result<Answer> {
            // The lock that the running command holds lies in its own home.
            let copy = tempfile::tempdir().unwrap();
            let found = stored(&copied_home(self.directory, copy.path()));
            self.seen.lock().unwrap().push(found.receipts);
            self.enclave.call(call)
        }
    }

    #[test]
    fn a_request_is_written_down_before_it_leaves_and_its_receipt_before_the_answer_is_used() {
        let directory = tempfile::tempdir().unwrap();
        let home = linked_home(directory.path());
        let enclave =
            Watching { enclave: Scripted::new(), directory: directory.path(), seen: Mutex::default() };
        let linked = Linked::open(&home, &enclave).unwrap();
        let mut record = stored(&home);
        let slot = record.current().unwrap().clone();
        for asked in 0..3 {
            linked.ask(&mut record, &slot, Op::Inspect, &[], &[]).unwrap();
            let seen = enclave.seen.lock().unwrap().pop().unwrap();
            assert_eq!((seen.counter, seen.unanswered), (asked, 1));
            assert_eq!(stored(&home).receipts.counter, asked + 1);
        }
        enclave.enclave.lose(Loss::Reply(Op::Inspect));
        linked.ask(&mut record, &slot, Op::Inspect, &[], &[]).unwrap_err();
        linked.ask(&mut record, &slot, Op::Inspect, &[], &[]).unwrap();
        let seen = enclave.seen.lock().unwrap().pop().unwrap();
        assert_eq!((seen.counter, seen.unanswered), (3, 2));
        assert_eq!((record.receipts.counter, record.receipts.gaps.len()), (5, 0));
    }

    #[test]
    fn a_superseded_key_that_was_never_in_use_leaves_no_key_to_retire() {
        let directory = tempfile::tempdir().unwrap();
        let (home, enclave) = (linked_home(directory.path()), Scripted::new());
        supersede(&home, &enclave);
        let mut record = stored(&home);
        record.retiring = true;
        home.save(&record).unwrap();
        Linked::open(&home, &enclave).unwrap().resume(&mut record).unwrap();
        assert_eq!((stored(&home).pending, stored(&home).retiring), (None, false));
    }

    #[test]
    fn a_connection_file_from_before_is_caught_up_by_what_was_noted_since() {
        let directory = tempfile::tempdir().unwrap();
        let (home, enclave) = (linked_home(directory.path()), Scripted::new());
        let before = stored(&home);
        use_it(&home, &enclave).unwrap();
        let after = stored(&home).receipts;
        home.save(&before).unwrap();
        assert_eq!(stored(&home).receipts, after);
        use_it(&home, &enclave).unwrap();
    }
}
