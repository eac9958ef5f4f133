//! The owner's directory, `TENSFER_HOME`: layout in `docs/spec/client.md`.
//!
//! One command at a time writes it. Simulated and real deployments lie in separate realms and never mix.

pub mod api_keys;
pub mod environment;
pub mod files;
pub mod grantee;
pub mod grants;
pub mod journal;
pub mod key_file;
pub mod keys;
mod ledger;
pub mod marks;
pub mod panicked;
pub mod passphrase;
pub mod realm;
pub mod receipts;
pub mod record;
pub mod rings;
mod statements;
pub mod versions;

use crate::client::failure::{Failure, Fault, Result};
use crate::client::terminal::say;
use key_file::{Content, Locked, Purpose, Secret, seal};
use ledger::Ledger;
use panicked::Panicked;
use passphrase::Passphrases;
use realm::Realm;
use record::Record;
use rings::{Owner, Ring};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use wire::ConnectionId;
use wire::owner::{OwnerKey, OwnerRole};

pub struct Home {
    root: PathBuf,
    passphrases: Passphrases,
    /// Where the keys kept apart are, if not in the home.
    second_factor: Option<PathBuf>,
    cost: key_file::Cost,
    /// The receipts of each realm that was looked at.
    ledgers: Mutex<BTreeMap<Realm, Arc<Ledger>>>,
    /// What was told already: once in a command is enough.
    told: Mutex<BTreeSet<String>>,
    /// Held until the command ends: that of every command, and of an agent its own.
    _locks: Vec<File>,
}

/// Locked by every command that works on the home, and by the agent that has it to itself.
const LOCK: &str = "lock";
const AGENTS_LOCK: &str = "agent.lock";

impl Home {
    /// Opens the directory, makes it if need be, and waits until no other command uses it.
    pub fn open(root: PathBuf, passphrases: Passphrases, second_factor: Option<PathBuf>) -> Result<Home> {
        Home::open_at_cost(root, passphrases, second_factor, key_file::COST)
    }

    /// `cost` is for key files that are written; tests make it cheap.
    pub(super) fn open_at_cost(
        root: PathBuf,
        passphrases: Passphrases,
        second_factor: Option<PathBuf>,
        cost: key_file::Cost,
    ) -> Result<Home> {
        let locks = |root: &Path| Ok(vec![lock(root)?]);
        Home::open_locked(root, passphrases, second_factor, cost, locks)
    }

    /// As [`Home::open`], for as long as an agent runs. It waits for nobody, and commands are refused meanwhile and told
    /// why: they would wait until it ends.
    pub fn open_for_agent(
        root: PathBuf,
        passphrases: Passphrases,
        second_factor: Option<PathBuf>,
    ) -> Result<Home> {
        let locks = |root: &Path| {
            let agents = try_lock(&root.join(AGENTS_LOCK))?.ok_or_else(agent_running)?;
            Ok(vec![try_lock(&root.join(LOCK))?.ok_or_else(in_use)?, agents])
        };
        Home::open_locked(root, passphrases, second_factor, key_file::COST, locks)
    }

