//! The highest state that was seen of each deployment's lines, and which deployment serves which connection: what makes a
//! rollback an alarm (docs/spec/client.md §9).

use super::Home;
use super::files;
use super::realm::Realm;
use crate::client::encode::{from_hex, hex};
use crate::client::failure::{Failure, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use verify::mark::{self, Unfresh};
use wire::ConnectionId;
use wire::evidence::Hash;
use wire::freshness::Mark;
use wire::identity::Identity;
use wire::reply::Reply;

const FORMAT: &str = "tensfer marks";
const VERSION: u8 = 1;

/// What was seen in one realm. Shared by all requests of a command.
#[derive(Debug)]
pub struct Marks {
    path: PathBuf,
    state: Mutex<State>,
    /// Held by the one that writes; who waits for it may find that all is written.
    writing: Mutex<()>,
}

#[derive(Debug)]
struct State {
    seen: Seen,
    /// Counts the changes of `seen`.
    changes: u64,
    /// How many of them are in the file.
    written: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    format: String,
    version: u8,
    /// By its name, hexadecimal.
    deployments: BTreeMap<String, Deployment>,
    /// The deployment that served a connection last.
    connections: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployment {
    /// The oldest epoch that its enclave held: it only rises.
    oldest_epoch: u32,
    /// By the line's number.
    lines: BTreeMap<u8, Place>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    term: u64,
    counter: u64,
    /// Hexadecimal.
    head: String,
}

/// What was seen of a deployment, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Hexadecimal.
    pub deployment: String,
    /// That its enclave held.
    pub oldest_epoch: u32,
    /// Ascending.
    pub lines: Vec<LineMark>,
    /// That it served last.
    pub connections: Vec<String>,
}

/// The highest mark of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineMark {
    pub line: u8,
    pub term: u64,
    pub counter: u64,
    /// Hexadecimal.
    pub head: String,
}

/// What was known of a deployment when a request was sent.
#[derive(Debug)]
pub struct Before(Option<Deployment>);

impl Home {
    pub fn marks(&self, realm: Realm) -> Result<Marks> {
        files::make_private_dir(&self.root.join(realm.name()))?;
        Marks::read(self.root.join(realm.name()).join("marks.json"))
    }
}

impl Marks {
    fn read(path: PathBuf) -> Result<Marks> {
        let seen = match files::read(&path)? {
            None => Seen { format: FORMAT.to_owned(), version: VERSION, ..Seen::default() },
            Some(bytes) => {
                serde_json::from_slice(&bytes).ok().filter(Seen::has_form).ok_or_else(|| damaged(&path))?
            }
        };
        let state = State { seen, changes: 0, written: 0 };
        Ok(Marks { path, state: Mutex::new(state), writing: Mutex::new(()) })
    }

    /// Before a request for this connection is sealed to the enclave with this identity: whether it may be the one that
    /// served the connection before, and what a reply must not be older than.
    pub fn before(&self, identity: &Identity, connection: ConnectionId) -> Result<Before> {
        self.check_deployment(identity, connection)?;
        let state = self.state();
        let name = deployment_of(identity);
        let known = name.and_then(|name| state.seen.deployments.get(&name)).cloned();
        if known.as_ref().is_some_and(|known| identity.epochs.oldest < known.oldest_epoch) {
            return Err(self.alarm(Unfresh::EpochReturned));
        }
        Ok(Before(known))
    }

    /// Whether the enclave with this identity is of the deployment that served the connection before.
    pub fn check_deployment(&self, identity: &Identity, connection: ConnectionId) -> Result<()> {
        let (state, name) = (self.state(), deployment_of(identity));
        let served = state.seen.connections.get(&connection.to_string());
        if served.is_some_and(|served| Some(served) != name.as_ref()) {
            return Err(self.alarm(Unfresh::OtherDeployment));
        }
        Ok(())
    }

