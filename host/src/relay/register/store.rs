//! The register's files.

use super::Last;
use super::map::Map;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use wire::freshness::{Commit, MAX_STATE};
use wire::register::ENTRY;
use wire::rewrap::Bytes;

/// What each connection has become, by its name.
pub type States = BTreeMap<[u8; 32], Vec<u8>>;

#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// Of the folder itself, whatever its name: device and inode.
    is: (u64, u64),
}

impl Folder {
    pub fn open(path: PathBuf) -> io::Result<Folder> {
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
            File::open(above)?.sync_all()?;
        }
        let is = identity(&path)?;
        Ok(Folder { path, is })
    }

    /// Whether another folder has its name now.
    pub fn is_replaced(&self) -> bool {
        identity(&self.path).is_ok_and(|found| found != self.is)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.path.clone() } else { self.path.join(name) }
    }

    /// At the last fold: `u32be length ‖ kept`, then `u32be length ‖ payload` for each head.
    pub fn last(&self) -> io::Result<Last> {
        let bytes = absent_is_none(std::fs::read(self.path("checkpoint")))?.unwrap_or_default();
        let (mut rest, mut records) = (bytes.as_slice(), VecDeque::new());
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            let (record, after) = after.split_at_checked(length).ok_or(io::ErrorKind::InvalidData)?;
            records.push_back(Bytes(record.to_vec()));
            rest = after;
        }
        Ok(Last { kept: records.pop_front().map(|kept| kept.0), heads: records })
    }

    pub fn replace_last(&self, last: &Last) -> io::Result<()> {
        let mut bytes = Vec::new();
        for record in last.kept.iter().chain(last.heads.iter().map(|head| &head.0)) {
            bytes.extend(u32::try_from(record.len()).map_err(io::Error::other)?.to_be_bytes());
            bytes.extend(record);
        }
        self.replace("checkpoint", &bytes)
    }

    pub fn map(&self) -> io::Result<Map> {
        let mut map = Map::default();
        let states = self.states()?;
        let all = states.iter().map(|(name, state)| (name, state.as_slice()));
        map.set_all(all).ok_or(io::ErrorKind::InvalidData)?;
        Ok(map)
    }

    /// At the last fold: `name ‖ u16be length ‖ state`, for every connection.
    pub fn states(&self) -> io::Result<States> {
        let mut states = States::new();
        if let Some(file) = absent_is_none(File::open(self.path("map")))? {
            let mut reader = BufReader::new(file);
            let mut head = [0; 34];
            while is_filled(&mut reader, &mut head)? {
                let (name, length) = head.split_first_chunk::<32>().ok_or(io::ErrorKind::InvalidData)?;
                let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
                if length > MAX_STATE {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                let mut state = vec![0; length];
                reader.read_exact(&mut state)?;
                states.insert(*name, state);
            }
        }
        Ok(states)
    }

    pub fn map_size(&self) -> u64 {
        std::fs::metadata(self.path("map")).map_or(0, |file| file.len())
    }

    pub fn replace_map(&self, states: &States) -> io::Result<()> {
        let next = self.path("map.next");
        let mut out = BufWriter::new(private().create(true).truncate(true).open(&next)?);
        for (name, state) in states {
            out.write_all(name)?;
            out.write_all(&u16::try_from(state.len()).map_err(io::Error::other)?.to_be_bytes())?;
            out.write_all(state)?;
        }
        out.into_inner()?.sync_all()?;
        std::fs::rename(next, self.path("map"))?;
        self.sync()
    }

    /// Writes a commit's entries at their places. The journal has them, should they not last.
    pub fn write_entries(&self, commit: &Commit) -> io::Result<()> {
        let chapter = self.path(&format!("chapter-{}", commit.chapter));
        if !commit.entries.is_empty() || commit.first > 0 {
            self.take_base(commit.chapter, &chapter)?;
        }
        if !commit.entries.is_empty() {
            let file = private().create(true).truncate(false).open(&chapter)?;
            let place = u64::try_from(ENTRY).ok().and_then(|entry| commit.first.checked_mul(entry));
            file.write_all_at(&commit.entries, place.ok_or(io::ErrorKind::InvalidData)?)?;
        }
        // The chapter before is over: its connections are all in this one.
        let before = self.path(&format!("chapter-{}", commit.chapter.saturating_sub(1)));
        absent_is_none(std::fs::remove_file(before)).map(|_| ())
    }

    /// Makes what was written of the chapters last.
    pub fn sync_entries(&self) -> io::Result<()> {
        for file in std::fs::read_dir(&self.path)? {
            let file = file?;
            if file.file_name().to_string_lossy().starts_with("chapter-") {
                // One that is over goes meanwhile.
                if let Some(chapter) = absent_is_none(File::open(file.path()))? {
                    chapter.sync_all()?;
                }
            }
        }
        self.sync()
    }

    /// A new chapter begins with what its conclusion came to.
    fn take_base(&self, number: u32, chapter: &Path) -> io::Result<()> {
        let base = self.path(&format!("base-{number}"));
        if chapter.exists() || !base.exists() {
            return Ok(());
        }
        std::fs::rename(base, chapter)?;
        self.sync()
    }

    /// Puts a file in the place of another, all of it or nothing, and it lasts.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write_beside(name, bytes)?.sync_all()?;
        self.rename(name)?;
        self.sync()
    }

    /// The same, and it need not last: the journal has it.
    pub fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.write_beside(name, bytes)?;
        self.rename(name)
    }

    pub fn put_aside(&self) -> io::Result<PathBuf> {
        let aside = (1_u32..).map(|number| self.path.with_extension(format!("refused-{number}")));
        let aside = aside.into_iter().find(|path| !path.exists()).ok_or(io::ErrorKind::AlreadyExists)?;
        std::fs::rename(&self.path, &aside)?;
        DirBuilder::new().mode(0o700).create(&self.path)?;
        Ok(aside)
    }

    fn write_beside(&self, name: &str, bytes: &[u8]) -> io::Result<File> {
        let next = self.path(&format!("{name}.next"));
        let mut file = private().create(true).truncate(true).open(next)?;
        file.write_all(bytes)?;
        Ok(file)
    }

    fn rename(&self, name: &str) -> io::Result<()> {
        std::fs::rename(self.path(&format!("{name}.next")), self.path(name))
    }

    /// Makes the names in it last.
    pub fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

fn is_filled(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}
