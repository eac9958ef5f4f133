//! Files of the owner's directory: mode 0600 in directories of mode 0700, replaced as a whole or not at all.

use crate::client::failure::{Failure, Result};
use crate::client::terminal::say;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// No file of the home is larger.
const MAX_FILE: u64 = 4 << 20;

/// What differs between two states of a file: [`replace`] makes another inode, and writing moves the time of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
}

/// Makes a directory that only its owner enters. One that is there is left as it is, and refused if others could put
/// files in it: it may be somebody's for another purpose.
pub fn make_private_dir(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| io("create", path, &error))?;
    let metadata = fs::metadata(path).map_err(|error| io("read", path, &error))?;
    let (owner, mode) = (metadata.uid(), metadata.mode());
    if owner == rustix::process::geteuid().as_raw() && mode & 0o022 == 0 {
        return Ok(());
    }
    let shown = path.display();
    let whose = match mode & 0o022 {
        0 => "belongs to another user",
        _ => "can be written to by others on this machine",
    };
    let failure =
        Failure::refused("home_exposed", format!("your directory `{shown}` {whose} (home_exposed)"));
    Err(failure
        .hint(format!("run `chmod 700 {shown}` if it is yours alone, or name another with TENSFER_HOME")))
}

/// What to tell of a directory that others may look into: they learn what is linked, though they can read no file.
pub fn open_dir_warning(path: &Path) -> Option<String> {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.mode());
    (mode & 0o055 != 0).then(|| {
        let shown = path.display();
        format!("warning: others on this machine may look into `{shown}`\nhint: `chmod 700 {shown}`")
    })
}

/// Reads a bounded file; `None` where there is none.
pub fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>> {
    read_up_to(path, MAX_FILE)
}

/// Which state of a file there is, without reading it; `None` where there is none.
pub fn version(path: &Path) -> Result<Option<Version>> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(Version {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            changed: (found.ctime(), found.ctime_nsec()),
        })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io("read", path, &error)),
    }
}

/// The same of a file that may be longer than most.
pub fn read_up_to(path: &Path, most: u64) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("open", path, &error)),
    };
    read_to(file, most).map(Some).map_err(|error| io("read", path, &error))
}

/// Reads to the end into one buffer that is zeroized; it is sized before, so that no copy is left by growing.
fn read_bounded(source: impl Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    read_to(source, MAX_FILE)
}

/// What a person named: a file, or standard input for `-`. `what` says what it was to hold.
pub fn read_named(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    if path.as_os_str() == "-" {
        return read_bounded(std::io::stdin().lock())
            .map_err(|_| Failure::usage("standard input could not be read"));
    }
    read(path)?.ok_or_else(|| Failure::usage(format!("there is no {what} `{}`", path.display())))
}

/// The same of a secret, with a warning where others may read it.
pub fn read_secret(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    if let Some(warning) = exposure_warning(path) {
        say(warning);
    }
    read_named(path, what)
}

fn read_to(source: impl Read, most: u64) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 << 10));
    let mut source = source.take(most + 1);
    loop {
        if bytes.len() == bytes.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(bytes.capacity() * 4));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        let (start, room) = (bytes.len(), bytes.capacity());
        bytes.resize(room, 0);
        let read = source.read(&mut bytes[start..]);
        bytes.truncate(start + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(0) if bytes.len() as u64 > most => return Err(ErrorKind::FileTooLarge.into()),
            Ok(0) => return Ok(bytes),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Replaces a file durably: a crash leaves the old one or the new one, whole.
///
/// Temporary file, fsync, rename, fsync of the directory.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = Path::new(&temporary);
    let write = || {
        // A leftover of a crash may have another mode or be a link: it is removed, and the new one made exclusively.
        match fs::remove_file(temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(temporary, path)?;
        File::open(directory(path))?.sync_all()
    };
    write().map_err(|error| io("write", path, &error))
}

/// Writes a new file that only its owner reads; refuses to overwrite.
pub fn create(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::usage(format!("`{}` exists already, and is not overwritten", path.display()))
                .hint("name a new file")
        }
        _ => io("create", path, &error),
    })
}

/// Takes a file away; false: it was not there.
pub fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        removed => removed.map(|()| true).map_err(|error| io("remove", path, &error)),
    }
}

