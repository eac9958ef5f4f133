//! The kernel's directory of one report.

use super::Report;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Of this program alone; the kernel forgets it with the machine.
const NAME: &str = "tensfer";

pub(super) struct Directory(PathBuf);

impl Directory {
    /// One that is there already belongs to somebody else: then there is no evidence.
    pub(super) fn make(reports: &Path) -> io::Result<Directory> {
        let directory = reports.join(NAME);
        fs::create_dir(&directory)?;
        Ok(Directory(directory))
    }
}

impl Report for Directory {
    /// Reads one byte more than is allowed, so that what is too long shows.
    fn read(&mut self, file: &'static str, at_most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(at_most).unwrap_or(u64::MAX).saturating_add(1);
        File::open(self.0.join(file))?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write(&mut self, file: &'static str, bytes: &[u8]) -> io::Result<()> {
        // In one call: the kernel takes each write for a whole blob.
        let written = rustix::io::write(File::options().write(true).open(self.0.join(file))?, bytes)?;
        if written == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}
