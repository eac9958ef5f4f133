//! The simulated root: a file of epochs, made once and never again. Each change of it is a step in the life of an epoch:
//! the file has the state before it or the one after it, whenever the process dies (m21).

mod text;
mod wipe;

use super::folder::{private, sync_folder};
use super::provision::Surroundings;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use wire::Canonical;
use wire::consent::Class;
use wire::identity::{Phase, RelyingParty};
use wire::provision::{EpochRoot, Provision};
use zeroize::Zeroizing;

const ROOT: usize = 32;
/// The enclave holds no more.
const MOST_EPOCHS: usize = 512;

/// One root: it never moves, and is wiped when it goes.
type Secret = Box<Zeroizing<[u8; ROOT]>>;

/// The roots of one epoch: all classes have the same epochs here.
struct EpochSecrets {
    any: Secret,
    /// Of classes `delayed` and `owner`. Files from before there were classes have none until the next `tensfer up`.
    classes: Option<[Secret; 2]>,
}

impl EpochSecrets {
    fn make(with_classes: bool) -> io::Result<EpochSecrets> {
        let classes = if with_classes { Some([make_root()?, make_root()?]) } else { None };
        Ok(EpochSecrets { any: make_root()?, classes })
    }

    fn provision(&self, epoch: u32) -> EpochRoot<'_> {
        let of_class = |place: usize| self.classes.as_ref().map(|roots| roots[place].as_slice().into());
        EpochRoot { epoch, root: self.any.as_slice().into(), delayed: of_class(0), owner: of_class(1) }
    }
}

/// Every epoch that is held, ascending without a gap. Its memory is wiped when it goes.
pub struct Roots {
    oldest: u32,
    /// The last, or the one before it; then the last is pending.
    current: u32,
    /// Boxed: a vector of roots would leave copies behind when it grows.
    secrets: Vec<EpochSecrets>,
}

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Roots({} to {}, current {})", self.oldest, self.newest(), self.current)
    }
}

impl Roots {
    /// For an enclave whose operators bring its roots.
    pub fn none() -> Roots {
        Roots { oldest: 1, current: 1, secrets: Vec::new() }
    }
}

/// What a step left: the epoch that it was about, and whether it had been taken before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub epoch: u32,
    pub already: bool,
}

/// Why there is no root. None of them is ever answered by making a new one.
#[derive(Debug)]
pub enum RootError {
    /// The marker says that there was a root, and there is none.
    Lost(PathBuf),
    /// Nobody has made one yet.
    NotYet,
    /// The file is not what we write.
    Damaged(PathBuf),
    /// Others may read it.
    Exposed(PathBuf),
    Full,
    /// The step starts from another state than the file has.
    OutOfTurn(OutOfTurn),
    Io(io::Error),
}

/// Why a step is not taken: the state that it starts from is not the one that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfTurn {
    /// `begin` from an epoch that is not current.
    NotCurrent { asked: u32, current: u32 },
    /// `promote` without that epoch pending.
    NotPending { asked: u32, current: u32 },
    /// `destroy` of an epoch that is current or pending.
    InUse { asked: u32, current: u32 },
    /// `destroy` of an epoch with an older one retained.
    NotOldest { asked: u32, oldest: u32 },
}

impl std::fmt::Display for OutOfTurn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OutOfTurn::NotCurrent { asked, current } => {
                write!(f, "epoch {asked} is not current, {current} is: nothing was begun")
            }
            OutOfTurn::NotPending { asked, current } => {
                write!(
                    f,
                    "epoch {asked} is not pending (current is {current}): `tensfer root rotate begin` comes first"
                )
            }
            OutOfTurn::InUse { asked, current } => {
                write!(
                    f,
                    "epoch {asked} is in use (current is {current}): only a retained epoch is destroyed"
                )
            }
            OutOfTurn::NotOldest { asked, oldest } => {
                write!(f, "epoch {oldest} is older than {asked} and still held: it is destroyed first")
            }
        }
    }
}

impl std::fmt::Display for RootError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RootError::Lost(path) => write!(
                f,
                "`{}` is gone, and envelopes were sealed under it; bring it back, or start with another folder (a new \
                 root would not open them, so none is made)",
                path.display()
            ),
            RootError::NotYet => f.write_str("there is no root yet; the first `tensfer up` makes it"),
            RootError::Damaged(path) => {
                write!(
                    f,
                    "`{}` is damaged; bring back a good copy (a new root is never made in its place)",
                    path.display()
                )
            }
            RootError::Exposed(path) => {
                write!(f, "others may read `{}`; its mode has to be 0600", path.display())
            }
            RootError::Full => f.write_str("the root has as many epochs as it can have: destroy the oldest"),
            RootError::OutOfTurn(why) => why.fmt(f),
            RootError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RootError {}

impl From<io::Error> for RootError {
    fn from(error: io::Error) -> RootError {
        RootError::Io(error)
    }
}

