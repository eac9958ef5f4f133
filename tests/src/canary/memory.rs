//! Searching the memory of a running process, as the kernel shows it to whoever may debug it.

use super::files::PIECE;
use super::leak::{Leak, Place};
use super::scanner::{Hit, Scanner, settle};
use crate::Running;
use std::fmt;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Mappings that the kernel makes and lets nobody read from outside: clock data, and a page from before the vDSO.
const KERNELS_OWN: [&str; 4] = ["[vvar]", "[vvar_vclock]", "[vsyscall]", "[uprobes]"];

/// A line of `/proc/PID/maps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub addresses: Range<u64>,
    /// Such as `rw-p`.
    pub permissions: String,
    /// Where it begins in its file.
    pub offset: u64,
    /// The file, or a name in brackets, or nothing.
    pub name: String,
}

/// What a search of one process's memory saw.
#[derive(Debug)]
pub struct Memory {
    pub leaks: Vec<Leak>,
    /// Bytes that were read and searched.
    pub searched: u64,
    /// What the kernel let nobody read, such as secret memory (`memfd_secret`).
    pub unreadable: Vec<Mapping>,
}

impl Scanner {
    /// Every readable mapping. The constants in the program's own file are not counted: anyone can read them there,
    /// so they are no secrets. That is held byte by byte: the same bytes at the same place in the file.
    ///
    /// # Panics
    /// When the kernel does not let us look: a search that saw nothing proves nothing.
    pub fn search_memory(&self, process: &Running) -> Memory {
        let name = format!("{} ({})", process.name(), process.pid);
        let refused = |error: std::io::Error| -> ! {
            panic!(
                "cannot read the memory of {name}: {error}. It is another user's, or forbids it and was not started as \
                 `namespace::visible`; this does not skip, since a search that sees nothing proves nothing"
            )
        };
        let memory = File::open(format!("/proc/{}/mem", process.pid)).unwrap_or_else(|error| refused(error));
        let program =
            fs::read_link(format!("/proc/{}/exe", process.pid)).unwrap_or_else(|error| refused(error));
        let mut seen = Memory { leaks: Vec::new(), searched: 0, unreadable: Vec::new() };
        for mapping in mappings(process.pid) {
            if !mapping.permissions.starts_with('r') || KERNELS_OWN.contains(&mapping.name.as_str()) {
                continue;
            }
            let hits = self.search_mapping(&memory, &mapping, &Constants::of(&mapping, &program), &mut seen);
            seen.leaks.extend(settle(hits).into_iter().map(|hit| {
                let (process, address) = (name.clone(), hit.at.start);
                Leak::new(Place::Memory { process, mapping: mapping.clone(), address }, hit)
            }));
        }
        assert!(seen.searched > 0, "nothing of the memory of {name} could be read");
        seen
    }

    fn search_mapping(
        &self,
        memory: &File,
        mapping: &Mapping,
        constants: &Constants,
        seen: &mut Memory,
    ) -> Vec<Hit> {
        let mut hits = Vec::new();
        let Range { start: mut from, end } = mapping.addresses;
        while from < end {
            let mut piece = vec![0; usize::try_from(end - from).map_or(PIECE, |left| left.min(PIECE))];
            let Ok(read @ 1..) = memory.read_at(&mut piece, from) else {
                seen.unreadable.push(Mapping { addresses: from..end, ..mapping.clone() });
                return hits;
            };
            piece.truncate(read);
            hits.extend(self.hits(from, &piece).into_iter().filter(|hit| !constants.hold(hit, &piece, from)));
            seen.searched += read as u64;
            // The next piece begins before the end of this one, unless this was the last.
            let overlap = if from + (read as u64) < end { self.longest().min(read / 2) } else { 0 };
            from += (read - overlap) as u64;
        }
        hits
    }
}

/// The file behind a mapping, if it is the program's own.
struct Constants {
    file: Option<File>,
    /// Address of the file's first byte, were it mapped.
    base: u64,
}

impl Constants {
    fn of(mapping: &Mapping, program: &Path) -> Constants {
        let file = (Path::new(&mapping.name) == program).then(|| File::open(program).ok()).flatten();
        Constants { file, base: mapping.addresses.start.wrapping_sub(mapping.offset) }
    }

    /// Whether the program's file has exactly the bytes of this hit at its place; `piece` begins at `from`.
    fn hold(&self, hit: &Hit, piece: &[u8], from: u64) -> bool {
        let Some(file) = &self.file else { return false };
        let found = &piece[(hit.at.start - from) as usize..(hit.at.end - from) as usize];
        let mut constant = vec![0; found.len()];
        file.read_exact_at(&mut constant, hit.at.start.wrapping_sub(self.base)).is_ok() && constant == found
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "anonymous" } else { &self.name };
        write!(f, "{} {:x}-{:x} {name}", self.permissions, self.addresses.start, self.addresses.end)
    }
}

fn mappings(pid: u32) -> Vec<Mapping> {
    let path = format!("/proc/{pid}/maps");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().map(|line| parse(line).unwrap_or_else(|| panic!("{path}: `{line}`"))).collect()
}

/// `from-to permissions offset device inode name`
fn parse(line: &str) -> Option<Mapping> {
    let mut fields = line.splitn(6, ' ');
    let (from, to) = fields.next()?.split_once('-')?;
    let hex = |digits: &str| u64::from_str_radix(digits, 16).ok();
    let addresses = hex(from)?..hex(to)?;
    let permissions = fields.next()?.to_owned();
    let offset = hex(fields.next()?)?;
    let rest = fields.nth(2).unwrap_or_default();
    Some(Mapping { addresses, permissions, offset, name: rest.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_maps_is_read() {
        let file =
            parse("7f00-7f10 r--p 00002000 fe:00 1234                       /usr/bin/a program").unwrap();
        assert_eq!((file.addresses, file.offset), (0x7f00..0x7f10, 0x2000));
        assert_eq!((file.permissions.as_str(), file.name.as_str()), ("r--p", "/usr/bin/a program"));
        assert_eq!(parse("7f00-7f10 rw-p 00000000 00:00 0 ").unwrap().name, "");
        assert_eq!(parse("7f00-7f10 rw-p 00000000 00:00 0").unwrap().name, "");
    }
}