    fn open_locked(
        root: PathBuf,
        passphrases: Passphrases,
        second_factor: Option<PathBuf>,
        cost: key_file::Cost,
        locks: impl FnOnce(&Path) -> Result<Vec<File>>,
    ) -> Result<Home> {
        files::make_private_dir(&root)?;
        if let Some(warning) = files::open_dir_warning(&root) {
            say(warning);
        }
        let locks = locks(&root)?;
        let (ledgers, told) = (Mutex::default(), Mutex::default());
        Ok(Home { root, passphrases, second_factor, cost, ledgers, told, _locks: locks })
    }

    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Whether nothing was told about this before, in this command.
    pub fn tells_first(&self, about: &str) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(about.to_owned())
    }

    /// The owner's secret and device keys. `None`: there are none yet.
    pub fn owner(&self, realm: Realm) -> Result<Option<Owner>> {
        let path = self.owner_path(realm);
        let Some(secret) = self.read_keys(&path, (Purpose::Owner, realm))? else { return Ok(None) };
        Owner::from_bytes(&secret).map(Some)
    }

    /// The owner of a realm that is in use. A missing file is told apart from an empty realm.
    pub fn existing_owner(&self, realm: Realm) -> Result<Owner> {
        if let Some(owner) = self.owner(realm)? {
            return Ok(owner);
        }
        match self.connection_ids(realm)?.is_empty() {
            true => Err(Failure::usage(format!("you have no {realm} connection yet"))
                .hint("link an account first: `tensfer link EXCHANGE`")),
            false => Err(missing(&self.owner_path(realm))),
        }
    }

    /// The owner, made now if this realm is empty; never made again because a file is missing (m14).
    pub fn owner_or_new(&self, realm: Realm) -> Result<Owner> {
        if let Some(owner) = self.owner(realm)? {
            return Ok(owner);
        }
        if !self.connections_in(realm)?.is_empty() {
            return Err(missing(&self.owner_path(realm)));
        }
        let owner = Owner::make()?;
        self.save_owner(realm, &owner)?;
        Ok(owner)
    }

    pub fn save_owner(&self, realm: Realm, owner: &Owner) -> Result<()> {
        self.write_keys(&self.owner_path(realm), (Purpose::Owner, realm), &owner.to_bytes())
    }

    /// The keys kept apart. `None`: there are none where they were looked for.
    pub fn second_factor(&self, realm: Realm) -> Result<Option<Ring>> {
        let path = self.second_factor_path(realm);
        let Some(secret) = self.read_keys(&path, (Purpose::SecondFactor, realm))? else { return Ok(None) };
        Ring::from_bytes(OwnerRole::Second, &secret).map(Some)
    }

    /// As [`Home::owner_or_new`].
    pub fn second_factor_or_new(&self, realm: Realm) -> Result<Ring> {
        if let Some(ring) = self.second_factor(realm)? {
            return Ok(ring);
        }
        if !self.connections_in(realm)?.is_empty() {
            return Err(missing(&self.second_factor_path(realm))
                .hint("name the file that you keep apart with `--second-factor FILE`"));
        }
        let ring = Ring::make(OwnerRole::Second)?;
        self.save_second_factor(realm, &ring)?;
        Ok(ring)
    }

    pub fn save_second_factor(&self, realm: Realm, ring: &Ring) -> Result<()> {
        self.write_keys(&self.second_factor_path(realm), (Purpose::SecondFactor, realm), &ring.to_bytes())
    }

    /// Every connection of every realm, in the order they were linked within each.
    pub fn connections(&self) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        for realm in Realm::ALL {
            records.extend(self.connections_in(realm)?);
        }
        Ok(records)
    }

    pub fn connections_in(&self, realm: Realm) -> Result<Vec<Record>> {
        let ids = self.connection_ids(realm)?;
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            records.extend(self.read(realm, id)?);
        }
        records.sort_by_key(|record| (record.linked, record.id));
        Ok(records)
    }

    /// The connection of that id, if it is of that realm.
    pub fn read(&self, realm: Realm, id: ConnectionId) -> Result<Option<Record>> {
        let path = self.connection_path(realm, id);
        let Some(bytes) = files::read(&path)? else { return Ok(None) };
        let mut record = Record::from_bytes(&bytes, realm).map_err(|failure| in_file(&path, failure))?;
        record.receipts.catch_up(self.ledger(realm)?.latest(record.id));
        Ok(Some(record))
    }

    /// The connection of that id or name; a connection of another realm is refused.
    pub fn connection(&self, realm: Realm, id_or_name: &str) -> Result<Record> {
        let record = self.connection_anywhere(id_or_name)?;
        if record.realm != realm {
            return Err(Realm::mixed(record.realm, realm));
        }
        Ok(record)
    }

    /// The connection of that id or name, whatever its realm.
    pub fn connection_anywhere(&self, id_or_name: &str) -> Result<Record> {
        let matches = |record: &Record| record.id.to_string() == id_or_name || record.name == id_or_name;
        let mut found = self.connections()?.into_iter().filter(matches);
        let record = found.next().ok_or_else(|| unknown(id_or_name))?;
        if found.next().is_some() {
            return Err(
                Failure::usage("you have several connections of that name").hint("give the id instead")
            );
        }
        Ok(record)
    }

    /// Writes down, durably, how far the receipts of a connection are; nothing else of its record. Cheap where many are
    /// noted at the same time.
    pub fn note(&self, record: &Record) -> Result<()> {
        self.ledger(record.realm)?.note(record.id, &record.receipts)
    }

    /// Replaces the file of a connection, durably.
    pub fn save(&self, record: &Record) -> Result<()> {
        let path = self.connection_path(record.realm, record.id);
        files::make_private_dir(path.parent().unwrap_or(&self.root))?;
        files::replace(&path, &record.to_bytes()?)
    }

    /// With what was kept of grants of it.
    pub fn remove(&self, record: &Record) -> Result<()> {
        self.end_given_grants(record.realm, record.id, u64::MAX)?;
        files::remove(&self.connection_path(record.realm, record.id)).map(|_| ())
    }

    /// Keeps, durably, what came of giving a connection up.
    pub fn save_panicked(&self, panicked: &Panicked) -> Result<PathBuf> {
        let path =
            self.root.join(panicked.realm.name()).join("panic").join(format!("{}.json", panicked.connection));
        files::make_private_dir(path.parent().unwrap_or(&self.root))?;
        files::replace(&path, &panicked.to_bytes()?)?;
        Ok(path)
    }

    /// Removes the owner's secret and device keys, once no connection of the realm needs them. True: they were there.
    pub fn remove_owner(&self, realm: Realm) -> Result<bool> {
        Ok(self.connection_ids(realm)?.is_empty() && files::remove(&self.owner_path(realm))?)
    }

    /// Drops the keys that no connection names any more, after owner keys were rotated.
    pub fn drop_unused_keys(&self, realm: Realm, owner: &mut Owner, second: &mut Ring) -> Result<()> {
        let records = self.connections_in(realm)?;
        let slots = records.iter().flat_map(|record| record.current.iter().chain(&record.pending));
        let in_use: Vec<OwnerKey> = slots.flat_map(|slot| slot.owners.iter().cloned()).collect();
        if owner.devices.keep(&in_use) {
            self.save_owner(realm, owner)?;
        }
        if second.keep(&in_use) {
            self.save_second_factor(realm, second)?;
        }
        Ok(())
    }

    /// Where the keys kept apart are.
    pub fn second_factor_path(&self, realm: Realm) -> PathBuf {
        self.second_factor.clone().unwrap_or_else(|| self.root.join(realm.name()).join("second-factor.key"))
    }

    fn owner_path(&self, realm: Realm) -> PathBuf {
        self.root.join(realm.name()).join("owner.key")
    }

    fn connection_path(&self, realm: Realm, id: ConnectionId) -> PathBuf {
        self.root.join(realm.name()).join("connections").join(format!("{id}.json"))
    }

    fn ledger(&self, realm: Realm) -> Result<Arc<Ledger>> {
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ledger) = ledgers.get(&realm) {
            return Ok(Arc::clone(ledger));
        }
        let path = self.root.join(realm.name()).join("receipts");
        let exists = |connection| self.connection_path(realm, connection).exists();
        let ledger = Arc::new(Ledger::open(path, realm, exists)?);
        ledgers.insert(realm, Arc::clone(&ledger));
        Ok(ledger)
    }

    fn connection_ids(&self, realm: Realm) -> Result<Vec<ConnectionId>> {
        let path = self.root.join(realm.name()).join("connections");
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(Failure::internal(format!(
                    "this machine could not list `{}`: {error}",
                    path.display()
                )));
            }
        };
        let id = |name: std::ffi::OsString| ConnectionId::parse(name.to_str()?.strip_suffix(".json")?);
        let mut ids: Vec<ConnectionId> =
            entries.flatten().filter_map(|entry| id(entry.file_name())).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    fn read_keys(&self, path: &Path, kind: (Purpose, Realm)) -> Result<Option<Secret>> {
        let Some(bytes) = files::read(path)? else { return Ok(None) };
        if let Some(warning) = files::exposure_warning(path) {
            say(warning);
        }
        let secret = match key_file::read(kind, &bytes)? {
            Content::Open(secret) => secret,
            Content::Locked(locked) => return self.unlock(path, &locked).map(Some),
            Content::OnToken(_) => return Err(key_file::token_needed(path)),
        };
        if self.passphrases.given_by_file() {
            self.write_keys(path, kind, &secret)?;
            say(format!(
                "note: `{}` was stored unencrypted; it is under your passphrase now",
                path.display()
            ));
            if kind.0 == Purpose::Owner {
                // The other file too, though this command may not need it: what is said holds for both.
                self.second_factor(kind.1)?;
            }
        }
        Ok(Some(secret))
    }

    fn unlock(&self, path: &Path, locked: &Locked<'_>) -> Result<Secret> {
        let unlocked = self.passphrases.existing(path, |passphrase| locked.unlock(passphrase))?;
        unlocked.ok_or_else(passphrase::none_given)
    }

    fn write_keys(&self, path: &Path, kind: (Purpose, Realm), secret: &[u8]) -> Result<()> {
        let passphrase = self.passphrases.chosen()?;
        if passphrase.is_none() && self.tells_first(&path.to_string_lossy()) {
            say(format!(
                "warning: `{}` is stored unencrypted (mode 0600): no passphrase was given\n\
                 hint: `--passphrase-file FILE` locks it, now or with any later command",
                path.display()
            ));
        }
        if let Some(directory) = path.parent().filter(|directory| directory.starts_with(&self.root)) {
            files::make_private_dir(directory)?;
        }
        files::replace(path, &seal(kind, secret, passphrase, self.cost)?)
    }
}

