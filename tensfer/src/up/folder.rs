//! A data folder, the server's or a witness's: `docs/spec/host.md` and `docs/spec/witnesses.md` list what lies in it.

use super::Data;
use anyhow::{Context, bail};
use host::relay::REGISTER;
use std::env::var_os;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The folder of sockets, in the data folder.
const RUN: &str = "run";

/// A folder that is ours.
#[derive(Debug)]
pub struct Folder(PathBuf);

/// One running process: no other starts on this folder while it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Folder {
    /// The folder that was asked for, or the default one; made when it is not there.
    pub fn open(data: &Data) -> anyhow::Result<Folder> {
        Folder::make(&data.path()?)
    }

    /// As [`Folder::open`], of one that is there.
    pub fn find(data: &Data) -> anyhow::Result<Folder> {
        Folder::at(&data.path()?)
    }

    /// The folder at `path`, made when it is not there.
    pub fn make(path: &Path) -> anyhow::Result<Folder> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.with_context(|| format!("the data folder `{}`", path.display()))?;
        Folder::at(path)
    }

    /// The folder that is at `path`.
    pub fn at(path: &Path) -> anyhow::Result<Folder> {
        let whose = || format!("the data folder `{}`", path.display());
        let path = path.canonicalize().with_context(whose)?;
        let metadata = path.metadata().with_context(whose)?;
        if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
            bail!("the data folder `{}` belongs to someone else, or others may write to it", path.display());
        }
        Ok(Folder(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Sockets and what else lives only as long as the process that holds the lock; mode 0700.
    pub fn run(&self) -> PathBuf {
        self.0.join(RUN)
    }

    /// What the relay alone writes to.
    pub fn relay(&self) -> PathBuf {
        self.0.join("relay")
    }

    /// What the enclave recorded of every connection, without any key material.
    pub fn register(&self) -> PathBuf {
        self.relay().join(REGISTER)
    }

    /// What was stated about rotations: anybody may read it.
    pub fn rotation(&self) -> PathBuf {
        self.0.join("rotation")
    }

    /// The evidence root of the simulated enclave that runs, DER: what a client names to accept it.
    pub fn simulation_root(&self) -> PathBuf {
        self.0.join("simulation-root.der")
    }

    /// Organisations and keys, where no other database keeps them; made if it is not there.
    pub fn identity(&self) -> anyhow::Result<PathBuf> {
        let path = self.0.join("identity");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("`{}`", path.display()))?;
        Ok(path)
    }

    /// The data of the witness that is started beside the others.
    pub fn witness(&self) -> PathBuf {
        self.0.join("witness")
    }

    /// Makes the folders that roles keep when they give up the rest: one that comes later they would not see.
    pub fn make_roles_own(&self) -> anyhow::Result<()> {
        for path in [self.relay(), self.rotation()] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
            made.with_context(|| format!("`{}`", path.display()))?;
        }
        self.move_register()
    }

    /// To where it lies now, from where former versions had it. Two are nobody's to choose from.
    fn move_register(&self) -> anyhow::Result<()> {
        let (former, register) = (self.0.join(REGISTER), self.register());
        if !former.exists() {
            return Ok(());
        }
        if register.exists() {
            bail!(
                "there is a register at `{}` and another at `{}`: move the one that is over out of the data folder",
                former.display(),
                register.display()
            );
        }
        let moved = std::fs::rename(&former, &register).and_then(|()| sync_folder(&register));
        moved.and_then(|()| sync_folder(&former)).with_context(|| format!("`{}`", former.display()))
    }

    /// Locks the folder for one process of `command`, and empties [`Folder::run`].
    pub fn lock(&self, command: &str) -> anyhow::Result<Lock> {
        let path = self.0.join("lock");
        let file = private().create(true).write(true).truncate(false).open(&path);
        let file = file.with_context(|| format!("`{}`", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another `{command}` runs on `{}`; end it, or choose another folder with `--data`",
                    self.0.display()
                )
            }
            Err(TryLockError::Error(error)) => return Err(error).context("the data folder cannot be locked"),
        }
        self.make_run().with_context(|| format!("`{}`", self.run().display()))?;
        Ok(Lock { _file: file })
    }

    /// What is left of processes that ended. The next start does it, too.
    pub fn remove_sockets(&self) {
        for entry in std::fs::read_dir(self.run()).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|found| found.is_socket()) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    fn make_run(&self) -> io::Result<()> {
        let run = self.run();
        // The folder stays the same one: who asks a witness keeps nothing but that when the witness starts again.
        match std::fs::symlink_metadata(&run) {
            Ok(found) if found.is_dir() => empty(&run)?,
            Ok(_) => std::fs::remove_file(&run)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&run)?;
        // Whatever the umask made of it.
        std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o700))
    }
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => std::fs::remove_dir_all(entry.path())?,
            false => std::fs::remove_file(entry.path())?,
        }
    }
    Ok(())
}

/// Opens files that only we may read.
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Writes `bytes` to `path` so that whoever reads it finds the old content or the new one.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = path.with_extension("next");
    match std::fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private().create_new(true).write(true).open(&next)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    std::fs::rename(&next, path)?;
    sync_folder(path)
}

/// Makes the entry of `path` in its folder durable.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

impl Data {
    /// Where the roles' sockets are, of the `up` that runs there.
    pub fn run(&self) -> anyhow::Result<PathBuf> {
        Ok(self.path()?.join(RUN))
    }

    fn path(&self) -> anyhow::Result<PathBuf> {
        let asked = self.data.clone().or_else(default_path);
        asked.context("neither XDG_DATA_HOME nor HOME is set; name a folder with `--data`")
    }
}

fn default_path() -> Option<PathBuf> {
    let named = |name| var_os(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    let base = named("XDG_DATA_HOME").or_else(|| Some(named("HOME")?.join(".local/share")))?;
    Some(base.join("tensfer-server"))
}
