//! What a search reports: where, which secret, in which form; never the secret.

use super::encoding::Encoding;
use super::memory::Mapping;
use super::scanner::Hit;
use std::fmt;
use std::path::PathBuf;

/// Where a secret lay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    File {
        path: PathBuf,
        offset: u64,
    },
    /// The file's own name, or its folder's.
    FileName(PathBuf),
    /// A file that a process holds open; it may have no name any more.
    OpenFile {
        process: String,
        path: PathBuf,
        offset: u64,
    },
    Output {
        of: String,
        offset: u64,
    },
    Arguments(String),
    Environment(String),
    Memory {
        process: String,
        mapping: Mapping,
        address: u64,
    },
}

/// A secret where none may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    pub secret: String,
    pub encoding: Encoding,
    /// All of it, or at least 16 bytes in a row.
    pub whole: bool,
    pub place: Place,
}

impl Leak {
    pub(super) fn new(place: Place, hit: Hit) -> Leak {
        Leak { secret: hit.name, encoding: hit.encoding, whole: hit.whole, place }
    }
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let much = if self.whole { "" } else { "part of " };
        write!(f, "{much}{} as {} in {}", self.secret, self.encoding, self.place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, offset } => write!(f, "{} at {offset:#x}", path.display()),
            Place::FileName(path) => write!(f, "a name in the folder {}", path.display()),
            Place::OpenFile { process, path, offset } => {
                write!(f, "{}, held open by {process}, at {offset:#x}", path.display())
            }
            Place::Output { of, offset } => write!(f, "the output of {of} at {offset:#x}"),
            Place::Arguments(process) => write!(f, "the command line of {process}"),
            Place::Environment(process) => write!(f, "the environment of {process}"),
            Place::Memory { process, mapping, address } => {
                write!(f, "the memory of {process} at {address:#x} ({mapping})")
            }
        }
    }
}