impl std::fmt::Debug for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Home({})", self.root.display())
    }
}

/// Waits for another command, but not for an agent.
fn lock(root: &Path) -> Result<File> {
    let path = root.join(LOCK);
    if let Some(file) = try_lock(&path)? {
        return Ok(file);
    }
    if try_lock(&root.join(AGENTS_LOCK))?.is_none() {
        return Err(agent_running());
    }
    say("waiting for another `tensfer` command to end");
    let file = open_lock(&path)?;
    file.lock().map_err(|error| not_locked(&path, &error))?;
    Ok(file)
}

/// `None`: another process holds it.
fn try_lock(path: &Path) -> Result<Option<File>> {
    let file = open_lock(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(not_locked(path, &error)),
    }
}

fn open_lock(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let open = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    open.map_err(|error| not_locked(path, &error))
}

fn not_locked(path: &Path, error: &std::io::Error) -> Failure {
    Failure::internal(format!("this machine could not lock `{}`: {error}", path.display()))
}

fn agent_running() -> Failure {
    Failure::refused("agent_running", "an agent has your TENSFER_HOME to itself (agent_running)")
        .hint("ask the agent, or stop it first; another one needs a TENSFER_HOME of its own")
}

fn in_use() -> Failure {
    Failure::refused("home_in_use", "another `tensfer` command uses your TENSFER_HOME (home_in_use)")
        .hint("start the agent when it has ended")
        .retryable(true)
}

pub fn unknown(id_or_name: &str) -> Failure {
    let name = crate::client::terminal::printable(id_or_name);
    Failure::new(Fault::Usage, "unknown_connection", format!("you have no connection `{name}`"))
        .hint("`tensfer connections` lists them")
}

fn in_file(path: &Path, failure: Failure) -> Failure {
    let sentence = format!("{}: `{}`", failure.sentence, path.display());
    Failure { sentence, ..failure }
}

fn missing(path: &Path) -> Failure {
    Failure::refused(
        "key_file_missing",
        format!("your key file `{}` is missing, though connections need it", path.display()),
    )
    .hint(
        "put back a copy of it; keys are never made again in silence, since nothing old would open with them",
    )
}

#[cfg(test)]
mod tests;
