//! A witness's key and memory in files, and its signed answers. Key and memory begin together, and neither is ever made
//! again beside the other (m14).

#[cfg(test)]
mod tests;

use crate::up::folder::{private, replace, sync_folder};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use verify::manifest::key_name;
use verify::witness::{Rules, Told, to_be_signed};
use wire::Canonical;
use wire::cose::{self, Protected, Sign1};
use wire::evidence::Hash;
use wire::manifest::SigningKey;
use wire::owner::OwnerAlgorithm;
use wire::witness::{Advance, Answer, MAX_ASKED, Memory, Take};
use zeroize::Zeroizing;

const KEPT: &str = "kept";
const KEY: &str = "key";
const MEMORY: &str = "memory";

/// Why a witness does not start. None of them is ever answered by making what is missing.
#[derive(Debug)]
pub enum Lost {
    /// A file that belongs to the other one is not there.
    Missing(PathBuf),
    /// A file is not what we write, or not of this key.
    Damaged(PathBuf),
    /// Others may read it.
    Exposed(PathBuf),
    Io(PathBuf, io::Error),
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Lost::Missing(path) => write!(
                f,
                "`{}` is gone, so this witness's word is worth nothing any more; start another with a new folder, and \
                 name its key in the next manifest (no backup: what it forgot, it may contradict)",
                path.display()
            ),
            Lost::Damaged(path) => write!(
                f,
                "`{}` is damaged, or of another key; start another witness with a new folder, and name its key in the \
                 next manifest",
                path.display()
            ),
            Lost::Exposed(path) => {
                write!(f, "others may read `{}`; its mode has to be 0600", path.display())
            }
            Lost::Io(path, error) => write!(f, "`{}`: {error}", path.display()),
        }
    }
}

impl std::error::Error for Lost {}

/// What a witness is asked, as it arrived.
#[derive(Clone, Debug)]
pub enum Asked {
    Take(bytes::Bytes),
    Advance(bytes::Bytes),
}

/// A witness that has its key and its memory. Nobody else opens the folder while it lives: its caller holds the lock.
pub struct Keeper {
    memory: PathBuf,
    pair: Ed25519KeyPair,
    protected: Vec<u8>,
    name: Hash,
    rules: Rules,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keeper({:?})", self.key())
    }
}

impl Keeper {
    /// Opens what is in the data folder; at the first start makes it.
    pub fn open(data: &Path) -> Result<Keeper, Lost> {
        let kept = data.join(KEPT);
        if !kept.try_exists().map_err(|error| Lost::Io(kept.clone(), error))? {
            make(&kept).map_err(|error| Lost::Io(kept.clone(), error))?;
        }
        let pair = read_key(&kept)?;
        let name = Hash(key_name(&public(&pair)));
        let memory = kept.join(MEMORY);
        let rules = read_memory(&memory, name)?;
        let protected = Protected { algorithm: cose::EDDSA, key: name.0 }.to_bytes();
        Ok(Keeper { memory, pair, protected, name, rules })
    }

    pub fn key(&self) -> SigningKey {
        public(&self.pair)
    }

    /// Answers all, after one write: what is said is on the disk before anyone hears it. `None` for what has no form.
    ///
    /// # Errors
    /// What was to be said may be on the disk or not, and nothing of it was said. The witness must end: another start goes
    /// on from what is there.
    pub fn answer(&mut self, asked: &[Asked]) -> io::Result<Vec<Option<Vec<u8>>>> {
        let told: Vec<Option<Told>> = asked.iter().map(|asked| self.decide(asked)).collect();
        if told.iter().flatten().any(|told| told.changed) {
            replace(&self.memory, &self.rules.memory(self.name).to_bytes())?;
        }
        Ok(told.into_iter().map(|told| Some(self.sign(&told?.answer))).collect())
    }

    fn decide(&mut self, asked: &Asked) -> Option<Told> {
        let (Asked::Take(bytes) | Asked::Advance(bytes)) = asked;
        if bytes.len() > MAX_ASKED {
            return None;
        }
        match asked {
            Asked::Take(bytes) => self.rules.take(&Take::from_bytes(bytes).ok()?),
            Asked::Advance(bytes) => self.rules.advance(&Advance::from_bytes(bytes).ok()?),
        }
    }

    fn sign(&self, answer: &Answer) -> Vec<u8> {
        let payload = answer.to_bytes();
        let signature = self.pair.sign(&to_be_signed(&self.protected, &payload));
        Sign1 { protected: &self.protected, payload: Some(&payload), signature: signature.as_ref() }
            .to_bytes()
    }
}

/// Key and memory of the witness in a data folder: all that it writes.
pub fn kept(data: &Path) -> PathBuf {
    data.join(KEPT)
}

/// The public key of the witness in a data folder.
pub fn key_at(data: &Path) -> Result<SigningKey, Lost> {
    read_key(&data.join(KEPT)).map(|pair| public(&pair))
}

/// Makes key and empty memory beside, and puts both in place at once: whoever finds one without the other has lost it.
fn make(kept: &Path) -> io::Result<()> {
    let beside = kept.with_extension("new");
    // Of a start that died: nobody has seen its key.
    match std::fs::remove_dir_all(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(&beside)?;
    let pair = Ed25519KeyPair::generate().map_err(|_| io::Error::other("no key could be made"))?;
    let document = pair.to_pkcs8().map_err(|_| io::Error::other("the key could not be encoded"))?;
    let memory = Rules::default().memory(Hash(key_name(&public(&pair))));
    for (name, bytes) in [(KEY, document.as_ref()), (MEMORY, &memory.to_bytes()[..])] {
        let mut file = private().create_new(true).write(true).open(beside.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    sync_folder(&beside.join(KEY))?;
    std::fs::rename(&beside, kept)?;
    sync_folder(kept)
}

fn read_key(kept: &Path) -> Result<Ed25519KeyPair, Lost> {
    let path = kept.join(KEY);
    let document = Zeroizing::new(read(&path)?);
    Ed25519KeyPair::from_pkcs8(&document).map_err(|_| Lost::Damaged(path))
}

fn read_memory(path: &Path, key: Hash) -> Result<Rules, Lost> {
    let memory = Memory::from_bytes(&read(path)?).ok().filter(|memory| memory.key == key);
    memory.and_then(|memory| Rules::remember(&memory)).ok_or_else(|| Lost::Damaged(path.to_path_buf()))
}

fn read(path: &Path) -> Result<Vec<u8>, Lost> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Lost::Missing(path.to_path_buf()),
        _ => Lost::Io(path.to_path_buf(), error),
    };
    if path.metadata().map_err(failed)?.mode() & 0o077 != 0 {
        return Err(Lost::Exposed(path.to_path_buf()));
    }
    std::fs::read(path).map_err(failed)
}

fn public(pair: &Ed25519KeyPair) -> SigningKey {
    SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: pair.public_key().as_ref().to_vec() }
}