    /// Whether the reply fits what was seen; keeps what it says, durably, before anybody believes it. Its receipt has been
    /// checked.
    pub fn see(
        &self,
        before: &Before,
        identity: &Identity,
        connection: ConnectionId,
        reply: &Reply,
    ) -> Result<()> {
        let Some(freshness) = &identity.freshness else { return Ok(()) };
        let changes = {
            let mut state = self.state();
            let deployment = hex(&freshness.deployment.0);
            let line = reply.mark.map_or(0, |mark| mark.line);
            let known = state.seen.deployments.get(&deployment).and_then(|known| known.mark(line));
            let asked_after = before.0.as_ref().and_then(|before| before.mark(line));
            mark::check(reply.mark.as_ref(), reply.result.is_some(), asked_after.as_ref(), known.as_ref())
                .map_err(|unfresh| self.alarm(unfresh))?;
            let Some(mark) = reply.mark else { return Ok(()) };
            let serves = reply.result.is_some().then_some(connection);
            if state.seen.take(&deployment, identity.epochs.oldest, &mark, serves) {
                state.changes += 1;
            }
            state.changes
        };
        self.write(changes)
    }

    /// The highest state seen of the deployment that serves a connection; `None`: of none.
    pub fn of(&self, connection: ConnectionId) -> Option<Mark> {
        let state = self.state();
        let served = state.seen.connections.get(&connection.to_string())?;
        let deployment = state.seen.deployments.get(served)?;
        deployment.lines.keys().filter_map(|line| deployment.mark(*line)).max_by_key(Mark::position)
    }

    /// Everything that was seen, by deployment.
    pub fn known(&self) -> Vec<Known> {
        let state = self.state();
        let served = |name: &String| {
            let connections = state.seen.connections.iter().filter(|(_, by)| *by == name);
            connections.map(|(connection, _)| connection.clone()).collect()
        };
        let known = |(name, deployment): (&String, &Deployment)| Known {
            deployment: name.clone(),
            oldest_epoch: deployment.oldest_epoch,
            lines: deployment.lines.iter().map(|(line, place)| place.at(*line)).collect(),
            connections: served(name),
        };
        state.seen.deployments.iter().map(known).collect()
    }

