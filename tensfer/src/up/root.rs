//! The simulated root: a file of epochs, made once and never again.
//!
//! ```text
//! tensfer simulated root v1 - DEVELOPMENT, protects nothing
//! 1 <64 lower-case hexadecimal digits>
//! 2 <64 lower-case hexadecimal digits>
//! ```

use super::folder::{private, replace, sync_folder};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use wire::provision::{EpochRoot, Provision};
use zeroize::Zeroizing;

const HEADER: &str = "tensfer simulated root v1 - DEVELOPMENT, protects nothing\n";
const ROOT: usize = 32;
/// The enclave holds no more.
const MOST_EPOCHS: usize = 512;
/// A number of up to ten digits, a space, the root and the line's end.
const LINE: usize = 10 + 1 + 2 * ROOT + 1;
const MOST_BYTES: usize = HEADER.len() + MOST_EPOCHS * LINE;

/// Every epoch, ascending from 1 without a gap. Its memory is wiped when it goes.
#[expect(clippy::vec_box, reason = "a vector of roots would leave copies behind when it grows")]
pub struct Roots(Vec<Box<Zeroizing<[u8; ROOT]>>>);

impl std::fmt::Debug for Roots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Roots({} epochs)", self.0.len())
    }
}

impl Roots {
    /// For an enclave whose operators bring its roots.
    pub fn none() -> Roots {
        Roots(Vec::new())
    }
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
    Io(io::Error),
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
            RootError::Full => f.write_str("the root has as many epochs as it can have"),
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
        if !self.exists(&self.path)? {
            if self.exists(&self.marker)? {
                return Err(RootError::Lost(self.path.clone()));
            }
            self.make()?;
        }
        let roots = self.load()?;
        self.mark()?;
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
        let text = read(&mut file)?;
        parse(&text).ok_or_else(|| RootError::Damaged(self.path.clone()))
    }

    /// Adds an epoch and returns its number: the new file takes the old one's place in one step.
    pub fn add_epoch(&self) -> Result<usize, RootError> {
        let _lock = self.lock()?;
        let mut roots = self.load()?;
        if roots.0.len() >= MOST_EPOCHS {
            return Err(RootError::Full);
        }
        roots.0.push(make_root()?);
        replace(&self.path, &print(&roots))?;
        Ok(roots.0.len())
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
        file.write_all(&print(&Roots(vec![make_root()?])))?;
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
    /// The body of a `Provision` frame.
    pub fn provision(&self, sandbox: &[u8]) -> Zeroizing<Vec<u8>> {
        let epochs =
            (1..).zip(&self.0).map(|(epoch, root)| EpochRoot { epoch, root: root.as_slice().into() });
        let provision = Provision { epochs: epochs.collect(), sandbox: Some(sandbox.into()) };
        // Grown, it would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 + sandbox.len() + self.0.len() * (ROOT + 16)));
        // Writing to memory does not fail.
        let _ = minicbor::encode(&provision, &mut *bytes);
        bytes
    }
}

fn make_root() -> io::Result<Box<Zeroizing<[u8; ROOT]>>> {
    let mut root = Box::new(Zeroizing::new([0; ROOT]));
    getrandom::fill(&mut root[..]).map_err(io::Error::other)?;
    Ok(root)
}

/// Reads at most [`MOST_BYTES`], into memory that never moves.
fn read(file: &mut File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(vec![0; MOST_BYTES + 1]);
    let mut filled = 0;
    while let Some(rest) = text.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    text.truncate(filled);
    Ok(text)
}

fn print(roots: &Roots) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(HEADER.len() + roots.0.len() * LINE));
    text.extend_from_slice(HEADER.as_bytes());
    for (number, root) in (1_usize..).zip(&roots.0) {
        text.extend_from_slice(number.to_string().as_bytes());
        text.push(b' ');
        for byte in root.iter() {
            text.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        text.push(b'\n');
    }
    text
}

/// The one text of some roots, or nothing.
fn parse(text: &[u8]) -> Option<Roots> {
    let mut rest = text.strip_prefix(HEADER.as_bytes())?;
    let mut roots = Vec::new();
    while !rest.is_empty() {
        let number = (roots.len() + 1).to_string();
        rest = rest.strip_prefix(number.as_bytes())?.strip_prefix(b" ")?;
        let (digits, after) = rest.split_first_chunk::<{ 2 * ROOT }>()?;
        let mut root = Box::new(Zeroizing::new([0; ROOT]));
        for (byte, pair) in root.iter_mut().zip(digits.as_chunks::<2>().0) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        roots.push(root);
        rest = after.strip_prefix(b"\n")?;
    }
    (1..=MOST_EPOCHS).contains(&roots.len()).then_some(Roots(roots))
}

fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
#[path = "root_tests.rs"]
mod tests;