/// Where the root of a data folder lies.
#[derive(Debug)]
pub struct RootFile {
    path: PathBuf,
    marker: PathBuf,
}

impl RootFile {
    pub fn of(data: &Path) -> RootFile {
        RootFile { path: data.join("simulated-root"), marker: data.join("simulated-root.made") }
    }

    /// The root; made when there has never been one.
    ///
    /// INVARIANT: the marker is durable before anyone is given the root, so a root that was ever used is never
    /// replaced because its file is missing.
    pub fn load_or_make(&self) -> Result<Roots, RootError> {
        let _lock = self.lock()?;
        wipe::finish(&self.path)?;
        if !self.exists(&self.path)? {
            if self.exists(&self.marker)? {
                return Err(RootError::Lost(self.path.clone()));
            }
            self.make()?;
        }
        let mut roots = self.load()?;
        self.mark()?;
        if roots.add_classes()? {
            // On disk before anything is sealed under them.
            wipe::replace_and_wipe(&self.path, &text::print(&roots))?;
        }
        Ok(roots)
    }

    /// Whether there is a root, or ever was one.
    pub fn was_made(&self) -> Result<bool, RootError> {
        Ok(self.exists(&self.path)? || self.exists(&self.marker)?)
    }

    /// The root as the file has it.
    pub fn load(&self) -> Result<Roots, RootError> {
        use std::os::unix::fs::MetadataExt;
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let lost = self.exists(&self.marker)?;
                return Err(if lost { RootError::Lost(self.path.clone()) } else { RootError::NotYet });
            }
            Err(error) => return Err(error.into()),
        };
        if file.metadata()?.mode() & 0o077 != 0 {
            return Err(RootError::Exposed(self.path.clone()));
        }
        let text = text::read(&mut file)?;
        text::parse(&text).ok_or_else(|| RootError::Damaged(self.path.clone()))
    }

    /// Adds the epoch after the current one, which is current at once, and returns its number.
    pub fn add_epoch(&self) -> Result<u32, RootError> {
        let step = self.change(Roots::begin_and_promote)?;
        Ok(step.epoch)
    }

    /// Makes the root of the epoch after `from`, pending; without `from`, after the current one.
    pub fn begin(&self, from: Option<u32>) -> Result<Step, RootError> {
        self.change(|roots| roots.begin(from))
    }

    /// Makes the pending epoch current; `epoch` names it, so that a repeated step is no second one.
    pub fn promote(&self, epoch: Option<u32>) -> Result<Step, RootError> {
        self.change(|roots| roots.promote(epoch.unwrap_or_else(|| roots.newest())))
    }

    /// Whether `epoch` may be destroyed, or was.
    pub fn check_destroyable(&self, epoch: u32) -> Result<Step, RootError> {
        let _lock = self.lock()?;
        let roots = self.load()?;
        roots.check_destroyable(epoch)
    }

    /// Takes the oldest epoch out of the file, and overwrites what was there. How far that reaches the medium is the
    /// file system's and the disk's.
    pub fn destroy(&self, epoch: u32) -> Result<Step, RootError> {
        let _lock = self.lock()?;
        wipe::finish(&self.path)?;
        let mut roots = self.load()?;
        let step = roots.check_destroyable(epoch)?;
        if !step.already {
            roots.secrets.remove(0);
            roots.oldest += 1;
            wipe::replace_and_wipe(&self.path, &text::print(&roots))?;
        }
        Ok(step)
    }

    /// The new file takes the old one's place in one step. What the old one was is overwritten, for its epochs are destroyed
    /// some day.
    fn change(&self, step: impl FnOnce(&mut Roots) -> Result<Step, RootError>) -> Result<Step, RootError> {
        let _lock = self.lock()?;
        let mut roots = self.load()?;
        let step = step(&mut roots)?;
        if !step.already {
            wipe::replace_and_wipe(&self.path, &text::print(&roots))?;
        }
        Ok(step)
    }

    /// Two commands at once would lose an epoch.
    fn lock(&self) -> io::Result<File> {
        let file =
            private().create(true).write(true).truncate(false).open(self.path.with_extension("lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// Writes beside, then links: the name appears with its whole content, or not at all, and never over another.
    fn make(&self) -> Result<(), RootError> {
        let next = self.path.with_extension("next");
        if self.exists(&next)? {
            // Left by a crash before it had its name: nothing was ever sealed under it.
            std::fs::remove_file(&next)?;
        }
        let mut file = private().create_new(true).write(true).open(&next)?;
        file.write_all(&text::print(&Roots {
            oldest: 1,
            current: 1,
            secrets: vec![EpochSecrets::make(true)?],
        }))?;
        file.sync_all()?;
        std::fs::hard_link(&next, &self.path)?;
        std::fs::remove_file(&next)?;
        Ok(sync_folder(&self.path)?)
    }

    fn mark(&self) -> io::Result<()> {
        if self.exists(&self.marker)? {
            return Ok(());
        }
        let mut file = private().create_new(true).write(true).open(&self.marker)?;
        file.write_all(b"A root was made here. While this file exists, no other is made in its place.\n")?;
        file.sync_all()?;
        sync_folder(&self.marker)
    }

    /// Anything under that name counts, also a link to nowhere.
    fn exists(&self, path: &Path) -> io::Result<bool> {
        match std::fs::symlink_metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Roots {
    pub fn oldest(&self) -> u32 {
        self.oldest
    }

    pub fn current(&self) -> u32 {
        self.current
    }

    pub fn newest(&self) -> u32 {
        self.oldest + u32::try_from(self.secrets.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Every epoch has roots of all classes, or none has.
    fn has_classes(&self) -> bool {
        self.secrets.iter().all(|secrets| secrets.classes.is_some())
    }

    /// The classes that the file has roots of, from `any` on.
    pub fn classes(&self) -> &'static [Class] {
        if self.has_classes() { &Class::ALL } else { &[Class::Any] }
    }

    /// Makes the roots of the classes that there were none of when the file was made. No root that was ever there is made
    /// anew (m14): a file that has lost some is damaged.
    fn add_classes(&mut self) -> io::Result<bool> {
        if self.has_classes() {
            return Ok(false);
        }
        for secrets in &mut self.secrets {
            secrets.classes = Some([make_root()?, make_root()?]);
        }
        Ok(true)
    }

    /// Of an epoch that is held.
    pub fn phase(&self, epoch: u32) -> Phase {
        match epoch.cmp(&self.current) {
            std::cmp::Ordering::Less => Phase::Retained,
            std::cmp::Ordering::Equal => Phase::Current,
            std::cmp::Ordering::Greater => Phase::Pending,
        }
    }

    /// The body of a `Provision` frame.
    pub fn provision(&self, surroundings: &Surroundings) -> Zeroizing<Vec<u8>> {
        let Surroundings { sandbox, witnessed, relying_parties } = surroundings;
        let epochs = (self.oldest..).zip(&self.secrets).map(|(epoch, secrets)| secrets.provision(epoch));
        let provision = Provision {
            epochs: epochs.collect(),
            sandbox: Some(sandbox.as_slice().into()),
            current: (!self.secrets.is_empty()).then_some(self.current),
            witnessed: Some(witnessed.clone()),
            relying_parties: relying_parties.clone(),
        };
        // Grown, it would leave copies behind.
        let of_party = |party: &RelyingParty| party.to_bytes().len();
        let besides =
            sandbox.len() + witnessed.to_bytes().len() + relying_parties.iter().map(of_party).sum::<usize>();
        let mut bytes =
            Zeroizing::new(Vec::with_capacity(64 + besides + self.secrets.len() * (3 * ROOT + 24)));
        // Writing to memory does not fail.
        let _ = minicbor::encode(&provision, &mut *bytes);
        bytes
    }

    fn begin(&mut self, from: Option<u32>) -> Result<Step, RootError> {
        let from = from.unwrap_or(self.current);
        let begun = from.saturating_add(1);
        if begun <= self.newest() && begun >= self.current {
            return Ok(Step { epoch: begun, already: true });
        }
        if from != self.current {
            let why = OutOfTurn::NotCurrent { asked: from, current: self.current };
            return Err(RootError::OutOfTurn(why));
        }
        if self.secrets.len() >= MOST_EPOCHS || begun == from {
            return Err(RootError::Full);
        }
        self.secrets.push(EpochSecrets::make(self.has_classes())?);
        Ok(Step { epoch: begun, already: false })
    }

    fn promote(&mut self, epoch: u32) -> Result<Step, RootError> {
        let already = epoch == self.current;
        if !already && (epoch != self.newest() || epoch < self.current) {
            let why = OutOfTurn::NotPending { asked: epoch, current: self.current };
            return Err(RootError::OutOfTurn(why));
        }
        self.current = epoch;
        Ok(Step { epoch, already })
    }

    fn begin_and_promote(&mut self) -> Result<Step, RootError> {
        let begun = self.begin(None)?;
        self.promote(begun.epoch)
    }

    fn check_destroyable(&self, epoch: u32) -> Result<Step, RootError> {
        let why = if epoch < self.oldest {
            return Ok(Step { epoch, already: true });
        } else if epoch >= self.current {
            OutOfTurn::InUse { asked: epoch, current: self.current }
        } else if epoch != self.oldest {
            OutOfTurn::NotOldest { asked: epoch, oldest: self.oldest }
        } else {
            return Ok(Step { epoch, already: false });
        };
        Err(RootError::OutOfTurn(why))
    }
}

fn make_root() -> io::Result<Secret> {
    let mut root = Box::new(Zeroizing::new([0; ROOT]));
    getrandom::fill(&mut root[..]).map_err(io::Error::other)?;
    Ok(root)
}

#[cfg(test)]
mod tests;