    /// One write serves all that wait for it.
    fn write(&self, changes: u64) -> Result<()> {
        if self.state().written >= changes {
            return Ok(());
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (seen, changes) = {
            let state = self.state();
            if state.written >= changes {
                return Ok(());
            }
            (state.seen.clone(), state.changes)
        };
        let mut bytes = serde_json::to_vec_pretty(&seen)
            .map_err(|_| Failure::internal("this program could not write what it has seen"))?;
        bytes.push(b'\n');
        files::replace(&self.path, &bytes)?;
        self.state().written = changes;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alarm(&self, unfresh: Unfresh) -> Failure {
        let hint = match unfresh {
            Unfresh::RolledBack | Unfresh::Forked | Unfresh::Unmarked => {
                "somebody runs the server from an older copy of its data, or runs two of it: believe nothing that it says, \
                 and tell who operates it. A device that restored its home from a backup never sees this by itself"
            }
            Unfresh::OtherDeployment => {
                "name the server that you linked it at with `--server URL`; if its operators moved it, link the account anew"
            }
            Unfresh::EpochReturned => {
                "what was destroyed does not come back: believe nothing that it says, and tell who operates it"
            }
        };
        Failure::refused(
            unfresh.code(),
            format!("ALARM: the server's enclave was refused: {unfresh} ({})", unfresh.code()),
        )
        .hint(format!("{hint}; what was seen lies in `{}`", self.path.display()))
    }
}

/// Its name, hexadecimal; `None`: nobody witnesses it.
fn deployment_of(identity: &Identity) -> Option<String> {
    identity.freshness.as_ref().map(|freshness| hex(&freshness.deployment.0))
}

impl Seen {
    fn has_form(&self) -> bool {
        let is_hash = |text: &String| text.len() == 64 && from_hex(text).is_some();
        self.format == FORMAT
            && self.version == VERSION
            && self.deployments.keys().all(is_hash)
            && self
                .deployments
                .values()
                .flat_map(|known| known.lines.values())
                .all(|place| is_hash(&place.head))
            && self.connections.iter().all(|(connection, served)| {
                ConnectionId::parse(connection).is_some() && self.deployments.contains_key(served)
            })
    }

    /// Takes over what is higher; whether anything is new.
    fn take(&mut self, name: &str, oldest_epoch: u32, mark: &Mark, serves: Option<ConnectionId>) -> bool {
        let deployment = self.deployments.entry(name.to_owned()).or_default();
        let mut new = deployment.oldest_epoch < oldest_epoch;
        deployment.oldest_epoch = deployment.oldest_epoch.max(oldest_epoch);
        if deployment.mark(mark.line).is_none_or(|known| known.position() < mark.position()) {
            let Mark { term, counter, head, .. } = *mark;
            deployment.lines.insert(mark.line, Place { term, counter, head: hex(&head.0) });
            new = true;
        }
        if let Some(connection) = serves {
            new |= self.connections.insert(connection.to_string(), name.to_owned()).is_none();
        }
        new
    }
}

impl Place {
    fn at(&self, line: u8) -> LineMark {
        LineMark { line, term: self.term, counter: self.counter, head: self.head.clone() }
    }
}

impl Deployment {
    fn mark(&self, line: u8) -> Option<Mark> {
        let Place { term, counter, head } = self.lines.get(&line)?;
        let head = Hash(from_hex(head)?.try_into().ok()?);
        Some(Mark { line, term: *term, counter: *counter, head })
    }
}

fn damaged(path: &Path) -> Failure {
    Failure::refused(
        "marks_damaged",
        format!("`{}` is damaged or was altered (marks_damaged)", path.display()),
    )
    .hint("put back a copy of it; without it a server that went back to an older state is not noticed")
}

#[cfg(test)]
mod tests {
    use super::super::key_file::Cost;
    use super::super::passphrase::Passphrases;
    use super::*;
    use crate::client::testing::{CONNECTION, identity};
    use wire::freshness::Freshness;

    const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };
    const OTHER: ConnectionId = ConnectionId([9; 16]);

    fn open(folder: &Path) -> Result<Marks> {
        Home::open_at_cost(folder.join("home"), Passphrases::new(None), None, CHEAP)?.marks(Realm::Simulated)
    }

    fn witnessed(deployment: u8) -> Identity {
        let deployment = Hash([deployment; 32]);
        let freshness = Freshness { deployment, lines: 1, threshold: 1, witnesses: 1, keys: Hash([0; 32]) };
        Identity { freshness: Some(freshness), ..identity() }
    }

    fn reply(term: u64, counter: u64, head: u8) -> Reply {
        let mark = Some(Mark { line: 0, term, counter, head: Hash([head; 32]) });
        Reply { version: 1, result: Some(Vec::new()), refusal: None, receipt: Vec::new(), mark, grant: None }
    }

    /// One request and its reply.
    fn ask(marks: &Marks, identity: &Identity, reply: &Reply) -> std::result::Result<(), &'static str> {
        let before = marks.before(identity, CONNECTION).map_err(|failure| failure.code)?;
        marks.see(&before, identity, CONNECTION, reply).map_err(|failure| failure.code)
    }

    #[test]
    fn what_a_command_saw_is_an_alarm_for_the_next_one_that_sees_less() {
        let folder = tempfile::tempdir().unwrap();
        let one = witnessed(1);
        ask(&open(folder.path()).unwrap(), &one, &reply(2, 5, 5)).unwrap();
        let marks = open(folder.path()).unwrap();
        assert_eq!(marks.of(CONNECTION).unwrap().position(), (2, 5));
        assert_eq!(ask(&marks, &one, &reply(2, 4, 4)), Err("rolled_back"));
        assert_eq!(ask(&marks, &one, &reply(1, 9, 4)), Err("rolled_back"));
        assert_eq!(ask(&marks, &one, &reply(2, 5, 6)), Err("forked"));
        assert_eq!(ask(&marks, &one, &Reply { mark: None, ..reply(1, 1, 1) }), Err("unmarked"));
        assert_eq!(ask(&marks, &one, &reply(2, 5, 5)), Ok(()));
        assert_eq!(ask(&marks, &one, &reply(3, 1, 7)), Ok(()));
        // What was refused lowered nothing, and what was accepted is what a copy of the home knows.
        let copy = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(copy.path().join("home/simulated")).unwrap();
        let marks_of = |home: &Path| home.join("home/simulated/marks.json");
        std::fs::copy(marks_of(folder.path()), marks_of(copy.path())).unwrap();
        assert_eq!(ask(&open(copy.path()).unwrap(), &one, &reply(2, 9, 9)), Err("rolled_back"));
    }

