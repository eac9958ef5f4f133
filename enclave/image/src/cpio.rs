//! The initial file system: a cpio archive of the kind "newc" (Linux, `Documentation/driver-api/early-userspace/buffer-format`),
//! uncompressed, with nothing in it that depends on where or when it was written.

use core::fmt::Write as _;
use std::collections::BTreeMap;

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const DATA: u32 = 0o100_644;
const TRAILER: &str = "TRAILER!!!";
/// Header and name, then the contents, are filled up to this.
const ALIGNMENT: usize = 4;

/// Files by their path, which has no slash at its start; directories are made as they are needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive(BTreeMap<String, Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Directory,
    Program(Vec<u8>),
    Data(Vec<u8>),
}

/// Why a path is not one of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpioError {
    /// Empty, absolute, with `.` or `..`, or with a byte that is not printable ASCII.
    Path,
    /// Something is there already.
    Twice,
    /// Longer than the format can say: 4 GiB.
    TooLong,
}

impl core::fmt::Display for CpioError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            CpioError::Path => "a path in the image is empty, absolute, or not made of printable ASCII",
            CpioError::Twice => "two files of the image have one path",
            CpioError::TooLong => "a file of the image is longer than 4 GiB",
        })
    }
}

impl core::error::Error for CpioError {}

impl Archive {
    pub fn new() -> Archive {
        Archive::default()
    }

    /// Adds an empty directory.
    pub fn with_directory(mut self, path: &str) -> Result<Archive, CpioError> {
        check(path)?;
        self.parents(path)?;
        match self.0.insert(path.to_owned(), Entry::Directory) {
            None | Some(Entry::Directory) => Ok(self),
            Some(_) => Err(CpioError::Twice),
        }
    }

    /// Adds a file that everybody may run.
    pub fn with_program(self, path: &str, contents: Vec<u8>) -> Result<Archive, CpioError> {
        self.with(path, Entry::Program(contents))
    }

    /// Adds a file that everybody may read.
    pub fn with_data(self, path: &str, contents: Vec<u8>) -> Result<Archive, CpioError> {
        self.with(path, Entry::Data(contents))
    }

    fn with(mut self, path: &str, entry: Entry) -> Result<Archive, CpioError> {
        check(path)?;
        self.parents(path)?;
        if self.0.insert(path.to_owned(), entry).is_some() {
            return Err(CpioError::Twice);
        }
        Ok(self)
    }

    fn parents(&mut self, path: &str) -> Result<(), CpioError> {
        for (at, _) in path.match_indices('/') {
            let parent = path.get(..at).ok_or(CpioError::Path)?;
            match self.0.entry(parent.to_owned()).or_insert(Entry::Directory) {
                Entry::Directory => {}
                Entry::Program(_) | Entry::Data(_) => return Err(CpioError::Twice),
            }
        }
        Ok(())
    }

    /// The archive's bytes: entries in the order of their paths, a directory before what is in it; numbers of files count up,
    /// owners and times are 0.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CpioError> {
        let mut out = Vec::new();
        for (number, (path, entry)) in (1..).zip(&self.0) {
            let (mode, contents) = match entry {
                Entry::Directory => (DIRECTORY, [].as_slice()),
                Entry::Program(contents) => (PROGRAM, contents.as_slice()),
                Entry::Data(contents) => (DATA, contents.as_slice()),
            };
            write(&mut out, number, path, mode, contents)?;
        }
        write(&mut out, 0, TRAILER, 0, &[])?;
        Ok(out)
    }
}

fn check(path: &str) -> Result<(), CpioError> {
    let is_part =
        |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(|byte| byte.is_ascii_graphic());
    if path.split('/').all(is_part) && path != TRAILER { Ok(()) } else { Err(CpioError::Path) }
}

/// Magic, then thirteen numbers of eight hexadecimal digits: inode, mode, uid, gid, links, time, size, device (two),
/// device that it stands for (two), length of the name with its zero byte, checksum (not used).
fn write(out: &mut Vec<u8>, inode: u32, name: &str, mode: u32, contents: &[u8]) -> Result<(), CpioError> {
    let length = |bytes: usize| u32::try_from(bytes).map_err(|_| CpioError::TooLong);
    let links = if mode == DIRECTORY { 2 } else { 1 };
    let numbers = [
        inode,
        mode,
        0,
        0,
        links,
        0,
        length(contents.len())?,
        0,
        0,
        0,
        0,
        length(name.len())?.saturating_add(1),
        0,
    ];
    let mut header = String::from("070701");
    for number in numbers {
        // Writing to a String does not fail.
        let _ = write!(header, "{number:08x}");
    }
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    align(out);
    out.extend_from_slice(contents);
    align(out);
    Ok(())
}

fn align(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn the_order_in_which_files_are_added_changes_nothing() {
        let one =
            Archive::new().with_program("init", vec![1]).unwrap().with_data("etc/a/b", vec![2]).unwrap();
        let other =
            Archive::new().with_data("etc/a/b", vec![2]).unwrap().with_program("init", vec![1]).unwrap();
        assert_eq!(one.to_bytes(), other.to_bytes());
        assert_eq!(one.to_bytes().unwrap().len() % ALIGNMENT, 0);
    }

    #[test]
    fn paths_that_would_leave_the_archive_or_hide_are_refused() {
        for bad in ["", "/init", "a//b", "a/", "../a", "a/./b", "a b", "a\nb", "TRAILER!!!", "\u{e9}"] {
            assert_eq!(Archive::new().with_data(bad, Vec::new()).err(), Some(CpioError::Path), "{bad:?}");
        }
    }

    #[test]
    fn a_path_is_one_thing() {
        let archive = Archive::new().with_data("a", vec![1]).unwrap();
        assert_eq!(archive.clone().with_data("a", vec![1]).err(), Some(CpioError::Twice));
        assert_eq!(archive.clone().with_data("a/b", vec![1]).err(), Some(CpioError::Twice));
        assert_eq!(archive.with_directory("a").err(), Some(CpioError::Twice));
        assert!(Archive::new().with_data("d/a", Vec::new()).unwrap().with_directory("d").is_ok());
    }
}
