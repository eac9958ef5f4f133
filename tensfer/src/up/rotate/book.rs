//! The register as the host keeps it, to be read out (docs/spec/rotation.md §4, §5).

use anyhow::{Context, bail};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use wire::Canonical;
use wire::cose::Sign1;
use wire::register::{ENTRY, Entry, Head, Kept, PLACED};

/// One chapter's log.
#[derive(Debug)]
pub struct Book {
    folder: PathBuf,
    chapter: u32,
    /// Entries, one after another.
    entries: Vec<u8>,
}

impl Book {
    /// The first `size` entries of the chapter that `folder` keeps.
    pub fn read(folder: &Path, size: u64) -> anyhow::Result<Book> {
        let (chapter, kept) = head(folder)?.map_or((1, 0), |head| (head.chapter, head.size));
        if size > kept {
            bail!("the enclave recorded {size} entries and `{}` has {kept}", folder.display());
        }
        let length = usize::try_from(size).ok().and_then(|size| size.checked_mul(ENTRY));
        let length = length.context("the register does not fit into memory")?;
        let mut entries = Vec::new();
        entries.try_reserve_exact(length).context("the register does not fit into memory")?;
        if length > 0 {
            let path = folder.join(format!("chapter-{chapter}"));
            let file = File::open(&path).with_context(|| format!("`{}`", path.display()))?;
            file.take(u64::try_from(length)?).read_to_end(&mut entries)?;
        }
        if entries.len() != length {
            bail!("the register in `{}` is cut off", folder.display());
        }
        Ok(Book { folder: folder.to_path_buf(), chapter, entries })
    }

    pub fn size(&self) -> usize {
        self.entries.len() / ENTRY
    }

    /// The log in its order, at most `most` entries at a time.
    pub fn log(&self, most: usize) -> impl Iterator<Item = &[u8]> {
        self.entries.chunks(most * ENTRY)
    }

    /// Every entry at its place, by name, then place.
    pub fn sorted(&self) -> Vec<u32> {
        let mut places: Vec<u32> = (0..).take(self.size()).collect();
        places.sort_unstable_by_key(|place| (self.entry(*place).first_chunk::<32>(), *place));
        places
    }

    /// The entry at a place, with the place before it, as the second pass has it.
    pub fn placed(&self, place: u32) -> [u8; PLACED] {
        let mut bytes = [0; PLACED];
        let number = u64::from(place).to_be_bytes();
        bytes.iter_mut().zip(number.iter().chain(self.entry(place))).for_each(|(to, from)| *to = *from);
        bytes
    }

    pub fn entry(&self, place: u32) -> &[u8; ENTRY] {
        let (entries, _) = self.entries.as_chunks::<ENTRY>();
        entries.get(place as usize).expect("a place is below the size")
    }

    /// The entry that counts of each connection, ascending by name.
    pub fn counted<'b>(&'b self, sorted: &'b [u32]) -> impl Iterator<Item = anyhow::Result<Entry>> + 'b {
        let is_same = |one: &u32, other: &u32| {
            self.entry(*one).first_chunk::<32>() == self.entry(*other).first_chunk::<32>()
        };
        sorted.chunk_by(is_same).map(|places| {
            let mut counted: Option<Entry> = None;
            for place in places {
                let entry =
                    Entry::from_bytes(self.entry(*place)).context("an entry of the register is damaged")?;
                counted = Some(counted.map_or(entry, |known: Entry| known.newer(entry)));
            }
            counted.context("a chunk has an entry")
        })
    }

    /// Writes what the next chapter begins with: one entry for each connection, ascending by name. The relay takes it over
    /// when the enclave has concluded, and what is left of an attempt that was given up is written over.
    pub fn write_base(&self, sorted: &[u32]) -> anyhow::Result<()> {
        let path = self.folder.join(format!("base-{}", self.chapter + 1));
        let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        let mut out = BufWriter::new(file);
        for entry in self.counted(sorted) {
            out.write_all(&entry?.to_bytes())?;
        }
        out.into_inner()?.sync_all()?;
        Ok(File::open(&self.folder)?.sync_all()?)
    }
}

/// The head in `kept`; `None` when nothing was ever recorded. Nobody here verifies it: the enclave and its readers do.
pub fn head(folder: &Path) -> anyhow::Result<Option<Head>> {
    let kept = match std::fs::read(folder.join("kept")) {
        Ok(kept) => kept,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let kept = Kept::from_bytes(&kept).context("`kept` of the register is damaged")?;
    let signed = Sign1::from_bytes(&kept.head.0).context("`kept` of the register is damaged")?;
    let head = Head::from_bytes(signed.payload.unwrap_or_default());
    head.map(Some).context("`kept` of the register is damaged")
}