    #[test]
    fn what_was_seen_of_each_deployment_is_told_with_whom_it_served() {
        let folder = tempfile::tempdir().unwrap();
        let marks = open(folder.path()).unwrap();
        assert_eq!(marks.known(), []);
        ask(&marks, &witnessed(1), &reply(2, 5, 5)).unwrap();
        let (two, before) = (witnessed(2), Before(None));
        marks.see(&before, &two, OTHER, &Reply { result: None, ..reply(1, 3, 3) }).unwrap();
        let known = open(folder.path()).unwrap().known();
        let [one, two] = &known[..] else { panic!("{known:?}") };
        assert_eq!(
            (one.deployment.as_str(), &one.connections[..]),
            (&*"01".repeat(32), &[CONNECTION.to_string()][..])
        );
        let line = LineMark { line: 0, term: 2, counter: 5, head: "05".repeat(32) };
        assert_eq!(one.lines, [line]);
        assert_eq!((two.lines[0].counter, &two.connections[..]), (3, &[][..]), "a refusal serves nobody");
    }

    #[test]
    fn a_reply_that_was_overtaken_is_no_alarm() {
        let folder = tempfile::tempdir().unwrap();
        let (marks, one) = (open(folder.path()).unwrap(), witnessed(1));
        let early = marks.before(&one, CONNECTION).unwrap();
        ask(&marks, &one, &reply(1, 4, 4)).unwrap();
        assert!(marks.see(&early, &one, CONNECTION, &reply(1, 3, 3)).is_ok());
        assert_eq!(marks.of(CONNECTION).unwrap().position(), (1, 4), "it lowers nothing");
    }

    #[test]
    fn another_deployment_or_one_without_witnesses_is_refused_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let (marks, one) = (open(folder.path()).unwrap(), witnessed(1));
        ask(&marks, &one, &reply(1, 1, 1)).unwrap();
        for other in [witnessed(2), identity()] {
            assert_eq!(marks.before(&other, CONNECTION).unwrap_err().code, "other_deployment");
            assert!(marks.before(&other, OTHER).is_ok(), "a new connection may go anywhere");
        }
        // A deployment's marks are its own.
        let two = witnessed(2);
        let before = marks.before(&two, OTHER).unwrap();
        assert!(marks.see(&before, &two, OTHER, &reply(1, 1, 9)).is_ok());
    }

    #[test]
    fn an_epoch_that_was_destroyed_does_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let marks = open(folder.path()).unwrap();
        let mut one = witnessed(1);
        (one.epochs.oldest, one.epochs.current) = (3, 4);
        ask(&marks, &one, &reply(1, 1, 1)).unwrap();
        one.epochs.oldest = 2;
        assert_eq!(ask(&open(folder.path()).unwrap(), &one, &reply(1, 2, 2)), Err("epoch_returned"));
    }

    #[test]
    fn requests_that_end_together_are_all_written() {
        let folder = tempfile::tempdir().unwrap();
        let (marks, one) = (open(folder.path()).unwrap(), witnessed(1));
        std::thread::scope(|threads| {
            for counter in 1..=20u8 {
                let (marks, one) = (&marks, &one);
                threads.spawn(move || {
                    let before = Before(None);
                    marks.see(&before, one, CONNECTION, &reply(1, counter.into(), counter)).unwrap();
                    // It was durable when the reply was believed.
                    let written = Marks::read(marks.path.clone()).unwrap().of(CONNECTION).unwrap();
                    assert!(written.counter >= counter.into());
                });
            }
        });
    }

    #[test]
    fn a_damaged_file_is_never_taken_for_none() {
        let folder = tempfile::tempdir().unwrap();
        ask(&open(folder.path()).unwrap(), &witnessed(1), &reply(1, 1, 1)).unwrap();
        let path = folder.path().join("home/simulated/marks.json");
        let good = std::fs::read_to_string(&path).unwrap();
        let short = good.replacen("01", "", 1);
        for bad in ["", "{}", &good.replace("marks\"", "mark\""), &good[3..], &short] {
            std::fs::write(&path, bad).unwrap();
            assert_eq!(open(folder.path()).unwrap_err().code, "marks_damaged", "{bad}");
        }
    }
}