/// Overwrites a file with zeros, and takes its name away. How far that reaches the medium is the file system's.
pub fn erase(path: &Path) -> Result<()> {
    let erase = || {
        let mut file = OpenOptions::new().write(true).open(path)?;
        let length = file.metadata()?.len();
        std::io::copy(&mut std::io::repeat(0).take(length), &mut file)?;
        file.sync_all()?;
        fs::remove_file(path)?;
        File::open(directory(path))?.sync_all()
    };
    erase().map_err(|error| io("erase", path, &error))
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The bits by which others than the owner may reach a regular file; zero for pipes and terminals.
fn exposure(path: &Path) -> u32 {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata.mode() & 0o077,
        _ => 0,
    }
}

/// Whether anybody but us and root may change a file.
pub fn others_may_write(path: &Path) -> bool {
    let owner = fs::metadata(path).map_or(0, |metadata| metadata.uid());
    exposure(path) & 0o022 != 0 || ![0, rustix::process::geteuid().as_raw()].contains(&owner)
}

/// What to tell of a file with a secret that others may reach.
pub fn exposure_warning(path: &Path) -> Option<String> {
    (exposure(path) != 0).then(|| {
        format!(
            "warning: others on this machine may read `{}`\nhint: `chmod 600` it, or remove it when you are done",
            path.display()
        )
    })
}

pub(super) fn io(verb: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::internal(format!("this machine could not {verb} `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn m18_files_are_their_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("a/b");
        make_private_dir(&home).unwrap();
        assert_eq!(mode(&home), 0o700);
        assert_eq!(open_dir_warning(&home), None);

        let file = home.join("file");
        replace(&file, b"one").unwrap();
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(exposure(&file), 0o044);
        replace(&file, b"two").unwrap();
        assert_eq!((mode(&file), read(&file).unwrap().unwrap().as_slice()), (0o600, &b"two"[..]));
    }

    #[test]
    fn a_directory_that_was_there_is_never_changed_but_refused_where_others_may_write() {
        let directory = tempfile::tempdir().unwrap();
        for (given, refused, told) in [
            (0o755, false, true),
            (0o711, false, true),
            (0o770, true, true),
            (0o1777, true, true),
            (0o500, false, false),
        ] {
            fs::set_permissions(directory.path(), Permissions::from_mode(given)).unwrap();
            let made = make_private_dir(directory.path());
            assert_eq!(fs::metadata(directory.path()).unwrap().mode() & 0o7777, given);
            assert_eq!(made.is_err(), refused, "{given:o}");
            assert_eq!(open_dir_warning(directory.path()).is_some(), told, "{given:o}");
        }
        fs::set_permissions(directory.path(), Permissions::from_mode(0o770)).unwrap();
        let refused = make_private_dir(directory.path()).unwrap_err().to_string();
        assert!(refused.contains("chmod 700") && refused.contains("TENSFER_HOME"), "{refused}");
    }

    #[test]
    fn m18_a_secret_that_others_may_read_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("passphrase");
        create(&file, b"secret").unwrap();
        assert_eq!(exposure_warning(&file), None);
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        assert!(exposure_warning(&file).unwrap().contains("others on this machine may read"));
        assert_eq!(exposure_warning(&directory.path().join("absent")), None);
    }

    #[test]
    fn a_leftover_of_a_crash_is_neither_followed_nor_in_the_way() {
        let directory = tempfile::tempdir().unwrap();
        let (file, victim) = (directory.path().join("file"), directory.path().join("victim"));
        fs::write(&victim, b"untouched").unwrap();
        std::os::unix::fs::symlink(&victim, directory.path().join("file.new")).unwrap();
        replace(&file, b"new").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"untouched");
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }

    #[test]
    fn an_existing_file_is_never_overwritten_by_create() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        create(&file, b"one").unwrap();
        assert!(create(&file, b"two").is_err());
        assert_eq!(fs::read(&file).unwrap(), b"one");
    }

    #[test]
    fn reading_is_bounded_and_whole() {
        let long = vec![7u8; (64 << 10) + 5];
        assert_eq!(read_bounded(&long[..]).unwrap().as_slice(), long);
        assert!(read_bounded(std::io::repeat(0)).is_err());
    }
}
